"""Scratch matrices: those of procs that are never at work together share an entry."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Sequence

from .code import Instruction
from .symbols import LabelSymbol, Matrix


def share(
    matrices: Iterable[Matrix], instructions: Sequence[Instruction], starts: Sequence[int]
) -> dict[Matrix, list[Matrix]]:
    """Which matrices take the place of which others: the first of each group, and all of it.

    ``matrices``: declared scratch.  ``starts``: pcs at which the main code (0) and the procs
    begin, ascending.  Two share a place if they are of one kind, and no proc that uses the one can
    reach, by calls or jumps, one that uses the other.
    """
    users, edges = _survey(instructions, starts)
    reach = [_reachable(part, edges) for part in range(len(starts))]
    groups: dict[Matrix, list[Matrix]] = {}
    for matrix in matrices:
        own = users.get(id(matrix), set())
        for first, group in groups.items():
            others = set().union(*(users.get(id(other), set()) for other in group))
            apart = all(
                one not in reach[other] and other not in reach[one]
                for one in own
                for other in others
            )
            if apart and first.kind == matrix.kind:
                group.append(matrix)
                break
        else:
            groups[matrix] = [matrix]
    return groups


def _survey(
    instructions: Sequence[Instruction], starts: Sequence[int]
) -> tuple[dict[int, set[int]], list[set[int]]]:
    """The parts of the program that use a matrix, by its id; the parts that each part names."""
    users: dict[int, set[int]] = {}
    edges: list[set[int]] = [set() for _ in starts]
    for pc, instruction in enumerate(instructions):
        part = bisect_right(starts, pc) - 1
        for field in instruction.fields:
            if isinstance(field, Matrix):
                users.setdefault(id(field), set()).add(part)
            elif isinstance(field, LabelSymbol) and field.pc is not None:
                edges[part].add(bisect_right(starts, field.pc) - 1)
    return users, edges


def _reachable(start: int, edges: Sequence[set[int]]) -> set[int]:
    """The parts that run while ``start`` does: itself, and what it calls or jumps to."""
    found = {start}
    todo = [start]
    while todo:
        new = edges[todo.pop()] - found
        found |= new
        todo += new
    return found
