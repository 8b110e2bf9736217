"""The GPU itself: adapters, the opened device, buffers, pipelines, submitting and reading back.

This is the one file that imports ``wgpu``, inside functions, so that nothing is loaded and no
driver is touched before a program is placed on the GPU.  Opening a device takes about a second.

One :class:`Gpu` serves all executors.  Its methods may be called from any thread; ``lock`` makes a
sequence of them (writes, then the submit that relies on them) one whole.
"""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np

#: Storage buffers that every kernel may name (see ``shaders``); WebGPU guarantees 8 a stage.
FIXED_BINDINGS = 7
#: Smallest buffer, in words: an empty binding is not allowed.
MIN_WORDS = 4
#: Bytes that can be read back whatever else the device holds.
READBACK_BYTES = 1 << 16
#: Greatest number of words of one buffer: byte addresses in shaders are 32 bits.
MAX_WORDS = (1 << 30) - 1


class GpuError(Exception):
    """Something about the GPU went wrong; the message says what."""


class NoGpu(GpuError):  # noqa: N818 - says what is the case
    """There is no adapter, or no ``wgpu``; the message says how to get one."""


class GpuLost(GpuError):  # noqa: N818 - says what is the case
    """The device is gone (a driver reset, an adapter pulled out): its memory is lost."""


class GpuOutOfMemory(GpuError):  # noqa: N818 - says what is the case
    """The device has no memory for this; what it holds is as it was."""


class AdapterInfo(NamedTuple):
    """One adapter: its name, ``kind`` ("discrete GPU", "integrated GPU", "virtual GPU", "CPU" for
    software, "unknown"), the ``backend`` that drives it, and the ``driver``'s own words."""

    name: str
    kind: str
    backend: str
    driver: str

    @property
    def is_software(self) -> bool:
        """Whether it is a renderer on the processor."""
        return self.kind == "CPU"


class Buffer:
    """Words on the GPU.  ``words``: how many; ``handle``: wgpu's."""

    __slots__ = ("handle", "words")

    def __init__(self, handle: Any, words: int) -> None:
        self.handle = handle
        self.words = words


class Part(NamedTuple):
    """Words ``start``..``start + words - 1`` of a buffer."""

    buffer: Buffer
    start: int
    words: int


#: A dispatch: pipeline, bind group, workgroups by x and by y.
Call = tuple[Any, Any, int, int]

_KINDS = {
    "DiscreteGPU": "discrete GPU",
    "IntegratedGPU": "integrated GPU",
    "VirtualGPU": "virtual GPU",
    "CPU": "CPU",
}
_RANK = ("discrete GPU", "integrated GPU", "virtual GPU", "unknown", "CPU")


def _wgpu() -> Any:
    """The ``wgpu`` module, limited to Vulkan on Linux: its GL side aborts beside an SDL window."""
    try:
        import wgpu
    except ImportError as error:
        raise NoGpu(
            f"the package wgpu cannot be loaded ({error}): install it with 'pip install wgpu'"
        ) from error
    import sys

    global _limited
    if not _limited:
        from wgpu.backends.wgpu_native.extras import set_instance_extras

        if sys.platform.startswith("linux"):
            set_instance_extras(backends=["Vulkan"])
        _limited = True
    return wgpu


_limited = False


def _info(adapter: Any) -> AdapterInfo:
    info = adapter.info
    return AdapterInfo(
        str(info["device"]),
        _KINDS.get(str(info["adapter_type"]), "unknown"),
        str(info["backend_type"]),
        str(info["description"]),
    )


def _adapters() -> list[tuple[AdapterInfo, Any]]:
    wgpu = _wgpu()
    try:
        found = wgpu.gpu.enumerate_adapters_sync()
    except RuntimeError as error:
        raise NoGpu(f"the graphics drivers cannot be asked: {error}") from error
    return sorted(((_info(a), a) for a in found), key=lambda pair: _RANK.index(pair[0].kind))


def adapters() -> list[AdapterInfo]:
    """The adapters of this machine, the preferred one first; raises NoGpu without ``wgpu``."""
    return [info for info, _ in _adapters()]


def open_gpu(name: str = "") -> Gpu:
    """Open the preferred adapter, or the first whose name contains ``name``; raises NoGpu."""
    wanted = name.lower()
    found = [pair for pair in _adapters() if wanted in pair[0].name.lower()]
    if not found:
        what = f"no graphics adapter named {name!r}" if name else "no graphics adapter"
        raise NoGpu(f"there is {what} here: 'pxos doctor' says how to get one")
    info, adapter = found[0]
    wgpu = _wgpu()
    limits = adapter.limits
    asked = {
        key: limits[key]
        for key in (
            "max-storage-buffer-binding-size",
            "max-buffer-size",
            "max-storage-buffers-per-shader-stage",
            "max-bindings-per-bind-group",
            "max-compute-workgroup-storage-size",
            "max-compute-invocations-per-workgroup",
            "max-compute-workgroup-size-x",
            "max-compute-workgroup-size-y",
        )
    }
    optional = ("timestamp-query", "subgroup")
    features = [feature for feature in optional if feature in adapter.features]
    try:
        device = adapter.request_device_sync(required_limits=asked, required_features=features)
        return Gpu(wgpu, device, info, frozenset(features))
    except (RuntimeError, GpuError) as error:
        raise NoGpu(f"{info.name} cannot be opened: {error}") from error


