from __future__ import annotations

import io
import random
import struct
import tracemalloc
import zlib
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from pxos.boot import photos
from pxos.kernel.machine import png
from pxos.shell.host import PictureFileError

from ..pictures import photograph
from .conftest import noise


def bytes_of(image: Image.Image, form: str, **options: object) -> bytes:
    out = io.BytesIO()
    image.save(out, form, **options)
    return out.getvalue()


def read(data: bytes) -> list[np.ndarray]:
    return list(photos.pictures_in(data, "x"))


PHOTO = photograph(40, 60)
IMAGE = Image.fromarray(PHOTO)
LOSSLESS = {
    "PNG": {},
    "WEBP": {"lossless": True},
    "BMP": {},
    "TIFF": {},
    "PPM": {},
}


@pytest.mark.parametrize("form", LOSSLESS)
@pytest.mark.parametrize("mode", ["RGB", "RGBA"])
def test_lossless_formats_give_the_same_pixels(form: str, mode: str) -> None:
    data = bytes_of(IMAGE.convert(mode), form, **LOSSLESS[form])
    (picture,) = read(data)
    assert picture.dtype == np.uint8
    assert np.array_equal(picture, PHOTO)
    assert photos.is_picture(data[:32])


@pytest.mark.parametrize("form", ["JPEG", "AVIF"])
def test_lossy_formats_come_near(form: str) -> None:
    data = bytes_of(IMAGE.convert("RGB"), form, quality=95)
    (picture,) = read(data)
    assert np.abs(picture.astype(int) - PHOTO).mean() < 6
    assert photos.is_picture(data[:32])


def test_transparent_pixels_keep_their_colours() -> None:
    picture = noise(9, 9)
    picture[..., 3] = np.arange(81).reshape(9, 9)
    for suffix in (".png", ".webp", ".tiff"):
        (again,) = read(photos.encoded(picture, suffix))
        assert np.array_equal(again, picture), suffix


def test_grey_palette_and_cmyk() -> None:
    grey = np.arange(256, dtype=np.uint8).reshape(16, 16)
    (picture,) = read(bytes_of(Image.fromarray(grey), "PNG"))
    assert np.array_equal(picture, np.dstack([grey, grey, grey, np.full_like(grey, 255)]))
    (picture,) = read(bytes_of(IMAGE.convert("P"), "GIF"))
    assert picture.shape == PHOTO.shape
    (picture,) = read(bytes_of(IMAGE.convert("CMYK"), "JPEG"))
    assert picture.shape == PHOTO.shape


def test_sixteen_bits_are_rounded_not_cut() -> None:
    deep = np.array([[0, 128, 129, 257, 32767, 65535]], np.uint16)
    (picture,) = read(bytes_of(Image.fromarray(deep), "PNG"))
    assert picture[0, :, 0].tolist() == [0, 0, 1, 1, 127, 255]
    (picture,) = read(bytes_of(Image.fromarray(deep), "TIFF"))
    assert picture[0, :, 0].tolist() == [0, 0, 1, 1, 127, 255]


@pytest.mark.parametrize("orientation", range(1, 9))
def test_the_orientation_of_a_camera_is_applied(orientation: int) -> None:
    """Each orientation is undone: what is stored turned comes out upright."""
    turns = {
        2: Image.Transpose.FLIP_LEFT_RIGHT,
        3: Image.Transpose.ROTATE_180,
        4: Image.Transpose.FLIP_TOP_BOTTOM,
        5: Image.Transpose.TRANSPOSE,
        6: Image.Transpose.ROTATE_90,
        7: Image.Transpose.TRANSVERSE,
        8: Image.Transpose.ROTATE_270,
    }
    stored = IMAGE.convert("RGB")
    if orientation in turns:
        stored = stored.transpose(turns[orientation])
    exif = Image.Exif()
    exif[0x0112] = orientation
    (picture,) = read(bytes_of(stored, "PNG", exif=exif))
    assert np.array_equal(picture, PHOTO)
    (picture,) = read(bytes_of(stored, "JPEG", exif=exif, quality=100, subsampling=0))
    assert np.abs(picture.astype(int) - PHOTO).mean() < 4


def test_animations_give_every_frame() -> None:
    frames = [Image.new("RGB", (8, 6), colour) for colour in ("red", "lime", "blue")]
    for form in ("GIF", "WEBP", "PNG"):
        data = bytes_of(frames[0], form, save_all=True, append_images=frames[1:], duration=100)
        pictures = read(data)
        assert [p[0, 0, :3].argmax() for p in pictures] == [0, 1, 2], form


def test_our_own_files_are_read_and_written(tmp_path: Path) -> None:
    path = tmp_path / "a.png"
    photos.save(path, PHOTO)
    assert len(path.read_bytes()) < len(png.encode(PHOTO))
    (picture,) = photos.read_pictures(path)
    assert np.array_equal(picture, PHOTO)
    assert [p.name for p in tmp_path.iterdir()] == ["a.png"]


