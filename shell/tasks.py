"""What works in a pipeline beside its programs: builtins, copying, a screen's last picture.

Each task does a little at every ``poll`` and never waits; ``status`` is None until it ends.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol

import numpy as np

from ..kernel.pipes import Flow, Given, Sink, Source
from ..kernel.process import Process
from .calls import Call, Steps
from .expand import CommandError
from .host import Picture

#: Turns that a task gets in one poll.
TURNS = 64


class Task(Protocol):
    """Something to be polled until its status is known."""

    status: int | None

    def poll(self) -> None:
        """Do what can be done now.  Raises :class:`CommandError` when it fails."""
        ...

    def stop(self, status: int) -> None:
        """End it, if it has not ended."""
        ...


class BuiltinTask:
    """A builtin at work."""

    def __init__(self, call: Call, sink: Sink[bytes]) -> None:
        self._steps: Steps = call.builtin.run(call)
        self._call = call
        self._sink = sink
        self._pending = b""
        self.status: int | None = None

    def poll(self) -> None:
        """A few turns; writes what the builtin yields."""
        for _ in range(TURNS):
            if self.status is not None:
                return
            if self._pending:
                given = self._sink.write(self._pending)
                if given is Given.FULL:
                    return
                self._pending = b""
                if given is Given.CLOSED:
                    self.stop(0)
                    return
            try:
                piece = next(self._steps)
            except StopIteration as stop:
                self.stop(stop.value)
                return
            except CommandError as error:
                self.stop(error.status)
                raise
            if piece is None:
                return
            self._pending = piece

    def stop(self, status: int) -> None:
        """End it and close its pipes."""
        if self.status is None:
            self.status = status
            self._steps.close()
            self._sink.close()
            if self._call.stdin is not None:
                self._call.stdin.close()


class CopyTask:
    """Carries messages from a source to a sink."""

    def __init__(self, source: Source[Any], sink: Sink[Any]) -> None:
        self._source = source
        self._sink = sink
        self._pending: Any = None
        self.status: int | None = None

    def poll(self) -> None:
        """Carry what there is."""
        for _ in range(TURNS):
            if self.status is not None:
                return
            if self._pending is None:
                message = self._source.read()
                if message is Flow.PENDING:
                    return
                if message is Flow.END:
                    self.stop(0)
                    return
                self._pending = message
            given = self._sink.write(self._pending)
            if given is Given.FULL:
                return
            self._pending = None
            if given is Given.CLOSED:
                self.stop(0)

    def stop(self, status: int) -> None:
        """End it and close both ends."""
        if self.status is None:
            self.status = status
            self._source.close()
            self._sink.close()


class LastPicture:
    """Hands on what a program's screen shows when the program has ended well."""

    def __init__(self, process: Process, sink: Sink[Picture]) -> None:
        self._process = process
        self._sink = sink
        self.status: int | None = None

    def poll(self) -> None:
        """Look whether the program has ended."""
        how = self._process.exit
        if self.status is not None or how is None:
            return
        picture = self._process.surface.picture
        if (
            how.status == 0
            and picture.size
            and self._sink.write(np.array(picture, copy=True)) is Given.FULL
        ):
            return
        self.stop(0)

    def stop(self, status: int) -> None:
        """End it."""
        if self.status is None:
            self.status = status
            self._sink.close()


class CallSink:
    """A sink that hands each message to a function; it is never full and never closed."""

    def __init__(self, take: Callable[[Any], None]) -> None:
        self._take = take

    def write(self, message: Any) -> Given:
        """Hand it over."""
        self._take(message)
        return Given.TAKEN

    def attach(self, wake: Callable[[], None]) -> None:
        """Nothing to call: it never refuses."""

    def close(self) -> None:
        """Nothing to close: others write to the same place."""
