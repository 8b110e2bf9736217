"""Reading BDF, the common text format of bitmap fonts, into an atlas.

Glyphs of any size come in; each is placed by its own bounding box on the font's cell,
whose height becomes the height of the atlas' tiles and whose width its columns.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np

from .atlas import stack
from .charset import ATLAS

#: Rows and columns that a cell may have, and glyphs a font may have: beyond it the file
#: is hostile.
MAX_CELL = 256
MAX_GLYPHS = 1 << 16


class BdfError(ValueError):
    """A BDF file is not what it should be; the message begins with the line's number."""

    def __init__(self, line: int, what: str) -> None:
        self.line = line
        self.what = what
        super().__init__(f"line {line}: {what}")


@dataclass(frozen=True, slots=True)
class Box:
    """A bounding box in pixels: its size and the offset of its lower left corner."""

    cols: int
    rows: int
    left: int
    bottom: int


@dataclass(slots=True)
class Font:
    """A parsed font: its cell and, by Unicode code point, boxes and their pixels."""

    cell: Box
    glyphs: dict[int, tuple[Box, np.ndarray]] = field(default_factory=dict)

    def draw(self, code: int) -> np.ndarray:
        """The glyph of a code point on the cell, bool (rows, cols); clipped to the cell.

        Raises KeyError if the font lacks it.
        """
        box, pixels = self.glyphs[code]
        cell = np.zeros((self.cell.rows, self.cell.cols), bool)
        top = (self.cell.rows + self.cell.bottom) - (box.rows + box.bottom)
        left = box.left - self.cell.left
        rows = slice(max(top, 0), min(top + box.rows, self.cell.rows))
        cols = slice(max(left, 0), min(left + box.cols, self.cell.cols))
        if rows.start < rows.stop and cols.start < cols.stop:
            cell[rows, cols] = pixels[
                rows.start - top : rows.stop - top, cols.start - left : cols.stop - left
            ]
        return cell


def convert(bdf_text: str, *, charset: Sequence[int] = ATLAS) -> np.ndarray:
    """The atlas of a BDF font: uint8 (rows * glyphs, columns, 4), white on transparent.

    ``charset`` is the Unicode code point of each glyph of the atlas in order.  A character
    that the font lacks is shown by its DEFAULT_CHAR, or by U+FFFD if it has that, else it
    is blank.  Raises :class:`BdfError` for a damaged font and for one that has none of the
    characters.
    """
    font = parse(bdf_text)
    if not any(code in font.glyphs for code in charset):
        raise BdfError(1, "the font has no character of the set: is its encoding Unicode?")
    blank = np.zeros((font.cell.rows, font.cell.cols), bool)
    missing = font.draw(0xFFFD) if 0xFFFD in font.glyphs else blank
    return stack([font.draw(code) if code in font.glyphs else missing for code in charset])


def parse(text: str) -> Font:
    """Parses a BDF font.  Raises :class:`BdfError` naming the line that is wrong."""
    lines = _Lines(text)
    number, words = lines.next("STARTFONT")
    if words[0] != "STARTFONT":
        raise BdfError(number, f"a BDF font begins with STARTFONT, not {words[0][:20]!r}")
    font: Font | None = None
    default: int | None = None
    for number, words in lines:
        if words[0] == "FONTBOUNDINGBOX":
            font = Font(_box(number, words))
            if not font.cell.cols or not font.cell.rows:
                raise BdfError(number, "the font's bounding box is empty")
        elif words[0] == "DEFAULT_CHAR":
            default = _integers(number, words, 1)[0]
        elif words[0] == "STARTCHAR":
            if font is None:
                raise BdfError(number, "FONTBOUNDINGBOX must come before the first STARTCHAR")
            _read_char(lines, number, font)
        elif words[0] == "ENDFONT":
            break
    else:
        raise BdfError(lines.number, "the font ends without ENDFONT: the file was cut off")
    if font is None or not font.glyphs:
        raise BdfError(lines.number, "the font has no glyph with an encoding")
    if default is not None and default in font.glyphs:
        font.glyphs.setdefault(0xFFFD, font.glyphs[default])
    return font


