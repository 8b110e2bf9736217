"""``pxos boot`` with a small desktop, sessions, tools, the doctor, and the command line."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
from pathlib import Path

import numpy as np
import pexpect
import pytest

from pxos.boot import doctor, environment, photos, selftest, tools
from pxos.boot.doctor import examine
from pxos.kernel.machine import png
from pxos.kernel.machine.cpu import native

from . import programs
from .conftest import Pxos, noise


@pytest.fixture
def desk(here: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A store of a desktop and the program it starts."""
    folder = here / "store"
    programs.write_app(folder, "aaa", programs.ECHO)
    programs.write_app(folder, "desk", programs.DESKTOP)
    monkeypatch.setenv("PXOS_APPS", str(folder))
    return here


def shot(path: Path) -> np.ndarray:
    return png.decode(path.read_bytes())


# ---- booting ----------------------------------------------------------------------------


def test_booting_without_a_screen_shows_what_the_desktop_shows(pxos: Pxos, desk: Path) -> None:
    words = ["boot", "--desktop", "desk", "--headless", "--frames", "20", "--screenshot"]
    done = pxos(*words, "a.png")
    assert (done.status, done.err) == (0, "")
    assert pxos(*words, "b.png").status == 0
    picture = shot(desk / "a.png")
    assert picture.shape == (20, 30, 4)
    # The program that the desktop started counts frames in red.
    assert 10 <= picture[5, 5, 0] <= 20
    assert (desk / "a.png").read_bytes() == (desk / "b.png").read_bytes()


def test_the_desktop_that_comes_with_pxos(pxos: Pxos, here: Path) -> None:
    words = ["boot", "--headless", "--frames", "30", "--screenshot"]
    for name in ("a.png", "b.png"):
        done = pxos(*words, name)
        assert (done.status, done.err) == (0, "")
    picture = shot(here / "a.png")
    assert picture.shape == (400, 640, 4)
    assert (picture[..., 3] == 255).all()
    assert len(np.unique(picture.reshape(-1, 4), axis=0)) >= 12
    assert (here / "a.png").read_bytes() == (here / "b.png").read_bytes()


def test_boot_is_what_pxos_does_without_a_command(pxos: Pxos, desk: Path) -> None:
    words = ["--desktop", "desk", "--headless", "--frames", "9", "--screenshot", "a.png"]
    assert pxos(*words).status == 0
    assert shot(desk / "a.png").shape == (20, 30, 4)


def test_a_screenshot_needs_no_display(pxos: Pxos, desk: Path) -> None:
    done = pxos("boot", "--desktop", "desk", "--frames", "9", "--screenshot", "a.png")
    assert done.status == 0
    assert shot(desk / "a.png").shape == (20, 30, 4)


def test_nowhere_to_boot_is_an_error_that_names_headless(pxos: Pxos, desk: Path) -> None:
    done = pxos("boot", "--desktop", "desk")
    assert done.status == 1
    assert "--headless" in done.err
    assert pxos("boot", "--desktop", "none", "--headless", "--frames", "1").status == 2


def test_booting_in_a_terminal(desk: Path) -> None:
    child = pexpect.spawn(
        sys.executable,
        ["-m", "pxos", "boot", "--desktop", "desk", "--frames", "40", "--screenshot", "a.png"],
        dimensions=(24, 80),
        cwd=str(desk),
        timeout=30,
        env={key: value for key, value in os.environ.items() if key != "DISPLAY"},
    )
    child.expect_exact("\x1b[c")
    child.send("\x1b[?62c")
    child.expect(r"\x1b\[48;2;\d+;0;0m")
    child.expect_exact("\x1b[?1049l")
    child.expect(pexpect.EOF)
    child.wait()
    assert child.exitstatus == 0
    assert shot(desk / "a.png").shape == (20, 30, 4)


TYPIST = """
title "Typist"
ports screen frame processes line
size 8x8
pic  : P 8x8
said : T
text : T = "LINE"
none : T
now  : I
out(line, text)
loop {
    now = in(frame)
    said = in(line, 0)
    if height(said) > 0 { pic = reshape(width(said) + 255 * 16777216, [8, 8]) }
    now = in(processes, 'p')
    if height(now) > 0 { pic = reshape(height(now) * 256 + 255 * 16777216, [8, 8]) }
    out(screen, pic)
}
"""


