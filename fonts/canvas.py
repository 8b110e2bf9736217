"""A small canvas of palette colours on which the icons are drawn.

Pixels hold a number 0..15 of the palette "pxos 16" or ``CLEAR``.  Coordinates are
(row, column); curves take their centres and radii in pixels and fill every pixel whose
middle they contain.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise

import numpy as np

from .palette import PALETTE

#: The transparent colour.
CLEAR = -1

Point = tuple[float, float]

INK, NIGHT, SLATE, FOG, SILVER, PAPER, RED, ORANGE = range(8)
YELLOW, LIME, GREEN, TEAL, BLUE, INDIGO, PINK, BROWN = range(8, 16)

#: What a colour turns into where the light from the top left falls, and where it does not.
LIGHTER = (
    SLATE,
    SLATE,
    FOG,
    SILVER,
    PAPER,
    PAPER,
    PINK,
    YELLOW,
    PAPER,
    YELLOW,
    LIME,
    SILVER,
    SILVER,
    PINK,
    PAPER,
    ORANGE,
)
DARKER = (
    INK,
    INK,
    NIGHT,
    SLATE,
    FOG,
    SILVER,
    BROWN,
    RED,
    ORANGE,
    GREEN,
    TEAL,
    BLUE,
    INDIGO,
    SLATE,
    INDIGO,
    SLATE,
)


class Canvas:
    """A picture of ``rows`` x ``cols`` palette numbers, at first ``CLEAR``."""

    def __init__(self, rows: int = 32, cols: int = 32) -> None:
        self.pixels = np.full((rows, cols), CLEAR, np.int8)
        row, col = np.indices((rows, cols))
        self._row, self._col = row + 0.5, col + 0.5

    # ---- shapes --------------------------------------------------------------------------

    def fill(self, where: np.ndarray, colour: int) -> None:
        """Colours the pixels of a mask."""
        self.pixels[where] = colour

    def dot(self, row: int, col: int, colour: int) -> None:
        """Colours one pixel; outside the canvas nothing happens."""
        if 0 <= row < self.pixels.shape[0] and 0 <= col < self.pixels.shape[1]:
            self.pixels[row, col] = colour

    def rect(self, row: int, col: int, rows: int, cols: int, colour: int) -> None:
        """A filled rectangle."""
        self.pixels[max(row, 0) : row + rows, max(col, 0) : col + cols] = colour

    def rounded(self, row: int, col: int, rows: int, cols: int, radius: float, colour: int) -> None:
        """A filled rectangle with round corners."""
        # Distances from the rectangle of the corners' centres; nothing beyond 0..radius is in.
        down = np.maximum(row + radius - self._row, self._row - (row + rows - radius))
        right = np.maximum(col + radius - self._col, self._col - (col + cols - radius))
        inside = (down <= radius) & (right <= radius)
        corner = np.maximum(down, 0) ** 2 + np.maximum(right, 0) ** 2
        self.fill(inside & (corner <= radius**2), colour)

    def disc_mask(self, row: float, col: float, radius: float, tall: float = 1.0) -> np.ndarray:
        """The pixels of a disc, or of an ellipse ``tall`` times as high as wide."""
        return ((self._row - row) / tall) ** 2 + (self._col - col) ** 2 <= radius**2

    def disc(self, row: float, col: float, radius: float, colour: int, tall: float = 1.0) -> None:
        """A filled disc or ellipse."""
        self.fill(self.disc_mask(row, col, radius, tall), colour)

    def polygon(self, points: Sequence[Point], colour: int) -> None:
        """A filled polygon (even-odd)."""
        inside = np.zeros(self.pixels.shape, bool)
        for (r0, c0), (r1, c1) in zip(points, [*points[1:], points[0]], strict=True):
            if r0 == r1:
                continue
            crosses = (self._row >= min(r0, r1)) & (self._row < max(r0, r1))
            inside ^= crosses & (self._col > c0 + (self._row - r0) * (c1 - c0) / (r1 - r0))
        self.fill(inside, colour)

    def stroke(self, points: Sequence[Point], width: float, colour: int) -> None:
        """A line through points with round ends, ``width`` pixels thick."""
        for (r0, c0), (r1, c1) in pairwise(points):
            length = (r1 - r0) ** 2 + (c1 - c0) ** 2
            along = ((self._row - r0) * (r1 - r0) + (self._col - c0) * (c1 - c0)) / (length or 1.0)
            along = np.clip(along, 0, 1)
            row, col = r0 + along * (r1 - r0), c0 + along * (c1 - c0)
            self.fill((self._row - row) ** 2 + (self._col - col) ** 2 <= (width / 2) ** 2, colour)

    def stamp(self, row: int, col: int, art: str, legend: Mapping[str, int]) -> None:
        """Rows of characters, blank-separated, each a colour of the legend; ``.`` is kept."""
        for down, line in enumerate(art.split()):
            for right, char in enumerate(line):
                if char != ".":
                    self.dot(row + down, col + right, legend[char])

    # ---- light and composition -----------------------------------------------------------

    def lit(self) -> Canvas:
        """This canvas with its shapes lit from the top left: a light edge and a dark one."""
        result = Canvas(*self.pixels.shape)
        result.pixels[...] = self.pixels
        padded = np.pad(self.pixels, 1, constant_values=CLEAR)
        solid = self.pixels != CLEAR
        bright = solid & ((padded[:-2, 1:-1] == CLEAR) | (padded[1:-1, :-2] == CLEAR))
        dark = solid & ((padded[2:, 1:-1] == CLEAR) | (padded[1:-1, 2:] == CLEAR))
        result.pixels[dark] = np.array(DARKER, np.int8)[self.pixels[dark]]
        only = bright & ~dark
        result.pixels[only] = np.array(LIGHTER, np.int8)[self.pixels[only]]
        return result

    def outlined(self, colour: int = INK) -> Canvas:
        """This canvas with a one-pixel line around everything on it."""
        result = Canvas(*self.pixels.shape)
        result.pixels[...] = self.pixels
        solid = np.pad(self.pixels != CLEAR, 1)
        near = solid[:-2, 1:-1] | solid[2:, 1:-1] | solid[1:-1, :-2] | solid[1:-1, 2:]
        result.pixels[near & (self.pixels == CLEAR)] = colour
        return result

    def paste(self, other: Canvas) -> None:
        """Lays another canvas of the same size over this one."""
        self.fill_from(other, other.pixels != CLEAR)

    def fill_from(self, other: Canvas, where: np.ndarray) -> None:
        """Takes the pixels of a mask from another canvas."""
        self.pixels[where] = other.pixels[where]

    def picture(self) -> np.ndarray:
        """As a picture: uint8 (rows, cols, 4), clear pixels transparent black."""
        colours = np.array([(c.red, c.green, c.blue, 255) for c in PALETTE] + [(0, 0, 0, 0)])
        return colours.astype(np.uint8)[self.pixels]
