"""Matrix products on the GPU (``M`` and ``m``), exact for every kind, shape and stride.

Three ways, chosen by shapes and kinds:

* ``matmul.wgsl``: an element an invocation; small products.  ``matmul_pieces.wgsl``: the same with
  the sum cut into pieces, where there are few elements or long sums.
* ``matmul_vector.wgsl``: few rows times a matrix of bytes, bound by the reading of the bytes.
* ``matmul_tiles``: large products, in tiles of byte digits.

All of them leave exact sums, and ``matmul_finish.wgsl`` rounds once.
"""

from __future__ import annotations

from dataclasses import replace

from ..quantised import FRACTION, float_parts
from .kit import Dispatch, Job, Kit, Operand, TooLarge, Work
from .matmul_tiles import bind_tiles, wants_tiles

#: Terms of a sum that an invocation adds at most: software drivers end long invocations.
PIECE = 2048
#: Terms of a sum that are never cut up.
SHORT = 256
#: Invocations that make a GPU busy.
BUSY = 1 << 14
#: Most words of scratch for sums: more are done a panel of rows at a time.
SCRATCH_WORDS = 1 << 24
#: Words that ``matmul_pieces.wgsl`` keeps of a piece.
PIECE_WORDS = 5

#: Most rows of a, and fewest elements of b, for ``matmul_vector.wgsl``.
VECTOR_ROWS = 8
VECTOR_ELEMENTS = 1 << 16
#: Longest sum whose byte products a word holds: 2^32 / 255^2.
VECTOR_INNER = 1 << 16
#: Columns of the result that a workgroup sums where b is K x N, and where it is N x K.
COLUMN_COLS, ROW_OUTPUTS = 32, 8


def bind(job: Job, kit: Kit) -> Work:
    """The dispatches of a product whose d has elements.  Raises TooLarge."""
    if _wants_vector(job):
        try:
            return Work(_vector(job, kit))
        except TooLarge:
            return Work(_general(job, kit))
    if wants_tiles(job):
        try:
            return Work(bind_tiles(job, kit, finishing(job)))
        except TooLarge:
            return Work(_general(job, kit))
    return Work(_general(job, kit))


def finishing(job: Job) -> tuple[int, ...]:
    """What ``matmul_finish.wgsl`` reads from n[0] on."""
    rounds = int(job.d.cls != "I")
    place = FRACTION.get(job.d.cls, 0) + rounds - FRACTION.get(job.a.cls, 0)
    if job.b.cls == "Q":
        scale, scale_exponent = float_parts(job.b.scale_bits)
        offset, offset_exponent = float_parts(job.b.offset_bits)
        return place + scale_exponent, place + offset_exponent, scale, offset, 1
    place -= FRACTION[job.b.cls]
    return place, place, 1, 0, 0


def panels(job: Job, rows: int) -> list[Job]:
    """The job cut into jobs of at most ``rows`` rows of the result."""
    total, cols = job.shape
    if total <= rows:
        return [job]
    # a result of several rows has the shape of d in this dimension
    cut = []
    for first in range(0, total, rows):
        count = min(rows, total - first)
        d, a = (rows_of(operand, first, count) for operand in (job.d, job.a))
        cut.append(replace(job, shape=(count, cols), d=d, inputs=(a, job.b)))
    return cut


def rows_of(operand: Operand, first: int, count: int) -> Operand:
    """Rows ``first``..``first + count - 1`` of an operand."""
    return replace(operand, rows=count, offset=operand.offset + first * operand.row_step)


# ---- any kinds, any strides ----------------------------------------------------------------------


def _general(job: Job, kit: Kit) -> tuple[Dispatch, ...]:
    """An element an invocation, or a piece of one."""
    inner = job.a.cols
    finish = finishing(job)
    pieces = -(-inner // PIECE)
    if inner > SHORT:
        pieces = max(pieces, min(BUSY // job.count, inner // SHORT))
    if pieces <= 1:
        return (kit.pull("matmul", job, extra=finish),)
    length = -(-inner // pieces)
    pieces = -(-inner // length)
    row_words = PIECE_WORDS * pieces * job.shape[1]
    found: list[Dispatch] = []
    for part in panels(job, max(1, SCRATCH_WORDS // row_words)):
        sums = part.count * pieces
        scratch = kit.scratch(PIECE_WORDS * sums)
        extra = (*finish, pieces, length)
        found += (
            kit.dispatch(
                "matmul_pieces", "sums", job=part, items=sums, extra=extra, scratch=scratch
            ),
            kit.pull("matmul_pieces", part, extra=extra, scratch=scratch),
        )
    return tuple(found)


# ---- few rows --------------------------------------------------------------------------------


def _wants_vector(job: Job) -> bool:
    """Whether few rows meet bytes that lie in aligned rows."""
    b = job.b
    return (
        job.shape[0] <= VECTOR_ROWS
        and b.unit == 1
        and b.count >= VECTOR_ELEMENTS
        and job.a.cols <= VECTOR_INNER
        and (b.col_step == 1 or b.cols == 1)
        and b.offset % 4 == 0
        and (b.row_step % 4 == 0 or b.rows == 1)
    )


def _vector(job: Job, kit: Kit) -> tuple[Dispatch, ...]:
    """Whole columns summed by ``matmul_vector.wgsl``; words of d are finished at once."""
    rows, cols = job.shape
    entry, width = ("rows", ROW_OUTPUTS) if job.op.char == "m" else ("columns", COLUMN_COLS)
    groups = -(-cols // width)
    direct = job.d.unit == 4 and job.shape == (job.d.rows, job.d.cols)
    extra = (*finishing(job), groups, groups * width)
    scratch = None if direct else kit.scratch(2 * rows * (groups * width + 1))
    sums = kit.dispatch(
        "matmul_vector",
        entry,
        job=job,
        groups=kit.grid(groups * rows),
        items=groups * rows,
        extra=extra,
        constants={"DIRECT": int(direct)},
        scratch=scratch,
    )
    if direct:
        return (sums,)
    return sums, kit.pull("matmul_vector", job, extra=extra, scratch=scratch)
