"""Loops that point entries at matrices in turn are the oracle's, whatever is kept of them."""

from __future__ import annotations

import random
from collections.abc import Callable

import numpy as np
import pytest

from pxos.kernel.machine.cpu.executor import CpuExecutor
from pxos.kernel.machine.cpu.names import Names, Scene
from pxos.kernel.machine.memory import Memory
from pxos.kernel.machine.oracle import Oracle
from pxos.kernel.machine.ports import NoPorts
from tests.conformance.building import Draft

from .test_translate import run_sliced, small

TURNS, ARRAY = 60, 4


def layered(seed: int) -> Memory:
    """A loop as a network has it: matrices named in turn, views of them, work that rests on one or
    on two of them, and now and then a shape, a view or a number that changes."""
    rng = random.Random(seed)
    draft = Draft(table_spare=2, spare_rows=200)
    counter, index, other, odd = (draft.integers(1, 1, [n]) for n in (TURNS, 0, 0, 0))
    total = draft.integers(1, 4, [0] * 4)
    line = draft.integers(1, 4, [1, 2, 3, 4])
    shapes = draft.integers(1, 2, [1, 4])
    rect = draft.integers(1, 4, [0, 0, 1, 4])
    kind = rng.choice("IX")
    arrays = [
        draft.integers(1, 4, [rng.randrange(-99, 99) for _ in range(4)], kind)
        for _ in range(2 * ARRAY)
    ]
    first, second = arrays[0], arrays[ARRAY]
    view = second + ARRAY
    a, b = view + 1, view + 2  # the spare entries stand behind everything
    assert draft.view("", a, 1, 4) == view
    draft.emit("N", a, first, small(0))
    draft.emit("N", b, second, small(0))
    draft.emit("V", view, a, rect)
    work = [
        ("A", a, a, line),
        ("A", line, a, small(1)),
        ("+", 0, 0, 0),
        ("*", total, a, b),
        ("A", total, total, view),
        ("-", b, a, line),
        ("A", view, view, small(1)),
        ("R", line, line, b),
        ("F", odd, view, ord("A")),
        ("A", first + 1, first + 1, small(1)),
    ]
    grows = [
        ("r", first + 2, first + 2, shapes),
        ("V", view, a, rect),
        ("P", shapes, odd, small(0)),
        ("N", a, second, other),
    ]
    loop = draft.emit("%", index, counter, small(rng.choice((2, 3, ARRAY))))
    draft.emit("N", a, first, index)
    for char, *operands in rng.choices(work, k=rng.randint(3, 9)):
        if char == "+":
            draft.emit("%", other, counter, small(3))
            draft.emit("N", b, second, other)
        else:
            draft.emit(char, *operands)
    # Once in a while, something that the scenes rest on changes.
    draft.emit("%", odd, counter, small(rng.choice((7, 11, 46))))
    skip = draft.emit("B", odd, 0, 0)
    for char, *operands in rng.choices(grows, k=rng.randint(0, 2)):
        draft.emit(char, *operands)
    end = draft.emit("-", counter, counter, small(1))
    draft.code[skip] = ord("B") | odd << 8 | end << 16
    draft.emit("B", counter, loop, 0)
    draft.emit("N", a, first, small(40 if rng.random() < 0.2 else 1))
    draft.emit("H", small(0))
    return draft.memory()


@pytest.mark.parametrize("first", range(0, 200, 50))
@pytest.mark.usefixtures("at_once")
def test_loops_with_names_are_the_oracles(first: int) -> None:
    for seed in range(first, first + 50):
        ours, theirs = layered(seed), layered(seed)
        expected = Oracle(theirs, NoPorts()).run(10**9)
        got = run_sliced(
            CpuExecutor(ours, NoPorts()), random.Random(seed), 10**6 if seed % 3 else 9
        )
        assert got == expected, seed
        differ = np.flatnonzero(ours.words != theirs.words)
        assert not differ.size, f"seed {seed}: words {differ[:8]} differ at {expected}"


def close(draft: Draft, counter: int, loop: int) -> Memory:
    """The end of a loop that counts down, and of the program."""
    draft.emit("-", counter, counter, small(1))
    draft.emit("B", counter, loop, 0)
    draft.emit("H", small(0))
    return draft.memory()


