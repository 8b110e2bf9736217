"""Running one draft on every executor and saying where they differ."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

import numpy as np

from pxos.kernel.machine.fault import Stop
from pxos.kernel.machine.memory import Memory

from .building import NO_LIMIT, WIDTH, Draft
from .executors import FACTORIES, OTHERS, REFERENCE, Executor, Factory
from .scripted_ports import ScriptedPorts

#: How often a program that waits is woken before it is left waiting.
WAKE_UPS = 6


@dataclass(frozen=True)
class Outcome:
    """All that a run can be told apart by."""

    words: np.ndarray
    stops: tuple[Stop, ...]
    log: tuple[tuple[object, ...], ...]

    def differs(self, other: Outcome) -> list[str]:
        """What is different, in words; empty if nothing is."""
        found = []
        if self.stops != other.stops:
            found.append(f"stops {self.stops} and {other.stops}")
        if self.log != other.log:
            found.append(f"ports {self.log} and {other.log}")
        bad = np.flatnonzero(self.words != other.words)
        found += [
            f"word {at % WIDTH} of row {at // WIDTH}: {self.words[at]:#x} and {other.words[at]:#x}"
            for at in bad[:6].tolist()
        ]
        return found


def run(
    factory: Factory | Callable[[Memory, ScriptedPorts], Executor],
    draft: Draft,
    seed: int,
    slices: Iterator[int] | None = None,
) -> Outcome:
    """Run a draft to its end, in slices if they are given (their stops Y are left out)."""
    memory, ports = draft.memory(), ScriptedPorts(seed)
    executor = factory(memory, ports)
    stops: list[Stop] = []
    need = 0
    while len(stops) <= WAKE_UPS:
        stop = executor.run(max(next(slices), need) if slices else NO_LIMIT)
        need = stop.next_fuel
        if stop.reason == "Y":
            assert slices is not None
            continue
        stops.append(stop)
        if stop.reason != "W":
            break
        ports.woken()
    executor.settle()
    return Outcome(memory.words, tuple(stops), tuple(ports.log))


class TakingTurns:
    """An executor that hands the picture to the next kind of executor after every slice."""

    def __init__(self, memory: Memory, ports: ScriptedPorts) -> None:
        self._memory, self._ports = memory, ports
        self._turn = 0

    def run(self, slice_fuel: int) -> Stop:
        self._turn += 1
        factory = list(FACTORIES.values())[self._turn % len(FACTORIES)]
        executor = factory(self._memory, self._ports)
        stop = executor.run(slice_fuel)
        executor.settle()
        return stop

    def settle(self) -> None:
        """Every turn has ended settled."""


def random_slices(seed: int) -> Iterator[int]:
    """Slices of 0 to a few instructions, now and then a long one."""
    chooser = random.Random(seed)
    while True:
        yield chooser.choice((0, 1, 1, 2, 3, 5, 8, 40))


def check(draft: Draft, seed: int, what: str, names: Iterable[str] = OTHERS) -> Outcome:
    """Demand that all executors, or those named, agree on a draft; the reference's outcome."""
    expected = run(FACTORIES[REFERENCE], draft, seed)
    for name in names:
        found = expected.differs(run(FACTORIES[name], draft, seed))
        assert not found, f"{what}: {REFERENCE} and {name} differ: " + "; ".join(found)
    return expected
