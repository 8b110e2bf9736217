"""The oracle: control, the table and its headers, ports."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from math import floor
from typing import TYPE_CHECKING

import numpy as np

from .isa import FIRST_SMALL, RESERVED
from .oracle_resolve import SEEN, class_of, header_of, inside, matrix, plane, source
from .oracle_values import Fault, Grid, Ref, worth, wrap
from .ports import PORTS, Message, Refused, Wait

if TYPE_CHECKING:
    from .oracle import Step


def first(step: Step, name: str) -> int:
    """floor of the first element of an operand; fault S if it has none."""
    ref = step.value(name)
    if ref.area == 0:
        raise Fault("S")
    return numbers(step, replace(ref, rows=1, cols=1))[0]


def numbers(step: Step, ref: Ref) -> list[int]:
    """The elements of an operand, floored."""
    return [floor(cell) for cell in step.values(ref).cells]


def halt(step: Step) -> None:
    """End with a status."""
    status = first(step, "n") % 256
    step.pay(0)
    step.status = status


def jump(step: Step) -> None:
    """Go on elsewhere."""
    step.pay(0)
    step.next_pc = step.target24


def branch(step: Step) -> None:
    """Go on elsewhere if the first element is not zero (``B``) or zero (``b``)."""
    ref = step.value("c")
    if ref.area == 0:
        raise Fault("S")
    step.pay(0)
    holds = step.values(replace(ref, rows=1, cols=1)).cells[0] != 0
    if holds == (step.op.char == "B"):
        step.next_pc = step.target16


def call(step: Step) -> None:
    """Push the next pc and go on elsewhere."""
    memory = step.memory
    depth = memory.get("depth")
    if depth >= memory.header(3).rows * memory.header(3).cols:
        raise Fault("C")
    step.pay(0)
    memory.words[memory.data_addr(memory.row_of(3)) + depth] = step.pc + 1
    memory.set("depth", depth + 1)
    step.next_pc = step.target24


def ret(step: Step) -> None:
    """Pop a pc, leaving 0 in its place."""
    memory = step.memory
    depth = memory.get("depth")
    if not 1 <= depth <= memory.header(3).rows * memory.header(3).cols:
        raise Fault("C")
    step.pay(0)
    place = memory.data_addr(memory.row_of(3)) + depth - 1
    step.next_pc = int(memory.words[place])
    memory.words[place] = 0
    memory.set("depth", depth - 1)


def number(step: Step) -> None:
    """Set d to the signed 16-bit number of the instruction."""
    d = step.target()
    step.fit(d, (1, 1))
    step.pay(0)
    step.store(d, Grid(1, 1, [(step.target16 + 2**15) % 2**16 - 2**15]))


def name(step: Step) -> None:
    """Point entry d at the matrix of entry a + i."""
    memory = step.memory
    d, a, i = step.bytes
    if d >= FIRST_SMALL or d < len(RESERVED) or d >= memory.table_len:
        raise Fault("N", 0)
    if a >= FIRST_SMALL:
        raise Fault("N", 1)
    step.refs["i"] = source(memory, 2, i)
    target = a + first(step, "i")
    if not 0 <= target < memory.table_len:
        raise Fault("N", 2)
    step.pay(0)
    memory.words[memory.table_addr + d] = memory.row_of(target)


def view(step: Step) -> None:
    """Make d a view of a."""
    memory = step.memory
    d_byte, a_byte, s_byte = step.bytes
    d = header_of(memory, 0, d_byte)
    a = matrix(memory, 1, a_byte)
    step.refs["s"] = source(memory, 2, s_byte)
    if d.kind != "V":
        raise Fault("K", 0)
    s = step.value("s")
    if not 4 <= s.area <= 7:
        raise Fault("S")
    given = numbers(step, s)
    row, col, rows, cols, row_step, col_step, code = given + [1, 1, 0][len(given) - 4 :]
    old = memory.header(a_byte)
    seen = class_of(code) if code else a.kind
    if not seen or (seen != a.kind if old.kind == "V" else seen not in SEEN[a.kind]):
        raise Fault("K", 2)
    if row_step == 0 or col_step == 0 or rows < -1 or cols < -1:
        raise Fault("S")
    whole = a if old.kind == "V" else plane(memory, 1, old, seen)
    rows = up_to_edge(row, row_step, whole.rows) if rows == -1 else rows
    cols = up_to_edge(col, col_step, whole.cols) if cols == -1 else cols
    if max(rows, cols) >= 2**31:
        raise Fault("S")
    if not inside(row, row_step, rows, col, col_step, cols, whole):
        raise Fault("V", 1)
    step.pay(0)
    base = a_byte
    if old.kind == "V":
        base = old.capacity_px
        row, col = wrap(old.w4) + row * wrap(old.w6), wrap(old.w5) + col * wrap(old.w7)
        row_step, col_step = row_step * wrap(old.w6), col_step * wrap(old.w7)
    at = d.row * memory.width
    first_word = ord("V") | ord(seen) << 8
    words = (first_word, rows, cols, base, row, col, row_step, col_step)
    for offset, word in enumerate(words):
        memory.ints[at + offset] = wrap(word)


def up_to_edge(start: int, step: int, size: int) -> int:
    """How many steps from ``start`` stay below ``size`` (or at 0 and above, going down)."""
    if step > 0:
        return max(0, -((start - size) // step))
    return max(0, start // -step + 1)


def shape(step: Step) -> None:
    """Rows and columns of a, in a's own units."""
    a = step.refs["a"]
    d = step.target()
    cells = {"s": [a.rows, a.cols], "r": [a.rows], "c": [a.cols], "n": [a.area]}[step.literal]
    step.fit(d, (1, len(cells)))
    step.pay(0)
    step.store(d, Grid(1, len(cells), list(cells)))


