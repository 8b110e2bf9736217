"""The pxOS character set: which glyph of an atlas shows which Unicode character.

An atlas has two pages.  Page 0, glyphs 0..255, is what one byte of text reaches:

======== ==========================================================================
00       blank, so that a map of zeros is an empty screen
01-0F    arrows, shades, marks (08 09 0A 0D: what an editor shows for those bytes)
10-1F    quarter blocks: 10 + (upper left 1, upper right 2, lower left 4, lower right 8)
20-7E    ASCII; 7F the sign for a character that is not there
80-8F    single lines: 80 + (up 1, right 2, down 4, left 8); 80 itself a bullet
90-9F    double lines likewise; 90 a square, 91 92 94 98 the rounded corners
A0-FF    Latin-1
======== ==========================================================================

Page 1, glyphs 256..415, is all of Unicode's Box Drawing and Block Elements in order:
glyph 256 + (code - 2500 hex).  It is reached by maps of integers.
"""

from __future__ import annotations

from . import boxes

#: Glyphs of each page, and of both.
PAGE_GLYPHS = (256, 160)
GLYPH_COUNT = sum(PAGE_GLYPHS)

#: The byte shown for a character that the set lacks.
REPLACEMENT = 0x7F

#: Bytes that steer a text stream; they are never made from another character.
CONTROLS = frozenset(b"\x00\b\t\n\r\x1b")

#: The glyphs 01-0F and the two odd ones of the C1 slots.
MARKS = {
    0x01: "↑",
    0x02: "↓",
    0x03: "←",
    0x04: "→",
    0x05: "░",
    0x06: "▒",
    0x07: "▓",
    0x08: "◀",
    0x09: "▶",
    0x0A: "↵",
    0x0B: "✓",
    0x0C: "✗",
    0x0D: "●",
    0x0E: "…",
    0x0F: "♥",
    0x80: "•",
    0x90: "■",
}
#: Characters by mask of quarters, of single arms, of double arms.
QUADRANTS = " ▘▝▀▖▌▞▛▗▚▐▜▄▙▟█"
SINGLE_LINES = "•╵╶└╷│┌├╴┘─┴┐┤┬┼"
DOUBLE_LINES = "■╰╭╚╮║╔╠╯╝═╩╗╣╦╬"

#: Characters shown by another's glyph where only bytes will do.
FOLDS = {
    "‐": "-",
    "‑": "-",
    "‒": "-",
    "–": "-",
    "—": "-",
    "−": "-",
    "‘": "'",
    "’": "'",
    "′": "'",
    "“": '"',
    "”": '"',
    "″": '"',
    "‹": "<",
    "›": ">",
    "∗": "*",
    "∕": "/",
    "✔": "✓",
    "✘": "✗",
    "∙": "•",
    "●": "•",
    "◀": "<",
    "▶": ">",
    "►": ">",
    "◄": "<",
    "▲": "↑",
    "▼": "↓",
    "❤": "♥",
    "μ": "µ",
    "\u2002": " ",
    "\u2003": " ",
    "\u2009": " ",
    "\u202f": " ",
    "▜": "█",
    "▁": "_",
    "▂": "▄",
    "▃": "▄",
    "▅": "█",
    "▆": "█",
    "▇": "█",
    "▉": "█",
    "▊": "█",
    "▋": "█",
    "▍": "▌",
    "▎": "▌",
    "▏": "▌",
    "▔": "▀",
    "▕": "▐",
    "╱": "/",
    "╲": "\\",
    "╳": "X",
}


def _page0() -> dict[int, int]:
    table = {code: code for code in (*range(0x20, 0x7F), *range(0xA0, 0x100))}
    rows = ((0x10, QUADRANTS), (0x80, SINGLE_LINES), (0x90, DOUBLE_LINES))
    for base, chars in rows:
        table.update({ord(char): base + mask for mask, char in enumerate(chars) if char != " "})
    table.update({ord(char): index for index, char in MARKS.items()})
    table[0xFFFD] = REPLACEMENT
    return table


#: Unicode code point -> glyph, page 0 where it has the character, else page 1.
GLYPHS: dict[int, int] = {
    **{code: 256 + code - boxes.FIRST for code in range(boxes.FIRST, boxes.LAST + 1)},
    **_page0(),
}
#: Glyph of page 0 -> its character (0 is the blank, for which a space stands).
CHARACTERS: dict[int, str] = {
    0: " ",
    0x10: " ",
    **{index: chr(code) for code, index in GLYPHS.items() if index < 256},
}
#: The code point of every glyph of both pages, in order: what an atlas shows where.
ATLAS: tuple[int, ...] = (
    *(ord(CHARACTERS[index]) for index in range(256)),
    *range(boxes.FIRST, boxes.LAST + 1),
)


def glyph_of(char: str) -> int:
    """The glyph 0..415 that shows one character, or ``REPLACEMENT`` if none does."""
    index = GLYPHS.get(ord(char))
    if index is None:
        index = GLYPHS.get(ord(FOLDS.get(char, "\ufffd")), REPLACEMENT)
    return index


def encode(text: str) -> bytes:
    """The bytes of a text in this set, one for each character.

    Backspace, tab, newline, return, escape and NUL stay what they are.  A character that
    only page 1 or a steering byte would show becomes the nearest other (a heavy line a
    single one); what the set lacks becomes ``REPLACEMENT``.
    """
    return bytes(_byte_of(char) for char in text)


def _byte_of(char: str) -> int:
    code = ord(char)
    if code in CONTROLS:
        return code
    index = glyph_of(char)
    if index < 256 and index not in CONTROLS:
        return index
    if char in FOLDS:
        return glyph_of(FOLDS[char])
    arms = boxes.arms_of(code)
    if not arms:
        return REPLACEMENT
    double = "double" in arms.values()
    return (0x90 if double else 0x80) + sum(arms)


def decode(data: bytes) -> str:
    """The text that bytes of this set show; steering bytes stay themselves."""
    return "".join(chr(byte) if byte in CONTROLS else CHARACTERS[byte] for byte in data)
