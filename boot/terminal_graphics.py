"""Three ways to show pixels in a terminal; of each frame only what changed is sent.

Every renderer keeps what the terminal shows, cuts the frame into strips one row of cells
high, and sends the strips that differ.
"""

from __future__ import annotations

import base64
import zlib
from abc import ABC, abstractmethod
from typing import Protocol

import numpy as np

from .terminal_fit import Grid

#: Most bytes of base64 in one kitty escape.
_KITTY_CHUNK = 4096
#: Number of the kitty image that shows the first row of cells.
_KITTY_FIRST = 7000
#: Colours in one strip of sixels; more cost time and space out of proportion.
SIXEL_COLOURS = 64


class Renderer(Protocol):
    """Makes the bytes that show a frame."""

    def frame(self, pixels: np.ndarray, grid: Grid) -> bytes:
        """Bytes that turn what is shown into ``pixels``, uint8 (rows, cols, 3)."""
        ...

    def forget(self) -> None:
        """The terminal was cleared."""
        ...

    def end(self) -> bytes:
        """Bytes that free what the terminal keeps."""
        ...


class _Strips(ABC):
    """What all renderers share: which strips changed."""

    def __init__(self) -> None:
        self._shown: np.ndarray | None = None

    def frame(self, pixels: np.ndarray, grid: Grid) -> bytes:
        """Bytes for the strips that changed."""
        strips = pixels.reshape(grid.rows, grid.cell_rows, pixels.shape[1], 3)
        shown = self._shown
        if shown is None or shown.shape != strips.shape:
            parts = [self._strip(row, strip, None) for row, strip in enumerate(strips)]
        else:
            changed = np.flatnonzero((strips != shown).any(axis=(1, 2, 3))).tolist()
            parts = [self._strip(row, strips[row], shown[row]) for row in changed]
        self._shown = strips.copy()
        return b"".join(parts)

    def forget(self) -> None:
        """The terminal was cleared."""
        self._shown = None

    def end(self) -> bytes:
        """Nothing to free."""
        return b""

    @abstractmethod
    def _strip(self, row: int, strip: np.ndarray, before: np.ndarray | None) -> bytes:
        """Bytes for a strip that changed; ``before``: what is shown there, None: nothing."""


class HalfBlocks(_Strips):
    """Two pixels a cell: the upper as the colour of a half block, the lower as its background."""

    cell = (2, 1)

    def _strip(self, row: int, strip: np.ndarray, before: np.ndarray | None) -> bytes:
        """``strip``: uint8 (2, cols, 3)."""
        start, end = 0, strip.shape[1]
        if before is not None:
            columns = np.flatnonzero((strip != before).any(axis=(0, 2)))
            start, end = int(columns[0]), int(columns[-1]) + 1
        place = f"\x1b[{row + 1};{start + 1}H".encode()
        return place + half_block_row(strip[:, start:end]) + b"\x1b[0m"


def half_block_row(strip: np.ndarray) -> bytes:
    """A row of cells that show ``strip``, uint8 (2, cols, 3); colours stay set at its end."""
    out: list[str] = []
    ink: list[int] = []
    paper: list[int] = []
    for top, bottom in zip(strip[0].tolist(), strip[1].tolist(), strict=True):
        if bottom != paper:
            paper = bottom
            out.append(f"\x1b[48;2;{bottom[0]};{bottom[1]};{bottom[2]}m")
        if top == bottom:
            out.append(" ")
            continue
        if top != ink:
            ink = top
            out.append(f"\x1b[38;2;{top[0]};{top[1]};{top[2]}m")
        out.append("▀")
    return "".join(out).encode()


class Kitty(_Strips):
    """The kitty graphics protocol: each row of cells is an image of its own."""

    def __init__(self) -> None:
        super().__init__()
        self._rows: set[int] = set()

    def _strip(self, row: int, strip: np.ndarray, before: np.ndarray | None) -> bytes:
        self._rows.add(row)
        height, width = strip.shape[:2]
        data = base64.b64encode(zlib.compress(strip.tobytes(), 1))
        head = (f"a=T,q=2,C=1,f=24,o=z,i={_KITTY_FIRST + row},p=1,s={width},v={height}").encode()
        out = [f"\x1b[{row + 1};1H".encode()]
        for at in range(0, len(data), _KITTY_CHUNK):
            more = at + _KITTY_CHUNK < len(data)
            keys = head + b"," if at == 0 else b""
            out.append(b"\x1b_G%sm=%d;%s\x1b\\" % (keys, more, data[at : at + _KITTY_CHUNK]))
        return b"".join(out)

    def end(self) -> bytes:
        """Delete the images."""
        rows, self._rows = self._rows, set()
        return b"".join(b"\x1b_Ga=d,d=I,q=2,i=%d\x1b\\" % (_KITTY_FIRST + row) for row in rows)


class Sixel(_Strips):
    """DEC's sixels: bands of six rows, a bit for each pixel of a colour."""

    def _strip(self, row: int, strip: np.ndarray, before: np.ndarray | None) -> bytes:
        return f"\x1b[{row + 1};1H".encode() + sixels(strip)


def sixels(pixels: np.ndarray, colours: int = SIXEL_COLOURS) -> bytes:
    """A picture, uint8 (rows, cols, 3), as a sixel sequence of at most ``colours`` colours."""
    rows, cols = pixels.shape[:2]
    places, palette = _indexed(pixels, colours)
    out = [f'\x1bP0;1;0q"1;1;{cols};{rows}']
    percent = (palette.astype(np.int32) * 100 + 127) // 255
    out += [f"#{n};2;{r};{g};{b}" for n, (r, g, b) in enumerate(percent.tolist())]
    for top in range(0, rows, 6):
        band = places[top : top + 6]
        weights = (1 << np.arange(len(band), dtype=np.uint8))[:, None]
        lines = []
        for colour in np.flatnonzero(np.bincount(band.ravel())).tolist():
            bits = ((band == colour) * weights).sum(axis=0, dtype=np.uint8)
            lines.append(f"#{colour}{_run_lengths(bits + 63)}")
        out.append("$".join(lines) + "-")
    out.append("\x1b\\")
    return "".join(out).encode()


def _indexed(pixels: np.ndarray, most: int) -> tuple[np.ndarray, np.ndarray]:
    """Colour numbers (rows, cols) and the palette (n, 3): the exact one if it is small enough."""
    words = pixels.astype(np.uint32) @ np.array([1, 256, 65536], np.uint32)
    colours, places = np.unique(words, return_inverse=True)
    if len(colours) <= most:
        palette = np.stack([colours & 255, colours >> 8 & 255, colours >> 16], 1)
        return places.reshape(words.shape), palette
    from PIL import Image

    image = Image.fromarray(np.ascontiguousarray(pixels))
    few = image.quantize(most, Image.Quantize.FASTOCTREE, dither=Image.Dither.NONE)
    table = np.array(few.getpalette("RGB"), np.uint8).reshape(-1, 3)
    return np.asarray(few), table


def _run_lengths(codes: np.ndarray) -> str:
    """Sixel characters with runs of four and more shortened; empty ones at the end dropped."""
    starts = np.flatnonzero(np.append(True, codes[1:] != codes[:-1]))
    lengths = np.diff(np.append(starts, len(codes)))
    runs = list(zip(codes[starts].tolist(), lengths.tolist(), strict=True))
    if runs[-1][0] == 63:
        runs.pop()
    return "".join(
        f"!{length}{chr(code)}" if length > 3 else chr(code) * length for code, length in runs
    )
