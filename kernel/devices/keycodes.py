"""Key codes and modifiers: the one table from which windows, terminals and docs take them.

A character's code is its Unicode code point; keys without a character have the codes here.
"""

from __future__ import annotations

#: Code by name of every key that is not a printable character.
KEYS: dict[str, int] = {
    "backspace": 8,
    "tab": 9,
    "enter": 13,
    "escape": 27,
    "up": 0xE000,
    "down": 0xE001,
    "left": 0xE002,
    "right": 0xE003,
    "home": 0xE004,
    "end": 0xE005,
    "page up": 0xE006,
    "page down": 0xE007,
    "insert": 0xE008,
    "delete": 0xE009,
    **{f"f{n}": 0xE010 + n for n in range(1, 25)},
}
#: Name by code.
NAMES: dict[int, str] = {code: name for name, code in KEYS.items()}

#: Bits of the third column of a key event.
SHIFT, CTRL, ALT, META = 1, 2, 4, 8
#: The second column of a key event.
UP, DOWN, REPEAT = 0, 1, 2
#: Bits of the third column of a pointer event; wheel steps (signed) start at WHEEL_SHIFT.
LEFT, MIDDLE, RIGHT = 1, 2, 4
WHEEL_SHIFT = 8
