"""Operands that share memory: every row of the table on views of one matrix."""

from __future__ import annotations

import random

import pytest

from pxos.kernel.machine.isa import Op

from .compare import check
from .executors import in_turn
from .overlapping import overlapping
from .single import describe
from .test_rows import ELEMENT_ROWS, name_of

QUICK, LONG = 20, 1000


def compare_overlaps(op: Op, first: int, count: int) -> int:
    """Compare programs by their number; how many completed their instruction."""
    completed = 0
    for number in range(first, first + count):
        seed = f"overlap {op.char} {number}"
        draft = overlapping(op, random.Random(seed))
        outcome = check(draft, number, f"seed {seed!r}\n{describe(draft)}\n", in_turn(number))
        completed += outcome.stops[-1].pc == 1
    return completed


@pytest.mark.parametrize("op", ELEMENT_ROWS, ids=name_of)
def test_overlapping_operands(op: Op) -> None:
    assert compare_overlaps(op, 0, QUICK) >= QUICK // 4


@pytest.mark.slow
@pytest.mark.parametrize("op", ELEMENT_ROWS, ids=name_of)
def test_overlapping_operands_long(op: Op) -> None:
    compare_overlaps(op, 10_000, LONG)
