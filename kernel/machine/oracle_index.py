"""The oracle: counting, ordering, finding, gathering and scattering."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from .oracle_control import first, numbers
from .oracle_functions import Value
from .oracle_values import Fault, Grid, build, finish, fits

if TYPE_CHECKING:
    from .oracle import Step


def iota(step: Step) -> None:
    """1 x n: s, s + 1, s + 2, ..."""
    d = step.target()
    start = step.refs["s"]
    step.value("n")
    step.value("s")
    count = first(step, "n")
    if count < 0 or start.area == 0:
        raise Fault("S")
    begin = step.values(step.value("s")).cells[0]
    step.pay(step.fit(d, (1, count)))
    step.store(d, Grid(1, count, [begin + k for k in range(count)]))


def order(step: Step) -> None:
    """For each row the stable permutation that sorts it ascending."""
    d, a = step.target(), step.value("a")
    step.fit(d, a.shape)
    step.pay(a.area * a.cols.bit_length())
    grid = step.values(a)
    result: list[Value] = []
    for i in grid.filled_rows():
        result += [k for _, k in sorted(zip(grid.row(i), range(a.cols), strict=True))]
    step.store(d, Grid(*a.shape, result))


def index(step: Step) -> None:
    """For each row of b the number of the first equal row of a, or -1."""
    d, a, b = step.target(), step.value("a"), step.value("b")
    step.fit(d, (1, b.rows))
    step.pay(a.area + b.area)
    left, right = step.values(a), step.values(b)
    # Of rows without columns, which are all alike, the first is enough.
    count = a.rows if a.cols else min(a.rows, 1)
    table = [without_padding(left.row(i)) for i in range(count)]
    wanted = [without_padding(right.row(i)) for i in range(b.rows)]
    found = [table.index(row) if row in table else -1 for row in wanted]
    step.store(d, Grid(1, b.rows, list(found)))


def without_padding(row: list[Value]) -> list[Value]:
    """A row without its zeros on the right: rows are equal, one padded, exactly if these are."""
    while row and row[-1] == 0:
        row = row[:-1]
    return row


def where(step: Step) -> None:
    """Positions of the elements of a that are not zero; room is made for all of them."""
    d, a = step.target(), step.value("a")
    cells = [k for k, cell in enumerate(step.values(a).cells) if cell != 0]
    step.fit(d, (1, len(cells)), room=a.area)
    step.pay(a.area)
    step.store(d, Grid(1, len(cells), cells), room=a.area)


def gather(step: Step) -> None:
    """Elements (``G``) or rows (``g``) of a at the positions in i; outside: zeros."""
    d, a, i = step.target(), step.operand("a"), step.values_only("i")
    by_row = step.op.char == "g"
    shape = (i.area, a.cols) if by_row else i.shape
    step.fit(d, shape)
    step.pay(i.area * a.cols if by_row else i.area)
    grid, positions = step.elements(a), numbers(step, i)
    if by_row:
        result = build(
            *shape, lambda k, j: grid.at(positions[k], j) if 0 <= positions[k] < a.rows else 0
        )
    else:
        result = Grid(*shape, [grid.cells[k] if 0 <= k < a.area else 0 for k in positions])
    step.store_elements(d, result)


def put(step: Step) -> None:
    """d[i[k]] = a[k]: the last of equal positions wins, positions outside are ignored."""
    d, a, i = step.target(), step.operand("a"), step.values_only("i")
    fits(a.shape, i.shape)
    step.pay(i.area)
    given = step.elements(a).broadcast(*i.shape)
    result = step.kept(d)
    for k, position in enumerate(numbers(step, i)):
        if 0 <= position < d.area:
            result.cells[position] = step.finished(d, given.cells[k])
    step.write(d, result)


def put_rows(step: Step) -> None:
    """Row i[k] of d = row k of a."""
    d, a, i = step.target(), step.operand("a"), step.values_only("i")
    fits(a.shape, (i.area, d.cols))
    step.pay(i.area * d.cols)
    given = step.elements(a).broadcast(i.area, d.cols)
    result = step.kept(d)
    for k, position in enumerate(numbers(step, i)):
        if 0 <= position < d.rows:
            for j in range(d.cols):
                result.cells[position * d.cols + j] = step.finished(d, given.at(k, j))
    step.write(d, result)


def accumulate(step: Step) -> None:
    """d[i[k]] = finish(d[i[k]] + the sum of all a[k] put there)."""
    d, a, i = step.target(), step.value("a"), step.value("i")
    fits(a.shape, i.shape)
    step.pay(i.area)
    given = step.values(a).broadcast(*i.shape)
    before, result = step.values(d), step.kept(d)
    sums: dict[int, Value] = {}
    for k, position in enumerate(numbers(step, i)):
        if 0 <= position < d.area:
            sums[position] = sums.get(position, 0) + given.cells[k]
    for position, total in sums.items():
        result.cells[position] = finish(d.kind, before.cells[position] + total)
    step.write(d, result)


RUN: dict[str, Callable[[Step], None]] = {
    "I": iota,
    "o": order,
    "i": index,
    "w": where,
    "G": gather,
    "g": gather,
    "P": put,
    "p": put_rows,
    "@": accumulate,
}
