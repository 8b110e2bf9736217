"""The loop that keeps a program and a display together, sixty times a second."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from ..kernel.devices.screen import FRAME_RATE
from ..kernel.kernel import Kernel
from ..kernel.process import Process
from .controls import Controls
from .events import Display, Key, Pointer, Quit

#: Least seconds that programs get of each frame, however late it is.
_LEAST = 0.002


def play(kernel: Kernel, process: Process, display: Display, *, folder: Path,
         frames: int | None = None, linger: bool = False) -> np.ndarray:
    """Show a process on a display until it ends or the user leaves.

    ``frames``: stop after so many.  ``linger``: keep what an ended process showed until the
    user leaves or presses a key.  ``folder``: where screenshots and recordings go.  Returns
    what was shown last.  The process is left as it is; the display is not closed.
    """
    controls = Controls(display, kernel.clock, folder)
    seen = -1
    first = _frame_now(kernel)
    try:
        while True:
            frame = _frame_now(kernel)
            kernel.tick(frame)
            pressed = _take_events(process, display, controls)
            if controls.left or (linger and process.ended and pressed):
                break
            _run_until(kernel, (frame + 1) / FRAME_RATE)
            surface = process.surface
            changed = surface.serial != seen
            seen = surface.serial
            controls.present(surface.picture if changed else None)
            if process.ended and not linger:
                break
            if frames is not None and frame + 1 - first >= frames:
                break
            _rest_until(kernel, (frame + 1) / FRAME_RATE)
    finally:
        controls.finish()
    return process.surface.picture


def _frame_now(kernel: Kernel) -> int:
    return max(kernel.frames.number, kernel.now_ms() * FRAME_RATE // 1000)


def _left(kernel: Kernel, end: float) -> float:
    """Seconds until ``end``, counted from the kernel's start."""
    return end - kernel.now_ms() / 1000


def _take_events(process: Process, display: Display, controls: Controls) -> bool:
    """Hand events to the process; whether a key or button was pressed."""
    pressed = False
    for event in display.events():
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


def _run_until(kernel: Kernel, end: float) -> None:
    kernel.run(max(_LEAST, _left(kernel, end)))


def _rest_until(kernel: Kernel, end: float) -> None:
    """Sleep until the frame is over, handling what other threads post."""
    while (left := _left(kernel, end)) > 0:
        if kernel.wait(left):
            kernel.run(max(_LEAST, _left(kernel, end)))
