"""Arithmetic, element by element: add, subtract, times, divide, modulo, max, min, compare.

Every case computes the exact value in the smallest integers that hold it and finishes once:

* values of any two kinds on a common grid take at most 31 + 16 bits, products 62 bits: int64;
* same-kind cases use 8, 16 and 32-bit integers (see the steps below);
* division uses float64 where it is exact: for integers with |n| < 2^53 and |b| < 2^53,
  floor(fl(n / b)) = floor(n / b).  Were it greater, n / b would lie at least 1/|b| below the
  integer k = floor(fl(n / b)), and rounding moved it by at most |n / b| * 2^-53 < 1/|b|.
  Half up is floor((2n + b) / (2b)).
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from ..isa import Op
from ..quantised import (
    FRACTION,
    X_MAX,
    X_MIN,
    finish_number,
    is_bytes,
)
from .finish import (
    Run,
    blockwise,
    clamp,
    clip_into,
    converter,
    reads_first,
    store,
)
from .operand import Operand
from .small import bind_small

Step = Callable[..., None]

_UFUNC: dict[str, np.ufunc] = {
    "A": np.add, "-": np.subtract, "*": np.multiply, "R": np.maximum, "_": np.minimum,
    "<": np.less, "=": np.equal,
}  # fmt: skip

#: A byte matrix of at least this many elements with a number goes through a table of 256.
TABLE_FROM = 2048


# ---- one number ------------------------------------------------------------------------------


def finish_one(char: str, a: int, fa: int, b: int, fb: int, kind: str) -> int:
    """The finished element of ``kind`` for a / 2**fa and b / 2**fb; b is not 0 in / and %."""
    if char == "*":
        return finish_number(a * b, fa + fb, kind)
    f = max(fa, fb)
    a <<= f - fa
    b <<= f - fb
    if char == "A":
        return finish_number(a + b, f, kind)
    if char == "-":
        return finish_number(a - b, f, kind)
    if char == "R":
        return finish_number(max(a, b), f, kind)
    if char == "_":
        return finish_number(min(a, b), f, kind)
    if char == "<":
        return finish_number(int(a < b), 0, kind)
    if char == "=":
        return finish_number(int(a == b), 0, kind)
    if char == "%":
        return finish_number(a % b, f, kind)
    # One bit below the grid of d, floored, is all that rounding half up (or flooring) needs.
    bits = FRACTION[kind] + 1
    return finish_number((a << bits) // b, bits, kind)


def _bind_number(char: str, d: Operand, a: Operand, b: Operand) -> Run:
    """All three 1x1: Python integers are faster than any array."""
    out, kind = d.array, d.kind
    take_a, take_b = a.array.item, b.array.item
    fa, fb = FRACTION[a.kind], FRACTION[b.kind]
    divides = char in "/%"

    def run() -> int:
        right = take_b()
        if divides and right == 0:
            return 0
        out[0, 0] = finish_one(char, take_a(), fa, right, fb, kind)
        return -1

    return run


# ---- steps on blocks ---------------------------------------------------------------------------


def _aligned(a: np.ndarray, b: np.ndarray, fa: int, fb: int) -> tuple[np.ndarray, np.ndarray, int]:
    """Both as int64 on the finer grid of the two."""
    f = max(fa, fb)
    x, y = a.astype(np.int64), b.astype(np.int64)
    if fa < f:
        x <<= f - fa
    if fb < f:
        y <<= f - fb
    return x, y, f


def _general(char: str, fa: int, fb: int, kind: str) -> Step:
    """Any kinds, in int64."""
    ufunc = _UFUNC[char]

    if char == "*":

        def times(out: np.ndarray, a: np.ndarray, b: np.ndarray) -> None:
            store(out, np.multiply(a, b, dtype=np.int64), fa + fb, kind)

        return times

    if char in "<=":
        scale = 1 << FRACTION[kind]

        def compare(out: np.ndarray, a: np.ndarray, b: np.ndarray) -> None:
            x, y, _ = _aligned(a, b, fa, fb)
            np.multiply(ufunc(x, y), scale, out=out, casting="unsafe")

        return compare

    def combine(out: np.ndarray, a: np.ndarray, b: np.ndarray) -> None:
        x, y, f = _aligned(a, b, fa, fb)
        store(out, ufunc(x, y), f, kind)

    return combine


def _saturating_add(out: np.ndarray, a: np.ndarray, b: np.ndarray) -> None:
    """X + X into X: wrap, then mend where both signs differ from the sum's."""
    total = np.add(a, b)
    wrong = np.bitwise_xor(a, total)
    wrong &= b ^ total
    if wrong.size and np.minimum.reduce(wrong, axis=None) < 0:
        _mend(total, wrong)
    np.copyto(out, total)


