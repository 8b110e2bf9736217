"""Digits: what it reads, by pictures that come and by what is drawn in it and in paint."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from pxos.boot.cli import main
from pxos.boot.events import Pointer
from pxos.fonts.palette import BY_NAME
from pxos.kernel.devices.keycodes import KEYS
from pxos.kernel.machine import png
from pxos.shell.traits import UNSEEN

from .desk import COL, ROW, Desk, shipped
from .playing import Run, play, stroke, tap

HERE = Path(__file__).parent
#: Digits as somebody draws them on a sheet 0 to 1 high and wide: strokes of (row, column).
DRAWN = {
    "0": [
        [(0.1, 0.5), (0.3, 0.25), (0.6, 0.25), (0.9, 0.5), (0.65, 0.75), (0.3, 0.75), (0.1, 0.5)]
    ],
    "1": [[(0.1, 0.5), (0.9, 0.5)]],
    "2": [[(0.3, 0.25), (0.1, 0.5), (0.3, 0.7), (0.6, 0.5), (0.9, 0.25), (0.9, 0.75)]],
    "3": [
        [(0.15, 0.3), (0.1, 0.55), (0.25, 0.7), (0.47, 0.5)],
        [(0.47, 0.5), (0.7, 0.7), (0.9, 0.5), (0.82, 0.28)],
    ],
    "4": [[(0.1, 0.55), (0.6, 0.25), (0.6, 0.8)], [(0.35, 0.6), (0.9, 0.6)]],
    "5": [[(0.1, 0.7), (0.1, 0.35), (0.45, 0.35), (0.5, 0.65), (0.75, 0.7), (0.9, 0.35)]],
    "7": [[(0.1, 0.25), (0.1, 0.75), (0.9, 0.4)]],
}
#: The sheet of paper in the app.
SHEET_AT, SHEET = 12, 192


@cache
def held_out() -> tuple[tuple[np.ndarray, ...], str]:
    """The digits that training held out, as pictures of 8 x 8, and what they are."""
    lines = (HERE / "held-out-digits.txt").read_text().splitlines()
    labels = "".join(line for line in lines if not line.startswith("#"))
    sheet = np.asarray(Image.open(HERE / "held-out-digits.png").convert("RGBA"))
    tiles = sheet.reshape(-1, 8, 20, 8, 4).swapaxes(1, 2).reshape(-1, 8, 8, 4)
    return tuple(tile.copy() for tile in tiles[: len(labels)]), labels


def read(pictures: list[np.ndarray], *words: str) -> str:
    """What the app reads in pictures, a character for each."""
    run = play("digits", words, [pictures], size=UNSEEN)
    assert len(run.said) == len(run.pictures) == len(pictures)
    return "".join(said.decode()[0] for said in run.said)


def accuracy(found: str, wanted: str) -> float:
    """The share that is right."""
    return sum(a == b for a, b in zip(found, wanted, strict=True)) / len(wanted)


def test_the_fifth_that_training_held_out() -> None:
    pictures, labels = held_out()
    assert len(pictures) == len(labels) == 359
    share = accuracy(read(list(pictures), "--cells"), labels)
    print(f"{share:.2%} of {len(labels)} held-out digits, by the machine")
    assert share >= 0.985


@pytest.mark.parametrize("light_on_dark", [False, True])
def test_the_same_as_photographs(light_on_dark: bool) -> None:
    """Enlarged, on a sheet of paper, of a colour, somewhere on it."""
    pictures, labels = held_out()
    rng = np.random.default_rng(1)
    ink, paper = np.array([40, 70, 160, 255]), np.array([244, 239, 230, 255])
    if light_on_dark:
        ink, paper = paper, ink
    sheets = []
    for picture in pictures[::4]:
        large = Image.fromarray(picture[..., 0]).resize((72, 72), Image.Resampling.BICUBIC)
        there = (1 - np.asarray(large, np.float64) / 255)[..., None]
        sheet = np.empty((130, 170, 4), np.uint8)
        sheet[...] = paper
        row, col = rng.integers(5, 50), rng.integers(5, 90)
        sheet[row : row + 72, col : col + 72] = np.rint(there * ink + (1 - there) * paper)
        sheets.append(sheet)
    assert accuracy(read(sheets), labels[::4]) >= 0.97


# ---- drawing ------------------------------------------------------------------------------------


def drawn(digit: str, frame: int = 3) -> list[tuple[int, Pointer]]:
    """The pointer drawing a digit on the sheet."""
    events: list[tuple[int, Pointer]] = []
    for line in DRAWN[digit]:
        points = [(int(SHEET_AT + y * SHEET), int(SHEET_AT + x * SHEET)) for y, x in line]
        events += stroke(frame, *points)  # type: ignore[arg-type]
        frame += len(points) + 2
    return events


def said(run: Run) -> str:
    """What it would hand on in text."""
    return bytes(run.value("said")).decode()


@pytest.mark.parametrize("digit", sorted(DRAWN))
def test_a_digit_that_is_drawn_is_read(digit: str) -> None:
    run = play("digits", frames=40, events=drawn(digit))
    assert said(run)[0] == digit, said(run)
    assert run.number("digit") == int(digit)


def test_one_watches_it_being_read() -> None:
    """Half a stroke is read as well; the greatest score is the yellow one, and clearing clears."""
    yellow = [*bytes.fromhex(BY_NAME["yellow"].hex.lstrip("#")), 255]
    seen, screens = [], []
    for frames in (2, 5, 40):
        run = play("digits", frames=frames, events=drawn("2"))
        seen.append(run.number("digit"))
        screens.append(run.screen)
        there = (run.screen == yellow).all(axis=2)[116:276, 240:420].any(axis=1)
        rows = np.flatnonzero(there) // 16
        assert set(rows.tolist()) == (set() if frames == 2 else {seen[-1]})
    assert seen[0] == -1
    assert seen[-1] == 2
    assert not np.array_equal(screens[1], screens[2])
    cleared = play("digits", frames=60, events=[*drawn("7"), *tap(45, "c")])
    assert cleared.number("digit") == -1


def test_enter_hands_on_the_picture_and_the_text() -> None:
    run = play("digits", frames=60, events=[*drawn("7"), *tap(45, KEYS["enter"])])
    assert run.text.startswith(b"7\n0 ")
    assert run.text.count(b"\n") == 11
    assert run.picture.shape == (288, 480, 4)


def test_on_the_desktop_one_draws_a_digit_and_watches_it_being_read(tmp_path: Path) -> None:
    desk = Desk(tmp_path, digits=shipped("digits"))
    desk.play(5)
    child = desk.start("digits")
    desk.play(5)
    (window,) = desk.windows()
    before = desk.content(window).copy()
    for line in DRAWN["7"]:
        points = [(SHEET_AT + y * SHEET, SHEET_AT + x * SHEET) for y, x in line]
        for y, x in points:
            desk.play(2, Pointer(int(window[ROW] + y), int(window[COL] + x), 1))
        desk.play(2, Pointer(int(window[ROW] + y), int(window[COL] + x), 0))
    desk.play(5, Pointer(2, 2))
    assert int(desk.value("digit", child).flat[0]) == 7
    assert (desk.content(window) != before).any()
    assert np.array_equal(desk.content(window), child.surface.picture)


# ---- commands -----------------------------------------------------------------------------------


@pytest.fixture
def my_digit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A 7 drawn in paint, saved with its S, in the working folder."""
    monkeypatch.chdir(tmp_path)
    events = [
        *tap(1, "b", "3"),
        *stroke(3, (90, 150), (90, 300), (270, 200)),
        *tap(15, "s"),
    ]
    run = play("paint", frames=30, events=events)
    path = tmp_path / "my-digit.png"
    path.write_bytes(png.encode(run.picture))
    return path


