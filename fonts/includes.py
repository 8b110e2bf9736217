"""The assembler's include files that are derived from tables: ``apps/lib/*.pxi``."""

from __future__ import annotations

from ..kernel.devices import keycodes
from . import boxes, charset
from .palette import PALETTE

_NOTE = "; Made by python -m pxos.fonts.build from {source}: edit that, not this.\n"

#: Constants for glyphs that have no key on a keyboard.
GLYPH_NAMES = {
    "GLYPH_UP": 0x01,
    "GLYPH_DOWN": 0x02,
    "GLYPH_LEFT": 0x03,
    "GLYPH_RIGHT": 0x04,
    "GLYPH_LIGHT": 0x05,
    "GLYPH_MEDIUM": 0x06,
    "GLYPH_DARK": 0x07,
    "GLYPH_BACK": 0x08,
    "GLYPH_PLAY": 0x09,
    "GLYPH_RETURN": 0x0A,
    "GLYPH_CHECK": 0x0B,
    "GLYPH_CROSS": 0x0C,
    "GLYPH_DISC": 0x0D,
    "GLYPH_DOTS": 0x0E,
    "GLYPH_HEART": 0x0F,
    "GLYPH_QUARTERS": 0x10,
    "GLYPH_FULL": 0x1F,
    "GLYPH_MISSING": charset.REPLACEMENT,
    "GLYPH_SINGLE": 0x80,
    "GLYPH_BULLET": 0x80,
    "GLYPH_DOUBLE": 0x90,
    "GLYPH_SQUARE": 0x90,
    "GLYPH_BOX": 256,
}


def _constants(values: dict[str, str]) -> str:
    width = max(map(len, values))
    return "".join(f"const {name:<{width}} = {value}\n" for name, value in values.items())


def palette_include() -> str:
    """Colours as pixel words, and all of them as a picture."""
    colours = _constants({colour.name.upper(): colour.hex for colour in PALETTE})
    names = ", ".join(colour.name.upper() for colour in PALETTE[:8])
    others = ", ".join(colour.name.upper() for colour in PALETTE[8:])
    return (
        _NOTE.format(source="fonts/palette.py")
        + '; The palette "pxos 16": opaque pixels, and the picture of them all.\n\n'
        + colours
        + f"\nPALETTE : P 1x16 = [{names},\n                    {others}]\n"
    )


def keys_include() -> str:
    """Key codes, modifiers and the columns of events."""
    keys = {
        f"KEY_{name.upper().replace(' ', '_')}": str(code) if code < 256 else f"{code:#x}"
        for name, code in keycodes.KEYS.items()
    }
    bits = {
        "MOD_SHIFT": keycodes.SHIFT,
        "MOD_CTRL": keycodes.CTRL,
        "MOD_ALT": keycodes.ALT,
        "MOD_META": keycodes.META,
    }
    states = {"STATE_UP": keycodes.UP, "STATE_DOWN": keycodes.DOWN, "STATE_REPEAT": keycodes.REPEAT}
    buttons = {
        "BUTTON_LEFT": keycodes.LEFT,
        "BUTTON_RIGHT": keycodes.RIGHT,
        "BUTTON_MIDDLE": keycodes.MIDDLE,
        "WHEEL_SHIFT": keycodes.WHEEL_SHIFT,
    }
    return (
        _NOTE.format(source="kernel/devices/keycodes.py")
        + "; Keys that are no characters, by the code in column 0 of a key event.\n\n"
        + _constants(keys)
        + "\n; Column 1 of a key event.\n"
        + _constants({name: str(value) for name, value in states.items()})
        + "\n; Bits of column 2.\n"
        + _constants({name: str(value) for name, value in bits.items()})
        + "\n; Bits of column 2 of a pointer event; wheel steps stand above WHEEL_SHIFT.\n"
        + _constants({name: str(value) for name, value in buttons.items()})
    )


def font_include() -> str:
    """The atlases as masks and as pictures, and the glyphs worth a name."""
    names = {name: f"{code:#04x}" for name, code in GLYPH_NAMES.items()}
    arms = {
        "ARM_UP": boxes.UP,
        "ARM_RIGHT": boxes.RIGHT,
        "ARM_DOWN": boxes.DOWN,
        "ARM_LEFT": boxes.LEFT,
    }
    return (
        _NOTE.format(source="fonts/includes.py")
        + "; The fonts.  FONT16 and FONT8 are masks (255 ink, 0 paper), for Tile into T;\n"
        "; FONT16P and FONT8P are white on transparent, for Tile into P.\n"
        "; A frame's corner is GLYPH_SINGLE + ARM_DOWN + ARM_RIGHT: docs/fonts.md.\n\n"
        + _constants(names)
        + "\n"
        + _constants({name: str(value) for name, value in arms.items()})
        + """
FONT16  : T leaf 16 = alpha(file("../../fonts/pxos-8x16.png"))
FONT8   : T leaf 8  = alpha(file("../../fonts/pxos-8x8.png"))
FONT16P : P leaf 16 = file("../../fonts/pxos-8x16.png")
FONT8P  : P leaf 8  = file("../../fonts/pxos-8x8.png")
"""
    )


def all_includes() -> dict[str, str]:
    """The text of every include file by its name below ``apps/lib``."""
    return {
        "palette.pxi": palette_include(),
        "keys.pxi": keys_include(),
        "font.pxi": font_include(),
    }
