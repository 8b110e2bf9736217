"""From characters to tokens.

The lexer knows two modes.  Ordinary text becomes names, numbers, strings, characters and
operators.  A statement that begins with an opcode character and operands (``A h h b1``)
is the raw form: it becomes a ``raw`` token and one token for each operand.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from fractions import Fraction

from ....kernel.machine.isa import BY_CHAR
from .errors import Collector, Place, Source, SourceError


@dataclass(frozen=True, slots=True)
class Token:
    """One token.  ``kind``: name number string char shape raw op newline end.

    ``value``: the text of a name or operator, the string, the code of a character, the
    (rows, columns) of a shape, the character of a raw opcode, or (Fraction, has a point).
    """

    kind: str
    value: str | int | tuple[int, int] | tuple[Fraction, bool]
    place: Place
    text: str = ""


OPERATORS = (
    "<<=",
    ">>=",
    "//=",
    "...",
    "..",
    "<<",
    ">>",
    "<=",
    ">=",
    "==",
    "!=",
    "+=",
    "-=",
    "*=",
    "/=",
    "%=",
    "&=",
    "|=",
    "^=",
    "@=",
    "//",
    "+",
    "-",
    "*",
    "/",
    "%",
    "@",
    "&",
    "|",
    "^",
    "<",
    ">",
    "=",
    "(",
    ")",
    "[",
    "]",
    "{",
    "}",
    ",",
    ":",
    ".",
    ";",
)
_OPERATOR = re.compile("|".join(re.escape(op) for op in OPERATORS))
_BLANK = re.compile(r"[ \t\r]+")
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_SHAPE = re.compile(r"[1-9][0-9]*x[0-9]+(?![A-Za-z0-9_])")
_NUMBER = re.compile(
    r"0[xX][0-9A-Fa-f][0-9A-Fa-f_]*|0[bB][01][01_]*|"
    r"[0-9][0-9_]*(?:\.[0-9][0-9_]*)?(?:[eE][+-]?[0-9]{1,2}(?![0-9]))?"
)
#: Longest number that is read.
MAX_DIGITS = 60
_COLOUR = re.compile(r"#([0-9A-Fa-f]{8}|[0-9A-Fa-f]{6})(?![A-Za-z0-9_])")
_RAW_LETTER = re.compile(r"[A-Za-z_][ \t]+(?=[A-Za-z0-9_'\"]|-[0-9])")
_RAW_OPERAND = re.compile(r"""'(\\.|.)'?|"(?:\\.|[^"\\])*"|[^\s;{}]+""")
_ESCAPES = {"n": "\n", "t": "\t", "r": "\r", "0": "\0", "\\": "\\", '"': '"', "'": "'", "e": "\x1b"}
_UNESCAPE = re.compile(r"\\(x[0-9A-Fa-f]{2}|u\{[0-9A-Fa-f]{1,6}\}|.|$)", re.DOTALL)

#: Words that end an expression or carry structure and so cannot name a matrix.
KEYWORDS = frozenset(
    """if unless else while loop for in out goto call return halt break continue proc macro
    include const view and or not where""".split()  # noqa: SIM905 - a list would take 23 lines
)
#: Those of them that are functions where a parenthesis follows.
CALLABLE = frozenset({"in", "out", "view", "halt", "where"})


def unescape(text: str, place: Place) -> str:
    """``text`` with its backslash escapes replaced."""

    def one(match: re.Match[str]) -> str:
        code = match.group(1)
        if code.startswith("x") and len(code) == 3:
            return chr(int(code[1:], 16))
        if code.startswith("u{"):
            number = int(code[2:-1], 16)
            if number > 0x10FFFF or 0xD800 <= number <= 0xDFFF:
                raise SourceError(place, f"\\{code} is no character")
            return chr(number)
        if code not in _ESCAPES:
            raise SourceError(
                place,
                f"unknown escape \\{code}",
                "known are " + " ".join(f"\\{c}" for c in _ESCAPES) + " \\xHH \\u{H}",
            )
        return _ESCAPES[code]

    return _UNESCAPE.sub(one, text)


def number_value(text: str) -> tuple[Fraction, bool]:
    """The exact value of a number as written, and whether it has a point or exponent."""
    plain = text.replace("_", "")
    if plain[:2].lower() in ("0x", "0b"):
        return Fraction(int(plain, 0)), False
    return Fraction(plain), not plain.isdigit()


def colour_word(digits: str) -> int:
    """``rrggbb`` or ``rrggbbaa`` as a pixel word."""
    channels = bytes.fromhex(digits if len(digits) == 8 else digits + "ff")
    return int.from_bytes(channels, "little")