def test_the_command_language_is_behind_port_line(pxos: Pxos, here: Path) -> None:
    path = programs.write_app(here, "typist", TYPIST.replace("LINE", "echo twelve byte"))
    words = ["boot", "--desktop", path, "--headless", "--frames", "40", "--screenshot", "a.png"]
    assert pxos(*words).status == 0
    assert shot(here / "a.png")[0, 0].tolist() == [12, 0, 0, 255]


def test_screens_started_by_a_line_belong_to_the_desktop(
    pxos: Pxos, here: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = programs.write_app(here, "typist", TYPIST.replace("LINE", "echo & echo2"))
    programs.write_app(here / "more", "echo2", programs.ECHO)
    roots = [str(here / "more"), os.environ["PXOS_APPS"]]
    monkeypatch.setenv("PXOS_APPS", os.pathsep.join(roots))
    words = ["boot", "--desktop", path, "--headless", "--frames", "40", "--screenshot", "a.png"]
    assert pxos(*words).status == 0
    assert shot(here / "a.png")[0, 0].tolist() == [0, 1, 0, 255]


# ---- lines, scripts, the console --------------------------------------------------------


def run(here: Path, *words: str, data: bytes = b"") -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "pxos", *words],
        cwd=here,
        input=data.decode(),
        capture_output=True,
        text=True,
        timeout=60,
    )


def test_a_line(here: Path) -> None:
    photos.save(here / "in.jpg", np.full((4, 4, 4), (90, 90, 90, 255), np.uint8))
    done = run(here, "-c", "in.jpg | add 2 | add 3 > out.png && echo done")
    assert (done.returncode, done.stdout, done.stderr) == (0, "done\n", "")
    assert np.abs(shot(here / "out.png")[..., :3].astype(int) - 95).max() <= 2
    assert run(here, "-c", "twice | cat", data=b"ab\n").stdout == "ab\nab\n"
    assert run(here, "-c", "nonsense").returncode == 2
    assert run(here, "-c", "in.jpg | breaks > x.png").returncode == 1


def test_a_script(here: Path) -> None:
    (here / "do.pxsh").write_text("echo one $1\necho two\nnonsense\necho never\n")
    done = run(here, "do.pxsh", "word")
    assert done.stdout == "one word\ntwo\n"
    assert done.returncode == 2
    assert run(here, "none.pxsh").returncode == 1


def test_the_console_without_a_terminal_runs_its_input(here: Path) -> None:
    assert run(here, "shell", data=b"echo hi\n").stdout == "hi\n"


def test_the_console_in_a_terminal(here: Path) -> None:
    environment_ = {**os.environ, "XDG_STATE_HOME": str(here / "state"), "TERM": "xterm-256color"}
    child = pexpect.spawn(
        sys.executable,
        ["-m", "pxos", "shell"],
        dimensions=(24, 80),
        cwd=str(here),
        env=environment_,
        timeout=30,
    )
    child.expect_exact("> ")
    child.send("echo he''llo\r")
    child.expect_exact("hello\r\n")
    child.send("still\r")
    child.expect_exact("\x1b[48;2;255;128;0m")
    child.expect_exact("9 x 6")
    child.send("firstkey &\r")
    child.expect_exact("the terminal is in use; start it without &")
    child.send("exit 4\r")
    child.expect(pexpect.EOF)
    child.wait()
    assert child.exitstatus == 4
    assert "echo he''llo" in (here / "state" / "pxos" / "history").read_text()


def test_a_program_with_a_screen_started_from_the_console(here: Path) -> None:
    environment_ = {**os.environ, "XDG_STATE_HOME": str(here / "state"), "TERM": "xterm-256color"}
    environment_.pop("DISPLAY", None)
    child = pexpect.spawn(
        sys.executable,
        ["-m", "pxos", "-c", "firstkey"],
        dimensions=(24, 80),
        cwd=str(here),
        env=environment_,
        timeout=30,
    )
    child.expect_exact("\x1b[c")
    child.send("\x1b[?62c")
    child.expect_exact("\x1b[48;2;32;64;96m")
    child.send("k")
    child.expect_exact("\x1b[?1049l")
    child.expect(pexpect.EOF)
    child.wait()
    assert child.exitstatus == ord("k")


