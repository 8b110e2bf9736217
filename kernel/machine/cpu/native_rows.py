"""Rows: norms, sums and products, loops as numba compiles them; see ``native_elements``.

Where a kernel's words do not say otherwise its sums and products are int64 and cannot overflow.
"""

from __future__ import annotations

from math import sqrt

import numpy as np

from ..quantised import X_MAX, X_MIN
from .matmul_parts import EXACT
from .native_elements import DECLINED, Line

#: A number of 64 bits: numba's integers.
Long = int | np.int64

#: Values of int64 stay below this.
REACH = float(1 << 62)
#: How close to a half a norm of at most 2^13 elements leaves open which way to round: it is below
#: 2^22.5 steps, and is off by three roundings of 2^-53 of it and by one of 2^-31.
NORM_UNSURE = 2.0**-24


def norm_rows(
    out: Line,
    a: Line,
    rows: int,
    cols: int,
    out_step: int,
    a_step: int,
    noise: Line,
    fraction: int,
    gains: Line,
) -> int:
    """Rows of X over the root of their mean squares and the noise (its one number >> fraction).

    ``gains``: float64, one a row.  See ``fold_norm``; declines rows whose squares float64 does not
    add exactly, and what is close to a half.
    """
    extra = max(int(noise[0]) >> fraction, 0) * cols
    unsure = False
    for i in range(rows):
        x = a[i * a_step : i * a_step + cols]
        squares = 0.0
        for j in range(cols):
            squares += float(x[j]) * float(x[j])
        if squares >= EXACT:
            return DECLINED
        gain = 65536.0 * sqrt(cols / max(squares + extra, 1.0))
        gains[i] = gain
        for j in range(cols):
            value = x[j] * gain + 0.5
            rest = value - np.floor(value)
            unsure |= (rest < NORM_UNSURE) | (rest > 1 - NORM_UNSURE)
    if unsure:
        return DECLINED
    for i in range(rows):
        d, x = out[i * out_step : i * out_step + cols], a[i * a_step : i * a_step + cols]
        for j in range(cols):
            d[j] = np.int64(np.floor(x[j] * gains[i] + 0.5))
    return -1


def row_sums(
    out: Line,
    a: Line,
    rows: int,
    cols: int,
    out_step: int,
    a_step: int,
    sums: Line,
    factor: int,
    shift: int,
    rounds: int,
    clamps: int,
) -> int:
    """Of each row (sum * factor + half) >> shift, into one column.

    ``sums``: int64, one a row.  Declines what reaches 2^62.
    """
    half = np.int64(rounds) << shift >> 1
    for i in range(rows):
        x = a[i * a_step : i * a_step + cols]
        total = np.int64(0)
        for j in range(cols):
            total += x[j]
        sums[i] = total
        if abs(float(total)) * abs(float(factor)) + float(half) >= REACH:
            return DECLINED
    for i in range(rows):
        value = (sums[i] * factor + half) >> shift
        if clamps:
            value = min(max(value, X_MIN), X_MAX)
        out[i * out_step] = value
    return -1


def row_extremes(
    out: Line,
    a: Line,
    rows: int,
    cols: int,
    out_step: int,
    a_step: int,
    greatest: int,
) -> int:
    """The greatest or the least element of each row, into one column."""
    for i in range(rows):
        x = a[i * a_step : i * a_step + cols]
        found = x[0]
        if greatest:
            for j in range(cols):
                found = max(found, x[j])
        else:
            for j in range(cols):
                found = min(found, x[j])
        out[i * out_step] = found
    return -1


def row_product(
    out: Line,
    a: Line,
    weights: Line,
    step: int,
    sums: Line,
    scale: int,
    centre: int,
    shift: int,
    rounds: int,
    clamps: int,
) -> int:
    """A row times bytes laid out by rows, a row every ``step`` bytes.

    With r = q - 128: (scale * sum(a * r) + centre * sum(a) + half) >> shift.  ``sums``: int64, a
    column each.  Declines what reaches 2^62.
    """
    inner, cols = a.size, out.size
    total = np.int64(0)
    for k in range(inner):
        total += a[k]
    for j in range(cols):
        sums[j] = -128 * total
    whole = inner // 4 * 4
    s = np.uint64(step)  # numba would look whether signed positions count from the end
    for k in range(0, whole, 4):
        x0, x1 = np.int64(a[k]), np.int64(a[k + 1])
        x2, x3 = np.int64(a[k + 2]), np.int64(a[k + 3])
        w = weights[k * step : (k + 3) * step + cols]
        for j in range(cols):
            at = np.uint64(j)
            sums[at] += x0 * w[at] + x1 * w[at + s] + x2 * w[at + s + s] + x3 * w[at + s + s + s]
    for k in range(whole, inner):
        x0, w = np.int64(a[k]), weights[k * step : k * step + cols]
        for j in range(cols):
            sums[j] += x0 * w[j]
    return finish_product(out, sums, total, scale, centre, shift, rounds, clamps)


