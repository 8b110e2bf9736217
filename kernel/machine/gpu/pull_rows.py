"""Large results row by row: the host part of pull_rows.wgsl, shared by several families."""

from __future__ import annotations

from collections.abc import Iterable

from . import kit as limits
from .kit import GROUP, Dispatch, Job, Kit, Operand

#: Words that an invocation of ``pull_rows`` makes.
WORDS = 4


def starts_at_words(d: Operand) -> bool:
    """Whether the rows of a d of bytes start at words and have no gaps between elements."""
    rows_fit = d.rows <= 1 or d.row_step % 4 == 0
    return d.offset % 4 == 0 and rows_fit and (d.cols <= 1 or d.col_step == 1)


def pull_rows(
    kit: Kit,
    name: str,
    job: Job,
    constants: dict[str, int],
    extra: Iterable[int] = (),
    fusable: object = None,
) -> Dispatch | None:
    """The ``pull_rows`` entry of a family, specialised by ``constants``; None if d is small, or is
    not of the result's shape, or has gaps between its elements."""
    d = job.d
    if (d.rows, d.cols) != job.shape or job.count < limits.SPECIALISE:
        return None
    if not (starts_at_words(d) if d.unit == 1 else d.cols == 1 or d.col_step == 1):
        return None
    row_words = d.cols if d.unit == 4 else -(-d.cols // 4)
    words = d.rows * row_words
    return kit.dispatch(
        name,
        "pull_rows",
        job=job,
        items=words,
        groups=kit.grid(-(-words // (WORDS * GROUP))),
        row_words=row_words,
        constants={**constants, **_places(job), "D_BYTES": int(d.unit == 1)},
        extra=extra,
        fusable=fusable,
    )


def _places(job: Job) -> dict[str, int]:
    """In which buffers a and b are: their own (1) or d's (2)."""
    names = ("A_PLACE", "B_PLACE")
    found = {name: 2 if x.from_d else 1 for name, x in zip(names, job.inputs, strict=False)}
    return {"A_PLACE": 1, "B_PLACE": 1, **found}


def is_plain(d: Operand, source: Operand) -> bool:
    """Whether elements of ``source`` move into d as they are."""
    if d.unit == 4 and d.cls == "P":
        return True
    return source.cls == d.cls or (source.unit == 1 and (d.unit == 1 or d.cls == "I"))
