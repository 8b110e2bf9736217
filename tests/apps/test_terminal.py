"""The terminal: editing, history, completion, output, scrollback, stopping."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from pxos.boot.events import Pointer
from pxos.fonts.charset import glyph_of
from pxos.fonts.palette import BY_NAME, PALETTE
from pxos.kernel.devices.keycodes import CTRL

from .desk import Desk

INKS = [colour.name for colour in PALETTE]


class Terminal(Desk):
    """A terminal on its own, with a home of its own."""

    def __init__(
        self, home: Path, *words: str, size: tuple[int, int] | None = None, **apps: bytes
    ) -> None:
        super().__init__(home, "terminal", words, size, **apps)
        self.play(3)

    @property
    def typed(self) -> str:
        """What is typed, with a bar where the cursor is."""
        text = "".join(map(chr, self.value("typed").ravel()))
        at = self.number("cursor")
        return f"{text[:at]}|{text[at:]}"

    def rows(self) -> list[str]:
        """What is written, a row each; glyphs beyond ASCII as question marks."""
        glyphs = self.value("written") & 0xFFFF
        return [
            "".join(chr(g) if 32 <= g < 127 else "?" for g in np.trim_zeros(row, "b"))
            for row in glyphs
        ]

    def ink(self, row: int, col: int = 0) -> str:
        """The colour of a character."""
        return INKS[int(self.value("written")[row, col]) >> 16].lower()

    def seen(self, row: int, col: int) -> np.ndarray:
        """A character's pixels on the screen."""
        return self.screen[8 + 16 * row : 24 + 16 * row, 8 + 8 * col : 16 + 8 * col]


@pytest.fixture
def terminal(tmp_path: Path) -> Terminal:
    return Terminal(tmp_path)


def colour(name: str) -> list[int]:
    """A colour of the palette as a pixel."""
    return [*bytes.fromhex(BY_NAME[name].hex.lstrip("#")), 255]


# ---- editing ------------------------------------------------------------------------------------


def test_editing(terminal: Terminal) -> None:
    terminal.type("hello wörld")
    seen = [terminal.typed]
    for key, modifiers in [
        ("left", 0),
        ("backspace", 0),
        ("delete", 0),
        ("home", 0),
        ("delete", 0),
        ("H", 0),
        ("right", 0),
        ("end", 0),
        ("end", 0),
        ("right", 0),
        ("a", CTRL),
        ("left", 0),
        ("backspace", 0),
        ("e", CTRL),
        ("delete", 0),
        ("w", CTRL),
        ("x", 0),
        ("left", 0),
        ("k", CTRL),
        ("u", CTRL),
        ("w", CTRL),
    ]:
        terminal.press(key, modifiers, frames=1)
        seen.append(terminal.typed)
    assert seen == [
        "hello wörld|",
        "hello wörl|d",
        "hello wör|d",
        "hello wör|",
        "|hello wör",
        "|ello wör",
        "H|ello wör",
        "He|llo wör",
        "Hello wör|",
        "Hello wör|",
        "Hello wör|",
        "|Hello wör",
        "|Hello wör",
        "|Hello wör",
        "Hello wör|",
        "Hello wör|",
        "Hello |",
        "Hello x|",
        "Hello |x",
        "Hello |",
        "|",
        "|",
    ]


def test_words_are_deleted_with_the_blanks_behind_them(terminal: Terminal) -> None:
    terminal.type("one  two   ")
    for expected in ("one  |", "|"):
        terminal.press("w", CTRL)
        assert terminal.typed == expected


def test_history(terminal: Terminal) -> None:
    for line in ("echo a\n", "echo bb\n", "echo bb\n", "\n"):
        terminal.type(line)
    terminal.type("dra")
    seen = []
    for key in ("up", "up", "up", "down", "down", "down"):
        terminal.press(key)
        seen.append(terminal.typed)
    assert seen == ["echo bb|", "echo a|", "echo a|", "echo bb|", "dra|", "dra|"]
    terminal.press("u", CTRL)
    terminal.press("up")
    terminal.press("enter")
    assert terminal.rows()[-1] == "bb"


def test_history_is_bounded(terminal: Terminal) -> None:
    for number in range(210):
        terminal.type(f"# {number}\n", frames=1)
    assert terminal.value("past").shape == (200, 512)
    terminal.press("up")
    assert terminal.typed == "# 209|"


# ---- output -------------------------------------------------------------------------------------


