"""View: what is seen of a picture, near and far, and from picture to picture."""

from __future__ import annotations

import numpy as np
import pytest

from pxos.boot.events import Pointer
from pxos.kernel.devices.keycodes import KEYS

from ..pictures import photograph
from .playing import Events, Run, play, stroke, tap
from .references import nearest_size
from .scenarios import sticker

ROWS, COLS = 288, 480
ONE = 1 << 16
PAGE_UP, PAGE_DOWN = KEYS["page up"], KEYS["page down"]


def view(
    *pictures: np.ndarray,
    events: Events = (),
    frames: int = 30,
    size: tuple[int, int] | None = None,
) -> Run:
    return play("view", [], [pictures] if pictures else [], frames=frames, events=events, size=size)


def shown(run: Run) -> np.ndarray:
    """The area of the picture, without the status line."""
    return run.screen[:-16]


def factor(run: Run) -> float:
    """Pixels of the screen for a pixel of the picture."""
    return 64 * ONE / run.number("near")


def noise(rows: int, cols: int, seed: int = 5) -> np.ndarray:
    picture = np.random.default_rng(seed).integers(0, 256, (rows, cols, 4), np.uint8)
    picture[..., 3] = 255
    return picture


def test_nothing_to_show_is_said() -> None:
    run = view()
    words = np.array([0xA6, 0xA8, 0xC6])
    assert (shown(run)[..., :3] == words).all(-1).sum() > 300
    moved = view(events=tap(5, "+-01np") + stroke(8, (5, 5), (50, 50)))
    assert (shown(moved)[..., :3] == words).all(-1).sum() > 300


def test_pixel_for_pixel() -> None:
    picture = noise(ROWS, COLS)
    assert np.array_equal(shown(view(picture)), picture)
    large = noise(600, 900)
    run = view(large, events=tap(4, "1"))
    top, left = (600 - ROWS) // 2, (900 - COLS) // 2
    assert np.array_equal(shown(run), large[top : top + ROWS, left : left + COLS])


def test_a_small_picture_is_enlarged_in_whole_pixels() -> None:
    for side, times in ((32, 9), (100, 2), (200, 1), (8, 36), (13, 22)):
        picture = noise(side, side)
        run = view(picture)
        top, left = (ROWS - side * times) // 2, (COLS - side * times) // 2
        part = shown(run)[top : top + side * times, left : left + side * times]
        assert np.array_equal(part, np.kron(picture, np.ones((times, times, 1), np.uint8)))
        around = shown(run).copy()
        around[top : top + side * times, left : left + side * times] = (0x15, 0x13, 0x1F, 255)
        assert (around == (0x15, 0x13, 0x1F, 255)).all()


@pytest.mark.parametrize("times", [2, 3, 4, 7])
def test_reduced_by_a_whole_factor_it_is_the_mean_of_squares(times: int) -> None:
    picture = noise(ROWS * times, COLS * times)
    run = view(picture)
    assert factor(run) == pytest.approx(1 / times, rel=1e-4)
    means = picture.reshape(ROWS, times, COLS, times, 4).mean((1, 3))
    assert abs(shown(run) - means).max() <= 2


@pytest.mark.parametrize("shape", [(1000, 1300), (431, 713), (4000, 900), (300, 3000)])
def test_reduced_by_any_factor_it_is_near_the_mean(shape: tuple[int, int]) -> None:
    picture = photograph(*shape)
    run = view(picture)
    size = np.array(shape) / max(shape[0] / ROWS, shape[1] / COLS)
    top, left = ((ROWS, COLS) - size) / 2
    area = shown(run)[round(top) : round(top + size[0]), round(left) : round(left + size[1])]
    # Against the whole picture's means over a coarse grid, so that half a pixel matters little.
    for channel in range(3):
        mine = [
            [c.mean() for c in np.array_split(r, 6, 1)]
            for r in np.array_split(area[..., channel].astype(float), 6, 0)
        ]
        theirs = [
            [c.mean() for c in np.array_split(r, 6, 1)]
            for r in np.array_split(picture[..., channel].astype(float), 6, 0)
        ]
        assert abs(np.array(mine) - theirs).max() < 6
    assert (area[..., 3] == 255).all()


def test_transparent_pictures_lie_on_a_chequered_ground() -> None:
    run = view(np.zeros((ROWS, COLS, 4), np.uint8))
    tones = {tuple(pixel) for pixel in shown(run).reshape(-1, 4)[::7].tolist()}
    assert tones == {(0x3B, 0x37, 0x57, 255), (0x6B, 0x6A, 0x8E, 255)}
    assert (shown(run)[:8, :8] == shown(run)[0, 0]).all()
    assert (shown(run)[0, 8] != shown(run)[0, 0]).any()


