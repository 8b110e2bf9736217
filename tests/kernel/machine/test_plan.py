"""The plan: order of checks, kinds, shapes, growth, fuel, views; no element is ever filled."""

from __future__ import annotations

import numpy as np
import pytest

from pxos.kernel.machine.isa import BY_CHAR, SMALL_ZERO, encode
from pxos.kernel.machine.memory import HEADER_PX, Memory
from pxos.kernel.machine.plan import Planner
from pxos.kernel.machine.plan_place import lies
from pxos.kernel.machine.plan_shapes import (
    broadcast,
    drawn_elements,
    fits,
    result_shape,
    work_of,
)
from pxos.kernel.machine.plan_types import APART, OVERLAPS, SAME, Fault, Plan, Strided
from pxos.kernel.machine.plan_view import view_words
from pxos.kernel.machine.ports import NoPorts
from pxos.kernel.machine.registers import State
from tests.conformance.building import Draft

BIG = 2**31 - 1


def small(value: int) -> int:
    return SMALL_ZERO + value


def planner(draft: Draft) -> tuple[Planner, Memory]:
    memory = draft.memory()
    return State(memory, NoPorts()).planner, memory


def plan(draft: Draft, char: str, *operands: int) -> Plan | Fault:
    return planner(draft)[0].plan(encode(char, *operands))


def board() -> Draft:
    """5 I 3x4, 6 I 3x4, 7 T 2x6, 8 P 2x3, 9 Q 4x2, 10 V onto 5, 11 I 1x2 of BIG."""
    draft = Draft(code=[encode("H")])
    draft.integers(3, 4, range(12))
    draft.integers(3, 4, range(12))
    draft.text(2, 6, bytes(range(12)))
    draft.add("P", 2, 3, np.arange(6))
    draft.text(4, 2, bytes(8), "Q", w4=0x3F800000)
    draft.view("I", 5, 2, 2, 1, 1)
    draft.integers(1, 2, [BIG, BIG])
    return draft


# ---- checks -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("char", "operands", "expected"),
    [
        ("A", (small(1), 5, 6), Fault("N", 0)),
        ("A", (5, 100, 6), Fault("N", 1)),
        ("A", (5, 6, 100), Fault("N", 2)),
        ("A", (100, 9, 9), Fault("N", 0)),  # a name comes before a kind
        ("A", (9, 100, 5), Fault("N", 1)),
        ("A", (9, 5, 5), Fault("K", 0)),
        ("A", (0, 5, 5), Fault("K", 0)),
        ("A", (1, 5, 5), Fault("K", 0)),
        ("A", (2, 5, 5), Fault("K", 0)),
        ("A", (3, 5, 5), Fault("K", 0)),
        ("A", (5, 9, 7), Fault("K", 1)),  # a kind before a shape
        ("A", (5, 5, 7), Fault("S", 0)),
        ("F", (100, 100, ord("?")), Fault("L")),  # a literal before a name
        ("$", (100, 5, ord("x")), Fault("L")),
        ("M", (5, 9, 5), Fault("K", 1)),
        ("O", (5, 8, 8), Fault("K", 0)),
        ("G", (8, 7, 5), Fault("K", 1)),  # pixel mode takes P or I
        ("G", (8, 5, 8), Fault("K", 2)),  # and no P as an index
        ("?", (8, 8, 8), Fault("K", 1)),
        ("N", (4, 5, 5), Fault("N", 0)),
        ("N", (5, small(0), 5), Fault("N", 1)),
        ("N", (5, 6, 11), Fault("N", 2)),
        ("V", (5, 6, 11), Fault("K", 0)),
        ("V", (10, small(3), 11), Fault("N", 1)),
        ("V", (10, 5, 11), Fault("S", 0)),
        ("r", (5, 6, 5), Fault("S", 0)),
        ("#", (8, 1, 0), Fault("S", 0)),  # one byte is no pixel
    ],
)
def test_faults_and_their_details(char, operands, expected):
    assert plan(board(), char, *operands) == expected


def test_unknown_opcode():
    assert planner(board())[0].plan(1) == Fault("?")


