"""Large matrix products in tiles: byte digits, packed dot products, exact sums.

Every raw integer v is written in digits of base 256, v = sum of d_i * 256^i with d_i in -128..127.
``matmul_pack.wgsl`` cuts the operands into planes of digits, four inner elements to a word, and
records which planes are used.  ``matmul_tiles.wgsl`` multiplies each plane of a by each plane of b;
a pair with an unused plane ends at once, so that the range of the data decides what is done:
16-bit numbers times quantised bytes cost two products, 32-bit numbers four.  A sum of k products of
digits is at most 2^14 * k, which fits 32 bits up to k = 2^16.  ``matmul_gather.wgsl`` puts the
pairs together in 96 bits and rounds once.

Where b is bytes, one digit is a byte less 128 and the digits of a are offset, so that whole bytes
of range are enough: the gatherer makes up for both by the sums of rows of a and columns of b.  Else
digits are balanced: five for 32 bits, the fifth only next to 2^31.
"""

from __future__ import annotations

from dataclasses import replace

from .device import Buffer
from .kit import GROUP, Dispatch, Job, Kit, Operand

#: Terms of a product (rows * inner * columns) from which tiles are used, and the least of a side.
TERMS = 1 << 20
LEAST_SIDE = 8
#: Longest inner dimension: the sums of digits stay within 32 bits.
MOST_INNER = 1 << 16
#: Rows and columns of a tile, and the words (of four inner elements) that it takes in at a time.
TILE, DEPTH = 128, 8
#: Words of a block of the inner dimension: no invocation of software drivers may loop for long.
BLOCK = 1 << 12
#: Fewest words of a block where the inner dimension is cut to make a GPU busy; workgroups for that.
SHORT_BLOCK, BUSY_GROUPS = 64, 256
#: Words of scratch for sums of digits, and for packed operands: larger products are done in panels.
SUM_WORDS, PACK_WORDS = 1 << 26, 1 << 24

#: Slots of scratch buffers.
_SUMS, _LEFT, _RIGHT, _ROW_SUMS = range(4)
#: How ``matmul_pack.wgsl`` cuts an operand, and elements an invocation looks at for the magnitude.
BALANCED, SUMMED, OFFSET = range(3)
_EACH = 16
#: Words of counts before the sums of columns: marks of a and of b, magnitude of a.
_MARKS = 3


def wants_tiles(job: Job) -> bool:
    """Whether the product is large enough."""
    rows, cols = job.shape
    inner = job.a.cols
    sides = min(rows, cols, inner) >= LEAST_SIDE
    return sides and inner <= MOST_INNER and rows * inner * cols >= TERMS


