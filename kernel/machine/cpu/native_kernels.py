"""Loops over a few words, as numba compiles them: plain Python that anybody can run and read.

Matrices arrive as *spans*: one line of words from their first element to their last, and the
``step`` from a row to the next.  A kernel returns -1 when it has filled ``out``, like every closure
of an instruction, or :data:`DECLINED` before it has written anything: then NumPy's closure does
the instruction.  An ``out`` may be an input itself, element for element.

Sums and products are int64 and cannot overflow where the words of a kernel do not say otherwise.
"""

from __future__ import annotations

from math import sqrt

import numpy as np

#: A span, a table or temporaries.
Line = np.ndarray
#: A number of 64 bits: numba's integers.
Long = int | np.int64

DECLINED = -2
X_MIN, X_MAX = -(1 << 31), (1 << 31) - 1
#: Floats below this are exact integers.
EXACT = float(1 << 53)
#: Values of int64 stay below this.
REACH = float(1 << 62)
#: How close to a half a power of two of at most 2^31 steps leaves open which way to round: see
#: ``functions``.
UNSURE = 2.0**-16
#: The same for a norm of at most 2^13 elements: it is below 2^22.5 steps, and is off by three
#: roundings of 2^-53 of it and by one of 2^-31.
NORM_UNSURE = 2.0**-24


def add(
    out: Line,
    a: Line,
    b: Line,
    rows: int,
    cols: int,
    out_step: int,
    a_step: int,
    b_step: int,
    b_cols: int,
    up: int,
    minus: int,
) -> int:
    """X + Y * 2**up, or X - Y * 2**up (``minus`` -1 instead of 0), saturated.

    b has one column (``b_cols`` 1) or as many as a; a ``b_step`` of 0 repeats its row.
    """
    for i in range(rows):
        d, x = out[i * out_step : i * out_step + cols], a[i * a_step : i * a_step + cols]
        if b_cols == 1:
            number = ((np.int64(b[i * b_step]) << up) ^ minus) - minus
            for j in range(cols):
                d[j] = min(max(x[j] + number, X_MIN), X_MAX)
        else:
            y = b[i * b_step : i * b_step + cols]
            for j in range(cols):
                d[j] = min(max(x[j] + ((np.int64(y[j]) ^ minus) - minus), X_MIN), X_MAX)
    return -1


def times(
    out: Line,
    a: Line,
    b: Line,
    rows: int,
    cols: int,
    out_step: int,
    a_step: int,
    b_step: int,
    b_cols: int,
    shift: int,
) -> int:
    """(a * b + half) >> shift, saturated; b as in :func:`add`."""
    half = np.int64(1) << shift >> 1
    for i in range(rows):
        d, x = out[i * out_step : i * out_step + cols], a[i * a_step : i * a_step + cols]
        if b_cols == 1:
            number = np.int64(b[i * b_step])
            for j in range(cols):
                d[j] = min(max((x[j] * number + half) >> shift, X_MIN), X_MAX)
        else:
            y = b[i * b_step : i * b_step + cols]
            for j in range(cols):
                d[j] = min(max((np.int64(x[j]) * y[j] + half) >> shift, X_MIN), X_MAX)
    return -1


def divide(
    out: Line,
    a: Line,
    b: Line,
    rows: int,
    cols: int,
    out_step: int,
    a_step: int,
    b_step: int,
    b_cols: int,
    lift: float,
) -> int:
    """floor(a * lift / b + 1/2), saturated, in float64: see ``arith`` for why that is exact.

    ``lift``: float, a power of two up to 2**16.  Declines a division by zero.
    """
    for i in range(rows):
        for j in range(b_cols):
            if b[i * b_step + j] == 0:
                return DECLINED
    for i in range(rows):
        d, x = out[i * out_step : i * out_step + cols], a[i * a_step : i * a_step + cols]
        if b_cols == 1:
            y = float(b[i * b_step])
            for j in range(cols):
                value = np.floor((2.0 * lift * x[j] + y) / (2.0 * y))
                d[j] = np.int64(min(max(value, float(X_MIN)), float(X_MAX)))
        else:
            line = b[i * b_step : i * b_step + cols]
            for j in range(cols):
                y = float(line[j])
                value = np.floor((2.0 * lift * x[j] + y) / (2.0 * y))
                d[j] = np.int64(min(max(value, float(X_MIN)), float(X_MAX)))
    return -1


