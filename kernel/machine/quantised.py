"""Finishing one exact number, and what the bytes of a quantised matrix stand for.

An exact value is an integer over a power of two (``value / 2**fraction``).  A float32 scale and
offset are brought to a common binary grid, so that everything computed from them stays exact.
Shared by all executors.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np

#: Fraction bits of the raw integers of each kind.
FRACTION = {"I": 0, "X": 16, "T": 0, "P": 0}

X_MIN, X_MAX = -(1 << 31), (1 << 31) - 1


def is_bytes(kind: str) -> bool:
    """Whether elements of this kind are bytes."""
    return kind in "TPQ"


def finish_number(value: int, fraction: int, kind: str) -> int:
    """The raw element of ``kind`` for the exact number ``value / 2**fraction``."""
    if kind == "I":
        return (((value >> fraction) + (1 << 31)) & 0xFFFFFFFF) - (1 << 31)
    target = FRACTION[kind]
    if fraction > target:
        value = ((value >> (fraction - target - 1)) + 1) >> 1
    else:
        value <<= target - fraction
    if kind == "X":
        return max(X_MIN, min(X_MAX, value))
    return max(0, min(255, value))


def float_parts(bits: int) -> tuple[int, int]:
    """A finite float32 given by its bits as (m, e) with value m * 2**e; m is odd or 0."""
    exponent = bits >> 23 & 0xFF
    if exponent == 0xFF:
        raise ValueError(f"float32 bits {bits:#010x} are not a finite number")
    mantissa = bits & 0x7FFFFF
    if exponent:
        mantissa |= 0x800000
    else:
        exponent = 1
    if mantissa == 0:
        return 0, 0
    zeros = (mantissa & -mantissa).bit_length() - 1
    mantissa >>= zeros
    return (-mantissa if bits >> 31 else mantissa), exponent - 150 + zeros


def common_grid(scale_bits: int, offset_bits: int) -> tuple[int, int, int]:
    """Scale and offset on one grid: (A, B, e) with scale = A * 2**e, offset = B * 2**e."""
    scale, scale_exponent = float_parts(scale_bits)
    offset, offset_exponent = float_parts(offset_bits)
    if scale == 0:
        return 0, offset, offset_exponent
    if offset == 0:
        return scale, 0, scale_exponent
    least = min(scale_exponent, offset_exponent)
    return scale << (scale_exponent - least), offset << (offset_exponent - least), least


@lru_cache(maxsize=64)
def quantised_table(scale_bits: int, offset_bits: int, kind: str) -> np.ndarray:
    """The 256 finished elements of ``kind`` that the bytes of a quantised matrix stand for."""
    scale, offset, exponent = common_grid(scale_bits, offset_bits)
    fraction = max(-exponent, 0)
    values = [
        finish_number((scale * q + offset) << max(exponent, 0), fraction, kind) for q in range(256)
    ]
    table = np.array(values, np.uint8 if is_bytes(kind) else np.int32)
    table.flags.writeable = False
    return table