class Gpu:
    """An opened device.

    ``binding_words``: words of the largest binding, a power of two; ``buffer_words``: of the
    largest buffer; ``bindings``: storage buffers a kernel may have.  ``binding_words`` may be
    lowered, so that tests reach the splitting of matrices.
    """

    def __init__(self, wgpu: Any, device: Any, info: AdapterInfo, features: frozenset[str]) -> None:
        self.info = info
        self.features = features
        self.lock = threading.RLock()
        #: What ``kit`` shares between all executors of this device.
        self.companion: object = None
        self._wgpu = wgpu
        self._device = device
        self._queue = device.queue
        native = wgpu.backends.wgpu_native
        self._native = (
            native.lib.wgpuComputePassEncoderSetPipeline,
            native.lib.wgpuComputePassEncoderSetBindGroup,
            native.lib.wgpuComputePassEncoderDispatchWorkgroups,
            native.ffi.NULL,
        )
        limits = device.limits
        binding = min(limits["max-storage-buffer-binding-size"], limits["max-buffer-size"]) // 4
        self.binding_words = 1 << (binding.bit_length() - 1)
        self.buffer_words = min(limits["max-buffer-size"] // 4, MAX_WORDS)
        self.bindings = int(limits["max-storage-buffers-per-shader-stage"])
        self.max_groups = int(limits["max-compute-workgroups-per-dimension"])
        self.max_invocations = int(limits["max-compute-invocations-per-workgroup"])
        self._modules: dict[str, Any] = {}
        self._layouts: dict[tuple[tuple[int, bool], ...], tuple[Any, Any]] = {}
        self._lost = ""
        # Small reads never need memory that the device may not have any more.
        self._readback: Any = None
        self._readback_bytes = 0
        with self._guarded():
            self._grow_readback(READBACK_BYTES)
        self._mark = self.buffer(MIN_WORDS)

    # ---- errors --------------------------------------------------------------------------------

    @contextlib.contextmanager
    def _guarded(self) -> Iterator[None]:
        """Turn what wgpu raises into our errors.

        A call that the driver finds invalid counts as a lost device too: nothing can be said of
        what the device does after it.
        """
        if self._lost:
            raise GpuLost(self._lost)
        wgpu = self._wgpu
        try:
            yield
        except wgpu.GPUOutOfMemoryError as error:
            raise GpuOutOfMemory(f"{self.info.name} has no memory for this: {error}") from error
        except (wgpu.GPUError, RuntimeError) as error:
            self.lose(str(error))

    def lose(self, why: str) -> None:
        """Count the device as lost from now on; raises GpuLost."""
        self._lost = f"{self.info.name} was lost: {why}"
        raise GpuLost(self._lost)

    @property
    def lost(self) -> bool:
        """Whether the device is gone."""
        return bool(self._lost)

    def close(self) -> None:
        """Give the device back; whoever still uses it gets GpuLost."""
        if not self._lost:
            self._lost = f"{self.info.name} was closed"
            self._device.destroy()

    # ---- memory --------------------------------------------------------------------------------

    def buffer(self, words: int) -> Buffer:
        """A buffer of zeros, at least ``words`` long.  Raises GpuOutOfMemory."""
        words = max(words, MIN_WORDS)
        if words > self.buffer_words:
            raise GpuOutOfMemory(
                f"{self.info.name} has buffers of at most {self.buffer_words} words"
            )
        usage = self._wgpu.BufferUsage
        with self._guarded():
            handle = self._device.create_buffer(
                size=4 * words, usage=usage.STORAGE | usage.COPY_SRC | usage.COPY_DST
            )
        return Buffer(handle, words)

    def write(self, buffer: Buffer, start: int, words: np.ndarray) -> None:
        """Write uint32 words before anything that is submitted from now on."""
        if words.size:
            with self._guarded():
                self._queue.write_buffer(buffer.handle, 4 * start, np.ascontiguousarray(words))

    def read(self, parts: Sequence[Part], dispatches: Sequence[Call] = ()) -> list[np.ndarray]:
        """The words of some parts, each uint32 of its own, after all that was submitted and after
        ``dispatches``, which go in the same submit if they can.

        Raises GpuOutOfMemory: ``dispatches`` are submitted all the same.
        """
        total = 4 * sum(part.words for part in parts)
        if not total:
            self.submit(dispatches)
            return [np.zeros(0, np.uint32) for _ in parts]
        with self.lock, self._guarded():
            if total > self._readback_bytes:
                self.submit(dispatches)
                dispatches = ()
                self._grow_readback(total)
            encoder = self._device.create_command_encoder()
            self._record(encoder, dispatches)
            at = 0
            for part in parts:
                if part.words:
                    encoder.copy_buffer_to_buffer(
                        part.buffer.handle, 4 * part.start, self._readback, at, 4 * part.words
                    )
                    at += 4 * part.words
            self._queue.submit([encoder.finish()])
            self._readback.map_sync("READ_NOSYNC", 0, total)
            try:
                data = np.frombuffer(self._readback.read_mapped(0, total, copy=False), np.uint32)
                found, at = [], 0
                for part in parts:
                    found.append(data[at : at + part.words].copy())
                    at += part.words
            finally:
                self._readback.unmap()
        return found

    def _grow_readback(self, size_bytes: int) -> None:
        size = 1 << (size_bytes - 1).bit_length()
        usage = self._wgpu.BufferUsage
        grown = self._device.create_buffer(size=size, usage=usage.MAP_READ | usage.COPY_DST)
        if self._readback is not None:
            self._readback.destroy()
        self._readback, self._readback_bytes = grown, size

    def wait(self, dispatches: Sequence[Call] = ()) -> None:
        """Submit ``dispatches`` and wait until all that was submitted is done."""
        # A read-back is the wait: wgpu 0.32 declares the callback of onSubmittedWorkDone wrongly.
        self.read([Part(self._mark, 0, 1)], dispatches)

    # ---- kernels -------------------------------------------------------------------------------

    def layout(self, bindings: Sequence[tuple[int, bool]]) -> tuple[Any, Any]:
        """Bind group layout and pipeline layout for (binding number, writable) pairs."""
        key = tuple(bindings)
        found = self._layouts.get(key)
        if found is None:
            compute = self._wgpu.ShaderStage.COMPUTE
            entries = [
                {
                    "binding": number,
                    "visibility": compute,
                    "buffer": {"type": "storage" if writable else "read-only-storage"},
                }
                for number, writable in key
            ]
            with self._guarded():
                group = self._device.create_bind_group_layout(entries=entries)
                whole = self._device.create_pipeline_layout(bind_group_layouts=[group])
            found = self._layouts[key] = group, whole
        return found

    def pipeline(
        self,
        source: str,
        entry: str,
        bindings: Sequence[tuple[int, bool]],
        constants: dict[str, int],
    ) -> Any:
        """Compile an entry point of a WGSL text.  The caller remembers it."""
        with self.lock, self._guarded():
            module = self._modules.get(source)
            if module is None:
                module = self._modules[source] = self._device.create_shader_module(code=source)
            return self._device.create_compute_pipeline(
                layout=self.layout(bindings)[1],
                compute={"module": module, "entry_point": entry, "constants": constants},
            )

    def bind_group(
        self, bindings: Sequence[tuple[int, bool]], parts: Sequence[tuple[int, Buffer, int, int]]
    ) -> Any:
        """A bind group of (binding number, buffer, first byte, bytes)."""
        with self._guarded():
            return self._device.create_bind_group(
                layout=self.layout(bindings)[0],
                entries=[
                    {
                        "binding": number,
                        "resource": {"buffer": buffer.handle, "offset": offset, "size": size},
                    }
                    for number, buffer, offset, size in parts
                ],
            )

    def submit(self, dispatches: Sequence[Call]) -> None:
        """Run dispatches one after the other; does not wait."""
        if not dispatches:
            return
        with self.lock, self._guarded():
            encoder = self._device.create_command_encoder()
            self._record(encoder, dispatches)
            self._queue.submit([encoder.finish()])

    def _record(self, encoder: Any, dispatches: Sequence[Call]) -> None:
        """Record dispatches as one pass.

        By the native functions themselves: wgpu's methods take about as long again as what they
        call, three times a dispatch, and programs of small instructions are bound by this loop.
        What the native library finds wrong it reports when the encoder is finished.
        """
        if not dispatches:
            return
        run = encoder.begin_compute_pass()
        set_pipeline, set_bind_group, dispatch, nothing = self._native
        handle = run._internal
        last = None
        for pipeline, group, x, y in dispatches:
            if pipeline is not last:
                set_pipeline(handle, pipeline._internal)
                last = pipeline
            set_bind_group(handle, 0, group._internal, 0, nothing)
            dispatch(handle, x, y, 1)
        run.end()
