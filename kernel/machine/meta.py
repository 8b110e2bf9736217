"""The metadata of a program: what tools read and the machine ignores.

META is a ``T`` matrix of canonical JSON (sorted keys, no blanks, UTF-8).  It comes from
strangers: sizes and types are checked, unknown keys are passed over.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields
from itertools import pairwise
from typing import Any

#: Longest metadata, in bytes.
MAX_BYTES = 1 << 20

ARG_KINDS = ("int", "number", "text", "choice", "flag")

Scalar = int | float | str | bool


class MetaError(ValueError):
    """Metadata is not what :class:`Meta` says it is."""


@dataclass(frozen=True, slots=True)
class Arg:
    """One argument of a program.

    ``kind``: one of ARG_KINDS.  ``default`` None: it must be given (a flag's is False).
    ``min`` and ``max`` bound an int or number; ``choices`` are a choice's texts.
    """

    name: str
    kind: str
    default: Scalar | None = None
    min: int | float | None = None
    max: int | float | None = None
    choices: tuple[str, ...] = ()
    help: str = ""

    def __post_init__(self) -> None:
        if self.kind not in ARG_KINDS:
            raise MetaError(f"argument {self.name!r} has kind {self.kind!r}, not {ARG_KINDS}")
        if not self.name:
            raise MetaError("an argument has no name")
        if self.kind == "choice" and not self.choices:
            raise MetaError(f"argument {self.name!r} is a choice without choices")
        if self.default is not None and not self._fits(self.default):
            raise MetaError(f"argument {self.name!r}: {self.default!r} is no {self.kind} it allows")

    def _fits(self, value: Scalar) -> bool:
        if self.kind == "flag":
            return isinstance(value, bool)
        if self.kind in ("int", "number"):
            wanted = int if self.kind == "int" else (int, float)
            if isinstance(value, bool) or not isinstance(value, wanted):
                return False
            low = self.min is None or value >= self.min
            return low and (self.max is None or value <= self.max)
        return isinstance(value, str) and (self.kind == "text" or value in self.choices)


@dataclass(frozen=True, slots=True)
class Meta:
    """Everything a program says about itself.

    ``icon``: entry of a 32x32 P matrix.  ``ports``: names of the ports it asks for.
    ``inputs``: names of its picture inputs, in order.  ``size``: preferred rows, columns of
    its screen.  ``names``: matrix name by entry.  ``labels``: pc by label.  ``lines``:
    (pc, index into ``files``, line number), ascending by pc.
    """

    title: str = ""
    author: str = ""
    licence: str = ""
    summary: str = ""
    help: str = ""
    source: str = ""
    icon: int | None = None
    ports: tuple[str, ...] = ()
    args: tuple[Arg, ...] = ()
    inputs: tuple[str, ...] = ()
    size: tuple[int, int] | None = None
    names: tuple[str, ...] = ()
    labels: Mapping[str, int] = field(default_factory=dict)
    lines: tuple[tuple[int, int, int], ...] = ()
    files: tuple[str, ...] = ()

    @classmethod
    def from_bytes(cls, data: bytes) -> Meta:
        """Parse metadata; empty data give the defaults.  Raises MetaError."""
        if len(data) > MAX_BYTES:
            raise MetaError(f"the metadata has {len(data)} bytes, more than {MAX_BYTES}")
        if not data:
            return cls()
        try:
            found = json.loads(data.decode("utf-8"), parse_constant=_no_constant)
        except RecursionError:
            raise MetaError("the metadata is nested too deeply") from None
        except ValueError as error:
            raise MetaError(f"the metadata is no JSON ({error})") from error
        if not isinstance(found, dict):
            raise MetaError(f"the metadata is a {type(found).__name__}, not an object")
        known = {key: read(key, found[key]) for key, read in _READ.items() if key in found}
        return cls(**known)

    def to_bytes(self) -> bytes:
        """Canonical JSON; fields at their defaults are left out.  Raises MetaError."""
        plain: dict[str, Any] = {}
        for f in fields(self):
            value = getattr(self, f.name)
            if f.name == "args":
                value = [_plain_arg(arg) for arg in value]
            elif f.name == "labels":
                value = dict(value)
            if value not in ("", None, (), {}, []):
                plain[f.name] = value
        try:
            text = json.dumps(
                plain, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False
            )
            data = text.encode("utf-8")
        except (TypeError, ValueError) as error:
            raise MetaError(f"the metadata cannot be written as JSON ({error})") from error
        if self != Meta.from_bytes(data):
            raise MetaError("the metadata does not read back as it was: use tuples, ints and texts")
        return data

    def name_of(self, entry: int) -> str:
        """The name of a table entry, or ``#entry`` if it has none."""
        return self.names[entry] if entry < len(self.names) and self.names[entry] else f"#{entry}"


def _no_constant(name: str) -> float:
    raise ValueError(f"{name} is no number")


def _plain_arg(arg: Arg) -> dict[str, Any]:
    plain = {f.name: getattr(arg, f.name) for f in fields(arg)}
    return {k: v for k, v in plain.items() if v not in (None, ()) and not (k == "help" and v == "")}


# ---- strict readers, one a type: (field name, JSON value) -> value ------------------------


def _wrong(where: str, wanted: str, value: object) -> MetaError:
    return MetaError(f"metadata field {where}: expected {wanted}, found {str(value)[:40]!r}")


def _text(where: str, value: object, *, lines: bool = False) -> str:
    """A text without control characters (they could command a terminal)."""
    if not isinstance(value, str):
        raise _wrong(where, "a text", value)
    for char in value:
        if (char < " " and not (lines and char in "\n\t")) or "\x7f" <= char <= "\x9f":
            raise _wrong(where, "a text without control characters", value)
        if "\ud800" <= char <= "\udfff":
            raise _wrong(where, "a text without lone surrogates", ascii(value))
    return value


def _help(where: str, value: object) -> str:
    return _text(where, value, lines=True)


def _int(where: str, value: object) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value < 1 << 32:
        raise _wrong(where, "an integer of 0..2^32-1", value)
    return value


def _list(where: str, value: object) -> list[Any]:
    if not isinstance(value, list):
        raise _wrong(where, "a list", value)
    return value


def _texts(where: str, value: object) -> tuple[str, ...]:
    return tuple(_text(where, item) for item in _list(where, value))


def _optional_int(where: str, value: object) -> int | None:
    return None if value is None else _int(where, value)


def _size(where: str, value: object) -> tuple[int, int] | None:
    if value is None:
        return None
    numbers = [_int(where, item) for item in _list(where, value)]
    if len(numbers) != 2 or not all(1 <= n <= 8192 for n in numbers):
        raise _wrong(where, "rows and columns of 1..8192", value)
    return numbers[0], numbers[1]


def _labels(where: str, value: object) -> dict[str, int]:
    if not isinstance(value, dict):
        raise _wrong(where, "an object", value)
    return {_text(where, key): _int(where, pc) for key, pc in value.items()}


def _lines(where: str, value: object) -> tuple[tuple[int, int, int], ...]:
    found = []
    for item in _list(where, value):
        numbers = [_int(where, number) for number in _list(where, item)]
        if len(numbers) != 3:
            raise _wrong(where, "triples of pc, file, line", item)
        found.append((numbers[0], numbers[1], numbers[2]))
    if any(a[0] > b[0] for a, b in pairwise(found)):
        raise _wrong(where, "triples in ascending order of pc", value)
    return tuple(found)


def _number(where: str, value: object) -> int | float | None:
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise _wrong(where, "a number", value)
    if not abs(value) < 1 << 53:  # nan and infinity fail this as well
        raise _wrong(where, "a finite number below 2^53", value)
    return value


def _default(where: str, value: object) -> Scalar | None:
    if value is None or isinstance(value, bool):
        return value
    return _help(where, value) if isinstance(value, str) else _number(where, value)


def _args(where: str, value: object) -> tuple[Arg, ...]:
    args = []
    for item in _list(where, value):
        if not isinstance(item, dict) or "name" not in item or "kind" not in item:
            raise _wrong(where, "objects with a name and a kind", item)
        known = {
            key: read(f"{where}.{key}", item[key]) for key, read in _READ_ARG.items() if key in item
        }
        args.append(Arg(**known))
    if len({arg.name for arg in args}) != len(args):
        raise _wrong(where, "arguments with different names", [arg.name for arg in args])
    return tuple(args)


_READ_ARG: dict[str, Callable[[str, object], Any]] = {
    "name": _text,
    "kind": _text,
    "default": _default,
    "min": _number,
    "max": _number,
    "choices": _texts,
    "help": _help,
}
_READ: dict[str, Callable[[str, object], Any]] = {
    "title": _text,
    "author": _text,
    "licence": _text,
    "summary": _text,
    "help": _help,
    "source": _text,
    "icon": _optional_int,
    "ports": _texts,
    "args": _args,
    "inputs": _texts,
    "size": _size,
    "names": _texts,
    "labels": _labels,
    "lines": _lines,
    "files": _texts,
}
