"""Random programs: pools of matrices and views, and code that mostly gets far.

Code is written one instruction at a time; the oracle tries each candidate on the memory as
the program has left it, and candidates that fault are mostly thrown away.  ``mixed`` programs
work on matrices of all kinds, ``scalar`` ones are loops over single numbers.  Of these two a
program has one or the other by chance; others only where they are asked for: ``far`` ones have a
table with more entries than operand bytes can name, and reach them by Name; ``divides`` divide
much, and some of their divisions by zero stay, so that what runs ahead must be undone;
``large`` ones are mixed ones whose matrices have thousands of elements.
"""

from __future__ import annotations

import random

from pxos.kernel.machine.fault import Stop
from pxos.kernel.machine.isa import FIRST_FREE_ENTRY, FOLD_OPERATORS, ROWS, encode, small_operand
from pxos.kernel.machine.memory import Memory
from pxos.kernel.machine.oracle import Oracle
from pxos.kernel.machine.ports import PORTS

from . import values
from .building import Draft
from .scripted_ports import ScriptedPorts

CODE = 2
#: Fuel with which a candidate is tried, and a program is run: loops that take more are not wanted.
TRIAL_FUEL, FUEL = 400, 3000
#: How many times that is for programs of thousands of elements.
LARGE_FUEL = 8
TRIES = 6
#: Entries of a ``far`` program's table, and by how much Name reaches beyond what it is given.
FAR_ENTRIES, FAR_STEPS = (230, 290), (185, 220)

_MIXED = "".join(op.char for op in ROWS) + "A-*?GPp;,rT$NVMFfCc[W]VNA;#b"
BY_WEIGHT = {
    "mixed": _MIXED,
    "scalar": "AAAA----**/%R_<<==&|^S?#BbBbBb((GGPPA-<$qN)IFw",
    "far": _MIXED + "NNNNNNNNNNNNNNNN;;;;;;;,,,,,rrII",
    "divides": "//////%%%%A-*_<=&S?qFfCI;,rTGP@M#bBV$]",
    "large": _MIXED,
}


