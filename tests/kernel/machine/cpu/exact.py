"""A slow evaluator of the element families in exact rationals, and cases to compare with it.

Written from the instruction table alone.  Matrices are lists of rows of raw integers.
"""

from __future__ import annotations

import random
import struct
from collections.abc import Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from functools import reduce
from math import floor, isqrt

import numpy as np

from pxos.kernel.machine.cpu import arith, bits, conv, draw, fold, functions, index, matmul, move
from pxos.kernel.machine.cpu.native_bind import bind_compiled
from pxos.kernel.machine.cpu.operand import Binder, Operand
from pxos.kernel.machine.isa import BY_CHAR
from pxos.kernel.machine.oracle_functions import exp2_raw, log2_raw, sine_raw
from tests.kernels import KERNELS

BINDERS: dict[str, Binder] = {
    "arith": arith.bind, "bits": bits.bind, "functions": functions.bind, "fold": fold.bind,
    "index": index.bind, "move": move.bind, "matmul": matmul.bind, "conv": conv.bind,
    "draw": draw.bind,
}  # fmt: skip

Rows = list[list[int]]
LOW, HIGH = -(2**31), 2**31 - 1
CORNERS = {
    "I": [0, 1, -1, 2, 3, -3, 7, 255, 256, -256, 65535, 65536, LOW, HIGH, LOW + 1, 46341, 12345678],
    "X": [0, 1, -1, 2, 32768, -32768, 65536, -65536, 98304, 65535, LOW, HIGH, LOW + 1, 1 << 24,
          -17 << 16, 15 << 16, 16384, 123456789],
    "T": [0, 1, 2, 3, 127, 128, 254, 255],
}  # fmt: skip
CORNERS["P"] = CORNERS["Q"] = CORNERS["T"]


@dataclass(frozen=True)
class Matrix:
    """Raw elements of a kind (pixel mode: signed words), with an operand's header numbers."""

    kind: str
    rows: Rows
    cols: int
    leaf: int = 0
    scale: float = 1.0
    offset: float = 0.0

    @property
    def shape(self) -> tuple[int, int]:
        return len(self.rows), self.cols

    @property
    def flat(self) -> list[int]:
        return [raw for row in self.rows for raw in row]


def worth(m: Matrix, raw: int) -> Fraction | int:
    if m.kind == "Q":
        return Fraction(m.scale) * raw + Fraction(m.offset)
    return Fraction(raw, 65536) if m.kind == "X" else raw


def values(m: Matrix) -> list[list[Fraction | int]]:
    return [[worth(m, raw) for raw in row] for row in m.rows]


def wrap(number: int) -> int:
    return (number - LOW) % 2**32 + LOW


def finish(kind: str, x: Fraction | int) -> int:
    if kind == "I":
        return wrap(floor(x))
    if kind == "X":
        return max(LOW, min(HIGH, floor(x * 131072) + 1 >> 1))
    return max(0, min(255, floor(x * 2) + 1 >> 1))


def raw_word(kind: str, raw: int) -> int:
    return raw & 255 if kind in "TP" else wrap(raw)


def stretched(rows: Sequence[Sequence], shape: tuple[int, int]) -> list[list]:
    """Broadcast to a shape."""
    r, c = shape
    return [
        [rows[0 if len(rows) == 1 else i][0 if len(rows[0]) == 1 else j] for j in range(c)]
        for i in range(r)
    ]


def common(a: tuple[int, int], b: tuple[int, int]) -> tuple[int, int]:
    return tuple(y if x == 1 else x for x, y in zip(a, b, strict=True))  # type: ignore[return-value]


# ---- the rows' meaning -----------------------------------------------------------------------


def root(x: Fraction, scale: int, half: bool) -> int:
    """floor(sqrt(x) * scale) or its half-up rounding."""
    x = max(x, Fraction(0)) * scale * scale * (4 if half else 1)
    r = isqrt(floor(x))
    return (r + 1) // 2 if half else r