@pytest.mark.parametrize("suffix", photos.SUFFIXES)
def test_every_ending_is_written_in_its_format(suffix: str) -> None:
    data = photos.encoded(PHOTO, suffix.upper())
    wanted = {".jpg": "JPEG", ".tif": "TIFF"}.get(suffix, suffix[1:].upper())
    image = Image.open(io.BytesIO(data))
    assert image.format == wanted
    assert image.size == (60, 40)


def test_jpeg_lays_transparency_over_white() -> None:
    (picture,) = read(photos.encoded(np.zeros((8, 8, 4), np.uint8), ".jpg"))
    assert (picture == 255).all()


def test_other_endings_and_sizes_are_refused() -> None:
    with pytest.raises(PictureFileError, match=r"use \.png"):
        photos.encoded(PHOTO, ".xyz")
    with pytest.raises(PictureFileError, match="without an ending"):
        photos.encoded(PHOTO, "")
    with pytest.raises(PictureFileError, match=r"use \.png"):
        photos.encoded(np.zeros((1, 70000, 4), np.uint8), ".webp")


# ---- hostile files --------------------------------------------------------------------------


def chunk(name: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))


def claim(cols: int, rows: int) -> bytes:
    head = chunk(b"IHDR", struct.pack(">IIBBBBB", cols, rows, 8, 2, 0, 0, 0))
    body = chunk(b"IDAT", zlib.compress(bytes(1 << 20)))
    return png.SIGNATURE + head + body + chunk(b"IEND", b"")


def claimed_bmp(cols: int, rows: int) -> bytes:
    data = bytearray(bytes_of(Image.new("RGB", (8, 8)), "BMP"))
    data[18:26] = struct.pack("<ii", cols, rows)
    return bytes(data)


@pytest.mark.parametrize(
    "data",
    [
        claim(8192, 8193),
        claim(1 << 30, 1 << 30),
        claim(8192, 8192),
        claimed_bmp(20000, 20000),
        b"P6\n90000 90000\n255\n" + bytes(100),
        b"P6\n7000 7000\n255\n" + bytes(100),
    ],
    ids=["png large", "png huge", "png claims", "bmp", "ppm", "ppm claims"],
)
def test_bombs_are_refused_before_they_are_allocated(data: bytes) -> None:
    tracemalloc.start()
    try:
        with pytest.raises(PictureFileError):
            read(data)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 50_000_000


FILES = {
    "PNG": bytes_of(IMAGE, "PNG"),
    "RGB": bytes_of(IMAGE.convert("RGB"), "PNG"),
    "JPEG": bytes_of(IMAGE.convert("RGB"), "JPEG"),
    "WEBP": bytes_of(IMAGE, "WEBP"),
    "BMP": bytes_of(IMAGE.convert("RGB"), "BMP"),
    "TIFF": bytes_of(IMAGE, "TIFF"),
    "PPM": bytes_of(IMAGE.convert("RGB"), "PPM"),
    "GIF": bytes_of(IMAGE.convert("P"), "GIF"),
    "AVIF": bytes_of(IMAGE, "AVIF"),
}


@pytest.mark.parametrize("form", FILES)
@pytest.mark.parametrize("part", [0.0, 0.1, 0.5, 0.9])
def test_files_that_are_cut_off_are_refused(form: str, part: float) -> None:
    data = FILES[form]
    with pytest.raises(PictureFileError, match="x"):
        read(data[: int(len(data) * part)])


def test_a_png_with_missing_rows_is_refused_though_pillow_takes_it() -> None:
    head = chunk(b"IHDR", struct.pack(">IIBBBBB", 8, 8, 8, 2, 0, 0, 0))
    data = png.SIGNATURE + head + chunk(b"IDAT", zlib.compress(bytes(25 * 4))) + chunk(b"IEND", b"")
    assert Image.open(io.BytesIO(data)).convert("RGB").size == (8, 8)
    with pytest.raises(PictureFileError, match="not as much"):
        read(data)


def test_formats_that_start_other_programs_are_not_opened() -> None:
    with pytest.raises(PictureFileError, match="no picture"):
        read(b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n%%EndComments\nshowpage\n")
    for text in (b"", b"hello", b"BM hello, this is a text", b"P", b"P6"):
        assert not photos.is_picture(text)
        with pytest.raises(PictureFileError):
            read(text)


@given(st.sampled_from(sorted(FILES)), st.integers(0, 2**32))
def test_mutated_files_raise_nothing_else(form: str, seed: int) -> None:
    rng = random.Random(seed)
    data = bytearray(FILES[form])
    for _ in range(rng.randint(1, 6)):
        at = rng.randrange(len(data)) if rng.random() < 0.5 else rng.randrange(min(200, len(data)))
        data[at] = rng.randrange(256)
    try:
        for picture in read(bytes(data)):
            assert picture.dtype == np.uint8
            assert picture.ndim == 3
    except PictureFileError as error:
        said = str(error)
        assert said.startswith("x"), said
