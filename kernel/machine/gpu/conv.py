"""Konvolve and Konvolve wrapped, exact: 96-bit sums, finished once.

* ``conv_tile``: bytes with a kernel that is small enough for a tile of workgroup memory.
* ``conv``: anything else, element by element, as long as an invocation has few enough turns.
* ``conv_taps`` and ``conv_finish``: larger kernels, by partial sums.
"""

from __future__ import annotations

from dataclasses import replace
from typing import NamedTuple

from ..quantised import FRACTION
from . import kit as limits
from .device import Buffer
from .kit import Dispatch, Job, Kit, Work
from .pull_rows import WORDS, pull_rows, starts_at_words

#: Invocations of a workgroup; words of workgroup memory for the tile of ``conv_tile``.
GROUP, TILE_WORDS = 256, 3072
#: Taps of an invocation of ``conv`` or ``conv_taps``, in all its elements together.
TAPS = 1 << 12
#: Taps of an invocation of ``conv_tile``, in all its rows together.
TILE_TAPS = 1 << 13
#: Most slots of partial sums of an element; invocations that are worth having.
SLOTS, BUSY = 1 << 10, 1 << 16
#: Words of partial sums at a time.
BAND_WORDS = 1 << 24
#: Rows and columns of a from which coordinates are left to the slower kernels.
MOST = 1 << 30


class Tiling(NamedTuple):
    """A rectangle of ``conv_tile``: its width is 2**shift words, and each invocation makes
    ``steps`` rows of it; the tile behind it is ``tile_rows`` x ``tile_cols`` words."""

    shift: int
    steps: int
    tile_cols: int
    tile_rows: int


def tiling(rows: int, words: int, kernel: tuple[int, int], more: int) -> Tiling | None:
    """The rectangle that loads least for each word of a result of rows x words; None if no tile
    holds what the kernel reads, ``more`` words beside the rectangle's."""
    best: tuple[float, Tiling] | None = None
    for shift in range(3, 9):
        for steps in (1, 2, 4, 8):
            across, down = 1 << shift, (GROUP >> shift) * steps
            tile_cols, tile_rows = across + more, down + kernel[0] - 1
            tile = tile_cols * tile_rows
            if tile > TILE_WORDS or kernel[0] * kernel[1] * steps > TILE_TAPS:
                continue
            cost = tile / (min(across, words) * min(down, rows))
            if shift == 3:  # a row of the rectangle is less than most caches fetch at a time
                cost *= 1.5
            if best is None or cost < best[0]:
                best = cost, Tiling(shift, steps, tile_cols, tile_rows)
    return best[1] if best else None


def _tiled(job: Job, kit: Kit, channels: int, fraction: int) -> Dispatch | None:
    """The dispatch of ``conv_tile``; None if it does not apply or does not pay."""
    d, a, b = job.d, job.a, job.b
    if (d.rows, d.cols) != job.shape or job.count * b.count < limits.SPECIALISE:
        return None
    if a.unit != 1 or (a.cols > 1 and a.col_step != 1) or max(a.rows, a.cols) >= MOST:
        return None
    if d.unit == 1 and not starts_at_words(d):
        return None
    words = -(-d.cols // 4)
    more = b.cols - 1 if channels == 4 else (b.cols + 2) // 4
    found = tiling(d.rows, words, (b.rows, b.cols), more)
    if found is None:
        return None
    across = -(-words // (1 << found.shift))
    tiles = across * -(-d.rows // ((GROUP >> found.shift) * found.steps))
    wrapped = int(job.op.char == "k")
    return kit.dispatch(
        "conv_tile",
        "convolve",
        job=job,
        items=tiles,
        groups=kit.grid(tiles),
        constants={"CHANNELS": channels},
        extra=(
            found.shift,
            found.steps,
            across,
            found.tile_cols,
            found.tile_rows,
            fraction,
            wrapped,
        ),
    )


def _by_parts(job: Job, kit: Kit, channels: int, fraction: int) -> tuple[Dispatch, ...]:
    """Partial sums, then their sum, for a band of rows of the result after the other."""
    rows, cols = job.shape
    room = min(BAND_WORDS, kit.gpu.binding_words) // 3
    band = max(1, min(rows, room // cols))
    slots = min(SLOTS, -(-job.b.count // TAPS), -(-BUSY // (band * cols)), room // (band * cols))
    scratch = kit.scratch(3 * band * cols * max(1, slots))
    done: list[Dispatch] = []
    for row in range(0, rows, band):
        part = job
        if band < rows:
            count = min(band, rows - row)
            d = replace(job.d, rows=count, offset=job.d.offset + row * job.d.row_step)
            part = replace(job, d=d, shape=(count, cols))
        done += _band(part, row, kit, scratch, max(1, slots), channels, fraction)
    return tuple(done)


def _band(
    job: Job, row: int, kit: Kit, scratch: Buffer, slots: int, channels: int, fraction: int
) -> list[Dispatch]:
    """The rows of the result from ``row`` on that ``job`` asks for, in ``scratch``, then in d."""
    count, taps = job.count, job.b.count
    each = min(TAPS, -(-taps // slots))
    wrapped = int(job.op.char == "k")
    sums = [
        kit.dispatch(
            "conv_taps",
            "taps",
            job=job,
            items=slots * count,
            extra=(first, each, int(first > 0), row, count, channels, wrapped),
            scratch=scratch,
        )
        for first in range(0, taps, slots * each)
    ]
    return [*sums, kit.pull("conv_finish", job, extra=(fraction, slots, count), scratch=scratch)]


def bind(job: Job, kit: Kit) -> Work:
    """The family's Binder."""
    a, b = job.inputs
    channels = 4 if a.cls == "P" else 1
    fraction = FRACTION[a.cls] + FRACTION[b.cls]
    tiled = _tiled(job, kit, channels, fraction)
    if tiled is not None:
        return Work((tiled,))
    extra = fraction, channels
    if b.count * WORDS * (4 if job.d.unit == 1 else 1) <= TAPS:
        rows = pull_rows(kit, "conv", job, {"OP": ord(job.op.char)}, extra)
        if rows is not None:
            return Work((rows,))
    if b.count * (4 if job.d.unit == 1 else 1) <= TAPS:
        return Work((kit.pull("conv", job, extra=extra),))
    return Work(_by_parts(job, kit, channels, fraction))
