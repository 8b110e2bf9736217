"""Loops that point entries at matrices in turn are the oracle's, whatever is kept of them."""

from __future__ import annotations

import random

import numpy as np
import pytest

from pxos.kernel.machine.cpu import translate
from pxos.kernel.machine.cpu.executor import CpuExecutor
from pxos.kernel.machine.cpu.names import Names, Scene
from pxos.kernel.machine.isa import SMALL_ZERO
from pxos.kernel.machine.memory import Memory
from pxos.kernel.machine.oracle import Oracle
from pxos.kernel.machine.ports import NoPorts
from tests.conformance.building import Draft

from .test_translate import run_sliced

TURNS, ARRAY = 60, 4


def small(value: int) -> int:
    return SMALL_ZERO + value


@pytest.fixture
def at_once(monkeypatch):
    """Translate everything at its first arrival."""
    monkeypatch.setattr(translate, "HOT", 1)
    monkeypatch.setattr(translate, "HOT_CALLS", 1)


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
