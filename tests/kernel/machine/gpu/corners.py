"""Every pair of corner values of every three kinds, for what works element by element."""

from __future__ import annotations

import pytest

from tests.conformance.building import Draft, pack_bytes
from tests.conformance.values import CORNERS
from tests.kernel.machine.gpu.harness import compare

KINDS = "IXT"


def _line(draft: Draft, kind: str, cells: list[int], *, upright: bool) -> int:
    rows, cols = (len(cells), 1) if upright else (1, len(cells))
    if kind == "T":
        return draft.add("T", rows, cols, pack_bytes(rows, cols, bytes(cells)))
    return draft.integers(rows, cols, cells, kind)


def corner_draft(char: str, d: str, a: str, b: str | None) -> Draft:
    """d = a op b for all corners of a (a column) and all of b (a row); / and % without 0."""
    draft = Draft(spare_rows=60)
    entries = [draft.add(d, 0, 0), _line(draft, a, list(CORNERS[a]), upright=True)]
    if b is not None:
        cells = [cell for cell in CORNERS[b] if cell or char not in "/%"]
        entries.append(_line(draft, b, cells, upright=False))
    draft.emit(char, *entries)
    return draft


def check_corners(char: str, kinds: tuple[str, ...]) -> None:
    """Compare them all with the oracle."""
    d, a, *more = kinds
    draft = corner_draft(char, d, a, more[0] if more else None)
    assert compare(draft, f"{char} into {d} of {a}, {more}") == "done"


def kinds_of(count: int) -> pytest.MarkDecorator:
    """The test for every combination of ``count`` kinds, d's first."""
    combined: list[tuple[str, ...]] = [()]
    for _ in range(count):
        combined = [(*before, kind) for before in combined for kind in KINDS]
    return pytest.mark.parametrize("kinds", combined, ids="".join)
