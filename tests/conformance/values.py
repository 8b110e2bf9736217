"""Raw elements and operands with a liking for corner values."""

from __future__ import annotations

import random
import struct
from collections.abc import Sequence

import numpy as np

from .building import Draft, pack_bytes

CORNERS: dict[str, Sequence[int]] = {
    "I": (
        0,
        1,
        -1,
        2,
        3,
        -3,
        7,
        31,
        32,
        33,
        -32,
        -33,
        127,
        128,
        255,
        256,
        32767,
        32768,
        46340,
        46341,
        65535,
        65536,
        -65536,
        2**24,
        2**30,
        2**31 - 1,
        2**31 - 2,
        -(2**31),
        -(2**31) + 1,
    ),
    "X": (
        0,
        1,
        -1,
        2,
        16384,
        32767,
        32768,
        32769,
        -32767,
        -32768,
        -32769,
        49152,
        65535,
        65536,
        65537,
        -65536,
        -65535,
        98304,
        131072,
        -98304,
        255 * 65536 - 32768,
        255 * 65536,
        15 * 65536,
        15 * 65536 - 1,
        -17 * 65536,
        -17 * 65536 - 1,
        -17 * 65536 + 1,
        46341,
        2**31 - 1,
        2**31 - 32768,
        -(2**31),
        -(2**31) + 1,
    ),
    "T": (0, 1, 2, 3, 31, 32, 33, 127, 128, 254, 255),
    "P": (0, -1, -(2**24), 2**24 - 1, 0x01020304, 0x7F80FF01, -0x7F008001, 0x01FF00FF),
    "Q": (0, 1, 2, 127, 128, 254, 255),
}
LIMITS = {
    "I": (-(2**31), 2**31 - 1),
    "X": (-(2**31), 2**31 - 1),
    "P": (-(2**31), 2**31 - 1),
    "T": (0, 255),
    "Q": (0, 255),
}
ONE = {"I": 1, "X": 65536, "T": 1, "P": 1, "Q": 1}


def bits_of(number: float) -> int:
    """The bits of a float32."""
    return int(struct.unpack("<I", struct.pack("<f", number))[0])


SCALES = (
    *map(bits_of, (1.0, 0.1, -0.25, 1 / 255, 0.007, 3.0, 1e-6, 0.0, -1e4, 1e30)),
    1,
    0x007FFFFF,
    0x7F7FFFFF,
)
NOT_FINITE = (0x7F800000, 0xFF800000, 0x7FC00000)


def raw_cells(
    chooser: random.Random, kind: str, count: int, limits: tuple[int, int] | None = None
) -> list[int]:
    """Raw elements: corners, small ones, any; with limits, values in that range."""
    if limits is not None:
        one, (least, most) = ONE[kind], LIMITS[kind]
        low, high = limits
        part = one - 1 if chooser.random() < 0.3 else 0
        return [
            max(least, min(most, chooser.randint(low, high) * one + chooser.randint(0, part)))
            for _ in range(count)
        ]
    style = chooser.randrange(4)
    corners = CORNERS[kind]
    if style == 0:
        return chooser.choices(corners, k=count)
    least, most = LIMITS[kind]
    if style == 1:
        return [chooser.randint(least, most) for _ in range(count)]
    if style == 2 and kind != "P":
        one = ONE[kind]
        return [max(least, chooser.randint(-4, 12) * one) for _ in range(count)]
    return [
        chooser.choice(corners)
        if chooser.random() < 0.5
        else chooser.randint(least, most) >> chooser.randrange(31 if most > 255 else 8)
        for _ in range(count)
    ]


def words_of(kind: str, rows: int, cols: int, cells: Sequence[int]) -> np.ndarray:
    """Raw elements as the words that hold them."""
    if kind in "TQ":
        return pack_bytes(rows, cols, np.array(cells, np.int64).astype(np.uint8).tobytes())
    return np.array(cells, np.int64).astype(np.uint32)


def plain(
    draft: Draft,
    chooser: random.Random,
    kind: str,
    rows: int,
    cols: int,
    limits: tuple[int, int] | None = None,
    capacity: int = 0,
) -> int:
    """Add an ordinary matrix with random elements."""
    words = words_of(kind, rows, cols, raw_cells(chooser, kind, rows * cols, limits))
    w4 = w5 = 0
    if kind == "Q":
        w4, w5 = chooser.choice(SCALES), chooser.choice(SCALES)
        if chooser.random() < 0.04:
            w4 = chooser.choice(NOT_FINITE)
    elif chooser.random() < 0.3:
        w4 = chooser.choice((1, 1, 2, 3, rows, rows + 1))
    return draft.add(kind, rows, cols, words, capacity=capacity, w4=w4, w5=w5)


def viewed(
    draft: Draft,
    chooser: random.Random,
    kind: str,
    rows: int,
    cols: int,
    limits: tuple[int, int] | None = None,
) -> int:
    """Add a matrix and a view of a part of it that has this class and shape; the view's entry."""
    row, row_step, base_rows = _stretch(chooser, rows)
    col, col_step, base_cols = _stretch(chooser, cols)
    if kind == "P" and chooser.random() < 0.7:
        col, col_step, base_cols = 0, 1, cols + chooser.randrange(3)
    stored = kind
    if kind in "IXP" and chooser.random() < 0.4:
        stored = chooser.choice("IXPT")
    elif kind == "T" and chooser.random() < 0.4:
        stored = "P"
        base_cols = -(-base_cols // 4) * 4
    cells = raw_cells(chooser, kind, base_rows * base_cols, limits)
    words = words_of(kind, base_rows, base_cols, cells)
    if stored == kind:
        w4 = chooser.choice(SCALES) if kind == "Q" else 0
        base = draft.add(kind, base_rows, base_cols, words, w4=w4)
    elif kind == "T":
        base = draft.add("P", base_rows, base_cols // 4, words)
    elif stored == "T":
        base = draft.add("T", base_rows, max(0, 4 * base_cols - chooser.randrange(4)), words)
    else:
        base = draft.add(stored, base_rows, base_cols, words)
    return draft.view(kind, base, rows, cols, row, col, row_step, col_step)


def _stretch(chooser: random.Random, count: int) -> tuple[int, int, int]:
    """First position, step and length for ``count`` positions inside some length."""
    step = chooser.choice((1, 1, 1, 2, 3, -1, -2))
    before, after = chooser.randrange(3), chooser.randrange(3)
    reach = abs(step) * max(count - 1, 0)
    first = before if step > 0 else before + reach
    return first, step, before + reach + after + 1