def extreme(
    out: Line,
    a: Line,
    b: Line,
    rows: int,
    cols: int,
    out_step: int,
    a_step: int,
    greater: int,
    up: int,
) -> int:
    """The greater or the lesser of each element and b's one number times 2**up, which fits."""
    number = np.int64(b[0]) << up
    if number < X_MIN or number > X_MAX:
        return DECLINED
    for i in range(rows):
        d, x = out[i * out_step : i * out_step + cols], a[i * a_step : i * a_step + cols]
        if greater:
            for j in range(cols):
                d[j] = max(x[j], number)
        else:
            for j in range(cols):
                d[j] = min(x[j], number)
    return -1


def exp2(out: Line, a: Line, size: int, high: Line, low: Line, mantissas: Line) -> int:
    """2**x of X, rounded half up and saturated: ``functions`` has the tables and their proof."""
    for j in range(size):
        raw = a[j]
        place = min(max((raw >> 8) + (18 << 8), 0), 33 << 8)
        value = high[place] * low[raw & 255] + 0.5
        power = np.floor(value)
        rest = value - power
        if raw >= 15 << 16:
            out[j] = X_MAX
        elif rest >= UNSURE and rest <= 1 - UNSURE:
            out[j] = np.int64(power)
        else:
            raw = max(raw, -18 << 16)
            drop = 15 - (raw >> 16)  # bits, 1..33
            out[j] = ((mantissas[raw & 0xFFFF] >> (drop - 1)) + 1) >> 1
    return -1


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
    for k in range(0, whole, 4):
        x0, x1 = np.int64(a[k]), np.int64(a[k + 1])
        x2, x3 = np.int64(a[k + 2]), np.int64(a[k + 3])
        w0 = weights[k * step : k * step + cols]
        w1 = weights[(k + 1) * step : (k + 1) * step + cols]
        w2 = weights[(k + 2) * step : (k + 2) * step + cols]
        w3 = weights[(k + 3) * step : (k + 3) * step + cols]
        for j in range(cols):
            sums[j] += x0 * w0[j] + x1 * w1[j] + x2 * w2[j] + x3 * w3[j]
    for k in range(whole, inner):
        x0 = np.int64(a[k])
        w0 = weights[k * step : k * step + cols]
        for j in range(cols):
            sums[j] += x0 * w0[j]
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
                at = k * b_step + first
                y0, at = b[at : at + cols], at + b_step
                y1, at = b[at : at + cols], at + b_step
                y2, at = b[at : at + cols], at + b_step
                y3 = b[at : at + cols]
                for j in range(cols):
                    sums[j] += x0 * y0[j] + x1 * y1[j] + x2 * y2[j] + x3 * y3[j]
        for k in range(whole, inner):
            x0, y0 = np.int64(x[k]), b[k * b_step + first : k * b_step + first + cols]
            for j in range(cols):
                sums[j] += x0 * y0[j]
        for j in range(cols):
            d[j] = min(max(sums[j] >> shift, X_MIN), X_MAX)
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


def gather_rows(
    out: Line,
    a: Line,
    places: Line,
    count: int,
    rows: int,
    cols: int,
    out_step: int,
    a_step: int,
    drop: int,
) -> int:
    """Rows of a, which has ``rows``, by number (``count`` of places >> drop); zeros outside."""
    for i in range(count):
        d = out[i * out_step : i * out_step + cols]
        place = places[i] >> drop
        if 0 <= place < rows:
            x = a[place * a_step : place * a_step + cols]
            for j in range(cols):
                d[j] = x[j]
        else:
            for j in range(cols):
                d[j] = 0
    return -1


def shift_right(out: Line, a: Line, b: Line, size: int, low: int, drop: int) -> int:
    """Each element times 2**(n - drop), floored, n the one number of b >> low; declines others."""
    count = drop - (int(b[0]) >> low)
    if count < 0:
        return DECLINED
    count = min(count, 31)
    for j in range(size):
        out[j] = a[j] >> count
    return -1


def gather(out: Line, line: Line, places: Line, size: int, drop: int) -> int:
    """Elements of a line by position (places >> drop), 0 outside."""
    for j in range(size):
        place = places[j] >> drop
        out[j] = line[place] if 0 <= place < line.size else 0
    return -1
