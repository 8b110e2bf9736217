"""Pictures that are data: reading them from any common format, and writing them.

Pixels are uint8, rows x columns x 4: red, green, blue, alpha not premultiplied.  The limits
are taken from a picture's header before anything is decoded, only formats that Pillow
decodes by itself are opened, and a file that is cut off is refused.
"""

from __future__ import annotations

import io
import os
import struct
import warnings
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from ..kernel.machine import png
from ..shell.host import PictureFileError
from . import photo_png

if TYPE_CHECKING:
    from PIL.Image import Image

#: Pixels of the largest picture that is read: 256 MiB of memory.
MAX_PIXELS = 1 << 26
#: Bytes of the largest picture file that is read.
MAX_FILE_BYTES = 1 << 30
#: Threads that compress one picture, at most.
_MOST_THREADS = 4
#: Frames of the longest animation that is read.
MAX_FRAMES = 10_000

#: Formats that are opened, by Pillow's names; none of them starts another program.
FORMATS = ("PNG", "JPEG", "GIF", "WEBP", "BMP", "TIFF", "PPM", "AVIF")
#: Those whose frames are moments; further pictures in the others are thumbnails and the like.
_ANIMATED = frozenset({"GIF", "WEBP", "PNG", "AVIF"})
_BMP_HEADERS = frozenset(size.to_bytes(4, "little") for size in (12, 40, 52, 56, 64, 108, 124))
#: Endings that can be written, and Pillow's format and options for each ("PNG" is ours).
_WRITERS: dict[str, tuple[str, dict[str, object]]] = {
    ".png": ("PNG", {}),
    ".jpg": ("JPEG", {"quality": 92, "subsampling": 0, "optimize": True}),
    ".jpeg": ("JPEG", {"quality": 92, "subsampling": 0, "optimize": True}),
    ".webp": ("WEBP", {"lossless": True, "exact": True}),
    ".bmp": ("BMP", {}),
    ".tiff": ("TIFF", {}),
}
SUFFIXES = tuple(_WRITERS)

#: What Pillow raises on files that are not what they say.
_PILLOW_ERRORS = (
    OSError,
    ValueError,
    SyntaxError,
    EOFError,
    struct.error,
    zlib.error,
    IndexError,
    KeyError,
    TypeError,
    OverflowError,
    AttributeError,
    ZeroDivisionError,
    RuntimeError,
)


def is_picture(head: bytes) -> bool:
    """Whether a file beginning with these bytes (at least 16) is a picture that is read."""
    if head.startswith((png.SIGNATURE, b"\xff\xd8\xff", b"GIF87a", b"GIF89a", b"II*\0", b"MM\0*")):
        return True
    if head[:4] == b"RIFF":
        return head[8:12] == b"WEBP"
    if head[:2] == b"BM":
        return head[6:10] == bytes(4) and head[14:18] in _BMP_HEADERS
    if head[4:12] in (b"ftypavif", b"ftypavis"):
        return True
    return head[:1] == b"P" and head[1:2] in b"123456" and head[2:3] in b" \t\r\n" and len(head) > 2


def read_pictures(path: Path, name: str = "") -> Iterator[np.ndarray]:
    """The pictures of a file in order: one, or the frames of an animation.

    ``name`` is what to call it in errors.  Raises OSError, or PictureFileError for a file
    that is damaged, too large, or no picture.
    """
    name = name or path.name
    with path.open("rb") as file:
        data = file.read(MAX_FILE_BYTES + 1)
    yield from pictures_in(data, name)


def pictures_in(data: bytes, name: str) -> Iterator[np.ndarray]:
    """The same for the bytes of a file."""
    if len(data) > MAX_FILE_BYTES:
        raise PictureFileError(f"{name} is larger than {MAX_FILE_BYTES >> 20} MiB: make it smaller")
    if not data:
        raise PictureFileError(f"{name} is empty: copy it again from where it came from")
    if png.is_png(data):
        own = _own_png(data, name)
        if own is not None:
            yield own
            return
    yield from _pillow(data, name)


def _own_png(data: bytes, name: str) -> np.ndarray | None:
    """The pixels of a PNG as pxOS writes them; None for any other that is whole.

    Others are left to Pillow, which is faster with their filters; but it takes a PNG with
    missing rows in silence, so every PNG is checked here.
    """
    stored = data[37:43] == b"IDAT\x78\x01" and data[43:44] in (b"\0", b"\1")
    try:
        if stored and data[24:26] == b"\x08\x06" and data[-8:-4] == b"IEND":
            return png.decode(data, max_px=MAX_PIXELS)
        png.verify(data, max_px=MAX_PIXELS)
    except png.PngError as error:
        raise PictureFileError(f"{name}: {error.what}; {error.advice}") from error
    return None


