"""Lines of the command language on the real kernel, with tiny programs."""

from __future__ import annotations

import errno
import signal
import time

import numpy as np
import pytest

from .conftest import MakeShell, Shell
from .fakes import load, picture, save
from .programs import either


def test_a_picture_through_an_app_into_a_file(shell: Shell) -> None:
    save(shell.folder / "in.png", picture(3, 4))
    assert shell.run("in.png | invert > out.png") == 0
    assert np.array_equal(load(shell.folder / "out.png"), 255 - picture(3, 4))
    assert (shell.out, shell.err) == ("", "")
    assert shell.files() == ["in.png", "out.png"]


@pytest.mark.parametrize(
    "line",
    [
        "in.png | brighten 2 | invert > out.png",
        "in.png | brighten --by 2 --twice | invert > out.png",
        "limit --keep-alpha in.png | brighten 2 | invert > out.png",
        "limit --keep_alpha in.png --at-most 3 | brighten 2 | invert > out.png",
        "in.png | brighten --by=2 | invert > out.png",
        "brighten in.png 2 | invert > out.png",
        "brighten 2 in.png | invert > out.png",
        "brighten < in.png 2 | invert > out.png",
        "< in.png | brighten 2 | invert > out.png",
        "< in.png brighten 2 | invert > 'out.png'",
        "set n 2; in.png | brighten $n | invert > out.png",
    ],
)
def test_arguments_and_sources(shell: Shell, line: str) -> None:
    save(shell.folder / "in.png", picture(2, 2))
    assert shell.run(line) == 0, shell.err
    assert np.array_equal(load(shell.folder / "out.png"), 255 - (picture(2, 2) + 2))


def test_a_result_without_a_file_is_shown(shell: Shell) -> None:
    save(shell.folder / "in.png", picture(2, 2))
    assert shell.run("in.png | invert") == 0
    assert np.array_equal(shell.shown[0], 255 - picture(2, 2))
    assert shell.run("in.png") == 0
    assert np.array_equal(shell.shown[0], picture(2, 2))


def test_without_a_screen_a_result_is_told_of(make_shell: MakeShell) -> None:
    shell = make_shell(show=None)
    save(shell.folder / "in.png", picture(2, 3))
    assert shell.run("in.png | invert") == 0
    assert shell.err == "a picture of 3 x 2 pixels: end the line with > FILE.png to keep it\n"


def test_a_copy_needs_no_app(shell: Shell) -> None:
    save(shell.folder / "in.png", picture(2, 2))
    (shell.folder / "a.txt").write_text("words")
    assert shell.run("in.png > out.png; < a.txt > b.txt; a.txt >> b.txt") == 0
    assert np.array_equal(load(shell.folder / "out.png"), picture(2, 2))
    assert (shell.folder / "b.txt").read_text() == "wordswords"


def test_a_glob_feeds_pictures_one_after_another(shell: Shell) -> None:
    for n in range(4):
        save(shell.folder / f"in{n}.png", picture(1, 1, n))
    assert shell.run("in?.png | invert > out.png") == 0
    made = [name for name in shell.files() if name.startswith("out")]
    assert made == [f"out-{n}.png" for n in range(1, 5)]
    assert np.array_equal(load(shell.folder / "out-3.png"), 255 - picture(1, 1, 2))
    assert shell.run("invert in*.png") == 0
    assert len(shell.shown) == 4


@pytest.mark.parametrize("line", ["mix a.png b.png", "a.png | mix b.png", "mix b.png < a.png"])
def test_further_inputs_are_files(shell: Shell, line: str) -> None:
    save(shell.folder / "a.png", np.full((1, 1, 4), 3, np.uint8))
    save(shell.folder / "b.png", np.full((1, 1, 4), 4, np.uint8))
    assert shell.run(line) == 0, shell.err
    assert (shell.shown[0] == 7).all()


def test_text_flows(shell: Shell) -> None:
    assert shell.run("say") == 0
    assert shell.out == "grüße\n"
    assert shell.run("echo abc 'd  e' | shout | cat | cat > up.txt") == 0
    assert (shell.folder / "up.txt").read_bytes() == bytes(b & 0xDF for b in b"abc d  e\n")
    assert shell.run("up.txt | shout >> up.txt") == 0
    assert (shell.folder / "up.txt").read_bytes() == bytes(b & 0xDF for b in b"abc d  e\n") * 2


def test_text_becomes_a_picture(shell: Shell) -> None:
    assert shell.run("echo four | text | invert > out.png") == 0
    assert load(shell.folder / "out.png").shape == (1, 5, 4)


