"""Arithmetic on a few words: where calling NumPy costs more than what it does.

A network that writes does most of its work on single rows.  There each call costs a quarter of a
microsecond whatever its size, three times that if it allocates, converts or broadcasts.  So these
closures keep temporaries of their own, convert by ``copyto``, take numbers as arrays without
dimensions, and find out whether anything left its range by one ``argmax``.  What they cannot do
exactly (numbers that saturate, and whatever :func:`bind_small` declines) the general steps of the
families do.
"""

from __future__ import annotations

import numpy as np

from ..quantised import FRACTION, X_MAX, X_MIN
from .finish import Run
from .operand import Operand

#: Elements up to which these closures are used.
FEW = 1 << 12
#: Divisors up to which they are looked at as Python numbers.
_FEW_DIVISORS = 64
#: Integers that are numbers of X.
_X_WHOLE = range(-32768, 32768)
_LOW_WORD = 1 << 31


def bind_small(char: str, d: Operand, a: Operand, b: Operand, general: Run) -> Run | None:
    """The closure of an arithmetic instruction on words, or None; ``general`` does what it cannot.

    Only where the result has d's own shape, and neither is a single number.
    """
    out, x, y = d.array, a.array, b.array
    fits = 1 < out.size <= FEW and np.broadcast_shapes(x.shape, y.shape) == out.shape
    kinds = d.kind + a.kind + b.kind
    # Integers wrap: NumPy's own way needs one call.
    if not fits or kinds == "III" or not set(kinds) <= {"I", "X"}:
        return None
    if char == "/":
        return _divide(d, a, b, general) if d.kind == "X" and a.kind == "X" else None
    if char == "*":
        return _times(d, a, b, general)
    if char not in "A-R_":
        return None
    if kinds == "XXX":
        if char in "A-":
            return _sum(char, out, x, y, general)
        return _extreme(char, out, x, y) if y.size == 1 else None
    if kinds == "XXI" and y.size == 1:
        return _with_whole(char, out, x, y, general)
    return None


def _plain(array: np.ndarray) -> np.ndarray:
    """An array of one element without dimensions: NumPy need not broadcast it."""
    return array.reshape(()) if array.size == 1 else array


def _sum(char: str, out: np.ndarray, x: np.ndarray, y: np.ndarray, general: Run) -> Run:
    """X + X or X - X into X: wraps only where both signs differ from the result's."""
    x, y = _plain(x), _plain(y)
    ufunc = np.add if char == "A" else np.subtract
    total, wrong, other = (np.empty(out.shape, np.int32) for _ in range(3))
    # a + b wraps if a and b differ in sign from the sum, a - b if a does from b and the result.
    left, right = (y, total) if char == "A" else (x, y)

    def run() -> int:
        ufunc(x, y, total)
        np.bitwise_xor(x, total, wrong)
        np.bitwise_xor(left, right, other)
        np.bitwise_and(wrong, other, wrong)
        if wrong.item(wrong.argmin()) < 0:
            return general()
        out[...] = total
        return -1

    return run


def _extreme(char: str, out: np.ndarray, x: np.ndarray, y: np.ndarray) -> Run:
    """The greater or the lesser of elements and one number, all of X."""
    ufunc = np.maximum if char == "R" else np.minimum
    number = _plain(y)

    def run() -> int:
        ufunc(x, number, out=out)
        return -1

    return run


def _with_whole(char: str, out: np.ndarray, x: np.ndarray, y: np.ndarray, general: Run) -> Run:
    """Elements of X with one integer, which is looked at when the instruction runs."""
    number = np.zeros((1, 1), np.int32)
    inner = _sum(char, out, x, number, general) if char in "A-" else _extreme(char, out, x, number)
    take = y.item

    def run() -> int:
        whole = take()
        if whole not in _X_WHOLE:
            return general()
        number[0, 0] = whole << 16
        return inner()

    return run


def _times(d: Operand, a: Operand, b: Operand, general: Run) -> Run | None:
    """Products of words in int64, rounded by one shift."""
    out, x, y = d.array, _plain(a.array), _plain(b.array)
    shift = FRACTION[a.kind] + FRACTION[b.kind] - FRACTION[d.kind]
    if shift < 0:
        return None
    left, right, value = np.empty(x.shape, np.int64), np.empty(y.shape, np.int64), None
    value = np.empty(out.shape, np.int64)
    bits, saturates = np.array(shift), d.kind == "X"
    half = np.array(1 << shift >> 1)
    square = a.array is b.array or (a.same and b.same)

    def run() -> int:
        left[...] = x
        if square:
            np.multiply(left, left, value)
        else:
            right[...] = y
            np.multiply(left, right, value)
        if saturates:
            np.add(value, half, value)
        np.right_shift(value, bits, value)
        if saturates and not (
            value.item(value.argmax()) <= X_MAX and value.item(value.argmin()) >= X_MIN
        ):
            return general()
        out[...] = value
        return -1

    return run


def _divide(d: Operand, a: Operand, b: Operand, general: Run) -> Run | None:
    """X / X or X / I into X, half up, in float64: see ``arith`` for why that is exact."""
    out, x, y = d.array, a.array, b.array
    shift = FRACTION[b.kind]
    if y.size > _FEW_DIVISORS and y.shape != x.shape:
        return None
    y = _plain(y)
    number, divisor, twice = np.empty(x.shape), np.empty(y.shape), np.empty(y.shape)
    value = np.empty(out.shape)
    lift = np.array(2.0 * (1 << shift))
    few = y.size <= _FEW_DIVISORS

    def run() -> int:
        if (0 in y.ravel().tolist()) if few else not y.all():
            return general()
        number[...] = x
        divisor[...] = y
        np.multiply(number, lift, number)
        np.add(divisor, divisor, twice)
        np.add(number, divisor, value)
        np.divide(value, twice, value)
        np.floor(value, value)
        if not (value.item(value.argmax()) <= X_MAX and value.item(value.argmin()) >= X_MIN):
            return general()
        out[...] = value
        return -1

    return run


def bind_small_shift(d: Operand, a: Operand, b: Operand, general: Run) -> Run | None:
    """Words of X or I shifted by one number, or None: into the same kind, or from X into I."""
    out, x, y = d.array, a.array, b.array
    fits = 1 < out.size <= FEW and x.shape == out.shape and y.size == 1
    if not fits or d.kind + a.kind not in ("II", "XX", "IX") or b.kind not in ("I", "X"):
        return None
    take, low, saturates = y.item, FRACTION[b.kind], d.kind == "X"
    fraction = FRACTION[a.kind] - FRACTION[d.kind]
    count = np.zeros((), np.int32)
    flat = np.empty(x.shape, np.int32)

    def run() -> int:
        number = take() >> low
        if number > 32:
            return general()
        number -= fraction
        if number <= 0:
            count[()] = min(-number, 31)
            np.right_shift(x, count, out)
            return -1
        if number > 31 or fraction:
            return general()
        if saturates:
            flat[...] = x
            if not (
                flat.item(flat.argmax()) <= X_MAX >> number
                and flat.item(flat.argmin()) >= X_MIN >> number
            ):
                return general()
        count[()] = number
        np.left_shift(x, count, out)
        return -1

    return run
