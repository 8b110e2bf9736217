"""Element by element and by position: loops as numba compiles them.

Plain Python that anybody can run and read.  Matrices arrive as *spans*: one line of words from
their first element to their last, and the ``step`` from a row to the next.  A kernel returns -1
when it has filled ``out``, like every closure of an instruction, or :data:`DECLINED` before it has
written anything: then NumPy's closure does the instruction.  An ``out`` may be an input itself,
element for element.  Integers are int64, and cannot overflow.
"""

from __future__ import annotations

import numpy as np

from ..quantised import X_MAX, X_MIN
from .functions import UNSURE

#: A span, a table or temporaries.
Line = np.ndarray

DECLINED = -2


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


def add_whole(out: Line, a: Line, b: Line, size: int, one: int, minus: int) -> int:
    """I + I, or I - I (``minus`` -1 instead of 0), wrapped; b is alike or (``one``) a number."""
    if one:
        number = (np.int64(b[0]) ^ minus) - minus
        for j in range(size):
            out[j] = a[j] + number
    else:
        for j in range(size):
            out[j] = a[j] + ((np.int64(b[j]) ^ minus) - minus)
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


def shift_right(out: Line, a: Line, b: Line, size: int, low: int, drop: int) -> int:
    """Each element times 2**(n - drop), floored, n the one number of b >> low; declines others."""
    count = drop - (int(b[0]) >> low)
    if count < 0:
        return DECLINED
    count = min(count, 31)
    for j in range(size):
        out[j] = a[j] >> count
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


def gather(out: Line, line: Line, places: Line, size: int, drop: int) -> int:
    """Elements of a line by position (places >> drop), 0 outside."""
    for j in range(size):
        place = places[j] >> drop
        out[j] = line[place] if 0 <= place < line.size else 0
    return -1


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


def gather_byte_rows(
    out: Line,
    a: Line,
    places: Line,
    count: int,
    rows: int,
    cols: int,
    out_step: int,
    a_step: int,
    drop: int,
    table: Line,
) -> int:
    """As :func:`gather_rows`, of bytes: ``table`` has the word that each stands for."""
    for i in range(count):
        d = out[i * out_step : i * out_step + cols]
        place = places[i] >> drop
        if 0 <= place < rows:
            x = a[place * a_step : place * a_step + cols]
            for j in range(cols):
                d[j] = table[x[j]]
        else:
            for j in range(cols):
                d[j] = 0
    return -1
