"""Folding and scanning lines of elements: how lines are cut, and the dispatches that do it.

A *line* is a row or a column of an operand, or all its elements in row-major order, each 0 or 1
(:data:`FLAGS`, for Where).  Lines are cut into *strips*; a workgroup takes one strip of some lines.
Long lines take several levels: the pairs (see lines.wgsl) of the strips of one level are the lines
of the next.  Scratch so holds pairs of strips only: a few thousandths of the elements.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

from . import kit as kit_module
from .device import Buffer
from .kit import GROUP, Dispatch, Job, Kit, Operand, TooLarge

#: Sources of items, as in lines.wgsl.
ROWS, COLUMNS, FLAGS, PAIRS = range(4)
#: No pairs before the strips.
NONE = 0xFFFFFFFF
#: Invocations from which a GPU is busy: lines are cut until there are about so many.
BUSY = 1 << 19
#: Most positions that one invocation folds (kernels stay far below 2^14 iterations).
MOST_ITEMS = 4096
#: Positions of an invocation of a scan along rows: enough to outweigh the steps of the workgroup.
SCAN_ITEMS = 8  # scan.wgsl stages GROUP times as many
#: Most positions whose numbers, with those of a workgroup more, still fit a word.
MOST_POSITIONS = (1 << 32) - (1 << 21)


class Strips(NamedTuple):
    """How lines are cut: invocations a line, positions of an invocation, strips of a line.

    ``across``: neighbouring invocations are neighbouring lines, else positions of one line.
    """

    lanes: int
    items: int
    per_line: int
    across: bool


class Pairs(NamedTuple):
    """Where pairs lie in scratch: pair (line, place) at base + line * line_step + place * step."""

    base: int
    line_step: int
    step: int


NO_PAIRS = Pairs(0, 0, 0)


@dataclass(frozen=True)
class Lines:
    """``lines`` lines of ``length`` items, combined by ``operator`` (a character code)."""

    operator: int
    source: int
    lines: int
    length: int
    pairs: Pairs = NO_PAIRS

    @property
    def total(self) -> int:
        """Number of items."""
        return self.lines * self.length


def _power(count: int) -> int:
    """The least power of two that is not below ``count``."""
    return 1 << max(count - 1, 0).bit_length()


def cut(lines: Lines, across: bool, least_items: int) -> Strips:
    """Cut lines into strips; ``least_items`` (a multiple of 4): positions of an invocation."""
    share = -(-lines.total // BUSY)
    items = min(max(share + -share % 4, least_items), MOST_ITEMS)
    lanes = min(GROUP, _power(-(-lines.length // items)))
    if across:
        lanes = min(lanes, max(1, GROUP // _power(lines.lines)))
    if lanes == 1 and lines.lines >= GROUP * GROUP and lines.length <= MOST_ITEMS:
        items = lines.length + -lines.length % 4
    return Strips(lanes, items, -(-lines.length // (lanes * items)), across)


def cut_scan(lines: Lines, across: bool) -> Strips:
    """Cut lines for a scan, whose invocations take neighbouring positions of a line."""
    if across and lines.lines >= GROUP:
        return cut(lines, across, SCAN_ITEMS)
    together = _power(lines.lines) if across else 1
    lanes = min(GROUP // together, _power(-(-lines.length // SCAN_ITEMS)))
    return Strips(lanes, SCAN_ITEMS, -(-lines.length // (lanes * SCAN_ITEMS)), across)


def groups(lines: Lines, strips: Strips, kit: Kit) -> tuple[int, int]:
    """The grid: a workgroup for each strip of as many lines as fit into it."""
    return kit.grid(-(-lines.lines // (GROUP // strips.lanes)) * strips.per_line)


def extras(
    lines: Lines,
    strips: Strips,
    pairs: Pairs | None = None,
    mode: int = 0,
    out: int = 0,
) -> tuple[int, ...]:
    """The parameters of lines.wgsl; ``pairs``: of the strips, for scans to read, folds to write."""
    of_strips = pairs or Pairs(NONE, 0, 0)
    return (
        lines.operator,
        lines.source,
        lines.lines,
        lines.length,
        strips.lanes,
        strips.items,
        strips.per_line,
        int(strips.across),
        of_strips.base,
        lines.pairs.base,
        lines.pairs.line_step,
        lines.pairs.step,
        mode,
        of_strips.line_step,
        of_strips.step,
        out,
    )


def specialised(lines: Lines) -> dict[str, int]:
    """Override constants: large operands get pipelines for their operator and source."""
    if lines.source == PAIRS or lines.total < kit_module.SPECIALISE:
        return {}
    return {"OPERATOR": lines.operator, "SOURCE": lines.source + 1}


class Level(NamedTuple):
    """Lines cut into strips, and where the pairs of the strips go."""

    lines: Lines
    strips: Strips
    pairs: Pairs

    def next(self) -> Lines:
        """The pairs of the strips as lines."""
        return replace(self.lines, source=PAIRS, length=self.strips.per_line, pairs=self.pairs)


def level(lines: Lines, strips: Strips, base: int) -> Level:
    """A level whose pairs start at ``base``: strip by strip if the lines lie across."""
    steps = (1, lines.lines) if strips.across else (strips.per_line, 1)
    return Level(lines, strips, Pairs(base, *steps))


def pair_words(levels: Sequence[Level]) -> int:
    """Words of scratch that the pairs of all levels take."""
    return 2 * sum(each.lines.lines * each.strips.per_line for each in levels)


def fold_levels(lines: Lines, across: bool, most: int) -> list[Level]:
    """Levels until a line has at most ``most`` strips."""
    levels: list[Level] = []
    base = 0
    while True:
        strips = cut(lines, across, SCAN_ITEMS)
        levels.append(level(lines, strips, base))
        if strips.per_line <= most:
            return levels
        base += lines.lines * strips.per_line
        lines = levels[-1].next()


def scan_levels(lines: Lines, across: bool, base: int = 0) -> list[Level]:
    """Levels until a line is one strip; the last level so needs no pairs.

    ``base``: the first free pair of scratch.
    """
    levels: list[Level] = []
    while True:
        strips = cut_scan(lines, across)
        levels.append(level(lines, strips, base))
        if strips.per_line <= 1:
            return levels
        base += lines.lines * strips.per_line
        lines = levels[-1].next()


def fold_level(kit: Kit, each: Level, scratch: Buffer, job: Job | None, a: Operand) -> Dispatch:
    """The pairs of all strips of a level."""
    return kit.dispatch(
        "fold",
        "fold_strips",
        job=job,
        a=a,
        groups=groups(each.lines, each.strips, kit),
        extra=extras(each.lines, each.strips, each.pairs),
        constants=specialised(each.lines),
        scratch=scratch,
    )


def scan(
    kit: Kit,
    job: Job | None,
    a: Operand,
    levels: Sequence[Level],
    scratch: Buffer,
    mode: int,
    out: int,
) -> tuple[Dispatch, ...]:
    """Running folds of the first level, stored as ``mode`` of scan.wgsl says.

    Pairs of strips from the finest level to the coarsest, then back: each level becomes what
    stands before its strips.
    """
    down = [fold_level(kit, each, scratch, job, a) for each in levels[:-1]]
    up = []
    for number in reversed(range(len(levels))):
        lines, strips, pairs = levels[number]
        last = number == len(levels) - 1
        up.append(
            kit.dispatch(
                "scan",
                "scan_strips",
                job=job,
                a=a,
                groups=groups(lines, strips, kit),
                extra=extras(lines, strips, None if last else pairs, 0 if number else mode, out),
                constants=specialised(lines),
                scratch=scratch,
            )
        )
    return (*down, *up)


def flags_of(a: Operand) -> tuple[Operand, Lines]:
    """The line of 0 and 1 of an operand, which is taken as one row where it lies so.

    Raises TooLarge for more than about 2^32 elements.
    """
    if a.count > MOST_POSITIONS:
        raise TooLarge(f"{a.count} positions are more than kernels count")
    row = a.flattened() if a.is_flat else a
    return row, Lines(ord("A"), FLAGS, 1, a.count)
