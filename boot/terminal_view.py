"""The screen inside a terminal: pictures as kitty graphics, sixels or half blocks, keys and mouse
from the terminal's own reports.

The terminal is put back as it was when the view is closed, whatever happens: also when an
exception ends the program or the process is told to terminate.
"""

from __future__ import annotations

import contextlib
import os
import select
import signal
import sys
import threading
import time
from collections.abc import Callable
from functools import partial
from types import FrameType
from typing import Any

import numpy as np

from ..kernel.devices import keycodes
from .errors import BootError
from .events import Event, Key, Pointer, Quit
from .terminal_fit import Fit, Grid
from .terminal_graphics import HalfBlocks, Kitty, Renderer, Sixel
from .terminal_input import Answer, Input, Mouse, TerminalParser

GRAPHICS = ("auto", "kitty", "sixel", "blocks")

#: Alternate screen, no cursor, no wrapping, clear.
_ENTER = b"\x1b[?1049h\x1b[?25l\x1b[?7l\x1b[2J"
_LEAVE = b"\x1b[?2026l\x1b[0m\x1b[2J\x1b[?7h\x1b[?25h\x1b[?1049l"
#: What the terminal can do; every terminal answers the last question.
_QUESTIONS = b"\x1b[?u\x1b[?1016$p\x1b[16t\x1b_Gi=31,s=1,v=1,a=q,t=d,f=24;AAAA\x1b\\\x1b[c"
_MOUSE_ON, _MOUSE_OFF = b"\x1b[?1000h\x1b[?1003h\x1b[?1006h", b"\x1b[?1006l\x1b[?1003l\x1b[?1000l"
_MOUSE_PIXELS_ON, _MOUSE_PIXELS_OFF = b"\x1b[?1016h", b"\x1b[?1016l"
#: Tell all keys as escapes, with the text they make, and when they are let go.
_KEYBOARD_ON, _KEYBOARD_OFF = b"\x1b[>27u", b"\x1b[<u"
_FRAME, _FRAME_END = b"\x1b[?2026h", b"\x1b[?2026l"

_ANSWER_SECONDS = 1.0
#: A lone escape is the key if nothing follows it for so long.
_ESCAPE_SECONDS = 0.03
_SIXEL_ATTRIBUTE = 4
_DEFAULT_CELL = (16, 8)
_ENDING_SIGNALS = ("SIGTERM", "SIGHUP")


