"""Instructions by compiled kernels: from operands to closures.

A network that writes spends its time on single rows, where a call of NumPy costs more than what it
does and an exact instruction takes several; and its weights are bytes, which NumPy multiplies only
after making floats of them.  :func:`bind_compiled` gives the instructions that such a network is
made of to the loops in ``native_elements`` and ``native_rows``, which fill what NumPy's closures
would fill, or decline.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import NamedTuple

import numpy as np

from ..functions_tables import exp2_floats, exp2_mantissas
from ..isa import Op
from ..quantised import FRACTION, common_grid, quantised_table
from .finish import Run
from .native import Kernels
from .operand import Operand

#: Inner elements of a product with bytes up to which sums stay below 2^53.
MOST_INNER = 1 << 13
#: Elements of a row whose squares are added.
MOST_NORMED = 1 << 13

#: Instructions that may read the very elements that they write.
_POINTWISE = "A-*/R_eS"
#: Instructions whose kernels may decline.
_DECLINING = "/R_SnMmXx"


class _Unfit(Exception):  # noqa: N818 - no error: NumPy does it
    """No kernel does this instruction on these operands."""


class Span(NamedTuple):
    """A matrix of words or bytes as one line, and the elements from a row to the next."""

    line: np.ndarray
    step: int


#: ``builder(kernels, d, *inputs)``: a kernel with all its arguments, which may decline.
Builder = Callable[..., Run]


def bind_compiled(
    kernels: Kernels,
    op: Op,
    d: Operand,
    inputs: tuple[Operand, ...],
    literal: int,
    general: Callable[[], Run],
) -> Run:
    """The closure of an instruction, not in pixel mode: a kernel's, or what ``general`` makes."""
    builder = _BUILDERS.get(op.char + chr(literal) if literal else op.char)
    pointwise = op.char in _POINTWISE
    if builder is None or any(x.overlaps or (x.same and not pointwise) for x in inputs):
        return general()
    try:
        kernel = builder(kernels, d, *inputs)
    except _Unfit:
        return general()
    return _unless_declined(kernel, general) if op.char in _DECLINING else kernel


def _unless_declined(kernel: Run, make: Callable[[], Run]) -> Run:
    """A kernel; NumPy's closure, made at the first time, does what it declines."""
    general: Run | None = None

    def run() -> int:
        nonlocal general
        if kernel() == -1:
            return -1
        if general is None:
            general = make()
        return general()

    return run


# ---- operands ------------------------------------------------------------------------------------


def _must(*conditions: bool) -> None:
    if not all(conditions):
        raise _Unfit


def _span(array: np.ndarray) -> Span:
    """A matrix whose rows are contiguous and come one after the other; Unfit if they do not."""
    rows, cols = array.shape
    size = array.itemsize
    _must(rows > 0, cols > 0, cols == 1 or array.strides[1] == size)
    _must(rows == 1 or array.strides[0] >= size)
    if not array.flags.writeable:
        array = array.copy()  # a small integer
    step = array.strides[0] // size if rows > 1 else cols
    length = (rows - 1) * step + cols
    return Span(np.lib.stride_tricks.as_strided(array, (length,), (size,)), step)


def _line(array: np.ndarray) -> np.ndarray:
    """All elements of a matrix as one line; Unfit if they do not lie so."""
    span = _span(array)
    _must(array.shape[0] == 1 or span.step == array.shape[1])
    return span.line


def _words(*operands: Operand) -> bool:
    return all(x.kind in "IX" for x in operands)


def _fixed(*operands: Operand) -> bool:
    return all(x.kind == "X" for x in operands)


# ---- element by element --------------------------------------------------------------------------


def _pair(d: Operand, a: Operand, b: Operand) -> tuple[tuple[np.ndarray, ...], tuple[int, ...]]:
    """X with a of d's shape and b broadcast to it, as the kernels take them: three lines; rows,
    columns, the three steps and the columns of b."""
    shape = rows, cols = d.array.shape
    _must(_fixed(d, a), _words(b), d.array.size > 1, a.array.shape == shape)
    _must(b.rows in (1, rows), b.cols in (1, cols))
    spans = [_span(x.array) for x in (d, a, b)]
    steps = [span.step for span in spans]
    if b.rows == 1:
        steps[2] = 0
    b_cols = b.cols
    alike = b.array.shape == shape and steps[2] == cols
    if steps[0] == steps[1] == cols and (alike or b.array.size == 1):
        rows, cols = 1, rows * cols
        b_cols = cols if alike else 1
    return tuple(span.line for span in spans), (rows, cols, *steps, b_cols)


