"""The CPU executor: runs the picture's instructions, one at a time or translated.

Reading order for a newcomer: ``operand`` (what a family of element kernels sees), ``fill`` (from
a plan to a closure), this module (the loop), ``translate`` (scalar code as generated Python).  What
all executors share is in ``kernel.machine``: ``plan`` (shapes, kinds, growth, fuel), ``registers``,
``control`` (jumps, calls, ports) and ``stepper`` (one instruction after the other).

Beside the two ways of ``kernel.machine.stepper``, a loop or a straight run of code, most of it
scalar, is *translated*: it becomes one Python function.
"""

from __future__ import annotations

from ..control import ONE
from ..elements import Elements
from ..fault import Stop
from ..memory import Memory
from ..plan_types import Plan
from ..ports import Ports
from ..registers import State
from ..stepper import Closure, Stepper
from . import native
from .fill import bind_plan
from .names import Names
from .native import Kernels
from .translate import EMPTY, Region, Slot, Translator

_NAME = ord("N")

#: Fuel given to a region at a time: so little that its arithmetic stays in one digit.
REGION_FUEL = 1 << 29


class CpuExecutor(Stepper):
    """Runs one process; see the module's words."""

    def __init__(self, memory: Memory, ports: Ports, kernels: Kernels | None = None) -> None:
        """``memory`` is a validated program's; ``ports`` what the kernel grants it.

        ``kernels``: compiled ones, to be used from the beginning; see ``native``.
        """
        super().__init__(State(memory, ports))
        self._slots: dict[int, list[tuple[list[Slot], int]]] = {}
        self._translator = Translator(self._state, self._call_out)
        self._names = Names(
            self._state, self._fast, self._dependents, self._show, self._translator.made
        )
        self._stop: Stop | None = None
        self._region: Region | None = None
        self._budget = self._above = 0
        self._kernels = kernels
        self._work = 0
        self._awaits = False

    def run(self, slice_fuel: int) -> Stop:
        """Run from SYS.pc until the process stops or the slice is used up.

        SYS is up to date afterwards.  Reasons: H, W, a fault, B (the process's fuel cannot pay the
        next instruction) or Y (the slice cannot; ``next_fuel`` says what it costs).
        """
        if self._awaits:
            self._take_kernels()
        state = self._state
        entered = self._translator.entered
        state.load(slice_fuel)
        self._stop = None
        while self._stop is None:
            region = entered.get(state.pc)
            if region is None or not self._run_region(region):
                self._stop = self._step()
        return state.store(self._stop)

    def settle(self) -> None:
        """Bring the memory's words up to date: here they always are."""

    # ---- translated code ---------------------------------------------------------------------

    def _run_region(self, region: Region) -> bool:
        """Run a region from where it is entered; False if it did nothing: a step must be made."""
        state = self._state
        before = state.done
        budget = min(state.fuel, state.left, REGION_FUEL)
        if budget <= 0:
            return False
        self._region, self._budget, self._above = region, budget, 0
        pc, fuel, above = region.run(budget, 0, region.arms[state.pc])
        if fuel >= 0:
            self._catch_up(pc, fuel, above)
        return state.done != before or self._stop is not None

    def _catch_up(self, pc: int, fuel: int, above: int) -> None:
        """Bring the registers up to what a region has used of its budget."""
        state = self._state
        used = self._budget - fuel
        self._budget = fuel
        state.fuel -= used
        state.left -= used
        state.done += used - (above - self._above)
        self._above = above
        state.pc = pc

    def _call_out(self, slot: int, pc: int, fuel: int, above: int) -> int:
        """Do the instruction at ``pc`` for the running region; see ``translate_emit``."""
        state, region = self._state, self._region
        assert region is not None
        self._catch_up(pc, fuel, above)
        word = state.code[pc]
        before = state.fuel
        self._stop = self._step()
        if self._stop is not None or not region.valid or state.pc != pc + 1:
            return -1
        cost = before - state.fuel
        if region.slots[slot] is EMPTY:
            self._fill_slot(region, slot, word)
        self._budget -= cost
        self._above += cost - 1
        return fuel - cost

    def _fill_slot(self, region: Region, slot: int, word: int) -> None:
        """Let a region do an instruction by itself from now on, if it is remembered."""
        if word & 0xFF == _NAME:
            renames = self._names.closure(word)
            if renames is not None:
                region.slots[slot] = (ONE, renames)
            return
        fast = self._fast.get(word)
        if fast is not None:
            region.slots[slot] = fast
            places = self._slots.setdefault(word, [])
            if not any(slots is region.slots and place == slot for slots, place in places):
                places.append((region.slots, slot))

    def _show(self, word: int, pair: Slot | None) -> None:
        """Hand a remembered closure to the regions that use it; None: take it away."""
        for slots, slot in self._slots.get(word, ()):
            slots[slot] = EMPTY if pair is None else pair

    # ---- compiled kernels --------------------------------------------------------------------

    def _counted(self, fill: Closure, work: int) -> Closure:
        """A product of so many multiplications, which is told when it is done."""

        def run() -> int:
            self._work += work
            if self._work > native.START_WORK and not self._awaits:
                self._awaits = True
                native.start()
            return fill()

        return run

    def _take_kernels(self) -> None:
        """Bind everything anew with the kernels, once they are there."""
        kernels = native.ready()
        if kernels is not None:
            self._kernels = kernels
            self._awaits = False
            self._forget()

    # ---- extending the stepper -----------------------------------------------------------------

    def _bind(self, plan: Plan, message: Elements | None = None) -> Closure:
        fill = bind_plan(self._state.memory, plan, message, self._kernels)
        if self._kernels is None and plan.op.char in "Mm" and plan.inputs[1].cls == "Q":
            weights = plan.inputs[1].count
            if weights >= native.WEIGHTS:
                return self._counted(fill, plan.inputs[0].rows * weights)
        return fill

    def _arrive(self, pc: int) -> None:
        self._translator.arrive(pc)

    def _commit(self, plan: Plan) -> set[int]:
        if plan.renamed < 0:
            changed = super()._commit(plan)
            self._names.changed(changed)
            self._translator.entries_changed(changed)
            return changed
        self._names.leave(plan.renamed)
        changed = self._state.planner.commit(plan)
        self._translator.entries_changed(changed)
        self._names.arrived(plan.renamed)
        return changed

    def _remember(self, word: int, cost: int, fill: Closure, entries: frozenset[int]) -> None:
        super()._remember(word, cost, fill, entries)
        self._names.remembered(word, entries)

    def _code_written(self) -> None:
        self._translator.drop_all()

    def _forget_word(self, word: int) -> None:
        """Drop it in the regions that use it, too."""
        super()._forget_word(word)
        for slots, slot in self._slots.pop(word, ()):
            slots[slot] = EMPTY

    def _forget(self) -> None:
        super()._forget()
        self._slots.clear()
        self._names.forget()
        self._translator.forget()
