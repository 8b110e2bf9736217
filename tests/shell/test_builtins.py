from __future__ import annotations

import time
from pathlib import Path

import pytest

from pxos.shell.builtins import BUILTINS
from pxos.shell.builtins_jobs import size_text, time_text
from pxos.shell.calls import table

from .conftest import MakeShell, Shell
from .fakes import load, picture, save


def test_every_builtin_tells_how_it_is_used(shell: Shell) -> None:
    wanted = [
        "apps",
        "asm",
        "cat",
        "cd",
        "clear",
        "disasm",
        "echo",
        "exit",
        "fg",
        "help",
        "history",
        "jobs",
        "kill",
        "ls",
        "ps",
        "pwd",
        "set",
        "top",
        "wait",
        "which",
    ]
    assert list(BUILTINS) == wanted
    for name in BUILTINS:
        assert shell.run(f"help {name}") == 0
        assert f"usage: {name}" in shell.out


def test_folders(shell: Shell, tmp_path: Path) -> None:
    (shell.folder / "sub").mkdir()
    (shell.folder / "sub" / "a").touch()
    assert shell.run("pwd; cd sub; pwd; ls; cd ..; ls; cd; pwd; cd ~/work; pwd") == 0
    root = str(shell.folder)
    assert shell.out.split() == [root, root + "/sub", "a", "sub/", str(tmp_path), root]


def test_ls(make_shell: MakeShell) -> None:
    shell = make_shell(live=True, columns=lambda: 24)
    for name in ("one", "two", "three", "four", ".hidden"):
        (shell.folder / name).write_text("12345")
    assert shell.run("ls") == 0
    assert shell.out == "four   three\none    two\n"
    assert shell.run("ls | cat") == 0
    assert shell.out == "four\none\nthree\ntwo\n"
    assert shell.run("ls -l one .hidden") == 0
    first, second = shell.out.splitlines()
    assert first.split()[0] == "5"
    assert first.endswith("  one")
    assert second.endswith("  .hidden")
    assert shell.run("ls -a | cat") == 0
    assert ".hidden" in shell.out
    assert shell.run("ls /dev/null . | cat") == 0
    assert shell.out.startswith("/dev/null\n")


@pytest.mark.parametrize(
    ("line", "status", "says"),
    [
        ("cd nowhere", 1, "cd: there is no nowhere"),
        ("cd file", 1, "cd: file is no folder"),
        ("cd a b", 2, "usage: cd [FOLDER]"),
        ("ls nowhere", 1, "ls: there is no nowhere"),
        ("cat nowhere", 1, "cat: cannot read nowhere: no such file"),
        ("cat p.png", 1, "cat: p.png is a picture"),
        ("cat", 2, "cat: no file and no pipe"),
        ("which nosuch", 1, "there is no app, command or file nosuch"),
        ("help invrt", 1, "did you mean invert?"),
        ("set 1a x", 2, "'1a' is no name"),
        ("set a", 2, "no value for a"),
        ("kill", 2, "usage: kill"),
        ("kill x", 2, "'x' is no process number"),
        ("kill 4242", 1, "there is no process 4242"),
        ("kill %3", 1, "there is no job 3"),
        ("fg %x", 2, "no job number"),
        ("exit 256", 2, "a status is 0 to 255"),
        ("history x", 2, "no number of lines"),
        ("top 0", 2, "0.1 to 3600"),
        ("top x", 2, "0.1 to 3600"),
        ("pwd x", 2, "there is no place for 'x'"),
        ("asm", 2, "usage: asm"),
        ("asm nowhere.pxa", 1, "cannot read nowhere.pxa: no such file"),
        ("asm bad.pxa", 1, "bad.pxa:1:"),
        ("disasm nowhere", 1, "cannot read nowhere"),
        ("disasm p.png", 1, "p.png cannot be run"),
    ],
)
def test_errors(shell: Shell, line: str, status: int, says: str) -> None:
    (shell.folder / "file").touch()
    (shell.folder / "bad.pxa").write_text("nonsense ! here\n")
    save(shell.folder / "p.png", picture(1, 1))
    before = shell.files()
    assert shell.run(line) == status
    assert says in shell.err
    assert shell.files() == before


def test_cat_joins_files(shell: Shell) -> None:
    (shell.folder / "a").write_text("one\n")
    (shell.folder / "b").write_text("two\n")
    assert shell.run("cat b a") == 0
    assert shell.out == "two\none\n"


