"""Compiled kernels: what they are, when they are loaded, and that nothing differs but the time.

What they compute is tested with everything else: ``exact.check`` has them do each instruction that
NumPy does, and ``tests.conformance`` runs an executor with them.
"""

from __future__ import annotations

import random
import subprocess
import sys

import numpy as np
import pytest

from pxos.kernel.machine.cpu import native, native_bind
from pxos.kernel.machine.cpu.executor import CpuExecutor
from pxos.kernel.machine.isa import BY_CHAR
from pxos.kernel.machine.memory import Memory
from pxos.kernel.machine.ports import NoPorts
from pxos.kernel.machine.program import Program, open_memory
from pxos.shell.lenses.assembler import assemble
from tests.kernel.machine.cpu.exact import HIGH, LOW, Matrix, check, random_matrix
from tests.kernels import KERNELS

#: A network of one layer: rows of 160 through 160 x 128 bytes, again and again.
NETWORK = assemble(
    """
    w : Q 160x128 scale 0.001 offset -0.128 = range(20480, 0, 0.0000125)
    h : X 1x160 = range(160, -8, 0.1)
    y : X
    z : X
    n : I
        while n < 200 {
            y = h @ w
            z = norm(y, 1)
            z = exp2(z)
            n += 1
        }
        halt
    """,
    path="network.pxa",
    include_dirs=[],
)
FUEL = 1 << 24


def words(memory: Memory) -> np.ndarray:
    return memory.used_image().copy()


def by_numpy(program: Program) -> np.ndarray:
    memory = open_memory(program)
    assert CpuExecutor(memory, NoPorts()).run(FUEL).reason == "H"
    return words(memory)


# ---- the kernels ---------------------------------------------------------------------------------


@pytest.mark.parametrize("name", sorted(native.SIGNATURES))
def test_a_kernel_is_the_plain_function(name: str) -> None:
    compiled = KERNELS[name]
    assert compiled.py_func.__code__ is native.plain_kernel(name).__code__
    assert len(compiled.signatures) == 1


@pytest.mark.parametrize("seed", range(40))
def test_plain_python_gives_what_is_compiled(seed: int) -> None:
    rng = np.random.default_rng(seed)
    a = rng.integers(LOW, HIGH, 24, np.int32) >> np.int32(rng.integers(0, 20))
    b = rng.integers(LOW, HIGH, 24, np.int32) >> np.int32(rng.integers(0, 20))
    weights = rng.integers(0, 256, 24 * 5, np.uint8)
    outs = []
    for kernels in ({name: native.plain_kernel(name) for name in KERNELS}, KERNELS):
        out, sums = np.zeros((9, 24), np.int32), np.zeros(5, np.int64)
        with np.errstate(over="ignore"):
            kernels["add"](out[0], a, b, 2, 12, 12, 12, 12, 12, 0, -1)
            kernels["times"](out[1], a, b, 1, 24, 24, 24, 0, 1, 16)
            kernels["divide"](out[2], a, b | 1, 4, 6, 6, 6, 6, 6, 65536.0)
            kernels["row_product"](out[3, :5], a, weights, 5, sums, 77, -5, 9, 1, 1)
            kernels["column_product"](out[4, :5], a, weights, 24, sums, 77, -5, 9, 1, 1)
            kernels["norm_rows"](out[5], a, 2, 12, 12, 12, b[:1], 16, np.zeros(2))
            kernels["parts"](out[6, :4], a[:6] >> 12, b, 2, 2, 3, 2, 2, 3, 4, 16, sums)
            kernels["gather"](out[7], a, b % 30, 24, 0)
            kernels["shift_right"](out[8], a, b[:1] | 1 << 30, 24, 26, 31)
        outs.append(out)
    assert np.array_equal(*outs)


@pytest.mark.parametrize("char", sorted(native_bind._BUILDERS))
def test_every_instruction_has_a_kernel_that_does_it(char: str) -> None:
    """A builder that always gave up would pass every other test."""
    used: list[str] = []

    def spied(name: str) -> native.Kernel:
        def kernel(*given: object) -> int:
            answer = KERNELS[name](*given)
            if answer == -1:
                used.append(name)
            return answer

        return kernel

    rng = random.Random(char)
    a, b = random_matrix(rng, "X", 6, 8), random_matrix(rng, "X", 6, 8)
    small = Matrix(
        "X", [[rng.randrange(-99999, 99999) or 1 for _ in range(8)] for _ in range(6)], 8
    )
    row = Matrix("X", small.rows[:1], 8)
    inputs = {
        "/": (a, small), "R": (a, Matrix("X", [[5]], 1)), "_": (a, Matrix("I", [[5]], 1)),
        "S": (row, Matrix("I", [[-3]], 1)), "e": (row,), "n": (small, Matrix("I", [[5]], 1)),
        "FR": (a,), "F_": (a,),
        "G": (row, Matrix("I", [[3, -1, 7, 8]], 4)), "g": (a, Matrix("I", [[3, -1, 5, 6]], 4)),
        "M": (row, random_matrix(rng, "Q", 8, 3)),
        "m": (row, random_matrix(rng, "Q", 3, 8)),
        "X": (small, random_matrix(rng, "X", 8, 12)), "x": (small, random_matrix(rng, "X", 4, 16)),
    }.get(char, (a, b))  # fmt: skip
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("tests.kernel.machine.cpu.exact.KERNELS", {n: spied(n) for n in KERNELS})
        check(char[0], Matrix("X", [], 0), inputs, char[1:])
    assert len(used) == 2, (char, BY_CHAR[char[0]].name)


