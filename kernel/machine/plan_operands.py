"""From an instruction word to its operands: literals checked, operand bytes resolved.

The order of checks is that of ``isa``: literals first, then the operands in byte order.
"""

from __future__ import annotations

from .isa import BY_CODE, FIRST_FREE_ENTRY, FIRST_SMALL, FOLD_OPERATORS, SHAPE_SELECTORS, Op
from .plan_resolve import Resolver
from .plan_types import Fault, Matrix
from .ports import PORTS

_LITERALS = {
    "'o": (frozenset(FOLD_OPERATORS.encode()), "L"),
    "'w": (frozenset("".join(SHAPE_SELECTORS).encode()), "L"),
    "'p": (frozenset("".join(PORTS).encode()), "P"),
}

_OPERAND_BYTES = {
    op.char: tuple(
        (n, name)
        for n, name in enumerate(op.operands)
        if name not in ("n16", "n24") and not name.startswith("'")
    )
    for op in BY_CODE.values()
}
_LITERAL_BYTE = {
    op.char: next(((n, name) for n, name in enumerate(op.operands) if name[0] == "'"), None)
    for op in BY_CODE.values()
}


def operand_byte(word: int, number: int) -> int:
    """Operand byte 0, 1 or 2 of an instruction word."""
    return word >> 8 * number + 8 & 0xFF


def entries_named(op: Op, word: int) -> list[tuple[int, int]]:
    """The operands of an instruction that name entries or small integers: (number, byte)."""
    return [(n, operand_byte(word, n)) for n, _ in _OPERAND_BYTES[op.char]]


def literal_of(op: Op, word: int) -> int | Fault:
    """The literal byte of an instruction, 0 if it has none; faults L and P."""
    place = _LITERAL_BYTE[op.char]
    if place is None:
        return 0
    number, name = place
    allowed, reason = _LITERALS[name]
    byte = operand_byte(word, number)
    return byte if byte in allowed else Fault(reason)


def operands_of(op: Op, word: int, resolver: Resolver) -> tuple[Matrix, ...] | Fault:
    """The operands in byte order; View's d and Name's d and a are not looked into.

    Faults N and V.
    """
    if op.char not in "VN":
        return _all_operands(op, word, resolver)
    found: list[Matrix] = []
    for number, name in _OPERAND_BYTES[op.char]:
        byte = operand_byte(word, number)
        if (
            name != "d"
            and (op.char, name) != ("N", "a")
            and not (name == "a" and byte >= FIRST_SMALL)
        ):
            matrix = resolver.operand(byte, number)
            if isinstance(matrix, Fault):
                return matrix
            found.append(matrix)
        elif byte >= FIRST_SMALL or (
            name == "d"
            and (byte >= resolver.table_len or (op.char == "N" and byte < FIRST_FREE_ENTRY))
        ):
            return Fault("N", number)
    return tuple(found)


def _all_operands(op: Op, word: int, resolver: Resolver) -> tuple[Matrix, ...] | Fault:
    found: list[Matrix] = []
    for number, name in _OPERAND_BYTES[op.char]:
        byte = word >> 8 * number + 8 & 0xFF
        if byte >= FIRST_SMALL and name == "d":
            return Fault("N", number)
        matrix = resolver.operand(byte, number)
        if isinstance(matrix, Fault):
            return matrix
        found.append(matrix)
    return tuple(found)


def entries_under(op: Op, word: int, matrices: tuple[Matrix, ...]) -> frozenset[int]:
    """The table entries on whose headers a plan with these operands rests."""
    named = {byte for _, byte in entries_named(op, word) if byte < FIRST_SMALL}
    return frozenset(named | {m.entry for m in matrices if m.entry >= 0})