class TerminalView:
    """A ``Display`` on the terminal behind two file descriptors.

    ``graphics``: one of GRAPHICS; "auto" takes the best that the terminal says it has.
    Raises BootError if they are no terminal.
    """

    def __init__(self, stdin: int, stdout: int, *, title: str = "", graphics: str = "auto") -> None:
        if sys.platform == "win32" or not (os.isatty(stdin) and os.isatty(stdout)):
            raise BootError(
                "there is no terminal to show the screen in",
                "",
                "use --headless with --frames and --screenshot",
            )
        import termios
        import tty

        self._in, self._out = stdin, stdout
        self._parser = TerminalParser()
        self._early: list[Input] = []
        self._last_byte = 0.0
        self._gone = False
        self._resized = False
        self._keyboard = self._mouse_pixels = False
        self._cell = _DEFAULT_CELL
        self._picture: np.ndarray | None = None
        self._fit: Fit | None = None
        self._buttons = 0
        self._renderer: Renderer = HalfBlocks()
        self._undo: list[Callable[[], object]] = []
        saved = termios.tcgetattr(stdin)
        try:
            self._undo.append(partial(_restore, stdin, saved))
            self._catch_signals()
            tty.setraw(stdin)
            self._undo.append(lambda: self._send(_LEAVE))
            self._send(_ENTER)
            answers = self._ask()
            self._choose(graphics, answers)
            self._undo.append(lambda: self._send(_MOUSE_OFF))
            self._send(_MOUSE_ON + f"\x1b]2;{title}\x1b\\".encode() if title else _MOUSE_ON)
            if self._mouse_pixels:
                self._undo.append(lambda: self._send(_MOUSE_PIXELS_OFF))
                self._send(_MOUSE_PIXELS_ON)
            if self._keyboard:
                self._undo.append(lambda: self._send(_KEYBOARD_OFF))
                self._send(_KEYBOARD_ON)
            self._undo.append(lambda: self._send(self._renderer.end()))
            self._measure()
        except BaseException:
            self.close()
            raise

    # ---- what the terminal can do --------------------------------------------------------------

    def _ask(self) -> list[Answer]:
        """Ask what the terminal can do, and wait for the last answer, but not for long."""
        self._send(_QUESTIONS)
        answers: list[Answer] = []
        end = time.monotonic() + _ANSWER_SECONDS
        while (left := end - time.monotonic()) > 0 and not self._gone:
            for each in self._read(left):
                if isinstance(each, Answer):
                    answers.append(each)
                else:
                    self._early.append(each)
            if any(answer.kind == "attributes" for answer in answers):
                break
        return answers

    def _choose(self, graphics: str, answers: list[Answer]) -> None:
        """Pick the renderer and what to turn on."""
        kinds = {answer.kind: answer for answer in answers}
        modes = [answer.numbers for answer in answers if answer.kind == "mode"]
        self._keyboard = "keyboard" in kinds
        sizes = [a.numbers for a in answers if a.kind == "size" and len(a.numbers) == 3]
        for what, height, width in sizes:
            if what == 6 and 1 <= height <= 256 and 1 <= width <= 256:
                self._cell = (height, width)
                # Reports in pixels can be placed only if the size of a cell is known.
                self._mouse_pixels = (1016, 1) in modes or (1016, 2) in modes
        if graphics == "auto":
            attributes = kinds["attributes"].numbers[1:] if "attributes" in kinds else ()
            has_kitty = "graphics" in kinds and kinds["graphics"].text.startswith("OK")
            has_sixel = _SIXEL_ATTRIBUTE in attributes
            graphics = "kitty" if has_kitty else "sixel" if has_sixel else "blocks"
        self.graphics = graphics
        makers: dict[str, Callable[[], Renderer]] = {
            "kitty": Kitty,
            "sixel": Sixel,
            "blocks": HalfBlocks,
        }
        self._renderer = makers[graphics]()

    def _measure(self) -> None:
        size = os.get_terminal_size(self._out)
        rows, cols = max(size.lines, 1), max(size.columns, 1)
        cell = HalfBlocks.cell if self.graphics == "blocks" else self._cell
        self._grid = Grid(rows, cols, *cell)

    @property
    def tells_release(self) -> bool:
        """Whether the terminal tells when keys are let go."""
        return self._keyboard

    # ---- events -----------------------------------------------------------------------------

    def events(self) -> list[Event]:
        """Keys and pointer since the last call."""
        inputs, self._early = self._early + self._read(0), []
        found: list[Event] = []
        for each in inputs:
            if isinstance(each, Key):
                found.append(each)
            elif isinstance(each, Mouse):
                found += self._pointer(each)
        if self._gone:
            found.append(Quit())
        if self._resized:
            self._resized = False
            self._measure()
            self._renderer.forget()
            self._send(self._renderer.end() + b"\x1b[2J")
            if self._picture is not None:
                self.show(self._picture)
        return found

    def _read(self, seconds: float) -> list[Input]:
        """What has come, waiting at most ``seconds`` for it."""
        found: list[Input] = []
        ready, _, _ = select.select([self._in], [], [], seconds)
        if ready:
            try:
                data = os.read(self._in, 65536)
            except OSError:  # the terminal has gone
                data = b""
            self._gone = not data
            self._last_byte = time.monotonic()
            found += self._parser.feed(data)
        elif self._parser.waiting and time.monotonic() - self._last_byte > _ESCAPE_SECONDS:
            found += self._parser.idle()
        return found

    def _pointer(self, mouse: Mouse) -> list[Event]:
        """A mouse report as pointer events in pixels of the picture."""
        steps = 0
        if mouse.code & 64:
            if mouse.code & 2 or not mouse.pressed:
                return []  # sideways
            steps = -1 if mouse.code & 1 else 1
        elif not mouse.code & 32 and mouse.code & 3 < 3:
            bit = (keycodes.LEFT, keycodes.MIDDLE, keycodes.RIGHT)[mouse.code & 3]
            self._buttons = self._buttons | bit if mouse.pressed else self._buttons & ~bit
        if self._fit is None:
            return []
        if self._mouse_pixels:
            # Reports count the terminal's own pixels, which half blocks do not show.
            y = (mouse.y - 0.5) * self._grid.cell_rows / self._cell[0]
            x = (mouse.x - 0.5) * self._grid.cell_cols / self._cell[1]
        else:
            y = (mouse.y - 0.5) * self._grid.cell_rows
            x = (mouse.x - 0.5) * self._grid.cell_cols
        row, col = self._fit.to_picture(y, x)
        return [Pointer(row, col, self._buttons | steps << keycodes.WHEEL_SHIFT)]

    # ---- showing ------------------------------------------------------------------------------

    def show(self, picture: np.ndarray) -> None:
        """Show a picture as large as it fits."""
        self._picture = picture
        fit = Fit.of(picture.shape[0], picture.shape[1], self._grid)
        self._fit = fit
        data = self._renderer.frame(fit.place(picture, self._grid), self._grid)
        if data:
            self._send(_FRAME + data + _FRAME_END)

    def toggle_fullscreen(self) -> str:
        """A program cannot do that to its terminal."""
        return "full screen is up to your terminal"

    def _send(self, data: bytes) -> None:
        view = memoryview(data)
        while view:
            try:
                view = view[os.write(self._out, view) :]
            except BlockingIOError:
                select.select([], [self._out], [])
            except OSError:  # the terminal has gone
                self._gone = True
                return

    # ---- the end ------------------------------------------------------------------------------

    def close(self) -> None:
        """Put the terminal back as it was; calling it again does nothing."""
        if self._undo and threading.current_thread() is threading.main_thread():
            for name in _ENDING_SIGNALS:  # nothing may stop this half way; undone below
                signal.signal(getattr(signal, name), signal.SIG_IGN)
        while self._undo:
            with contextlib.suppress(OSError):
                self._undo.pop()()

    def _catch_signals(self) -> None:
        """Note a new size; let a request to terminate end the program in the ordinary way."""

        def end(number: int, frame: FrameType | None) -> None:
            raise SystemExit(128 + number)

        def resized(number: int, frame: FrameType | None) -> None:
            self._resized = True

        handlers: list[tuple[str, Any]] = [(name, end) for name in _ENDING_SIGNALS]
        for name, handler in [*handlers, ("SIGWINCH", resized)]:
            number = getattr(signal, name)
            self._undo.append(partial(signal.signal, number, signal.signal(number, handler)))


def terminal_is_taken(terminal: int) -> bool:
    """Whether somebody reads keys from the terminal one by one, as a line editor does."""
    import termios

    return not termios.tcgetattr(terminal)[3] & termios.ICANON


def _restore(terminal: int, saved: list[Any]) -> None:
    """Set the terminal's modes, dropping what was typed and not read."""
    import termios

    with contextlib.suppress(termios.error):  # it has gone
        termios.tcsetattr(terminal, termios.TCSAFLUSH, saved)
