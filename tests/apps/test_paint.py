"""Paint, with strokes of the mouse: what is on the canvas, undone, picked, saved."""

from __future__ import annotations

import itertools
from collections import deque
from pathlib import Path

import numpy as np
import pytest

from pxos.boot.events import Pointer
from pxos.boot.host import decode_or_none
from pxos.fs.sandbox import SandboxFolder
from pxos.kernel.devices.keycodes import CTRL, KEYS
from pxos.kernel.machine import png

from ..pictures import photograph
from .playing import Events, Run, click, play, stroke, tap

INK, PAPER, RED = (0x15, 0x13, 0x1F), (0xF4, 0xEF, 0xE6), (0xE5, 0x52, 0x6F)
PANEL = 64
#: A place in the swatch of red: number 6 of four in a row.
RED_AT = 113 + 16 + 8, 2 * 16 + 8
BUTTON = {
    name: 197 + 8 + 17 * i for i, name in enumerate(["undo", "again", "clear", "save", "done"])
}


def paint(events: Events, picture: np.ndarray | None = None, *, frames: int = 60) -> Run:
    return play("paint", [], [] if picture is None else [[picture]], frames=frames, events=events)


def canvas(run: Run) -> np.ndarray:
    return run.value("canvas")


def inked(run: Run, colour: tuple[int, int, int] = INK) -> np.ndarray:
    return (canvas(run)[..., :3] == colour).all(-1)


def disc(wide: int) -> np.ndarray:
    far = (2 * np.arange(wide) - wide + 1) ** 2
    return far[:, None] + far[None, :] <= wide * wide - wide


def test_begins_with_a_sheet_of_paper() -> None:
    run = paint([])
    assert canvas(run).shape == (304 - 16, 480 - PANEL, 4)
    assert inked(run, PAPER).all()
    assert np.array_equal(run.screen[:288, PANEL:], canvas(run))


def test_a_click_makes_a_dot() -> None:
    for key, wide in zip("1234", (2, 4, 8, 14), strict=True):
        mask = inked(paint(tap(2, key) + click(4, 100, PANEL + 200)))
        expected = np.zeros_like(mask)
        top, left = 100 - wide // 2, 200 - wide // 2
        expected[top : top + wide, left : left + wide] = disc(wide)
        assert np.array_equal(mask, expected)


@pytest.mark.parametrize(
    "points",
    [
        [(20, 80), (250, 460)],
        [(250, 460), (20, 80)],
        [(100, 70), (101, 470)],
        [(5, 300), (280, 299)],
        [(50, 100), (50, 100)],
        [(20, 80), (250, 200), (30, 300), (200, 470)],
    ],
)
def test_a_fast_stroke_has_no_gaps(points: list[tuple[int, int]]) -> None:
    mask = inked(paint(stroke(4, *points)))
    for (r0, c0), (r1, c1) in itertools.pairwise(points):
        for t in np.linspace(0, 1, 2000):
            row, col = round(r0 + t * (r1 - r0)), round(c0 + t * (c1 - c0)) - PANEL
            assert mask[row, col], (row, col)
    # And nothing else: all ink is within a brush's width of the lines.
    rows, cols = np.nonzero(mask)
    spots = np.array(
        [
            (r0 + t * (r1 - r0), c0 - PANEL + t * (c1 - c0))
            for (r0, c0), (r1, c1) in itertools.pairwise(points)
            for t in np.linspace(0, 1, 500)
        ]
    )
    away = np.hypot(rows[:, None] - spots[:, 0], cols[:, None] - spots[:, 1]).min(1)
    assert away.max() <= 4


def test_events_of_one_frame_are_one_stroke() -> None:
    events = [(4, Pointer(50, 100, 1)), (4, Pointer(90, 180, 1)), (4, Pointer(50, 260, 0))]
    assert np.array_equal(canvas(paint(events)), canvas(paint(stroke(4, (50, 100), (90, 180)))))


def test_moving_without_a_button_paints_nothing() -> None:
    assert not inked(paint([(4, Pointer(50, 100)), (5, Pointer(90, 200))])).any()


def test_a_stroke_that_began_on_the_tools_or_the_status_line_paints_nothing() -> None:
    events = stroke(4, (60, 8), (100, 200)) + stroke(8, (295, 200), (100, 300))
    assert not inked(paint(events)).any()


