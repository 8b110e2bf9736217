"""One instruction at a time: what all executors do besides filling elements.

An instruction that fills elements is done in one of two ways, always with the same result:

* *Remembered*: a closure bound earlier, found by the instruction word alone.  A remembered closure
  is dropped the moment a header it rests on changes.  It is found again by what the operands mean
  then, so a loop in which Name points an entry at one matrix after the other binds each once.
* *Planned*: decode, resolve, check, place, bind, do.  Everything starts here.
"""

from __future__ import annotations

from collections.abc import Callable

from . import control
from .elements import Elements
from .fault import InternalError, Stop
from .isa import BY_CODE
from .plan import MAX_PLANS
from .plan_types import Fault, Plan
from .registers import State

#: Fills d of a plan.  It returns -1, or writes nothing and returns the first faulting element,
#: counted row-major in the result.
Closure = Callable[[], int]

#: Instructions whose plan depends on elements: never remembered by their word alone.
_VOLATILE = frozenset("rZIDwVN")

_CALL = ord("(")


def _nothing() -> int:
    return -1


class Stepper:
    """The loop's body and its caches; an executor derives from it and fills the elements.

    It defines :meth:`_bind` and may extend the methods below ``for the executor``.
    """

    def __init__(self, state: State) -> None:
        self._state = state
        self._bound: dict[Plan, tuple[Closure, bool]] = {}
        self._fast: dict[int, tuple[int, Closure]] = {}
        self._by_meaning: dict[tuple[object, ...], tuple[int, Closure, frozenset[int]]] = {}
        self._dependents: dict[int, set[int]] = {}

    # ---- for the executor --------------------------------------------------------------------

    def _bind(self, plan: Plan, message: Elements | None = None) -> Closure:
        """What fills d of a plan, which has elements, from memory or from a port's ``message``."""
        raise NotImplementedError

    def _before_port(self) -> None:
        """A port is about to be asked: nothing before it may be undone any more."""

    def _arrive(self, pc: int) -> None:
        """A jump backwards or a call arrived at ``pc``."""

    def _commit(self, plan: Plan) -> set[int]:
        """Write the headers of a plan that has some; the table entries whose meaning changed."""
        changed = self._state.planner.commit(plan)
        for entry in changed:
            for word in self._dependents.pop(entry, ()):
                self._forget_word(word)
        return changed

    def _code_written(self) -> None:
        """An instruction wrote into CODE."""

    def _forget_word(self, word: int) -> None:
        """Drop the remembered closure of an instruction."""
        self._fast.pop(word, None)

    def _forget(self) -> None:
        """Empty every cache, so that hostile programs cannot fill the machine with them."""
        self._state.planner.forget()
        self._bound.clear()
        self._fast.clear()
        self._by_meaning.clear()
        self._dependents.clear()

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
            self._arrive(state.pc)
        return stop

    def _slow(self, word: int) -> Stop | None:
        """Do an instruction from its plan."""
        state = self._state
        meaning = state.planner.meaning(word)
        found = None if meaning is None else self._by_meaning.get(meaning)
        if found is not None:
            cost, fill, entries = found
            if cost <= state.fuel and cost <= state.left and fill() < 0:
                state.complete(cost, state.pc + 1)
                self._remember(word, cost, fill, entries)
                return None
        op = BY_CODE.get(word & 0xFF)
        if op is not None and op.family == "ports":
            self._before_port()
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
            self._remember(word, plan.fuel, fill, plan.entries)
            meaning = state.planner.meaning(word)
            if meaning is not None:
                if len(self._by_meaning) > MAX_PLANS:
                    self._by_meaning.clear()
                self._by_meaning[meaning] = (plan.fuel, fill, plan.entries)
        return None

    def _remember(self, word: int, cost: int, fill: Closure, entries: frozenset[int]) -> None:
        """Keep the closure of an instruction until one of ``entries`` changes."""
        self._fast[word] = (cost, fill)
        dependents = self._dependents
        for entry in entries:
            words = dependents.get(entry)
            if words is None:
                dependents[entry] = {word}
            else:
                words.add(word)

    def _bound_to(self, plan: Plan) -> tuple[Closure, bool]:
        """What does a plan, and whether it looks into SYS."""
        first = plan.kin or plan
        found = self._bound.get(first)
        if found is None:
            found = self._fill_of(plan), plan.reads_sys
            if not plan.once:
                if len(self._bound) > MAX_PLANS:
                    self._bound.clear()
                self._bound[first] = found
        return found

    def _fill_of(self, plan: Plan, message: Elements | None = None) -> Closure:
        if plan.d is None:
            return _nothing
        if not plan.d.count:
            return lambda: self._state.bad_divisor(plan)
        return self._bind(plan, message)

    def _store(self, plan: Plan, message: Elements) -> None:
        """Complete a plan whose elements come from a port."""
        if self._fill_of(plan, message)() >= 0:
            raise InternalError(f"storing a message by {plan.op.name} found a bad element")
        self._finish(plan)

    def _finish(self, plan: Plan) -> None:
        """Write headers, drop what rested on them, charge the fuel, go on."""
        state = self._state
        state.complete(plan.fuel, state.pc + 1)
        if plan.header:
            self._commit(plan)
        if self._is_code(plan):
            self._code_written()

    def _is_code(self, plan: Plan) -> bool:
        return plan.d is not None and plan.d.row == self._state.code_row
