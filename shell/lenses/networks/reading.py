"""What a picture that writes text takes a text for: the tokens that it reads.

A network at character level has a table of bytes, ``ENCODE``, and leaves out what is not in it.  An
imported one has a tokeniser of its own, which is run: ``--mode tokens``.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ....kernel.machine.program import Program
from .readback import Matrices
from .validate import ExecutorFactory, ValidationError, run, words_of

#: What texts are drawn from where the picture has no table: printable ASCII.
_PRINTABLE = np.arange(32, 127)


@dataclass(frozen=True, slots=True, eq=False)
class Reading:
    """A text as a picture reads it.

    ``text``: what it makes something of.  ``tokens``: int64 (n,), with those that stand before
    every text.  ``characters``: how many of the text are foreseen: all but the first where a
    character is a token, else all.  ``left_out``: bytes that it does not know.
    """

    text: bytes
    tokens: np.ndarray
    characters: int
    left_out: int


def judges(program: Program) -> bool:
    """Whether a program has the modes by which the model builder's apps judge texts."""
    modes = next((arg.choices for arg in program.meta.args if arg.name == "mode"), ())
    return {"logits", "loss"} <= set(modes) and "picture" in program.meta.ports


def context_of(found: Matrices) -> int:
    """How many tokens the network of a picture sees at once.  Raises ReadbackError."""
    return found.shape("COLUMNS")[1]


def read_text(program: Program, found: Matrices, factory: ExecutorFactory, text: bytes) -> Reading:
    """How a picture that :func:`judges` reads a text.

    Raises ValidationError for a text in which it knows nothing.
    """
    if "ENCODE" in found:
        characters = np.frombuffer(text, np.uint8)
        tokens = found.words("ENCODE").ravel()[characters]
        known = tokens >= 0
        kept = characters[known].tobytes()
        reading = Reading(
            kept, tokens[known].astype(np.int64), len(kept) - 1, len(text) - len(kept)
        )
    else:
        pictures = run(program, factory, arguments={"mode": "tokens"}, text=text).pictures
        rows = [words_of(picture).ravel() for picture in pictures]
        tokens = np.concatenate(rows).astype(np.int64) if rows else np.zeros(0, np.int64)
        reading = Reading(text, tokens, len(text.decode("utf-8", "replace")), 0)
    if not len(reading.tokens):
        raise ValidationError("the text has no character that the network knows")
    return reading


def some_text(found: Matrices, count: int, seed: int) -> bytes:
    """``count`` characters that a picture knows, drawn by chance: always the same for a seed."""
    alphabet = _PRINTABLE
    if "ENCODE" in found:
        alphabet = np.flatnonzero(found.words("ENCODE").ravel() >= 0)
    return np.random.default_rng(seed).choice(alphabet, count).astype(np.uint8).tobytes()