def bind_tiles(job: Job, kit: Kit, finish: tuple[int, ...]) -> tuple[Dispatch, ...]:
    """The dispatches of a product; ``finish``: what ends its elements.  Raises TooLarge."""
    rows, cols = job.shape
    words = _padded(-(-job.a.cols // 4), DEPTH)
    left, right = _planes(job)
    # how many tiles' sums fit, and how many lines of tiles of each operand
    fit = min(SUM_WORDS, kit.gpu.binding_words) // (left * right * TILE * TILE)
    lines = min(PACK_WORDS, kit.gpu.binding_words) // (words * TILE)
    most_cols = _even(cols, min(fit, lines // right))
    most_rows = _even(rows, min(fit * TILE // most_cols, lines // left))
    found: list[Dispatch] = []
    for first_col in range(0, cols, most_cols):
        columns = _columns(job, first_col, min(most_cols, cols - first_col))
        marks = kit.counts(_MARKS + _padded(columns.b.rows, TILE))
        found += _pack_right(columns, kit, words, marks)
        for first in range(0, rows, most_rows):
            panel = rows_of(columns, first, min(most_rows, rows - first))
            if first:
                found.append(kit.clear_counts(marks, 1))
            found += _panel(panel, kit, words, finish, marks)
    return tuple(found)


def _even(count: int, most_tiles: int) -> int:
    """Rows or columns of a panel of at most so many tiles (one at least), all much alike."""
    tiles = -(-count // TILE)
    panels = -(-tiles // max(1, most_tiles))
    return -(-tiles // panels) * TILE


def _padded(count: int, unit: int) -> int:
    return -(-count // unit) * unit


def _planes(job: Job) -> tuple[int, int]:
    """Digits of an element of a and of b, at most."""
    if job.b.unit == 4:
        return (2 if job.a.unit == 1 else 5), 5
    return (2 if job.a.unit == 1 else 4), 1


def rows_of(job: Job, first: int, count: int) -> Job:
    """The job of ``count`` rows of the result alone, from row ``first`` on."""
    if count == job.shape[0]:
        return job
    d, a = (replace(x, rows=count, offset=x.offset + first * x.row_step) for x in (job.d, job.a))
    return replace(job, shape=(count, job.shape[1]), d=d, inputs=(a, job.b))


def _columns(job: Job, first: int, count: int) -> Job:
    """Columns ``first``.. of the result alone, with b lying as columns x inner."""
    b, d = job.b, job.d
    if job.op.char == "M":
        b = replace(b, rows=b.cols, cols=b.rows, row_step=b.col_step, col_step=b.row_step)
    if count == job.shape[1]:
        return replace(job, inputs=(job.a, b))
    b = replace(b, rows=count, offset=b.offset + first * b.row_step)
    d = replace(d, cols=count, offset=d.offset + first * d.col_step)
    return replace(job, shape=(job.shape[0], count), d=d, inputs=(job.a, b))


def _pack_right(job: Job, kit: Kit, words: int, marks: Buffer) -> list[Dispatch]:
    """b in planes, no plane of a or b known to be used but those found; and what a needs."""
    planes, lines = _planes(job)[1], _padded(job.b.rows, TILE)
    packed = kit.scratch(planes * lines * words, _RIGHT)
    if job.b.unit == 4:
        sizes = (lines, words, planes, 0, 1, BALANCED)
        return [kit.clear_counts(marks, _MARKS), _pack(kit, job.d, job.b, packed, marks, sizes)]
    return [
        kit.clear_counts(marks, _MARKS + lines),
        _pack(kit, job.d, job.b, packed, marks, (lines, words, planes, 128, 1, SUMMED)),
        kit.dispatch(
            "matmul_pack",
            "magnitude",
            d=job.d,
            a=job.a,
            items=job.a.count,
            groups=kit.grid(-(-job.a.count // (GROUP * _EACH))),
            constants=_place(job.a),
            counts=marks,
        ),
    ]


def _place(operand: Operand) -> dict[str, int]:
    """The constants of a kernel that reads this operand alone."""
    return {"A_PLACE": 2 if operand.from_d else 1}


def _pack(
    kit: Kit,
    d: Operand,
    operand: Operand,
    packed: Buffer,
    marks: Buffer,
    extra: tuple[int, ...],
) -> Dispatch:
    """Cut an operand into planes: ``extra`` lines, words, planes, bias, number of its mark, and how
    it is cut."""
    return kit.dispatch(
        "matmul_pack",
        "pack",
        d=d,
        a=operand,
        items=extra[0] * extra[1],
        extra=extra,
        constants=_place(operand),
        scratch=packed,
        counts=marks,
    )


def _panel(
    job: Job, kit: Kit, words: int, finish: tuple[int, ...], marks: Buffer
) -> list[Dispatch]:
    """Some rows of the result, with b packed."""
    rows, cols = job.shape
    lines, columns = _padded(rows, TILE), _padded(cols, TILE)
    left, right = _planes(job)
    biased = job.b.unit == 1
    packed = kit.scratch(left * lines * words, _LEFT)
    other = kit.scratch(right * columns * words, _RIGHT)
    row_sums = kit.scratch(2 * rows, _ROW_SUMS)

    tiles = (lines // TILE) * (columns // TILE)
    blocks = max(-(-words // BLOCK), min(-(-BUSY_GROUPS // tiles), words // SHORT_BLOCK))
    most = min(SUM_WORDS, kit.gpu.binding_words) // (left * right * lines * columns)
    blocks = max(-(-words // BLOCK), min(blocks, most))
    length = _padded(-(-words // blocks), DEPTH)
    blocks = -(-words // length)
    sums = kit.scratch(left * right * blocks * lines * columns, _SUMS)
    sizes = (lines, columns, words, length, blocks, left, right)
    groups = tiles * blocks * left * right
    found = [
        _pack(
            kit,
            job.d,
            job.a,
            packed,
            marks,
            (lines, words, left, 0, 0, OFFSET if biased else BALANCED),
        ),
        kit.dispatch(
            "matmul_tiles",
            "tiles",
            a=packed,
            b=other,
            groups=kit.grid(groups),
            items=groups,
            extra=sizes,
            constants={"A_PLACE": 1, "B_PLACE": 1},
            scratch=sums,
            counts=marks,
        ),
    ]
    if biased:
        found.append(
            kit.dispatch(
                "matmul_pack",
                "row_sums",
                d=job.d,
                a=job.a,
                groups=kit.grid(rows),
                items=rows,
                scratch=row_sums,
            )
        )
    extra = (*finish, int(biased), *sizes)
    found.append(
        kit.pull(
            "matmul_gather", job, extra=extra, a=row_sums, b=row_sums, scratch=sums, counts=marks
        )
    )
    return found
