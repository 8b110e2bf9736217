"""Sources of a pipeline that are files: pictures one after another, or text in pieces."""

from __future__ import annotations

import errno
import os
import stat
import threading
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import BinaryIO, Generic, Literal, TypeVar

from ..kernel.pipes import Flow, Wake
from .channel import Channel
from .host import Host, Picture, PictureFileError

T = TypeVar("T")

#: Bytes of a piece of text.
PIECE = 65536


def why(error: OSError) -> str:
    """What the operating system says, in a few words."""
    if error.errno == errno.ENOSPC:
        return "the disk is full: free some space"
    return (error.strerror or str(error)).lower()


class FileSource(Generic[T]):
    """Gives what ``messages`` yields on a worker thread; a :class:`Source` of the kernel.

    When the file cannot be read, ``problem`` says why and nothing more comes, not even the
    end: whoever runs the pipeline sees the problem and stops it.  ``pump`` must be called
    now and then on the kernel's thread: it wakes the reader.
    """

    def __init__(
        self, messages: Callable[[], Iterator[T]], notify: Callable[[], None], capacity: int
    ) -> None:
        self._messages = messages
        self._channel: Channel[T] = Channel(capacity, notify)
        self._wake: Wake = _nobody
        self._thread: threading.Thread | None = None
        self.problem: str | None = None

    def read(self) -> T | Literal[Flow.PENDING, Flow.END]:
        """The next message; the first call starts the worker."""
        self._start()
        message = self._channel.poll()
        if message is not None:
            return message
        if self._finished and self._channel.empty:
            return Flow.END
        return Flow.PENDING

    def ready(self) -> bool:
        """Whether ``read`` would answer at once."""
        self._start()
        return not self._channel.empty or self._finished

    def _start(self) -> None:
        if self._thread is None and not self._channel.dropped:
            self._thread = threading.Thread(target=self._work, name="pxos-read", daemon=True)
            self._thread.start()

    def attach(self, wake: Wake) -> None:
        """Call ``wake``, from ``pump``, when there is something to read."""
        self._wake = wake

    def pump(self) -> None:
        """Wake the reader if something is there."""
        if not self._channel.empty or self._finished:
            self._wake()

    def close(self) -> None:
        """Stop reading the file."""
        self._channel.drop()

    @property
    def _finished(self) -> bool:
        return self._channel.dropped or (self._channel.ended and self.problem is None)

    def _work(self) -> None:
        problem: str | None = "the reader of the file broke: this is a bug of pxOS"
        try:
            for message in self._messages():
                if not self._channel.put(message):
                    break
            problem = None
        except Unreadable as error:
            problem = str(error)
        finally:  # whatever happened, nobody may wait for ever
            self.problem = problem
            self._channel.end()


class Unreadable(Exception):  # noqa: N818 - it is caught by the one class that runs it
    """What the messages of a :class:`FileSource` cannot be got from, with what to print."""


def _nobody() -> None:
    """Wake no one."""


def picture_files(
    paths: Sequence[Path], names: Sequence[str], host: Host, notify: Callable[[], None]
) -> FileSource[Picture]:
    """The pictures of several files, one after another, at most two decoded ahead."""

    def messages() -> Iterator[Picture]:
        for path, name in zip(paths, names, strict=True):
            try:
                yield from host.read_pictures(path)
            except PictureFileError as error:
                text = str(error)
                raise Unreadable(text if name in text else f"{name}: {text}") from error
            except OSError as error:
                raise Unreadable(f"cannot read {name}: {why(error)}") from error

    return FileSource(messages, notify, 2)


def text_files(
    paths: Sequence[Path], names: Sequence[str], notify: Callable[[], None]
) -> FileSource[bytes]:
    """The bytes of several files, one after another, in pieces."""

    def messages() -> Iterator[bytes]:
        for path, name in zip(paths, names, strict=True):
            try:
                with open_regular(path) as file:
                    while piece := file.read(PIECE):
                        yield piece
            except OSError as error:
                raise Unreadable(f"cannot read {name}: {why(error)}") from error

    return FileSource(messages, notify, 4)


def open_regular(path: Path) -> BinaryIO:
    """Open a file for reading bytes; never waits for the writer of a named pipe.

    Raises OSError; a folder is one too.
    """
    descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    if stat.S_ISDIR(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise IsADirectoryError(errno.EISDIR, "it is a folder")
    return open(descriptor, "rb")
