"""From operand bytes to matrices: the table, the headers and the views, remembered.

The resolver is the executor's mirror of all headers.  It decodes an entry once and keeps the
result until :meth:`Resolver.changed` says that its header, its table entry or the header of a
view's base is different.  Equal headers give the identical :class:`Matrix` object again, so the
object serves as the epoch in every cache key.
"""

from __future__ import annotations

from .isa import FIRST_SMALL, SMALL_ZERO
from .memory import FLAG_WRITABLE, HEADER_PX, SYS_ROW, Memory
from .plan_types import WORD_CLASSES, Fault, Matrix

#: Decoded headers remembered at most; beyond it everything is forgotten (correct, only slower).
MAX_REMEMBERED = 1 << 15

_CLASSES = frozenset("IXTPQ")


def _small(byte: int) -> Matrix:
    return Matrix("I", 1, 1, -1, -1, 0, 0, 0, value=byte - SMALL_ZERO)


#: The small integers by operand byte.
SMALL = {byte: _small(byte) for byte in range(FIRST_SMALL, 256)}


def signed(word: int) -> int:
    """A 32-bit word as a signed integer."""
    return word - 0x1_0000_0000 if word & 0x8000_0000 else word


def seen_geometry(kind: str, rows: int, cols: int, seen: str) -> tuple[int, int, int] | None:
    """Rows, columns and row step of a matrix of ``kind`` seen as class ``seen``, in seen units.

    None if it cannot be seen so.
    """
    if kind in WORD_CLASSES:
        if seen in WORD_CLASSES:
            return rows, cols, cols
        return (rows, 4 * cols, 4 * cols) if kind == "P" and seen == "T" else None
    words = -(-cols // 4)
    if seen == kind:
        return rows, cols, 4 * words
    return (rows, words, words) if kind == "T" and seen in WORD_CLASSES else None


def inside(start: int, step: int, count: int, limit: int) -> bool:
    """Whether ``count`` positions from ``start`` by ``step`` all lie in 0..limit-1."""
    last = start + (count - 1) * step
    return 0 <= start < limit and 0 <= last < limit and (step != 0 or count == 1)


class Resolver:
    """Decodes table entries of one memory; see the module's words."""

    def __init__(self, memory: Memory) -> None:
        self._memory = memory
        #: What operand bytes mean, as far as that is known now.
        self.known: dict[int, Matrix | Fault] = dict(SMALL)
        self._made: dict[tuple[int, ...], Matrix] = {}
        self._rest_on: dict[int, set[int]] = {}
        self._holders: dict[int, list[int]] = {}
        self.table_row = memory.get("table_row")
        self.table_addr = memory.table_addr
        self.table_len = memory.table_len
        self.code_row = memory.row_of(2)
        self.stack_row = memory.row_of(3)
        self._machine_rows = {SYS_ROW, self.table_row, self.stack_row, memory.row_of(4)}
        if not memory.header_at(self.code_row).flags & FLAG_WRITABLE:
            self._machine_rows.add(self.code_row)

    def operand(self, byte: int, number: int) -> Matrix | Fault:
        """What operand byte ``byte`` means; faults N and V carry ``number``."""
        found = self.known.get(byte)
        if found is None:
            if byte >= self.table_len:
                return Fault("N", number)
            found = self.known[byte] = self._decode(byte)
        return Fault("V", number) if isinstance(found, Fault) else found

    def kind(self, byte: int) -> str:
        """The kind letter in the header of entry ``byte`` (which must be in the table)."""
        return chr(int(self._memory.words[self.row_of(byte) * self._memory.width]) & 0xFF)

    def row_of(self, entry: int) -> int:
        """Header row of an entry inside the table."""
        return int(self._memory.words[self.table_addr + entry])

    def entries_at(self, row: int) -> list[int]:
        """Every table entry that holds ``row``."""
        found = self._holders.get(row)
        if found is None:
            table = self._memory.words[self.table_addr : self.table_addr + self.table_len]
            found = self._holders[row] = (table == row).nonzero()[0].tolist()
        return found.copy()

    def table_written(self) -> None:
        """Forget which entries hold which row."""
        self._holders.clear()

    def changed(self, entries: list[int]) -> set[int]:
        """Forget entries whose headers changed; returns them and the views that rest on them."""
        gone = set(entries)
        for entry in entries:
            gone |= self._rest_on.pop(entry, set())
        for entry in gone:
            if entry < FIRST_SMALL:  # above, an operand byte is a number and no entry
                self.known.pop(entry, None)
        return gone

    def resting(self, entry: int) -> dict[int, Matrix | Fault]:
        """What an entry and the views that rest on it mean, as far as that is known."""
        known = self.known
        found = (entry, *self._rest_on.get(entry, ()))
        return {one: known[one] for one in found if one in known and one < FIRST_SMALL}

    def rests_within(self, entry: int, known: dict[int, Matrix | Fault]) -> bool:
        """Whether ``known`` has every view that rests on an entry."""
        views = self._rest_on.get(entry)
        return views is None or views <= known.keys()

    def rename(
        self, entry: int, old: dict[int, Matrix | Fault], new: dict[int, Matrix | Fault]
    ) -> None:
        """A table entry was pointed elsewhere: ``new`` is what :meth:`resting` was there."""
        known = self.known
        if len(new) == 1 and entry in new and not self._rest_on.get(entry):
            known[entry] = new[entry]  # no view rests on it
            self._holders.clear()
            return
        for one in self._rest_on.get(entry, ()):
            if one not in new and one < FIRST_SMALL:
                known.pop(one, None)
        if entry not in new:
            known.pop(entry, None)
        known.update(new)
        self._rest_on.setdefault(entry, set()).update(new)
        self._rest_on[entry].discard(entry)
        self._holders.clear()

    @property
    def full(self) -> bool:
        """Whether so many headers are remembered that caches keyed by them should be emptied."""
        return len(self._made) > MAX_REMEMBERED

    def forget(self) -> None:
        """Forget everything that was decoded."""
        self.known = dict(SMALL)
        self._made.clear()
        self._rest_on.clear()
        self._holders.clear()

    def _decode(self, entry: int) -> Matrix | Fault:
        memory = self._memory
        row = self.row_of(entry)
        at = row * memory.width
        own = memory.words[at : at + HEADER_PX].tolist()
        if own[0] & 0xFF != ord("V"):
            key = (entry, row, *own)
            found = self._made.get(key)
            if found is None:
                found = self._made[key] = self._ordinary(entry, row, own)
            return found
        base_entry = own[3]
        self._rest_on.setdefault(base_entry, set()).add(entry)
        if base_entry >= self.table_len:
            return Fault("V")
        base_row = self.row_of(base_entry)
        at = base_row * memory.width
        base = memory.words[at : at + HEADER_PX].tolist()
        key = (entry, row, *own, base_row, *base)
        found = self._made.get(key)
        if found is None:
            made = self._view(own, base_entry, base_row, base)
            if isinstance(made, Fault):
                return made
            found = self._made[key] = made
        return found

    def _ordinary(self, entry: int, row: int, own: list[int]) -> Matrix:
        kind, rows, cols = chr(own[0] & 0xFF), own[1], own[2]
        words = kind in WORD_CLASSES
        addr = row * self._memory.width + HEADER_PX
        quantised = kind == "Q"
        return Matrix(
            cls=kind,
            rows=rows,
            cols=cols,
            row=row,
            entry=entry,
            offset=addr if words else 4 * addr,
            row_step=cols if words else 4 * -(-cols // 4),
            col_step=1,
            capacity=own[3],
            leaf=0 if quantised else own[4],
            scale_bits=own[4] if quantised else 0,
            offset_bits=own[5] if quantised else 0,
            fixed=row == self.code_row,
            writable=row not in self._machine_rows,
        )

    def _view(
        self, own: list[int], base_entry: int, base_row: int, base: list[int]
    ) -> Matrix | Fault:
        seen, kind = chr(own[0] >> 8 & 0xFF), chr(base[0] & 0xFF)
        if kind == "V" or seen not in _CLASSES:
            return Fault("V")
        geometry = seen_geometry(kind, base[1], base[2], seen)
        if geometry is None:
            return Fault("V")
        limit_rows, limit_cols, stride = geometry
        rows, cols = own[1], own[2]
        row, col, row_step, col_step = (signed(word) for word in own[4:8])
        if (
            rows
            and cols
            and not (
                inside(row, row_step, rows, limit_rows) and inside(col, col_step, cols, limit_cols)
            )
        ):
            return Fault("V")
        addr = base_row * self._memory.width + HEADER_PX
        if seen not in WORD_CLASSES:
            addr *= 4
        return Matrix(
            cls=seen,
            rows=rows,
            cols=cols,
            row=base_row,
            entry=base_entry,
            offset=addr + row * stride + col if rows and cols else addr,
            row_step=row_step * stride,
            col_step=col_step,
            scale_bits=base[4] if kind == "Q" else 0,
            offset_bits=base[5] if kind == "Q" else 0,
            fixed=True,
            writable=base_row not in self._machine_rows,
        )
