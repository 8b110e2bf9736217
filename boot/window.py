"""A window on the desktop of the host, made with pygame.  The only file that names pygame."""

from __future__ import annotations

import os
import warnings
from collections.abc import Iterator
from types import ModuleType
from typing import Any

import numpy as np

from ..kernel.devices import keycodes
from ..kernel.devices.keycodes import KEYS
from .errors import BootError
from .events import Event, Key, Pointer, Quit, WheelSteps

#: Drivers of SDL that show nothing.
_BLIND = frozenset({"offscreen", "dummy", "evdev"})
_ALT_GR = keycodes.CTRL | keycodes.ALT
_REPEAT_DELAY_MS, _REPEAT_GAP_MS = 400, 33
_ADVICE = "use --terminal, or --headless with --frames and --screenshot"


def load_pygame() -> ModuleType:
    """Import pygame quietly; raises BootError if it is not installed."""
    os.environ.setdefault("PYGAME_HIDE_SUPPORT_PROMPT", "1")
    try:
        import pygame
    except ImportError as error:
        raise BootError(
            "no window can be opened", f"pygame: {error}", f"pip install pygame-ce, or {_ADVICE}"
        ) from error
    return pygame


class Window:
    """A window that shows pictures enlarged a whole number of times; a ``Display``.

    Raises BootError where no display answers.
    """

    def __init__(
        self,
        rows: int,
        cols: int,
        title: str,
        *,
        scale: int | None = None,
        fullscreen: bool = False,
    ) -> None:
        """``scale`` None: as many times as fits the desktop."""
        self._pygame = pygame = load_pygame()
        self._size = (cols, rows)
        self._fullscreen = False
        try:
            pygame.display.init()
            driver = pygame.display.get_driver()
            if driver in _BLIND:
                raise BootError("no display answers", f"SDL driver {driver}", _ADVICE)
            pygame.display.set_caption(title)
            self._surface = self._set_mode()
            pygame.key.set_repeat(_REPEAT_DELAY_MS, _REPEAT_GAP_MS)
        except pygame.error as error:
            pygame.display.quit()
            raise BootError("no window can be opened", str(error), _ADVICE) from error
        except BootError:
            pygame.display.quit()
            raise
        self._translator = Translator(pygame)
        if scale is not None:
            self._resize(cols * scale, rows * scale)
        if fullscreen:
            self.toggle_fullscreen()

    def _set_mode(self) -> Any:
        flags = self._pygame.SCALED | self._pygame.RESIZABLE
        return self._pygame.display.set_mode(self._size, flags)

    def _resize(self, width: int, height: int) -> None:
        with warnings.catch_warnings():
            # pygame has no other way yet to size a scaled window.
            warnings.simplefilter("ignore", DeprecationWarning)
            self._pygame.Window.from_display_module().size = (width, height)

    @property
    def driver(self) -> str:
        """SDL's name of what shows the window: x11, wayland, windows, cocoa."""
        return str(self._pygame.display.get_driver())

    def events(self) -> list[Event]:
        """Keys and pointer since the last call."""
        return [
            self._inside(ours) if isinstance(ours, Pointer) else ours
            for theirs in self._pygame.event.get()
            for ours in self._translator.translate(theirs)
        ]

    def _inside(self, event: Pointer) -> Pointer:
        """The pointer, taken to the nearest pixel of the picture."""
        cols, rows = self._size
        row, col = min(max(event.row, 0), rows - 1), min(max(event.col, 0), cols - 1)
        return Pointer(row, col, event.buttons)

    def show(self, picture: np.ndarray) -> None:
        """Show a picture; the window takes its size."""
        pygame = self._pygame
        size = (picture.shape[1], picture.shape[0])
        if size != self._size:
            self._size = size
            self._surface = self._set_mode()
        pixels = np.ascontiguousarray(picture)
        self._surface.blit(pygame.image.frombuffer(pixels, size, "RGBX"), (0, 0))
        pygame.display.flip()

    def toggle_fullscreen(self) -> str:
        """Fill the screen, or no longer."""
        try:
            self._pygame.display.toggle_fullscreen()
        except self._pygame.error as error:
            return f"no full screen: {error}"
        self._fullscreen = not self._fullscreen
        return ""

    def close(self) -> None:
        """Close the window."""
        self._pygame.display.quit()


