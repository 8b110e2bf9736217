"""What could stand at the cursor: apps, commands, files, arguments, variables, jobs."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ..kernel.arguments import named, option
from ..kernel.machine.meta import Arg, Meta
from .builtins import BUILTINS
from .expand import path_of
from .lexer import Token, Word, lex
from .syntax import quote

if TYPE_CHECKING:
    from .session import Session

#: Most names that one completion lists.
MOST = 500


@dataclass(frozen=True, slots=True)
class Choice:
    """One completion: ``text`` replaces the line from ``start`` (an offset) to the cursor.

    ``final``: the word is done, a blank may follow (not so after a folder or ``--name=``).
    """

    start: int
    text: str
    shown: str
    about: str
    final: bool = True


def complete(session: Session, text: str) -> list[Choice]:
    """Choices for the end of ``text`` (the line up to the cursor), best first."""
    tokens = list(lex(text).tokens)
    if tokens and tokens[-1].kind == "comment" and tokens[-1].end == len(text):
        return []
    current = (
        tokens.pop()
        if tokens and tokens[-1].kind == "word" and tokens[-1].end == len(text)
        else None
    )
    start = len(text) if current is None else current.start
    typed = _typed(current)
    if typed is None:
        return list(_variables(session, text, start))
    before = _command_words(tokens)
    if tokens and tokens[-1].text in ("<", ">", ">>"):
        return list(_files(session, typed, start))
    found: list[Choice] = []
    if not before:
        found += _commands(session, typed, start)
        found += _files(session, typed, start)
    else:
        found += _words(session, before, typed, start)
    return found[:MOST]


def common(choices: list[Choice]) -> str:
    """What all choices begin with (all must start at the same place)."""
    first = min(choice.text for choice in choices)
    last = max(choice.text for choice in choices)
    same = 0
    while same < len(first) and first[same] == last[same]:
        same += 1
    return first[:same]


def _typed(token: Token | None) -> str | None:
    """The text that the last word means so far; None if it ends in a variable."""
    if token is None:
        return ""
    word: Word | None = token.word
    return word.plain if word is not None else ""


def _command_words(tokens: list[Token]) -> list[str]:
    """The words of the command at the end, without files of redirections."""
    words: list[str] = []
    for index, token in enumerate(tokens):
        if token.kind == "word":
            if index == 0 or tokens[index - 1].text not in ("<", ">", ">>"):
                words.append((token.word.plain if token.word else None) or token.text)
        elif token.text not in ("<", ">", ">>"):
            words.clear()
    return words


def _commands(session: Session, typed: str, start: int) -> Iterator[Choice]:
    for name in session.apps.names():
        if name.startswith(typed):
            meta = session.apps.meta(name)
            about = "(damaged)" if meta is None else meta.summary or meta.title
            yield Choice(start, name, name, about)
    for name, builtin in BUILTINS.items():
        if name.startswith(typed):
            yield Choice(start, name, name, builtin.summary)


def _words(session: Session, before: list[str], typed: str, start: int) -> Iterator[Choice]:
    name = before[0]
    builtin = BUILTINS.get(name)
    if builtin is not None:
        yield from _for_builtin(session, builtin.takes, typed, start)
        return
    meta = session.apps.meta(name) if name in session.apps.names() else None
    if meta is not None:
        yield from _arguments(meta, before[1:], typed, start)
    if not typed.startswith("-"):
        yield from _files(session, typed, start)


def _for_builtin(session: Session, takes: str, typed: str, start: int) -> Iterator[Choice]:
    if takes in ("files", "folders"):
        yield from _files(session, typed, start, folders_only=takes == "folders")
    elif takes in ("apps", "names"):
        yield from _commands(session, typed, start)
    if takes in ("jobs", "pids"):
        sign = "%" if takes == "pids" else ""
        for job in session.jobs.values():
            if f"{sign}{job.number}".startswith(typed):
                yield Choice(start, f"{sign}{job.number}", f"{sign}{job.number}", job.text)
    if takes == "pids":
        for process in session.kernel.processes.values():
            if not process.ended and str(process.pid).startswith(typed):
                yield Choice(start, str(process.pid), str(process.pid), process.name)


def _arguments(meta: Meta, given: list[str], typed: str, start: int) -> Iterator[Choice]:
    if typed.startswith("--") and "=" in typed:
        name, _, begun = typed.partition("=")
        yield from _values(named(meta, name), begun, start, f"{name}=")
        return
    if given and given[-1].startswith("--") and "=" not in given[-1]:
        arg = named(meta, given[-1])
        if arg is not None and arg.kind != "flag":
            yield from _values(arg, typed, start, "")
            return
    taken = [named(meta, word) for word in given if word.startswith("--")]
    for arg in meta.args:
        if arg.kind == "choice" and arg not in taken and not typed.startswith("-"):
            yield from _values(arg, typed, start, "")
    if typed.startswith("-") or not typed:
        for arg in meta.args:
            text = option(arg)
            if arg not in taken and text.startswith(typed):
                yield Choice(start, text, text, arg.help or arg.kind)


def _values(arg: Arg | None, begun: str, start: int, prefix: str) -> Iterator[Choice]:
    if arg is not None:
        values = ("yes", "no") if arg.kind == "flag" else arg.choices
        for value in values:
            if value.startswith(begun):
                yield Choice(start, prefix + quote(value), value, arg.help)


def _variables(session: Session, text: str, start: int) -> Iterator[Choice]:
    """``$na``: only where the word is nothing but a variable's beginning."""
    begun = text[start:]
    if begun.startswith("$"):
        for name in sorted({*session.variables, "?"}):
            if name.startswith(begun[1:]):
                yield Choice(start, f"${name}", f"${name}", session.variables.get(name, "status"))


def _files(
    session: Session, typed: str, start: int, *, folders_only: bool = False
) -> Iterator[Choice]:
    folder, name = os.path.split(typed)
    shown_folder = folder + "/" if folder and not folder.endswith("/") else folder
    home = session.host.home
    if folder == "~" or folder.startswith("~/"):
        if home is None:
            return
        where = home / folder[2:]
    else:
        where = path_of(folder, session.cwd) if folder else session.cwd
    try:
        entries = sorted(os.scandir(where), key=lambda entry: entry.name)
    except OSError:
        return  # nothing can be completed in a folder that cannot be read
    for entry in entries:
        if not entry.name.startswith(name) or (entry.name.startswith(".") and not name):
            continue
        is_folder = os.path.isdir(entry.path)
        if folders_only and not is_folder:
            continue
        path = shown_folder + entry.name + ("/" if is_folder else "")
        if path.startswith("~/"):
            path = "~/" + quote(path[2:])
        else:
            path = quote(path)
        yield Choice(
            start,
            path,
            entry.name + ("/" if is_folder else ""),
            "folder" if is_folder else "",
            not is_folder,
        )