def test_a_kernel_that_declines_leaves_it_to_numpy() -> None:
    great = Matrix("X", [[HIGH, LOW] * 40], 80)
    check("n", Matrix("X", [], 0), (great, Matrix("I", [[0]], 1)))
    check("x", Matrix("X", [], 0), (great, great))
    for scale in (3e30, 2.0**-60):
        weights = Matrix("Q", [[255, 0, 7]] * 80, 3, scale=scale, offset=-scale / 3)
        check("M", Matrix("X", [], 0), (great, weights))
        check("M", Matrix("I", [], 0), (great, weights))


# ---- when they come ------------------------------------------------------------------------------


def test_the_same_words_with_kernels_from_the_beginning() -> None:
    memory = open_memory(NETWORK)
    assert CpuExecutor(memory, NoPorts(), KERNELS).run(FUEL).reason == "H"
    assert np.array_equal(words(memory), by_numpy(NETWORK))


@pytest.mark.parametrize("slice_fuel", [700, 5000])
def test_an_executor_that_works_much_takes_them_on_the_way(
    monkeypatch: pytest.MonkeyPatch, slice_fuel: int
) -> None:
    monkeypatch.setattr(native, "START_WORK", 20 * 160 * 128)
    memory = open_memory(NETWORK)
    executor = CpuExecutor(memory, NoPorts())
    had = []
    while executor.run(slice_fuel).reason == "Y":
        had.append(executor._kernels is not None)
    assert had.index(True) > 0
    assert all(had[had.index(True) :])
    assert np.array_equal(words(memory), by_numpy(NETWORK))


def test_little_work_loads_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(native, "start", lambda: pytest.fail("it was too little"))
    executor = CpuExecutor(open_memory(NETWORK), NoPorts())
    while executor.run(5000).reason == "Y":
        pass
    assert executor._kernels is None


def test_they_load_in_the_background() -> None:
    loader = native._Loader()
    loader.start()
    thread = loader._thread
    assert thread is not None
    loader.start()
    assert loader._thread is thread
    assert loader.load() is not None
    thread.join()
    assert set(loader.kernels or ()) == set(native.SIGNATURES)
    loader._end()


def test_without_numba_everything_goes_on(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "numba", None)
    monkeypatch.setattr(native, "_loader", native._Loader())
    monkeypatch.setattr(native, "START_WORK", 0)
    memory = open_memory(NETWORK)
    executor = CpuExecutor(memory, NoPorts())
    while executor.run(5000).reason == "Y":
        pass
    assert native.load() is None
    assert "numba" in native.failure()
    assert native.ready() is None
    assert np.array_equal(words(memory), by_numpy(NETWORK))


def test_numba_that_cannot_keep_what_it_compiles(monkeypatch: pytest.MonkeyPatch) -> None:
    loader = native._Loader()

    def compiled() -> None:
        raise RuntimeError("cannot cache function")

    monkeypatch.setattr(loader, "_compiled", compiled)
    assert loader.load() is None
    assert loader.failure == "cannot cache function"
    loader.start()
    assert loader._thread is None


def test_numba_that_cannot_compile_a_kernel(monkeypatch: pytest.MonkeyPatch) -> None:
    words = "int32[::1]"
    monkeypatch.setitem(
        native.SIGNATURES, "gather", f"int64({words}, unicode_type, {words}, int64, int64)"
    )
    loader = native._Loader()
    assert loader.load() is None
    assert "gather does not compile" in loader.failure


def test_a_program_that_multiplies_nothing_needs_no_numba() -> None:
    """Nor does an end while they are being loaded wait or crash."""
    code = (
        "import sys\n"
        "from pxos.kernel.machine.cpu.executor import CpuExecutor\n"
        "from pxos.kernel.machine.cpu import fill, native\n"
        "assert 'numba' not in sys.modules\n"
        "native.start()\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, timeout=120, check=False
    )
    assert done.returncode == 0, done.stderr
    assert not done.stderr
