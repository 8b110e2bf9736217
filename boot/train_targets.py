"""Where ``pxos train`` writes, and what it must not write over: looked at before hours are spent on
what could not be kept."""

from __future__ import annotations

from argparse import Namespace
from pathlib import Path

from .errors import BootError, wrong
from .streams import STANDARD, why


def check_targets(options: Namespace) -> None:
    """Raise BootError for what could not be written, or would be written over what is read."""
    output: Path = options.output
    weights: Path | None = None if options.kind == "build" else options.weights
    sources: Path | None = options.sources
    for path in (output, weights, sources):
        if path is None:
            continue
        if str(path) == STANDARD:
            raise wrong("training writes files", "name one with -o")
        if not path.parent.is_dir():
            raise wrong(f"there is no folder {path.parent}", "make it first", str(path))
    if output.is_dir():
        raise wrong("this is a folder", "name a file with -o", str(output))
    if weights is not None and weights.is_dir():
        raise wrong("this is a folder", "name a file with --weights", str(weights))
    if weights is not None and same_file(weights, output):
        raise wrong("picture and weights would be one file", "name two", str(output))
    if sources is not None and sources.exists() and not sources.is_dir():
        raise wrong("--sources names a folder, and this is none", "", str(sources))
    for name, read in (("text", getattr(options, "text", None)), ("icon", options.icon)):
        for written in (output, weights):
            if read is not None and written is not None and same_file(read, written):
                raise wrong(f"the {name} would be written over", "name another file", str(read))


def same_file(one: Path, other: Path) -> bool:
    """Whether two names stand for one file, there or not."""
    return one.resolve() == other.resolve()


def read_icon(path: Path | None) -> bytes:
    """A program's icon, a picture file of 32 x 32; b"" for None.  Raises BootError."""
    if path is None:
        return b""
    from ..shell.host import PictureFileError
    from ..shell.lenses.assembler.program import ICON_SIZE
    from .photos import read_pictures

    try:
        size = next(read_pictures(path)).shape[:2]
        data = path.read_bytes()
    except PictureFileError as error:
        raise BootError(str(error), str(path)) from error
    except OSError as error:
        raise BootError(f"the icon cannot be read, {why(error)}", str(path)) from error
    if size != ICON_SIZE:
        raise wrong(f"the icon is {size[0]} x {size[1]}", "an icon is 32 x 32", str(path))
    return data
