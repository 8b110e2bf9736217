"""From a drawing to an atlas: the picture of all glyphs that the machine's Tile reads.

An atlas is a stack of cells, one under another: 8 columns wide, glyph i in rows
``i*rows`` to ``i*rows + rows - 1``.  Ink is white (255, 255, 255, 255), paper is
transparent black (0, 0, 0, 0): so a picture may be tiled and drawn as it is, and its alpha
alone is a mask through which Select colours.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from . import boxes, charset
from .faces import parse_face

#: The faces and the rows of their cells.
FACES = {"pxos-8x16": 16, "pxos-8x8": 8}

_HERE = Path(__file__).resolve().parent


def load_glyphs(face: str, folder: Path = _HERE) -> list[np.ndarray]:
    """All 416 glyphs of a face, bool (rows, 8), drawn ones and computed ones.

    Raises :class:`~pxos.fonts.faces.FaceError` for a damaged drawing and KeyError naming
    the first character that nobody has drawn.
    """
    rows = FACES[face]
    drawn = parse_face((folder / f"{face}.txt").read_text("utf-8"), rows)
    blank = np.zeros((rows, 8), bool)
    drawn.update({" ": blank, "\u00a0": blank})
    return [_glyph(index, code, drawn, rows) for index, code in enumerate(charset.ATLAS)]


def _glyph(index: int, code: int, drawn: dict[str, np.ndarray], rows: int) -> np.ndarray:
    if chr(code) in drawn:
        return drawn[chr(code)]
    if not boxes.FIRST <= code <= boxes.LAST:
        raise KeyError(f"U+{code:04X} {chr(code)!r}, glyph {index:#04x}, has not been drawn")
    return boxes.glyph(code, rows)


def stack(glyphs: list[np.ndarray]) -> np.ndarray:
    """The atlas of some glyphs: uint8 (rows * count, 8, 4), white on transparent black."""
    ink = np.concatenate(glyphs)
    return np.repeat(np.where(ink, 255, 0).astype(np.uint8)[:, :, None], 4, axis=2)
