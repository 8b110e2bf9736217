"""Reading a typeface from its drawing: the ``fonts/*.txt`` files.

A drawing is text that an editor shows as the letters themselves::

    = A B C                          up to any number of glyphs side by side
    ........ ........ ........       one line per row, ``#`` ink, ``.`` paper
    ...##... .#####.. ..####..
    ...
    + Ä = A Diaeresis                a glyph that is the union of others

A glyph is called by its character, by ``U+25A0``, or, when it is only a part for
others (an accent, a dotless i), by a word.  Lines that begin with ``; `` are comments.
Every glyph is 8 columns wide; the number of rows is the face's.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import numpy as np

#: Columns of every glyph.
GLYPH_COLS = 8

_INK = {"#": True, ".": False}


class FaceError(ValueError):
    """A drawing is not well formed; the message begins with the line's number."""

    def __init__(self, line: int, what: str) -> None:
        self.line = line
        self.what = what
        super().__init__(f"line {line}: {what}")


def parse_face(text: str, rows: int) -> dict[str, np.ndarray]:
    """The glyphs of a drawing, by name, each bool of shape (rows, 8).

    A single character stands for itself and ``U+XXXX`` for that character; longer names
    stay words.  Raises :class:`FaceError` for a line that fits nowhere.
    """
    glyphs: dict[str, np.ndarray] = {}
    lines = _significant(text)
    for number, line in lines:
        if line.startswith("= "):
            names = [_name(number, word) for word in line[2:].split()]
            block = _read_block(number, lines, len(names), rows)
            new = dict(zip(names, block, strict=True))
            if len(new) != len(names):
                raise FaceError(number, "a glyph is named twice in this block")
        elif line.startswith("+ "):
            new = dict([_compose(number, line, glyphs)])
        else:
            raise FaceError(number, f"expected '= names' or '+ glyph = parts', got {line[:40]!r}")
        for name in new:
            if name in glyphs:
                raise FaceError(number, f"the glyph {name!r} is drawn twice")
        glyphs.update(new)
    return glyphs


def _significant(text: str) -> Iterator[tuple[int, str]]:
    """The lines that are neither blank nor comments, with their numbers from 1."""
    for number, line in enumerate(text.splitlines(), 1):
        line = line.rstrip()
        if line and not line.startswith("; "):
            yield number, line


def _name(number: int, word: str) -> str:
    if len(word) <= 2 or not word.startswith("U+"):
        return word
    try:
        return chr(int(word[2:], 16))
    except (ValueError, OverflowError) as error:
        raise FaceError(number, f"{word!r} is no character: write U+ and hex digits") from error


def _read_block(
    number: int, lines: Iterator[tuple[int, str]], count: int, rows: int
) -> list[np.ndarray]:
    """The ``count`` glyphs drawn side by side in the next ``rows`` lines."""
    block = np.zeros((count, rows, GLYPH_COLS), bool)
    for row in range(rows):
        number, line = next(lines, (number, ""))
        cells = line.split()
        if len(cells) != count or any(len(cell) != GLYPH_COLS for cell in cells):
            raise FaceError(
                number, f"row {row} of {rows} must be {count} cells of {GLYPH_COLS}, got {line!r}"
            )
        block[:, row] = [_pixels(number, cell) for cell in cells]
    return list(block)


def _pixels(number: int, cell: Iterable[str]) -> list[bool]:
    try:
        return [_INK[char] for char in cell]
    except KeyError as error:
        raise FaceError(number, f"a pixel is '#' or '.', not {error.args[0]!r}") from error


def _compose(number: int, line: str, glyphs: dict[str, np.ndarray]) -> tuple[str, np.ndarray]:
    """The name and picture of ``+ NAME = PART PART ...``."""
    left, equals, right = line[2:].partition(" = ")
    parts = [_name(number, word) for word in right.split()]
    if not equals or not parts or len(left.split()) != 1:
        raise FaceError(number, "expected '+ glyph = part part ...'")
    for part in parts:
        if part not in glyphs:
            raise FaceError(number, f"the part {part!r} has not been drawn above this line")
    return _name(number, left.strip()), np.logical_or.reduce([glyphs[part] for part in parts])
