"""What the filters promise, computed by other means.  Pictures are uint8 (rows, cols, 4)."""

from __future__ import annotations

from math import ceil, cos, floor, pi, sin

import numpy as np


def luma(picture: np.ndarray) -> np.ndarray:
    """Brightness by the weights of BT.601, int (rows, cols), 0..255."""
    red, green, blue = (picture[..., channel].astype(int) for channel in range(3))
    return (77 * red + 150 * green + 29 * blue + 128) // 256


def with_gray(picture: np.ndarray, brightness: np.ndarray) -> np.ndarray:
    """The picture's alpha, and one brightness for its three colours."""
    return np.dstack([brightness] * 3 + [picture[..., 3]]).astype(np.uint8)


def gray(picture: np.ndarray) -> np.ndarray:
    return with_gray(picture, luma(picture))


def threshold(picture: np.ndarray, level: int) -> np.ndarray:
    return with_gray(picture, np.where(luma(picture) >= level, 255, 0))


def invert(picture: np.ndarray) -> np.ndarray:
    return np.dstack([255 - picture[..., :3], picture[..., 3]])


def edges(picture: np.ndarray, strength: int = 1) -> np.ndarray:
    """Sobel with the last pixel repeated at the edges; whole strengths."""
    padded = np.pad(luma(picture), 1, mode="edge")
    rows, cols = picture.shape[:2]

    def at(y: int, x: int) -> np.ndarray:
        return padded[1 + y : 1 + y + rows, 1 + x : 1 + x + cols]

    across = at(-1, 1) + 2 * at(0, 1) + at(1, 1) - at(-1, -1) - 2 * at(0, -1) - at(1, -1)
    down = at(1, -1) + 2 * at(1, 0) + at(1, 1) - at(-1, -1) - 2 * at(-1, 0) - at(-1, 1)
    steep = np.minimum(np.floor(np.hypot(across, down) + 0.5), 255)
    return with_gray(picture, np.minimum(steep * strength, 255).astype(int))


def square_means(picture: np.ndarray, radius: int) -> np.ndarray:
    """The exact mean of the square around each pixel, float (rows, cols, 4)."""
    rows, cols = picture.shape[:2]
    side = 2 * radius + 1
    padded = np.pad(picture.astype(float), ((radius, radius), (radius, radius), (0, 0)), "edge")
    sums = np.zeros((rows + side, cols + side, 4))
    sums[1:, 1:] = padded.cumsum(0).cumsum(1)
    whole = sums[side:, side:] - sums[:-side, side:] - sums[side:, :-side] + sums[:-side, :-side]
    return whole[:rows, :cols] / side**2


def nearest_size(picture: np.ndarray, rows: int, cols: int) -> np.ndarray:
    """Resized: the pixel under the middle of each new one."""
    high, wide = picture.shape[:2]
    y = (2 * np.arange(rows) + 1) * high // (2 * rows)
    x = (2 * np.arange(cols) + 1) * wide // (2 * cols)
    return picture[y][:, x]


def smooth_size(picture: np.ndarray, rows: int, cols: int) -> np.ndarray:
    """Resized: bilinear between means, float (rows, cols, 4)."""
    return _smooth_rows(_smooth_rows(picture.astype(float), rows).swapaxes(0, 1), cols).swapaxes(
        0, 1
    )


def _smooth_rows(picture: np.ndarray, want: int) -> np.ndarray:
    have = len(picture)
    if have == want:
        return picture
    reach = (have // want | 1) // 2
    padded = np.pad(picture, ((reach, reach), (0, 0), (0, 0)), "edge")
    means = sum(padded[i : i + have] for i in range(2 * reach + 1)) / (2 * reach + 1)
    place = (np.arange(want) + 0.5) * have / want - 0.5
    above = np.floor(place).astype(int)
    mix = (place - above)[:, None, None]
    return (1 - mix) * means[np.clip(above, 0, have - 1)] + mix * means[
        np.clip(above + 1, 0, have - 1)
    ]


def blend(below: np.ndarray, above: np.ndarray, mode: str, amount: float = 1.0) -> np.ndarray:
    """One picture over another of the same size."""
    a, b = above.astype(int), below.astype(int)
    alpha = a[..., 3:]
    if mode == "over":
        mixed = (a * alpha + b * (255 - alpha) + 127) // 255
        mixed[..., 3:] = (255 * alpha + b[..., 3:] * (255 - alpha) + 127) // 255
    else:
        mixed = {
            "mix": a,
            "add": np.minimum(a + b, 255),
            "multiply": np.floor(a * b / 255 + 0.5).astype(int),
            "screen": 255 - np.floor((255 - a) * (255 - b) / 255 + 0.5).astype(int),
            "difference": abs(a - b),
            "lighter": np.maximum(a, b),
            "darker": np.minimum(a, b),
        }[mode].copy()
        mixed[..., 3] = b[..., 3]
    return np.floor(b + (mixed - b) * amount + 0.5).astype(np.uint8)


def bayer(order: int) -> np.ndarray:
    """The ordered dither pattern of side 2**order, by its recursion."""
    pattern = np.zeros((1, 1), int)
    for _ in range(order):
        four = 4 * pattern
        pattern = np.block([[four, four + 2], [four + 3, four + 1]])
    return pattern


def palette(picture: np.ndarray, colours: np.ndarray, dither: float) -> np.ndarray:
    """The nearest of ``colours`` (n, 3) to each dithered pixel, taken in steps of 8."""
    rows, cols = picture.shape[:2]
    pattern = np.tile(bayer(3), (rows // 8 + 1, cols // 8 + 1))[:rows, :cols, None]
    noisy = np.clip(np.floor(picture[..., :3] + (pattern - 31.5) * dither + 0.5), 0, 255)
    middles = noisy.astype(int) // 8 * 8 + 4
    away = ((middles[..., None, :] - colours.astype(int)) ** 2).sum(-1)
    return np.dstack([colours[away.argmin(-1)], picture[..., 3]]).astype(np.uint8)


def turned(shape: tuple[int, int], degrees: float) -> tuple[np.ndarray, np.ndarray]:
    """Where in a picture of this shape each pixel of the turned one comes from: rows and columns,
    float, each of the shape of the result."""
    rows, cols = shape
    s, c = sin(degrees * pi / 180), cos(degrees * pi / 180)
    high = floor(rows * abs(c) + cols * abs(s) + 0.999)
    wide = floor(cols * abs(c) + rows * abs(s) + 0.999)
    dy = (np.arange(high) - (high - 1) / 2)[:, None]
    dx = (np.arange(wide) - (wide - 1) / 2)[None, :]
    return dy * c - dx * s + rows / 2, dx * c + dy * s + cols / 2


def tone_heights(counts: np.ndarray, high: int) -> np.ndarray:
    """Lit rows for counts (3, 256): square roots, the greatest of all fills the chart."""
    roots = np.sqrt(counts)
    return np.vectorize(ceil)(roots / max(roots.max(), 1) * high - 1e-9).astype(int)
