"""The executors that must agree: one line each.  The first is the reference."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from pxos.kernel.machine.cpu.executor import CpuExecutor
from pxos.kernel.machine.fault import Stop
from pxos.kernel.machine.memory import Memory
from pxos.kernel.machine.oracle import Oracle
from pxos.kernel.machine.ports import Ports


class Executor(Protocol):
    """What runs a memory."""

    def run(self, slice_fuel: int) -> Stop: ...


Factory = Callable[[Memory, Ports], Executor]

FACTORIES: dict[str, Factory] = {
    "oracle": Oracle,
    "cpu": CpuExecutor,
}
REFERENCE = "oracle"
OTHERS = tuple(name for name in FACTORIES if name != REFERENCE)