def test_run_names_the_digit_that_was_drawn_in_paint(
    my_digit: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    program = HERE.parents[1] / "apps" / "digits" / "digits.png"
    assert main(["run", str(program), "-i", "my-digit.png"]) == 0
    assert capfd.readouterr().out.startswith("7\n0 ")
    assert main(["run", "digits", "-i", "my-digit.png", "-o", "seen.png"]) == 0
    assert png.decode(Path("seen.png").read_bytes()).shape == (288, 480, 4)


def test_lines_of_the_shell_name_it(my_digit: Path, capfd: pytest.CaptureFixture[str]) -> None:
    assert main(["-c", "my-digit.png | digits > seen.png"]) == 0
    assert png.decode(Path("seen.png").read_bytes()).shape == (288, 480, 4)
    assert main(["-c", "digits my-digit.png > said.txt"]) == 0
    assert Path("said.txt").read_text().startswith("7\n0 ")
    assert main(["-c", "my-digit.png | invert | digits > said.txt"]) == 0
    assert Path("said.txt").read_text().startswith("7\n0 ")


def test_a_picture_without_a_digit(capfd: pytest.CaptureFixture[str]) -> None:
    blank = np.full((30, 30, 4), 255, np.uint8)
    run = play("digits", (), [[blank]], size=UNSEEN)
    assert run.text == b"no digit: the picture is empty\n"
    run = play("digits", ("--cells",), [[blank]], size=UNSEEN)
    assert run.text == b"no digit: --cells takes pictures of 8 x 8\n"
