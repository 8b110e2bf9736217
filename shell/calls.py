"""What a builtin is and what it is called with.

A builtin is a generator: it yields bytes to write them, yields None to wait for the next
turn, and returns its exit status.  So no builtin holds up the kernel, and ^C ends each of
them at its next turn.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ..kernel.pipes import Flow, TextSource
from .expand import CommandError

if TYPE_CHECKING:
    from .session import Session

Steps = Generator[bytes | None, None, int]


class CallError(CommandError):
    """A builtin was called with wrong words; the usage line follows."""


@dataclass(frozen=True, slots=True)
class Builtin:
    """A command of the shell itself.

    ``words`` is how it is called, ``summary`` what it does.  ``reads``: it reads the pipe's
    text.  ``takes``: what its words name, for completion: "files", "folders", "apps",
    "names", "jobs", "pids" or "".  ``commands``: it sends ANSI sequences to the terminal.
    """

    name: str
    words: str
    summary: str
    run: Callable[[Call], Steps]
    reads: bool = False
    takes: str = ""
    commands: bool = False

    @property
    def usage(self) -> str:
        """The usage line."""
        return f"{self.name} {self.words}".rstrip()


@dataclass(slots=True)
class Call:
    """One call of a builtin.

    ``piped``: its text goes into a pipe or a file, not to the screen.
    """

    session: Session
    builtin: Builtin
    words: tuple[str, ...]
    stdin: TextSource | None
    piped: bool

    def wrong(self, what: str) -> CallError:
        """The error for words that do not fit."""
        return CallError(f"{self.builtin.name}: {what}", more=[f"usage: {self.builtin.usage}"])

    def failed(self, what: str) -> CommandError:
        """The error for work that failed."""
        return CommandError(f"{self.builtin.name}: {what}", status=1)

    def at_most(self, count: int) -> None:
        """Refuse more than ``count`` words."""
        if len(self.words) > count:
            raise self.wrong(f"there is no place for {self.words[count]!r}")

    def read_all(self) -> Generator[None, None, bytes]:
        """All text of the pipe; ``yield from`` it."""
        pieces = []
        while self.stdin is not None and (piece := self.stdin.read()) is not Flow.END:
            if piece is Flow.PENDING:
                yield None
            else:
                pieces.append(piece)
        return b"".join(pieces)


def line(text: str) -> bytes:
    """A line of output."""
    return text.encode("utf-8", "surrogateescape") + b"\n"


def table(rows: Sequence[tuple[str, ...]], right: frozenset[int] = frozenset()) -> list[str]:
    """Rows of texts in columns two blanks apart; ``right`` are the columns set to the right."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = []
    for row in rows:
        cells = [
            cell.rjust(width) if column in right else cell.ljust(width)
            for column, (cell, width) in enumerate(zip(row, widths, strict=True))
        ]
        lines.append("  ".join(cells).rstrip())
    return lines