def _saturating_subtract(out: np.ndarray, a: np.ndarray, b: np.ndarray) -> None:
    """X - X into X: wrap, then mend where a differs in sign from both b and the result."""
    total = np.subtract(a, b)
    wrong = np.bitwise_xor(a, total)
    wrong &= a ^ b
    if wrong.size and np.minimum.reduce(wrong, axis=None) < 0:
        _mend(total, wrong)
    np.copyto(out, total)


def _mend(total: np.ndarray, wrong: np.ndarray) -> None:
    """Replace wrapped sums: one that came out negative was too great."""
    at = wrong < 0
    total[at] = np.where(total[at] < 0, X_MAX, X_MIN)


def _fixed_times(out: np.ndarray, a: np.ndarray, b: np.ndarray) -> None:
    """X * X into X."""
    value = np.multiply(a, b, dtype=np.int64)
    value += 1 << 15
    value >>= 16
    if value.size and (value.max() > X_MAX or value.min() < X_MIN):
        clamp(value, X_MIN, X_MAX)
    np.copyto(out, value, casting="unsafe")


def _byte_add(out: np.ndarray, a: np.ndarray, b: np.ndarray) -> None:
    """Clamped a + b: what a has too much is cut first."""
    np.add(np.minimum(a, np.invert(b)), b, out=out)


def _byte_subtract(out: np.ndarray, a: np.ndarray, b: np.ndarray) -> None:
    np.subtract(np.maximum(a, b), b, out=out)


def _byte_times(out: np.ndarray, a: np.ndarray, b: np.ndarray) -> None:
    value = np.multiply(a, b, dtype=np.uint16)
    clamp(value, 0, 255)
    np.copyto(out, value, casting="unsafe")


def _direct(ufunc: np.ufunc, dtype: type | None, out: np.ndarray, *inputs: np.ndarray) -> Run:
    """One call of a ufunc straight into d."""
    a, b = inputs
    if dtype is None:

        def run() -> int:
            ufunc(a, b, out=out)
            return -1

        return run

    def run_as() -> int:
        ufunc(a, b, out=out, dtype=dtype, casting="unsafe")
        return -1

    return run_as


# ---- binding ----------------------------------------------------------------------------------


def _bind(op: Op, pixel: bool, d: Operand, inputs: tuple[Operand, ...], literal: int) -> Run:
    """Choose the fastest exact way for these kinds and shapes."""
    a, b = inputs
    char = op.char
    if d.array.size == a.array.size == b.array.size == 1 and not (
        char in "A-*R_" and a.kind == b.kind == d.kind == "I"
    ):
        return _bind_number(char, d, a, b)
    general = _bind_general(char, d, a, b)
    return bind_small(char, d, a, b, general) or general


def _bind_general(char: str, d: Operand, a: Operand, b: Operand) -> Run:
    """Any kinds, shapes and sizes."""
    if char in "/%":
        return _bind_division(char, d, a, b)
    if b.array.size == 1 and a.array.size >= TABLE_FROM and d.array.shape == a.array.shape:
        return _bind_constant(char, d, a, b)
    return _bind_arrays(char, d, a, b)


def _bind_arrays(char: str, d: Operand, a: Operand, b: Operand) -> Run:
    """Element with element, whatever their values: everything but division."""
    out, x, y = d.array, a.array, b.array
    ufunc = _UFUNC[char]
    kinds = {"P" if is_bytes(kind) else kind for kind in (a.kind, b.kind)}
    if char in "<=":
        if "X" in kinds and len(kinds) > 1:
            return blockwise(_general(char, FRACTION[a.kind], FRACTION[b.kind], d.kind), out, x, y)
        if d.kind != "X":
            return _direct(ufunc, None, out, x, y)

        def compare(part: np.ndarray, left: np.ndarray, right: np.ndarray) -> None:
            np.left_shift(ufunc(left, right), 16, out=part, dtype=np.int32)

        return blockwise(compare, out, x, y)
    if d.kind == "I" and "X" not in kinds:
        return _direct(ufunc, None if kinds == {"I"} else np.int32, out, x, y)
    if kinds == {d.kind if d.kind == "X" else "P"} and d.kind != "I":
        if char in "R_":
            return _direct(ufunc, None, out, x, y)
        steps = _FIXED_STEPS if d.kind == "X" else _BYTE_STEPS
        return blockwise(steps[char], out, x, y)
    return blockwise(_general(char, FRACTION[a.kind], FRACTION[b.kind], d.kind), out, x, y)


