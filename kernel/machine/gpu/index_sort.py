"""Order: the stable permutation that sorts each row; and sorting the rows of a matrix by a column.

Rows of up to 1024 columns are sorted in the memory of a workgroup, several short ones at once
(bitonic).  Longer ones take a pass for each 8 bits of a key (radix sort, least digit first): count
the digits of each block of 4096, scan the counts, move.  Only numbers are moved; keys are looked up
in the operand.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import NamedTuple

from .device import Buffer
from .kit import Dispatch, Job, Kit, TooLarge, Work
from .lines import PAIRS, Lines, Pairs, pair_words, scan, scan_levels

#: Most columns that are sorted within a workgroup, and the slots that it has for them.
SHORT = 1024
#: Items of a workgroup in a radix pass, and values of a digit.
BLOCK, DIGITS = 4096, 256
#: Where numbers are and go (index_radix.wgsl).
UNMOVED, IN_COUNTS, IN_SCRATCH, TO_D = range(4)
#: How scans store pairs in place (scan.wgsl).
EXCLUSIVE = 0


class Digit(NamedTuple):
    """8 bits of a key: the lowest one's number, what is turned; the column if rows are sorted."""

    shift: int
    turned: int
    column: int | None


def digits_of(cls: str, column: int | None) -> list[Digit]:
    """The digits of elements of a class, least first."""
    if cls not in "IX":
        return [Digit(0, 0, column)]
    return [Digit(shift, 1 << 31, column) for shift in range(0, 32, 8)]


def order(job: Job, kit: Kit) -> Work:
    """The dispatches of Order.  Raises TooLarge for a row that is larger than a binding."""
    rows, cols = job.shape
    direct = job.d.unit == 4 and (job.d.rows, job.d.cols) == job.shape
    if direct and cols <= SHORT:
        return Work((_short(job, kit, None),))
    step = kit.gpu.binding_words // scratch_words(1, cols)
    if not step:
        raise TooLarge(f"numbers of {cols} columns and their digits need more than one binding")
    done: list[Dispatch] = []
    for first in range(0, rows, step):
        part = _rows(job, first, min(step, rows - first)) if rows > step else job
        scratch = kit.scratch(scratch_words(*part.shape))
        if cols <= SHORT:
            done.append(_short(part, kit, scratch))
        else:
            digits = digits_of(part.a.cls, None)
            done += radix(part, kit, part.shape, digits, TO_D if direct else IN_SCRATCH)
        if not direct:
            done.append(kit.pull("index_radix", part, scratch=scratch))
    return Work(tuple(done))


def _rows(job: Job, first: int, count: int) -> Job:
    """The instruction for some rows alone; only where the result has more than one row."""
    d, a = (replace(x, offset=x.offset + first * x.row_step, rows=count) for x in (job.d, job.a))
    return replace(job, d=d, inputs=(a,), shape=(count, job.shape[1]))


def _short(job: Job, kit: Kit, scratch: Buffer | None) -> Dispatch:
    """Short rows, into scratch or (None) into d."""
    rows, cols = job.shape
    slots = 1 << (cols - 1).bit_length()
    return kit.dispatch(
        "index_sort",
        "sort_rows",
        job=job,
        groups=kit.grid(-(-rows // (SHORT // slots))),
        extra=(cols, slots, rows, int(scratch is None)),
        scratch=scratch,
    )


def _counts(lines: int, items: int) -> Lines:
    """The counts of the digits of each block, digit by digit, behind the numbers in scratch."""
    length = DIGITS * -(-items // BLOCK)
    base = -(-lines * items // 2)
    return Lines(ord("A"), PAIRS, lines, length, Pairs(base, length, 1))


def scratch_words(lines: int, items: int) -> int:
    """Words of scratch for sorting ``lines`` times ``items`` numbers."""
    if items <= SHORT:
        return lines * items
    counts = _counts(lines, items)
    above = scan_levels(counts, across=False)
    return 2 * (counts.pairs.base + counts.total) + pair_words(above[:-1])


def radix(
    job: Job, kit: Kit, shape: tuple[int, int], digits: list[Digit], last: int
) -> Iterator[Dispatch]:
    """Sort the numbers 0..items-1 of each of ``shape`` = (lines, items) by digits of elements of a.

    ``last``: where they go in the end, IN_SCRATCH (its first words) or TO_D.
    """
    lines, items = shape
    scratch, numbers = kit.scratch(scratch_words(lines, items)), kit.counts(lines * items)
    counts = _counts(lines, items)
    blocks = -(-items // BLOCK)
    levels = scan_levels(counts, across=False, base=counts.pairs.base + counts.total)
    scanned = scan(kit, None, job.a, levels, scratch, EXCLUSIVE, 0)
    source = UNMOVED
    for number, digit in enumerate(digits):
        left = len(digits) - number - 1
        to = last if not left else IN_SCRATCH if left % 2 == 0 else IN_COUNTS
        by_column = (0, 0) if digit.column is None else (1, digit.column)
        extra = (items, lines, blocks, digit.shift, digit.turned, source, to, counts.pairs.base)

        def over(entry: str, extra: tuple[int, ...] = (*extra, *by_column)) -> Dispatch:
            return kit.dispatch(
                "index_radix",
                entry,
                job=job,
                groups=kit.grid(lines * blocks),
                extra=extra,
                scratch=scratch,
                counts=numbers,
            )

        yield over("count_digits")
        yield from scanned
        yield over("move_numbers")
        source = to