def test_a_line_runs_and_its_output_appears(terminal: Terminal) -> None:
    terminal.type("echo hello, world\n")
    first, echoed, answer = terminal.rows()
    assert first.startswith("pxOS")
    assert echoed == "~> echo hello, world"
    assert answer == "hello, world"
    assert [terminal.ink(0), terminal.ink(1), terminal.ink(1, 3), terminal.ink(2)] == [
        "silver",
        "teal",
        "lime",
        "paper",
    ]
    shown = terminal.seen(2, 0)
    assert {tuple(p) for p in shown.reshape(-1, 4).tolist()} == {
        tuple(colour("ink")),
        tuple(colour("paper")),
    }


def test_the_argument_is_a_line_to_run(tmp_path: Path) -> None:
    terminal = Terminal(tmp_path, "--run", "echo 'grüß dich'")
    terminal.play(5)
    assert terminal.rows()[1:] == ["~> echo 'gr?? dich'", "gr?? dich"]


def test_characters_beyond_ascii(terminal: Terminal) -> None:
    text = "äß€╭─╮█✓→…日"
    terminal.type(f"echo {text}\n")
    cells = terminal.value("written")[2] & 0xFFFF
    glyphs = [glyph_of(char) for char in text]
    drawn = [
        256 + ord(c) - 0x2500 if 0x2500 <= ord(c) < 0x25A0 else g
        for c, g in zip(text, glyphs, strict=True)
    ]
    assert cells[: len(text)].tolist() == drawn


def test_errors_are_red_and_leave_a_mark(terminal: Terminal) -> None:
    terminal.type("nonsense\n")
    assert "nonsense" in terminal.rows()[-1]
    assert terminal.ink(len(terminal.rows()) - 1) == "red"
    prompt = terminal.value("prompt")[0]
    assert int(prompt[0]) & 0xFFFF == glyph_of("✗")
    terminal.type("echo fine\n")
    assert terminal.ink(len(terminal.rows()) - 1) == "paper"
    assert terminal.value("prompt").shape == (1, 3)


@pytest.mark.parametrize(
    ("pieces", "rows"),
    [
        (["a\nb\n"], ["a", "b"]),
        (["a", "b", "\nc"], ["ab", "c"]),
        (["x" * 77 + "\n" + "y"], ["x" * 77, "y"]),
        (["x" * 78], ["x" * 77, "x"]),
        (["x" * 70, "y" * 10, "z"], ["x" * 70 + "y" * 7, "yyyz"]),
        (["10%\r20%", "\r100%\n"], ["100%"]),
        (["long\rab\n"], ["abng"]),
        (["a\tb\tc\n\td\n"], ["a       b       c", "        d"]),
        (["ab", "\tc\n"], ["ab      c"]),
        (["a\x1b[1;31mb\x1b[0mc\x1b[Kd\x07e\n"], ["abcde"]),
        (["a\x1b[3", "1mb\n"], ["ab"]),
        (["a\nb\n\fc\n"], ["c"]),
        (["a\nb\n\x1b[H\x1b[2Jc\n"], ["c"]),
        (["\n\na\n"], ["", "", "a"]),
    ],
)
def test_output_is_laid_out(terminal: Terminal, pieces: list[str], rows: list[str]) -> None:
    assert terminal.session is not None
    terminal.press("l", CTRL)
    for piece in pieces:
        terminal.session.out(piece)
        terminal.play(2)
    assert [row.replace("?", " ") for row in terminal.rows()] == rows


def test_colours_of_escape_sequences(terminal: Terminal) -> None:
    assert terminal.session is not None
    terminal.press("l", CTRL)
    terminal.session.out("a\x1b[32mb\x1b[1;94mc\x1b[md\x1b[38;5;1me\n")
    terminal.play(2)
    assert [terminal.ink(0, col) for col in range(4)] == ["paper", "lime", "blue", "paper"]


def test_a_character_may_come_in_two_pieces(terminal: Terminal) -> None:
    assert terminal.session is not None
    terminal.press("l", CTRL)
    terminal.session.out("ä" * 3000 + "\n")
    terminal.play(4)
    assert (terminal.value("written")[:38] & 0xFFFF == ord("ä")).all()


