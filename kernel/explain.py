"""The error card: what went wrong in a program, where, and what to try."""

from __future__ import annotations

from bisect import bisect_right
from typing import TYPE_CHECKING

from .machine.fault import REASONS, Stop
from .machine.isa import BY_CODE, FIRST_SMALL
from .machine.memory import Memory
from .machine.meta import Meta
from .machine.ports import PORTS
from .machine.words import describe

if TYPE_CHECKING:
    from .process import Process

_CODE_ENTRY = 2


def explain(what: Process | Stop, memory: Memory, meta: Meta) -> list[str]:
    """The lines of the error card of a stop, or of a process that ended.

    ``memory`` is as the program left it.  Lines have no fixed width; the first is the headline.
    """
    if not isinstance(what, Stop):
        if what.card:
            return list(what.card)
        if what.exit is None or what.exit.stop is None:
            text = f"it is {what.state.value}" if what.exit is None else what.exit.text
            return [f"{what.title}: {text}"]
        what = what.exit.stop
    stop = what
    reason = REASONS[stop.reason]
    lines = [f"{meta.title or 'The program'} stopped: {reason.title}", reason.meaning]
    lines.append(f"where   {place(stop.pc, meta)}")
    word = _word_at(stop.pc, memory)
    if word is not None:
        lines.append(f"doing   {describe(word, meta.names)}")
        shapes = _operands(word, memory, meta)
        if shapes:
            lines.append(f"with    {', '.join(shapes)}")
    detail = _detail(stop, word, memory)
    if detail:
        lines.append(f"namely  {detail}")
    if reason.advice:
        lines.append(f"try     {reason.advice}")
    return lines


def headline(stop: Stop, meta: Meta) -> str:
    """What went wrong and where, in one line."""
    return f"{REASONS[stop.reason].title} at {place(stop.pc, meta)}"


def place(pc: int, meta: Meta) -> str:
    """Where an instruction stands: ``blur.pxa:12, instruction 7 (loop + 2)``."""
    text = f"instruction {pc}"
    index = bisect_right(meta.lines, pc, key=lambda line: line[0]) - 1
    if index >= 0:
        _, file, line = meta.lines[index]
        name = meta.files[file] if file < len(meta.files) else meta.source
        if name:
            text = f"{name}:{line}, {text}"
    before = [(at, label) for label, at in meta.labels.items() if at <= pc]
    if before:
        at, label = max(before)
        text += f" ({label})" if at == pc else f" ({label} + {pc - at})"
    return text


def _word_at(pc: int, memory: Memory) -> int | None:
    """The instruction word at pc, None outside the code."""
    header = memory.header(_CODE_ENTRY)
    if not 0 <= pc < header.rows * header.cols:
        return None
    return int(memory.words[memory.data_addr(header.row) + pc])


def _operands(word: int, memory: Memory, meta: Meta) -> list[str]:
    """Kinds and shapes of the matrices that an instruction names."""
    op = BY_CODE.get(word & 0xFF)
    if op is None:
        return []
    shown = []
    for place, operand in enumerate(op.operands):
        byte = word >> 8 * (place + 1) & 0xFF
        if operand in ("n16", "n24"):
            break
        if operand.startswith("'") or byte >= FIRST_SMALL:
            continue
        name = meta.name_of(byte)
        if byte >= memory.table_len:
            shown.append(f"{name} is outside the table")
            continue
        header = memory.header(byte)
        seen = f" as {header.seen}" if header.seen else ""
        shown.append(f"{name} {header.kind}{seen} {header.rows}x{header.cols}")
    return list(dict.fromkeys(shown))


def _detail(stop: Stop, word: int | None, memory: Memory) -> str:
    """What the stop's detail means for its reason."""
    if stop.reason == "M":
        free = memory.quota_rows - memory.top
        return f"{stop.detail} rows more were wanted, {free} of {memory.quota_rows} are free"
    if stop.reason == "/":
        return f"element {stop.detail}, counted row by row from 0"
    if stop.reason in "NVK" and word is not None and word & 0xFF in BY_CODE:
        return f"operand {stop.detail + 1}"
    if stop.reason == "?" and word is not None:
        return f"the pixel is {word:#010x}"
    if stop.reason == "P" and word is not None:
        return _port(word)
    return ""


def _port(word: int) -> str:
    """Which port an instruction uses."""
    op = BY_CODE.get(word & 0xFF)
    if op is None or "'p" not in op.operands:
        return ""
    letter = chr(word >> 8 * (op.operands.index("'p") + 1) & 0xFF)
    port = PORTS.get(letter)
    if port is None:
        return f"{letter!r} is no port"
    if letter == "f":
        return "the port files: not allowed, or the path leads out of the folder"
    return f"the port {port.name}"
