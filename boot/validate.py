"""``pxos validate``: whether a network's picture computes what NumPy does with its weights."""

from __future__ import annotations

import io
import time
from argparse import Namespace
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from . import judge_glyphs
from .errors import DONE, FAILED, BootError, wrong
from .judging import (
    MOST_WEIGHTS,
    Countdown,
    executor,
    open_picture,
    read_file,
    read_text,
    tell_facts,
)
from .standard import tell
from .streams import why

if TYPE_CHECKING:
    from ..kernel.machine.program import Program
    from ..shell.lenses.networks import Comparison, ExecutorFactory, Network
    from ..shell.lenses.networks.readback import Matrices

#: How many contexts of characters, and how many pictures, are drawn by chance where none are given.
_CONTEXTS, _PICTURES, _SEED = 2, 50, 1
#: Where the reference comes from if no file is named.
_OWN = "the picture's own weights"


def main(options: Namespace) -> int:
    """Follow a parsed ``pxos validate``; the exit status, 1 if a bar is missed.

    Raises BootError.
    """
    from ..shell.lenses.networks import glyph_pages, reading, seeing

    program = open_picture(options.model)
    if reading.judges(program) or glyph_pages.judges(program):
        if options.pictures:
            raise wrong("this network reads text", "give it with --text", "--picture")
        kind, compared = "tokens", _compare_texts
        if glyph_pages.judges(program):
            kind, compared = "glyphs", _compare_glyphs
    elif seeing.sees(program):
        if options.text is not None or options.last is not None:
            raise wrong("this network looks at pictures", "give some with --picture", "--text")
        kind, compared = "pictures", _compare_pictures
    else:
        raise BootError(
            "this picture is no network of the model builder",
            options.model,
            "make one with pxos train or pxos import",
        )
    with executor(options) as factory:
        result = compared(program, factory, options)
    missed = [
        name
        for name, reached in (
            ("correlation", result.correlation >= options.least_correlation),
            ("largest error", result.largest <= options.largest_error),
            ("agreement", result.agreement >= options.least_agreement),
        )
        if not reached
    ]
    facts: dict[str, object] = {
        "correlation": result.correlation,
        "largest_error": result.largest,
        "agreement": result.agreement,
        kind: result.rows,
        "reference": _OWN if options.reference is None else str(options.reference),
        "on": options.on,
        "missed": missed,
    }
    shown = {
        "correlation": "{:.12f}",
        "largest_error": "{:.6f}",
        "agreement": "{:.3%} have the same greatest output",
        kind: "{:,}",
        "reference": "{}",
    }
    tell_facts(facts, options.json, shown)
    if missed and not options.json:
        tell(f"{'missed':20}{', '.join(missed)}\n")
    return FAILED if missed else DONE


# ---- texts -----------------------------------------------------------------------------------


def _compare_texts(program: Program, factory: ExecutorFactory, options: Namespace) -> Comparison:
    from ..shell.lenses.networks import reading
    from ..shell.lenses.networks.comparison import Tally
    from ..shell.lenses.networks.readback import Matrices
    from ..shell.lenses.networks.validate import run, words_of

    found = Matrices(program)
    context = reading.context_of(found)
    if options.text is not None:
        text = read_text(options.text, options.last)
    else:
        text = reading.some_text(found, _CONTEXTS * context, _SEED)
    read = reading.read_text(program, found, factory, text)
    wanted = _reference_logits(program, found, options, read.tokens)
    tally = Tally()
    with Countdown(len(read.tokens), "tokens", time.perf_counter) as countdown:

        def take(picture: np.ndarray) -> None:
            got = words_of(picture) / 65536
            tally.add(got, wanted(tally.rows, tally.rows + len(got)))
            countdown.count(len(got))

        run(program, factory, arguments={"mode": "logits"}, text=read.text, take=take)
    return tally.result()


