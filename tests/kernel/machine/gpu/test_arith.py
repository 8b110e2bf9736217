"""Arithmetic on the GPU against the oracle."""

from __future__ import annotations

import pytest

from pxos.kernel.machine.gpu.kit import Kit
from pxos.kernel.machine.isa import ROWS
from tests.conformance.building import Draft, pack_bytes
from tests.gpu import gpu
from tests.kernel.machine.gpu.corners import check_corners, kinds_of
from tests.kernel.machine.gpu.harness import LARGE, check_op, compare, run_first, specialised

CHARS = [op.char for op in ROWS if op.family == "arith"]
arith = pytest.mark.parametrize("char", CHARS)


@arith
def test_random_operands(char: str) -> None:
    assert check_op(char, 120) > 20
    assert check_op(char, 24, LARGE) > 1


@arith
def test_kernels_for_the_very_kinds(char: str, monkeypatch: pytest.MonkeyPatch) -> None:
    specialised(monkeypatch)
    assert check_op(char, 25, first=1000) > 5


@arith
def test_matrices_in_several_windows(char: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gpu(), "binding_words", 4096)
    assert check_op(char, 24, LARGE, first=500) > 1


@arith
@kinds_of(3)
def test_all_corners(char: str, kinds: tuple[str, ...]) -> None:
    check_corners(char, kinds)


def first_zero(kind: str, rows: int, cols: int, cells: list[int], char: str = "/") -> int:
    """What the check of a / b finds for this b, and that it leaves d alone."""
    draft = Draft(spare_rows=2000)
    d = draft.integers(1, 1, [77])
    if kind == "T":
        b = draft.add("T", rows, cols, pack_bytes(rows, cols, bytes(cells)))
    else:
        b = draft.integers(rows, cols, cells, kind)
    draft.matrices[0].capacity = rows * cols
    draft.emit(char, d, draft.integers(1, 1, [5]), b)
    before = draft.memory()
    found = run_first(draft, Kit(gpu()))
    assert found is not None
    memory, bad = found
    if bad >= 0:
        start = before.data_addr(before.row_of(d))
        assert memory.words[start] == 77
    return bad


@pytest.mark.parametrize("char", "/%")
@pytest.mark.parametrize("kind", "IXT")
@pytest.mark.parametrize("shape", [(1, 1), (3, 5), (2, 8), (1, 3), (40, 300), (33, 7)])
def test_the_first_zero_is_found(char: str, kind: str, shape: tuple[int, int]) -> None:
    rows, cols = shape
    count = rows * cols
    cells = [1 + i % 250 for i in range(count)]
    assert first_zero(kind, rows, cols, cells, char) == -1
    for zeros in ([0], [count - 1], [count // 2, count - 1], [count // 3, count // 2]):
        holed = list(cells)
        for zero in zeros:
            holed[zero] = 0
        assert first_zero(kind, rows, cols, holed, char) == min(zeros)
    assert first_zero(kind, rows, cols, [0] * count, char) == 0


@pytest.mark.parametrize("char", "/%")
def test_small_integers_need_no_check_unless_they_are_zero(char: str) -> None:
    for value, wanted in ((-16, "done"), (-1, "done"), (0, "fault"), (1, "done"), (47, "done")):
        draft = Draft(spare_rows=60)
        d, a = draft.add("I", 0, 0), draft.integers(1, 4, [7, -7, 2**31 - 1, -(2**31)])
        draft.emit(char, d, a, 208 + value)
        assert compare(draft, f"{char} by {value}") == wanted