def column_product(
    out: Line,
    a: Line,
    weights: Line,
    step: int,
    sums: Line,
    scale: int,
    centre: int,
    shift: int,
    rounds: int,
    clamps: int,
) -> int:
    """The same times bytes laid out by columns, a column every ``step`` bytes."""
    inner = a.size
    total = np.int64(0)
    for k in range(inner):
        total += a[k]
    for j in range(out.size):
        column = weights[j * step : j * step + inner]
        found = np.int64(0)
        for k in range(inner):
            found += np.int64(a[k]) * column[k]
        sums[j] = found - 128 * total
    return finish_product(out, sums, total, scale, centre, shift, rounds, clamps)


def finish_product(
    out: Line,
    sums: Line,
    total: Long,
    scale: int,
    centre: int,
    shift: int,
    rounds: int,
    clamps: int,
) -> int:
    """From the sums of a product to its elements."""
    greatest = 0.0
    for j in range(out.size):
        greatest = max(greatest, abs(float(sums[j])))
    half = np.int64(rounds) << shift >> 1
    reach = abs(float(scale)) * greatest + abs(float(centre)) * abs(float(total))
    if reach + float(half) >= REACH:
        return DECLINED
    constant = centre * total + half
    if clamps:
        for j in range(out.size):
            out[j] = min(max((sums[j] * scale + constant) >> shift, X_MIN), X_MAX)
    else:
        for j in range(out.size):
            out[j] = (sums[j] * scale + constant) >> shift
    return -1


def parts(
    out: Line,
    a: Line,
    b: Line,
    rows: int,
    cols: int,
    inner: int,
    parts: int,
    out_step: int,
    a_step: int,
    b_step: int,
    shift: int,
    sums: Line,
) -> int:
    """Row i of a times b's columns of part i mod parts; X.  ``sums``: int64, a column each.

    Declines as :func:`parts_transposed` does.
    """
    if too_great(a, rows, inner, a_step):
        return DECLINED
    half = np.int64(1) << shift >> 1
    s = np.uint64(b_step)  # numba would look whether signed positions count from the end
    for i in range(rows):
        x, d = a[i * a_step : i * a_step + inner], out[i * out_step : i * out_step + cols]
        first = i % parts * cols
        for j in range(cols):
            sums[j] = half
        whole = inner // 4 * 4
        for k in range(0, whole, 4):
            x0, x1 = np.int64(x[k]), np.int64(x[k + 1])
            x2, x3 = np.int64(x[k + 2]), np.int64(x[k + 3])
            if x0 | x1 | x2 | x3 != 0:  # masked scores are powers of 0
                y = b[k * b_step + first : (k + 3) * b_step + first + cols]
                for j in range(cols):
                    at = np.uint64(j)
                    one = x0 * y[at] + x1 * y[at + s]
                    sums[at] += one + x2 * y[at + s + s] + x3 * y[at + s + s + s]
        for k in range(whole, inner):
            x0, y0 = np.int64(x[k]), b[k * b_step + first : k * b_step + first + cols]
            for j in range(cols):
                sums[j] += x0 * y0[j]
        for j in range(cols):
            d[j] = min(max(sums[j] >> shift, X_MIN), X_MAX)
    return -1


def parts_transposed(
    out: Line,
    a: Line,
    b: Line,
    rows: int,
    cols: int,
    inner: int,
    parts: int,
    out_step: int,
    a_step: int,
    b_step: int,
    shift: int,
) -> int:
    """Row i of a times each row of b's columns of part i mod parts, transposed; X.

    Declines rows whose magnitudes add up to 2^31: their products with words could pass 2^62.
    """
    if too_great(a, rows, inner, a_step):
        return DECLINED
    half = np.int64(1) << shift >> 1
    for i in range(rows):
        x, d = a[i * a_step : i * a_step + inner], out[i * out_step : i * out_step + cols]
        first = i % parts * inner
        for j in range(cols):
            y = b[j * b_step + first : j * b_step + first + inner]
            found = np.int64(0)
            for k in range(inner):
                found += np.int64(x[k]) * y[k]
            d[j] = min(max((found + half) >> shift, X_MIN), X_MAX)
    return -1


def too_great(a: Line, rows: int, inner: int, a_step: int) -> int:
    """1 if the magnitudes of a row add up to 2^31, else 0."""
    for i in range(rows):
        x = a[i * a_step : i * a_step + inner]
        size = np.int64(0)
        for k in range(inner):
            size += abs(np.int64(x[k]))
        if size >= 1 << 31:
            return 1
    return 0
