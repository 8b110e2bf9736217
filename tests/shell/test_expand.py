from __future__ import annotations

from pathlib import Path

import pytest

from pxos.shell.expand import CommandError, Scope, expand, expand_one, path_of
from pxos.shell.lexer import Word
from pxos.shell.syntax import parse


def word(text: str) -> Word:
    return parse(text).items[0].chain.pipelines[0].commands[0].words[0]


@pytest.fixture
def scope(tmp_path: Path) -> Scope:
    for name in ("a.png", "b.png", "c.txt", ".hidden.png", "x y.png", "[z].png"):
        (tmp_path / name).touch()
    (tmp_path / "sub").mkdir()
    (tmp_path / "sub" / "d.png").touch()
    return Scope(tmp_path, Path("/home/me"), {"name": "a*", "?": "3", "1": "one"})


@pytest.mark.parametrize(
    ("text", "texts"),
    [
        ("plain", ("plain",)),
        ("*.txt", ("c.txt",)),
        ("[ab].png", ("a.png", "b.png")),
        ("?.png", ("a.png", "b.png")),
        ("x' '*", ("x y.png",)),
        ("'['*.png", ("[z].png",)),
        ("s*/*.png", ("sub/d.png",)),
        ("'*.txt'", ("*.txt",)),
        ("\\*.txt", ("*.txt",)),
        ("$name", ("a*",)),
        ('"$name-$?"', ("a*-3",)),
        ("$1", ("one",)),
        ("~/p", ("/home/me/p",)),
        ("~", ("/home/me",)),
        ("'~'/p", ("~/p",)),
        ("a~", ("a~",)),
        ("''", ("",)),
    ],
)
def test_words(text: str, texts: tuple[str, ...], scope: Scope) -> None:
    assert expand(word(text), scope).texts == texts


def test_a_glob_knows_that_it_is_one(scope: Scope) -> None:
    assert expand(word("*.txt"), scope).wild
    assert not expand(word("c.txt"), scope).wild


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("*.gif", "no file fits *.gif"),
        ("$nothing", "there is no variable $nothing"),
    ],
)
def test_problems(text: str, says: str, scope: Scope) -> None:
    with pytest.raises(CommandError, match=says.replace("*", r"\*").replace("$", r"\$")) as caught:
        expand(word(text), scope)
    assert (caught.value.start, caught.value.end) == (0, len(text))
    assert caught.value.status == 2


def test_no_home(scope: Scope) -> None:
    with pytest.raises(CommandError, match="no home folder"):
        expand(word("~/x"), Scope(scope.cwd, None, {}))


def test_one_of_several(scope: Scope) -> None:
    assert expand_one(word("*.txt"), scope) == "c.txt"
    with pytest.raises(CommandError, match="2 files fit"):
        expand_one(word("[ab].png"), scope)


def test_paths(tmp_path: Path) -> None:
    assert path_of("a", tmp_path) == tmp_path / "a"
    assert path_of("/a", tmp_path) == Path("/a")
    with pytest.raises(CommandError, match="empty"):
        path_of("", tmp_path)
