"""Where processes run: the executors the kernel is handed, and the GPU, opened when it is needed.

The kernel imports no GPU.  Whoever wires the system hands it ``Backends`` with a way to open one,
which takes a second and is gone through when the first process is placed there, never before.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import NamedTuple, Protocol

from .machine.fault import Stop
from .machine.memory import Memory
from .machine.ports import Ports

#: Where a process may be placed: on the CPU, on the GPU, or wherever it is expected to run faster.
CPU, GPU, AUTO = "cpu", "gpu", "auto"
PLACES = (CPU, GPU, AUTO)


class Executor(Protocol):
    """Runs a program; see ``kernel.machine.cpu.executor``."""

    def run(self, slice_fuel: int) -> Stop:
        """Run for at most ``slice_fuel`` fuel."""
        ...


class GpuExecutor(Executor, Protocol):
    """An executor that may keep data outside the memory's words; see ``kernel.machine.gpu``."""

    def settle(self) -> None:
        """Bring all of the memory's words up to date."""
        ...

    def close(self) -> None:
        """Give back what it has of the device; it is not used any more.  Any thread."""
        ...


MakeExecutor = Callable[[Memory, Ports], Executor]


class NoGpuError(Exception):
    """There is no GPU that programs could run on.  ``what`` is missing, ``advice`` how to get
    it ("" if there is no way)."""

    def __init__(self, what: str, advice: str = "") -> None:
        super().__init__(f"{what}; {advice}" if advice else what)
        self.what = what
        self.advice = advice


class Backend(NamedTuple):
    """An open GPU.

    ``make``: an executor on it.  ``lost``: what making, running and settling raise when the
    device is gone, for this process and all others.  ``full``: what they raise when the device
    cannot serve this process, for want of its memory; running raises it before the instruction
    that wanted more, with SYS as it was then.  ``name``: of the adapter.  ``software``: it computes
    on the CPU.
    """

    make: Callable[[Memory, Ports], GpuExecutor]
    lost: type[Exception]
    full: type[Exception]
    name: str = "GPU"
    software: bool = False


class Backends:
    """The places where processes can run.

    ``open_gpu``: opens the GPU, or raises NoGpuError; None: there is none.  ``promising``: whether
    it is worth opening unasked, so that nothing is imported for it where no driver is installed.
    ``make_cpu`` None: the CPU executor.

    A GPU that was lost is opened again only when somebody asks for it by name.
    """

    def __init__(
        self,
        open_gpu: Callable[[], Backend] | None = None,
        *,
        promising: Callable[[], bool] | None = None,
        make_cpu: MakeExecutor | None = None,
    ) -> None:
        self._open_gpu = open_gpu
        self._promising = promising
        self.make_cpu: MakeExecutor = cpu_executor if make_cpu is None else make_cpu
        self._lock = threading.Lock()
        self._gpu: Backend | None = None
        self._missing: NoGpuError | None = None
        self._lost = ""

    @property
    def is_open(self) -> bool:
        """Whether a GPU is open."""
        return self._gpu is not None

    def gpu(self, *, asked: bool = False) -> Backend:
        """The GPU, opened if it is not; raises NoGpuError.

        ``asked``: the user asked for it by name, so that one that was lost, or not there, is tried
        once more.  May be called on any thread.
        """
        with self._lock:
            if self._gpu is not None:
                return self._gpu
            if self._open_gpu is None:
                raise NoGpuError("no GPU is connected to this system")
            if self._lost and not asked:
                raise NoGpuError(f"the GPU was lost: {self._lost}", "ask for it with --on gpu")
            if self._missing is not None and not asked:
                raise self._missing
            try:
                self._gpu = self._open_gpu()
            except NoGpuError as error:
                self._missing = error
                raise
            self._lost = ""
            return self._gpu

    def lose(self, backend: Backend, why: str) -> None:
        """The device is gone."""
        with self._lock:
            if self._gpu is backend:
                self._gpu = None
                self._lost = why

    @property
    def tempting(self) -> bool:
        """Whether a process that may run anywhere could run on a GPU: there is one, it was not
        lost, and it is not the CPU in disguise."""
        # Not locked: the kernel's thread asks while another one may be opening the device.
        gpu = self._gpu
        if gpu is not None:
            return not gpu.software
        if self._open_gpu is None or self._lost or self._missing is not None:
            return False
        if self._promising is not None and not self._promising():
            self._missing = NoGpuError("no driver for a GPU is installed")
            return False
        return True


def cpu_executor(memory: Memory, ports: Ports) -> Executor:
    """An executor on the CPU."""
    from .machine.cpu.executor import CpuExecutor

    return CpuExecutor(memory, ports)


def cpu_executors_for_much() -> MakeExecutor:
    """Executors on the CPU for long work: compiled kernels are loaded first, if there are any."""
    from .machine.cpu import native
    from .machine.cpu.executor import CpuExecutor

    kernels = native.load()
    return lambda memory, ports: CpuExecutor(memory, ports, kernels)
