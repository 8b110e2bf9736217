"""The executors that must agree: one line each in ``FACTORIES``.  The first is the reference.

Beside an executor as it is stand variants of it with its thresholds turned down, so that small
programs reach what otherwise only large or long ones do: blocks, caches that overflow, loops
that are translated at once.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib import import_module
from types import ModuleType
from typing import Protocol

from pxos.kernel.machine.cpu.executor import CpuExecutor
from pxos.kernel.machine.fault import Stop
from pxos.kernel.machine.memory import Memory
from pxos.kernel.machine.oracle import Oracle
from pxos.kernel.machine.ports import Ports

PACKAGE = "pxos.kernel.machine"
CPU_MODULES = tuple(
    import_module(f"{PACKAGE}.{name}")
    for name in (
        "plan",
        "plan_resolve",
        "cpu.arith",
        "cpu.bits",
        "cpu.conv",
        "cpu.draw",
        "cpu.executor",
        "cpu.finish",
        "cpu.fold",
        "cpu.functions",
        "cpu.index",
        "cpu.matmul",
        "cpu.move",
        "cpu.translate",
    )
)

#: Thresholds of the CPU executor and what they become in a cramped one.
CRAMPED = {
    "BLOCK": 16,
    "SMALL_COPY": 4,
    "TABLE_FROM": 4,
    "CONV_BLOCK": 16,
    "WIDE_WEIGHTS": 1 << 10,
    "BLEND_BLOCK": 8,
    "SQUARE": 2,
    "FEW_TERMS": 2,
    "B_BLOCK": 16,
    "A_BLOCK": 16,
    "EXACT": 1 << 36,
    "MAX_PLANS": 3,
    "MAX_REMEMBERED": 12,
    "_DRAW_REMEMBERED": 1,
    "HOT": 3,
}
EAGER = {"HOT": 1}


class Executor(Protocol):
    """What runs a memory."""

    def run(self, slice_fuel: int) -> Stop: ...


Factory = Callable[[Memory, Ports], Executor]


class Tuned:
    """The CPU executor with other thresholds while it runs."""

    def __init__(self, memory: Memory, ports: Ports, constants: dict[str, int]) -> None:
        self._executor = CpuExecutor(memory, ports)
        self._constants = constants

    def run(self, slice_fuel: int) -> Stop:
        with tuned(self._constants):
            return self._executor.run(slice_fuel)


@contextmanager
def tuned(constants: dict[str, int]) -> Iterator[None]:
    """Module constants, and defaults of functions that are such constants, changed for a while."""
    kept: list[tuple[object, str, object]] = []

    def replace(owner: object, name: str, value: object) -> None:
        kept.append((owner, name, getattr(owner, name)))
        setattr(owner, name, value)

    try:
        for module in CPU_MODULES:
            for name, value in constants.items():
                if hasattr(module, name):
                    replace(module, name, value)
        if "BLOCK" in constants:
            finish: ModuleType = import_module(f"{PACKAGE}.cpu.finish")
            replace(finish.blocks, "__defaults__", (constants["BLOCK"],))
            replace(finish.blockwise, "__kwdefaults__", {"limit": constants["BLOCK"]})
        yield
    finally:
        for owner, name, value in reversed(kept):
            setattr(owner, name, value)


FACTORIES: dict[str, Factory] = {
    "oracle": Oracle,
    "cpu": CpuExecutor,
    "eager cpu": lambda memory, ports: Tuned(memory, ports, EAGER),
    "cramped cpu": lambda memory, ports: Tuned(memory, ports, CRAMPED),
}
REFERENCE = "oracle"
OTHERS = tuple(name for name in FACTORIES if name != REFERENCE)
