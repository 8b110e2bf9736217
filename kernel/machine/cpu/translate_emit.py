"""From a scanned region to the source of one Python function.

The function keeps every scalar in a local variable and the fuel in ``fuel``.  Its shape is::

    def region(fuel, x, L):             # L: the arm to begin with
        v71 = I[71]                     # variables from memory
        while L >= 0:
            if L == 0:
                while True:             # jumps of an arm to itself continue here
                    fuel -= 3           # a segment: the scalar items up to the next call
                    if fuel < 0: fuel += 3; pc = 12; L = -1; break
                    ...
            else: ...
        I[71] = v71                     # variables back to memory
        return pc, fuel, x

A block reached from one place only is written there; others are *arms*.  An arm that is a single
block which only jumps back to itself becomes a ``for`` over as many turns as the fuel pays.
A call out is ``c, f = S[2]``, a cost and a bound closure, or ``E`` where there is none: the
executor then does the instruction and answers with the fuel left, or with less than nothing if the
region must be left (the registers are then the executor's).  ``x`` gathers the fuel above one that
calls cost, so that completed instructions can be told from fuel.

Nothing of the picture gets into the source but integers formatted here.
"""

from __future__ import annotations

from collections.abc import Collection

from .translate_scalar import lines_of, picked, put
from .translate_scan import PLAIN, Block, Item, Scan

#: How deep blocks are written into one another before they become arms.
MAX_DEPTH = 12

_INDENT = " "


