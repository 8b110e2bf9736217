"""Sources and sinks of a program that runs on its own: files, standard input and output."""

from __future__ import annotations

import codecs
import itertools
import os
import sys
import threading
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import BinaryIO, Literal

import numpy as np

from ..fs.atomic import is_special, put_in_place
from ..kernel.pipes import Flow, Given, IterSource, SourceError, Wake
from ..shell.harmless import HARMLESS
from ..shell.host import PictureFileError
from .errors import BootError, wrong
from .standard import say, write_out

#: The name that means standard input or output.
STANDARD = "-"
_PIECE = 65536
_AHEAD = 16
_MOST_LATE = 1 << 20


def why(error: OSError) -> str:
    """What the host says of an error, in a few words."""
    return (error.strerror or str(error)).lower()


# ---- pictures --------------------------------------------------------------------------------


def picture_source(names: Sequence[str]) -> IterSource[np.ndarray]:
    """The pictures of several files, one after another; ``-`` is standard input.

    Files are opened when they are read; what cannot be read raises SourceError then.
    """
    from . import photos

    def pictures() -> Iterator[np.ndarray]:
        for name in names:
            try:
                if name == STANDARD:
                    data = sys.stdin.buffer.read(photos.MAX_FILE_BYTES + 1)
                    yield from photos.pictures_in(data, "standard input")
                else:
                    yield from photos.read_pictures(Path(name), name)
            except PictureFileError as error:
                raise SourceError(str(error)) from error
            except OSError as error:
                raise SourceError(f"cannot read {name} ({why(error)})") from error

    return IterSource(pictures())


class PictureFiles:
    """A sink that writes pictures to files once the program has ended well.

    One name takes one picture, or any number as ``name-1``, ``name-2``, ...; several names
    take a picture each.  Pictures wait in temporary files beside their targets;
    those for standard output are written as they come, for there may be no end of them.
    """

    def __init__(self, names: Sequence[str]) -> None:
        """Raises BootError for names that cannot be written."""
        from . import photos

        self._names = list(names)
        self._waiting: list[Path] = []
        self._count = 0
        self._numbers = itertools.count()
        for name in names:
            path = Path(name)
            if name == STANDARD:
                if len(names) > 1:
                    raise wrong("standard output takes all pictures alone", "give one -o", "-o -")
            elif path.suffix.lower() not in photos.SUFFIXES:
                raise wrong(
                    "that is no picture format that can be written",
                    f"end the name with {', '.join(photos.SUFFIXES)}",
                    f"-o {name}",
                )
            elif path.is_dir() or is_special(path) or not path.parent.is_dir():
                raise BootError(
                    "the picture cannot be written there",
                    f"-o {name}",
                    "name a file in a folder that exists",
                )
            elif path.exists() and not os.access(path, os.W_OK):
                raise BootError("the picture may not be written", f"-o {name}", "name another file")

    def write(self, picture: np.ndarray) -> Given:
        """Keep a picture; raises SourceError if that cannot be."""
        from . import photos

        number, self._count = self._count, self._count + 1
        if len(self._names) > 1 and number >= len(self._names):
            raise SourceError(
                f"the program gives more than {len(self._names)} pictures: "
                "add another -o, or give only one"
            )
        name = self._names[min(number, len(self._names) - 1)]
        if name == STANDARD:
            return Given.TAKEN if write_out(photos.encoded(picture, ".png")) else Given.CLOSED
        target = Path(os.path.realpath(name))
        path = target.with_name(f".{target.name}.{os.getpid()}-{next(self._numbers)}.part")
        try:
            data = photos.encoded(picture, target.suffix)
            self._waiting.append(path)
            with path.open("xb") as file:
                file.write(data)
                file.flush()
                os.fsync(file.fileno())
        except PictureFileError as error:
            raise SourceError(str(error)) from error
        except OSError as error:
            raise SourceError(f"cannot write {name} ({why(error)})") from error
        return Given.TAKEN

    def attach(self, wake: Wake) -> None:
        """Nothing to call: it never refuses."""

    def close(self) -> None:
        """Nothing to do: ``commit`` or ``abandon`` ends it."""

    def commit(self) -> None:
        """Put the pictures in their places; raises BootError, for too few before any is."""
        if not self._count:
            raise BootError(
                "no picture came",
                f"-o {self._names[0]}",
                "the program wrote none; nothing was changed",
            )
        if self._count < len(self._names):
            raise BootError(
                f"only {self._count} of {len(self._names)} pictures came",
                f"-o {self._names[self._count]}",
                "give -o once for each picture; nothing was changed",
            )
        for number, kept in enumerate(self._waiting):
            target = Path(self._names[min(number, len(self._names) - 1)])
            if len(self._names) == 1 and self._count > 1:
                target = target.with_name(f"{target.stem}-{number + 1}{target.suffix}")
            try:
                put_in_place(kept, Path(os.path.realpath(target)))
            except OSError as error:
                raise BootError(f"{target} cannot be written", why(error)) from error

    def abandon(self) -> None:
        """Leave the files as they were."""
        waiting, self._waiting = self._waiting, []
        for kept in waiting:
            kept.unlink(missing_ok=True)


