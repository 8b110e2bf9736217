from __future__ import annotations

import pytest

from pxos.shell.colours import STYLES, colour
from pxos.shell.complete import Choice, common, complete

from .conftest import MakeShell, Shell
from .fakes import picture, save


@pytest.fixture
def files(shell: Shell) -> Shell:
    save(shell.folder / "photo.png", picture(1, 1))
    (shell.folder / "my file.txt").touch()
    (shell.folder / ".hidden").touch()
    (shell.folder / "sub").mkdir()
    (shell.folder / "sub" / "inner.png").touch()
    shell.session.variables["name"] = "value"
    return shell


@pytest.mark.parametrize(
    ("text", "texts"),
    [
        ("inv", ["invert"]),
        ("photo.png | inv", ["invert"]),
        ("zero; inv", ["invert"]),
        ("s", ["say", "shout", "sleepy", "still", "set", "sub/"]),
        ("invert p", ["photo.png"]),
        ("invert my", ["'my file.txt'"]),
        ("invert 'my", ["'my file.txt'"]),
        ("invert sub/", ["sub/inner.png"]),
        ("invert ./su", ["./sub/"]),
        ("cat ~/wo", ["~/work/"]),
        ("invert .h", [".hidden"]),
        ("cd ", ["sub/"]),
        ("say > ph", ["photo.png"]),
        ("say >", ["'my file.txt'", "photo.png", "sub/"]),
        ("brighten --", ["--by", "--twice"]),
        ("brighten --by 1 --", ["--twice"]),
        ("brighten --t", ["--twice"]),
        ("brighten --twice=y", ["--twice=yes"]),
        ("limit --", ["--at-most", "--keep-alpha"]),
        ("limit --at-most 1 --", ["--keep-alpha"]),
        ("limit --at_most 1 --k", ["--keep-alpha"]),
        ("limit --keep-alpha=", ["--keep-alpha=yes", "--keep-alpha=no"]),
        ("limit --keep_alpha=n", ["--keep_alpha=no"]),
        ("help bri", ["brighten"]),
        ("which ech", ["echo"]),
        ("echo $na", ["$name"]),
        ("# inv", []),
        ("invert nowhere/", []),
        ("nosuch ph", ["photo.png"]),
    ],
)
def test_choices(files: Shell, text: str, texts: list[str]) -> None:
    assert [choice.text for choice in complete(files.session, text)] == texts


def test_choices_describe_and_replace(files: Shell) -> None:
    (choice,) = complete(files.session, "zero && inv")
    assert choice == Choice(8, "invert", "invert", "inverts")
    assert complete(files.session, "brighten --b")[0].about == "how much"
    assert not complete(files.session, "invert su")[0].final


def test_jobs_and_processes(shell: Shell) -> None:
    shell.run("forever &")
    (pid,) = shell.session.kernel.processes
    assert [c.text for c in complete(shell.session, "kill ")] == ["%1", str(pid)]
    assert [c.about for c in complete(shell.session, "fg ")] == ["forever"]
    shell.session.close()


def test_the_common_beginning() -> None:
    def choices(*texts: str) -> list[Choice]:
        return [Choice(0, text, text, "") for text in texts]

    assert common(choices("abc", "abd", "ab")) == "ab"
    assert common(choices("x", "y")) == ""
    assert common(choices("same")) == "same"


@pytest.mark.parametrize(
    ("text", "spans"),
    [
        (
            "photo.png | invert 3",
            [("photo.png", "file"), ("|", "operator"), ("invert", "app"), ("3", "word")],
        ),
        ("nosuch", [("nosuch", "unknown")]),
        (
            "echo --x 'q' *.png # c",
            [
                ("echo", "builtin"),
                ("--x", "option"),
                ("'q'", "quoted"),
                ("*.png", "glob"),
                ("# c", "comment"),
            ],
        ),
        (
            "say > new.txt; zero",
            [
                ("say", "app"),
                (">", "operator"),
                ("new.txt", "file"),
                (";", "operator"),
                ("zero", "app"),
            ],
        ),
        ("zero | | zero", [("zero", "app"), ("|", "operator"), ("|", "wrong"), ("zero", "app")]),
        ("zero > a > b", [("zero", "app"), (">", "operator"), ("a", "file"), ("> b", "wrong")]),
        ("echo 'open", [("echo", "builtin"), ("'open", "quoted")]),
    ],
)
def test_colours(files: Shell, text: str, spans: list[tuple[str, str]]) -> None:
    found = colour(files.session, text)
    assert [(text[s.start : s.end], s.style) for s in found] == spans
    assert all(span.style in STYLES for span in found)


def test_a_bare_session_has_a_prompt(make_shell: MakeShell) -> None:
    shell = make_shell()
    assert shell.session.prompt() == "~/work> "
    shell.host.home = None
    assert shell.session.prompt() == f"{shell.folder}> "
