"""Which part of a line is what, for colouring it while it is typed."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import TYPE_CHECKING

from .builtins import BUILTINS
from .expand import path_of
from .lexer import Text, Token, lex
from .syntax import Incomplete, SyntaxProblem, parse

if TYPE_CHECKING:
    from .session import Session

#: Every class a span may have, with its style.
STYLES = {
    "app": "ansigreen bold",
    "builtin": "ansicyan bold",
    "file": "ansiblue",
    "unknown": "ansired",
    "option": "ansiyellow",
    "quoted": "ansiyellow",
    "glob": "ansimagenta",
    "operator": "bold",
    "comment": "ansibrightblack",
    "wrong": "ansired underline",
    "word": "",
}


@dataclass(frozen=True, slots=True)
class Span:
    """Characters ``start``..``end`` of a line are of class ``style`` (a key of STYLES)."""

    start: int
    end: int
    style: str


def colour(session: Session, text: str) -> list[Span]:
    """Spans of a line in order, not overlapping; what lies between is plain."""
    spans = []
    first = True
    before = ""
    for token in lex(text).tokens:
        if token.kind == "operator":
            spans.append(Span(token.start, token.end, "operator"))
            first = first if token.text in ("<", ">", ">>") else True
        elif token.kind == "comment":
            spans.append(Span(token.start, token.end, "comment"))
        elif token.kind == "newline":
            first = True
        elif before in ("<", ">", ">>"):
            spans.append(Span(token.start, token.end, "file"))
        else:
            spans.append(Span(token.start, token.end, _word_style(session, token, first)))
            first = False
        before = token.text if token.kind == "operator" else ""
    try:
        parse(text)
    except Incomplete:
        pass  # more is to come
    except SyntaxProblem as problem:
        spans = _mark(spans, problem.start, max(problem.end, problem.start + 1))
    return spans


def _word_style(session: Session, token: Token, first: bool) -> str:
    assert token.word is not None
    plain = token.word.plain
    parts = [part for part in token.word.parts if isinstance(part, Text)]
    if any(not part.quoted and set(part.text) & set("*?[") for part in parts):
        return "glob"
    exists = bool(plain) and os.path.exists(path_of(plain or "", session.cwd))
    if first and plain is not None:
        if plain in BUILTINS:
            return "builtin"
        if plain in session.apps.names():
            return "app"
        return "file" if exists else "unknown"
    if token.text.startswith("--"):
        return "option"
    if exists:
        return "file"
    return "quoted" if any(part.quoted for part in parts) else "word"


def _mark(spans: list[Span], start: int, end: int) -> list[Span]:
    """Lay a wrong stretch over the spans."""
    kept = []
    for span in spans:
        if span.start < start:
            kept.append(Span(span.start, min(span.end, start), span.style))
        if span.end > end:
            kept.append(Span(max(span.start, end), span.end, span.style))
    return sorted([*kept, Span(start, end, "wrong")], key=lambda span: span.start)
