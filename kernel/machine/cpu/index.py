"""Iota, Order, Index, Where, Gather, Put and Accumulate: elements by position.

Positions are floors of values.  Gathering outside a matrix gives 0, scattering outside is
ignored.  Repeated positions of Put: the last wins, which NumPy's assignment through
one-dimensional index arrays gives (elements are assigned in order).
"""

from __future__ import annotations

import numpy as np

from ..isa import Op
from ..quantised import (
    FRACTION,
    finish_number,
)
from .finish import (
    BLOCK,
    Convert,
    Run,
    blocks,
    converter,
    elements,
    fitted,
    flat_view,
    floors,
    nothing,
    numbers,
    reads_first,
    spread,
    store,
)
from .index_rows import first_equal_rows
from .operand import Operand

#: Up to so many places are counted for each block of positions.
FEW_PLACES = 1 << 18


# ---- counting and ordering -----------------------------------------------------------------


def _bind_iota(d: Operand, n: Operand, s: Operand) -> Run:
    """1 x n: s, s + 1, ..."""
    if d.array.size == 0:
        return nothing
    kind, fraction = d.kind, FRACTION[s.kind]
    take = s.array[:1, :1].item

    def run() -> int:
        count = min(numbers(n)[0], d.cols)
        part = fitted(d, 1, count)
        start = take()
        for rows, cols in blocks(1, count):
            value = np.arange(cols.start, cols.stop, dtype=np.int64).reshape(1, -1)
            if fraction:
                value <<= fraction
            value += start
            store(part.array[rows, cols], value, fraction, kind)
        return spread(d, part, nothing)()

    return run


