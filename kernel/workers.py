"""Threads for instructions that take longer than a slice.

NumPy lets other threads run while it computes, so a large matrix product on a worker does not
stop the desktop.  A worker touches nothing but the executor and the memory of the process it
was given; results come back through the kernel's inbox and are handled on its thread.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from queue import SimpleQueue
from typing import Generic, TypeVar

from .machine.fault import Stop

T = TypeVar("T")
#: What a job tells: its stop, or what the executor raised.
Outcome = Stop | Exception
Job = tuple[Callable[[], Stop], Callable[[Outcome], None]]


class Workers:
    """At most ``count`` threads, started when they are needed; they end with the host program."""

    def __init__(self, count: int) -> None:
        self.count = count
        self._jobs: SimpleQueue[Job | None] = SimpleQueue()
        self._started = 0
        self._busy = 0

    def submit(self, work: Callable[[], Stop], tell: Callable[[Outcome], None]) -> None:
        """Do ``work`` on a thread and call ``tell`` there with what came of it."""
        self._busy += 1
        if self._started < min(self._busy, self.count):
            self._started += 1
            threading.Thread(target=self._serve, name="pxos-worker", daemon=True).start()
        self._jobs.put((work, tell))

    def finished(self) -> None:
        """The kernel has seen one outcome."""
        self._busy -= 1

    def close(self) -> None:
        """Let idle threads end."""
        for _ in range(self._started):
            self._jobs.put(None)
        self._started = 0

    def _serve(self) -> None:
        while (job := self._jobs.get()) is not None:
            work, tell = job
            with Caught[Stop]() as caught:
                caught.outcome = work()
            tell(caught.outcome)


class Caught(Generic[T]):
    """Keeps what is raised on one thread, to be raised again on another; ``outcome`` is that, or
    what is put there."""

    outcome: T | Exception

    def __enter__(self) -> Caught[T]:
        """Begin to catch."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: object
    ) -> bool:
        """Keep an exception."""
        if isinstance(error, Exception):
            self.outcome = error
        return isinstance(error, Exception)
