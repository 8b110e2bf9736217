"""Square root, Exp2, Log2 and Sine, correctly rounded for every input.

* Square root: the integer root s of n comes from float64.  Below 2^52 it is right: n is exact
  there, and the root of k^2 - 1 lies 1/(2k) below k, more than half an ulp of k (k * 2^-53).
  Above, it is within 1 and is mended.  Half up adds 1 if n - s*s > s, since
  (s + 1/2)^2 = s^2 + s + 1/4 and n is an integer.
* Exp2: 2^(n + f) = m * 2^(n - 31) with m = 2^31 * 2^f.  Shifting floor(m) with half-up rounding
  equals shifting m, because floor nests: at least one bit is shifted out (n <= 14).
* Log2: u = m * 2^(k - 31) with m in [2^31, 2^32); a float64 candidate for
  log2(m / 2^31) * 65536 is compared with the exact thresholds on both its sides.
* Sine depends on 16 bits of the angle: a table of 65536.

Bytes have 256 values: those go through a table.
"""

from __future__ import annotations

from collections.abc import Callable
from math import isqrt

import numpy as np

from ..functions_tables import (
    MANTISSA_BITS,
    exp2_floats,
    exp2_mantissas,
    log2_thresholds,
    sine_table,
)
from ..isa import Op
from ..quantised import (
    FRACTION,
    X_MAX,
    X_MIN,
    finish_number,
    is_bytes,
)
from .arith import TABLE_FROM, look_up
from .finish import (
    Run,
    blockwise,
    reads_first,
    store,
)
from .operand import Operand
from .small import FEW

#: How close to a half the float64 powers of :func:`_bind_exp2` leave open which way to round.
UNSURE = 2.0**-16

#: A function of raw int64 elements of X, giving raw int64 elements of X.
FixedFunction = Callable[[np.ndarray], np.ndarray]


def integer_root(n: np.ndarray, small: bool = False) -> np.ndarray:
    """floor(sqrt(n)) for int64 0 <= n < 2**63 (``small``: < 2**52), as int64."""
    s = np.sqrt(n.astype(np.float64)).astype(np.int64)
    if small:
        return s
    # s*s may pass 2^63 and wrap, the small difference from n is right all the same.
    rest = n - s * s
    s -= rest < 0
    rest = n - s * s
    s += rest > 2 * s
    return s


def _root_step(source: str, kind: str) -> Callable[[np.ndarray, np.ndarray], None]:
    """Square root of raw elements of ``source`` into ``kind``."""
    fraction = FRACTION[source]

    def step(out: np.ndarray, a: np.ndarray) -> None:
        n = np.maximum(a, 0).astype(np.int64)
        if kind == "I":
            out[...] = integer_root(n >> fraction, small=True)
            return
        if kind == "X":
            n <<= 32 - fraction  # sqrt(n) * 2^16 is the root of n * 2^32
        s = integer_root(n, small=kind != "X" or source != "I")
        if fraction and kind != "X":
            # Half up of sqrt(raw) / 2^8: floor((root + 128) / 256), which only needs floor(root).
            store(out, s, 8, kind)
            return
        s += n - s * s > s
        store(out, s, FRACTION[kind], kind)

    return step


def exp2_fixed(raw: np.ndarray) -> np.ndarray:
    """2**(raw / 65536) as raw X, rounded half up, saturated (int64 in and out)."""
    clipped = np.minimum(np.maximum(raw, -18 << 16), (15 << 16) - 1)
    value: np.ndarray = exp2_mantissas()[clipped & 0xFFFF]
    drop = (MANTISSA_BITS - 16) - (clipped >> 16)  # 1..33
    drop -= 1
    value = value >> drop
    value += 1
    value >>= 1
    value[raw >= 15 << 16] = X_MAX
    return value


def log2_integers(u: np.ndarray) -> np.ndarray:
    """log2(u) * 65536 rounded half up for int64 1 <= u < 2**31."""
    fraction, exponent = np.frexp(u.astype(np.float64))  # u = fraction * 2^exponent, >= 1/2
    power = exponent.astype(np.int64) - 1
    mantissa = u << (MANTISSA_BITS - power)
    candidate = np.floor((np.log2(fraction) + 1.0) * 65536 + 0.5).astype(np.int64)
    thresholds = log2_thresholds()
    # The candidate is off by one at most (its float error is below 2^-30): mend both ways.
    candidate -= mantissa < thresholds[candidate]
    candidate += mantissa >= thresholds[candidate + 1]
    return (power << 16) + candidate


def _log2_fixed(raw: np.ndarray, fraction: int) -> np.ndarray:
    """log2(raw / 2**fraction) as raw X; -32768 where raw <= 0."""
    value = log2_integers(np.maximum(raw, 1))
    value -= fraction << 16
    value[raw <= 0] = X_MIN
    return value


def sine_fixed(raw: np.ndarray) -> np.ndarray:
    """sin(2*pi*raw/65536) as raw X."""
    value: np.ndarray = sine_table()[raw & 0xFFFF]
    return value


