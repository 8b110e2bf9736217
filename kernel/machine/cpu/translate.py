"""Translation: hot code as generated Python functions, made lazily and kept in a bounded cache.

A jump backwards or a call makes its target warmer; a hot target becomes the start of a *region*
(``translate_scan`` finds what belongs to it, ``translate_scalar`` and ``translate_emit`` write it).
A region runs until its fuel is too short for the next segment, until it meets an instruction that
must leave it, or until something it rests on changes.  Whatever it leaves undone is done by
stepping, so the fuel is exact to the instruction and slices of any size give the same picture.

A region rests on

* the code: any write into CODE drops all regions;
* its scalars: each must stay the identical :class:`~..plan_types.Matrix`;
* the rows that its other operands name, as far as they share memory with its scalars.

An entry whose change has undone a region is not rested on again, but called out for; a place that
is undone again and again is no longer translated.  What mostly calls out is written once: a region
ends where such a region begins.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from math import isqrt
from typing import TYPE_CHECKING

from ..plan_types import Fault, Matrix
from ..registers import State

if TYPE_CHECKING:
    from .translate_scan import Scan

_NAME = ord("N")

#: Arrivals after which a place is translated.
HOT = 32

#: Arrivals after which a place is translated that mostly calls out: an instruction of the
#: executor's gains little by it, and its line costs as much as some 500 of these gains.
HOT_CALLS = 512

#: Regions kept, places whose heat is remembered, translations of one place: at most.
MAX_REGIONS, MAX_WARM, MAX_TRANSLATIONS = 256, 1 << 14, 16

#: Instructions a region must have to be worth it.
_WORTH = 2

Closure = Callable[[], int]
Slot = tuple[float, Closure]


def _never() -> int:
    return 0


#: A slot without a bound closure: no fuel is enough for it.
EMPTY: Slot = (float("inf"), _never)

#: Takes (slot, pc, fuel, x); answers with the fuel left, below 0 if the region must be left.
CallOut = Callable[[int, int, int, int], int]


@dataclass(slots=True, eq=False)
class Region:
    """A translated piece of code; ``run(fuel, x, L)`` gives (pc, fuel, x), see ``translate_emit``.

    ``arms``: the places at which it can be entered, with the number of the arm that begins there.

    ``calls_out``: most of what it does are instructions of the executor's, beside which entering
    and leaving a region costs nothing.
    """

    start: int
    run: Callable[[int, int, int], tuple[int, int, int]]
    arms: dict[int, int]
    slots: list[Slot]
    variables_rows: frozenset[int]
    inlined: dict[int, Matrix]
    rows_of: dict[int, int]
    calls_out: bool
    valid: bool = field(default=True)

    def stands(self, entry: int, now: Matrix | Fault) -> bool:
        """Whether the region still holds when ``entry`` has become ``now``."""
        kept = self.inlined.get(entry)
        if kept is not None:
            return now is kept
        return (
            isinstance(now, Fault)
            or now.row == self.rows_of.get(entry)
            or (now.row not in self.variables_rows)
        )


def _calls_out(scan: Scan) -> tuple[bool, bool]:
    """Whether most of a region calls out, and whether it points entries at matrices in turn: that
    is done at once only within a region."""
    calls = [item for item in scan.items.values() if item.what == "call"]
    return 2 * len(calls) > len(scan.items), any(item.word & 0xFF == _NAME for item in calls)


class Translator:
    """The regions of one process."""

    def __init__(self, state: State, call_out: CallOut) -> None:
        self._state = state
        self._call_out = call_out
        self.regions: dict[int, Region] = {}
        #: Regions by every place at which one can be entered.
        self.entered: dict[int, Region] = {}
        self._resting: dict[int, set[Region]] = {}
        self._heat: dict[int, int] = {}
        self._made: dict[int, int] = {}
        self._unsteady: set[int] = set()
        self._patient: set[int] = set()
        self._count = 0

    def made(self) -> int:
        """How many regions were ever made."""
        return self._count

    def arrive(self, pc: int) -> None:
        """Count a jump backwards or a call to ``pc``; translate there when it is hot."""
        heat = self._heat.get(pc, 0) + 1
        if heat < HOT:
            if len(self._heat) >= MAX_WARM:
                self._heat.clear()
            self._heat[pc] = heat
            return
        self._heat[pc] = 0
        if pc not in self.entered and self._made.get(pc, 0) < MAX_TRANSLATIONS:
            self._translate(pc)

    def entries_changed(self, entries: set[int]) -> None:
        """Drop the regions that do not hold any more."""
        for entry in entries:
            resting = self._resting.get(entry)
            if not resting:
                continue
            now = self._state.planner.resolver.operand(entry, 0)
            gone = [region for region in resting if not region.stands(entry, now)]
            for region in gone:
                self._drop(region)
                self._unsteady.add(entry)

    def forget(self) -> None:
        """Drop every region and every memory of what was hot or unsteady."""
        self.drop_all()
        self._made.clear()
        self._patient.clear()
        self._unsteady.clear()

    def drop_all(self) -> None:
        """Drop every region: the code changed."""
        for region in self.regions.values():
            region.valid = False
        self.regions.clear()
        self.entered.clear()
        self._resting.clear()

    def _called(self, pc: int) -> bool:
        """Whether a routine has been called, as far as that is remembered."""
        return pc in self._heat or pc in self._made

    def _drop(self, region: Region) -> None:
        region.valid = False
        if self.regions.get(region.start) is region:
            del self.regions[region.start]
        for pc in region.arms:
            if self.entered.get(pc) is region:
                del self.entered[pc]
        for entry in (*region.inlined, *region.rows_of):
            self._resting.get(entry, set()).discard(region)

    def _translate(self, pc: int) -> None:
        from .translate_emit import Emitter
        from .translate_scan import Scan

        borders = frozenset(start for start, region in self.regions.items() if region.calls_out)
        scan = Scan(self._state, pc, frozenset(self._unsteady), borders, self._called)
        if len(self._made) >= MAX_WARM:
            self._made.clear()
            self._patient.clear()
        calls_out, renames = _calls_out(scan)
        if calls_out and not renames and pc not in self._patient:
            self._patient.add(pc)
            self._heat[pc] = HOT - HOT_CALLS
            return
        self._made[pc] = self._made.get(pc, 0) + 1
        if sum(item.what != "leave" for item in scan.items.values()) < _WORTH:
            self._made[pc] = MAX_TRANSLATIONS
            return
        if len(self.regions) >= MAX_REGIONS:
            self.drop_all()
        emitter = Emitter(scan)
        slots = [EMPTY] * len(emitter.calls)
        memory = self._state.memory
        names: dict[str, object] = {
            "I": memory.ints.data,
            "B": memory.bytes.data,
            "W": memory.words.data,
            "S": slots,
            "E": self._call_out,
            "T": self._state,
            "A": emitter.arms,
            "isqrt": isqrt,
            "__builtins__": {"range": range},
        }
        exec(compile(emitter.source, f"<region {pc}>", "exec"), names)  # noqa: S102
        run = names["region"]
        assert callable(run)
        region = Region(
            pc,
            run,
            emitter.arms,
            slots,
            frozenset(scan.variables.values()),
            scan.inlined,
            scan.rows_of,
            calls_out,
        )
        self.regions[pc] = region
        for place in region.arms:
            self.entered.setdefault(place, region)
        self.entered[pc] = region
        self._count += 1
        for entry in (*region.inlined, *region.rows_of):
            self._resting.setdefault(entry, set()).add(region)
