"""The data of declarations: numbers, lists, texts, pictures and arrays as raw elements."""

from __future__ import annotations

import io
from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import numpy as np

from . import constants
from .errors import Place, SourceError, suggest
from .symbols import Number, Scope
from .tree import Apply, Each, Expr, Rows, Text

#: More elements than this in one matrix are refused before anything is allocated.
MAX_ELEMENTS = 1 << 26
_CHANNELS = {"red": 0, "green": 1, "blue": 2, "alpha": 3}
FUNCTIONS = ("file", "lines", "fill", "range", "gray", "bytes", *_CHANNELS)


@dataclass(frozen=True, slots=True)
class Value:
    """What a data expression is worth before its matrix gives it a kind.

    ``form`` "numbers": ``array`` (rows, cols) of int64, float64 or exact Fractions (object),
    fixed point if ``point``; "text": uint8 (rows, cols); "picture": uint8 (rows, cols, 4).
    """

    form: str
    array: np.ndarray
    point: bool = False

    @property
    def kind(self) -> str:
        """The kind it has where nobody declared one."""
        return {"text": "T", "picture": "P"}.get(self.form, "X" if self.point else "I")

    @property
    def repeats(self) -> bool:
        """Whether it is one element again and again, which takes no memory: see fill()."""
        return self.array.size > 1 and not any(self.array.strides)


class Files:
    """Finds and reads the files that sources name."""

    def __init__(self, include_dirs: tuple[Path, ...], read_file: Callable[[Path], bytes]) -> None:
        self.include_dirs = include_dirs
        self.read_file = read_file

    def load(self, name: str, folder: str, place: Place) -> tuple[Path, bytes]:
        """The path and bytes of a file, sought beside the source, then in the include dirs."""
        tried = [Path(folder) / name, *(directory / name for directory in self.include_dirs)]
        for path in tried:
            try:
                return path, self.read_file(path)
            except (FileNotFoundError, NotADirectoryError):
                continue
            except (OSError, ValueError) as error:
                raise SourceError(place, f"cannot read {name!r}: {error}") from None
        near = self._near(name, tried)
        raise SourceError(
            place,
            f"there is no file {name!r}",
            near or "looked in " + ", ".join(str(path.parent) for path in tried),
        )

    def _near(self, name: str, tried: list[Path]) -> str:
        """A file of a similar name beside one that was sought."""
        found: list[str] = []
        for path in tried:
            if path.parent.is_dir():
                found += [entry.name for entry in path.parent.iterdir()]
        return suggest(Path(name).name, found)


