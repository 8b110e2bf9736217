"""The keys that belong to pxOS and not to the program: help, recording, screenshots, leaving."""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path

import numpy as np

from ..kernel.clock import Clock
from ..kernel.devices.keycodes import CTRL, DOWN, KEYS
from . import overlay, photos
from .events import Display, Key, Pointer
from .recorder import Recorder

#: The list that F1 shows.
HELP = (
    "F1      this list",
    "F9      record a GIF, and stop",
    "F11     full screen",
    "F12     screenshot",
    "Ctrl+Q  leave pxOS",
)
_NOTICE_MS = 2500


class Controls:
    """Takes its keys out of the stream, and lays help and notices over the picture.

    Files are written to ``folder`` with the date in their names.  ``left`` is set when the
    user wants to leave.
    """

    def __init__(self, display: Display, clock: Clock, folder: Path) -> None:
        self._display = display
        self._clock = clock
        self._folder = folder
        self._recorder: Recorder | None = None
        self._writers: list[threading.Thread] = []
        self._help = False
        self._notice = ""
        self._notice_end = 0
        self._held: set[int] = set()
        self._picture: np.ndarray | None = None
        self._dirty = False
        self._zoom = 1
        self.left = False
        self._actions: dict[int, Callable[[], None]] = {
            KEYS["f1"]: self._toggle_help,
            KEYS["f9"]: self._toggle_recording,
            KEYS["f11"]: self._toggle_fullscreen,
            KEYS["f12"]: self._screenshot,
        }

    def takes(self, key: Key) -> bool:
        """Handle one of pxOS's own keys; False if the key is the program's."""
        leaving = key.code == ord("q") and key.modifiers & CTRL
        if key.state == DOWN and (leaving or (key.code in self._actions and not key.modifiers)):
            self._held.add(key.code)
            if leaving:
                self.left = True
            else:
                self._actions[key.code]()
            return True
        if key.code not in self._held:
            return False
        if key.state == 0:
            self._held.discard(key.code)
        return True

    def placed(self, event: Pointer) -> Pointer:
        """The pointer in pixels of the program's own picture."""
        if self._zoom == 1:
            return event
        return Pointer(event.row // self._zoom, event.col // self._zoom, event.buttons)

    def present(self, picture: np.ndarray | None) -> None:
        """Once a frame: show ``picture`` (None: the program's picture has not changed)."""
        now = self._clock.monotonic_ms()
        if picture is not None:
            self._picture = picture
            self._dirty = True
        if self._notice and now >= self._notice_end:
            self._notice = ""
            self._dirty = True
        if self._picture is None or not self._picture.size:
            return
        if self._recorder is not None:
            self._recorder.add(self._picture, now)
            if self._recorder.full:
                self._toggle_recording()
        if self._dirty:
            self._dirty = False
            self._display.show(self._composed(self._picture))

    def tell(self, text: str) -> None:
        """Show a notice for a while."""
        self._notice = text
        self._notice_end = self._clock.monotonic_ms() + _NOTICE_MS
        self._dirty = True

    def finish(self) -> None:
        """End a recording that runs, and wait until it is written."""
        if self._recorder is not None:
            self._toggle_recording()
        for thread in self._writers:
            thread.join()

    def _composed(self, picture: np.ndarray) -> np.ndarray:
        if not self._help and not self._notice:
            self._zoom = 1
            return picture
        card = overlay.panel(HELP if self._help else [self._notice])
        self._zoom = overlay.zoom(picture, card)
        return overlay.laid_over(picture, card, centred=self._help)

    def _toggle_help(self) -> None:
        self._help = not self._help
        self._dirty = True

    def _toggle_fullscreen(self) -> None:
        problem = self._display.toggle_fullscreen()
        self._dirty = True
        if problem:
            self.tell(problem)

    def _toggle_recording(self) -> None:
        if self._recorder is None:
            self._recorder = Recorder()
            self.tell("recording; F9 stops")
            return
        recorder, self._recorder = self._recorder, None
        thread = recorder.save(self._path("gif"), self._clock.monotonic_ms(), self.tell)
        self._writers.append(thread)

    def _screenshot(self) -> None:
        if self._picture is None or not self._picture.size:
            return
        path = self._path("png")
        try:
            photos.save(path, opaque(self._picture))
        except OSError as error:
            self.tell(f"cannot write {path.name}: {error.strerror or error}")
        else:
            self.tell(f"saved {path.name}")

    def _path(self, suffix: str) -> Path:
        """A name that is not taken: pxos-20260131-235959.png, then ...-2.png and so on."""
        year, month, day, hour, minute, second, _ = self._clock.now()
        stem = f"pxos-{year:04}{month:02}{day:02}-{hour:02}{minute:02}{second:02}"
        path = self._folder / f"{stem}.{suffix}"
        number = 2
        while path.exists():
            path = self._folder / f"{stem}-{number}.{suffix}"
            number += 1
        return path


def opaque(picture: np.ndarray) -> np.ndarray:
    """The picture as a screen shows it: with alpha 255."""
    shown = picture.copy()
    shown[..., 3] = 255
    return shown
