"""Pictures of digits as somebody else might have written them: turned, stretched, moved, bolder."""

from __future__ import annotations

import numpy as np

#: Greatest turn (radians), shear, stretch (a factor's logarithm) and move (cells).
TURN, SHEAR, STRETCH, MOVE = 0.17, 0.15, 0.12, 0.7
#: How far strokes grow towards their neighbours at most, and shrink.
BOLDER, THINNER = 0.5, 0.2
#: Exponent of the ink (a factor's logarithm): how hard the pen was.
INK = 0.35


def augmented(pictures: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """float32 (n, side, side) pictures of ink, 0 to 1, each changed by chance; the shape stays."""
    n = len(pictures)
    moved = sample(pictures, *_places(n, pictures.shape[1], rng))
    change = rng.uniform(-THINNER, BOLDER, (n, 1, 1))
    around = _around(moved)
    grown = moved + np.maximum(change, 0) * (around.max(axis=0) - moved)
    shrunk = grown + np.minimum(change, 0) * (moved - around.min(axis=0))
    ink = np.clip(shrunk, 0, 1) ** np.exp(rng.uniform(-INK, INK, (n, 1, 1)))
    result: np.ndarray = ink.astype(np.float32)
    return result


def _places(n: int, side: int, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Where each cell of n new pictures comes from: rows and columns, (n, side, side)."""
    turn = rng.uniform(-TURN, TURN, (n, 1, 1))
    shear = rng.uniform(-SHEAR, SHEAR, (n, 1, 1))
    high, wide = np.exp(rng.uniform(-STRETCH, STRETCH, (2, n, 1, 1)))
    down, right = rng.uniform(-MOVE, MOVE, (2, n, 1, 1))
    middle = (side - 1) / 2
    row, column = np.mgrid[0:side, 0:side] - middle
    cosine, sine = np.cos(turn), np.sin(turn)
    rows = (cosine * row - sine * column) * high + middle + down
    columns = (sine * row + cosine * column) * wide + shear * row + middle + right
    return rows, columns


def sample(pictures: np.ndarray, rows: np.ndarray, columns: np.ndarray) -> np.ndarray:
    """Pictures (n, side, side) read at fractional places (n, side, side), between their four
    neighbours; outside there is no ink."""
    n, side = pictures.shape[:2]
    framed = np.pad(pictures, ((0, 0), (1, 2), (1, 2)))
    rows, columns = (np.clip(part + 1, 0, side + 1) for part in (rows, columns))
    top, left = rows.astype(np.int64), columns.astype(np.int64)
    down, right = rows - top, columns - left
    at = np.arange(n)[:, None, None]
    upper = framed[at, top, left] * (1 - right) + framed[at, top, left + 1] * right
    lower = framed[at, top + 1, left] * (1 - right) + framed[at, top + 1, left + 1] * right
    result: np.ndarray = upper * (1 - down) + lower * down
    return result


def _around(pictures: np.ndarray) -> np.ndarray:
    """Each cell and its four neighbours: (5, n, side, side)."""
    framed = np.pad(pictures, ((0, 0), (1, 1), (1, 1)))
    return np.stack(
        [
            pictures,
            framed[:, :-2, 1:-1],
            framed[:, 2:, 1:-1],
            framed[:, 1:-1, :-2],
            framed[:, 1:-1, 2:],
        ]
    )
