"""Giving data their kind: from values to the raw elements that a matrix holds."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from .constants import fixed_word, integer_word
from .data import Value
from .errors import Place, SourceError
from .symbols import Number

Quantising = tuple[float, float]


def raw_elements(value: Value, kind: str, place: Place) -> np.ndarray:
    """The elements of ``value`` in a matrix of kind I, X, T or P.

    I and X: int32 (rows, cols), X raw Q16.16 rounded half up; T: uint8 (rows, cols);
    P: uint8 (rows, cols, 4).  Raises SourceError where the value does not fit.
    """
    if value.repeats:
        one = raw_elements(_first(value), kind, place)
        return np.broadcast_to(one, (*value.array.shape, *one.shape[2:]))
    if kind == "P":
        if value.form == "picture":
            return value.array
        if value.form == "text":
            raise SourceError(place, "text is no picture", "declare it T")
        words = _integers(value, place)
        return words.view(np.uint8).reshape(*words.shape, 4)
    if value.form == "picture":
        if kind == "I":
            return np.ascontiguousarray(value.array).view(np.int32)[:, :, 0]
        raise SourceError(
            place,
            f"a picture is no data of kind {kind}",
            "take a channel: red(...), alpha(...), gray(...), or bytes(...)",
        )
    if kind == "T":
        return _bytes(value, place)
    return _integers(value, place) if kind == "I" else _fixed(value, place)


def _first(value: Value) -> Value:
    """The one element that a value repeats."""
    return replace(value, array=value.array[:1, :1])


def _integers(value: Value, place: Place) -> np.ndarray:
    array = value.array
    if array.dtype == object:
        flat = [integer_word(Number(v), place) for v in array.ravel()]
        return np.array(flat, np.int32).reshape(array.shape)
    if array.dtype.kind == "f" and not (array == np.floor(array)).all():
        raise SourceError(place, "the data are no integers", "declare the matrix X")
    if array.size and not (array.min() >= -(2**31) and array.max() < 2**32):
        raise SourceError(place, "the data do not fit 32 bits")
    return array.astype(np.int64).astype(np.uint32).view(np.int32)


def _fixed(value: Value, place: Place) -> np.ndarray:
    array = value.array
    if array.dtype == object:
        flat = [fixed_word(Number(v), place) for v in array.ravel()]
        return np.array(flat, np.int32).reshape(array.shape)
    if array.size and not (array.min() >= -32768 and array.max() < 32768):
        raise SourceError(place, "the data do not fit fixed point (below 32768)")
    scaled = array.astype(np.float64) * 65536.0
    down = np.floor(scaled)
    rounded: np.ndarray = np.minimum(down + (scaled - down >= 0.5), 2.0**31 - 1)
    return rounded.astype(np.int32)


def _bytes(value: Value, place: Place) -> np.ndarray:
    if value.form == "text":
        return value.array
    if value.array.size == 0:
        return np.zeros(value.array.shape, np.uint8)
    words = _integers(value, place)
    if words.min() < 0 or words.max() > 255:
        raise SourceError(place, "bytes are 0..255")
    return words.astype(np.uint8)


def quantised(
    value: Value, given: Quantising | None, place: Place
) -> tuple[np.ndarray, Quantising]:
    """Bytes q, scale and offset with value = scale * q + offset as near as it goes.

    Whole numbers of 0..255 without a point are taken as the bytes themselves; other numbers
    are quantised, over their range if ``given`` is None.  The result is float32 (scale,
    offset) held as floats.
    """
    if value.repeats:
        one, grid = quantised(_first(value), given, place)
        return np.broadcast_to(one, value.array.shape), grid
    if value.form == "text" or (value.form == "numbers" and not value.point):
        return _bytes(value, place), given or (1.0, 0.0)
    if value.form == "picture":
        raise SourceError(place, "a picture is no data of kind Q", "take a channel: gray(...)")
    numbers = value.array.astype(np.float64)
    if given is None:
        low, high = (float(numbers.min()), float(numbers.max())) if numbers.size else (0.0, 1.0)
        scale = float(np.float32((high - low) / 255)) or 1.0
        given = scale, float(np.float32(low))
    scale, offset = given
    return np.clip(np.floor((numbers - offset) / scale + 0.5), 0, 255).astype(np.uint8), given


def fitted(array: np.ndarray, shape: tuple[int, int] | None, place: Place) -> np.ndarray:
    """``array`` in the declared shape: as it is, one element repeated, or the same number of
    elements cut into rows."""
    if shape is None or array.shape[:2] == shape:
        return array
    rows, cols = shape
    if array.shape[:2] == (1, 1):
        return np.broadcast_to(array, (*shape, *array.shape[2:])).copy()
    if array.shape[0] * array.shape[1] == rows * cols:
        return array.reshape(*shape, *array.shape[2:])
    found = "x".join(map(str, array.shape[:2]))
    raise SourceError(place, f"the data are {found}, the shape says {rows}x{cols}")
