"""From the words of a command to texts: variables, the home folder, globs.

A variable's value is one piece of one word: it is never split and never a glob.  A glob
gives the existing names it fits, sorted; one that fits nothing is an error, because a
command would otherwise get a file that is not there.
"""

from __future__ import annotations

import glob
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from .lexer import Text, Variable, Word

_WILD = frozenset("*?[")


class CommandError(Exception):
    """A command that cannot be run: what is wrong, what to do, and where it stands.

    ``status`` is the exit status: 2 for a wrong command, 1 for work that failed.
    ``start`` and ``end`` are offsets into the line (None: the command as a whole).
    ``near`` is where the command begins, for messages that point at nothing in it.
    ``more`` are further lines to print, such as the usage line.
    """

    def __init__(
        self,
        text: str,
        *,
        status: int = 2,
        start: int | None = None,
        end: int | None = None,
        more: Sequence[str] = (),
    ) -> None:
        super().__init__(text)
        self.text = text
        self.status = status
        self.start = start
        self.end = end
        self.near: int | None = None
        self.more = tuple(more)


@dataclass(frozen=True, slots=True)
class Expanded:
    """What one word stands for: one text, or the names that a glob fits (``wild``)."""

    word: Word
    texts: tuple[str, ...]
    wild: bool

    @property
    def text(self) -> str:
        """The first text."""
        return self.texts[0]


@dataclass(frozen=True, slots=True)
class Scope:
    """What words are expanded against."""

    cwd: Path
    home: Path | None
    variables: Mapping[str, str]


def expand(word: Word, scope: Scope) -> Expanded:
    """The texts of a word.

    Raises :class:`CommandError` for an unknown variable, ``~`` without a home, and a glob
    that fits no name.
    """
    pieces = [_piece(part, word, scope) for part in word.parts]
    first = word.parts[0]
    if isinstance(first, Text) and not first.quoted and _is_home(first.text, word):
        if scope.home is None:
            raise CommandError(
                "there is no home folder for ~: write the whole path",
                start=word.start,
                end=word.end,
            )
        pieces[0] = (str(scope.home) + first.text[1:], False)
    if not any(wild for _, wild in pieces):
        return Expanded(word, ("".join(text for text, _ in pieces),), False)
    pattern = "".join(text if wild else glob.escape(text) for text, wild in pieces)
    found = sorted(glob.glob(pattern, root_dir=scope.cwd))
    if not found:
        raise CommandError(
            f"no file fits {''.join(text for text, _ in pieces)}: quote it if it "
            "is meant as it stands",
            start=word.start,
            end=word.end,
        )
    return Expanded(word, tuple(found), True)


def expand_one(word: Word, scope: Scope) -> str:
    """The one text of a word that must stand for exactly one (the file of ``>``)."""
    expanded = expand(word, scope)
    if len(expanded.texts) > 1:
        raise CommandError(
            f"{len(expanded.texts)} files fit, but one is wanted here",
            start=word.start,
            end=word.end,
        )
    return expanded.text


def _piece(part: Text | Variable, word: Word, scope: Scope) -> tuple[str, bool]:
    """A part's text, and whether it holds a glob's characters."""
    if isinstance(part, Text):
        return part.text, not part.quoted and not _WILD.isdisjoint(part.text)
    value = scope.variables.get(part.name)
    if value is None:
        raise CommandError(
            f"there is no variable ${part.name}: `set {part.name} VALUE` makes it",
            start=word.start,
            end=word.end,
        )
    return value, False


def _is_home(text: str, word: Word) -> bool:
    return text.startswith("~/") or (text == "~" and len(word.parts) == 1)


def path_of(text: str, cwd: Path) -> Path:
    """The path that a word names, below ``cwd`` unless it is absolute.

    Raises :class:`CommandError` for the empty name.
    """
    if not text:
        raise CommandError("an empty file name: name a file")
    return cwd / text
