"""The oracle: a third, slow and obvious executor that reads like the instruction table.

It computes with plain Python integers and fractions, one element after another, and shares
nothing with the other executors but the table, the memory layout and the ports.  It decodes,
resolves, checks, grows and accounts by itself, so a mistake in their common plan shows too.

Each instruction is a function of a :class:`Step` in one of the ``oracle_*`` modules.  It checks
kinds in byte order (``target``, ``value``, ``words``), then shapes and room (``fit``), then asks
for the fuel (``pay``), computes, and stores.  What is wrong raises :class:`Fault`, and as nothing
is stored before all is checked, a faulting instruction has no effect.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import NoReturn

from . import oracle_control, oracle_draw, oracle_elements, oracle_index, oracle_move
from .fault import Stop
from .isa import BY_CODE, FOLD_OPERATORS, FUEL_ELEMENTS, SHAPE_SELECTORS, Op
from .memory import FLAG_WRITABLE, HEADER_PX, Memory, rows_for, words_for
from .oracle_functions import Value
from .oracle_resolve import matrix, source
from .oracle_values import Fault, Grid, Ref, finish, fits, raws, values
from .ports import PORTS, Message, Ports

#: The function of every instruction.
RUN: dict[str, Callable[[Step], None]] = {}

#: The operands that may be quantised, as opcode and operand name.
QUANTISED = frozenset({"$a", "Ga", "ga", "Mb", "mb"})

#: Rows and columns a header can hold.
MAX_SIDE = 2**31 - 1


class Stopped(Exception):  # noqa: N818 - a program's stop is no error
    """The run ends here with this stop."""

    def __init__(self, stop: Stop) -> None:
        super().__init__(stop)
        self.stop = stop


class Step:
    """One instruction on its way: its operands, what it may spend, what it does."""

    def __init__(self, oracle: Oracle, pc: int, word: int, op: Op) -> None:
        self.oracle = oracle
        self.memory = oracle.memory
        self.ports = oracle.ports
        self.op = op
        self.pc = pc
        self.next_pc = pc + 1
        self.cost = 0
        self.status: int | None = None
        self.whole_pixels = False
        self.bytes = (word >> 8 & 0xFF, word >> 16 & 0xFF, word >> 24)
        self.refs: dict[str, Ref] = {}
        self.literal = ""
        self.target16 = word >> 16
        self.target24 = word >> 8
        self._decode()

    def _decode(self) -> None:
        """Literals first, then the operands in byte order."""
        names = self.op.operands
        for name, byte in zip(names, self.bytes, strict=False):
            if name.startswith("'"):
                self.literal = chr(byte)
                known = {"'o": FOLD_OPERATORS, "'w": SHAPE_SELECTORS, "'p": PORTS}[name]
                if self.literal not in known:
                    raise Fault("P" if name == "'p" else "L")
        if self.op.char in "NV":
            return
        for number, (name, byte) in enumerate(zip(names, self.bytes, strict=False)):
            if name == "d":
                self.refs[name] = matrix(self.memory, number, byte)
            elif name[0] not in "'" and name not in ("n16", "n24"):
                self.refs[name] = source(self.memory, number, byte)

    # ---- kinds -----------------------------------------------------------------------

    @property
    def pixel(self) -> bool:
        """Whether the instruction moves whole pixels."""
        return (self.op.pixel or self.whole_pixels) and self.refs["d"].kind == "P"

    def check_writable(self) -> Ref:
        """The destination as it is named; fault K if it cannot be one."""
        ref = self.refs["d"]
        if ref.kind == "Q" or not self._writable(ref):
            raise Fault("K", 0)
        return ref

    def target(self) -> Ref:
        """The destination: writable, not quantised, in value mode or pixel mode."""
        ref = self.check_writable()
        return ref if self.pixel else ref.as_values()

    def _writable(self, ref: Ref) -> bool:
        if ref.row in (self.memory.row_of(entry) for entry in (0, 1, 3, 4)):
            return False
        if ref.row == self.memory.row_of(2):
            return bool(self.memory.header_at(ref.row).flags & FLAG_WRITABLE)
        return True

    def operand(self, name: str) -> Ref:
        """A source in the mode of the instruction."""
        return self.words(name) if self.pixel else self.value(name)

    def words(self, name: str) -> Ref:
        """A source of pixel mode: P or I, taken as words."""
        ref = self.refs[name]
        if ref.kind not in "PI":
            raise Fault("K", ref.number)
        return ref

    def value(self, name: str) -> Ref:
        """A source of value mode."""
        ref = self.refs[name]
        if ref.kind == "Q" and not (ref.finite and self.op.char + name in QUANTISED):
            raise Fault("K", ref.number)
        return ref.as_values()

    def values_only(self, name: str) -> Ref:
        """A source always taken as values, which in pixel mode must not be a picture."""
        ref = self.refs[name]
        if self.pixel and ref.kind == "P":
            raise Fault("K", ref.number)
        return self.value(name)

    # ---- elements ----------------------------------------------------------------------

    def elements(self, ref: Ref) -> Grid:
        """Pixels as words in pixel mode, else values."""
        return raws(self.memory, ref) if self.pixel else values(self.memory, ref)

    def values(self, ref: Ref) -> Grid:
        """Values."""
        return values(self.memory, ref)

    def raws(self, ref: Ref) -> Grid:
        """Raw words."""
        return raws(self.memory, ref)

    def kept(self, d: Ref) -> Grid:
        """The raw elements of a destination that keeps its shape, to be changed in part."""
        return raws(self.memory, d)

    def finished(self, d: Ref, cell: Value) -> Value:
        """One element of the result as a raw element of d; pixels move unchanged."""
        return cell if self.pixel else finish(d.kind, cell)

    # ---- shapes and fuel ---------------------------------------------------------------

    def fixed(self, d: Ref) -> bool:
        """Whether a destination keeps its shape: a view or the code."""
        return d.view or d.row == self.memory.row_of(2)

    def check_shape(self, d: Ref, shape: tuple[int, int]) -> None:
        """Fault S unless d can take a result of this shape."""
        if self.fixed(d):
            fits(shape, d.shape)
        elif shape[1] % self.lanes(d) or max(shape[0], shape[1] // self.lanes(d)) > MAX_SIDE:
            raise Fault("S")

    def fit(self, d: Ref, shape: tuple[int, int], room: int = 0) -> int:
        """Check that a result of this shape may go into d; the number of elements written.

        ``room``: elements of one row that d must have room for besides.  Faults S, then M.
        """
        self.check_shape(d, shape)
        if self.fixed(d):
            return d.area
        need = self.words_needed(d, *shape, room)
        if need > self.memory.header_at(d.row).capacity_px:
            self.rows_wanted(d.row, need)
        return shape[0] * shape[1]

    def words_needed(self, d: Ref, rows: int, cols: int, room: int) -> int:
        """Words of capacity that d must have for a result, and for one row of ``room``."""
        lanes = self.lanes(d)
        return max(words_for(d.kind, rows, cols // lanes), words_for(d.kind, 1, -(-room // lanes)))

    def lanes(self, d: Ref) -> int:
        """Elements of a destination that share one column of its header: a pixel's four bytes."""
        return 4 if d.kind == "P" and not self.pixel else 1

    def rows_wanted(self, row: int, need: int) -> int:
        """Rows that the matrix at ``row`` takes up once moved; fault M beyond the quota."""
        memory = self.memory
        capacity = memory.header_at(row).capacity_px
        free = memory.quota_rows - memory.top
        doubled = max(need, 2 * capacity if capacity > 64 else 0)
        if rows_for(doubled, memory.width) <= free:
            return rows_for(doubled, memory.width)
        if rows_for(need, memory.width) <= free:
            return rows_for(need, memory.width)
        raise Fault("M", min(rows_for(need, memory.width), 2**32 - 1))

    def pay(self, work: int) -> None:
        """Stop unless the process and its slice can pay for ``work`` elements."""
        self.cost = 1 + work // FUEL_ELEMENTS
        if self.cost > self.memory.get64("fuel"):
            raise Stopped(Stop("B", self.pc))
        if self.cost > self.oracle.slice:
            raise Stopped(Stop("Y", self.pc, next_fuel=self.cost))

    def wait_for(self, letter: str) -> NoReturn:
        """Stop until the port has an answer; the instruction will run again."""
        raise Stopped(Stop("W", self.pc, port=letter))

    # ---- storing -------------------------------------------------------------------------

    def store_elements(self, d: Ref, grid: Grid) -> None:
        """Store what :meth:`elements` gave: pixels as they are, values finished."""
        if self.pixel:
            self.store_raw(d, grid)
        else:
            self.store(d, grid)

    def store(self, d: Ref, grid: Grid, room: int = 0) -> None:
        """Finish values into d, which takes their shape (a view: to which they broadcast)."""
        self.store_raw(d, Grid(*grid.shape, [finish(d.kind, cell) for cell in grid.cells]), room)

    def store_raw(self, d: Ref, grid: Grid, room: int = 0) -> None:
        """Store raw elements into d, which takes their shape and grows if it must."""
        if self.fixed(d):
            self.write(d, grid.broadcast(*d.shape))
            return
        lanes = self.lanes(d)
        rows, cols = grid.rows, grid.cols // lanes
        need = self.words_needed(d, *grid.shape, room)
        row = d.row
        if need > self.memory.header_at(row).capacity_px:
            row = self.move(row, self.rows_wanted(row, need))
        self.memory.set_shape(row, rows, cols)
        unit = 4 if d.bytewise else 1
        self.write(
            replace(
                d,
                rows=rows,
                cols=grid.cols,
                right=1,
                down=words_for(d.kind, 1, cols) * unit,
                start=self.memory.data_addr(row) * unit,
            ),
            grid,
        )

    def move(self, row: int, taken: int) -> int:
        """Give the matrix at ``row`` fresh rows behind all others; its new header row."""
        memory = self.memory
        new = memory.top
        for word in range(HEADER_PX):
            memory.words[new * memory.width + word] = memory.words[row * memory.width + word]
        memory.words[new * memory.width + 3] = taken * memory.width - HEADER_PX
        memory.set("top", new + taken)
        for entry in range(memory.table_len):
            if memory.row_of(entry) == row:
                memory.words[memory.table_addr + entry] = new
        return new

    def write(self, d: Ref, grid: Grid) -> None:
        """Put raw elements into the places of d."""
        store = self.memory.bytes if d.bytewise else self.memory.ints
        for place, cell in zip(d.places(), grid.cells, strict=True):
            store[place] = cell