def test_a_still_screen_gives_its_last_picture(make_shell: MakeShell, shell: Shell) -> None:
    assert shell.run("still") == 0
    assert (shell.shown[0] == 9).all()
    without = make_shell(show=None, present=True)
    assert without.run("still") == 0
    assert without.err.startswith("a picture of 5 x 3 pixels")
    assert without.presented == []
    assert shell.run("still | invert > out.png") == 0
    assert (load(shell.folder / "out.png") == 246).all()


def test_a_lively_screen_needs_somebody_to_show_it(make_shell: MakeShell, shell: Shell) -> None:
    assert shell.run("lively") == 1
    assert "lively shows a screen, and there is none here" in shell.err
    seen = make_shell(present=True)
    running = seen.session.start_line("lively")
    assert not running.poll()
    (process,) = seen.presented
    assert process.name == "lively"
    while process.surface.serial == 0:
        seen.session.pump()
    seen.session.kernel.kill(process.pid, "closed")
    assert running.poll()
    assert running.status == 130
    assert seen.err == "lively: closed\n"


@pytest.mark.parametrize(
    ("line", "status", "says"),
    [
        ("invrt", 2, "there is no app or file invrt: did you mean invert?"),
        ("nothing.png | invert", 2, "there is no file nothing.png"),
        ("< nothing.png", 2, "there is no file nothing.png"),
        ("echo hi | invert", 2, "invert expects a picture, echo gives text: put `text` between"),
        ("in.png | shout", 2, "shout expects text, in.png gives pictures: end the line with"),
        ("in.png | echo", 2, "echo reads nothing"),
        ("in.png | zero", 2, "zero reads nothing"),
        ("zero | invert", 2, "invert expects a picture, but zero gives nothing"),
        ("invert", 2, "invert needs a picture (image)"),
        ("in.png | mix", 2, "mix needs a picture (above)"),
        ("mix", 2, "mix needs 2 pictures (below, above)"),
        ("in.png | brighten x", 2, "brighten: by is a whole number, not 'x'"),
        ("in.png | brighten 10", 2, "usage: brighten [BY] [--twice]"),
        ("in.png | brighten --no", 2, "there is no argument --no"),
        ("invert other.png", 2, "there is no file other.png"),
        ("in.png | invert in.png", 2, "there is no place for 'in.png'"),
        ("in.png 3 | invert", 2, "in.png is a file and takes no arguments"),
        ("in.png | in.png", 2, "in.png is a file, not a program"),
        ("say > out.png", 2, "out.png is a picture, say gives text: put `text` between"),
        ("in.png > out.txt", 2, "does not end like a picture"),
        ("in.png >> out.png", 2, "cannot be appended"),
        ("zero > out.png", 2, "zero gives nothing that a file could hold"),
        ("in.png > no/out.png", 1, "cannot write no/out.png: no such file"),
        ("..", 2, ".. is a folder"),
        ("*.gif | invert", 2, "no file fits *.gif"),
        ("echo $nope", 2, "there is no variable $nope"),
        ("in.png |", 2, "nothing after |"),
        ("echo 'a", 2, "a ' is not closed"),
        ("bad.png | invert", 1, "bad.png is no picture"),
        ("damaged", 1, "damaged cannot be run"),
    ],
)
def test_errors(shell: Shell, line: str, status: int, says: str) -> None:
    save(shell.folder / "in.png", picture(1, 1))
    (shell.folder / "bad.png").write_bytes(b"\x89PNG\r\n\x1a\n and then nothing")
    shell.store.data["damaged"] = shell.store.data["zero"][:-60]
    before = shell.files()
    assert shell.run(line) == status
    assert says in shell.err
    assert shell.session.status == status
    assert shell.files() == before


def test_an_error_points_at_its_place(shell: Shell) -> None:
    shell.run("echo a | nvert | cat")
    assert shell.err.splitlines()[:2] == ["echo a | nvert | cat", "         ^^^^^"]


def test_statuses(shell: Shell) -> None:
    assert shell.run("three") == 3
    assert shell.run("three; echo $?") == 0
    assert shell.out == "3\n"
    assert shell.run("zero && echo yes || echo no") == 0
    assert shell.out == "yes\n"
    assert shell.run("three && echo yes || echo no") == 0
    assert shell.out == "no\n"
    assert shell.run("three || three && echo no") == 3
    assert shell.out == ""
    assert shell.run("three | zero") == 2
    assert shell.run("") == 2


def test_the_last_failure_of_a_pipeline_is_its_status(shell: Shell) -> None:
    save(shell.folder / "in.png", picture(1, 1))
    assert shell.run("in.png | fault | invert") == 1


def test_a_fault_shows_its_card_and_leaves_the_file(shell: Shell) -> None:
    save(shell.folder / "in.png", picture(1, 1))
    (shell.folder / "out.png").write_bytes(b"old")
    assert shell.run("in.png | fault | invert > out.png") == 1
    assert "Fault stopped: division by zero" in shell.err
    assert (shell.folder / "out.png").read_bytes() == b"old"
    assert shell.files() == ["in.png", "out.png"]


