"""A bounded queue between the kernel's thread and one worker thread.

Files are read, decoded, encoded and written on worker threads, so that neither a slow disk
nor a large photograph holds up the screen or a ^C.  The kernel's thread never blocks: it
uses ``offer`` and ``poll``; the worker blocks in ``put`` and ``take``.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable
from typing import Generic, TypeVar

T = TypeVar("T")


class Channel(Generic[T]):
    """At most ``capacity`` messages; ``end`` says that no more come, ``drop`` that nobody reads.

    ``notify`` is called, on the calling thread, after each change that a worker makes.
    """

    def __init__(self, capacity: int, notify: Callable[[], None]) -> None:
        self._capacity = capacity
        self._queue: deque[T] = deque()
        self._changed = threading.Condition()
        self._notify = notify
        self.ended = False
        self.dropped = False

    # ---- the worker's side: blocks ---------------------------------------------------------

    def put(self, message: T) -> bool:
        """Wait for room and append; False if nobody reads any more."""
        with self._changed:
            self._changed.wait_for(lambda: self.dropped or len(self._queue) < self._capacity)
            if not self.dropped:
                self._queue.append(message)
        self._notify()
        return not self.dropped

    def take(self) -> T | None:
        """Wait for a message; None after the end or when the channel was dropped."""
        with self._changed:
            self._changed.wait_for(lambda: self.dropped or self.ended or bool(self._queue))
            message = self._queue.popleft() if self._queue and not self.dropped else None
        self._notify()
        return message

    # ---- the kernel's side: never blocks ---------------------------------------------------

    def offer(self, message: T) -> bool:
        """Append if there is room; False if there is none."""
        with self._changed:
            if len(self._queue) >= self._capacity:
                return False
            self._queue.append(message)
            self._changed.notify_all()
            return True

    def poll(self) -> T | None:
        """The next message, or None if there is none now."""
        with self._changed:
            if not self._queue:
                return None
            self._changed.notify_all()
            return self._queue.popleft()

    # ---- either side -----------------------------------------------------------------------

    @property
    def empty(self) -> bool:
        """Whether no message is waiting."""
        return not self._queue

    @property
    def room(self) -> bool:
        """Whether ``offer`` would be taken."""
        return len(self._queue) < self._capacity

    def end(self) -> None:
        """Nothing more will be put in."""
        with self._changed:
            self.ended = True
            self._changed.notify_all()
        self._notify()

    def drop(self) -> None:
        """Throw away what is in and refuse the rest."""
        with self._changed:
            self.dropped = True
            self._queue.clear()
            self._changed.notify_all()
        self._notify()