class Oracle:
    """Executes a process's memory by the words of the table."""

    def __init__(self, memory: Memory, ports: Ports) -> None:
        self.memory = memory
        self.ports = ports
        self.slice = 0
        #: A message that was read and could not be paid for yet.
        self.held: Message | None = None

    def run(self, slice_fuel: int) -> Stop:
        """Run from SYS.pc until the program stops or the slice is used up."""
        self.slice = slice_fuel
        for name in ("reason", "detail", "port"):
            self.memory.set(name, 0)
        while True:
            pc = self.memory.get("pc")
            try:
                self._step(pc)
            except Fault as fault:
                return self._stop(Stop(fault.letter, pc, fault.detail))
            except Stopped as stopped:
                return self._stop(stopped.stop)

    def settle(self) -> None:
        """Bring the memory's words up to date: here they always are."""

    def _step(self, pc: int) -> None:
        """Execute the instruction at pc."""
        code = matrix(self.memory, 0, 2)
        if pc >= code.area:
            raise Fault("J")
        word = int(self.memory.words[code.start + pc])
        op = BY_CODE.get(word & 0xFF)
        if op is None:
            raise Fault("?")
        step = Step(self, pc, word, op)
        RUN[op.char](step)
        self.memory.set64("fuel", self.memory.get64("fuel") - step.cost)
        self.slice -= step.cost
        self.memory.set64("done", self.memory.get64("done") + 1)
        if step.status is not None:
            raise Stopped(Stop("H", pc, status=step.status))
        self.memory.set("pc", step.next_pc)

    def _stop(self, stop: Stop) -> Stop:
        """Leave the reason in SYS."""
        if stop.reason != "Y":
            self.memory.set("reason", ord(stop.reason))
            self.memory.set("detail", stop.detail)
            self.memory.set("port", ord(stop.port[0]) if stop.port else 0)
            if stop.reason == "H":
                self.memory.set("status", stop.status)
        return stop


for _family in (
    oracle_control.RUN,
    oracle_elements.RUN,
    oracle_index.RUN,
    oracle_move.RUN,
    oracle_draw.RUN,
):
    RUN.update(_family)
