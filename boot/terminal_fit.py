"""How a picture is placed onto the pixels of a terminal."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True, slots=True)
class Grid:
    """A terminal: ``rows`` x ``cols`` cells, each of ``cell_rows`` x ``cell_cols`` pixels.

    With half blocks a cell has 2 x 1 pixels.
    """

    rows: int
    cols: int
    cell_rows: int = 2
    cell_cols: int = 1

    @property
    def pixels(self) -> tuple[int, int]:
        """Rows and columns of pixels."""
        return self.rows * self.cell_rows, self.cols * self.cell_cols


@dataclass(frozen=True, slots=True)
class Fit:
    """A picture of ``rows`` x ``cols`` shown on ``height`` x ``width`` pixels of a grid, from
    pixel ``top``, ``left``."""

    rows: int
    cols: int
    height: int
    width: int
    top: int
    left: int

    @classmethod
    def of(cls, rows: int, cols: int, grid: Grid) -> Fit:
        """As large as possible in the middle of the grid: enlarged a whole number of times, or
        made smaller in proportion."""
        high, wide = grid.pixels
        if high >= rows and wide >= cols:
            times = min(high // rows, wide // cols)
            height, width = rows * times, cols * times
        else:
            ratio = min(high / rows, wide / cols)
            height, width = max(1, int(rows * ratio)), max(1, int(cols * ratio))
        return cls(rows, cols, height, width, (high - height) // 2, (wide - width) // 2)

    def to_picture(self, y: float, x: float) -> tuple[int, int]:
        """The pixel of the picture that is shown nearest to pixel (y, x) of the grid."""
        row = int((y - self.top) * self.rows // self.height)
        col = int((x - self.left) * self.cols // self.width)
        return min(max(row, 0), self.rows - 1), min(max(col, 0), self.cols - 1)

    def place(self, picture: np.ndarray, grid: Grid) -> np.ndarray:
        """The grid's pixels with the picture on black: uint8 (rows, cols, 3)."""
        canvas = np.zeros((*grid.pixels, 3), np.uint8)
        target = canvas[self.top : self.top + self.height, self.left : self.left + self.width]
        if self.height >= self.rows:
            times = self.height // self.rows
            blocks = np.repeat(np.repeat(picture[..., :3], times, 0), times, 1)
            target[:] = blocks
        else:
            from PIL import Image

            rgb = Image.fromarray(np.ascontiguousarray(picture[..., :3]))
            target[:] = np.asarray(rgb.resize((self.width, self.height), Image.Resampling.BOX))
        return canvas
