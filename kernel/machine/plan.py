"""Planning: everything about an instruction that is decided before its elements.

``Planner.plan`` takes one instruction word through decode, resolve, kinds, shapes and growth, in
the order of checks that ``isa`` states, and answers with a :class:`~.plan_types.Plan` or a
:class:`~.plan_types.Fault`.  A plan is strided rectangles and header words; any executor, on any
device, fills the same rectangles and writes the same headers.

Modules: ``plan_types`` the vocabulary, ``plan_resolve`` operand bytes to matrices,
``plan_operands`` instruction words to operands, ``plan_kinds`` kinds and modes, ``plan_shapes``
shapes and work, ``plan_view`` the View instruction, ``plan_place`` where a result goes, and here
the whole.

Plans are remembered by instruction word, by the identity of its operands' decoded headers (their
epochs, see ``plan_resolve``) and by the numbers that the host read from elements (Iota, View,
Reshape, Zoom, Draw, Name, Where).  Only a plan that moves its destination is made anew each time.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Protocol

import numpy as np

from .isa import BY_CODE, Op
from .memory import HEADER_PX, Memory
from .plan_kinds import SELECTOR_CLASSES, destination, source
from .plan_operands import entries_named, entries_under, literal_of, operand_byte, operands_of
from .plan_place import MAX_DETAIL, Placer
from .plan_resolve import Resolver
from .plan_shapes import appends_below, drawn_elements, fuel_for, result_shape, work_of
from .plan_types import Fault, Matrix, Plan, Strided
from .plan_view import number_count_fits, view_words

#: Plans remembered at most; then all are forgotten together with the decoded headers.
MAX_PLANS = 8192


class HostElements(Protocol):
    """How a plan reads elements, where the instruction set says that it must.

    It belongs to the executor, which knows where the newest elements are, and which keeps SYS
    current for it.  Rectangles are of any class but Q and of no small integer.
    """

    def numbers(self, rectangle: Strided) -> np.ndarray:
        """The elements as floored values: int64, rows x columns."""
        ...

    def nonzero(self, rectangle: Strided) -> int:
        """How many elements are not zero."""
        ...

    def first_zero(self, rectangle: Strided) -> tuple[int, int] | None:
        """Row and column of the first element that is zero, row-major."""
        ...


class Planner:
    """Plans the instructions of one memory; ``host`` reads the few elements a plan needs."""

    def __init__(self, memory: Memory, host: HostElements) -> None:
        self.memory = memory
        self.resolver = Resolver(memory)
        self._placer = Placer(memory, self.resolver)
        self._host = host
        self._plans: dict[tuple[object, ...], Plan] = {}
        self._steady: dict[int, tuple[int, ...]] = {}
        self._sound_names: set[int] = set()

    # ---- entry points ------------------------------------------------------------------

    def plan(self, word: int) -> Plan | Fault:
        """Plan an instruction that is neither control flow nor a port (see ``ports_operands``)."""
        named = self._steady.get(word)
        if named is not None:
            found = self._plans.get((word, *map(self.resolver.known.get, named)))
            if found is not None:
                return found
        op = BY_CODE.get(word & 0xFF)
        if op is None:
            return Fault("?")
        if word in self._sound_names:
            i = self.resolver.operand(word >> 24, 2)
            return i if isinstance(i, Fault) else self._plan_name(op, word, i)
        literal = literal_of(op, word)
        if isinstance(literal, Fault):
            return literal
        matrices = operands_of(op, word, self.resolver)
        if isinstance(matrices, Fault):
            return matrices
        if op.char == "V":
            return self._plan_view(op, word, matrices)
        if op.char == "N":
            self._sound_names.add(word)  # its first two operands are never looked into
            return self._plan_name(op, word, matrices[0])
        if op.char == "$":
            return self._plan_shape(op, word, matrices, literal)
        if op.char == "#":
            number = word >> 16 & 0xFFFF
            constants = (number - 0x1_0000 if number & 0x8000 else number,)
            return self._plan_constants(op, word, matrices[0], (1, 1), constants)
        return self._plan_elements(op, word, matrices, literal)

    def meaning(self, word: int) -> tuple[object, ...] | None:
        """What a steady instruction's plan rests on, as a key: the word and what its operands mean.

        None if it is not known to be steady, or an operand is a fault.
        """
        named = self._steady.get(word)
        if named is None:
            return None
        resolver = self.resolver
        known = resolver.known
        key: list[object] = [word]
        for byte in named:
            matrix = known.get(byte) or resolver.operand(byte, 0)
            if isinstance(matrix, Fault):
                return None
            key.append(matrix)
        return tuple(key)

    def operand(self, word: int, number: int) -> Strided | Fault:
        """The source operand ``number`` of Halt and Branch: a rectangle with a first element."""
        matrix = self.resolver.operand(operand_byte(word, number), number)
        if isinstance(matrix, Fault):
            return matrix
        if matrix.cls == "Q":
            return Fault("K", number)
        rectangle = matrix.values
        if rectangle is None:
            return Fault("K", number)
        return rectangle if rectangle.count else Fault("S")

    def port_operands(self, word: int) -> tuple[Matrix | Strided, ...] | Fault:
        """Operands of In (matrix d, s), Out (a, s) and Wait (matrix d, t), their kinds checked.

        A P handed to Out is a rectangle of pixels; everything else is values.
        """
        op = BY_CODE[word & 0xFF]
        literal = literal_of(op, word)
        if isinstance(literal, Fault):
            return literal
        matrices = operands_of(op, word, self.resolver)
        if isinstance(matrices, Fault):
            return matrices
        first, second = matrices
        number = entries_named(op, word)[1][0]
        if op.char == "]":
            if first.cls == "Q":
                return Fault("K", 0)
        elif isinstance(destination(first, op.char == "[" and first.cls == "P"), Fault):
            return Fault("K", 0)
        if second.cls not in SELECTOR_CLASSES:
            return Fault("K", number)
        selector = second.values
        if selector is None:
            return Fault("K", number)
        if op.char == "W" and not selector.count:
            return Fault("S")
        if op.char == "]":
            return first.message, selector
        return first, selector

    def plan_message(self, word: int, shape: tuple[int, int], pixel: bool) -> Plan | Fault:
        """Plan storing a message (or Wait's 1x1 letter) of ``shape`` into d of In or Wait."""
        op = BY_CODE[word & 0xFF]
        matrices = operands_of(op, word, self.resolver)
        if isinstance(matrices, Fault):
            return matrices
        key = (word, *matrices, shape, pixel)
        found = self._plans.get(key)
        if found is not None:
            return found
        d = destination(matrices[0], pixel)
        if isinstance(d, Fault):
            return d
        plan = self._placer.place(
            op,
            matrices[0],
            d,
            shape,
            pixel,
            entries_under(op, word, matrices),
            work=lambda written: work_of(op, written, (), 0),
        )
        if isinstance(plan, Plan) and plan.moved is None:
            self._plans[key] = plan
        return plan

    def commit(self, plan: Plan) -> set[int]:
        """Write a plan's header words; returns the table entries whose meaning changed."""
        words = self.memory.words
        # Which entries hold the row is asked now: Name may have added some since the plan was made.
        changed = self.resolver.entries_at(plan.reshaped) if plan.reshaped >= 0 else []
        if plan.renamed >= 0:
            changed.append(plan.renamed)
        for address, value in plan.header:
            words[address] = value
        if plan.renamed >= 0 or plan.moved is not None:
            self.resolver.table_written()
        return self.resolver.changed(changed)

    def forget(self) -> None:
        """Forget all plans and decoded headers."""
        self._plans.clear()
        self._steady.clear()
        self._sound_names.clear()
        self.resolver.forget()

    @property
    def full(self) -> bool:
        """Whether it is time for :meth:`forget`."""
        return len(self._plans) > MAX_PLANS or self.resolver.full

    # ---- elements that the host reads --------------------------------------------------------

    def _first(self, m: Matrix, number: int) -> int | Fault:
        """The floored first element of a number operand."""
        rectangle = m.values if m.cls != "Q" else None
        if rectangle is None:
            return Fault("K", number)
        if not rectangle.count:
            return Fault("S")
        return self.first(rectangle)

    def first(self, rectangle: Strided) -> int:
        """The floored first element of a rectangle that has one."""
        if rectangle.row < 0:
            return rectangle.value
        if rectangle.count > 1:
            cls, unit, row = rectangle.cls, rectangle.unit, rectangle.row
            rectangle = Strided(cls, 1, 1, unit, rectangle.offset, 1, 1, row)
        return int(self._host.numbers(rectangle)[0, 0])

    def _list(self, rectangle: Strided) -> list[int]:
        if rectangle.row < 0:
            return [rectangle.value]
        return [int(x) for x in self._host.numbers(rectangle).ravel()]

    # ---- instructions ----------------------------------------------------------------------

    def _plan_elements(
        self, op: Op, word: int, matrices: tuple[Matrix, ...], literal: int
    ) -> Plan | Fault:
        volatile = op.char in "rZIDw"
        key: tuple[object, ...] = (word, *matrices)
        if not volatile:
            found = self._plans.get(key)
            if found is not None:
                return found
        target = matrices[0]
        pixel = op.pixel and target.cls == "P"
        d = destination(target, pixel)
        if isinstance(d, Fault):
            return d
        if op.char == "O" and target.cls != "P":
            return Fault("K", 0)
        inputs: list[Strided] = []
        for place, matrix in enumerate(matrices[1:]):
            rectangle = source(op, place, place + 1, matrix, pixel)
            if isinstance(rectangle, Fault):
                return rectangle
            inputs.append(rectangle)
        sources = tuple(inputs)
        numbers: tuple[int, ...] = ()
        drawn = 0
        if volatile:
            read = self._host_numbers(op, d, sources)
            if read is None:
                return Fault("S")
            numbers, drawn = read
            key = (*key, numbers)
            found = self._plans.get(key)
            if found is not None:
                return found if op.char != "D" else _draws(found, drawn)
        shape = result_shape(op, (d.rows, d.cols), sources, numbers)
        if shape is None:
            return Fault("S")
        room = sources[0].count if op.char == "w" else 0
        if op.char == "w":
            shape = (1, numbers[0])
        plan = self._placer.place(
            op,
            target,
            d,
            shape,
            pixel,
            entries_under(op, word, matrices),
            inputs=sources,
            literal=literal,
            room=room,
            appends=appends_below(op, matrices),
            work=lambda written: work_of(op, written, sources, drawn),
        )
        if isinstance(plan, Fault):
            if plan.reason == "M" and op.char in "/%":
                return self._division(sources[1], shape) or plan
            return plan
        if plan.moved is None:
            self._plans[key] = plan
            if not volatile:
                self._steady[word] = tuple(byte for _, byte in entries_named(op, word))
        return plan

    def division_fault(self, plan: Plan) -> Fault | None:
        """The fault / of a planned division, for stops that come later in the order of checks."""
        return self._division(plan.inputs[1], plan.shape) if plan.op.char in "/%" else None

    def _division(self, b: Strided, shape: tuple[int, int]) -> Fault | None:
        """The fault / of dividing by ``b``, broadcast to ``shape``; no temporary of that shape."""
        rows, cols = shape
        if not rows or not cols:
            return None
        if b.row < 0:
            zero = None if b.value else (0, 0)
        else:
            zero = self._host.first_zero(b)
        return None if zero is None else Fault("/", min(zero[0] * cols + zero[1], MAX_DETAIL))

    def _host_numbers(
        self, op: Op, d: Strided, inputs: tuple[Strided, ...]
    ) -> tuple[tuple[int, ...], int] | None:
        """What the plan must know of elements, and what Draw draws; None: fault S."""
        if op.char == "w":
            a = inputs[0]
            return (int(a.value != 0) if a.row < 0 else self._host.nonzero(a),), 0
        if op.char == "I":
            if not inputs[0].count or not inputs[1].count:
                return None
            return (self.first(inputs[0]),), 0
        if op.char == "D":
            b = inputs[1]
            if not 2 <= b.cols <= 5:
                return None
            items = np.array([[b.value]]) if b.row < 0 else self._host.numbers(b)
            return (), drawn_elements(items, (d.rows, d.cols), inputs[0])
        s = inputs[1]
        return (tuple(self._list(s)), 0) if s.count == 2 else None

    def _plan_constants(
        self,
        op: Op,
        word: int,
        target: Matrix,
        shape: tuple[int, int],
        constants: tuple[int, ...],
        extra: tuple[Matrix, ...] = (),
    ) -> Plan | Fault:
        key = (word, target, *extra)
        found = self._plans.get(key)
        if found is not None:
            return found
        d = destination(target, False)
        if isinstance(d, Fault):
            return d
        plan = self._placer.place(
            op,
            target,
            d,
            shape,
            False,
            entries_under(op, word, (target, *extra)),
            constants=constants,
        )
        if isinstance(plan, Plan) and plan.moved is None:
            self._plans[key] = plan
            self._steady[word] = tuple(byte for _, byte in entries_named(op, word))
        return plan

    def _plan_shape(
        self, op: Op, word: int, matrices: tuple[Matrix, ...], which: int
    ) -> Plan | Fault:
        target, a = matrices
        constants = {
            "s": (a.rows, a.cols),
            "r": (a.rows,),
            "c": (a.cols,),
            "n": (a.rows * a.cols,),
        }[chr(which)]
        return self._plan_constants(op, word, target, (1, len(constants)), constants, (a,))

    def _plan_view(self, op: Op, word: int, matrices: tuple[Matrix, ...]) -> Plan | Fault:
        resolver, memory = self.resolver, self.memory
        a, s = matrices
        d_row = resolver.row_of(operand_byte(word, 0))
        at = d_row * memory.width
        before = memory.words[at : at + HEADER_PX].tolist()
        if before[0] & 0xFF != ord("V"):
            return Fault("K", 0)
        rectangle = s.values if s.cls != "Q" else None
        if rectangle is None:
            return Fault("K", 2)
        if not number_count_fits(rectangle.count):
            return Fault("S")
        numbers = tuple(self._list(rectangle))
        key = (word, a, d_row, numbers)
        plan = self._plans.get(key)
        if plan is None:
            words = self._view_header(operand_byte(word, 1), a, numbers)
            if isinstance(words, Fault):
                return words
            header = tuple(zip(range(at, at + HEADER_PX), words, strict=True))
            plan = self._plans[key] = Plan(
                op, False, None, (), 0, fuel_for(0), header=header, reshaped=d_row
            )
        if all(old == new for old, (_, new) in zip(before, plan.header, strict=True)):
            return Plan(op, False, None, (), 0, plan.fuel)
        return plan

    def _view_header(
        self, a_byte: int, a: Matrix, numbers: tuple[int, ...]
    ) -> tuple[int, ...] | Fault:
        resolver, memory = self.resolver, self.memory
        base = memory.header_at(a.row)
        a_header: list[int] | None = None
        if resolver.kind(a_byte) == "V":
            at = resolver.row_of(a_byte) * memory.width
            a_header = memory.words[at : at + HEADER_PX].tolist()
        return view_words(a, (base.kind, base.rows, base.cols), a_header, numbers)

    def _plan_name(self, op: Op, word: int, i: Matrix) -> Plan | Fault:
        resolver = self.resolver
        index = self._first(i, 2)
        if isinstance(index, Fault):
            return index
        d, origin = operand_byte(word, 0), operand_byte(word, 1) + index
        if not 0 <= origin < resolver.table_len:
            return Fault("N", 2)
        row = resolver.row_of(origin)
        stays = row == resolver.row_of(d)
        key = (word, row, stays)
        plan = self._plans.get(key)
        if plan is None:
            header = () if stays else ((resolver.table_addr + d, row),)
            renamed = -1 if stays else d
            plan = Plan(op, False, None, (), 0, fuel_for(0), header=header, renamed=renamed)
            self._plans[key] = plan
        return plan


def _draws(plan: Plan, drawn: int) -> Plan:
    """The plan of a Draw between the same matrices as ``plan`` that draws so many elements."""
    assert plan.d is not None
    work = work_of(plan.op, (plan.d.rows, plan.d.cols), plan.inputs, drawn)
    fuel = fuel_for(work)
    return plan if fuel == plan.fuel else replace(plan, fuel=fuel, kin=plan)