class Lexer:
    """Turns one source into tokens; mistakes go to ``problems``."""

    def __init__(self, source: Source, problems: Collector) -> None:
        self.source = source
        self.problems = problems
        self.text = "\n".join(source.lines) + "\n"
        self.at = 0
        self.line = 1
        self.line_start = 0
        self.brackets: list[str] = []
        self.tokens: list[Token] = []

    def run(self) -> list[Token]:
        """All tokens, an ``end`` token last."""
        while self.at < len(self.text):
            try:
                self.step()
            except SourceError as error:
                self.problems.add(error)
                self.at = self.text.index("\n", self.at)
        self.add("newline", "", self.place())
        self.add("end", "", self.place())
        return self.tokens

    def place(self, at: int | None = None) -> Place:
        """The place of character ``at``."""
        at = self.at if at is None else at
        return Place(
            self.source, min(self.line, max(1, len(self.source.lines))), at - self.line_start + 1
        )

    def add(
        self,
        kind: str,
        value: str | int | tuple[int, int] | tuple[Fraction, bool],
        place: Place,
        text: str = "",
    ) -> None:
        """Append a token."""
        self.tokens.append(Token(kind, value, place, text))

    def at_statement_start(self) -> bool:
        """Whether a statement may begin here."""
        if self.brackets:
            return False
        last = self.tokens[-1] if self.tokens else None
        return (
            last is None
            or last.kind == "newline"
            or (last.kind == "op" and last.value in ("{", "}"))
        )

    def step(self) -> None:
        """Read one token, blank or comment."""
        text, at = self.text, self.at
        char = text[at]
        if char == "\n":
            if not self.brackets:
                self.add("newline", "", self.place())
            self.at += 1
            self.line += 1
            self.line_start = self.at
        elif blank := _BLANK.match(text, at):
            self.at = blank.end()
        elif char == ";" and (not self.in_list() or text.startswith(";;", at)):
            self.at = text.index("\n", at)
        elif self.at_statement_start() and self.raw():
            pass
        elif char == '"':
            self.string()
        elif char == "'":
            self.character()
        elif colour := _COLOUR.match(text, at):
            self.word("number", (Fraction(colour_word(colour.group(1))), False), colour)
        elif shape := _SHAPE.match(text, at):
            rows, cols = shape.group().split("x")
            self.word("shape", (int(rows), int(cols)), shape)
        elif number := _NUMBER.match(text, at):
            if len(number.group()) > MAX_DIGITS:
                raise SourceError(self.place(), f"a number of more than {MAX_DIGITS} digits")
            self.word("number", number_value(number.group()), number)
        elif name := _NAME.match(text, at):
            self.word("name", name.group(), name)
        elif operator := _OPERATOR.match(text, at):
            self.bracket(operator.group())
            self.word("op", operator.group(), operator)
        else:
            raise SourceError(self.place(), f"unexpected character {char!r}")

    def word(
        self,
        kind: str,
        value: str | int | tuple[int, int] | tuple[Fraction, bool],
        match: re.Match[str],
    ) -> None:
        """Append the token that ``match`` found and go past it."""
        self.add(kind, value, self.place(), match.group())
        self.at = match.end()

    def in_list(self) -> bool:
        """Whether ``;`` separates rows here."""
        return bool(self.brackets) and self.brackets[-1] == "["

    def bracket(self, operator: str) -> None:
        """Keep count of round and square brackets: newlines inside them do not matter."""
        if operator in "([":
            self.brackets.append(operator)
        elif operator in ")]" and self.brackets:
            self.brackets.pop()
        elif operator in "{}" and self.brackets:
            self.brackets.clear()
            raise SourceError(self.place(), f"a bracket is not closed before {operator}")

    def string(self) -> None:
        """A string in one or three double quotes."""
        place, text, at = self.place(), self.text, self.at
        quotes = '"""' if text.startswith('"""', at) else '"'
        end = at + len(quotes)
        while not text.startswith(quotes, end):
            if end >= len(text) or (text[end] == "\n" and quotes == '"'):
                raise SourceError(place, "the string is not closed")
            end += 2 if text[end] == "\\" else 1
        body = text[at + len(quotes) : end]
        self.add("string", unescape(body, place), place, body)
        self.line += body.count("\n")
        if "\n" in body:
            self.line_start = at + len(quotes) + body.rindex("\n") + 1
        self.at = end + len(quotes)

    def character(self) -> None:
        """``'x`` or ``'x'``: the code of a character."""
        place, text = self.place(), self.text
        end = self.at + 2
        if text[self.at + 1] == "\\":
            end += 1
        body = text[self.at + 1 : end]
        if body.endswith("\n") or not body:
            raise SourceError(place, "a character must follow the quote")
        if text[end] == "'":
            end += 1
        self.add("char", ord(unescape(body, place)), place, text[self.at : end])
        self.at = end

    # ---- the raw form ----------------------------------------------------------------------

    def raw(self) -> bool:
        """Read a raw instruction if one begins here; False if none does."""
        text, at = self.text, self.at
        letter = _RAW_LETTER.match(text, at)
        if text[at] == "!":
            char = text[at + 1]
            if char not in BY_CHAR:
                raise SourceError(self.place(), f"no instruction has the character {char!r}")
            start, end = at, at + 2
        elif text[at] in BY_CHAR and (letter or not (text[at].isalnum() or text[at] == "_")):
            start, end = at, at + 1
        else:
            return False
        self.add("raw", text[end - 1], self.place(start), text[end - 1])
        self.at = end
        while True:
            if blank := _BLANK.match(text, self.at):
                self.at = blank.end()
            if text[self.at] in "\n;{}":
                return True
            operand = _RAW_OPERAND.match(text, self.at)
            if operand is None:
                raise SourceError(self.place(), "the operand is not closed")
            self.raw_operand(operand)
            self.at = operand.end()

    def raw_operand(self, match: re.Match[str]) -> None:
        """Append the token of one operand of a raw instruction."""
        word, place = match.group(), self.place()
        if word.startswith("'"):
            self.add("char", ord(unescape(match.group(1), place)), place, word)
        elif word.startswith('"'):
            self.add("string", unescape(word[1:-1], place), place, word)
        elif colour := _COLOUR.fullmatch(word):
            self.add("number", (Fraction(colour_word(colour.group(1))), False), place, word)
        elif _NUMBER.fullmatch(word.removeprefix("-")) and len(word) <= MAX_DIGITS:
            value, point = number_value(word.removeprefix("-"))
            self.add("number", (-value if word[0] == "-" else value, point), place, word)
        elif re.fullmatch(r"[A-Za-z_][A-Za-z0-9_.]*", word):
            self.add("name", word, place, word)
        else:
            raise SourceError(
                place,
                f"{word!r} is no operand",
                'operands are names, numbers, \'characters and "strings"',
            )
