"""Box drawing and block elements, U+2500 to U+259F, computed for any cell height.

They are geometry, so no hand draws them: every line runs along one axis of the cell
(column 3, and the row just above the middle), light lines one pixel wide, heavy ones
three, double ones two lines one pixel apart.  Lines end at the cell's edge on the same
pixels whatever the glyph, which is why neighbours always join.

What a glyph looks like is read from its Unicode name ("DOWN LIGHT AND RIGHT HEAVY").
"""

from __future__ import annotations

import unicodedata

import numpy as np

from .faces import GLYPH_COLS

FIRST, LAST = 0x2500, 0x259F

#: Bits of an arm in a mask, clockwise from the top; a program may add them up.
UP, RIGHT, DOWN, LEFT = 1, 2, 4, 8

_DIRECTIONS = {
    "UP": UP,
    "RIGHT": RIGHT,
    "DOWN": DOWN,
    "LEFT": LEFT,
    "VERTICAL": UP | DOWN,
    "HORIZONTAL": LEFT | RIGHT,
}
_WEIGHTS = {"LIGHT": "light", "SINGLE": "light", "HEAVY": "heavy", "DOUBLE": "double"}
_DASHES = {"DOUBLE": 2, "TRIPLE": 3, "QUADRUPLE": 4}
_AXIS_COL = 3

#: Quadrants by bit: upper left 1, upper right 2, lower left 4, lower right 8.
_QUADRANT_WORDS = {"UPPER LEFT": 1, "UPPER RIGHT": 2, "LOWER LEFT": 4, "LOWER RIGHT": 8}
_EIGHTHS = {
    "ONE EIGHTH": 1,
    "ONE QUARTER": 2,
    "THREE EIGHTHS": 3,
    "HALF": 4,
    "FIVE EIGHTHS": 5,
    "THREE QUARTERS": 6,
    "SEVEN EIGHTHS": 7,
}
Arms = dict[int, str]


def glyph(code: int, rows: int) -> np.ndarray:
    """The glyph of a code point U+2500..U+259F: bool, (rows, 8); rows a multiple of 8."""
    if not FIRST <= code <= LAST:
        raise ValueError(f"U+{code:04X} is neither box drawing nor a block element")
    name = unicodedata.name(chr(code))
    arms = arms_of(code)
    if "DIAGONAL" in name:
        return _diagonal(name, rows)
    if not arms:
        return _block(name, rows)
    if "DASH" in name:
        words = name.split()
        return _dashed(lines(arms, rows), _DASHES[words[3]], words[-1])
    return _arc(arms, rows) if "ARC" in name else lines(arms, rows)


def arms_of(code: int) -> Arms:
    """The arms of a line glyph and their weights; empty for diagonals, blocks and others."""
    name = unicodedata.name(chr(code), "")
    if not name.startswith("BOX DRAWINGS ") or "DIAGONAL" in name:
        return {}
    arms: Arms = {}
    weight = ""
    for part in name.removeprefix("BOX DRAWINGS ").split(" AND "):
        words = part.split()
        weight = next((_WEIGHTS[word] for word in words if word in _WEIGHTS), weight)
        for word in words:
            for bit in _bits(_DIRECTIONS.get(word, 0)):
                arms[bit] = weight
    return arms


def _bits(mask: int) -> list[int]:
    return [bit for bit in (UP, RIGHT, DOWN, LEFT) if mask & bit]


def mask_arms(mask: int, weight: str) -> Arms:
    """The arms of a mask of ``UP RIGHT DOWN LEFT``, all of one weight."""
    return dict.fromkeys(_bits(mask), weight)


def lines(arms: Arms, rows: int) -> np.ndarray:
    """The picture of arms of weight "light", "heavy" or "double" meeting in the cell.

    Thick arms are filled three pixels wide and reach across the other axis' thickness; a
    double one is then hollowed; light ones come last, so that they cross what is hollow.
    """
    cell = np.zeros((rows, GLYPH_COLS), bool)
    thick = [arm for arm, weight in arms.items() if weight != "light"]
    double = [arm for arm, weight in arms.items() if weight == "double"]
    for arm in thick:
        _along(cell, arm, -_reach(arms, arm), half=1)[...] = True
    for arm in double:
        _along(cell, arm, 0, half=0)[...] = False
    for arm, weight in arms.items():
        if weight == "light":
            stops = _across(arms, arm) == ["double", "double"] and _opposite(arm) not in arms
            _along(cell, arm, 1 if stops else -_reach(arms, arm), half=0)[...] = True
    return cell


