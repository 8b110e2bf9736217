"""Port s, the screen: the picture a process shows."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from ..machine.ports import Message
from .base import Device, PortError, picture_of, row

#: Pixels of the largest picture that can be shown.
MAX_PIXELS = 1 << 24
#: Rows and columns of a surface nobody asked another size for.
DEFAULT_SIZE = 400, 640
#: Frames a second.
FRAME_RATE = 60


class Surface:
    """What a process shows.

    ``rows``, ``cols``: the size it is asked to draw.  ``picture``: what it drew last, uint8
    (rows, cols, 4) of any size, (0, 0, 4) before it has drawn; the next one is another array,
    so it may be kept, but it is not to be changed.  ``serial``: how many pictures it has shown.
    """

    __slots__ = ("cols", "picture", "rows", "serial")

    def __init__(self, rows: int, cols: int) -> None:
        self.rows = rows
        self.cols = cols
        self.picture: np.ndarray = np.zeros((0, 0, 4), np.uint8)
        self.serial = 0

    def show(self, picture: np.ndarray) -> None:
        """Show a picture from now on."""
        self.picture = picture
        self.serial += 1


def bounded_size(rows: int, cols: int) -> tuple[int, int]:
    """The nearest size a surface can have: sides of 1..8192, at most MAX_PIXELS in all."""
    cols = max(1, min(8192, cols))
    return max(1, min(8192, rows, MAX_PIXELS // cols)), cols


class Screen(Device):
    """Reads rows, columns, frames a second; writes the picture shown."""

    letter = "s"

    def __init__(self, surface: Surface, shown: Callable[[], None]) -> None:
        """``shown`` is called after each picture."""
        self._surface = surface
        self._shown = shown

    def read(self, selector: Message) -> Message:
        """I 1x3: rows, columns, frames a second."""
        return row(self._surface.rows, self._surface.cols, FRAME_RATE)

    def write(self, message: Message, selector: Message) -> None:
        """Show a picture."""
        picture = picture_of(message, "the screen")
        rows, cols = picture.shape[:2]
        if rows * cols > MAX_PIXELS:
            raise PortError(
                "killed", f"it showed {rows} x {cols} pixels; a screen takes at most {MAX_PIXELS}"
            )
        self._surface.show(picture)
        self._shown()