def test_strokes_leave_and_enter_the_canvas() -> None:
    mask = inked(paint(stroke(4, (5, 100), (-30, 200), (5, 300), (5, 900), (150, 900), (150, 300))))
    assert mask[5, 100 - PANEL]
    assert mask[5, 300 - PANEL]
    assert mask[150, -1]


def test_colours_from_the_palette_and_from_the_picture() -> None:
    run = paint(click(2, *RED_AT) + stroke(4, (50, 100), (50, 200)))
    assert inked(run, RED).any()
    assert not inked(run).any()
    photo = photograph(90, 120)
    top, left = (288 - 90) // 2, (416 - 120) // 2
    events = click(2, top + 10, PANEL + left + 20, button=4) + click(5, top + 70, PANEL + left + 60)
    run = paint(events, photo)
    assert canvas(run)[70, 60].tolist() == photo[10, 20].tolist() == run.value("ink")[0, 0].tolist()


def test_lines_and_rectangles_follow_the_pointer_until_it_is_let_go() -> None:
    line = paint(tap(2, "l") + stroke(4, (50, 100), (200, 120), (80, 300)))
    assert np.array_equal(canvas(line), canvas(paint(stroke(4, (50, 100), (80, 300)))))
    box = inked(paint(tap(2, "r", "1") + stroke(4, (60, 110), (150, 400), (200, 300))))
    expected = np.zeros_like(box)
    expected[59:201, 45:237] = True
    expected[61:199, 47:235] = False
    assert np.array_equal(box, expected)


def test_the_eraser_brings_back_what_was_there() -> None:
    photo = photograph(288, 416)
    painted = stroke(4, (50, 100), (200, 400))
    assert not np.array_equal(canvas(paint(painted, photo)), photo)
    wiped = paint(painted + tap(10, "e", "4") + stroke(12, (50, 100), (200, 400)), photo)
    assert np.array_equal(canvas(wiped), photo)
    beside = paint(tap(2, "e", "4") + stroke(4, (-9, 70), (-9, 400), (100, 900)), photo)
    assert np.array_equal(canvas(beside), photo)


def flooded(picture: np.ndarray, row: int, col: int) -> np.ndarray:
    """The pixels connected with one, by a queue."""
    colour = picture[row, col].copy()
    reached = np.zeros(picture.shape[:2], bool)
    reached[row, col] = True
    queue = deque([(row, col)])
    while queue:
        y, x = queue.popleft()
        for near in ((y - 1, x), (y + 1, x), (y, x - 1), (y, x + 1)):
            if (
                0 <= near[0] < picture.shape[0]
                and 0 <= near[1] < picture.shape[1]
                and not reached[near]
                and (picture[near] == colour).all()
            ):
                reached[near] = True
                queue.append(near)
    return reached


@pytest.mark.parametrize("seed", range(4))
def test_fill_reaches_what_is_connected(seed: int) -> None:
    """Mazes of noise, on which a flood has many turns."""
    dice = np.random.default_rng(seed)
    maze = np.where(dice.random((40, 60, 1)) < 0.62, PAPER, INK).astype(np.uint8)
    maze = np.dstack([maze, np.full((40, 60), 255, np.uint8)])
    row, col = 20, 30
    top, left = (288 - 40) // 2, (416 - 60) // 2
    run = paint(click(2, *RED_AT) + tap(3, "f") + click(5, top + row, PANEL + left + col), maze)
    assert np.array_equal(inked(run, RED), flooded(maze, row, col))


def test_undo_goes_back_step_by_step_and_again_forth() -> None:
    strokes = [stroke(4 + 3 * i, (20 + 20 * i, 100), (20 + 20 * i, 300)) for i in range(6)]
    states = [canvas(paint([e for s in strokes[:n] for e in s], frames=25)) for n in range(7)]
    everything: Events = [e for s in strokes for e in s]
    for back, forth in ((1, 0), (3, 1), (6, 2), (9, 0), (9, 20), (0, 3)):
        run = paint([*everything, *tap(30, "u" * back), *tap(35, "a" * forth)], frames=40)
        assert np.array_equal(canvas(run), states[min(max(6 - back, 0) + forth, 6)]), (back, forth)
    # A new stroke after undoing ends what could be done again.
    run = paint(
        [
            *everything,
            *tap(30, "uuu"),
            *stroke(33, (200, 100), (220, 300)),
            *tap(40, "aaa"),
            *tap(42, "u"),
        ]
    )
    assert np.array_equal(canvas(run), states[3])


