"""The page that networks write on (nn_page.pxi): where letters go, colours, keys."""

from __future__ import annotations

from functools import cache

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from pxos.fonts.palette import BY_NAME
from pxos.kernel.devices.keycodes import ALT, CTRL, KEYS, META
from pxos.kernel.machine.program import Program
from pxos.shell.lenses.assembler import assemble
from pxos.shell.traits import UNSEEN

from .playing import APPS, Events, Run, play, tap

#: Writes its argument on the page at once, rests, and says what was asked for.
SOURCE = """
ports screen frame keys text arguments
arg   words text = ""
size  72x92
include "nn_page.pxi"
ENCODE : I = [(i >= 97) - (i < 97) for i in 0..256]
words  : T
call page_open
unless page_size {
    out(text, "unseen")
    halt
}
words = in(arguments, 0)
page.text = words
page.ink = C_PAPER
call page
page_note = "note"
loop {
    call page_rest
    if page_asked {
        page_asked = 0
        words = beside(page_typed, '|')
        out(text, words)
        page_typed = reshape(0, [0, 0])
        call page_gap
        page.text = "asked"
        page.ink = C_LIME
        call page
        page.text = " x:\\n"
        page.ink = C_PAPER
        call page
    } else {
        out(text, "+")
        call page_turn
    }
}
"""
#: Rows and columns of letters on a screen of 72 x 92 pixels.
ROWS, COLS = 3, 9
INKS = [name.lower() for name in BY_NAME]


@cache
def program() -> Program:
    return assemble(SOURCE, path=str(APPS / "x" / "x.pxa"), include_dirs=[APPS / "lib"])


def show(
    text: str, events: Events = (), frames: int = 4, size: tuple[int, int] | None = None
) -> Run:
    return play("page", ("--", text), frames=frames, events=events, size=size, program=program())


def lines(run: Run) -> list[str]:
    """The letters on the page, without blanks at the ends of lines."""
    return ["".join(map(chr, np.trim_zeros(row, "b"))) for row in run.value("page_words")]


def broken(text: str, cols: int = COLS) -> list[str]:
    """Where lines break, letter by letter: a word that does not fit moves to the next line, a blank
    that does not fit is dropped, a word longer than a line is cut."""
    found = [""]
    for letter in text:
        if letter == "\n":
            found.append("")
        elif len(found[-1]) < cols:
            found[-1] += letter
        elif letter == " ":
            found.append("")
        elif " " in found[-1]:
            head, _, tail = found[-1].rpartition(" ")
            found[-1] = head + " "
            found.append(tail + letter)
        else:
            found.append(letter)
    return found


@given(st.text("ab c\n:", max_size=60))
@settings(max_examples=60, deadline=None)
@example("aaaaaaaaa\nb")
@example("aaaaaaaaa b")
@example("aaaaaaaaaaaaaaaaaaaab")
@example("a bbbbbbbb cccccccccc")
@example("         x")
def test_lines_break_between_words_and_a_full_page_moves_up(text: str) -> None:
    got = lines(show(text))
    wanted = broken(text)
    wanted = [*wanted, *[""] * (ROWS - len(wanted))][-ROWS:]
    assert got == wanted


def test_the_last_column_is_a_margin_and_each_letter_stands_in_its_cell() -> None:
    run = show("abcdefghi\nxy")
    assert run.screen.shape == (16 * (ROWS + 1) + 8, 8 * (COLS + 1) + 8, 4)
    night = [*bytes.fromhex(BY_NAME["night"].hex.lstrip("#")), 255]
    page = run.screen[: 8 + 16 * ROWS]
    assert (page[:8] == night).all()
    assert (page[:, :8] == night).all()
    assert (page[:, -8:] == night).all()
    for row, text in enumerate(("abcdefghi", "xy")):
        for col in range(COLS):
            cell = page[8 + 16 * row : 24 + 16 * row, 8 + 8 * col : 16 + 8 * col]
            assert (cell != night).any() == (col < len(text))


def test_who_speaks_has_another_colour_and_what_was_typed_its_own() -> None:
    run = show("ANN:\nhi: x", tap(2, KEYS["enter"]), frames=6)
    inks = run.value("page_inks")
    assert lines(run) == ["", "asked x:", ""]
    assert {INKS[ink] for ink in inks[1][:5]} == {"lime"}
    assert {INKS[ink] for ink in inks[1][6:8]} == {"paper"}
    before = show("ANN:\nhi: x").value("page_inks")
    assert {INKS[ink] for ink in before[0][:4]} == {"teal"}
    assert {INKS[ink] for ink in before[1][:5]} == {"paper"}
    verse = show("x\nANN:\nhi").value("page_inks")
    assert {INKS[ink] for ink in verse[1][:4]} == {"paper"}, "no empty line above it"
    below = show("x\n\nANN:\n", size=(120, 92)).value("page_inks")
    assert {INKS[ink] for ink in below[2][:4]} == {"teal"}


@pytest.mark.parametrize(
    ("events", "said"),
    [
        (tap(2, "abc", KEYS["enter"]), b"abc|"),
        (tap(2, "abC1 éc", KEYS["enter"]), b"abc|"),
        (tap(2, "ab", KEYS["backspace"], "c", KEYS["enter"]), b"ac|"),
        (tap(2, KEYS["backspace"], KEYS["backspace"], "c", KEYS["enter"]), b"c|"),
        (tap(2, "ab", KEYS["escape"], "c", KEYS["enter"]), b"c|"),
        (tap(2, KEYS["left"], KEYS["f1"], "字", KEYS["enter"]), b"|"),
        (tap(2, "a", modifiers=CTRL) + tap(2, "b", modifiers=ALT) + tap(2, KEYS["enter"]), b"|"),
        (tap(2, KEYS["enter"], modifiers=META), b""),
        (tap(2, KEYS["enter"]) + tap(6, KEYS["enter"]), b"||"),
        (tap(2, " "), b"+"),
        (tap(2, " ") + tap(7, " "), b"++"),
        (tap(2, "a", " "), b""),
    ],
)
def test_keys(events: Events, said: bytes) -> None:
    found = show("x", events, frames=12).text
    assert found == said


def bar_text(run: Run) -> list[str]:
    """The colours of the row below the page, but for its ground."""
    bar = run.screen[-16:, 8:].reshape(-1, 4)
    by_pixel = {(*bytes.fromhex(c.hex.lstrip("#")), 255): n.lower() for n, c in BY_NAME.items()}
    return sorted({by_pixel[tuple(pixel)] for pixel in bar.tolist()} - {"ink"})


def test_the_row_below_says_what_keys_do_and_shows_what_is_typed() -> None:
    wide = (72, 700)
    resting = show("x", size=wide)
    assert bar_text(resting) == ["silver"]
    assert bar_text(show("x", tap(2, "ab"), size=wide)) == ["lime"]
    assert bar_text(show("x", tap(2, "1"), size=wide)) == ["orange"]
    long = show("x", tap(2, "b" * 30 + "a" * 20))
    assert bar_text(long) == ["lime"]
    cells = long.screen[-16:, 8 : 8 + 8 * COLS].reshape(16, COLS, 8, 4)
    assert (cells[:, 0] == cells[:, COLS - 2]).all(), "the end of it is seen"


def test_a_screen_that_nobody_sees() -> None:
    assert play("page", ("x",), size=UNSEEN, program=program()).text == b"unseen"


def test_a_small_screen_still_has_a_page() -> None:
    run = show("abc", size=(20, 20))
    assert run.value("page_words").shape == (2, 2)
