"""The GPU executor against NumPy's, and against what others get from the same card.

Every result is compared with the CPU executor's, to the bit, before anything is timed.  Peers
that need torch or CuPy are left out where those are not installed or find no card.  Software
adapters run small sizes: their figures say only that everything works.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator
from functools import cache
from typing import Any, NamedTuple

import numpy as np

from pxos.kernel.machine.cpu.fill import bind_plan
from pxos.kernel.machine.gpu.device import Gpu, NoGpu, Part, open_gpu
from pxos.kernel.machine.gpu.executor import GpuExecutor
from pxos.kernel.machine.gpu.kit import Kit

from .gpu_programs import (
    Job,
    Prepared,
    Transformer,
    batch_one,
    filters,
    filters_in,
    matmul,
    on_all_cores,
    on_cpu,
    small,
    transformer,
)
from .measure import Figure, alternating_s, duration, median_s

RUNS = 9
#: Seconds of work before anything is timed: an idle card runs at a fifth of its clock.
WARM_S = 0.5


class Sizes(NamedTuple):
    """How large everything is: sides of products; inner size and number of the matrices of the
    batch-1 product; rows and columns of the picture; the transformer."""

    matmul: int
    batch_inner: int
    batch_matrices: int
    rows: int
    cols: int
    transformer: Transformer


CARD = Sizes(4096, 4096, 128, 4000, 6000, Transformer(8, 1024, 16, 1024, 4096))
SOFTWARE = Sizes(256, 512, 4, 300, 400, Transformer(2, 128, 4, 64, 512))


@cache
def opened() -> Gpu | str:
    """The GPU, or why there is none."""
    try:
        return open_gpu()
    except NoGpu as error:
        return str(error)


def head() -> str:
    """The adapter, for the head of the report."""
    gpu = opened()
    if isinstance(gpu, str):
        return f"no GPU: {gpu}"
    size = ", software: small sizes only" if gpu.info.is_software else ""
    return f"{gpu.info.name} by {gpu.info.backend}, {gpu.info.driver}{size}"


def figures() -> Iterator[Figure]:
    """All figures of the group; none where there is no GPU."""
    gpu = opened()
    if isinstance(gpu, str):
        return
    sizes = SOFTWARE if gpu.info.is_software else CARD
    yield from _latency(gpu)
    yield from _filters(gpu, sizes.rows, sizes.cols)
    yield from _batch_one(gpu, sizes.batch_inner, sizes.batch_matrices)
    yield from _transformer(gpu, sizes.transformer)
    for bits in (16, 32):
        yield from _matmul(gpu, sizes.matmul, bits)


def _checked(gpu: Gpu, job: Job) -> tuple[Prepared, float]:
    """A job on the GPU whose result is the CPU executor's, and that one's seconds."""
    expected, cpu_s = on_cpu(job)
    prepared = Prepared(job, lambda memory, ports: GpuExecutor(memory, ports, gpu, bind_plan))
    for _ in range(2):  # as it is first planned, and as it is remembered
        prepared.run()
    end = time.perf_counter() + WARM_S
    while not gpu.info.is_software and time.perf_counter() < end:
        prepared.run()
    assert np.array_equal(prepared.result(), expected), "the GPU's result is another one"
    return prepared, cpu_s


# ---- peers -------------------------------------------------------------------------------------


@cache
def _torch() -> Any:
    """torch with a card, else None.  Products are exact float32: TF32 is off."""
    try:
        import torch
    except ImportError:
        return None
    if not torch.cuda.is_available():
        return None
    torch.backends.cuda.matmul.allow_tf32 = False
    return torch


@cache
def _cupy() -> Any:
    """CuPy with a card, else None."""
    try:
        import cupy
    except ImportError:
        return None
    return cupy if cupy.is_available() else None


def _synchronised(torch: Any, work: Callable[[], object]) -> Callable[[], None]:
    """``work`` of torch, done when it returns."""

    def once() -> None:
        work()
        torch.cuda.synchronize()

    return once


# ---- figures -----------------------------------------------------------------------------------


def _latency(gpu: Gpu) -> Iterator[Figure]:
    """A small program, and the least that a submit and a read-back take."""
    prepared, cpu_s = _checked(gpu, small())
    kit = Kit(gpu)
    empty = kit.verdict()
    kit.shared.send()

    def floor() -> None:
        gpu.read([Part(kit.fault, 0, 4)], [empty.call])

    ours, peer, ratio = alternating_s(prepared.run, floor, 51)
    yield Figure(
        "add 128x128, branch on an element: dispatch and read-back",
        ours,
        "an empty shader and its read-back",
        peer,
        f"CPU executor {duration(cpu_s)}",
        ratio,
    )


def _filters(gpu: Gpu, rows: int, cols: int) -> Iterator[Figure]:
    """Ten element-by-element instructions on a picture."""
    job = filters(rows, cols)
    prepared, cpu_s = _checked(gpu, job)
    p, q = (np.ascontiguousarray(job.data[name]).view(np.uint8) for name in "pq")
    result = prepared.result().view(np.uint8)
    assert np.array_equal(filters_in(np, p, q).ravel(), result), "NumPy computes something else"
    what = f"ten elementwise instructions, {rows * cols / 1e6:.3g} megapixels"
    ours = median_s(prepared.run, RUNS)
    moved = 3 * result.size / ours / 1e9
    note = f"{moved:.3g} GB/s of what must be read and written at least"
    yield Figure(what, ours, "CPU executor", cpu_s, note)
    numpy_s = median_s(lambda: filters_in(np, p, q), 3)
    yield Figure(what, ours, "the same in NumPy, int16 between", numpy_s)
    yield from _filters_cupy(what, prepared, p, q, result)
    yield from _filters_torch(what, prepared, p, q, result)


def _filters_cupy(
    what: str, prepared: Prepared, p: np.ndarray, q: np.ndarray, result: np.ndarray
) -> Iterator[Figure]:
    cupy = _cupy()
    if cupy is None:
        return
    on_card = cupy.asarray(p), cupy.asarray(q)

    def chain(a: Any, b: Any) -> Any:  # CuPy calls the fused kernel by this name
        return filters_in(cupy, a, b)

    for name, work in (("CuPy", chain), ("CuPy, cupy.fuse", cupy.fuse(chain))):
        assert np.array_equal(cupy.asnumpy(work(*on_card)).ravel(), result), name

        def once(work: Callable[..., object] = work) -> None:
            work(*on_card)
            cupy.cuda.Device().synchronize()

        ours, peer, ratio = alternating_s(prepared.run, once, RUNS)
        yield Figure(what, ours, f"{name}, int16 between", peer, ratio=ratio)


def _filters_torch(
    what: str, prepared: Prepared, p: np.ndarray, q: np.ndarray, result: np.ndarray
) -> Iterator[Figure]:
    torch = _torch()
    if torch is None:
        return
    a, b = (torch.from_numpy(x).cuda() for x in (p, q))

    def chain() -> Any:
        t = ((a.to(torch.int16) * 3 + 1) >> 1).clamp(max=255)
        t = (t - 20).clamp(min=0)
        t = (255 - t).clamp(min=8).clamp(max=240)
        t = t.bitwise_xor(15).bitwise_and(252)
        t = (t + b).clamp(max=255)
        t = (t * 3 + 2) >> 2
        return (t - a).clamp(min=0).to(torch.uint8)

    assert np.array_equal(chain().cpu().numpy().ravel(), result), "torch computes something else"
    ours, peer, ratio = alternating_s(prepared.run, _synchronised(torch, chain), RUNS)
    yield Figure(what, ours, "torch, int16 between", peer, ratio=ratio)


def _copy_rate(gpu: Gpu, size: int) -> tuple[str, float]:
    """Bytes a second that a copy of ``size`` bytes on the device reads and writes, and by whom."""
    torch = _torch()
    if torch is not None:
        source = torch.zeros(size, dtype=torch.uint8, device="cuda")
        to = torch.empty_like(source)
        taken = median_s(_synchronised(torch, lambda: to.copy_(source)), RUNS)
        return "a copy by torch", 2 * size / taken
    words = min(size // 4, gpu.binding_words)
    kit = Kit(gpu)
    copy = kit.copy(gpu.buffer(words), 0, gpu.buffer(words), 0, words)
    kit.shared.send()

    def once() -> None:
        gpu.submit([copy.call])
        gpu.wait()

    return "a copy by a shader", 8 * words / median_s(once, RUNS)


def _batch_one(gpu: Gpu, n: int, matrices: int) -> Iterator[Figure]:
    """One row times matrices that no cache holds all of, in one program."""
    prepared, cpu_s = _checked(gpu, batch_one(n, matrices))
    size = n * n * matrices
    name, rate = _copy_rate(gpu, size)
    ours = median_s(prepared.run, RUNS)
    what = f"1x{n} times {matrices} quantised {n}x{n} one after the other, exact"
    note = f"{size / ours / 1e9:.3g} GB/s of weights; the copy reads and writes {rate / 1e9:.3g}"
    yield Figure(what, ours, f"as many bytes at the rate of {name}", size / rate, note)
    yield Figure(what, ours, "CPU executor", cpu_s)


def _matmul(gpu: Gpu, n: int, bits: int) -> Iterator[Figure]:
    """A large quantised product."""
    prepared, cpu_s = _checked(gpu, matmul(n, bits))
    what = f"quantised MatMul {n}^3, x of {bits} bits, exact"
    ours = median_s(prepared.run, RUNS)
    note = f"{2 * n**3 / ours / 1e12:.3g} T multiplications and additions/s"
    yield Figure(what, ours, "CPU executor", cpu_s, note)
    yield Figure(what, ours, f"CPU executor, BLAS on {os.cpu_count()} cores", on_all_cores(n, bits))
    torch = _torch()
    if torch is not None:
        a, b = (torch.rand(n, n, device="cuda") for _ in range(2))
        peer = _synchronised(torch, lambda: a @ b)
        ours, peer_s, ratio = alternating_s(prepared.run, peer, RUNS)
        yield Figure(what, ours, "torch.matmul, float32, TF32 off", peer_s, ratio=ratio)


def _transformer(gpu: Gpu, sizes: Transformer) -> Iterator[Figure]:
    """A step of a decoder with a full cache."""
    prepared, cpu_s = _checked(gpu, transformer(sizes))
    what = (
        f"a transformer's step: {sizes.layers} layers, width {sizes.width}, {sizes.context} tokens "
        f"before it, {sizes.weights / 1e6:.3g} M weights"
    )
    ours = median_s(prepared.run, RUNS)
    instructions = prepared.memory.get64("done") // (RUNS + 3)
    yield Figure(what, ours, "CPU executor", cpu_s, f"{instructions} instructions")
    torch = _torch()
    if torch is not None:
        peer = _synchronised(torch, _torch_step(torch, sizes))
        ours, peer_s, ratio = alternating_s(prepared.run, peer, RUNS)
        yield Figure(what, ours, "torch, float32, the same steps", peer_s, ratio=ratio)


def _torch_step(torch: Any, sizes: Transformer) -> Callable[[], Any]:
    """The same step in float32; its weights and cache take four times the bytes."""
    d, heads, context = sizes.width, sizes.heads, sizes.context
    layers = [
        {
            **{k: torch.randn(*s, device="cuda") / s[0] ** 0.5 for k, s in sizes.shapes().items()},
            "k": torch.randn(context, d, device="cuda"),
            "v": torch.randn(context, d, device="cuda"),
        }
        for _ in range(sizes.layers)
    ]
    start = torch.randn(1, d, device="cuda")

    def norm(x: Any) -> Any:
        return torch.nn.functional.layer_norm(x, (d,))

    def step() -> Any:
        x = start
        for w in layers:
            y = norm(x)
            w["k"][-1:] = y @ w["wk"]
            w["v"][-1:] = y @ w["wv"]
            q = (y @ w["wq"]).view(1, heads, -1).transpose(0, 1)
            keys, values = (w[n].view(context, heads, -1).transpose(0, 1) for n in "kv")
            p = (q @ keys.transpose(1, 2) * (d // heads) ** -0.5).softmax(-1)
            x = x + (p @ values).transpose(0, 1).reshape(1, d) @ w["wo"]
            u = norm(x) @ w["wu"]
            x = x + (u * torch.sigmoid(1.702 * u)) @ w["wd"]
        return x

    return lambda: torch.no_grad()(step)()
