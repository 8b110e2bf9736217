"""Order: the stable permutation that sorts each row.

Bitonic sorting: up to 1024 columns in the memory of a workgroup, which takes several short rows at
once; longer rows in blocks of that, merged by steps between blocks.  n columns take about
log2(n / 1024)^2 / 2 steps through memory.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from .kit import Dispatch, Job, Kit, TooLarge, Work

#: Slots of a workgroup's block.
BLOCK = 1024
#: Where sorted blocks go (index_sort.wgsl).
TO_PAIRS, TO_COLUMNS, TO_D = range(3)


def order(job: Job, kit: Kit) -> Work:
    """The dispatches of Order.  Raises TooLarge for a row that is larger than a binding."""
    rows, cols = job.shape
    direct = job.d.unit == 4 and (job.d.rows, job.d.cols) == job.shape
    if direct and cols <= BLOCK:
        return Work((_blocks(job, kit, TO_D),))
    if cols > kit.gpu.binding_words:
        raise TooLarge(f"a row of {cols} columns is larger than one binding")
    step = kit.gpu.binding_words // cols
    done: list[Dispatch] = []
    for first in range(0, rows, step):
        part = _rows(job, first, min(step, rows - first)) if rows > step else job
        done += _sorted(part, kit, TO_D if direct else TO_COLUMNS)
        if not direct:
            counts = kit.counts(part.count)
            done.append(kit.pull("index_sort", part, extra=(cols,), counts=counts))
    return Work(tuple(done))


def _rows(job: Job, first: int, count: int) -> Job:
    """The instruction for some rows alone; only where the result has more than one row."""
    d, a = (
        replace(x, offset=x.offset + first * x.row_step, rows=count) for x in (job.d, job.a)
    )
    return replace(job, d=d, inputs=(a,), shape=(count, job.shape[1]))


def _sorted(job: Job, kit: Kit, to: int) -> Iterator[Dispatch]:
    """Sort all rows; keys in scratch, columns in counts."""
    rows, cols = job.shape
    if cols <= BLOCK:
        yield _blocks(job, kit, to)
        return
    yield _blocks(job, kit, TO_PAIRS)
    slots = 1 << (cols - 1).bit_length()
    size = 2 * BLOCK
    while size <= slots:
        yield _step(job, kit, size, 0, slots)
        apart = size // 4
        while apart >= BLOCK:
            yield _step(job, kit, size, apart, slots)
            apart //= 2
        yield _blocks(job, kit, to if size == slots else TO_PAIRS, merges=True)
        size *= 2


def _blocks(job: Job, kit: Kit, to: int, merges: bool = False) -> Dispatch:
    """Sort or merge all blocks."""
    rows, cols = job.shape
    width = min(BLOCK, 1 << (cols - 1).bit_length())
    blocks = -(-cols // BLOCK)
    return kit.dispatch(
        "index_sort",
        "sort_blocks",
        job=job,
        groups=kit.grid(-(-rows * blocks // (BLOCK // width))),
        extra=(cols, width, blocks, rows, int(merges), to),
        scratch=kit.scratch(job.count) if cols > BLOCK else None,
        counts=None if to == TO_D and cols <= BLOCK else kit.counts(job.count),
    )


def _step(job: Job, kit: Kit, size: int, apart: int, slots: int) -> Dispatch:
    """One step between blocks."""
    rows, cols = job.shape
    return kit.dispatch(
        "index_sort",
        "sort_step",
        job=job,
        items=rows * slots // 2,
        extra=(cols, 0, 0, rows, 0, 0, size, apart, slots),
        scratch=kit.scratch(job.count),
        counts=kit.counts(job.count),
    )
