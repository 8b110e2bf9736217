"""Elements in a process's memory: the rectangles of a plan as NumPy arrays."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from .isa import SMALL_MAX, SMALL_MIN
from .memory import Memory
from .plan_types import Strided

#: Small integers as arrays: read-only 1x1, by value.
SMALL_ARRAYS = {n: np.full((1, 1), n, np.int32) for n in range(SMALL_MIN, SMALL_MAX + 1)}
for _array in SMALL_ARRAYS.values():
    _array.flags.writeable = False


class Elements(NamedTuple):
    """Elements that come from outside the memory, in the units of an instruction's mode.

    ``kind``: I, X, T or P.  ``array``: 2-D; int32 for I and X (X raw Q16.16), uint8 for T and for
    the bytes of a P, uint32 for the pixels of a P in pixel mode.
    """

    kind: str
    array: np.ndarray


def array_of(memory: Memory, rectangle: Strided, words: type[np.generic] = np.int32) -> np.ndarray:
    """The elements of a rectangle as a view of memory; ``words``: dtype of 4-byte elements."""
    if rectangle.row < 0:
        return SMALL_ARRAYS[rectangle.value].view(words)
    unit = rectangle.unit
    dtype = words if unit == 4 else np.uint8
    if not rectangle.count:
        return np.empty((rectangle.rows, rectangle.cols), dtype)
    return np.ndarray(
        (rectangle.rows, rectangle.cols),
        dtype,
        memory.words.data,
        rectangle.offset * unit,
        (rectangle.row_step * unit, rectangle.col_step * unit),
    )
