"""What the table promises, worked out by hand: the oracle must not merely agree with others."""

from __future__ import annotations

import pytest

from pxos.kernel.machine.isa import small_operand
from pxos.kernel.machine.memory import Memory

from .building import Draft
from .compare import check

INT_MIN, INT_MAX = -(2**31), 2**31 - 1
ONE = 65536


def small(value: int) -> int:
    byte = small_operand(value)
    assert byte is not None
    return byte


def after(draft: Draft) -> Memory:
    """The memory of a draft when it has run on every executor alike, to its end by a halt."""
    draft.emit("H", small(0))
    outcome = check(draft, 0, "by hand")
    assert outcome.stops[-1].reason == "H", outcome.stops
    memory = draft.memory()
    memory.words[:] = outcome.words
    return memory


def numbers(memory: Memory, entry: int) -> list[int]:
    """Shape and signed words or bytes of an ordinary matrix."""
    header = memory.header(entry)
    at = memory.data_addr(header.row)
    if header.kind == "T":
        stride = -(-header.cols // 4) * 4
        return [
            int(memory.bytes[4 * at + i * stride + j])
            for i in range(header.rows)
            for j in range(header.cols)
        ]
    return [int(word) for word in memory.ints[at : at + header.rows * header.cols]]


def one_instruction(
    char: str,
    d: str,
    a: tuple[str, list[int]],
    b: tuple[str, list[int]] | None = None,
    literal: str = "",
) -> list[int]:
    """The elements of d after one instruction on 1 x n operands."""
    draft = Draft()
    to = draft.add(d, 0, 0)
    operands = [to]
    for kind, cells in (a, b) if b else (a,):
        if kind == "T":
            operands.append(draft.text(1, len(cells), bytes(cells)))
        else:
            operands.append(draft.integers(1, len(cells), cells, kind))
    if literal:
        operands.append(ord(literal))
    draft.emit(char, *operands)
    return numbers(after(draft), to)


@pytest.mark.parametrize(
    ("char", "d", "a", "b", "expected"),
    [
        ("A", "I", ("I", [INT_MAX]), ("I", [1]), [INT_MIN]),
        ("A", "X", ("X", [INT_MAX]), ("X", [ONE]), [INT_MAX]),
        ("A", "I", ("X", [-1, 1, 3 * ONE // 2]), ("I", [0, 0, 0]), [-1, 0, 1]),
        ("A", "T", ("X", [ONE // 2, ONE // 2 - 1, -ONE, 300 * ONE]), ("I", [0]), [1, 0, 0, 255]),
        ("-", "I", ("I", [0]), ("I", [INT_MIN]), [INT_MIN]),
        ("-", "X", ("I", [0]), ("X", [INT_MIN]), [INT_MAX]),
        ("*", "I", ("I", [65537]), ("I", [65537]), [131073]),
        ("*", "X", ("X", [1, -1, 3]), ("X", [ONE // 2]), [1, 0, 2]),
        (
            "/",
            "I",
            ("I", [7, -7, 7, -7, INT_MIN]),
            ("I", [2, 2, -2, -2, -1]),
            [3, -4, -4, 3, INT_MIN],
        ),
        ("/", "X", ("I", [1, -1, 2]), ("I", [3]), [21845, -21845, 43691]),
        ("/", "T", ("I", [7, 9, 600]), ("I", [2]), [4, 5, 255]),
        ("%", "I", ("I", [-1, 1, 7]), ("I", [3, -3, 4]), [2, -2, 3]),
        ("R", "I", ("I", [-5, 5]), ("I", [0]), [0, 5]),
        ("_", "I", ("I", [-5, 5]), ("X", [ONE]), [-5, 1]),
        ("<", "X", ("X", [65535]), ("I", [1]), [ONE]),
        ("=", "I", ("X", [ONE, ONE + 1]), ("I", [1]), [1, 0]),
        ("&", "I", ("X", [ONE]), ("I", [-1]), [ONE]),
        ("|", "T", ("I", [256 + 3]), ("I", [4]), [7]),
        ("^", "I", ("I", [-1]), ("T", [255]), [-256]),
        ("S", "I", ("I", [1, 1, -1, 5]), ("I", [31, 32, -32, -1]), [INT_MIN, 0, -1, 2]),
        ("S", "X", ("X", [3]), ("I", [-1]), [1]),
        ("S", "I", ("X", [3 * ONE]), ("I", [1]), [6]),
        ("q", "I", ("I", [INT_MAX, -4, 16]), None, [46340, 0, 4]),
        ("q", "X", ("I", [2]), None, [92682]),
        (
            "e",
            "X",
            ("X", [0, 15 * ONE, -17 * ONE, -17 * ONE - 1, ONE // 2]),
            None,
            [ONE, INT_MAX, 1, 0, 92682],
        ),
        ("e", "I", ("I", [10]), None, [1024]),
        (
            "l",
            "X",
            ("X", [ONE, 0, -ONE, 1, 8 * ONE]),
            None,
            [0, INT_MIN, INT_MIN, -16 * ONE, 3 * ONE],
        ),
        (
            "~",
            "X",
            ("X", [0, ONE // 4, ONE // 2, 3 * ONE // 4, 5 * ONE]),
            None,
            [0, ONE, 0, -ONE, 0],
        ),
        ("~", "X", ("X", [ONE // 8]), None, [46341]),
        ("a", "I", ("I", [3, 9, 9, 1]), None, [1]),
        ("o", "I", ("I", [3, 1, 3, 2]), None, [1, 3, 0, 2]),
        ("w", "I", ("I", [0, 5, 0, -1]), None, [1, 3]),
        ("G", "I", ("I", [10, 20, 30]), ("X", [2 * ONE + 9, -1, 3 * ONE]), [30, 0, 0]),
    ],
)
def test_one_instruction(
    char: str,
    d: str,
    a: tuple[str, list[int]],
    b: tuple[str, list[int]] | None,
    expected: list[int],
) -> None:
    assert one_instruction(char, d, a, b) == expected


@pytest.mark.parametrize(
    ("literal", "d", "a", "expected"),
    [
        ("A", "I", ("I", [INT_MAX, 1, 1]), [INT_MIN + 1]),
        ("A", "X", ("X", [INT_MAX, INT_MAX, -INT_MAX]), [INT_MAX]),
        ("R", "I", ("I", []), [INT_MIN]),
        ("_", "T", ("I", []), [255]),
        ("&", "T", ("I", []), [255]),
        ("&", "I", ("I", []), [-1]),
        ("|", "I", ("X", [1, 2, 4]), [7]),
        ("^", "T", ("I", [255, 1]), [254]),
    ],
)
def test_fold(literal: str, d: str, a: tuple[str, list[int]], expected: list[int]) -> None:
    assert one_instruction("F", d, a, literal=literal) == expected


def test_cumulate_saturation_does_not_spread() -> None:
    cells = [INT_MAX, INT_MAX, -INT_MAX, -INT_MAX]
    assert one_instruction("C", "X", ("X", cells), literal="A") == [INT_MAX, INT_MAX, INT_MAX, 0]


def test_over_and_a_colour_fill() -> None:
    draft = Draft()
    below = draft.integers(1, 3, [-1, 0, 0x40302010], "P")
    above = draft.integers(1, 1, [0x80 << 24 | 0x0000FF], "P")
    draft.emit("O", below, above, below)
    words = [word & 0xFFFFFFFF for word in numbers(after(draft), below)]
    top = 0xFF
    mixed = [(top * 128 + 255 * 127 + 127) // 255, (0 * 128 + 255 * 127 + 127) // 255]
    assert words[0] == mixed[0] | mixed[1] << 8 | mixed[1] << 16 | 0xFF << 24
    assert words[1] == 0x80 | 0x80 << 24


def test_a_channel_view_is_written_alone() -> None:
    draft = Draft()
    picture = draft.integers(1, 2, [0x04030201, 0x08070605], "P")
    red = draft.view("T", picture, 1, 2, col_step=4)
    draft.emit("*", red, red, small(10))
    assert numbers(after(draft), picture) == [0x0403020A, 0x08070632]


def test_matmul_with_quantised_weights_is_rounded_once() -> None:
    draft = Draft()
    half, minus = 0x3F000000, 0xBF800000
    to = draft.add("X", 0, 0)
    a = draft.integers(1, 2, [ONE, 3], "X")
    q = draft.text(2, 1, bytes([7, 9]), "Q", half, minus)
    draft.emit("M", to, a, q)
    # 1 * (7/2 - 1) + 3/65536 * (9/2 - 1) = 2.5 + 10.5/65536, half up
    assert numbers(after(draft), to) == [5 * ONE // 2 + 11]


def test_growth_moves_doubles_and_carries_aliases() -> None:
    draft = Draft(table_spare=1)
    d = draft.integers(1, 100, list(range(100)))
    alias = d + 1
    draft.emit("N", alias, d, small(0))
    draft.emit(";", d, d, d)
    memory = after(draft)
    assert memory.row_of(d) == memory.row_of(alias) == draft.memory().top
    header = memory.header(d)
    assert (header.rows, header.cols) == (2, 100)
    assert header.capacity_px >= 2 * draft.memory().header(d).capacity_px
    assert numbers(memory, d) == [*range(100), *range(100)]


def test_division_by_zero_names_its_first_element_and_changes_nothing() -> None:
    draft = Draft()
    d = draft.integers(1, 1, [77])
    a, b = draft.integers(3, 1, [1, 2, 3]), draft.integers(1, 4, [1, 2, 0, 0])
    draft.emit("/", d, a, b)
    outcome = check(draft, 0, "by hand")
    stop = outcome.stops[-1]
    assert (stop.reason, stop.pc, stop.detail) == ("/", 0, 2)
    assert outcome.words[draft.memory().data_addr(draft.memory().row_of(d))] == 77


def test_fuel_is_asked_before_and_charged_after() -> None:
    draft = Draft(fuel=4)
    d, a = draft.add("I", 0, 0), draft.integers(1, 192, [1] * 192)
    draft.emit("A", d, a, small(1))
    draft.emit("H", small(3))
    stop = check(draft, 0, "by hand").stops[-1]
    assert (stop.reason, stop.pc) == ("B", 1)
    draft.fuel = 3
    stop = check(draft, 0, "by hand").stops[-1]
    assert (stop.reason, stop.pc) == ("B", 0)
    draft.fuel = 5
    stop = check(draft, 0, "by hand").stops[-1]
    assert (stop.reason, stop.pc, stop.status) == ("H", 1, 3)
