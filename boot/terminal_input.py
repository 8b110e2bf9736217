"""What a terminal sends, byte by byte, as keys, pointer and answers.

Understood: UTF-8 text, control characters, the escape sequences of xterm and of everything
that imitates it, the kitty keyboard protocol (which also tells when keys are let go), SGR
mouse reports, and the answers to the questions of ``terminal_questions``.
"""

from __future__ import annotations

import codecs
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from ..kernel.devices.keycodes import ALT, CTRL, DOWN, KEYS, META, REPEAT, SHIFT, UP
from .events import Key

#: Longest escape sequence; a longer one is not meant for us and is dropped.
_LONGEST = 4096

_LETTERS = {
    "A": "up",
    "B": "down",
    "C": "right",
    "D": "left",
    "H": "home",
    "F": "end",
    "P": "f1",
    "Q": "f2",
    "R": "f3",
    "S": "f4",
    "E": "",
    "Z": "tab",
}
_TILDES = {
    1: "home",
    2: "insert",
    3: "delete",
    4: "end",
    5: "page up",
    6: "page down",
    7: "home",
    8: "end",
    11: "f1",
    12: "f2",
    13: "f3",
    14: "f4",
    15: "f5",
    17: "f6",
    18: "f7",
    19: "f8",
    20: "f9",
    21: "f10",
    23: "f11",
    24: "f12",
    25: "f13",
    26: "f14",
    28: "f15",
    29: "f16",
    31: "f17",
    32: "f18",
    33: "f19",
    34: "f20",
}
#: Keys that the kitty protocol numbers in Unicode's private area.
_KITTY = {
    57358: 0,
    57359: 0,
    57360: 0,
    57361: 0,
    57362: 0,
    57363: 0,  # locks, print, pause, menu
    **{57376 + n: KEYS[f"f{13 + n}"] for n in range(12)},
    **{57399 + n: ord("0") + n for n in range(10)},
    57409: ord("."),
    57410: ord("/"),
    57411: ord("*"),
    57412: ord("-"),
    57413: ord("+"),
    57414: KEYS["enter"],
    57415: ord("="),
    57416: ord(","),
    57417: KEYS["left"],
    57418: KEYS["right"],
    57419: KEYS["up"],
    57420: KEYS["down"],
    57421: KEYS["page up"],
    57422: KEYS["page down"],
    57423: KEYS["home"],
    57424: KEYS["end"],
    57425: KEYS["insert"],
    57426: KEYS["delete"],
}
_KITTY_PRIVATE = range(57344, 63744)


@dataclass(frozen=True, slots=True)
class Mouse:
    """A mouse report as it comes: the button code, cell or pixel from 1, pressed or let go."""

    code: int
    x: int
    y: int
    pressed: bool


@dataclass(frozen=True, slots=True)
class Answer:
    """What a terminal answered: ``kind`` names the question, ``numbers`` are its parameters,
    ``text`` the rest.

    attributes (primary device attributes), keyboard (kitty's flags), mode (number, state),
    size (what, height, width: 4 the text area, 6 a cell), graphics (kitty's).
    """

    kind: str
    numbers: tuple[int, ...] = ()
    text: str = ""


Input = Key | Mouse | Answer


@dataclass(frozen=True, slots=True)
class _Based:
    """A key with the number its terminal knows it by, the same when it is let go."""

    base: int
    key: Key


class TerminalParser:
    """Turns bytes into inputs.  An escape that nothing follows is the escape key; whoever reads
    calls ``idle`` when nothing has come for a moment."""

    def __init__(self) -> None:
        self._pending = ""
        self._held: dict[int, int] = {}
        self._decoder = codecs.getincrementaldecoder("utf-8")("replace")

    def feed(self, data: bytes) -> list[Input]:
        """The inputs that are complete now."""
        self._pending += self._decoder.decode(data)
        found: list[Input] = []
        while self._pending:
            taken, inputs = _next(self._pending)
            if not taken:
                if len(self._pending) > _LONGEST:
                    self._pending = ""
                break
            self._pending = self._pending[taken:]
            found += [self._known(each) if isinstance(each, _Based) else each for each in inputs]
        return found

    def _known(self, based: _Based) -> Key:
        """The key; one that is let go has the code with which it was pressed."""
        key = based.key
        if key.state != UP:
            self._held[based.base] = key.code
            return key
        return Key(self._held.pop(based.base, key.code), UP, key.modifiers)

    @property
    def waiting(self) -> bool:
        """Whether the beginning of a sequence is held back."""
        return bool(self._pending)

    def idle(self) -> list[Input]:
        """Nothing followed: what is held back was typed as it is."""
        pending, self._pending = self._pending, ""
        if pending == "\x1b":
            return list(_tap(KEYS["escape"]))
        if len(pending) == 2 and pending[0] == "\x1b":  # Alt and a character that begins sequences
            return list(_char(pending[1], ALT))
        return []


def _next(text: str) -> tuple[int, Sequence[Input | _Based]]:
    """Length of the first input in ``text`` (0: not complete yet) and what it means."""
    if text[0] != "\x1b":
        return 1, list(_char(text[0], 0))
    if len(text) == 1:
        return 0, []
    second = text[1]
    if second == "[":
        return _control(text)
    if second == "O":
        if len(text) < 3:
            return 0, []
        return 3, list(_named(_LETTERS.get(text[2], ""), 0, DOWN))
    if second in "_P]^X":
        return _string(text)
    if second == "\x1b":
        return 1, list(_tap(KEYS["escape"]))
    return 2, list(_char(second, ALT))


