"""Select, Reshape, Transpose, Beside and Below: elements move, converted if kinds differ."""

from __future__ import annotations

import numpy as np

from ..isa import Op
from .finish import (
    BLOCK,
    Convert,
    Run,
    blocks,
    blockwise,
    converter,
    cut,
    elements,
    fitted,
    nothing,
    numbers,
    reads_first,
    spread,
)
from .operand import Operand

#: Side of the squares in which large matrices are transposed.
SQUARE = 128
#: Up to this size assigning under a mask beats choosing and assigning all.
SMALL_SELECT = 256


def put(out: np.ndarray, source: np.ndarray, convert: Convert | None) -> None:
    """``out = source`` broadcast, converted block by block."""
    if convert is None:
        np.copyto(out, source, casting="unsafe")
    elif source.size <= BLOCK:
        out[...] = convert(source)
    else:
        for rows, cols in blocks(*out.shape):
            out[rows, cols] = convert(cut(source, rows, cols))


def _bind_select(pixel: bool, d: Operand, c: Operand, a: Operand) -> Run:
    """Where c is not zero, d becomes a."""
    out, where, x = d.array, c.array, a.array
    if out.size == 0:
        return nothing
    convert = converter(a, d.kind, pixel)
    if pixel:
        x = x.view(np.uint32)

    def step(part: np.ndarray, mask: np.ndarray, source: np.ndarray) -> None:
        value = source if convert is None else convert(source)
        if part.size <= SMALL_SELECT:
            np.copyto(part, value, where=mask != 0, casting="unsafe")
        else:
            np.copyto(part, np.where(mask != 0, value, part), casting="unsafe")

    return blockwise(step, out, where, x)


def reshaped_shape(count: int, sizes: list[int]) -> tuple[int, int]:
    """The shape that Reshape makes of ``count`` elements; -1 infers one dimension."""
    rows, cols = sizes
    if rows == -1:
        rows = count // cols if cols else 0
    elif cols == -1:
        cols = count // rows if rows else 0
    return rows, cols


