"""The oracle: selecting, reshaping, joining, and products."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from .memory import words_for
from .oracle_control import numbers
from .oracle_values import Fault, Grid, Ref, build, fits, stretch

if TYPE_CHECKING:
    from .oracle import Step


def select(step: Step) -> None:
    """Where c is not zero, d = a."""
    d = step.target()
    c = step.values_only("c")
    a = step.operand("a")
    fits(c.shape, d.shape)
    fits(a.shape, d.shape)
    step.pay(d.area)
    holds = step.values(c).broadcast(*d.shape)
    given = step.elements(a).broadcast(*d.shape)
    result = step.kept(d)
    for k, cell in enumerate(given.cells):
        if holds.cells[k] != 0:
            result.cells[k] = step.finished(d, cell)
    step.write(d, result)


def reshape(step: Step) -> None:
    """s[0] x s[1]: the elements of a in order, again from the start when they run out."""
    d, a = step.target(), step.operand("a")
    rows, cols = pair(step)
    if rows < -1 or cols < -1 or rows == cols == -1:
        raise Fault("S")
    if rows == -1:
        rows = a.area // cols if cols else 0
    if cols == -1:
        cols = a.area // rows if rows else 0
    step.pay(step.fit(d, (rows, cols)))
    cells = step.elements(a).cells or [0]
    step.store_elements(d, Grid(rows, cols, [cells[k % len(cells)] for k in range(rows * cols)]))


def pair(step: Step) -> tuple[int, int]:
    """The two numbers of the operand s; fault S if they are not two."""
    s = step.value("s")
    if s.area != 2:
        raise Fault("S")
    rows, cols = numbers(step, s)
    return rows, cols


def transpose(step: Step) -> None:
    """d[j, i] = a[i, j]."""
    d, a = step.target(), step.operand("a")
    step.pay(step.fit(d, (a.cols, a.rows)))
    grid = step.elements(a)
    step.store_elements(d, build(a.cols, a.rows, lambda i, j: grid.at(j, i)))


def beside(step: Step) -> None:
    """a, then b to its right."""
    d, a, b = step.target(), step.operand("a"), step.operand("b")
    parts = [ref for ref in (a, b) if ref.shape != (0, 0)]
    rows = stretch(parts[0].rows, parts[-1].rows) if parts else 0
    cols = sum(ref.cols for ref in parts)
    step.pay(step.fit(d, (rows, cols)))
    grids = [step.elements(ref).broadcast(rows, ref.cols) for ref in parts]
    cells = [cell for i in range(rows if cols else 0) for grid in grids for cell in grid.row(i)]
    step.store_elements(d, Grid(rows, cols, cells))


def below(step: Step) -> None:
    """a, then b under it; appending to d in place pays for b alone."""
    d, a, b = step.target(), step.operand("a"), step.operand("b")
    parts = [ref for ref in (a, b) if ref.shape != (0, 0)]
    cols = stretch(parts[0].cols, parts[-1].cols) if parts else 0
    rows = sum(ref.rows for ref in parts)
    work = step.fit(d, (rows, cols))
    step.pay(b.rows * cols if appends(step, d, a, b, rows, cols) else work)
    grids = [step.elements(ref).broadcast(ref.rows, cols) for ref in parts]
    cells = [cell for grid in grids for cell in grid.cells]
    step.store_elements(d, Grid(rows, cols, cells))


def appends(step: Step, d: Ref, a: Ref, b: Ref, rows: int, cols: int) -> bool:
    """Whether ``;`` leaves the elements of d where they are and adds b behind them."""
    if a.row != d.row or step.fixed(d) or a.view or (b.row == d.row and not b.view):
        return False
    room = step.memory.header_at(d.row).capacity_px
    return a.cols == cols and words_for(d.kind, rows, cols // step.lanes(d)) <= room


# ---- products ----------------------------------------------------------------------------


def matmul(step: Step) -> None:
    """d[i, j] = the exact sum of a[i, k] * b[k, j] (``m``: b[j, k]), finished once."""
    d, a, b = step.target(), step.value("a"), step.value("b")
    transposed = step.op.char == "m"
    inner, cols = (b.cols, b.rows) if transposed else (b.rows, b.cols)
    if a.cols != inner:
        raise Fault("S")
    step.fit(d, (a.rows, cols))
    step.pay(a.rows * inner * cols // 8)
    left, right = step.values(a), step.values(b)
    lines = [left.row(i) for i in range(a.rows if cols else 0)]
    columns = [right.row(j) if transposed else right.column(j) for j in range(cols)]
    step.store(
        d,
        build(
            a.rows, cols, lambda i, j: sum(x * y for x, y in zip(lines[i], columns[j], strict=True))
        ),
    )


def matmul_parts(step: Step) -> None:
    """The same with b's columns cut into n parts, of which row i of a meets part i mod n."""
    d, a, b = step.target(), step.value("a"), step.value("b")
    transposed = step.op.char == "x"
    if transposed:
        width, cols = a.cols, b.rows
        parts = b.cols // width if width else 1
        fits = parts >= 1 and parts * width == b.cols
    else:
        parts = max(step.refs["a"].leaf or a.rows, 1)
        width = cols = b.cols // parts
        fits = parts * width == b.cols and a.cols == b.rows
    if not fits:
        raise Fault("S")
    step.fit(d, (a.rows, cols))
    step.pay(a.rows * a.cols * cols // 8)
    left, right = step.values(a), step.values(b)

    def element(i: int, j: int) -> Any:
        first = i % parts * width
        if transposed:
            return sum(left.at(i, k) * right.at(j, first + k) for k in range(a.cols))
        return sum(left.at(i, k) * right.at(k, first + j) for k in range(a.cols))

    step.store(d, build(a.rows, cols, element))


def convolve(step: Step) -> None:
    """Correlation of a with b, coordinates clamped (``K``) or wrapped (``k``)."""
    d, a, b = step.target(), step.value("a"), step.value("b")
    step.fit(d, a.shape)
    step.pay(a.area * b.area)
    lanes = 4 if step.refs["a"].kind == "P" else 1
    image, kernel = step.values(a), step.values(b)
    height, width = a.rows, a.cols // lanes
    wrapped = step.op.char == "k"

    def place(at: int, size: int) -> int:
        return at % size if wrapped else max(0, min(size - 1, at))

    def element(y: int, at: int) -> Any:
        x, lane = divmod(at, lanes)
        return sum(
            kernel.at(u, v)
            * image.at(
                place(y + u - b.rows // 2, height), place(x + v - b.cols // 2, width) * lanes + lane
            )
            for u in kernel.filled_rows()
            for v in kernel.filled_cols()
        )

    step.store(d, build(*a.shape, element))


RUN: dict[str, Callable[[Step], None]] = {
    "?": select,
    "r": reshape,
    "T": transpose,
    ",": beside,
    ";": below,
    "M": matmul,
    "m": matmul,
    "X": matmul_parts,
    "x": matmul_parts,
    "K": convolve,
    "k": convolve,
}
