"""Sources, sinks and the bounded pipe between two processes.

A *source* gives messages one by one, a *sink* takes them: pictures (uint8, rows x cols x 4)
or pieces of text (bytes).  Both may say "not now" and call back when that changes, so nothing
is polled.  Messages arrive exactly as they were written, one read for one write: what a
program reads depends only on what was written, never on who ran when (Kahn).

Sources and sinks belong to the kernel's thread.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from enum import Enum
from typing import Generic, Literal, Protocol, TypeAlias, TypeVar

import numpy as np

#: uint8 of shape (rows, cols, 4).
Picture: TypeAlias = np.ndarray

T = TypeVar("T")
Read = TypeVar("Read", covariant=True)
Written = TypeVar("Written", contravariant=True)
Wake = Callable[[], None]

#: What a picture pipe holds unless told otherwise (pictures), and a text pipe (bytes).
PICTURE_CAPACITY = 2
TEXT_CAPACITY = 65536


class Flow(Enum):
    """What a source answers when it gives no message."""

    PENDING = "nothing yet"
    END = "nothing will come any more"


class Given(Enum):
    """What a sink answers."""

    TAKEN = "taken"
    FULL = "not now"
    CLOSED = "nobody reads any more"


class SourceError(Exception):
    """A source or sink broke: a file that cannot be decoded, a disk that is full.

    Ends the process that used it; the message says what happened and what to do.
    """


class Source(Protocol[Read]):
    """Gives messages."""

    def read(self) -> Read | Literal[Flow.PENDING, Flow.END]:
        """Take the next message; raises SourceError."""
        ...

    def ready(self) -> bool:
        """Whether ``read`` would answer a message or the end at once."""
        ...

    def attach(self, wake: Wake) -> None:
        """Call ``wake`` from now on whenever ``ready`` becomes true."""
        ...

    def close(self) -> None:
        """The reader has gone."""
        ...


class Sink(Protocol[Written]):
    """Takes messages."""

    def write(self, message: Written) -> Given:
        """Hand a message over; it is the sink's own from now on.  Raises SourceError."""
        ...

    def attach(self, wake: Wake) -> None:
        """Call ``wake`` from now on whenever a refused write may succeed, or the reader goes."""
        ...

    def close(self) -> None:
        """Nothing will be written any more."""
        ...


PictureSource: TypeAlias = Source[Picture]
TextSource: TypeAlias = Source[bytes]
PictureSink: TypeAlias = Sink[Picture]
TextSink: TypeAlias = Sink[bytes]


def _nobody() -> None:
    """Wake no one."""


class IterSource(Generic[T]):
    """A source of whatever an iterable yields, taken one by one as they are read."""

    def __init__(self, messages: Iterable[T]) -> None:
        self._messages: Iterator[T] = iter(messages)

    def read(self) -> T | Literal[Flow.PENDING, Flow.END]:
        """The next message; what the iterable raises should be a SourceError."""
        return next(self._messages, Flow.END)

    def ready(self) -> bool:
        """Always: an iterable answers at once."""
        return True

    def attach(self, wake: Wake) -> None:
        """Nothing to call: it is always ready."""

    def close(self) -> None:
        """Let go of the iterable."""
        self._messages = iter(())


class ListSink(Generic[T]):
    """A sink that keeps everything it takes in ``messages``."""

    def __init__(self) -> None:
        self.messages: list[T] = []
        self.closed = False

    def write(self, message: T) -> Given:
        """Keep the message."""
        self.messages.append(message)
        return Given.TAKEN

    def attach(self, wake: Wake) -> None:
        """Nothing to call: it never refuses."""

    def close(self) -> None:
        """Remember that the writer has gone."""
        self.closed = True


class Pipe(Generic[T]):
    """A bounded queue; ``writer`` is its sink and ``reader`` its source.

    ``kind`` "picture": ``capacity`` counts pictures.  ``kind`` "text": it counts bytes, and an
    empty pipe takes a piece of any size.  Either end may be closed: the reader then drains what
    is left and sees the end; the writer is told CLOSED.
    """

    def __init__(self, kind: str, capacity: int | None = None) -> None:
        """``capacity`` None: the kind's default.  Raises ValueError."""
        if kind not in ("picture", "text"):
            raise ValueError(f'a pipe is of kind "picture" or "text", not {kind!r}')
        if capacity is None:
            capacity = PICTURE_CAPACITY if kind == "picture" else TEXT_CAPACITY
        if capacity < 1:
            raise ValueError(f"a pipe holds at least 1, not {capacity}")
        self.kind = kind
        self.capacity = capacity
        self._size = _one if kind == "picture" else len
        self._queue: deque[T] = deque()
        self._used = 0
        self.reader: PipeReader[T] = PipeReader(self)
        self.writer: PipeWriter[T] = PipeWriter(self)

    def __len__(self) -> int:
        """Messages now in the pipe."""
        return len(self._queue)


def _one(message: object) -> int:
    """Every picture counts as one."""
    return 1


class PipeReader(Generic[T]):
    """The end of a pipe that is read."""

    def __init__(self, pipe: Pipe[T]) -> None:
        self._pipe = pipe
        self._wake: Wake = _nobody
        self.closed = False

    def read(self) -> T | Literal[Flow.PENDING, Flow.END]:
        """Take the oldest message and tell the writer that there is room."""
        pipe = self._pipe
        if pipe._queue:
            message = pipe._queue.popleft()
            pipe._used -= pipe._size(message)  # type: ignore[arg-type]
            pipe.writer._wake()
            return message
        return Flow.END if pipe.writer.closed or self.closed else Flow.PENDING

    def ready(self) -> bool:
        """Whether there is a message, or the end."""
        return bool(self._pipe._queue) or self._pipe.writer.closed or self.closed

    def attach(self, wake: Wake) -> None:
        """Call ``wake`` when a message or the end comes."""
        self._wake = wake

    def close(self) -> None:
        """Drop what is left and tell the writer."""
        if not self.closed:
            self.closed = True
            self._pipe._queue.clear()
            self._pipe._used = 0
            self._pipe.writer._wake()


class PipeWriter(Generic[T]):
    """The end of a pipe that is written."""

    def __init__(self, pipe: Pipe[T]) -> None:
        self._pipe = pipe
        self._wake: Wake = _nobody
        self.closed = False

    def write(self, message: T) -> Given:
        """Append a message; raises ValueError after close."""
        pipe = self._pipe
        if self.closed:
            raise ValueError("this end of the pipe was closed: write before closing it")
        if pipe.reader.closed:
            return Given.CLOSED
        size = pipe._size(message)  # type: ignore[arg-type]
        if pipe._queue and pipe._used + size > pipe.capacity:
            return Given.FULL
        pipe._queue.append(message)
        pipe._used += size
        pipe.reader._wake()
        return Given.TAKEN

    def attach(self, wake: Wake) -> None:
        """Call ``wake`` when there is room, or nobody reads any more."""
        self._wake = wake

    def close(self) -> None:
        """Let the reader see the end once it has read what is left."""
        if not self.closed:
            self.closed = True
            self._pipe.reader._wake()
