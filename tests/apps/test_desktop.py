"""The desktop: launcher, windows, events, error cards."""

from __future__ import annotations

import random
from pathlib import Path

import numpy as np
import pytest

from pxos.boot.events import Key, Pointer
from pxos.fonts.palette import BY_NAME
from pxos.kernel.devices.keycodes import CTRL, KEYS
from pxos.kernel.grants import Grants
from pxos.kernel.machine import program as program_file

from .desk import APP, CARD, COL, COLS, LISTENER, PID, ROW, Desk, made, shipped

TITLE = 9  # rows above the content in which a press is on the title bar


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    desk = Desk(tmp_path, terminal=shipped("terminal"))
    desk.play(5)
    return desk


def colour(name: str) -> list[int]:
    """A colour of the palette as a pixel."""
    text = BY_NAME[name].hex
    return [*bytes.fromhex(text.lstrip("#")), 255]


def bar_colour(desk: Desk, window: np.ndarray) -> list[int]:
    """The colour of a title bar, just inside its left end."""
    return desk.screen[window[ROW] - 5, window[COL] + 2].tolist()


def pids(desk: Desk) -> list[int]:
    return desk.windows()[:, PID].tolist()


# ---- the launcher -------------------------------------------------------------------------------


def test_the_launcher_offers_programs_then_filters(desk: Desk) -> None:
    titles = [desk.title_of(place) for place in range(desk.value("offered").shape[1])]
    assert titles == ["Listener", "Mover", "Terminal", "Filter", "Parrot"]
    assert desk.number("programs") == 3


def test_arrows_and_letters_choose(desk: Desk) -> None:
    chosen = [desk.number("chosen")]
    for key in ("right", "right", "right", "right", "up", "left", "down", "home", "end"):
        desk.press(key)
        chosen.append(desk.number("chosen"))
    assert chosen == [0, 1, 2, 3, 4, 1, 0, 3, 0, 4]
    desk.press("M", 1)
    assert desk.title_of(desk.number("chosen")) == "Mover"
    desk.press("z")
    assert desk.title_of(desk.number("chosen")) == "Mover"


def test_enter_starts_the_chosen_one_in_a_window(desk: Desk) -> None:
    child = desk.start("listener")
    (window,) = desk.windows()
    assert window[PID] == child.pid
    assert not desk.number("at_home")
    assert np.array_equal(desk.content(window), child.surface.picture)
    assert bar_colour(desk, window) == colour("yellow")
    assert child.focused


def test_a_click_starts_what_is_clicked(desk: Desk) -> None:
    row, col = desk.value("tops")[0, 1], desk.value("lefts")[0, 1]
    desk.click(row + 20, col + 40)
    desk.play(5)
    (window,) = desk.windows()
    assert desk.child(window[PID]).name == "mover"


def test_a_filter_is_explained_in_a_terminal(desk: Desk) -> None:
    child = desk.start("filter")
    desk.play(20)
    assert child.name == "terminal"
    assert b"does nothing, gladly" in written(desk, child)


def written(desk: Desk, terminal) -> bytes:
    """What a terminal's scrollback says, in ASCII."""
    cells = desk.value("written", terminal) & 0xFFFF
    return b"\n".join(bytes(np.minimum(row, 127).astype(np.uint8)).rstrip(b"\0") for row in cells)


def test_sixteen_windows_are_the_most(desk: Desk) -> None:
    for _ in range(18):
        desk.start("listener")
    assert len(desk.windows()) == 16
    assert len(desk.process.children) == 16
    assert len({tuple(w[[ROW, COL]].tolist()) for w in desk.windows()}) == 16


# ---- windows ------------------------------------------------------------------------------------


def test_windows_follow_their_programs_and_rest_when_nothing_changes(desk: Desk) -> None:
    child = desk.start("mover")
    before = desk.process.surface.serial
    for _ in range(5):
        desk.play(1)
        assert np.array_equal(desk.content(desk.windows()[0]), child.surface.picture)
    assert desk.process.surface.serial == before + 5
    desk.press("f4")
    desk.start("listener")
    desk.play(5)
    before = desk.process.surface.serial
    desk.play(50)
    assert desk.process.surface.serial == before


