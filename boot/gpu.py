"""The GPU on this host: whether it is worth asking for, opening it, and how to get one."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..kernel.placement import GPU, Backend, Backends, NoGpuError
from . import environment
from .errors import BootError

if TYPE_CHECKING:
    from ..kernel.machine.gpu.device import Gpu


def backends() -> Backends:
    """Where the programs of this host can run.  Costs nothing until one wants the GPU."""
    return Backends(open_backend, promising=is_promising)


def require(places: Backends, on: str) -> None:
    """Open the GPU if programs are to run there and nowhere else; raises BootError if there is
    none, before anything was started."""
    if on != GPU:
        return
    try:
        places.gpu(asked=True)
    except NoGpuError as error:
        raise BootError(error.what, "--on gpu", error.advice) from error


def is_promising() -> bool:
    """Whether there may be a GPU: a guess from a few files, which loads neither package nor
    driver."""
    return environment.has_package("wgpu") and environment.may_have_gpu()


def open_backend() -> Backend:
    """Open the preferred adapter; raises NoGpuError."""
    from ..kernel.machine.gpu.device import NoGpu, open_gpu

    environment.keep_drivers_quiet()
    try:
        return backend_of(open_gpu())
    except NoGpu as error:
        raise NoGpuError(*what_is_missing(error)) from error


def backend_of(gpu: Gpu) -> Backend:
    """What the kernel needs of an opened device."""
    from ..kernel.machine.cpu.fill import bind_plan
    from ..kernel.machine.gpu.device import GpuLost, GpuOutOfMemory
    from ..kernel.machine.gpu.executor import GpuExecutor

    return Backend(
        lambda memory, ports: GpuExecutor(memory, ports, gpu, bind_plan),
        GpuLost,
        GpuOutOfMemory,
        gpu.info.name,
        gpu.info.is_software,
    )


def what_is_missing(error: Exception) -> tuple[str, str]:
    """What a NoGpu says in a few words, and what to do about it."""
    if not environment.has_package("wgpu"):
        return "the package wgpu is not installed", "pip install wgpu"
    what = str(error).partition(": ")[0]
    return what, environment.gpu_advice()
