"""Control flow and ports: the instructions that the executor does itself, one at a time.

Each function does the instruction at ``state.pc`` whole: its checks, its fuel, its effect.  It
returns a :class:`Stop` if the process stops at it, and None when it has completed.  Ports are the
only place where an executor asks the kernel for anything.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from .elements import Elements
from .fault import Stop
from .plan_shapes import fuel_for
from .plan_types import Fault, Matrix, Plan, Strided
from .ports import PORTS, Message, Refused, Wait
from .registers import State

#: Fuel of an instruction that counts no work.
ONE = fuel_for(0)

#: Does a plan whose elements come from outside: the executor's own.
Store = Callable[[Plan, Elements], None]


def _fault(state: State, fault: Fault) -> Stop:
    return Stop(fault.reason, state.pc, fault.detail)


def halt(state: State, word: int) -> Stop:
    """``H n``: stop with exit status n modulo 256."""
    operand = state.planner.operand(word, 0)
    if isinstance(operand, Fault):
        return _fault(state, operand)
    short = state.short_of(ONE)
    if short is not None:
        return short
    status = state.planner.first(operand) & 0xFF
    stop = Stop("H", state.pc, status=status)
    state.complete(ONE, state.pc)
    return stop


def jump(state: State, word: int) -> Stop | None:
    """``J n24``."""
    short = state.short_of(ONE)
    if short is None:
        state.complete(ONE, word >> 8)
    return short


def _first_is_zero(state: State, operand: Strided) -> bool:
    if operand.row < 0:
        return operand.value == 0
    corner = Strided(operand.cls, 1, 1, operand.unit, operand.offset, 1, 1, operand.row)
    return state.nonzero(corner) == 0


def branch(state: State, word: int) -> Stop | None:
    """``B c n16`` and ``b c n16``."""
    operand = state.planner.operand(word, 0)
    if isinstance(operand, Fault):
        return _fault(state, operand)
    short = state.short_of(ONE)
    if short is None:
        taken = _first_is_zero(state, operand) == (word & 0xFF == ord("b"))
        state.complete(ONE, word >> 16 if taken else state.pc + 1)
    return short


def call(state: State, word: int) -> Stop | None:
    """``( n24``: STACK[depth] = pc + 1; depth + 1."""
    if state.depth >= state.stack_len:
        return Stop("C", state.pc)
    short = state.short_of(ONE)
    if short is None:
        state.write_stack(state.depth, state.pc + 1)
        state.depth += 1
        state.complete(ONE, word >> 8)
    return short


def return_(state: State, word: int) -> Stop | None:
    """``)``: back behind the last open call; its place in STACK becomes 0."""
    if not 0 < state.depth <= state.stack_len:
        return Stop("C", state.pc)
    short = state.short_of(ONE)
    if short is None:
        state.depth -= 1
        back = int(state.memory.words[state.stack_addr + state.depth])
        state.write_stack(state.depth, 0)
        state.complete(ONE, back)
    return short


CONTROL: dict[int, Callable[[State, int], Stop | None]] = {
    ord("H"): halt,
    ord("J"): jump,
    ord("B"): branch,
    ord("b"): branch,
    ord("("): call,
    ord(")"): return_,
}


# ---- ports --------------------------------------------------------------------------------------


def _message(state: State, operand: Strided) -> Message:
    """The elements of an operand, copied for the world outside; SYS is current."""
    if operand.cls == "P" and operand.unit == 4:
        words = np.ascontiguousarray(state.elements(operand, np.uint32))
        return Message("P", words.view(np.uint8).reshape(operand.rows, operand.cols, 4).copy())
    return Message(operand.cls, state.elements(operand).copy())


def _letters(state: State, operand: Strided) -> list[int]:
    if operand.row < 0:
        return [operand.value]
    return [int(letter) for letter in state.numbers(operand).ravel()]


def wait(state: State, word: int, store: Store) -> Stop | None:
    """``W d t``: the first ready port of t, or sleep until there is one."""
    operands = state.planner.port_operands(word)
    if isinstance(operands, Fault):
        return _fault(state, operands)
    selector = operands[1]
    assert isinstance(selector, Strided)
    plan = state.planner.plan_message(word, (1, 1), False)
    if isinstance(plan, Fault):
        return _fault(state, plan)
    short = state.short_of(plan.fuel)
    if short is not None:
        return short
    names = [chr(code) if 0 < code < 128 else "" for code in _letters(state, selector)]
    if any(name not in PORTS for name in names):
        return Stop("P", state.pc)
    answers = [(name, state.ports.ready(name)) for name in dict.fromkeys(names)]
    if any(isinstance(answer, Refused) for _, answer in answers):
        return Stop("P", state.pc)
    ready = next((name for name, answer in answers if answer is True), None)
    if ready is None:
        return Stop("W", state.pc, port=names[0])
    store(plan, Elements("I", np.array([[ord(ready)]], np.int32)))
    return None


def _unserved(state: State, answer: Refused | Wait) -> Stop:
    """The stop at a port that is refused or has to be waited for."""
    if isinstance(answer, Refused):
        return Stop("P", state.pc)
    return Stop("W", state.pc, port=answer.letter)


def out(state: State, word: int) -> Stop | None:
    """``] a 'p s``: hand a to a port."""
    operands = state.planner.port_operands(word)
    if isinstance(operands, Fault):
        return _fault(state, operands)
    a, selector = operands
    assert isinstance(a, Strided)
    assert isinstance(selector, Strided)
    letter = chr(word >> 16 & 0xFF)
    cost = fuel_for(a.count)
    short = state.short_of(cost)
    if short is not None:
        return short
    answer = state.ports.write(letter, _message(state, a), _message(state, selector))
    if isinstance(answer, (Refused, Wait)):
        return _unserved(state, answer)
    state.complete(cost, state.pc + 1)
    return None


def in_(state: State, word: int, store: Store) -> Stop | None:
    """``[ d 'p s``: take a message from a port into d.

    What it costs is known once the message is read and so gone from the port: it is held until
    a slice comes that can pay for storing it.
    """
    operands = state.planner.port_operands(word)
    if isinstance(operands, Fault):
        return _fault(state, operands)
    d, selector = operands
    assert isinstance(d, Matrix)
    assert isinstance(selector, Strided)
    letter = chr(word >> 16 & 0xFF)
    short = state.short_of(ONE)
    if short is not None:
        return short
    held, state.held = state.held, None
    answer = held or state.ports.read(letter, _message(state, selector))
    if isinstance(answer, (Refused, Wait)):
        return _unserved(state, answer)
    pixel = answer.kind == d.cls == "P"
    elements = _elements(answer, pixel)
    rows, cols = elements.array.shape
    plan = state.planner.plan_message(word, (rows, cols), pixel)
    if isinstance(plan, Fault):
        return _fault(state, plan)
    short = state.short_of(plan.fuel)
    if short is not None:
        state.held = answer
        return short
    store(plan, elements)
    return None


def _elements(message: Message, pixel: bool) -> Elements:
    """The elements of a message: of a P as words in pixel mode, else as bytes."""
    data = np.ascontiguousarray(message.data)
    if message.kind != "P":
        return Elements(message.kind, data)
    rows, cols = data.shape[:2]
    if not pixel:
        return Elements("P", data.reshape(rows, 4 * cols))
    if not data.size:
        return Elements("P", np.zeros((rows, cols), np.uint32))
    return Elements("P", data.reshape(rows, 4 * cols).view(np.uint32))