class Pool:
    """The operands of a program: entries by what they are good for."""

    def __init__(self, draft: Draft, chooser: random.Random, style: str) -> None:
        self.chooser = chooser
        self.scalars = [
            values.plain(draft, chooser, kind, 1, 1, (-3, 9), chooser.choice((0, 70)))
            for kind in ("IIIXXT" if style == "scalar" else "IXT")
        ]
        self.counters = [draft.integers(1, 1, [0]) for _ in range(2)]
        self.scalars += self.counters[:1]
        self.far_steps: list[int] = []
        self.wide = 0
        if style == "large":
            rows, cols = chooser.choice((1, 7, 41)), chooser.choice((4, 36, 68))
        else:
            rows, cols = chooser.choice((1, 2, 3, 4)), chooser.choice((4, 4, 8))
        shapes = [(rows, cols), (rows, cols), (1, cols), (rows, 1), (0, 0)]
        self.targets: list[int] = []
        for kind in "IXTPIX"[: 3 if style == "scalar" else 6]:
            height, width = chooser.choice(shapes)
            self.targets.append(
                values.plain(
                    draft,
                    chooser,
                    kind,
                    height,
                    -(-width // 4) if kind == "P" else width,
                    None,
                    chooser.choice((0, 0, 60, 130)),
                )
            )
        for _ in range(3):
            kind = chooser.choice("IXTP")
            height, width = chooser.choice(shapes[:4])
            width = -(-width // 4) if kind == "P" else width
            self.targets.append(values.viewed(draft, chooser, kind, height, width))
        self.sources = [
            values.plain(draft, chooser, "Q", cols, rows),
            values.viewed(draft, chooser, "IXTP"[chooser.randrange(4)], rows, 4),
        ]
        shown = chooser.choice(self.targets + self.scalars)
        self.views = [
            draft.view("", 0, 0, 0),
            draft.view(chooser.choice("IXTP"), shown, 1, 1),
            draft.view("I", chooser.choice((0, 1, 2, 3, shown)), 1, 2),
        ]
        self.indices = [
            values.plain(draft, chooser, chooser.choice("IXT"), 1, cols, (-1, 9)),
            values.plain(draft, chooser, "I", rows, 1, (-1, rows + 1)),
        ]
        self.pairs = [values.plain(draft, chooser, chooser.choice("IX"), 1, 2, (-1, 6))]
        self.items = [values.plain(draft, chooser, "I", 2, width, (-2, 6)) for width in (2, 4)]
        self.rectangles = [
            draft.integers(1, 4, [0, 0, 1, 1]),
            draft.integers(1, 4, [0, 0, -1, -1]),
            draft.integers(1, 7, [0, 1, -1, -1, 1, 4, ord("T")]),
            draft.integers(1, 6, [0, 3, 1, 3, 1, -1]),
        ]
        letters = "".join(chooser.choices("".join(PORTS), k=2)).encode()
        self.letters = [
            draft.text(1, 2, letters),
            draft.text(1, 1, chooser.choice([b"k", b"v", b"t"])),
        ]
        self.words = draft.integers(1, 3, [0, 0, 0])
        self.words_data = draft.matrices[-1].data
        self.all = [*range(FIRST_FREE_ENTRY + len(draft.matrices))]
        if style == "far":
            self._go_far(draft)

    def _go_far(self, draft: Draft) -> None:
        """Add numbers that Name steps by, and entries behind all that operand bytes can name.

        None has room to grow, so that they move, and their entries change.
        """
        chooser = self.chooser
        draft.tight = True
        self.far_steps = [draft.integers(1, 1, [chooser.randint(*FAR_STEPS)]) for _ in range(6)]
        self.wide = draft.integers(1, 2, [1, 60])
        last = chooser.randint(*FAR_ENTRIES)
        while len(draft.matrices) < last:
            kind, shape = chooser.choice("IIXTP"), chooser.choice([(1, 1), (1, 4), (3, 4)])
            values.plain(draft, chooser, kind, *shape)

    def far_growth(self) -> list[int]:
        """Code that names a far matrix and makes it grow, so that its entry and the name's move."""
        d = self.chooser.choice(self.targets[:3])
        step = self.chooser.choice(self.far_steps)
        return [encode("N", d, FIRST_FREE_ENTRY, step), encode("r", d, d, self.wide)]

    def operand(self, name: str, char: str, style: str) -> int:
        """An operand byte for this place of this instruction."""
        chooser = self.chooser
        roll = chooser.random()
        if roll < 0.03:
            return chooser.randrange(256)
        if roll < 0.08:
            return chooser.choice(self.all)
        scalar = chooser.random() < (0.85 if style == "scalar" else 0.2)
        if name == "d":
            if self.far_steps and roll < 0.7 and char != "V":
                return chooser.choice(self.targets[:3])
            if char == "V":
                return chooser.choice(self.views)
            return chooser.choice(self.scalars if scalar else self.targets + self.views)
        if name in "nc" and chooser.random() < 0.8 and char in "HBbI":
            scalar = True
        if name == "i" and char == "N" and self.far_steps and roll < 0.9:
            return chooser.choice(self.far_steps)
        if name == "i" and not scalar and char != "N":
            return chooser.choice(self.indices)
        if name == "s" and char == "V":
            return chooser.choice(self.rectangles)
        if name == "s" and char in "rZ":
            return chooser.choice(self.pairs)
        if name == "t":
            return chooser.choice(self.letters)
        if name == "b" and char == "D":
            return chooser.choice(self.items)
        if chooser.random() < 0.25 and char not in "V":
            return small_operand(chooser.choice((-1, 0, 1, 2, 3, chooser.randint(-16, 47)))) or 0
        if scalar or name in "sn":
            return chooser.choice(self.scalars)
        return chooser.choice(self.targets + self.targets + self.sources + self.views)


def instruction(pool: Pool, style: str, pc: int, length: int) -> int:
    """A random instruction word for this pc."""
    chooser = pool.chooser
    if chooser.random() < 0.01:
        return chooser.getrandbits(32)
    char = chooser.choice(BY_WEIGHT[style])
    if char in "HJ" and chooser.random() < 0.8:
        char = "B"
    if char == "P" and chooser.random() < 0.15:
        return encode("P", CODE, pool.words, small_operand(min(47, chooser.randrange(length))) or 0)
    op = next(op for op in ROWS if op.char == char)
    operands: list[int] = []
    for name in op.operands:
        if name in ("n16", "n24"):
            back = 6 if chooser.random() < 0.05 else 0
            near = chooser.randrange(max(0, pc - back), min(length, pc + 5) + 1)
            number = chooser.choice((near, near, near, chooser.getrandbits(16)))
            if char == "#":
                number = chooser.choice((0, 1, 3, 20, 255, 0x7FFF, 0x8000, 0xFFFF))
            elif number == near and chooser.random() < 0.9:
                number = min(number, length)
            operands += [number & 0xFF, number >> 8, 0]
        elif name == "'o":
            operands.append(ord(chooser.choice(FOLD_OPERATORS)))
        elif name == "'w":
            operands.append(ord(chooser.choice("srcn")))
        elif name == "'p":
            operands.append(ord(chooser.choice([*PORTS])))
        else:
            operands.append(pool.operand(name, char, style))
    return encode(char, *operands[:3])


def program(seed: str, style: str | None = None) -> Draft:
    """A random program by its seed."""
    chooser = random.Random(seed)
    style = style or chooser.choice(("mixed", "scalar"))
    length = chooser.randrange(4, 30)
    draft = Draft(
        code_writable=chooser.random() < 0.4,
        stack=chooser.choice((0, 1, 3, 8)),
        spare_rows=chooser.choice((2, 20, 60)) * (20 if style == "large" else 1),
        table_spare=chooser.randrange(2),
        code=[0] * length,
        fuel=FUEL * (LARGE_FUEL if style == "large" else 1),
    )
    pool = Pool(draft, chooser, style)
    pool.words_data[:] = [
        instruction(pool, style, chooser.randrange(length), length) for _ in range(3)
    ]
    _write(draft, pool, style, length, chooser)
    draft.code[-1] = encode("H", chooser.choice((*pool.scalars, 210)))
    if chooser.random() < 0.15:
        draft.fuel = chooser.randrange(120)
    return draft


def _write(draft: Draft, pool: Pool, style: str, length: int, chooser: random.Random) -> None:
    """Fill the code, trying each instruction on what the code so far has made of the memory."""
    memory = draft.memory()
    code_at = memory.data_addr(memory.row_of(CODE))
    pc = start = close = 0
    counter = pool.counters[0]
    one = small_operand(1) or 0
    while pc < length:
        fixed: list[int] = []
        if not close and chooser.random() < (0.25 if style == "scalar" else 0.08):
            counter = chooser.choice(pool.counters)
            fixed = [encode("#", counter, chooser.choice((1, 2, 3, 5, 9, 20)))]
            start, close = pc + 1, pc + 1 + chooser.randrange(1, 7)
        elif close and pc >= close:
            fixed = [encode("-", counter, counter, one), encode("B", counter, start)]
            close = 0
        elif pool.far_steps and chooser.random() < 0.15:
            fixed = pool.far_growth()
        if fixed:
            for word in fixed[: length - pc]:
                draft.code[pc] = memory.words[code_at + pc] = word
                pc += 1
            memory.set("pc", pc - len(fixed))
            _try(memory, style)
            continue
        lands = 0
        for _ in range(TRIES):
            before = memory.words.copy()
            draft.code[pc] = memory.words[code_at + pc] = instruction(pool, style, pc, length)
            memory.set("pc", pc)
            stop = _try(memory, style)
            lands = stop.pc if stop.reason == "?" and stop.pc > pc else 0
            if lands or chooser.random() < 0.01:
                break
            if style == "divides" and stop.reason == "/" and chooser.random() < 0.2:
                break
            memory.words[:] = before
        for skipped in range(pc + 1, min(lands, length)):
            draft.code[skipped] = instruction(pool, style, skipped, length)
            memory.words[code_at + skipped] = draft.code[skipped]
        pc = lands or pc + 1


def _try(memory: Memory, style: str) -> Stop:
    """Run a candidate until it leaves the code that is written."""
    fuel = TRIAL_FUEL * (LARGE_FUEL if style == "large" else 1)
    return Oracle(memory, ScriptedPorts(0, refuse=0, wait=0)).run(fuel)
