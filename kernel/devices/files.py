"""Port f, files below the folder that was granted."""

from __future__ import annotations

import numpy as np

from ..grants import Folder
from ..machine import png
from ..machine.ports import Message, Refused
from .base import NO_TEXT, Device, PortError, path_of, text, text_of


class Files(Device):
    """Reads the file named by T s: T 1 x n, or P if it is a picture, 0x0 if there is none; a name
    ending in ``/`` (or no name) lists a folder, each name and a newline.  Writes T or P (as a
    PNG) to the file named by T s.

    A path out of the folder is refused like a port that was not granted.
    """

    letter = "f"

    def __init__(self, folder: Folder | None) -> None:
        self._folder = folder

    def read(self, selector: Message) -> Message | Refused:
        """A file or the names in a folder."""
        path = path_of(selector, "a file")
        if self._folder is None:
            return NO_TEXT
        try:
            if path.endswith("/") or not path:
                names = self._folder.names(path.rstrip("/"))
                if names is None:
                    return NO_TEXT
                listing = "".join(f"{name}\n" for name in names)
                return text(listing.encode("utf-8", "surrogateescape"))
            found = self._folder.read(path)
        except PermissionError:
            return Refused(self.letter)
        except OSError as error:
            raise PortError("killed", f"it could not read {path}: {error.strerror}") from error
        if found is None:
            return NO_TEXT
        return Message("P", found) if isinstance(found, np.ndarray) else text(found)

    def write(self, message: Message, selector: Message) -> Refused | None:
        """Write a file."""
        path = path_of(selector, "a file")
        data = png.encode(message.data) if message.kind == "P" else text_of(message, "a file")
        if self._folder is None:
            return Refused(self.letter)
        try:
            self._folder.write(path, data)
        except PermissionError:
            return Refused(self.letter)
        except OSError as error:
            raise PortError("killed", f"it could not write {path}: {error.strerror}") from error
        return None
