"""The oracle: arithmetic, bits, functions and folds."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from fractions import Fraction
from itertools import accumulate
from math import floor, isqrt
from typing import TYPE_CHECKING, Any

from .isa import FRACTION_BITS
from .oracle_functions import Value, exp2_raw, log2_raw, sine_raw, sqrt_floor, sqrt_scaled
from .oracle_values import INT_MAX, INT_MIN, Fault, Grid, Ref, build, common, store_raw

if TYPE_CHECKING:
    from .oracle import Step


def arithmetic(step: Step) -> None:
    """d = the row's exact meaning of each element of a and b, broadcast."""
    d, a, b = step.target(), step.value("a"), step.value("b")
    shape = common(a.shape, b.shape)
    step.check_shape(d, shape)
    if step.op.char in "/%":
        zero = first_zero(step.values(b), shape)
        if zero is not None:
            raise Fault("/", zero)
    step.pay(step.fit(d, shape))
    left, right = step.values(a).broadcast(*shape), step.values(b).broadcast(*shape)
    assert step.op.exact is not None
    step.store(d, Grid(*shape, list(map(step.op.exact, left.cells, right.cells))))


def first_zero(divisors: Grid, shape: tuple[int, int]) -> int | None:
    """The first element of a result of this shape whose divisor is zero, row-major."""
    if 0 in shape or 0 not in divisors.cells:
        return None
    row, col = divmod(divisors.cells.index(0), divisors.cols)
    return min(row * shape[1] + col, 2**32 - 1)


def bits(step: Step) -> None:
    """d = the row's meaning of each raw word of a and b, stored raw."""
    d, a, b = step.target(), step.value("a"), step.value("b")
    shape = common(a.shape, b.shape)
    step.pay(step.fit(d, shape))
    left, right = step.raws(a).broadcast(*shape), step.raws(b).broadcast(*shape)
    assert step.op.exact is not None
    words = map(step.op.exact, left.cells, right.cells)
    step.store_raw(d, Grid(*shape, [store_raw(d.kind, int(word)) for word in words]))


def shift(step: Step) -> None:
    """d = raw words of a shifted by b, worth that over a's fraction."""
    d, a, b = step.target(), step.value("a"), step.value("b")
    shape = common(a.shape, b.shape)
    step.pay(step.fit(d, shape))
    left, counts = step.raws(a).broadcast(*shape), step.values(b).broadcast(*shape)
    assert step.op.exact is not None
    unit = Fraction(1, 2 ** FRACTION_BITS.get(a.kind, 0))
    shifted = map(step.op.exact, left.cells, counts.cells)
    step.store(d, Grid(*shape, [word * unit for word in shifted]))


def function(step: Step) -> None:
    """d = the correctly rounded function of each element of a."""
    d, a = step.target(), step.value("a")
    step.pay(step.fit(d, a.shape))
    step.store(d, Grid(*a.shape, [_function(step.op.char, d, x) for x in step.values(a).cells]))


def _function(char: str, d: Ref, x: Value) -> Value:
    if char == "q":
        if d.kind == "I":
            return sqrt_floor(x)
        scale = 65536 if d.kind == "X" else 1
        return Fraction(sqrt_scaled(x, scale), scale)
    rounded = {"e": exp2_raw, "l": log2_raw, "~": sine_raw}[char]
    return Fraction(rounded(x), 65536)


# ---- folds -------------------------------------------------------------------------------


#: The least and the greatest value of the kinds that are not bytes.
RANGE: dict[str, tuple[Value, Value]] = {
    "I": (INT_MIN, INT_MAX),
    "X": (Fraction(INT_MIN, 65536), Fraction(INT_MAX, 65536)),
}

#: What the operators of folds do with two values, or with two raw words.
COMBINE: dict[str, Callable[[Any, Any], Any]] = {
    "A": lambda a, b: a + b,
    "R": max,
    "_": min,
    "&": lambda a, b: a & b,
    "|": lambda a, b: a | b,
    "^": lambda a, b: a ^ b,
}


