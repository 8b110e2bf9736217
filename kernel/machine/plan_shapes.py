"""Shapes of results and the work that instructions count, from shapes and host numbers alone.

A shape is (rows, columns) in the units of the instruction's mode.  None stands for fault S.
Everything is Python integers: no size overflows here, and nothing is allocated.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from .isa import FUEL_ELEMENTS, Op
from .plan_types import Matrix, Strided

Shape = tuple[int, int]

#: Greatest number of rows or columns that a header may carry.
MAX_DIMENSION = (1 << 31) - 1

#: Items up to which Draw's work is counted in plain numbers.
_FEW = 64


def fuel_for(work: int) -> int:
    """Fuel that an instruction of so much work costs."""
    return 1 + work // FUEL_ELEMENTS


def stretch(a: int, b: int) -> int | None:
    """One dimension of two operands brought together; None if they do not go together."""
    if a == b or b == 1:
        return a
    return b if a == 1 else None


def broadcast(a: Shape, b: Shape) -> Shape | None:
    """The shape to which two operands are broadcast."""
    rows, cols = stretch(a[0], b[0]), stretch(a[1], b[1])
    return None if rows is None or cols is None else (rows, cols)


def fits(shape: Shape, into: Shape) -> bool:
    """Whether a result of ``shape`` can be broadcast into a destination that keeps its shape."""
    return shape[0] in (1, into[0]) and shape[1] in (1, into[1])


def _reshape(a: Strided, numbers: Sequence[int]) -> Shape | None:
    rows, cols = numbers
    if rows < -1 or cols < -1 or (rows == -1 and cols == -1):
        return None
    if rows == -1:
        rows = a.count // cols if cols else 0
    elif cols == -1:
        cols = a.count // rows if rows else 0
    return rows, cols


def _beside(a: Strided, b: Strided) -> Shape | None:
    if not a.rows and not a.cols:
        return b.rows, b.cols
    if not b.rows and not b.cols:
        return a.rows, a.cols
    rows = stretch(a.rows, b.rows)
    return None if rows is None else (rows, a.cols + b.cols)


def _below(a: Strided, b: Strided) -> Shape | None:
    if not a.rows and not a.cols:
        return b.rows, b.cols
    if not b.rows and not b.cols:
        return a.rows, a.cols
    cols = stretch(a.cols, b.cols)
    return None if cols is None else (a.rows + b.rows, cols)


def _matmul(a: Strided, b: Strided) -> Shape | None:
    return (a.rows, b.cols) if a.cols == b.rows else None


def _matmul_transposed(a: Strided, b: Strided) -> Shape | None:
    return (a.rows, b.rows) if a.cols == b.cols else None


def parts_of(a: Strided) -> int:
    """Into how many parts ``X`` cuts the columns of b."""
    return max(a.leaf or a.rows, 1)


def _matmul_parts(a: Strided, b: Strided) -> Shape | None:
    parts = parts_of(a)
    return (a.rows, b.cols // parts) if a.cols == b.rows and b.cols % parts == 0 else None


def _matmul_parts_transposed(a: Strided, b: Strided) -> Shape | None:
    fit = b.cols >= a.cols and b.cols % a.cols == 0 if a.cols else b.cols == 0
    return (a.rows, b.rows) if fit else None


def _tile(a: Strided, b: Strided) -> Shape:
    return a.rows * (b.leaf or b.rows), a.cols * b.cols


def _same(a: Strided) -> Shape:
    return a.rows, a.cols


def _pair(a: Strided, b: Strided) -> Shape | None:
    return broadcast((a.rows, a.cols), (b.rows, b.cols))


_ONE: dict[str, Callable[[Strided], Shape]] = {
    **dict.fromkeys("qel~Cco", _same),
    **dict.fromkeys("Fa", lambda a: (a.rows, 1)),
    "f": lambda a: (1, a.cols),
    "T": lambda a: (a.cols, a.rows),
    "w": lambda a: (1, a.count),
}
_TWO: dict[str, Callable[[Strided, Strided], Shape | None]] = {
    **dict.fromkeys("A-*/%R_<=&|^SO", _pair),
    "n": lambda a, n: (a.rows, a.cols) if n.count else None,
    "i": lambda a, b: (1, b.rows),
    "G": lambda a, i: (i.rows, i.cols),
    "g": lambda a, i: (i.count, a.cols),
    "M": _matmul,
    "m": _matmul_transposed,
    "X": _matmul_parts,
    "x": _matmul_parts_transposed,
    "K": lambda a, b: (a.rows, a.cols),
    "k": lambda a, b: (a.rows, a.cols),
    ",": _beside,
    ";": _below,
    "t": _tile,
}


def result_shape(
    op: Op, d: Shape, inputs: tuple[Strided, ...], numbers: Sequence[int]
) -> Shape | None:
    """Rows and columns of the result of an element instruction; None if the shapes do not fit.

    ``d`` is the destination's present shape (of use to the instructions that keep it), ``numbers``
    what the host read: s of Reshape and Zoom, (n) of Iota.
    """
    char = op.char
    if char in _ONE:
        return _ONE[char](inputs[0])
    if char in _TWO:
        return _TWO[char](inputs[0], inputs[1])
    if char == "r":
        return _reshape(inputs[0], numbers)
    if char == "Z":
        return (numbers[0], numbers[1]) if min(numbers) >= 0 else None
    if char == "I":
        return (1, numbers[0]) if numbers[0] >= 0 else None
    if char == "?":
        ok = all(fits((x.rows, x.cols), d) for x in inputs)
    elif char in "P@":
        ok = fits((inputs[0].rows, inputs[0].cols), (inputs[1].rows, inputs[1].cols))
    elif char == "p":
        ok = fits((inputs[0].rows, inputs[0].cols), (inputs[1].count, d[1]))
    else:  # D
        ok = 2 <= inputs[1].cols <= 5
    return d if ok else None


def work_of(op: Op, d: Shape, inputs: tuple[Strided, ...], drawn: int) -> int:
    """The work that an element instruction counts; ``d`` is the shape of the destination as
    written, ``drawn`` the pixels that Draw draws."""
    formula = op.work
    if formula == "d":
        return d[0] * d[1]
    if formula == "a":
        return inputs[0].count
    if formula == "ab":
        return inputs[0].count + inputs[1].count
    if formula == "i":
        moved = {"g": inputs[0].cols, "p": d[1]}.get(op.char, 1)
        return inputs[1].count * moved
    if formula == "mm":
        return _terms(op.char, *inputs) // 8
    if formula == "conv":
        return inputs[0].count * inputs[1].count
    if formula == "sort":
        return inputs[0].count * inputs[0].cols.bit_length()
    if formula == "draw":
        return 64 * inputs[1].rows + drawn
    return 0


def _terms(char: str, a: Strided, b: Strided) -> int:
    """Products of elements in a matrix product."""
    cols = b.rows if char in "mx" else b.cols
    if char == "X":
        cols //= parts_of(a)
    return a.rows * a.cols * cols


def drawn_elements(items: np.ndarray, d: Shape, a: Strided) -> int:
    """Elements that Draw writes: the clipped rectangles of ``items`` (int64, n x 2..5)."""
    if not items.size or not a.count or not d[0] or not d[1]:
        return 0
    if len(items) <= _FEW:
        return _drawn_by_few(items.tolist(), d, a)
    columns = items.shape[1]
    leaf_rows = a.leaf or a.rows
    leaves = a.rows // leaf_rows
    row, col = items[:, 0], items[:, 1]
    if columns in (3, 5):
        leaf = items[:, -1]
        there = (leaf >= 0) & (leaf < leaves)
        height = leaf_rows
    else:
        there = np.ones(len(items), bool)
        height = a.rows
    if columns >= 4:
        bottom, right = row + items[:, 2], col + items[:, 3]
    else:
        bottom, right = row + height, col + a.cols
    tall = np.clip(bottom, 0, d[0]) - np.clip(row, 0, d[0])
    wide = np.clip(right, 0, d[1]) - np.clip(col, 0, d[1])
    drawn = np.where(there & (tall > 0) & (wide > 0), tall * wide, 0)
    return int(drawn.sum())


def _drawn_by_few(items: list[list[int]], d: Shape, a: Strided) -> int:
    """:func:`drawn_elements` in plain numbers: NumPy takes longer to begin than these take."""
    columns = len(items[0])
    tiled = columns in (3, 5)
    height = (a.leaf if tiled else 0) or a.rows
    rows, cols, leaves, drawn = height, a.cols, a.rows // height, 0
    for item in items:
        if columns >= 4:
            rows, cols = item[2:4]
        tall = min(item[0] + rows, d[0]) - max(item[0], 0)
        wide = min(item[1] + cols, d[1]) - max(item[1], 0)
        if tall > 0 and wide > 0 and (not tiled or 0 <= item[-1] < leaves):
            drawn += tall * wide
    return drawn


def appends_below(op: Op, matrices: tuple[Matrix, ...]) -> bool:
    """Whether `;` adds rows under its own destination: d is a, and b is another matrix."""
    if op.char != ";":
        return False
    d, a, b = matrices
    return (
        d.row == a.row
        and not d.fixed
        and not a.fixed
        and b is not d
        and (b.row != d.row or b.fixed)
    )
