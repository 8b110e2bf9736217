"""Folds, running folds and Argmax.

Sums are exact: 32-bit elements, fewer than 2^31 of them, in int64; into I modulo 2^32 in int32.
The other operators never leave the range of their elements.  And, Or and Xor work on raw
words and store raw words; everything else is a value with the fraction bits of its source.
"""

from __future__ import annotations

import numpy as np

from ..isa import Op
from ..quantised import (
    FRACTION,
    X_MAX,
    X_MIN,
    is_bytes,
)
from .finish import (
    BLOCK,
    Run,
    blocks,
    clamp,
    converter,
    fitted,
    nothing,
    reads_first,
    spread,
    store,
)
from .fold_norm import bind_norm
from .operand import Operand
from .small import FEW

_UFUNC: dict[str, np.ufunc] = {
    "A": np.add, "R": np.maximum, "_": np.minimum,
    "&": np.bitwise_and, "|": np.bitwise_or, "^": np.bitwise_xor,
}  # fmt: skip


#: Columns from which running folds down columns go row by row.
LONG_ROW = 128


def empty_fold(operator: str, kind: str) -> int:
    """What a fold of no elements stores into ``kind``."""
    if operator == "R":
        return 0 if is_bytes(kind) else X_MIN
    if operator == "_":
        return 255 if is_bytes(kind) else X_MAX
    if operator == "&":
        return 255 if is_bytes(kind) else -1
    return 0


def _sum_type(a: Operand, kind: str, count: int) -> type:
    """The narrowest type in which the sum of ``count`` elements is right (see the module)."""
    if kind == "I" and a.kind in "ITP":
        return np.int32
    if is_bytes(a.kind) and count < 1 << 23:
        return np.int32
    return np.int64


def _finish(out: np.ndarray, value: np.ndarray, operator: str, a: Operand, kind: str) -> None:
    """Store folded elements: raw words for bits, else values on the grid of ``a``."""
    if operator in "&|^" or (a.kind != "X" and kind == "I") or (operator != "A" and a.kind == kind):
        np.copyto(out, value, casting="unsafe")
    else:
        store(out, value.astype(np.int64), FRACTION[a.kind], kind)


