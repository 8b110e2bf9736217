"""One instruction on the GPU without an executor: plan, upload, bind, run, read back, compare."""

from __future__ import annotations

import random

import numpy as np

from pxos.kernel.machine.elements import array_of
from pxos.kernel.machine.gpu import kit as kit_module
from pxos.kernel.machine.gpu.binding import bind_plan
from pxos.kernel.machine.gpu.device import Buffer, Part
from pxos.kernel.machine.gpu.kit import Kit
from pxos.kernel.machine.isa import BY_CHAR, Op
from pxos.kernel.machine.memory import Memory
from pxos.kernel.machine.oracle import Oracle
from pxos.kernel.machine.plan import Planner
from pxos.kernel.machine.plan_types import Plan, Strided
from pxos.kernel.machine.ports import NoPorts
from tests.conformance.building import NO_LIMIT, WIDTH, Draft
from tests.conformance.single import LARGE, SMALL, Sizes, describe, draw_kinds, single
from tests.gpu import gpu


class Host:
    """The plan's ``HostElements`` over a memory that is all current."""

    def __init__(self, memory: Memory) -> None:
        self._memory = memory

    def numbers(self, rectangle: Strided) -> np.ndarray:
        found = array_of(self._memory, rectangle).astype(np.int64)
        return found >> 16 if rectangle.cls == "X" else found

    def nonzero(self, rectangle: Strided) -> int:
        return int(np.count_nonzero(array_of(self._memory, rectangle)))

    def first_zero(self, rectangle: Strided) -> tuple[int, int] | None:
        zero = np.argwhere(array_of(self._memory, rectangle) == 0)
        return None if not len(zero) else (int(zero[0][0]), int(zero[0][1]))


def run_first(draft: Draft, kit: Kit | None = None) -> tuple[Memory, int] | None:
    """Do the first instruction of a draft by its family's ``bind``; the memory and the element of
    the fault / (-1: none).  None if the plan itself faults, or nothing is left to fill."""
    kit = kit or Kit(gpu())
    memory = draft.memory()
    planner = Planner(memory, Host(memory))
    plan = planner.plan(draft.code[0])
    if not isinstance(plan, Plan) or plan.d is None or not plan.d.count:
        return None
    old_row = plan.moved[0] if plan.moved else -1
    buffers: dict[int, Buffer] = {}

    def buffer_of(row: int) -> Buffer:
        if row not in buffers:
            moving = plan.moved is not None and row == plan.moved[1]
            capacity = (
                dict(plan.header)[row * WIDTH + 3] if moving else memory.header_at(row).capacity_px
            )
            buffers[row] = kit.gpu.buffer(capacity)
            start = memory.data_addr(row)
            kit.gpu.write(buffers[row], 0, memory.words[start : start + capacity])
        return buffers[row]

    assert old_row != plan.d.row
    kit.reset_fault()
    work = bind_plan(plan, WIDTH, kit, buffer_of)
    kit.shared.send()
    kit.gpu.submit([dispatch.call for dispatch in (*work.copies, *work.check, *work.do)])
    buffer = buffers[plan.d.row]
    fault, words = kit.gpu.read([Part(kit.fault, 0, 4), Part(buffer, 0, buffer.words)])
    start = memory.data_addr(plan.d.row)
    end = min(start + buffer.words, memory.words.size)
    memory.words[start:end] = words[: end - start]
    planner.commit(plan)
    return memory, int(fault[1]) if fault[0] else -1


def compare(draft: Draft, what: str) -> str:
    """Compare a draft's first instruction with the oracle; "fault", "empty" or "done"."""
    expected = draft.memory()
    expected.set64("fuel", NO_LIMIT)
    stop = Oracle(expected, NoPorts()).run(NO_LIMIT)
    found = run_first(draft)
    if found is None:
        return "fault"
    memory, bad = found
    if bad >= 0:
        assert stop.reason == "/", f"{what}: the GPU found a zero at {bad}, the oracle {stop}"
        return "fault"
    assert stop.pc != 0 or stop.reason == "H", f"{what}: the oracle stopped with {stop}"
    for words in (memory.words, expected.words):  # the registers are the executor's
        words[WIDTH + 8 : WIDTH + 8 + 7] = 0
        words[WIDTH + 8 + 13 : WIDTH + 8 + 17] = 0
    wrong = np.flatnonzero(memory.words != expected.words)
    shown = [
        f"word {i % WIDTH} of row {i // WIDTH}: {memory.words[i]:#x}, not {expected.words[i]:#x}"
        for i in wrong[:6].tolist()
    ]
    assert not shown, f"{what}: " + "; ".join(shown)
    return "done"


def check_op(char: str, count: int, sizes: Sizes = SMALL, first: int = 0) -> int:
    """Compare ``count`` random programs of one instruction; how many were done."""
    op: Op = BY_CHAR[char]
    done = 0
    for number in range(first, first + count):
        seed = f"gpu {char} {number}"
        chooser = random.Random(seed)
        draft = single(op, chooser, draw_kinds(chooser, op), sizes)
        done += compare(draft, f"seed {seed!r}\n{describe(draft)}\n") == "done"
    return done


def specialised(monkeypatch: object, below: int = 0) -> None:
    """Have families specialise every job of at least ``below`` elements."""
    monkeypatch.setattr(kit_module, "SPECIALISE", below)  # type: ignore[attr-defined]


__all__ = ["LARGE", "SMALL", "check_op", "compare", "run_first", "specialised"]
