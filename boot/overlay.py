"""Words that boot itself lays over the screen: the list of keys, and short notices."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from pathlib import Path

import numpy as np

from ..fonts import charset
from ..fonts.palette import BY_NAME
from ..kernel.machine import png

_FONT = Path(charset.__file__).with_name("pxos-8x8.png")
_CELL = 8
_LEADING = 11  # rows from one line to the next
_MARGIN = 8


@cache
def _glyphs() -> np.ndarray:
    """Masks of the font's 256 glyphs: bool (256, 8, 8)."""
    atlas = png.decode(_FONT.read_bytes(), max_px=1 << 20)
    return atlas[:, :, 3].reshape(-1, _CELL, _CELL) > 127


def text_mask(lines: Sequence[str]) -> np.ndarray:
    """Lines of text as a mask of pixels: bool (rows, cols)."""
    coded = [charset.encode(line) for line in lines]
    mask = np.zeros((_LEADING * len(coded), _CELL * max(map(len, coded), default=0)), bool)
    for number, line in enumerate(coded):
        if line:
            cells = _glyphs()[np.frombuffer(line, np.uint8)]
            top = number * _LEADING
            mask[top : top + _CELL, : _CELL * len(line)] = np.hstack(list(cells))
    return mask


def panel(lines: Sequence[str]) -> np.ndarray:
    """Lines of text on a dark card with a border: uint8 (rows, cols, 4)."""
    mask = text_mask(lines)
    rows, cols = mask.shape[0] + 2 * _MARGIN, mask.shape[1] + 2 * _MARGIN
    card = np.empty((rows, cols, 4), np.uint8)
    card[:] = _rgba("silver")
    card[1:-1, 1:-1] = _rgba("ink")
    inner = card[_MARGIN : _MARGIN + mask.shape[0], _MARGIN : _MARGIN + mask.shape[1]]
    inner[mask] = _rgba("paper")
    return card


def zoom(picture: np.ndarray, card: np.ndarray) -> int:
    """How many times a picture must be enlarged for a card to fit onto it."""
    high, wide = -(-card.shape[0] // picture.shape[0]), -(-card.shape[1] // picture.shape[1])
    return int(max(high, wide))


def laid_over(picture: np.ndarray, card: np.ndarray, *, centred: bool) -> np.ndarray:
    """A copy of ``picture``, enlarged :func:`zoom` times, with ``card`` in its middle or at its
    lower edge."""
    times = zoom(picture, card)
    shown = picture.repeat(times, 0).repeat(times, 1)
    rows, cols = card.shape[:2]
    below = shown.shape[0] - rows
    top = below // 2 if centred else max(0, below - _MARGIN)
    left = (shown.shape[1] - cols) // 2
    shown[top : top + rows, left : left + cols] = card
    return shown


def _rgba(name: str) -> tuple[int, int, int, int]:
    colour = BY_NAME[name]
    return colour.red, colour.green, colour.blue, 255
