"""``pxos train``: from a text, from its glyphs, or from digits, to a program picture."""

from __future__ import annotations

import re
import signal
import time
from argparse import Namespace
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import asdict, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..fs.atomic import write_atomically
from . import environment
from .built import tell_of_no_window
from .errors import DONE, INTERRUPTED, BootError, wrong
from .judge_glyphs import font
from .standard import say
from .streams import why
from .train_again import is_picture, take_over
from .train_options import DIGITS_SETTINGS, LM_SETTINGS
from .train_progress import Progress
from .train_targets import check_targets, read_icon, same_file

if TYPE_CHECKING:
    from ..shell.lenses.networks import Network
    from ..shell.lenses.networks.training import (
        Architecture,
        Outcome,
        Schedule,
        Task,
        Text,
        Trainer,
    )

#: What a step sees, by kind of task.
_UNITS = {"lm": "tokens", "glyphs": "glyphs", "digits": "pictures"}
#: What is added to the name of the picture for the checkpoint beside it.
CHECKPOINT = ".checkpoint"
_MOST_TEXT = 1 << 30
#: How many strange bytes are named.
_MOST_SHOWN = 12


def main(options: Namespace) -> int:
    """Follow a parsed ``pxos train`` command; the exit status.  Raises BootError."""
    from ..shell.lenses.networks import DescriptionError
    from ..shell.lenses.networks.training import TrainingError
    from ..shell.lenses.networks.training.packages import MissingPackage

    environment.keep_cuda_repeatable()
    check_targets(options)
    options.icon = read_icon(options.icon)
    try:
        if options.kind == "build":
            return _build(options)
        task, schedule = _TASKS[options.kind](options)
        return _train(options, task, schedule)
    except MissingPackage as error:
        raise BootError(error.what, "", error.advice) from error
    except (TrainingError, DescriptionError) as error:
        named = str(options.weights) if options.kind == "build" else ""
        raise BootError(error.what, named, error.advice) from error


# ---- what is asked for ---------------------------------------------------------------------------


def _given(options: Namespace, names: tuple[str, ...]) -> dict[str, Any]:
    values = vars(options)
    return {name: values[name] for name in names if values.get(name) is not None}


def _text(options: Namespace) -> tuple[Architecture, Schedule, Text]:
    from ..shell.lenses.networks.training import Text, TrainingError, preset

    try:
        shape, schedule = preset(options.preset, _given(options, LM_SETTINGS))
    except TrainingError as error:
        raise wrong(error.what, error.advice) from error
    data = _read(options.text, "text", _MOST_TEXT)
    return shape, schedule, Text.split(data, shape.context, options.validation)


def _lm(options: Namespace) -> tuple[Task, Schedule]:
    from ..shell.lenses.networks.training import LanguageTask

    shape, schedule, text = _text(options)
    return LanguageTask(shape, text), schedule


def _glyphs(options: Namespace) -> tuple[Task, Schedule]:
    from ..shell.lenses.networks.training import GlyphsTask

    shape, schedule, text = _text(options)
    strange = [byte for byte in text.vocabulary if byte != ord("\n") and not 32 <= byte < 127]
    if strange:
        raise BootError(
            f"the text has bytes that are no letters of the font: {_some(bytes(strange))}",
            str(options.text),
            "give one of printable ASCII and ends of lines",
        )
    return GlyphsTask(shape, text, font()[list(text.vocabulary)]), schedule


def _some(values: bytes) -> str:
    """Bytes as they are written in Python; of many the first."""
    more = len(values) - _MOST_SHOWN
    return f"{values[:_MOST_SHOWN]!r}" + (f" and {more} more" if more > 0 else "")


def _digits(options: Namespace) -> tuple[Task, Schedule]:
    from ..shell.lenses.networks.training import DigitsTask, TrainingError
    from ..shell.lenses.networks.training.digits import SCHEDULE, DigitsModel

    try:
        schedule = replace(SCHEDULE, **_given(options, DIGITS_SETTINGS))
        model = DigitsModel(options.hidden) if options.hidden else DigitsModel()
    except TrainingError as error:
        raise wrong(error.what, error.advice) from error
    return DigitsTask(model, schedule.seed), schedule


_TASKS = {"lm": _lm, "glyphs": _glyphs, "digits": _digits}


def _read(path: Path, what: str, most: int) -> bytes:
    try:
        if path.stat().st_size > most:
            raise BootError(f"a {what} has at most {most >> 20} MiB", str(path))
        return path.read_bytes()
    except OSError as error:
        raise BootError(f"the {what} cannot be read, {why(error)}", str(path)) from error


# ---- training --------------------------------------------------------------------------------


class _Stop:
    """Whether somebody asked to stop; which signal it was."""

    number = 0


