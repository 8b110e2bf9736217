"""Digits drawn with strokes, as in a paint program, and how a drawing becomes cells.

The data's digits were written with a broad pen and stretched; a 1 that is one thin line is not
among them, nor a 4 that is closed on top.  These are.
"""

from __future__ import annotations

import numpy as np

SIDE = 8
#: Cells are counted on a bitmap of so many dots a cell in each direction, as the data's were.
DOTS = 4
#: Widest that a digit becomes, in cells.
WIDE = 6.0
#: How broad pens are, in cells.
PENS = (0.5, 1.9)
#: Greatest turn (radians), shear, and the range of widths against the pattern's.
TURN, SHEAR, NARROWEST, WIDEST = 0.17, 0.25, 0.65, 1.15
#: How far points stray from the pattern, its height being 1.
STRAY = 0.018


def _line(*points: tuple[float, float]) -> np.ndarray:
    return np.array(points, float)


def _arc(x: float, y: float, wide: float, high: float, begin: int, end: int) -> np.ndarray:
    """Part of an ellipse by its middle and radii; degrees grow clockwise from the right."""
    angle = np.radians(np.linspace(begin, end, max(abs(end - begin) // 24, 4)))
    return np.stack([x + wide * np.cos(angle), y + high * np.sin(angle)], axis=1)


def _patterns() -> list[list[list[np.ndarray]]]:
    """The ways to write each digit, lists of strokes: points (x right, y down), 0 to 1."""
    bow = _arc(0.5, 0.3, 0.28, 0.25, 185, 395)
    stem = _line((0.55, 0.05), (0.55, 0.95))
    flag = _line((0.3, 0.28), (0.55, 0.05))
    lower = _arc(0.45, 0.72, 0.32, 0.23, -90, 160)
    ring = _arc(0.47, 0.3, 0.25, 0.25, 0, 360)
    return [
        [[_arc(0.5, 0.5, 0.3, 0.45, 0, 360)], [_arc(0.5, 0.5, 0.3, 0.45, -80, 290)]],
        [
            [stem],
            [np.vstack([flag, stem])],
            [np.vstack([flag, stem]), _line((0.3, 0.95), (0.8, 0.95))],
        ],
        [
            [np.vstack([bow, _line((0.2, 0.95), (0.8, 0.95))])],
            [np.vstack([bow, _line((0.25, 0.9), (0.5, 0.86), (0.85, 0.95))])],
        ],
        [
            [_arc(0.45, 0.28, 0.28, 0.23, 200, 450), lower],
            [_line((0.2, 0.05), (0.75, 0.05), (0.45, 0.45)), lower],
        ],
        [
            [_line((0.62, 0.95), (0.62, 0.05), (0.15, 0.65), (0.88, 0.65))],
            [_line((0.25, 0.05), (0.2, 0.5), (0.8, 0.5)), _line((0.7, 0.05), (0.7, 0.95))],
            [_line((0.45, 0.05), (0.15, 0.6), (0.85, 0.6)), _line((0.6, 0.35), (0.6, 0.95))],
        ],
        [
            [
                np.vstack(
                    [_line((0.27, 0.05), (0.25, 0.45)), _arc(0.45, 0.68, 0.3, 0.27, -115, 140)]
                ),
                _line((0.27, 0.05), (0.78, 0.05)),
            ]
        ],
        [
            [
                np.vstack(
                    [_line((0.65, 0.05), (0.35, 0.35)), _arc(0.47, 0.7, 0.27, 0.25, 180, -180)]
                )
            ],
            [np.vstack([_line((0.3, 0.05), (0.2, 0.45)), _arc(0.47, 0.7, 0.27, 0.25, 180, -180)])],
        ],
        [
            [_line((0.2, 0.05), (0.8, 0.05), (0.4, 0.95))],
            [_line((0.2, 0.05), (0.8, 0.05), (0.4, 0.95)), _line((0.35, 0.5), (0.78, 0.5))],
            [_line((0.2, 0.2), (0.2, 0.05), (0.8, 0.05), (0.6, 0.4), (0.5, 0.95))],
        ],
        [
            [_arc(0.5, 0.27, 0.23, 0.22, 0, 360), _arc(0.5, 0.72, 0.29, 0.24, 0, 360)],
            [
                np.vstack(
                    [_arc(0.5, 0.27, 0.24, 0.22, -30, -270), _arc(0.5, 0.72, 0.27, 0.23, -90, 270)]
                ),
                _line((0.5, 0.49), (0.7, 0.16)),
            ],
        ],
        [
            [ring, _line((0.72, 0.3), (0.7, 0.95))],
            [ring, _line((0.72, 0.3), (0.68, 0.65), (0.45, 0.95))],
        ],
    ]


def drawings(count: int, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """``count`` drawings as cells, float32 (count, 8, 8), and the digits that they mean, int64.

    Digits take turns; how each is written, how broad the pen is and how the hand shakes is chance.
    """
    patterns = _patterns()
    digits = np.arange(count) % len(patterns)
    made = np.empty((count, SIDE, SIDE), np.float32)
    for i, digit in enumerate(digits):
        ways = patterns[digit]
        made[i] = _draw(ways[rng.integers(len(ways))], rng)
    return made, digits.astype(np.int64)


def _draw(pattern: list[np.ndarray], rng: np.random.Generator) -> np.ndarray:
    """One drawing: the strokes distorted, made as large as the cells, and inked."""
    turn, shear = rng.uniform(-TURN, TURN), rng.uniform(-SHEAR, SHEAR)
    wide, pen = rng.uniform(NARROWEST, WIDEST), rng.uniform(*PENS)
    turned = np.array([[np.cos(turn), -np.sin(turn)], [np.sin(turn), np.cos(turn)]])
    change = turned @ np.array([[wide, shear], [0.0, 1.0]])
    strokes = [(line + rng.normal(0, STRAY, line.shape)) @ change.T for line in pattern]
    points = np.vstack(strokes)
    low, high = points.min(axis=0), points.max(axis=0)
    room = np.array([WIDE, SIDE]) - pen
    factor = float((room / np.maximum(high - low, 1e-9)).min())
    at = SIDE / 2 - factor * (low + high) / 2
    return _ink([line * factor + at for line in strokes], pen)


def _ink(strokes: list[np.ndarray], pen: float) -> np.ndarray:
    """The cells of strokes (x, y in cells): dots within half the pen's width of a line."""
    along = (np.arange(SIDE * DOTS) + 0.5) / DOTS
    dots = np.stack(np.meshgrid(along, along), axis=-1)[:, :, None, :]
    begin = np.vstack([line[:-1] for line in strokes])
    step = np.vstack([line[1:] - line[:-1] for line in strokes])
    length = np.maximum((step * step).sum(axis=1), 1e-12)
    share = np.clip(((dots - begin) * step).sum(axis=-1) / length, 0, 1)
    off = dots - begin - share[..., None] * step
    near = (off * off).sum(axis=-1).min(axis=-1) <= (pen / 2) ** 2
    cells: np.ndarray = near.reshape(SIDE, DOTS, SIDE, DOTS).mean(axis=(1, 3))
    return cells


def normalised(drawing: np.ndarray) -> np.ndarray:
    """A drawing of any size as cells, float32 (8, 8): what an app does before the network sees it.

    ``drawing``: ink, 0 to 1, (rows, columns).  Cropped to what has ink, made 8 cells high, or 6
    wide where that makes it smaller, put in the middle; a cell is the share of it that is ink.  No
    ink gives no ink.
    """
    rows, columns = (np.flatnonzero((drawing > 0).any(axis=axis)) for axis in (1, 0))
    if not rows.size:
        return np.zeros((SIDE, SIDE), np.float32)
    inked = drawing[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1].astype(np.float64)
    height, width = inked.shape
    size = min(SIDE / height, WIDE / width)
    cells = _overlaps(height, size) @ inked @ _overlaps(width, size).T
    result: np.ndarray = cells.astype(np.float32)
    return result


def _overlaps(count: int, size: float) -> np.ndarray:
    """How much of each cell each of ``count`` pixels of ``size`` cells covers: (8, count)."""
    begin = SIDE / 2 + (np.arange(count) - count / 2) * size
    cell = np.arange(SIDE)[:, None]
    covered = np.minimum(begin + size, cell + 1) - np.maximum(begin, cell)
    result: np.ndarray = np.maximum(covered, 0)
    return result
