"""What all importers share: errors, strict JSON, and tensors that are asked for by name and shape.

A foreign file is hostile until it is proved otherwise: sizes are checked before anything is
allocated, JSON has a limit of bytes and of depth and no key twice, and no importer unpickles.
"""

from __future__ import annotations

import difflib
import importlib
import json
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from types import ModuleType
from typing import Any, Protocol

import numpy as np

#: Most weights that an import accepts: a byte each in the picture, four while it is made.
MAX_WEIGHTS = 1 << 29
#: Longest JSON file that is read (a tokenizer.json of 128,000 tokens has 9 MB).
MAX_JSON = 1 << 26


class ForeignError(ValueError):
    """A model that cannot be imported.  ``what`` is wrong; ``advice`` says what to do about it."""

    def __init__(self, what: str, advice: str) -> None:
        self.what, self.advice = what, advice
        super().__init__(f"{what}; {advice}")


def optional(module: str) -> ModuleType:
    """An optional package; raises ForeignError with how to install it where it is missing."""
    try:
        return importlib.import_module(module)
    except ImportError as error:
        raise ForeignError(
            f"{module.partition('.')[0]} is not installed ({error})",
            "install it with: pip install 'pxos[import]'",
        ) from error


# ---- files -------------------------------------------------------------------------------------


def read_limited(path: Path, limit: int) -> bytes:
    """The bytes of a regular file of at most ``limit`` bytes; raises ForeignError."""
    try:
        if not path.is_file():
            raise ForeignError(f"there is no file {path}", "check the path")
        size = path.stat().st_size
        if size > limit:
            raise ForeignError(f"{path} has {size:,} bytes", f"at most {limit:,} are read")
        with path.open("rb") as file:
            data = file.read(limit + 1)
    except OSError as error:
        raise ForeignError(f"{path} cannot be read ({error})", "check the path") from error
    if len(data) > limit:
        raise ForeignError(f"{path} grew while it was read", f"at most {limit:,} bytes are read")
    return data


def read_json(path: Path) -> dict[str, Any]:
    """The object in a JSON file; raises ForeignError."""
    return parse_json(read_limited(path, MAX_JSON), str(path))


def parse_json(data: bytes, where: str) -> dict[str, Any]:
    """The object that JSON text in UTF-8 holds.

    Raises ForeignError, naming ``where``, for text that is no JSON, whose outermost value is no
    object, that has a key twice, a NaN, or brackets too deep to follow.
    """
    try:
        value = json.loads(
            data.decode("utf-8"), object_pairs_hook=_unique, parse_constant=_no_constant
        )
    except RecursionError as error:
        raise ForeignError(
            f"{where} is nested too deeply", "it is damaged or made to do harm"
        ) from error
    except ValueError as error:
        raise ForeignError(
            f"{where} is no JSON that can be read ({error})", "get a whole copy"
        ) from error
    if not isinstance(value, dict):
        raise ForeignError(f"{where} holds no JSON object", "get a whole copy")
    return value


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        seen: set[str] = set()
        twice = next(key for key, _ in pairs if key in seen or seen.add(key))
        raise ValueError(f"the key {twice[:60]!r} stands there twice")
    return found


def _no_constant(name: str) -> None:
    raise ValueError(f"{name} is no JSON")


# ---- values of a configuration -----------------------------------------------------------------


class Settings:
    """A configuration with checks: every question says what kind of answer it takes."""

    def __init__(self, values: Mapping[str, Any], where: str) -> None:
        """``where``: what messages call the file."""
        self._values, self._where = values, where

    def whole(
        self, *names: str, low: int = 1, high: int = 1 << 31, default: int | None = None
    ) -> int:
        """The integer under the first of ``names`` that is there, within low..high.

        Raises ForeignError if it is missing without a default, another kind, or outside.
        """
        value = self._first(names)
        if value is None:
            value = default
        if value is None:
            raise ForeignError(f"{self._where} has no {names[0]}", "get the model's own file")
        if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
            raise ForeignError(
                f"{self._where}: {names[0]} is {_shown(value)}", f"it must be {low} to {high}"
            )
        return value

    def number(self, name: str, *, low: float, high: float, default: float) -> float:
        """The number under a name, within low..high; raises ForeignError."""
        value = self._values.get(name)
        if value is None:
            return default
        if (
            isinstance(value, bool)
            or not isinstance(value, int | float)
            or not low <= value <= high
        ):
            raise ForeignError(
                f"{self._where}: {name} is {_shown(value)}", f"it must be {low:g} to {high:g}"
            )
        return float(value)

    def flag(self, name: str, default: bool) -> bool:
        """True or false; raises ForeignError."""
        value = self._values.get(name)
        if value is None:
            return default
        if not isinstance(value, bool):
            raise ForeignError(
                f"{self._where}: {name} is {_shown(value)}", "it must be true or false"
            )
        return value

    def word(self, name: str, choices: Mapping[str, str], default: str) -> str:
        """What ``choices`` makes of the word under a name; raises ForeignError for another."""
        value = self._values.get(name, default)
        if not isinstance(value, str) or value not in choices:
            raise ForeignError(
                f"{self._where}: {name} is {_shown(value)}",
                "supported are " + ", ".join(choices),
            )
        return choices[value]

    def section(self, name: str) -> Settings | None:
        """The object under a name, or None; raises ForeignError if it is no object."""
        value = self._values.get(name)
        if value is None:
            return None
        if not isinstance(value, dict):
            raise ForeignError(f"{self._where}: {name} is {_shown(value)}", "it must be an object")
        return Settings(value, f"{self._where}: {name}")

    def refuse(self, name: str, *, unless: Iterable[object], why: str) -> None:
        """Raise ForeignError unless the value is missing or one of ``unless``."""
        value = self._values.get(name)
        if value is not None and value not in list(unless):
            raise ForeignError(f"{self._where}: {name} is {_shown(value)}", why)

    def get(self, name: str) -> Any:
        """The value as it is, or None."""
        return self._values.get(name)

    def _first(self, names: Iterable[str]) -> Any:
        return next((v for name in names if (v := self._values.get(name)) is not None), None)


