"""Running drafts on the GPU executor beside the CPU's, and counting what it reads back."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from itertools import repeat

import numpy as np
import pytest

from pxos.kernel.machine.cpu.executor import CpuExecutor
from pxos.kernel.machine.cpu.fill import bind_plan
from pxos.kernel.machine.fault import Stop
from pxos.kernel.machine.gpu import fill, registers, residency
from pxos.kernel.machine.gpu.device import Part
from pxos.kernel.machine.gpu.executor import GpuExecutor
from pxos.kernel.machine.gpu.stream import Stream
from pxos.kernel.machine.isa import SMALL_ZERO
from pxos.kernel.machine.memory import Memory
from pxos.kernel.machine.ports import Message, NoPorts, Ports, Refused, Wait
from tests.conformance.building import WIDTH, Draft
from tests.gpu import gpu

PLENTY = 10**9

#: Matrices of one row of the picture stay on the host.
ONE_ROW = WIDTH - 8


def small(value: int) -> int:
    return SMALL_ZERO + value


def host_words(monkeypatch: pytest.MonkeyPatch, words: int) -> None:
    """Have matrices of more words live on the GPU; 0: all of them, with whatever they need."""
    for module in (fill, registers, residency):
        monkeypatch.setattr(module, "HOST_WORDS", words)
    if not words:
        monkeypatch.setattr(fill, "HOST_FUEL", -1)


class Desk:
    """A port t and a port p with messages to read and a shelf for what is written."""

    def __init__(self, *messages: Message) -> None:
        self.messages = list(messages)
        self.shelf: list[Message] = []

    def read(self, letter: str, selector: Message) -> Message | Wait | Refused:
        if letter not in "tp":
            return Refused(letter)
        return self.messages.pop(0) if self.messages else Wait(letter)

    def write(self, letter: str, message: Message, selector: Message) -> Wait | Refused | None:
        if letter not in "tp":
            return Refused(letter)
        self.shelf.append(message)
        return None

    def ready(self, letter: str) -> bool | Refused:
        return bool(self.messages) if letter in "tp" else Refused(letter)


def executor(memory: Memory, ports: Ports | None = None) -> GpuExecutor:
    return GpuExecutor(memory, ports or NoPorts(), gpu(), bind_plan)


def to_its_end(runner: CpuExecutor | GpuExecutor, slices: Iterable[int] = repeat(PLENTY)) -> Stop:
    """Run in slices until it stops for another reason than the slice."""
    need = 0
    for fuel in slices:
        stop = runner.run(max(fuel, need))
        need = stop.next_fuel
        if stop.reason != "Y":
            return stop
    raise AssertionError("the slices are used up")


def as_on_the_cpu(
    draft: Draft, messages: tuple[Message, ...] = (), slices: Iterable[int] = repeat(PLENTY)
) -> tuple[Stop, Memory]:
    """Run a draft on both; demands the same stop, messages and memory, and returns them."""
    expected, desk = draft.memory(), Desk(*messages)
    wanted = to_its_end(CpuExecutor(expected, desk))
    memory, own = draft.memory(), Desk(*messages)
    runner = executor(memory, own)
    stop = to_its_end(runner, slices)
    assert stop == wanted
    assert (memory.get64("fuel"), memory.get64("done")) == (
        expected.get64("fuel"),
        expected.get64("done"),
    )
    runner.settle()
    demand_equal(memory, expected)
    assert [(m.kind, m.data.tolist()) for m in own.shelf] == [
        (m.kind, m.data.tolist()) for m in desk.shelf
    ]
    return stop, memory


def demand_equal(memory: Memory, expected: Memory) -> None:
    wrong = np.flatnonzero(memory.words != expected.words)
    shown = [
        f"word {i % WIDTH} of row {i // WIDTH}: {memory.words[i]:#x}, not {expected.words[i]:#x}"
        for i in wrong[:8].tolist()
    ]
    assert not shown, shown


@contextmanager
def reads_counted(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[int]]:
    """The words of every round trip to the GPU, one number each (the fault words not counted)."""
    counts: list[int] = []
    read = Stream.read

    def counted(self: Stream, parts: list[Part]) -> tuple[np.ndarray, list[np.ndarray]]:
        counts.append(sum(part.words for part in parts))
        return read(self, parts)

    with monkeypatch.context() as patch:
        patch.setattr(Stream, "read", counted)
        yield counts


def ints(memory: Memory, entry: int) -> list[int]:
    header = memory.header(entry)
    at = memory.data_addr(header.row)
    return memory.ints[at : at + header.rows * header.cols].tolist()
