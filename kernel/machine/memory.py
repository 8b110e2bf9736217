"""The memory of a process: one RGBA picture seen as little-endian 32-bit words.

Layout (word address = row * width + column)::

    row 0    legend: words 0-1 "pxOS/1\\r\\n", 2 width, 3 rows saved, 4-11 SHA-256,
             12.. one line of ASCII for whoever opens the file in an editor
    row 1    SYS, the machine's state (entry 0), always here
    then     TABLE (1), CODE (2), STACK (3), META (4) and the program's matrices, any order

A matrix is a header of 8 words at the start of a row and its data right behind::

    0  kind character | class a view shows << 8 | flags << 16
    1  rows            2  columns           3  capacity in words
    4  leaf (rows of a tile); Q: scale as float32 bits; V: row of the first element
    5  Q: offset as float32 bits; V: column of the first element
    6  V: row step     7  V: column step     (3 in a view: the entry it looks at)

``I X P`` take a word an element; ``T Q`` take a byte, each row starting at a word.
Header and capacity together fill whole rows.
"""

from __future__ import annotations

import sys
from typing import NamedTuple

import numpy as np

from .fault import InternalError

HEADER_PX = 8
SYS_ROW = 1
MAGIC = b"pxOS/1\r\n"

#: Words of SYS, by name: offsets into its data.
SYS = {
    name: index
    for index, name in enumerate(
        (
            "pc",
            "reserved",
            "depth",
            "fuel_lo",
            "fuel_hi",
            "reason",
            "detail",
            "table_row",
            "top",
            "quota_rows",
            "seed_lo",
            "seed_hi",
            "random",
            "port",
            "status",
            "done_lo",
            "done_hi",
            "version",
        )
    )
}
SYS_COLS = 24

#: Header flag: instructions may write this machine-owned matrix (CODE only).
FLAG_WRITABLE = 1

#: Widths a program picture may have.
WIDTHS = (64, 128, 256, 512, 1024, 2048, 4096)

if sys.byteorder != "little":
    raise ImportError("pxOS needs a little-endian machine: a pixel is a little-endian word")


def words_for(kind: str, rows: int, cols: int) -> int:
    """Words that the data of a matrix of this kind and shape take."""
    return rows * (-(-cols // 4) if kind in "TQ" else cols)


def rows_for(capacity_px: int, width: int) -> int:
    """Rows of the picture that a header and ``capacity_px`` words of data fill."""
    return -(-(HEADER_PX + capacity_px) // width)


class Header(NamedTuple):
    """A matrix header, decoded.  ``row`` is where it stands; ``w4``..``w7`` by kind."""

    row: int
    kind: str
    seen: str
    flags: int
    rows: int
    cols: int
    capacity_px: int
    w4: int
    w5: int
    w6: int
    w7: int


class Memory:
    """The words of a process, allocated once at its full quota.

    The pages of fresh rows are zero and are not touched before they are used, so a large
    quota costs nothing until it is needed, and views of the words stay valid for ever.

    ``words`` uint32, ``ints`` int32, ``bytes`` uint8: three views of one flat buffer of
    ``quota_rows * width`` words.
    """

    def __init__(self, image: np.ndarray, quota_rows: int) -> None:
        """Copy ``image`` (uint32, rows x width, already validated) into fresh memory."""
        rows, width = image.shape
        if quota_rows < rows:
            raise ValueError(
                f"a quota of {quota_rows} rows is below the program's {rows} rows: raise the quota"
            )
        self.width = int(width)
        self.quota_rows = int(quota_rows)
        self.words = np.zeros(quota_rows * width, np.uint32)
        self.words[: image.size] = image.ravel()
        self.ints = self.words.view(np.int32)
        self.bytes = self.words.view(np.uint8)
        self._sys = SYS_ROW * self.width + HEADER_PX
        self.set("quota_rows", quota_rows)

    # ---- SYS ---------------------------------------------------------------------------

    def get(self, name: str) -> int:
        """The SYS word ``name``, unsigned."""
        return int(self.words[self._sys + SYS[name]])

    def set(self, name: str, value: int) -> None:
        """Set the SYS word ``name`` modulo 2^32."""
        self.words[self._sys + SYS[name]] = value & 0xFFFFFFFF

    def get64(self, name: str) -> int:
        """The 64-bit SYS value ``name`` (stored as ``name_lo``, ``name_hi``)."""
        return self.get(name + "_lo") | self.get(name + "_hi") << 32

    def set64(self, name: str, value: int) -> None:
        """Set the 64-bit SYS value ``name``."""
        self.set(name + "_lo", value)
        self.set(name + "_hi", value >> 32)

    @property
    def top(self) -> int:
        """The first row not yet given to a matrix."""
        return self.get("top")

    # ---- table and headers -----------------------------------------------------------------

    @property
    def table_addr(self) -> int:
        """Word address of the table's first entry."""
        return self.get("table_row") * self.width + HEADER_PX

    @property
    def table_len(self) -> int:
        """Number of entries in the table."""
        return int(self.words[self.get("table_row") * self.width + 2])

    def row_of(self, entry: int) -> int:
        """The header row of a table entry."""
        if not 0 <= entry < self.table_len:
            raise InternalError(f"entry {entry} is outside the table of {self.table_len}")
        return int(self.words[self.table_addr + entry])

    def header_at(self, row: int) -> Header:
        """Decode the header that stands at ``row``."""
        at = row * self.width
        first, rows, cols, capacity, w4, w5, w6, w7 = (
            int(w) for w in self.words[at : at + HEADER_PX]
        )
        seen = first >> 8 & 0xFF
        return Header(
            row,
            chr(first & 0xFF),
            chr(seen) if seen else "",
            first >> 16 & 0xFF,
            rows,
            cols,
            capacity,
            w4,
            w5,
            w6,
            w7,
        )

    def header(self, entry: int) -> Header:
        """Decode the header of a table entry."""
        return self.header_at(self.row_of(entry))

    def data_addr(self, row: int) -> int:
        """Word address of the first data word of the matrix at ``row``."""
        return row * self.width + HEADER_PX

    def set_shape(self, row: int, rows: int, cols: int) -> None:
        """Write rows and columns into the header at ``row``."""
        at = row * self.width
        self.words[at + 1] = rows
        self.words[at + 2] = cols

    # ---- whole picture -----------------------------------------------------------------------

    def used_image(self) -> np.ndarray:
        """The picture as far as it is used: uint32, top rows x width, a view."""
        return self.words[: self.top * self.width].reshape(-1, self.width)
