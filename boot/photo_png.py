"""Writing pictures as PNG: small enough to keep, and at the speed of all cores.

``kernel.machine.png`` writes programs, whose bytes are canonical and not compressed.  A photograph
is three times as large so, while zlib's usual level takes five times as long as its lowest and
saves a tenth (docs/measurements.md).  So: the lowest level, each pixel as its difference to the one
on its left, and strips of rows compressed by threads of their own.
"""

from __future__ import annotations

import struct
import threading
import zlib
from collections.abc import Callable, Iterator
from queue import SimpleQueue

import numpy as np

from ..kernel.machine.png import SIGNATURE
from ..kernel.workers import Caught

#: Bytes that a strip has before it is compressed, about.
STRIP_BYTES = 1 << 21
_LEVEL = 1
_SUB = 1

#: A strip compressed, and as it was.
Strip = tuple[bytes, np.ndarray]


def encode(picture: np.ndarray, threads: int) -> bytes:
    """The bytes of a PNG with exactly the pixels of ``picture``, uint8 (rows, cols, 4) with at
    least one; the same whatever ``threads``, how many it may use."""
    rows, cols = picture.shape[:2]
    step = max(1, STRIP_BYTES // (1 + 4 * cols))
    starts = range(0, rows, step)

    def strip(start: int) -> Strip:
        lines = _filtered(picture[start : start + step])
        packer = zlib.compressobj(_LEVEL, zlib.DEFLATED, -15)
        last = start + step >= rows
        # A flush ends a strip at a byte, so that strips follow each other in one stream.
        end = zlib.Z_FINISH if last else zlib.Z_SYNC_FLUSH
        return packer.compress(lines) + packer.flush(end), lines

    check, data = 1, [b"\x78\x01"]
    for packed, lines in _in_order(strip, starts, threads):
        data.append(packed)
        check = zlib.adler32(lines, check)
    data.append(struct.pack(">I", check))
    head = struct.pack(">IIBBBBB", cols, rows, 8, 6, 0, 0, 0)
    return b"".join((SIGNATURE, *_chunk(b"IHDR", head), *_chunk(b"IDAT", *data), *_chunk(b"IEND")))


def _filtered(pixels: np.ndarray) -> np.ndarray:
    """Rows as a PNG has them: the filter's number, then differences to the pixel on the left."""
    rows, cols = pixels.shape[:2]
    flat = pixels.reshape(rows, 4 * cols)
    lines = np.empty((rows, 1 + 4 * cols), np.uint8)
    lines[:, 0] = _SUB
    lines[:, 1:5] = flat[:, :4]
    np.subtract(flat[:, 4:], flat[:, :-4], out=lines[:, 5:])
    return lines


def _in_order(strip: Callable[[int], Strip], starts: range, threads: int) -> Iterator[Strip]:
    """The strips in order; zlib lets other threads run while it works.

    The threads are daemons: whoever stops pxOS does not wait for them.
    """
    if threads < 2 or len(starts) < 2:
        yield from map(strip, starts)
        return
    done: list[SimpleQueue[Strip | Exception]] = [SimpleQueue() for _ in starts]
    left = iter(range(len(starts)))  # several threads may take from it

    def work() -> None:
        for number in left:
            with Caught[Strip]() as caught:
                caught.outcome = strip(starts[number])
            done[number].put(caught.outcome)

    for _ in range(min(threads, len(starts))):
        threading.Thread(target=work, name="pxos-png", daemon=True).start()
    for queue in done:
        outcome = queue.get()
        if isinstance(outcome, Exception):
            raise outcome
        yield outcome


def _chunk(name: bytes, *parts: bytes) -> tuple[bytes, ...]:
    """A chunk in pieces: length, name, data, checksum."""
    check = zlib.crc32(name)
    for part in parts:
        check = zlib.crc32(part, check)
    return (struct.pack(">I", sum(map(len, parts))), name, *parts, struct.pack(">I", check))