def _pillow(data: bytes, name: str) -> Iterator[np.ndarray]:
    import logging

    from PIL import Image, UnidentifiedImageError

    # Pillow warns above this number and refuses above twice as many; we refuse by ourselves.
    # It also warns of broken metadata, which is no matter here.
    Image.MAX_IMAGE_PIXELS = MAX_PIXELS
    warnings.filterwarnings("ignore", module=r"PIL\.")
    logging.getLogger("PIL").setLevel(logging.CRITICAL)
    try:
        with Image.open(io.BytesIO(data), formats=FORMATS) as image:
            frames = getattr(image, "n_frames", 1) if image.format in _ANIMATED else 1
            if frames > MAX_FRAMES:
                raise PictureFileError(f"{name} has {frames} frames; at most {MAX_FRAMES} are read")
            for frame in range(frames):
                image.seek(frame)
                yield _pixels(image, name)
    except UnidentifiedImageError as error:
        raise PictureFileError(
            f"{name} is no picture that can be read: convert it to PNG or JPEG"
        ) from error
    except Image.DecompressionBombError as error:
        raise _too_large(name) from error
    except _PILLOW_ERRORS as error:
        raise PictureFileError(f"{name} is damaged ({error}): copy it again") from error


def _too_large(name: str, size: str = "") -> PictureFileError:
    return PictureFileError(
        f"{name} has {size}more than {MAX_PIXELS} pixels: make it smaller before it is read"
    )


def _pixels(image: Image, name: str) -> np.ndarray:
    """The pixels of the frame that ``image`` stands at, turned as the camera was held."""
    from PIL import ImageOps

    width, height = image.size
    if width * height > MAX_PIXELS:
        raise _too_large(name, f"{width} x {height}, ")
    turned: Image = ImageOps.exif_transpose(image) if image.getexif().get(0x0112, 1) != 1 else image
    if turned.mode.startswith("I;16"):
        wide = np.asarray(turned, np.uint16)
        grey = ((wide.astype(np.uint32) + 128) // 257).astype(np.uint8)
        return _from_grey(grey)
    if turned.mode in ("I", "F"):
        values = np.asarray(turned, np.float64)
        if turned.mode == "I":  # 16 bits, as Pillow keeps them
            values = values / 257
        grey = np.clip(np.nan_to_num(values), 0, 255)
        return _from_grey(np.floor(grey + 0.5).astype(np.uint8))
    return np.array(turned.convert("RGBA"), np.uint8)


def _from_grey(grey: np.ndarray) -> np.ndarray:
    return np.dstack([grey, grey, grey, np.full_like(grey, 255)])


def encoded(picture: np.ndarray, suffix: str) -> bytes:
    """The bytes of a picture file in the format of an ending.

    Raises PictureFileError for an ending that is not in SUFFIXES and a size the format has
    no room for.  JPEG knows no transparency: the picture is laid over white.
    """
    if suffix.lower() not in _WRITERS:
        raise PictureFileError(
            f"{suffix or 'a name without an ending'} is no picture format that can be written: "
            f"use {', '.join(SUFFIXES)}"
        )
    form, options = _WRITERS[suffix.lower()]
    if form == "PNG":
        return photo_png.encode(picture, min(_MOST_THREADS, os.cpu_count() or 1))
    from PIL import Image

    image = Image.fromarray(np.ascontiguousarray(picture))
    if form == "JPEG" or (form == "BMP" and bool((picture[..., 3] == 255).all())):
        image = Image.alpha_composite(Image.new("RGBA", image.size, "white"), image).convert("RGB")
    out = io.BytesIO()
    try:
        image.save(out, form, **options)
    except (OSError, ValueError, struct.error) as error:
        raise PictureFileError(
            f"a picture of {picture.shape[0]} x {picture.shape[1]} cannot be written as {form} "
            f"({error}): use .png"
        ) from error
    return out.getvalue()


def save(path: Path, picture: np.ndarray) -> None:
    """Write a picture in the format of the path's ending, whole or not at all.

    Raises OSError and PictureFileError.
    """
    from ..fs.atomic import write_atomically

    write_atomically(path, encoded(picture, path.suffix))
