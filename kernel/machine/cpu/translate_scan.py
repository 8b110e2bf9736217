"""Looking at code before it is translated: which instructions belong together, and what each is.

A *region* starts at a hot instruction and takes in what can be reached from it, up to a limit.  It
is cut into *blocks*.  Every instruction becomes an :class:`Item`: scalar work on local variables, a
jump, or a call out to the executor, together with the variables that it may read or change behind
the region's back.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from ..isa import BY_CODE, FIRST_SMALL
from ..memory import SYS_ROW
from ..plan_operands import entries_named, operand_byte
from ..plan_types import Fault, Matrix
from ..registers import State
from .translate_scalar import SOURCES, Scalar, Table

#: Instructions in a region at most; what lies beyond is reached by leaving it.
MAX_ITEMS = 160

#: What goes on at the next pc.
PLAIN = frozenset(("scalar", "pick", "put", "call"))

_JUMPS = frozenset(b"JBb()H")
_FRACTION = {"I": 0, "X": 16}


@dataclass(slots=True)
class Item:
    """One instruction of a region.

    ``what``: ``scalar``, ``pick`` and ``put`` (one element of ``table``), ``call`` (out to the
    executor), ``jump``, ``branch`` (if the test holds), ``unless``, ``enter`` (a routine),
    ``return`` or ``leave`` (the region, before this instruction).
    ``d``: word address of the variable it sets (-1: none), ``fraction`` its fraction bits.
    ``sources``: its operands as text.  ``test``: of a branch.  ``rows``: header rows whose memory
    it may read besides variables; ``writes``: may write; None: any.
    """

    pc: int
    word: int
    what: str
    target: int = -1
    d: int = -1
    fraction: int = 0
    sources: list[Scalar] = field(default_factory=list)
    table: Table | None = None
    test: str = ""
    rows: frozenset[int] | None = frozenset()
    writes: frozenset[int] | None = frozenset()


@dataclass(slots=True)
class Block:
    """A straight run of items.  ``exits``: the pcs that may follow it."""

    pc: int
    items: list[Item]
    exits: tuple[int, ...] = ()


class Scan:
    """What a region consists of.  ``blocks`` by pc; ``variables``: word addresses held in locals,
    with the header row each belongs to; ``inlined``: entries whose matrices must stay the same
    object; ``rows_of``: the header row that each other entry had."""

    def __init__(
        self,
        state: State,
        start: int,
        unsteady: frozenset[int] = frozenset(),
        borders: frozenset[int] = frozenset(),
        called: Callable[[int], bool] = lambda pc: True,
    ) -> None:
        """Scan from ``start`` up to ``borders``, where other regions begin.

        The headers of ``unsteady`` entries change too often to rest on.  ``called``: whether a
        routine was ever called; one that was not is no part of the region.
        """
        self._state = state
        self._called = called
        self._borders = borders - {start}
        self._unsteady = unsteady
        self._resolver = state.planner.resolver
        self.start = start
        self.stack_addr, self.stack_len = state.stack_addr, state.stack_len
        self.variables: dict[int, int] = {}
        self.inlined: dict[int, Matrix] = {}
        self.rows_of: dict[int, int] = {}
        self.items: dict[int, Item] = {}
        self.blocks: dict[int, Block] = {}
        self._forbidden = {
            SYS_ROW,
            self._resolver.table_row,
            self._resolver.stack_row,
            self._resolver.code_row,
        }
        leaders = self._collect()
        self._cut(leaders)

    # ---- instructions ----------------------------------------------------------------------

    def _collect(self) -> set[int]:
        """Reach items from the start, nearest first; returns the pcs at which blocks begin."""
        state = self._state
        leaders = {self.start}
        waiting = [self.start]
        while waiting and len(self.items) < MAX_ITEMS:
            pc = waiting.pop(0)
            while 0 <= pc < state.code_len and pc not in self.items:
                if len(self.items) >= MAX_ITEMS:
                    leaders.add(pc)
                    break
                word = state.code[pc]
                item = Item(pc, word, "leave") if pc in self._borders else self._item(pc, word)
                self.items[pc] = item
                pc += 1
                if item.target >= 0:
                    leaders.add(item.target)
                    waiting.append(item.target)
                if item.what in ("branch", "unless", "enter"):
                    leaders.add(pc)
                if item.what in ("jump", "return", "leave"):
                    break
                if item.what == "enter":
                    waiting.append(pc)
                    break
        return leaders

    def _item(self, pc: int, word: int) -> Item:
        char = word & 0xFF
        if char in _JUMPS:
            return self._jump(pc, word)
        op = BY_CODE.get(char)
        if op is None:
            return Item(pc, word, "leave")
        return self._scalar(pc, word) or self._element(pc, word) or self._call(pc, word)

    def _jump(self, pc: int, word: int) -> Item:
        char = chr(word & 0xFF)
        if char == "J":
            return Item(pc, word, "jump", word >> 8)
        if char == "(":
            if not self._called(word >> 8):
                return Item(pc, word, "leave")
            return Item(pc, word, "enter", word >> 8)
        if char == ")":
            return Item(pc, word, "return")
        if char == "H":
            return Item(pc, word, "leave")
        test = self._test(operand_byte(word, 0))
        if test is None:
            return Item(pc, word, "leave")
        text, rows = test
        what = "branch" if char == "B" else "unless"
        return Item(pc, word, what, word >> 16, test=text, rows=rows)

    def _test(self, byte: int) -> tuple[str, frozenset[int]] | None:
        """The text that is true if an operand's first element is not zero, and the row it reads
        from memory; None if it cannot be written."""
        found = self._source(byte)
        if found is not None:
            return found.text, frozenset()
        matrix = self._resolver.operand(byte, 0)
        if isinstance(matrix, Fault) or not matrix.rows or not matrix.cols:
            return None
        if byte in self._unsteady:
            return None
        if matrix.cls == "Q" or matrix.row == SYS_ROW:
            return None
        if matrix.cls == "P" and matrix.col_step != 1:
            return None
        self.inlined[byte] = matrix
        array, at = (
            ("I", matrix.offset)
            if matrix.cls in "IX"
            else ("B", matrix.offset * (4 if matrix.cls == "P" else 1))
        )
        return f"{array}[{at}]", frozenset((matrix.row,))

    def _source(self, byte: int) -> Scalar | None:
        """A source as a variable or a number; None if it is neither."""
        if byte >= FIRST_SMALL:
            value = self._resolver.operand(byte, 0)
            assert isinstance(value, Matrix)
            return Scalar(str(value.value), 0, value.value)
        matrix = self._variable(byte)
        return None if matrix is None else Scalar(f"v{matrix.offset}", _FRACTION[matrix.cls])

    def _variable(self, byte: int) -> Matrix | None:
        matrix = self._resolver.operand(byte, 0)
        if (
            isinstance(matrix, Fault)
            or matrix.cls not in "IX"
            or matrix.rows != 1
            or matrix.cols != 1
            or matrix.row in self._forbidden
            or byte in self._unsteady
        ):
            return None
        return matrix

    def _scalar(self, pc: int, word: int) -> Item | None:
        char = chr(word & 0xFF)
        count = SOURCES.get(char)
        if count is None:
            return None
        d_byte = operand_byte(word, 0)
        if d_byte >= FIRST_SMALL:
            return None
        d = self._variable(d_byte)
        if d is None or not d.writable:
            return None
        bytes_ = [operand_byte(word, n + 1) for n in range(count)]
        sources = [self._source(byte) for byte in bytes_]
        if any(source is None for source in sources):
            return None
        if char == "q" and (d.cls != "I" or sources[0] is None or sources[0].fraction):
            return None
        self._hold(d_byte, *bytes_)
        return Item(
            pc,
            word,
            "scalar",
            d=d.offset,
            fraction=_FRACTION[d.cls],
            sources=[source for source in sources if source is not None],
        )

    def _hold(self, *bytes_: int) -> None:
        """Keep in variables those operands that can be."""
        for byte in bytes_:
            matrix = self._variable(byte) if byte < FIRST_SMALL else None
            if matrix is not None:
                self.inlined[byte] = matrix
                self.variables[matrix.offset] = matrix.row

    def _element(self, pc: int, word: int) -> Item | None:
        """Gather or Put of a single element of a larger matrix."""
        char = chr(word & 0xFF)
        if char not in "GP":
            return None
        d_byte, a_byte, i_byte = (operand_byte(word, n) for n in range(3))
        picks = char == "G"
        table_byte = a_byte if picks else d_byte
        table = self._table(table_byte, writable=not picks)
        i = self._source(i_byte)
        if table is None or i is None:
            return None
        rows = frozenset((table.row,))
        shape = Table(
            table.cls, table.rows, table.cols, table.offset, table.row_step, table.col_step
        )
        if picks:
            d = self._variable(d_byte) if d_byte < FIRST_SMALL else None
            if d is None or not d.writable:
                return None
            self._hold(d_byte, i_byte)
            item = Item(
                pc,
                word,
                "pick",
                d=d.offset,
                fraction=_FRACTION[d.cls],
                sources=[i],
                table=shape,
                rows=rows,
            )
        else:
            a = self._source(a_byte)
            if a is None:
                return None
            self._hold(a_byte, i_byte)
            item = Item(pc, word, "put", sources=[a, i], table=shape, rows=rows, writes=rows)
        self.inlined[table_byte] = table
        return item

    def _table(self, byte: int, *, writable: bool) -> Matrix | None:
        """A matrix whose elements may be reached one by one from generated code."""
        if byte >= FIRST_SMALL or byte in self._unsteady:
            return None
        matrix = self._resolver.operand(byte, 0)
        if isinstance(matrix, Fault) or matrix.cls not in "IXT" or matrix.row == SYS_ROW:
            return None
        if writable and (not matrix.writable or matrix.row == self._resolver.code_row):
            return None
        return matrix

    def _call(self, pc: int, word: int) -> Item:
        op = BY_CODE[word & 0xFF]
        if op.char in "VNW[]":
            return Item(pc, word, "call", rows=None, writes=None)
        rows: set[int] = set()
        writes: set[int] = set()
        for number, byte in entries_named(op, word):
            matrix = self._resolver.operand(byte, number)
            if isinstance(matrix, Fault):
                return Item(pc, word, "call", rows=None, writes=None)
            if matrix.row >= 0:
                self.rows_of[byte] = matrix.row
                rows.add(matrix.row)
                if number == 0 and op.writes:
                    writes.add(matrix.row)
        return Item(pc, word, "call", rows=frozenset(rows), writes=frozenset(writes))

    # ---- blocks ------------------------------------------------------------------------------

    def _cut(self, leaders: set[int]) -> None:
        for pc in sorted(leaders & self.items.keys()):
            items: list[Item] = []
            at = pc
            while at in self.items and (at == pc or at not in leaders):
                item = self.items[at]
                items.append(item)
                at += 1
                if item.what not in PLAIN:
                    break
            last = items[-1]
            exits: tuple[int, ...]
            if last.what in PLAIN:
                exits = (at,)
            elif last.what in ("jump", "enter"):
                exits = (last.target,)
            elif last.what in ("branch", "unless"):
                exits = (last.target, at)
            else:
                exits = ()
            self.blocks[pc] = Block(pc, items, exits)
        for item in self.items.values():
            if item.what in ("branch", "unless") and item.test.startswith("v"):
                self._hold(operand_byte(item.word, 0))

    def touched(self, rows: frozenset[int] | None) -> list[int]:
        """The variables that memory of these header rows may hold; None: any row."""
        return [at for at, row in self.variables.items() if rows is None or row in rows]