def _shown(value: object) -> str:
    text = repr(value)
    return text if len(text) <= 60 else text[:57] + "..."


# ---- tensors -----------------------------------------------------------------------------------


class Source(Protocol):
    """Named tensors somewhere."""

    def shapes(self) -> Mapping[str, tuple[int, ...]]:
        """Name and shape of every tensor, without reading one."""
        ...

    def read(self, name: str) -> np.ndarray:
        """One tensor as float32, in its shape; raises ForeignError."""
        ...


class Arrays:
    """A source of arrays in memory; ``values`` maps names to what becomes a float32 array."""

    def __init__(self, values: Mapping[str, Any], convert: Callable[[Any], np.ndarray]) -> None:
        """``convert`` makes a float32 array of a value that has a ``shape``."""
        self._values, self._convert = values, convert

    def shapes(self) -> Mapping[str, tuple[int, ...]]:
        """Name and shape of every value."""
        return {name: tuple(int(n) for n in value.shape) for name, value in self._values.items()}

    def read(self, name: str) -> np.ndarray:
        """One value as float32."""
        return self._convert(self._values[name])


class Tensors:
    """Tensors of a source, each asked for with the shape that it must have.

    Remembers what was taken, so that :meth:`finish` can tell what an importer did not understand.
    """

    def __init__(self, source: Source, where: str) -> None:
        """Raises ForeignError if the tensors hold more than MAX_WEIGHTS numbers together."""
        self._source, self._where = source, where
        self._shapes = dict(source.shapes())
        self._taken: set[str] = set()
        total = sum(_count(shape) for shape in self._shapes.values())
        if total > MAX_WEIGHTS:
            raise ForeignError(
                f"{where} holds {total:,} weights", f"a picture takes at most {MAX_WEIGHTS:,}"
            )

    def has(self, name: str) -> bool:
        """Whether there is such a tensor."""
        return name in self._shapes

    def take(self, name: str, shape: tuple[int, ...]) -> np.ndarray:
        """The tensor as float32 of this very shape, every number finite; raises ForeignError."""
        if name not in self._shapes:
            near = difflib.get_close_matches(name, self._shapes, 1)
            raise ForeignError(
                f"{self._where} has no tensor {name}",
                f"the nearest is {near[0]}: is it another architecture?"
                if near
                else "is it another architecture, or one shard of several?",
            )
        found = self._shapes[name]
        if found != shape:
            raise ForeignError(
                f"the tensor {name} is {_by(found)}, expected {_by(shape)}",
                "the weights and the configuration do not belong together",
            )
        self._taken.add(name)
        return finite(self._source.read(name), name)

    def finish(self, ignore: Callable[[str], bool] = lambda name: False) -> None:
        """Raise ForeignError if tensors are left that were neither taken nor to be ignored."""
        left = [name for name in self._shapes if name not in self._taken and not ignore(name)]
        if left:
            raise ForeignError(
                f"{self._where} has {len(left)} tensors that this architecture has no place for, "
                f"such as {left[0]}",
                "the model is of another architecture, or has adapters: merge them first",
            )


def finite(array: np.ndarray, name: str) -> np.ndarray:
    """The array itself; raises ForeignError with the place if a number is NaN or infinite."""
    good = np.isfinite(array)
    if not good.all():
        place = tuple(int(i) for i in np.argwhere(~good)[0])
        raise ForeignError(
            f"the tensor {name} holds {array[place]} at {place}, "
            f"{int(array.size - good.sum())} such numbers in all",
            "the training diverged or the file is damaged: take an earlier checkpoint",
        )
    return array


def _count(shape: tuple[int, ...]) -> int:
    total = 1
    for n in shape:
        total *= n
    return total


def _by(shape: tuple[int, ...]) -> str:
    return " x ".join(map(str, shape)) or "a lone number"
