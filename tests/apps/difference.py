"""Two pictures and what differs between them, side by side, for people."""

from __future__ import annotations

import numpy as np

_GAP = 8
_GROUND = (255, 0, 255, 255)


def side_by_side(old: np.ndarray, new: np.ndarray) -> np.ndarray:
    """old | new | difference on a bright ground: where they differ, the difference is white, else
    a dark copy of the new one.  All uint8 (rows, cols, 4), of any two sizes."""
    rows = max(old.shape[0], new.shape[0])
    cols = max(old.shape[1], new.shape[1])
    differs = np.ones((rows, cols), bool)
    high, wide = min(old.shape[0], new.shape[0]), min(old.shape[1], new.shape[1])
    differs[:high, :wide] = (old[:high, :wide] != new[:high, :wide]).any(-1)
    third = np.zeros((rows, cols, 4), np.uint8)
    third[: new.shape[0], : new.shape[1], :3] = new[..., :3] // 4
    third[..., 3] = 255
    third[differs] = 255
    sheet = np.full((rows, cols * 3 + _GAP * 2, 4), _GROUND, np.uint8)
    for number, picture in enumerate((old, new, third)):
        left = number * (cols + _GAP)
        sheet[: picture.shape[0], left : left + picture.shape[1]] = picture
    return sheet


def described(old: np.ndarray, new: np.ndarray) -> str:
    """How much differs, in words."""
    if old.shape != new.shape:
        return f"{old.shape[0]}x{old.shape[1]} was, {new.shape[0]}x{new.shape[1]} is"
    differs = (old != new).any(-1)
    rows, cols = np.nonzero(differs)
    return (
        f"{differs.sum()} of {differs.size} pixels differ, in rows {rows.min()} to {rows.max()}, "
        f"columns {cols.min()} to {cols.max()}"
    )