class _Lines:
    """The lines that are not blank or comments, as their number and their words."""

    def __init__(self, text: str) -> None:
        self.number = 0
        self._lines = iter(text.splitlines())

    def __iter__(self) -> Iterator[tuple[int, list[str]]]:
        for line in self._lines:
            self.number += 1
            words = line.split()
            if words and words[0] != "COMMENT":
                yield self.number, words

    def next(self, wanted: str) -> tuple[int, list[str]]:
        for item in self:
            return item
        raise BdfError(self.number, f"the file ends where {wanted} was expected")


def _integers(number: int, words: list[str], count: int) -> list[int]:
    try:
        values = [int(word) for word in words[1 : 1 + count]]
    except ValueError as error:
        raise BdfError(number, f"{words[0]} takes {count} integers, got {words[1:]}") from error
    if len(values) != count:
        raise BdfError(number, f"{words[0]} takes {count} integers, got {len(values)}")
    return values


def _box(number: int, words: list[str]) -> Box:
    box = Box(*_integers(number, words, 4))
    if not (0 <= box.cols <= MAX_CELL and 0 <= box.rows <= MAX_CELL):
        size = f"{box.cols} x {box.rows}"
        raise BdfError(number, f"a box is 0 to {MAX_CELL} pixels a side, not {size}")
    if max(abs(box.left), abs(box.bottom)) > MAX_CELL:
        place = f"{box.left}, {box.bottom}"
        raise BdfError(number, f"a box lies at most {MAX_CELL} pixels off, not {place}")
    return box


def _read_char(lines: _Lines, start: int, font: Font) -> None:
    """Reads one glyph up to ENDCHAR; one without a Unicode encoding (-1) is passed over."""
    code: int | None = None
    box: Box | None = None
    pixels: np.ndarray | None = None
    for number, words in lines:
        if words[0] == "ENCODING":
            code = _integers(number, words, 1)[0]
        elif words[0] == "BBX":
            box = _box(number, words)
        elif words[0] == "BITMAP":
            if box is None:
                raise BdfError(number, "BBX must come before BITMAP")
            pixels = _bitmap(lines, box)
        elif words[0] == "ENDCHAR":
            break
        elif words[0] in ("STARTCHAR", "ENDFONT"):
            raise BdfError(number, f"{words[0]} inside the glyph that began in line {start}")
    else:
        raise BdfError(lines.number, f"the glyph that began in line {start} has no ENDCHAR")
    if code is None or box is None or pixels is None:
        raise BdfError(start, "a glyph needs ENCODING, BBX and BITMAP")
    if code >= 0:
        if len(font.glyphs) >= MAX_GLYPHS:
            raise BdfError(start, f"more than {MAX_GLYPHS} glyphs")
        font.glyphs[code] = (box, pixels)


def _bitmap(lines: _Lines, box: Box) -> np.ndarray:
    """The pixels of a glyph: ``box.rows`` lines of hex digits, the leftmost pixel first."""
    size = -(-box.cols // 8)
    packed = np.zeros((box.rows, size), np.uint8)
    for row in range(box.rows):
        number, words = lines.next("a row of a bitmap")
        try:
            data = bytes.fromhex(words[0])
        except ValueError as error:
            raise BdfError(
                number, f"row {row} of {box.rows} must be hex digits, got {words[0][:40]!r}"
            ) from error
        if len(data) < size:
            raise BdfError(number, f"row {row} needs {2 * size} hex digits, got {len(words[0])}")
        packed[row] = np.frombuffer(data[:size], np.uint8)
    return np.unpackbits(packed, axis=1)[:, : box.cols].astype(bool)
