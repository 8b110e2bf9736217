"""What the shell asks of whoever runs it.

The shell knows no picture formats, no windows, no environment and no clock of its own;
:mod:`pxos.boot` implements these protocols and hands them in.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

import numpy as np

if TYPE_CHECKING:
    from ..kernel.process import Process

#: One picture: uint8, rows x columns x 4 (red, green, blue, alpha not premultiplied).
Picture = np.ndarray


class PictureFileError(Exception):
    """A file cannot be read or written as a picture; the text says why and what to do."""


class Host(Protocol):
    """Files that hold pictures.

    ``read_pictures`` and ``write_picture`` are called on worker threads, one call at a time
    for a pipeline's file; they must not touch the kernel.
    """

    @property
    def home(self) -> Path | None:
        """The user's home folder (``~``), or None if there is none."""
        ...

    @property
    def picture_suffixes(self) -> tuple[str, ...]:
        """The endings that ``write_picture`` can write, small letters, with dot: ``.png``."""
        ...

    def is_picture(self, path: Path) -> bool:
        """Whether the file begins like a picture that ``read_pictures`` knows.

        Reads a few bytes only.  Raises OSError.
        """
        ...

    def read_pictures(self, path: Path) -> Iterable[Picture]:
        """The pictures of a file in order: one, or the frames of an animation.

        Raises OSError, or :class:`PictureFileError` for a damaged or unknown one.
        """
        ...

    def write_picture(self, path: Path, picture: Picture) -> None:
        """Write one picture in the format of the path's ending, over what is there.

        The shell hands in a temporary path in the right folder and renames it afterwards.
        Raises OSError, or :class:`PictureFileError` for an ending it does not know.
        """
        ...


#: Opens a program that draws on a screen where the user sees it.  Called once, as soon as
#: the process exists; the process runs on in the kernel.
Present = Callable[["Process"], None]

#: Shows a picture that a line of commands gave as its result; ``name`` says what it is.
Show = Callable[[Picture, str], None]
