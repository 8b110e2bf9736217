"""Runs of dispatches as single kernels: against each by itself, and against the oracle."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import pytest

from pxos.kernel.machine.gpu import fuse, lanes
from pxos.kernel.machine.gpu.binding import bind_plan
from pxos.kernel.machine.gpu.device import Buffer, Part
from pxos.kernel.machine.gpu.kit import Dispatch, Kit
from pxos.kernel.machine.isa import small_operand
from pxos.kernel.machine.memory import Memory
from pxos.kernel.machine.oracle import Oracle
from pxos.kernel.machine.plan import Planner
from pxos.kernel.machine.plan_types import Plan
from pxos.kernel.machine.ports import NoPorts
from tests.conformance import values
from tests.conformance.building import NO_LIMIT, WIDTH, Draft
from tests.gpu import gpu
from tests.kernel.machine.gpu.harness import Host

BINARY = "A-*R_<=&|^S"
UNARY = "qel~"


@pytest.fixture(autouse=True)
def fuse_everything(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fuse, "FUSE_FROM", 1)
    monkeypatch.setattr(fuse, "AT_ONCE_FROM", 1)
    # Compiling is what takes time here, and more lanes are more of the same.
    monkeypatch.setattr(lanes, "LANES", 2)
    monkeypatch.setattr(lanes, "TABLE_LANES", 3)


@dataclass
class Recorded:
    """A straight piece of code as dispatches, with the memory as the host has left it."""

    kit: Kit
    memory: Memory
    dispatches: list[Dispatch]
    buffers: dict[int, Buffer]
    first: dict[int, np.ndarray]

    def run(self, dispatches: Sequence[Dispatch]) -> tuple[np.ndarray, list[int]]:
        """Submit, from the matrices as they were at first; all words then, and the fault words."""
        for row, words in self.first.items():
            self.kit.gpu.write(self.buffers[row], 0, words)
        self.kit.reset_fault()
        self.kit.shared.send()
        self.kit.gpu.submit([dispatch.call for dispatch in dispatches])
        rows = list(self.buffers)
        parts = [Part(self.buffers[row], 0, self.first[row].size) for row in rows]
        fault, *found = self.kit.gpu.read([Part(self.kit.fault, 0, 4), *parts])
        memory = self.memory.words.copy()
        for row, words in zip(rows, found, strict=True):
            start = self.memory.data_addr(row)
            memory[start : start + words.size] = words
        return memory, fault.tolist()


def record(draft: Draft) -> Recorded:
    """Plan and bind a draft's code up to its halt; no matrix may move, no plan fault."""
    kit = Kit(gpu())
    memory = draft.memory()
    planner = Planner(memory, Host(memory))
    recorded = Recorded(kit, memory, [], {}, {})

    def buffer_of(row: int) -> Buffer:
        if row not in recorded.buffers:
            capacity = memory.header_at(row).capacity_px
            start = memory.data_addr(row)
            recorded.buffers[row] = kit.gpu.buffer(capacity)
            recorded.first[row] = memory.words[start : start + capacity].copy()
        return recorded.buffers[row]

    for word in draft.code[:-1]:
        plan = planner.plan(word)
        assert isinstance(plan, Plan), plan
        assert plan.moved is None
        if plan.d is not None and plan.d.count:
            work = bind_plan(plan, WIDTH, kit, buffer_of)
            recorded.dispatches += (*work.copies, *work.check, *work.do)
        planner.commit(plan)
    return recorded


def oracle_words(draft: Draft, stop: str = "H") -> np.ndarray:
    memory = draft.memory()
    memory.set64("fuel", NO_LIMIT)
    assert Oracle(memory, NoPorts()).run(NO_LIMIT).reason == stop
    memory.words[WIDTH + 8 : WIDTH + 8 + 7] = 0  # the registers are the executor's
    memory.words[WIDTH + 8 + 13 : WIDTH + 8 + 17] = 0
    return memory.words


