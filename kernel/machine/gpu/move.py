"""Select, Reshape, Transpose, Beside and Below: elements move, converted if kinds differ."""

from __future__ import annotations

from . import kit as limits
from .fuse import step
from .kit import Dispatch, Job, Kit, Work
from .pull_rows import is_plain, pull_rows, starts_at_words

#: Rows and columns of a in a tile of ``transpose_words`` and of ``transpose_bytes``.
WORD_TILE = 32, 32
BYTE_TILE = 128, 64
#: Matrices thinner than this are transposed as well without tiles: what a strided read brings along
#: is soon used by a neighbour.
THIN = 8


def _transpose(job: Job, kit: Kit) -> Dispatch | None:
    """Transpose through tiles; None if that does not apply or does not pay."""
    d, a = job.d, job.a
    whole = (d.rows, d.cols) == job.shape
    if not whole or job.count < limits.SPECIALISE or min(a.rows, a.cols) < THIN:
        return None
    if d.unit == 1 and not starts_at_words(d):
        return None
    entry, tile = ("transpose_words", WORD_TILE) if d.unit == 4 else ("transpose_bytes", BYTE_TILE)
    across = -(-a.cols // tile[1])
    tiles = -(-a.rows // tile[0]) * across
    return kit.dispatch(
        "transpose", entry, job=job, items=tiles, groups=kit.grid(tiles), extra=(across,)
    )


def bind(job: Job, kit: Kit) -> Work:
    """The family's Binder."""
    if job.op.char == "T":
        tiled = _transpose(job, kit)
        if tiled is not None:
            return Work((tiled,))
    fusable = step(job, kit) if job.op.char == "?" else None
    sources = {"?": job.inputs[1:], "r": job.inputs[:1]}.get(job.op.char, job.inputs)
    plain = all(is_plain(job.d, source) for source in sources)
    constants = {"OP": ord(job.op.char), "PLAIN": int(plain)}
    rows = pull_rows(kit, "move", job, constants, fusable=fusable)
    return Work((rows or kit.pull("move", job, fusable=fusable),))
