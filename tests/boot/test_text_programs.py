"""Programs that write text and draw it as well: who gets a screen, and where their text goes."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pexpect
import pytest

from .conftest import Server
from .programs import write_app

#: Says whether anybody sees it, what it was told, and a random number.
TELLER = """
title "Teller"
ports screen frame text picture arguments random
arg words text = ""
size 20x30
ask   : I
words : T
dice  : I
pic   : P 20x30 = fill(#204060)
now   : I
ask = in(screen)
words = in(arguments, 0)
dice = in(random, [1, 1])
dice = dice & 0xffff
dice = dice / [10000, 1000, 100, 10, 1] % 10
if ask < 16 {
    out(text, "unseen ")
} else {
    out(screen, pic)
    now = in(frame)
    out(text, "seen ")
}
out(text, words)
words = ' '
out(text, words)
words = '0' + dice
out(text, words)
out(text, "\\n")
out(text, "a note", 1)
halt
"""


@pytest.fixture
def teller(tmp_path: Path) -> Path:
    """A folder with the program."""
    write_app(tmp_path, "teller", TELLER)
    return tmp_path


def surroundings(apps: Path, display: str, driver: str = "") -> dict[str, str]:
    hidden = ("DISPLAY", "WAYLAND_DISPLAY", "SDL_VIDEODRIVER")
    known = {key: value for key, value in os.environ.items() if key not in hidden}
    shown = {"DISPLAY": display, "SDL_VIDEODRIVER": driver}
    shown = {key: value for key, value in shown.items() if value}
    return known | {"PXOS_APPS": str(apps), "TERM": "xterm-256color"} | shown


def in_a_terminal(
    apps: Path, *words: str, display: str = "", driver: str = "", view: bool | None = None
) -> str:
    """What a command shows in a terminal that answers plainly.

    ``view``: whether it shows its screen there; None: where it is asked to, or told nothing.
    """
    child = pexpect.spawn(
        sys.executable,
        ["-m", "pxos", *words],
        env=surroundings(apps, display, driver),
        cwd=str(apps),
        timeout=20,
        dimensions=(24, 80),
    )
    child.setecho(False)
    if "--terminal" in words or "told" not in words if view is None else view:
        child.expect_exact("\x1b[c")
        child.send("\x1b[?62;22c")
    child.expect(pexpect.EOF)
    child.wait()
    assert child.exitstatus == 0
    assert isinstance(child.before, bytes)
    return child.before.decode()


def piped(apps: Path, *words: str, display: str = "") -> tuple[str, str]:
    """What a command writes to standard output and error if they are no terminal."""
    done = subprocess.run(
        [sys.executable, "-m", "pxos", *words],
        env=surroundings(apps, display),
        cwd=apps,
        capture_output=True,
        text=True,
        timeout=20,
        stdin=subprocess.DEVNULL,
        check=True,
    )
    return done.stdout, done.stderr


def test_text_comes_in_the_terminal_while_a_window_shows_it(teller: Path, xvfb: Server) -> None:
    shown = in_a_terminal(teller, "run", "teller", "told", display=xvfb.display)
    assert "seen told" in shown
    assert "unseen" not in shown
    assert "pxos: teller a note" in shown


def test_text_that_goes_on_needs_no_window(teller: Path, xvfb: Server) -> None:
    for words in (("run", "teller", "told"), ("run", "teller"), ("-c", "teller told")):
        out, err = piped(teller, *words, display=xvfb.display)
        assert out.startswith("unseen ")
        assert err.endswith("teller a note\n")


def test_in_a_terminal_alone_who_is_told_something_writes(teller: Path) -> None:
    assert "unseen told" in in_a_terminal(teller, "run", "teller", "told")


def test_in_a_terminal_alone_who_is_told_nothing_has_the_screen(teller: Path) -> None:
    shown = in_a_terminal(teller, "run", "teller")
    assert "seen  " in shown
    assert "unseen" not in shown
    assert "\x1b[?1049l" in shown
    assert "seen told" in in_a_terminal(teller, "run", "--terminal", "teller", "told")


def test_a_display_that_does_not_answer_is_none(teller: Path) -> None:
    for display in (":987", "unix:987.0"):
        assert "unseen told" in in_a_terminal(teller, "run", "teller", "told", display=display)
        shown = in_a_terminal(teller, "run", "teller", display=display)
        assert "\x1b[?1049l" in shown


def test_text_waits_where_the_terminal_stands_in_for_a_window(teller: Path, xvfb: Server) -> None:
    shown = in_a_terminal(
        teller, "run", "teller", "told", display=xvfb.display, driver="dummy", view=True
    )
    drawn, after = shown.split("\x1b[?1049l")
    assert "seen" not in drawn
    assert "seen told" in after
    assert "pxos: teller a note" in after


def test_chance_is_another_every_time_but_for_those_who_want_it_again(teller: Path) -> None:
    assert len({piped(teller, "run", "teller")[0] for _ in range(3)}) > 1
    seeded = {piped(teller, "run", "--seed", "5", "teller")[0] for _ in range(2)}
    assert len(seeded) == 1
    headless = ("run", "--headless", "--frames", "5", "teller")
    assert len({piped(teller, *headless)[0] for _ in range(2)}) == 1
