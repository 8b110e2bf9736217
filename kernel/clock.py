"""Clocks: the only way in which time reaches the kernel and its programs.

The kernel is handed a clock and never asks the host for the time itself, so a run with a
:class:`VirtualClock` is repeatable.  The clock of the host is made in ``boot/``.
"""

from __future__ import annotations

from typing import Protocol

#: Year, month, day, hour, minute, second, millisecond.
Moment = tuple[int, int, int, int, int, int, int]


class Clock(Protocol):
    """What the kernel asks of a clock."""

    def monotonic_ms(self) -> int:
        """Milliseconds since some fixed moment; never goes back."""
        ...

    def seconds(self) -> float:
        """Seconds since some fixed moment, as fine as the host can tell; never goes back.

        Programs never see it: it measures slices and accounting.  A clock on which no time
        passes while programs run is legal: the scheduler then reckons by fuel.
        """
        ...

    def now(self) -> Moment:
        """Local date and time."""
        ...


class VirtualClock:
    """A clock that goes on only when it is told to."""

    def __init__(self, start: Moment = (2000, 1, 1, 0, 0, 0, 0)) -> None:
        self._start = start
        self._ms = 0

    def advance(self, ms: int) -> None:
        """Let ``ms`` milliseconds pass; raises ValueError below 0."""
        if ms < 0:
            raise ValueError(f"a clock cannot go back: {ms} ms; advance it by 0 or more")
        self._ms += ms

    def monotonic_ms(self) -> int:
        """Milliseconds advanced so far."""
        return self._ms

    def seconds(self) -> float:
        """Seconds advanced so far."""
        return self._ms / 1000

    def now(self) -> Moment:
        """The start moment plus the time advanced."""
        from datetime import datetime, timedelta

        year, month, day, hour, minute, second, ms = self._start
        at = datetime(year, month, day, hour, minute, second, ms * 1000)
        at += timedelta(milliseconds=self._ms)
        return (at.year, at.month, at.day, at.hour, at.minute, at.second, at.microsecond // 1000)
