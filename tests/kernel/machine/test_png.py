from __future__ import annotations

import io
import random
import struct
import tracemalloc
import zlib

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from pxos.kernel.machine import png
from pxos.kernel.machine.png import PngError

ADAM7 = [
    (0, 0, 8, 8),
    (0, 4, 8, 8),
    (4, 0, 8, 4),
    (0, 2, 4, 4),
    (2, 0, 4, 2),
    (0, 1, 2, 2),
    (1, 0, 2, 1),
]


def noise(rows: int, cols: int, seed: int = 1) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 256, (rows, cols, 4), dtype=np.uint8)


def chunk(name: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))


def ihdr(cols: int, rows: int, depth: int = 8, colour: int = 6, interlace: int = 0) -> bytes:
    return chunk(b"IHDR", struct.pack(">IIBBBBB", cols, rows, depth, colour, 0, 0, interlace))


def filtered(image: np.ndarray, filters: list[int]) -> bytes:
    """Scanlines of ``image`` under the given filters, byte by byte as the PNG standard says."""
    out = bytearray()
    rows, cols = image.shape[:2]
    above = bytes(4 * cols)
    for row, kind in zip(image.reshape(rows, -1), filters, strict=True):
        line = row.tobytes()
        out.append(kind)
        for i, x in enumerate(line):
            a = line[i - 4] if i >= 4 else 0
            b = above[i]
            c = above[i - 4] if i >= 4 else 0
            p = a + b - c
            nearest = min((a, b, c), key=lambda v: abs(p - v))
            out.append((x - (0, a, b, (a + b) // 2, nearest)[kind]) & 0xFF)
        above = line
    return bytes(out)


def file_of(header: bytes, raw: bytes, *, pieces: int = 1, level: int = 6) -> bytes:
    packed = zlib.compress(raw, level)
    size = -(-len(packed) // pieces)
    idat = b"".join(chunk(b"IDAT", packed[i : i + size]) for i in range(0, len(packed), size))
    return png.SIGNATURE + header + idat + chunk(b"IEND", b"")


def filtered_file(image: np.ndarray, filters: list[int], **kwargs: int) -> bytes:
    return file_of(ihdr(image.shape[1], image.shape[0]), filtered(image, filters), **kwargs)


def interlaced_file(image: np.ndarray) -> bytes:
    rows, cols = image.shape[:2]
    raw = b""
    for number, (y, x, dy, dx) in enumerate(ADAM7):
        part = image[y::dy, x::dx]
        if part.size:
            raw += filtered(part, [(number + row) % 5 for row in range(len(part))])
    return file_of(ihdr(cols, rows, interlace=1), raw)


# ---- writing -----------------------------------------------------------------------------


def test_the_canonical_form_byte_by_byte() -> None:
    image = np.arange(16, dtype=np.uint8).reshape(2, 2, 4)
    raw = b"\0" + bytes(range(8)) + b"\0" + bytes(range(8, 16))
    block = b"\x01" + struct.pack("<HH", 18, 18 ^ 0xFFFF) + raw
    idat = b"\x78\x01" + block + struct.pack(">I", zlib.adler32(raw))
    wanted = png.SIGNATURE + ihdr(2, 2) + chunk(b"IDAT", idat) + chunk(b"IEND", b"")
    assert png.encode(image) == wanted


@pytest.mark.parametrize(
    ("rows", "cols"),
    [
        (1, 1),
        (3, 64),
        (255, 64),
        (256, 64),
        (510, 64),
        (40, 4096),
        (3, 16383),
        (2, 16384),
        (3, 40000),
        (1, 16383),
        (7, 16384),
    ],
)
def test_round_trip_and_pillow_agrees(rows: int, cols: int) -> None:
    image = noise(rows, cols)
    data = png.encode(image)
    assert np.array_equal(png.decode(data), image)
    assert np.array_equal(np.asarray(Image.open(io.BytesIO(data))), image)


@given(st.integers(1, 40), st.integers(1, 40), st.integers(0, 2**32 - 1))
def test_round_trip_of_any_size(rows: int, cols: int, seed: int) -> None:
    image = noise(rows, cols, seed)
    assert np.array_equal(png.decode(png.encode(image)), image)


def test_strided_pictures_are_written_by_their_pixels() -> None:
    image = noise(30, 20)[::2, ::-1]
    assert np.array_equal(png.decode(png.encode(image)), image)


@pytest.mark.parametrize(
    "image",
    [
        np.zeros((2, 2), np.uint8),
        np.zeros((2, 2, 3), np.uint8),
        np.zeros((2, 2, 4), np.uint16),
        np.zeros((0, 2, 4), np.uint8),
        np.zeros((2, 0, 4), np.uint8),
    ],
)
def test_what_is_no_picture_is_refused(image: np.ndarray) -> None:
    with pytest.raises(ValueError, match="picture"):
        png.encode(image)


# ---- reading what others write -----------------------------------------------------------


@pytest.mark.parametrize("kind", range(5))
@pytest.mark.parametrize(("rows", "cols"), [(1, 1), (1, 9), (9, 1), (5, 7), (20, 3), (3, 20)])
def test_each_filter(kind: int, rows: int, cols: int) -> None:
    image = noise(rows, cols, kind)
    assert np.array_equal(png.decode(filtered_file(image, [kind] * rows)), image)


@given(st.lists(st.integers(0, 4), min_size=1, max_size=12), st.integers(1, 12), st.integers(0, 99))
def test_any_mixture_of_filters(filters: list[int], cols: int, seed: int) -> None:
    image = noise(len(filters), cols, seed)
    assert np.array_equal(png.decode(filtered_file(image, filters)), image)


@pytest.mark.parametrize("kinds", [(3, 4, 1, 2, 0), (1, 2, 0), (2,)])
def test_pictures_higher_than_a_band(kinds: tuple[int, ...]) -> None:
    image = noise(1100, 5)
    filters = [kinds[row % len(kinds)] for row in range(1100)]
    assert np.array_equal(png.decode(filtered_file(image, filters)), image)


def test_what_pillow_writes() -> None:
    y, x = np.mgrid[0:90, 0:130]
    smooth = np.stack([x, y, x + y, 255 - y], -1).astype(np.uint8)
    for image in (smooth, noise(64, 65)):
        for options in ({}, {"optimize": True}, {"compress_level": 0}, {"compress_level": 9}):
            out = io.BytesIO()
            Image.fromarray(image).save(out, "PNG", **options)
            assert np.array_equal(png.decode(out.getvalue()), image)


@pytest.mark.parametrize(("rows", "cols"), [(1, 1), (2, 5), (8, 8), (9, 17), (3, 1), (33, 20)])
def test_interlaced_pictures(rows: int, cols: int) -> None:
    image = noise(rows, cols)
    data = interlaced_file(image)
    assert np.array_equal(np.asarray(Image.open(io.BytesIO(data))), image)
    assert np.array_equal(png.decode(data), image)


def test_pixel_data_in_many_pieces_and_other_chunks_between() -> None:
    image = noise(20, 20)
    data = filtered_file(image, [0] * 20, pieces=7)
    assert np.array_equal(png.decode(data), image)
    extra = data[:33] + chunk(b"tEXt", b"Title\0hello") + data[33:]
    assert np.array_equal(png.decode(extra), image)


def test_stored_blocks_of_other_sizes_are_read() -> None:
    image = noise(40, 16)
    raw = filtered(image, [0] * 40)
    for size in (1, 65, 130, 1000, len(raw)):
        parts = [raw[i : i + size] for i in range(0, len(raw), size)]
        packed = b"\x78\x01" + b"".join(
            struct.pack("<BHH", i == len(parts) - 1, len(p), len(p) ^ 0xFFFF) + p
            for i, p in enumerate(parts)
        )
        packed += struct.pack(">I", zlib.adler32(raw))
        data = png.SIGNATURE + ihdr(16, 40) + chunk(b"IDAT", packed) + chunk(b"IEND", b"")
        assert np.array_equal(png.decode(data), image)


# ---- refusing ------------------------------------------------------------------------------


@pytest.mark.parametrize("mode", ["RGB", "L", "LA", "P", "1", "I;16"])
def test_other_kinds_of_pixels_are_refused_with_advice(mode: str) -> None:
    out = io.BytesIO()
    Image.new(mode, (8, 8)).save(out, "PNG")
    with pytest.raises(PngError, match="RGBA with 8 bits") as caught:
        png.decode(out.getvalue())
    assert "save it as RGBA" in caught.value.advice


def test_sixteen_bit_rgba_is_refused() -> None:
    with pytest.raises(PngError, match="16 bits"):
        png.decode(file_of(ihdr(1, 1, depth=16), bytes(9)))


GOOD = png.encode(noise(5, 6))


@pytest.mark.parametrize("cut", range(len(GOOD)))
def test_a_file_cut_anywhere_is_refused(cut: int) -> None:
    with pytest.raises(PngError):
        png.decode(GOOD[:cut])


@pytest.mark.parametrize("at", range(len(GOOD)))
def test_a_flipped_bit_anywhere_is_refused(at: int) -> None:
    for bit in (1, 0x20, 0x80):
        with pytest.raises(PngError):
            png.decode(GOOD[:at] + bytes([GOOD[at] ^ bit]) + GOOD[at + 1 :])


@pytest.mark.parametrize(
    ("data", "what"),
    [
        (GOOD + b"\0", "chunk"),
        (GOOD + chunk(b"tEXt", b"x\0y"), "follows the end"),
        (GOOD[:-12] + chunk(b"IEND", b"x"), "end chunk"),
        (GOOD[:33] + chunk(b"IEND", b""), "no pixel data"),
        (GOOD[:-12], "before the end"),
        (GOOD[:33] + GOOD[8:], "IHDR"),
        (GOOD[:33] + chunk(b"ABCD", b"") + GOOD[33:], "ABCD"),
        (GOOD[:-12] + chunk(b"tIME", b"") + chunk(b"IDAT", b"") + GOOD[-12:], "separate"),
        (png.SIGNATURE + chunk(b"IDAT", b"") + GOOD[33:], "header"),
        (file_of(ihdr(6, 5), bytes(125 + 1)), "more pixel data"),
        (file_of(ihdr(6, 5), bytes(125 - 1)), "less pixel data"),
        (file_of(ihdr(6, 5), b"\x05" + bytes(124)), "unknown filter"),
        (file_of(ihdr(0, 5), b""), "header says"),
        (file_of(ihdr(6, 0), b""), "header says"),
        (file_of(ihdr(6, 5, interlace=2), bytes(125)), "interlacing"),
        (
            png.SIGNATURE
            + ihdr(6, 5)
            + chunk(b"IDAT", zlib.compress(bytes(125)) + b"x")
            + chunk(b"IEND", b""),
            "follows the pixel data",
        ),
        (
            png.SIGNATURE
            + ihdr(6, 5)
            + chunk(b"IDAT", zlib.compress(bytes(125))[:-1])
            + chunk(b"IEND", b""),
            "less pixel data",
        ),
        (
            png.SIGNATURE + ihdr(6, 5) + chunk(b"IDAT", b"not zlib" * 9) + chunk(b"IEND", b""),
            "unpacked",
        ),
        (b"", "begin as a PNG"),
        (b"GIF89a", "begin as a PNG"),
    ],
)
def test_broken_structures(data: bytes, what: str) -> None:
    with pytest.raises(PngError, match=what):
        png.decode(data)


def test_a_wrong_checksum_in_canonical_pixel_data_is_refused() -> None:
    body = bytearray(GOOD[41:-16])
    body[-1] ^= 1
    data = GOOD[:33] + chunk(b"IDAT", bytes(body)) + GOOD[-12:]
    with pytest.raises(PngError, match="checksum of the pixel data"):
        png.decode(data)


def test_the_size_limit_is_exact() -> None:
    assert png.decode(GOOD, max_px=30).shape == (5, 6, 4)
    with pytest.raises(PngError, match="at most 29 pixels"):
        png.decode(GOOD, max_px=29)


@pytest.mark.parametrize(
    "data",
    [
        file_of(ihdr(2**31 - 1, 2**31 - 1), b""),
        file_of(ihdr(16384, 16384), bytes(1000)),
        file_of(ihdr(16, 16), bytes(200_000_000), level=9),
        file_of(ihdr(4096, 4096), bytes(40_000_000), level=9),
    ],
    ids=["header", "claims much", "inflates to much", "inflates to less than it claims"],
)
def test_bombs_allocate_little(data: bytes) -> None:
    tracemalloc.start()
    try:
        with pytest.raises(PngError):
            png.decode(data)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 100_000_000


@given(st.data())
def test_mutated_files_raise_nothing_else(data: st.DataObject) -> None:
    """Bytes are changed and, half of the time, every checksum is repaired afterwards."""
    rng = random.Random(data.draw(st.integers(0, 2**32)))
    file = bytearray(data.draw(st.sampled_from(SEEDS)))
    for _ in range(rng.randint(1, 4)):
        at = rng.randrange(len(file))
        file[at : at + rng.choice([0, 1, 1, 4])] = rng.randbytes(rng.choice([0, 1, 1, 4]))
    if rng.random() < 0.5:
        file = repaired(file)
    try:
        image = png.decode(bytes(file), max_px=10_000)
    except PngError:
        return
    assert image.dtype == np.uint8
    assert image.shape[0] * image.shape[1] <= 10_000


def repaired(file: bytearray) -> bytearray:
    at = 8
    while at + 12 <= len(file):
        size = int.from_bytes(file[at : at + 4], "big")
        if at + 12 + size > len(file):
            break
        crc = zlib.crc32(file[at + 4 : at + 8 + size])
        file[at + 8 + size : at + 12 + size] = struct.pack(">I", crc)
        at += 12 + size
    return file


SEEDS = [GOOD, filtered_file(noise(6, 4), [0, 1, 2, 3, 4, 4]), interlaced_file(noise(9, 9))]


# ---- files of other kinds of pixels ----------------------------------------------------------


def pillow_file(mode: str, **options: object) -> bytes:
    out = io.BytesIO()
    Image.fromarray(noise(33, 21)).convert(mode).save(out, "PNG", **options)
    return out.getvalue()


@pytest.mark.parametrize("mode", ["RGB", "RGBA", "L", "LA", "P", "1", "I;16"])
def test_whole_files_of_any_kind_are_verified(mode: str) -> None:
    data = pillow_file("L") if mode == "I;16" else pillow_file(mode)
    if mode == "I;16":
        out = io.BytesIO()
        Image.fromarray(np.arange(99, dtype=np.uint16).reshape(9, 11)).save(out, "PNG")
        data = out.getvalue()
    png.verify(data)
    png.verify(data + b"more")
    png.verify(interlaced_file(noise(9, 9)))
    with pytest.raises(PngError):
        png.verify(data[:-20])
    with pytest.raises(PngError, match="at most 98"):
        png.verify(data, max_px=98)


def test_a_file_with_missing_rows_is_not_whole() -> None:
    for raw in (bytes(19 * 4), bytes(19 * 6), bytes(19 * 5 + 1)):
        with pytest.raises(PngError, match="not as much"):
            png.verify(file_of(ihdr(6, 5, colour=2), raw))
    png.verify(file_of(ihdr(6, 5, colour=2), bytes(19 * 5), pieces=4))
    bomb = file_of(ihdr(16, 16, colour=2), bytes(100_000_000), level=9)
    tracemalloc.start()
    with pytest.raises(PngError):
        png.verify(bomb)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 20_000_000
