"""Where a result goes: the destination's new shape, its growth, and what overlaps it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from .isa import Op
from .memory import HEADER_PX, SYS, SYS_ROW, Memory, rows_for, words_for
from .plan_resolve import Resolver
from .plan_shapes import MAX_DIMENSION, Shape, fits, fuel_for
from .plan_types import APART, OVERLAPS, SAME, Fault, Matrix, Plan, Strided

#: A matrix of more words than this doubles its capacity when it must grow.
DOUBLING_WORDS = 64

#: Stop details are one word.
MAX_DETAIL = 0xFFFF_FFFF


def lies(x: Strided, d: Strided) -> int:
    """How an input lies to the destination: APART, OVERLAPS or SAME."""
    low, high = x.span()
    d_low, d_high = d.span()
    if high <= d_low or d_high <= low:
        return APART
    same = (x.cls, x.unit, x.offset, x.rows, x.cols, x.row_step, x.col_step) == (
        d.cls,
        d.unit,
        d.offset,
        d.rows,
        d.cols,
        d.row_step,
        d.col_step,
    )
    return SAME if same else OVERLAPS


def _no_work(_: Shape) -> int:
    return 0


class Placer:
    """Decides where results go in one memory; writes nothing itself."""

    def __init__(self, memory: Memory, resolver: Resolver) -> None:
        self._memory = memory
        self._resolver = resolver

    def place(
        self,
        op: Op,
        target: Matrix,
        d: Strided,
        shape: Shape,
        pixel: bool,
        entries: frozenset[int],
        *,
        inputs: tuple[Strided, ...] = (),
        literal: int = 0,
        constants: tuple[int, ...] | None = None,
        room: int = 0,
        appends: bool = False,
        work: Callable[[Shape], int] = _no_work,
    ) -> Plan | Fault:
        """The plan of an instruction whose result has ``shape`` in the units of the mode.

        ``d`` is the destination as it stands, ``room`` the elements that it must have room for if
        they are more than the result's, ``appends`` that only rows under a are new, ``work`` the
        instruction's work from the shape that is written.  Faults S and M.
        """
        if op.keeps_shape or target.fixed:
            if not op.keeps_shape and not fits(shape, (d.rows, d.cols)):
                return Fault("S")
            return Plan(
                op,
                pixel,
                d,
                inputs,
                literal,
                fuel_for(work((d.rows, d.cols))),
                shape,
                tuple(lies(x, d) for x in inputs),
                entries=entries,
                constants=constants,
            )
        rows, cols = shape
        if target.cls == "P" and not pixel:
            if cols % 4:
                return Fault("S")
            cols //= 4
            room = -(-room // 4)
        if rows > MAX_DIMENSION or cols > MAX_DIMENSION:
            return Fault("S")
        need = max(words_for(target.cls, rows, cols), words_for(target.cls, 1, room))
        header: tuple[tuple[int, int], ...] = ()
        moved: tuple[int, int] | None = None
        reshaped = -1
        data = target.offset
        row = target.row
        if need > target.capacity:
            grown = self._grow(target, rows, cols, need)
            if isinstance(grown, Fault):
                return grown
            row, header = grown
            moved, reshaped = (target.row, row), target.row
            data = self._memory.data_addr(row) * (1 if target.cls in "IXP" else 4)
        elif (rows, cols) != (target.rows, target.cols):
            at = target.row * self._memory.width
            header = ((at + 1, rows), (at + 2, cols))
            reshaped = target.row
        written = _rectangle(target, d, data, shape, row)
        counted = shape
        if appends and moved is None:
            tail = _appended(written, inputs)
            if tail is not None:
                written, inputs = tail
                counted = (written.rows, written.cols)
        return Plan(
            op,
            pixel,
            written,
            inputs,
            literal,
            fuel_for(work(counted)),
            shape,
            tuple(lies(x, written) for x in inputs),
            header,
            moved,
            reshaped,
            entries=entries,
            constants=constants,
            once=moved is not None,
        )

    def _grow(
        self, target: Matrix, rows: int, cols: int, need: int
    ) -> tuple[int, tuple[tuple[int, int], ...]] | Fault:
        """The new header row, and the words that move the matrix there; or fault M."""
        memory = self._memory
        width, top = memory.width, memory.top
        free = memory.quota_rows - top
        wanted = need if target.capacity <= DOUBLING_WORDS else max(need, 2 * target.capacity)
        count = rows_for(wanted, width)
        if count > free:
            count = rows_for(need, width)
        if count > free:
            return Fault("M", min(count, MAX_DETAIL))
        old = target.row * width
        at = top * width
        words = memory.words[old : old + HEADER_PX].tolist()
        words[1:4] = rows, cols, count * width - HEADER_PX
        table = self._resolver.table_addr
        return top, (
            *((at + n, value) for n, value in enumerate(words)),
            *((table + entry, top) for entry in self._resolver.entries_at(target.row)),
            (SYS_ROW * width + HEADER_PX + SYS["top"], top + count),
        )


def _rectangle(target: Matrix, d: Strided, data: int, shape: Shape, row: int) -> Strided:
    """An ordinary destination with its data at ``data`` (in its own units) and a new shape."""
    rows, cols = shape
    if target.cls == "T":
        return Strided("T", rows, cols, 1, data, 4 * -(-cols // 4), 1, row, target.leaf)
    if d.unit == 1:
        return Strided("P", rows, cols, 1, 4 * data, cols, 1, row, target.leaf)
    return Strided(target.cls, rows, cols, 4, data, cols, 1, row, target.leaf)


def _appended(
    written: Strided, inputs: tuple[Strided, ...]
) -> tuple[Strided, tuple[Strided, ...]] | None:
    """The rows under a as the destination, with nothing in place of a; None if a must stretch."""
    a, b = inputs
    if (a.rows or a.cols) and a.cols != written.cols and (b.rows or b.cols):
        return None
    first = a.rows if a.rows or a.cols else 0
    tail = Strided(
        written.cls,
        written.rows - first,
        written.cols,
        written.unit,
        written.offset + first * written.row_step,
        written.row_step,
        1,
        written.row,
        written.leaf,
    )
    nothing = Strided(a.cls, 0, 0, a.unit, a.offset, 0, 1, a.row)
    if b.cols == 1 != written.cols:
        b = replace(b, cols=written.cols, col_step=0)
    return tail, (nothing, b)
