"""What argparse knows of ``pxos train``; values that are not given are None, so that a preset or a
checkpoint can say them."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from pathlib import Path
from typing import Any

#: Settings of a language model and of its schedule, as they are called in training.settings.
LM_SETTINGS = (
    "style", "layers", "width", "heads", "hidden", "context", "dropout",
    "steps", "batch", "rate", "least_rate", "warmup", "decay", "evaluate",
    "finetune", "finetune_rate", "method", "seed",
)  # fmt: skip
#: Settings of the schedule that the digits take.
DIGITS_SETTINGS = ("steps", "batch", "rate", "evaluate", "finetune", "finetune_rate", "seed")

_TEXTS: dict[str, tuple[Callable[[str], Any], str, str]] = {
    "layers": (int, "N", "blocks of the transformer"),
    "width": (int, "N", "columns of the stream"),
    "heads": (int, "N", "heads of attention; they divide the width"),
    "hidden": (int, "N", "columns inside the MLP (4 times the width; 8/3 for llama)"),
    "context": (int, "N", "how many characters the model sees"),
    "dropout": (float, "SHARE", "what is dropped out in training"),
    "steps": (int, "N", "steps with float weights"),
    "batch": (int, "N", "examples a step"),
    "rate": (float, "X", "greatest learning rate"),
    "least_rate": (float, "X", "learning rate at the end"),
    "warmup": (int, "N", "steps in which the rate rises"),
    "decay": (float, "X", "weight decay of matrices"),
    "evaluate": (int, "N", "steps between two validations"),
    "finetune": (int, "N", "steps with weights as the picture rounds them"),
    "finetune_rate": (float, "X", "learning rate of those"),
    "seed": (int, "N", "what random numbers begin with"),
}


def add_train(commands: Any, parser_class: type[argparse.ArgumentParser]) -> None:
    """Add ``train`` to the commands."""
    train = commands.add_parser(
        "train",
        help="train a network and make a program picture of it",
        description="Trains with PyTorch (pip install 'pxos[train]') and writes a picture that "
        "runs without it. ^C keeps what was learnt; the same command with --resume goes on.",
    )
    kinds = train.add_subparsers(
        dest="kind", metavar="KIND", required=True, parser_class=parser_class
    )

    _add_language(kinds, "lm", "a language model of a text", "what it learns, a byte a token")
    _add_language(
        kinds,
        "glyphs",
        "a language model that sees pictures of letters",
        "what it learns: printable ASCII, each character the picture that the font has of it",
    )

    digits = kinds.add_parser("digits", help="a reader of digits", allow_abbrev=False)
    digits.add_argument(
        "--hidden",
        type=_widths,
        default=None,
        metavar="N,N",
        help="columns of the hidden layers (256,128)",
    )
    _add_settings(digits, DIGITS_SETTINGS)
    _add_common(digits)

    build = kinds.add_parser("build", help="make the picture of weights that were kept, or anew")
    build.add_argument(
        "weights",
        type=Path,
        metavar="WEIGHTS",
        help="what --weights wrote, or a picture that train made: its network is taken over",
    )
    build.add_argument(
        "--method",
        choices=("least-squares", "min-max"),
        help="how bytes are fitted to weights that are floats (least-squares)",
    )
    build.add_argument(
        "--groups",
        type=_groups,
        metavar="N",
        help="cut each matrix of floats into N groups of rows with grids of their own (1)",
    )
    _add_output(build)


def _add_language(kinds: Any, kind: str, about: str, text: str) -> None:
    """A command that learns a text."""
    parser = kinds.add_parser(kind, help=about, allow_abbrev=False)
    parser.add_argument("text", type=Path, metavar="TEXT", help=text)
    parser.add_argument(
        "--preset",
        default="shakespeare",
        help="sizes to begin with: shakespeare (under 2 million weights), llama, nanogpt",
    )
    parser.add_argument(
        "--validation",
        type=_part,
        default="1/10",
        metavar="SHARE",
        help="how much of the end of the text is kept for validation (0.1)",
    )
    parser.add_argument("--style", choices=("gpt", "llama"), help="kind of blocks")
    parser.add_argument(
        "--method", choices=("least-squares", "min-max"), help="how bytes are fitted to weights"
    )
    _add_settings(parser, LM_SETTINGS)
    _add_common(parser)


def _add_settings(parser: argparse.ArgumentParser, names: tuple[str, ...]) -> None:
    for name in names:
        if name in _TEXTS:
            kind, sign, text = _TEXTS[name]
            option = "--" + name.replace("_", "-")
            parser.add_argument(option, dest=name, type=kind, metavar=sign, help=text)


def _add_output(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "-o", dest="output", type=Path, metavar="PROGRAM.png", required=True, help="what to write"
    )
    parser.add_argument(
        "--sources", type=Path, metavar="FOLDER", help="write the sources of the picture too"
    )
    about = parser.add_argument_group("what the program says of itself")
    about.add_argument("--title", default="", help="its name")
    about.add_argument("--summary", default="", help="what it does, in a line")
    about.add_argument("--author", default="", help="who made it")
    about.add_argument("--licence", default="", help="how it may be used")
    about.add_argument("--icon", type=Path, metavar="ICON.png", help="32 x 32 pixels")


def _add_common(parser: argparse.ArgumentParser) -> None:
    _add_output(parser)
    parser.add_argument(
        "--weights", type=Path, metavar="FILE.npz", help="keep the weights, for pxos train build"
    )
    parser.add_argument(
        "--device",
        choices=("auto", "cpu", "cuda"),
        default="auto",
        help="where to train: cuda where there is one (auto)",
    )
    parser.add_argument(
        "--threads", type=_threads, default=0, metavar="N", help="of the CPU (all of its cores)"
    )
    again = parser.add_mutually_exclusive_group()
    again.add_argument("--resume", action="store_true", help="go on from the checkpoint")
    again.add_argument("--restart", action="store_true", help="begin anew, in spite of one")
    parser.add_argument(
        "--save-every",
        type=_seconds,
        default=300.0,
        metavar="SECONDS",
        help="how often a checkpoint is written (300)",
    )


def _part(text: str) -> Any:
    """An exact fraction: 0.1 of a text is a tenth."""
    from fractions import Fraction

    try:
        part = Fraction(text)
    except (ValueError, ZeroDivisionError):
        part = Fraction(0)
    if not 0 < part < 1:
        raise argparse.ArgumentTypeError(f"{text!r} is no share between 0 and 1")
    return part


def _widths(text: str) -> tuple[int, ...]:
    words = text.split(",")
    if not all(word.isascii() and word.isdigit() and len(word) < 6 for word in words):
        raise argparse.ArgumentTypeError(f"{text!r} is no list of widths such as 256,128")
    return tuple(int(word) for word in words)


def _groups(text: str) -> int:
    if not (text.isascii() and text.isdigit() and 1 <= int(text) <= 64):
        raise argparse.ArgumentTypeError(f"{text!r} is no number of 1 to 64")
    return int(text)


def _threads(text: str) -> int:
    if not (text.isascii() and text.isdigit() and 1 <= int(text) <= 1024):
        raise argparse.ArgumentTypeError(f"{text!r} is no number of 1 to 1024")
    return int(text)


def _seconds(text: str) -> float:
    try:
        seconds = float(text)
    except ValueError:
        seconds = -1.0
    if not 0 <= seconds < float("inf"):
        raise argparse.ArgumentTypeError(f"{text!r} is no number of seconds")
    return seconds
