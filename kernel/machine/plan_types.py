"""The vocabulary of plans: matrices as operands, strided rectangles, faults, plans.

Nothing here holds elements.  A plan says where an instruction reads, where it writes, which
headers change and what it costs; filling the elements is left to an executor.  None of these is
ever changed once it is made; they are not frozen because they are made at every other instruction.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import NamedTuple

from .isa import Op
from .memory import SYS_ROW

#: Classes whose elements are words; the others are bytes, each row starting at a word.
WORD_CLASSES = frozenset("IXP")

#: How an input lies to the destination: apart, sharing memory, or the very same elements.
APART, OVERLAPS, SAME = 0, 1, 2


class Fault(NamedTuple):
    """An instruction cannot be done: a reason of ``fault.REASONS`` and its detail."""

    reason: str
    detail: int = 0


@dataclass(slots=True, eq=False)
class Strided:
    """A rectangle of memory in the units of the instruction's mode.

    ``unit``: bytes of an element, 4 or 1.  ``offset`` from the start of memory, ``row_step`` and
    ``col_step``, all in units.  ``cls``: class that decides how an element is read or finished.
    ``row`` is -1 for a small integer, whose ``value`` stands for the memory it has not.
    """

    cls: str
    rows: int
    cols: int
    unit: int
    offset: int
    row_step: int
    col_step: int
    row: int
    leaf: int = 0
    scale_bits: int = 0
    offset_bits: int = 0
    value: int = 0

    @property
    def count(self) -> int:
        """Number of elements."""
        return self.rows * self.cols

    def span(self) -> tuple[int, int]:
        """First byte and the byte behind the last that any element touches; (0, 0) if none do."""
        if self.row < 0 or not self.rows or not self.cols:
            return (0, 0)
        down, right = (self.rows - 1) * self.row_step, (self.cols - 1) * self.col_step
        low = self.offset + min(down, 0) + min(right, 0)
        high = self.offset + max(down, 0) + max(right, 0) + 1
        return (low * self.unit, high * self.unit)


@dataclass(slots=True, eq=False)
class Matrix:
    """What an operand byte means now: an ordinary matrix, a view, or a small integer.

    ``cls``: class (of what a view shows).  ``rows``, ``cols``: own units (a P: pixels).
    ``row``: header row of the matrix whose memory this is (a view: its base); -1: small integer.
    ``entry``: table entry of that matrix.  ``offset``, ``row_step``, ``col_step``: of the elements,
    in words for ``I X P`` and in bytes for ``T Q``; the offset counts from the start of memory.
    ``capacity``: words behind the header (0 for views and small integers).
    ``fixed``: keeps its shape as a destination.  ``writable``: may be a destination at all.
    ``value``: of a small integer.  ``values``, ``pixels``: its elements as values (a P: its bytes;
    None if a P cannot be taken so) and as whole words.  Equality is identity: the resolver hands
    out the same object as long as, and whenever again, the header and the base's header read the
    same.
    """

    cls: str
    rows: int
    cols: int
    row: int
    entry: int
    offset: int
    row_step: int
    col_step: int
    capacity: int = 0
    leaf: int = 0
    scale_bits: int = 0
    offset_bits: int = 0
    fixed: bool = False
    writable: bool = False
    value: int = 0
    values: Strided | None = field(init=False, repr=False)
    pixels: Strided = field(init=False, repr=False)

    def __post_init__(self) -> None:
        cls, rows, cols, row, leaf = self.cls, self.rows, self.cols, self.row, self.leaf
        offset, row_step, col_step = self.offset, self.row_step, self.col_step
        self.pixels = Strided(
            cls, rows, cols, 4, offset, row_step, col_step, row, leaf, value=self.value
        )
        if cls != "P":
            self.values = Strided(
                cls,
                rows,
                cols,
                4 if cls in WORD_CLASSES else 1,
                offset,
                row_step,
                col_step,
                row,
                leaf,
                self.scale_bits,
                self.offset_bits,
                self.value,
            )
        elif col_step == 1:
            self.values = Strided("P", rows, 4 * cols, 1, 4 * offset, 4 * row_step, 1, row, leaf)
        else:
            self.values = None

    @property
    def message(self) -> Strided:
        """Its elements as a port takes them: a P by whole pixels."""
        if self.cls == "P":
            return self.pixels
        assert self.values is not None
        return self.values

    @property
    def is_small(self) -> bool:
        """Whether this is a small integer, which has no memory."""
        return self.row < 0


@dataclass(slots=True, eq=False)
class Plan:
    """All that an instruction does besides filling elements.

    ``pixel``: pixel mode.  ``d``: what is filled (None: nothing).  ``inputs``: the operands after
    d, literals left out.  ``literal``: byte of ``'o`` or ``'w``, else 0.  ``lies``: for each input
    APART, OVERLAPS or SAME.  ``fuel``: what the instruction costs.
    ``shape``: rows and columns of the result in the units of the mode, before it is broadcast.
    ``header``: words to write once the elements are filled, as (word address, value): headers,
    table entries and SYS's ``top``, never a word of d.  ``moved``: old and new header row if d
    moved.  ``reshaped``: header row (before moving) that is written, -1 if none; every entry that
    holds it changes.  ``renamed``: table entry that Name writes, -1 if none.
    ``entries``: table entries on whose headers the plan rests.
    ``constants``: the result as row-major integers, where headers alone decide it.
    ``once``: rests on more than the planner remembers; whatever is bound to it is used once.
    ``kin``: another plan with the same rectangles; what is bound to that one fits this one too.
    """

    op: Op
    pixel: bool
    d: Strided | None
    inputs: tuple[Strided, ...]
    literal: int
    fuel: int
    shape: tuple[int, int] = (0, 0)
    lies: tuple[int, ...] = ()
    header: tuple[tuple[int, int], ...] = ()
    moved: tuple[int, int] | None = None
    reshaped: int = -1
    renamed: int = -1
    entries: frozenset[int] = frozenset()
    constants: tuple[int, ...] | None = None
    once: bool = False
    kin: Plan | None = None

    @property
    def steady(self) -> bool:
        """Whether doing it leaves every header as it is, so it can be done again as planned."""
        return not self.header

    @property
    def reads_sys(self) -> bool:
        """Whether it reads the machine's state, which must then be current in memory."""
        return any(rectangle.row == SYS_ROW for rectangle in self.inputs)
