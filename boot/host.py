"""What the command language asks of boot: files that hold pictures."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import numpy as np

from . import environment, photos


class BootHost:
    """Implements ``pxos.shell.host.Host``."""

    def __init__(self) -> None:
        self.home = environment.home()

    @property
    def picture_suffixes(self) -> tuple[str, ...]:
        """The endings that can be written."""
        return photos.SUFFIXES

    def is_picture(self, path: Path) -> bool:
        """Whether the file begins like a picture; raises OSError."""
        if not path.is_file():
            return False  # reading from a pipe or a device could wait for ever
        with path.open("rb") as file:
            return photos.is_picture(file.read(32))

    def read_pictures(self, path: Path) -> Iterable[np.ndarray]:
        """The pictures of a file; raises OSError and PictureFileError."""
        return photos.read_pictures(path)

    def write_picture(self, path: Path, picture: np.ndarray) -> None:
        """Write over what is at ``path``; raises OSError and PictureFileError."""
        path.write_bytes(photos.encoded(picture, path.suffix))


def decode_or_none(data: bytes) -> np.ndarray | None:
    """The picture in a file's bytes for port f; None if it is none that can be read."""
    from ..shell.host import PictureFileError

    if not photos.is_picture(data[:32]):
        return None
    try:
        return next(iter(photos.pictures_in(data, "the file")), None)
    except PictureFileError:
        return None
