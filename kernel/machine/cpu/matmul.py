"""Matrix products, exact by float64 BLAS.

A float64 matmul is exact while every partial sum of products of integers stays below 2^53 in
magnitude: each product and each sum is then an integer that float64 represents, whatever the
order of summation and whether or not products are fused.  With k inner elements the bound is
``k * max|a| * max|b|``; the maxima are read from the data.

* Below 2^53: one product.
* Else, if inner blocks of at least 64 stay below it: their sums are added in int64, which
  cannot overflow: fewer than 2^31 / 64 blocks of less than 2^53 come from k < 2^31 / rows
  elements of memory, and k * max|a| * max|b| < 2^63 is checked.
* Else both are cut into 16-bit halves, a = ah * 2^16 + al: four products of inner blocks of up
  to 2^20 (2^16 * 2^16 * 2^20 * 2 = 2^53 for the two middle ones together), carries
  normalised in int64, one rounding at the end.

Quantised b: sum(a * (scale * q + offset)) = (A * sum(a * q) + B * sum(a)) * 2^e with integers
A, B of a common binary grid, in two int64 words; Python integers only if 124 bits are needed.
No instruction writes a quantised matrix, so what is found out about its bytes holds for good:

* A matrix of equal bytes (a mean, a sum) needs only the sums of a's rows.
* One row times a matrix (a network that writes) is memory's work, so the row is cut instead of the
  bytes being widened much: into two or three rows of digits, which are multiplied by r = q - 128 in
  float32.  That is exact while |digits| * |column of r| (Euclidean) is at most 2^24: by Cauchy and
  Schwarz no partial sum is greater.  While COPY_BYTES last, r is kept as float32.
  The result is worked out modulo 2^64 where it is known to be less than 2^62.
"""

from __future__ import annotations

import weakref
from collections.abc import Iterator
from math import log2, sqrt

import numpy as np

from ..isa import Op
from ..quantised import (
    FRACTION,
    X_MAX,
    X_MIN,
    common_grid,
    finish_number,
    is_bytes,
)
from .finish import (
    Run,
    clamp,
    fitted,
    nothing,
    reads_first,
    spread,
    store,
    store_wide,
)
from .operand import Operand

EXACT = 1 << 53
#: Elements of a float64 block of b (32 MiB), and of a and the result (8 MiB).
B_BLOCK, A_BLOCK = 1 << 22, 1 << 20
#: Inner elements from which operands are converted a block at a time.
LONG = 1 << 20
#: Inner elements up to which one row is cut into digits.
ROW_INNER = 1 << 13
#: Square of what a row of digits times a column may come to; a bit is left for rounding.
ROW_REACH = 0.99 * (1 << 48)
#: Elements of a block of a quantised matrix that a row is multiplied with: 1 MiB as float32.
ROW_BLOCK = 1 << 18
#: Bytes of float32 copies of quantised matrices, in all processes together.
COPY_BYTES = 64 << 20
#: Products of at most this many terms in all, on byte or integer kinds, need no BLAS.
FEW_TERMS = 512

#: An exact product as a sum of (array, shift) or, wide, as high * 2**bits + low.
Wide = tuple[np.ndarray, np.ndarray, int]


def largest(array: np.ndarray) -> int:
    """The greatest magnitude among the elements; 0 if there are none."""
    if array.size == 0:
        return 0
    if array.dtype == np.uint8:
        return int(array.max())
    return max(int(array.max()), -int(array.min()))