def test_scrollback(terminal: Terminal) -> None:
    assert terminal.session is not None
    terminal.press("l", CTRL)
    for start in range(0, 1500, 100):
        terminal.session.out("".join(f"line {n}\n" for n in range(start, start + 100)))
        terminal.play(2)
    rows = terminal.rows()
    assert 1000 <= len(rows) <= 1200
    assert rows[-1] == "line 1499"
    bottom = terminal.screen.copy()
    terminal.press("page up")
    assert terminal.number("scroll") == 19
    assert not np.array_equal(terminal.screen, bottom)
    terminal.play(2, Pointer(50, 50, 2 << 8))
    assert terminal.number("scroll") == 25
    terminal.play(2, Pointer(50, 50, -1 << 8))
    assert terminal.number("scroll") == 22
    for _ in range(80):
        terminal.press("page up", frames=1)
    assert terminal.number("scroll") == len(rows) + 1 - 20
    terminal.session.out("more\n")
    terminal.play(2)
    terminal.press("page down")
    assert terminal.number("scroll") > 900
    terminal.press("x")
    assert terminal.number("scroll") == 0


def test_the_cursor_blinks_and_is_where_it_should_be(terminal: Terminal) -> None:
    terminal.type("ab")
    terminal.press("left")
    block = terminal.seen(1, 4)
    assert (block == colour("yellow")).all(-1).sum() > 64
    assert (block == colour("ink")).all(-1).any(), "the character on it"
    terminal.play(40)
    assert not (terminal.seen(1, 4) == colour("yellow")).all(-1).any()
    assert (terminal.seen(1, 4) == colour("lime")).all(-1).any()


def test_a_long_line_goes_on_in_the_next_row(terminal: Terminal) -> None:
    terminal.type("x" * 74)
    assert (terminal.seen(2, 0) == colour("yellow")).all(-1).all()
    terminal.type("yz")
    assert (terminal.seen(2, 0) == colour("lime")).all(-1).any()
    assert (terminal.seen(2, 2) == colour("yellow")).all(-1).all()


# ---- completion, stopping, sizes ----------------------------------------------------------------


def test_completion(terminal: Terminal) -> None:
    terminal.type("list\t")
    assert terminal.typed == "listener |"
    terminal.press("u", CTRL)
    terminal.type("his\t -x")
    assert terminal.typed == "history  -x|"
    terminal.press("home")
    terminal.press("k", CTRL)
    terminal.type("e\t")
    assert terminal.typed == "e|"
    assert terminal.rows()[-2] == "~> e"
    choices = terminal.rows()[-1].split()
    assert {"echo", "exit"} <= set(choices)
    assert terminal.ink(len(terminal.rows()) - 1) == "silver"
    assert terminal.value("prompt").shape == (1, 3)


def test_control_c(terminal: Terminal) -> None:
    terminal.type("half")
    terminal.press("c", CTRL)
    assert terminal.typed == "|"
    assert terminal.rows()[-1] == "~> half^C"
    terminal.type("parrot\n")
    assert terminal.number("running") == 1
    assert terminal.value("prompt").size == 0
    terminal.press("c", CTRL, frames=6)
    assert terminal.number("running") == 0
    assert terminal.value("prompt").size > 0
    terminal.type("echo on\n")
    assert terminal.rows()[-1] == "on"


def test_what_is_typed_goes_to_the_program_that_runs(terminal: Terminal) -> None:
    terminal.type("parrot\n")
    terminal.type("grüße\n")
    assert terminal.rows()[-2:] == ["gr??e", "gr??e"]
    terminal.press("d", CTRL, frames=6)
    assert terminal.number("running") == 0


def test_control_d_on_an_empty_line_ends_it(terminal: Terminal) -> None:
    terminal.type("x")
    terminal.press("d", CTRL)
    assert not terminal.process.ended
    terminal.press("backspace")
    terminal.press("d", CTRL)
    assert terminal.process.ended
    assert terminal.process.exit is not None
    assert terminal.process.exit.kind == "halted"


def test_clearing(terminal: Terminal) -> None:
    terminal.type("echo one\n")
    terminal.type("clear\n")
    assert terminal.rows() == []
    terminal.type("echo two\n")
    terminal.press("l", CTRL)
    assert terminal.rows() == []


@pytest.mark.parametrize("size", [(100, 120), (40, 60), (400, 640), (16, 16)])
def test_other_sizes(tmp_path: Path, size: tuple[int, int]) -> None:
    terminal = Terminal(tmp_path, size=size)
    terminal.type("echo something longer than that\n")
    assert terminal.screen.shape == (*size, 4)
    terminal.process.surface.rows, terminal.process.surface.cols = 300, 500
    terminal.play(3)
    assert terminal.screen.shape == (300, 500, 4)
    terminal.type("echo x\n")
    assert terminal.rows()[-1] == "x"
