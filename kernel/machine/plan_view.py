"""What the instruction View writes into a header: a window onto a part of a matrix."""

from __future__ import annotations

from collections.abc import Sequence

from .plan_resolve import inside, seen_geometry, signed
from .plan_types import Fault, Matrix

_CLASSES = frozenset("IXTPQ")
_SHORTEST, _LONGEST = 4, 7


def number_count_fits(count: int) -> bool:
    """Whether s has a legal number of elements."""
    return _SHORTEST <= count <= _LONGEST


def _extent(start: int, step: int, limit: int) -> int:
    """How many positions from ``start`` by ``step`` reach the edge in the step's direction."""
    return max(0, -(-(limit - start) // step) if step > 0 else start // -step + 1)


def view_words(
    a: Matrix, base: tuple[str, int, int], a_header: Sequence[int] | None, s: Sequence[int]
) -> tuple[int, ...] | Fault:
    """The 8 header words of a view of ``a`` by the numbers ``s`` (4 to 7 of them).

    ``a`` is the resolved operand; ``base`` the kind, rows and columns in the header of the matrix
    whose memory it is; ``a_header`` the header words of a if a is itself a view.  Word 3 is that
    matrix's entry, ``a.entry``.  The words are unsigned, taken modulo 2^32.
    """
    row, col, rows, cols = s[:4]
    row_step, col_step = (*s[4:6], *(1, 1)[len(s[4:6]) :])
    code = s[6] if len(s) == _LONGEST else 0
    seen = chr(code) if 0 < code < 128 else ""
    if code and seen not in _CLASSES:
        return Fault("K", 2)
    seen = seen or a.cls
    limits: tuple[int, int]
    if a_header is not None:
        if seen != a.cls:
            return Fault("K", 2)
        limits = (a.rows, a.cols)
    else:
        geometry = seen_geometry(base[0], base[1], base[2], seen)
        if geometry is None:
            return Fault("K", 2)
        limits = geometry[:2]
    if not row_step or not col_step or rows < -1 or cols < -1:
        return Fault("S")
    rows = _extent(row, row_step, limits[0]) if rows == -1 else rows
    cols = _extent(col, col_step, limits[1]) if cols == -1 else cols
    if rows > 0x7FFFFFFF or cols > 0x7FFFFFFF:
        return Fault("S")
    if (
        rows
        and cols
        and not (inside(row, row_step, rows, limits[0]) and inside(col, col_step, cols, limits[1]))
    ):
        return Fault("V", 1)
    if a_header is not None:
        first_row, first_col, rows_by, cols_by = (signed(word) for word in a_header[4:8])
        row, col = first_row + row * rows_by, first_col + col * cols_by
        row_step, col_step = row_step * rows_by, col_step * cols_by
    words = (ord("V") | ord(seen) << 8, rows, cols, a.entry, row, col, row_step, col_step)
    return tuple(word & 0xFFFFFFFF for word in words)
