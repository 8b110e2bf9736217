"""Random programs: whole, in slices, and handed from executor to executor."""

from __future__ import annotations

import pytest

from pxos.kernel.machine.memory import SYS

from .building import WIDTH
from .compare import Outcome, TakingTurns, check, random_slices, run
from .executors import FACTORIES, OTHERS
from .programs import program
from .single import describe

QUICK, LONG = 100, 100_000
BATCH = 1000


def compare_programs(first: int, count: int) -> int:
    """Compare programs by their number; the instructions that they completed."""
    completed = 0
    for number in range(first, first + count):
        draft = program(str(number))
        what = f"program {number}\n{describe(draft)}\n"
        expected = check(draft, number, what)
        completed += done(expected)
        for name in (*OTHERS, "taking turns"):
            factory = TakingTurns if name == "taking turns" else FACTORIES[name]
            outcome = run(factory, draft, number, random_slices(number))
            found = expected.differs(outcome)
            assert not found, f"{what}: {name} in slices differs: " + "; ".join(found)
    return completed


def done(outcome: Outcome) -> int:
    """Instructions that a run completed."""
    return int(outcome.words[WIDTH + 8 + SYS["done_lo"]])


def test_random_programs() -> None:
    assert compare_programs(0, QUICK) > 20 * QUICK


@pytest.mark.slow
@pytest.mark.parametrize("first", range(10_000, 10_000 + LONG, BATCH))
def test_random_programs_long(first: int) -> None:
    compare_programs(first, BATCH)