def combine(char: str, line: list) -> object:
    pick = {
        "A": lambda a, b: a + b,
        "R": max,
        "_": min,
        "&": lambda a, b: a & b,
        "|": lambda a, b: a | b,
        "^": lambda a, b: a ^ b,
    }[char]
    return reduce(pick, line)


def fold_line(char: str, kind: str, m: Matrix, line: list[int]) -> int:
    """One folded, finished element."""
    if not line:
        greatest = 255 if kind in "TP" else HIGH
        least = 0 if kind in "TP" else LOW
        return {"R": least, "_": greatest, "&": 255 if kind in "TP" else -1}.get(char, 0)
    if char in "&|^":
        return raw_word(kind, combine(char, line))
    return finish(kind, combine(char, [worth(m, raw) for raw in line]))


def blend(over: int, under: int) -> int:
    alpha = over >> 24 & 255
    result = 0
    for shift in (0, 8, 16, 24):
        s = 255 if shift == 24 else over >> shift & 255
        t = under >> shift & 255
        result |= (s * alpha + t * (255 - alpha) + 127) // 255 << shift
    return wrap(result)


def convert(kind: str, m: Matrix, raw: int, pixel: bool) -> int:
    return raw if pixel else finish(kind, worth(m, raw))


def floors(m: Matrix) -> list[int]:
    return [floor(worth(m, raw)) for raw in m.flat]


def lines(flat: list, cols: int, count: int) -> list[list]:
    return [flat[i * cols : (i + 1) * cols] for i in range(count)]


def result(
    char: str, literal: str, pixel: bool, d: Matrix, ins: tuple[Matrix, ...]
) -> Matrix | int:
    """The finished result (its own shape), or the first faulting element."""
    op, kind = BY_CHAR[char], d.kind
    a = ins[0]
    b = ins[1] if len(ins) > 1 else a
    if op.family in ("arith", "bits"):
        shape = common(a.shape, b.shape)
        if 0 in shape:
            return Matrix(kind, [[] for _ in range(shape[0])], shape[1])
        left, right = a.rows, b.rows
        if op.family == "arith":
            left, right = values(a), values(b)
        elif char == "S":
            right = values(b)
        left, right = stretched(left, shape), stretched(right, shape)
        if char in "/%":
            for at, divisor in enumerate(x for row in right for x in row):
                if divisor == 0:
                    return at
        rows = []
        for line, other in zip(left, right, strict=True):
            exact = [op.exact(x, y) for x, y in zip(line, other, strict=True)]
            if char == "S":
                rows.append([finish(kind, worth(a, x)) for x in exact])
            elif op.family == "bits":
                rows.append([raw_word(kind, x) for x in exact])
            else:
                rows.append([finish(kind, x) for x in exact])
        return Matrix(kind, rows, shape[1])
    if op.family == "functions":
        return Matrix(kind, [[function(char, kind, x) for x in row] for row in values(a)], a.cols)
    return (_FAMILIES[op.family])(char, literal, pixel, d, ins)


def function(char: str, kind: str, x: Fraction) -> int:
    if char == "q":
        if kind == "I":
            return finish(kind, root(x, 1, False))
        scale = 65536 if kind == "X" else 1
        return finish(kind, Fraction(root(x, scale, True), scale))
    return finish(kind, Fraction({"e": exp2_raw, "l": log2_raw, "~": sine_raw}[char](x), 65536))


def _norm(row: list[Fraction | int], noise: Fraction) -> list[Fraction]:
    """Each number over the root of the mean square and the noise: bisection for the half below."""
    mean = sum(Fraction(x) ** 2 for x in row) / max(len(row), 1) + noise
    found = []
    for x in row:
        low, high = LOW, HIGH  # the greatest k with k - 1/2 <= 65536 * x / sqrt(mean)
        while x and low < high:
            k = (low + high + 1) // 2
            bound = Fraction(2 * k - 1, 2 * 65536)
            # bound <= x / sqrt(mean), by signs and squares
            if bound < 0 <= x or (bound <= 0 and x > 0):
                fits = True
            elif bound > 0 > x:
                fits = False
            elif x > 0:
                fits = bound**2 * mean <= Fraction(x) ** 2
            else:
                fits = bound**2 * mean >= Fraction(x) ** 2
            low, high = (k, high) if fits else (low, k - 1)
        found.append(Fraction(low if x else 0, 65536))
    return found