def _sum(minus: int) -> Builder:
    def build(kernels: Kernels, d: Operand, a: Operand, b: Operand) -> Run:
        if d.kind == "I":
            return _whole_sum(kernels, d, a, b, minus)
        _must(b.kind == "X" or b.array.size == 1)
        lines, layout = _pair(d, a, b)
        return partial(kernels["add"], *lines, *layout, FRACTION["X"] - FRACTION[b.kind], minus)

    return build


def _whole_sum(kernels: Kernels, d: Operand, a: Operand, b: Operand, minus: int) -> Run:
    _must(a.kind == b.kind == "I", d.array.size > 1, d.array.shape == a.array.shape)
    _must(b.array.size == 1 or b.array.shape == a.array.shape)
    out, x, y = _line(d.array), _line(a.array), _line(b.array)
    return partial(kernels["add_whole"], out, x, y, out.size, int(b.array.size == 1), minus)


def _times(kernels: Kernels, d: Operand, a: Operand, b: Operand) -> Run:
    lines, layout = _pair(d, a, b)
    return partial(kernels["times"], *lines, *layout, FRACTION[b.kind])


def _divide(kernels: Kernels, d: Operand, a: Operand, b: Operand) -> Run:
    lines, layout = _pair(d, a, b)
    return partial(kernels["divide"], *lines, *layout, float(1 << FRACTION[b.kind]))


def _extreme(greater: int) -> Builder:
    def build(kernels: Kernels, d: Operand, a: Operand, b: Operand) -> Run:
        _must(b.array.size == 1)
        lines, (rows, cols, to, step, *_) = _pair(d, a, b)
        up = FRACTION["X"] - FRACTION[b.kind]
        return partial(kernels["extreme"], *lines, rows, cols, to, step, greater, up)

    return build


def _shift(kernels: Kernels, d: Operand, a: Operand, b: Operand) -> Run:
    _must(d.kind + a.kind in ("II", "XX", "IX"), _words(b), b.array.size == 1)
    _must(d.array.size > 1, d.array.shape == a.array.shape)
    out, x, number = _line(d.array), _line(a.array), _line(b.array)
    drop = FRACTION[a.kind] - FRACTION[d.kind]
    return partial(kernels["shift_right"], out, x, number, out.size, FRACTION[b.kind], drop)


def _exp2(kernels: Kernels, d: Operand, a: Operand) -> Run:
    _must(_fixed(d, a), d.array.size > 1, d.array.shape == a.array.shape)
    out, x = _line(d.array), _line(a.array)
    return partial(kernels["exp2"], out, x, out.size, *exp2_floats(), exp2_mantissas())


# ---- by position ---------------------------------------------------------------------------------


def _gather(kernels: Kernels, d: Operand, a: Operand, i: Operand) -> Run:
    _must(_words(d, a, i), a.kind == d.kind, d.array.size > 1, d.array.shape == i.array.shape)
    out, line, places = _line(d.array), _line(a.array), _line(i.array)
    return partial(kernels["gather"], out, line, places, out.size, FRACTION[i.kind])


def _gather_rows(kernels: Kernels, d: Operand, a: Operand, i: Operand) -> Run:
    _must(_words(d, i), a.kind in (d.kind, "Q"), d.array.shape == (i.array.size, a.cols))
    out, x, places = _span(d.array), _span(a.array), _line(i.array)
    layout = places.size, a.rows, a.cols, out.step, x.step, FRACTION[i.kind]
    if a.kind == "Q":
        table = quantised_table(a.scale_bits, a.offset_bits, d.kind)
        return partial(kernels["gather_byte_rows"], out.line, x.line, places, *layout, table)
    return partial(kernels["gather_rows"], out.line, x.line, places, *layout)


