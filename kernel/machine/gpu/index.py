"""Iota, Order, Index, Where, Gather, Put and Accumulate: elements by position."""

from __future__ import annotations

import numpy as np

from ..quantised import quantised_table
from .device import Buffer
from .index_rows import index
from .index_scatter import put, put_rows
from .index_sort import order
from .kit import Dispatch, Job, Kit, Operand, Work
from .lines import (
    SCAN_ITEMS,
    cut,
    extras,
    flags_of,
    groups,
    pair_words,
    scan,
    scan_levels,
    specialised,
)
from .pull_rows import pull_rows

#: How elements of the source become elements of d (index.wgsl).
CONVERT, PIXELS, TABLE = range(3)
#: How Where stores (scan.wgsl).
WHERE_DIRECT, WHERE_WORDS = 4, 5
#: Elements that signed words can name.
MOST_GATHERED = 1 << 31


def _pulled(job: Job, kit: Kit) -> Work:
    """Iota, Gather and Gather rows."""
    how, table = PIXELS if job.pixel else CONVERT, None
    a = job.a
    if a.cls == "Q":
        finished = quantised_table(a.scale_bits, a.offset_bits, job.d.cls).astype(np.int64)
        how, table = TABLE, kit.constant((finished & 0xFFFFFFFF).astype(np.uint32))
    extra = (how, min(a.count, MOST_GATHERED))
    if table is None:
        wide = pull_rows(kit, "index", job, {"OP": ord(job.op.char)}, extra)
        if wide is not None:
            return Work((wide,))
    return Work((kit.pull("index", job, extra=extra, scratch=table),))


def _where(job: Job, kit: Kit) -> Work:
    """Positions by a scan of flags; the plan has counted them."""
    d = job.d
    a, lines = flags_of(job.a)
    levels = scan_levels(lines, across=False)
    pairs = pair_words(levels[:-1])
    if d.unit == 4 and (d.rows, d.cols) == job.shape:
        return Work(scan(kit, job, a, levels, kit.scratch(pairs), WHERE_DIRECT, 0))
    scratch = kit.scratch(pairs + job.shape[1])
    done = scan(kit, job, a, levels, scratch, WHERE_WORDS, pairs)
    parameters = extras(lines, levels[0].strips, None, WHERE_WORDS, pairs)
    return Work((*done, kit.pull("scan", job, extra=parameters, scratch=scratch)))


def count_nonzero(a: Operand, kit: Kit) -> tuple[tuple[Dispatch, ...], Buffer]:
    """How many elements of ``a`` are not zero: word 0 of the buffer, once the dispatches are done.

    The buffer is shared: it must be read before anything else is recorded.
    """
    counts = kit.counts(1)
    clear = kit.clear_counts(counts, 1)
    if not a.count:
        return (clear,), counts
    row, lines = flags_of(a)
    strips = cut(lines, False, SCAN_ITEMS)
    count = kit.dispatch(
        "fold",
        "fold_strips",
        a=row,
        groups=groups(lines, strips, kit),
        extra=extras(lines, strips, None, 1),
        constants=specialised(lines),
        counts=counts,
    )
    return (clear, count), counts


def bind(job: Job, kit: Kit) -> Work:
    """The dispatches of an instruction of the family."""
    char = job.op.char
    if char in "IGg":
        return _pulled(job, kit)
    if char == "o":
        return order(job, kit)
    if char == "i":
        return index(job, kit)
    if char == "w":
        return _where(job, kit)
    if char == "p":
        return put_rows(job, kit)
    return put(job, kit)