def test_the_launcher_comes_and_goes_while_programs_go_on(desk: Desk) -> None:
    child = desk.start("mover")
    for key, modifiers in (("escape", 0), ("f3", 0), ("home", CTRL)):
        desk.press(key, modifiers)
        assert desk.number("at_home") == 1
        serial = child.surface.serial
        desk.play(10)
        assert child.surface.serial >= serial + 9
        desk.press("escape")
        assert desk.number("at_home") == 0
    desk.click(8, 20)
    assert desk.number("at_home") == 1
    desk.click(8, 60)
    assert desk.number("at_home") == 0


@pytest.mark.parametrize(
    ("key", "modifiers"),
    [
        ("f2", 0),
        ("tab", CTRL),
        ("tab", 4),
        ("right", CTRL),
        ("left", CTRL),
    ],
)
def test_keys_switch_windows(desk: Desk, key: str, modifiers: int) -> None:
    a, b, c = (desk.start("listener").pid for _ in range(3))
    order = [(b, c, a), (c, a, b)] if key != "left" else [(c, a, b), (b, c, a)]
    for expected in order:
        desk.press(key, modifiers)
        assert pids(desk) == list(expected)
        assert [p for p in (a, b, c) if desk.child(p).focused] == [expected[-1]]


def test_a_click_brings_a_window_to_the_front(desk: Desk) -> None:
    first, second = desk.start("listener").pid, desk.start("listener").pid
    back = desk.windows()[0]
    assert bar_colour(desk, back) == colour("slate")
    desk.click(back[ROW] - TITLE, back[COL] + 30)
    assert pids(desk) == [second, first]
    assert bar_colour(desk, back) == colour("yellow")
    desk.click(8, (7 + 16 + 4) * 8)
    assert pids(desk) == [first, second]


def test_a_window_is_dragged_by_its_title_bar(desk: Desk) -> None:
    child = desk.start("listener")
    window = desk.windows()[0].copy()
    behind = desk.screen.copy()
    at = np.array([window[ROW] - TITLE, window[COL] + 30])
    desk.play(1, Pointer(*at, 1))
    for step in range(1, 6):
        desk.play(1, Pointer(*(at + step * np.array([10, -20])), 1))
    assert bar_colour(desk, desk.windows()[0]) == colour("orange")
    desk.play(3, Pointer(*np.add(at, [50, -100])))
    moved = desk.windows()[0]
    assert (moved - window)[[ROW, COL]].tolist() == [50, -100]
    assert np.array_equal(desk.content(moved)[16:], child.surface.picture[16:]), "below the pointer"
    assert not np.array_equal(desk.content(window), child.surface.picture)
    assert bar_colour(desk, moved) == colour("yellow")
    assert np.array_equal(behind[320:], desk.screen[320:])
    desk.play(1, Pointer(*np.add(at, [50, -100]), 1))
    desk.play(2, Pointer(4000, 9000, 1), Pointer(4000, 9000))
    assert desk.windows()[0][[ROW, COL]].tolist() == [392, 600]
    assert not child.ended


def test_closing(desk: Desk) -> None:
    for close in ("cross", "f4", "ctrl+w"):
        child = desk.start("listener")
        window = desk.windows()[0]
        cross = window[ROW] - TITLE, window[COL] + window[COLS] - 12
        if close == "cross":
            desk.play(1, Pointer(*cross, 1))
            desk.play(1, Pointer(cross[0], cross[1] - 60, 1), Pointer(cross[0], cross[1] - 60))
            assert not child.ended, "released beside the cross"
            desk.click(*cross)
        elif close == "f4":
            desk.press("f4")
        else:
            desk.press("w", CTRL)
        assert child.ended
        assert child.pid not in desk.kernel.processes
        assert len(desk.windows()) == 0
        assert desk.number("at_home") == 1


def test_control_w_in_a_terminal_deletes_a_word(desk: Desk) -> None:
    child = desk.start("terminal")
    desk.type("echo one two")
    desk.press("w", CTRL)
    assert not child.ended
    assert desk.value("typed", child).tolist() == [list(b"echo one ")]


def test_a_program_that_ends_takes_its_window_along(desk: Desk) -> None:
    desk.start("listener")
    desk.start("mover")
    desk.press("f2")
    desk.press("q", frames=6)
    assert len(desk.windows()) == len(desk.process.children) == 1