def _cycle(out: np.ndarray, x: np.ndarray, convert: Convert | None) -> None:
    """Fill ``out`` row-major with the elements of ``x``, again and again."""
    count = x.size
    if count == 0:
        out[...] = 0
        return
    if count < min(out.size, BLOCK):
        # A short source is repeated until a block can be cut from it at any start.
        line = elements(x, 0, count)
        line = line if convert is None else convert(line)
        if count == 1:
            out[...] = line[0]
            return
        x = np.tile(line, min(out.size, BLOCK) // count + 2).reshape(1, -1)
        convert = None
        period = count
    else:
        period = 0
    for rows, cols in blocks(*out.shape):
        start = rows.start * out.shape[1] + cols.start
        part = out[rows, cols]
        if period:
            first = start % period
            part[...] = elements(x, first, first + part.size).reshape(part.shape)
            continue
        first = start % count
        stop = first + part.size
        if stop <= count:
            line = elements(x, first, stop)
        else:
            # At least a block long, so it runs out at most once within a block.
            line = np.concatenate((elements(x, first, count), elements(x, 0, stop - count)))
        part[...] = (line if convert is None else convert(line)).reshape(part.shape)


def _bind_reshape(pixel: bool, d: Operand, a: Operand, s: Operand) -> Run:
    """Row-major elements of a in a new shape, which s names when it runs."""
    out, x = d.array, a.array
    if out.size == 0:
        return nothing
    convert = converter(a, d.kind, pixel)

    def run() -> int:
        rows, cols = reshaped_shape(x.size, numbers(s))
        part = fitted(d, min(rows, d.rows), min(cols, d.cols))
        if part.array.shape == x.shape:
            put(part.array, x, convert)
        else:
            _cycle(part.array, x, convert)
        return spread(d, part, nothing)()

    return run


def _bind_transpose(pixel: bool, d: Operand, a: Operand) -> Run:
    """Swap rows and columns, in squares that fit the cache."""
    part = fitted(d, a.cols, a.rows)
    out, turned = part.array, a.array.T
    convert = converter(a, d.kind, pixel)
    if out.size == 0:
        return nothing
    if out.size <= SQUARE * SQUARE or 1 in out.shape:

        def run_small() -> int:
            put(out, turned, convert)
            return -1

        return spread(d, part, run_small)

    def run() -> int:
        for row in range(0, out.shape[0], SQUARE):
            for col in range(0, out.shape[1], SQUARE):
                square = turned[row : row + SQUARE, col : col + SQUARE]
                value = square if convert is None else convert(square)
                out[row : row + SQUARE, col : col + SQUARE] = value
        return -1

    return spread(d, part, run)


def joined_shape(char: str, a: Operand, b: Operand) -> tuple[int, int]:
    """The shape of a and b side by side (``,``) or one under the other (``;``)."""
    if a.array.shape == (0, 0):
        return b.rows, b.cols
    if b.array.shape == (0, 0):
        return a.rows, a.cols
    if char == ",":
        return (b.rows if a.rows == 1 else a.rows), a.cols + b.cols
    return a.rows + b.rows, (b.cols if a.cols == 1 else a.cols)


def _bind_join(char: str, pixel: bool, d: Operand, a: Operand, b: Operand) -> Run:
    """Two assignments into two parts of d."""
    part = fitted(d, *joined_shape(char, a, b))
    out = part.array
    if out.size == 0:
        return nothing
    if char == ",":
        first, second = out[:, : a.cols], out[:, a.cols :]
    else:
        first, second = out[: a.rows], out[a.rows :]
    x, y = a.array, b.array
    to_first, to_second = converter(a, d.kind, pixel), converter(b, d.kind, pixel)

    def run() -> int:
        if first.size:
            put(first, x, to_first)
        if second.size:
            put(second, y, to_second)
        return -1

    return spread(d, part, run)


def _bind(op: Op, pixel: bool, d: Operand, inputs: tuple[Operand, ...], literal: int) -> Run:
    """Choose by opcode."""
    if op.char == "?":
        return _bind_select(pixel, d, inputs[0], inputs[1])
    if op.char == "r":
        return _bind_reshape(pixel, d, inputs[0], inputs[1])
    if op.char == "T":
        return _bind_transpose(pixel, d, inputs[0])
    return _bind_join(op.char, pixel, d, inputs[0], inputs[1])


_moving = reads_first(_bind, pointwise=False)
_selecting = reads_first(_bind, pointwise=True)


def _starts_alike(d: Operand, a: Operand) -> bool:
    """Whether a is the first part of d, element for element, in memory as in the result."""
    x, out = a.array, d.array
    return (
        a.kind == d.kind
        and x.dtype == out.dtype
        and x.__array_interface__["data"][0] == out.__array_interface__["data"][0]
        and (x.shape[0] <= 1 or x.strides[0] == out.strides[0])
        and (x.shape[1] <= 1 or x.strides[1] == out.strides[1])
    )


def bind(op: Op, pixel: bool, d: Operand, inputs: tuple[Operand, ...], literal: int) -> Run:
    """The family's Binder.  ``; d d x`` leaves the rows that are in place where they are."""
    if op.char == "?":
        return _selecting(op, pixel, d, inputs, literal)
    if op.char in ",;" and d.array.size:
        a, b = inputs
        in_place = (a.overlaps or a.same) and _starts_alike(d, a) and not (b.overlaps or b.same)
        shape = joined_shape(op.char, a, b)
        stretched = a.array.size and (a.cols != shape[1] if op.char == ";" else a.rows != shape[0])
        if in_place and shape == d.array.shape and not stretched:
            return _bind(op, pixel, d, (a._replace(overlaps=False, same=False), b), literal)
    return _moving(op, pixel, d, inputs, literal)
