"""Writing a file whole or not at all."""

from __future__ import annotations

import contextlib
import itertools
import os
from pathlib import Path

_BINARY = getattr(os, "O_BINARY", 0)
_numbers = itertools.count()


def write_atomically(path: Path, data: bytes | bytearray | memoryview) -> None:
    """Replace ``path`` by ``data`` at once: whoever reads it sees the old file or the new one,
    also after a crash.  Keeps the permissions of a file that was there.  A device or a named
    pipe is written to, and not replaced.  Raises OSError."""
    if is_special(path):
        with path.open("wb", buffering=0) as file:
            file.write(data)
        return
    path = Path(os.path.realpath(path))
    temporary = path.with_name(f".{path.name}.{os.getpid()}-{next(_numbers)}.tmp")
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL | _BINARY, 0o666)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        put_in_place(temporary, path)
    except BaseException:
        with contextlib.suppress(FileNotFoundError):
            os.unlink(temporary)
        raise


def put_in_place(temporary: Path, path: Path) -> None:
    """Rename a file that is whole over ``path``, keeping the permissions of one that was there.

    Raises OSError.
    """
    with contextlib.suppress(FileNotFoundError):
        os.chmod(temporary, os.stat(path).st_mode & 0o7777)
    os.replace(temporary, path)
    _sync_folder(path.parent)


def is_special(path: Path) -> bool:
    """Whether there is something that is neither a file nor a folder: a device, a pipe."""
    return path.exists() and not path.is_file() and not path.is_dir()


def _sync_folder(folder: Path) -> None:
    """Make the new name durable, where folders can be opened (not on Windows)."""
    if not hasattr(os, "O_DIRECTORY"):
        return
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