# ---- ports -------------------------------------------------------------------------------


def wait(step: Step) -> None:
    """Sleep until one of the ports of t is ready."""
    d = step.target()
    letters = step.refs["t"]
    if letters.kind not in "IXT":
        raise Fault("K", letters.number)
    if letters.area == 0:
        raise Fault("S")
    step.fit(d, (1, 1))
    step.pay(0)
    names = [chr(code) if 0 < code < 128 else "" for code in numbers(step, letters)]
    if any(name not in PORTS for name in names):
        raise Fault("P")
    answers = {name: step.ports.ready(name) for name in names}
    if any(isinstance(answer, Refused) for answer in answers.values()):
        raise Fault("P")
    for letter in names:
        if answers[letter] is True:
            step.store(d, Grid(1, 1, [ord(letter)]))
            return
    step.wait_for(names[0])


def message(step: Step, ref: Ref) -> Message:
    """What stands in an operand, as it passes a port."""
    cells = step.raws(ref).cells
    data = np.array([int(cell) for cell in cells], np.int64).reshape(ref.shape)
    if ref.kind == "P":
        pixels = data.astype(np.uint32).reshape(*ref.shape, 1).view(np.uint8)
        return Message("P", pixels.reshape(*ref.shape, 4))
    return Message(ref.kind, data.astype(np.uint8 if ref.kind == "T" else np.int32))


def read(step: Step) -> None:
    """Take the next message of a port; it is held while it cannot be paid for."""
    d = step.check_writable()
    selector = selector_of(step)
    step.pay(0)
    held, step.oracle.held = step.oracle.held, None
    answer = held or step.ports.read(step.literal, selector)
    if isinstance(answer, Refused):
        raise Fault("P")
    if isinstance(answer, Wait):
        step.wait_for(answer.letter)
    grid = arrived(answer)
    step.whole_pixels = answer.kind == d.kind == "P"
    target = step.target()
    if step.whole_pixels:
        grid = pixels_of(grid)
    work = step.fit(target, grid.shape)
    step.oracle.held = answer
    step.pay(work)
    step.oracle.held = None
    step.store_elements(target, grid)


def arrived(answer: Message) -> Grid:
    """The values of a message; a picture's are its bytes."""
    rows, cols = answer.data.shape[:2]
    what = Ref(0, answer.kind, rows, 4 * cols if answer.kind == "P" else cols)
    return Grid(*what.shape, [worth(what, int(raw)) for raw in answer.data.ravel()])


def pixels_of(grid: Grid) -> Grid:
    """A picture's bytes as the words of its pixels."""
    quads = zip(*[iter(grid.cells)] * 4, strict=True)
    words = [wrap(int.from_bytes(bytes(quad), "little")) for quad in quads]
    return Grid(grid.rows, grid.cols // 4, words)


def selector_of(step: Step) -> Message:
    """The operand s as a message of kind I, X or T."""
    s = step.refs["s"]
    if s.kind not in "IXT":
        raise Fault("K", s.number)
    return message(step, s)


def write(step: Step) -> None:
    """Hand a to a port."""
    a = step.refs["a"]
    if a.kind == "Q":
        raise Fault("K", a.number)
    selector = selector_of(step)
    step.pay(a.area)
    answer = step.ports.write(step.literal, message(step, a), selector)
    if isinstance(answer, Refused):
        raise Fault("P")
    if isinstance(answer, Wait):
        step.wait_for(answer.letter)


RUN: dict[str, Callable[[Step], None]] = {
    "H": halt,
    "J": jump,
    "B": branch,
    "b": branch,
    "(": call,
    ")": ret,
    "#": number,
    "N": name,
    "V": view,
    "$": shape,
    "W": wait,
    "[": read,
    "]": write,
}