class Emitter:
    """Writes one region: ``source`` is the text, ``calls`` the pc of each slot of ``S``, ``arms``
    the arm of each pc that has one."""

    def __init__(self, scan: Scan) -> None:
        self._scan = scan
        self._lines: list[str] = []
        self.arms: dict[int, int] = {}
        self._written = {item.d for item in scan.items.values() if item.d >= 0}
        self.calls: list[int] = []
        self._arrivals: dict[int, int] = {}
        self._choose_arms()
        self.source = self._function()

    # ---- arms ------------------------------------------------------------------------------

    def _choose_arms(self) -> None:
        blocks = self._scan.blocks
        arrivals = dict.fromkeys(blocks, 0)
        forced = {self._scan.start}
        for block in blocks.values():
            for pc in block.exits:
                if pc in arrivals:
                    arrivals[pc] += 1
            last = block.items[-1]
            if last.what == "enter":
                forced |= {last.target, last.pc + 1}
        self._arrivals = arrivals
        met = {
            block.exits[0]
            for block in blocks.values()
            if block.items[-1].what in ("branch", "unless")
            and self._skips(blocks.get(block.exits[1]), block.exits[0], forced)
            and arrivals.get(block.exits[0]) == 2
        }
        self._add_arm(self._scan.start)
        for pc in sorted(blocks):
            if pc in forced or (arrivals[pc] > 1 and pc not in met):
                self._add_arm(pc)

    def _add_arm(self, pc: int) -> int:
        return self.arms.setdefault(pc, len(self.arms)) if pc in self._scan.blocks else -1

    # ---- the function -------------------------------------------------------------------------

    def _function(self) -> str:
        bodies: dict[int, list[str]] = {}
        while len(bodies) < len(self.arms):
            for pc, number in list(self.arms.items()):
                if number not in bodies:
                    self._lines = []
                    self._arm(pc)
                    bodies[number] = self._lines
        variables = sorted(self._scan.variables)
        lines = ["def region(fuel, x, L):"]
        lines += [f" v{at} = I[{at}]" for at in variables]
        lines += [" pc = 0", " while L >= 0:"]
        self._tree(lines, bodies, 0, len(bodies), 2)
        lines += [f" I[{at}] = v{at}" for at in variables if at in self._written]
        lines.append(" return pc, fuel, x")
        return "\n".join(lines) + "\n"

    def _tree(
        self, lines: list[str], bodies: dict[int, list[str]], low: int, high: int, depth: int
    ) -> None:
        """Choose among arms low..high-1 by halves."""
        pad = _INDENT * depth
        if high - low == 1:
            lines += [pad + line for line in bodies[low]]
            return
        middle = (low + high) // 2
        lines.append(f"{pad}if L < {middle}:")
        self._tree(lines, bodies, low, middle, depth + 1)
        lines.append(f"{pad}else:")
        self._tree(lines, bodies, middle, high, depth + 1)

    def _put(self, depth: int, *lines: str) -> None:
        self._lines += [_INDENT * depth + line for line in lines]

    def _leave(self, pc: int, refund: str) -> list[str]:
        """Leave the region so that ``pc`` is next; ``refund`` is fuel charged but not used."""
        back = [f"fuel += {refund}"] if refund != "0" else []
        return [*back, f"pc = {pc}", "L = -1", "break"]

    # ---- one arm -----------------------------------------------------------------------------

    def _arm(self, pc: int) -> None:
        block = self._scan.blocks[pc]
        if self._is_counted_loop(block):
            self._counted_loop(block)
            return
        self._put(0, "while True:")
        self._block(block, pc, 1, 0)

    def _is_counted_loop(self, block: Block) -> bool:
        last = block.items[-1]
        return (
            last.what in ("branch", "unless")
            and last.target == block.pc
            and not self._scan.touched(last.rows or frozenset())
            and all(item.what == "scalar" for item in block.items[:-1])
        )

    def _counted_loop(self, block: Block) -> None:
        last = block.items[-1]
        size = len(block.items)
        self._put(0, f"n0 = fuel // {size}", "for k in range(n0):")
        for place, item in enumerate(block.items[:-1]):
            used = f"fuel -= k * {size} + {place}"
            self._scalar(item, 1, [used, *self._leave(item.pc, "0")])
        test = last.test if last.what == "branch" else f"not {last.test}"
        self._put(1, f"if {test}: continue", f"fuel -= k * {size} + {size}")
        self._put(1, *self._go(last.pc + 1, -1))
        self._put(
            0,
            "else:",
            f"{_INDENT}fuel -= n0 * {size}",
            f"{_INDENT}pc = {block.pc}",
            f"{_INDENT}L = -1",
        )

    def _go(self, pc: int, arm: int) -> list[str]:
        """Go on at ``pc`` from within the arm of block ``arm``, without writing it here."""
        if pc not in self._scan.blocks:
            return self._leave(pc, "0")
        number = self._add_arm(pc)
        return ["continue"] if pc == arm else [f"L = {number}", "break"]

    # ---- blocks --------------------------------------------------------------------------------

    def _block(self, block: Block, arm: int, depth: int, nested: int) -> None:
        """Write a block and whatever it goes on with; every path ends the arm's turn."""
        self._items(block.items, depth)
        last = block.items[-1]
        if last.what in ("branch", "unless"):
            self._branch(block, arm, depth, nested)
        elif last.what == "enter":
            self._put(
                depth,
                f"W[{self._scan.stack_addr} + T.depth] = {last.pc + 1}",
                "T.depth += 1",
                *self._go(last.target, arm),
            )
        elif last.what == "return":
            self._put(
                depth,
                "T.depth -= 1",
                f"k = {self._scan.stack_addr} + T.depth",
                "pc = W[k]",
                "W[k] = 0",
                "L = A.get(pc, -1)",
                "break",
            )
        elif last.what == "leave":
            self._put(depth, *self._leave(last.pc, "0"))
        else:
            self._next(block.exits[0], arm, depth, nested)

    def _next(self, pc: int, arm: int, depth: int, nested: int) -> None:
        """Go on at ``pc``: written here if nothing else goes there."""
        block = self._scan.blocks.get(pc)
        if block is None or pc in self.arms or nested >= MAX_DEPTH:
            self._put(depth, *self._go(pc, arm))
        else:
            self._block(block, arm, depth, nested + 1)

    def _branch(self, block: Block, arm: int, depth: int, nested: int) -> None:
        last = block.items[-1]
        taken, through = block.exits
        test = last.test if last.what == "branch" else f"not {last.test}"
        opposite = f"not {last.test}" if last.what == "branch" else last.test
        skipped = self._scan.blocks.get(through)
        if skipped is not None and self._skips(skipped, taken, self.arms.keys()):
            # if-then: the code jumped over is written inside, and the paths meet behind it.
            self._put(depth, f"if {opposite}:")
            self._items(skipped.items, depth + 1)
            self._next(taken, arm, depth, nested + 1)
            return
        self._put(depth, f"if {test}:")
        self._next(taken, arm, depth + 1, nested + 1)
        self._next(through, arm, depth, nested + 1)

    def _skips(self, block: Block | None, meeting: int, arms: Collection[int]) -> bool:
        """Whether a branch to ``meeting`` only jumps over ``block``, which then goes there too."""
        return (
            block is not None
            and block.exits == (meeting,)
            and block.pc != meeting
            and self._arrivals[block.pc] == 1
            and block.pc not in arms
            and (block.items[-1].what in PLAIN or block.items[-1].what == "jump")
        )

    # ---- items ----------------------------------------------------------------------------------

    def _items(self, items: list[Item], depth: int) -> None:
        """Write the items of a block, segment by segment, and charge the jump at its end."""
        at = 0
        while at < len(items):
            end = at
            while end < len(items) and items[end].what != "call":
                end += 1
            segment = items[at:end]
            charged = [item for item in segment if item.what != "leave"]
            if charged:
                self._segment(charged, depth)
            if end < len(items):
                self._call(items[end], depth)
            at = end + 1

    def _segment(self, items: list[Item], depth: int) -> None:
        size = len(items)
        last = items[-1]
        short = "fuel < 0"
        if last.what == "enter":
            short += f" or T.depth >= {self._scan.stack_len}"
        elif last.what == "return":
            short += f" or not 0 < T.depth <= {self._scan.stack_len}"
        self._put(depth, f"fuel -= {size}", f"if {short}:")
        self._put(depth + 1, *self._leave(items[0].pc, str(size)))
        for place, item in enumerate(items):
            if item.what == "scalar":
                self._scalar(item, depth, self._leave(item.pc, str(size - place)))
                continue
            for variable in self._scan.touched(item.rows):
                if variable in self._written:
                    self._put(depth, f"I[{variable}] = v{variable}")
            if item.table is None:
                continue
            if item.what == "pick":
                lines = picked(f"v{item.d}", item.fraction, item.table, item.sources[0])
            else:
                lines = put(item.table, item.sources[0], item.sources[1])
            changed = self._scan.touched(item.writes)
            self._put(depth, *lines, *(f"v{at} = I[{at}]" for at in changed))

    def _scalar(self, item: Item, depth: int, fault: list[str]) -> None:
        char = chr(item.word & 0xFF)
        number = item.word >> 16
        number -= 0x1_0000 if number & 0x8000 else 0
        lines = lines_of(char, f"v{item.d}", item.fraction, item.sources, number, fault)
        assert lines is not None
        self._put(depth, *lines)

    def _call(self, item: Item, depth: int) -> None:
        slot = len(self.calls)
        self.calls.append(item.pc)
        reads = [at for at in self._scan.touched(item.rows) if at in self._written]
        changed = self._scan.touched(item.writes)
        self._put(
            depth,
            *(f"I[{at}] = v{at}" for at in reads),
            f"c, f = S[{slot}]",
            "if c <= fuel and f() < 0:",
            f"{_INDENT}fuel -= c",
            f"{_INDENT}x += c - 1",
            *(f"{_INDENT}v{at} = I[{at}]" for at in changed),
            "else:",
            f"{_INDENT}c = fuel",
            f"{_INDENT}fuel = E({slot}, {item.pc}, fuel, x)",
            *(f"{_INDENT}v{at} = I[{at}]" for at in changed),
            f"{_INDENT}if fuel < 0:",
            *(_INDENT * 2 + line for line in ("L = -1", "break")),
            f"{_INDENT}x += c - fuel - 1",
        )
