"""Instructions a second, against the same work in plain Python and plain NumPy."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np

from pxos.kernel.machine.cpu.executor import CpuExecutor
from pxos.kernel.machine.memory import Memory
from pxos.kernel.machine.ports import NoPorts
from pxos.kernel.machine.program import open_memory
from pxos.shell.lenses.assembler import assemble

from .measure import Figure, alternating_s

FUEL = 1 << 40
LOOPS = 1_000_000

SCALARS = """
n : I
total : I
while n < LAST {
    total += n * n
    n += 1
}
halt
"""

MATRICES = """
n : I
a : I 8x8 = range(64)
b : I 8x8 = range(64, 5)
c : I 8x8
while n < LAST {
    c = a + b
    c = c * a
    a = c - b
    c = a & b
    n += 1
}
halt
"""


def _memory(source: str, last: int) -> Memory:
    return open_memory(
        assemble(f"const LAST = {last}\n{source}", path="bench.pxa", include_dirs=[])
    )


def _run(
    source: str, last: int, peer: Callable[[], object]
) -> tuple[tuple[float, float, float], int]:
    """A whole run from a fresh memory against ``peer``, and the instructions it takes."""
    done = 0

    def once() -> None:
        nonlocal done
        memory = _memory(source, last)
        stop = CpuExecutor(memory, NoPorts()).run(FUEL)
        assert stop.reason == "H", stop
        done = memory.get64("done")

    return alternating_s(once, peer), done


def _python_scalars() -> int:
    n = total = 0
    while n < LOOPS:
        square = (n * n + 0x80000000 & 0xFFFFFFFF) - 0x80000000
        total = (total + square + 0x80000000 & 0xFFFFFFFF) - 0x80000000
        n += 1
    return total


def _numpy_matrices(last: int) -> np.ndarray:
    a = np.arange(64, dtype=np.int32).reshape(8, 8)
    b = a + np.int32(5)
    c = np.zeros((8, 8), np.int32)
    for _ in range(last):
        np.add(a, b, out=c)
        np.multiply(c, a, out=c)
        np.subtract(c, b, out=a)
        np.bitwise_and(a, b, out=c)
    return c


def figures() -> Iterator[Figure]:
    """Scalar and small-matrix instructions, and a product of two matrices."""
    (ours, peer, ratio), done = _run(SCALARS, LOOPS, _python_scalars)
    yield Figure(
        f"scalar loop, {done:,} instructions",
        ours,
        "the same loop in Python",
        peer,
        f"{done / ours / 1e6:.1f} M instructions/s",
        ratio,
    )
    last = 50_000
    (ours, peer, ratio), done = _run(MATRICES, last, lambda: _numpy_matrices(last))
    yield Figure(
        f"8x8 matrices, {done:,} instructions",
        ours,
        "the same NumPy calls",
        peer,
        f"{4 * last / ours / 1e3:.0f} k matrix instructions/s",
        ratio,
    )
    yield _product(128)
    yield _product(1024)


def _product(n: int) -> Figure:
    """Exact fixed-point product of n x n matrices, against float32 BLAS."""
    source = (
        f"a : X {n}x{n} = fill(1.5)\nb : X {n}x{n} = fill(0.25)\nc : X {n}x{n}\nc = a @ b\nhalt\n"
    )
    memory = open_memory(assemble(source, path="bench.pxa", include_dirs=[]))
    rng = np.random.default_rng(1)
    for entry in range(memory.table_len):
        header = memory.header(entry)
        if header.kind == "X" and header.rows == n:
            at = memory.data_addr(header.row)
            memory.ints[at : at + n * n] = rng.integers(-(1 << 20), 1 << 20, n * n)
    a, b = rng.random((n, n), np.float32), rng.random((n, n), np.float32)

    def once() -> None:
        memory.set("pc", 0)
        stop = CpuExecutor(memory, NoPorts()).run(FUEL)
        assert stop.reason == "H", stop

    ours, peer, ratio = alternating_s(once, lambda: a @ b)
    return Figure(
        f"MatMul X {n}^3, exact",
        ours,
        "float32 NumPy",
        peer,
        f"{2 * n**3 / ours / 1e9:.1f} GFLOP/s",
        ratio,
    )
