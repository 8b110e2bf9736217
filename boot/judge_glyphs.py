"""``pxos eval`` and ``pxos validate`` for a network that reads pictures of text: a text is drawn in
the font of the system first."""

from __future__ import annotations

import time
from argparse import Namespace
from typing import TYPE_CHECKING

import numpy as np

from .errors import DONE, BootError
from .judging import Countdown, Losses, executor, read_text, text_to_judge_by

if TYPE_CHECKING:
    from ..kernel.machine.program import Program
    from ..shell.lenses.networks import Comparison, ExecutorFactory
    from ..shell.lenses.networks.description import Transformer
    from ..shell.lenses.networks.readback import Matrices

#: What texts are drawn in.
FONT = "pxos-8x16"


def font() -> np.ndarray:
    """What each byte looks like: uint8 (256, pixels), 0 or 1; the end of a line is a bent arrow."""
    from ..fonts.atlas import load_glyphs

    return np.array([glyph.ravel() for glyph in load_glyphs(FONT)[:256]], np.uint8)


def _drawn(found: Matrices, text: bytes) -> tuple[np.ndarray, int]:
    """The numbers of a text's glyphs, those that the network has; how many were left out."""
    from ..shell.lenses.networks import glyph_pages

    numbers = glyph_pages.numbered(found, font())[np.frombuffer(text, np.uint8)]
    known = numbers[numbers >= 0]
    return known, len(numbers) - len(known)


def evaluate(program: Program, options: Namespace) -> int:
    """Follow ``pxos eval`` for such a network; the exit status.  Raises BootError."""
    from ..shell.lenses.networks import glyph_pages
    from ..shell.lenses.networks.readback import Matrices
    from ..shell.lenses.networks.reading import context_of

    text = text_to_judge_by(options)
    with executor(options) as factory:
        matrices = Matrices(program)
        tokens, left_out = _drawn(matrices, text)
        window, foreseen = context_of(matrices), len(tokens) - 1
        with Losses(options, "glyph", foreseen) as losses:

            def take(first: int, logits: np.ndarray) -> None:
                following = tokens[first + 1 : first + 1 + len(logits)]
                losses.add(glyph_pages.losses(logits, following))

            glyphs = matrices.text("GLYPHS")
            glyph_pages.judge(program, factory, glyphs, tokens[:-1], window, take)
    losses.tell(
        characters=foreseen,
        left_out=left_out,
        window=window,
        unknown="whose glyph the network does not know",
    )
    return DONE


def compare(
    program: Program, factory: ExecutorFactory, options: Namespace, reference: Transformer | None
) -> Comparison:
    """Compare such a network's logits with NumPy's, for ``pxos validate``.

    ``reference``: the network to compare with, None for the picture's own weights.  Without a text,
    glyphs are drawn by chance.  Raises BootError.
    """
    from ..shell.lenses.networks import Reference, glyph_pages
    from ..shell.lenses.networks.comparison import Tally
    from ..shell.lenses.networks.readback import Matrices, read_transformer
    from ..shell.lenses.networks.reading import context_of

    found = Matrices(program)
    context, glyphs = context_of(found), found.text("GLYPHS")
    network = reference or read_transformer(program)
    if network.glyphs is None or not np.array_equal(network.glyphs, glyphs):
        raise BootError("the reference does not have the picture's glyphs", options.model)
    if options.text is None:
        tokens = np.random.default_rng(1).integers(0, len(glyphs), 2 * context)
    else:
        tokens, _ = _drawn(found, read_text(options.text, options.last))
        if not len(tokens):
            raise BootError(
                "the text has no character whose glyph the network knows", str(options.text)
            )
    wanted, tally = Reference(network), Tally()
    with Countdown(len(tokens), "glyphs", time.perf_counter) as countdown:

        def take(first: int, logits: np.ndarray) -> None:
            tally.add(logits, wanted.logits(tokens[first : first + len(logits)]))
            countdown.count(len(logits))

        glyph_pages.judge(program, factory, glyphs, tokens, context, take)
    return tally.result()