class DataReader:
    """Evaluates data expressions in a scope."""

    def __init__(self, files: Files, scope: Scope, shape: tuple[int, int] | None = None) -> None:
        self.files = files
        self.scope = scope
        self.shape = shape

    def read(self, expr: Expr) -> Value:
        """The value of a data expression.  Raises SourceError if it is none."""
        match expr:
            case Text():
                return _text(expr.text.encode("utf-8"))
            case Rows():
                return self._list(expr)
            case Each():
                return self._each(expr)
            case Apply() if expr.name in FUNCTIONS and self.scope.find(expr.name) is None:
                return self._apply(expr)
        number = constants.evaluate(expr, self.scope)
        if number is None:
            what = f"{expr.name}(...)" if isinstance(expr, Apply) else "this"
            raise SourceError(
                expr.place,
                f"{what} is no data",
                suggest(expr.name, (*FUNCTIONS, *constants.FUNCTIONS))
                if isinstance(expr, Apply)
                else 'data are numbers, [lists], "text" and file("name")',
            )
        return _numbers([[number]])

    def _list(self, expr: Rows) -> Value:
        """``[1, 2; 3, 4]``, ``[[1, 2], [3, 4]]``, ``["ab", "c"]``."""
        items = [item for row in expr.rows for item in row]
        if items and all(isinstance(item, Text) for item in items):
            texts = [item.text.encode("utf-8") for item in items if isinstance(item, Text)]
            return _text_rows(texts)
        if any(isinstance(item, (Rows, Each)) for item in items):
            if len(expr.rows) != 1:
                raise SourceError(expr.place, "mix of [[1, 2], [3, 4]] and [1, 2; 3, 4]: use one")
            parts = [self.read(item) for item in items]
            return self._stack(parts, items)
        rows = [
            [constants.need(item, self.scope, "an element of data") for item in row]
            for row in expr.rows
        ]
        for row, source in zip(rows, expr.rows, strict=True):
            if len(row) != len(rows[0]):
                raise SourceError(
                    source[0].place,
                    f"this row has {len(row)} elements, the first has {len(rows[0])}",
                )
        return _numbers(rows)

    def _stack(self, parts: list[Value], items: list[Expr]) -> Value:
        for part, item in zip(parts, items, strict=True):
            if part.form != "numbers" or part.array.shape[1] != parts[0].array.shape[1]:
                raise SourceError(
                    item.place,
                    f"this row has {part.array.shape[1]} elements, "
                    f"the first has {parts[0].array.shape[1]}",
                )
        return Value(
            "numbers", np.vstack([part.array for part in parts]), any(part.point for part in parts)
        )

    def _each(self, expr: Each) -> Value:
        """``[item for i in a..b]``: one row, or a row for each if the item is a list."""
        low = constants.need_int(expr.low, self.scope, "the lower bound", -(1 << 31), 1 << 31)
        high = constants.need_int(expr.high, self.scope, "the upper bound", -(1 << 31), 1 << 31)
        if high - low > MAX_ELEMENTS:
            raise SourceError(expr.place, f"more than {MAX_ELEMENTS} elements")
        parts: list[Value] = []
        for i in range(low, high):
            inner = Scope(self.scope)
            inner.names[expr.name] = Number(Fraction(i))
            parts.append(DataReader(self.files, inner).read(expr.item))
        if not parts:
            return _numbers([])
        if isinstance(expr.item, (Rows, Each)):
            return self._stack(parts, [expr.item] * len(parts))
        return Value(
            "numbers", np.hstack([part.array for part in parts]), any(part.point for part in parts)
        )

    def _apply(self, expr: Apply) -> Value:
        name, count = expr.name, len(expr.args)
        wanted = {"range": (1, 2, 3)}.get(name, (1,))
        if count not in wanted:
            raise SourceError(
                expr.place,
                f"{name}() takes {' or '.join(map(str, wanted))} "
                f"argument{'s' if wanted != (1,) else ''}, not {count}",
            )
        if name == "file":
            return self._file(expr)
        if name == "range":
            return self._range(expr)
        if name == "fill":
            if self.shape is None:
                raise SourceError(expr.place, "fill(v) needs a shape", "w : I 8x8 = fill(1)")
            number = constants.need(expr.args[0], self.scope, "what fills")
            one = np.empty((1, 1), object)
            one[0, 0] = number.value
            return Value("numbers", np.broadcast_to(one, self.shape), number.point)
        inner = self.read(expr.args[0])
        if name == "lines":
            if inner.form != "text":
                raise SourceError(expr.args[0].place, "lines() splits a text")
            return _text_rows(inner.array.tobytes().rstrip(b"\n").split(b"\n"))
        if inner.form != "picture":
            raise SourceError(expr.args[0].place, f"{name}() takes a picture")
        pixels = inner.array
        if name in _CHANNELS:
            return Value("text", np.ascontiguousarray(pixels[:, :, _CHANNELS[name]]))
        if name == "bytes":
            return Value("text", pixels.reshape(pixels.shape[0], -1))
        weighed = pixels[:, :, :3].astype(np.int64) @ np.array([299, 587, 114])
        return Value("text", ((weighed + 500) // 1000).astype(np.uint8))

    def _range(self, expr: Apply) -> Value:
        numbers = [constants.need(arg, self.scope, "range's argument") for arg in expr.args]
        count = constants.need_int(expr.args[0], self.scope, "the count", 0, MAX_ELEMENTS)
        start = numbers[1].value if len(numbers) > 1 else Fraction(0)
        step = numbers[2].value if len(numbers) > 2 else Fraction(1)
        point = any(number.point for number in numbers)
        return _numbers([[Number(start + i * step, point) for i in range(count)]])

    def _file(self, expr: Apply) -> Value:
        name = expr.args[0]
        if not isinstance(name, Text):
            raise SourceError(name.place, "file() takes a name in quotes")
        path, data = self.files.load(name.text, name.place.source.folder, name.place)
        suffix = path.suffix.lower()
        if suffix == ".npy":
            return _npy(data, name.place)
        if suffix in (".png", ".bmp", ".gif", ".jpg", ".jpeg", ".webp", ".ppm", ".pgm"):
            return Value("picture", read_picture(data, name.place))
        return _text(data)


def _text(data: bytes) -> Value:
    return Value("text", np.frombuffer(data, np.uint8).reshape(1 if data else 0, len(data)))


def _text_rows(texts: list[bytes]) -> Value:
    """One text a row, padded with zeros to the longest."""
    array = np.zeros((len(texts), max(map(len, texts), default=0)), np.uint8)
    for row, text in zip(array, texts, strict=True):
        row[: len(text)] = np.frombuffer(text, np.uint8)
    return Value("text", array)


def _numbers(rows: list[list[Number]]) -> Value:
    array = np.empty((len(rows), len(rows[0]) if rows else 0), object)
    for r, row in enumerate(rows):
        for c, number in enumerate(row):
            array[r, c] = number.value
    return Value("numbers", array, any(number.point for row in rows for number in row))


def read_picture(data: bytes, place: Place) -> np.ndarray:
    """Any common picture file as uint8 (rows, cols, 4)."""
    from PIL import Image, UnidentifiedImageError

    try:
        with Image.open(io.BytesIO(data)) as image:
            if image.width * image.height > MAX_ELEMENTS:
                raise SourceError(place, f"the picture has more than {MAX_ELEMENTS} pixels")
            return np.asarray(image.convert("RGBA"))
    except (
        UnidentifiedImageError,
        Image.DecompressionBombError,
        OSError,
        ValueError,
        SyntaxError,
    ) as error:
        raise SourceError(place, f"the picture cannot be read: {error}") from None


def _npy(data: bytes, place: Place) -> Value:
    """A NumPy array file; pickled objects are refused."""
    try:
        array = np.load(io.BytesIO(data), allow_pickle=False)
    except (ValueError, EOFError, OSError) as error:
        raise SourceError(place, f"the array cannot be read: {error}") from None
    if not isinstance(array, np.ndarray) or array.size > MAX_ELEMENTS:
        raise SourceError(place, f"expected one array of at most {MAX_ELEMENTS} elements")
    if array.ndim == 3 and array.shape[2] == 4 and array.dtype == np.uint8:
        return Value("picture", array)
    if array.ndim > 2:
        raise SourceError(place, f"the array has {array.ndim} dimensions, a matrix has two")
    array = np.atleast_2d(array)
    if array.dtype.kind in "biu":
        return Value("numbers", array.astype(np.int64))
    if array.dtype.kind == "f":
        if not np.isfinite(array).all():
            raise SourceError(place, "the array holds infinities or NaN")
        return Value("numbers", array.astype(np.float64), True)
    raise SourceError(place, f"elements of type {array.dtype} are no numbers")
