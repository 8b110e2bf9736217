"""Programs of one instruction: every row of the table with operands that mostly fit."""

from __future__ import annotations

import random
from dataclasses import dataclass

from pxos.kernel.machine.isa import (
    BY_CHAR,
    FIRST_FREE_ENTRY,
    FOLD_OPERATORS,
    SHAPE_SELECTORS,
    Op,
    small_operand,
)
from pxos.kernel.machine.ports import PORTS

from . import values
from .building import Draft


@dataclass(frozen=True)
class Sizes:
    """Rows, columns and columns of pictures to choose from; the range of positions."""

    rows: tuple[int, ...] = (0, 1, 1, 2, 3, 5)
    cols: tuple[int, ...] = (0, 1, 3, 4, 4, 8)
    picture_cols: tuple[int, ...] = (0, 4, 4, 8)
    index: tuple[int, int] = (-2, 12)
    fuel: int = 3000


SMALL = Sizes()
LARGE = Sizes((1, 7, 23, 41), (1, 16, 37, 64, 300), (16, 64, 300), (-5, 700), 10**7)
#: More rows, or more columns, than a workgroup has invocations.
TALL = Sizes((1, 2, 257, 300, 513), (1, 3, 4, 5), (4, 4, 8), (-5, 1600), 10**7)
WIDE = Sizes((1, 1, 2, 3), (1, 257, 300, 516), (4, 260, 516), (-5, 1600), 10**7)


@dataclass
class Want:
    """What an operand should be: shape in the units of the mode, range of its values."""

    rows: int
    cols: int
    limits: tuple[int, int] | None = None


def wants(
    op: Op, chooser: random.Random, pixel: bool, pictures: bool, sizes: Sizes
) -> dict[str, Want]:
    """Operands that fit together; ``pictures``: columns are to be multiples of 4."""
    cols_of = sizes.picture_cols if pictures and not pixel else sizes.cols
    rows, cols = chooser.choice(sizes.rows), chooser.choice(cols_of)

    def part(limits: tuple[int, int] | None = None) -> Want:
        return Want(chooser.choice((rows, rows, 1)), chooser.choice((cols, cols, 1)), limits)

    def some(limits: tuple[int, int] | None = None) -> Want:
        return Want(chooser.choice(sizes.rows), chooser.choice(cols_of), limits)

    whole = Want(rows, cols)
    one = Want(1, 1)
    pair = Want(1, 2, (-1, 6))
    char = op.char
    if op.family in ("arith", "bits") or char == "O":
        limits = (-40, 40) if char == "S" and chooser.random() < 0.7 else None
        if char in "/%" and chooser.random() < 0.6:
            limits = (1, 300)
        return {"d": whole, "a": part(), "b": part(limits)}
    if char == "?":
        return {"d": whole, "c": part((-1, 1)), "a": part()}
    if char in "qel~":
        return {"d": whole, "a": Want(rows, cols, (-18, 16) if chooser.random() < 0.5 else None)}
    if char in "FfCcaowT":
        limits = chooser.choice((None, None, (-1, 2)))
        return {"d": some(), "a": Want(rows, cols, limits)}
    if char == "n":
        limits = chooser.choice((None, None, (-2, 2), (0, 0)))
        noise = Want(1, 1, chooser.choice((None, (0, 0), (-1, 100000))))
        return {"d": some(), "a": Want(rows, cols, limits), "n": noise}
    if char == "I":
        return {"d": whole, "n": Want(1, 1, (-1, 9)), "s": one}
    if char == "i":
        width = chooser.choice(cols_of)
        return {"d": some(), "a": Want(rows, cols, (0, 1)), "b": Want(3, width, (0, 1))}
    if char in "Gg":
        return {"d": some(), "a": some(), "i": Want(rows, cols, sizes.index)}
    if char in "P@":
        return {"d": some(), "a": part(), "i": Want(rows, cols, sizes.index)}
    if char == "p":
        count = chooser.choice((0, 1, 3, 4))
        a = Want(chooser.choice((1, count)), chooser.choice((1, cols)))
        index = Want(1, count, (-1, 5)) if chooser.random() < 0.7 else Want(count, 1, (-1, 5))
        return {"d": whole, "a": a, "i": index}
    if char in "rZ":
        return {"d": some(), "a": some(), "s": pair}
    if char == ",":
        return {
            "d": some(),
            "a": Want(chooser.choice((rows, 1)), cols),
            "b": Want(rows, chooser.choice(cols_of)),
        }
    if char == ";":
        return {
            "d": some(),
            "a": Want(rows, chooser.choice((cols, cols, 1))),
            "b": Want(chooser.choice(sizes.rows), cols),
        }
    if char in "Mm":
        other = chooser.choice(cols_of)
        limits = chooser.choice((None, (-300, 300)))
        b = Want(other, cols) if char == "m" else Want(cols, other)
        return {"d": some(), "a": Want(rows, cols, limits), "b": b}
    if char in "Xx":
        limits = chooser.choice((None, (-300, 300)))
        leaf = chooser.choice((1, 2, 3))
        if char == "x":
            b = Want(chooser.choice(sizes.rows), cols * leaf)
        else:
            b = Want(cols, max(rows, 1) * chooser.choice((1, 2, 4)))
        return {"d": some(), "a": Want(rows, cols, limits), "b": b}
    if char in "Kk":
        kernel = chooser.choice(((-3, 3), (-3, 3), (1, 1), (-300, 300), None))
        b = Want(chooser.choice((0, 1, 2, 3, 5)), chooser.choice((0, 1, 3, 4, 8)), kernel)
        return {"d": some(), "a": Want(rows, cols), "b": b}
    if char == "t":
        return {"d": some(), "a": some((-1, 4)), "b": Want(chooser.choice((0, 2, 4, 6)), cols)}
    if char == "D":
        items = Want(chooser.choice((0, 1, 3)), chooser.choice((2, 3, 4, 4, 5)), (-2, 7))
        return {"d": Want(rows + 3, cols), "a": some(), "b": items}
    if char == "V":
        s = Want(1, chooser.choice((4, 4, 6, 6, 7)), (-1, 2))
        return {"a": some(), "s": s}
    if char == "N":
        return {"d": one, "a": one, "i": Want(1, 1, (-3, 3))}
    return {
        name: some((0, 3))
        for name in op.operands
        if not name.startswith("'") and name not in ("n16", "n24")
    }


