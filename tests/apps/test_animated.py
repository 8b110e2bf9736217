"""Life, Mandelbrot, the clock, hello."""

from __future__ import annotations

from datetime import datetime, timedelta

import numpy as np
import pytest

from pxos.boot.events import Pointer
from pxos.kernel.devices.keycodes import KEYS

from .playing import MOMENT, Events, Run, click, play, stroke, tap

# ---- life --------------------------------------------------------------------------------------


def next_generation(alive: np.ndarray) -> np.ndarray:
    around = sum(
        np.roll(alive.astype(int), (dy, dx), (0, 1))
        for dy in (-1, 0, 1)
        for dx in (-1, 0, 1)
        if dy or dx
    )
    return (around == 3) | (alive.astype(bool) & (around == 2))


def cells(*alive: tuple[int, int]) -> Events:
    """Stop and clear, then draw these cells."""
    return [
        *tap(2, " ", "c"),
        *((4 + i, Pointer(row * 2, col * 2, 1)) for i, (row, col) in enumerate(alive)),
        (5 + len(alive), Pointer(0, 0, 0)),
    ]


def grid(*alive: tuple[int, int]) -> np.ndarray:
    out = np.zeros((100, 160), bool)
    out[tuple(zip(*alive, strict=True))] = True
    return out


def life(events: Events, frames: int = 60, seed: int = 1) -> np.ndarray:
    return play("life", frames=frames, events=events, seed=seed).value("alive").astype(bool)


GLIDER = [(1, 2), (2, 3), (3, 1), (3, 2), (3, 3)]
STILL = {
    "block": [(5, 5), (5, 6), (6, 5), (6, 6)],
    "beehive": [(9, 5), (9, 6), (10, 4), (10, 7), (11, 5), (11, 6)],
    "corner": [(0, 0), (0, 159), (99, 0), (99, 159)],
}


@pytest.mark.parametrize("name", STILL)
def test_still_lifes_stay(name: str) -> None:
    alive = life([*cells(*STILL[name]), *tap(20, "n" * 10)])
    assert np.array_equal(alive, grid(*STILL[name]))


def test_a_glider_glides() -> None:
    alive = life([*cells(*GLIDER), *tap(20, "nnnn")])
    assert np.array_equal(alive, grid(*((row + 1, col + 1) for row, col in GLIDER)))
    around_the_edge = [((row + 97) % 100, (col + 157) % 160) for row, col in GLIDER]
    alive = life([*cells(*around_the_edge), *tap(20, "n" * 12)])
    assert np.array_equal(alive, grid(*GLIDER))


def test_generations_of_a_random_field() -> None:
    alive = life([*tap(2, " ", "r")], frames=10)
    assert 0.2 < alive.mean() < 0.3
    for steps in range(1, 9):
        alive = next_generation(alive)
        assert np.array_equal(life([*tap(2, " ", "r"), *tap(4, "n" * steps)], frames=10), alive)


def test_cells_grow_old() -> None:
    run = play("life", frames=60, events=[*cells(*STILL["block"]), *tap(20, "n" * 10)])
    assert set(run.value("age").ravel().tolist()) == {0, 11}


def test_speed_pause_and_mouse() -> None:
    def generations(events: Events) -> int:
        """How often the glider has stepped in 40 frames."""
        alive, start = life([*cells(*GLIDER), *tap(20, " "), *events]), grid(*GLIDER)
        for n in range(60):
            if np.array_equal(alive, start):
                return n
            start = next_generation(start)
        raise AssertionError("not a generation of the glider")

    usual = generations([])
    assert 12 <= usual <= 14
    assert generations(tap(19, "++")) >= 38
    assert generations(tap(19, "---")) <= 7
    assert generations(tap(30, " ")) < 5
    erased = life([*cells(*STILL["block"]), *stroke(20, (10, 10), (10, 12), button=4)], frames=30)
    assert np.array_equal(erased, grid((6, 5), (6, 6)))
    outside = life([*cells(*STILL["block"]), *stroke(20, (10, -4), (-3, 5), (500, 10), (10, 400))])
    assert np.array_equal(outside, grid(*STILL["block"]))


def test_seeds_differ() -> None:
    assert not np.array_equal(life([], frames=3, seed=1), life([], frames=3, seed=2))


# ---- mandelbrot --------------------------------------------------------------------------------


