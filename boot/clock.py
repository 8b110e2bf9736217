"""The clock of the host."""

from __future__ import annotations

import time

from ..kernel.clock import Moment


class RealClock:
    """A :class:`pxos.kernel.clock.Clock` that tells the host's time."""

    def monotonic_ms(self) -> int:
        """Milliseconds since some fixed moment; never goes back."""
        return time.monotonic_ns() // 1_000_000

    def seconds(self) -> float:
        """Seconds since some fixed moment, as fine as the host can tell."""
        return time.perf_counter()

    def now(self) -> Moment:
        """Local date and time."""
        seconds = time.time()
        local = time.localtime(seconds)
        return (
            local.tm_year,
            local.tm_mon,
            local.tm_mday,
            local.tm_hour,
            local.tm_min,
            min(local.tm_sec, 59),
            int(seconds * 1000) % 1000,
        )
