from __future__ import annotations

import base64
import re
import zlib

import numpy as np
import pyte
import pytest

from pxos.boot.terminal_fit import Fit, Grid
from pxos.boot.terminal_graphics import HalfBlocks, Kitty, Sixel, sixels
from pxos.boot.terminal_still import still

from .conftest import noise

# ---- decoders: what a terminal makes of the bytes ---------------------------------------


def rgb(colour: str) -> tuple[int, int, int]:
    if colour == "default":
        return 0, 0, 0
    return int(colour[:2], 16), int(colour[2:4], 16), int(colour[4:], 16)


def half_block_pixels(screen: pyte.Screen) -> np.ndarray:
    """What a terminal emulator shows, two pixels a cell."""
    pixels = np.zeros((2 * screen.lines, screen.columns, 3), np.uint8)
    for row in range(screen.lines):
        for col in range(screen.columns):
            cell = screen.buffer[row][col]
            pixels[2 * row + 1, col] = rgb(cell.bg)
            pixels[2 * row, col] = rgb(cell.fg if cell.data == "▀" else cell.bg)
            assert cell.data in ("▀", " ")
    return pixels


def kitty_images(data: bytes) -> list[tuple[int, int, np.ndarray]]:
    """(row of cells from 1, image number, pixels) of each image sent."""
    images = []
    place = 0
    keys: dict[str, str] = {}
    body = b""
    for moved, head, part in re.findall(rb"\x1b\[(\d+);1H|\x1b_G([^;]*);([^\x1b]*)\x1b\\", data):
        if moved:
            place = int(moved)
            continue
        now = dict(pair.split("=") for pair in head.decode().split(","))
        keys = keys if body else now
        body += part
        if now["m"] == "0":
            assert (keys["a"], keys["f"], keys["o"]) == ("T", "24", "z")
            height, width = int(keys["v"]), int(keys["s"])
            raw = zlib.decompress(base64.b64decode(body))
            images.append(
                (place, int(keys["i"]), np.frombuffer(raw, np.uint8).reshape(height, width, 3))
            )
            body = b""
        else:
            assert len(part) == 4096
    return images


