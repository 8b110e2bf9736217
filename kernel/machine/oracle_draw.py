"""The oracle: blending, tiles, zoom and drawing."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from .oracle_control import numbers
from .oracle_move import pair
from .oracle_values import Fault, Grid, blend, build, common

if TYPE_CHECKING:
    from .oracle import Step


def over(step: Step) -> None:
    """d = a over b, pixel by pixel."""
    if step.refs["d"].kind != "P":
        raise Fault("K", 0)
    d, a, b = step.target(), step.operand("a"), step.operand("b")
    shape = common(a.shape, b.shape)
    step.pay(step.fit(d, shape))
    tops = step.elements(a).broadcast(*shape)
    lows = step.elements(b).broadcast(*shape)
    cells = [blend(int(x), int(y)) for x, y in zip(tops.cells, lows.cells, strict=True)]
    step.store_elements(d, Grid(*shape, list(cells)))


def tile(step: Step) -> None:
    """Each element of the map a replaced by that tile of the stack b."""
    d = step.target()
    a = step.values_only("a")
    b = step.operand("b")
    height, width = b.leaf or b.rows, b.cols
    shape = (a.rows * height, a.cols * width)
    step.pay(step.fit(d, shape))
    stack, tiles = step.elements(b), numbers(step, a)
    count = b.rows // height if height else 0

    def element(y: int, x: int) -> Any:
        number = tiles[y // height * a.cols + x // width]
        if not count:
            return 0
        return stack.at((number if 0 <= number < count else 0) * height + y % height, x % width)

    step.store_elements(d, build(*shape, element))


def zoom(step: Step) -> None:
    """s[0] x s[1], nearest neighbour."""
    d, a = step.target(), step.operand("a")
    rows, cols = pair(step)
    if rows < 0 or cols < 0:
        raise Fault("S")
    step.pay(step.fit(d, (rows, cols)))
    grid = step.elements(a)

    def element(y: int, x: int) -> Any:
        if not a.area:
            return 0
        return grid.at((2 * y + 1) * a.rows // (2 * rows), (2 * x + 1) * a.cols // (2 * cols))

    step.store_elements(d, build(rows, cols, element))


def draw(step: Step) -> None:
    """Draw a onto d for each row of b, in order, clipped."""
    d, a, b = step.target(), step.operand("a"), step.value("b")
    if not 2 <= b.cols <= 5:
        raise Fault("S")
    listed = numbers(step, b)
    items = [listed[k * b.cols : (k + 1) * b.cols] for k in range(b.rows)]
    drawn = []
    pixels = 0
    for item in items:
        top, left = item[:2]
        leaf = item[-1] if b.cols in (3, 5) else None
        first, height = 0, a.rows
        if leaf is not None and a.leaf:
            first, height = leaf * a.leaf, a.leaf
        elif leaf:
            continue
        if first < 0 or first + height > a.rows or height < 1 or a.cols < 1:
            continue
        rows, cols = item[2:4] if b.cols >= 4 else (height, a.cols)
        ys = range(max(0, top), min(d.rows, top + rows))
        xs = range(max(0, left), min(d.cols, left + cols))
        pixels += len(ys) * len(xs)
        drawn.append((top, left, first, height, ys, xs))
    step.pay(64 * b.rows + pixels)
    sprite, result = step.elements(a), step.kept(d)
    for top, left, first, height, ys, xs in drawn:
        for y in ys:
            for x in xs:
                at = y * d.cols + x
                cell = sprite.at(first + (y - top) % height, (x - left) % a.cols)
                if step.pixel:
                    result.cells[at] = blend(int(cell), int(result.cells[at]))
                else:
                    result.cells[at] = step.finished(d, cell)
    step.write(d, result)


RUN: dict[str, Callable[[Step], None]] = {"O": over, "t": tile, "Z": zoom, "D": draw}
