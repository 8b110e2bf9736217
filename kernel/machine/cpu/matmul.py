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
* One row times a matrix has a way of its own: ``matmul_row``.
"""

from __future__ import annotations

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
    fitted,
    nothing,
    reads_first,
    spread,
    store,
    store_wide,
)
from .matmul_parts import BindProduct, bind_parts
from .matmul_row import ROW_INNER, bind_row
from .operand import Operand

EXACT = 1 << 53
#: Elements of a float64 block of b (32 MiB), and of a and the result (8 MiB).
B_BLOCK, A_BLOCK = 1 << 22, 1 << 20
#: Inner elements from which operands are converted a block at a time.
LONG = 1 << 20
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
    general = _bind_any(d, a, b, weights)
    if a.rows == 1 and a.cols <= ROW_INNER:
        return bind_row(d, a, b, weights, general)
    return general


def _bind_equal(d: Operand, a: Operand, b: Operand, byte: int) -> Run:
    """Rows times a matrix whose bytes are all the same: their sums times one number."""
    out, x, kind = d.array, a.array, d.kind
    scale, offset, exponent = common_grid(b.scale_bits, b.offset_bits)
    factor = scale * byte + offset << max(exponent, 0)
    fraction = FRACTION[a.kind] + max(-exponent, 0)
    if x.size <= ROW_INNER and out.shape[1] == 1 and fraction >= FRACTION[kind]:
        return _bind_equal_few(out, x, kind, factor, fraction)
    rows, cols = x.shape
    step = max(1, A_BLOCK // cols)
    ones = np.ones(cols)
    narrow = abs(factor) << 31 + cols.bit_length() < 1 << 62

    def run() -> int:
        sums = np.empty((rows, 1), np.int64)
        for row in range(0, rows, step):
            part = x[row : row + step]
            if cols < 1 << 22:  # sums of fewer words are exact in float64
                sums[row : row + step, 0] = part.astype(np.float64).dot(ones)
            else:
                np.add.reduce(part, 1, np.int64, sums[row : row + step], keepdims=True)
        if narrow:
            store(sums, sums * factor, fraction, kind)
        else:
            numbers = [finish_number(v * factor, fraction, kind) for v in sums[:, 0].tolist()]
            sums[:, 0] = numbers
        out[...] = sums
        return -1

    return run


def _bind_equal_few(out: np.ndarray, x: np.ndarray, kind: str, factor: int, fraction: int) -> Run:
    """The same for few words and one column: sums of up to 2^13 words are exact in float64."""
    floats, ones, column = np.empty(x.shape), np.ones(x.shape[1]), out[:, 0]
    flat, single = floats.reshape(-1), out.size == 1
    place = fraction - FRACTION[kind]
    half = 1 << place >> 1 if kind != "I" else 0
    least, most = (X_MIN, X_MAX) if kind in "IX" else (0, 255)

    def run() -> int:
        floats[...] = x
        if single:
            value = int(flat.dot(ones)) * factor + half >> place
            fits = least <= value <= most
            out[0, 0] = value if fits else finish_number(value, FRACTION[kind], kind)
            return -1
        sums = [int(total) * factor + half >> place for total in floats.dot(ones).tolist()]
        if not (least <= min(sums) and max(sums) <= most):
            sums = [finish_number(value, FRACTION[kind], kind) for value in sums]
        column[:] = sums
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
    if op.char == "X":
        cols = b.cols // max(a.leaf or a.rows, 1)
    else:
        cols = b.cols if op.char == "M" else b.rows
    part = fitted(d, a.rows, cols)
    if part.array.size == 0:
        return nothing
    if a.cols == 0:

        def run_zeros() -> int:
            part.array[...] = 0
            return -1

        return spread(d, part, run_zeros)
    if op.char in "Xx":
        return spread(d, part, bind_parts(op.char, part, a, b, _way(part, a, b)))
    right = b.array if op.char == "M" else b.array.T
    if b.kind == "Q":
        return spread(d, part, _bind_quantised(part, a, b, right))
    fraction = FRACTION[a.kind] + FRACTION[b.kind]
    return spread(d, part, _way(part, a, b)(part, a.array, right, fraction))


def _way(d: Operand, a: Operand, b: Operand) -> BindProduct:
    """How products of unquantised elements are formed."""
    # int64 is right for bytes with anything, and modulo 2^64 for integers into integers.
    safe = is_bytes(a.kind) or is_bytes(b.kind) or a.kind == b.kind == d.kind == "I"
    if safe and d.array.size * a.cols <= FEW_TERMS:
        return _bind_few
    return _bind_plain if a.cols <= LONG else _bind_long


bind = reads_first(_bind, pointwise=False)