def test_a_view_is_checked_before_a_later_name():
    draft = board()
    draft.view("I", 5, 4, 4)
    assert plan(draft, "A", 5, 12, 100) == Fault("V", 1)


@pytest.mark.parametrize(
    ("seen", "base", "ok"),
    [
        ("I", 8, True),
        ("T", 8, True),
        ("T", 5, False),
        ("X", 7, True),
        ("Q", 7, False),
        ("I", 9, False),
        ("", 5, False),
        ("I", 10, False),
        ("I", 200, False),
    ],
)
def test_what_a_view_may_show(seen, base, ok):
    draft = board()
    draft.view(seen, base, 1, 1)
    draft.integers(1, 1, [0])
    found = plan(draft, "$", 13, 12, ord("s"))
    assert isinstance(found, Plan) if ok else found == Fault("V", 1)


def test_a_view_of_machine_memory_is_read_only():
    draft = board()
    for entry in (0, 1, 2, 3):
        draft.view("I", entry, 1, 1)
    for view in (12, 13, 14, 15):
        assert plan(draft, "A", view, 5, 5) == Fault("K", 0)
        assert isinstance(plan(draft, "A", 5, view, small(0)), Plan)


def test_writable_code_keeps_its_shape():
    draft = board()
    draft.code_writable = True
    assert plan(draft, "A", 2, 5, 5) == Fault("S")
    found = plan(draft, "A", 2, small(1), small(1))
    assert isinstance(found, Plan)
    assert found.steady
    assert found.d is not None
    assert (found.d.rows, found.d.cols) == (1, 1)


# ---- growth -------------------------------------------------------------------------------------


def test_growth_moves_to_the_top_and_takes_every_alias_along():
    draft = board()
    draft.table_spare = 1
    machine, memory = planner(draft)
    spare = 12
    memory.words[memory.table_addr + spare] = memory.row_of(5)
    old, top = memory.row_of(5), memory.top
    found = machine.plan(encode("r", 5, 6, 11))
    assert isinstance(found, Fault)
    at = memory.data_addr(memory.row_of(11))
    memory.words[at : at + 2] = 10, 20
    found = machine.plan(encode("r", 5, 6, 11))
    assert isinstance(found, Plan)
    assert found.moved == (old, top)
    assert found.d is not None
    assert found.d.offset == memory.data_addr(top)
    before = memory.words[old * 64 : old * 64 + HEADER_PX].copy()
    assert machine.commit(found) >= {5, spare}
    assert memory.row_of(5) == memory.row_of(spare) == top
    header = memory.header(5)
    # 10x20 words do not fit 56; an old capacity of at most 64 is not doubled.
    assert (header.rows, header.cols, header.capacity_px) == (10, 20, 4 * 64 - 8)
    assert memory.top == top + 4
    assert (memory.words[old * 64 : old * 64 + HEADER_PX] == before).all()


@pytest.mark.parametrize(("spare_rows", "rows"), [(64, 8), (7, 5), (5, 5)])
def test_growth_doubles_large_matrices_unless_that_alone_breaks_the_quota(spare_rows, rows):
    draft = Draft(code=[encode("H")], spare_rows=spare_rows)
    draft.integers(1, 200, range(200))  # 4 rows: 248 words
    draft.integers(1, 2, [1, 249])
    found = plan(draft, "r", 5, 5, 6)
    assert isinstance(found, Plan)
    # 2 * 248 + 8 words are 8 rows; where fewer are free, 249 + 8 words are 5.
    assert dict(found.header)[found.moved[1] * 64 + 3] == rows * 64 - 8


def test_a_matrix_that_does_not_fit_the_quota():
    draft = Draft(code=[encode("H")], spare_rows=4)
    draft.integers(1, 200, range(200))
    draft.integers(1, 2, [1, 249])
    assert plan(draft, "r", 5, 5, 6) == Fault("M", 5)