# ---- tools ------------------------------------------------------------------------------


def test_assembling_and_back(pxos: Pxos, here: Path) -> None:
    (here / "still.pxa").write_text(programs.STILL)
    assert pxos("asm", "still.pxa").status == 0
    assert pxos("run", here / "still.png", "-o", "s.png").status == 0
    assert shot(here / "s.png").shape == (6, 9, 4)
    assert pxos("disasm", here / "still.png", "-o", "flat.pxa").status == 0
    assert pxos("asm", "flat.pxa", "-o", "again.png").status == 0
    assert (here / "again.png").read_bytes() == (here / "still.png").read_bytes()
    assert "Still" in pxos("disasm", "still").out


def test_a_wrong_source(pxos: Pxos, here: Path) -> None:
    (here / "bad.pxa").write_text("x : I\ny = x + nothing\nhalt nowhere\n")
    done = pxos("asm", "bad.pxa")
    assert done.status == 1
    assert "bad.pxa:2" in done.err
    assert done.err.splitlines()[-1].startswith("pxos: ")
    assert not (here / "bad.png").exists()
    assert pxos("asm", "none.pxa").status == 1
    (here / "latin.pxa").write_bytes(b"\xe9\xff")
    assert "UTF-8" in pxos("asm", "latin.pxa").err
    assert pxos("asm", "bad.pxa", "-o", "bad.pxa").status == 2


