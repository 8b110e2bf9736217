"""One folder and nothing outside it: what a program with port f may reach."""

from __future__ import annotations

import errno
import os
from collections.abc import Callable
from pathlib import Path

import numpy as np

from .atomic import write_atomically

#: Bytes of the largest file that is read.
MAX_FILE_BYTES = 1 << 28


class SandboxFolder:
    """Files below ``root``, by relative paths with ``/``.

    Only ordinary files and folders are seen: no devices, pipes or sockets.  Links are followed
    if they stay inside.  A path that leads out (absolute, ``..`` above the root, a link)
    raises PermissionError.  The check assumes that no other program of the host rearranges the
    folder at the same moment; programs themselves can make no links.
    """

    def __init__(
        self, root: Path, decode: Callable[[bytes], np.ndarray | None], *, writable: bool = True
    ) -> None:
        """``decode`` turns a file's bytes into a picture, uint8 (rows, cols, 4), or says None if
        they are none.  Raises NotADirectoryError if ``root`` is no folder."""
        self.root = Path(os.path.realpath(root))
        if not self.root.is_dir():
            raise NotADirectoryError(errno.ENOTDIR, "no folder to grant", str(root))
        self._decode = decode
        self._writable = writable

    def read(self, path: str) -> bytes | np.ndarray | None:
        """A file's bytes or its picture; None if there is no such file.  Raises OSError."""
        found = self._inside(path)
        if not found.is_file():
            return None
        with found.open("rb") as file:
            data = file.read(MAX_FILE_BYTES + 1)
        if len(data) > MAX_FILE_BYTES:
            raise OSError(errno.EFBIG, f"larger than {MAX_FILE_BYTES} bytes", path)
        picture = self._decode(data)
        return data if picture is None else picture

    def names(self, path: str) -> list[str] | None:
        """Sorted names of the files and folders in a folder, folders ending in ``/``; hidden
        ones are left out; None if there is no such folder.  Raises OSError."""
        folder = self._inside(path)
        if not folder.is_dir():
            return None
        names = []
        with os.scandir(folder) as entries:
            for entry in entries:
                if entry.name.startswith("."):
                    continue
                if entry.is_dir():
                    names.append(entry.name + "/")
                elif entry.is_file():
                    names.append(entry.name)
        return sorted(names)

    def write(self, path: str, data: bytes) -> None:
        """Replace a file at once and whole, making folders on the way.  Raises OSError."""
        if not self._writable:
            raise PermissionError(errno.EROFS, "the folder was granted for reading only", path)
        target = self._inside(path)
        if target == self.root or target.is_dir():
            raise IsADirectoryError(errno.EISDIR, "a folder, not a file", path)
        if target.exists() and not target.is_file():
            raise PermissionError(errno.EPERM, "not an ordinary file", path)
        target.parent.mkdir(parents=True, exist_ok=True)
        write_atomically(target, data)

    def _inside(self, path: str) -> Path:
        if set(path) & set("\\:\0") or path.startswith("/"):
            raise PermissionError(errno.EPERM, "a relative path with / is needed", path)
        found = Path(os.path.realpath(self.root / path))
        if found != self.root and self.root not in found.parents:
            raise PermissionError(errno.EPERM, "outside the folder that was granted", path)
        return found
