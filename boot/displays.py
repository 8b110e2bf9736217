"""Which display a program gets: a window, the terminal, or none."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from . import environment
from .errors import BootError, wrong
from .standard import say

if TYPE_CHECKING:
    from .events import Display

#: Largest side of a screen that can be asked for.
MAX_SIDE = 4096


@dataclass(slots=True)
class ScreenOptions:
    """What the command line says of the screen.

    ``where``: "window", "terminal", "headless", or "" for the best there is.  ``frames``: stop
    after so many.  ``screenshot``: write what is shown then.  ``size``: rows, columns.
    ``scale``: how many times a window enlarges its pixels.
    """

    where: str = ""
    frames: int | None = None
    screenshot: Path | None = None
    size: tuple[int, int] | None = None
    scale: int | None = None
    fullscreen: bool = False
    graphics: str = "auto"

    def check(self) -> None:
        """Raises BootError for options that do not go together."""
        if self.where == "headless" and self.frames is None:
            raise wrong(
                "without a screen it would run unseen for ever", "add --frames N", "--headless"
            )
        if self.screenshot is not None and self.frames is None:
            raise wrong(
                "a screenshot is taken after a number of frames", "add --frames N", "--screenshot"
            )
        if self.screenshot is not None:
            check_screenshot(self.screenshot)


def check_screenshot(path: Path) -> None:
    """Raises BootError if a picture cannot be written there."""
    from . import photos

    if path.suffix.lower() not in photos.SUFFIXES:
        raise wrong(
            "that is no picture format that can be written",
            f"end the name with {', '.join(photos.SUFFIXES)}",
            str(path),
        )
    if not path.parent.is_dir():
        raise BootError("there is no such folder", str(path.parent), "make it first")


def parse_size(text: str) -> tuple[int, int]:
    """``400x640`` as rows, columns; raises BootError."""
    rows, _, cols = text.lower().partition("x")
    if (
        rows.isdigit()
        and cols.isdigit()
        and 1 <= int(rows) <= MAX_SIDE
        and 1 <= int(cols) <= MAX_SIDE
    ):
        return int(rows), int(cols)
    raise wrong(
        "a size is ROWSxCOLUMNS, each of 1 to 4096", "for example --size 400x640", f"--size {text}"
    )


def resolve(options: ScreenOptions) -> str:
    """Where the screen will be: "window", "terminal" or "headless".

    Without a display and a terminal, a run that ends with a screenshot needs neither.
    Raises BootError if there is nowhere to show anything.
    """
    if options.where:
        return options.where
    if environment.has_display():
        return "window"
    name = environment.display_name()
    missing = f"no display answers at {name}" if name else "there is no display"
    if environment.has_terminal():
        if name:
            say(f"pxos: {missing}; this is the terminal")
        return "terminal"
    if options.screenshot is not None:
        say("pxos: no display and no terminal; running without a screen")
        return "headless"
    raise BootError(
        f"{missing}, and the output is no terminal",
        "",
        "pxos boot and pxos run can do without: --headless --frames N --screenshot FILE",
    )


def open_display(
    where: str, options: ScreenOptions, rows: int, cols: int, title: str
) -> tuple[Display, str]:
    """Open a window or the terminal view; the display, and which of them it is.

    A window that nobody asked for by name gives way to the terminal where there is one.  Raises
    BootError.
    """
    from .terminal_view import TerminalView

    if where == "window":
        from .window import Window

        try:
            window = Window(rows, cols, title, scale=options.scale, fullscreen=options.fullscreen)
            return window, where
        except BootError as error:
            if options.where or not environment.has_terminal():
                raise
            say(f"pxos: {error.line}")
    view = TerminalView(
        sys.stdin.fileno(), sys.stdout.fileno(), title=title, graphics=options.graphics
    )
    return view, "terminal"
