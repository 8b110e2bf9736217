"""Port v, the frame: what paces an animated program."""

from __future__ import annotations

from collections.abc import Callable

from ..machine.ports import Message, Wait
from .base import Device, first, row


class Frames:
    """The kernel's frame counter: ``number`` and the clock's milliseconds when it came."""

    __slots__ = ("ms", "number")

    def __init__(self, ms: int) -> None:
        self.number = 0
        self.ms = ms


class Frame(Device):
    """Reads I 1x2: frame number, milliseconds since the program started.

    Selector 0 waits until there is a frame that was not read yet; n > 0 sleeps until n frames
    after the one now shown.
    """

    letter = "v"

    def __init__(self, frames: Frames, start_ms: int, sleep: Callable[[int], None]) -> None:
        """``sleep`` is told the frame number at which the process is to be woken."""
        self._frames = frames
        self._start_ms = start_ms
        self._sleep = sleep
        self._read = frames.number
        self._until: int | None = None
        self._told = -1

    @property
    def sleeping(self) -> bool:
        """Whether the program asked to sleep a number of frames."""
        return self._until is not None

    def read(self, selector: Message) -> Message | Wait:
        """The frame, once it has come."""
        now = self._frames.number
        count = first(selector)
        if count > 0 and self._until is None:
            self._until = now + count
        target = self._read + 1 if self._until is None else self._until
        if now < target:
            self._wake_at(target)
            return Wait("v")
        self._until = None
        self._read = now
        return row(now, self._frames.ms - self._start_ms)

    def ready(self) -> bool:
        """Whether there is a frame that was not read yet."""
        if self._frames.number > self._read:
            return True
        self._wake_at(self._read + 1)
        return False

    def _wake_at(self, frame: int) -> None:
        if frame != self._told:
            self._told = frame
            self._sleep(frame)
