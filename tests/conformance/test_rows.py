"""Every row of the table, one instruction at a time, on every executor."""

from __future__ import annotations

import random
from collections import Counter

import pytest

from pxos.kernel.machine.isa import BY_CODE, ROWS, Op

from .compare import check, run
from .executors import FACTORIES, REFERENCE, in_turn
from .single import LARGE, SMALL, TALL, WIDE, Sizes, describe, draw_kinds, single

QUICK, QUICK_LARGE, LONG, LONG_LARGE = 60, 3, 1500, 60
BIG = {"large": LARGE, "tall": TALL, "wide": WIDE}
ELEMENT_ROWS = [op for op in ROWS if op.family not in ("control", "table", "ports")]


def name_of(op: Op) -> str:
    return op.name.replace(" ", "-")


def compare_row(op: Op, sizes: Sizes, first: int, count: int) -> Counter[str]:
    """Random operands of random kinds; how often each reason stopped the instruction itself."""
    reasons: Counter[str] = Counter()
    for number in range(first, first + count):
        seed = f"{op.char} {number} up to {max(sizes.rows)}x{max(sizes.cols)}"
        chooser = random.Random(seed)
        kinds = draw_kinds(chooser, op)
        draft = single(op, chooser, kinds, sizes)
        what = f"seed {seed!r}, kinds {kinds}\n{describe(draft)}\n"
        outcome = check(draft, number, what, in_turn(number))
        stop = outcome.stops[-1]
        if stop.pc == 0 and stop.reason not in "HBW":
            assert stop.reason in op.faults, f"{stop} is no fault of {op.name}; seed {seed!r}"
        reasons[stop.reason if stop.pc == 0 else "done"] += 1
    return reasons


@pytest.mark.parametrize("op", ROWS, ids=name_of)
def test_row(op: Op) -> None:
    reasons = compare_row(op, SMALL, 0, QUICK)
    if op.char not in "HJ()]":
        assert reasons["done"] >= QUICK // 20, f"too few get done: {reasons}"


@pytest.mark.parametrize("op", ELEMENT_ROWS, ids=name_of)
def test_row_large(op: Op) -> None:
    for sizes in BIG.values():
        compare_row(op, sizes, 0, QUICK_LARGE)


@pytest.mark.slow
@pytest.mark.parametrize("op", ROWS, ids=name_of)
def test_row_long(op: Op) -> None:
    compare_row(op, SMALL, 10_000, LONG)


@pytest.mark.slow
@pytest.mark.parametrize("sizes", BIG.values(), ids=BIG)
@pytest.mark.parametrize("op", ELEMENT_ROWS, ids=name_of)
def test_row_large_long(op: Op, sizes: Sizes) -> None:
    compare_row(op, sizes, 10_000, LONG_LARGE)


@pytest.mark.parametrize("op", ROWS, ids=name_of)
def test_every_fault_of_the_row(op: Op) -> None:
    """Each fault letter of the row can be provoked, and all executors agree on it."""
    missing = set(op.faults)
    for number in range(4000):
        if not missing:
            return
        wanted = sorted(missing)[number % len(missing)]
        seed = f"fault {op.char} {number}"
        chooser = random.Random(seed)
        draft = single(op, chooser, draw_kinds(chooser, op))
        draft.fuel = 3000
        places = [
            n for n, name in enumerate(op.operands) if name[0] != "'" and name not in ("n16", "n24")
        ]
        if places and wanted in "NV":
            entry = 190 if wanted == "N" else draft.view("", 0, 0, 0)
            shift = 8 + 8 * chooser.choice(places)
            draft.code[0] = draft.code[0] & ~(0xFF << shift) | entry << shift
        if wanted == "M":
            draft.spare_rows, draft.tight = 0, True
        stop = run(FACTORIES[REFERENCE], draft, number).stops[-1]
        if stop.reason == wanted and (stop.pc == 0 or wanted == "J"):
            check(draft, number, f"seed {seed!r}\n{describe(draft)}\n", in_turn(number))
            missing.discard(wanted)
    pytest.fail(f"never provoked: {sorted(missing)}")


def test_unknown_opcodes() -> None:
    for code in range(256):
        if code not in BY_CODE:
            draft = single(ROWS[0], random.Random(code), {"n": "I"})
            draft.code[0] = code | random.Random(code).getrandbits(24) << 8
            stop = check(draft, 0, f"opcode {code}").stops[-1]
            assert (stop.reason, stop.pc, stop.detail) == ("?", 0, 0)
