"""Networks that write and read, beside the same network as a loop in float32 NumPy.

Both take turns in one process, on one core, in processor time.  Writing is the likeliest token
after the likeliest token, from a prompt of eight: the first 200, in which an executor plans and
translates, and the later half of them.  Reading is a full context in one pass.  Compiled kernels
are loaded beforehand, if numba is there; what NumPy does without them is shown for the app.  On a
GPU the picture is the same, and what the host does meanwhile does not count: there it is wall time.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from pathlib import Path

from pxos.kernel.machine.cpu import native
from pxos.kernel.machine.cpu.executor import CpuExecutor
from pxos.kernel.machine.program import Program, load
from pxos.kernel.placement import cpu_executors_for_much
from pxos.shell.lenses.networks import Transformer, emit, quantised
from pxos.shell.lenses.networks.readback import read_network
from pxos.shell.lenses.networks.samples import random_transformer
from pxos.shell.lenses.networks.speed import measure
from pxos.shell.lenses.networks.validate import ExecutorFactory

from .measure import Figure

ROOT = Path(__file__).resolve().parent.parent.parent
APPS = ("shakespeare",)
TOKENS, ROUNDS = 200, 5
#: Networks that grow: where a GPU begins to win.
GROWING = ((4, 192), (6, 384), (8, 768))


def figures() -> Iterator[Figure]:
    """The committed apps and random networks on the CPU, then on the GPU if there is one."""
    alone = "" if native.load() else ", without numba"
    compiled = cpu_executors_for_much()
    for name, program, network in networks():
        yield from both(name + alone, program, network, compiled, time.process_time)
        if name in APPS and not alone:
            without = f"{name}, without numba"
            yield from both(without, program, network, CpuExecutor, time.process_time)
    factory = gpu_factory()
    if factory is None:
        return
    for name, program, network in networks():
        yield from both(f"{name}, on the GPU", program, network, factory, time.perf_counter)


def networks() -> Iterator[tuple[str, Program, Transformer]]:
    """Names, pictures and descriptions, one at a time."""
    for app in APPS:
        path = ROOT / "apps" / app / f"{app}.png"
        if path.exists():
            program = load(path.read_bytes())
            network = read_network(program)
            assert isinstance(network, Transformer)
            yield app, program, network
    for style in ("gpt2", "llama"):
        for layers, width in GROWING if style == "gpt2" else GROWING[:1]:
            network = quantised(
                random_transformer(
                    style, layers=layers, width=width, heads=width // 32, context=256
                )
            )
            name = f"{style} {layers} x {width}, {network.count():,} weights"
            yield name, emit(network).assemble(), network


def both(
    name: str,
    program: Program,
    network: Transformer,
    factory: ExecutorFactory,
    clock: Callable[[], float],
) -> Iterator[Figure]:
    """Writing and reading, a token."""
    assert network.vocabulary is not None
    text = network.vocabulary * (5 * network.context // len(network.vocabulary) + 1)
    found = measure(program, factory, network, text, clock, count=TOKENS, rounds=ROUNDS)
    yield _figure(f"{name}: writing a token", found.writing, found.numpy_writing)
    yield _figure(f"{name}: the same", found.writing, found.numpy_heads, "NumPy, head by head")
    yield _figure(f"{name}: the first {TOKENS}, each", found.starting, found.numpy_starting)
    yield _figure(f"{name}: reading {network.context}, a token", found.reading, found.numpy_reading)


def _figure(what: str, ours: float, peer: float, who: str = "NumPy float32") -> Figure:
    note = f"{ours:,.0f} tokens a second against {peer:,.0f}"
    return Figure(what, 1 / ours, who, 1 / peer, note)


def gpu_factory() -> ExecutorFactory | None:
    """Executors on this machine's GPU; None without one, or with one that is software."""
    from pxos.boot.gpu import backend_of
    from pxos.kernel.machine.gpu.device import NoGpu, open_gpu

    try:
        gpu = open_gpu()
    except NoGpu:
        return None
    return None if gpu.info.is_software else backend_of(gpu).make