def _reference_logits(
    program: Program, found: Matrices, options: Namespace, tokens: np.ndarray
) -> Callable[[int, int], np.ndarray]:
    """A function for the reference's logits of the tokens first..end - 1, which are a context."""
    from ..shell.lenses.networks import Reference, Transformer
    from ..shell.lenses.networks.readback import read_transformer
    from ..shell.lenses.networks.reading import context_of

    path: Path | None = options.reference
    if path is not None and path.suffix.lower() == ".npy":
        kept = _logits_of(path)
        if options.text is None:
            raise wrong("logits belong to a text", "name it with --text", "--reference")
        if len(kept) != len(tokens):
            raise BootError(
                f"there are logits of {len(kept):,} tokens, the text has {len(tokens):,}",
                str(path),
                "a row for each token that the picture reads: pxos run MODEL --mode logits",
            )
        return lambda first, end: kept[first:end]
    network: Network = read_transformer(program)
    if path is not None:
        context = context_of(found)
        network = _network_of(path, context)
        if not isinstance(network, Transformer):
            raise BootError("the weights are of no language model", str(path))
        if network.context != context:
            raise BootError(
                f"the reference sees {network.context} tokens, the picture {context}", str(path)
            )
        if int(tokens.max()) >= network.tokens:
            raise BootError(
                f"the reference has {network.tokens} tokens, the picture more", str(path)
            )
    reference = Reference(network)
    return lambda first, end: reference.logits(tokens[first:end])


def _compare_glyphs(program: Program, factory: ExecutorFactory, options: Namespace) -> Comparison:
    from ..shell.lenses.networks import Transformer

    network = None if options.reference is None else _network_of(options.reference, None)
    if network is not None and not isinstance(network, Transformer):
        raise BootError("the weights are of no language model", str(options.reference))
    return judge_glyphs.compare(program, factory, options, network)


def _logits_of(path: Path) -> np.ndarray:
    """The logits in a .npy file: floats (tokens, vocabulary)."""
    data = read_file(path, "file of logits", MOST_WEIGHTS)
    try:
        array = np.load(io.BytesIO(data), allow_pickle=False)
    except (ValueError, EOFError, OSError) as error:
        raise BootError(f"this is no .npy file ({error})", str(path), "get a whole copy") from error
    if not isinstance(array, np.ndarray) or array.ndim != 2 or array.dtype.kind != "f":
        raise BootError(
            "logits are a matrix of floats, a row for each token and a column for each that could "
            "follow",
            str(path),
            "save them with numpy.save",
        )
    return array


# ---- pictures --------------------------------------------------------------------------------


def _compare_pictures(program: Program, factory: ExecutorFactory, options: Namespace) -> Comparison:
    from ..shell.lenses.networks import seeing

    reference = _reference_outputs(program, options.reference)
    shown = [picture for path in options.pictures for picture in _pictures(path)]
    shown = shown or seeing.some_pictures(_PICTURES, _SEED)
    with Countdown(len(shown), "pictures", time.perf_counter) as countdown:
        return seeing.compare_pictures(
            program, factory, reference, shown, lambda: countdown.count(1)
        )


def _reference_outputs(program: Program, path: Path | None) -> Callable[[np.ndarray], np.ndarray]:
    """A function for the reference's outputs of inputs (n, inputs)."""
    from ..shell.lenses.networks import Mlp, evaluate_mlp
    from ..shell.lenses.networks.importers import Chain, ForeignError, evaluate, read_onnx
    from ..shell.lenses.networks.readback import ReadbackError, read_mlp

    network: Mlp | Chain | Network
    if path is None:
        try:
            network = read_mlp(program)
        except ReadbackError as error:
            raise BootError(
                f"its layers cannot be read from the picture: {error}",
                "",
                "name the model that it was made of with --reference",
            ) from error
    elif path.suffix.lower() == ".onnx":
        try:
            network = read_onnx(path)
        except ForeignError as error:
            raise BootError(error.what, str(path), error.advice) from error
    else:
        network = _network_of(path, None)
    if isinstance(network, Chain):
        chain = network
        return lambda inputs: evaluate(chain, inputs)
    if not isinstance(network, Mlp):
        raise BootError("the weights are of no MLP", str(path))
    mlp = network
    return lambda inputs: evaluate_mlp(mlp, inputs)


def _pictures(path: Path) -> list[np.ndarray]:
    """The pictures of a file of any common format."""
    from ..shell.host import PictureFileError
    from .photos import read_pictures

    try:
        return list(read_pictures(path))
    except PictureFileError as error:
        raise BootError(str(error), str(path)) from error
    except OSError as error:
        raise BootError(f"the picture cannot be read, {why(error)}", str(path)) from error


# ---- references ------------------------------------------------------------------------------


def _network_of(path: Path, context: int | None) -> Network:
    """The network that a file of weights, or a folder of a Hugging Face model, holds."""
    from ..shell.lenses.networks import importers
    from ..shell.lenses.networks.training import TrainingError, load_weights

    try:
        if path.is_dir():
            return importers.read_model(path, context=context).network
        network, _ = load_weights(read_file(path, "file of weights", MOST_WEIGHTS))
        return network
    except (TrainingError, importers.ForeignError) as error:
        raise BootError(error.what, str(path), error.advice) from error
