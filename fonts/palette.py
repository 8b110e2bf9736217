"""The palette "pxos 16": the one place where the colours of the house are written."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True, slots=True)
class Colour:
    """One opaque colour: its name and its channels 0..255."""

    name: str
    red: int
    green: int
    blue: int

    @property
    def hex(self) -> str:
        """As ``#rrggbb``."""
        return f"#{self.red:02x}{self.green:02x}{self.blue:02x}"

    @property
    def word(self) -> int:
        """As the word of an opaque pixel: red in the low byte, alpha 255 in the high one."""
        return self.red | self.green << 8 | self.blue << 16 | 255 << 24

    @property
    def luminance(self) -> float:
        """Relative luminance 0..1 as WCAG 2 defines it."""
        return sum(
            weight * _linear(channel / 255)
            for weight, channel in ((0.2126, self.red), (0.7152, self.green), (0.0722, self.blue))
        )


def _linear(channel: float) -> float:
    return channel / 12.92 if channel <= 0.04045 else ((channel + 0.055) / 1.055) ** 2.4


def _colour(name: str, rgb: int) -> Colour:
    return Colour(name, rgb >> 16, rgb >> 8 & 255, rgb & 255)


PALETTE: tuple[Colour, ...] = (
    _colour("ink", 0x15131F),
    _colour("night", 0x232038),
    _colour("slate", 0x3B3757),
    _colour("fog", 0x6B6A8E),
    _colour("silver", 0xA6A8C6),
    _colour("paper", 0xF4EFE6),
    _colour("red", 0xE5526F),
    _colour("orange", 0xF2915C),
    _colour("yellow", 0xF7D06A),
    _colour("lime", 0xA3D977),
    _colour("green", 0x3FB27F),
    _colour("teal", 0x3AA6B9),
    _colour("blue", 0x4D7FE8),
    _colour("indigo", 0x7460E0),
    _colour("pink", 0xEC8FD0),
    _colour("brown", 0x8A5A44),
)
#: The colours by name.
BY_NAME: dict[str, Colour] = {colour.name: colour for colour in PALETTE}


def contrast(one: Colour, other: Colour) -> float:
    """Contrast ratio of two colours, 1..21, as WCAG 2 defines it."""
    light, dark = sorted((one.luminance, other.luminance), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def picture() -> np.ndarray:
    """The palette as a picture: uint8 (1, 16, 4)."""
    return np.array([[(c.red, c.green, c.blue, 255) for c in PALETTE]], np.uint8)
