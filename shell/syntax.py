"""The grammar of the command language: text to a syntax tree with positions, and back.

The tree is plain data and every node knows where it stood (``start``, ``end``: character
offsets, which do not count when two trees are compared).  The grammar is in
``docs/shell.md``; it is regular but for nothing: no nesting, so that one pass without a
stack reads it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TypeVar

from .lexer import (
    NAME_CHARS,
    Incomplete,
    Lexed,
    SyntaxProblem,
    Text,
    Token,
    Variable,
    Word,
    lex,
)

__all__ = [
    "Chain",
    "Command",
    "Incomplete",
    "Item",
    "Line",
    "Pipeline",
    "Redirect",
    "SyntaxProblem",
    "Text",
    "Variable",
    "Word",
    "line_and_column",
    "parse",
    "point_at",
    "quote",
    "unparse",
]


Node = TypeVar("Node")


@dataclass(frozen=True, slots=True)
class Redirect:
    """``<``, ``>`` or ``>>`` and the file it names."""

    operator: str
    target: Word
    start: int = field(default=0, compare=False)
    end: int = field(default=0, compare=False)


@dataclass(frozen=True, slots=True)
class Command:
    """Words and redirections between two bars; one of the two may be empty, not both."""

    words: tuple[Word, ...]
    redirects: tuple[Redirect, ...]
    start: int = field(default=0, compare=False)
    end: int = field(default=0, compare=False)

    def redirect(self, *operators: str) -> Redirect | None:
        """The redirection with one of these operators, or None."""
        return next((r for r in self.redirects if r.operator in operators), None)


@dataclass(frozen=True, slots=True)
class Pipeline:
    """Commands joined by ``|``."""

    commands: tuple[Command, ...]
    start: int = field(default=0, compare=False)
    end: int = field(default=0, compare=False)


@dataclass(frozen=True, slots=True)
class Chain:
    """Pipelines joined by ``&&`` and ``||``, which bind equally, from the left.

    ``operators[i]`` stands before ``pipelines[i + 1]``.
    """

    pipelines: tuple[Pipeline, ...]
    operators: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Item:
    """A chain, and whether ``&`` sends it to the background."""

    chain: Chain
    background: bool
    start: int = field(default=0, compare=False)
    end: int = field(default=0, compare=False)


@dataclass(frozen=True, slots=True)
class Line:
    """What is run one after another."""

    items: tuple[Item, ...]


class _Parser:
    def __init__(self, text: str, lexed: Lexed) -> None:
        self.text = text
        self.tokens = [token for token in lexed.tokens if token.kind != "comment"]
        self.problem = lexed.problem
        self.at = 0

    # ---- tokens ------------------------------------------------------------------------

    def _is(self, *texts: str) -> bool:
        token = self._peek()
        return token is not None and token.kind != "word" and token.text in texts

    def _peek(self) -> Token | None:
        return self.tokens[self.at] if self.at < len(self.tokens) else None

    def _take(self) -> Token:
        self.at += 1
        return self.tokens[self.at - 1]

    def _skip_newlines(self) -> None:
        while self._is("\n"):
            self.at += 1

    # ---- grammar -------------------------------------------------------------------------

    def line(self) -> Line:
        if self.problem is not None and not isinstance(self.problem, Incomplete):
            raise self.problem
        items: list[Item] = []
        self._skip_newlines()
        while self._peek() is not None:
            items.append(self._item())
            self._skip_newlines()
        if self.problem is not None:
            raise self.problem
        return Line(tuple(items))

    def _item(self) -> Item:
        pipelines, operators = [self._pipeline()], []
        while self._is("&&", "||"):
            operators.append(self._take().text)
            pipelines.append(self._continued(operators[-1], self._pipeline))
        chain = Chain(tuple(pipelines), tuple(operators))
        background = self._is("&")
        if background or self._is(";", "\n"):
            self._take()
        return Item(chain, background, pipelines[0].start, pipelines[-1].end)

    def _pipeline(self) -> Pipeline:
        commands = [self._command()]
        while self._is("|"):
            self._take()
            commands.append(self._continued("|", self._command))
        for command in commands[1:]:
            if wrong := command.redirect("<"):
                raise SyntaxProblem(
                    "< behind a |",
                    "only the first command of a pipeline reads a file",
                    wrong.start,
                    wrong.end,
                )
        for command in commands[:-1]:
            if wrong := command.redirect(">", ">>"):
                raise SyntaxProblem(
                    f"{wrong.operator} before a |",
                    "only the last command of a pipeline writes a file",
                    wrong.start,
                    wrong.end,
                )
        return Pipeline(tuple(commands), commands[0].start, commands[-1].end)

    def _continued(self, operator: str, rule: Callable[[], Node]) -> Node:
        """What follows an operator that wants more; it may stand in the next line."""
        before = self.tokens[self.at - 1]
        self._skip_newlines()
        if self._peek() is None:
            raise self.problem or Incomplete(
                f"nothing after {operator}", "go on with a command", before.start, before.end
            )
        return rule()

    def _command(self) -> Command:
        words: list[Word] = []
        redirects: list[Redirect] = []
        first = self.at
        while (token := self._peek()) is not None:
            if token.word is not None:
                words.append(token.word)
                self.at += 1
            elif token.text in ("<", ">", ">>"):
                redirects.append(self._redirect(redirects))
            else:
                break
        if first == self.at:
            token = self._peek()
            if token is None:
                raise self.problem or Incomplete(
                    "nothing to run", "type a command", len(self.text), len(self.text)
                )
            raise SyntaxProblem(
                f"nothing before {token.text}", "put a command there", token.start, token.end
            )
        if not words and not any(r.operator == "<" for r in redirects):
            raise SyntaxProblem(
                "nothing to write",
                "put a command or a file before it",
                redirects[0].start,
                redirects[0].end,
            )
        return Command(
            tuple(words), tuple(redirects), self.tokens[first].start, self.tokens[self.at - 1].end
        )

    def _redirect(self, earlier: list[Redirect]) -> Redirect:
        token = self._take()
        target = self._peek()
        if target is None or target.word is None:
            if target is None and self.problem is not None:
                raise self.problem
            raise SyntaxProblem(
                f"no file after {token.text}", "name a file there", token.start, token.end
            )
        self.at += 1
        reads = token.text == "<"
        if any((other.operator == "<") == reads for other in earlier):
            raise SyntaxProblem(
                f"a second {token.text}",
                "one file to read and one to write is all a pipeline takes",
                token.start,
                target.end,
            )
        return Redirect(token.text, target.word, token.start, target.end)


def parse(text: str) -> Line:
    """The syntax tree of a text of one or more lines.

    Raises :class:`Incomplete` if more text could make it whole and :class:`SyntaxProblem`
    if not; both say what, where and what to do.
    """
    return _Parser(text, lex(text)).line()


# ---- back to text --------------------------------------------------------------------------


def quote(text: str) -> str:
    """``text`` as one word that means exactly itself; unchanged where it needs no quotes."""
    lexed = lex(text)
    if (
        len(lexed.tokens) == 1
        and lexed.problem is None
        and text[0] != "~"
        and lexed.tokens[0].word is not None
        and lexed.tokens[0].word.parts == (Text(text, False),)
        and not set(text) & set("*?[")
    ):
        return text
    return _quoted(text)


def _quoted(text: str) -> str:
    if "'" not in text:
        return f"'{text}'"
    escaped = "".join("\\" + char if char in '"\\$' else char for char in text)
    return f'"{escaped}"'


def _word_text(word: Word) -> str:
    shown: list[str] = []
    for index, part in enumerate(word.parts):
        if isinstance(part, Variable):
            after = word.parts[index + 1] if index + 1 < len(word.parts) else None
            glued = isinstance(after, Text) and not after.quoted and after.text[:1] in NAME_CHARS
            shown.append(f"${{{part.name}}}" if glued else f"${part.name}")
        elif part.quoted:
            shown.append(_quoted(part.text))
        else:
            shown.append(part.text)
    return "".join(shown)


def _pipeline_text(pipeline: Pipeline) -> str:
    commands = []
    for command in pipeline.commands:
        words = [_word_text(word) for word in command.words]
        words += [f"{r.operator} {_word_text(r.target)}" for r in command.redirects]
        commands.append(" ".join(words))
    return " | ".join(commands)


def _chain_text(chain: Chain) -> str:
    shown = [_pipeline_text(chain.pipelines[0])]
    for operator, pipeline in zip(chain.operators, chain.pipelines[1:], strict=True):
        shown += [operator, _pipeline_text(pipeline)]
    return " ".join(shown)


def unparse(tree: Line | Item | Pipeline) -> str:
    """One line of text that parses to an equal tree."""
    if isinstance(tree, Pipeline):
        return _pipeline_text(tree)
    if isinstance(tree, Item):
        return _chain_text(tree.chain) + (" &" if tree.background else "")
    shown = [unparse(item) + ("" if item.background else ";") for item in tree.items]
    return " ".join(shown).removesuffix(";")


# ---- places ----------------------------------------------------------------------------------


def line_and_column(text: str, offset: int) -> tuple[int, int]:
    """Line and column (both from 1) of a character offset."""
    before = text[:offset]
    return before.count("\n") + 1, offset - (before.rfind("\n") + 1) + 1


def point_at(text: str, start: int, end: int) -> list[str]:
    """The line of ``text`` where ``start`` lies, and one with carets under start..end."""
    number, column = line_and_column(text, start)
    line = text.split("\n")[number - 1]
    width = max(1, min(end, start + len(line) - column + 1) - start)
    return [line.replace("\t", " "), " " * (column - 1) + "^" * width]
