"""Glyphs: pictures of text that come and go, what it refuses, what is seen of it."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from pathlib import Path

import numpy as np
import pytest

from pxos.boot.cli import main
from pxos.fonts.atlas import load_glyphs
from pxos.fonts.palette import BY_NAME
from pxos.kernel.devices.keycodes import KEYS
from pxos.kernel.machine import png
from pxos.shell.lenses.assembler import assemble
from pxos.shell.traits import UNSEEN

from ..pictures import photograph
from .playing import APPS, Run, play, tap

ENTER = KEYS["enter"]
#: Numbers of ``now``.
CELLS, ODD = 0, 7
FONT = np.array(load_glyphs("pxos-8x16"))
#: What seed 7 makes of "ROMEO:" at temperature 0.8.
VERSE = """\
ROMEO:
My lord, I thank your commun"""


def text(words: str, *options: str) -> np.ndarray:
    """The picture that the app text makes."""
    return play("text", (words, *options)).picture


def glyphs(picture: np.ndarray, *words: str, seed: int = 1) -> Run:
    """It reads a picture where nobody sees its screen."""
    return play("glyphs", words, [[picture]], size=UNSEEN, seed=seed)


def read(page: np.ndarray) -> str:
    """The text on a page with a margin of 8, by the pictures of its letters."""
    ink = (page != page[0, 0]).any(axis=2)[8:-8, 8:-8]
    rows, columns = ink.shape[0] // 16, ink.shape[1] // 8
    cells = ink.reshape(rows, 16, columns, 8).transpose(0, 2, 1, 3)
    there = {FONT[code].tobytes(): chr(code) for code in range(126, 31, -1)}
    found = ("".join(there.get(cell.tobytes(), "\0") for cell in row) for row in cells)
    return "\n".join(line.rstrip() for line in found)


def lines(run: Run) -> str:
    """The text on the screen, without what is only expected."""
    return read(run.screen[0:208, 0:528]).rstrip("\0\n ")


@cache
def written(words: str, *options: str) -> str:
    return read(glyphs(text(words), *options).picture)


# ---- from a picture to a picture -----------------------------------------------------------------


def test_it_writes_on() -> None:
    assert written("ROMEO:", "--count", "29", "--seed", "7") == VERSE


def test_the_same_seed_gives_the_same_page_and_another_another() -> None:
    assert written("ROMEO:", "--count", "29", "--seed", "8") != VERSE
    first, again, other = (
        read(glyphs(text("ROMEO:"), "--count", "20", seed=n).picture) for n in (1, 1, 2)
    )
    assert first == again != other


def test_temperature_0_needs_no_chance() -> None:
    first, other = (
        glyphs(text("ROMEO:"), "--count", "9", "--temperature", "0", seed=n).picture for n in (1, 2)
    )
    assert np.array_equal(first, other)


def test_nothing_to_write_hands_on_what_was_read() -> None:
    poem = "To be, or not\n\n  to be: that  is"
    assert written(poem, "--count", "0") == "To be, or not\n\n  to be: that  is"


@pytest.mark.parametrize("margin", ["0", "3", "8", "40"])
def test_margins_do_not_matter(margin: str) -> None:
    page = glyphs(text("ROMEO:", "--margin", margin), "--count", "29", "--seed", "7").picture
    assert read(page) == VERSE


def test_text_anywhere_in_a_picture_of_any_size() -> None:
    page = np.pad(text("ROMEO:"), ((5, 2), (11, 3), (0, 0)), mode="edge")[:, :-8]
    assert read(glyphs(page, "--count", "29", "--seed", "7").picture) == VERSE


def test_the_page_keeps_the_colours_of_the_picture() -> None:
    ink, paper = "ink", "paper"
    picture = text("ROMEO:", "--colour", ink, "--background", paper)
    page = glyphs(picture, "--count", "29", "--seed", "7").picture
    assert read(page) == VERSE
    there = {tuple(pixel) for pixel in page.reshape(-1, 4).tolist()}
    colours = (BY_NAME[name] for name in (ink, paper))
    assert there == {(colour.red, colour.green, colour.blue, 255) for colour in colours}


def test_ink_of_several_colours_is_ink() -> None:
    picture = text("ROMEO:")
    paper = picture[0, 0].copy()
    picture[:, 30:][(picture[:, 30:] != paper).any(axis=2)] = (1, 2, 3, 255)
    assert read(glyphs(picture, "--count", "29", "--seed", "7").picture) == VERSE


def test_of_a_long_page_the_end_counts() -> None:
    end = "\n".join(["the same lines again and again"] * 10)
    pages = [written(start + end, "--count", "12", "--seed", "3") for start in ("", "KING:\n" * 9)]
    assert pages[1] == "KING:\n" * 9 + pages[0]


def test_it_goes_on_beyond_its_context() -> None:
    page = written("ROMEO:", "--count", "300", "--seed", "7")
    assert page.startswith(VERSE)
    assert len(page) > 280


def test_letters_that_it_never_learnt_are_read_by_their_look() -> None:
    """An é is no letter of the plays, but it looks much like an e."""
    seen, known = (text(words) for words in ("Romé", "Rome"))
    first, other = (
        glyphs(picture, "--count", "9", "--temperature", "0").picture for picture in (seen, known)
    )
    assert np.array_equal(first[:, 40:], other[:, 40:])


# ---- what it refuses -----------------------------------------------------------------------------


def blank() -> np.ndarray:
    return np.full((40, 60, 4), 255, np.uint8)


def half_a_row() -> np.ndarray:
    """The second line stands four pixels too low."""
    page = text("ROMEO:\nJULIET:")
    return np.concatenate([page[:24], np.repeat(page[:1], 4, axis=0), page[24:]])


NO_TEXT, EMPTY, TOO_LARGE = 1, 2, 3


@pytest.mark.parametrize(
    ("make", "odd"),
    [
        pytest.param(lambda: photograph(60, 80), NO_TEXT, id="a photo"),
        pytest.param(lambda: text("ROMEO:", "--size", "8"), NO_TEXT, id="the small font"),
        pytest.param(lambda: text("ROMEO:").repeat(2, axis=0), NO_TEXT, id="twice as tall"),
        pytest.param(half_a_row, NO_TEXT, id="off the grid"),
        pytest.param(blank, EMPTY, id="blank"),
        pytest.param(lambda: blank()[:1, :1], EMPTY, id="a pixel"),
        pytest.param(lambda: np.zeros((4097, 4096, 4), np.uint8), TOO_LARGE, id="huge"),
    ],
)
def test_what_is_no_text_is_refused(make: Callable[[], np.ndarray], odd: int) -> None:
    run = glyphs(make())
    assert run.process.exit is not None
    assert run.process.exit.status == 1
    assert not run.pictures
    assert run.value("now")[0, ODD] == odd


def test_the_user_is_told(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    photo = tmp_path / "photo.png"
    photo.write_bytes(png.encode(photograph(60, 80)))
    assert main(["run", "glyphs", "-i", str(photo), "-o", str(tmp_path / "out.png")]) == 1
    out, err = capfd.readouterr()
    assert out == ""
    assert "glyphs finds no letters of pxOS there; the app text makes some" in err
    assert not (tmp_path / "out.png").exists()


def test_a_second_picture_gives_a_second_page() -> None:
    pictures = [text("ROMEO:"), text("JULIET:")]
    words = ("--count", "12", "--seed", "7")
    run = play("glyphs", words, [pictures], size=UNSEEN)
    alone = [glyphs(picture, *words).picture for picture in pictures]
    assert len(run.pictures) == 2
    assert np.array_equal(run.pictures[0], alone[0])
    assert read(run.pictures[1]).startswith("JULIET:")


# ---- what is seen --------------------------------------------------------------------------------


def test_without_a_picture_it_begins_by_itself() -> None:
    run = play("glyphs", ("--seed", "7"), frames=90)
    assert run.value("now")[0, CELLS] > 25
    assert lines(run).startswith("ROMEO:\nMy lord, I thank you")


def test_space_pauses_and_enter_begins_anew() -> None:
    events = tap(30, " ") + tap(60, " ") + tap(80, ENTER)
    counts, seeds = [], []

    def look(run: Run) -> None:
        counts.append(int(run.value("now")[0, CELLS]))
        seeds.append(run.number("sample.seed"))

    play("glyphs", ("--seed", "7"), frames=100, events=events, pilot=look)
    assert counts[20] < counts[29]
    assert len(set(counts[35:60])) == 1
    assert counts[60] < counts[79]
    assert max(counts[85:100]) < counts[79]
    assert {7, 8} == set(seeds) - {0}


def test_a_finished_page_is_handed_on_and_again() -> None:
    words = ("--count", "8", "--seed", "7")
    run = play("glyphs", words, [[text("ROMEO:")]], frames=60, events=tap(50, "s"))
    assert len(run.pictures) == 2
    assert np.array_equal(*run.pictures)
    assert read(run.pictures[0]) == VERSE[:14]


def test_a_screen_of_another_size_has_it_in_the_middle() -> None:
    run = play("glyphs", ("--seed", "7"), frames=10, size=(400, 640))
    usual = play("glyphs", ("--seed", "7"), frames=10)
    assert run.screen.shape == (400, 640, 4)
    assert np.array_equal(run.screen[24:376, 56:584], usual.screen)


def test_an_endless_page_forgets_its_beginning() -> None:
    """The older half of its cells goes; what is left of the page stays as it was."""

    def read_file(path: Path) -> bytes:
        return path.read_bytes().replace(b"const KEPT = 4096", b"const KEPT = 70  ")

    source = APPS / "glyphs" / "glyphs.pxa"
    forgetful = assemble(
        source.read_text("utf-8"),
        path=str(source),
        include_dirs=[APPS / "lib"],
        read_file=read_file,
    )
    full = play("glyphs", ("--seed", "7"), frames=330)
    run = play("glyphs", ("--seed", "7"), frames=330, program=forgetful)
    assert run.number("now") < 80 < 100 < full.number("now")
    assert len(lines(run)) > 35
    assert lines(full).endswith(lines(run).lstrip())
    assert np.array_equal(run.screen[200:], full.screen[200:])


def test_what_is_expected_is_the_mean_of_the_pictures() -> None:
    run = play("glyphs", ("--seed", "7"), [[text("ROMEO:")]], frames=2)
    logits = run.value("network.logits")[0] / 65536
    chance = np.exp(logits - logits.max())
    chance /= chance.sum()
    mean = (chance @ run.value("GLYPHS")).reshape(16, 8)
    shown = run.screen[224:320:6, 104:152:6, 0]
    shades = run.value("SHADES")[0, :, 0]
    assert np.abs(shown.astype(int) - shades[np.floor(mean * 32).astype(int)]).max() <= 7
    assert np.array_equal(shown, run.screen[8:24, 56:64, 0]), "behind the colon"