def test_building_and_checking_apps(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for name, source in (("one", programs.STILL), ("two", programs.ECHO)):
        (here / name).mkdir()
        (here / name / f"{name}.pxa").write_text(source)
    (here / "one" / "part.pxa").write_text("nothing to build")
    with pytest.raises(Exception, match="one, two"):
        tools.apps("check", [], here)
    assert tools.apps("build", [], here) == 0
    assert capsys.readouterr().out.splitlines()[0].startswith("built one: ")
    assert tools.apps("check", [], here) == 0
    assert tools.apps("build", [], here) == 0
    assert capsys.readouterr().out == ""
    (here / "one" / "one.png").write_bytes(b"other")
    (here / "two" / "two.pxa").write_text("x = ")
    with pytest.raises(Exception, match="problems: two"):
        tools.apps("build", [], here)
    assert (here / "one" / "one.png").read_bytes() != b"other"
    with pytest.raises(Exception, match="no app 'six'"):
        tools.apps("build", ["six"], here)


def test_fonts(pxos: Pxos, here: Path) -> None:
    (here / "f.bdf").write_text(
        "STARTFONT 2.1\nFONT x\nSIZE 8 75 75\nFONTBOUNDINGBOX 8 8 0 0\nCHARS 1\nSTARTCHAR A\n"
        "ENCODING 65\nSWIDTH 500 0\nDWIDTH 8 0\nBBX 8 8 0 0\nBITMAP\nFF\n"
        "81\n81\n81\n81\n81\n81\nFF\n"
        "ENDCHAR\nENDFONT\n"
    )
    assert pxos("font", "f.bdf", "-o", "f.png").status == 0
    atlas = shot(here / "f.png")
    assert atlas[65 * 8, :, 3].tolist() == [255] * 8
    assert atlas[65 * 8 + 1, :, 3].tolist() == [255, 0, 0, 0, 0, 0, 0, 255]
    (here / "f.bdf").write_text("no font")
    assert pxos("font", "f.bdf", "-o", "g.png").status == 1


def test_the_doctor(pxos: Pxos, desk: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(desk / "state"))
    programs.write_app(desk / "store", "desktop", programs.DESKTOP)
    done = pxos("doctor", "--json")
    assert done.status == 0
    findings = {finding["name"]: finding for finding in json.loads(done.out)}
    assert findings["machine"]["state"] == "ok"
    assert not (desk / "state").exists()
    assert findings["window"]["state"] == "missing"
    assert "DISPLAY" in findings["window"]["detail"]
    text = pxos("doctor").out
    assert all(name in text for name in findings)
    assert {finding.name for finding in examine()} == set(findings)


def test_the_doctor_looks_at_the_compiled_kernels(monkeypatch: pytest.MonkeyPatch) -> None:
    finding = doctor._kernels()
    assert (finding.state, finding.advice) == ("ok", "")
    assert "numba" in finding.detail
    with monkeypatch.context() as patch:
        patch.setattr(selftest, "differences", lambda make: ["shares"])
        finding = doctor._kernels()
    assert finding.state == "broken"
    assert "shares" in finding.detail
    with monkeypatch.context() as patch:
        patch.setattr(native, "load", lambda: None)
        patch.setattr(native, "failure", lambda: "it needs an older NumPy")
        finding = doctor._kernels()
    assert finding.state == "missing"
    assert "an older NumPy" in finding.detail
    monkeypatch.setattr(environment, "has_package", lambda name: name != "numba")
    finding = doctor._kernels()
    assert finding.state == "missing"
    assert "pxos[fast]" in finding.advice


# ---- the command line -------------------------------------------------------------------


@pytest.mark.parametrize(
    ("words", "what"),
    [
        (["bogus"], "no command 'bogus'"),
        (["--bogus"], "--bogus"),
        (["boot", "--frames", "0"], "whole number"),
        (["boot", "--size", "9"], "ROWSxCOLUMNS"),
        (["boot", "--allow", "moon"], "no port 'moon'"),
        (["boot", "--headless"], "--frames"),
        (["asm"], "SOURCE.pxa"),
        (["apps", "paint"], "invalid choice"),
    ],
)
def test_wrong_commands(pxos: Pxos, words: list[str], what: str) -> None:
    done = pxos(*words)
    assert done.status == 2
    assert done.out == ""
    assert done.err.startswith("pxos: ")
    assert what in done.err
    assert len(done.err.splitlines()) == 1


def test_version_and_help(here: Path) -> None:
    assert run(here, "--version").stdout.startswith("pxos 0.")
    assert "pxos SCRIPT.pxsh" in run(here, "--help").stdout


def test_own_programs_come_before_the_bundled_ones(
    here: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PXOS_APPS", os.pathsep.join(["/one", "/two"]))
    roots = environment.app_store().roots
    assert roots == (Path("/one"), Path("/two"), environment.bundled_apps())
    assert environment.bundled_apps().is_dir()


def test_chance_differs() -> None:
    assert environment.chance() != environment.chance()


def test_a_window_is_only_asked_for_where_there_may_be_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "platform", "linux")
    for name in ("DISPLAY", "WAYLAND_DISPLAY"):
        monkeypatch.delenv(name, raising=False)
    assert not environment.may_have_display()
    monkeypatch.setenv("WAYLAND_DISPLAY", "wayland-0")
    assert environment.may_have_display()
    monkeypatch.delenv("WAYLAND_DISPLAY")
    monkeypatch.setattr(sys, "platform", "darwin")
    assert environment.may_have_display()


def test_a_display_is_there_where_its_server_listens(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "platform", "linux")
    for name in ("DISPLAY", "WAYLAND_DISPLAY"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))
    assert not environment.has_display()
    assert environment.display_name() == ""
    monkeypatch.setenv("DISPLAY", "elsewhere:0")  # not to be known without asking there
    assert environment.has_display()
    monkeypatch.setenv("DISPLAY", ":98765")
    assert not environment.has_display()
    monkeypatch.setenv("WAYLAND_DISPLAY", "wayland-0")
    assert not environment.has_display()
    assert environment.display_name() == "wayland-0"
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(tmp_path / "wayland-0"))
        server.listen()
        assert environment.has_display()
    assert not environment.has_display()


def test_pictures_for_the_host(here: Path) -> None:
    from pxos.boot.host import BootHost, decode_or_none

    host = BootHost()
    picture = noise(3, 3)
    host.write_picture(here / "a.png", picture)
    assert host.is_picture(here / "a.png")
    assert not host.is_picture(here)
    assert np.array_equal(next(iter(host.read_pictures(here / "a.png"))), picture)
    data = (here / "a.png").read_bytes()
    found = decode_or_none(data)
    assert found is not None
    assert np.array_equal(found, picture)
    assert decode_or_none(b"text") is None
    assert decode_or_none(data[:60]) is None
