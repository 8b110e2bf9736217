"""Put, Put rows and Accumulate on the GPU: against the oracle, and large ones against NumPy."""

from __future__ import annotations

import numpy as np
import pytest

from pxos.kernel.machine.gpu import index_scatter
from tests.gpu import gpu

from .direct import finished, noise, result
from .harness import LARGE, SMALL, check_op, specialised

FRACTION = {"I": 0, "X": 16, "T": 0}


@pytest.mark.parametrize("char", "Pp@")
def test_as_the_oracle(char: str) -> None:
    assert check_op(char, 160, SMALL) > 30
    assert check_op(char, 20, LARGE) > 3


@pytest.mark.parametrize("char", "Pp@")
def test_specialised_and_in_windows(char: str, monkeypatch: pytest.MonkeyPatch) -> None:
    specialised(monkeypatch)
    monkeypatch.setattr(gpu(), "binding_words", 8192)
    assert check_op(char, 40, LARGE, first=500) > 4


@pytest.mark.parametrize("bins", [0, 1024])
@pytest.mark.parametrize("sparse", [0, 10**9])
@pytest.mark.parametrize("char", "Pp@")
def test_every_way_as_the_oracle(
    char: str, sparse: int, bins: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Claims and sums in counts even where items are few: settled by items, or by all of d."""
    monkeypatch.setattr(index_scatter, "FEW", 0)
    monkeypatch.setattr(index_scatter, "FEW_ROWS", 0)
    monkeypatch.setattr(index_scatter, "SPARSE", 1 / (sparse + 1e-9))
    monkeypatch.setattr(index_scatter, "MOST_BINS", bins)
    assert check_op(char, 80, SMALL, first=1000) > 15


def put(d: np.ndarray, where: np.ndarray, values: np.ndarray) -> np.ndarray:
    """d with the values at their positions, one after the other."""
    line = d.reshape(-1).copy()
    flat, given = where.reshape(-1), np.broadcast_to(values, where.shape).reshape(-1)
    for position, value in zip(flat.tolist(), given.tolist(), strict=True):
        if 0 <= position < line.size:
            line[position] = value
    return line.reshape(d.shape)


def added(
    d: np.ndarray, kind: str, where: np.ndarray, values: np.ndarray, fraction: int
) -> np.ndarray:
    """d with exact sums added, finished once."""
    own = FRACTION[kind]
    grid = max(own, fraction)
    sums = np.zeros(d.size, np.int64)
    inside = (where >= 0) & (where < d.size)
    np.add.at(sums, where[inside], np.broadcast_to(values, where.shape)[inside].astype(np.int64))
    held = d.reshape(-1).astype(np.int64) << (grid - own)
    return finished(held + (sums << (grid - fraction)), grid, kind).reshape(d.shape)


#: Shapes of d: fewer places than bins, more, and far more than items.
PLACES = ((1, 97), (50, 60), (1_200, 300))


@pytest.mark.parametrize("shape", PLACES)
@pytest.mark.parametrize("d", "IXT")
def test_puts_of_many(shape: tuple[int, int], d: str) -> None:
    before = noise(1, d, *shape)
    where = noise(2, "I", 300, 200, least=-shape[0] * shape[1] * 2)
    values = noise(3, d, 300, 200)
    found = result("P", (d, before), (d, values), ("I", where))
    np.testing.assert_array_equal(found, put(before, where, values))


@pytest.mark.parametrize("shape", PLACES)
@pytest.mark.parametrize(("d", "a"), [("I", "I"), ("X", "T"), ("T", "X"), ("I", "X"), ("X", "X")])
def test_sums_of_many(shape: tuple[int, int], d: str, a: str) -> None:
    before = noise(1, d, *shape)
    where = noise(2, "I", 300, 200, least=-shape[0] * shape[1] * 2)
    values = noise(3, a, 300, 200, least=-(1 << 24) if d == "X" else -(1 << 31))
    found = result("@", (d, before), (a, values), ("I", where))
    np.testing.assert_array_equal(found, added(before, d, where, values, FRACTION[a]))


def test_a_histogram() -> None:
    pixels = noise(5, "T", 600, 500) // 3
    ones = np.ones((1, 1), np.int32)
    found = result("@", ("I", np.zeros((1, 97), np.int32)), ("I", ones), ("T", pixels))
    np.testing.assert_array_equal(found, np.bincount(pixels.reshape(-1), minlength=97)[:97][None])


@pytest.mark.parametrize("items", [40, 128, 129])
def test_bytes_that_share_words(items: int) -> None:
    """Few and many items into few bytes, most of which are reached several times."""
    before = noise(1, "T", 9, 31)
    where = noise(2, "I", 1, items, least=-279)
    values = noise(3, "I", 1, items, least=-9)
    clamped = values.clip(0, 255)
    found = result("P", ("T", before), ("I", values), ("I", where))
    np.testing.assert_array_equal(found, put(before, where, clamped))
    found = result("@", ("T", before), ("I", values), ("I", where))
    np.testing.assert_array_equal(found, added(before, "T", where, values, 0))


@pytest.mark.parametrize("d", "IT")
@pytest.mark.parametrize(("rows", "items"), [(2_000, 20), (2_000, 300), (40, 3_000)])
def test_rows_put_among_rows(d: str, rows: int, items: int) -> None:
    before = noise(1, d, rows, 37)
    where = noise(2, "I", 1, items, least=-rows)
    values = noise(3, d, items, 37)
    expected = before.copy()
    for number, row in enumerate(where[0].tolist()):
        if row >= 0:
            expected[row] = values[number]
    np.testing.assert_array_equal(result("p", (d, before), (d, values), ("I", where)), expected)


@pytest.mark.parametrize("char", "P@p")
@pytest.mark.parametrize("d", "IT")
def test_range_by_range(char: str, d: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """More places than counts of one binding."""
    monkeypatch.setattr(gpu(), "binding_words", 1 << 12)
    for items in (1_500, 9_000):
        shape, cols = ((6_000, 1), 1) if char == "p" else ((60, 100), items)
        before, where = noise(1, d, *shape), noise(2, "I", 1, items, least=-7_000)
        values = noise(3, d, *((items, cols) if char == "p" else (1, items)))
        if char == "@":
            expected = added(before, d, where, values, 0)
        else:
            expected = put(before, where, values.reshape(1, -1))
        found = result(char, (d, before), (d, values), ("I", where))
        np.testing.assert_array_equal(found, expected)
