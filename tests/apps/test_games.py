"""Snake and breakout, played."""

from __future__ import annotations

import numpy as np
import pytest

from pxos.kernel.devices.keycodes import KEYS
from pxos.kernel.machine import program as program_file

from .pilots import ONE, apple_seeker, bat_keeper
from .playing import Run, click, hold, play, tap

UP, DOWN, LEFT, RIGHT = (KEYS[name] for name in ("up", "down", "left", "right"))


# ---- snake -------------------------------------------------------------------------------------


def body(run: Run) -> list[list[int]]:
    return run.value("body").tolist()


def test_snake_goes_right_by_itself_and_grows_to_its_length() -> None:
    run = play("snake", frames=60)
    assert body(run) == [[13, col] for col in range(20, 13, -1)]
    assert not run.number("over")


@pytest.mark.parametrize(
    ("keys", "way"),
    [
        ([UP], (-1, 0)),
        (["w"], (-1, 0)),
        ([DOWN], (1, 0)),
        (["s"], (1, 0)),
        ([UP, LEFT], (0, -1)),
        (["w", "a"], (0, -1)),
        (["s", "d"], (0, 1)),
        ([DOWN, RIGHT], (0, 1)),
    ],
)
def test_snake_turns(keys: list[int | str], way: tuple[int, int]) -> None:
    run = play("snake", frames=60, events=tap(30, *keys))
    assert run.value("went").tolist() == [list(way)]


def test_snake_does_not_turn_back() -> None:
    run = play("snake", frames=60, events=tap(20, LEFT))
    assert run.value("went").tolist() == [[0, 1]]
    assert not run.number("over")


def test_snake_eats_and_grows() -> None:
    run = play("snake", frames=500, seed=3, pilot=apple_seeker)
    eaten = run.number("score") // 10
    assert eaten >= 3
    assert len(body(run)) + run.number("grow") == 7 + 3 * eaten
    assert len({tuple(part) for part in body(run)}) == len(body(run))
    assert run.value("apple").tolist()[0] not in body(run)


def test_snake_dies_at_the_wall_and_starts_again() -> None:
    run = play("snake", frames=300)
    assert run.number("over")
    assert body(run)[0] == [13, 39]
    again = play("snake", frames=320, events=tap(300, " "))
    assert not again.number("over")
    assert body(again)[0][1] < 20
    assert again.number("score") == 0


def test_snake_dies_of_itself() -> None:
    run = play("snake", frames=100, events=tap(60, DOWN, LEFT, UP))
    assert run.number("over")
    assert 0 < body(run)[0][1] < 39


def test_snake_keeps_the_best_score() -> None:
    def player(run: Run) -> None:
        if run.process.surface.serial < 400:
            apple_seeker(run)
        elif run.number("over"):
            run.press(" ")

    run = play("snake", frames=900, seed=3, pilot=player)
    assert run.number("best") >= 30
    assert run.number("score") < run.number("best")


def test_snake_pauses() -> None:
    held = play("snake", frames=200, events=tap(30, " "))
    assert body(held) == body(play("snake", frames=29))
    assert body(play("snake", frames=200, events=tap(30, " ") + tap(190, " "))) != body(held)


def test_a_full_board_ends_the_game() -> None:
    """A snake everywhere but on the last apple, one step away from it: set up in a checkpoint."""
    run = play("snake", frames=3)
    path = [(r, c) for r in range(26) for c in (range(39, -1, -1) if r % 2 else range(40))]
    memory = run.process.memory
    assert memory is not None
    names = run.process.meta.names

    def put(name: str, values: list[tuple[int, ...]]) -> None:
        row = memory.header(names.index(name)).row
        start = memory.data_addr(row)
        data = np.array(values, np.int32)
        memory.ints[start : start + data.size] = data.ravel()
        memory.set_shape(row, *data.shape)

    put("body", path[-2::-1])
    put("apple", [path[-1]])
    way = (path[-1][0] - path[-2][0], path[-1][1] - path[-2][1])
    put("go", [way])
    put("went", [way])
    resumed = program_file.load(program_file.checkpoint(memory))
    end = play("snake", frames=30, program=resumed)
    assert end.number("score") == 10
    assert end.number("over")
    assert len(body(end)) == 26 * 40


# ---- breakout ----------------------------------------------------------------------------------


def bricks(run: Run) -> np.ndarray:
    return run.value("bricks")


def test_breakout_waits_for_the_serve() -> None:
    run = play("breakout", frames=60)
    assert not run.number("flying")
    assert bricks(run).sum() == 70
    assert run.number("x") == (run.number("bat") + 21) * ONE


@pytest.mark.parametrize(("code", "way"), [(LEFT, -1), (RIGHT, 1)])
def test_breakout_bat_moves_with_the_keys_and_stays_inside(code: int, way: int) -> None:
    start = play("breakout", frames=5).number("bat")
    assert play("breakout", frames=30, events=hold(10, 14, code)).number("bat") == start + way * 20
    end = play("breakout", frames=120, events=hold(10, 110, code)).number("bat")
    assert end == (0 if way < 0 else 320 - 48)


def test_breakout_bat_follows_the_mouse_and_a_click_serves() -> None:
    run = play("breakout", frames=12, events=click(8, 100, 90))
    assert run.number("bat") == 90 - 24
    assert run.number("flying")


def test_breakout_a_brick_goes_and_scores() -> None:
    run = play("breakout", frames=120, events=tap(5, " "))
    assert bricks(run).sum() == 69
    assert bricks(run)[6].sum() == 9
    assert run.number("score") == 10


def test_breakout_a_lost_ball_and_the_end() -> None:
    run = play("breakout", frames=400, events=tap(5, " ") + hold(6, 200, LEFT))
    assert (run.number("balls"), run.number("flying"), run.number("over")) == (2, 0, 0)

    ends: list[tuple[int, int, int]] = []

    def careless(run: Run) -> None:
        """Serves and never moves; after the end, plays again and leaves it at that."""
        run.point(200, 0)
        if run.process.surface.serial < 3 or ends:
            return
        if run.number("over"):
            ends.append((run.number("balls"), run.number("best"), run.number("score")))
        if not run.number("flying"):
            run.press(" ")

    run = play("breakout", frames=900, pilot=careless)
    [(balls, best, score)] = ends
    assert (balls, best) == (0, score)
    assert score > 0
    assert (run.number("balls"), run.number("over"), run.number("score")) == (3, 0, 0)
    assert run.number("best") == best
    assert bricks(run).sum() == 70


def test_breakout_the_ball_stays_in_and_the_bricks_are_what_is_scored() -> None:
    def player(run: Run) -> None:
        bat_keeper(run)
        if run.process.surface.serial > 2:
            assert 0 <= run.number("x") <= (320 - 6) * ONE
            assert run.number("y") >= 24 * ONE
            gone = (1 - bricks(run)).sum(1)
            assert run.number("score") == sum((7 - row) * 10 * gone[row] for row in range(7))

    run = play("breakout", frames=500, pilot=player)
    assert run.number("score") > 100
    assert run.number("balls") == 3


def test_breakout_pauses() -> None:
    held = play("breakout", frames=100, events=tap(5, " ") + tap(30, "p"))
    before = play("breakout", frames=29, events=tap(5, " "))
    assert (held.value("y"), held.value("x")) == (before.value("y"), before.value("x"))
    on = play("breakout", frames=100, events=tap(5, " ") + tap(30, "p") + tap(90, "p"))
    assert on.value("y") != held.value("y")
