"""What happened to a picture that is no whole program any more, and what to do.

Programs travel through tools that take them for ordinary pictures.  Each function looks
at the pixels for the traces that one kind of tool leaves.
"""

from __future__ import annotations

import numpy as np

from .memory import MAGIC, WIDTHS

_KEEP = "send the file itself, as a document or in a zip, and keep tools for pictures away from it"
#: First bytes of other picture formats.
_FORMATS = (
    (b"\xff\xd8\xff", "a JPEG picture"),
    (b"GIF8", "a GIF picture"),
    (b"BM", "a BMP picture"),
    (b"II*\0", "a TIFF picture"),
    (b"MM\0*", "a TIFF picture"),
    (b"qoif", "a QOI picture"),
    (b"\0\0\0\x0cjXL ", "a JPEG XL picture"),
)
#: How far a channel may be off for a lossy copy still to be recognised.
_NEAR = 24


def foreign(data: bytes) -> tuple[str, str]:
    """What a file that is no PNG is, and advice."""
    head = bytes(data[:16])
    name = next((name for magic, name in _FORMATS if head.startswith(magic)), "")
    if head[:4] == b"RIFF" and head[8:12] == b"WEBP":
        name = "a WebP picture"
    if head[4:12] in (b"ftypavif", b"ftypheic"):
        name = "an AVIF or HEIC picture"
    if not head:
        return "the file is empty", "copy it again from where it came from"
    if head[1:4] == b"PNG":
        return (
            "the PNG signature is damaged, as by a transfer in text mode",
            "copy the file again in binary mode",
        )
    if name:
        return (
            f"the file is {name}, not a program",
            f"a program is a PNG and survives no conversion: {_KEEP}",
        )
    return "the file is no PNG", "give a program picture, as pxos asm makes them"


def diagnose(image: np.ndarray) -> tuple[str, str] | None:
    """What is wrong with the legend of ``image`` (uint32, rows x width), and advice; None
    if it says that this is a program of this width and this number of rows."""
    width = image.shape[1]
    magic = np.frombuffer(MAGIC, np.uint32)
    start = image[0, :2]
    if np.array_equal(start, magic):
        return _size(image)
    if (image >> np.uint32(24) == 255).all() and _near(start, magic, channels=3, far=_NEAR):
        if not _near(start, magic, channels=3, far=0):
            return _lossy()
        return (
            "the transparency of the program was flattened: every pixel is opaque",
            f"a tool saved it without its alpha channel: {_KEEP}",
        )
    if _near(start, magic, channels=4, far=_NEAR):
        return _lossy()
    for step in range(2, 9):
        if np.array_equal(image[0, : step + 1 : step], magic):
            return (
                f"the program was enlarged {step} times",
                f"it must be kept pixel by pixel, not scaled: {_KEEP}",
            )
    if width > 1:
        where = np.argwhere((image[:, :-1] == magic[0]) & (image[:, 1:] == magic[1]))
        if len(where):
            row, column = where[0].tolist()
            return (
                f"the program begins at row {row}, column {column} of the picture",
                f"something put a border around it or joined it with others: {_KEEP}",
            )
    return (
        "the picture is not a pxOS program",
        "give a program picture, as pxos asm makes them; pictures that are data go in with -i",
    )


def _size(image: np.ndarray) -> tuple[str, str] | None:
    """The same for a picture whose magic is whole: is it all there?"""
    rows, width = image.shape
    told_width, told_rows = int(image[0, 2]), int(image[0, 3])
    if (told_width, told_rows) == (width, rows) and width in WIDTHS:
        return None
    unseen = image[image >> np.uint32(24) == 0]
    if unseen.size and (unseen == unseen[0]).all():
        return (
            "the colours of the program's transparent pixels were cleared",
            f"an optimiser took them for invisible: {_KEEP}",
        )
    if told_width not in WIDTHS:
        return f"the legend gives a width of {told_width}", f"the legend was damaged: {_KEEP}"
    if told_width > width or told_rows > rows:
        return (
            f"the program has {told_rows} rows of {told_width} pixels, the picture only {rows} "
            f"of {width}",
            f"it was cropped or cut off: {_KEEP}",
        )
    return (
        f"the program has {told_rows} rows of {told_width} pixels, the picture {rows} of {width}",
        f"it was padded or scaled: {_KEEP}",
    )


def changed() -> tuple[str, str]:
    """What to say of a picture whose digest is wrong though its legend is whole."""
    return (
        "the digest does not fit: pixels of the program were changed",
        f"get a whole copy, or assemble it again from its source; {_KEEP}",
    )


def _lossy() -> tuple[str, str]:
    return (
        "the pixels of the program were changed a little, as by JPEG or a colour profile",
        f"a program survives no lossy copy: {_KEEP}",
    )


def _near(found: np.ndarray, wanted: np.ndarray, *, channels: int, far: int) -> bool:
    """Whether words agree up to ``far`` in each of their first channels."""
    if found.size < wanted.size:
        return False
    a = np.ascontiguousarray(found).view(np.uint8).reshape(-1, 4)[:, :channels].astype(np.int16)
    b = wanted.view(np.uint8).reshape(-1, 4)[:, :channels].astype(np.int16)
    return bool((np.abs(a - b) <= far).all())
