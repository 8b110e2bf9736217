"""Keeping a program and a display together, sixty times a second."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np

from ..kernel.devices.screen import FRAME_RATE
from ..kernel.kernel import Kernel
from ..kernel.process import Process
from .controls import Controls
from .events import Display, Key, Pointer, Quit
from .notices import Notices

#: Least seconds that programs get of each frame, however late it is.
_LEAST = 0.002


class Stage:
    """A process on a display.

    ``folder``: where screenshots and recordings go.  ``linger``: keep what an ended process
    showed until the user leaves or presses something.  ``over`` is set when there is nothing
    more to show.  The process is left as it is, and the display is not closed.
    """

    def __init__(
        self,
        kernel: Kernel,
        process: Process,
        display: Display,
        folder: Path,
        *,
        linger: bool = False,
    ) -> None:
        self._kernel = kernel
        self._process = process
        self._display = display
        self._controls = Controls(display, kernel.clock, folder)
        self._linger = linger
        self._seen = -1
        self.over = False

    def step(self) -> int:
        """One frame: events in, programs run, the picture out, and rest until it is over.
        Returns the frame's number."""
        kernel, process = self._kernel, self._process
        frame = frame_now(kernel)
        end = (frame + 1) / FRAME_RATE
        kernel.tick(frame)
        pressed = self._take_events()
        if self._controls.left or (self._linger and process.ended and pressed):
            self.over = True
            return frame
        kernel.run(max(_LEAST, _left(kernel, end)))
        surface = process.surface
        changed = surface.serial != self._seen
        self._seen = surface.serial
        self._controls.present(surface.picture if changed else None)
        if process.ended and not self._linger:
            self.over = True
        while not self.over and (left := _left(kernel, end)) > 0:
            if kernel.wait(left):
                kernel.run(max(_LEAST, _left(kernel, end)))
        return frame

    def tell(self, text: str) -> None:
        """Lay a notice over the picture for a while."""
        self._controls.tell(text)

    def finish(self) -> None:
        """End a recording that runs, and wait until it is written."""
        self._controls.finish()

    def _take_events(self) -> bool:
        """Hand events to the process; whether a key or button was pressed."""
        process, controls = self._process, self._controls
        pressed = False
        for event in self._display.events():
            if isinstance(event, Quit):
                controls.left = True
            elif isinstance(event, Key):
                if not controls.takes(event):
                    process.keys.push(event.code, event.state, event.modifiers)
                    pressed |= event.state != 0
            elif isinstance(event, Pointer):
                placed = controls.placed(event)
                process.pointer.push(placed.row, placed.col, placed.buttons)
                pressed |= bool(event.buttons)
        return pressed


def play(
    kernel: Kernel,
    process: Process,
    display: Display,
    *,
    folder: Path,
    frames: int | None = None,
    linger: bool = False,
    each_frame: Callable[[], None] | None = None,
    notices: Notices | None = None,
) -> np.ndarray:
    """Show a process until it ends or the user leaves, or for so many ``frames``.

    ``each_frame`` is called once a frame.  ``notices`` are shown over the picture.  Returns the
    picture that was shown last.
    """
    stage = Stage(kernel, process, display, folder, linger=linger)
    first = frame_now(kernel)
    if notices is not None:
        notices.show = stage.tell
    try:
        while not stage.over:
            if each_frame is not None:
                each_frame()
            frame = stage.step()
            if frames is not None and frame + 1 - first >= frames:
                break
    finally:
        if notices is not None:
            notices.show = None
        stage.finish()
    return process.surface.picture


def frame_now(kernel: Kernel) -> int:
    """The number of the frame that is due by the kernel's clock."""
    return max(kernel.frames.number, kernel.now_ms() * FRAME_RATE // 1000)


def _left(kernel: Kernel, end: float) -> float:
    """Seconds until ``end``, counted from the kernel's start."""
    return end - kernel.now_ms() / 1000