def test_zoom_keys_go_in_half_octaves_and_back_to_fit_and_one_to_one() -> None:
    picture = photograph(900, 1200)
    fit = ROWS / 900
    assert factor(view(picture)) == pytest.approx(fit, rel=1e-3)
    keys = "+++--++-"
    steps = [0.3536, 0.5, 0.7071, 0.5, 0.3536, 0.5, 0.7071, 0.5]
    for n, expected in enumerate(steps, 1):
        assert factor(view(picture, events=tap(4, keys[:n]))) == pytest.approx(expected, rel=1e-3)
    assert factor(view(picture, events=tap(4, "+++1"))) == 1
    assert factor(view(picture, events=tap(4, "++=0"))) == pytest.approx(fit, rel=1e-3)
    assert factor(view(picture, events=tap(4, "+" * 30))) == 32
    far = factor(view(picture, events=tap(4, "-" * 40)))
    assert far == pytest.approx(2**-8.5, rel=1e-3)


@pytest.mark.parametrize("spot", [(20, 30), (144, 240), (280, 470)])
@pytest.mark.parametrize("steps", [1, -1])
def test_the_wheel_zooms_around_the_pointer(spot: tuple[int, int], steps: int) -> None:
    picture = photograph(1000, 1500)
    begin: Events = tap(4, "1")
    before = view(picture, events=begin)
    after = view(picture, events=[*begin, (8, Pointer(*spot, steps * 256))])
    assert factor(after) / factor(before) == pytest.approx(2 ** (steps / 2), rel=1e-3)

    def under(run: Run) -> np.ndarray:
        return run.value("corner")[0] / 64 + np.array(spot) / factor(run)

    assert abs(under(after) - under(before)).max() < 0.2


def test_a_pixel_is_as_large_as_the_zoom_says() -> None:
    picture = noise(64, 64)
    run = view(picture, events=tap(4, "1") + tap(6, "++++"))
    assert factor(run) == 4
    top, left = (ROWS - 256) // 2, (COLS - 256) // 2
    assert np.array_equal(
        shown(run)[top : top + 256, left : left + 256], nearest_size(picture, 256, 256)
    )


def test_dragging_moves_the_picture_with_the_pointer() -> None:
    large = noise(600, 900)
    run = view(large, events=tap(4, "1") + stroke(6, (100, 100), (130, 60), (140, 90)))
    top, left = (600 - ROWS) // 2 - 40, (900 - COLS) // 2 + 10
    assert np.array_equal(shown(run), large[top : top + ROWS, left : left + COLS])


@pytest.mark.parametrize(
    ("key", "way"),
    [
        ("up", (-1, 0)),
        ("down", (1, 0)),
        ("left", (0, -1)),
        ("right", (0, 1)),
    ],
)
def test_arrows_move_and_stop_at_the_edges(key: str, way: tuple[int, int]) -> None:
    large = noise(600, 900)
    middle = np.array([(600 - ROWS) // 2, (900 - COLS) // 2])
    end = np.array([600 - ROWS, 900 - COLS])
    once = view(large, events=tap(4, "1") + tap(6, KEYS[key]))
    top, left = middle + np.array(way) * (ROWS // 8, COLS // 8)
    assert np.array_equal(shown(once), large[top : top + ROWS, left : left + COLS])
    often = view(large, events=tap(4, "1") + tap(6, *[KEYS[key]] * 20))
    top, left = np.clip(middle + np.array(way) * 9999, 0, end)
    assert np.array_equal(shown(often), large[top : top + ROWS, left : left + COLS])


@pytest.mark.parametrize(
    ("forth", "back"),
    [
        (PAGE_DOWN, PAGE_UP),
        (ord("n"), ord("p")),
        (ord(" "), KEYS["backspace"]),
    ],
)
def test_from_picture_to_picture(forth: int, back: int) -> None:
    pictures = [noise(ROWS, COLS, seed) for seed in range(4)]

    def seen(*keys: int) -> int:
        events = [e for i, key in enumerate(keys) for e in tap(4 + 2 * i, key)]
        area = shown(view(*pictures, events=events, frames=40))
        return next(i for i, picture in enumerate(pictures) if np.array_equal(area, picture))

    assert seen() == 0
    assert seen(forth) == 1
    assert seen(forth, forth, forth) == 3
    assert seen(forth, forth, forth, forth, forth) == 3
    assert seen(forth, forth, back) == 1
    assert seen(forth, back, back, back) == 0
    assert seen(forth, forth, back, back, forth) == 1


def test_the_last_eight_are_kept() -> None:
    pictures = [noise(ROWS, COLS, seed) for seed in range(11)]
    events = [e for i in range(10) for e in tap(4 + 2 * i, "n")]
    back = [e for i in range(12) for e in tap(40 + 2 * i, "p")]
    run = view(*pictures, events=[*events, *back], frames=80)
    assert run.number("have") == 11
    assert np.array_equal(shown(run), pictures[3])


def test_pictures_are_read_when_they_are_wanted() -> None:
    taken = []

    def stream() -> object:
        for seed in range(5):
            taken.append(seed)
            yield noise(20, 20, seed)

    play("view", [], [stream()], frames=30, events=tap(5, "n"))  # type: ignore[list-item]
    assert taken == [0, 1]


def test_any_window_and_any_picture_will_do() -> None:
    for size in ((1, 1), (30, 200), (700, 1000)):
        for picture in (noise(1, 1), noise(1, 3000), noise(3000, 1), sticker(), photograph(50, 60)):
            run = view(picture, size=size, events=tap(4, "+-10++"), frames=12)
            assert run.screen.shape == (*size, 4)
