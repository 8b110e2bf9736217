"""Over, Tile, Zoom and Draw."""

from __future__ import annotations

from .kit import Dispatch, Job, Kit, Work, pull_items
from .pull_rows import is_plain, pull_rows

#: What ``draw`` draws on: ``MODE`` of draw_items.wgsl.
PIXELS, WORDS, BYTES = range(3)
#: Invocations of a workgroup of ``draw``, and how many of them stand side by side at most.
GROUP, ACROSS = 256, 64
#: Times that an invocation of ``draw`` may look at an item.
LOOKS = 1 << 13
#: Words of d, and items, from which an invocation of ``draw`` owns many words: every workgroup
#: looks at every item, so that their number is what counts.
LARGE, MANY = 1 << 21, 1 << 10


def _draw(job: Job, kit: Kit) -> tuple[Dispatch, ...]:
    """Draw the items, so many at a time that no invocation takes too many turns.

    Each dispatch draws on what the one before has left.
    """
    d, a, b = job.d, job.a, job.b
    if not a.count or not b.rows:
        return ()
    height = (a.leaf if b.cols in (3, 5) else 0) or a.rows
    words, row_words = pull_items(d)
    lanes = 4 if d.unit == 1 else 1
    most = LOOKS // lanes
    steps = 16 if words >= LARGE or b.rows >= MANY else 4
    width = d.cols if d.unit == 4 else row_words
    shift = min(ACROSS, 1 << (width - 1).bit_length()).bit_length() - 1
    across = -(-width // (1 << shift))
    tiles = across * -(-d.rows // ((GROUP >> shift) * steps))
    at_once = most // steps
    mode = PIXELS if job.pixel else WORDS if d.unit == 4 else BYTES
    return tuple(
        kit.dispatch(
            "draw_items",
            "draw",
            job=job,
            items=tiles,
            groups=kit.grid(tiles),
            row_words=row_words,
            constants={"MODE": mode},
            extra=(
                shift,
                steps,
                across,
                height,
                first,
                min(first + at_once, b.rows),
                a.rows // height,
            ),
        )
        for first in range(0, b.rows, at_once)
    )


def bind(job: Job, kit: Kit) -> Work:
    """The family's Binder."""
    if job.op.char == "D":
        return Work(_draw(job, kit))
    extra: tuple[int, ...] = ()
    if job.op.char == "t":
        height = job.b.leaf or job.b.rows
        extra = (height, job.b.rows // height if height else 0)
    source = job.b if job.op.char == "t" else job.a
    constants = {"OP": ord(job.op.char), "PLAIN": int(is_plain(job.d, source))}
    rows = pull_rows(kit, "draw", job, constants, extra)
    return Work((rows or kit.pull("draw", job, extra=extra),))
