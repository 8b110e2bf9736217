"""The disassembler: a program picture as text that assembles to the same picture.

The flat form states every word: the headers in use, their data, CODE as instructions, and
the words that belong to no matrix any more.  Comments say what people want to know; the
assembler passes over them.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence

import numpy as np

from ...kernel.machine.isa import BY_CODE, FIRST_SMALL, RESERVED, SMALL_ZERO
from ...kernel.machine.layout import DIGEST, LEGEND_TEXT, write_legend
from ...kernel.machine.memory import HEADER_PX, SYS, SYS_ROW
from ...kernel.machine.program import Program
from ...kernel.machine.words import describe

#: Words on a line of data.
PER_LINE = 12
#: Repetitions from which ``W*n`` is written.
MIN_RUN = 3
_CODE_ENTRY = RESERVED.index("CODE")


def disassemble(program: Program) -> str:
    """The flat form of a program."""
    return "\n".join(Disassembly(program).lines()) + "\n"


class Disassembly:
    """One program on its way to text."""

    def __init__(self, program: Program) -> None:
        self.image = program.image
        self.meta = program.meta
        self.rows, self.width = self.image.shape
        self.flat = self.image.reshape(-1)
        self.said = np.zeros(self.flat.size, bool)
        at = int(self.flat[SYS_ROW * self.width + HEADER_PX + SYS["table_row"]]) * self.width
        self.table = self.flat[at + HEADER_PX : at + HEADER_PX + int(self.flat[at + 2])].tolist()
        self.names = self._names()
        self.labels = self._labels()

    def _names(self) -> list[str]:
        """A name for every entry that instructions can name: unique, and one word."""
        taken: set[str] = set()
        found: list[str] = []
        for entry in range(min(len(self.table), FIRST_SMALL)):
            shown = self.meta.names[entry] if entry < len(self.meta.names) else ""
            if entry < len(RESERVED):
                shown = RESERVED[entry]
            plain = re.sub(r"[^A-Za-z0-9_.]", "_", shown)
            if not re.match(r"[A-Za-z_]", plain) or plain in taken or len(plain) > 40:
                plain = f"m{entry}"
            while plain in taken:
                plain += "_"
            taken.add(plain)
            found.append(plain)
        return found

    def _labels(self) -> dict[int, str]:
        """A label by pc, for those of the metadata that can be written."""
        found: dict[int, str] = {}
        for name, pc in sorted(self.meta.labels.items(), key=lambda item: (item[1], item[0])):
            if re.fullmatch(r"[A-Za-z_][A-Za-z0-9_.~]*", name) and pc not in found:
                found[pc] = name
        return found

    # ---- lines -------------------------------------------------------------------------------

    def lines(self) -> Iterator[str]:
        """All lines."""
        if self.meta.title:
            yield f"; {self.meta.title}"
        yield f"picture {self.width}x{self.rows}"
        yield from self._legend()
        for entry, name in enumerate(self.names):
            if entry >= len(RESERVED):
                yield f"name {entry} {name}"
        for row in sorted(set(self.table)):
            yield ""
            yield from self._matrix(row)
        yield from self._rest()

    def _legend(self) -> Iterator[str]:
        """Row 0: magic, sizes and digest are computed again; the text is stated."""
        row = self.image[0]
        text = bytes(row[LEGEND_TEXT:].tobytes()).rstrip(b"\0").decode("ascii", "replace")
        again = np.zeros((self.rows, self.width), np.uint32)
        write_legend(again, text)
        again[0, DIGEST] = row[DIGEST]
        if '"' not in text and "\\" not in text and (again[0] == row).all():
            yield f'legend "{text}"'
            self.said[: self.width] = True
        else:
            self.said[:LEGEND_TEXT] = True

    def _matrix(self, row: int) -> Iterator[str]:
        """The header at ``row`` and its data."""
        at = row * self.width
        first, rows, cols, capacity, *more = self.flat[at : at + HEADER_PX].tolist()
        kind, seen, flags = chr(first & 0xFF), first >> 8 & 0xFF, first >> 16
        entries = [entry for entry, where in enumerate(self.table) if where == row]
        shown = ", ".join(self.meta.name_of(entry) for entry in entries[:4])
        line = f"matrix {row} {kind} {rows}x{cols} cap {capacity}"
        line += f" seen {chr(seen)}" if seen else ""
        line += f" flags {flags}" if flags else ""
        line += " more " + " ".join(map(str, more)) if any(more) else ""
        yield f"{line}    ; {' '.join(map(str, entries[:4]))} {_one_line(shown)}"
        self.said[at : at + HEADER_PX] = True
        if kind == "V":
            return
        start = at + HEADER_PX
        end = min(start + capacity, self.flat.size)
        if entries[0] == _CODE_ENTRY:
            yield from self._code(start, cols)
            start += cols
        comment = ""
        if kind == "T":
            beginning = self.flat[start : min(end, start + 12)].tobytes()[
                : cols if rows == 1 else 48
            ]
            comment = _one_line(beginning.decode("utf-8", "replace"))
        yield from _data(
            self.flat[start:end], self.said[start:end], signed=kind in "IX", comment=comment
        )

    def _code(self, start: int, count: int) -> Iterator[str]:
        """The instructions, in order."""
        for pc in range(count):
            if pc in self.labels:
                yield f"{self.labels[pc]}:"
            word = int(self.flat[start + pc])
            shown = f"    {self._instruction(word)}"
            yield f"{shown:<36}  ; {pc} {_one_line(describe(word, self.meta.names))}"
        self.said[start : start + count] = True

    def _instruction(self, word: int) -> str:
        """One instruction in the raw form, or as a number if that cannot state all its bits."""
        as_number = f"word {word:#010x}"
        op = BY_CODE.get(word & 0xFF)
        if op is None:
            return as_number
        left = word >> 8
        shown = ["!;" if op.char == ";" else op.char]
        for name in op.operands:
            size = {"n16": 16, "n24": 24}.get(name, 8)
            value = left & ((1 << size) - 1)
            left >>= size
            if name == "n16" and op.char == "#":
                shown.append(str(value - 0x10000 if value >= 0x8000 else value))
            elif name in ("n16", "n24"):
                shown.append(self.labels.get(value, str(value)))
            elif name.startswith("'"):
                plain = chr(value).isascii() and (chr(value).isalnum() or chr(value) in "_&|^")
                shown.append(f"'{chr(value)}" if plain else str(value))
            elif value >= FIRST_SMALL:
                shown.append(str(value - SMALL_ZERO))
            elif value < len(self.names):
                shown.append(self.names[value])
            else:
                return as_number
        return as_number if left else " ".join(shown)

    def _rest(self) -> Iterator[str]:
        """Words that belong to nothing and are not zero, row by row."""
        loose = (self.flat != 0) & ~self.said
        for row in np.flatnonzero(loose.reshape(self.rows, self.width).any(axis=1)).tolist():
            at = row * self.width
            for begin, end in _spans(loose[at : at + self.width].tolist()):
                words = _runs(self.flat[at + begin : at + end].tolist(), signed=False)
                yield f"words {row} {begin} {' '.join(words)}"


def _spans(flags: Sequence[bool]) -> Iterator[tuple[int, int]]:
    """Beginning and end of every run of True."""
    begin = None
    for index, flag in enumerate((*flags, False)):
        if flag and begin is None:
            begin = index
        elif not flag and begin is not None:
            yield begin, index
            begin = None


def _runs(words: Iterable[int], *, signed: bool) -> list[str]:
    """Words as text, several equal ones as ``W*n``."""
    found: list[tuple[int, int]] = []
    for word in words:
        if found and found[-1][0] == word:
            found[-1] = word, found[-1][1] + 1
        else:
            found.append((word, 1))
    shown: list[str] = []
    for word, count in found:
        value = word - (1 << 32) if signed and word >= 1 << 31 else word
        text = str(value) if (signed and abs(value) < 1 << 24) or value < 10 else f"{word:#x}"
        shown += [f"{text}*{count}"] if count >= MIN_RUN else [text] * count
    return shown


def _data(words: np.ndarray, said: np.ndarray, *, signed: bool, comment: str) -> Iterator[str]:
    """``data`` lines for ``words``; the zeros at the end are left out."""
    said[...] = True
    used = np.flatnonzero(words)
    if not used.size:
        return
    shown = _runs(words[: int(used[-1]) + 1].tolist(), signed=signed)
    for at in range(0, len(shown), PER_LINE):
        tail = f"    ; {comment}" if comment and at == 0 else ""
        yield f"    data {' '.join(shown[at : at + PER_LINE])}{tail}"


def _one_line(text: str) -> str:
    """``text`` without anything that could break a line or command a terminal."""
    return "".join(c if c.isprintable() else "." for c in text)
