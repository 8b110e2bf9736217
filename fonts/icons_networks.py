"""Icons of the programs that are neural networks."""

from __future__ import annotations

from collections.abc import Callable

from .canvas import (
    BROWN,
    FOG,
    INDIGO,
    INK,
    NIGHT,
    ORANGE,
    PAPER,
    SILVER,
    SLATE,
    TEAL,
    YELLOW,
    Canvas,
)
from .icons_programs import on_key


def digits() -> Canvas:
    """A digit on a sheet of paper, and three scores, one of them the greatest."""
    sheet = Canvas()
    sheet.rect(5, 4, 21, 13, PAPER)
    sheet = sheet.lit()
    sheet.stroke([(9, 6.5), (9, 13.5), (22, 9)], 2.4, INK)
    canvas = on_key(INDIGO, sheet)
    bars = Canvas()
    for row, length, dark, light in (
        (6, 5, SILVER, PAPER),
        (13, 8, ORANGE, YELLOW),
        (20, 3, SILVER, PAPER),
    ):
        bars.rect(row, 20, 5, length, dark)
        bars.rect(row, 20, 3, length, light)
    canvas.paste(bars.outlined())
    return canvas


def shakespeare() -> Canvas:
    """A quill, and the line that it writes."""
    canvas = on_key(BROWN, Canvas())
    feather = Canvas()
    feather.polygon(
        [(4, 27), (4, 22), (8, 15), (14, 11), (19, 11), (19, 15), (15, 21), (9, 26)], PAPER
    )
    feather = feather.lit()
    feather.stroke([(7, 24), (17, 13)], 1.2, SILVER)
    feather.stroke([(12, 24), (12, 22)], 1.0, BROWN)
    quill = Canvas()
    quill.stroke([(18, 12.5), (23, 7.5)], 1.6, YELLOW)
    quill.paste(feather)
    canvas.paste(quill.outlined())
    canvas.stroke([(24, 7), (25, 11), (23.5, 14), (25, 17), (23.5, 20), (25, 23)], 1.3, INK)
    return canvas


def glyphs() -> Canvas:
    """A letter of large pixels, and the ghost of the one that may follow."""
    card = Canvas()
    card.rect(6, 4, 20, 24, NIGHT)
    canvas = on_key(TEAL, card)
    letters = {"p": PAPER, "s": SILVER, "f": FOG, "l": SLATE, "y": YELLOW}
    for row, line in enumerate(_GLYPHS.split()):
        for col, pixel in enumerate(line):
            if pixel in letters:
                canvas.rect(8 + 2 * row, 6 + 2 * col, 2, 2, letters[pixel])
    return canvas


_GLYPHS = """
    .....l...
    .....l...
    .pp..f...
    ...p.sss.
    .ppp.s..f
    p..p.s..f
    .ppp.sff.
    .........
    .....yyyy
"""

ICONS: dict[str, Callable[[], Canvas]] = {
    "digits": digits,
    "glyphs": glyphs,
    "shakespeare": shakespeare,
}
