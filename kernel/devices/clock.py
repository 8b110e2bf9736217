"""Port c, the clock."""

from __future__ import annotations

from ..clock import Clock
from ..machine.ports import Message
from .base import Device, row


class ClockDevice(Device):
    """Reads I 1x8: year, month, day, hour, minute, second, millisecond, milliseconds since the
    kernel started."""

    letter = "c"

    def __init__(self, clock: Clock, start_ms: int) -> None:
        self._clock = clock
        self._start_ms = start_ms

    def read(self, selector: Message) -> Message:
        """The time."""
        return row(*self._clock.now(), self._clock.monotonic_ms() - self._start_ms)