def test_a_reader_that_goes_away_is_no_error(shell: Shell) -> None:
    for n in range(20):
        save(shell.folder / f"in{n:02}.png", picture(1, 1, n))
    save(shell.folder / "b.png", picture(1, 1))
    assert shell.run("in*.png | invert | mix b.png > out.png") == 0
    assert shell.err == ""
    assert "out.png" in shell.files()


def test_no_picture_is_no_success(shell: Shell) -> None:
    save(shell.folder / "in.png", picture(1, 1))
    (shell.folder / "empty").write_bytes(b"")
    assert shell.run("empty | text > out.png") == 1
    assert "no picture came: out.png is not written" in shell.err
    assert "out.png" not in shell.files()


def test_text_in_place_of_a_picture_is_told_the_way(shell: Shell) -> None:
    (shell.folder / "words").write_bytes(b"abc")
    shell.store.data["either"] = either()
    assert shell.run("words | either > out.png") == 1
    assert "out.png is not written; its text as a picture: | text > out.png" in shell.err
    assert "abc" in shell.out
    assert "out.png" not in shell.files()
    assert shell.run("words | either | text > out.png") == 0


def test_a_full_disk_is_told_and_stops_the_pipeline(shell: Shell) -> None:
    for n in range(9):
        save(shell.folder / f"in{n}.png", picture(1, 1, n))
    (shell.folder / "out.png").write_bytes(b"old")
    before = shell.files()
    shell.host.fail_write = OSError(errno.ENOSPC, "No space left on device")
    assert shell.run("in*.png | invert > out.png") == 1
    assert "cannot write out.png: the disk is full" in shell.err
    assert shell.files() == before
    assert (shell.folder / "out.png").read_bytes() == b"old"


def test_program_files_run(shell: Shell) -> None:
    (shell.folder / "mine.png").write_bytes(shell.store.data["invert"])
    (shell.folder / "tell").write_bytes(shell.store.data["say"])
    save(shell.folder / "in.png", picture(2, 2))
    assert shell.run("in.png | ./mine.png > out.png; ./tell") == 0
    assert np.array_equal(load(shell.folder / "out.png"), 255 - picture(2, 2))
    assert shell.out == "grüße\n"
    assert shell.run("< mine.png") == 0
    assert np.array_equal(shell.shown[0], load(shell.folder / "mine.png"))


