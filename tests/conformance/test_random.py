"""Random programs: whole, in slices, and handed from executor to executor."""

from __future__ import annotations

import pytest

from pxos.kernel.machine.memory import SYS

from .building import WIDTH
from .compare import Outcome, TakingTurns, check, random_slices, run
from .executors import FACTORIES, in_turn
from .programs import program
from .single import describe

QUICK, QUICK_BATCH = 100, 25
LONG, BATCH = 100_000, 1000
#: Programs of a style of their own, see ``programs``: how many are quick, and instructions that
#: one of them completes at least.
STYLES = {"far": (20, 5), "divides": (40, 10), "large": (12, 5)}


def compare_programs(first: int, count: int, style: str | None = None) -> int:
    """Compare programs by their number; the instructions that they completed."""
    completed = 0
    for number in range(first, first + count):
        draft = program(f"{style or ''} {number}".strip(), style)
        what = f"program {number} of style {style}\n{describe(draft)}\n"
        names = in_turn(number)
        expected = check(draft, number, what, names)
        completed += done(expected)
        for name in (*names, "taking turns"):
            factory = TakingTurns if name == "taking turns" else FACTORIES[name]
            outcome = run(factory, draft, number, random_slices(number))
            found = expected.differs(outcome)
            assert not found, f"{what}: {name} in slices differs: " + "; ".join(found)
    return completed


def done(outcome: Outcome) -> int:
    """Instructions that a run completed."""
    return int(outcome.words[WIDTH + 8 + SYS["done_lo"]])


@pytest.mark.parametrize("first", range(0, QUICK, QUICK_BATCH))
def test_random_programs(first: int) -> None:
    assert compare_programs(first, QUICK_BATCH) > 20 * QUICK_BATCH


@pytest.mark.parametrize("style", STYLES)
def test_random_programs_of_a_style(style: str) -> None:
    count, least = STYLES[style]
    assert compare_programs(0, count, style) > least * count


@pytest.mark.slow
@pytest.mark.parametrize("first", range(10_000, 10_000 + LONG, BATCH))
def test_random_programs_long(first: int) -> None:
    compare_programs(first, BATCH)


@pytest.mark.slow
@pytest.mark.parametrize("first", range(10_000, 10_000 + LONG // 10, BATCH))
@pytest.mark.parametrize("style", STYLES)
def test_random_programs_of_a_style_long(style: str, first: int) -> None:
    compare_programs(first, BATCH * STYLES[style][0] // STYLES["divides"][0], style)
