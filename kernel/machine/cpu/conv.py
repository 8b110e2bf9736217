"""Convolution (correlation) with clamped or wrapped edges, exact.

A block of rows is copied into a padded buffer of the smallest integer type that holds every
partial sum (bound: greatest magnitude of a times the sum of the weights' magnitudes), and one
shifted addition is made for each tap:

* a kernel that is an integer product g * u (column) * v (row) runs as two passes; integer
  sums distribute, so that is exact, and g joins the rounding at the end;
* equal weights in a pass are sums of doubled windows: about 2 * log2(length) additions;
* taps of equal magnitude are added before they are multiplied.

Sums beyond 64 bits come from two halves of a, a = high * 2^16 + low; only when the weights
themselves sum to 2^46 or more (over 2^15 taps of 2^31) Python integers are used.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import gcd

import numpy as np

from ..isa import Op
from ..quantised import (
    FRACTION,
    finish_number,
    is_bytes,
)
from .finish import (
    Run,
    blocks,
    clamp,
    fitted,
    nothing,
    reads_first,
    spread,
    store,
    store_wide,
)
from .operand import Operand

#: Elements of a block of the result.
CONV_BLOCK = 1 << 17
#: Kernels of more taps than this are not taken apart.
LARGE_KERNEL = 1 << 18
#: Sums of weights from here up need Python integers.
WIDE_WEIGHTS = 1 << 46

#: A segment of padded coordinates: where it stands in the buffer, what of a goes there.
Segment = tuple[slice, "slice | np.ndarray"]


@dataclass(frozen=True, slots=True)
class Kernel:
    """A kernel of integer weights, taken apart: ``factor`` times column by row weights, or,
    where it is no such product, times ``taps`` (row, column, weight).  The factor is not negative;
    ``magnitude`` is the sum of the weights' magnitudes without it."""

    height: int
    width: int
    factor: int
    column: tuple[int, ...]
    row: tuple[int, ...]
    taps: tuple[tuple[int, int, int], ...]
    magnitude: int
    negative: bool


