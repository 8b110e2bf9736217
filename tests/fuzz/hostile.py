"""Hostile files: random bytes, random code, damaged and forged program pictures."""

from __future__ import annotations

import random
import struct
import zlib
from pathlib import Path

import numpy as np

from pxos.kernel.machine import layout, png
from pxos.kernel.machine.isa import ROWS, encode
from pxos.kernel.machine.memory import HEADER_PX, SYS, SYS_ROW

from ..conformance.programs import program

APPS = sorted(Path(__file__).parents[2].glob("apps/*/*.png"))
NASTY = (
    0,
    1,
    2,
    3,
    7,
    8,
    31,
    63,
    64,
    65,
    127,
    255,
    256,
    65535,
    65536,
    2**24 - 1,
    2**24,
    2**30,
    2**31 - 1,
    2**31,
    2**31 + 1,
    2**32 - 2,
    2**32 - 1,
    *(ord(kind) for kind in "IXTPQV"),
)


def file_of(image: np.ndarray) -> bytes:
    """An image of words as a PNG."""
    rows, width = image.shape
    return png.encode(np.ascontiguousarray(image).view(np.uint8).reshape(rows, width, 4))


def valid(chooser: random.Random) -> np.ndarray:
    """The picture of a random program of the conformance suite, sealed."""
    draft = program(f"fuzz {chooser.getrandbits(64)}")
    image = draft.memory().used_image().copy()
    layout.seal(image)
    return image


def app(chooser: random.Random) -> np.ndarray:
    """The picture of an app, or a random program where there is none."""
    files = [path for path in APPS if path.name == f"{path.parent.name}.png"]
    if not files:
        return valid(chooser)
    pixels = png.decode(chooser.choice(files).read_bytes(), max_px=1 << 24)
    return np.ascontiguousarray(pixels).reshape(pixels.shape[0], -1).view(np.uint32).copy()


def random_code(chooser: random.Random, image: np.ndarray) -> None:
    """Fill CODE with random instructions, most of them known ones."""
    at, size = _code(image)
    flat = image.reshape(-1)
    chars = [op.char for op in ROWS]
    entries = int(flat[int(flat[_state("table_row", image)]) * image.shape[1] + 2])
    for pc in range(size):
        if chooser.random() < 0.03:
            flat[at + pc] = chooser.getrandbits(32)
            continue
        operands = [
            chooser.choice(
                (
                    chooser.randrange(entries),
                    chooser.randrange(entries),
                    chooser.randrange(192, 256),
                    chooser.randrange(256),
                )
            )
            & 0xFF
            for _ in range(3)
        ]
        flat[at + pc] = encode(chooser.choice(chars), *operands)


def forge(chooser: random.Random, image: np.ndarray) -> None:
    """Change a few words, mostly where they matter: state, table, headers, code."""
    flat = image.reshape(-1)
    width = image.shape[1]
    for _ in range(chooser.choice((1, 1, 2, 3, 8))):
        where = chooser.randrange(6)
        if where == 0:
            at = SYS_ROW * width + chooser.randrange(HEADER_PX + len(SYS))
        elif where == 1:
            at = chooser.randrange(flat.size)
        elif where == 2:
            start, size = _code(image)
            at = start + chooser.randrange(max(size, 1))
        elif where == 3:
            at = min(int(flat[_state("table_row", image)]), image.shape[0] - 1) * width + (
                chooser.randrange(width)
            )
        else:
            at = chooser.randrange(image.shape[0]) * width + chooser.randrange(HEADER_PX)
        old = int(flat[at % flat.size])
        flat[at % flat.size] = chooser.choice(
            (
                chooser.choice(NASTY),
                old ^ 1 << chooser.randrange(32),
                (old + 1) & 0xFFFFFFFF,
                (old - 1) & 0xFFFFFFFF,
                chooser.getrandbits(32),
            )
        )


def _state(name: str, image: np.ndarray) -> int:
    return SYS_ROW * image.shape[1] + HEADER_PX + SYS[name]


def _code(image: np.ndarray) -> tuple[int, int]:
    """Address and size of CODE in a valid picture; somewhere inside it in a forged one."""
    flat, (rows, width) = image.reshape(-1), image.shape
    table = int(flat[_state("table_row", image)]) % rows * width + HEADER_PX
    row = int(flat[(table + 2) % flat.size]) % rows
    size = int(flat[row * width + 2])
    return row * width + HEADER_PX, min(size, flat.size - row * width - HEADER_PX)


def spoil(chooser: random.Random, data: bytes) -> bytes:
    """Change bytes of a file: some flipped, cut off, doubled, or chunks with a right CRC."""
    spoilt = bytearray(data)
    how = chooser.randrange(5)
    if how == 0:
        for _ in range(chooser.choice((1, 1, 5))):
            spoilt[chooser.randrange(len(spoilt))] = chooser.randrange(256)
    elif how == 1:
        del spoilt[chooser.randrange(len(spoilt)) :]
    elif how == 2:
        at = chooser.randrange(len(spoilt))
        spoilt[at:at] = spoilt[: chooser.randrange(64)]
    elif how == 3:
        sizes = [chooser.choice((0, 1, 64, 65535, 2**31 - 1, 2**31, 2**32 - 1)) for _ in range(2)]
        head = struct.pack(
            ">II5B",
            *sizes,
            chooser.choice((8, 16)),
            chooser.choice((2, 6)),
            0,
            0,
            chooser.randrange(2),
        )
        spoilt[16:29] = head
        spoilt[29:33] = struct.pack(">I", zlib.crc32(b"IHDR" + head))
    else:
        body = zlib.compress(bytes(chooser.randrange(256) for _ in range(chooser.randrange(400))))
        chunk = struct.pack(">I", len(body)) + b"IDAT" + body
        spoilt[33:] = chunk + struct.pack(">I", zlib.crc32(b"IDAT" + body)) + bytes(spoilt[-12:])
    return bytes(spoilt)


def case(seed: str) -> bytes:
    """A file, valid or not, by its seed."""
    chooser = random.Random(seed)
    kind = chooser.randrange(10)
    if kind == 0:
        noise = chooser.randbytes(chooser.randrange(300))
        return noise if chooser.random() < 0.5 else b"\x89PNG\r\n\x1a\n" + noise
    if kind == 1:
        rows, width = chooser.choice(((1, 64), (3, 64), (9, 128), (5, 63)))
        words = np.frombuffer(chooser.randbytes(4 * rows * width), np.uint32).reshape(rows, width)
        image = words.copy()
        if chooser.random() < 0.5 and width == 64:
            image[0, :4] = *np.frombuffer(layout.MAGIC, np.uint32), width, rows
            layout.seal(image)
        return file_of(image)
    image = app(chooser) if kind >= 8 else valid(chooser)
    if kind in (2, 3):
        random_code(chooser, image)
    elif kind in (4, 5, 6, 8, 9):
        forge(chooser, image)
    if chooser.random() < 0.95:
        layout.seal(image)
    data = file_of(image)
    return spoil(chooser, data) if kind == 7 else data
