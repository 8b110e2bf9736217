"""The words and operators of the command language.

:func:`lex` never raises: colouring and completion need the tokens of a line that is still
being typed.  What is wrong with the text is the ``problem`` of its answer, and the parser
(:mod:`.syntax`) raises it.  The grammar is written down in ``docs/shell.md``.
"""

from __future__ import annotations

from dataclasses import dataclass, field

#: Operators, longer ones first so that the first match is the right one.
OPERATORS = ("&&", "||", ">>", "|", "&", ";", "<", ">")
BLANK = " \t\r"
_SPECIAL = frozenset(BLANK + "\n|&;<>'\"\\$")
_NAME_START = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ_")
_DIGITS = frozenset("0123456789")
NAME_CHARS = _NAME_START | _DIGITS


class SyntaxProblem(ValueError):  # noqa: N818 - it is shown to people as a problem of their line
    """A text that is no line of the command language.

    ``what`` says what is wrong, ``advice`` what to do, ``start`` and ``end`` where (offsets).
    """

    def __init__(self, what: str, advice: str, start: int, end: int) -> None:
        super().__init__(f"{what}: {advice}" if advice else what)
        self.what = what
        self.advice = advice
        self.start = start
        self.end = end


class Incomplete(SyntaxProblem):
    """A text that may become a line when more is typed: an open quote, a last ``|``."""


@dataclass(frozen=True, slots=True)
class Text:
    """Characters of a word; ``quoted`` ones have no special meaning (no glob, no ``~``)."""

    text: str
    quoted: bool


@dataclass(frozen=True, slots=True)
class Variable:
    """``$NAME``, ``$1`` or ``$?`` in a word."""

    name: str


Part = Text | Variable


@dataclass(frozen=True, slots=True)
class Word:
    """One word: its parts and where it stands (offsets, not compared)."""

    parts: tuple[Part, ...]
    start: int = field(default=0, compare=False)
    end: int = field(default=0, compare=False)

    @property
    def plain(self) -> str | None:
        """The word's text if it has no variables, else None."""
        texts = [part.text for part in self.parts if isinstance(part, Text)]
        return "".join(texts) if len(texts) == len(self.parts) else None


@dataclass(frozen=True, slots=True)
class Token:
    """One token: ``kind`` is "word", "newline", "comment" or "operator".

    ``text`` is the operator, or the text as typed; ``word`` is set for words.
    """

    kind: str
    start: int
    end: int
    text: str
    word: Word | None = None


@dataclass(frozen=True, slots=True)
class Lexed:
    """The tokens of a text, and what is wrong with it (None if nothing)."""

    tokens: tuple[Token, ...]
    problem: SyntaxProblem | None


class _Lexer:
    def __init__(self, text: str) -> None:
        self.text = text
        self.at = 0
        self.problem: SyntaxProblem | None = None

    def run(self) -> Lexed:
        text, tokens = self.text, []
        while self.at < len(text):
            start, char = self.at, text[self.at]
            if char in BLANK:
                self.at += 1
            elif char == "\n":
                self.at += 1
                tokens.append(Token("newline", start, self.at, "\n"))
            elif char == "#":
                end = text.find("\n", start)
                self.at = len(text) if end < 0 else end
                tokens.append(Token("comment", start, self.at, text[start : self.at]))
            elif operator := next((o for o in OPERATORS if text.startswith(o, start)), None):
                self.at += len(operator)
                tokens.append(Token("operator", start, self.at, operator))
            else:
                word = self._word()
                if word is not None:
                    shown = text[word.start : word.end]
                    tokens.append(Token("word", word.start, word.end, shown, word))
        return Lexed(tuple(tokens), self.problem)

    def _word(self) -> Word | None:
        """Read a word; None if only a continued line (backslash, newline) stood here."""
        text, start = self.text, self.at
        parts: list[Part] = []
        while self.at < len(text):
            at, char = self.at, text[self.at]
            if char == "\0":
                self._wrong(SyntaxProblem("a NUL character", "take it out", at, at + 1))
                self.at += 1
            elif char == "\\":
                self._escape(parts)
                if not parts:
                    return None
            elif char == "'":
                end = text.find("'", at + 1)
                if end < 0:
                    self._open_quote("'", at)
                    end = len(text)
                _add(parts, text[at + 1 : end], quoted=True)
                self.at = min(end + 1, len(text))
            elif char == '"':
                self._double(parts)
            elif char == "$":
                self._dollar(parts, quoted=False)
            elif char in _SPECIAL:
                break
            else:
                end = at + 1
                while end < len(text) and text[end] not in _SPECIAL and text[end] != "\0":
                    end += 1
                _add(parts, text[at:end], quoted=False)
                self.at = end
        return Word(tuple(parts), start, self.at) if parts else None

    def _escape(self, parts: list[Part]) -> None:
        at = self.at
        if at + 1 == len(self.text):
            self._wrong(
                Incomplete("the line ends in a backslash", "go on in the next line", at, at + 1)
            )
            self.at += 1
        elif self.text[at + 1] == "\n":
            self.at += 2
        else:
            _add(parts, self.text[at + 1], quoted=True)
            self.at += 2

    def _double(self, parts: list[Part]) -> None:
        text, start = self.text, self.at
        _add(parts, "", quoted=True)
        self.at += 1
        while self.at < len(text):
            char = text[self.at]
            if char == '"':
                self.at += 1
                return
            if char == "$":
                self._dollar(parts, quoted=True)
            elif char == "\\" and text[self.at + 1 : self.at + 2] in ('"', "\\", "$"):
                _add(parts, text[self.at + 1], quoted=True)
                self.at += 2
            else:
                _add(parts, char, quoted=True)
                self.at += 1
        self._open_quote('"', start)

    def _dollar(self, parts: list[Part], *, quoted: bool) -> None:
        text, at = self.text, self.at
        braces = text.startswith("${", at)
        first = at + 2 if braces else at + 1
        char = text[first : first + 1]
        end = first
        if char and (char == "?" or char in _DIGITS):
            end = first + 1
        elif char and char in _NAME_START:
            while end < len(text) and text[end] in NAME_CHARS:
                end += 1
        if braces and (end == first or text[end : end + 1] != "}"):
            kind = Incomplete if end == len(text) else SyntaxProblem
            self._wrong(
                kind("${ without a name and }", "write ${NAME}, or \\$ for a dollar sign", at, end)
            )
            self.at = max(end, at + 2)
        elif end == first:
            _add(parts, "$", quoted=quoted)
            self.at = at + 1
        else:
            parts.append(Variable(text[first:end]))
            self.at = end + 1 if braces else end

    def _open_quote(self, quote: str, start: int) -> None:
        self._wrong(
            Incomplete(
                f"a {quote} is not closed", f"end it with another {quote}", start, len(self.text)
            )
        )

    def _wrong(self, problem: SyntaxProblem) -> None:
        if self.problem is None:
            self.problem = problem


def _add(parts: list[Part], text: str, *, quoted: bool) -> None:
    """Append text to the last part if that is of the same sort, else as a new part."""
    last = parts[-1] if parts else None
    if isinstance(last, Text) and last.quoted == quoted:
        parts[-1] = Text(last.text + text, quoted)
    else:
        parts.append(Text(text, quoted))


def lex(text: str) -> Lexed:
    """Split a text into tokens; never raises.  Offsets count characters of ``text``."""
    return _Lexer(text).run()
