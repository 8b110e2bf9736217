"""Sinks of a pipeline that are files, written whole or not at all.

Everything goes to a temporary file beside the target, which is flushed to the disk and
renamed over the target only when the pipeline has ended well.  So a full disk, a fault or a
^C leaves what was there as it was, and never half a file.
"""

from __future__ import annotations

import itertools
import os
import stat
import threading
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Generic, Protocol, TypeVar

from ..kernel.pipes import Given, Wake
from .channel import Channel
from .expand import CommandError
from .host import Host, Picture, PictureFileError
from .readers import why

T = TypeVar("T")
Taken = TypeVar("Taken", contravariant=True)
_counter = itertools.count(1)


class _Job(Protocol[Taken]):
    """What a :class:`FileSink` does on its worker thread, but for ``discard``.

    ``discard`` is called on the kernel's thread at any moment: it removes the temporary file
    from its folder at once.  ``abandon`` lets go of everything.  Methods raise OSError.
    """

    count: int

    def put(self, message: Taken) -> None: ...
    def commit(self) -> None: ...
    def abandon(self) -> None: ...
    def discard(self) -> None: ...


class FileSink(Generic[T]):
    """Hands messages to a worker thread that writes them; a :class:`Sink` of the kernel.

    After the writer has closed it, ``decide`` says whether the file is to be replaced;
    ``done`` tells that this has happened.  ``problem`` says why it did not.  ``pump`` must be
    called now and then on the kernel's thread: it wakes the writer.
    """

    def __init__(self, job: _Job[T], name: str, notify: Callable[[], None], capacity: int) -> None:
        self._job = job
        self._name = name
        self._channel: Channel[T] = Channel(capacity, notify)
        self._notify = notify
        self._wake: Wake = _nobody
        self._decided = threading.Event()
        self._commit = False
        self._thread = threading.Thread(target=self._work, name="pxos-write", daemon=True)
        self._thread.start()
        self.problem: str | None = None
        self.done = False

    @property
    def count(self) -> int:
        """Messages written so far."""
        return self._job.count

    def write(self, message: T) -> Given:
        """Queue a message."""
        if self.problem is not None or self._channel.dropped:
            return Given.CLOSED
        return Given.TAKEN if self._channel.offer(message) else Given.FULL

    def attach(self, wake: Wake) -> None:
        """Call ``wake``, from ``pump``, when there is room."""
        self._wake = wake

    def pump(self) -> None:
        """Wake the writer if it may go on."""
        if self._channel.room or self.problem is not None:
            self._wake()

    def close(self) -> None:
        """Nothing more will be written."""
        self._channel.end()

    def decide(self, commit: bool) -> None:
        """Replace the target with what was written, or leave it as it is."""
        self._commit = commit
        if not commit:
            self._channel.drop()
            self._job.discard()
        self._channel.end()
        self._decided.set()

    def _work(self) -> None:
        problem: str | None = f"cannot write {self._name}: the writer broke, a bug of pxOS"
        try:
            while (message := self._channel.take()) is not None:
                self._job.put(message)
            self._decided.wait()
            if self._commit:
                self._job.commit()
            problem = None
        except OSError as error:
            problem = f"cannot write {self._name}: {why(error)}; it is as it was"
        except PictureFileError as error:
            problem = f"cannot write {self._name}: {error}"
        finally:  # whatever happened, nobody may wait for ever
            if problem is not None or not self._commit:
                self._job.abandon()
            self.problem = problem
            self.done = True
            self._notify()


def _nobody() -> None:
    """Wake no one."""


class _Temporary:
    """A new file beside ``target``, to be renamed over it."""

    def __init__(self, target: Path) -> None:
        self.target = target
        self.path, descriptor = _create(target)
        os.close(descriptor)

    def replace(self, target: Path) -> None:
        """Flush to the disk, take over the target's permissions, and rename."""
        descriptor = os.open(self.path, os.O_RDONLY | os.O_CLOEXEC)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
        with suppress(FileNotFoundError):
            os.chmod(self.path, stat.S_IMODE(target.stat().st_mode))
        os.replace(self.path, target)

    def remove(self) -> None:
        """Remove the file if it is still there."""
        with suppress(OSError):
            self.path.unlink()


def _create(target: Path) -> tuple[Path, int]:
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC
    while True:
        # The ending stays: writers of pictures choose the format by it.  The name is cut so
        # that it is legal wherever the target's is.
        name = f".{target.stem[:100]}.{os.getpid()}-{next(_counter)}.part{target.suffix}"
        try:
            return target.parent / name, os.open(target.parent / name, flags, 0o666)
        except FileExistsError:
            continue


