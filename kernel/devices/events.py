"""Ports k and m, keys and pointer: bounded queues of four-number events."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from ..machine.ports import Message
from .base import Device

#: Events a queue holds; the oldest make room for new ones.
MAX_EVENTS = 1024

_NONE = Message("I", np.zeros((0, 4), np.int32))


class EventQueue(Device):
    """Events that wait to be read, all at once.

    ``push`` is for whoever owns the real keyboard or mouse; times are milliseconds since the
    kernel started.
    """

    def __init__(self, letter: str, now_ms: Callable[[], int]) -> None:
        self.letter = letter
        self._now_ms = now_ms
        self._wake: Callable[[], None] | None = None
        self._events: list[tuple[int, int, int, int]] = []
        self.dropped = 0

    def push(self, first: int, second: int, third: int = 0, ms: int | None = None) -> None:
        """Add an event: (key code, state, modifiers) or (row, column, buttons).

        ``ms`` None: now.  All are taken modulo 2^32.
        """
        if len(self._events) >= MAX_EVENTS:
            del self._events[0]
            self.dropped += 1
        self._events.append((first, second, third, self._now_ms() if ms is None else ms))
        if self._wake is not None:
            self._wake()

    def on_event(self, wake: Callable[[], None]) -> None:
        """Call ``wake`` whenever an event comes."""
        self._wake = wake

    def push_all(self, events: np.ndarray) -> None:
        """Add events n x 4, integers."""
        for event in events[-MAX_EVENTS:].tolist():
            self.push(*event)

    def read(self, selector: Message) -> Message:
        """All events since the last read, I n x 4."""
        if not self._events:
            return _NONE
        data = np.array(self._events, np.int64).astype(np.int32)
        self._events.clear()
        return Message("I", data)

    def ready(self) -> bool:
        """Whether there are events."""
        return bool(self._events)
