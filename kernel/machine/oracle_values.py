"""The oracle's view of data: operands as grids of plain Python numbers."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from fractions import Fraction
from math import floor, isfinite
from struct import unpack
from typing import Any

from .memory import Memory
from .oracle_functions import Value

INT_MIN, INT_MAX = -(2**31), 2**31 - 1


class Fault(Exception):  # noqa: N818 - it is the machine's word, and never leaves the oracle
    """The instruction faults: the reason's letter and the detail of the stop."""

    def __init__(self, letter: str, detail: int = 0) -> None:
        super().__init__(letter, detail)
        self.letter = letter
        self.detail = detail


@dataclass(frozen=True, slots=True)
class Grid:
    """Rows x columns elements, row-major: values (int or Fraction), raw words or pixels (int)."""

    rows: int
    cols: int
    cells: list[Any]

    @property
    def shape(self) -> tuple[int, int]:
        """Rows and columns."""
        return self.rows, self.cols

    def at(self, row: int, col: int) -> Any:
        """One element."""
        return self.cells[row * self.cols + col]

    def stretched(self, row: int, col: int) -> Any:
        """One element of the grid broadcast to whatever shape has this element."""
        return self.at(row if self.rows != 1 else 0, col if self.cols != 1 else 0)

    def row(self, row: int) -> list[Any]:
        """One row."""
        return self.cells[row * self.cols : (row + 1) * self.cols]

    def filled_rows(self) -> range:
        """The numbers of the rows, none if they have no columns: there may be 2^31 of those."""
        return range(self.rows if self.cols else 0)

    def filled_cols(self) -> range:
        """The numbers of the columns, none if they have no rows."""
        return range(self.cols if self.rows else 0)

    def column(self, col: int) -> list[Any]:
        """One column."""
        return [self.at(row, col) for row in range(self.rows)]

    def broadcast(self, rows: int, cols: int) -> Grid:
        """The grid stretched to a shape that it fits."""
        return build(rows, cols, self.stretched)


def build(rows: int, cols: int, element: Callable[[int, int], Any]) -> Grid:
    """A grid whose element (row, column) is what the function says."""
    down = range(rows if cols else 0)
    return Grid(rows, cols, [element(i, j) for i in down for j in range(cols)])


@dataclass(frozen=True, slots=True)
class Ref:
    """An operand resolved: where its elements stand and what they are worth.

    ``number`` is its place in the instruction (0..2), ``kind`` its class.  Element (i, j)
    stands at ``start + i*down + j*right``, counted in bytes if ``bytewise``, else in words.
    ``row`` is the header row of the matrix that holds the data, ``view`` tells whether the
    operand named a view of it, ``leaf`` is the tile height in its header (0 in a view).
    A small integer has ``small`` instead of a place.
    """

    number: int
    kind: str
    rows: int
    cols: int
    row: int = 0
    view: bool = False
    bytewise: bool = False
    start: int = 0
    down: int = 0
    right: int = 1
    leaf: int = 0
    scale: Fraction = Fraction(1)
    offset: Fraction = Fraction(0)
    finite: bool = True
    small: int | None = None

    @property
    def shape(self) -> tuple[int, int]:
        """Rows and columns."""
        return self.rows, self.cols

    @property
    def area(self) -> int:
        """Number of elements."""
        return self.rows * self.cols

    def as_values(self) -> Ref:
        """The operand as values: a picture becomes its byte matrix."""
        if self.kind != "P":
            return self
        if self.right != 1:
            raise Fault("K", self.number)
        return replace(
            self, cols=4 * self.cols, bytewise=True, start=4 * self.start, down=4 * self.down
        )

    def places(self) -> Iterator[int]:
        """The place of each element, row-major."""
        for i in range(self.rows if self.cols else 0):
            for j in range(self.cols):
                yield self.start + i * self.down + j * self.right


def float_bits(word: int) -> Fraction | None:
    """The exact value of a float32 from its bits, None if it is infinite or no number."""
    (number,) = unpack("<f", word.to_bytes(4, "little"))
    return Fraction(number) if isfinite(number) else None


def raws(memory: Memory, ref: Ref) -> Grid:
    """The raw words of an operand: signed words, or bytes."""
    if ref.small is not None:
        return Grid(1, 1, [ref.small])
    store = memory.bytes if ref.bytewise else memory.ints
    return Grid(ref.rows, ref.cols, [int(store[place]) for place in ref.places()])


def worth(ref: Ref, raw: int) -> Value:
    """The value of one raw element of an operand."""
    if ref.kind == "X":
        return Fraction(raw, 65536)
    if ref.kind == "Q":
        return ref.scale * raw + ref.offset
    return raw


def values(memory: Memory, ref: Ref) -> Grid:
    """The values of an operand in value mode."""
    grid = raws(memory, ref)
    return Grid(grid.rows, grid.cols, [worth(ref, raw) for raw in grid.cells])


def finish(kind: str, exact: Value) -> int:
    """The one rounding: an exact value as a raw element of a destination's kind."""
    if kind == "I":
        return wrap(floor(exact))
    if kind == "X":
        return max(INT_MIN, min(INT_MAX, floor(exact * 65536 + Fraction(1, 2))))
    return max(0, min(255, floor(exact + Fraction(1, 2))))


def store_raw(kind: str, raw: int) -> int:
    """A raw word as the raw element of a destination: bytes take the low 8 bits."""
    return raw & 0xFF if kind in "TP" else wrap(raw)


def wrap(number: int) -> int:
    """An integer modulo 2^32, as a signed word."""
    return (number + 2**31) % 2**32 - 2**31


def common(a: tuple[int, int], b: tuple[int, int]) -> tuple[int, int]:
    """The shape of two shapes broadcast together; fault S if they do not fit."""
    return stretch(a[0], b[0]), stretch(a[1], b[1])


def stretch(a: int, b: int) -> int:
    """One dimension of two operands broadcast together."""
    if a != b and a != 1 and b != 1:
        raise Fault("S")
    return b if a == 1 else a


def fits(shape: tuple[int, int], into: tuple[int, int]) -> None:
    """Fault S unless the shape broadcasts to another."""
    if any(have not in (1, want) for have, want in zip(shape, into, strict=True)):
        raise Fault("S")


def blend(over: int, under: int) -> int:
    """One pixel over another by the alpha of the first, both as signed words."""
    alpha = over >> 24 & 0xFF
    mixed = 0
    for shift in (0, 8, 16):
        top, low = over >> shift & 0xFF, under >> shift & 0xFF
        mixed |= (top * alpha + low * (255 - alpha) + 127) // 255 << shift
    mixed |= (255 * alpha + (under >> 24 & 0xFF) * (255 - alpha) + 127) // 255 << 24
    return wrap(mixed)
