"""How the oracle finds the matrix that an operand byte names, views included."""

from __future__ import annotations

from fractions import Fraction

from .isa import FIRST_SMALL, KINDS, SMALL_ZERO
from .memory import Header, Memory
from .oracle_values import Fault, Ref, float_bits, wrap

#: Classes as which a class may be seen.
SEEN = {"I": "IXP", "X": "IXP", "P": "IXPT", "T": "TIXP", "Q": "Q"}


def header_of(memory: Memory, number: int, byte: int) -> Header:
    """The header that an operand byte names; fault N outside the table."""
    if byte >= FIRST_SMALL or byte >= memory.table_len:
        raise Fault("N", number)
    return memory.header(byte)


def source(memory: Memory, number: int, byte: int) -> Ref:
    """A source operand: a small integer or a matrix; faults N and V."""
    if byte >= FIRST_SMALL:
        return Ref(number, "I", 1, 1, small=byte - SMALL_ZERO)
    return matrix(memory, number, byte)


def matrix(memory: Memory, number: int, byte: int) -> Ref:
    """An operand that must be a matrix; faults N and V."""
    header = header_of(memory, number, byte)
    if header.kind == "V":
        return _view(memory, number, header)
    return plane(memory, number, header, header.kind)


def plane(memory: Memory, number: int, header: Header, seen: str) -> Ref:
    """All of a matrix that is no view, seen as a class that its own allows."""
    kind, rows, cols = header.kind, header.rows, header.cols
    words_a_row = -(-cols // 4) if kind in "TQ" else cols
    bytewise = seen in "TQ"
    if seen == "T" and kind == "P":
        cols = 4 * cols
    elif kind == "T" and seen != "T":
        cols = words_a_row
    scale = float_bits(header.w4) if kind == "Q" else Fraction(1)
    offset = float_bits(header.w5) if kind == "Q" else Fraction(0)
    unit = 4 if bytewise else 1
    return Ref(
        number,
        seen,
        rows,
        cols,
        row=header.row,
        bytewise=bytewise,
        start=memory.data_addr(header.row) * unit,
        down=words_a_row * unit,
        leaf=0 if kind == "Q" else header.w4,
        scale=scale or Fraction(0),
        offset=offset or Fraction(0),
        finite=scale is not None and offset is not None,
    )


def _view(memory: Memory, number: int, header: Header) -> Ref:
    """What a view shows; fault V where its matrix does not have it."""
    entry = header.capacity_px
    if entry >= memory.table_len:
        raise Fault("V", number)
    base = memory.header(entry)
    seen = header.seen
    if not seen or base.kind not in SEEN or seen not in SEEN[base.kind]:
        raise Fault("V", number)
    whole = plane(memory, number, base, seen)
    first_row, first_col, row_step, col_step = (
        wrap(word) for word in (header.w4, header.w5, header.w6, header.w7)
    )
    if not inside(first_row, row_step, header.rows, first_col, col_step, header.cols, whole):
        raise Fault("V", number)
    return Ref(
        number,
        seen,
        header.rows,
        header.cols,
        row=base.row,
        view=True,
        bytewise=whole.bytewise,
        start=whole.start + first_row * whole.down + first_col,
        down=row_step * whole.down,
        right=col_step,
        scale=whole.scale,
        offset=whole.offset,
        finite=whole.finite,
    )


def inside(
    row: int, row_step: int, rows: int, col: int, col_step: int, cols: int, whole: Ref
) -> bool:
    """Whether all elements of a rectangle lie in a matrix, each once; an empty one always does."""
    if rows == 0 or cols == 0:
        return True
    if (row_step == 0 and rows > 1) or (col_step == 0 and cols > 1):
        return False
    return (
        0 <= row < whole.rows
        and 0 <= row + (rows - 1) * row_step < whole.rows
        and 0 <= col < whole.cols
        and 0 <= col + (cols - 1) * col_step < whole.cols
    )


def class_of(code: int) -> str:
    """The class with an ASCII code, "" if there is none."""
    letter = chr(code) if 0 < code < 128 else ""
    return letter if letter in KINDS and letter != "V" else ""