def check(draft: Draft, most: int | None = None, what: str = "") -> list[Dispatch]:
    """Fused, unfused and the oracle agree; at most ``most`` dispatches are left."""
    recorded = record(draft)
    expected = oracle_words(draft)
    joined = fuse.join(recorded.dispatches, recorded.kit)
    for way, dispatches in (("alone", recorded.dispatches), ("fused", joined), ("again", joined)):
        words, fault = recorded.run(dispatches)
        words[WIDTH + 8 : WIDTH + 8 + 7] = 0
        words[WIDTH + 8 + 13 : WIDTH + 8 + 17] = 0
        assert fault[0] == 0
        wrong = np.flatnonzero(words != expected)
        shown = [
            f"word {i % WIDTH} of row {i // WIDTH}: {words[i]:#x}, not {expected[i]:#x}"
            for i in wrong[:6].tolist()
        ]
        assert not shown, f"{what} {way}: " + "; ".join(shown)
    if most is not None:
        assert len(joined) <= most
    return joined


def small(value: int) -> int:
    byte = small_operand(value)
    assert byte is not None
    return byte


def ended(draft: Draft) -> Draft:
    draft.emit("H", small(0))
    return draft


# ---- random chains -----------------------------------------------------------------------------


def random_chain(seed: str) -> Draft:
    """A dozen instructions over one shape on a small pool: in place, over each other, broadcast."""
    chooser = random.Random(seed)
    draft = Draft()
    rows = chooser.choice((1, 2, 3, 5, 17))
    cols = chooser.choice((1, 3, 4, 7, 8, 12, 64))
    pictures = cols % 4 == 0

    def plain(kind: str, high: int, wide: int) -> int:
        wide = wide // 4 if kind == "P" else wide
        limits = chooser.choice(((-3, 300), (-40, 40), None))
        return values.plain(draft, chooser, kind, high, wide, limits, 70)

    kinds = chooser.choice(("IXTP", "TP", "X", "I", "IX", "XT")).replace(
        "P", "P" if pictures else "T"
    )
    targets = [plain(chooser.choice(kinds), rows, cols) for _ in range(5)]
    for _ in range(2):
        kind = chooser.choice("IXT")
        targets.append(values.viewed(draft, chooser, kind, rows, cols))
    base = chooser.choice(targets[:5])
    seen = {"I": "X", "X": "I", "P": "T", "T": "T"}[chr(draft.matrices[base - 5].head[0] & 255)]
    targets.append(draft.view(seen, base, rows, cols))
    targets += targets
    for kind in kinds[:2] if chooser.random() < 0.5 else "":  # views that overlap each other
        base = values.plain(draft, chooser, kind, rows + 2, cols + 8, (-3, 300), 70)
        for step in (1, 1, 1, -1):
            row = chooser.randrange(3) if step > 0 else rows + 1
            targets.append(draft.view(kind, base, rows, cols, row, 4 * chooser.randrange(2), step))
    sources = [
        plain(chooser.choice("IXT"), 1, cols),
        plain(chooser.choice("IXT"), rows, 1),
        plain(chooser.choice("IXT"), 1, 1),
        values.viewed(draft, chooser, chooser.choice("IXT"), rows, cols),
        *targets,
        *targets,
    ]
    for _ in range(chooser.randrange(3, 10)):
        char = chooser.choice(BINARY * 2 + UNARY + "/%")
        d, a = chooser.choice(targets), chooser.choice(sources + targets)
        number = chooser.choice((-7, -1, 1, 2, 3, 16, 47))
        b = small(number) if chooser.random() < 0.4 or char in "/%" else chooser.choice(sources)
        if {a, b} <= set(sources[:3]) or b >= 192:
            a = chooser.choice(targets)  # so that the result has the shape of all
        draft.emit(char, d, a, b if char not in UNARY else 0)
    return ended(draft)


