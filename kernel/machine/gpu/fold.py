"""Fold, Cumulate and Argmax.

Short lines are folded by the very pass that stores the results; others by strips (lines.py).
Running folds are scans: each prefix is exact and finished by itself, so saturation does not spread.
Words go straight into d; bytes, and what is broadcast to a view, by way of scratch and a pull pass.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from ..quantised import X_MAX, X_MIN, is_bytes
from .device import Buffer
from .kit import Dispatch, Job, Kit, Work
from .lines import (
    COLUMNS,
    MOST_ITEMS,
    ROWS,
    Level,
    Lines,
    Strips,
    extras,
    fold_level,
    fold_levels,
    pair_words,
    scan,
    scan_levels,
    specialised,
)

#: Longest line that the storing pass folds itself, and longest of many columns.
SHORT, SHORT_COLUMN = 32, 1024
#: Columns that keep a GPU busy by themselves.
MANY = 1 << 15
#: Most strips of a line that the storing pass combines itself.
FEW_STRIPS = 64
#: Fewest columns and most pieces that a row of Norm is cut into, and the words of a sum of squares.
NORM_PIECE, MOST_NORM_PIECES, NORM_WORDS = 64, 4096, 3
#: How scans store (scan.wgsl).
DIRECT, WORDS, BYTES = 1, 2, 3


def empty_fold(operator: str, kind: str) -> int:
    """What a fold of no elements stores into ``kind``; Argmax: -1."""
    if operator == "R":
        return 0 if is_bytes(kind) else X_MIN
    if operator == "_":
        return 255 if is_bytes(kind) else X_MAX
    if operator == "&":
        return 255 if is_bytes(kind) else -1
    if operator == "a":
        return {"I": -1, "X": -65536}.get(kind, 0)
    return 0


def _lines(job: Job, operator: str) -> Lines:
    """The rows or columns of the operand."""
    a = job.a
    if job.op.char in "FCa":
        return Lines(ord(operator), ROWS, a.rows, a.cols)
    return Lines(ord(operator), COLUMNS, a.cols, a.rows)


def _filled(job: Job, kit: Kit, raw: int) -> Work:
    """The same raw element everywhere in d."""
    pair = kit.constant(np.array([raw & 0xFFFFFFFF, 0], np.uint32))
    return Work((kit.finish_sums(replace(job, shape=(1, 1)), pair, 0, raw=True),))


def _fold(job: Job, kit: Kit, operator: str) -> Work:
    """One element for each line."""
    lines = _lines(job, operator)
    across = lines.source == COLUMNS
    if not lines.length:
        return _filled(job, kit, empty_fold(operator, job.d.cls))
    levels = fold_levels(lines, across, FEW_STRIPS)
    words = pair_words(levels)
    if (
        lines.length <= SHORT
        or (across and lines.length <= SHORT_COLUMN and lines.lines >= MANY)
        or (words > kit.gpu.binding_words and lines.length <= MOST_ITEMS)
    ):
        whole = {"WHOLE": 1, **specialised(lines)}
        parameters = extras(lines, Strips(1, lines.length, 1, across))
        return Work((kit.pull("fold", job, extra=parameters, constants=whole),))
    scratch = kit.scratch(words)
    folds = [fold_level(kit, each, scratch, job, job.a) for each in levels]
    last = levels[-1]
    parameters = extras(last.next(), last.strips)
    return Work((*folds, kit.pull("fold", job, extra=parameters, scratch=scratch)))


def _cumulate(job: Job, kit: Kit) -> Work:
    """One element for each prefix of each line."""
    lines = _lines(job, chr(job.literal))
    across = lines.source == COLUMNS
    levels = scan_levels(lines, across)
    pairs = pair_words(levels[:-1])
    d = job.d
    if d.unit == 4 and (d.rows, d.cols) == job.shape:
        scratch = kit.scratch(pairs)
        return Work(scan(kit, job, job.a, levels, scratch, DIRECT, 0))
    if d.unit == 4:
        mode, words = WORDS, lines.total
    else:
        mode, words = BYTES, lines.lines * -(-lines.length // 4)
    scratch = kit.scratch(pairs + words)
    done = scan(kit, job, job.a, levels, scratch, mode, pairs)
    return Work((*done, _stored(job, kit, levels[0], scratch, mode, pairs)))


def _stored(job: Job, kit: Kit, first: Level, scratch: Buffer, mode: int, out: int) -> Dispatch:
    """The pull pass that fills d from a scan in scratch."""
    parameters = extras(first.lines, first.strips, None, mode, out)
    return kit.pull("scan", job, extra=parameters, scratch=scratch)


def _norm(job: Job, kit: Kit) -> Work:
    """The squares of pieces of each row, then each element."""
    rows, cols = job.a.rows, job.a.cols
    length = max(NORM_PIECE, -(-cols // MOST_NORM_PIECES))
    pieces = -(-cols // length)
    scratch = kit.scratch(NORM_WORDS * rows * pieces)
    extra = (pieces, length)
    squares = kit.dispatch(
        "fold_norm", "squares", job=job, items=rows * pieces, extra=extra, scratch=scratch
    )
    return Work((squares, kit.pull("fold_norm", job, extra=extra, scratch=scratch)))


def bind(job: Job, kit: Kit) -> Work:
    """The dispatches of a fold, a running fold, Argmax or Norm.

    Raises TooLarge where the pairs of strips, or a running fold that cannot go straight into d,
    need more than one binding.
    """
    if job.op.char == "n":
        return _norm(job, kit)
    if job.op.char == "a":
        return _fold(job, kit, "a")
    if job.op.char in "Ff":
        return _fold(job, kit, chr(job.literal))
    return _cumulate(job, kit)
