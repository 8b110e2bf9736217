"""Pictures for tests: made by arithmetic, so that none has to be stored."""

from __future__ import annotations

import numpy as np


def photograph(rows: int = 120, cols: int = 180, seed: int = 7) -> np.ndarray:
    """A picture with what photographs have: a sky, a sun, hills, a lake and grain.

    uint8 (rows, cols, 4), opaque, the same for the same arguments.
    """
    y, x = np.mgrid[0:rows, 0:cols].astype(np.float64)
    y, x = y / max(rows - 1, 1), x / max(cols - 1, 1)
    sky = np.stack([70 + 150 * y, 110 + 90 * y, 190 - 20 * y], -1)
    sun = np.exp(-(((x - 0.7) * cols / rows) ** 2 + (y - 0.28) ** 2) * 260)[..., None]
    picture = sky * (1 - sun) + np.array([255, 236, 170.0]) * sun
    for depth, (height, colour) in enumerate(
        [(0.46, (104, 96, 140)), (0.56, (66, 88, 110)), (0.68, (38, 70, 66))]
    ):
        ridge = height + 0.06 * np.sin(x * (7 + 5 * depth) + depth * 2) + 0.02 * np.sin(x * 31)
        picture = np.where(
            (y > ridge)[..., None], np.array(colour) * (1.1 - 0.3 * y[..., None]), picture
        )
    lake = y > 0.82 + 0.01 * np.sin(x * 9)
    ripple = 18 * np.sin(y * 160 + 6 * np.sin(x * 12))[..., None]
    picture = np.where(lake[..., None], np.array([92, 124, 156]) + ripple, picture)
    grain = np.random.default_rng(seed).normal(0, 4, (rows, cols, 1))
    rgb = np.clip(picture + grain, 0, 255).astype(np.uint8)
    return np.dstack([rgb, np.full((rows, cols), 255, np.uint8)])