@pytest.mark.parametrize("part", range(6))
def test_random_chains(part: int) -> None:
    before = after = 0
    for number in range(6):
        draft = random_chain(f"chain {part} {number}")
        after += len(check(draft, what=f"chain {part} {number}"))
        before += len(draft.code) - 1
    assert after < 0.9 * before


# ---- what becomes one kernel, and what does not ----------------------------------------------


def numbers(draft: Draft, kind: str, rows: int, cols: int, seed: int = 1) -> int:
    chooser = random.Random(seed)
    return values.plain(draft, chooser, kind, rows, cols, (-300, 300), 300)


@pytest.mark.parametrize("kind", "IXTP")
def test_a_filter_in_place_is_one_kernel(kind: str) -> None:
    draft = Draft()
    d = numbers(draft, kind, 9, 8)
    for char, value in zip("A*-R_/S%A|", (7, 3, 5, 9, 40, 3, 1, 30, -2, 5), strict=True):
        draft.emit(char, d, d, small(value))
    check(ended(draft), 1)


@pytest.mark.parametrize("kind", "IXT")
def test_temporaries_and_broadcasts_are_one_kernel(kind: str) -> None:
    draft = Draft()
    d, t, u = (numbers(draft, kind, 6, 10, seed) for seed in (1, 2, 3))
    x, one = numbers(draft, "X", 6, 10), numbers(draft, "X", 1, 1)
    row, column = numbers(draft, "T", 1, 10), numbers(draft, "I", 6, 1)
    draft.emit("*", t, x, row)
    draft.emit("A", u, t, column)
    draft.emit("-", t, u, one)
    draft.emit("~", x, x)
    draft.emit("*", d, t, x)
    check(ended(draft), 1)


def test_bytes_in_rows_of_any_length_keep_what_lies_beside_them() -> None:
    for cols in range(1, 10):
        draft = Draft()
        base = values.plain(draft, random.Random(cols), "T", 5, 12)
        d = draft.view("T", base, 5, cols)
        x = numbers(draft, "X", 5, cols)
        draft.emit("A", d, d, small(3))
        draft.emit("*", x, x, d)
        draft.emit("A", d, x, d)
        check(ended(draft), 1)


@pytest.mark.parametrize("kind", "IXT")
def test_all_bytes_through_a_table(kind: str) -> None:
    """Results of several kinds, and a number from memory beside the small ones."""
    draft = Draft()
    a = draft.text(8, 40, bytes(n % 256 for n in range(320)))
    d, e = numbers(draft, kind, 8, 40), numbers(draft, "T", 8, 40)
    for matrix in draft.matrices:
        matrix.capacity = 320
    draft.emit("*", e, a, numbers(draft, "X", 1, 1, 7))
    draft.emit("A", d, e, a)
    draft.emit("-", e, small(40), e)
    draft.emit("q", d, d)
    check(ended(draft), 1)


@pytest.mark.parametrize("kind", "IXT")
def test_select_reads_what_it_leaves(kind: str) -> None:
    draft = Draft()
    d, c, a = numbers(draft, kind, 6, 8), numbers(draft, "I", 6, 8, 3), numbers(draft, "X", 6, 1)
    draft.emit("A", d, d, small(3))
    draft.emit("<", c, c, small(4))
    draft.emit("?", d, c, a)
    draft.emit("-", c, small(1), c)
    draft.emit("?", d, c, small(-7))
    check(ended(draft), 1)


def test_select_of_pixels_moves_words() -> None:
    draft = Draft()
    d, c = numbers(draft, "P", 6, 7), numbers(draft, "T", 6, 7, 3)
    a, one = numbers(draft, "I", 6, 7, 4), numbers(draft, "P", 1, 1, 5)
    draft.emit("<", c, c, small(40))
    draft.emit("?", d, c, a)
    draft.emit("=", c, c, small(0))
    draft.emit("?", d, c, one)
    check(ended(draft), 1)


