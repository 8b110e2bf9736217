"""A small strict PNG codec for RGBA8 pictures, on the standard library's zlib.

The canonical form, which :func:`encode` writes, is IHDR, one IDAT and IEND, filter type 0
and stored deflate blocks of whole scanlines: the bytes on disk are the pixels in memory,
and equal pixels give equal files whatever zlib is installed.  :func:`decode` reads every
RGBA8 PNG of 8 bits a channel, whatever its filters, compression and interlacing, and
refuses everything else: it checks every CRC, the exact length of the pixel data, and that
IEND comes last with nothing behind it.  Nothing is allocated before the size is checked.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from .png_filters import unfilter

SIGNATURE = b"\x89PNG\r\n\x1a\n"

#: Pixels that :func:`decode` accepts unless told otherwise: 1 GiB of memory.
DEFAULT_MAX_PX = 1 << 28

_BLOCK_MAX = 65535  # the longest stored deflate block
_CHUNK_MAX = (1 << 31) - 1  # the longest PNG chunk
_DIMENSION_MAX = (1 << 31) - 1
_PIECE = 1 << 20  # bytes unpacked at a time where they are only counted
_DEFLATE_RATIO = 1032  # no deflate stream expands further than this
_COLOUR_NAMES = {0: "greyscale", 2: "RGB", 3: "palette", 4: "greyscale and alpha", 6: "RGBA"}
_CHANNELS = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}
#: Adam7: first row, first column, row step, column step of each pass.
_ADAM7 = (
    (0, 0, 8, 8),
    (0, 4, 8, 8),
    (4, 0, 8, 4),
    (0, 2, 4, 4),
    (2, 0, 4, 2),
    (0, 1, 2, 2),
    (1, 0, 2, 1),
)


class PngError(ValueError):
    """A file is not the PNG it should be.

    ``what`` came, ``expected`` was wanted, ``advice`` says what to try.
    """

    def __init__(self, what: str, expected: str, advice: str) -> None:
        self.what = what
        self.expected = expected
        self.advice = advice
        super().__init__(f"{what}; expected {expected}; {advice}")


def is_png(data: bytes) -> bool:
    """Whether ``data`` begins with the PNG signature."""
    return bytes(data[:8]) == SIGNATURE


# ---- writing -----------------------------------------------------------------------------


def encode(image: np.ndarray) -> bytes:
    """The canonical PNG of ``image`` (uint8, rows x columns x 4, neither of them 0).

    Raises ValueError for an array of another shape or type, or one too large for a PNG.
    """
    if image.ndim != 3 or image.shape[2] != 4 or image.dtype != np.uint8:
        raise ValueError(
            f"a picture is uint8 rows x columns x 4, not {image.dtype} {image.shape}: convert it"
        )
    rows, cols = image.shape[:2]
    if rows == 0 or cols == 0:
        raise ValueError(f"a PNG has at least one pixel, this picture is {rows} x {cols}")
    stride = 1 + 4 * cols
    raw = rows * stride
    per_block = _BLOCK_MAX // stride * stride or _BLOCK_MAX
    blocks = -(-raw // per_block)
    deflated = 2 + 5 * blocks + raw + 4
    if deflated > _CHUNK_MAX:
        raise ValueError(f"a picture of {rows} x {cols} is too large for a PNG: at most 2 GiB fit")
    head = SIGNATURE + _chunk(b"IHDR", struct.pack(">IIBBBBB", cols, rows, 8, 6, 0, 0, 0))
    tail = _chunk(b"IEND", b"")
    start = len(head) + 8
    out = np.empty(start + deflated + 4 + len(tail), np.uint8)
    view = out.data
    view[:start] = head + struct.pack(">I4s", deflated, b"IDAT")
    view[start : start + 2] = b"\x78\x01"
    body = out[start + 2 : start + 2 + 5 * blocks + raw]
    if per_block % stride == 0:
        _store_scanlines(body, image, per_block, stride)
    else:
        _store_pieces(body, image, per_block, stride)
    at = start + deflated - 4
    view[at : at + 4] = struct.pack(">I", _adler_of_blocks(body.data, per_block))
    view[at + 4 : at + 8] = struct.pack(">I", zlib.crc32(view[start - 4 : at + 4]))
    view[at + 8 :] = tail
    return out.tobytes()


def _chunk(name: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))


def _block_head(size: int, last: bool) -> np.ndarray:
    return np.frombuffer(struct.pack("<BHH", last, size, size ^ 0xFFFF), np.uint8)


def _store_scanlines(body: np.ndarray, image: np.ndarray, per_block: int, stride: int) -> None:
    """Fill ``body`` with stored blocks that each hold whole scanlines: one copy."""
    rows, cols = image.shape[:2]
    lines = per_block // stride
    full, rest = divmod(rows, lines)
    cut = full * (5 + per_block)
    blocks = body[:cut].reshape(full, 5 + per_block)
    blocks[:, :5] = _block_head(per_block, False)
    scanlines = blocks[:, 5:].reshape(full, lines, stride)
    scanlines[:, :, 0] = 0
    scanlines[:, :, 1:] = image[: full * lines].reshape(full, lines, 4 * cols)
    if rest:
        body[cut : cut + 5] = _block_head(rest * stride, True)
        tail = body[cut + 5 :].reshape(rest, stride)
        tail[:, 0] = 0
        tail[:, 1:] = image[full * lines :].reshape(rest, 4 * cols)
    else:
        body[cut - 5 - per_block] = 1


def _store_pieces(body: np.ndarray, image: np.ndarray, per_block: int, stride: int) -> None:
    """Fill ``body`` with stored blocks for scanlines that are longer than a block."""
    rows, cols = image.shape[:2]
    raw = np.empty((rows, stride), np.uint8)
    raw[:, 0] = 0
    raw[:, 1:] = image.reshape(rows, 4 * cols)
    flat = raw.ravel()
    for number, at in enumerate(range(0, flat.size, per_block)):
        piece = flat[at : at + per_block]
        to = number * (5 + per_block)
        body[to : to + 5] = _block_head(piece.size, at + piece.size == flat.size)
        body[to + 5 : to + 5 + piece.size] = piece


def _adler_of_blocks(body: memoryview, per_block: int) -> int:
    adler = 1
    for at in range(5, len(body), 5 + per_block):
        adler = zlib.adler32(body[at : at + per_block], adler)
    return adler


# ---- reading -----------------------------------------------------------------------------


def decode(data: bytes, *, max_px: int = DEFAULT_MAX_PX) -> np.ndarray:
    """The pixels of an RGBA8 PNG: uint8, rows x columns x 4.

    Raises PngError for anything else, for a damaged file, and for more than ``max_px``
    pixels, the last before anything is allocated for them.
    """
    header, chunks = _begin(data, max_px)
    if (header.depth, header.colour) != (8, 6):
        kind = _COLOUR_NAMES[header.colour]
        raise PngError(
            f"the PNG is {kind} with {header.depth} bits a channel",
            "RGBA with 8 bits a channel",
            "save it as RGBA with 8 bits a channel",
        )
    parts = _pixel_data(chunks, alone=True)
    deflated = parts[0] if len(parts) == 1 else memoryview(b"".join(parts))
    _check_ratio(header, len(deflated))
    if not header.interlaced:
        image = _decode_canonical(deflated, header.rows, header.cols)
        if image is not None:
            return image
    raw = np.frombuffer(_inflate(deflated, header.raw_size), np.uint8)
    if not header.interlaced:
        return _unfilter(raw.reshape(header.rows, 1 + 4 * header.cols))
    image = np.empty((header.rows, header.cols, 4), np.uint8)
    at = 0
    for (y, x, dy, dx), (rows, cols) in zip(_ADAM7, header.passes, strict=True):
        if rows > 0 and cols > 0:
            size = rows * (1 + 4 * cols)
            lines = raw[at : at + size].reshape(rows, 1 + 4 * cols)
            image[y::dy, x::dx] = _unfilter(lines)
            at += size
    return image


def verify(data: bytes, *, max_px: int = DEFAULT_MAX_PX) -> None:
    """Check that a PNG of any kind of pixels is whole: every CRC, and as much pixel data as
    its header says.  Bytes behind its end are passed over.

    Raises PngError, also for more than ``max_px`` pixels.  Holds no more than a few pieces
    of the pixel data at a time.
    """
    header, chunks = _begin(data, max_px)
    parts = _pixel_data(chunks, alone=False)
    _check_ratio(header, sum(map(len, parts)))
    stream = zlib.decompressobj()
    size = 0
    try:
        for part in parts:
            waiting: bytes | memoryview = part
            while len(waiting) and size <= header.raw_size:
                size += len(stream.decompress(waiting, _PIECE))
                waiting = stream.unconsumed_tail
        while size <= header.raw_size and (piece := stream.decompress(b"", _PIECE)):
            size += len(piece)
    except zlib.error as error:
        raise _damaged(f"the pixel data cannot be unpacked ({error})") from error
    if size != header.raw_size:
        raise _damaged("the pixel data is not as much as the picture has pixels")


class _Header(NamedTuple):
    """What IHDR says."""

    rows: int
    cols: int
    depth: int
    colour: int
    interlaced: bool

    @property
    def passes(self) -> list[tuple[int, int]]:
        """Rows and columns of each pass; a pass may have none."""
        if not self.interlaced:
            return [(self.rows, self.cols)]
        return [(-(-(self.rows - y) // dy), -(-(self.cols - x) // dx)) for y, x, dy, dx in _ADAM7]

    @property
    def raw_size(self) -> int:
        """Bytes of the scanlines with their filters."""
        bits = _CHANNELS[self.colour] * self.depth
        return sum(r * (1 + -(-c * bits // 8)) for r, c in self.passes if r > 0 and c > 0)


def _check_ratio(header: _Header, deflated: int) -> None:
    if header.raw_size > deflated * _DEFLATE_RATIO:
        raise _damaged(
            f"{deflated} bytes of pixel data cannot hold {header.rows} x {header.cols} pixels"
        )


def _damaged(what: str) -> PngError:
    return PngError(what, "a whole PNG file", "copy the file again from where it came from")


def _chunks(view: memoryview) -> Iterator[tuple[bytes, memoryview]]:
    """The chunks behind the signature, each with its CRC checked."""
    at = len(SIGNATURE)
    while at < len(view):
        if at + 12 > len(view):
            raise _damaged("the file ends inside a chunk")
        size, name = struct.unpack_from(">I4s", view, at)
        if size > _CHUNK_MAX or at + 12 + size > len(view):
            raise _damaged(f"a chunk of {size} bytes goes past the end of the file")
        end = at + 8 + size
        if zlib.crc32(view[at + 4 : end]) != struct.unpack_from(">I", view, end)[0]:
            raise _damaged(f"the checksum of chunk {name!r} is wrong")
        yield name, view[at + 8 : end]
        at = end + 4


def _begin(data: bytes, max_px: int) -> tuple[_Header, Iterator[tuple[bytes, memoryview]]]:
    """Check the signature and the header; the chunks behind it."""
    if not is_png(data):
        raise PngError(
            "the file does not begin as a PNG",
            "the PNG signature",
            "give a PNG file, or convert the picture to PNG",
        )
    chunks = _chunks(memoryview(data))
    name, body = next(chunks, (b"", memoryview(b"")))
    if name != b"IHDR" or len(body) != 13:
        raise _damaged("the file does not begin with a header chunk")
    return _read_ihdr(body, max_px), chunks


def _pixel_data(chunks: Iterator[tuple[bytes, memoryview]], *, alone: bool) -> list[memoryview]:
    """The pieces of IDAT, the structure checked; ``alone``: nothing may follow IEND."""
    parts: list[memoryview] = []
    closed = False
    for name, body in chunks:
        if name == b"IDAT":
            if closed:
                raise _damaged("the pixel data is in separate places")
            parts.append(body)
            continue
        closed = bool(parts)
        if name == b"IEND":
            break
        if name == b"IHDR" or (not name[0] & 0x20 and name != b"PLTE"):
            raise _damaged(f"the file has a chunk {name!r} that no such picture has")
    else:
        raise _damaged("the file ends before the end of the picture")
    if len(body):
        raise _damaged("the end chunk is not empty")
    if not parts:
        raise _damaged("the file has no pixel data")
    if alone and next(chunks, None) is not None:
        raise _damaged("something follows the end of the picture")
    return parts


def _read_ihdr(body: memoryview, max_px: int) -> _Header:
    cols, rows, depth, colour, method, filters, interlace = struct.unpack(">IIBBBBB", body)
    if not (0 < cols <= _DIMENSION_MAX and 0 < rows <= _DIMENSION_MAX):
        raise _damaged(f"the header says {rows} x {cols} pixels")
    if method or filters or interlace > 1:
        raise _damaged("the header names an unknown compression, filter or interlacing")
    if colour not in _COLOUR_NAMES or depth not in (1, 2, 4, 8, 16):
        raise _damaged(f"the header names an unknown kind of pixels ({colour}, {depth} bits)")
    if rows * cols > max_px:
        raise PngError(
            f"the picture has {rows} x {cols} = {rows * cols} pixels",
            f"at most {max_px} pixels",
            "use a smaller picture",
        )
    return _Header(rows, cols, depth, colour, bool(interlace))


def _decode_canonical(deflated: memoryview, rows: int, cols: int) -> np.ndarray | None:
    """The pixels if the stream is stored blocks of equal size in whole scanlines with
    filter 0, as :func:`encode` writes them; None if it is anything else."""
    stride = 1 + 4 * cols
    raw = rows * stride
    per_block = _BLOCK_MAX // stride * stride
    if not per_block or deflated[:2].tobytes() != b"\x78\x01":
        return None
    blocks = -(-raw // per_block)
    if len(deflated) != 2 + 5 * blocks + raw + 4:
        return None
    body = np.frombuffer(deflated, np.uint8)[2:-4]
    full = blocks - 1
    cut = full * (5 + per_block)
    whole = body[:cut].reshape(full, 5 + per_block)
    last = body[cut:]
    if not (whole[:, :5] == _block_head(per_block, False)).all():
        return None
    if not (last[:5] == _block_head(last.size - 5, True)).all():
        return None
    lines = whole[:, 5:].reshape(full, per_block // stride, stride)
    rest = last[5:].reshape(-1, stride)
    if lines[:, :, 0].any() or rest[:, 0].any():
        return None
    if _adler_of_blocks(deflated[2:-4], per_block) != struct.unpack(">I", deflated[-4:])[0]:
        raise _damaged("the checksum of the pixel data is wrong")
    image = np.empty((rows, 4 * cols), np.uint8)
    split = full * (per_block // stride)
    image[:split].reshape(full, per_block // stride, 4 * cols)[:] = lines[:, :, 1:]
    image[split:] = rest[:, 1:]
    return image.reshape(rows, cols, 4)


def _inflate(deflated: memoryview, size: int) -> bytes:
    """Inflate to exactly ``size`` bytes, never holding more."""
    stream = zlib.decompressobj()
    try:
        raw = stream.decompress(deflated, size + 1)
    except zlib.error as error:
        raise _damaged(f"the pixel data cannot be unpacked ({error})") from error
    if len(raw) > size:
        raise _damaged("there is more pixel data than the picture has pixels")
    if len(raw) < size or not stream.eof:
        raise _damaged("there is less pixel data than the picture has pixels")
    if stream.unused_data:
        raise _damaged("something follows the pixel data")
    return raw


def _unfilter(scanlines: np.ndarray) -> np.ndarray:
    """Undo the filters of ``scanlines`` (filter byte first); uint8 rows x columns x 4."""
    if int(scanlines[:, 0].max()) > 4:
        raise _damaged("a scanline has an unknown filter")
    rows, stride = scanlines.shape
    pixels = scanlines[:, 1:].copy().reshape(rows, (stride - 1) // 4, 4)
    unfilter(pixels, scanlines[:, 0])
    return pixels
