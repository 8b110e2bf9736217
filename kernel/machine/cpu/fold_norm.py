"""Norm: each element over the root of its row's mean square, correctly rounded.

With raw integers r of f fraction bits, n columns and the noise e, let
S = 4^(16-f) * sum(r^2) + n*e.  The result in steps of 2^-16 is r * 2^(32-f) * sqrt(n / S),
rounded half up.  In float64 that is within 2^-20 of itself, because S is exact: sums of squares
below 2^53 are, and others are added as Python integers.  Rounding it is right unless it lies as
close to a half; such elements are worked out in integers.
"""

from __future__ import annotations

from math import isqrt, sqrt

import numpy as np

from ..quantised import FRACTION, X_MAX, X_MIN
from .finish import BLOCK, Run, fitted, nothing, spread, store
from .operand import Operand
from .small import FEW

_EXACT = float(1 << 53)
#: How close to a half float64 leaves open which way to round.
_UNSURE = 2.0**-16


def bind_norm(d: Operand, a: Operand, n: Operand) -> Run:
    """Fills d with the normalised rows of a; ``n`` holds the noise in units of 2^-32."""
    part = fitted(d, a.rows, a.cols)
    if part.array.size == 0:
        return nothing
    noise = _Noise(n, a.cols)
    general = _bind_rows(part, a, noise)
    if a.rows == 1 and a.cols <= FEW and a.kind == part.kind == "X":
        return spread(d, part, _bind_row(part.array, a.array, noise, general))
    return spread(d, part, general)


class _Noise:
    """The noise of a whole row, which is looked at when the instruction runs."""

    def __init__(self, n: Operand, cols: int) -> None:
        self._take = n.array[:1, :1].item
        self._fraction = FRACTION[n.kind]
        self._cols = cols

    def __call__(self) -> int:
        noise: int = self._take() >> self._fraction
        return max(noise, 0) * self._cols


def _bind_row(out: np.ndarray, x: np.ndarray, noise: _Noise, general: Run) -> Run:
    """One row of X into X."""
    cols = x.shape[1]
    row, value, floor = np.empty(cols), np.empty(cols), np.empty(cols)
    gain, half = np.zeros(()), np.array(0.5)
    line, target = x[0], out[0]

    def run() -> int:
        row[...] = line
        squares = float(row.dot(row))
        if squares >= _EXACT:
            return general()
        gain[()] = 65536 * sqrt(cols / (int(squares) + noise() or 1))
        np.multiply(row, gain, value)
        np.add(value, half, value)
        np.floor(value, floor)
        np.subtract(value, floor, value)
        if (
            value.item(value.argmin()) < _UNSURE
            or value.item(value.argmax()) > 1 - _UNSURE
            or cols >= 1 << 30
        ):
            return general()
        target[...] = floor
        return -1

    return run


def _bind_rows(d: Operand, a: Operand, noise: _Noise) -> Run:
    """Any rows, some at a time."""
    out, x, kind = d.array, a.array, d.kind
    fraction = FRACTION[a.kind]
    rows, cols = x.shape
    step = max(1, BLOCK // cols)

    def run() -> int:
        extra = noise()
        for first in range(0, rows, step):
            raw = x[first : first + step].astype(np.float64)
            sums = _sums(x[first : first + step], raw, 2 * (16 - fraction), extra)
            gains = np.array([2.0 ** (32 - fraction) * sqrt(cols / (s or 1)) for s in sums])
            value = raw * gains[:, None]
            value += 0.5
            floor = np.floor(value)
            value -= floor
            unsure = (value < _UNSURE) | (value > 1 - _UNSURE)
            found = floor.clip(X_MIN, X_MAX).astype(np.int64)
            for i, j in np.argwhere(unsure).tolist():
                found[i, j] = exact_norm(int(raw[i, j]), cols, sums[i], fraction)
            store(out[first : first + step], found, 16, kind)
        return -1

    return run


def _sums(x: np.ndarray, raw: np.ndarray, up: int, extra: int) -> list[int]:
    """2**up times the sum of the squares of each row, and ``extra``."""
    floats = np.einsum("ij,ij->i", raw, raw).tolist()
    return [
        (int(s) if s < _EXACT else sum(v * v for v in line.tolist())) * (1 << up) + extra
        for s, line in zip(floats, x, strict=True)
    ]


def exact_norm(raw: int, cols: int, total: int, fraction: int) -> int:
    """The raw X of one element of a row whose S is ``total``."""
    if raw == 0:
        return 0
    goal = raw * raw * cols << 34 + 2 * (16 - fraction)
    root = isqrt(goal // total)  # of twice the result
    up = (root + 1) // 2
    if raw < 0:
        up = -(root // 2 if root * root * total == goal else up)
    return max(X_MIN, min(X_MAX, up))
