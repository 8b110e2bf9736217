"""``pxos eval``: how well a network's picture knows a text, or digits."""

from __future__ import annotations

import time
from argparse import Namespace
from typing import TYPE_CHECKING

import numpy as np

from . import judge_glyphs
from .errors import DONE, BootError, wrong
from .judging import Countdown, Losses, executor, open_picture, tell_facts, text_to_judge_by

if TYPE_CHECKING:
    from ..kernel.machine.program import Program


def main(options: Namespace) -> int:
    """Follow a parsed ``pxos eval``; the exit status.  Raises BootError."""
    from ..shell.lenses.networks import glyph_pages, reading, seeing

    program = open_picture(options.model)
    if options.seed is not None and not seeing.reads_digits(program):
        raise wrong("only digits are held out by a seed", "leave it out", "--seed")
    if reading.judges(program):
        return _evaluate_text(program, options)
    if glyph_pages.judges(program):
        return judge_glyphs.evaluate(program, options)
    if seeing.reads_digits(program):
        return _evaluate_digits(program, options)
    if seeing.sees(program):
        raise BootError(
            "this network looks at pictures that come without answers to judge it by",
            options.model,
            f"pxos validate {options.model} compares it with NumPy",
        )
    raise BootError(
        "this picture is no network that judges texts",
        options.model,
        "make one with pxos train lm, or pxos import",
    )


def _evaluate_text(program: Program, options: Namespace) -> int:
    from ..shell.lenses.networks import reading
    from ..shell.lenses.networks.readback import Matrices
    from ..shell.lenses.networks.validate import run, words_of

    text = text_to_judge_by(options)
    with executor(options) as factory:
        found = Matrices(program)
        read = reading.read_text(program, found, factory, text)
        window = reading.context_of(found)
        with Losses(options, "token", len(read.tokens) - 1) as losses:

            def take(picture: np.ndarray) -> None:
                losses.add(words_of(picture).ravel() / 65536)

            run(program, factory, arguments={"mode": "loss"}, text=read.text, take=take)
    losses.tell(
        characters=read.characters,
        left_out=read.left_out,
        window=window,
        unknown="that the network does not know",
    )
    return DONE


def _evaluate_digits(program: Program, options: Namespace) -> int:
    from ..shell.lenses.networks import seeing
    from ..shell.lenses.networks.training import DigitsTask
    from ..shell.lenses.networks.training.digits import SCHEDULE, DigitsModel
    from ..shell.lenses.networks.training.packages import MissingPackage

    if options.text is not None or options.last is not None:
        raise wrong("this network reads digits, no text", f"pxos eval {options.model}")
    try:
        seed = SCHEDULE.seed if options.seed is None else options.seed
        task = DigitsTask(DigitsModel(), seed)
    except MissingPackage as error:
        raise BootError(error.what, "", error.advice) from error
    scores = []
    begin = time.perf_counter()
    with (
        executor(options) as factory,
        Countdown(len(task.held_out), "digits", time.perf_counter) as countdown,
    ):
        for cells in task.held_out:
            _, found = seeing.look(program, factory, seeing.cells_as_picture(cells), seeing.CELLS)
            scores.append(found[0])
            countdown.count(1)
    seconds = max(time.perf_counter() - begin, 1e-9)
    logits = np.array(scores)
    right = int((logits.argmax(axis=1) == task.held_out_labels).sum())
    logits -= logits.max(axis=1, keepdims=True)
    losses = (
        np.log(np.exp(logits).sum(axis=1)) - logits[np.arange(len(logits)), task.held_out_labels]
    )
    facts: dict[str, object] = {
        "right": right,
        "digits": len(logits),
        "accuracy": right / len(logits),
        "loss": float(losses.mean()),
        "digits_a_second": len(logits) / seconds,
        "on": options.on,
    }
    shown = {
        "accuracy": f"{{:.2%}}, {right} of {len(logits)} digits that training held out",
        "loss": "{:.4f} nats a digit",
        "digits_a_second": "{:,.0f}",
    }
    tell_facts(facts, options.json, shown)
    return DONE
