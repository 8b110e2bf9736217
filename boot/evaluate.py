"""``pxos eval`` and ``pxos validate``: how well a network's picture knows a text, and whether it
computes what NumPy does with the same weights."""

from __future__ import annotations

import json
import math
import time
from argparse import Namespace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from ..kernel.placement import GPU, NoGpuError, cpu_executor
from . import environment, gpu
from .errors import DONE, FAILED, BootError, wrong
from .standard import tell
from .streams import why

if TYPE_CHECKING:
    from ..kernel.machine.program import Program
    from ..shell.lenses.networks import ExecutorFactory, Transformer
    from ..shell.lenses.networks.readback import Matrices

_MOST_TEXT, _MOST_WEIGHTS = 1 << 26, 1 << 34
#: How many contexts of characters validate where no text is given, and the seed that draws them.
_PIECES, _SEED = 2, 1


def main(options: Namespace) -> int:
    """Follow a parsed ``pxos eval`` or ``pxos validate``; the exit status.  Raises BootError."""
    from ..shell.lenses.networks import DescriptionError, ValidationError
    from ..shell.lenses.networks.readback import ReadbackError
    from .run_app import find_program

    program, _ = find_program(options.model, environment.app_store())
    _check_judges(program, options.model)
    factory, lost = _executor(options.on)
    try:
        if options.command == "eval":
            return _evaluate(program, factory, options)
        return _validate(program, factory, options)
    except lost as error:
        raise BootError(f"the GPU gave up: {error}", "--on gpu", "try --on cpu") from error
    except ValidationError as error:
        raise BootError(str(error), options.model) from error
    except ReadbackError as error:
        raise BootError(
            f"its network cannot be read from the picture: {error}", options.model
        ) from error
    except DescriptionError as error:
        raise BootError(error.what, options.model, error.advice) from error


def _check_judges(program: Program, name: str) -> None:
    """Raise BootError for a program that is no language model as the model builder makes them."""
    modes = next((arg.choices for arg in program.meta.args if arg.name == "mode"), ())
    if not {"logits", "loss"} <= set(modes) or "picture" not in program.meta.ports:
        raise BootError(
            "this picture is no network that judges text",
            name,
            "make one with pxos train lm, or pxos import",
        )


def _executor(on: str) -> tuple[ExecutorFactory, tuple[type[Exception], ...]]:
    """What runs the picture, and what it raises when its device is gone or full."""
    if on != GPU:
        return cpu_executor, ()
    try:
        backend = gpu.open_backend()
    except NoGpuError as error:
        raise BootError(error.what, "--on gpu", error.advice) from error
    return backend.make, (backend.lost, backend.full)


def _read(path: Path, what: str, most: int) -> bytes:
    try:
        if path.stat().st_size > most:
            raise BootError(f"a {what} has at most {most >> 20} MiB", str(path))
        return path.read_bytes()
    except OSError as error:
        raise BootError(f"the {what} cannot be read, {why(error)}", str(path)) from error


def _known(found: Matrices, text: bytes) -> tuple[np.ndarray, np.ndarray]:
    """The characters of a text that the picture knows, and their tokens."""
    codes = found.words("ENCODE").ravel()
    characters = np.frombuffer(text, np.uint8)
    tokens = codes[characters]
    return characters[tokens >= 0], tokens[tokens >= 0].astype(np.int64)


# ---- eval ------------------------------------------------------------------------------------


def _evaluate(program: Program, factory: ExecutorFactory, options: Namespace) -> int:
    from ..shell.lenses.networks import ValidationError, picture_losses
    from ..shell.lenses.networks.readback import Matrices

    found = Matrices(program)
    text = _read(options.text, "text", _MOST_TEXT)
    if options.last is not None:
        text = text[-options.last :]
    if "ENCODE" in found:
        known = _known(found, text)[0].tobytes()
        if len(known) < 2:
            raise BootError(
                f"the text is too short: {len(known)} characters that the network knows",
                str(options.text),
                "two are the least",
            )
    elif len(text) < 2:
        raise BootError("the text is too short", str(options.text), "two characters are the least")
    else:
        known = text
    context = found.shape("COLUMNS")[1]
    window = options.window or context
    if window > context:
        raise wrong(f"the network sees {context} tokens", "give a smaller window", "--window")
    pieces = [known]
    if window != context:
        if "ENCODE" not in found:
            raise wrong("its tokens are no characters", "leave it out", "--window")
        # A window more of context ends where the next begins: its last character is that one's first.
        pieces = [known[i : i + window + 1] for i in range(0, len(known) - 1, window)]
    begin = time.perf_counter()
    losses = np.concatenate([picture_losses(program, factory, piece) for piece in pieces])
    seconds = max(time.perf_counter() - begin, 1e-9)
    if not len(losses):
        raise ValidationError("the text is too short: there is nothing to foresee")
    nats, characters = float(losses.sum()), len(known) - 1
    _tell(
        {
            "loss": nats / len(losses),
            "bits_per_character": nats / math.log(2) / characters,
            "tokens": len(losses),
            "characters": characters,
            "left_out": len(text) - len(known),
            "window": window,
            "tokens_a_second": len(losses) / seconds,
            "on": options.on,
        },
        options.json,
        {
            "loss": "{:.4f} nats a token",
            "bits_per_character": "{:.4f}",
            "tokens": "{:,}",
            "left_out": "{:,} characters that the network does not know",
            "window": "{:,} tokens, one after the other",
            "tokens_a_second": "{:,.0f}",
        },
    )
    return DONE