def _control(text: str) -> tuple[int, Sequence[Input | _Based]]:
    """``ESC [`` parameters, intermediates, final."""
    if text.startswith("\x1b[[") and len(text) >= 3:  # the Linux console's F1 to F5
        if len(text) < 4:
            return 0, []
        number = ord(text[3]) - ord("A") + 1
        return 4, list(_named(f"f{number}" if 1 <= number <= 5 else "", 0, DOWN))
    for end in range(2, len(text)):
        if "@" <= text[end] <= "~":
            return end + 1, list(_sequence(text[2:end], text[end]))
        if not " " <= text[end] <= "?":
            return end, []  # not a sequence: begin again at what broke it
    return 0, []


def _string(text: str) -> tuple[int, list[Input]]:
    """Strings that end with ``ESC \\``: only the graphics answer is of interest."""
    end = text.find("\x1b\\", 2)
    bell = text.find("\a", 2)
    if text[1] == "]" and bell >= 0 and (end < 0 or bell < end):
        return bell + 1, []
    if end < 0:
        # Alt and one of these letters looks the same until something follows.
        return 0, []
    body = text[2:end]
    if text[1] == "_" and body.startswith("G"):
        keys, _, message = body[1:].partition(";")
        numbers = [part.partition("=")[2] for part in keys.split(",") if part.startswith("i=")]
        return end + 2, [Answer("graphics", tuple(map(_int, numbers)), message)]
    return end + 2, []


def _int(text: str) -> int:
    return int(text) if text.isascii() and text.isdigit() and len(text) < 10 else 0


def _sequence(parameters: str, final: str) -> Iterator[Input | _Based]:
    private = parameters[0] if parameters[:1] in tuple("<=>?") else ""
    fields = [
        [_int(part) for part in field.split(":")]
        for field in parameters[len(private) :].rstrip(" !\"#$%&'()*+,-./").split(";")
    ]
    numbers = tuple(field[0] for field in fields)
    if private == "<" and final in "Mm" and len(numbers) == 3:
        yield Mouse(numbers[0], numbers[1], numbers[2], final == "M")
    elif private == "?" and final == "c":
        yield Answer("attributes", numbers)
    elif private == "?" and final == "u":
        yield Answer("keyboard", numbers)
    elif private == "?" and final == "y":
        yield Answer("mode", numbers)
    elif not private and final == "t":
        yield Answer("size", numbers)
    elif not private:
        yield from _key_sequence(fields, final)


def _key_sequence(fields: list[list[int]], final: str) -> Iterator[Key | _Based]:
    second = fields[1] if len(fields) > 1 else [1]
    bits = max(second[0] - 1, 0)
    modifiers = (bits & 1) * SHIFT | bool(bits & 4) * CTRL | bool(bits & 2) * ALT
    modifiers |= bool(bits & 0b101000) * META
    state = {2: REPEAT, 3: UP}.get(second[1] if len(second) > 1 else 1, DOWN)
    tells_release = len(second) > 1
    if final == "u":
        yield from _kitty_key(fields, modifiers, state)
    elif final == "~":
        yield from _named(_TILDES.get(fields[0][0], ""), modifiers, state, tells_release)
    elif final == "Z":
        yield from _tap(KEYS["tab"], modifiers | SHIFT)
    else:
        yield from _named(_LETTERS.get(final, ""), modifiers, state, tells_release)


def _kitty_key(fields: list[list[int]], modifiers: int, state: int) -> Iterator[_Based]:
    code = base = fields[0][0]
    text = [char for char in (fields[2] if len(fields) > 2 else []) if char >= 32]
    if code == 127:
        code = KEYS["backspace"]
    elif code in _KITTY:
        code = _KITTY[code]
    elif code in _KITTY_PRIVATE:
        code = 0  # modifier and media keys
    elif text:
        code = text[0]
    elif modifiers & SHIFT and not modifiers & (CTRL | ALT | META) and len(fields[0]) > 1:
        code = fields[0][1] or code
    if code:
        yield _Based(base, Key(code, state, modifiers))


def _named(name: str, modifiers: int, state: int, tells_release: bool = False) -> Iterator[Key]:
    if not name:
        return
    if tells_release:
        yield Key(KEYS[name], state, modifiers)
    else:
        yield from _tap(KEYS[name], modifiers)


def _tap(code: int, modifiers: int = 0) -> Iterator[Key]:
    """A key of a terminal that does not tell when it is let go."""
    yield Key(code, DOWN, modifiers)
    yield Key(code, UP, modifiers)


def _char(char: str, modifiers: int) -> Iterator[Key]:
    code = ord(char)
    if code == 127 or code == 8:
        yield from _tap(KEYS["backspace"], modifiers)
    elif code in (9, 13, 27):
        yield from _tap(code, modifiers)
    elif code == 10:
        yield from _tap(KEYS["enter"], modifiers)
    elif code < 32:
        # Ctrl and a letter; Ctrl and space, \\, ], ^, _ for the rest.
        plain = " " if code == 0 else chr(code + 64).lower()
        yield from _tap(ord(plain), modifiers | CTRL)
    elif not 128 <= code < 160:
        yield from _tap(code, modifiers | (SHIFT if char.isupper() else 0))