def _fold(char: str, literal: str, pixel: bool, d: Matrix, ins: tuple[Matrix, ...]) -> Matrix:
    a, kind = ins[0], d.kind
    if char == "n":
        noise = Fraction(max(floor(worth(ins[1], ins[1].rows[0][0])), 0), 2**32)
        return Matrix(
            kind, [[finish(kind, x) for x in _norm(row, noise)] for row in values(a)], a.cols
        )
    if char == "a":
        best = [[row.index(max(row)) if row else -1] for row in a.rows]
        return Matrix(kind, [[finish(kind, x) for x in row] for row in best], 1)
    turned = [[row[j] for row in a.rows] for j in range(a.cols)]
    if char == "F":
        return Matrix(kind, [[fold_line(literal, kind, a, row)] for row in a.rows], 1)
    if char == "f":
        return Matrix(kind, [[fold_line(literal, kind, a, col) for col in turned]], a.cols)
    if char == "C":
        return Matrix(
            kind,
            [[fold_line(literal, kind, a, row[: j + 1]) for j in range(a.cols)] for row in a.rows],
            a.cols,
        )
    return Matrix(
        kind,
        [
            [fold_line(literal, kind, a, turned[j][: i + 1]) for j in range(a.cols)]
            for i in range(len(a.rows))
        ],
        a.cols,
    )


