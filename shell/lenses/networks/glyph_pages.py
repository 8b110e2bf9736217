"""Pictures of text for a network that reads glyphs, and what it makes of them.

A caller hands over what the characters look like: lenses know no font.  Cells are numbered by the
network's own glyphs, ``GLYPHS``, which it knows by their pixels.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from ....kernel.machine.program import Program
from .readback import Matrices
from .seeing import Gallery
from .validate import ExecutorFactory, play, words_of

#: Rows and columns of a cell.
ROWS, COLUMNS = 16, 8


def judges(program: Program) -> bool:
    """Whether a program says what could follow each glyph of a picture, as the app does that the
    model builder makes."""
    modes = next((arg.choices for arg in program.meta.args if arg.name == "mode"), ())
    return "logits" in modes and {"GLYPHS", "network.pixels"} <= set(program.meta.names)


def numbered(found: Matrices, shown: np.ndarray) -> np.ndarray:
    """Which of the network's glyphs each picture is: int64 (n,), -1 for none.

    ``shown``: uint8 (n, pixels), 0 or 1.  Raises ReadbackError if the network has no glyphs.
    """
    known = {row.tobytes(): i for i, row in enumerate(found.text("GLYPHS"))}
    return np.array([known.get(row.tobytes(), -1) for row in shown], np.int64)


def line(cells: np.ndarray) -> np.ndarray:
    """A picture of one line of cells, black on white: uint8 (16, 8 n, 4).

    ``cells``: uint8 (n, 128), 0 or 1.
    """
    ink = cells.reshape(-1, ROWS, COLUMNS).transpose(1, 0, 2).reshape(ROWS, -1)
    picture = np.full((*ink.shape, 4), 255, np.uint8)
    picture[ink > 0, :3] = 0
    return picture


def judge(
    program: Program,
    factory: ExecutorFactory,
    glyphs: np.ndarray,
    tokens: np.ndarray,
    context: int,
    take: Callable[[int, np.ndarray], None],
) -> None:
    """Show a program a text in consecutive windows of ``context`` cells, each a picture.

    ``glyphs``: the pictures that ``tokens`` (int64 (n,)) number.  ``take(first, logits)`` is handed
    float64 (cells, glyphs) for each window, which begins with token number ``first``.  Raises
    ValidationError.
    """
    at = 0

    def took(picture: np.ndarray) -> None:
        nonlocal at
        found = words_of(picture) / 65536
        take(at, found)
        at += len(found)

    pieces = range(0, len(tokens), context)
    desk = Gallery(
        shown=[line(glyphs[tokens[i : i + context]]) for i in pieces],
        take=took,
    )
    play(program, factory, desk, {"mode": "logits"})


def losses(logits: np.ndarray, following: np.ndarray) -> np.ndarray:
    """The loss in nats of what follows each cell: float64 (n,) for logits (n or more, glyphs)."""
    logits = logits[: len(following)]
    top = logits.max(axis=1)
    total = np.log(np.exp(logits - top[:, None]).sum(axis=1)) + top
    return np.asarray(total - logits[np.arange(len(following)), following])