_FIXED_STEPS: dict[str, Step] = {
    "A": _saturating_add, "-": _saturating_subtract, "*": _fixed_times,
}  # fmt: skip
_BYTE_STEPS: dict[str, Step] = {"A": _byte_add, "-": _byte_subtract, "*": _byte_times}


def _table(char: str, kind: str, number: int, fraction: int) -> np.ndarray:
    """What each byte becomes, combined with one number."""
    values = [finish_one(char, byte, 0, number, fraction, kind) for byte in range(256)]
    return np.array(values, np.uint8 if is_bytes(kind) else np.int32)


def _bind_constant(char: str, d: Operand, a: Operand, b: Operand) -> Run:
    """Many elements with one number, which is looked at when the instruction runs."""
    out, x, kind = d.array, a.array, d.kind
    take, fraction = b.array.item, FRACTION[b.kind]
    own = FRACTION[a.kind]
    convert = converter(a, kind)
    narrow = is_bytes(a.kind) and (is_bytes(kind) or (char in "<=" and kind == "I"))
    direct = _bind_arrays(char, d, a, b)
    table = _bind_table(char, d, a, b) if is_bytes(a.kind) and kind != "I" else direct

    def run() -> int:
        number = take()
        if number == 0 and char in "A-" and convert is not None:
            blockwise(lambda part, left: np.copyto(part, convert(left)), out, x)()
        elif number & ((1 << fraction) - 1) == 0 and narrow and char != "*":
            _byte_constant(char, out, x, number >> fraction)
        elif char in "R_" and own == fraction == FRACTION[kind] and x.dtype == out.dtype:
            _clip_constant(char, out, x, number)
        else:
            return table()
        return -1

    return run


def _clip_constant(char: str, out: np.ndarray, x: np.ndarray, number: int) -> None:
    """max or min with a number of the same kind: ``clip`` is vectorised for constants."""
    low, high = (0, 255) if x.dtype == np.uint8 else (X_MIN, X_MAX)
    clip_into(out, x, *((number, high) if char == "R" else (low, number)))


def _byte_constant(char: str, out: np.ndarray, x: np.ndarray, number: int) -> None:
    """Bytes with an integer, into bytes (comparisons: any type): a byte's range is enough."""
    inside = 0 <= number <= 255
    byte = np.uint8(max(0, min(255, number)))
    if char == "<":
        if inside:
            np.less(x, byte, out=out)
        else:
            out[...] = number > 0
    elif char == "=":
        if inside:
            np.equal(x, byte, out=out)
        else:
            out[...] = 0
    elif char in "R_":
        _clip_constant(char, out, x, int(byte))
    else:
        _byte_shift(out, x, number if char == "A" else -number)


def _bind_table(char: str, d: Operand, a: Operand, b: Operand) -> Run:
    """Many bytes with one number by a table of the 256 results."""
    out, x = d.array, a.array
    take, fraction, kind = b.array.item, FRACTION[b.kind], d.kind
    known: list[tuple[int, np.ndarray]] = []

    def run() -> int:
        number = take()
        if char in "/%" and number == 0:
            return 0
        if not known or known[0][0] != number:
            known[:] = [(number, _table(char, kind, number, fraction))]
        table = known[0][1]
        return blockwise(lambda part, bytes_in: look_up(part, bytes_in, table), out, x)()

    return run


def look_up(out: np.ndarray, index: np.ndarray, table: np.ndarray) -> None:
    """``out = table[index]`` for bytes; bytes into bytes use the C library's table walk."""
    if table.dtype == np.uint8 and index.size:
        line = index.tobytes().translate(table.tobytes())
        out[...] = np.frombuffer(line, np.uint8).reshape(index.shape)
    else:
        out[...] = table[index]


def _byte_shift(out: np.ndarray, x: np.ndarray, number: int) -> None:
    """Clamped x + number for bytes."""
    size = min(abs(number), 255)
    amount = np.uint8(size)

    def up(part: np.ndarray, left: np.ndarray) -> None:
        clip_into(part, left, 0, 255 - size)
        np.add(part, amount, out=part)

    def down(part: np.ndarray, left: np.ndarray) -> None:
        clip_into(part, left, size, 255)
        np.subtract(part, amount, out=part)

    blockwise(up if number >= 0 else down, out, x)()


