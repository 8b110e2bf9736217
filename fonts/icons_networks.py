"""Icons of the programs that are neural networks."""

from __future__ import annotations

from collections.abc import Callable

from .canvas import INDIGO, INK, ORANGE, PAPER, SILVER, YELLOW, Canvas
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


ICONS: dict[str, Callable[[], Canvas]] = {"digits": digits}