def combine(operator: str, line: Sequence[Value], kind: str) -> Value:
    """One line combined by an operator; an empty one gives the neutral element."""
    if operator == "A":
        return sum(line)
    if operator in "R_":
        least, greatest = RANGE.get(kind, (0, 255))
        return max(line, default=least) if operator == "R" else min(line, default=greatest)
    return running(operator, [-1 if operator == "&" else 0, *line])[-1]


def running(operator: str, line: Sequence[Value]) -> list[Value]:
    """Every prefix of a line combined by an operator, exactly."""
    return list(accumulate(line, COMBINE[operator]))


def _finished(step: Step, d: Ref, grid: Grid) -> None:
    """Store the result of a fold: bit operators as raw words, the others as values."""
    if step.literal in "&|^":
        grid = Grid(*grid.shape, [store_raw(d.kind, int(cell)) for cell in grid.cells])
        step.store_raw(d, grid)
    else:
        step.store(d, grid)


def _read(step: Step, a: Ref) -> Grid:
    return step.raws(a) if step.literal in "&|^" else step.values(a)


def fold(step: Step) -> None:
    """Combine each row (``F``) or column (``f``)."""
    d, a = step.target(), step.value("a")
    by_row = step.op.char == "F"
    rows, cols = (a.rows, 1) if by_row else (1, a.cols)
    step.fit(d, (rows, cols))
    step.pay(a.area)
    grid = _read(step, a)
    lines = [grid.row(i) for i in range(rows)] if by_row else [grid.column(j) for j in range(cols)]
    _finished(step, d, Grid(rows, cols, [combine(step.literal, line, d.kind) for line in lines]))


def cumulate(step: Step) -> None:
    """Combine each prefix of each row (``C``) or column (``c``)."""
    d, a = step.target(), step.value("a")
    step.fit(d, a.shape)
    step.pay(a.area)
    grid = _read(step, a)
    if step.op.char == "C":
        lines = [running(step.literal, grid.row(i)) for i in grid.filled_rows()]
        result = build(*a.shape, lambda i, j: lines[i][j])
    else:
        lines = [running(step.literal, grid.column(j)) for j in grid.filled_cols()]
        result = build(*a.shape, lambda i, j: lines[j][i])
    _finished(step, d, result)


def argmax(step: Step) -> None:
    """The column of the greatest element of each row, the first if equal."""
    d, a = step.target(), step.value("a")
    step.fit(d, (a.rows, 1))
    step.pay(a.area)
    grid = step.values(a)
    lines = [grid.row(i) for i in range(a.rows)]
    step.store(d, Grid(a.rows, 1, [row.index(max(row)) if row else -1 for row in lines]))


def norm(step: Step) -> None:
    """Each element over the root of its row's mean square and the noise, correctly rounded."""
    d, a, n = step.target(), step.value("a"), step.value("n")
    if n.area == 0:
        raise Fault("S")
    step.fit(d, a.shape)
    step.pay(a.area)
    noise = Fraction(max(floor(step.values(n).cells[0]), 0), 2**32)
    grid = step.values(a)
    lines = [grid.row(i) for i in grid.filled_rows()]
    squares = [Fraction(sum(x * x for x in line)) / (a.cols or 1) + noise for line in lines]

    def element(i: int, j: int) -> Value:
        x = lines[i][j]
        if x == 0:
            return 0
        return Fraction(_nearest_root(Fraction(x * x) / squares[i] * 65536**2, x < 0), 65536)

    step.store(d, build(*a.shape, element))


def _nearest_root(square: Fraction, negative: bool) -> int:
    """floor(root + 1/2) of the root, or the negative root, of a positive number; saturated."""
    root = isqrt(floor(4 * square))  # floor of twice the root
    up = (root + 1) // 2
    if negative:
        up = -(root // 2 if root * root == 4 * square else up)
    return max(INT_MIN, min(INT_MAX, up))


RUN: dict[str, Callable[[Step], None]] = {
    **dict.fromkeys("A-*/%R_<=", arithmetic),
    **dict.fromkeys("&|^", bits),
    "S": shift,
    **dict.fromkeys("qel~", function),
    **dict.fromkeys("Ff", fold),
    **dict.fromkeys("Cc", cumulate),
    "a": argmax,
    "n": norm,
}