def draw_kinds(chooser: random.Random, op: Op) -> dict[str, str]:
    """A kind for each operand."""
    return {
        name: chooser.choice("IIXXTPQ" if name != "d" else "IXTP")
        for name in ("d", *op.operands)
        if not name.startswith("'")
    }


def single(op: Op, chooser: random.Random, kinds: dict[str, str], sizes: Sizes = SMALL) -> Draft:
    """A program of one instruction with operands of these kinds, then a halt."""
    room = 64 if sizes is SMALL else 600
    draft = Draft(spare_rows=chooser.choice((room, room, room, 1, 0)), fuel=sizes.fuel)
    if chooser.random() < 0.1:
        draft.fuel = chooser.randrange(4)
    pixel = op.pixel and kinds["d"] == "P"
    pictures = any(kind == "P" for kind in kinds.values())
    wanted = wants(op, chooser, pixel, pictures, sizes)
    entries: dict[str, int] = {}
    for name, want in wanted.items():
        if chooser.random() < 0.06:
            want = Want(chooser.choice(sizes.rows), chooser.choice(sizes.cols), want.limits)
        entries[name] = operand(draft, chooser, name, kinds[name], want, pixel, entries)
    if op.char == "V":
        entries["d"] = draft.view(chooser.choice(("", "I")), FIRST_FREE_ENTRY, 1, 1)
        if "s" in entries and chooser.random() < 0.7:
            seen = ord(chooser.choice("IXTPQ")) if chooser.random() < 0.6 else 0
            numbers = [
                chooser.randrange(2),
                chooser.randrange(3),
                chooser.choice((-1, 0, 1, 2)),
                chooser.choice((-1, 0, 1, 2)),
                chooser.choice((1, 1, 2, -1)),
                chooser.choice((1, 1, 2, -1)),
                seen,
            ]
            entries["s"] = draft.integers(1, 7, numbers)
    if op.char == "W" and chooser.random() < 0.7:
        letters = "".join(chooser.choices([*PORTS], k=chooser.choice((1, 2, 3)))).encode()
        entries["t"] = draft.text(1, len(letters), letters)
    emit(draft, op, chooser, entries)
    draft.emit("H", small_operand(7) or 0)
    return draft


def operand(
    draft: Draft,
    chooser: random.Random,
    name: str,
    kind: str,
    want: Want,
    pixel: bool,
    before: dict[str, int],
) -> int:
    """Add an operand in one of many guises; its operand byte."""
    rows, cols = want.rows, want.cols
    if kind == "P" and not (pixel and name in "dab"):
        cols = -(-cols // 4)
    guise = chooser.random()
    if before and guise < 0.08:
        return chooser.choice(list(before.values()))
    if name != "d" and (rows, cols) == (1, 1) and guise < 0.35:
        low, high = want.limits or (-16, 47)
        small = small_operand(chooser.randint(low, high))
        if small is not None:
            return small
    if guise < 0.5:
        return values.viewed(draft, chooser, kind, rows, cols, want.limits)
    if name == "d" and guise < 0.8:
        rows, cols = chooser.choice(((0, 0), (1, 1), (2, 3)))
    capacity = chooser.choice((0, 0, 70, 200)) if name == "d" else 0
    return values.plain(draft, chooser, kind, rows, cols, want.limits, capacity)


def emit(draft: Draft, op: Op, chooser: random.Random, entries: dict[str, int]) -> None:
    """Append the instruction with its literals."""
    operands = []
    for name in op.operands:
        if name in ("n16", "n24"):
            number = chooser.choice((0, 1, 2, 3, 255, 32767, 32768, 65535))
            operands += [number & 0xFF, number >> 8, 0]
        elif name == "'o":
            known = chooser.random() < 0.97
            operands.append(ord(chooser.choice(FOLD_OPERATORS if known else "*M")))
        elif name == "'w":
            operands.append(ord(chooser.choice([*SHAPE_SELECTORS, "x"])))
        elif name == "'p":
            operands.append(ord(chooser.choice([*PORTS, "q"])))
        else:
            operands.append(entries[name])
    draft.emit(op.char, *operands[:3])


def describe(draft: Draft) -> str:
    """A draft's code and matrices on a few lines, for messages."""
    lines = [f"fuel {draft.fuel} spare {draft.spare_rows} stack {draft.stack}"]
    for pc, word in enumerate(draft.code):
        char = chr(word & 0xFF)
        form = BY_CHAR[char].form if char in BY_CHAR else "?"
        lines.append(f"{pc}: {char!r} {word >> 8 & 255} {word >> 16 & 255} {word >> 24} ({form})")
    for number, entry in enumerate(draft.matrices):
        head = entry.head
        signed = [n - 2**32 if n >= 2**31 else n for n in head[1:]]
        shown = entry.data.view("int32")[:24].tolist()
        lines.append(
            f"entry {number + FIRST_FREE_ENTRY}: {chr(head[0] & 255)} "
            f"{chr(head[0] >> 8 & 255)} {signed} capacity {entry.capacity} {shown}"
        )
    return "\n".join(lines)
