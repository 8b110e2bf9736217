"""The code under construction: instructions, pooled constants, temporaries."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ....kernel.machine.isa import RESERVED, SMALL_MAX, SMALL_MIN, Op, encode, small_operand
from .constants import fixed_word, integer_word
from .data import Value
from .errors import Place, SourceError
from .functions import BY_NAME, result_kind
from .kinds import raw_elements
from .symbols import LabelSymbol, Matrix, Number

#: More instructions than this are refused: a macro is expanding without end.
MAX_INSTRUCTIONS = 1 << 20


@dataclass(frozen=True, slots=True)
class Small:
    """A small integer as an operand; ``point``: it was written as fixed point."""

    value: int
    point: bool = False


Operand = Matrix | Small
#: What an instruction may carry: operands, a label, or a plain number (literal, n16, n24).
Field = Matrix | Small | LabelSymbol | int


@dataclass(frozen=True, slots=True)
class Instruction:
    """One instruction before the places of its operands are known.  ``op`` None: a word."""

    op: Op | None
    fields: tuple[Field, ...]
    place: Place


def kind_of(operand: Operand) -> str:
    """The class of an operand's elements, ``V`` if it is not known."""
    if isinstance(operand, Small):
        return "X" if operand.point else "I"
    return operand.shows


class Code:
    """Instructions in order, and the matrices that they made necessary."""

    def __init__(self) -> None:
        self.instructions: list[Instruction] = []
        self.pool: dict[tuple[object, ...], Matrix] = {}
        self.temporaries: dict[str, list[Matrix]] = {}
        self.busy: set[int] = set()
        self.reserved = {
            name: Matrix(
                name, "T" if name == "META" else "I", group="reserved", used=True, entry=entry
            )
            for entry, name in enumerate(RESERVED)
        }

    @property
    def pc(self) -> int:
        """The number of the next instruction."""
        return len(self.instructions)

    # ---- instructions ----------------------------------------------------------------------

    def emit(self, op: Op, fields: Sequence[Field], place: Place) -> None:
        """Append an instruction whose fields are in the order of ``op.form``."""
        if self.pc >= MAX_INSTRUCTIONS:
            raise SourceError(place, f"more than {MAX_INSTRUCTIONS} instructions")
        for field in fields:
            if isinstance(field, Matrix):
                if field.far:
                    raise SourceError(
                        place,
                        f"{field.name!r} is far: no instruction reaches it",
                        f"point another entry at it: name d = {field.name}",
                    )
                field.used = True
        self.instructions.append(Instruction(op, tuple(fields), place))

    def word(self, value: int, place: Place) -> None:
        """Append an instruction given as a number."""
        self.instructions.append(Instruction(None, (value,), place))

    def operation(
        self, op: Op | str, operands: Sequence[Field], place: Place, into: Matrix | None = None
    ) -> Matrix:
        """Emit ``into = op(operands)`` and return ``into``, or a temporary without it.

        Temporaries among the operands are free again afterwards.
        """
        row = BY_NAME[op] if isinstance(op, str) else op
        self.release(*operands)
        if into is None:
            kinds = [kind_of(o) for o in operands if isinstance(o, (Matrix, Small))]
            into = self.temporary(result_kind(row, kinds))
        self.emit(row, (into, *operands), place)
        return into

    # ---- temporaries -----------------------------------------------------------------------

    def temporary(self, kind: str) -> Matrix:
        """The first free temporary of a kind; it is busy until released."""
        row = self.temporaries.setdefault(kind, [])
        for matrix in row:
            if id(matrix) not in self.busy:
                break
        else:
            matrix = Matrix(f"~{kind}{len(row)}", kind, group="temporary", used=True)
            row.append(matrix)
        self.busy.add(id(matrix))
        return matrix

    def release(self, *operands: Field) -> None:
        """Temporaries among the operands may be used again."""
        for operand in operands:
            if isinstance(operand, Matrix):
                self.busy.discard(id(operand))

    # ---- constants -------------------------------------------------------------------------

    def number(self, number: Number, place: Place, *, raw: bool = False) -> Operand:
        """A constant as an operand: a small integer if its value is one, else pooled.

        ``raw``: the instruction works on raw words, so 1.0 must not become the integer 1.
        """
        value = number.value
        if (
            value.denominator == 1
            and SMALL_MIN <= value <= SMALL_MAX
            and not (raw and number.point)
        ):
            return Small(int(value), number.point)
        kind = "X" if number.point else "I"
        word = fixed_word(number, place) if kind == "X" else integer_word(number, place)
        shown = f"{float(value):g}" if kind == "X" else str(word)
        return self.pooled(kind, np.array([[word]], np.int32), shown)

    def value(self, value: Value, place: Place) -> Matrix:
        """A list or text as an operand, pooled."""
        array = raw_elements(value, value.kind, place)
        text = (
            bytes(array[0, :24]).decode("utf-8", "replace")
            if value.kind == "T" and len(array)
            else ""
        )
        shown = f'"{text}"' if value.kind == "T" else f"[{array.shape[0]}x{array.shape[1]}]"
        return self.pooled(value.kind, array, "".join(c if c.isprintable() else "." for c in shown))

    def pooled(self, kind: str, array: np.ndarray, shown: str) -> Matrix:
        """The pool's matrix with these elements."""
        key = (kind, array.shape, array.tobytes())
        if key not in self.pool:
            self.pool[key] = Matrix(
                "=" + shown,
                kind,
                group="constant",
                used=True,
                rows=array.shape[0],
                cols=array.shape[1],
                data=array,
            )
        return self.pool[key]

    def entry_of(self, matrix: Matrix) -> Matrix:
        """A constant: the number of a matrix's table entry."""
        key = ("entry", id(matrix))
        matrix.used = True
        if key not in self.pool:
            self.pool[key] = Matrix(
                f"=entry of {matrix.name}",
                "I",
                group="constant",
                used=True,
                rows=1,
                cols=1,
                entry_of=matrix,
            )
        return self.pool[key]

    # ---- words -----------------------------------------------------------------------------

    def words(self) -> np.ndarray:
        """The instructions as uint32 words; every entry and label must be placed."""
        return np.array([_encoded(one) for one in self.instructions], np.uint32)


def _encoded(instruction: Instruction) -> int:
    if instruction.op is None:
        value = instruction.fields[0]
        assert isinstance(value, int)
        return value & 0xFFFFFFFF
    data = 0
    shift = 0
    for name, field in zip(instruction.op.operands, instruction.fields, strict=True):
        bits = {"n16": 16, "n24": 24}.get(name, 8)
        data |= (_field(field) & ((1 << bits) - 1)) << shift
        shift += bits
    return encode(instruction.op.char) | data << 8


def _field(field: Field) -> int:
    if isinstance(field, Matrix):
        assert field.entry is not None
        return field.entry
    if isinstance(field, LabelSymbol):
        assert field.pc is not None
        return field.pc
    if isinstance(field, Small):
        operand = small_operand(field.value)
        assert operand is not None
        return operand
    return field
