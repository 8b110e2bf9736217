"""Shakespeare: what it writes, as it comes, into pipes and windows, for people and for scripts."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from functools import cache
from pathlib import Path

import numpy as np
import pytest

from pxos.boot.cli import main
from pxos.fonts.palette import BY_NAME
from pxos.kernel.devices.keycodes import KEYS
from pxos.kernel.machine import png
from pxos.shell.traits import UNSEEN

from ..gpu import gpu
from .desk import PID, Desk, shipped
from .playing import APPS, Run, built, play, tap
from .test_on_gpu import backends
from .test_terminal import Terminal

ENTER = KEYS["enter"]
#: What seed 7 makes of "ROMEO:", at temperature 0.8.
VERSE = """\
ROMEO:
What, ho! proclaim is a tribunes
Have we very humour of the field, for the eastles;
And with me as it that are shall be so.

ROMEO:
What is more will have some things so
On the popleness of his law t
"""


@cache
def written(*words: str, seed: int = 1) -> str:
    """What it writes where nobody sees its screen."""
    return play("shakespeare", words, size=UNSEEN, seed=seed).text.decode()


def lines(run: Run) -> list[str]:
    """The lines of the page."""
    rows = run.value("page_words")
    return ["".join(chr(c) for c in row if c).rstrip() for row in rows]


def inks(run: Run, row: int) -> set[str]:
    """The colours of what stands in a line of the page."""
    names = list(BY_NAME)
    there = run.value("page_words")[row] > ord(" ")
    return {names[ink].lower() for ink in run.value("page_inks")[row][there]}


# ---- text ---------------------------------------------------------------------------------------


def test_verse_comes_a_character_at_a_time() -> None:
    run = play("shakespeare", ("ROMEO:", "--seed", "7"), size=UNSEEN)
    assert run.text.decode() == VERSE
    assert run.said[0] == b"ROMEO:"
    assert [len(piece) for piece in run.said[1:]] == [1] * 201
    assert not run.pictures
    assert run.screen.size == 0


def test_a_seed_repeats_and_without_one_it_is_chance() -> None:
    told = ("ROMEO:", "--tokens", "30")
    assert written(*told, seed=1) == written(*told, seed=1)
    assert written(*told, seed=1) != written(*told, seed=2)
    assert written(*told, "--seed", "3", seed=1) == written(*told, "--seed", "3", seed=2)


def test_without_a_prompt_it_begins_by_itself() -> None:
    assert len(written("--tokens", "30", "--seed", "5").strip()) > 20
    assert written("", "--tokens", "30", "--seed", "5") == written("--tokens", "30", "--seed", "5")
    assert written("--tokens", "0") == "\n"


def test_characters_that_it_has_never_seen_are_left_out_and_told() -> None:
    run = play("shakespeare", ("Größe 12 🖼: now", "--tokens", "5", "--seed", "1"), size=UNSEEN)
    assert run.text.decode().startswith("Gre  : now")
    told = "has never seen these characters and leaves them out: öß12🖼"
    assert run.process.notices == [told]
    none = play("shakespeare", ("12", "--tokens", "5", "--seed", "1"), size=UNSEEN)
    assert none.text.decode() == written("--tokens", "5", "--seed", "1")
    assert len(none.process.notices) == 1


def test_of_a_prompt_beyond_the_context_the_end_counts() -> None:
    long = "x" * 50 + VERSE + "y" * 100
    end = long[-256:]
    settings = ("--tokens", "12", "--temperature", "0")
    run = play("shakespeare", (long, *settings), size=UNSEEN)
    assert run.text.decode() == long + written(end, *settings)[256:]
    assert run.process.notices == ["reads the last 256 characters of that"]
    assert not play("shakespeare", (end, *settings), size=UNSEEN).process.notices


def test_it_goes_on_beyond_its_context() -> None:
    assert len(written("ROMEO:", "--tokens", "300", "--seed", "2").strip("\n")) > 300


def test_a_prompt_can_be_piped_in() -> None:
    words = ("-", "--tokens", "20", "--seed", "2")
    run = play("shakespeare", words, size=UNSEEN, text=[b"ROM", b"EO:"])
    assert run.text.decode() == written("ROMEO:", "--tokens", "20", "--seed", "2")


# ---- commands -----------------------------------------------------------------------------------


def test_run_streams_text(capfd: pytest.CaptureFixture[str]) -> None:
    words = ["--tokens", "200", "--temperature", "0.8", "--seed", "7"]
    assert main(["run", "shakespeare", "ROMEO:", *words]) == 0
    assert capfd.readouterr() == (VERSE, "")
    assert main(["run", "shakespeare", "ROMEO: 3 × 4", "--tokens", "1", "--seed", "7"]) == 0
    told = "has never seen these characters and leaves them out: ×4\n"
    assert capfd.readouterr().err == f"pxos: shakespeare {told}"
    assert main(["run", "shakespeare", "ROMEO:", "--tokens", "-1"]) == 2
    assert "tokens is 0 to 1000000, not -1" in capfd.readouterr().err


def test_two_runs_without_a_seed_differ(capfd: pytest.CaptureFixture[str]) -> None:
    texts = set()
    for _ in range(2):
        assert main(["run", "shakespeare", "ROMEO:", "--tokens", "60"]) == 0
        texts.add(capfd.readouterr().out)
    assert len(texts) == 2


def test_a_line_streams_text_and_pipes_it_into_a_picture(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    for name in ("DISPLAY", "WAYLAND_DISPLAY"):
        monkeypatch.delenv(name, raising=False)
    assert main(["-c", 'shakespeare "ROMEO:" --top-k 5 --tokens 20 --seed 7 > verse.txt']) == 0
    assert main(["-c", 'shakespeare "ROMEO:" --top_k 5 --tokens 20 --seed 7']) == 0
    assert capfd.readouterr().out == Path("verse.txt").read_text()
    assert main(["-c", 'shakespeare "ROMEO:" --seed 7 | text > out.png']) == 0
    assert main(["-c", 'shakespeare "ROMEO:" | text > new.png']) == 0
    picture = png.decode(Path("out.png").read_bytes())
    assert np.array_equal(picture, play("text", (VERSE,)).picture)
    assert Path("new.png").read_bytes() != Path("out.png").read_bytes()


def start(*words: str) -> subprocess.Popen[bytes]:
    """A command whose output can be read while it runs."""
    return subprocess.Popen(
        [sys.executable, "-m", "pxos", *words],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        stdin=subprocess.DEVNULL,
        env={**os.environ, "DISPLAY": "", "WAYLAND_DISPLAY": ""},
    )


@pytest.mark.parametrize("words", [("run", "shakespeare"), ("-c",)])
def test_text_can_be_read_while_it_writes_and_an_interrupt_ends_it_at_once(
    words: tuple[str, ...],
) -> None:
    told = ("ROMEO:", "--tokens", "1000000")
    child = start(*words, *(told if len(words) > 1 else ("shakespeare " + " ".join(told),)))
    assert child.stdout is not None
    with child:
        assert child.stdout.read(40).startswith(b"ROMEO:")
        child.send_signal(signal.SIGINT)
        begun = time.monotonic()
        child.communicate(timeout=60)
        assert time.monotonic() - begun < 10  # far from a million characters
    assert child.returncode == 130


# ---- the window ---------------------------------------------------------------------------------


def test_a_window_shows_what_is_written_at_a_pace_to_be_read() -> None:
    run = play("shakespeare", ("ROMEO:", "--seed", "7"), frames=90)
    page = "\n".join(lines(run)).rstrip()
    assert VERSE.startswith(page)
    assert 40 <= len(page) <= 60, "thirty characters a second"
    assert run.text.decode() == page
    assert inks(run, 0) == {"lime"}
    assert inks(run, 1) == {"paper"}
    assert run.screen.shape == (344, 496, 4)


def test_it_rests_after_so_many_characters_and_space_goes_on() -> None:
    words = ("ROMEO:", "--tokens", "10", "--seed", "7")
    rested = play("shakespeare", words, frames=60)
    assert rested.text.decode() == VERSE[:16]
    assert rested.process.exit is not None
    assert rested.process.exit.kind == "killed", "it waited until the kernel was closed"
    again = play("shakespeare", words, frames=90, events=tap(40, " ") + tap(70, " "))
    assert again.text.decode() == VERSE[: len(again.text)]
    assert 25 <= len(again.text) <= 33, "from frame 40 to 70"


def test_alone_it_writes_on_and_shows_the_seed_that_repeats_it() -> None:
    run = play("shakespeare", frames=150, seed=9)
    assert len(run.text) > 60
    seed = run.value("page_note").tobytes().decode()
    assert seed.startswith("seed ")
    told = play("shakespeare", ("--seed", seed[5:]), frames=150, seed=1)
    assert told.text == run.text
    assert np.array_equal(told.screen, run.screen)


def test_what_is_typed_is_gone_on_from_with_the_next_seed() -> None:
    events = [
        *tap(20, "x1JULIEX"),
        *tap(22, KEYS["escape"]),
        *tap(24, "JULIEX", KEYS["backspace"], "T:", KEYS["up"], ENTER),
    ]
    run = play("shakespeare", ("ROMEO:", "--seed", "7"), frames=60, events=events)
    first, second = run.text.decode().split("\n\n", 1)
    assert VERSE.startswith(first)
    assert written("JULIET:", "--seed", "8").startswith(second)
    assert len(second) > len("JULIET:") + 10
    row = lines(run).index("JULIET:")
    assert lines(run)[row - 1] == ""
    assert inks(run, row) == {"lime"}
    assert run.value("page_note").tobytes() == b"seed 8"


def test_enter_alone_begins_anew() -> None:
    run = play("shakespeare", ("ROMEO:", "--seed", "7"), frames=60, events=tap(20, ENTER))
    second = run.text.decode().split("\n\n", 1)[1]
    assert second
    assert written("--seed", "8").startswith(second)


def test_the_desktop_opens_it_and_closing_its_window_ends_it(tmp_path: Path) -> None:
    desk = Desk(tmp_path, shakespeare=shipped("shakespeare"))
    desk.play(5)
    child = desk.start("shakespeare")
    desk.play(60)
    (window,) = desk.windows()
    early = desk.content(window).copy()
    assert np.array_equal(early, child.surface.picture)
    desk.play(60)
    assert not np.array_equal(desk.content(window), early)
    desk.press("f4", frames=3)
    assert child.ended
    assert child.pid not in desk.windows()[:, PID].tolist()


def test_it_streams_in_the_terminal(tmp_path: Path) -> None:
    desk = Terminal(tmp_path, shakespeare=shipped("shakespeare"))
    desk.type("shakespeare ROMEO: --tokens 200 --seed 7\n")
    seen = []
    for _ in range(400):
        desk.play(1)
        rows = [row for row in desk.rows() if row]
        seen.append("\n".join(rows))
        if seen[-1].endswith("law t"):
            break
    verse = "\n".join(line for line in VERSE.splitlines() if line)
    assert verse in seen[-1]
    assert len({len(text) for text in seen}) > 3, "it comes bit by bit"


# ---- the file, and the GPU ----------------------------------------------------------------------


def test_its_picture_is_small_enough_to_send() -> None:
    assert (APPS / "shakespeare" / "shakespeare.png").stat().st_size < 4_000_000
    assert "writes on from what it is told" in built("shakespeare").meta.help


def on_both(tokens: int, *words: str) -> tuple[str, str]:
    """The text of the CPU, and of the tests' GPU."""
    gpu()
    told = ("ROMEO:", "--tokens", str(tokens), "--temperature", "0.8", "--seed", "7", *words)
    run = play("shakespeare", told, size=UNSEEN, backends=backends())
    return written(*told), run.text.decode()


def test_the_gpu_writes_the_same() -> None:
    cpu, there = on_both(16)
    assert there == cpu
    assert len(cpu) == len("ROMEO:") + 16 + 1


@pytest.mark.slow
def test_the_gpu_writes_the_same_thousand_characters() -> None:
    cpu, there = on_both(1000)
    assert there == cpu
    assert 1006 <= len(cpu) <= 1007
