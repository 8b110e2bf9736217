"""Laying out a program picture: from matrices and code to sealed words."""

from __future__ import annotations

import hashlib
import struct
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from .isa import FIRST_FREE_ENTRY, KINDS
from .memory import (
    FLAG_WRITABLE,
    HEADER_PX,
    MAGIC,
    SYS,
    SYS_COLS,
    SYS_ROW,
    WIDTHS,
    rows_for,
    words_for,
)

#: Version of the machine that is written into SYS.
VERSION = 1

#: Most entries that a matrix table may have.
MAX_ENTRIES = 1 << 16

#: Fuel of a program that nobody has given any.
FULL_FUEL = (1 << 63) - 1

#: Words of the legend: where the digest stands, and where the line of ASCII begins.
DIGEST = slice(4, 12)
LEGEND_TEXT = 12

_ELEMENT = {
    "I": (np.int32, 2),
    "X": (np.int32, 2),
    "T": (np.uint8, 2),
    "Q": (np.uint8, 2),
    "P": (np.uint8, 3),
}
_DIMENSION_MAX = (1 << 31) - 1


class LayoutError(ValueError):
    """A program cannot be laid out as asked."""


@dataclass(frozen=True, slots=True, eq=False)
class MatrixSpec:
    """A matrix of a program that is to be built.

    ``kind``: one of isa.KINDS.  ``data``: int32 (rows, cols) for I and X (raw Q16.16), uint8
    (rows, cols) for T and Q, uint8 (rows, cols, 4) for P; None for zeros.  ``capacity_px``:
    words to reserve, at least what the data need.  ``leaf``: rows of a tile.  ``scale`` and
    ``offset`` belong to Q.  A V has no rows, columns or data.
    """

    name: str
    kind: str
    rows: int = 0
    cols: int = 0
    data: np.ndarray | None = None
    capacity_px: int = 0
    leaf: int = 0
    scale: float = 1.0
    offset: float = 0.0

    def __post_init__(self) -> None:
        if self.kind not in KINDS:
            raise LayoutError(f"matrix {self.name}: kind {self.kind!r} is none of {''.join(KINDS)}")
        if self.kind == "V":
            if self.rows or self.cols or self.data is not None or self.capacity_px:
                raise LayoutError(f"matrix {self.name}: a view has no shape, data or capacity")
            return
        for what, number in (
            ("rows", self.rows),
            ("columns", self.cols),
            ("leaf", self.leaf),
            ("capacity", self.capacity_px),
        ):
            if not 0 <= number <= _DIMENSION_MAX:
                raise LayoutError(f"matrix {self.name}: {what} {number} is not in 0..2^31-1")
        if self.data is not None:
            dtype, dimensions = _ELEMENT[self.kind]
            shape = (self.rows, self.cols) if dimensions == 2 else (self.rows, self.cols, 4)
            if self.data.dtype != dtype or self.data.shape != shape:
                raise LayoutError(
                    f"matrix {self.name}: kind {self.kind} of {self.rows} x {self.cols} takes "
                    f"{np.dtype(dtype)} {shape}, not {self.data.dtype} {self.data.shape}"
                )

    def words(self) -> int:
        """Words that header-less data take, the reserved capacity included."""
        return max(self.capacity_px, words_for(self.kind, self.rows, self.cols))

    def header(self, capacity_px: int, flags: int = 0) -> tuple[int, ...]:
        """The eight header words."""
        w4, w5 = self.leaf, 0
        if self.kind == "Q":
            w4, w5 = _float_bits(self.name, self.scale), _float_bits(self.name, self.offset)
        steps = (1, 1) if self.kind == "V" else (0, 0)
        return (
            ord(self.kind) | flags << 16,
            self.rows,
            self.cols,
            0 if self.kind == "V" else capacity_px,
            w4,
            w5,
            *steps,
        )

    def packed(self) -> np.ndarray | None:
        """The data as uint32 words, or None for zeros."""
        if self.data is None or not self.data.size:
            return None
        if self.kind in "IXP":
            return np.ascontiguousarray(self.data).view(np.uint32).ravel()
        padded = np.zeros((self.rows, -(-self.cols // 4) * 4), np.uint8)
        padded[:, : self.cols] = self.data
        return padded.view(np.uint32).ravel()


def _float_bits(name: str, value: float) -> int:
    try:
        bits = struct.pack("<f", value)
    except (OverflowError, struct.error) as error:
        raise LayoutError(f"matrix {name}: {value!r} is no float32 ({error})") from error
    return int.from_bytes(bits, "little")


def choose_width(specs: Sequence[MatrixSpec]) -> int:
    """The width that makes the picture of these matrices most nearly square.

    Every matrix begins a row, so wide pictures of many small ones waste most of their
    words: widths that take over twice the least number of words are left out.
    """
    words = np.array([spec.words() for spec in specs], np.int64) + HEADER_PX
    heights = {width: 1 + int((-(-words // width)).sum()) for width in WIDTHS}
    least = min(width * height for width, height in heights.items())
    fine = [width for width in WIDTHS if width * heights[width] <= 2 * least]
    return min(fine, key=lambda width: max(width, heights[width]))


def lay_out(
    matrices: Sequence[MatrixSpec],
    code: Sequence[int] | np.ndarray,
    meta: bytes,
    *,
    stack: int,
    code_writable: bool,
    width: int | None,
    legend: str,
    seed: int,
) -> np.ndarray:
    """The sealed image (uint32, rows x width) of a program.

    Row 0 the legend, then SYS, TABLE, CODE, STACK, the matrices in order (entries 5 and up)
    and META (entry 4).  Raises LayoutError.
    """
    entries = FIRST_FREE_ENTRY + len(matrices)
    if entries > MAX_ENTRIES:
        raise LayoutError(f"{entries} matrices, more than the table's {MAX_ENTRIES}")
    if width is not None and width not in WIDTHS:
        raise LayoutError(f"width {width} is none of {WIDTHS}")
    if stack < 0:
        raise LayoutError(f"a call stack of {stack} words: it needs at least 0")
    words = np.asarray(code, np.int64).ravel()
    if words.size and (int(words.min()) < 0 or int(words.max()) >= 1 << 32):
        raise LayoutError("an instruction is a word of 0..2^32-1")
    code_row = words.astype(np.uint32).view(np.int32)[None, :]
    text = np.frombuffer(meta, np.uint8)[None, :]
    own = [
        MatrixSpec("SYS", "I", 1, SYS_COLS),
        MatrixSpec("TABLE", "I", 1, entries),
        MatrixSpec("CODE", "I", 1, words.size, code_row),
        MatrixSpec("STACK", "I", 1, stack),
    ]
    order = [*own, *matrices, MatrixSpec("META", "T", 1, len(meta), text)]
    width = width or choose_width(order)
    heights = [rows_for(spec.words(), width) for spec in order]
    starts = np.cumsum([SYS_ROW, *heights])
    top = int(starts[-1])
    if top * width >= 1 << 32:
        raise LayoutError(f"the program needs {top * width} words, a picture has less than 2^32")
    image = np.zeros((top, width), np.uint32)
    flat = image.ravel()
    for spec, start, height in zip(order, starts[:-1].tolist(), heights, strict=True):
        at = start * width
        flags = FLAG_WRITABLE if spec is own[2] and code_writable else 0
        flat[at : at + HEADER_PX] = spec.header(height * width - HEADER_PX, flags)
        data = spec.packed()
        if data is not None:
            flat[at + HEADER_PX : at + HEADER_PX + data.size] = data
    table_row = int(starts[1])
    at = table_row * width + HEADER_PX
    flat[at : at + FIRST_FREE_ENTRY] = (*starts[:4], starts[-2])
    flat[at + FIRST_FREE_ENTRY : at + entries] = starts[4:-2]
    _fill_sys(flat, width, table_row, top, seed)
    write_legend(image, legend)
    seal(image)
    return image


def _fill_sys(flat: np.ndarray, width: int, table_row: int, top: int, seed: int) -> None:
    at = SYS_ROW * width + HEADER_PX
    values = {
        "fuel_lo": FULL_FUEL & 0xFFFFFFFF,
        "fuel_hi": FULL_FUEL >> 32,
        "table_row": table_row,
        "top": top,
        "seed_lo": seed & 0xFFFFFFFF,
        "seed_hi": seed >> 32 & 0xFFFFFFFF,
        "version": VERSION,
    }
    for name, value in values.items():
        flat[at + SYS[name]] = value


def write_legend(image: np.ndarray, legend: str) -> None:
    """Fill row 0 but for its digest: magic, width, rows, and a line of ASCII."""
    rows, width = image.shape
    image[0] = 0
    line = image[0].view(np.uint8)
    line[: len(MAGIC)] = np.frombuffer(MAGIC, np.uint8)
    image[0, 2], image[0, 3] = width, rows
    plain = " ".join(legend.split()).encode("ascii", "replace")[: 4 * (width - LEGEND_TEXT)]
    line[4 * LEGEND_TEXT : 4 * LEGEND_TEXT + len(plain)] = np.frombuffer(plain, np.uint8)


def digest(image: np.ndarray) -> bytes:
    """SHA-256 of all words of ``image`` with those of the digest itself taken as zero."""
    hasher = hashlib.sha256()
    head = image[0].copy()
    head[DIGEST] = 0
    hasher.update(head.data)
    hasher.update(np.ascontiguousarray(image[1:]).data)
    return hasher.digest()


def seal(image: np.ndarray) -> None:
    """Write into row 0 how many rows ``image`` has and the digest of its words."""
    image[0, 3] = image.shape[0]
    image[0, DIGEST] = np.frombuffer(digest(image), np.uint32)