# ---- rows ----------------------------------------------------------------------------------------


def _norm(kernels: Kernels, d: Operand, a: Operand, n: Operand) -> Run:
    _must(_fixed(d, a), _words(n), d.array.shape == a.array.shape, a.cols <= MOST_NORMED)
    out, x, noise = _span(d.array), _span(a.array), _line(n.array[:1, :1])
    gains = np.empty(a.rows)
    layout = a.rows, a.cols, out.step, x.step
    return partial(kernels["norm_rows"], out.line, x.line, *layout, noise, FRACTION[n.kind], gains)


def _row_extremes(greatest: int) -> Builder:
    def build(kernels: Kernels, d: Operand, a: Operand) -> Run:
        _must(_words(d, a), a.kind == d.kind, d.array.shape == (a.rows, 1))
        out, x = _span(d.array), _span(a.array)
        layout = a.rows, a.cols, out.step, x.step
        return partial(kernels["row_extremes"], out.line, x.line, *layout, greatest)

    return build


def _product(transposed: bool) -> Builder:
    """Words times bytes: one row, or rows times a matrix whose bytes are all the same."""

    def build(kernels: Kernels, d: Operand, a: Operand, b: Operand) -> Run:
        weights = b.array.T if transposed else b.array
        _must(b.kind == "Q", _words(d, a), d.array.size > 0, 0 < a.cols <= MOST_INNER)
        _must(d.array.shape == (a.rows, weights.shape[1]))
        scale, offset, exponent = common_grid(b.scale_bits, b.offset_bits)
        shift = FRACTION[a.kind] - exponent - FRACTION[d.kind]
        _must(0 <= shift <= 61)
        flags = (0, 0) if d.kind == "I" else (1, 1)
        # No instruction writes a quantised matrix: what its bytes are holds for good.
        byte = int(weights[0, 0])
        if byte == weights[-1, -1] and (weights == byte).all():
            factor = scale * byte + offset
            _must(abs(factor) < 1 << 62, weights.shape[1] == 1)
            out, x = _span(d.array), _span(a.array)
            layout = a.rows, a.cols, out.step, x.step
            sums = np.empty(a.rows, np.int64)
            return partial(
                kernels["row_sums"], out.line, x.line, *layout, sums, factor, shift, *flags
            )
        centre = 128 * scale + offset
        _must(a.rows == 1, max(abs(scale), abs(centre)) < 1 << 62)
        by_rows = weights.strides[1] == 1
        name, laid_out = ("row", weights) if by_rows else ("column", weights.T)
        sums = np.empty(d.cols, np.int64)
        lines = _line(d.array), _line(a.array), *_span(laid_out), sums
        return partial(kernels[f"{name}_product"], *lines, scale, centre, shift, *flags)

    return build


def _parts(transposed: bool) -> Builder:
    def build(kernels: Kernels, d: Operand, a: Operand, b: Operand) -> Run:
        cols = b.rows if transposed else b.cols // max(a.leaf or a.rows, 1)
        _must(_fixed(d, a, b), d.array.shape == (a.rows, cols))
        out, x, y = (_span(operand.array) for operand in (d, a, b))
        parts = b.cols // (a.cols if transposed else cols)
        layout = a.rows, cols, a.cols, parts, out.step, x.step, y.step, FRACTION["X"]
        lines = out.line, x.line, y.line
        if transposed:
            return partial(kernels["parts_transposed"], *lines, *layout)
        return partial(kernels["parts"], *lines, *layout, np.empty(cols, np.int64))

    return build


#: By instruction, and the operator that a fold names.
_BUILDERS: dict[str, Builder] = {
    "A": _sum(0),
    "-": _sum(-1),
    "*": _times,
    "/": _divide,
    "R": _extreme(1),
    "_": _extreme(0),
    "S": _shift,
    "e": _exp2,
    "G": _gather,
    "g": _gather_rows,
    "n": _norm,
    "FR": _row_extremes(1),
    "F_": _row_extremes(0),
    "M": _product(False),
    "m": _product(True),
    "X": _parts(False),
    "x": _parts(True),
}
