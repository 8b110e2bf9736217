"""Pictures as input: every common kind is read, and every damaged one told."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tests.pictures import photograph

from . import damage
from .conftest import Pxos, listing, load, save
from .test_programs import little_memory

BROKEN: dict[str, tuple[Callable[[], bytes], str]] = {
    "empty": (lambda: b"", "is empty"),
    "text": (lambda: b"hello\n" * 9, "no picture that can be read"),
    "truncated": (lambda: damage.whole()[:5000], "past the end"),
    "huge header": (damage.huge_header, "pixels"),
    "inflating": (damage.inflating, "not as much as"),
    "half a JPEG": (
        lambda: damage.resaved(lambda i: i.convert("RGB"), format="JPEG")[:3000],
        "damaged",
    ),
}


@pytest.mark.parametrize("name", BROKEN)
def test_a_broken_picture_is_told(pxos: Pxos, here: Path, name: str) -> None:
    make, what = BROKEN[name]
    (here / "in.png").write_bytes(make())
    for words in (
        ("run", "invert", "-i", "in.png", "-o", "out.png"),
        ("-c", "< in.png | invert > out.png"),
    ):
        done = pxos(*words, limit=little_memory)
        assert done.status == 1, words
        assert what in done.told, words
        assert "in.png" in done.told
        assert len(done.told.splitlines()) == 1
    with (here / "in.png").open("rb") as file:
        done = pxos("run", "invert", "-i", "-", stdin=file, limit=little_memory)
    assert (done.status, done.out) == (1, b"")
    assert "standard input" in done.told
    assert listing(here) == ["in.png"]


@pytest.mark.parametrize(
    ("name", "mode"),
    [
        ("a.png", "RGB"),
        ("a.png", "P"),
        ("a.png", "L"),
        ("a.png", "LA"),
        ("a.png", "1"),
        ("a.png", "I;16"),
        ("a.jpg", "RGB"),
        ("a.jpg", "L"),
        ("a.jpg", "CMYK"),
        ("a.gif", "P"),
        ("a.bmp", "RGB"),
        ("a.tiff", "RGB"),
        ("a.webp", "RGB"),
        ("a.ppm", "RGB"),
    ],
)
def test_pictures_of_every_kind_are_read(pxos: Pxos, here: Path, name: str, mode: str) -> None:
    pixels = photograph(20, 30)
    if mode == "I;16":
        grey = np.asarray(Image.fromarray(pixels).convert("L"), np.uint16)
        Image.fromarray(grey * 257).save(here / name)
        wanted = np.dstack([grey, grey, grey, np.full_like(grey, 255)])
    else:
        wanted = load(save(here / name, pixels, mode))
    assert pxos("run", "invert", "-i", name, "-o", "out.png").status == 0
    wanted = np.dstack([255 - wanted[..., :3], wanted[..., 3]])
    np.testing.assert_array_equal(load(here / "out.png"), wanted)


def test_a_single_pixel(pxos: Pxos, here: Path) -> None:
    save(here / "one.png", np.array([[[1, 2, 3, 255]]], np.uint8))
    filters = "blur 3 | edges | invert | gray | threshold 10 | flip | rotate | palette"
    done = pxos.line(f"one.png | {filters} > out.png")
    assert (done.status, done.told) == (0, "")
    assert load(here / "out.png").shape == (1, 1, 4)
    assert pxos.line("one.png | histogram > out.png && one.png | scale 5 > five.png").status == 0
    assert load(here / "five.png").shape == (5, 5, 4)


def test_twelve_megapixels(pxos: Pxos, here: Path) -> None:
    tile = np.asarray(Image.fromarray(photograph(300, 400)).convert("RGB"))
    Image.fromarray(np.tile(tile, (10, 10, 1))).save(here / "large.jpg")
    done = pxos.line("large.jpg | invert > out.jpg")
    assert (done.status, done.told) == (0, "")
    assert load(here / "out.jpg").shape == (3000, 4000, 4)


@pytest.mark.parametrize("orientation", [3, 6, 8])
def test_a_turned_camera(pxos: Pxos, here: Path, orientation: int) -> None:
    exif = Image.Exif()
    exif[0x0112] = orientation
    flat = np.full((20, 30, 4), 255, np.uint8)
    flat[:8, :8, :3] = 0  # the corner that was up and left in the camera
    save(here / "a.jpg", flat, "RGB", exif=exif, quality=95)
    assert pxos("run", "invert", "-i", "a.jpg", "-o", "out.png").status == 0
    out = load(here / "out.png")
    corners = {3: (-4, -4), 6: (4, -4), 8: (-4, 4)}
    assert out.shape[:2] == ((20, 30) if orientation == 3 else (30, 20))
    assert out[corners[orientation]][0] > 200
    assert out[..., 0].mean() < 60


def test_an_animation_gives_every_frame(pxos: Pxos, here: Path) -> None:
    frames = [Image.new("RGB", (20, 10), colour) for colour in ("red", "lime", "blue")]
    frames[0].save(here / "a.gif", save_all=True, append_images=frames[1:])
    assert pxos.line("a.gif | invert > out.png").status == 0
    assert listing(here) == ["a.gif", "out-1.png", "out-2.png", "out-3.png"]
    shown = [load(here / f"out-{n}.png")[0, 0, :3].tolist() for n in (1, 2, 3)]
    assert shown == [[0, 255, 255], [255, 0, 255], [255, 255, 0]]


def test_pictures_through_standard_input_and_output(pxos: Pxos, here: Path, photo: Path) -> None:
    with photo.open("rb") as file:
        first = pxos("run", "blur", "3", "-i", "-", "-o", "-", stdin=file)
    second = pxos("run", "edges", "-i", "-", stdin=first.out)
    (here / "piped.png").write_bytes(second.out)
    assert pxos.line("photo.jpg | blur 3 | edges > line.png").status == 0
    assert (load(here / "piped.png") == load(here / "line.png")).all()


def test_inputs_that_are_missing_or_too_many(pxos: Pxos, photo: Path) -> None:
    for words, status, says in (
        (("run", "blur"), 2, "needs a picture more (image)"),
        (("run", "blend", "-i", "photo.jpg"), 2, "needs a picture more (above)"),
        (("run", "hello", "-i", "photo.jpg"), 2, "reads no pictures"),
        (("run", "blur", "-i", "none.png"), 1, "none.png"),
        (("-c", "none.png | blur"), 2, "none.png"),
        (("-c", "*.gif | blur"), 2, "*.gif"),
        (("-c", "photo.jpg | blend > a.png"), 2, "above"),
    ):
        done = pxos(*words)
        assert (done.status, done.out) == (status, b""), words
        assert says in done.told, words
