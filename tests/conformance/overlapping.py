"""Programs of one instruction whose operands are views of one matrix, at any offset to each other.

Inputs are read before the output is written, whatever overlaps: an executor that works in place,
or on many elements at once, has to copy an input first, or to know that it need not.
"""

from __future__ import annotations

import random

from pxos.kernel.machine.isa import Op, small_operand
from pxos.kernel.machine.oracle import Oracle
from pxos.kernel.machine.ports import NoPorts

from . import values
from .building import NO_LIMIT, Draft
from .single import SMALL, Sizes, Want, draw_kinds, emit, operand, wants

#: Pixels of the matrix that all look at; as bytes four times as many columns.
ROWS, COLS = 14, 24
SIZES = Sizes((1, 1, 2, 3, 5), (1, 3, 4, 4, 8, 11), (4, 4, 8, 12), SMALL.index, SMALL.fuel)
#: How often an operand is the matrix itself, and how often it is another one.
WHOLE, APART = 0.12, 0.15
TRIES = 12


def overlapping(op: Op, chooser: random.Random) -> Draft:
    """One instruction whose operands mostly share memory, then a halt.

    Of some tries the first whose shapes and kinds fit, so that mostly something is done.
    """
    for _ in range(TRIES):
        draft = _candidate(op, chooser)
        if Oracle(draft.memory(), NoPorts()).run(NO_LIMIT).reason in "H/":
            break
    return draft


def _candidate(op: Op, chooser: random.Random) -> Draft:
    draft = Draft(spare_rows=chooser.choice((200, 200, 1)), fuel=SIZES.fuel)
    kind = chooser.choice("PPIXT")
    cols = 4 * COLS if kind == "T" else COLS
    limits = chooser.choice((None, (-2, 40), (1, 9)))
    base = values.plain(draft, chooser, kind, ROWS, cols, limits)
    near = chooser.randrange(5), chooser.randrange(5)
    kinds = {name: chooser.choice(_seen(kind)) for name in draw_kinds(chooser, op)}
    if op.pixel and chooser.random() < 0.5 and "P" in _seen(kind):
        kinds = {name: chooser.choice("PI" if name != "d" else "P") for name in kinds}
    pixel = op.pixel and kinds["d"] == "P"
    pictures = "P" in kinds.values()
    entries: dict[str, int] = {}
    for name, want in wants(op, chooser, pixel, pictures, SIZES).items():
        roll = chooser.random()
        if roll < WHOLE:
            entries[name] = base
        elif roll < WHOLE + APART and name != "d":
            entries[name] = operand(draft, chooser, name, kinds[name], want, pixel, entries)
        else:
            by_word = kinds[name] == "P" and not (pixel and name in "dab")
            part = Want(want.rows, -(-want.cols // 4)) if by_word else want
            entries[name] = _view(draft, chooser, base, kind, kinds[name], part, near)
    emit(draft, op, chooser, entries)
    draft.emit("H", small_operand(7) or 0)
    return draft


def _seen(kind: str) -> str:
    """The classes that a matrix of this kind can be seen as."""
    return "IXTP" if kind in "PT" else "IXP"


def _view(
    draft: Draft,
    chooser: random.Random,
    base: int,
    kind: str,
    seen: str,
    want: Want,
    near: tuple[int, int],
) -> int:
    """A view of the base with the wanted shape, not far from ``near``; its entry."""
    wide = COLS * 4 if seen == "T" else COLS
    row, row_step = _stretch(chooser, want.rows, ROWS, near[0])
    col, col_step = _stretch(chooser, want.cols, wide, near[1])
    if seen == "P" and chooser.random() < 0.8:
        col, col_step = min(near[1], wide - want.cols), 1
    return draft.view(seen, base, want.rows, want.cols, row, col, row_step, col_step)


def _stretch(chooser: random.Random, count: int, length: int, near: int) -> tuple[int, int]:
    """First position and step of ``count`` positions in ``length``, the least about ``near``."""
    step = chooser.choice((1, 1, 1, 2, -1, -2))
    reach = abs(step) * max(count - 1, 0)
    if reach >= length:
        step, reach = 1, max(count - 1, 0)
    low = max(0, min(near + chooser.choice((0, 0, 1, 2, 4)), length - 1 - reach))
    return (low if step > 0 else low + reach), step
