"""Who runs next, and for how long.

The fair scheduler keeps a virtual runtime for each process, the time it has had divided by
its weight, and runs the process that has had least.  A process that slept starts no further
back than the others, so it is served soon but cannot save up a claim.

Time is what the clock measured; on a clock that stands still (a virtual one) it is reckoned
from fuel, so that a run can be repeated exactly, on whatever the processes run.
"""

from __future__ import annotations

import heapq
from typing import TYPE_CHECKING, NamedTuple, Protocol

from .placement import CPU, GPU

if TYPE_CHECKING:
    from .process import Process

#: Length of a slice in seconds, as far as instructions can be cut.
SLICE_SECONDS = 0.002
#: How many times the share of one priority level is that of the level below.
PRIORITY_STEP = 1.25
MIN_PRIORITY, MAX_PRIORITY = -20, 20
#: Fuel a second before anything was measured, and always on a clock that stands still.
NOMINAL_FUEL_RATE = 1_000_000


class Bounds(NamedTuple):
    """What a slice may be: ``seconds`` long, and so much fuel."""

    seconds: float
    least: int
    most: int


#: By where a process runs.  On the GPU a slice keeps no other process waiting but those there, and
#: a large instruction is only recorded, so it must not be a slice of its own.
BOUNDS = {CPU: Bounds(SLICE_SECONDS, 200, 200_000), GPU: Bounds(0.008, 200, 20_000_000)}


class Schedule(Protocol):
    """What the kernel asks of a scheduler."""

    def add(self, process: Process) -> None:
        """The process is ready to run."""
        ...

    def pick(self) -> Process | None:
        """Take a ready process to run, None if there is none."""
        ...

    def remove(self, process: Process) -> None:
        """The process is no longer ready: it has ended."""
        ...

    def slice(self, process: Process) -> int:
        """The fuel of its next slice."""
        ...

    def charge(self, process: Process, fuel: int, seconds: float) -> float:
        """It ran; returns the seconds reckoned."""
        ...

    def __len__(self) -> int:
        """How many processes are ready."""
        ...


class Scheduler:
    """Fair by time, weighted by priority."""

    def __init__(self) -> None:
        self._heap: list[tuple[float, int, Process]] = []
        self._ticket = 0
        self._ready: dict[int, int] = {}
        self._floor = 0.0

    def add(self, process: Process) -> None:
        """Queue a process behind all that have had less."""
        account = process.share
        account.runtime = max(account.runtime, self._floor)
        self._ticket += 1
        self._ready[process.pid] = self._ticket
        heapq.heappush(self._heap, (account.runtime, self._ticket, process))

    def pick(self) -> Process | None:
        """The ready process that has had least."""
        while self._heap:
            runtime, ticket, process = heapq.heappop(self._heap)
            if self._ready.get(process.pid) == ticket:
                del self._ready[process.pid]
                self._floor = max(self._floor, runtime)
                return process
        return None

    def remove(self, process: Process) -> None:
        """Forget a ready process."""
        self._ready.pop(process.pid, None)

    def slice(self, process: Process) -> int:
        """What the process burns in a slice's time where it runs, by its own measured rate."""
        rate = process.share.fuel_rates.get(process.where)
        if rate is None:
            return int(NOMINAL_FUEL_RATE * SLICE_SECONDS)
        bounds = BOUNDS[process.where]
        return max(bounds.least, min(bounds.most, int(rate * bounds.seconds)))

    def charge(self, process: Process, fuel: int, seconds: float) -> float:
        """Add to its virtual runtime, and learn its rate."""
        share = process.share
        if seconds > 0:
            if fuel:
                rate = share.fuel_rates.get(process.where, NOMINAL_FUEL_RATE)
                share.fuel_rates[process.where] = rate + (fuel / seconds - rate) * 0.5
        else:
            seconds = fuel / NOMINAL_FUEL_RATE
        share.runtime += seconds / share.weight
        return seconds

    def __len__(self) -> int:
        return len(self._ready)


class Share:
    """What the scheduler keeps for a process: virtual runtime, weight, and the fuel a second that
    was measured where it ran."""

    __slots__ = ("fuel_rates", "runtime", "weight")

    def __init__(self, priority: int) -> None:
        """Raises ValueError for a priority outside MIN_PRIORITY..MAX_PRIORITY."""
        if not MIN_PRIORITY <= priority <= MAX_PRIORITY:
            raise ValueError(f"a priority is {MIN_PRIORITY} to {MAX_PRIORITY}, not {priority}")
        self.runtime = 0.0
        self.weight = PRIORITY_STEP**priority
        self.fuel_rates: dict[str, float] = {}


class ShuffledScheduler:
    """Runs any ready process for any time, as its seed says.

    For tests: what programs compute must not depend on the schedule.
    """

    def __init__(self, seed: int, max_slice: int = 50) -> None:
        import random

        self._random = random.Random(seed)
        self._max_slice = max_slice
        self._ready: list[Process] = []

    def add(self, process: Process) -> None:
        """Queue a process."""
        self._ready.append(process)

    def pick(self) -> Process | None:
        """Any ready process."""
        if not self._ready:
            return None
        return self._ready.pop(self._random.randrange(len(self._ready)))

    def remove(self, process: Process) -> None:
        """Forget a ready process."""
        self._ready = [other for other in self._ready if other is not process]

    def slice(self, process: Process) -> int:
        """Any slice of 1 to ``max_slice`` fuel."""
        return self._random.randint(1, self._max_slice)

    def charge(self, process: Process, fuel: int, seconds: float) -> float:
        """Reckon by fuel alone."""
        return fuel / NOMINAL_FUEL_RATE

    def __len__(self) -> int:
        return len(self._ready)