@contextmanager
def _stoppable() -> Iterator[_Stop]:
    """Between steps ^C and SIGTERM are only noted; a second one ends at once, unsaved."""
    stop = _Stop()

    def note(number: int, frame: object) -> None:
        if stop.number:
            raise KeyboardInterrupt
        stop.number = number

    before = {}
    for number in (signal.SIGINT, signal.SIGTERM):
        with suppress(ValueError):  # raised outside the main thread, which gets no signals
            before[number] = signal.signal(number, note)
    try:
        yield stop
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _train(options: Namespace, task: Task, schedule: Schedule) -> int:
    from ..shell.lenses.networks.training import Trainer

    kept = options.output.with_name(options.output.name + CHECKPOINT)
    threads = options.threads or environment.cores()
    where = {"device": options.device, "threads": threads}
    if options.resume:
        data = _read(kept, "checkpoint", 1 << 40)
        trainer = Trainer.resumed(data, task, schedule, **where)
        say(f"goes on after {trainer.step} of {schedule.total} steps")
    elif kept.exists() and not options.restart:
        raise wrong(
            "there is a checkpoint of a run that was not finished",
            "--resume goes on with it, --restart begins anew",
            str(kept),
        )
    else:
        trainer = Trainer(task, schedule, **where)
    say(f"{trainer.count():,} weights, {schedule.total} steps, on {trainer.device.type}")
    _write(kept, trainer.checkpoint())  # now, not after hours, is when to learn that it cannot be
    with _stoppable() as stop:
        _steps(trainer, kept, stop, options.save_every)
    if stop.number:
        signal_status = INTERRUPTED if stop.number == signal.SIGINT else 128 + stop.number
        say(f"stopped after {trainer.step} of {schedule.total} steps; --resume goes on ({kept})")
        return signal_status
    outcome = trainer.outcome()
    _report(outcome)
    facts = {"losses": _losses(outcome), "schedule": asdict(schedule), "task": task.settings()}
    if options.weights is not None:
        from ..shell.lenses.networks.training import save_weights

        _write(options.weights, save_weights(outcome.network, facts))
    _picture(options, outcome.network)
    with suppress(FileNotFoundError):
        kept.unlink()
    return DONE


def _steps(trainer: Trainer, kept: Path, stop: _Stop, save_every: float) -> None:
    """Step until the end or until somebody stops it; leaves a checkpoint either way."""
    total, clock = trainer.schedule.total, time.monotonic
    unit = _UNITS[trainer.task.kind]
    examples = trainer.task.examples(trainer.schedule.batch)
    progress = Progress(total, unit, clock, first=trainer.step)
    saved = clock()
    try:
        while not (trainer.finished or stop.number):
            note = "fine-tuning" if trainer.finetuning else "training"
            tick = trainer.advance()
            found = tick.rounded_loss or tick.float_loss
            if progress.step(examples) or found is not None:
                loss = trainer.mean_loss()
                validation = None if found is None else found.loss
                progress.show(tick.step, loss, validation, note=note)
            if clock() - saved >= save_every:
                _write(kept, trainer.checkpoint())
                saved = clock()
        trainer.mean_loss()  # raises if it is no number
        _write(kept, trainer.checkpoint())
    finally:
        progress.clear()


def _losses(outcome: Outcome) -> Mapping[str, Any]:
    return {
        "float": asdict(outcome.floating),
        "quantised": asdict(outcome.unturned),
        "fine-tuned": asdict(outcome.quantised),
    }


def _report(outcome: Outcome) -> None:
    for name, found in (
        ("float weights", outcome.floating),
        ("quantised", outcome.unturned),
        ("as exported", outcome.quantised),
    ):
        right = "" if found.accuracy is None else f", {found.accuracy:.2%} right"
        say(f"{name + ':':14} validation loss {found.loss:.4f}{right}")


# ---- the picture -----------------------------------------------------------------------------


def _build(options: Namespace) -> int:
    from ..shell.lenses.networks.training import load_weights

    data = _read(options.weights, "file of weights", 1 << 34)
    if is_picture(data):  # which may be made anew in its place
        network = take_over(data, options)
    elif same_file(options.weights, options.output):
        raise wrong("the weights would be written over", "name another file", str(options.output))
    else:
        network, _ = load_weights(data)
    _picture(options, _fitted(network, options))
    return DONE


def _fitted(network: Network, options: Namespace) -> Network:
    """Float weights as bytes, in the way that is asked for; what is bytes already stays.

    Raises BootError if a way is asked for and there are no floats.
    """
    from ..shell.lenses.networks import Mlp, quantised

    if options.method is None and options.groups is None:
        return network
    first = network.layers[0].weight if isinstance(network, Mlp) else network.embedding
    if isinstance(first, tuple):
        raise wrong(
            "these weights are bytes already, fitted in training",
            "leave out --method and --groups",
            str(options.weights),
        )
    return quantised(network, method=options.method or "least-squares", groups=options.groups or 1)


def _picture(options: Namespace, network: Network) -> None:
    """Write the program picture of a network, and its sources where they are wanted."""
    from ..kernel.machine import program
    from ..shell.lenses.assembler import AsmError
    from ..shell.lenses.networks.emit import Credits
    from ..shell.lenses.networks.training.apps import app

    name = re.sub(r"[^A-Za-z0-9_-]+", "-", options.output.stem).strip("-") or "model"
    emitted = app(
        network,
        name=name,
        title=options.title,
        about=options.summary,
        credits=Credits(options.author, options.licence, options.icon),
    )
    try:
        made = emitted.assemble()
        data = program.save(made)
    except AsmError as error:
        say(str(error))
        raise BootError("the picture cannot be assembled", str(options.output)) from error
    if options.sources is not None:
        try:
            options.sources.mkdir(exist_ok=True)
        except OSError as error:
            raise BootError(
                f"the folder cannot be made, {why(error)}", str(options.sources)
            ) from error
        for file, content in emitted.files.items():
            _write(options.sources / file, content)
    _write(options.output, data)
    say(f"wrote {options.output}: {len(data):,} bytes")
    tell_of_no_window(made, getattr(options, "groups", None) or 1)


def _write(path: Path, data: bytes) -> None:
    try:
        write_atomically(path, data)
    except OSError as error:
        raise BootError(f"the file cannot be written, {why(error)}", str(path)) from error
