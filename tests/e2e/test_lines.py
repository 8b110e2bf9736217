"""The command language from outside: scripts, statuses, faults among others."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest

from . import programs
from .conftest import PATIENCE, Pxos, listing, load


@pytest.mark.parametrize(
    ("text", "status", "out", "told"),
    [
        ("echo one\necho two # and no more\n", 0, "one\ntwo\n", ""),
        ('echo $0 $1 "$2"\n', 0, "it.pxsh first second word\n", ""),
        ('set name world\necho "hello $name"\n', 0, "hello world\n", ""),
        ("blur\n", 2, "", "it.pxsh:1"),
        ("echo 1\nnope || echo 2\n", 0, "1\n2\n", "it.pxsh:2: there is no app or file nope"),
        ("echo one\n\nclock\n", 1, "one\n", "it.pxsh:3: clock: there is no display"),
        ("cat none.txt\necho never\n", 1, "", "it.pxsh:1: cat: cannot read none.txt"),
        ("cat none.txt || echo $?\n", 0, "1\n", "none.txt"),
        ("echo one\nexit 7\necho never\n", 7, "one\n", ""),
        ("echo 'open\n", 2, "", "is not closed"),
        ("echo one\n\necho |\n", 2, "", "it.pxsh:3: nothing after |"),
        ("echo a && echo b || echo c; echo $?\n", 0, "a\nb\n0\n", ""),
        ("", 0, "", ""),
    ],
)
def test_scripts(pxos: Pxos, here: Path, text: str, status: int, out: str, told: str) -> None:
    (here / "it.pxsh").write_text(text)
    done = pxos("it.pxsh", "first", "second word")
    assert (done.status, done.text) == (status, out), done.told
    assert told in done.told
    assert bool(done.told) == bool(told)


def test_a_script_that_is_no_text(pxos: Pxos, here: Path) -> None:
    (here / "it.pxsh").write_bytes(b"\xff\xfe\x00")
    done = pxos("it.pxsh")
    assert done.status == 1
    assert "UTF-8" in done.told


def test_the_console_reads_standard_input(pxos: Pxos) -> None:
    done = pxos("shell", stdin=b"echo hello\nhelp nothing\n")
    assert done.text == "hello\n"
    assert "no app or command nothing" in done.told
    assert done.status == 1


def test_a_fault_leaves_the_rest_of_a_pipeline_and_the_shell_unharmed(
    pxos: Pxos, here: Path, photo: Path
) -> None:
    (here / "breaks.pxa").write_text(programs.BREAKS)
    (here / "it.pxsh").write_text(
        "asm breaks.pxa\n"
        "photo.jpg | ./breaks.png | invert > broken.png || echo status $?\n"
        "photo.jpg | invert | ./breaks.png | blur 2 > broken.png || echo status $?\n"
        "./breaks.png < photo.jpg > background.png &\n"
        "photo.jpg | invert > fine.png && echo fine\n"
        "wait || echo status $?\n"
    )
    done = pxos("it.pxsh")
    assert done.text.count("status 1\n") >= 2
    assert "fine\n" in done.text
    for number in (2, 3, 4):
        assert f"it.pxsh:{number}: Breaks stopped: division by zero" in done.told
    assert listing(here) == ["breaks.png", "breaks.pxa", "fine.png", "it.pxsh", "photo.jpg"]
    assert (load(here / "fine.png")[..., 3] == 255).all()


def test_a_runaway_job_does_not_hold_up_the_others(pxos: Pxos, here: Path, photo: Path) -> None:
    (here / "runaway.pxa").write_text(programs.RUNAWAY)
    (here / "it.pxsh").write_text(
        "asm runaway.pxa\n./runaway.png &\nphoto.jpg | blur 3 > out.png\nps\nkill %1\necho done\n"
    )
    begin = time.monotonic()
    done = pxos("it.pxsh")
    assert done.text.endswith("done\n")
    assert "runaway" in done.text
    assert time.monotonic() - begin < PATIENCE / 2
    assert load(here / "out.png").shape == (60, 90, 4)


def test_an_interrupt_ends_a_line_at_once(pxos: Pxos, here: Path) -> None:
    (here / "runaway.pxa").write_text(programs.RUNAWAY)
    process = pxos.start("run", "runaway.pxa")
    time.sleep(1.5)
    begin = time.monotonic()
    process.send_signal(2)
    assert process.wait(PATIENCE) == 130
    assert time.monotonic() - begin < 2


def test_programs_of_ones_own_by_name(pxos: Pxos, here: Path) -> None:
    (here / "apps" / "mine").mkdir(parents=True)
    (here / "mine.pxa").write_text('ports text\nt : T = "mine\\n"\nout(text, t)\nhalt\n')
    assert pxos("asm", "mine.pxa", "-o", "apps/mine/mine.png").status == 0
    pxos.environment["PXOS_APPS"] = os.fspath(here / "apps")
    for done in (pxos("run", "mine"), pxos.line("mine")):
        assert (done.status, done.text) == (0, "mine\n"), done.told
    assert "mine" in pxos.line("apps").text


def test_a_font_becomes_an_atlas(pxos: Pxos, here: Path) -> None:
    (here / "f.bdf").write_text(
        "STARTFONT 2.1\nFONT test\nSIZE 8 75 75\nFONTBOUNDINGBOX 8 8 0 0\n"
        "STARTPROPERTIES 2\nFONT_ASCENT 8\nFONT_DESCENT 0\nENDPROPERTIES\nCHARS 1\n"
        "STARTCHAR A\nENCODING 65\nSWIDTH 500 0\nDWIDTH 8 0\nBBX 8 8 0 0\nBITMAP\n"
        "FF\n81\n81\n81\n81\n81\n81\nFF\nENDCHAR\nENDFONT\n"
    )
    assert pxos("font", "f.bdf", "-o", "f.png").status == 0
    assert load(here / "f.png")[65 * 8, :, 3].tolist() == [255] * 8
    (here / "bad.bdf").write_bytes(b"\0" * 99)
    for words, says in (
        (("font", "bad.bdf", "-o", "g.png"), "bad.bdf"),
        (("font", "none.bdf", "-o", "g.png"), "none.bdf"),
        (("font", "f.bdf", "-o", "none/g.png"), "none/g.png"),
    ):
        done = pxos(*words)
        assert done.status == 1
        assert says in done.told
    assert listing(here) == ["bad.bdf", "f.bdf", "f.png"]
