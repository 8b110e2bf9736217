"""Over, Tile, Zoom and Draw.

Blending is ``(s*A + t*(255-A) + 127) div 255`` for all four channels, with the source's alpha
channel taken as 255: at most 255 * 255 + 127 = 65152, so 16 bits hold it and a word holds two.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from ..isa import Op
from .finish import (
    BLOCK,
    Convert,
    Run,
    blocks,
    blockwise,
    converter,
    fitted,
    floors,
    nothing,
    numbers,
    reads_first,
    spread,
)
from .operand import Operand

OPAQUE = 0xFF000000
LOW_PAIR = 0x00FF00FF
#: Red and blue stand in the low bytes of the halves of a word, green and alpha 8 bits above.
SHIFTS = np.array([0, 8], np.uint32).reshape(2, 1, 1)
#: Pixels blended at a time.
BLEND_BLOCK = 1 << 14
#: Items of Draw made Python numbers at a time, and rows of Zoom.
ITEMS = 1 << 12

#: Sources of a blend, see :func:`prepare`.
Prepared = tuple[np.ndarray, np.ndarray]


# ---- blending ----------------------------------------------------------------------------------


def prepare(over: np.ndarray) -> Prepared:
    """What blending needs of its sources (uint32 words, rows x cols): two channels to a word,
    2 x rows x cols, times alpha and plus 127; and 255 - alpha."""
    alpha = over >> 24
    pairs = over >> SHIFTS
    pairs &= LOW_PAIR
    pairs[1] &= 0xFF
    pairs[1] |= 0xFF0000  # the source's alpha counts as 255
    pairs *= alpha
    pairs += 0x007F007F
    return pairs, 255 - alpha


def mix(prepared: Prepared, under: np.ndarray) -> np.ndarray:
    """Prepared sources blended onto ``under`` (broadcast): the new words.

    A half of a word is at most 65152 =: y, and y div 255 = (y + 1 + (y >> 8)) >> 8 there, so
    neither products nor sums leave their half.
    """
    pairs, clear = prepared
    value = under >> SHIFTS
    value &= LOW_PAIR
    value = value * clear
    value += pairs
    part = value >> 8
    part &= LOW_PAIR
    value += part
    value += 0x00010001
    value >>= 8
    value &= LOW_PAIR
    value[1] <<= 8
    words: np.ndarray = np.bitwise_or(value[0], value[1])
    return words


def blend(over: np.ndarray, under: np.ndarray) -> np.ndarray:
    """Pixels ``over`` blended onto ``under`` (uint32 words, broadcast): the new words."""
    return mix(prepare(over), under)


def _blend_step(out: np.ndarray, over: np.ndarray, under: np.ndarray) -> None:
    """Blend a block; sources that are all opaque or all clear are copied."""
    least, most = over.min(), (over & OPAQUE).max()
    if least >= OPAQUE:
        np.copyto(out, over)
    elif most == 0:
        np.copyto(out, under)
    else:
        out[...] = blend(over, under)


def _bind_over(d: Operand, a: Operand, b: Operand) -> Run:
    """a over b, pixel by pixel."""
    out = d.array
    if out.size == 0 or a.array.size == 0 or b.array.size == 0:
        return nothing
    return blockwise(
        _blend_step, out, a.array.view(np.uint32), b.array.view(np.uint32), limit=BLEND_BLOCK
    )


# ---- tiles -------------------------------------------------------------------------------------


def tile_height(b: Operand) -> int:
    """Rows of a tile of the stack b: its leaf, or all its rows."""
    return b.leaf or b.rows


def _bind_tile(pixel: bool, d: Operand, a: Operand, b: Operand) -> Run:
    """A map of tile numbers becomes the tiles: whole tile rows are moved as items."""
    height, width = tile_height(b), b.cols
    part = fitted(d, a.rows * height, a.cols * width)
    out = part.array
    if out.size == 0:
        return nothing
    count = b.rows // height
    if count == 0:

        def run_blank() -> int:
            out[...] = 0
            return -1

        return spread(d, part, run_blank)
    stack = b.array[: count * height]
    convert = converter(b, d.kind, pixel)
    offsets = np.arange(height, dtype=np.intp).reshape(1, height, 1)
    step = max(1, BLOCK // (a.cols * height * width))
    item = np.dtype((np.void, width * out.dtype.itemsize))

    def run() -> int:
        tiles = stack if convert is None else convert(stack)
        if tiles.dtype != out.dtype:
            tiles = tiles.astype(out.dtype)
        lines = np.ascontiguousarray(tiles).view(item)[:, 0]
        numbers_of = floors(a)
        for row in range(0, a.rows, step):
            number = numbers_of[row : row + step].astype(np.intp)
            if number.min() < 0 or number.max() >= count:
                number[(number < 0) | (number >= count)] = 0
            number *= height
            index = (number[:, None, :] + offsets).reshape(-1, a.cols)
            target = out[row * height : row * height + index.shape[0]]
            if target.flags.c_contiguous:
                np.take(lines, index, out=target.view(item), mode="clip")
            else:
                target[...] = lines[index].view(out.dtype)
        return -1

    return spread(d, part, run)


# ---- zoom --------------------------------------------------------------------------------------


def _sources(size: int, wanted: int, start: int, stop: int) -> np.ndarray:
    """floor((2y + 1) * size / (2 * wanted)) for y in start..stop-1."""
    return (2 * np.arange(start, stop, dtype=np.int64) + 1) * size // (2 * wanted)


def _zoom(out: np.ndarray, x: np.ndarray, convert: Convert | None) -> None:
    """Nearest neighbour: each source row that is used is stretched once."""
    rows, cols = out.shape
    across = _sources(x.shape[1], cols, 0, cols)
    straight = x.shape[1] == cols
    repeat = cols // x.shape[1] if cols % x.shape[1] == 0 else 0
    if repeat and rows % x.shape[0] == 0:
        wide = x if convert is None else convert(x)
        if repeat > 1:
            wide = np.repeat(wide, repeat, axis=1)
        out.reshape(x.shape[0], rows // x.shape[0], cols)[...] = wide[:, None, :]
        return
    for first in range(0, rows, ITEMS):
        down = _sources(x.shape[0], rows, first, min(first + ITEMS, rows))
        starts = np.flatnonzero(np.diff(down, prepend=-1)).tolist()
        for start, stop in zip(starts, [*starts[1:], down.size], strict=True):
            line = x[down[start]]
            if convert is not None:
                line = convert(line)
            if not straight:
                line = line.take(across)
            out[first + start : first + stop] = line


def _bind_zoom(pixel: bool, d: Operand, a: Operand, s: Operand) -> Run:
    """Resize to the shape that s names when it runs."""
    out, x = d.array, a.array
    if out.size == 0:
        return nothing
    convert = converter(a, d.kind, pixel)

    def run() -> int:
        rows, cols = numbers(s)
        part = fitted(d, min(rows, d.rows), min(cols, d.cols))
        if x.size == 0:
            part.array[...] = 0
        else:
            _zoom(part.array, x, convert)
        return spread(d, part, nothing)()

    return run


# ---- drawing at positions ------------------------------------------------------------------------


def _boxes(
    b_values: np.ndarray, d_rows: int, d_cols: int, a_rows: int, a_cols: int, leaf: int
) -> Iterator[tuple[int, int, int, int, int, int, int]]:
    """What Draw draws, item by item: leaf; first row, first column, end row, end column where
    the item meets d; row and column of the item itself.

    Items that draw nothing are left out.  ``b_values``: integers, n x 2..5, the floors of b's
    values; ``leaf``: rows of a leaf of a, 0: all.  Sizes are in units of the mode.
    """
    fields = b_values.shape[1]
    tiled = fields in (3, 5)
    height = (leaf if tiled else 0) or a_rows
    leaves = a_rows // height if height and a_cols else 0
    rows, cols, number = height, a_cols, 0
    for start in range(0, b_values.shape[0], ITEMS):
        for item in b_values[start : start + ITEMS].tolist():
            row, col = item[:2]
            if fields >= 4:
                rows, cols = item[2:4]
            if tiled:
                number = item[-1]
            top, left = max(row, 0), max(col, 0)
            end, right = min(row + rows, d_rows), min(col + cols, d_cols)
            if top < end and left < right and 0 <= number < leaves:
                yield number, top, left, end, right, row, col


def area(
    d_rows: int, d_cols: int, a_rows: int, a_cols: int, leaf: int, b_values: np.ndarray
) -> int:
    """Pixels (value mode: elements) that Draw writes after clipping, over all rows of b."""
    boxes = _boxes(b_values, d_rows, d_cols, a_rows, a_cols, leaf)
    return sum((end - top) * (right - left) for _, top, left, end, right, _, _ in boxes)


def _repeated(picture: np.ndarray, row: int, col: int, rows: int, cols: int) -> np.ndarray:
    """``picture`` repeated for ever, from (row, col), rows x cols."""
    if row + rows <= picture.shape[0] and col + cols <= picture.shape[1]:
        return picture[row : row + rows, col : col + cols]
    down = np.arange(row, row + rows) % picture.shape[0]
    along = np.arange(col, col + cols) % picture.shape[1]
    whole: np.ndarray = picture[down].take(along, axis=1)
    return whole


def _bind_draw(pixel: bool, d: Operand, a: Operand, b: Operand) -> Run:
    """a at each place of b, in order."""
    out, x = d.array, a.array
    if out.size == 0 or x.size == 0 or b.rows == 0:
        return nothing
    if pixel:
        x = x.view(np.uint32)
    convert = converter(a, d.kind, pixel)

    def run() -> int:
        height = (a.leaf if b.cols in (3, 5) else 0) or a.rows
        sprites: dict[int, Sprite] = {}
        boxes = _boxes(floors(b), d.rows, d.cols, a.rows, a.cols, a.leaf)
        for leaf, top, left, end, right, row, col in boxes:
            if leaf not in sprites:
                picture = x[leaf * height : (leaf + 1) * height]
                sprites[leaf] = Sprite(picture if convert is None else convert(picture), pixel)
            sprites[leaf].draw(out[top:end, left:right], top - row, left - col)
        return -1

    return run


class Sprite:
    """One leaf, ready to be drawn many times: plain if it just replaces what is there."""

    def __init__(self, picture: np.ndarray, blends: bool) -> None:
        self.picture = picture
        self.height, self.width = picture.shape
        self.plain = not blends or bool(picture.min() >= OPAQUE)
        self.prepared: Prepared | None = None
        if not self.plain and picture.size <= BLEND_BLOCK:
            self.prepared = prepare(picture)

    def draw(self, target: np.ndarray, row: int, col: int) -> None:
        """Draw onto ``target``, whose first pixel is (row, col) of the repeated picture."""
        row, col = row % self.height, col % self.width
        rows, cols = target.shape
        end, right = row + rows, col + cols
        if self.plain and self.picture.size == 1:
            target[...] = self.picture[0, 0]
            return
        if self.plain and end <= self.height and right <= self.width:
            np.copyto(target, self.picture[row:end, col:right], casting="unsafe")
            return
        if self.prepared is not None and target.size <= BLEND_BLOCK:
            if self.picture.size == 1:
                target[...] = mix(self.prepared, target)
                return
            if end <= self.height and right <= self.width:
                pairs, clear = self.prepared
                part = pairs[:, row:end, col:right], clear[row:end, col:right]
                target[...] = mix(part, target)
                return
        for down, along in blocks(rows, cols, BLEND_BLOCK):
            piece = target[down, along]
            source = _repeated(
                self.picture, (row + down.start) % self.height, (col + along.start) % self.width,
                *piece.shape,
            )  # fmt: skip
            if self.plain:
                np.copyto(piece, source, casting="unsafe")
            else:
                _blend_step(piece, source, piece)


# ---- binding ---------------------------------------------------------------------------------


def _bind(op: Op, pixel: bool, d: Operand, inputs: tuple[Operand, ...], literal: int) -> Run:
    """Choose by opcode."""
    a, b = inputs
    if op.char == "O":
        return _bind_over(d, a, b)
    if op.char == "t":
        return _bind_tile(pixel, d, a, b)
    if op.char == "Z":
        return _bind_zoom(pixel, d, a, b)
    return _bind_draw(pixel, d, a, b)


_pointwise = reads_first(_bind, pointwise=True)
_others = reads_first(_bind, pointwise=False)


def bind(op: Op, pixel: bool, d: Operand, inputs: tuple[Operand, ...], literal: int) -> Run:
    """The family's Binder."""
    return (_pointwise if op.char == "O" else _others)(op, pixel, d, inputs, literal)
