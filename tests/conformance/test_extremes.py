"""Shapes, numbers and positions at the ends of their ranges, on every executor."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from pxos.kernel.machine.fault import Stop
from pxos.kernel.machine.isa import ROWS, Op, small_operand

from .building import WIDTH, Draft
from .compare import check

MOST = 2**31 - 1
LEAST = -(2**31)


def small(value: int) -> int:
    byte = small_operand(value)
    assert byte is not None
    return byte


def stop_of(make: Callable[[Draft], object], spare_rows: int = 64) -> Stop:
    """Where a program ends that ``make`` writes; a halt is appended."""
    draft = Draft(spare_rows=spare_rows)
    make(draft)
    draft.emit("H", small(0))
    return check(draft, 0, "extreme").stops[-1]


def rows_of_nothing(draft: Draft) -> int:
    """An I of 2^31 - 1 rows and no columns, made by Reshape."""
    d, s = draft.add("I", 0, 0), draft.integers(1, 2, [MOST, 0])
    draft.emit("r", d, d, s)
    return d


def test_the_tallest_shape_and_one_beyond() -> None:
    def fine(draft: Draft) -> None:
        d = rows_of_nothing(draft)
        draft.emit("A", d, d, small(1))
        draft.emit("T", d, d)
        draft.emit("f", draft.add("I", 0, 0), draft.integers(1, 1, [0]), ord("A"))

    def beyond(draft: Draft) -> None:
        d = rows_of_nothing(draft)
        draft.emit(";", d, d, d)

    assert stop_of(fine).reason == "H"
    assert (stop_of(beyond).reason, stop_of(beyond).pc) == ("S", 1)


def test_folding_rows_of_nothing_wants_too_much_memory() -> None:
    def make(draft: Draft) -> None:
        d = rows_of_nothing(draft)
        draft.emit("F", draft.add("I", 0, 0), d, ord("A"))

    stop = stop_of(make)
    assert (stop.reason, stop.pc, stop.detail) == ("M", 1, -(-(8 + MOST) // WIDTH))


@pytest.mark.parametrize("kind", "IXTP")
def test_counting_to_the_end_wants_too_much_memory(kind: str) -> None:
    def make(draft: Draft) -> None:
        n = draft.integers(1, 1, [MOST - MOST % 4])
        draft.emit("I", draft.add(kind, 0, 0), n, small(0))

    assert (stop_of(make).reason, stop_of(make).pc) == ("M", 0)


def test_outer_products_beyond_the_quota() -> None:
    def make(draft: Draft, char: str, zero: int) -> None:
        cells = [1] * 999 + [zero]
        a, b = draft.integers(1000, 1, [1] * 1000), draft.integers(1, 1000, cells)
        draft.emit(char, draft.add("I", 0, 0), a, b)

    wanted = -(-(8 + 10**6) // WIDTH)
    assert stop_of(lambda draft: make(draft, "*", 0)).detail == wanted
    assert stop_of(lambda draft: make(draft, "/", 1)).reason == "M"
    division = stop_of(lambda draft: make(draft, "/", 0))
    assert (division.reason, division.detail) == ("/", 999)


def test_a_leaf_beyond_all_rows() -> None:
    def make(draft: Draft, cols: int) -> None:
        stack = draft.add("I", 0, cols, w4=MOST)
        draft.emit("t", draft.add("I", 0, 0), draft.integers(1, 1, [0]), stack)

    def tall(draft: Draft) -> None:
        stack = draft.add("I", 0, 0, w4=MOST)
        draft.emit("t", draft.add("I", 0, 0), draft.integers(2, 1, [0, 0]), stack)

    assert stop_of(lambda draft: make(draft, 0)).reason == "H"
    assert stop_of(lambda draft: make(draft, 1)).reason == "M"
    assert stop_of(tall).reason == "S"


@pytest.mark.parametrize("kind", "IXTP")
@pytest.mark.parametrize(
    "items",
    [
        [MOST, MOST, MOST, MOST],
        [LEAST, LEAST, MOST, MOST],
        [LEAST, 0, MOST, 3],
        [-5, -5, MOST, MOST],
        [0, 0, LEAST, LEAST],
        [1, LEAST, 2, MOST],
        [-2, -1, 4, 4],
    ],
)
def test_drawing_far_outside(kind: str, items: list[int]) -> None:
    def make(draft: Draft) -> None:
        d = draft.add(kind, 5, 6)
        a = draft.integers(2, 3, [1, -1, 3, 4, 5, 6], "I" if kind != "P" else "P")
        draft.emit("D", d, a, draft.integers(1, 4, items))

    assert stop_of(make).reason == "H"


@pytest.mark.parametrize(
    "numbers",
    [
        [LEAST, 0, -1, 0],
        [MOST, 0, -1, -1],
        [0, 0, 3, 2, MOST, 1],
        [2, 1, 1, 1, LEAST, LEAST],
        [2, 1, -1, -1, -1, -1],
        [2, 1, -1, -1, LEAST, MOST],
        [MOST, MOST, 0, 0, MOST, MOST],
        [0, 0, MOST, MOST],
        [-1, 0, 1, 1],
        [0, 0, -2, 1],
        [0, 0, 1, 1, 0, 1],
        [3, 2, -1, -1],
        [1, 1, 1, 1, 1, 1, MOST],
        [0, 0, 1, 1, 1, 1, -1],
        [0, 0, 1, 1, 1, 1, ord("V")],
    ],
)
def test_views_at_the_ends(numbers: list[int]) -> None:
    def make(draft: Draft) -> None:
        a = draft.integers(3, 2, [1, 2, 3, 4, 5, 6])
        first, second = draft.view("", 0, 0, 0), draft.view("", 0, 0, 0)
        s = draft.integers(1, len(numbers), numbers)
        draft.emit("V", first, a, s)
        draft.emit("V", second, first, s)
        draft.emit("A", draft.add("I", 0, 0), second, small(0))
        draft.emit("A", second, small(7), small(0))

    stop_of(make)


@pytest.mark.parametrize("kind", "IXTP")
@pytest.mark.parametrize("char", "GgPp@")
def test_positions_at_the_ends(char: str, kind: str) -> None:
    def make(draft: Draft) -> None:
        where = draft.integers(1, 6, [MOST, LEAST, -1, 0, 2, 3])
        d = draft.add(kind, 3, 4)
        a = (
            draft.add("P", 1, 1)
            if kind == "P" and char in "GgPp"
            else draft.integers(1, 1, [LEAST])
        )
        draft.emit(char, d, a, where)

    assert stop_of(make).reason in "HS"


def test_sums_beyond_64_bits() -> None:
    def make(draft: Draft, kind: str, char: str) -> None:
        cells = [LEAST, MOST, LEAST, LEAST] * 16
        a, b = draft.integers(1, 64, cells, "X"), draft.integers(64, 1, cells, "X")
        d = draft.add(kind, 0, 0)
        draft.emit("M", d, a, b)
        draft.emit("M", d, b, a)
        draft.emit(char, d, d, ord("A"))
        draft.emit("K", d, a, a)
        draft.emit("@", d, d, d)

    for kind in "IXT":
        for char in "FC":
            ended = stop_of(lambda draft, k=kind, c=char: make(draft, k, c), spare_rows=600)
            assert ended.reason == "H"


@pytest.mark.parametrize("bits", [0x7F7FFFFF, 0xFF7FFFFF, 1, 0x80000001, 0x00800000, 0x3F800001])
@pytest.mark.parametrize("kind", "IXT")
def test_quantised_scales_at_the_ends(kind: str, bits: int) -> None:
    def make(draft: Draft) -> None:
        q = draft.text(3, 2, bytes([0, 255, 1, 254, 128, 7]), "Q", bits, bits ^ 0x80000000)
        a = draft.integers(2, 3, [MOST, LEAST, 1, -1, 65536, 3], "X")
        draft.emit("M", draft.add(kind, 0, 0), a, q)
        draft.emit("m", draft.add(kind, 0, 0), a, draft.text(1, 3, b"\1\2\3", "Q", bits, bits))
        draft.emit("G", draft.add(kind, 0, 0), q, draft.integers(1, 4, [0, 1, 5, 6]))
        draft.emit("g", draft.add(kind, 0, 0), q, draft.integers(1, 2, [2, 0]))

    assert stop_of(make).reason == "H"


TALL_OPS = [op for op in ROWS if op.family not in ("control", "table", "ports")]


@pytest.mark.parametrize("wide", [False, True], ids=["tall", "wide"])
@pytest.mark.parametrize("op", TALL_OPS, ids=lambda op: op.name.replace(" ", "-"))
def test_two_thousand_million_rows_of_nothing_cost_nothing(op: Op, wide: bool) -> None:
    """Such a shape takes no memory and no fuel, so nothing may take time by it either."""
    for place in range(1, len(op.operands)):

        def make(draft: Draft, place: int = place) -> None:
            nothing = rows_of_nothing(draft)
            if wide:
                draft.emit("T", nothing, nothing)
            others = {"I": draft.integers(1, 1, [1]), "D": draft.integers(1, 2, [0, 0])}
            operands = [draft.add("P" if op.char == "O" else "I", 0, 0)]
            for number in range(1, len(op.operands)):
                other = others.get(op.char, draft.integers(1, 2, [1, 1]))
                literal = op.operands[number] == "'o"
                operands.append(ord("A") if literal else nothing if number == place else other)
            draft.emit(op.char, *operands)

        stop_of(make)
