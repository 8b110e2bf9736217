"""From a plan to the closure that fills its destination."""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module

import numpy as np

from ..elements import Elements, array_of
from ..isa import BY_CHAR, Op
from ..memory import Memory
from ..plan_kinds import PIXEL_ROLES
from ..plan_types import Plan, Strided
from ..quantised import finish_number
from .finish import nothing
from .native import Kernels
from .operand import Binder, Operand, operand_of

Closure = Callable[[], int]

#: The instruction whose element work is a plain copy with conversion: Add with zero.
_COPY = BY_CHAR["A"]
_ZERO = Operand("I", 1, 1, np.zeros((1, 1), np.int32))

_BINDERS: dict[str, Binder] = {}


def _binder(op: Op) -> Binder:
    """The ``bind`` of an instruction's family, imported when it is first needed."""
    found = _BINDERS.get(op.family)
    if found is None:
        found = _BINDERS[op.family] = import_module(f".{op.family}", __package__).bind
    return found


def bind_plan(
    memory: Memory, plan: Plan, message: Elements | None = None, kernels: Kernels | None = None
) -> Closure:
    """What fills d of a plan, from the elements in memory or from a port's ``message``.

    ``kernels``: the compiled ones, to be used where they suit.

    The closure returns -1, or writes nothing and returns the first faulting element, counted
    row-major in the result.  A plan without elements to fill is bound to nothing, even a division.
    """
    d = plan.d
    if d is None or not d.count:
        return nothing
    if message is not None:
        return _bind_message(memory, plan, d, message)
    if plan.constants is not None:
        return _bind_constants(memory, d, plan.constants)
    op = plan.op
    roles = PIXEL_ROLES[op.char] if plan.pixel else " " * len(plan.inputs)
    inputs = tuple(
        operand_of(memory, x, role == "p", lies)
        for x, lies, role in zip(plan.inputs, plan.lies, roles, strict=True)
    )
    target = operand_of(memory, d, plan.pixel)

    def general() -> Closure:
        return _binder(op)(op, plan.pixel, target, inputs, plan.literal)

    if kernels is None or plan.pixel:
        return general()
    from .native_bind import bind_compiled

    return bind_compiled(kernels, op, target, inputs, plan.literal, general)


def _bind_message(memory: Memory, plan: Plan, d: Strided, message: Elements) -> Closure:
    target = operand_of(memory, d, plan.pixel)
    array = message.array
    if plan.pixel:
        return lambda: _fill(target.array, array)
    source = Operand(message.kind, array.shape[0], array.shape[1], array)
    return _binder(_COPY)(_COPY, False, target, (source, _ZERO), 0)


def _bind_constants(memory: Memory, d: Strided, constants: tuple[int, ...]) -> Closure:
    """Fills d with one row of integers, finished for its class and broadcast."""
    target = array_of(memory, d)
    raw = np.array([finish_number(value, 0, d.cls) for value in constants], np.int64)
    row = raw.astype(target.dtype)
    return lambda: _fill(target, row)


def _fill(target: np.ndarray, raw: np.ndarray) -> int:
    target[...] = raw
    return -1
