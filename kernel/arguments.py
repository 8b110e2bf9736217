"""Arguments of a program: words of a command line, read as its metadata declares them.

Arguments may be given in order (flags never are) or by name: ``--radius 3``,
``--radius=3``, ``--wrap`` for a flag.  ``--`` ends the names.  An argument called ``top_k`` is
``--top-k`` for whoever types it, and ``--top_k`` as well.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from .machine.meta import Arg, Meta, Scalar
from .machine.ports import Message

_NOT_GIVEN = Message("T", np.zeros((0, 0), np.uint8))


class UsageError(ValueError):
    """The words do not fit what the program declares; ``usage`` is the line to show."""

    def __init__(self, what: str, usage: str) -> None:
        super().__init__(f"{what}\nusage: {usage}")
        self.what = what
        self.usage = usage


class ArgValue(NamedTuple):
    """One argument as the program will read it from port a.

    ``value`` by ``arg.kind``: int, float, str (text, choice), bool (flag).
    """

    arg: Arg
    value: Scalar

    def message(self) -> Message:
        """int and flag: I 1x1; number: X 1x1; text: T 1 x n in UTF-8; choice: I 1x1, its place
        among the choices, from 0."""
        kind, value = self.arg.kind, self.value
        if kind == "text":
            data = np.frombuffer(str(value).encode(), np.uint8).reshape(1, -1)
            return Message("T", data)
        if kind == "choice":
            return _number("I", self.arg.choices.index(str(value)))
        if kind == "number":
            return _number("X", math.floor(float(value) * 65536 + 0.5))
        return _number("I", int(value))


def answer(values: Sequence[ArgValue], number: int) -> Message:
    """What port a answers to selector ``number``: that argument, 0x0 if there is none of that
    number, and for -1 how many there are."""
    if number == -1:
        return _number("I", len(values))
    return values[number].message() if 0 <= number < len(values) else _NOT_GIVEN


def _number(kind: str, raw: int) -> Message:
    return Message(kind, np.array([[max(-(1 << 31), min((1 << 31) - 1, raw))]], np.int32))


def usage(meta: Meta, name: str = "") -> str:
    """The usage line of a program, e.g. ``blur [RADIUS] [--wrap]``."""
    words = [name or meta.title or "program"]
    for arg in meta.args:
        word = option(arg) if arg.kind == "flag" else arg.name.upper()
        if arg.kind == "choice":
            word = "{" + "|".join(arg.choices) + "}"
        words.append(word if arg.default is None and arg.kind != "flag" else f"[{word}]")
    return " ".join(words)


def option(arg: Arg) -> str:
    """How an argument is named on a command line: ``--top-k``."""
    return "--" + arg.name.replace("_", "-")


def named(meta: Meta, word: str) -> Arg | None:
    """The argument that ``--top-k``, ``--top_k`` or ``--top-k=3`` names, None if there is none.

    One that is called so to the letter comes first.
    """
    key = word.partition("=")[0]
    exact = next((arg for arg in meta.args if key == f"--{arg.name}"), None)
    return exact or next((arg for arg in meta.args if key == option(arg)), None)


def describe_arg(arg: Arg) -> str:
    """What may be given for an argument, e.g. ``whole number 0..127 (3)``; in brackets what it
    is otherwise."""
    kinds = {
        "int": "whole number",
        "number": "number",
        "text": "text",
        "flag": "yes or no",
        "choice": " ".join(arg.choices),
    }
    words = [kinds[arg.kind]]
    if arg.min is not None or arg.max is not None:
        low = "" if arg.min is None else f"{arg.min}"
        words.append(f"{low}..{'' if arg.max is None else arg.max}")
    if arg.default is not None and arg.kind != "flag":
        words.append(f"({arg.default!r})" if arg.kind == "text" else f"({arg.default})")
    elif arg.kind != "flag":
        words.append("(must be given)")
    return " ".join(words)


def parse_args(meta: Meta, words: Sequence[str], name: str = "") -> list[ArgValue]:
    """Read ``words`` as the arguments of a program, one value for each declared argument, in
    the order of declaration.  ``name`` is how the user calls it.  Raises UsageError."""
    line = usage(meta, name)
    places = [arg for arg in meta.args if arg.kind != "flag"]
    given: dict[str, str | bool] = {}
    rest = list(words)
    positional: list[str] = []
    while rest:
        word = rest.pop(0)
        if word == "--":
            positional += rest
            break
        if not word.startswith("--"):
            positional.append(word)
            continue
        key, equals, text = word.partition("=")
        arg = named(meta, key)
        if arg is None:
            known = ", ".join(option(arg) for arg in meta.args) or "no argument"
            raise UsageError(f"there is no argument {key}: it takes {known}", line)
        if arg.name in given:
            raise UsageError(f"{key} is given twice", line)
        if arg.kind == "flag" and not equals:
            given[arg.name] = True
        elif equals:
            given[arg.name] = text
        elif rest:
            given[arg.name] = rest.pop(0)
        else:
            raise UsageError(f"{key} needs a value", line)
    free = [arg for arg in places if arg.name not in given]
    if len(positional) > len(free):
        raise UsageError(f"there is no place for {positional[len(free)]!r}", line)
    given.update((arg.name, text) for arg, text in zip(free, positional, strict=False))
    return [ArgValue(arg, _value(arg, given.get(arg.name), line)) for arg in meta.args]


def _value(arg: Arg, text: str | bool | None, line: str) -> Scalar:
    if text is None:
        if arg.kind == "flag":
            return bool(arg.default)
        if arg.default is None:
            raise UsageError(f"{arg.name} is missing", line)
        return arg.default
    if isinstance(text, bool):
        return text
    if arg.kind == "flag":
        if text not in ("yes", "no"):
            raise UsageError(f"{option(arg)} is yes or no, not {text!r}", line)
        return text == "yes"
    if arg.kind == "choice" and text not in arg.choices:
        raise UsageError(f"{arg.name} is one of {', '.join(arg.choices)}, not {text!r}", line)
    if arg.kind in ("text", "choice"):
        return text
    return _bounded(arg, text, line)


def _bounded(arg: Arg, text: str, line: str) -> int | float:
    whole = arg.kind == "int"
    try:
        number: int | float = int(text, 10) if whole else float(text)
    except ValueError:
        wanted = "a whole number" if whole else "a number"
        raise UsageError(f"{arg.name} is {wanted}, not {text!r}", line) from None
    low: int | float = -(1 << 31) if whole else -32768
    high: int | float = (1 << 31) - 1 if whole else 32767
    low = low if arg.min is None else max(low, arg.min)
    high = high if arg.max is None else min(high, arg.max)
    if not low <= number <= high:
        raise UsageError(f"{arg.name} is {low} to {high}, not {text}", line)
    return number