def _bind_order(d: Operand, a: Operand) -> Run:
    """The stable ascending permutation of each row: sorts (value, column) pairs in 64 bits."""
    part = fitted(d, a.rows, a.cols)
    out, x, kind = part.array, a.array, d.kind
    if out.size == 0:
        return nothing
    rows, cols = x.shape
    step = max(1, BLOCK // cols)
    columns = np.arange(cols, dtype=np.int64)

    def run() -> int:
        for row in range(0, rows, step):
            pair = x[row : row + step].astype(np.int64)
            pair <<= 32
            pair += columns
            pair.sort(axis=1)
            pair &= 0xFFFFFFFF
            store(out[row : row + step], pair, 0, kind)
        return -1

    return spread(d, part, run)


def _bind_index(d: Operand, a: Operand, b: Operand) -> Run:
    """For each row of b the first equal row of a, or -1."""
    part = fitted(d, 1, b.rows)
    out, x, y, kind = part.array, a.array, b.array, d.kind
    if out.size == 0:
        return nothing
    shift = FRACTION[a.kind], FRACTION[b.kind]

    def run() -> int:
        found = first_equal_rows(x, shift[0], y, shift[1])
        store(out, found.reshape(1, -1), 0, kind)
        return -1

    return spread(d, part, run)


def _bind_where(d: Operand, a: Operand) -> Run:
    """Positions of the elements that are not zero, block by block."""
    out, x, kind = d.array, a.array, d.kind
    if out.size == 0:
        return nothing

    def run() -> int:
        done = 0
        for rows, cols in blocks(*x.shape):
            found = np.flatnonzero(x[rows, cols])
            found += rows.start * x.shape[1] + cols.start
            store(out[:1, done : done + found.size], found, 0, kind)
            done += found.size
        return spread(d, fitted(d, 1, min(done, d.cols)), nothing)()

    return run


# ---- gathering -----------------------------------------------------------------------------


def _lookup(x: np.ndarray, position: np.ndarray) -> np.ndarray:
    """Row-major elements of ``x`` at positions that all lie inside."""
    line = flat_view(x)
    if line is not None:
        return line.take(position)
    row, col = np.divmod(position, np.int64(x.shape[1]))
    found: np.ndarray = x[row, col]
    return found


def _inside(position: np.ndarray, count: int) -> np.ndarray | None:
    """Which positions lie in 0..count-1; None if all do."""
    if position.size == 0 or (position.min() >= 0 and position.max() < count):
        return None
    return (position >= 0) & (position < count)


def _bind_gather(pixel: bool, d: Operand, a: Operand, i: Operand) -> Run:
    """Elements of a by position; 0 outside."""
    part = fitted(d, i.rows, i.cols)
    out, x, count = part.array, a.array, a.array.size
    convert = converter(a, d.kind, pixel)
    if out.size == 0:
        return nothing
    if out.size == 1:
        return spread(d, part, _gather_one(out, x, i, convert))
    whole = flat_view(x)
    if whole is not None and count and out.size <= BLOCK and out.dtype == x.dtype:
        return spread(d, part, _gather_block(out, whole, i, convert))

    def run() -> int:
        where = floors(i)
        if count == 0:
            out[...] = 0
            return -1
        line = x
        if flat_view(x) is None and count <= 2 * out.size:
            line = x.reshape(1, -1)
        for rows, cols in blocks(*out.shape):
            position = where[rows, cols]
            inside = _inside(position, count)
            if inside is not None:
                position = np.where(inside, position, 0)
            value = _lookup(line, position)
            if convert is not None:
                value = convert(value)
            if inside is not None:
                value = np.where(inside, value, 0)
            np.copyto(out[rows, cols], value, casting="unsafe")
        return -1

    return spread(d, part, run)


def _gather_block(out: np.ndarray, line: np.ndarray, i: Operand, convert: Convert | None) -> Run:
    """Few elements of a row-major line."""
    place, outside = np.empty(out.shape, np.int64), np.empty(out.shape, bool)
    beyond, count = place.view(np.uint64), np.array(line.size, np.uint64)  # below 0 is far beyond
    direct = convert is None and out.flags.c_contiguous
    found = out if direct else np.empty(out.shape, line.dtype)

    def run() -> int:
        place[...] = floors(i)
        line.take(place, None, found, "clip")
        value = found if convert is None else convert(found)
        if beyond.item(beyond.argmax()) >= line.size:
            np.greater_equal(beyond, count, outside)
            value[outside] = 0
        if not direct:
            out[...] = value
        return -1

    return run


def _gather_one(out: np.ndarray, x: np.ndarray, i: Operand, convert: Convert | None) -> Run:
    """One element of a: no arrays of positions."""
    count = x.size

    def run() -> int:
        position = floors(i).item()
        if not 0 <= position < count:
            out[0, 0] = 0
            return -1
        row, col = divmod(position, x.shape[1])
        if convert is None:
            out[0, 0] = x[row, col]
        else:
            out[...] = convert(x[row : row + 1, col : col + 1])
        return -1

    return run


def _gather_row(out: np.ndarray, x: np.ndarray, i: Operand, convert: Convert | None) -> Run:
    """One row of a."""
    count = x.shape[0]

    def run() -> int:
        position = floors(i).item()
        if not 0 <= position < count:
            out[...] = 0
            return -1
        value = x[position]
        np.copyto(out[0], value if convert is None else convert(value), casting="unsafe")
        return -1

    return run


def _bind_gather_rows(pixel: bool, d: Operand, a: Operand, i: Operand) -> Run:
    """Rows of a by number; rows of zeros outside."""
    total = i.array.size
    part = fitted(d, total, a.cols)
    out, x, count = part.array, a.array, a.rows
    convert = converter(a, d.kind, pixel)
    if out.size == 0:
        return nothing
    step = max(1, BLOCK // x.shape[1])
    if total == 1:
        return spread(d, part, _gather_row(out, x, i, convert))

    def run() -> int:
        if count == 0:
            out[...] = 0
            return -1
        where = floors(i)
        for start in range(0, total, step):
            position = elements(where, start, min(start + step, total))
            inside = _inside(position, count)
            if inside is not None:
                position = np.where(inside, position, 0)
            value = x[position]
            if convert is not None:
                value = convert(value)
            if inside is not None:
                value[~inside] = 0
            np.copyto(out[start : start + step], value, casting="unsafe")
        return -1

    return spread(d, part, run)


# ---- scattering ----------------------------------------------------------------------------


def _values(x: np.ndarray, shape: tuple[int, int], start: int, stop: int) -> np.ndarray:
    """Row-major elements start..stop-1 of x broadcast to ``shape``."""
    if x.size == 1:
        return np.broadcast_to(x.reshape(-1), (stop - start,))
    return elements(np.broadcast_to(x, shape), start, stop)


def _bind_put(pixel: bool, d: Operand, a: Operand, i: Operand) -> Run:
    """Elements of a into positions of d."""
    out, x = d.array, a.array
    shape, total, count = i.array.shape, i.array.size, d.array.size
    convert = converter(a, d.kind, pixel)
    if total == 0 or count == 0:
        return nothing
    if total == 1:
        return _put_one(out, x, i, convert)
    line = flat_view(out)

    def run() -> int:
        where = floors(i)
        for start in range(0, total, BLOCK):
            stop = min(start + BLOCK, total)
            position = elements(where, start, stop)
            value = _values(x, shape, start, stop)
            inside = _inside(position, count)
            if inside is not None:
                position, value = position[inside], value[inside]
            if convert is not None:
                value = convert(value)
            if line is not None:
                line[position] = value
            else:
                row, col = np.divmod(position, np.int64(out.shape[1]))
                out[row, col] = value
        return -1

    return run


def _put_one(out: np.ndarray, x: np.ndarray, i: Operand, convert: Convert | None) -> Run:
    """One element into d."""

    def run() -> int:
        position = floors(i).item()
        if 0 <= position < out.size:
            row, col = divmod(position, out.shape[1])
            if convert is None:
                out[row, col] = x[0, 0]
            else:
                out[row : row + 1, col : col + 1] = convert(x)
        return -1

    return run


def _bind_put_rows(pixel: bool, d: Operand, a: Operand, i: Operand) -> Run:
    """Rows of a into rows of d."""
    out, x = d.array, a.array
    total, count = i.array.size, d.rows
    convert = converter(a, d.kind, pixel)
    if total == 0 or out.size == 0:
        return nothing
    step = max(1, BLOCK // out.shape[1])
    if total == 1:

        def run_one() -> int:
            position = floors(i).item()
            if 0 <= position < count:
                out[position] = x[0] if convert is None else convert(x)[0]
            return -1

        return run_one

    def run() -> int:
        where = floors(i)
        for start in range(0, total, step):
            stop = min(start + step, total)
            position = elements(where, start, stop)
            value = x if x.shape[0] == 1 else x[start:stop]
            if convert is not None:
                value = convert(value)
            inside = _inside(position, count)
            if inside is not None:
                position = position[inside]
                value = value if value.shape[0] == 1 else value[inside]
            out[position] = value
        return -1

    return run


def _sums(
    where: np.ndarray, x: np.ndarray, shape: tuple[int, int], count: int
) -> tuple[np.ndarray | None, np.ndarray]:
    """What is added where: (positions or None for all of them, exact int64 sums).

    ``bincount`` adds in float64: at most 2^18 elements of at most 2^31 stay below 2^53, so
    every partial sum of a block is an exact integer; blocks are added in int64.
    """
    total = where.size
    if count > 4 * total:
        position = elements(where, 0, total)
        value = _values(x, shape, 0, total).astype(np.int64)
        inside = _inside(position, count)
        if inside is not None:
            position, value = position[inside], value[inside]
        touched, group = np.unique(position, return_inverse=True)
        sums = np.zeros(touched.size, np.int64)
        np.add.at(sums, group, value)
        return touched, sums
    sums = np.zeros(count, np.int64)
    block = max(BLOCK, min(count, FEW_PLACES))
    for start in range(0, total, block):
        stop = min(start + block, total)
        position = elements(where, start, stop)
        inside = _inside(position, count)
        if inside is not None:
            position = position[inside]
        if x.size == 1 and count <= FEW_PLACES:
            sums += np.bincount(position, minlength=count)
            continue
        value = _values(x, shape, start, stop)
        if inside is not None:
            value = value[inside]
        if count > FEW_PLACES:
            np.add.at(sums, position, value.astype(np.int64))
            continue
        sums += np.bincount(position, value, minlength=count).astype(np.int64)
    if x.size == 1 and count <= FEW_PLACES:
        sums *= int(x.item())
    return None, sums


def _bind_accumulate(d: Operand, a: Operand, i: Operand) -> Run:
    """Adds sums into d; both on the finer grid, finished once.

    Sums of fewer than 2^31 raw elements stay below 2^62.  Where they must be shifted to the
    grid of an X destination they are clamped first: beyond 2^40 the result saturates anyway.
    """
    out, x, kind = d.array, a.array, d.kind
    shape, total, count = i.array.shape, i.array.size, d.array.size
    if total == 0 or count == 0:
        return nothing
    own, other = FRACTION[kind], FRACTION[a.kind]

    def run() -> int:
        if total == 1:
            return _add_one(out, numbers(i)[0], int(x.item()), kind, other)
        touched, sums = _sums(floors(i), x, shape, count)
        if own > other:
            np.minimum(sums, 1 << 40, out=sums)
            np.maximum(sums, -(1 << 40), out=sums)
            sums <<= own - other
        if touched is None:
            sums = sums.reshape(out.shape)
            for rows, cols in blocks(*out.shape):
                part = out[rows, cols]
                value = part.astype(np.int64) << max(other - own, 0)
                value += sums[rows, cols]
                store(part, value, max(own, other), kind)
            return -1
        row, col = np.divmod(touched, np.int64(out.shape[1]))
        value = out[row, col].astype(np.int64) << max(other - own, 0)
        value += sums
        store(value_out := np.empty(value.shape, out.dtype), value, max(own, other), kind)
        out[row, col] = value_out
        return -1

    return run


def _add_one(out: np.ndarray, position: int, value: int, kind: str, fraction: int) -> int:
    """One element added into one place, in Python integers."""
    if not 0 <= position < out.size:
        return -1
    at = divmod(position, out.shape[1])
    own = FRACTION[kind]
    grid = max(own, fraction)
    total = (int(out[at]) << (grid - own)) + (value << (grid - fraction))
    out[at] = finish_number(total, grid, kind)
    return -1


def _bind(op: Op, pixel: bool, d: Operand, inputs: tuple[Operand, ...], literal: int) -> Run:
    """Choose by opcode."""
    char, a = op.char, inputs[0]
    if char == "I":
        return _bind_iota(d, a, inputs[1])
    if char == "o":
        return _bind_order(d, a)
    if char == "i":
        return _bind_index(d, a, inputs[1])
    if char == "w":
        return _bind_where(d, a)
    if char == "G":
        return _bind_gather(pixel, d, a, inputs[1])
    if char == "g":
        return _bind_gather_rows(pixel, d, a, inputs[1])
    if char == "P":
        return _bind_put(pixel, d, a, inputs[1])
    if char == "p":
        return _bind_put_rows(pixel, d, a, inputs[1])
    return _bind_accumulate(d, a, inputs[1])


bind = reads_first(_bind, pointwise=False)


def count(inputs: tuple[Operand, ...]) -> int:
    """How many elements of the operand of Where are not zero."""
    return int(np.count_nonzero(inputs[0].array))
