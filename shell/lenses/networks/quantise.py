"""Quantised matrices: floats as bytes on a grid ``scale * q + offset``, and back.

Scale and offset are float32, one pair a matrix, as the header of a ``Q`` matrix holds them.  What a
byte stands for is the exact number ``scale * q + offset``, not its float32 rounding: where the
scale is tiny against the offset, float32 values of different bytes collide, and so may float64
values.  :func:`dequantise` therefore returns float64 where that is exact for all 256 bytes, and
``fractions.Fraction`` objects where it is not; :func:`quantise` takes both, so that
``quantise(dequantise(q, s, o), s, o) == q`` for every ``q``, every finite ``s`` that is not zero
and every finite ``o``.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache
from math import gcd

import numpy as np

from ....kernel.machine.quantised import common_grid

#: Greatest byte, and how many bytes there are.
TOP, LEVELS = 255, 256
#: How many weights are looked at first for whether there can be a grid with all of them on it.
_SAMPLE = 4096
#: Smallest step between float32 numbers, used where a matrix spans less than 256 of them.
SMALLEST = float(np.float32(2.0**-149))


class QuantiseError(ValueError):
    """What cannot be quantised.  ``what`` is wrong; ``advice`` says what to do about it."""

    def __init__(self, what: str, advice: str) -> None:
        self.what, self.advice = what, advice
        super().__init__(f"{what}; {advice}")


@dataclass(frozen=True, slots=True, eq=False)
class Quantised:
    """A byte matrix and its grid.

    ``q``: uint8 (rows, columns).  ``scale`` (not zero) and ``offset``: float32 values as Python
    floats.  Raises QuantiseError if they are not.
    """

    q: np.ndarray
    scale: float
    offset: float

    def __post_init__(self) -> None:
        check_grid(self.scale, self.offset)
        if self.q.dtype != np.uint8 or self.q.ndim != 2:
            raise QuantiseError(
                f"quantised weights are {self.q.dtype} of {self.q.ndim} dimensions",
                "hand over a uint8 matrix",
            )

    def exact(self) -> np.ndarray:
        """The values, float64 or Fraction objects: see :func:`dequantise`."""
        return dequantise(self.q, self.scale, self.offset)

    def float32(self) -> np.ndarray:
        """The values rounded once to float32, for calculations outside the machine."""
        return _table(self.scale, self.offset).astype(np.float32)[self.q]


def check_grid(scale: float, offset: float) -> None:
    """Raise QuantiseError unless both are finite float32 values and the scale is not zero."""
    for name, value in (("scale", scale), ("offset", offset)):
        with np.errstate(over="ignore"):
            whole = np.isfinite(np.float32(value)) and float(np.float32(value)) == value
        if not whole:
            raise QuantiseError(
                f"the {name} {value!r} is no finite float32", "round it with numpy.float32 first"
            )
    if scale == 0:
        raise QuantiseError("the scale is zero", "use 1.0 for a constant matrix: all bytes equal")


@lru_cache(maxsize=256)
def _table(scale: float, offset: float) -> np.ndarray:
    """The exact values of the bytes 0..255: float64, or Fractions if that is not exact."""
    bits = np.array([scale, offset], np.float32).view(np.uint32)
    a, b, exponent = common_grid(int(bits[0]), int(bits[1]))
    step = Fraction(2) ** exponent
    exact = [(a * q + b) * step for q in range(LEVELS)]
    if all(Fraction(float(value)) == value for value in exact):
        return np.array([float(value) for value in exact])
    table = np.empty(LEVELS, object)
    table[:] = exact
    return table


def dequantise(q: np.ndarray, scale: float, offset: float) -> np.ndarray:
    """``scale * q + offset`` exactly, in the shape of the uint8 array ``q``.

    float64 where all 256 values of the grid are float64 numbers, else an object array of Fractions.
    Raises QuantiseError for a grid that is none.
    """
    check_grid(scale, offset)
    return _table(float(scale), float(offset))[q]


def quantise(values: np.ndarray, scale: float, offset: float) -> np.ndarray:
    """The bytes (uint8, the shape of ``values``) whose values lie nearest, ends for what is beyond.

    ``values``: floats of any width, integers or Fractions.  A value on the grid gets its own byte,
    always; one between two bytes the nearer, the even one if it lies in the middle (as float64
    tells: a grid that needs Fractions is compared exactly).  Raises QuantiseError for NaN and
    infinities and for a grid that is none.
    """
    check_grid(scale, offset)
    table = _table(float(scale), float(offset))
    array = np.asarray(values)
    if array.dtype != object:
        array = _finite(array)
        if table.dtype != object:
            # On the grid, value - offset = scale * q has at most 32 bits: exact, like the quotient.
            with np.errstate(over="ignore"):
                place = np.rint((array - offset) / scale)
            return np.clip(place, 0, TOP).astype(np.uint8)
    s, o = Fraction(float(scale)), Fraction(float(offset))
    try:
        exact = [round((Fraction(value) - o) / s) for value in array.ravel().tolist()]
    except (TypeError, ValueError, OverflowError) as error:  # not a number, NaN, infinite
        raise QuantiseError(
            f"weights that are no finite numbers ({error})", "convert them to float32"
        ) from error
    clipped = [min(max(place, 0), TOP) for place in exact]
    return np.array(clipped, np.uint8).reshape(array.shape)


def _finite(values: np.ndarray) -> np.ndarray:
    """float64 of what may be quantised; raises QuantiseError for the rest."""
    if values.dtype.kind not in "biuf":
        raise QuantiseError(f"weights of type {values.dtype}", "convert them to float32")
    array = values.astype(np.float64)
    bad = ~np.isfinite(array)
    if bad.any():
        first = tuple(int(i) for i in np.argwhere(bad)[0])
        raise QuantiseError(
            f"{int(bad.sum())} of {array.size} weights are NaN or infinite, the first at {first}",
            "the training diverged or the file is damaged: take an earlier checkpoint",
        )
    return array


# ---- choosing the grid -------------------------------------------------------------------------


def min_max(values: np.ndarray) -> tuple[float, float]:
    """The grid from the least value (byte 0) to the greatest (byte 255): (scale, offset).

    A matrix that lies on a byte grid gets such a grid, so that it comes back exactly
    (:func:`find_grid`).  Empty: (1, 0).  Constant: all bytes equal.  A span below 255 float32
    denormals gets the smallest scale there is.  Raises QuantiseError for NaN, infinities and values
    beyond float32.
    """
    array = _checked(values)
    found = find_grid(array)
    return found if found is not None else _span(array)


def _checked(values: np.ndarray) -> np.ndarray:
    array = _finite(np.asarray(values))
    if array.size and float(np.abs(array).max()) > float(np.finfo(np.float32).max):
        raise QuantiseError("weights are beyond the range of float32", "scale the matrix down")
    return array


def _span(array: np.ndarray) -> tuple[float, float]:
    if array.size == 0:
        return 1.0, 0.0
    low, high = float(array.min()), float(array.max())
    if low == high:
        return 1.0, float(np.float32(low))
    return _grid(np.float64(high - low) / TOP, low)


def _grid(scale: float, offset: float) -> tuple[float, float]:
    """A scale and an offset rounded to float32, the scale kept from becoming zero."""
    return float(np.float32(scale)) or SMALLEST, float(np.float32(offset))


def find_grid(values: np.ndarray) -> tuple[float, float] | None:
    """A float32 grid on which every value lies exactly, or None if there is none.

    Exact: the differences of the distinct values (at most 256) are integers over a power of two;
    their greatest common divisor g, or a fraction g / k of it, is the size of the scale, and the
    offset one of the places from which 256 steps cover the values, upwards or downwards.
    """
    array = np.asarray(values, np.float64).ravel()
    if array.size > _SAMPLE and np.unique(array[:_SAMPLE]).size > LEVELS:
        return None
    distinct = np.unique(array)
    if not 0 < distinct.size <= LEVELS:
        return None
    ratios = [float(value).as_integer_ratio() for value in distinct]
    # Eight bits more than the values need, so that g / k is an integer wherever it is a float.
    bits = max(bottom.bit_length() - 1 for _, bottom in ratios) + 8
    numbers = [top << (bits - bottom.bit_length() + 1) for top, bottom in ratios]
    low, high = numbers[0], numbers[-1]
    if low == high:
        return _constant_grid(low, bits)
    divisor = gcd(*[number - low for number in numbers])
    count = (high - low) // divisor
    for k in range(1, TOP // count + 1):
        scale, rest = divmod(divisor, k)
        if rest or not _is_float32(scale, bits):
            continue
        for j in range(TOP - count * k + 1):
            for offset, sign in ((low - j * scale, 1), (high + j * scale, -1)):
                if _is_float32(offset, bits):
                    return sign * scale / (1 << bits), offset / (1 << bits)
    return None


def _constant_grid(number: int, bits: int) -> tuple[float, float] | None:
    """A grid with the one value ``number / 2**bits`` on it: its own if it is a float32.

    Otherwise ``scale * q`` is what an offset near by lacks.  Whatever grid the value lies on, there
    is one whose offset is within 256 steps of the nearest float32: if ``scale * q`` is more of
    them, ``scale`` has all the bits that are missing.
    """
    if _is_float32(number, bits):
        return 1.0, number / (1 << bits)
    with np.errstate(over="ignore"):
        nearest = np.float32(number / (1 << bits))
    step = float(np.spacing(np.abs(nearest)))
    if not np.isfinite(nearest) or not np.isfinite(step):
        return None
    middle, ulp = (int(Fraction(float(part)) * (1 << bits)) for part in (nearest, step))
    for k in sorted(range(-LEVELS, LEVELS + 1), key=abs):
        offset = middle + k * ulp
        if not _is_float32(offset, bits):
            continue
        for q in range(1, LEVELS):
            scale, rest = divmod(number - offset, q)
            if not rest and _is_float32(scale, bits):
                return scale / (1 << bits), offset / (1 << bits)
    return None


def _is_float32(number: int, bits: int) -> bool:
    """Whether ``number / 2**bits`` is a finite float32."""
    size = abs(number)
    if size == 0:
        return True
    last = (size & -size).bit_length() - 1
    return size.bit_length() - last <= 24 and last >= bits - 149 and size.bit_length() - bits <= 128


def squared_error(values: np.ndarray, scale: float, offset: float) -> float:
    """The sum of squared differences between values and their nearest bytes (float64)."""
    array = _finite(np.asarray(values))
    table = _table(float(scale), float(offset)).astype(np.float64)
    return float(np.square(table[quantise(array, scale, offset)] - array).sum())


def least_squares(values: np.ndarray, *, rounds: int = 12) -> tuple[float, float]:
    """The grid of the least squared error that a search finds; never worse than :func:`min_max`.

    Starts from ranges cut at both ends by 0 to 45 % and alternates two steps, neither of which can
    raise the error (Lloyd, "Least squares quantization in PCM", 1982, on an even grid): the nearest
    byte for every value, then the line ``scale * q + offset`` through them by linear regression.
    The starts are tried on a histogram of 4096 bins, the best is finished on the values themselves.
    Cases that min_max defines (empty, constant, on a grid) are the same here.
    """
    array = _checked(values).ravel()
    if find_grid(array) is not None or array.size == 0:
        return min_max(array)
    first = _span(array)
    low, high = float(array.min()), float(array.max())
    centres, weights = _histogram(array, low, high)
    best, least = first, _weighed(centres, weights, first)
    cuts = (0.0, 0.05, 0.15, 0.3, 0.45)
    for cut_low in cuts:
        for cut_high in cuts:
            span = (high - low) * (1 - cut_low - cut_high)
            grid = _grid(span / TOP, low + (high - low) * cut_low)
            grid = _descend(centres, weights, grid, rounds)
            error = _weighed(centres, weights, grid)
            if error < least:
                best, least = grid, error
    ones = np.ones_like(array)
    best = _descend(array, ones, best, rounds)
    return min((first, best), key=lambda grid: _weighed(array, ones, grid))


def _histogram(array: np.ndarray, low: float, high: float) -> tuple[np.ndarray, np.ndarray]:
    """Mean and number of the values in each bin that has some."""
    if array.size <= 4096:
        return array, np.ones_like(array)
    place = np.minimum((array - low) / (high - low) * 4096, 4095).astype(np.int64)
    counts = np.bincount(place, minlength=4096)
    sums = np.bincount(place, array, 4096)
    there = counts > 0
    return sums[there] / counts[there], counts[there].astype(np.float64)


def _places(array: np.ndarray, grid: tuple[float, float]) -> np.ndarray:
    with np.errstate(over="ignore"):
        places: np.ndarray = np.clip(np.rint((array - grid[1]) / grid[0]), 0, TOP)
    return places


def _weighed(array: np.ndarray, weights: np.ndarray, grid: tuple[float, float]) -> float:
    # Relative to the greatest value, so that denormal weights do not square to zero.
    unit = float(np.abs(array).max()) or 1.0
    off = (_places(array, grid) * grid[0] + grid[1] - array) / unit
    return float((np.square(off) * weights).sum())


def _descend(
    array: np.ndarray, weights: np.ndarray, grid: tuple[float, float], rounds: int
) -> tuple[float, float]:
    """Alternate nearest bytes and regression until nothing gets better."""
    error = _weighed(array, weights, grid)
    total = float(weights.sum())
    for _ in range(rounds):
        q = _places(array, grid)
        mean_q, mean = float((q * weights).sum()) / total, float((array * weights).sum()) / total
        spread = float((np.square(q - mean_q) * weights).sum())
        slope = float(((q - mean_q) * (array - mean) * weights).sum())
        if spread == 0 or not slope / spread > 0:
            return grid
        scale = slope / spread
        better = _grid(scale, mean - scale * mean_q)
        now = _weighed(array, weights, better)
        if not now < error:
            return grid
        grid, error = better, now
    return grid


#: Ways to choose a grid, by name.
METHODS = {"min-max": min_max, "least-squares": least_squares}


def quantise_matrix(
    values: np.ndarray, *, method: str = "least-squares", groups: int = 1
) -> list[Quantised]:
    """A float matrix (rows, columns) as quantised matrices of consecutive rows, ``groups`` of them.

    Each group has a grid of its own, chosen by ``method`` (a key of :data:`METHODS`); groups differ
    by at most one row, the first ones having more.  Raises QuantiseError.
    """
    array = np.asarray(values)
    if array.ndim != 2:
        raise QuantiseError(f"weights of {array.ndim} dimensions", "a matrix has two: reshape it")
    if method not in METHODS:
        raise QuantiseError(f"no method {method!r}", "choose " + " or ".join(METHODS))
    if not 1 <= groups <= max(array.shape[0], 1):
        raise QuantiseError(
            f"{groups} groups of {array.shape[0]} rows", "a group needs a row: ask for fewer"
        )
    parts: Sequence[np.ndarray] = np.array_split(array, groups)
    result = []
    for part in parts:
        scale, offset = METHODS[method](part)
        result.append(Quantised(quantise(part, scale, offset), scale, offset))
    return result
