"""^C as something to be looked at, not something that strikes anywhere.

A KeyboardInterrupt may come between any two steps of the kernel and leave it half changed.
While :class:`Interrupts` is entered, ^C is only counted; whoever polls looks at the count.
"""

from __future__ import annotations

import signal
import threading
from types import FrameType, TracebackType


class Interrupts:
    """Counts ^C while it is entered; on other threads than the main one it counts none."""

    def __init__(self) -> None:
        self.count = 0
        self._before: object = None
        self._entered = False

    def __enter__(self) -> Interrupts:
        """Begin to count from 0."""
        self.count = 0
        self._entered = threading.current_thread() is threading.main_thread()
        if self._entered:
            self._before = signal.signal(signal.SIGINT, self._note)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Let ^C do again what it did before."""
        if self._entered:
            signal.signal(signal.SIGINT, self._before)  # type: ignore[arg-type]

    def _note(self, number: int, frame: FrameType | None) -> None:
        self.count += 1