@pytest.mark.parametrize("app", ["forever", "heavy", "sleepy"])
def test_interrupt_is_prompt(shell: Shell, app: str) -> None:
    from .programs import heavy

    if app == "heavy":
        shell.store.data["heavy"] = heavy()
    running = shell.session.start_line(f"{app}; echo not this")
    end = time.monotonic() + 0.3
    turns = []
    while time.monotonic() < end:
        start = time.monotonic()
        assert not running.poll()
        shell.session.pump()
        turns.append(time.monotonic() - start)
    start = time.process_time()
    running.interrupt()
    assert running.poll()
    assert time.process_time() - start < 0.05
    assert sorted(turns)[len(turns) // 2] < 0.1  # the machine that tests may be busy itself
    assert running.status == shell.session.status == 130
    assert shell.out == ""
    running.interrupt()
    assert shell.run("echo on") == 0


def test_interrupt_leaves_the_target(shell: Shell) -> None:
    save(shell.folder / "in.png", picture(1, 1))
    shell.store.data["slow"] = shell.store.data["forever"]
    (shell.folder / "out.txt").write_text("old")
    running = shell.session.start_line("say > a.txt && forever && echo x > out.txt")
    for _ in range(20):
        running.poll()
        shell.session.pump()
    running.interrupt()
    assert (shell.folder / "out.txt").read_text() == "old"
    assert shell.files() == ["a.txt", "in.png", "out.txt"]


def test_jobs(shell: Shell) -> None:
    assert shell.run("forever & echo here; jobs") == 0
    assert shell.err.startswith("[1] ")
    assert shell.out.splitlines()[0] == "here"
    assert "running" in shell.out
    assert "forever" in shell.out
    assert shell.run("say > a.txt & wait 2") == 0
    assert (shell.folder / "a.txt").read_text() == "grüße\n"
    assert shell.run("kill %1; jobs") == 0
    assert "failed (130)" in shell.out
    assert shell.session.jobs == {}
    assert shell.run("three & wait 1") == 3
    assert shell.run("fg") == 1
    assert "there is no job" in shell.err


def test_fg_is_the_foreground(shell: Shell) -> None:
    shell.run("forever &")
    running = shell.session.start_line("fg")
    for _ in range(5):
        assert not running.poll()
        shell.session.pump()
    running.interrupt()
    assert running.status == 130
    assert shell.session.jobs == {}


def test_wait_can_be_interrupted_without_harm(shell: Shell) -> None:
    shell.run("forever &")
    running = shell.session.start_line("wait")
    running.poll()
    running.interrupt()
    assert shell.session.has_live_jobs
    shell.session.close()


def test_jobs_are_told_of_once(shell: Shell) -> None:
    shell.run("three &")
    shell.session.finish()
    shell.told.clear()
    shell.session.tell_jobs()
    assert shell.err == "[1] failed (3)  three\n"
    shell.session.tell_jobs()
    assert shell.err == "[1] failed (3)  three\n"


def test_kill_by_number(shell: Shell) -> None:
    shell.run("forever &")
    (pid,) = shell.session.kernel.processes
    assert shell.run(f"ps; kill {pid}; wait") == 130
    assert "forever" in shell.out
    assert "forever: killed" in shell.err


def test_scripts_stop_at_the_first_failure(shell: Shell) -> None:
    script = "# a script\necho one $1 $0\nthree || echo on\nthree\necho never\n"
    assert shell.session.run_script(script, "my.pxsh", ["x"]) == 3
    assert shell.out == "one x my.pxsh\non\n"


@pytest.mark.parametrize(
    ("script", "status", "says"),
    [
        ("echo a\n\nnosuch 1\n", 2, "my.pxsh:3: there is no app or file nosuch"),
        ("echo a\necho 'b\n", 2, "my.pxsh:2: a ' is not closed"),
        ("echo a\n| b\n", 2, "my.pxsh:2: nothing before |"),
        ("exit 7\necho no\n", 7, ""),
        ("three | \n  \n cat", 2, "my.pxsh:3: cat expects text"),
    ],
)
def test_scripts_tell_the_line(shell: Shell, script: str, status: int, says: str) -> None:
    assert shell.session.run_script(script, "my.pxsh") == status
    assert says in shell.err


def test_a_script_that_is_wrong_somewhere_runs_nowhere(shell: Shell) -> None:
    assert shell.session.run_script("echo a > made.txt\n'", "s") == 2
    assert shell.files() == []


def test_a_script_waits_for_its_jobs(shell: Shell) -> None:
    assert shell.session.run_script("say > a.txt &\nsay > b.txt &\n", "s") == 0
    assert shell.files() == ["a.txt", "b.txt"]


def test_output_is_handed_on_byte_for_byte(make_shell: MakeShell) -> None:
    taken: list[bytes] = []
    shell = make_shell(out_bytes=taken.append)
    data = bytes(range(256))
    (shell.folder / "data").write_bytes(data)
    assert shell.run("data; cat data; say") == 0
    assert b"".join(taken) == data + data + "grüße\n".encode()


def test_programs_do_not_command_the_terminal(make_shell: MakeShell) -> None:
    shell = make_shell(live=True)
    (shell.folder / "evil").write_bytes(b"a\x1b[2Jb\n\xc2\x9b\tc\x07")
    assert shell.run("evil; cat evil") == 0
    assert shell.out == "a␛[2Jb\n\ufffd\tc␇" * 2
    assert shell.run("'\x1b[31m'") == 2
    assert "\x1b" not in shell.err
    assert shell.run("clear") == 0
    assert shell.out.startswith("\x1b[2J")


def test_control_c_of_a_blocking_line_ends_it(shell: Shell) -> None:
    pump, turns = shell.session.pump, 0

    def pump_and_strike() -> None:
        nonlocal turns
        turns += 1
        pump()
        signal.raise_signal(signal.SIGINT)

    before = signal.getsignal(signal.SIGINT)
    shell.session.pump = pump_and_strike
    assert shell.session.run_script("forever &\nforever\necho no", "s") == 130
    assert turns == 1
    assert shell.out == ""
    assert not shell.session.kernel.processes
    assert signal.getsignal(signal.SIGINT) is before


def test_an_output_that_raises_leaves_nothing_behind(make_shell: MakeShell) -> None:
    def gone(data: bytes) -> None:
        raise BrokenPipeError

    shell = make_shell(out_bytes=gone)
    for line in ("say", "forever & say", "echo a"):
        with pytest.raises(BrokenPipeError):
            shell.run(line)
    shell.session.close()
    assert not shell.session.kernel.processes


def test_control_c_ends_the_waiting_for_jobs(shell: Shell) -> None:
    pump = shell.session.pump
    shell.session.pump = lambda: (pump(), signal.raise_signal(signal.SIGINT))
    assert shell.session.run_script("forever &", "s") == 130
    assert not shell.session.kernel.processes


def test_exit_ends_the_line(shell: Shell) -> None:
    assert shell.run("echo a; exit 4; echo b") == 4
    assert shell.out == "a\n"
    assert shell.session.leaving == 4