class ShownPictures:
    """A sink for pictures that nobody gave a name: in a terminal the last one is shown in half
    blocks, anywhere else all are written to standard output as PNG, unless text goes there."""

    def __init__(self, *, text: bool, still: bool) -> None:
        """``text``: the program's text goes to standard output.  ``still``: pictures are what a
        screen would show, and not missed where there is none."""
        self._last: np.ndarray | None = None
        self._still = still
        self._keeps = text or sys.stdout.isatty()

    def write(self, picture: np.ndarray) -> Given:
        """Take a picture."""
        if self._keeps:
            self._last = picture
            return Given.TAKEN
        from . import photos

        taken = write_out(photos.encoded(picture, ".png"))
        return Given.TAKEN if taken else Given.CLOSED

    def attach(self, wake: Wake) -> None:
        """Nothing to call: it never refuses."""

    def close(self) -> None:
        """Nothing to do: ``commit`` or ``abandon`` ends it."""

    def commit(self) -> None:
        """Show the last picture, or say that it was not kept."""
        if self._last is None:
            return
        if not sys.stdout.isatty():
            if self._still:
                return
            say("pxos: the picture was not kept; -o FILE keeps it")
        else:
            from .terminal_still import still

            size = os.get_terminal_size(sys.stdout.fileno())
            write_out(still(self._last, size.lines - 1, size.columns))

    def abandon(self) -> None:
        """Show nothing."""
        self._last = None


# ---- text ---------------------------------------------------------------------------------------


class OutText:
    """A sink that writes text to standard output as it comes; to a terminal without control
    characters, which could command it.

    ``late``: text is kept until ``print``, of too much the end; to be set before any comes.
    """

    def __init__(self) -> None:
        self.late = False
        self._decoder = codecs.getincrementaldecoder("utf-8")("replace")
        self._terminal = sys.stdout.isatty()
        self._kept: deque[bytes] = deque()
        self._size = 0

    def write(self, message: bytes) -> Given:
        """Write a piece, or keep it."""
        if not self.late:
            return self._out(message)
        self._kept.append(message)
        self._size += len(message)
        while self._size > _MOST_LATE:
            self._size -= len(self._kept.popleft())
        return Given.TAKEN

    def _out(self, message: bytes) -> Given:
        if self._terminal:
            message = self._decoder.decode(message).translate(HARMLESS).encode()
        return Given.TAKEN if write_out(message) else Given.CLOSED

    def attach(self, wake: Wake) -> None:
        """Nothing to call: it never refuses."""

    def close(self) -> None:
        """Nothing to do: standard output stays open."""

    def print(self) -> None:
        """Write what was kept."""
        self._out(b"".join(self._kept))
        self._kept.clear()
        self._size = 0


class InText:
    """A source of what comes on standard input, read on a thread so that the kernel goes on.

    ``post`` is the kernel's: it has calls made on the kernel's thread.
    """

    def __init__(
        self, post: Callable[[Callable[[], None]], None], stream: BinaryIO | None = None
    ) -> None:
        self._post = post
        self._stream = sys.stdin.buffer if stream is None else stream
        self._pieces: deque[bytes] = deque()
        self._room = threading.Semaphore(_AHEAD)
        self._ended = False
        self._problem = ""
        self._wake: Wake = _nobody
        self._thread: threading.Thread | None = None

    def read(self) -> bytes | Literal[Flow.PENDING, Flow.END]:
        """The next piece; the first call begins to read.  Raises SourceError."""
        self._start()
        if self._pieces:
            self._room.release()
            return self._pieces.popleft()
        if self._problem:
            raise SourceError(f"cannot read standard input ({self._problem})")
        return Flow.END if self._ended else Flow.PENDING

    def ready(self) -> bool:
        """Whether ``read`` would answer at once."""
        self._start()
        return bool(self._pieces) or self._ended

    def attach(self, wake: Wake) -> None:
        """Call ``wake`` when something comes."""
        self._wake = wake

    def close(self) -> None:
        """Read no more; a read that waits ends with the process."""
        self._ended = True
        self._room.release()

    def _start(self) -> None:
        if self._thread is None and not self._ended:
            self._thread = threading.Thread(target=self._work, name="pxos-stdin", daemon=True)
            self._thread.start()

    def _work(self) -> None:
        try:
            while not self._ended:
                self._room.acquire()
                piece = os.read(self._stream.fileno(), _PIECE)
                if not piece:
                    break
                self._pieces.append(piece)
                self._post(self._woken)
        except OSError as error:
            self._problem = why(error)
        self._ended = True
        self._post(self._woken)

    def _woken(self) -> None:
        self._wake()


def _nobody() -> None:
    """Wake no one."""
