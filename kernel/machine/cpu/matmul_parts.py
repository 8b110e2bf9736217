"""Products of rows with their own parts of b's columns (``X`` and ``x``), exact by float64.

Rows that meet the same part are a matrix product like any other, and ``matmul`` does it.  Where all
operands are words and few, all parts are one batched product: it is exact while every sum of
magnitudes stays below 2^53, which the sums of a's rows and the range of b decide.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from ..quantised import FRACTION, X_MAX, X_MIN
from .finish import Run
from .operand import Operand

#: Floats below this are exact integers.
EXACT = float(1 << 53)
#: Elements of a, b and the result up to which the batched product keeps temporaries.
FEW = 1 << 18
#: A 32-bit integer has at most this magnitude.
_WORD = float(1 << 31)

#: Fills d, given whole, with a @ b.
BindProduct = Callable[[Operand, np.ndarray, np.ndarray, int], Run]


def bind_parts(char: str, d: Operand, a: Operand, b: Operand, bind_product: BindProduct) -> Run:
    """``d`` has the result's own shape and elements, a has columns."""
    transposed = char == "x"
    width = a.cols if transposed else d.cols
    parts = b.cols // width
    fraction = FRACTION[a.kind] + FRACTION[b.kind]
    runs = []
    for part in range(min(parts, a.rows)):
        right = b.array[:, part * width : (part + 1) * width]
        out = d.array[part::parts]
        piece = d._replace(rows=out.shape[0], array=out)
        left = a.array[part::parts]
        runs.append(bind_product(piece, left, right.T if transposed else right, fraction))

    def run() -> int:
        for product in runs:
            product()
        return -1

    sizes = d.array.size, a.array.size, b.array.size
    words = {d.kind, a.kind, b.kind} <= {"I", "X"}
    if not words or a.rows % parts or max(sizes) > FEW or fraction < FRACTION[d.kind]:
        return run
    return _bind_batched(transposed, d, a.array, b.array, parts, fraction, run)


def _bind_batched(
    transposed: bool,
    d: Operand,
    a: np.ndarray,
    b: np.ndarray,
    parts: int,
    fraction: int,
    general: Run,
) -> Run:
    """All parts in one call of NumPy's matmul, a product for each part."""
    out = d.array
    rows, cols = out.shape
    turns = rows // parts
    left, sizes, ones = np.empty(a.shape), np.empty(a.shape), np.ones(a.shape[1])
    right, product = np.empty(b.shape), np.empty((parts, turns, cols))
    value = np.empty((turns, parts, cols), np.int64)
    lefts = left.reshape(turns, parts, -1).transpose(1, 0, 2)
    order = (1, 2, 0) if transposed else (1, 0, 2)
    rights = right.reshape(b.shape[0], parts, -1).transpose(order)
    by_rows, finished = product.transpose(1, 0, 2), value.reshape(rows, cols)
    shift = fraction - FRACTION[d.kind]
    bits, half = np.array(shift), np.array(1 << shift >> 1)
    rounds, saturates = d.kind == "X", d.kind == "X"

    def run() -> int:
        left[...] = a
        np.abs(left, sizes)
        most = max(sizes.dot(ones).tolist())
        right[...] = b
        if most * _WORD >= EXACT and most * max(right.max(), -right.min()) >= EXACT:
            return general()
        np.matmul(lefts, rights, product)
        value[...] = by_rows
        if rounds:
            np.add(value, half, value)
        np.right_shift(value, bits, value)
        if saturates and not (
            value.item(value.argmax()) <= X_MAX and value.item(value.argmin()) >= X_MIN
        ):
            np.clip(value, X_MIN, X_MAX, out=value)
        out[...] = finished
        return -1

    return run