def test_the_same_words_seen_as_another_class() -> None:
    draft = Draft()
    d = numbers(draft, "I", 4, 6)
    seen = draft.view("X", d, 4, 6)
    draft.emit("A", d, d, small(40))
    draft.emit("*", seen, seen, small(3))
    draft.emit("/", seen, seen, small(7))
    draft.emit("A", d, d, small(1))
    check(ended(draft), 1)


def test_an_input_that_overlaps_a_result_elsewhere_ends_the_run() -> None:
    draft = Draft()
    d, e = numbers(draft, "I", 1, 40), numbers(draft, "I", 1, 20)
    left, right = draft.view("I", d, 1, 20), draft.view("I", d, 1, 20, 0, 5)
    draft.emit("A", left, left, small(1))
    draft.emit("*", e, e, right)
    draft.emit("A", e, e, small(1))
    assert len(check(ended(draft))) == 2


def test_a_result_over_what_was_read_elsewhere_ends_the_run() -> None:
    draft = Draft()
    d, e = numbers(draft, "I", 1, 40), numbers(draft, "I", 1, 20)
    left, right = draft.view("I", d, 1, 20), draft.view("I", d, 1, 20, 0, 5)
    draft.emit("*", e, e, right)
    draft.emit("A", left, e, small(1))
    draft.emit("A", left, left, small(1))
    assert len(check(ended(draft))) == 2


def test_a_number_that_the_run_has_changed_is_read_again() -> None:
    draft = Draft()
    d, one = numbers(draft, "I", 4, 6), numbers(draft, "I", 1, 1)
    draft.emit("A", d, d, one)
    draft.emit("A", one, one, small(1))
    draft.emit("*", d, d, one)
    assert len(check(ended(draft))) == 3


def test_other_instructions_keep_their_places() -> None:
    draft = Draft()
    d, e = numbers(draft, "I", 4, 4), numbers(draft, "I", 4, 4, 2)
    draft.emit("A", d, d, small(1))
    draft.emit("*", d, d, small(3))
    draft.emit("T", e, d)
    draft.emit("A", d, d, e)
    draft.emit("-", e, d, e)
    assert len(check(ended(draft))) == 3


def divided(zero: bool) -> Draft:
    draft = Draft()
    d, e = numbers(draft, "I", 4, 4), numbers(draft, "I", 4, 4, 2)
    b = draft.integers(4, 4, [*range(1, 11), 0 if zero else 11, *range(12, 17)])
    draft.emit("A", d, d, small(1))
    draft.emit("A", e, d, e)
    draft.emit("/", d, d, b)
    draft.emit("*", e, d, d)
    draft.emit("-", b, b, e)
    return ended(draft)


def test_a_check_stays_between_two_runs() -> None:
    # the first run, check, verdict, the second run
    assert len(check(divided(zero=False))) == 4


def test_behind_a_fault_a_run_has_no_effect() -> None:
    draft = divided(zero=True)
    recorded = record(draft)
    words, fault = recorded.run(fuse.join(recorded.dispatches, recorded.kit))
    assert fault[:3] == [1, 10, 0]
    expected = oracle_words(draft, "/")
    for row in recorded.buffers:
        start = recorded.memory.data_addr(row)
        assert (words[start : start + 16] == expected[start : start + 16]).all()


# ---- bounds ------------------------------------------------------------------------------------


def test_runs_are_bounded_by_bindings_and_parameters() -> None:
    draft = Draft()
    matrices = [numbers(draft, "X", 2, 4, seed) for seed in range(30)]
    for before, after in pairwise(matrices):
        draft.emit("A", after, before, after)
    joined = check(ended(draft))
    assert 1 < len(joined) < 8
    long = Draft()
    d = numbers(long, "X", 2, 4)
    for number in range(100):
        long.emit("A-"[number % 3 == 0], d, d, small(number % 40))
    joined = check(ended(long))
    assert 100 / fuse.MAX_STEPS <= len(joined) <= 5