def _float_product(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """a @ b of float64 integers as int64."""
    product: np.ndarray = np.matmul(a, b).astype(np.int64)
    return product


def _blocked(a: np.ndarray, b: np.ndarray, inner: int) -> np.ndarray:
    """a @ b in inner blocks of ``inner``, added in int64; a and b are float64."""
    size = a.shape[1]
    total = _float_product(a[:, :inner], b[:inner])
    for start in range(inner, size, inner):
        total += _float_product(a[:, start : start + inner], b[start : start + inner])
    return total


def _halves(array: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """float64 integers as (high, low) with array = high * 2**16 + low, 0 <= low < 2**16."""
    high = np.floor(array * (1.0 / 65536))
    return high, array - high * 65536


def _split_product(a: np.ndarray, b: np.ndarray) -> Wide:
    """a @ b of float64 integers of 32 bits, in 96 bits."""
    inner = 1 << 20
    ah, al = _halves(a)
    bh, bl = _halves(b)
    high = _blocked(ah, bh, inner)
    middle = _blocked(ah, bl, inner)
    middle += _blocked(al, bh, inner)
    low = _blocked(al, bl, inner)
    # S = high * 2^32 + middle * 2^16 + low, with middle = m1 * 2^16 + m0.
    high += middle >> 16
    middle &= 0xFFFF
    middle <<= 16
    middle += low
    high += middle >> 32
    middle &= 0xFFFFFFFF
    return high, middle, 32


def _product(
    out: np.ndarray, a: np.ndarray, b: np.ndarray, bound: tuple[int, int], fraction: int, kind: str
) -> None:
    """Finish a @ b / 2**fraction into ``out``; a, b are float64, ``bound`` their magnitudes."""
    inner = a.shape[1]
    term = bound[0] * bound[1]
    if inner * term < EXACT:
        store(out, _float_product(a, b), fraction, kind)
    elif term <= EXACT >> 6 and inner * term < 1 << 63:
        store(out, _blocked(a, b, EXACT // term - 1), fraction, kind)
    else:
        store_wide(out, *_split_product(a, b), fraction, kind)


def _bind_plain(d: Operand, a: np.ndarray, b: np.ndarray, fraction: int) -> Run:
    """a (m x k) times b (k x n) of raw elements, column blocks of b by row blocks of a."""
    out, kind = d.array, d.kind
    rows, inner = a.shape
    cols = b.shape[1]
    col_step = max(1, min(cols, B_BLOCK // inner))
    row_step = max(1, min(rows, A_BLOCK // max(inner, col_step)))

    def run() -> int:
        bound = largest(a), largest(b)
        for col in range(0, cols, col_step):
            right = b[:, col : col + col_step].astype(np.float64)
            for row in range(0, rows, row_step):
                left = a[row : row + row_step].astype(np.float64)
                part = out[row : row + row_step, col : col + col_step]
                _product(part, left, right, bound, fraction, kind)
        return -1

    return run


def _wide_product(a: np.ndarray, b: np.ndarray, bound: tuple[int, int]) -> Wide:
    """Raw a @ b of a long inner dimension, in 96 bits, block by block."""
    size = a.shape[1]
    high = np.zeros((a.shape[0], b.shape[1]), np.int64)
    low = np.zeros_like(high)
    for start in range(0, size, LONG):
        left = a[:, start : start + LONG].astype(np.float64)
        right = b[start : start + LONG].astype(np.float64)
        if left.shape[1] * bound[0] * bound[1] < EXACT:
            product = _float_product(left, right)
            more_high, more_low = product >> 32, product & 0xFFFFFFFF
        else:
            more_high, more_low, _ = _split_product(left, right)
        low += more_low
        high += more_high
        high += low >> 32
        low &= 0xFFFFFFFF
    return high, low, 32


def _bind_long(d: Operand, a: np.ndarray, b: np.ndarray, fraction: int) -> Run:
    """Few but long rows: operands become float64 a block at a time."""
    out, kind = d.array, d.kind
    rows, cols = out.shape

    def run() -> int:
        bound = largest(a), largest(b)
        for row in range(rows):
            for col in range(cols):
                product = _wide_product(a[row : row + 1], b[:, col : col + 1], bound)
                store_wide(out[row : row + 1, col : col + 1], *product, fraction, kind)
        return -1

    return run


def _bind_few(d: Operand, a: np.ndarray, b: np.ndarray, fraction: int) -> Run:
    """A small product in int64: the caller has seen that it cannot overflow, or may wrap."""
    out, kind = d.array, d.kind

    def run() -> int:
        store(out, np.matmul(a, b, dtype=np.int64, casting="unsafe"), fraction, kind)
        return -1

    return run


# ---- quantised weights -----------------------------------------------------------------------


def _scaled(value: np.ndarray, factor: int, bits: int) -> tuple[np.ndarray, np.ndarray]:
    """value * factor as (high, low): high * 2**bits + low, 0 <= low < 2**bits, in int64."""
    low = (value & ((1 << bits) - 1)) * factor
    high = (value >> bits) * factor + (low >> bits)
    return high, low & ((1 << bits) - 1)


def _store_quantised(
    out: np.ndarray,
    products: np.ndarray,
    sums: np.ndarray,
    grid: tuple[int, int, int],
    bounds: tuple[int, int],
    fraction: int,
    kind: str,
) -> None:
    """Finish (A * products + B * sums) * 2**(e - fraction) into ``out``.

    ``products`` and ``sums`` are int64 (Python integers, if they need more bits) of magnitude
    at most ``bounds``.
    """
    scale, offset, exponent = grid
    fraction -= exponent
    reach = abs(scale) * max(bounds[0], 1) + abs(offset) * max(bounds[1], 1)
    if fraction >= 0 and max(reach, *bounds) < 1 << 62:
        value = products * scale
        value += sums * offset
        store(out, value, fraction, kind)
        return
    factor_bits = max(scale.bit_length(), offset.bit_length(), 1)
    bits = 61 - factor_bits
    value_bits = max(max(bounds).bit_length(), 1)
    fits = value_bits <= 62 and bits >= 1
    if fits and fraction >= FRACTION[kind] and factor_bits + value_bits <= 61 + bits:
        high, low = _scaled(products, scale, bits)
        more_high, more_low = _scaled(sums, offset, bits)
        low = low + more_low
        high = high + more_high + (low >> bits)
        store_wide(out, high, low & ((1 << bits) - 1), bits, fraction, kind)
        return
    left = max(-fraction, 0)
    flat = np.broadcast_to(sums, products.shape)
    numbers = [
        finish_number((p * scale + s * offset) << left, max(fraction, 0), kind)
        for p, s in zip(products.ravel().tolist(), flat.ravel().tolist(), strict=True)
    ]
    out[...] = np.array(numbers, np.int64).reshape(out.shape)


def _bind_quantised(d: Operand, a: Operand, b: Operand, weights: np.ndarray) -> Run:
    """a (m x k) times quantised ``weights`` (k x n bytes)."""
    if weights[0, 0] == weights[-1, -1] and (weights == weights[0, 0]).all():
        return _bind_equal(d, a, b, int(weights[0, 0]))
    if a.rows == 1 and a.cols <= ROW_INNER:
        return _bind_row(d, a, b, weights)
    return _bind_any(d, a, b, weights)


def _bind_equal(d: Operand, a: Operand, b: Operand, byte: int) -> Run:
    """Rows times a matrix whose bytes are all the same: their sums times one number."""
    out, x, kind = d.array, a.array, d.kind
    scale, offset, exponent = common_grid(b.scale_bits, b.offset_bits)
    factor = scale * byte + offset << max(exponent, 0)
    fraction = FRACTION[a.kind] + max(-exponent, 0)
    if x.shape[0] == 1:
        line = x[0]

        def run_row() -> int:
            total = int(np.add.reduce(line, dtype=np.int64))
            out[...] = finish_number(total * factor, fraction, kind)
            return -1

        return run_row

    def run() -> int:
        sums = np.add.reduce(x, axis=1, dtype=np.int64).tolist()
        column = [finish_number(total * factor, fraction, kind) for total in sums]
        out[...] = np.array(column, out.dtype)[:, None]
        return -1

    return run


class _Matrix:
    """A quantised matrix that single rows are multiplied with, as r = q - 128.

    ``square``: of the greatest Euclidean norm of a column of r, or of a column of ones if that is
    greater.  The matrix is copied at its second use.
    """

    __slots__ = ("_bytes", "_copy", "_uses", "square")

    #: Bytes of all copies there are.
    copied = 0

    def __init__(self, weights: np.ndarray) -> None:
        self._bytes = weights
        self._copy: np.ndarray | None = None
        self._uses = 0
        # Sums of squares below 2^24 are exact, those above right within rounding.
        squares = [float(np.square(r).sum(axis=0).max()) for _, r in self._blocks()]
        self.square = max(1.001 * max(squares), float(weights.shape[0]))

    def times(self, digits: list[np.ndarray], products: list[np.ndarray]) -> None:
        """``products`` = digits times r: lines of float32."""
        copy = self._copy
        if copy is not None:
            for line, product in zip(digits, products, strict=True):
                np.dot(line, copy, out=product)
            return
        for cols, right in self._blocks():
            for line, product in zip(digits, products, strict=True):
                np.dot(line, right, out=product[cols])
        self._uses += 1
        size = 4 * self._bytes.size
        if self._uses == 2 and _Matrix.copied + size <= COPY_BYTES:
            self._copy = self._centred(slice(None))
            _Matrix.copied += size
            weakref.finalize(self._copy, _Matrix.released, size)

    def _blocks(self) -> Iterator[tuple[slice, np.ndarray]]:
        """r, some columns at a time."""
        inner, cols = self._bytes.shape
        step = max(1, ROW_BLOCK // inner)
        for col in range(0, cols, step):
            part = slice(col, min(col + step, cols))
            yield part, self._centred(part)

    def _centred(self, cols: slice) -> np.ndarray:
        """r of some columns, laid out as the bytes are."""
        part = self._bytes[:, cols].astype(np.float32)
        part -= 128
        return part

    @staticmethod
    def released(size: int) -> None:
        """A copy of ``size`` bytes is gone."""
        _Matrix.copied -= size


def _bind_row(d: Operand, a: Operand, b: Operand, weights: np.ndarray) -> Run:
    """One row of at most ROW_INNER elements times quantised ``weights``."""
    out, line, kind = d.array[0], a.array[0], d.kind
    general = _bind_any(d, a, b, weights)
    scale, offset, exponent = common_grid(b.scale_bits, b.offset_bits)
    shift = FRACTION[a.kind] - exponent - FRACTION[kind]
    if not 0 <= shift <= 62 or abs(scale) >= 1 << 62:
        return general
    half = 1 << shift >> 1 if kind != "I" else 0
    low, high = (X_MIN, X_MAX) if kind == "X" else (0, 255)
    inner, cols = weights.shape
    matrix = _Matrix(weights)
    square = matrix.square
    # Low digits, 0..2^cut - 1, are 2^cut / sqrt(3) in the mean square: 0.4 to 0.8 of the reach.
    cut = min(max(int(log2(0.8 * sqrt(3 * ROW_REACH / inner / square))), 1), 16)
    digits = list(np.empty((3, inner), np.float32))
    products = list(np.empty((3, cols), np.float32))
    lower, upper, top = digits
    exact, value = np.empty(cols), np.empty(cols, np.int64)
    ones = np.ones(inner, np.float32)
    mask, once = np.int32((1 << cut) - 1), np.int32(cut)
    factor, right_shift, step = np.int64(scale), np.int64(shift), float(1 << cut)
    centre, scale_size, norm = 128 * scale + offset, abs(scale), sqrt(square)

    def sizes(count: int) -> list[float]:
        """The squares of the digits' norms; they are more than ROW_REACH if float32 will not do."""
        return [float(row.dot(row)) for row in digits[:count]]

    def run() -> int:
        np.bitwise_and(line, mask, out=lower, casting="unsafe")
        np.right_shift(line, once, out=upper, casting="unsafe")
        count, squares = 2, sizes(2)
        if squares[1] * square > ROW_REACH:
            rest = line >> once
            np.bitwise_and(rest, mask, out=upper, casting="unsafe")
            np.right_shift(rest, once, out=top, casting="unsafe")
            count, squares = 3, sizes(3)
        if max(squares) * square > ROW_REACH:
            return general()
        total, length = 0, 0.0
        for place in range(count - 1, -1, -1):
            total = (total << cut) + int(digits[place].dot(ones))
            length = length * step + sqrt(squares[place])
        reach = scale_size * int(1.01 * length * norm + 1) + abs(centre * total) + half
        if reach >= 1 << 62:
            return general()
        matrix.times(digits[:count], products[:count])
        np.multiply(products[count - 1], step, out=exact, dtype=np.float64)
        if count == 3:
            np.add(exact, products[1], out=exact)
            np.multiply(exact, step, out=exact)
        np.add(exact, products[0], out=value, casting="unsafe")
        np.multiply(value, factor, out=value)
        more = (centre * total + half + (1 << 63) & (1 << 64) - 1) - (1 << 63)
        np.add(value, more, out=value)
        if kind == "I" or (low and reach >> shift <= high):
            np.right_shift(value, right_shift, out=out, casting="unsafe")
            return -1
        np.right_shift(value, right_shift, out=value)
        clamp(value, low, high)
        np.copyto(out, value, casting="unsafe")
        return -1

    return run


def _bind_any(d: Operand, a: Operand, b: Operand, weights: np.ndarray) -> Run:
    """a (m x k) times quantised ``weights`` (k x n bytes), whatever they are."""
    out, x, kind = d.array, a.array, d.kind
    rows, inner = x.shape
    cols = weights.shape[1]
    grid = common_grid(b.scale_bits, b.offset_bits)
    fraction = FRACTION[a.kind]
    col_step = max(1, min(cols, B_BLOCK // inner))
    row_step = max(1, min(rows, A_BLOCK // max(inner, col_step)))

    def run() -> int:
        bound = largest(x)
        term = bound * 255
        block = max(EXACT // max(term, 1) - 1, 1)
        sums = x.sum(axis=1, dtype=np.int64, keepdims=True)
        bounds = inner * term, inner * bound
        for col in range(0, cols, col_step):
            right = weights[:, col : col + col_step]
            if inner <= LONG:
                right = right.astype(np.float64)
            for row in range(0, rows, row_step):
                part = out[row : row + row_step, col : col + col_step]
                left = x[row : row + row_step]
                if inner <= LONG:
                    products = _blocked(left.astype(np.float64), right, block)
                else:
                    products = _long_products(left, right, block, bounds[0])
                _store_quantised(
                    part, products, sums[row : row + row_step], grid, bounds, fraction, kind
                )
        return -1

    return run


def _long_products(a: np.ndarray, b: np.ndarray, block: int, reach: int) -> np.ndarray:
    """a @ b for a long inner dimension; Python integers if ``reach`` passes 2^62."""
    total = np.zeros((a.shape[0], b.shape[1]), np.int64 if reach < 1 << 62 else object)
    for start in range(0, a.shape[1], LONG):
        left = a[:, start : start + LONG].astype(np.float64)
        right = b[start : start + LONG].astype(np.float64)
        part = _blocked(left, right, block)
        total += part if reach < 1 << 62 else part.astype(object)
    return total


# ---- binding ---------------------------------------------------------------------------------


def _bind(op: Op, pixel: bool, d: Operand, inputs: tuple[Operand, ...], literal: int) -> Run:
    """Choose the way for these kinds and shapes."""
    a, b = inputs
    right = b.array if op.char == "M" else b.array.T
    part = fitted(d, a.rows, right.shape[1])
    inner = a.cols
    if part.array.size == 0:
        return nothing
    if inner == 0:

        def run_zeros() -> int:
            part.array[...] = 0
            return -1

        return spread(d, part, run_zeros)
    if b.kind == "Q":
        return spread(d, part, _bind_quantised(part, a, b, right))
    fraction = FRACTION[a.kind] + FRACTION[b.kind]
    # int64 is right for bytes with anything, and modulo 2^64 for integers into integers.
    safe = is_bytes(a.kind) or is_bytes(b.kind) or (fraction == 0 and d.kind == "I")
    few = a.rows * inner * right.shape[1] <= FEW_TERMS
    if few and safe:
        bind_product = _bind_few
    else:
        bind_product = _bind_plain if inner <= LONG else _bind_long
    return spread(d, part, bind_product(part, a.array, right, fraction))


bind = reads_first(_bind, pointwise=False)