def escape(mid: tuple[float, float], step: float, limit: int = 255) -> np.ndarray:
    """Steps that each of 200 x 320 points takes to leave the circle of radius 2."""
    y = mid[0] + (np.arange(200) - 100)[:, None] * step
    x = mid[1] + (np.arange(320) - 160)[None, :] * step
    c = x + 1j * y
    z, steps, inside = 0 * c, np.zeros(c.shape, int), np.ones(c.shape, bool)
    for _ in range(limit):
        inside &= abs(z) < 2
        steps += inside
        z = np.where(inside, z * z + c, z)
    return steps


def mandelbrot(events: Events = (), frames: int = 95) -> Run:
    return play("mandelbrot", frames=frames, events=events)


def test_mandelbrot_counts_the_steps() -> None:
    run = mandelbrot()
    assert run.number("done") == 255
    mine, theirs = run.value("steps").astype(int), escape((0, -700 / 1024), 10 / 1024)
    # Fixed point and float part after many steps, near the edge of the set.
    assert (mine == theirs).mean() > 0.985
    early = theirs < 12
    assert (mine[early] == theirs[early]).mean() > 0.9995


def test_mandelbrot_zooms_around_the_pointer_and_starts_again() -> None:
    def place(run: Run, row: int, col: int) -> np.ndarray:
        step = run.number("step")
        return np.array(
            [run.number("mid_y") + (row - 100) * step, run.number("mid_x") + (col - 160) * step]
        )

    start = mandelbrot(frames=3)
    for button in (1, 1 << 8):
        near = mandelbrot([(3, Pointer(40, 250, button)), (4, Pointer(40, 250, 0))], frames=8)
        assert near.number("step") * 2 == start.number("step")
        assert np.array_equal(place(near, 40, 250), place(start, 40, 250))
    for button in (4, -256):
        far = mandelbrot([(3, Pointer(40, 250, button)), (4, Pointer(40, 250, 0))], frames=8)
        assert far.number("step") > start.number("step")
        assert np.array_equal(place(far, 40, 250), place(start, 40, 250))
    again = mandelbrot([*click(3, 10, 10), *tap(6, KEYS["up"], "+", "r")], frames=12)
    for name in ("step", "mid_y", "mid_x"):
        assert again.number(name) == start.number(name)


@pytest.mark.parametrize(
    ("key", "name", "way"),
    [
        ("up", "mid_y", -1),
        ("down", "mid_y", 1),
        ("left", "mid_x", -1),
        ("right", "mid_x", 1),
    ],
)
def test_mandelbrot_moves(key: str, name: str, way: int) -> None:
    start, moved = mandelbrot(frames=3), mandelbrot(tap(3, KEYS[key]), frames=6)
    assert moved.number(name) - start.number(name) == way * 32 * start.number("step")
    assert moved.number("done") < 30


def test_mandelbrot_other_keys_change_nothing() -> None:
    assert mandelbrot(tap(60, "x", "y")).number("done") == 255


# ---- clock and hello ---------------------------------------------------------------------------


@pytest.mark.parametrize("frames", [10, 400, 3000])
def test_the_clock_tells_the_time(frames: int) -> None:
    run = play("clock", frames=frames)
    now = datetime(*MOMENT[:6]) + timedelta(seconds=frames / 60)
    assert abs((datetime.fromisoformat(written_time(run)) - now).total_seconds()) <= 1


def written_time(run: Run) -> str:
    date, digits = run.value("date")[0], run.value("digits")[0]
    return f"{bytes(date).decode()} {bytes(digits).decode()}"


def test_the_hands_point_to_the_time() -> None:
    """At 10:09:36 the second hand points down and left, the minute hand right and up."""
    screen = play("clock", frames=10).screen[..., :3].astype(int)
    red = (screen == (0xE5, 0x52, 0x6F)).all(-1)
    rows, cols = np.nonzero(red)
    away = np.hypot(rows - 100, cols - 100)
    tip = away.argmax()
    angle = np.degrees(np.arctan2(cols[tip] - 100, 100 - rows[tip])) % 360
    assert angle == pytest.approx(36 * 6, abs=2)


def test_hello_greets_on_screen_and_in_text() -> None:
    run = play("hello", ["reader"])
    assert run.text == b"Hello, reader!\n"
    assert run.screen.shape == (96, 320, 4)
    other = play("hello")
    assert other.text == b"Hello, world!\n"
    assert not np.array_equal(run.screen, other.screen)
    long = play("hello", ["x" * 200])
    assert len(long.text) == 209