@pytest.mark.parametrize("char", ["r", "Z"])
@pytest.mark.parametrize("entry", [5, 7, 8])
def test_hostile_shapes_are_faults_and_take_no_memory(char, entry):
    source = 5 if entry == 8 else 6
    found = plan(board(), char, entry, source, 11)
    assert isinstance(found, Fault)
    assert found.reason == "M"
    assert found.detail == 2**32 - 1


def test_a_dimension_beyond_31_bits_is_a_shape_fault():
    draft = board()
    draft.integers(1, 2, [BIG, 0])
    machine, _ = planner(draft)
    found = machine.plan(encode("r", 5, 6, 12))
    assert isinstance(found, Plan)
    machine.commit(found)
    assert machine.plan(encode(";", 5, 5, 5)) == Fault("S")


def test_division_by_zero_comes_before_the_quota():
    draft = Draft(code=[encode("H")], spare_rows=0)
    draft.integers(1, 1, [1])
    draft.integers(40, 1, range(1, 41))
    draft.integers(1, 40, [1] * 17 + [0] + [1] * 22)
    assert plan(draft, "/", 5, 6, 7) == Fault("/", 17)
    assert plan(draft, "A", 5, 6, 7) == Fault("M", -(-(1600 + 8) // 64))


# ---- fuel ---------------------------------------------------------------------------------------


def rectangle(rows: int, cols: int, kind: str = "I", leaf: int = 0) -> Strided:
    return Strided(kind, rows, cols, 4, 0, cols, 1, 9, leaf)


@pytest.mark.parametrize(
    ("char", "shapes", "d", "expected"),
    [
        ("A", [(3, 5), (1, 1)], (3, 5), 15),
        ("F", [(3, 5)], (3, 1), 15),
        ("i", [(3, 5), (2, 2)], (1, 2), 19),
        ("G", [(9, 9), (2, 3)], (2, 3), 6),
        ("g", [(9, 7), (2, 3)], (6, 7), 42),
        ("P", [(1, 1), (2, 3)], (9, 9), 6),
        ("p", [(1, 1), (2, 3)], (9, 8), 48),
        ("@", [(1, 1), (2, 3)], (9, 8), 6),
        ("M", [(3, 5), (5, 7)], (3, 7), 3 * 5 * 7 // 8),
        ("m", [(3, 5), (7, 5)], (3, 7), 3 * 5 * 7 // 8),
        ("K", [(10, 10), (3, 3)], (10, 10), 900),
        ("o", [(4, 7)], (4, 7), 28 * 3),
        ("o", [(4, 8)], (4, 8), 32 * 4),
        ("o", [(4, 1)], (4, 1), 4),
        ("D", [(2, 2), (5, 2)], (9, 9), 5 * 64 + 11),
        ("#", [], (1, 1), 0),
    ],
)
def test_work(char, shapes, d, expected):
    inputs = tuple(rectangle(*shape) for shape in shapes)
    assert work_of(BY_CHAR[char], d, inputs, 11) == expected


def test_appending_counts_only_what_is_new_while_it_fits():
    draft = Draft(code=[encode("H")])
    draft.add("I", 100, 8, np.arange(800), capacity=4000)
    draft.integers(10, 8, range(80))
    draft.integers(3, 1, range(3))
    found = plan(draft, ";", 5, 5, 6)
    assert isinstance(found, Plan)
    assert found.fuel == 1 + 80 // 64
    assert (found.d.rows, found.d.cols, found.shape) == (10, 8, (110, 8))
    assert found.lies == (APART, APART)
    assert found.inputs[0].count == 0
    stretched = plan(draft, ";", 5, 5, 7)
    assert isinstance(stretched, Plan)
    assert (stretched.inputs[1].cols, stretched.inputs[1].col_step) == (8, 0)
    twice = plan(draft, ";", 5, 5, 5)
    assert isinstance(twice, Plan)
    assert twice.fuel == 1 + 1600 // 64
    assert plan(draft, ";", 7, 7, 5).fuel == 1 + 103 * 8 // 64


@pytest.mark.parametrize(
    ("a", "b", "expected"),
    [
        ((1, 1), (3, 4), (3, 4)),
        ((3, 1), (1, 4), (3, 4)),
        ((0, 4), (1, 1), (0, 4)),
        ((0, 1), (1, 5), (0, 5)),
        ((2, 3), (3, 2), None),
        ((0, 2), (2, 2), None),
    ],
)
def test_broadcast(a, b, expected):
    assert broadcast(a, b) == broadcast(b, a) == expected


def test_a_result_stretches_to_a_view_but_not_the_other_way():
    assert fits((1, 3), (2, 3))
    assert not fits((2, 3), (1, 3))
    assert not fits((0, 3), (1, 3))


@pytest.mark.parametrize(
    ("numbers", "expected"),
    [
        ([3, 4], (3, 4)),
        ([-1, 5], (2, 5)),
        ([4, -1], (4, 3)),
        ([-1, 0], (0, 0)),
        ([-1, -1], None),
        ([-2, 3], None),
        ([BIG, BIG], (BIG, BIG)),
    ],
)
def test_reshape(numbers, expected):
    inputs = (rectangle(3, 4), rectangle(1, 2))
    assert result_shape(BY_CHAR["r"], (1, 1), inputs, numbers) == expected


@pytest.mark.parametrize(
    ("char", "a", "b", "expected"),
    [
        (",", (0, 0), (3, 2), (3, 2)),
        (",", (3, 2), (0, 0), (3, 2)),
        (",", (1, 2), (3, 2), (3, 4)),
        (",", (2, 2), (3, 2), None),
        (";", (2, 1), (3, 5), (5, 5)),
        (";", (2, 4), (3, 5), None),
        (";", (0, 0), (0, 0), (0, 0)),
        ("t", (2, 3), (40, 7), (80, 21)),
        ("M", (2, 0), (0, 3), (2, 3)),
        ("M", (2, 3), (2, 3), None),
        ("m", (2, 3), (5, 3), (2, 5)),
    ],
)
def test_shapes_of_two(char, a, b, expected):
    found = result_shape(BY_CHAR[char], (1, 1), (rectangle(*a), rectangle(*b)), ())
    assert found == expected


def test_tiles_take_their_height_from_the_leaf():
    found = result_shape(BY_CHAR["t"], (1, 1), (rectangle(2, 3), rectangle(40, 7, leaf=8)), ())
    assert found == (16, 21)


@pytest.mark.parametrize(
    ("item", "leaf", "expected"),
    [
        ([0, 0], 0, 6),
        ([-1, -1], 0, 2),
        ([9, 9], 0, 1),
        ([10, 0], 0, 0),
        ([0, -3], 0, 0),
        ([0, 0, 1], 1, 3),
        ([0, 0, 2], 1, 0),
        ([0, 0, -1], 1, 0),
        ([0, 0, 1], 0, 0),
        ([2, 3, 4, 5], 0, 20),
        ([2, 3, 0, 5], 0, 0),
        ([2, 3, -4, -5], 0, 0),
        ([-(2**31), -(2**31), BIG, BIG], 0, 0),
        ([-5, -5, BIG, BIG], 0, 100),
        ([0, 0, 2, 2, 1], 1, 4),
        ([0, 0, 2, 2, BIG], 1, 0),
    ],
)
def test_draw_counts_clipped_rectangles(item, leaf, expected):
    items = np.array([item], np.int64)
    assert drawn_elements(items, (10, 10), rectangle(2, 3, leaf=leaf)) == expected


# ---- overlap and views --------------------------------------------------------------------------


def test_how_inputs_lie_to_the_destination():
    draft = board()
    draft.view("I", 5, 1, 4, 0, 0)
    draft.view("I", 5, 1, 4, 2, 0)
    draft.view("X", 5, 1, 4, 0, 0)
    draft.view("I", 5, 1, 2, 1, 1)
    assert plan(draft, "A", 5, 5, 6).lies == (SAME, APART)
    assert plan(draft, "A", 12, 13, 12).lies == (APART, SAME)
    assert plan(draft, "A", 12, 14, small(1)).lies == (OVERLAPS, APART)
    assert plan(draft, "A", 10, 10, small(1)).lies == (SAME, APART)
    assert plan(draft, "A", 10, 10, 15).lies == (SAME, OVERLAPS)
    assert lies(rectangle(0, 4), rectangle(3, 4)) == APART


def test_a_view_of_a_view_is_composed_onto_its_base():
    draft = board()
    draft.integers(1, 6, [1, 0, 1, 2, 1, -1])
    draft.integers(1, 1, [0])
    draft.view("", 0, 0, 0)
    machine, memory = planner(draft)
    assert machine.plan(encode("V", 14, 10, 12)) == Fault("V", 1)  # column 0 going left
    at = memory.data_addr(memory.row_of(12))
    memory.ints[at + 1] = 1
    found = machine.plan(encode("V", 14, 10, 12))
    assert isinstance(found, Plan)
    assert machine.commit(found) == {14}
    at = memory.row_of(14) * 64
    assert memory.ints[at : at + 8].tolist() == [ord("V") | ord("I") << 8, 1, 2, 5, 2, 2, 1, -1]
    again = machine.plan(encode("V", 14, 10, 12))
    assert isinstance(again, Plan)
    assert again.steady


@pytest.mark.parametrize(
    ("numbers", "expected"),
    [
        ((0, 0, -1, -1), (3, 4)),
        ((1, 2, -1, -1), (2, 2)),
        ((2, 3, -1, -1, -1, -1), (3, 4)),
        ((0, 0, -1, -1, 2, 3), (2, 2)),
        ((3, 0, -1, -1), (0, 4)),
        ((0, 0, 0, BIG), (0, BIG)),
    ],
)
def test_views_to_the_edge(numbers, expected):
    machine, _ = planner(board())
    a = machine.resolver.operand(5, 1)
    words = view_words(a, ("I", 3, 4), None, numbers)
    assert not isinstance(words, Fault)
    assert words[1:3] == expected


@pytest.mark.parametrize(
    ("numbers", "expected"),
    [
        ((0, 0, 4, 1), Fault("V", 1)),
        ((-1, 0, 1, 1), Fault("V", 1)),
        ((0, 0, 1, 1, 0), Fault("S")),
        ((0, 0, -2, 1), Fault("S")),
        ((0, 0, 1, 1, 1, 1, ord("T")), Fault("K", 2)),
        ((0, 0, 1, 1, 1, 1, ord("Z")), Fault("K", 2)),
        ((0, 0, 1, 1, 0, 1, -5), Fault("K", 2)),
        ((-5, 0, -1, 1), Fault("V", 1)),
        ((0, 0, 2, 2, 2**30, 1), Fault("V", 1)),
    ],
)
def test_views_that_do_not_fit(numbers, expected):
    machine, _ = planner(board())
    a = machine.resolver.operand(5, 1)
    assert view_words(a, ("I", 3, 4), None, numbers) == expected


# ---- memory of plans ----------------------------------------------------------------------------


def test_a_plan_is_the_same_object_until_a_header_it_rests_on_changes():
    draft = board()
    draft.integers(1, 2, [2, 6])
    draft.integers(1, 2, [3, 4])
    machine, _ = planner(draft)
    word = encode("A", 5, 5, 6)
    first = machine.plan(word)
    assert machine.plan(word) is first
    machine.commit(machine.plan(encode("r", 6, 6, 12)))
    assert machine.plan(word) == Fault("S")
    machine.commit(machine.plan(encode("r", 6, 6, 13)))
    assert machine.plan(word) is first  # an old header come back brings its plans back
    machine.forget()
    assert machine.plan(word) is not first


def test_an_alias_made_after_planning_is_followed():
    draft = board()
    draft.integers(1, 2, [2, 6])
    draft.integers(1, 2, [3, 4])
    machine, _ = planner(draft)
    wide, back = encode("r", 5, 5, 12), encode("r", 5, 5, 13)
    for word in (wide, back):
        machine.commit(machine.plan(word))
    machine.commit(machine.plan(encode("N", 6, 5, small(0))))
    machine.resolver.operand(6, 0)
    assert 6 in machine.commit(machine.plan(wide))
    assert machine.resolver.operand(6, 0).rows == 2