# ---- division ------------------------------------------------------------------------------------


def _first_zero(b: np.ndarray, rows: int, cols: int) -> int:
    """Row-major position of the first zero divisor in a rows x cols result; -1 if none."""
    if rows == 0 or cols == 0 or b.all():
        return -1
    first = int(np.argmax(b.ravel() == 0))
    row, col = divmod(first, int(b.shape[1]))
    return row * cols + col


def _divide_floats(shift: int, half: bool, kind: str) -> Step:
    """a * 2**shift / b with float64; exact because 2 * |a| * 2**shift + |b| < 2**53."""

    def step(out: np.ndarray, a: np.ndarray, b: np.ndarray) -> None:
        n, y = a.astype(np.float64), b.astype(np.float64)
        if shift > 0:
            n *= 1 << shift
        elif shift < 0:
            y *= 1 << -shift
        if half:
            n *= 2
            n = n + y
            y += y
        n = n / y
        np.floor(n, out=n)
        if kind == "I":
            np.copyto(out, n.astype(np.int64), casting="unsafe")
            return
        low, high = (X_MIN, X_MAX) if kind == "X" else (0, 255)
        np.minimum(n, high, out=n)
        np.maximum(n, low, out=out, casting="unsafe")

    return step


def _divide_far(out: np.ndarray, a: np.ndarray, b: np.ndarray) -> None:
    """I or bytes / X into X: a * 2**32 / b, half up, in int64.

    a = -2^31 would leave no room for its negation: moved by one the quotient is still far
    beyond saturation, |a * 2^32 / b| >= 2^32.
    """
    n = a.astype(np.int64) << 32
    n = np.maximum(n, -(1 << 63) + 1)
    y = np.broadcast_to(b.astype(np.int64), out.shape)
    quotient = n // y
    rest = np.abs(n - quotient * y)
    quotient += 2 * rest >= np.abs(y)
    store(out, quotient, 16, "X")


def _modulo(fa: int, fb: int, kind: str) -> Step:
    """a - b * floor(a / b) on the finer grid: all terms are integers below 2^49 in float64."""
    f = max(fa, fb)

    def step(out: np.ndarray, a: np.ndarray, b: np.ndarray) -> None:
        x, y = a.astype(np.float64), b.astype(np.float64)
        if fa < f:
            x *= 1 << (f - fa)
        if fb < f:
            y *= 1 << (f - fb)
        quotient = x / y
        np.floor(quotient, out=quotient)
        quotient *= y
        np.subtract(x, quotient, out=quotient)
        store(out, quotient.astype(np.int64), f, kind)

    return step


def _bind_division(char: str, d: Operand, a: Operand, b: Operand) -> Run:
    """Divide and Modulo: no zero divisor, then block by block."""
    rows = max(a.rows, b.rows) if a.rows and b.rows else 0
    cols = max(a.cols, b.cols) if a.cols and b.cols else 0
    x, y, out, kind = a.array, b.array, d.array, d.kind
    fa, fb = FRACTION[a.kind], FRACTION[b.kind]
    shift = FRACTION[kind] + fb - fa
    if char == "%":
        step = _modulo(fa, fb, kind)
    elif shift == 32:
        step = _divide_far
    else:
        step = _divide_floats(shift, kind != "I", kind)
    if is_bytes(a.kind) and y.size == 1 and x.size >= TABLE_FROM and out.shape == x.shape:
        return _bind_table(char, d, a, b)
    body = blockwise(step, out, x, y)
    if y.size != 1:

        def run() -> int:
            at = _first_zero(y, rows, cols)
            return at if at >= 0 else body()

        return run

    # One divisor: NumPy divides integers by a constant with multiplications.
    take = y.item
    integers = kind == "I" and fa == fb == 0 and out.shape == (rows, cols)
    if integers and char == "/" and x.dtype == np.int32:
        direct: np.ufunc | None = np.floor_divide
    elif integers and x.dtype == np.int32:
        direct = np.remainder
    else:
        direct = None

    def run_constant() -> int:
        divisor = take()
        if divisor == 0:
            return 0 if rows and cols else -1
        if direct is None or divisor == -1:
            return body()
        direct(x, divisor, out=out)
        return -1

    return run_constant


bind = reads_first(_bind, pointwise=True)