def _fixed_step(char: str, source: str, kind: str) -> Callable[[np.ndarray, np.ndarray], None]:
    """Exp2, Log2 or Sine: its X value, then finished into ``kind``."""
    fraction = FRACTION[source]

    def step(out: np.ndarray, a: np.ndarray) -> None:
        raw = a.astype(np.int64)
        if char == "l":
            value = _log2_fixed(raw, fraction)
        else:
            raw <<= 16 - fraction
            value = exp2_fixed(raw) if char == "e" else sine_fixed(raw).astype(np.int64)
        if kind == "X":
            np.copyto(out, value, casting="unsafe")
        else:
            store(out, value, 16, kind)

    return step


def _root_number(raw: int, fraction: int, kind: str) -> int:
    """The finished square root of one raw element."""
    raw = max(raw, 0)
    if kind == "I":
        return isqrt(raw >> fraction)
    # The root of raw * 2^(34 - fraction) carries 17 fraction bits; the last is the half.
    return finish_number(isqrt(raw << (34 - fraction)), 17, kind)


def _exp2_number(raw: int, fraction: int, kind: str) -> int:
    """The finished power of two of one raw element."""
    raw <<= 16 - fraction
    if raw >= 15 << 16:
        value = X_MAX
    elif raw < -18 << 16:
        value = 0
    else:
        mantissa = exp2_mantissas().item(raw & 0xFFFF)
        value = finish_number(mantissa, MANTISSA_BITS - (raw >> 16), "X")
    return finish_number(value, 16, kind)


def _log2_number(raw: int, fraction: int, kind: str) -> int:
    """The finished logarithm of one raw element."""
    value = X_MIN
    if raw > 0:
        power = raw.bit_length() - 1
        thresholds = log2_thresholds()
        steps = int(thresholds.searchsorted(raw << (MANTISSA_BITS - power), side="right")) - 1
        value = (power - fraction << 16) + steps
    return finish_number(value, 16, kind)


def _sine_number(raw: int, fraction: int, kind: str) -> int:
    """The finished sine of one raw element."""
    return finish_number(sine_table().item(raw << (16 - fraction) & 0xFFFF), 16, kind)


_NUMBERS: dict[str, Callable[[int, int, str], int]] = {
    "q": _root_number, "e": _exp2_number, "l": _log2_number, "~": _sine_number,
}  # fmt: skip


def _bind_exp2(out: np.ndarray, x: np.ndarray) -> Run:
    """Exp2 of a few elements of X by two small tables in float64, where that is certain.

    2^(raw / 65536) * 65536 is a power for the high bits times one for the low 8, each right to half
    an ulp, so the product is within 2^-51 of itself, or 2^-20 below saturation.  Rounding it is
    right unless it lies as close to a half; then the exact tables decide.
    """
    high, low = exp2_floats()
    raw, part = np.empty(x.shape, np.int64), np.empty(x.shape, np.int64)
    value, power, rest = (np.empty(x.shape) for _ in range(3))
    offset, eight, mask, half = np.array(18 << 8), np.array(8), np.array(255), np.array(0.5)

    def run() -> int:
        raw[...] = x
        np.bitwise_and(raw, mask, part)
        low.take(part, None, power, "clip")
        np.right_shift(raw, eight, part)
        np.add(part, offset, part)
        high.take(part, None, value, "clip")
        np.multiply(value, power, value)
        np.add(value, half, value)
        np.floor(value, power)
        np.subtract(value, power, rest)
        if (
            rest.item(rest.argmin()) < UNSURE
            or rest.item(rest.argmax()) > 1 - UNSURE
            or power.item(power.argmax()) > X_MAX
        ):
            out[...] = exp2_fixed(raw)
        else:
            out[...] = power
        return -1

    return run


def _bind(op: Op, pixel: bool, d: Operand, inputs: tuple[Operand, ...], literal: int) -> Run:
    """Choose the way for these kinds."""
    a = inputs[0]
    x, out, kind, char = a.array, d.array, d.kind, op.char
    step = _root_step(a.kind, kind) if char == "q" else _fixed_step(char, a.kind, kind)
    if is_bytes(a.kind) and x.size >= TABLE_FROM:

        def run_table() -> int:
            table = np.empty((1, 256), out.dtype)
            step(table, np.arange(256, dtype=np.uint8).reshape(1, 256))
            line = table.ravel()
            return blockwise(lambda part, left: look_up(part, left, line), out, x)()

        return run_table
    if char == "e" and a.kind == kind == "X" and 1 < x.size <= FEW:
        return _bind_exp2(out, x)
    if x.size == out.size == 1:
        take, fraction = x.item, FRACTION[a.kind]
        number = _NUMBERS[char]

        def run_number() -> int:
            out[0, 0] = number(take(), fraction, kind)
            return -1

        return run_number
    return blockwise(step, out, x)


bind = reads_first(_bind, pointwise=True)
