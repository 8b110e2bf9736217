"""Pictures written as PNG: the same pixels, the same bytes on any number of threads."""

from __future__ import annotations

import io

import numpy as np
import pytest
from PIL import Image

from pxos.boot import photo_png
from pxos.kernel.machine import png

from ..pictures import photograph


def noise(rows: int, cols: int) -> np.ndarray:
    return np.random.default_rng(rows * cols).integers(0, 256, (rows, cols, 4), np.uint8)


@pytest.mark.parametrize("shape", [(1, 1), (1, 9), (9, 1), (40, 30), (1500, 900)])
def test_both_readers_find_the_same_pixels(shape: tuple[int, int]) -> None:
    picture = noise(*shape)
    data = photo_png.encode(picture, 3)
    with Image.open(io.BytesIO(data)) as image:
        assert image.mode == "RGBA"
        assert np.array_equal(np.asarray(image), picture)
    assert np.array_equal(png.decode(data, max_px=picture.size), picture)


def test_one_row_longer_than_a_strip() -> None:
    picture = noise(2, photo_png.STRIP_BYTES // 4 + 1)
    with Image.open(io.BytesIO(photo_png.encode(picture, 2))) as image:
        assert np.array_equal(np.asarray(image.convert("RGBA")), picture)


def test_the_bytes_do_not_depend_on_threads() -> None:
    picture = photograph(1200, 1000)
    assert len({photo_png.encode(picture, threads) for threads in (1, 2, 4)}) == 1


def test_a_photograph_takes_less_than_half_its_size() -> None:
    picture = photograph(600, 800)
    assert len(photo_png.encode(picture, 1)) < picture.size / 2


def test_what_goes_wrong_on_a_thread_is_raised(monkeypatch: pytest.MonkeyPatch) -> None:
    def none_left(pixels: np.ndarray) -> np.ndarray:
        raise MemoryError

    monkeypatch.setattr(photo_png, "_filtered", none_left)
    with pytest.raises(MemoryError):
        photo_png.encode(photograph(1200, 1000), 2)