def test_help_of_an_app_is_its_metadata(shell: Shell) -> None:
    assert shell.run("help brighten") == 0
    for part in (
        "Brighten: adds to all bytes",
        "usage: brighten [BY] [--twice]",
        "how much",
        "0..9",
        "(1)",
        "takes     image",
        "gives     picture",
    ):
        assert part in shell.out
    assert shell.run("help limit") == 0
    assert "usage: limit [AT_MOST] [--keep-alpha]" in shell.out
    assert "  --at-most" in shell.out
    assert shell.run("help invert") == 0
    assert "All bytes." in shell.out
    assert "me, MIT" in shell.out
    (shell.folder / "mine.png").write_bytes(shell.store.data["invert"])
    assert shell.run("help ./mine.png") == 0
    assert "Invert: inverts" in shell.out


def test_help_and_apps_list_what_there_is(shell: Shell) -> None:
    shell.store.data["broken"] = b"no picture"
    assert shell.run("apps") == 0
    assert "brighten  adds to all bytes\nbroken    (damaged)\n" in shell.out
    assert shell.run("help") == 0
    assert "brighten" in shell.out
    assert all(builtin.usage in shell.out for builtin in BUILTINS.values())


def test_which(shell: Shell) -> None:
    (shell.folder / "mine.png").write_bytes(shell.store.data["invert"])
    save(shell.folder / "p.png", picture(1, 1))
    assert shell.run("which invert cd mine.png p.png .") == 0
    assert [line.split(": ")[1] for line in shell.out.splitlines()] == [
        "an app",
        "a command of the shell",
        "a program",
        "a file",
        "a folder",
    ]


def test_variables(shell: Shell) -> None:
    assert shell.run("set a one two; set; echo $a-${a}b") == 0
    assert shell.out == "a=one two\none two-one twob\n"


def test_history(shell: Shell) -> None:
    shell.session.history = ["a", "b", "c"]
    assert shell.run("history 2") == 0
    assert shell.out == "    2  b\n    3  c\n"
    assert shell.run("history 0") == 0
    assert shell.out == ""


def test_clear(make_shell: MakeShell) -> None:
    plain, live = make_shell(), make_shell(live=True)
    assert plain.run("clear") == live.run("clear") == 0
    assert plain.out == "\f"
    assert live.out == "\x1b[2J\x1b[3J\x1b[H"


def test_ps_and_top_show_accounting(shell: Shell) -> None:
    shell.run("forever &")
    assert shell.run("ps") == 0
    head, row = shell.out.splitlines()
    assert head.split() == ["PID", "NAME", "STATE", "ON", "TIME", "FUEL", "MEMORY"]
    assert row.split()[1:4:2] == ["forever", "cpu"]
    start = time.monotonic()
    assert shell.run("top 0.3") == 0
    assert 0.25 < time.monotonic() - start < 2
    summary, head, row = shell.out.splitlines()
    assert summary.startswith("1 processes")
    cells = dict(zip(head.split(), row.split(), strict=True))
    assert int(cells["CPU"].rstrip("%")) > 20
    assert cells["INSTR/S"] != "0"
    shell.session.close()


def test_top_goes_on_in_a_terminal(make_shell: MakeShell) -> None:
    shell = make_shell(live=True)
    running = shell.session.start_line("top 0.1")
    while shell.out.count("PID") < 3:
        assert not running.poll()
        shell.session.pump()
    running.interrupt()
    assert running.status == 130


def test_exit_warns_of_jobs_once(make_shell: MakeShell) -> None:
    shell = make_shell(live=True)
    shell.run("forever &")
    assert shell.run("exit") == 1
    assert shell.session.leaving is None
    assert shell.run("exit 5") == 5
    assert shell.session.leaving == 5
    shell.session.close()


def test_asm_and_disasm(shell: Shell) -> None:
    assert shell.run("disasm three > three.pxa") == 0
    assert shell.run("asm three.pxa; ./three.png") == 3
    assert (shell.folder / "three.png").read_bytes() == shell.store.data["three"]
    assert shell.run("asm three.pxa -o other.png") == 0
    assert load(shell.folder / "other.png").shape == load(shell.folder / "three.png").shape


@pytest.mark.parametrize(
    ("count", "shown"),
    [
        (0, "0"),
        (999, "999"),
        (1000, "1.0K"),
        (10239, "10K"),
        (5 << 20, "5.0M"),
        (12 << 30, "12G"),
        (5000 << 30, "5000G"),
    ],
)
def test_sizes(count: int, shown: str) -> None:
    assert size_text(count) == shown


@pytest.mark.parametrize(
    ("seconds", "shown"),
    [
        (0.0, "0.00s"),
        (9.5, "9.50s"),
        (12.34, "12.3s"),
        (187, "3:07"),
        (7387, "2:03:07"),
    ],
)
def test_times(seconds: float, shown: str) -> None:
    assert time_text(seconds) == shown


def test_tables() -> None:
    assert table([("a", "1"), ("bcd", "23")], frozenset({1})) == ["a     1", "bcd  23"]
    assert table([]) == []