def _index(char: str, literal: str, pixel: bool, d: Matrix, ins: tuple[Matrix, ...]) -> Matrix:
    a, kind = ins[0], d.kind
    if char == "I":
        n, s = floors(a)[0], worth(ins[1], ins[1].flat[0])
        return Matrix(kind, [[finish(kind, s + k) for k in range(n)]], n)
    if char == "o":
        order = [sorted(range(a.cols), key=row.__getitem__) for row in a.rows]
        return Matrix(kind, [[finish(kind, x) for x in row] for row in order], a.cols)
    if char == "i":
        width = max(a.cols, ins[1].cols)
        pad = [[row + [Fraction(0)] * (width - len(row)) for row in values(m)] for m in ins]
        found = [pad[0].index(row) if row in pad[0] else -1 for row in pad[1]]
        return Matrix(kind, [[finish(kind, x) for x in found]], len(found))
    if char == "w":
        found = [k for k, raw in enumerate(a.flat) if raw]
        return Matrix(kind, [[finish(kind, k) for k in found]], len(found))
    i = ins[1]
    where = floors(i)
    if char == "G":
        flat = [convert(kind, a, a.flat[k], pixel) if 0 <= k < len(a.flat) else 0 for k in where]
        return Matrix(kind, lines(flat, i.cols, len(i.rows)), i.cols)
    if char == "g":
        rows = [
            [convert(kind, a, raw, pixel) for raw in a.rows[k]]
            if 0 <= k < len(a.rows)
            else [0] * a.cols
            for k in where
        ]
        return Matrix(kind, rows, a.cols)
    new = [list(row) for row in d.rows]
    count = len(d.rows) * d.cols
    if char == "p":
        source = stretched(a.rows, (len(where), d.cols)) if where and d.cols else []
        for k, row in zip(where, source, strict=False):
            if 0 <= k < len(new):
                new[k] = [convert(kind, a, raw, pixel) for raw in row]
        return Matrix(kind, new, d.cols)
    source = [raw for row in stretched(a.rows, i.shape) for raw in row] if where else []
    if char == "P":
        for k, raw in zip(where, source, strict=True):
            if 0 <= k < count:
                new[k // d.cols][k % d.cols] = convert(kind, a, raw, pixel)
        return Matrix(kind, new, d.cols)
    sums: dict[int, Fraction] = {}
    for k, raw in zip(where, source, strict=True):
        if 0 <= k < count:
            sums[k] = sums.get(k, Fraction(0)) + worth(a, raw)
    for k, total in sums.items():
        new[k // d.cols][k % d.cols] = finish(kind, worth(d, new[k // d.cols][k % d.cols]) + total)
    return Matrix(kind, new, d.cols)


def _move(char: str, literal: str, pixel: bool, d: Matrix, ins: tuple[Matrix, ...]) -> Matrix:
    kind = d.kind
    if char == "?":
        c, a = ins
        if not d.rows or not d.cols:
            return d
        where, source = stretched(c.rows, d.shape), stretched(a.rows, d.shape)
        rows = [
            [
                convert(kind, a, source[i][j], pixel) if where[i][j] else old
                for j, old in enumerate(row)
            ]
            for i, row in enumerate(d.rows)
        ]
        return Matrix(kind, rows, d.cols)
    a = ins[0]
    cells = [convert(kind, a, raw, pixel) for raw in a.flat]
    if char == "r":
        rows, cols = floors(ins[1])
        if rows == -1:
            rows = len(cells) // cols if cols else 0
        elif cols == -1:
            cols = len(cells) // rows if rows else 0
        flat = [cells[k % len(cells)] if cells else 0 for k in range(rows * cols)]
        return Matrix(kind, lines(flat, cols, rows), cols)
    mine = lines(cells, a.cols, len(a.rows))
    if char == "T":
        return Matrix(kind, [[row[j] for row in mine] for j in range(a.cols)], len(a.rows))
    b = ins[1]
    other = lines([convert(kind, b, raw, pixel) for raw in b.flat], b.cols, len(b.rows))
    if a.shape == (0, 0):
        return Matrix(kind, other, b.cols)
    if b.shape == (0, 0):
        return Matrix(kind, mine, a.cols)
    if char == ",":
        height = len(b.rows) if len(a.rows) == 1 else len(a.rows)
        tall = [m * height if len(m) == 1 else m for m in (mine, other)]
        return Matrix(kind, [x + y for x, y in zip(*tall, strict=True)], a.cols + b.cols)
    width = b.cols if a.cols == 1 else a.cols
    wide = [row * width if len(row) == 1 else row for row in mine + other]
    return Matrix(kind, wide, width)


def _matmul(char: str, literal: str, pixel: bool, d: Matrix, ins: tuple[Matrix, ...]) -> Matrix:
    a, b = ins
    left, right = values(a), values(b)
    if char in "Xx":
        return _matmul_parts(char, d, a, b)
    columns = right if char == "m" else [[row[j] for row in right] for j in range(b.cols)]
    return Matrix(
        d.kind,
        [
            [
                finish(d.kind, sum((x * y for x, y in zip(row, col, strict=True)), Fraction(0)))
                for col in columns
            ]
            for row in left
        ],
        len(columns),
    )


def _matmul_parts(char: str, d: Matrix, a: Matrix, b: Matrix) -> Matrix:
    left, right = values(a), values(b)
    parts = b.cols // a.cols if char == "x" else a.leaf or len(a.rows)
    width = b.cols // parts

    def term(i: int, j: int, k: int) -> Fraction | int:
        first = i % parts * width
        return left[i][k] * (right[j][first + k] if char == "x" else right[k][first + j])

    cols = len(right) if char == "x" else width
    cells = [
        [
            finish(d.kind, sum((term(i, j, k) for k in range(a.cols)), Fraction(0)))
            for j in range(cols)
        ]
        for i in range(len(left))
    ]
    return Matrix(d.kind, cells, cols)


def _conv(char: str, literal: str, pixel: bool, d: Matrix, ins: tuple[Matrix, ...]) -> Matrix:
    a, b = ins
    lanes = 4 if a.kind == "P" else 1
    rows, cols = len(a.rows), a.cols // lanes
    grid, weights = values(a), values(b)
    place = (
        (lambda at, size: at % size)
        if char == "k"
        else (lambda at, size: max(0, min(size - 1, at)))
    )
    new = []
    for y in range(rows):
        line = []
        for x in range(cols * lanes):
            total = Fraction(0)
            for u, row in enumerate(weights):
                for v, weight in enumerate(row):
                    yy = place(y + u - len(weights) // 2, rows)
                    xx = place(x // lanes + v - b.cols // 2, cols)
                    total += weight * grid[yy][xx * lanes + x % lanes]
            line.append(finish(d.kind, total))
        new.append(line)
    return Matrix(d.kind, new, a.cols)


def _draw(char: str, literal: str, pixel: bool, d: Matrix, ins: tuple[Matrix, ...]) -> Matrix:
    a, b = ins
    kind = d.kind
    if char == "O":
        shape = common(a.shape, b.shape)
        if 0 in shape:
            return Matrix(kind, [[] for _ in range(shape[0])], shape[1])
        over, under = stretched(a.rows, shape), stretched(b.rows, shape)
        return Matrix(
            kind,
            [
                [blend(x, y) for x, y in zip(p, q, strict=True)]
                for p, q in zip(over, under, strict=True)
            ],
            shape[1],
        )
    if char == "t":
        height = b.leaf or len(b.rows)
        count = len(b.rows) // height if height else 0
        numbers = lines(floors(a), a.cols, len(a.rows))

        def tile(y: int, x: int) -> int:
            if not count:
                return 0
            n = numbers[y // height][x // b.cols]
            n = n if 0 <= n < count else 0
            return convert(kind, b, b.rows[n * height + y % height][x % b.cols], pixel)

        return Matrix(
            kind,
            [[tile(y, x) for x in range(a.cols * b.cols)] for y in range(len(a.rows) * height)],
            a.cols * b.cols,
        )
    if char == "Z":
        rows, cols = floors(b)
        return Matrix(
            kind,
            [
                [
                    convert(
                        kind,
                        a,
                        a.rows[(2 * y + 1) * len(a.rows) // (2 * rows)][
                            (2 * x + 1) * a.cols // (2 * cols)
                        ],
                        pixel,
                    )
                    if a.flat
                    else 0
                    for x in range(cols)
                ]
                for y in range(rows)
            ],
            cols,
        )
    new = [list(row) for row in d.rows]
    height = (a.leaf if b.cols in (3, 5) else 0) or len(a.rows)
    leaves = len(a.rows) // height if height and a.cols else 0
    for item in lines(floors(b), b.cols, len(b.rows)):
        leaf = item[-1] if b.cols in (3, 5) else 0
        size = item[2:4] if b.cols >= 4 else [height, a.cols]
        if not 0 <= leaf < leaves or min(size) < 1:
            continue
        for y in range(max(item[0], 0), min(item[0] + size[0], len(new))):
            for x in range(max(item[1], 0), min(item[1] + size[1], d.cols)):
                raw = a.rows[leaf * height + (y - item[0]) % height][(x - item[1]) % a.cols]
                new[y][x] = blend(raw, new[y][x]) if pixel else convert(kind, a, raw, False)
    return Matrix(kind, new, d.cols)


_FAMILIES = {
    "fold": _fold,
    "index": _index,
    "move": _move,
    "matmul": _matmul,
    "conv": _conv,
    "draw": _draw,
}


# ---- operands in memory ----------------------------------------------------------------------

STRIDES = [(1, 1), (2, 1), (-1, 1), (3, 2), (1, -2), (-2, -1)]


def dtype_of(kind: str, pixel: bool) -> type:
    if pixel and kind == "P":
        return np.uint32
    return np.uint8 if kind in "TPQ" else np.int32


def place(rows: int, cols: int, dtype: type, step: tuple[int, int] = (1, 1)) -> np.ndarray:
    """A view of this shape and these steps inside a larger buffer, with padded rows."""
    down, along = step
    width = -(-(max(cols, 1) * abs(along)) // 4) * 4 + 4
    buffer = np.zeros((max(rows, 1) * abs(down), width), dtype)
    view = buffer[::down, : max(cols, 1) * abs(along)][:, ::along]
    return view[:rows, :cols]


def operand(m: Matrix, array: np.ndarray, **flags: bool) -> Operand:
    """Fill ``array`` with the raw elements of m and make an operand of it."""
    data = np.array(m.rows, np.int64).reshape(m.shape)
    array[...] = data.astype(np.int32).view(np.uint32) if array.dtype == np.uint32 else data
    scale, offset = (struct.unpack("<I", struct.pack("<f", x))[0] for x in (m.scale, m.offset))
    return Operand(m.kind, *m.shape, array, m.leaf, scale, offset, **flags)


def shown(array: np.ndarray) -> Rows:
    """Raw elements as Python integers; words of pixels are signed."""
    return (array.view(np.int32) if array.dtype == np.uint32 else array).tolist()


def check(
    char: str,
    d: Matrix,
    ins: tuple[Matrix, ...],
    literal: str = "",
    steps: Sequence[tuple[int, int]] = (),
    alias: int | None = None,
    view: tuple[int, int] | None = None,
) -> None:
    """Bind one instruction, run it twice and compare with the exact result; by NumPy and compiled.

    ``steps``: of d and the inputs in memory.  ``alias``: that input is d itself (``d`` gives its
    elements).  ``view``: d is a view of this shape, to which the result is broadcast.
    """
    op = BY_CHAR[char]
    pixel = op.pixel and d.kind == "P"
    steps = list(steps) + [(1, 1)] * (1 + len(ins) - len(steps))
    if alias is not None:
        ins = tuple(replace(d, leaf=m.leaf) if k == alias else m for k, m in enumerate(ins))
    want = result(char, literal, pixel, d, ins)
    shape = d.shape if isinstance(want, int) or op.keeps_shape or alias is not None else want.shape
    shape = view or shape
    start = (
        d
        if op.keeps_shape or alias is not None
        else Matrix(d.kind, [[7] * shape[1] for _ in range(shape[0])], shape[1])
    )
    target = place(*shape, dtype_of(d.kind, pixel), steps[0])
    bound_d = operand(start, target)
    inputs = tuple(
        Operand(m.kind, *m.shape, target, m.leaf, same=True)
        if k == alias
        else operand(m, place(*m.shape, dtype_of(m.kind, pixel), steps[1 + k]))
        for k, m in enumerate(ins)
    )
    code = ord(literal) if literal else 0
    runs = [BINDERS[op.family](op, pixel, bound_d, inputs, code)] * 2
    if not pixel:
        runs += [bind_compiled(KERNELS, op, bound_d, inputs, code, lambda: runs[0])] * 2
    for run in runs:
        operand(start, target)
        at = run()
        if isinstance(want, int):
            assert at == want
            assert shown(target) == start.rows
            continue
        assert at == -1
        have = shown(target)
        expected = want.rows
        if want.shape != shape:
            expected = stretched(want.rows, shape) if 0 not in shape else [[]] * shape[0]
        assert have == expected, (char, literal, d.kind, ins, have, expected)


def random_matrix(
    rng: random.Random, kind: str, rows: int, cols: int, pixel: bool = False
) -> Matrix:
    """Corner values, small numbers and full-range numbers mixed."""

    def raw() -> int:
        if pixel and kind == "P":
            alpha = rng.choice([0, 255, 1, 128, rng.randrange(256)])
            return wrap(rng.randrange(1 << 24) | alpha << 24)
        if kind in "TPQ":
            return rng.choice([rng.choice(CORNERS["T"]), rng.randrange(256)])
        size = rng.choice([4, 12, 20, 32])
        number = rng.randrange(-(1 << size - 1), 1 << size - 1)
        return rng.choice([rng.choice(CORNERS[kind]), number])

    return Matrix(kind, [[raw() for _ in range(cols)] for _ in range(rows)], cols)
