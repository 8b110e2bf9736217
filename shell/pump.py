"""Letting the kernel run while a line is waited for."""

from __future__ import annotations

from ..kernel.devices.screen import FRAME_RATE
from ..kernel.kernel import Kernel

#: Longest time, in seconds, until a ^C or a change in a pipeline is looked at.
TURN = 0.01


class Pump:
    """Runs the kernel for a moment, counts frames by its clock, and rests when all wait.

    It rests at the beginning of a turn, so that whoever waited for what has just ended need not
    wait for that too.
    """

    def __init__(self, kernel: Kernel) -> None:
        self._kernel = kernel

    def __call__(self) -> None:
        """One turn: a rest and a run of at most about TURN seconds each."""
        kernel = self._kernel
        if kernel.idle:
            kernel.wait(TURN)
        kernel.tick(max(kernel.frames.number, kernel.now_ms() * FRAME_RATE // 1000))
        kernel.run(TURN)
