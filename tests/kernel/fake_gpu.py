"""A GPU made of a second memory: what runs there is not in the process's own until it is settled.

It is as bad as the contract of executors allows: after each slice the elements of all matrices in
the process's memory are rubbish, and SYS is as well when the device is lost.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from pxos.kernel.machine.cpu.executor import CpuExecutor
from pxos.kernel.machine.fault import Stop
from pxos.kernel.machine.isa import FIRST_FREE_ENTRY
from pxos.kernel.machine.memory import SYS, SYS_ROW, Memory, words_for
from pxos.kernel.machine.ports import Message, Ports, Refused, Wait
from pxos.kernel.placement import Backend, Backends, NoGpuError

RUBBISH = 0xDEADBEEF


class LostError(Exception):
    """The device is gone."""


class FullError(Exception):
    """The device has no memory left."""


class FakeGpu:
    """A device.  ``fails_at``: the event at which it fails with ``error``, -1: never; events are
    making an executor, the beginning and the end of a slice, both sides of each port call, and
    settling.  ``opened``: how often it was opened."""

    def __init__(self, fails_at: int = -1, error: type[Exception] = LostError) -> None:
        self.fails_at = fails_at
        self.error = error
        self.events = 0
        self.opened = 0
        self.software = False
        self.there = True
        self.slices = 0
        self.settled = 0
        self.made = 0
        self.closed = 0

    def backends(self, promising: Callable[[], bool] | None = None) -> Backends:
        return Backends(self.open, promising=promising)

    def open(self) -> Backend:
        if not self.there:
            raise NoGpuError("there is no adapter", "install one")
        self.opened += 1
        return Backend(self.make, LostError, FullError, "Fake", self.software)

    def make(self, memory: Memory, ports: Ports) -> FakeGpuExecutor:
        self.event()
        self.made += 1
        return FakeGpuExecutor(self, memory, ports)

    def event(self) -> None:
        self.events += 1
        if self.events - 1 == self.fails_at:
            raise self.error("the test pulled it out")


class FakeGpuExecutor:
    def __init__(self, device: FakeGpu, memory: Memory, ports: Ports) -> None:
        self.device = device
        self.host = memory
        self.own = Memory(memory.used_image(), memory.quota_rows)
        self.inner = CpuExecutor(self.own, _Door(self, ports))
        at = memory.data_addr(SYS_ROW)
        self.sys = slice(at, at + len(SYS))

    def run(self, slice_fuel: int) -> Stop:
        device, host, own = self.device, self.host, self.own
        device.slices += 1
        own.words[self.sys] = host.words[self.sys]  # fuel may have been set
        try:
            device.event()
            stop = self.inner.run(slice_fuel)
            if (
                device.error is LostError or stop.reason == "Y"
            ):  # else no instruction wants anything
                device.event()
        except (LostError, FullError):
            self.spoil()
            if device.error is LostError:
                host.words[self.sys] = RUBBISH
                host.set("top", own.top)
            raise
        self.spoil()
        return stop

    def settle(self) -> None:
        self.device.event()
        self.device.settled += 1
        used = self.own.used_image().size
        self.host.words[:used] = self.own.words[:used]

    def close(self) -> None:
        self.device.closed += 1

    def spoil(self) -> None:
        """Bring SYS, headers, table, code and stack up to date; the rest is on the device."""
        host, own = self.host, self.own
        used = own.used_image().size
        host.words[:used] = own.words[:used]
        reserved = {own.row_of(entry) for entry in range(FIRST_FREE_ENTRY)}
        for entry in range(FIRST_FREE_ENTRY, own.table_len):
            header = own.header(entry)
            if header.kind != "V" and header.row not in reserved:
                at = own.data_addr(header.row)
                count = words_for(header.kind, header.rows, header.cols)
                host.words[at : at + count] = RUBBISH


class _Door:
    """Ports whose users may look at SYS, and set the count of random numbers."""

    def __init__(self, executor: FakeGpuExecutor, ports: Ports) -> None:
        self.executor = executor
        self.ports = ports

    def _around(self, ask: Callable[[], object]) -> object:
        executor = self.executor
        executor.device.event()
        executor.host.words[executor.sys] = executor.own.words[executor.sys]
        answer = ask()
        executor.own.words[executor.sys] = executor.host.words[executor.sys]
        if (
            executor.device.error is LostError or answer is not None
        ):  # nothing is wanted after a write
            executor.device.event()
        return answer

    def read(self, letter: str, selector: Message) -> Message | Wait | Refused:
        return self._around(lambda: self.ports.read(letter, selector))  # type: ignore[return-value]

    def write(self, letter: str, message: Message, selector: Message) -> Wait | Refused | None:
        return self._around(lambda: self.ports.write(letter, message, selector))  # type: ignore[return-value]

    def ready(self, letter: str) -> bool | Refused:
        return self._around(lambda: self.ports.ready(letter))  # type: ignore[return-value]


def rubbish_in(memory: Memory) -> int:
    """How many words of a memory in use are rubbish."""
    return int(np.count_nonzero(memory.used_image() == RUBBISH))
