"""Running a screen program without any screen, on a virtual clock: the same picture every time."""

from __future__ import annotations

from collections.abc import Callable, Iterable

import numpy as np

from ..kernel.clock import VirtualClock
from ..kernel.devices.screen import FRAME_RATE
from ..kernel.kernel import Kernel
from ..kernel.process import Process
from .events import Event, Key, Pointer

#: What all programs together may burn in one frame, in seconds at the scheduler's nominal rate:
#: more than a desktop needs to finish a frame, little enough that one that never rests does not
#: hold up the others.
FRAME_BUDGET = 0.25


def play_headless(
    kernel: Kernel,
    clock: VirtualClock,
    process: Process,
    *,
    frames: int,
    events: Iterable[tuple[int, Event]] = (),
    each_frame: Callable[[], None] | None = None,
) -> np.ndarray:
    """Let a process run for ``frames`` frames of virtual time; fewer if it ends.

    ``kernel`` must run on ``clock``.  ``events``: (frame, event) in ascending order, for tests.
    ``each_frame`` is called once a frame.
    Returns the picture it shows then, uint8 (rows, cols, 4), (0, 0, 4) if it has shown none.
    """
    coming = list(events)
    start_ms = kernel.now_ms()
    first = kernel.frames.number
    for frame in range(1, frames + 1):
        clock.advance(start_ms + frame * 1000 // FRAME_RATE - kernel.now_ms())
        while coming and coming[0][0] <= frame:
            _push(process, coming.pop(0)[1])
        kernel.tick(first + frame)
        if each_frame is not None:
            each_frame()
        kernel.run(FRAME_BUDGET)
        if process.ended:
            break
    return process.surface.picture


def _push(process: Process, event: Event) -> None:
    if isinstance(event, Key):
        process.keys.push(event.code, event.state, event.modifiers)
    elif isinstance(event, Pointer):
        process.pointer.push(event.row, event.col, event.buttons)
