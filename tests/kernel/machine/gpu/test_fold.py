"""Fold, Cumulate and Argmax on the GPU: against the oracle, and long lines against NumPy."""

from __future__ import annotations

import numpy as np
import pytest

from pxos.kernel.machine.gpu import lines
from pxos.kernel.machine.isa import FOLD_OPERATORS
from tests.gpu import gpu

from .direct import blank, finished, noise, result
from .harness import LARGE, SMALL, check_op, specialised

UFUNC = {
    "A": np.add,
    "R": np.maximum,
    "_": np.minimum,
    "&": np.bitwise_and,
    "|": np.bitwise_or,
    "^": np.bitwise_xor,
}
FRACTION = {"I": 0, "X": 16, "T": 0, "P": 0}
#: Rows and columns: one long line, two short ones, many short ones, and in between.
SHAPES = ((1, 100_003), (3, 33_001), (70_000, 3), (2_100, 50), (257, 1_030))


def stored(value: np.ndarray, operator: str, a: str, d: str) -> np.ndarray:
    """Exact folds of elements of kind ``a`` as elements of kind ``d``."""
    if operator in "&|^":
        return value.astype(np.uint8 if d in "TP" else np.uint32).view(
            np.uint8 if d in "TP" else np.int32
        )
    return finished(value.astype(np.int64), FRACTION[a], d)


def widened(array: np.ndarray, operator: str) -> np.ndarray:
    """Bits work on raw words, everything else on exact numbers."""
    return array.astype(np.int64) if operator not in "&|^" else array.astype(np.int32)


@pytest.mark.parametrize("char", "FfCca")
def test_as_the_oracle(char: str) -> None:
    assert check_op(char, 160, SMALL) > 30
    assert check_op(char, 10, LARGE) > 2


@pytest.mark.parametrize("char", "FfCca")
def test_specialised_and_in_windows(char: str, monkeypatch: pytest.MonkeyPatch) -> None:
    specialised(monkeypatch)
    monkeypatch.setattr(gpu(), "binding_words", 8192)
    assert check_op(char, 30, LARGE, first=500) > 4


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize(("char", "axis"), [("F", 1), ("f", 0)])
def test_folds_of_long_lines(char: str, axis: int, shape: tuple[int, int]) -> None:
    for number, operator in enumerate(FOLD_OPERATORS):
        a, d = ("I", "X", "T")[number % 3], ("X", "I", "T")[(number + shape[0]) % 3]
        array = noise(number, a, *shape)
        value = UFUNC[operator].reduce(widened(array, operator), axis=axis, keepdims=True)
        found = result(char, blank(d, *value.shape), (a, array), literal=operator)
        np.testing.assert_array_equal(found, stored(value, operator, a, d), f"{operator} {a} {d}")


@pytest.mark.parametrize("shape", [*SHAPES, (1, 200_017), (200_017, 1)])
@pytest.mark.parametrize(("char", "axis"), [("C", 1), ("c", 0)])
def test_running_folds_of_long_lines(char: str, axis: int, shape: tuple[int, int]) -> None:
    for number, operator in enumerate(FOLD_OPERATORS):
        a, d = ("X", "T", "I")[number % 3], ("X", "I", "T")[(number + shape[0]) % 3]
        array = noise(number, a, *shape)
        value = UFUNC[operator].accumulate(widened(array, operator), axis=axis)
        found = result(char, blank(d, *shape), (a, array), literal=operator)
        np.testing.assert_array_equal(found, stored(value, operator, a, d), f"{operator} {a} {d}")


@pytest.mark.parametrize("d", "IXT")
def test_a_running_sum_is_broadcast_to_a_view(d: str) -> None:
    array = noise(1, "X", 1, 5_000)
    value = np.broadcast_to(np.cumsum(array.astype(np.int64), axis=1), (3, 5_000))
    found = result("C", blank(d, 3, 5_000), ("X", array), literal="A", shape=(1, 5_000))
    np.testing.assert_array_equal(found, finished(value, 16, d))


def test_saturation_does_not_spread() -> None:
    array = np.tile(np.array([[2**31 - 1, 2**31 - 1, -(2**31), -(2**31)]], np.int32), (1, 3_000))
    value = np.cumsum(array.astype(np.int64), axis=1)
    found = result("C", blank("X", 1, 12_000), ("X", array), literal="A")
    np.testing.assert_array_equal(found, finished(value, 16, "X"))


@pytest.mark.parametrize("shape", SHAPES)
def test_argmax_takes_the_first_of_equals(shape: tuple[int, int]) -> None:
    for kind, array in (("I", noise(3, "I", *shape, least=-5)), ("T", noise(4, "T", *shape))):
        value = np.argmax(array, axis=1, keepdims=True)
        np.testing.assert_array_equal(
            result("a", blank("I", *value.shape), (kind, array)), finished(value, 0, "I")
        )
    lowest = np.full(shape, -(2**31), np.int32)
    lowest[:, -1] += 1
    found = result("a", blank("X", shape[0], 1), ("X", lowest))
    np.testing.assert_array_equal(
        found, finished(np.full((shape[0], 1), shape[1] - 1, np.int64), 0, "X")
    )


def test_a_line_of_many_levels(monkeypatch: pytest.MonkeyPatch) -> None:
    """Strips so short that their pairs take five levels, as only huge lines do otherwise."""

    def short(cut: lines.Lines, across: bool, least_items: int = 4) -> lines.Strips:
        return lines.Strips(2, 4, -(-cut.length // 8), across)

    monkeypatch.setattr(lines, "cut", short)
    monkeypatch.setattr(lines, "cut_scan", short)
    array = noise(7, "I", 1, 20_011)
    value = np.cumsum(array.astype(np.int64), axis=1)
    found = result("C", blank("X", 1, 20_011), ("I", array), literal="A")
    np.testing.assert_array_equal(found, finished(value, 0, "X"))
    found = result("F", blank("I", 1, 1), ("I", array), literal="A")
    np.testing.assert_array_equal(found, finished(value[:, -1:], 0, "I"))


@pytest.mark.parametrize("char", "Fa")
def test_more_lines_than_pairs_fit_a_binding(char: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gpu(), "binding_words", 1 << 14)
    array = noise(5, "T", 9_000, 35)
    value = array.sum(axis=1, keepdims=True, dtype=np.int64)
    if char == "a":
        value = np.argmax(array, axis=1, keepdims=True)
    found = result(char, blank("X", 9_000, 1), ("T", array), literal="A" if char == "F" else "")
    np.testing.assert_array_equal(found, finished(value, 0, "X"))
