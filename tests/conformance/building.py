"""Memories built by hand, word by word, without the program file's code."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from pxos.kernel.machine.isa import FIRST_FREE_ENTRY, encode
from pxos.kernel.machine.memory import (
    FLAG_WRITABLE,
    HEADER_PX,
    MAGIC,
    SYS,
    SYS_COLS,
    Memory,
    rows_for,
    words_for,
)

WIDTH = 64
NO_LIMIT = 2**40


@dataclass
class Entry:
    """A header's eight words (capacity left out: word 3 is set when it is laid out) and data."""

    head: list[int]
    data: np.ndarray
    capacity: int


@dataclass
class Draft:
    """A program on its way: matrices in the order of their entries, and how it starts."""

    matrices: list[Entry] = field(default_factory=list)
    code: list[int] = field(default_factory=list)
    code_writable: bool = False
    stack: int = 4
    fuel: int = NO_LIMIT
    spare_rows: int = 64
    table_spare: int = 0
    #: No matrix has more room than its data take.
    tight: bool = False

    def add(
        self,
        kind: str,
        rows: int,
        cols: int,
        words: np.ndarray | None = None,
        *,
        capacity: int = 0,
        w4: int = 0,
        w5: int = 0,
    ) -> int:
        """Add a matrix whose data words are given row by row; its entry."""
        data = np.zeros(0, np.uint32) if words is None else words.astype(np.uint32).ravel()
        assert words is None or data.size == words_for(kind, rows, cols)
        head = [ord(kind), rows, cols, 0, w4, w5, 0, 0]
        self.matrices.append(Entry(head, data, max(capacity, words_for(kind, rows, cols))))
        return FIRST_FREE_ENTRY + len(self.matrices) - 1

    def integers(self, rows: int, cols: int, numbers: Sequence[int], kind: str = "I") -> int:
        """Add a matrix of the words given as signed numbers."""
        return self.add(kind, rows, cols, np.array(numbers, np.int64).astype(np.uint32))

    def text(
        self, rows: int, cols: int, data: bytes, kind: str = "T", w4: int = 0, w5: int = 0
    ) -> int:
        """Add a matrix of the bytes given row by row."""
        return self.add(kind, rows, cols, pack_bytes(rows, cols, data), w4=w4, w5=w5)

    def view(
        self,
        seen: str,
        base: int,
        rows: int,
        cols: int,
        row: int = 0,
        col: int = 0,
        row_step: int = 1,
        col_step: int = 1,
    ) -> int:
        """Add a view of the entry ``base``; seen "" leaves it unmade."""
        first = ord("V") | (ord(seen) << 8 if seen else 0)
        numbers = [first, rows, cols, base, row, col, row_step, col_step]
        self.matrices.append(Entry([n & 0xFFFFFFFF for n in numbers], np.zeros(0, np.uint32), -1))
        return FIRST_FREE_ENTRY + len(self.matrices) - 1

    def emit(self, char: str, g: int = 0, b: int = 0, a: int = 0) -> int:
        """Append an instruction; its pc."""
        self.code.append(encode(char, g, b, a))
        return len(self.code) - 1

    def memory(self) -> Memory:
        """Lay everything out."""
        reserved = [
            Entry([ord("I"), 1, SYS_COLS, 0, 0, 0, 0, 0], np.zeros(SYS_COLS, np.uint32), SYS_COLS),
            Entry([ord("I"), 1, 0, 0, 0, 0, 0, 0], np.zeros(0, np.uint32), 0),
            Entry(
                [
                    ord("I") | (FLAG_WRITABLE << 16 if self.code_writable else 0),
                    1,
                    len(self.code),
                    0,
                    0,
                    0,
                    0,
                    0,
                ],
                np.array(self.code, np.uint32),
                len(self.code),
            ),
            Entry(
                [ord("I"), 1, self.stack, 0, 0, 0, 0, 0],
                np.zeros(self.stack, np.uint32),
                self.stack,
            ),
            Entry([ord("T"), 1, 2, 0, 0, 0, 0, 0], np.frombuffer(b"{}\0\0", np.uint32), 1),
        ]
        entries = reserved + self.matrices
        length = len(entries) + self.table_spare
        row, rows = 1, []
        for number, entry in enumerate(entries):
            rows.append(row)
            row += rows_for(length if number == 1 else max(entry.capacity, 0), WIDTH)
        image = np.zeros((row, WIDTH), np.uint32)
        words = image.reshape(-1)
        words[:2] = np.frombuffer(MAGIC, np.uint32)
        words[2:4] = WIDTH, row
        entries[1].head[2] = length
        entries[1].data = np.array(rows + rows[:1] * self.table_spare, np.uint32)
        for at, entry in zip(rows, entries, strict=True):
            head = list(entry.head)
            if entry.capacity >= 0:
                capacity = max(entry.capacity, len(entry.data))
                head[3] = rows_for(capacity, WIDTH) * WIDTH - HEADER_PX
                if self.tight:
                    head[3] = len(entry.data)
            start = at * WIDTH
            words[start : start + HEADER_PX] = head
            words[start + HEADER_PX : start + HEADER_PX + len(entry.data)] = entry.data
        sys_at = WIDTH + HEADER_PX
        for name, value in (
            ("table_row", rows[1]),
            ("top", row),
            ("fuel_lo", self.fuel & 0xFFFFFFFF),
            ("fuel_hi", self.fuel >> 32),
            ("version", 1),
        ):
            words[sys_at + SYS[name]] = value
        return Memory(image, row + self.spare_rows)


def pack_bytes(rows: int, cols: int, data: bytes | np.ndarray) -> np.ndarray:
    """Bytes given row by row as words, each row starting at a word."""
    flat = np.frombuffer(bytes(data), np.uint8).reshape(rows, cols)
    padded = np.zeros((rows, -(-cols // 4) * 4), np.uint8)
    padded[:, :cols] = flat
    return padded.view(np.uint32) if padded.size else np.zeros(0, np.uint32)