def sixel_picture(data: bytes) -> np.ndarray:
    """Decode one sixel sequence as DEC's manual says."""
    body = re.fullmatch(rb"\x1bP[\d;]*q(.*)\x1b\\", data, re.DOTALL)
    assert body, data[:40]
    text = body[1].decode()
    raster = re.match(r'"1;1;(\d+);(\d+)', text)
    assert raster
    cols, rows = int(raster[1]), int(raster[2])
    picture = np.zeros((rows + 6, cols, 3), np.uint8)
    palette: dict[int, tuple[int, ...]] = {}
    x = top = colour = 0
    for token in re.findall(r"#\d+;2;\d+;\d+;\d+|#\d+|!\d+[?-~]|[?-~]|\$|-", text[raster.end() :]):
        if token[0] == "#":
            numbers = [int(part) for part in token[1:].split(";")]
            colour = numbers[0]
            if len(numbers) > 1:
                palette[colour] = tuple((n * 255 + 50) // 100 for n in numbers[2:])
        elif token == "$":
            x = 0
        elif token == "-":
            x, top = 0, top + 6
        else:
            count = int(token[1:-1]) if token[0] == "!" else 1
            for bit in range(6):
                if (ord(token[-1]) - 63) >> bit & 1:
                    picture[top + bit, x : x + count] = palette[colour]
            x += count
    return picture[:rows]


# ---- placing ----------------------------------------------------------------------------


def test_pictures_are_enlarged_a_whole_number_of_times_or_made_smaller() -> None:
    grid = Grid(24, 80)
    assert Fit.of(10, 20, grid) == Fit(10, 20, 40, 80, 4, 0)
    assert Fit.of(48, 80, grid) == Fit(48, 80, 48, 80, 0, 0)
    small = Fit.of(400, 640, grid)
    assert (small.height, small.width) == (48, 76)
    assert (small.top, small.left) == (0, 2)
    assert Fit.of(1, 10000, grid).height == 1
    assert Fit.of(10000, 1, grid).width == 1


def test_placing_and_finding_back_are_inverse() -> None:
    picture = noise(7, 11)
    grid = Grid(20, 50)
    fit = Fit.of(7, 11, grid)
    canvas = fit.place(picture, grid)
    assert canvas.shape == (40, 50, 3)
    for y in range(fit.top, fit.top + fit.height):
        for x in range(fit.left, fit.left + fit.width):
            row, col = fit.to_picture(y + 0.5, x + 0.5)
            assert np.array_equal(canvas[y, x], picture[row, col, :3])
    assert fit.to_picture(-5, -5) == (0, 0)
    assert fit.to_picture(99, 99) == (6, 10)
    outside = canvas.copy()
    outside[fit.top : fit.top + fit.height, fit.left : fit.left + fit.width] = 0
    assert not outside.any()


def test_smaller_pictures_are_averaged() -> None:
    picture = np.zeros((8, 8, 4), np.uint8)
    picture[:, ::2, :3] = 200
    grid = Grid(2, 4)
    assert (Fit.of(8, 8, grid).place(picture, grid) == 100).all()


# ---- showing ----------------------------------------------------------------------------


def test_half_blocks_show_the_picture() -> None:
    grid = Grid(12, 40)
    screen = pyte.Screen(40, 12)
    stream = pyte.ByteStream(screen)
    renderer = HalfBlocks()
    frames = [noise(24, 40, seed)[..., :3] for seed in (1, 2)]
    frames.append(frames[1].copy())
    frames[2][5:9, 10:14] = 77
    frames.append(np.zeros((24, 40, 3), np.uint8))
    for frame in frames:
        stream.feed(renderer.frame(frame, grid))
        assert np.array_equal(half_block_pixels(screen), frame)


def test_of_half_blocks_only_what_changed_is_sent_again() -> None:
    grid = Grid(12, 40)
    renderer = HalfBlocks()
    frame = noise(24, 40)[..., :3]
    whole = renderer.frame(frame, grid)
    assert renderer.frame(frame, grid) == b""
    frame = frame.copy()
    frame[7, 21] = (1, 2, 3)
    part = renderer.frame(frame, grid)
    assert part.startswith(b"\x1b[4;22H")
    assert len(part) < 70 < len(whole)
    assert part.count("▀".encode()) == 1
    renderer.forget()
    assert len(renderer.frame(frame, grid)) > len(whole) // 2


@pytest.mark.parametrize("size", [(12, 40, 16, 8), (3, 100, 20, 10)])
def test_kitty_images_show_the_picture(size: tuple[int, int, int, int]) -> None:
    grid = Grid(*size)
    renderer = Kitty()
    frame = noise(*grid.pixels)[..., :3]
    images = kitty_images(renderer.frame(frame, grid))
    assert [place for place, _, _ in images] == list(range(1, grid.rows + 1))
    assert np.array_equal(np.concatenate([pixels for _, _, pixels in images]), frame)
    numbers = [number for _, number, _ in images]
    assert len(set(numbers)) == grid.rows

    assert renderer.frame(frame, grid) == b""
    changed = frame.copy()
    changed[grid.cell_rows * 2, 5] ^= 255
    ((place, number, pixels),) = kitty_images(renderer.frame(changed, grid))
    assert (place, number) == (3, numbers[2])
    assert np.array_equal(pixels, changed[grid.cell_rows * 2 : grid.cell_rows * 3])

    deleted = re.findall(rb"a=d,d=I,q=2,i=(\d+)", renderer.end())
    assert sorted(map(int, deleted)) == sorted(numbers)
    assert renderer.end() == b""


def few_colours(rows: int, cols: int) -> np.ndarray:
    rng = np.random.default_rng(5)
    palette = rng.integers(0, 256, (20, 3), dtype=np.uint8)
    return palette[rng.integers(0, 20, (rows, cols // 3 + 1)).repeat(3, 1)[:, :cols]]


@pytest.mark.parametrize(("rows", "cols"), [(6, 30), (16, 31), (20, 7), (1, 1), (13, 200)])
def test_sixels_show_the_picture(rows: int, cols: int) -> None:
    picture = few_colours(rows, cols)
    shown = sixel_picture(sixels(picture))
    # Sixels give colours in per cent.
    assert np.abs(shown.astype(int) - picture).max() <= 2


def test_sixels_of_many_colours_come_near() -> None:
    y, x = np.mgrid[0:16, 0:64]
    picture = np.stack([x * 4, y * 16, 255 - x * 2], -1).astype(np.uint8)
    shown = sixel_picture(sixels(picture))
    assert np.abs(shown.astype(int) - picture).mean() < 12


def test_of_sixels_only_changed_rows_are_sent_again() -> None:
    grid = Grid(4, 10, 16, 8)
    renderer = Sixel()
    frame = few_colours(*grid.pixels)
    parts = renderer.frame(frame, grid).split(b"\x1b\\")
    assert len(parts) == 5
    shown = [sixel_picture(part[part.index(b"\x1bP") :] + b"\x1b\\") for part in parts[:4]]
    assert np.abs(np.concatenate(shown).astype(int) - frame).max() <= 2
    assert renderer.frame(frame, grid) == b""
    frame = frame.copy()
    frame[40] = 0
    again = renderer.frame(frame, grid)
    assert again.startswith(b"\x1b[3;1H\x1bP")
    assert again.count(b"\x1bP") == 1


def test_a_new_size_sends_everything() -> None:
    renderer = HalfBlocks()
    renderer.frame(np.zeros((8, 8, 3), np.uint8), Grid(4, 8))
    assert renderer.frame(np.zeros((6, 8, 3), np.uint8), Grid(3, 8)).count(b"H") == 3


# ---- pictures in the flow of text -------------------------------------------------------


@pytest.mark.parametrize(("rows", "cols"), [(10, 20), (9, 20), (1, 1), (2, 79)])
def test_a_still_picture_that_fits_is_shown_pixel_for_pixel(rows: int, cols: int) -> None:
    picture = noise(rows, cols)
    screen = pyte.Screen(80, 12)
    screen.set_mode(pyte.modes.LNM)
    pyte.ByteStream(screen).feed(still(picture, 11, 80))
    assert np.array_equal(half_block_pixels(screen)[:rows, :cols], picture[..., :3])
    assert screen.cursor.y == -(-rows // 2)
    assert screen.cursor.attrs.bg == "default"


def test_a_large_still_picture_is_made_smaller_and_transparency_black() -> None:
    picture = noise(300, 400)
    picture[..., 3] = 0
    lines = still(picture, 10, 40).split(b"\n")
    assert len(lines) == 11
    assert b"\x1b[48;2;0;0;0m" in lines[0]
    assert "▀".encode() not in b"".join(lines)
