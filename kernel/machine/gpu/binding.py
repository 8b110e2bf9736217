"""From a plan to the dispatches that do it: rectangles become operands in buffers."""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module

import numpy as np

from ..isa import FIRST_SMALL, SMALL_MAX, SMALL_MIN, Op
from ..memory import HEADER_PX
from ..plan_types import APART, OVERLAPS, SAME, Plan, Strided
from .device import Buffer
from .kit import POINTWISE, POINTWISE_OPS, Binder, Dispatch, Job, Kit, Operand, Work

#: The buffer of a matrix, by its header row.
BufferOf = Callable[[int], Buffer]

_BINDERS: dict[str, Binder] = {}


def binder(op: Op) -> Binder:
    """The ``bind`` of an instruction's family, imported when it is first needed."""
    found = _BINDERS.get(op.family)
    if found is None:
        name = _MODULES.get(op.family, op.family)
        found = _BINDERS[op.family] = import_module(f".{name}", __package__).bind
    return found


#: Families that share a host part.
_MODULES = dict.fromkeys(("arith", "bits", "functions", "table"), "elementwise")


def bind_plan(plan: Plan, width: int, kit: Kit, buffer_of: BufferOf) -> Work:
    """The dispatches of a plan whose d has elements.  Raises TooLarge and GpuOutOfMemory.

    ``width``: of the memory, in words.  The verdict that must follow a check is part of ``check``.
    """
    d = plan.d
    assert d is not None
    assert d.count
    copies: list[Dispatch] = []
    inputs = []
    pointwise = plan.op.family in POINTWISE or plan.op.char in POINTWISE_OPS
    for number, (rectangle, lies) in enumerate(zip(plan.inputs, plan.lies, strict=True)):
        if lies == OVERLAPS or (lies == SAME and not pointwise):
            copy, operand = _copied(rectangle, width, kit, buffer_of(rectangle.row), number)
            copies.append(copy)
            inputs.append(operand)
        elif rectangle.row < 0:
            inputs.append(_small(rectangle, kit))
        else:
            same = rectangle.row == d.row
            inputs.append(
                _operand(rectangle, width, buffer_of(rectangle.row), lies=lies, from_d=same)
            )
    job = Job(
        plan.op,
        plan.pixel,
        plan.literal,
        plan.shape,
        _operand(d, width, buffer_of(d.row)),
        tuple(inputs),
        plan.constants or (),
    )
    work = binder(plan.op)(job, kit)
    check = (*work.check, kit.verdict()) if work.check else ()
    return Work(work.do, check, tuple(copies))


def operand_of(rectangle: Strided, width: int, kit: Kit, buffer_of: BufferOf) -> Operand:
    """A rectangle by itself, for reading."""
    if rectangle.row < 0:
        return _small(rectangle, kit)
    return _operand(rectangle, width, buffer_of(rectangle.row))


def _operand(
    rectangle: Strided, width: int, buffer: Buffer, *, lies: int = APART, from_d: bool = False
) -> Operand:
    first = (rectangle.row * width + HEADER_PX) * (4 // rectangle.unit)
    return _placed(rectangle, rectangle.offset - first, buffer, lies, from_d)


def _placed(
    rectangle: Strided, offset: int, buffer: Buffer, lies: int = APART, from_d: bool = False
) -> Operand:
    return Operand(
        rectangle.cls,
        rectangle.rows,
        rectangle.cols,
        rectangle.unit,
        offset,
        rectangle.row_step,
        rectangle.col_step,
        buffer,
        rectangle.leaf,
        rectangle.scale_bits,
        rectangle.offset_bits,
        lies,
        from_d,
    )


def _small(rectangle: Strided, kit: Kit) -> Operand:
    """A small integer: it lies in a buffer of all of them."""
    numbers = np.arange(SMALL_MIN, SMALL_MAX + 1, dtype=np.int32).view(np.uint32)
    assert numbers.size == 256 - FIRST_SMALL
    return _placed(rectangle, rectangle.value - SMALL_MIN, kit.constant(numbers))


def _copied(
    rectangle: Strided, width: int, kit: Kit, buffer: Buffer, number: int
) -> tuple[Dispatch, Operand]:
    """A copy of all words between an input's first and last element, and the input there."""
    low, high = rectangle.span()
    first, last = low // 4, -(-high // 4)
    start = first - (rectangle.row * width + HEADER_PX)
    fresh = kit.temporary(last - first, number)
    copy = kit.copy(buffer, start, fresh, 0, last - first)
    return copy, _placed(rectangle, rectangle.offset - first * (4 // rectangle.unit), fresh)
