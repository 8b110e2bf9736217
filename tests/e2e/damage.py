"""Programs as they arrive after somebody else has had them in hand."""

from __future__ import annotations

import io
import struct
import zlib
from collections.abc import Callable
from functools import cache
from pathlib import Path

import numpy as np
from PIL import Image

from pxos.kernel.machine import png
from pxos.kernel.machine.isa import encode, small_operand
from pxos.kernel.machine.memory import HEADER_PX, Memory
from pxos.kernel.machine.program import MatrixSpec, build, checkpoint, open_memory, save

#: The operand that is the number 0.
ZERO = small_operand(0) or 0

HELLO = Path(__file__).parents[2] / "apps" / "hello" / "hello.png"


@cache
def whole() -> bytes:
    """A program that is whole."""
    return HELLO.read_bytes()


def resaved(change: Callable[[Image.Image], Image.Image] | None = None, **options: object) -> bytes:
    """The program as Pillow writes it after a change."""
    with Image.open(io.BytesIO(whole())) as image:
        image.load()
        out = io.BytesIO()
        (change(image) if change else image).save(out, options.pop("format", "PNG"), **options)
    return out.getvalue()


def cleared() -> bytes:
    """The colours of transparent pixels set to black, as optimisers do."""

    def change(image: Image.Image) -> Image.Image:
        pixels = np.array(image)
        pixels[pixels[..., 3] == 0] = 0
        return Image.fromarray(pixels)

    return resaved(change)


def one_pixel_off() -> bytes:
    """One pixel of the middle changed."""

    def change(image: Image.Image) -> Image.Image:
        pixels = np.array(image)
        pixels[pixels.shape[0] // 2, pixels.shape[1] // 2] ^= 1
        return Image.fromarray(pixels)

    return resaved(change)


def wide() -> bytes:
    """An RGBA PNG of 16 bits, which Pillow cannot write."""
    raw = b"".join(b"\0" + bytes(8 * 4) for _ in range(4))
    return png_file(struct.pack(">IIBBBBB", 4, 4, 16, 6, 0, 0, 0), zlib.compress(raw))


def png_file(ihdr: bytes, pixels: bytes) -> bytes:
    """A PNG with that header and that (compressed) pixel data."""

    def chunk(kind: bytes, body: bytes) -> bytes:
        check = struct.pack(">I", zlib.crc32(kind + body))
        return struct.pack(">I", len(body)) + kind + body + check

    return png.SIGNATURE + chunk(b"IHDR", ihdr) + chunk(b"IDAT", pixels) + chunk(b"IEND", b"")


def huge_header() -> bytes:
    """66 bytes that claim 4 x 10^18 pixels."""
    side = (1 << 31) - 1
    return png_file(struct.pack(">IIBBBBB", side, side, 8, 6, 0, 0, 0), zlib.compress(b"0"))


@cache
def zeros(mebibytes: int) -> bytes:
    """Compressed zeros.  After a full flush nothing refers to what came before, so the same bytes
    can stand any number of times; only the checksum at the end is wrong."""
    squeeze = zlib.compressobj(9)
    first = squeeze.compress(bytes(1 << 20)) + squeeze.flush(zlib.Z_FULL_FLUSH)
    again = squeeze.compress(bytes(1 << 20)) + squeeze.flush(zlib.Z_FULL_FLUSH)
    return first + again * (mebibytes - 1) + squeeze.flush()


def inflating() -> bytes:
    """Some MiB that say they are 64 x 64 pixels and inflate to 4 GiB."""
    return png_file(struct.pack(">IIBBBBB", 64, 64, 8, 6, 0, 0, 0), zeros(4096))


def _forged(change: Callable[[Memory], None]) -> bytes:
    """A small program changed by somebody who can seal it again."""
    matrices = [MatrixSpec("a", "I", 1, 4), MatrixSpec("b", "I", 1, 4)]
    memory = open_memory(build(matrices, [encode("H", ZERO)]))
    change(memory)
    return checkpoint(memory)


def _header(memory: Memory, field: int, value: int) -> None:
    """Set a field (1 rows, 2 columns, 3 capacity) of the header of entry 5."""
    memory.words[memory.row_of(5) * memory.width + field] = value


def _entry(memory: Memory, entry: int, row: int) -> None:
    memory.words[memory.data_addr(memory.row_of(1)) + entry] = row


def outside() -> bytes:
    """A table entry that names a row behind the last."""
    return _forged(lambda memory: _entry(memory, 5, 1_000_000))


def overlapping() -> bytes:
    """A matrix whose capacity reaches into the next one."""
    return _forged(lambda memory: _header(memory, 3, 2 * memory.width - HEADER_PX))


def vast() -> bytes:
    """A matrix of 2^62 elements."""

    def change(memory: Memory) -> None:
        _header(memory, 1, (1 << 31) - 1)
        _header(memory, 2, (1 << 31) - 1)

    return _forged(change)


def negative() -> bytes:
    """A matrix of -1 rows."""
    return _forged(lambda memory: _header(memory, 1, (1 << 32) - 1))


def shared() -> bytes:
    """Two entries that name one matrix, which is allowed."""
    return _forged(lambda memory: _entry(memory, 6, memory.row_of(5)))


def shared_with_code() -> bytes:
    """The stack and the code are one matrix, which is not."""
    return _forged(lambda memory: _entry(memory, 3, memory.row_of(2)))


def unknown_opcode() -> bytes:
    """A pixel that is no instruction."""
    return save(build([], [0x00000001]))