class _PictureJob:
    """Writes pictures: the only one to the target, several to ``name-1``, ``name-2``, ..."""

    def __init__(self, target: Path, host: Host) -> None:
        self._target = target
        self._host = host
        self._temporary = _Temporary(target)
        self.count = 0

    def put(self, picture: Picture) -> None:
        if self.count == 1:
            self._number()
        if self.count:
            self._temporary = _Temporary(self._target)
        self._host.write_picture(self._temporary.path, picture)
        self.count += 1
        if self.count > 1:
            self._number()

    def _number(self) -> None:
        """Give the picture just written its numbered name."""
        path = self._target
        self._temporary.replace(path.with_name(f"{path.stem}-{self.count}{path.suffix}"))

    def commit(self) -> None:
        if self.count == 1:
            self._temporary.replace(self._target)
        self._temporary.remove()

    def abandon(self) -> None:
        self._temporary.remove()

    def discard(self) -> None:
        self._temporary.remove()


class _TextJob:
    """Writes text to the target, or behind what it holds already."""

    def __init__(self, target: Path, append: bool) -> None:
        self._target = target
        self._append = append
        self._temporary = _Temporary(target)
        self._file = open(self._temporary.path, "wb")  # noqa: SIM115 - closed by commit, abandon
        self.count = 0

    def put(self, message: bytes) -> None:
        self._file.write(message)
        self.count += 1

    def commit(self) -> None:
        self._file.close()
        if not self._append:
            self._temporary.replace(self._target)
            return
        with open(self._temporary.path, "rb") as new, open(self._target, "ab") as old:
            size = old.seek(0, os.SEEK_END)
            try:
                while piece := new.read(65536):
                    old.write(piece)
                old.flush()
                os.fsync(old.fileno())
            except OSError:
                os.truncate(old.fileno(), size)
                raise
        self._temporary.remove()

    def abandon(self) -> None:
        self._temporary.remove()
        with suppress(OSError):
            self._file.close()

    def discard(self) -> None:
        self._temporary.remove()


class _DeviceJob:
    """Writes text to what is no ordinary file, such as /dev/null: as it comes."""

    def __init__(self, target: Path) -> None:
        flags = os.O_WRONLY | os.O_NONBLOCK | os.O_CLOEXEC
        self._file = open(os.open(target, flags), "wb", buffering=0)  # noqa: SIM115
        self.count = 0

    def put(self, message: bytes | Picture) -> None:
        if isinstance(message, bytes):
            self._file.write(message)
        self.count += 1

    def commit(self) -> None:
        self._file.close()

    def abandon(self) -> None:
        self._file.close()

    def discard(self) -> None:
        """Nothing to remove."""


def picture_target(
    path: Path, name: str, host: Host, notify: Callable[[], None]
) -> FileSink[Picture]:
    """A sink that writes pictures to ``path``; ``name`` is what the user called it.

    Raises :class:`CommandError` for an ending that is no picture's and a place that cannot
    be written.
    """
    target = Path(os.path.realpath(path))
    if os.path.exists(target) and not os.path.isfile(target) and not os.path.isdir(target):
        if os.path.samefile(target, os.devnull):
            return _open(lambda: FileSink(_DeviceJob(target), name, notify, 2), target, name)
        raise CommandError(f"cannot write a picture to {name}: it is no ordinary file")
    if target.suffix.lower() not in host.picture_suffixes:
        raise CommandError(
            f"{name} does not end like a picture: end it with "
            + " or ".join((", ".join(host.picture_suffixes[:-1]), host.picture_suffixes[-1]))
        )
    return _open(lambda: FileSink(_PictureJob(target, host), name, notify, 2), target, name)


def text_target(path: Path, name: str, append: bool, notify: Callable[[], None]) -> FileSink[bytes]:
    """A sink that writes text to ``path``; raises :class:`CommandError` if that cannot be."""
    target = Path(os.path.realpath(path))
    if os.path.exists(target) and not os.path.isfile(target) and not os.path.isdir(target):
        return _open(lambda: FileSink(_DeviceJob(target), name, notify, 64), target, name)
    return _open(lambda: FileSink(_TextJob(target, append), name, notify, 64), target, name)


def _open(make: Callable[[], FileSink[T]], target: Path, name: str) -> FileSink[T]:
    if os.path.isdir(target):
        raise CommandError(f"cannot write {name}: it is a folder", status=1)
    if os.path.exists(target) and not os.access(target, os.W_OK):
        raise CommandError(f"cannot write {name}: permission denied", status=1)
    try:
        return make()
    except OSError as error:
        raise CommandError(f"cannot write {name}: {why(error)}", status=1) from error