def within_reach(weights: np.ndarray, rows: int, cols: int, wrap: bool) -> np.ndarray:
    """The same kernel for an a of ``rows`` x ``cols``, no taller and wider than can matter.

    Taps that reach past every edge meet the same elements again: they are added up, so that the
    padded buffer is never larger than a few times a, however large the kernel.
    """
    for axis, size in ((0, rows), (1, cols)):
        length = weights.shape[axis]
        if length <= (size if wrap else 2 * size - 1):
            continue
        offsets = np.arange(length) - length // 2
        if wrap:
            place, room = (offsets + size // 2) % size, size
        else:
            place, room = np.clip(offsets, 1 - size, size - 1) + size - 1, 2 * size - 1
        shape = (room, weights.shape[1]) if axis == 0 else (weights.shape[0], room)
        folded = np.zeros(shape, np.int64)
        if axis == 0:
            np.add.at(folded, place, weights)
        else:
            np.add.at(folded.T, place, weights.T)
        weights = folded
    return weights


def take_apart(weights: np.ndarray) -> Kernel:
    """Analyse raw weights (h x w integers, not empty)."""
    rows: list[list[int]] = weights.tolist()
    height, width = len(rows), len(rows[0])
    factor = gcd(*(w for row in rows for w in row))
    if factor == 0:
        return Kernel(height, width, 0, (), (), (), 0, False)
    pivot = next(row for row in rows if any(row))
    line = gcd(*pivot)
    row = tuple(w // line for w in pivot)
    at = next(i for i, w in enumerate(row) if w)
    column = tuple(w[at] // row[at] for w in rows)
    separable = all(
        w == c * v
        for c, weights_row in zip(column, rows, strict=True)
        for w, v in zip(weights_row, row, strict=True)
    )
    if separable and height * width > 1:
        column = tuple(c // factor for c in column)
        magnitude = sum(map(abs, column)) * sum(map(abs, row))
        negative = min(column) < 0 or min(row) < 0
        return Kernel(height, width, factor, column, row, (), magnitude, negative)
    taps = tuple(
        (u, v, w // factor)
        for u, line_weights in enumerate(rows)
        for v, w in enumerate(line_weights)
        if w
    )
    magnitude = sum(abs(w) for _, _, w in taps)
    return Kernel(height, width, factor, (), (), taps, magnitude, any(w < 0 for _, _, w in taps))


# ---- passes ----------------------------------------------------------------------------------


def _window_sums(buffer: np.ndarray, axis: int, step: int, length: int, size: int) -> np.ndarray:
    """Sums of ``length`` elements ``step`` apart along ``axis``; ``size`` elements remain."""

    def span(array: np.ndarray, start: int, stop: int) -> np.ndarray:
        return array[start:stop] if axis == 0 else array[:, start:stop]

    total: np.ndarray | None = None
    doubled, width, offset = buffer, 1, 0
    while True:
        if length & width:
            part = span(doubled, offset * step, offset * step + size)
            total = part if total is None else total + part
            offset += width
        if 2 * width > length:
            return total if total is not None else doubled
        reach = doubled.shape[axis] - width * step
        doubled = span(doubled, 0, reach) + span(doubled, width * step, width * step + reach)
        width *= 2


def _combine(parts: list[tuple[np.ndarray, int]]) -> np.ndarray:
    """The sum of weight * part, equal magnitudes added first; weights are not 0."""
    groups: dict[int, list[tuple[np.ndarray, bool]]] = {}
    for part, weight in parts:
        groups.setdefault(abs(weight), []).append((part, weight < 0))
    total: np.ndarray | None = None
    for magnitude, members in groups.items():
        members.sort(key=lambda member: member[1])
        first, negative = members[0]
        value = -first if negative else first
        fresh = negative
        for part, minus in members[1:]:
            ufunc = np.subtract if minus else np.add
            value = ufunc(value, part, out=value) if fresh else ufunc(value, part)
            fresh = True
        if magnitude != 1:
            value = np.multiply(value, magnitude, out=value) if fresh else value * magnitude
            fresh = True
        if total is None:
            total = value if fresh or len(groups) == 1 else value.copy()
        else:
            np.add(total, value, out=total)
    if total is None:
        raise ValueError("a pass needs at least one weight that is not zero")
    return total


def _pass(
    buffer: np.ndarray, weights: tuple[int, ...], axis: int, step: int, size: int
) -> np.ndarray:
    """One separable pass: element j is the sum of weights[k] * buffer[j + k * step]."""
    if len(weights) > 3 and all(w == 1 for w in weights):
        return _window_sums(buffer, axis, step, len(weights), size)
    parts = [
        (
            buffer[k * step : k * step + size]
            if axis == 0
            else buffer[:, k * step : k * step + size],
            weight,
        )
        for k, weight in enumerate(weights)
        if weight
    ]
    return _combine(parts)


def _apply(kernel: Kernel, buffer: np.ndarray, rows: int, cols: int, channels: int) -> np.ndarray:
    """Sums over the kernel, without its factor, for a padded buffer: rows x cols elements."""
    if kernel.taps:
        parts = [
            (buffer[u : u + rows, v * channels : v * channels + cols], weight)
            for u, v, weight in kernel.taps
        ]
        return _combine(parts)
    across = _pass(buffer, kernel.row, 1, channels, cols)
    return _pass(across, kernel.column, 0, 1, rows)


# ---- blocks and edges ------------------------------------------------------------------------


def _segments(start: int, stop: int, size: int, wrap: bool) -> list[Segment]:
    """Coordinates start..stop-1 of an axis of ``size``, clamped or wrapped into it."""
    low, high = max(start, 0), min(stop, size)
    found: list[Segment] = []
    for first, last in ((start, min(low, stop)), (max(high, start), stop)):
        if first < last:
            outside = np.arange(first, last)
            index = outside % size if wrap else np.minimum(np.maximum(outside, 0), size - 1)
            found.append((slice(first - start, last - start), index))
    if low < high:
        found.append((slice(low - start, high - start), slice(low, high)))
    return found


@dataclass(frozen=True, slots=True)
class Block:
    """A block of the result: where it goes, its padded size, what fills it along each axis."""

    target: np.ndarray
    height: int
    width: int
    down: list[Segment]
    along: list[Segment]

    def padded(self, pixels: np.ndarray, dtype: type) -> np.ndarray:
        """The part of ``pixels`` (rows x cols x channels) that the block needs, edges filled."""
        buffer: np.ndarray = np.empty((self.height, self.width, pixels.shape[2]), dtype)
        for down, source_rows in self.down:
            band = pixels[source_rows]
            for along, source_cols in self.along:
                buffer[down, along] = band[:, source_cols]
        return buffer.reshape(self.height, -1)


def cut_blocks(
    out: np.ndarray, rows: int, cols: int, channels: int, kernel: Kernel, wrap: bool
) -> list[Block]:
    """The blocks in which ``out`` (rows x cols pixels) is made."""
    up, left = kernel.height // 2, kernel.width // 2
    # The halo of a block should be a small part of it, and the block should fit the cache.
    wanted = 8 * kernel.height if kernel.height > 1 else 1
    row_step = min(rows, max(CONV_BLOCK // (cols * channels), wanted))
    col_step = min(cols, max(CONV_BLOCK // (row_step * channels), 8 * kernel.width))
    found = []
    for row in range(0, rows, row_step):
        row_stop = min(row + row_step, rows)
        height = row_stop - row + kernel.height - 1
        down = _segments(row - up, row - up + height, rows, wrap)
        for col in range(0, cols, col_step):
            col_stop = min(col + col_step, cols)
            width = col_stop - col + kernel.width - 1
            along = _segments(col - left, col - left + width, cols, wrap)
            target = out[row:row_stop, col * channels : col_stop * channels]
            found.append(Block(target, height, width, down, along))
    return found


def _finish_narrow(
    out: np.ndarray, total: np.ndarray, factor: int, bound: int, fraction: int, kind: str
) -> None:
    """Finish total * factor / 2**fraction, whose numerator is at most ``bound`` in magnitude."""
    dtype = np.int32 if bound < 1 << 30 and fraction <= 30 else np.int64
    if kind == "I" or (is_bytes(kind) and dtype is np.int32):
        if fraction == 0 and factor == 1 and kind == "I":
            value = total
        else:
            value = total.astype(dtype)
            if factor != 1:
                value *= factor
        if fraction:
            if kind != "I":
                value += 1 << (fraction - 1)
            value >>= fraction
        if kind != "I":
            clamp(value, 0, 255)
        np.copyto(out, value, casting="unsafe")
        return
    value = total.astype(np.int64)
    if factor != 1:
        value *= factor
    store(out, value, fraction, kind)


def _sum_type(reach: int, negative: bool) -> type:
    """The smallest integer type for sums of magnitude at most ``reach``."""
    if not negative and reach < 1 << 16:
        return np.uint16
    if reach < 1 << 15:
        return np.int16
    return np.int32 if reach < 1 << 31 else np.int64


def _bind(op: Op, pixel: bool, d: Operand, inputs: tuple[Operand, ...], literal: int) -> Run:
    """Blocks of a, one plan for each kernel met."""
    a, b = inputs
    part = fitted(d, a.rows, a.cols)
    if part.array.size == 0:
        return nothing
    channels = 4 if a.kind == "P" else 1
    pixels = a.array.reshape(a.rows, a.cols // channels, channels)
    wrap = op.char == "k"
    fraction = FRACTION[a.kind] + FRACTION[b.kind]
    known: list[tuple[bytes, Kernel, list[Block]]] = []

    def run() -> int:
        if b.array.size == 0:
            part.array[...] = 0
            return -1
        if b.array.size > LARGE_KERNEL:
            convolve_large(part.array, pixels, b.array, wrap, fraction, d.kind)
            return -1
        key = b.array.tobytes()
        if not known or known[0][0] != key:
            kernel = take_apart(within_reach(b.array, a.rows, a.cols // channels, wrap))
            known[:] = [(key, kernel, cut_blocks(part.array, *pixels.shape, kernel, wrap))]
        _, kernel, pieces = known[0]
        if kernel.factor == 0:
            part.array[...] = 0
            return -1
        _convolve(pieces, pixels, kernel, fraction, d.kind)
        return -1

    return spread(d, part, run)


def _convolve(
    pieces: list[Block], pixels: np.ndarray, kernel: Kernel, fraction: int, kind: str
) -> None:
    """Block by block: pad, add, finish."""
    channels = pixels.shape[2]
    factor = kernel.factor
    negative = kernel.negative
    most = 255
    if pixels.dtype != np.uint8:
        low = int(pixels.min())
        negative = negative or low < 0
        most = max(int(pixels.max()), -low, 1)  # at least 1, so that the weights fit as well
    reach = most * kernel.magnitude
    bound = reach * factor
    dtype = _sum_type(reach, negative)
    for block in pieces:
        target = block.target
        size = target.shape[0], target.shape[1], channels
        if bound < 1 << 63:
            total = _apply(kernel, block.padded(pixels, dtype), *size)
            _finish_narrow(target, total, factor, bound, fraction, kind)
        elif kernel.magnitude * factor < WIDE_WEIGHTS:
            buffer = block.padded(pixels, np.int64)
            high = _apply(kernel, buffer >> 16, *size) * factor
            low_half = _apply(kernel, buffer & 0xFFFF, *size) * factor
            store_wide(target, high + (low_half >> 16), low_half & 0xFFFF, 16, fraction, kind)
        else:
            buffer = block.padded(pixels, object)
            exact = (_apply(kernel, buffer, *size) * factor).ravel().tolist()
            finished = [finish_number(int(x), fraction, kind) for x in exact]
            target[...] = np.array(finished, np.int64).reshape(target.shape)


def convolve_large(
    out: np.ndarray, pixels: np.ndarray, weights: np.ndarray, wrap: bool, fraction: int, kind: str
) -> None:
    """A kernel too large to be taken apart: element by element, the kernel in blocks.

    Sums of a block: 2^16 taps of |weight| <= 2^31 times a half of an element below 2^16 stay
    below 2^63; blocks are added as Python integers.
    """
    rows, cols, channels = pixels.shape
    height, width = weights.shape

    def places(start: int, part: slice, size: int) -> np.ndarray:
        at = np.arange(start + part.start, start + part.stop)
        return at % size if wrap else np.minimum(np.maximum(at, 0), size - 1)

    for y, x, channel in np.ndindex(rows, cols, channels):
        total = 0
        for down, along in blocks(height, width):
            lines = places(y - height // 2, down, rows)[:, None]
            taps = pixels[lines, places(x - width // 2, along, cols), channel].astype(np.int64)
            part = weights[down, along]
            total += int(((taps >> 16) * part).sum()) << 16
            total += int(((taps & 0xFFFF) * part).sum())
        out[y, x * channels + channel] = finish_number(total, fraction, kind)


bind = reads_first(_bind, pointwise=False)
