"""Whatever is typed, a session answers with a status and stays whole."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pxos.shell.colours import colour
from pxos.shell.complete import complete

from .conftest import MakeShell, Shell
from .fakes import picture, save

PIECES = st.one_of(
    st.sampled_from(
        [
            "in.png",
            "words.txt",
            "sub",
            "*.png",
            "*",
            "[",
            "?",
            "$?",
            "$x",
            "${x}",
            "~",
            "~/work",
            "sub/..",
            "''",
            '"a b"',
            "'q'",
            "\\",
            "#",
            "3",
            "--by",
            "--by=2",
            "--",
            "-l",
            "%1",
            "a" * 300,
            "/dev/null",
            "sub/none/x",
            "bad.png",
            "mine.png",
            "\udc80",
            "\x1b[31m",
            "\0",
        ]
    ),
    st.sampled_from(
        [
            "invert",
            "brighten",
            "mix",
            "say",
            "text",
            "shout",
            "three",
            "zero",
            "fault",
            "still",
            "lively",
            "damaged",
            "echo",
            "ls",
            "cd",
            "cat",
            "pwd",
            "set",
            "which",
            "help",
            "apps",
            "jobs",
            "ps",
            "kill",
            "fg",
            "history",
            "clear",
            "disasm",
            "exit",
            "asm",
        ]
    ),
    st.text(st.characters(exclude_categories=["Cs"]), max_size=4),
)
GLUE = st.sampled_from(
    [" ", " ", " ", " | ", " | ", " > ", " < ", " >> ", " && ", " || ", "; ", "\n", ""]
)
LINES = st.lists(st.tuples(PIECES, GLUE), max_size=9).map(
    lambda pairs: "".join(piece + glue for piece, glue in pairs)
)


@pytest.fixture
def whole(make_shell: MakeShell) -> Shell:
    shell = make_shell()
    shell.store.data["damaged"] = shell.store.data["zero"][:-60]
    del shell.store.data["forever"], shell.store.data["sleepy"]
    return shell


@given(LINES)
@settings(
    max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
def test_any_line_ends_with_a_status(whole: Shell, line: str) -> None:
    session = whole.session
    session.cwd = whole.folder
    session.leaving = None
    (whole.folder / "sub").mkdir(exist_ok=True)
    save(whole.folder / "in.png", picture(2, 2))
    (whole.folder / "words.txt").write_text("words\n")
    (whole.folder / "bad.png").write_bytes(b"\x89PNG\r\n\x1a\n")
    (whole.folder / "mine.png").write_bytes(whole.store.data["invert"])
    for end in range(0, len(line) + 1, 3):
        complete(session, line[:end])
        colour(session, line[:end])
    status = whole.run(line)
    assert 0 <= status <= 255
    assert not session.kernel.processes
    assert not [name for name in whole.files() if ".part" in name]
    (whole.out + whole.err).encode()


@pytest.mark.parametrize(
    "line",
    [
        "a" * 300,
        "echo " + "b" * 5000,
        "ls " + "c" * 300,
        "echo x > " + "d" * 300,
        "cd " + "e" * 300,
        "cat " + "f" * 300,
        "x | " * 200 + "x",
        "$" * 50,
        "echo " + "'a'b" * 2000,
    ],
)
def test_long_lines(whole: Shell, line: str) -> None:
    complete(whole.session, line)
    colour(whole.session, line)
    assert whole.run(line) in (0, 1, 2)