def test_more_strokes_than_are_kept() -> None:
    many = [e for i in range(12) for e in stroke(4 + 3 * i, (20 + 20 * i, 100), (20 + 20 * i, 300))]
    run = paint([*many, *tap(45, "u" * 12)])
    assert inked(run)[[20 + 20 * i for i in range(12)], 100].tolist() == [True] * 4 + [False] * 8


def test_undo_by_control_z_by_the_button_and_of_clear() -> None:
    drawn = stroke(4, (50, 100), (200, 400))
    assert not inked(paint([*drawn, *tap(10, "z", modifiers=CTRL)])).any()
    assert inked(paint([*drawn, *tap(10, "z")])).any()
    assert not inked(paint([*drawn, *click(10, BUTTON["undo"], 30)])).any()
    assert not inked(paint([*drawn, *tap(10, "c")])).any()
    assert inked(paint([*drawn, *tap(10, "cu")])).any()
    assert inked(paint([*drawn, *tap(10, "zyu"[:2], modifiers=CTRL)])).any()


def test_save_hands_the_picture_on_and_done_ends() -> None:
    drawn = stroke(4, (50, 100), (200, 400))
    run = paint([*drawn, *tap(10, "s")])
    assert not run.process.exit or run.process.exit.kind == "killed"
    assert np.array_equal(run.picture, canvas(run))
    run = paint(
        [*drawn, *click(10, BUTTON["save"], 30), *stroke(15, (20, 80), (20, 300)), *tap(20, "d")]
    )
    assert run.process.exit is not None
    assert (run.process.exit.kind, run.process.exit.status) == ("halted", 0)
    assert len(run.pictures) == 2
    assert (run.pictures[0] != run.pictures[1]).any()


def test_a_picture_that_came_in_is_painted_on_and_saved_in_its_size() -> None:
    photo = photograph(90, 120)
    run = paint([*stroke(4, (144, PANEL), (144, 479)), *tap(10, "d")], photo)
    assert run.picture.shape == photo.shape
    changed = (run.picture != photo).any(-1)
    assert changed[45].all()
    assert not changed[:42].any()


def test_a_large_picture_is_moved_by_the_arrows() -> None:
    photo = photograph(600, 800)
    assert np.array_equal(paint([], photo).screen[:288, PANEL:], photo[:288, :416])
    moved = paint(tap(4, KEYS["down"], KEYS["right"], KEYS["right"]), photo)
    assert np.array_equal(moved.screen[:288, PANEL:], photo[32:320, 64:480])
    end = paint(tap(4, *[KEYS["down"], KEYS["right"]] * 30), photo)
    assert np.array_equal(end.screen[:288, PANEL:], photo[-288:, -416:])
    dot = paint(tap(4, KEYS["down"]) + click(8, 100, PANEL + 100), photo)
    changed = (canvas(dot) != photo).any(-1)
    assert changed[132, 100]
    assert changed.sum() <= 16


def test_files_when_they_are_granted(tmp_path: Path) -> None:
    folder = SandboxFolder(tmp_path, decode_or_none)
    events = [*stroke(4, (50, 100), (200, 400)), *tap(10, "d")]
    first = play("paint", ["drawing.png"], frames=30, events=events, allow=["files"], folder=folder)
    saved = png.decode((tmp_path / "drawing.png").read_bytes())
    assert np.array_equal(saved, first.picture)
    again = play("paint", ["drawing.png"], frames=30, allow=["files"], folder=folder)
    assert np.array_equal(canvas(again), saved)


def test_files_that_are_not_granted_end_it_at_once() -> None:
    with pytest.raises(AssertionError, match="port not granted"):
        play("paint", ["drawing.png"], frames=30)


def test_a_file_that_is_no_picture_is_said_to_be_none(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("not a picture, and not four times as long")
    folder = SandboxFolder(tmp_path, decode_or_none)
    run = play(
        "paint", ["notes.txt"], frames=30, allow=["files"], folder=folder, events=tap(10, "s")
    )
    assert inked(run, PAPER).all()
    assert (tmp_path / "notes.txt").read_text().startswith("not a picture")


def test_any_window_will_do() -> None:
    for size in ((1, 1), (40, 100), (700, 1000)):
        run = play("paint", frames=20, size=size, events=stroke(4, (5, 70), (30, 90)))
        assert run.screen.shape == (*size, 4)
