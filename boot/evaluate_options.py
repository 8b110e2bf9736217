"""What argparse knows of ``pxos eval`` and ``pxos validate``."""

from __future__ import annotations

import argparse
import math
from pathlib import Path
from typing import Any

from ..kernel.placement import CPU, GPU

#: The bars of docs/networks.md; a test compares them with the lenses' own.
LEAST_CORRELATION, GREATEST_ERROR = 0.99999, 0.005


def add_evaluate(commands: Any, whole: Any) -> None:
    """Add both commands; ``whole(low, high)`` makes a converter of integers."""
    evaluate = commands.add_parser(
        "eval",
        help="how well a network knows a text",
        description="Loss in nats, bits per character and tokens a second of a network's picture, "
        "as the picture itself finds them. The text is read in windows of the network's context, "
        "one after the other: each token but the text's first is foreseen from those before it in "
        "its window. Characters that the network does not know are left out. A network that reads "
        "digits needs no text: it is shown scikit-learn's, those that training held out.",
        allow_abbrev=False,
    )
    _add_model(evaluate)
    evaluate.add_argument(
        "text",
        type=Path,
        nargs="?",
        metavar="TEXT",
        help="a file, read byte by byte; - is standard input",
    )
    _add_last(evaluate, whole)
    evaluate.add_argument(
        "--seed",
        type=whole(0, (1 << 63) - 1),
        metavar="N",
        help="what the training of a reader of digits began with: which digits it held out (1)",
    )

    validate = commands.add_parser(
        "validate",
        help="whether a network's picture computes what NumPy does",
        description="Compares the outputs of a network's picture with NumPy in float32: "
        "correlation, largest error, and how often both find the same output the greatest. The "
        "exit status is 1 if a bar is missed.",
        allow_abbrev=False,
    )
    _add_model(validate)
    validate.add_argument(
        "--reference",
        type=Path,
        metavar="FILE",
        help="with what: weights (.npz) as pxos train --weights keeps them, the folder or .onnx "
        "file that was imported, or the logits themselves (.npy) of a text (the picture's own "
        "weights)",
    )
    validate.add_argument(
        "--text",
        type=Path,
        metavar="TEXT",
        help="what a language model reads, - is standard input (two contexts of characters drawn "
        "by chance, always the same)",
    )
    _add_last(validate, whole)
    validate.add_argument(
        "--picture",
        dest="pictures",
        type=Path,
        action="append",
        default=[],
        metavar="FILE",
        help="what a network that looks at pictures is shown, repeatable (50 of noise, always the "
        "same)",
    )
    for option, default, text in (
        ("--least-correlation", LEAST_CORRELATION, "bar of the correlation of all outputs"),
        ("--largest-error", GREATEST_ERROR, "bar of the largest difference of an output"),
        ("--least-agreement", 0.0, "bar of the share of equal greatest outputs, 0 to 1"),
    ):
        validate.add_argument(
            option, type=_number, default=default, metavar="X", help=f"{text} ({default:g})"
        )


def _add_last(parser: argparse.ArgumentParser, whole: Any) -> None:
    parser.add_argument(
        "--last",
        type=whole(2, 1 << 40),
        metavar="N",
        help="only the last N bytes of the text, such as those that training kept for validation",
    )


def _add_model(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("model", metavar="MODEL", help="the picture of a network, or an app's name")
    parser.add_argument("--on", choices=(CPU, GPU), default=CPU, help="where it runs (cpu)")
    parser.add_argument("--json", action="store_true", help="for scripts")


def _number(text: str) -> float:
    try:
        number = float(text)
    except ValueError:
        number = math.nan
    if not math.isfinite(number):
        raise argparse.ArgumentTypeError(f"{text!r} is no number")
    return number
