"""The executors that must agree: one line each.  The first is the reference."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from pxos.kernel.machine.cpu import translate
from pxos.kernel.machine.cpu.executor import CpuExecutor
from pxos.kernel.machine.fault import Stop
from pxos.kernel.machine.memory import Memory
from pxos.kernel.machine.oracle import Oracle
from pxos.kernel.machine.ports import Ports


class Executor(Protocol):
    """What runs a memory."""

    def run(self, slice_fuel: int) -> Stop: ...


Factory = Callable[[Memory, Ports], Executor]

class EagerCpuExecutor:
    """The CPU executor with every loop translated at its first turn."""

    def __init__(self, memory: Memory, ports: Ports) -> None:
        self._executor = CpuExecutor(memory, ports)

    def run(self, slice_fuel: int) -> Stop:
        """Run with the threshold of translation lowered."""
        hot, translate.HOT = translate.HOT, 1
        try:
            return self._executor.run(slice_fuel)
        finally:
            translate.HOT = hot


FACTORIES: dict[str, Factory] = {
    "oracle": Oracle,
    "cpu": CpuExecutor,
    "eager cpu": EagerCpuExecutor,
}
REFERENCE = "oracle"
OTHERS = tuple(name for name in FACTORIES if name != REFERENCE)
