"""An instruction in words, for error cards and tools."""

from __future__ import annotations

from collections.abc import Sequence

from .isa import BY_CODE, FIRST_SMALL, SMALL_ZERO


def operand_name(byte: int, names: Sequence[str]) -> str:
    """An operand byte as people write it: a small integer, a matrix name, or ``#entry``."""
    if byte >= FIRST_SMALL:
        return str(byte - SMALL_ZERO)
    return names[byte] if byte < len(names) and names[byte] else f"#{byte}"


def describe(word: int, names: Sequence[str]) -> str:
    """An instruction word as people read it: ``/ Divide  out sum nine``.

    ``names`` are matrix names by table entry.
    """
    op = BY_CODE.get(word & 0xFF)
    if op is None:
        return f"{word:#010x}, which is no instruction"
    bytes_left = [word >> shift & 0xFF for shift in (8, 16, 24)]
    shown = []
    for operand in op.operands:
        if operand == "n16":
            low, high = bytes_left[:2]
            number = low | high << 8
            signed = op.char == "#" and number >= 0x8000
            shown.append(str(number - 0x10000 if signed else number))
            del bytes_left[:2]
        elif operand == "n24":
            shown.append(str(word >> 8))
        elif operand.startswith("'"):
            byte = bytes_left.pop(0)
            shown.append(f"'{chr(byte)}" if 32 < byte < 127 else str(byte))
        else:
            shown.append(operand_name(bytes_left.pop(0), names))
    return f"{op.char} {op.name}  {' '.join(shown)}".rstrip()
