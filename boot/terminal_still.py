"""A picture printed into the flow of a terminal, in half blocks of 24-bit colour."""

from __future__ import annotations

import numpy as np

from .terminal_fit import Fit, Grid
from .terminal_graphics import half_block_row


def still(picture: np.ndarray, rows: int, cols: int) -> bytes:
    """The picture in at most ``rows`` x ``cols`` cells, never enlarged, a line for each row of
    cells; transparent parts are laid over black."""
    alpha = picture[..., 3:].astype(np.uint16)
    flat = picture.copy()
    flat[..., :3] = (picture[..., :3] * alpha + 127) // 255
    high, wide = picture.shape[:2]
    grid = Grid(max(1, min(rows, -(-high // 2))), max(1, min(cols, wide)))
    fit = Fit.of(high, wide, grid)
    tight = Grid(-(-fit.height // 2), fit.width)
    pixels = Fit(high, wide, fit.height, fit.width, 0, 0).place(flat, tight)
    strips = pixels.reshape(tight.rows, 2, tight.cols, 3)
    return b"".join(half_block_row(strip) + b"\x1b[0m\n" for strip in strips)
