"""Tables behind Exp2, Log2 and Sine, built exactly when they are first asked for.

Each is calculated so finely, the powers from integers of 96 fraction bits (:data:`WORK_BITS`),
that what is left open is far smaller than the distance of any entry from the next rounding
boundary.  The tests compare every entry with an independent calculation.
"""

from __future__ import annotations

from functools import lru_cache
from math import isqrt, ldexp

import numpy as np

#: Fraction bits of the integers from which the tables are made.
WORK_BITS = 96
#: Fraction bits of the mantissas that Exp2 and Log2 use.
MANTISSA_BITS = 31
STEPS = 1 << 16


def power_of_two(numerator: int, denominator_log2: int) -> int:
    """2**(numerator / 2**denominator_log2), in [1, 2), times 2**WORK_BITS, about 2**-16 off.

    Multiplies the square roots of two that the binary digits of the exponent ask for.
    """
    one = 1 << WORK_BITS + 32
    product, root = one, 2 * one
    for place in range(denominator_log2 - 1, -1, -1):
        root = isqrt(root * one)
        if numerator >> place & 1:
            product = product * root // one
    return product >> 32


def _mantissas(fine_numerators: list[int], round_up: bool) -> np.ndarray:
    """2**31 * 2**(i/256) * 2**(n/2**17) for i in 0..255, n in fine_numerators: uint64, in order.

    The products are formed from two 32-bit halves each; 62 fraction bits remain, and none of
    the results lies within 2**-20 of an integer without being one (tested over all of them).
    """
    coarse = np.array([power_of_two(i, 8) >> WORK_BITS - 62 for i in range(256)], np.uint64)
    fine = np.array([power_of_two(n, 17) >> WORK_BITS - 62 for n in fine_numerators], np.uint64)
    low_mask, half = np.uint64(0xFFFFFFFF), np.uint64(32)
    ch, cl = (coarse >> half)[:, None], (coarse & low_mask)[:, None]
    fh, fl = (fine >> half)[None, :], (fine & low_mask)[None, :]
    middle = ch * fl + ((cl * fl) >> half)  # below 2^63
    middle2 = cl * fh + (middle & low_mask)
    high = ch * fh + (middle >> half) + (middle2 >> half)  # product >> 64: 60 fraction bits
    drop = np.uint64(60 - MANTISSA_BITS)
    if round_up:
        high += (np.uint64(1) << drop) - np.uint64(1)
    mantissas: np.ndarray = (high >> drop).ravel()
    return mantissas


@lru_cache(maxsize=1)
def exp2_mantissas() -> np.ndarray:
    """floor(2**31 * 2**(f / 65536)) for f in 0..65535: int64."""
    # The truncated product of exact powers (f = 0) is exact: 2^62 has no low bits to lose.
    table = _mantissas([2 * j for j in range(256)], round_up=False)
    result = table.astype(np.int64)
    result.flags.writeable = False
    return result


@lru_cache(maxsize=1)
def exp2_floats() -> tuple[np.ndarray, np.ndarray]:
    """65536 * 2**(n / 256) for n in -18 * 256..15 * 256, and 2**(n / 65536) for n in 0..255.

    float64, each right to half an ulp.
    """
    octave = [ldexp(power_of_two(n, 8), -WORK_BITS) for n in range(256)]
    high = [ldexp(octave[n % 256], n // 256 + 16) for n in range(-18 << 8, (15 << 8) + 1)]
    low = [ldexp(power_of_two(n, 16), -WORK_BITS) for n in range(256)]
    tables = np.array(high), np.array(low)
    for table in tables:
        table.flags.writeable = False
    return tables


@lru_cache(maxsize=1)
def log2_thresholds() -> np.ndarray:
    """ceil(2**31 * 2**((2r - 1) / 131072)) for r in 0..65537: int64.

    A mantissa m (2**31 <= m < 2**32) has log2(m / 2**31) * 65536 rounded half up at least r
    exactly if m >= the threshold of r.  Entry 0 is 0 and entry 65537 is out of reach.
    """
    table = np.empty(STEPS + 2, np.int64)
    table[0] = 0
    table[1:-1] = _mantissas([2 * j + 1 for j in range(256)], round_up=True)
    table[-1] = 1 << 62
    table.flags.writeable = False
    return table


@lru_cache(maxsize=1)
def sine_table() -> np.ndarray:
    """sin(2*pi*k/65536) * 65536 rounded half up for k in 0..65535: int32."""
    # Floats do: no entry is nearer than 2^-18 to a tie, and what they are off is below 2^-36.
    angles = np.arange(STEPS // 4 + 1) * (np.pi / (STEPS // 2))
    quarter = np.floor(np.sin(angles) * STEPS + 0.5).astype(np.int32)
    table = np.empty(STEPS, np.int32)
    table[: STEPS // 4 + 1] = quarter
    table[STEPS // 4 : STEPS // 2 + 1] = quarter[::-1]
    # Without ties rounding is symmetric.
    table[STEPS // 2 :] = -table[: STEPS // 2]
    table.flags.writeable = False
    return table