class Translator:
    """Turns pygame's events into ours.

    Text that an input method composes comes without keys: each of its characters is a key
    pressed and let go.
    """

    def __init__(self, pygame: ModuleType) -> None:
        self._pygame = pygame
        self._held: dict[int, int] = {}
        self._typed = ""
        self._buttons = 0
        self._place = (0, 0)
        self._wheel = WheelSteps()
        self._special = {
            getattr(pygame, f"K_{name}"): KEYS[ours]
            for name, ours in (
                ("BACKSPACE", "backspace"),
                ("TAB", "tab"),
                ("RETURN", "enter"),
                ("KP_ENTER", "enter"),
                ("ESCAPE", "escape"),
                ("UP", "up"),
                ("DOWN", "down"),
                ("LEFT", "left"),
                ("RIGHT", "right"),
                ("HOME", "home"),
                ("END", "end"),
                ("PAGEUP", "page up"),
                ("PAGEDOWN", "page down"),
                ("INSERT", "insert"),
                ("DELETE", "delete"),
                *((f"F{n}", f"f{n}") for n in range(1, 16)),
            )
        }
        self._modifiers = (
            (pygame.KMOD_SHIFT, keycodes.SHIFT),
            (pygame.KMOD_CTRL, keycodes.CTRL),
            (pygame.KMOD_ALT, keycodes.ALT),
            (pygame.KMOD_META, keycodes.META),
        )
        self._bits = {1: keycodes.LEFT, 2: keycodes.MIDDLE, 3: keycodes.RIGHT}

    def translate(self, event: Any) -> Iterator[Event]:
        """The events that one event of pygame means."""
        pygame = self._pygame
        if event.type == pygame.KEYDOWN:
            yield from self._key_down(event)
        elif event.type == pygame.KEYUP:
            code = self._held.pop(event.key, None)
            if code is not None:
                yield Key(code, keycodes.UP, self._mods(event.mod))
        elif event.type == pygame.TEXTINPUT:
            yield from self._text(event.text)
        elif event.type == pygame.WINDOWFOCUSLOST:
            yield from self._let_go()
        elif event.type == pygame.MOUSEMOTION:
            self._place = event.pos
            yield self._pointer()
        elif event.type in (pygame.MOUSEBUTTONDOWN, pygame.MOUSEBUTTONUP):
            # The wheel comes as buttons 4 and up as well, besides its own event.
            bit = self._bits.get(event.button, 0)
            if bit:
                down = event.type == pygame.MOUSEBUTTONDOWN
                self._buttons = self._buttons | bit if down else self._buttons & ~bit
                self._place = event.pos
                yield self._pointer()
        elif event.type == pygame.MOUSEWHEEL:
            steps = self._wheel.add(getattr(event, "precise_y", event.y))
            if steps:
                yield self._pointer(steps)
        elif event.type == pygame.QUIT:
            yield Quit()

    def _key_down(self, event: Any) -> Iterator[Key]:
        modifiers = self._mods(event.mod)
        text = event.unicode
        code = self._special.get(event.key)
        if code is None:
            if text and text.isprintable():
                code = ord(text[0])
                self._typed = text
                if modifiers & _ALT_GR == _ALT_GR:  # it made the character: nothing else is meant
                    modifiers &= ~_ALT_GR
            elif 32 <= event.key < 127 or event.key in range(160, 0x110000):
                code = event.key  # with Ctrl held: the key itself, not a control character
        if code is None:
            return
        state = keycodes.REPEAT if event.key in self._held else keycodes.DOWN
        self._held[event.key] = code
        yield Key(code, state, modifiers)

    def _text(self, text: str) -> Iterator[Key]:
        typed, self._typed = self._typed, ""
        if text == typed:
            return
        for char in text:
            yield Key(ord(char), keycodes.DOWN)
            yield Key(ord(char), keycodes.UP)

    def _let_go(self) -> Iterator[Event]:
        """The window lost the keyboard: nothing is held any more, as far as it can tell."""
        for code in self._held.values():
            yield Key(code, keycodes.UP)
        self._held.clear()
        if self._buttons:
            self._buttons = 0
            yield self._pointer()

    def _pointer(self, steps: int = 0) -> Pointer:
        col, row = self._place
        return Pointer(int(row), int(col), self._buttons | steps << keycodes.WHEEL_SHIFT)

    def _mods(self, mod: int) -> int:
        return sum(ours for theirs, ours in self._modifiers if mod & theirs)
