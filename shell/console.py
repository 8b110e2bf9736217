"""The console: the command language in a terminal, with colours, completion and history.

The only module that imports prompt_toolkit, and only when a console is run.
"""

from __future__ import annotations

import shutil
import sys
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .builtins_jobs import time_text
from .colours import STYLES, colour
from .complete import complete
from .host import Picture
from .interrupts import Interrupts
from .session import Session
from .syntax import Incomplete, SyntaxProblem, parse

if TYPE_CHECKING:
    from prompt_toolkit import PromptSession
    from prompt_toolkit.formatted_text import StyleAndTextTuples

#: Text that draws a picture in a terminal, at most so many columns and rows large.
Render = Callable[[Picture, int, int], str]

#: Lines shorter than this many seconds show no duration.
_LONG = 1.0


class Console:
    """Reads lines from a terminal and runs them.

    ``render`` draws pictures that lines give (None: they are told of only).  ``history`` is the
    file of lines typed before, whose folder exists (None: none is kept).  ``colours`` False:
    messages come without ANSI colours.
    """

    def __init__(
        self,
        session: Session,
        *,
        render: Render | None = None,
        history: Path | None = None,
        colours: bool = True,
    ) -> None:
        self._session = session
        self._render = render
        self._history = history
        self._colours = colours
        self._seconds = 0.0
        session.live = True
        session.out = self._out
        session.err = self._err
        session.columns = lambda: shutil.get_terminal_size().columns
        if render is not None:
            session.show = self._show

    def run(self) -> int:
        """Read and run lines until ^D or ``exit``; returns the exit status."""
        with Interrupts():  # not even a ^C between two lines ends the console
            return self._run()

    def _run(self) -> int:
        session = self._session
        prompt = self._make_prompt()
        session.history.extend(reversed(list(prompt.history.load_history_strings())))
        while session.leaving is None:
            session.tell_jobs()
            try:
                text = self._read(prompt)
            except KeyboardInterrupt:
                continue
            except EOFError:
                text = "exit"
            else:
                session.warned_of_jobs = session.warned_of_jobs and text.strip() == "exit"
                if not text.strip():
                    continue
                session.history.append(text)
            self.run_line(text)
        session.close()
        return session.leaving

    def run_line(self, text: str) -> int:
        """Run a line in the foreground; ^C stops it and nothing else."""
        clock = self._session.kernel.clock
        start = clock.seconds()
        status = self._session.run_line(text)
        self._seconds = clock.seconds() - start
        return status

    # ---- output -----------------------------------------------------------------------------

    def _out(self, text: str) -> None:
        sys.stdout.write(text)
        sys.stdout.flush()

    def _err(self, text: str) -> None:
        self._out(f"\x1b[31m{text.rstrip()}\x1b[0m\n" if self._colours else text)

    def _show(self, picture: Picture, name: str) -> None:
        assert self._render is not None
        size = shutil.get_terminal_size()
        drawn = self._render(picture, max(1, size.columns - 1), max(1, size.lines - 4))
        self._out(f"{drawn}\n{name}\n")

    # ---- the prompt -------------------------------------------------------------------------

    def _read(self, prompt: PromptSession[str]) -> str:
        from prompt_toolkit.patch_stdout import patch_stdout

        session = self._session
        alive = session.has_live_jobs or bool(session.kernel.processes)
        with patch_stdout(raw=True):
            return prompt.prompt(
                session.prompt(), rprompt=self._right, inputhook=self._run_jobs if alive else None
            )

    def _run_jobs(self, context: Any) -> None:
        """Let jobs run while the user types."""
        session = self._session
        while not context.input_is_ready():
            session.poll_jobs()
            session.pump()

    def _right(self) -> StyleAndTextTuples:
        """Status and duration of the last line, where they say something."""
        shown: StyleAndTextTuples = []
        if self._session.status:
            shown.append(("class:status", f" status {self._session.status} "))
        if self._seconds >= _LONG:
            shown.append(("class:duration", f" {time_text(self._seconds)} "))
        return shown

    def _make_prompt(self) -> PromptSession[str]:
        from prompt_toolkit import PromptSession
        from prompt_toolkit.auto_suggest import AutoSuggestFromHistory
        from prompt_toolkit.completion import Completer, Completion
        from prompt_toolkit.document import Document
        from prompt_toolkit.filters import Condition
        from prompt_toolkit.history import FileHistory, History, InMemoryHistory
        from prompt_toolkit.lexers import Lexer
        from prompt_toolkit.styles import Style

        session, tell = self._session, self._err

        class LineCompleter(Completer):
            def get_completions(
                self, document: Document, complete_event: object
            ) -> Iterable[Completion]:
                text = document.text_before_cursor
                for choice in complete(session, text):
                    yield Completion(
                        choice.text, choice.start - len(text), choice.shown, choice.about
                    )

        class LineLexer(Lexer):
            def lex_document(self, document: Document) -> Callable[[int], StyleAndTextTuples]:
                lines = list(_coloured_lines(session, document.text))
                return lambda number: lines[number] if number < len(lines) else []

        class KeptHistory(FileHistory):
            """Goes on without the file when that cannot be read or written."""

            told = False

            def load_history_strings(self) -> Iterable[str]:
                try:
                    return list(super().load_history_strings())
                except OSError as error:
                    self._tell(error)
                    return []

            def store_string(self, string: str) -> None:
                try:
                    super().store_string(string)
                except OSError as error:
                    self._tell(error)

            def _tell(self, error: OSError) -> None:
                if not self.told:
                    self.told = True
                    tell(f"history is not kept: {error}\n")

        prompt: PromptSession[str]

        @Condition
        def unfinished() -> bool:
            return _is_unfinished(prompt.default_buffer.text)

        history: History = (
            InMemoryHistory() if self._history is None else KeptHistory(str(self._history))
        )
        prompt = PromptSession(
            history=history,
            completer=LineCompleter(),
            complete_while_typing=False,
            lexer=LineLexer(),
            auto_suggest=AutoSuggestFromHistory(),
            multiline=unfinished,
            prompt_continuation="... ",
            style=Style.from_dict(
                {
                    **STYLES,
                    "status": "ansired",
                    "duration": "ansibrightblack",
                    "prompt": "ansigreen bold",
                }
            ),
        )
        return prompt


def _is_unfinished(text: str) -> bool:
    """Whether Enter goes on in the next line instead of running the text."""
    try:
        parse(text)
    except Incomplete:
        return bool(text.strip())
    except SyntaxProblem:
        return False
    return False


def _coloured_lines(session: Session, text: str) -> Iterator[StyleAndTextTuples]:
    """For each line of ``text`` its stretches as (style, characters)."""
    pieces: list[tuple[str, str]] = []
    at = 0
    for span in colour(session, text):
        pieces.append(("", text[at : span.start]))
        pieces.append((f"class:{span.style}", text[span.start : span.end]))
        at = span.end
    pieces.append(("", text[at:]))
    line: StyleAndTextTuples = []
    for style, piece in pieces:
        first, *rest = piece.split("\n")
        line.append((style, first))
        for part in rest:
            yield line
            line = [(style, part)]
    yield line