def view_named_over_a_base_that_is_named() -> Memory:
    """A name for a view of what another entry names: both are pointed elsewhere."""
    draft = Draft(table_spare=2)
    counter, index, slower = (draft.integers(1, 1, [n]) for n in (20, 0, 0))
    total, line, other, _ = (draft.integers(1, 4, [n] * 4) for n in (0, 1, 5, 9))
    name = other + 3
    base = name + 1
    draft.view("I", base, 1, 4)  # beside ``_``, named in turn with it
    draft.emit("N", base, line, small(0))
    draft.emit("N", name, other + 1, small(0))
    loop = draft.emit("%", index, counter, small(2))
    draft.emit("/", slower, counter, small(2))
    draft.emit("%", slower, slower, small(2))
    draft.emit("N", base, line, slower)
    draft.emit("N", name, other + 1, index)
    draft.emit("A", total, total, name)
    draft.emit("*", total, total, small(3))
    return close(draft, counter, loop)


def view_that_is_no_view_any_more() -> Memory:
    """What was a view of a named entry is named elsewhere, while that is elsewhere, too."""
    draft = Draft(table_spare=2)
    counter, index, slower = (draft.integers(1, 1, [n]) for n in (40, 0, 0))
    total, line, _, plain = (draft.integers(1, 4, [n] * 4) for n in (0, 1, 5, 7))
    name = plain + 2
    base = name + 1
    draft.view("I", base, 1, 4)
    draft.emit("N", base, line, small(0))
    draft.emit("N", name, plain, small(0))
    loop = draft.emit("%", index, counter, small(2))
    draft.emit("/", slower, counter, small(4))
    draft.emit("%", slower, slower, small(2))
    draft.emit("N", name, plain, slower)
    draft.emit("N", base, line, index)
    draft.emit("A", total, total, name)
    draft.emit("A", total, total, base)
    return close(draft, counter, loop)


def view_made_between_two_names() -> Memory:
    """A view comes to rest on a named entry that next names a scalar of the region."""
    draft = Draft(table_spare=1)
    counter, index, odd, scalar, _, far = (draft.integers(1, 1, [n]) for n in (60, 0, 0, 0, 9, 5))
    total, rect = draft.integers(1, 4, [0] * 4), draft.integers(1, 4, [0, 0, 1, 1])
    view = draft.view("I", far, 1, 1)
    name = view + 1
    draft.emit("N", name, scalar, small(0))
    loop = draft.emit("%", index, counter, small(2))
    draft.emit("N", name, scalar, index)
    draft.emit("A", scalar, scalar, small(1))
    draft.emit("A", total, total, view)
    draft.emit("=", odd, counter, small(31))
    skip = draft.emit("b", odd, 0, 0)
    draft.emit("V", view, name, rect)
    draft.code[skip] |= len(draft.code) << 16
    return close(draft, counter, loop)


def index_in_sys() -> Memory:
    """Name counts by the program counter, which memory does not know while the code runs."""
    draft = Draft(table_spare=1)
    counter, total, first, *_ = (draft.integers(1, 1, [n]) for n in (40, 0, *range(9, 20)))
    pc = draft.view("I", 0, 1, 1)
    name = pc + 1
    draft.emit("N", name, first, small(0))
    loop = draft.emit("N", name, first, pc)
    draft.emit("A", total, total, name)
    draft.emit("N", name, first, pc)
    draft.emit("*", total, total, name)
    return close(draft, counter, loop)


@pytest.mark.parametrize(
    "make",
    [
        view_named_over_a_base_that_is_named,
        view_that_is_no_view_any_more,
        view_made_between_two_names,
        index_in_sys,
    ],
)
@pytest.mark.usefixtures("at_once")
def test_what_a_scene_must_not_keep(make: Callable[[], Memory]) -> None:
    ours, theirs = make(), make()
    assert CpuExecutor(ours, NoPorts()).run(10**9) == Oracle(theirs, NoPorts()).run(10**9)
    differ = np.flatnonzero(ours.words != theirs.words)
    assert not differ.size, f"words {differ[:8]} differ"


@pytest.mark.usefixtures("at_once")
def test_scenes_are_used(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without this the test above would say nothing: most namings are done between scenes."""
    went = Names._go
    count = 0

    def counting(self: Names, entry: int, scene: Scene) -> None:
        nonlocal count
        count += 1
        went(self, entry, scene)

    monkeypatch.setattr(Names, "_go", counting)
    found = []
    for seed in range(30):
        count = 0
        CpuExecutor(layered(seed), NoPorts()).run(10**9)
        found.append(count)
    assert sum(times > TURNS // 3 for times in found) > 10, found
