"""The CPU executor: runs the picture's instructions, one at a time or translated.

Reading order for a newcomer: ``operand`` (what a family of element kernels sees), ``fill`` (from
a plan to a closure), ``kernel.machine.registers`` and ``kernel.machine.control`` (jumps, calls,
ports; shared by all executors), this module (the loop, the caches), ``translate``
(scalar code as generated Python).  The decisions about shapes, kinds, growth and fuel are not here
but in ``kernel.machine.plan``, which every executor shares.

An instruction is done in one of three ways, always with the same result:

* *Translated*: a loop or a straight run of code, most of it scalar, becomes one Python function.
* *Remembered*: a closure bound earlier, found by the instruction word alone.  A remembered closure
  is dropped the moment a header it rests on changes.
* *Planned*: decode, resolve, check, place, bind, do.  Everything starts here.
"""

from __future__ import annotations

from collections.abc import Callable

from .. import control
from ..elements import Elements
from ..fault import InternalError, Stop
from ..isa import BY_CODE
from ..memory import Memory
from ..plan import MAX_PLANS
from ..plan_types import Fault, Plan
from ..ports import Ports
from ..registers import State
from .fill import bind_plan
from .translate import EMPTY, Region, Slot, Translator

Closure = Callable[[], int]

#: Instructions whose plan depends on elements: never remembered by their word alone.
_VOLATILE = frozenset("rZIDwVN")

_CALL = ord("(")

#: Fuel given to a region at a time: so little that its arithmetic stays in one digit.
REGION_FUEL = 1 << 29


class CpuExecutor:
    """Runs one process; see the module's words."""

    def __init__(self, memory: Memory, ports: Ports) -> None:
        """``memory`` is a validated program's; ``ports`` what the kernel grants it."""
        self._state = State(memory, ports)
        self._bound: dict[Plan, tuple[Closure, bool]] = {}
        self._fast: dict[int, tuple[int, Closure]] = {}
        self._dependents: dict[int, set[int]] = {}
        self._slots: dict[int, list[tuple[list[Slot], int]]] = {}
        self._translator = Translator(self._state, self._call_out)
        self._stop: Stop | None = None
        self._region: Region | None = None
        self._budget = self._above = 0

    def run(self, slice_fuel: int) -> Stop:
        """Run from SYS.pc until the process stops or the slice is used up.

        SYS is up to date afterwards.  Reasons: H, W, a fault, B (the process's fuel cannot pay the
        next instruction) or Y (the slice cannot; ``next_fuel`` says what it costs).
        """
        state = self._state
        regions = self._translator.regions
        state.load(slice_fuel)
        self._stop = None
        while self._stop is None:
            region = regions.get(state.pc)
            if region is None or not self._run_region(region):
                self._stop = self._step()
        return state.store(self._stop)

    def settle(self) -> None:
        """Bring the memory's words up to date: here they always are."""

    # ---- translated code ---------------------------------------------------------------------

    def _run_region(self, region: Region) -> bool:
        """Run a region from its start; False if it did nothing, so that a step must be made."""
        state = self._state
        before = state.done
        budget = min(state.fuel, state.left, REGION_FUEL)
        if budget <= 0:
            return False
        self._region, self._budget, self._above = region, budget, 0
        pc, fuel, above = region.run(budget, 0)
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
        fast = self._fast.get(word)
        if fast is not None and region.slots[slot] is EMPTY:
            region.slots[slot] = fast
            self._slots.setdefault(word, []).append((region.slots, slot))
        self._budget -= cost
        self._above += cost - 1
        return fuel - cost

    # ---- one instruction ---------------------------------------------------------------------

    def _step(self) -> Stop | None:
        """Do the instruction at pc, whatever it is."""
        state = self._state
        pc = state.pc
        if not 0 <= pc < state.code_len:
            return Stop("J", pc)
        word = state.code[pc]
        fast = self._fast.get(word)
        if fast is not None:
            cost, fill = fast
            if cost <= state.fuel and cost <= state.left and fill() < 0:
                state.fuel -= cost
                state.left -= cost
                state.done += 1
                state.pc = pc + 1
                return None
        handler = control.CONTROL.get(word & 0xFF)
        if handler is None:
            return self._slow(word)
        stop = handler(state, word)
        if stop is None and (state.pc <= pc or word & 0xFF == _CALL):
            self._translator.arrive(state.pc)
        return stop

    def _slow(self, word: int) -> Stop | None:
        """Do an instruction from its plan."""
        state = self._state
        op = BY_CODE.get(word & 0xFF)
        if op is not None and op.family == "ports":
            state.sync()  # whoever answers at a port may look at SYS
            if op.char == "W":
                return control.wait(state, word, self._store)
            if op.char == "]":
                return control.out(state, word)
            return control.in_(state, word, self._store)
        if state.planner.full:
            self._forget()
        plan = state.planner.plan(word)
        if isinstance(plan, Fault):
            return Stop(plan.reason, state.pc, plan.detail)
        if plan.fuel > state.fuel or plan.fuel > state.left:
            fault = state.planner.division_fault(plan)
            if fault is not None:
                return Stop(fault.reason, state.pc, fault.detail)
            return state.short_of(plan.fuel)
        fill, looks = self._bound_to(plan)
        if looks:
            state.sync()
        bad = fill()
        if bad >= 0:
            return Stop("/", state.pc, bad)
        self._finish(plan)
        if plan.steady and not looks and plan.op.char not in _VOLATILE and not self._is_code(plan):
            self._fast[word] = (plan.fuel, fill)
            for entry in plan.entries:
                self._dependents.setdefault(entry, set()).add(word)
        return None

    def _bound_to(self, plan: Plan) -> tuple[Closure, bool]:
        """What does a plan, and whether it looks into SYS."""
        first = plan.kin or plan
        found = self._bound.get(first)
        if found is None:
            found = self._bind(plan), plan.reads_sys
            if not plan.once:
                if len(self._bound) > MAX_PLANS:
                    self._bound.clear()
                self._bound[first] = found
        return found

    def _bind(self, plan: Plan) -> Closure:
        if plan.d is not None and not plan.d.count:
            return lambda: self._state.bad_divisor(plan)
        return bind_plan(self._state.memory, plan)

    def _store(self, plan: Plan, message: Elements) -> None:
        """Complete a plan whose elements come from a port."""
        if bind_plan(self._state.memory, plan, message)() >= 0:
            raise InternalError(f"storing a message by {plan.op.name} found a bad element")
        self._finish(plan)

    def _finish(self, plan: Plan) -> None:
        """Write headers, drop what rested on them, charge the fuel, go on."""
        state = self._state
        state.complete(plan.fuel, state.pc + 1)
        if plan.header:
            changed = state.planner.commit(plan)
            for entry in changed:
                for word in self._dependents.pop(entry, ()):
                    self._forget_word(word)
            self._translator.entries_changed(changed)
        if plan.d is not None and plan.d.row == state.code_row:
            self._translator.drop_all()

    def _forget_word(self, word: int) -> None:
        """Drop the remembered closure of an instruction, here and in the regions that use it."""
        self._fast.pop(word, None)
        for slots, slot in self._slots.pop(word, ()):
            slots[slot] = EMPTY

    def _is_code(self, plan: Plan) -> bool:
        return plan.d is not None and plan.d.row == self._state.code_row

    def _forget(self) -> None:
        """Empty every cache, so that hostile programs cannot fill the machine with them."""
        self._state.planner.forget()
        self._bound.clear()
        self._fast.clear()
        self._dependents.clear()
        self._slots.clear()
        self._translator.forget()
