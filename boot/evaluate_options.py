"""What argparse knows of ``pxos eval`` and ``pxos validate``."""

from __future__ import annotations

import argparse
import math
from pathlib import Path
from typing import Any

from ..kernel.placement import CPU, GPU


def add_evaluate(commands: Any, whole: Any) -> None:
    """Add both commands; ``whole(low, high)`` makes a converter of integers."""
    evaluate = commands.add_parser(
        "eval",
        help="how well a network knows a text",
        description="Loss in nats, bits per character and tokens a second of a network's picture, as "
        "the picture itself finds them. The text is read in windows of the network's context, one "
        "after the other: each token but the text's first is foreseen from those before it in its "
        "window. Characters that the network does not know are left out.",
        allow_abbrev=False,
    )
    _add_model(evaluate)
    evaluate.add_argument("text", type=Path, metavar="TEXT", help="a file, read byte by byte")
    evaluate.add_argument(
        "--window",
        type=whole(1, 1 << 20),
        metavar="N",
        help="tokens of a window, at most the network's context, which is the default",
    )
    evaluate.add_argument(
        "--last",
        type=whole(2, 1 << 40),
        metavar="N",
        help="only the last N characters of the text: what training kept for validation",
    )

    validate = commands.add_parser(
        "validate",
        help="whether a network's picture computes what NumPy does",
        description="Compares the logits of a network's picture with NumPy in float32: correlation, "
        "largest error, and how often both find the same token the likeliest. The exit status is 1 "
        "if a bar is missed.",
        allow_abbrev=False,
    )
    _add_model(validate)
    validate.add_argument(
        "--reference",
        type=Path,
        metavar="FILE.npz",
        help="the weights, as pxos train --weights keeps them (the picture's own)",
    )
    validate.add_argument(
        "--text",
        type=Path,
        metavar="TEXT",
        help="what to read (two contexts of characters drawn by chance, always the same)",
    )
    for option, default, text in (
        ("--least-correlation", 0.99999, "bar of the correlation of all logits"),
        ("--largest-error", 0.005, "bar of the largest difference of a logit"),
        ("--least-agreement", 0.0, "bar of the share of equal likeliest tokens"),
    ):
        validate.add_argument(
            option, type=_number, default=default, metavar="X", help=f"{text} ({default:g})"
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
