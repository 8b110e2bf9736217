"""What the assembler says when a source is wrong.

A :class:`SourceError` is raised where a mistake is found and carries its place.  The
assembler goes on with the next statement, collects them, and raises one
:class:`AsmError` that shows them all.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from difflib import get_close_matches


@dataclass(frozen=True, slots=True, eq=False)
class Source:
    """One source file: ``name`` as the program remembers it, ``shown`` as people are shown
    it, ``folder`` to which its file names are relative, ``lines`` without their ends."""

    name: str
    shown: str
    folder: str
    lines: tuple[str, ...]
    library: bool = False


@dataclass(frozen=True, slots=True)
class Place:
    """A position in a source: ``line`` and ``column`` count from 1."""

    source: Source
    line: int
    column: int


@dataclass(frozen=True, slots=True)
class Problem:
    """One mistake in a source."""

    file: str
    line: int
    column: int
    message: str
    source_line: str
    suggestion: str = ""

    def __str__(self) -> str:
        """Where and what, the source line, and a caret under the place."""
        before = self.source_line[: self.column - 1]
        caret = "".join("\t" if c == "\t" else " " for c in before) + "^"
        text = f"{self.file}:{self.line}:{self.column}: {self.message}"
        text += f"\n    {self.source_line}\n    {caret}"
        return text + (f"\n    {self.suggestion}" if self.suggestion else "")


class SourceError(Exception):
    """A mistake at a place, on its way to the collector."""

    def __init__(self, place: Place, message: str, suggestion: str = "") -> None:
        super().__init__(message)
        self.place = place
        self.message = message
        self.suggestion = suggestion
        self.notes: list[str] = []

    def problem(self) -> Problem:
        """The mistake as a value."""
        lines = self.place.source.lines
        line = lines[self.place.line - 1] if self.place.line <= len(lines) else ""
        message = self.message + "".join(f" ({note})" for note in self.notes)
        return Problem(
            self.place.source.shown,
            self.place.line,
            self.place.column,
            message,
            line,
            self.suggestion,
        )


class AsmError(ValueError):
    """A source does not assemble.

    ``problems``: all that was found, in order; ``file``, ``line``, ``column``,
    ``message``, ``source_line`` and ``suggestion`` are those of the first.
    """

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems = tuple(problems)
        first = self.problems[0]
        self.file, self.line, self.column = first.file, first.line, first.column
        self.message, self.source_line = first.message, first.source_line
        self.suggestion = first.suggestion
        super().__init__("\n".join(str(problem) for problem in self.problems))


def too_deep(place: Place) -> SourceError:
    """The error for something nested so deeply that the assembler itself gives up."""
    return SourceError(place, "this is nested too deeply", "give parts of it names of their own")


#: More problems than this are not shown: the rest usually follows from the first.
MAX_PROBLEMS = 20


class Collector:
    """Collects the mistakes of one assembly."""

    def __init__(self) -> None:
        self._problems: dict[tuple[str, int, int, str], Problem] = {}

    def add(self, error: SourceError) -> None:
        """Remember a mistake; the same one twice counts once."""
        problem = error.problem()
        self._problems.setdefault(
            (problem.file, problem.line, problem.column, problem.message), problem
        )

    def check(self) -> None:
        """Raise :class:`AsmError` if anything was wrong."""
        if self._problems:
            found = sorted(self._problems.values(), key=lambda p: (p.file, p.line, p.column))
            raise AsmError(found[:MAX_PROBLEMS])


def suggest(word: str, known: Iterable[str], prefix: str = "did you mean") -> str:
    """``did you mean NAME?`` for the nearest known name, or nothing."""
    names = sorted(set(known))
    near = get_close_matches(word, names, n=1, cutoff=0.6)
    if not near:
        folded = {name.lower(): name for name in names}
        near = [folded[word.lower()]] if word.lower() in folded else []
    return f"{prefix} {near[0]}?" if near else ""