def _tell(facts: dict[str, object], as_json: bool, shown: dict[str, str]) -> None:
    """Print what was found: all of it as JSON, or a line for each fact that is shown."""
    if as_json:
        tell(json.dumps(facts) + "\n")
        return
    tell(
        "".join(
            f"{name.replace('_', ' '):20}{form.format(facts[name])}\n"
            for name, form in shown.items()
        )
    )


# ---- validate --------------------------------------------------------------------------------


def _validate(program: Program, factory: ExecutorFactory, options: Namespace) -> int:
    from ..shell.lenses.networks import Reference, picture_logits
    from ..shell.lenses.networks.readback import Matrices
    from ..shell.lenses.networks.validate import compare

    found = Matrices(program)
    if "ENCODE" not in found:
        raise BootError(
            "its tokens are no characters",
            options.model,
            "validate() of pxos.shell.lenses.networks compares tokens",
        )
    network = _reference(program, options)
    if options.text is not None:
        characters, tokens = _known(found, _read(options.text, "text", _MOST_TEXT))
    else:
        alphabet = np.flatnonzero(found.words("ENCODE").ravel() >= 0).astype(np.uint8)
        drawn = np.random.default_rng(_SEED).choice(alphabet, _PIECES * network.context)
        characters, tokens = _known(found, drawn.tobytes())
    if not len(tokens):
        raise BootError("the text has no character that the network knows", str(options.text))
    if int(tokens.max()) >= network.tokens:
        raise BootError(
            f"the reference has {network.tokens} tokens, the picture more", str(options.reference)
        )
    reference = Reference(network)
    wanted = [
        reference.logits(tokens[i : i + network.context])
        for i in range(0, len(tokens), network.context)
    ]
    result = compare(picture_logits(program, factory, characters.tobytes()), np.vstack(wanted))
    missed = [
        name
        for name, reached in (
            ("correlation", result.correlation >= options.least_correlation),
            ("largest error", result.largest <= options.largest_error),
            ("agreement", result.agreement >= options.least_agreement),
        )
        if not reached
    ]
    source = "the picture's own weights" if options.reference is None else str(options.reference)
    facts: dict[str, object] = {
        "correlation": result.correlation,
        "largest_error": result.largest,
        "agreement": result.agreement,
        "tokens": result.rows,
        "reference": source,
        "on": options.on,
        "missed": missed,
    }
    shown = {
        "correlation": "{:.10f}",
        "largest_error": "{:.2e}",
        "agreement": "{:.2%} of the likeliest tokens",
        "tokens": "{:,}",
        "reference": "{}",
    }
    _tell(facts, options.json, shown)
    if missed and not options.json:
        tell(f"{'missed':20}{', '.join(missed)}\n")
    return FAILED if missed else DONE


def _reference(program: Program, options: Namespace) -> Transformer:
    """The network to compare with: of the file that was named, or the picture's own."""
    from ..shell.lenses.networks import Transformer
    from ..shell.lenses.networks.readback import read_transformer

    if options.reference is None:
        return read_transformer(program)
    from ..shell.lenses.networks.training import TrainingError, load_weights

    try:
        network, _ = load_weights(_read(options.reference, "file of weights", _MOST_WEIGHTS))
    except TrainingError as error:
        raise BootError(error.what, str(options.reference), error.advice) from error
    if not isinstance(network, Transformer):
        raise BootError("the weights are of no language model", str(options.reference))
    own = read_transformer(program).context
    if network.context != own:
        raise BootError(
            f"the reference sees {network.context} tokens, the picture {own}",
            str(options.reference),
        )
    return network
