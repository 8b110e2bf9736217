"""Index: for each row of b the first equal row of a.

Few rows of a are compared one after the other, more by many invocations at once.  Where that would
be too many pairs, the numbers of the rows of a are sorted by their rows (no hash: the time never
depends on the values) and each row of b is searched by halves: the first of equal rows comes first.
Rows of few columns are sorted column by column (radix), wide ones as a whole (bitonic).
"""

from __future__ import annotations

from collections.abc import Iterator

from .index_sort import IN_SCRATCH, digits_of, radix, scratch_words
from .kit import Dispatch, Job, Kit, TooLarge, Work

#: Most elements of a that one invocation compares with a row of b.
FEW = 512
#: Most pairs of rows that are compared without sorting.
PAIRS = 1 << 24
#: Rows of b for which the rows of a are never sorted.
FEW_ASKED = 64
#: Most columns that one invocation compares in all.
MOST_COMPARED = 1 << 12
#: Most columns that are sorted one by one.
FEW_COLUMNS = 16
#: Invocations that keep a GPU busy.
BUSY = 1 << 18
#: How the result is found (index_rows.wgsl), and what counts hold before.
TRIED, FOUND, SEARCHED = range(3)
NOTHING = 0xFFFFFFFF


def index(job: Job, kit: Kit) -> Work:
    """The dispatches of Index.  Raises TooLarge for rows of more than 4096 columns, unless they are
    very few, and for more rows than a binding has words."""
    a, b = job.a, job.b
    width = max(a.cols, b.cols)
    rows = a.rows if a.cols else min(a.rows, 1)  # rows without columns are all alike
    if rows * max(width, 1) <= FEW:
        return Work((kit.pull("index_rows", job, extra=(rows, width, TRIED)),))
    if width > MOST_COMPARED:
        raise TooLarge(f"rows of {width} columns are compared on the host")
    if b.rows <= FEW_ASKED or rows * b.rows <= PAIRS:
        return _tried(job, kit, rows, width)
    return _searched(job, kit, rows, width)


def _tried(job: Job, kit: Kit, rows: int, width: int) -> Work:
    """All pairs, by several invocations for each row of b."""
    asked = job.b.rows
    lanes = max(-(-rows * max(width, 1) // MOST_COMPARED), min(rows, BUSY // asked))
    counts = kit.counts(asked)
    each = kit.dispatch(
        "index_rows",
        "try_rows",
        job=job,
        items=asked * lanes,
        extra=(rows, width, FOUND, lanes),
        counts=counts,
    )
    store = kit.pull("index_rows", job, extra=(rows, width, FOUND), counts=counts)
    return Work((kit.clear_counts(counts, asked, NOTHING), each, store))


def _bitonic(rows: int) -> Iterator[tuple[int, tuple[int, int]]]:
    """The steps of bitonic sorting: slots; size and distance of what is compared (0: mirrored)."""
    slots = 1 << (rows - 1).bit_length()
    size = 2
    while size <= slots:
        yield slots, (size, 0)
        apart = size // 4
        while apart:
            yield slots, (size, apart)
            apart //= 2
        size *= 2


def _searched(job: Job, kit: Kit, rows: int, width: int) -> Work:
    """The sorted numbers of a's rows in scratch, the search of each row of b in counts."""
    scratch = kit.scratch(scratch_words(1, rows))
    counts = kit.counts(job.b.rows)

    def over(entry: str, items: int, *more: int) -> Dispatch:
        return kit.dispatch(
            "index_rows",
            entry,
            job=job,
            items=items,
            extra=(rows, width, SEARCHED, *more),
            scratch=scratch,
            counts=counts,
        )

    done: list[Dispatch] = []
    if 0 < job.a.cols <= FEW_COLUMNS:
        columns = reversed(range(job.a.cols))
        digits = [digit for column in columns for digit in digits_of(job.a.cls, column)]
        done += radix(job, kit, (1, rows), digits, IN_SCRATCH)
    else:
        done.append(over("number_rows", rows))
        done += [over("sort_rows", slots // 2, *step) for slots, step in _bitonic(rows)]
    done.append(kit.clear_counts(counts, job.b.rows))
    steps = max(1, MOST_COMPARED // max(width, 1))
    for high in range(rows.bit_length() - 1, -1, -steps):
        done.append(over("search_rows", job.b.rows, high, max(high - steps + 1, 0)))
    store = kit.pull(
        "index_rows", job, extra=(rows, width, SEARCHED), scratch=scratch, counts=counts
    )
    return Work((*done, store))
