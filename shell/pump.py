"""Letting the kernel run while a line is waited for."""

from __future__ import annotations

from ..kernel.devices.screen import FRAME_RATE
from ..kernel.kernel import Kernel

#: Longest time, in seconds, until a ^C or a change in a pipeline is looked at.
TURN = 0.01


class Pump:
    """Runs the kernel for a moment, counts frames by its clock, and rests when all wait."""

    def __init__(self, kernel: Kernel) -> None:
        self._kernel = kernel

    def __call__(self) -> None:
        """One turn of at most about TURN seconds."""
        kernel = self._kernel
        kernel.tick(max(kernel.frames.number, kernel.now_ms() * FRAME_RATE // 1000))
        if not kernel.run(TURN):
            kernel.wait(TURN)
