"""The flat form: a picture stated word by word, as the disassembler prints it."""

from __future__ import annotations

import re
from dataclasses import dataclass

import numpy as np

from ....kernel.machine import program as machine_program
from ....kernel.machine.isa import (
    BY_CHAR,
    FIRST_SMALL,
    KINDS,
    RESERVED,
    Op,
    encode,
    small_operand,
)
from ....kernel.machine.layout import seal, write_legend
from ....kernel.machine.memory import HEADER_PX, WIDTHS
from ....kernel.machine.program import Program, ProgramError
from .errors import Collector, Place, Source, SourceError, suggest
from .lexer import Token

#: Most words of a picture in the flat form.
MAX_WORDS = 1 << 26
_WORD = re.compile(r'"(?:\\.|[^"\\])*"|[^\s]+')
_FIRST = re.compile(r"\s*(?:;[^\n]*\n\s*)*picture\s+[0-9]+x[0-9]+\s*(?:;[^\n]*)?(?:\n|$)")
_RUN = re.compile(r"(-?(?:0x[0-9a-fA-F]+|[0-9]+))(?:\*([0-9]+))?")
_STATEMENTS = ("legend", "name", "matrix", "data", "word", "words")


def is_flat(text: str) -> bool:
    """Whether a source is in the flat form: its first statement is ``picture WxH``."""
    return _FIRST.match(text) is not None


@dataclass(frozen=True, slots=True)
class _Line:
    """One statement: its words and their places."""

    words: list[Token]

    def text(self, index: int) -> str:
        """The word at ``index``; a mistake if the line is shorter."""
        if index >= len(self.words):
            last = self.words[-1]
            end = Place(last.place.source, last.place.line, last.place.column + len(last.text))
            raise SourceError(end, f"{self.words[0].text} needs more than this")
        return self.words[index].text

    def place(self, index: int = 0) -> Place:
        """Where a word stands."""
        return self.words[min(index, len(self.words) - 1)].place

    def number(self, index: int, low: int, high: int) -> int:
        """The word at ``index`` as a number."""
        text = self.text(index)
        if not re.fullmatch(r"-?(0x[0-9a-fA-F]+|[0-9]+)", text) or not low <= int(text, 0) <= high:
            raise SourceError(
                self.place(index), f"expected a number of {low}..{high}, found {text!r}"
            )
        return int(text, 0)


def _split(source: Source) -> list[_Line]:
    """The statements of a source."""
    found: list[_Line] = []
    for number, line in enumerate(source.lines, 1):
        words: list[Token] = []
        for match in _WORD.finditer(line):
            text = match.group()
            if text.startswith(";"):
                break
            words.append(Token("name", text, Place(source, number, match.start() + 1), text))
        if words:
            found.append(_Line(words))
    return found


