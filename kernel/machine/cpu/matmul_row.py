"""One row times a matrix of quantised bytes: what a network that writes does most.

That is memory's work, so the row is cut instead of the bytes being widened much: into two rows
of digits, which are multiplied by r = q - 128 in float32.  That is exact while
|digits| * |column of r| (Euclidean) is at most 2^24: by Cauchy and Schwarz no partial sum is
greater.  While COPY_BYTES last, r is kept as float32: no instruction writes a quantised matrix.
The result is worked out modulo 2^64 where it is known to be less than 2^62.
"""

from __future__ import annotations

import weakref
from math import ceil, log2, sqrt

import numpy as np

from ..quantised import FRACTION, X_MAX, X_MIN, common_grid
from .finish import Run, clamp
from .operand import Operand

#: Inner elements up to which one row is cut into digits.
ROW_INNER = 1 << 13
#: What a row of digits times a column may come to (Euclidean); a bit is left for rounding.
ROW_REACH = 0.99 * (1 << 24)
#: Bytes of float32 copies of quantised matrices, in all processes together.
COPY_BYTES = 256 << 20
#: Bytes of a panel of columns, about: both rows of digits meet it while it is in the cache.
PANEL_BYTES = 640 << 10
#: Elements of a block of bytes whose columns are measured.
NORM_BLOCK = 1 << 20


class Copies:
    """Counts the bytes of float32 copies of quantised matrices, in all processes together."""

    bytes = 0

    @staticmethod
    def centred(weights: np.ndarray) -> list[np.ndarray] | None:
        """r = q - 128 as float32 in panels of columns, and a column of ones at its right.

        Laid out as the bytes are; None if there is no room for it.  Rows of a panel are padded with
        zeros to whole lines of the cache.
        """
        inner, cols = weights.shape
        most = max(PANEL_BYTES // (4 * inner) // 16, 1) * 16
        count = ceil((cols + 1) / most)
        width = ceil((cols + 1) / count / 16) * 16
        size = 4 * inner * width * count
        if Copies.bytes + size > COPY_BYTES:
            return None
        by_rows = weights.strides[0] >= weights.strides[1]
        panels = []
        for first in range(0, cols + 1, width):
            part = weights[:, first : first + width]
            panel = np.zeros((inner, width), np.float32, "C" if by_rows else "F")
            panel[:, : part.shape[1]] = part
            panel[:, : part.shape[1]] -= 128
            if first + width > cols:
                panel[:, cols - first] = 1
            Copies.bytes += panel.nbytes
            weakref.finalize(panel, Copies.released, panel.nbytes)
            panels.append(panel)
        return panels

    @staticmethod
    def released(size: int) -> None:
        """A copy of ``size`` bytes is gone."""
        Copies.bytes -= size


def bind_row(d: Operand, a: Operand, b: Operand, weights: np.ndarray, general: Run) -> Run:
    """One row of at most ROW_INNER elements times quantised ``weights``.

    ``general`` does what cannot be done so.
    """
    out, line, kind = d.array[0], a.array[0], d.kind
    scale, offset, exponent = common_grid(b.scale_bits, b.offset_bits)
    shift = FRACTION[a.kind] - exponent - FRACTION[kind]
    if not 0 <= shift <= 62:
        return general
    inner, cols = weights.shape
    norm = _column_norm(weights)
    # The greatest low digits that cannot pass the reach, whatever the row: 0..2^cut - 1.
    cut = int(log2(ROW_REACH / (sqrt(inner) * norm)))
    if cut < 1 or abs(scale) << cut >= 1 << 62:
        return general
    half = 1 << shift >> 1 if kind != "I" else 0
    low, high = (X_MIN, X_MAX) if kind == "X" else (0, 255)
    centre, most, most_low = 128 * scale + offset, ROW_REACH / norm, (1 << cut) * sqrt(inner)
    reach_of_norm = 1.01 * abs(scale) * norm
    whole, (upper, lower) = np.empty(inner, np.int32), np.empty((2, inner), np.float32)
    mask, by, bits = np.array((1 << cut) - 1, np.int32), np.array(cut, np.int32), np.array(shift)
    more, value = np.zeros((), np.int64), np.empty(cols, np.int64)
    #: Each panel, and where its products with both rows of digits go.
    panels: list[tuple[np.ndarray, np.ndarray, np.ndarray]] = []
    products = np.empty((2, 0), np.float32)
    terms, factors = np.empty((2, cols), np.int64), np.empty((2, cols), np.int64)
    factors[0], factors[1] = scale << cut, scale
    tried = False

    def prepare() -> bool:
        """Make the panels at the first use, if there is room."""
        nonlocal tried, products
        copy = None if tried else Copies.centred(weights)
        tried = True
        if copy is None:
            return False
        width = copy[0].shape[1]
        products = np.empty((2, width * len(copy)), np.float32)
        for number, panel in enumerate(copy):
            first, second = products[:, number * width : (number + 1) * width]
            panels.append((panel, first, second))
        return True

    def run() -> int:
        if not panels and not prepare():
            return general()
        np.right_shift(line, by, whole)
        upper[...] = whole
        size = sqrt(upper.dot(upper))
        if size > most:
            return general()
        np.bitwise_and(line, mask, whole)
        lower[...] = whole
        for panel, first, second in panels:
            np.dot(upper, panel, first)
            np.dot(lower, panel, second)
        # y = scale * (row . r) + (128 * scale + offset) * sum(row)
        total = (int(products.item(0, cols)) << cut) + int(products.item(1, cols))
        constant = centre * total + half
        reach = int(reach_of_norm * (size * (1 << cut) + most_low)) + abs(constant) + 1
        if reach >= 1 << 62:
            return general()
        terms[...] = products[:, :cols]
        np.multiply(terms, factors, terms)
        np.add(terms[0], terms[1], value)
        more[()] = constant
        np.add(value, more, value)
        np.right_shift(value, bits, value)
        if kind != "I" and not (low and reach >> shift <= high):
            clamp(value, low, high)
        out[...] = value
        return -1

    return run


def _column_norm(weights: np.ndarray) -> float:
    """At least the greatest Euclidean norm of a column of q - 128, and of a column of ones."""
    greatest = 0.0
    step = max(1, NORM_BLOCK // weights.shape[0])
    for col in range(0, weights.shape[1], step):
        r = weights[:, col : col + step].astype(np.float32)
        r -= 128
        greatest = max(greatest, float(np.square(r).sum(axis=0).max()))
    # Sums of squares below 2^24 are exact, those above right within rounding.
    return sqrt(max(1.001 * greatest, weights.shape[0]))
