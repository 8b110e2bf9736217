"""Small models and texts that a test can train in a second."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import numpy as np

from pxos.shell.lenses.networks.training import (
    Architecture,
    LanguageTask,
    Outcome,
    Schedule,
    Text,
    Trainer,
)

WORDS = ("the", "pixel", "is", "a", "word", "and", "one", "machine", "draws", "it", "\n")


def prose(count: int = 6000, seed: int = 0) -> bytes:
    """A text of few words in random order: easy to learn something of."""
    rng = np.random.default_rng(seed)
    chosen = rng.choice(len(WORDS), count // 4)
    return " ".join(WORDS[i] for i in chosen).encode()[:count]


def shape(style: str = "gpt", **changes: Any) -> Architecture:
    settings = {"layers": 2, "width": 16, "heads": 2, "context": 16, "dropout": 0.1}
    return Architecture(style, **{**settings, **changes})


def plan(**changes: Any) -> Schedule:
    settings = {
        "steps": 24, "batch": 4, "rate": 1e-2, "least_rate": 1e-3, "warmup": 4, "evaluate": 8,
        "finetune": 8, "finetune_rate": 1e-3,
    }  # fmt: skip
    return Schedule(**{**settings, **changes})


def task(style: str = "gpt", **changes: Any) -> LanguageTask:
    found = shape(style, **changes)
    return LanguageTask(found, Text.split(prose(), found.context, Fraction(1, 10)))


def trainer(made: LanguageTask | None = None, schedule: Schedule | None = None) -> Trainer:
    return Trainer(made or task(), schedule or plan(), threads=1)


def finish(run: Trainer) -> Outcome:
    while not run.finished:
        run.advance()
    return run.outcome()
