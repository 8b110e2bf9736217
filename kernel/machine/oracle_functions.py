"""The oracle's square root, exp2, log2 and sine: correctly rounded by integer arithmetic.

The last three compute an interval that surely holds the exact value, in fixed point with
``bits`` fractional bits, and double ``bits`` until both ends round to the same word.  The
loop ends because no exact value lies on a rounding boundary: 2^a and log2 a are rational
only for integers and powers of two (2^-17, the one tie, is taken by itself), and a sine of
a rational turn is rational only at 0, 1/2 and 1, which are not boundaries.
"""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from functools import cache
from math import floor, isqrt

#: An exact value, as the table means it.
Value = Fraction | int

#: Every fixed-point result below is wrong by less than this many units in its last place:
#: each series has fewer than ``bits`` terms, each term is cut off at most three times.
_SLACK_PER_BIT = 8

INT_MIN, INT_MAX = -(2**31), 2**31 - 1


def sqrt_floor(x: Value) -> int:
    """floor(sqrt(max(x, 0)))."""
    return isqrt(max(floor(x), 0))


def sqrt_scaled(x: Value, scale: int) -> int:
    """floor(sqrt(max(x, 0)) * scale + 1/2): the root rounded half up to 1/scale."""
    return (isqrt(max(floor(4 * scale * scale * x), 0)) + 1) // 2


def exp2_raw(x: Value) -> int:
    """2^x as a fixed-point word: rounded half up to 1/65536 and saturated."""
    if x >= 15:
        return INT_MAX
    if x < -17:
        return 0
    whole = floor(x)
    part = Fraction(x) - whole
    if part == 0:
        return 1 << whole + 16 if whole >= -16 else 1

    def interval(bits: int) -> tuple[Fraction, Fraction]:
        angle = (part.numerator * _ln2(bits)) // part.denominator
        term = total = 1 << bits
        count = 0
        while term:
            count += 1
            term = (term * angle >> bits) // count
            total += term
        return _around(total, bits, Fraction(2) ** whole)

    return _rounded(interval)


def log2_raw(x: Value) -> int:
    """log2 x as a fixed-point word, rounded half up; the least word where x <= 0."""
    if x <= 0:
        return INT_MIN
    exact = Fraction(x)
    whole = exact.numerator.bit_length() - exact.denominator.bit_length()
    if exact < Fraction(2) ** whole:
        whole -= 1
    mantissa = exact / Fraction(2) ** whole
    if mantissa == 1:
        return whole << 16
    ratio = (mantissa - 1) / (mantissa + 1)

    def interval(bits: int) -> tuple[Fraction, Fraction]:
        natural = _twice_atanh(ratio, bits)
        low, high = _around((natural << bits) // _ln2(bits), bits, Fraction(1))
        return low + whole, high + whole

    return _rounded(interval)


def sine_raw(x: Value) -> int:
    """The sine of x turns as a fixed-point word, rounded half up."""
    turn = Fraction(x) % 1
    sign = 1
    if turn >= Fraction(1, 2):
        turn, sign = turn - Fraction(1, 2), -1
    if turn > Fraction(1, 4):
        turn = Fraction(1, 2) - turn

    def interval(bits: int) -> tuple[Fraction, Fraction]:
        angle = 2 * turn.numerator * _pi(bits) // turn.denominator
        square = angle * angle >> bits
        term = total = angle
        count = 1
        while term:
            term = (term * square >> bits) // ((count + 1) * (count + 2))
            count += 2
            total += term if count % 4 == 1 else -term
        return _around(sign * total, bits, Fraction(1))

    return _rounded(interval)


def _rounded(interval: Callable[[int], tuple[Fraction, Fraction]]) -> int:
    """floor(x * 65536 + 1/2), saturated, of the value that every interval holds."""
    bits = 64
    while True:
        bits *= 2
        low, high = (floor(end * 65536 + Fraction(1, 2)) for end in interval(bits))
        if low == high:
            return max(INT_MIN, min(INT_MAX, low))


def _around(value: int, bits: int, factor: Fraction) -> tuple[Fraction, Fraction]:
    """The interval of a fixed-point value and its possible error, times ``factor``."""
    slack = _SLACK_PER_BIT * bits
    unit = factor / (1 << bits)
    return (value - slack) * unit, (value + slack) * unit


def _twice_atanh(ratio: Fraction, bits: int) -> int:
    """2 atanh(ratio) = ln((1 + ratio) / (1 - ratio)) for 0 <= ratio <= 1/3."""
    power = (ratio.numerator << bits) // ratio.denominator
    square = power * power >> bits
    total, count = 0, 1
    while power:
        total += power // count
        power = power * square >> bits
        count += 2
    return 2 * total


@cache
def _ln2(bits: int) -> int:
    """Floor of the natural logarithm of 2, wrong by less than one unit."""
    guard = bits.bit_length() + 8
    return _twice_atanh(Fraction(1, 3), bits + guard) >> guard


@cache
def _pi(bits: int) -> int:
    """Pi by Machin's formula, wrong by less than one unit."""
    guard = bits.bit_length() + 8

    def arctan_inverse(n: int) -> int:
        power = (1 << bits + guard) // n
        total, count = 0, 1
        while power:
            total += power // count if count % 4 == 1 else -(power // count)
            power //= n * n
            count += 2
        return total

    return 4 * (4 * arctan_inverse(5) - arctan_inverse(239)) >> guard
