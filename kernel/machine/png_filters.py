"""Undoing the five scanline filters of PNG, for pixels of four bytes.

Sub and Up are running sums modulo 256.  Average and Paeth need the pixel to the left, so
no row of theirs can be done at once; but the pixels on an anti-diagonal are independent of
each other, so a band of rows is undone diagonal by diagonal, all rows of it together.
"""

from __future__ import annotations

import numpy as np

NONE, SUB, UP, AVERAGE, PAETH = range(5)

#: Rows that are undone together; bounds the memory for the wider numbers.
_BAND = 512


def unfilter(pixels: np.ndarray, filters: np.ndarray) -> None:
    """Undo, in place, the filters of ``pixels``.

    ``pixels``: uint8, rows x columns x 4, contiguous.  ``filters``: one number 0..4 a row.
    """
    rows = len(pixels)
    at = 0
    while at < rows:
        end = min(at + _BAND, rows)
        kinds = filters[at:end]
        above = pixels[at - 1] if at else np.zeros_like(pixels[0])
        if not kinds.any():
            pass
        elif (kinds >= AVERAGE).any():
            _by_diagonals(pixels[at:end], kinds, above)
        else:
            _by_rows(pixels[at:end], kinds, above)
        at = end


def _by_rows(band: np.ndarray, kinds: np.ndarray, above: np.ndarray) -> None:
    """Undo rows that use none, Sub or Up alone."""
    subs = np.flatnonzero(kinds == SUB)
    band[subs] = np.cumsum(band[subs], axis=1, dtype=np.uint8)
    for row in np.flatnonzero(kinds == UP):
        band[row] += band[row - 1] if row else above


def _by_diagonals(band: np.ndarray, kinds: np.ndarray, above: np.ndarray) -> None:
    """Undo rows of any filters, one anti-diagonal after the other."""
    rows, cols = band.shape[:2]
    # A border of zeros on the left and the row above make every pixel's neighbours exist.
    grid = np.zeros((rows + 1, cols + 1, 4), np.int16)
    grid[0, 1:] = above
    grid[1:, 1:] = band
    flat = grid.reshape(-1, 4)
    wide = cols + 1
    masks = [(kinds == kind)[:, None] for kind in range(5)]
    used = [bool(mask.any()) for mask in masks]
    zero = np.int16(0)
    for diagonal in range(rows + cols - 1):
        low, high = max(0, diagonal - cols + 1), min(rows, diagonal + 1)
        # Pixel (row, diagonal - row) stands at wide + 1 + diagonal + row * cols.
        first = wide + 1 + diagonal + low * cols
        count = high - low
        here = flat[first : first + (count - 1) * cols + 1 : cols]
        left = _neighbours(flat, first - 1, count, cols)
        up = _neighbours(flat, first - wide, count, cols)
        guess = np.where(masks[SUB][low:high], left, zero) if used[SUB] else zero
        if used[UP]:
            guess = np.where(masks[UP][low:high], up, guess)
        if used[AVERAGE]:
            guess = np.where(masks[AVERAGE][low:high], (left + up) >> 1, guess)
        if used[PAETH]:
            corner = _neighbours(flat, first - wide - 1, count, cols)
            guess = np.where(masks[PAETH][low:high], _paeth(left, up, corner), guess)
        np.add(here, guess, out=here)
        np.bitwise_and(here, 0xFF, out=here)
    band[:] = grid[1:, 1:]


def _neighbours(flat: np.ndarray, first: int, count: int, step: int) -> np.ndarray:
    return flat[first : first + (count - 1) * step + 1 : step]


def _paeth(left: np.ndarray, up: np.ndarray, corner: np.ndarray) -> np.ndarray:
    """Whichever of the three is nearest to left + up - corner; in that order if equal."""
    down, across = up - corner, left - corner
    to_left, to_up, to_corner = np.abs(down), np.abs(across), np.abs(down + across)
    return np.where(
        (to_left <= to_up) & (to_left <= to_corner), left, np.where(to_up <= to_corner, up, corner)
    )
