"""Matrices with more elements than one dimension of a grid of workgroups has invocations.

The oracle would take minutes for them, so here the CPU executor, which the other tests compare with
the oracle, is the reference.
"""

from __future__ import annotations

from collections.abc import Callable

import pytest

from pxos.kernel.machine.isa import small_operand

from ..gpu import gpu
from .building import WIDTH, Draft
from .compare import run
from .executors import FACTORIES

#: Just above 65,535 workgroups of 256 invocations.
ROWS, COLS = 4097, 4096
assert ROWS * COLS > 65535 * 256


def small(value: int) -> int:
    byte = small_operand(value)
    assert byte is not None
    return byte


def compare(make: Callable[[Draft], object], matrices: int) -> None:
    """The GPU against the CPU on a program whose ``matrices`` are of the large size."""
    gpu()
    draft = Draft(spare_rows=(ROWS * COLS // WIDTH + 2) * matrices)
    make(draft)
    draft.emit("H", small(0))
    expected = run(FACTORIES["cpu"], draft, 0)
    assert expected.stops[-1].reason == "H", expected.stops
    found = expected.differs(run(FACTORIES["gpu"], draft, 0))
    assert not found, "; ".join(found)


def counting(draft: Draft, kind: str = "I") -> int:
    """A matrix of the large size that counts from -7."""
    d = draft.add(kind, 0, 0)
    draft.emit("I", d, draft.integers(1, 1, [ROWS * COLS]), small(-7))
    draft.emit("r", d, d, draft.integers(1, 2, [ROWS, COLS]))
    return d


def test_elements_in_a_second_row_of_workgroups() -> None:
    def make(draft: Draft) -> None:
        d = counting(draft)
        draft.emit("*", d, d, d)
        draft.emit("F", draft.add("I", 0, 0), d, ord("A"))
        draft.emit("f", draft.add("I", 0, 0), d, ord("^"))

    compare(make, 3)


@pytest.mark.slow
@pytest.mark.parametrize("char", "Tow")
def test_moving_and_sorting_a_large_matrix(char: str) -> None:
    def make(draft: Draft) -> None:
        d, e = counting(draft), draft.add("I", 0, 0)
        draft.emit("&", d, d, draft.integers(1, 1, [0x55F3]))
        draft.emit(char, e, d)
        draft.emit("F", draft.add("I", 0, 0), e, ord("^"))

    compare(make, 5)


@pytest.mark.slow
def test_running_sums_along_and_down_a_large_matrix() -> None:
    def make(draft: Draft) -> None:
        d, e = counting(draft), draft.add("I", 0, 0)
        draft.emit("C", e, d, ord("A"))
        draft.emit("c", e, e, ord("A"))

    compare(make, 5)


@pytest.mark.slow
def test_gathering_and_scattering_a_large_matrix() -> None:
    def make(draft: Draft) -> None:
        d, e = counting(draft), draft.add("I", 0, 0)
        draft.emit("^", e, d, draft.integers(1, 1, [0x2AAAA]))
        draft.emit("G", d, d, e)
        draft.emit("P", d, e, e)
        draft.emit("@", d, small(1), e)

    compare(make, 5)


@pytest.mark.slow
@pytest.mark.parametrize("zero", [0, ROWS * COLS - 1, 65535 * 256])
def test_the_first_zero_of_a_large_divisor(zero: int) -> None:
    def make(draft: Draft) -> None:
        d = counting(draft)
        draft.emit("A", d, d, small(8))
        draft.emit("P", d, small(0), draft.integers(1, 1, [zero]))
        draft.emit("/", d, small(40), d)

    gpu()
    draft = Draft(spare_rows=(ROWS * COLS // WIDTH + 2) * 3)
    make(draft)
    expected = run(FACTORIES["cpu"], draft, 0)
    assert (expected.stops[-1].reason, expected.stops[-1].detail) == ("/", zero)
    assert not expected.differs(run(FACTORIES["gpu"], draft, 0))


@pytest.mark.slow
def test_bytes_in_a_second_row_of_workgroups() -> None:
    """A byte matrix has four elements an invocation, so it needs four times as many."""

    def make(draft: Draft) -> None:
        wide = draft.integers(1, 2, [ROWS, 4 * COLS])
        d = draft.add("T", 0, 0)
        draft.emit("r", d, draft.text(1, 7, bytes([3, 1, 255, 0, 128, 7, 9])), wide)
        draft.emit("A", d, d, small(3))
        draft.emit("F", draft.add("I", 0, 0), d, ord("A"))

    compare(make, 3)
