"""Single instructions on matrices that fit, for what random programs reach too rarely."""

from __future__ import annotations

import random
from typing import NamedTuple

from pxos.kernel.machine.isa import small_operand
from tests.conformance import values
from tests.conformance.building import Draft
from tests.kernel.machine.gpu.harness import compare


class Random(NamedTuple):
    """A matrix of random elements: rows and columns in the units of the instruction's mode."""

    kind: str
    rows: int
    cols: int
    view: bool = False
    limits: tuple[int, int] | None = None
    leaf: int = 0


class Given(NamedTuple):
    """A matrix of given raw elements, row-major."""

    kind: str
    rows: int
    cols: int
    raw: list[int]


Shown = Random | Given | int


def add(draft: Draft, chooser: random.Random, operand: Shown, as_values: bool) -> int:
    """Add an operand to a draft; its operand byte.  A number is a small integer.

    ``as_values``: a picture is taken as its bytes.
    """
    if isinstance(operand, int):
        byte = small_operand(operand)
        assert byte is not None
        return byte
    kind, rows, cols = operand[:3]
    if isinstance(operand, Given):
        return draft.add(kind, rows, cols, values.words_of(kind, rows, cols, operand.raw))
    if kind == "P" and as_values:
        assert cols % 4 == 0
        cols //= 4
        if operand.view:  # its bytes must lie side by side
            base = values.plain(draft, chooser, kind, 2 * rows + 1, cols + 2, operand.limits)
            return draft.view(kind, base, rows, cols, 2 * rows, 1, -2, 1)
    if operand.view:
        return values.viewed(draft, chooser, kind, rows, cols, operand.limits)
    cells = values.raw_cells(chooser, kind, rows * cols, operand.limits)
    return draft.add(kind, rows, cols, values.words_of(kind, rows, cols, cells), w4=operand.leaf)


def run(
    char: str, d: Random, *inputs: Shown, values_only: tuple[int, ...] = (), seed: object = 0
) -> None:
    """Do one instruction and compare with the oracle; it must be done and not fault.

    Pixel mode if d is a P, where the inputs numbered in ``values_only`` are values all the same.
    """
    what = f"{char} {d} {inputs} {seed}"[:300]
    chooser = random.Random(what)
    draft = Draft(spare_rows=1 << 14)
    pixel = char in "?rT,;OtZDGgPp" and d.kind == "P"
    operands = [
        add(draft, chooser, operand, not pixel or number - 1 in values_only)
        for number, operand in enumerate((d, *inputs))
    ]
    draft.emit(char, *operands)
    draft.emit("H", small_operand(0) or 0)
    assert compare(draft, what) == "done", what


def fresh(kind: str) -> Random:
    """An ordinary destination without elements."""
    return Random(kind, 0, 0)