def _bind_fold(operator: str, axis: int, d: Operand, a: Operand) -> Run:
    """Fold rows (axis 1) or columns (axis 0)."""
    rows, cols = (a.rows, 1) if axis else (1, a.cols)
    part = fitted(d, rows, cols)
    out, x, kind = part.array, a.array, d.kind
    if out.size == 0:
        return nothing
    if x.shape[axis] == 0:
        blank = empty_fold(operator, kind)

        def run_empty() -> int:
            out[...] = blank
            return -1

        return spread(d, part, run_empty)
    ufunc = _UFUNC[operator]
    dtype: type | None = _sum_type(a, kind, x.shape[axis]) if operator == "A" else None
    if operator in "R_" and a.kind == kind and x.size <= BLOCK:
        if out.size == 1:
            place = x.argmax if operator == "R" else x.argmin

            def run_one() -> int:
                out[0, 0] = x.item(place())
                return -1

            return spread(d, part, run_one)

        def run_same() -> int:
            ufunc.reduce(x, axis=axis, out=out, keepdims=True)
            return -1

        return spread(d, part, run_same)
    if x.size <= BLOCK or axis == 1:

        def run() -> int:
            value = ufunc.reduce(x, axis=axis, dtype=dtype, keepdims=True)
            _finish(out, value, operator, a, kind)
            return -1

        return spread(d, part, run)

    def run_blocks() -> int:
        total: np.ndarray | None = None
        step = max(1, BLOCK // x.shape[1])
        for row in range(0, x.shape[0], step):
            value = ufunc.reduce(x[row : row + step], axis=0, dtype=dtype, keepdims=True)
            total = value if total is None else ufunc(total, value, out=total)
        if total is not None:
            _finish(out, total, operator, a, kind)
        return -1

    return spread(d, part, run_blocks)


def _accumulate(ufunc: np.ufunc, x: np.ndarray, axis: int, dtype: type | None) -> np.ndarray:
    """``ufunc.accumulate``; down long rows, row by row, which NumPy does not vectorise."""
    if axis or x.shape[1] < LONG_ROW:
        value: np.ndarray = ufunc.accumulate(x, axis=axis, dtype=dtype)
        return value
    value = x.astype(x.dtype if dtype is None else dtype)
    for row in range(1, x.shape[0]):
        ufunc(value[row - 1], value[row], out=value[row])
    return value


def _bind_cumulate(operator: str, axis: int, d: Operand, a: Operand) -> Run:
    """Running fold along rows (axis 1) or down columns (axis 0), a carry between blocks."""
    part = fitted(d, a.rows, a.cols)
    out, x, kind = part.array, a.array, d.kind
    if out.size == 0 or x.size == 0:
        return nothing
    ufunc = _UFUNC[operator]
    dtype: type | None = _sum_type(a, kind, x.shape[axis]) if operator == "A" else None
    if dtype is np.int32 and kind == "I" and x.size <= BLOCK and (axis or x.shape[1] < LONG_ROW):

        def run_wrapping() -> int:
            ufunc.accumulate(x, axis=axis, dtype=dtype, out=out)
            return -1

        return spread(d, part, run_wrapping)

    if axis and operator == "A" and a.kind == kind == "X" and 1 < x.size <= FEW:
        return spread(d, part, _running_sums(out, x))

    def run() -> int:
        carry: np.ndarray | None = None
        for rows, cols in blocks(*x.shape):
            value = _accumulate(ufunc, x[rows, cols], axis, dtype)
            starts = cols.start == 0 if axis else rows.start == 0
            if not starts and carry is not None:
                held = carry if axis else carry[:, cols]
                ufunc(value, held, out=value)
            if axis:
                carry = value[:, -1:].copy()
            else:
                if carry is None:
                    carry = np.empty((1, x.shape[1]), value.dtype)
                carry[:, cols] = value[-1:]
            _finish(out[rows, cols], value, operator, a, kind)
        return -1

    return spread(d, part, run)


def _running_sums(out: np.ndarray, x: np.ndarray) -> Run:
    """Running sums along a few rows of X."""
    value = np.empty(x.shape, np.int64)

    def run() -> int:
        value[...] = x
        np.add.accumulate(value, axis=1, out=value)
        if value.item(value.argmax()) > X_MAX or value.item(value.argmin()) < X_MIN:
            clamp(value, X_MIN, X_MAX)
        out[...] = value
        return -1

    return run


def _bind_argmax(d: Operand, a: Operand) -> Run:
    """Column of the first greatest element of each row; -1 in rows without columns."""
    part = fitted(d, a.rows, 1)
    out, x, kind = part.array, a.array, d.kind
    if out.size == 0:
        return nothing
    to_kind = converter(Operand("I", a.rows, 1, out), kind)
    if x.size and out.size == 1 and to_kind is None:
        place = x.argmax

        def run_one() -> int:
            out[0, 0] = place()
            return -1

        return spread(d, part, run_one)

    def run() -> int:
        if x.shape[1]:
            value = np.argmax(x, axis=1).astype(np.int32).reshape(-1, 1)
        else:
            value = np.full((x.shape[0], 1), -1, np.int32)
        out[...] = value if to_kind is None else to_kind(value)
        return -1

    return spread(d, part, run)


def _bind(op: Op, pixel: bool, d: Operand, inputs: tuple[Operand, ...], literal: int) -> Run:
    """Choose by opcode; ``literal`` is the operator's character code."""
    a = inputs[0]
    if op.char == "n":
        return bind_norm(d, a, inputs[1])
    if op.char == "a":
        return _bind_argmax(d, a)
    axis = 1 if op.char in "FC" else 0
    if op.char in "Ff":
        return _bind_fold(chr(literal), axis, d, a)
    return _bind_cumulate(chr(literal), axis, d, a)


bind = reads_first(_bind, pointwise=False)