def _opposite(arm: int) -> int:
    return arm << 2 if arm <= RIGHT else arm >> 2


def _across(arms: Arms, arm: int) -> list[str]:
    """Weights of the arms on the other axis."""
    others = (LEFT, RIGHT) if arm in (UP, DOWN) else (UP, DOWN)
    return [arms[other] for other in others if other in arms]


def _reach(arms: Arms, arm: int) -> int:
    """How far beyond the centre an arm goes, to fill the corner it makes."""
    return 1 if any(weight != "light" for weight in _across(arms, arm)) else 0


def _along(cell: np.ndarray, arm: int, start: int, half: int) -> np.ndarray:
    """The part of a cell under an arm ``2*half + 1`` wide from ``start`` past the centre."""
    row, col = cell.shape[0] // 2 - 1, _AXIS_COL
    if arm == UP:
        return cell[: row - start + 1, col - half : col + half + 1]
    if arm == DOWN:
        return cell[row + start :, col - half : col + half + 1]
    if arm == LEFT:
        return cell[row - half : row + half + 1, : col - start + 1]
    return cell[row - half : row + half + 1, col + start :]


def _dashed(cell: np.ndarray, count: int, direction: str) -> np.ndarray:
    """A line cut into ``count`` dashes with a gap after each, so that cells go on evenly."""
    length = cell.shape[1] if direction == "HORIZONTAL" else cell.shape[0]
    ends = [(k + 1) * length // count for k in range(count)]
    gap = 2 if length // count >= 8 else 1
    for end in ends:
        if direction == "HORIZONTAL":
            cell[:, end - gap : end] = False
        else:
            cell[end - gap : end] = False
    return cell


def _arc(arms: Arms, rows: int) -> np.ndarray:
    """A rounded corner: the two light arms from three pixels out, and a diagonal between."""
    cell = np.zeros((rows, GLYPH_COLS), bool)
    for arm in arms:
        _along(cell, arm, 3, half=0)[...] = True
    row, col = rows // 2 - 1, _AXIS_COL
    down = 1 if DOWN in arms else -1
    right = 1 if RIGHT in arms else -1
    cell[row + down, col + 2 * right] = True
    cell[row + 2 * down, col + right] = True
    return cell


def _diagonal(name: str, rows: int) -> np.ndarray:
    falling = np.zeros((rows, GLYPH_COLS), bool)
    index = np.arange(rows)
    falling[index, index * GLYPH_COLS // rows] = True
    rising = falling[:, ::-1]
    if "CROSS" in name:
        return falling | rising
    return falling if "UPPER LEFT TO LOWER RIGHT" in name else rising


def quadrants(mask: int, rows: int) -> np.ndarray:
    """Quarters of a cell: upper left 1, upper right 2, lower left 4, lower right 8."""
    quarter = np.array([[mask & 1, mask & 2], [mask & 4, mask & 8]]) > 0
    return np.repeat(np.repeat(quarter, rows // 2, axis=0), GLYPH_COLS // 2, axis=1)


def shade(quarters: int, rows: int) -> np.ndarray:
    """A regular dither of 1, 2 or 3 quarters ink that goes on across cells."""
    row, col = np.indices((rows, GLYPH_COLS))
    sparse: np.ndarray = (col + row % 2 * 2) % 4 == 0
    if quarters == 1:
        return sparse
    half: np.ndarray = (row + col) % 2 == 0
    return half if quarters == 2 else ~np.roll(sparse, 1, axis=1)


def _block(name: str, rows: int) -> np.ndarray:
    if name.endswith(" SHADE"):
        return shade(("LIGHT SHADE", "MEDIUM SHADE", "DARK SHADE").index(name) + 1, rows)
    if name.startswith("QUADRANT "):
        mask = sum(bit for words, bit in _QUADRANT_WORDS.items() if words in name)
        return quadrants(mask, rows)
    if name == "FULL BLOCK":
        return np.ones((rows, GLYPH_COLS), bool)
    side, amount = name.removesuffix(" BLOCK").split(" ", 1)
    cell = np.zeros((rows, GLYPH_COLS), bool)
    eighths = _EIGHTHS[amount]
    high, wide = eighths * rows // 8, eighths * GLYPH_COLS // 8
    if side == "UPPER":
        cell[:high] = True
    elif side == "LOWER":
        cell[rows - high :] = True
    elif side == "LEFT":
        cell[:, :wide] = True
    else:
        cell[:, GLYPH_COLS - wide :] = True
    return cell
