"""The icons of the apps, 32 x 32, and the other small pictures of the house.

One style: a key with round corners (outlined in ink, light on its upper left edge, a lip
below) and on it one thing, outlined in ink and lit from the top left.  Everything is in
the palette "pxos 16".
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from . import icons_filters, icons_networks, icons_programs
from .canvas import NIGHT, PAPER, SILVER, SLATE, Canvas

#: Who draws the icon of which app.
ICONS: dict[str, Callable[[], Canvas]] = {
    **icons_programs.ICONS,
    **icons_filters.ICONS,
    **icons_networks.ICONS,
}

_ARROW = """
    p
    pp
    ppp
    pppp
    ppppp
    pppppp
    ppppppp
    pppppppp
    ppppppppp
    pppppp
    ppp.pp
    pp..ppp
    p....pp
    .....pp
"""

_STAR = "..s.. ..s.. sspss ..s.. ..s.."


def cursor() -> np.ndarray:
    """The pointer: an arrow, uint8 (16, 11, 4), whose tip is pixel (1, 1)."""
    canvas = Canvas(16, 11)
    canvas.stamp(1, 1, _ARROW, {"p": PAPER})
    return canvas.outlined().picture()


def wallpaper() -> np.ndarray:
    """A tile of night sky, uint8 (64, 64, 4), that repeats without a seam."""
    canvas = Canvas(64, 64)
    canvas.pixels[...] = NIGHT
    for row, col in ((9, 40), (22, 12), (37, 55), (51, 27), (58, 4), (4, 20), (30, 34)):
        canvas.dot(row, col, SLATE)
    canvas.stamp(43, 42, _STAR, {"s": SLATE, "p": SILVER})
    canvas.stamp(14, 54, ".s. sss .s.", {"s": SLATE})
    return canvas.picture()


def all_pictures() -> dict[str, np.ndarray]:
    """Every picture drawn here by its path below the checkout."""
    pictures = {f"apps/{name}/icon.png": draw().picture() for name, draw in ICONS.items()}
    pictures["apps/lib/cursor.png"] = cursor()
    pictures["apps/lib/wallpaper.png"] = wallpaper()
    return pictures