def test_small_grids_and_bytes_out_of_order_are_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    draft = Draft()
    picture = values.plain(draft, random.Random(1), "P", 4, 4)
    green = draft.view("T", picture, 4, 4, 0, 1, 1, 4)
    draft.emit("A", green, green, small(3))
    draft.emit("A", green, green, small(4))
    assert all(dispatch.fusable is None for dispatch in record(ended(draft)).dispatches)
    monkeypatch.setattr(fuse, "FUSE_FROM", 100)
    plain = Draft()
    d = numbers(plain, "I", 9, 11)
    plain.emit("A", d, d, small(3))
    assert record(ended(plain)).dispatches[0].fusable is None


def test_matrices_in_several_windows_are_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gpu(), "binding_words", 512)
    draft = Draft()
    d = values.plain(draft, random.Random(2), "I", 30, 30)
    draft.emit("A", d, d, small(3))
    draft.emit("*", d, d, d)
    assert len(check(ended(draft))) == 2


def test_turns_of_a_loop_are_joined_alike(monkeypatch: pytest.MonkeyPatch) -> None:
    draft = Draft()
    d, e = numbers(draft, "I", 4, 4), numbers(draft, "I", 4, 4, 2)
    draft.emit("A", d, d, e)
    draft.emit("*", e, d, small(3))
    draft.emit("-", d, e, d)
    recorded = record(ended(draft))
    kit, body = recorded.kit, recorded.dispatches
    joined = fuse.join(body * 5, kit)
    assert joined == joined[:1] * 5
    # a batch that begins and ends inside a turn
    shifted = fuse.join([*body[1:], *body, *body, *body[:2]], kit)
    assert len(shifted) == 4
    assert shifted[1:3] == joined[:2]
    words, _ = recorded.run(joined[:4])
    again, _ = recorded.run([*fuse.join(body[:1], kit), *shifted, *fuse.join(body[2:], kit)])
    assert (words == again).all()
    # small ones wait for their second turn
    monkeypatch.setattr(fuse, "AT_ONCE_FROM", 1000)
    later = record(draft)
    first = fuse.join(later.dispatches * 3, later.kit)
    assert first[:3] == later.dispatches
    assert len(first) == 5
    assert (later.run(first)[0] == recorded.run(joined[:3])[0]).all()


def test_a_run_is_written_once() -> None:
    draft = Draft()
    d = numbers(draft, "I", 4, 4)
    draft.emit("A", d, d, small(1))
    draft.emit("*", d, d, small(3))
    recorded = record(ended(draft))
    first = fuse.join(recorded.dispatches, recorded.kit)
    second = fuse.join(recorded.dispatches, recorded.kit)
    assert first[0] is second[0]
    # Other numbers and shapes take the same compiled kernel.
    pipelines = len(recorded.kit.shared.pipelines)
    other = Draft()
    d = numbers(other, "I", 6, 3)
    other.emit("A", d, d, small(7))
    other.emit("*", d, d, small(-2))
    again = record(ended(other))
    fuse.join(again.dispatches, again.kit)
    assert len(again.kit.shared.pipelines) == pipelines


@pytest.mark.parametrize("kinds", ["PPP", "XXX", "III", "PXP", "TIX", "XTT"])
def test_more_lanes_than_a_workgroup_has(kinds: str) -> None:
    for rows, cols in ((70, 64), (1, 5000), (9, 601)):
        if cols % 4 and "P" in kinds:
            continue
        draft = Draft()
        widths = [cols // 4 if kind == "P" else cols for kind in kinds]
        d, a, b = (
            values.plain(draft, random.Random(n), kind, rows, wide, (-9, 260))
            for n, (kind, wide) in enumerate(zip(kinds, widths, strict=True))
        )
        draft.emit("A", d, a, b)
        draft.emit("*", b, d, a)
        draft.emit("-", d, b, small(9))
        check(ended(draft), 1)