class Flat:
    """One picture on its way from the flat form."""

    def __init__(self, source: Source, problems: Collector) -> None:
        self.problems = problems
        self.statements = _split(source)
        self.names = {name: entry for entry, name in enumerate(RESERVED)}
        self.labels: dict[str, int] = {}
        self.jumps: list[tuple[int, _Line]] = []
        self.cursor = -1
        self.begin = 0
        self.image = np.zeros((0, 0), np.uint32)

    def run(self) -> Program:
        """The program.  Raises AsmError."""
        first = self.statements[0]
        try:
            self._picture(first)
        except SourceError as error:
            self.problems.add(error)
            self.problems.check()
        for line in self.statements[1:]:
            try:
                self._statement(line)
            except SourceError as error:
                self.problems.add(error)
        for at, line in self.jumps:
            try:
                self.flat[at] = self._raw(line)
            except SourceError as error:
                self.problems.add(error)
        self.problems.check()
        seal(self.image)
        try:
            meta = machine_program.validate(self.image)
        except ProgramError as error:
            self.problems.add(SourceError(first.place(), error.what, error.advice))
            self.problems.check()
            raise
        self.image.flags.writeable = False
        return Program(self.image, meta)

    def _picture(self, line: _Line) -> None:
        width, rows = (int(n) for n in line.text(1).split("x"))
        if width not in WIDTHS or not rows >= 2 or width * rows > MAX_WORDS:
            raise SourceError(
                line.place(1),
                f"a picture cannot be {width} wide and {rows} high",
                "widths are " + ", ".join(map(str, WIDTHS)),
            )
        self.image = np.zeros((rows, width), np.uint32)
        self.flat = self.image.reshape(-1)
        write_legend(self.image, "")

    def _statement(self, line: _Line) -> None:
        word = line.text(0)
        match word:
            case "legend":
                text = line.text(1)
                if not text.startswith('"'):
                    raise SourceError(line.place(1), "expected a text in quotes")
                write_legend(self.image, text[1:-1])
            case "name":
                self.names[line.text(2)] = line.number(1, len(RESERVED), FIRST_SMALL - 1)
            case "matrix":
                self._matrix(line)
            case "data":
                self.cursor = self._words(line, 1, self._at(line))
            case "words":
                rows, width = self.image.shape
                at = line.number(1, 0, rows - 1) * width + line.number(2, 0, width - 1)
                self._words(line, 3, at)
            case "word":
                self._put(self._at(line), line.number(1, 0, (1 << 32) - 1), line)
                self.cursor += 1
            case _ if word.endswith(":") and len(line.words) == 1:
                self._at(line)
                self.labels[word[:-1]] = self.cursor - self.begin
            case _ if (word[1:] if word.startswith("!") else word) in BY_CHAR:
                at = self._at(line)
                self._put(at, 0, line)
                self.jumps.append((at, line))
                self.cursor += 1
            case _:
                raise SourceError(
                    line.place(),
                    f"{word!r} is no statement of the flat form",
                    suggest(word, _STATEMENTS),
                )

    def _at(self, line: _Line) -> int:
        """Where the next word of the current matrix goes."""
        if self.cursor < 0:
            raise SourceError(line.place(), "this belongs behind a matrix line")
        return self.cursor

    def _put(self, at: int, word: int, line: _Line) -> None:
        if at >= self.flat.size:
            raise SourceError(line.place(), "this goes past the end of the picture")
        self.flat[at] = word & 0xFFFFFFFF

    def _matrix(self, line: _Line) -> None:
        """``matrix ROW KIND RxC cap N [seen K] [flags N] [more A B C D]``."""
        rows, width = self.image.shape
        row = line.number(1, 1, rows - 1)
        kind = line.text(2)
        shape = re.fullmatch(r"([0-9]+)x([0-9]+)", line.text(3))
        if kind not in KINDS:
            raise SourceError(
                line.place(2), f"there is no kind {kind!r}", "kinds are " + " ".join(KINDS)
            )
        if shape is None or max(int(n) for n in shape.groups()) >= 1 << 32:
            raise SourceError(line.place(3), f"expected ROWSxCOLUMNS, found {line.text(3)!r}")
        most = (1 << 32) - 1
        values = [ord(kind), int(shape[1]), int(shape[2]), 0, 0, 0, 0, 0]
        at = 4
        while at < len(line.words):
            match line.text(at):
                case "cap":
                    values[3] = line.number(at + 1, 0, most)
                case "seen":
                    values[0] |= (ord(line.text(at + 1)[0]) & 0xFF) << 8
                case "flags":
                    values[0] |= line.number(at + 1, 0, 0xFFFF) << 16
                case "more":
                    values[4:] = [line.number(at + i, 0, most) for i in range(1, 5)]
                    at += 3
                case other:
                    raise SourceError(
                        line.place(at),
                        f"unexpected {other!r}",
                        suggest(other, ("cap", "seen", "flags", "more")),
                    )
            at += 2
        begin = row * width
        self.flat[begin : begin + HEADER_PX] = values
        self.begin = self.cursor = begin + HEADER_PX

    def _words(self, line: _Line, index: int, at: int) -> int:
        """Write words from ``at`` on; where the next one would go."""
        for position in range(index, len(line.words)):
            match = _RUN.fullmatch(line.text(position))
            value = int(match[1], 0) if match else 0
            if match is None or not -(1 << 31) <= value < 1 << 32:
                raise SourceError(line.place(position), f"{line.text(position)!r} is no word")
            count = int(match[2] or 1)
            if at + count > self.flat.size:
                raise SourceError(line.place(position), "this goes past the end of the picture")
            self.flat[at : at + count] = value & 0xFFFFFFFF
            at += count
        return at

    # ---- instructions ------------------------------------------------------------------------

    def _raw(self, line: _Line) -> int:
        """The word of a raw instruction."""
        op = BY_CHAR[line.text(0).removeprefix("!")]
        if len(line.words) - 1 != len(op.operands):
            raise SourceError(
                line.place(),
                f"{op.char} {op.name} takes {len(op.operands)} operands, not {len(line.words) - 1}",
                f"{op.char} {op.form}",
            )
        data = shift = 0
        for index, name in enumerate(op.operands, 1):
            size = {"n16": 16, "n24": 24}.get(name, 8)
            data |= self._operand(op, name, line, index, size) << shift
            shift += size
        return encode(op.char) | data << 8

    def _operand(self, op: Op, name: str, line: _Line, index: int, size: int) -> int:
        text = line.text(index)
        if size > 8:
            if text in self.labels:
                return self.labels[text] & ((1 << size) - 1)
            low = -32768 if op.char == "#" else 0
            return line.number(index, low, (1 << size) - 1) & ((1 << size) - 1)
        if name.startswith("'"):
            return ord(text[1]) & 0xFF if re.fullmatch(r"'.", text) else line.number(index, 0, 255)
        if text in self.names:
            return self.names[text]
        if not re.fullmatch(r"-?[0-9]+", text):
            raise SourceError(
                line.place(index), f"nothing is called {text!r}", suggest(text, self.names)
            )
        byte = small_operand(int(text))
        if byte is None:
            raise SourceError(line.place(index), f"{text} is no small integer of -16..47")
        return byte
