"""Put, Put rows and Accumulate: elements by position into d.

Few items look at each other.  Many leave their claims (the last of equal positions wins) or their
sums in counts, by atomic operations whose order does not matter; then either each item stores what
is its own, or a pass over all of d does.  Where d has more places than counts hold, it is done
range by range.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from .device import Buffer
from .kit import GROUP, Dispatch, Job, Kit, TooLarge, Work, pull_items
from .lines import MOST_POSITIONS

#: Most items that look at each other: of Put and Accumulate, of Put rows.
FEW, FEW_ROWS = 128, 32
#: Most places of d for which a workgroup counts in its own memory.
MOST_BINS = 1024
#: Least and most items of an invocation that counts so, and invocations that keep a GPU busy.
LEAST_ITEMS, MOST_ITEMS, BUSY = 16, 4096, 1 << 19
#: Items times this are few beside the places of d: each then stores what is its own.
SPARSE = 4


def put(job: Job, kit: Kit) -> Work:
    """Put and Accumulate.  Raises TooLarge for more than about 2^32 items or places."""
    items, places = job.b.count, job.d.count
    if max(items, places) > MOST_POSITIONS:
        raise TooLarge(f"{max(items, places)} positions are more than kernels count")
    if not items:
        return Work(())
    job = _in_a_row(job)
    plain = (items, places, int(job.pixel))
    if items <= FEW:
        return Work((kit.dispatch("index_few", "few", job=job, items=items, extra=plain),))
    adds = job.op.char == "@"
    if adds and places <= MOST_BINS:
        return _bins(job, kit, plain)
    sparse = job.d.unit == 4 and items * SPARSE < places
    per_place = 1 if not adds else 3 if sparse else 2
    done: list[Dispatch] = []
    for first, near, counts in _ranges(kit, places, per_place):
        extra = (*plain, first, near, int(sparse))
        claim = _over(job, kit, "claim", items, extra, counts)
        if sparse:
            reset = _over(job, kit, "reset", items, extra, counts)
            done += [reset, claim, _over(job, kit, "settle", items, extra, counts)]
        else:
            clear = kit.clear_counts(counts, per_place * near)
            done += [clear, claim, _all(job, kit, extra, counts)]
    return Work(tuple(done))


def put_rows(job: Job, kit: Kit) -> Work:
    """Put rows.  Raises TooLarge for more than about 2^32 items."""
    items, places = job.b.count, job.d.rows
    if items > MOST_POSITIONS:
        raise TooLarge(f"{items} positions are more than kernels count")
    if not items:
        return Work(())
    row_words = pull_items(job.d)[1]
    row_items = row_words or job.d.cols
    plain = (items, places, int(job.pixel))
    if items <= FEW_ROWS and items * row_items <= MOST_POSITIONS:
        extra = (*plain, 0, places, 0, row_items)
        total = items * row_items
        few = kit.dispatch("index_few", "few_rows", job=job, items=total, extra=extra)
        return Work((few,))
    done: list[Dispatch] = []
    for first, near, counts in _ranges(kit, places, 1):
        extra = (*plain, first, near, 0, row_items)
        claim = _over(job, kit, "claim", items, extra, counts)
        if items < places:
            reset = _over(job, kit, "reset", items, extra, counts)
            rows = _over(job, kit, "settle_rows", items * row_items, extra, counts)
            done += [reset, claim, rows]
        else:
            done += [kit.clear_counts(counts, near), claim, _all(job, kit, extra, counts)]
    return Work(tuple(done))


def _in_a_row(job: Job) -> Job:
    """The same with items in one row, where they lie so: then no position need be divided."""
    a, b = job.inputs
    if not b.is_flat or not (a.count == 1 or (a.is_flat and a.count == b.count)):
        return job
    return replace(job, inputs=(a if a.count == 1 else a.flattened(), b.flattened()))


def _ranges(kit: Kit, places: int, per_place: int) -> Iterator[tuple[int, int, Buffer]]:
    """(first place, places, counts) of each range of places whose counts fit a binding."""
    most = kit.gpu.binding_words // per_place
    for first in range(0, places, most):
        near = min(most, places - first)
        yield first, near, kit.counts(per_place * near)


def _over(
    job: Job, kit: Kit, entry: str, items: int, extra: tuple[int, ...], counts: Buffer
) -> Dispatch:
    """A kernel of index_scatter.wgsl over items."""
    return kit.dispatch("index_scatter", entry, job=job, items=items, extra=extra, counts=counts)


def _all(job: Job, kit: Kit, extra: tuple[int, ...], counts: Buffer) -> Dispatch:
    """The pass over all of d."""
    return kit.pull("index_scatter", job, extra=extra, counts=counts)


def _bins(job: Job, kit: Kit, plain: tuple[int, int, int]) -> Work:
    """Accumulate of many items into few places."""
    items, places, _ = plain
    counts = kit.counts(2 * places)
    each = min(max(-(-items // BUSY), LEAST_ITEMS), MOST_ITEMS)
    grid = kit.grid(-(-items // (GROUP * each)))
    counted = kit.dispatch(
        "index_bins", "bins", job=job, groups=grid, extra=(*plain, each), counts=counts
    )
    clear = kit.clear_counts(counts, 2 * places)
    return Work((clear, counted, _all(job, kit, (*plain, 0, places, 0), counts)))
