"""Matrix products on the GPU (``M m X x``), exact for every kind, shape and stride.

Three ways, chosen by shapes and kinds:

* ``matmul.wgsl``: an element an invocation; small products.  ``matmul_pieces.wgsl``: the same with
  the sum cut into pieces, where there are few elements or long sums.
* ``matmul_vector.wgsl``: few rows times a matrix of bytes, bound by the reading of the bytes.
* ``matmul_tiles``: large products, in tiles of byte digits.

All of them leave exact sums, and ``matmul_finish.wgsl`` rounds once.
"""

from __future__ import annotations

from weakref import WeakKeyDictionary

from ..quantised import FRACTION, float_parts
from .kit import Dispatch, Job, Kit, Shared, TooLarge, Work
from .matmul_tiles import bind_tiles, rows_of, wants_tiles

#: Longest sums that are not cut (four of them make a word of bytes), and longest pieces: software
#: drivers end an invocation after some 2^16 turns of its loops.
WHOLE, PIECE = 2048, 8192
#: Terms of a sum that are never cut up, and most pieces of one that are cut to make a GPU busy.
SHORT, MOST_PIECES = 256, 2048
#: Invocations that make a GPU busy.
BUSY = 1 << 16
#: Most words of scratch for sums: more are done a panel of rows at a time.
SCRATCH_WORDS = 1 << 24
#: Words that ``matmul_pieces.wgsl`` keeps of a piece.
PIECE_WORDS = 5

#: Most rows of a, and fewest elements of b, for ``matmul_vector.wgsl``.
VECTOR_ROWS = 16
VECTOR_ELEMENTS = 1 << 16
#: Longest sum whose byte products a word holds: 2^32 / 255^2.
VECTOR_INNER = 1 << 16
#: Workgroup of ``matmul_vector.wgsl`` (a larger one leaves fewer than 128 registers to each), and
#: the columns of the result that it sums where b is K x N; where b is N x K, one for 32 lanes.
VECTOR_SIZE, VECTOR_COLS = 512, 32

#: Inner sizes and row distances for which ``matmul_vector.wgsl`` is compiled, for one device: a
#: program whose matrices grow would have it compiled at every step, and all be kept.
MOST_SHAPES = 64
_SHAPES: WeakKeyDictionary[Shared, set[tuple[str, int, int]]] = WeakKeyDictionary()

#: Flags and bound of ``matmul_finish.wgsl``.
QUANTISED, NARROW, NARROW_BITS = 1, 2, 94


def bind(job: Job, kit: Kit) -> Work:
    """The dispatches of a product whose d has elements.  Raises TooLarge."""
    if job.op.char in "Xx":
        return Work(_general(job, kit))
    if _wants_vector(job) and _may_compile(job, kit):
        return Work(_vector(job, kit))
    if wants_tiles(job):
        try:
            return Work(bind_tiles(job, kit, finishing(job)))
        except TooLarge:  # a device whose bindings hold less than a tile of each operand
            return Work(_general(job, kit))
    return Work(_general(job, kit))


def finishing(job: Job) -> tuple[int, ...]:
    """What ``matmul_finish.wgsl`` reads from n[0] on."""
    rounds = int(job.d.cls != "I")
    place = FRACTION[job.d.cls] + rounds - FRACTION[job.a.cls]
    sum_bits = 32 + job.a.cols.bit_length()
    if job.b.cls == "Q":
        scale, scale_exponent = float_parts(job.b.scale_bits)
        offset, offset_exponent = float_parts(job.b.offset_bits)
        places = place + scale_exponent, place + offset_exponent
        reach = sum_bits + 8 + scale.bit_length(), sum_bits + offset.bit_length()
        flags, factors = QUANTISED, (scale, offset)
    else:
        places = (place - FRACTION[job.b.cls],) * 2
        reach, flags, factors = (sum_bits + 32, 0), 0, (1, 0)
    lower = min(places)
    bits = max(reach[0] + places[0] - lower, reach[1] + places[1] - lower)
    if -NARROW_BITS <= lower <= 0 and bits < NARROW_BITS:
        flags |= NARROW
    return *places, *factors, flags


# ---- any kinds, any strides ----------------------------------------------------------------------


def _general(job: Job, kit: Kit) -> tuple[Dispatch, ...]:
    """An element an invocation, or a piece of one."""
    inner = job.a.cols
    finish = finishing(job)
    pieces = max(-(-inner // PIECE), min(BUSY // job.count, inner // SHORT, MOST_PIECES))
    if pieces <= 1 and inner <= WHOLE:
        return (kit.pull("matmul", job, extra=(*finish, 0, 0, *_parts(job, 0))),)
    pieces = max(pieces, 1)
    length = -(-inner // pieces)
    pieces = -(-inner // length)
    row_words = PIECE_WORDS * pieces * job.shape[1]
    found: list[Dispatch] = []
    rows = max(1, SCRATCH_WORDS // row_words)
    for first in range(0, job.shape[0], rows):
        part = rows_of(job, first, min(rows, job.shape[0] - first))
        sums = part.count * pieces
        scratch = kit.scratch(PIECE_WORDS * sums)
        extra = (*finish, pieces, length, *_parts(job, first))
        found += (
            kit.dispatch(
                "matmul_pieces", "sums", job=part, items=sums, extra=extra, scratch=scratch
            ),
            kit.pull("matmul_pieces", part, extra=extra, scratch=scratch),
        )
    return tuple(found)


def _parts(job: Job, first: int) -> tuple[int, int, int]:
    """How ``X`` and ``x`` cut the columns of b: how many parts, at which of them the rows from
    ``first`` on begin, and how wide a part is."""
    width = {"x": job.a.cols, "X": job.shape[1]}.get(job.op.char, 0)
    if not width:
        return 1, 0, 0
    parts = job.b.cols // width
    return parts, first % parts, width


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


def _may_compile(job: Job, kit: Kit) -> bool:
    """Whether there is a pipeline for this shape, or may be one more."""
    shape = job.op.char, job.a.cols, job.b.row_step
    with kit.gpu.lock:
        shapes = _SHAPES.setdefault(kit.shared, set())
        if len(shapes) < MOST_SHAPES:
            shapes.add(shape)
        return shape in shapes


def _vector(job: Job, kit: Kit) -> tuple[Dispatch, ...]:
    """Whole columns summed by ``matmul_vector.wgsl``; words of d are finished at once."""
    rows, cols = job.shape
    size = next(size for size in (VECTOR_SIZE, 256) if size <= kit.gpu.max_invocations)
    entry, width = ("rows", size // 32) if job.op.char == "m" else ("columns", VECTOR_COLS)
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
        constants={
            "DIRECT": int(direct),
            "SIZE": size,
            "INNER": job.a.cols,
            "STEP": (job.b.row_step >> 2) & 0xFFFFFFFF,
            "A_FLAT": int(job.a.unit == 4 and job.a.col_step == 1),
            "B_PLACE": 2 if job.b.from_d else 1,
        },
        scratch=scratch,
    )
    if direct:
        return (sums,)
    return sums, kit.pull("matmul_vector", job, extra=extra, scratch=scratch)