def test_a_program_that_fails_leaves_a_card(desk: Desk) -> None:
    mover, child = desk.start("mover"), desk.start("listener")
    desk.press("f", frames=6)
    assert child.exit is not None
    assert child.exit.kind == "fault"
    window = desk.windows()[-1]
    assert window[PID] == child.pid
    assert window[CARD] == 1
    card = desk.content(window)
    assert card.shape[0] > 120
    reds = (card == colour("red")).all(-1)
    assert reds[16:32].sum() > 200, "the headline"
    assert not reds[64:].any()
    serial = mover.surface.serial
    desk.play(10)
    assert mover.surface.serial > serial + 8
    assert np.array_equal(card, desk.content(window))
    desk.press("f4")
    assert child.pid not in desk.kernel.processes


def test_a_program_that_cannot_be_read_says_so_when_it_is_started(tmp_path: Path) -> None:
    desk = Desk(tmp_path, damaged=made(LISTENER)[:-4] + b"oops")
    desk.play(5)
    titles = [desk.title_of(place) for place in range(desk.value("offered").shape[1])]
    assert titles == ["damaged", "Listener", "Mover", "Filter", "Parrot"]
    desk.press("enter", frames=6)
    (window,) = desk.windows()
    assert window[CARD] == 1
    assert (desk.content(window) == colour("red")).all(-1).sum() > 200


# ---- events -------------------------------------------------------------------------------------


def test_keys_go_to_the_window_in_front_alone(desk: Desk) -> None:
    first, second = desk.start("listener"), desk.start("listener")
    desk.press("a")
    desk.press("up", 1)
    desk.press("f2")
    desk.press("b")
    downs = [[row[0] for row in desk.value("keys_", p).tolist() if row[1]] for p in (first, second)]
    assert downs == [[ord("b")], [ord("a"), KEYS["up"]]]
    desk.press("f3")
    desk.press("c")
    assert ord("c") not in desk.value("keys_", first)[:, 0]


def test_pointer_events_are_in_the_windows_own_pixels(desk: Desk) -> None:
    child = desk.start("listener")
    row, col = desk.windows()[0][[ROW, COL]].tolist()
    desk.play(
        2,
        Pointer(row + 3, col + 5),
        Pointer(row + 7, col + 9, 1),
        Pointer(row - 30, col + 300, 1),
        Pointer(row - 30, col + 300),
        Pointer(row - 30, 600),
    )
    desk.play(2, Pointer(row + 1, col + 1, 1 << 8))
    points = desk.value("points", child)[:, :3].tolist()
    assert points == [[3, 5, 0], [7, 9, 1], [-30, 300, 1], [-30, 300, 0], [1, 1, 256]]


def test_a_program_started_by_a_line_gets_a_window(desk: Desk) -> None:
    program = program_file.load(made(LISTENER))
    process = desk.kernel.spawn(program, "x", grants=Grants.of(program.meta))
    process.title = "Übung"
    process.parent = desk.process
    desk.process.children[process.pid] = process
    desk.process.notify_children_changed()
    desk.play(4)
    (window,) = desk.windows()
    assert window[APP] == -1
    title = desk.value("captions")[0].tobytes().rstrip(b"\0")
    assert title == "Übung".encode("latin-1")


def test_another_screen_size(desk: Desk) -> None:
    desk.start("listener")
    desk.process.surface.rows, desk.process.surface.cols = 200, 320
    desk.play(3)
    assert desk.screen.shape == (200, 320, 4)
    assert desk.windows()[0][ROW] <= 192
    shown = desk.content(desk.windows()[0])[:10]
    assert shown.shape[1] > 20
    picture = desk.child(pids(desk)[0]).surface.picture
    assert np.array_equal(shown, picture[:10, : shown.shape[1]])


@pytest.mark.parametrize("seed", range(3))
def test_no_input_stops_the_desktop(tmp_path: Path, seed: int) -> None:
    chance = random.Random(seed)
    print("seed", seed)
    desk = Desk(tmp_path, terminal=shipped("terminal"))
    keys = [*KEYS.values(), *range(32, 127)]
    likely = [KEYS[name] for name in ("enter", "f2", "f3", "f4", "right", "down")]
    for _ in range(60):
        events: list[Key | Pointer] = []
        for _ in range(chance.randrange(6)):
            if chance.random() < 0.5:
                code = chance.choice(keys if chance.random() < 0.5 else likely)
                events.append(Key(code, chance.randrange(3), chance.choice([0, 0, 1, 2, 4])))
            else:
                events.append(
                    Pointer(
                        chance.randrange(-50, 450),
                        chance.randrange(-50, 700),
                        chance.choice([0, 1, 1, 2, 1 << 8, -1 << 8]),
                    )
                )
        desk.play(2, *events)
    assert not desk.process.ended
