"""Iota, Order, Index, Where and Gather on the GPU: against the oracle, large ones against NumPy."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from pxos.kernel.machine.gpu import index_rows, index_sort
from pxos.kernel.machine.gpu.device import Part
from pxos.kernel.machine.gpu.index import count_nonzero
from pxos.kernel.machine.gpu.kit import Kit, Operand, TooLarge
from tests.gpu import gpu

from .direct import blank, finished, noise, result, run, upload
from .harness import LARGE, SMALL, check_op, specialised


@pytest.mark.parametrize("char", "IoiwGg")
def test_as_the_oracle(char: str) -> None:
    assert check_op(char, 160, SMALL) > 20
    assert check_op(char, 10, LARGE) > 0


@pytest.mark.parametrize("char", "IoiwGg")
def test_specialised_and_in_windows(char: str, monkeypatch: pytest.MonkeyPatch) -> None:
    specialised(monkeypatch)
    monkeypatch.setattr(gpu(), "binding_words", 8192)
    assert check_op(char, 25, LARGE, first=500) > 1


@pytest.mark.parametrize(("pairs", "columns"), [(0, 0), (0, 16), (1 << 24, 16)])
def test_index_by_trying_and_by_sorting(
    pairs: int, columns: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(index_rows, "FEW", 0)
    monkeypatch.setattr(index_rows, "PAIRS", pairs)
    monkeypatch.setattr(index_rows, "FEW_COLUMNS", columns)
    monkeypatch.setattr(index_rows, "MOST_COMPARED", 16)
    assert check_op("i", 150, SMALL, first=1000) > 15


@pytest.mark.parametrize(("kind", "start"), [("I", 2**31 - 5_000), ("X", 7), ("T", -100)])
def test_a_long_iota(kind: str, start: int) -> None:
    count = np.array([[70_001]], np.int32)
    found = result("I", blank(kind, 1, 70_001), ("I", count), ("I", np.array([[start]], np.int32)))
    value = np.arange(70_001, dtype=np.int64).reshape(1, -1) + start
    np.testing.assert_array_equal(found, finished(value, 0, kind))


@pytest.mark.parametrize("shape", [(70_000, 3), (5, 1_024), (3, 1_025), (2, 20_001), (1, 150_000)])
@pytest.mark.parametrize("d", "IT")
def test_order_is_stable(shape: tuple[int, int], d: str) -> None:
    for kind, least in (("I", -9), ("I", -(2**31)), ("T", 0)):
        array = noise(shape[1], kind, *shape, least=least or -1)
        value = np.argsort(array, axis=1, kind="stable").astype(np.int64)
        np.testing.assert_array_equal(
            result("o", blank(d, *shape), (kind, array)), finished(value, 0, d)
        )


def test_order_row_range_by_row_range(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gpu(), "binding_words", 1 << 13)
    array = noise(5, "X", 20, 3_001, least=-50)
    value = np.argsort(array, axis=1, kind="stable").astype(np.int64)
    for d in "IT":
        np.testing.assert_array_equal(
            result("o", blank(d, 20, 3_001), ("X", array)), finished(value, 0, d)
        )
    with pytest.raises(TooLarge):
        result("o", blank("I", 1, 9_000), ("X", noise(5, "X", 1, 9_000)))


def first_equal(table: np.ndarray, asked: np.ndarray) -> np.ndarray:
    """The number of the first equal row, by a dictionary."""
    where: dict[bytes, int] = {}
    for number, row in enumerate(table.astype(np.int64)):
        where.setdefault(row.tobytes(), number)
    rows = asked.astype(np.int64)
    return np.array([[where.get(row.tobytes(), -1) for row in rows]], np.int64)


@pytest.mark.parametrize(
    ("rows", "cols", "asked"),
    [(100, 3, 5_000), (4_001, 2, 300), (9_000, 2, 5_000), (60_000, 1, 999), (900, 20, 20_000)],
)
def test_rows_found_in_large_tables(rows: int, cols: int, asked: int) -> None:
    """Half of what is asked is there, some of it several times."""
    table = noise(rows, "I", rows, cols, least=-(rows if cols == 1 else 2))
    some = noise(asked, "I", asked, cols, least=-2 * rows)
    taken = np.random.default_rng(asked).integers(0, rows, asked // 2)
    some[::2][: asked // 2] = table[taken]
    value = first_equal(table, some)
    assert (value[0, ::2][: asked // 2] >= 0).all()
    assert (value < 0).any()
    found = result("i", blank("I", 1, asked), ("I", table), ("I", some))
    np.testing.assert_array_equal(found, value)


def test_rows_of_other_kinds_and_widths_are_compared_by_value() -> None:
    table = noise(1, "T", 6_000, 3)
    table[:, 1:] %= 4
    asked = np.zeros((4_000, 5), np.int32)
    asked[:, :3] = noise(2, "T", 4_000, 3)
    asked[:, 1:3] %= 4
    value = first_equal(np.pad(table, ((0, 0), (0, 2))), asked)
    asked[::7, 0] += 300
    value[0, ::7] = -1
    fixed = asked << 16
    fixed[::5, 4] = 1  # 2^-16 in the padding
    value[0, ::5] = -1
    found = result("i", blank("X", 1, 4_000), ("T", table), ("X", fixed))
    np.testing.assert_array_equal(found, finished(value, 0, "X"))


def test_rows_too_wide_for_an_invocation() -> None:
    wide = noise(1, "I", 2, index_rows.MOST_COMPARED + 1)
    with pytest.raises(TooLarge):
        result("i", blank("I", 1, 2), ("I", wide), ("I", wide))


@pytest.mark.parametrize("shape", [(1, 200_003), (70_000, 3), (300, 700)])
@pytest.mark.parametrize("kind", "IT")
def test_where_and_its_count(shape: tuple[int, int], kind: str) -> None:
    array = noise(9, kind, *shape)
    array[noise(8, "T", *shape) > 100] = 0
    value = np.flatnonzero(array).reshape(1, -1)
    for d in "IX":
        np.testing.assert_array_equal(
            result("w", blank(d, *value.shape), (kind, array)), finished(value, 0, d)
        )
    short = value.shape[1] // 4 * 4
    array.reshape(-1)[value[0, short:]] = 0
    value = value[:, :short]
    np.testing.assert_array_equal(
        result("w", blank("T", *value.shape), (kind, array)), finished(value, 0, "T")
    )
    kit = Kit(gpu())
    dispatches, counts = count_nonzero(upload(kit, kind, array), kit)
    run(kit, dispatches)
    assert int(kit.gpu.read([Part(counts, 0, 1)])[0][0]) == short


def test_where_leaves_the_words_behind_its_result() -> None:
    """A d of k columns in a larger buffer; and one position spread over a view."""
    array = np.zeros((1, 999), np.int32)
    array[0, 500] = 3
    found = result("w", blank("T", 4, 6), ("I", array), shape=(1, 1))
    np.testing.assert_array_equal(found, np.full((4, 6), 255, np.uint8))
    assert (
        result("w", blank("X", 2, 3), ("I", array), shape=(1, 1)).tolist() == [[500 << 16] * 3] * 2
    )


def test_nothing_to_count() -> None:
    kit = Kit(gpu())
    zeros = upload(kit, "I", np.zeros((3, 5), np.int32))
    for a in (zeros, Operand("I", 0, 7, 4, 0, 7, 1, zeros.buffer)):
        dispatches, counts = count_nonzero(a, kit)
        run(kit, dispatches)
        assert int(kit.gpu.read([Part(counts, 0, 1)])[0][0]) == 0


@pytest.mark.parametrize(("a", "d"), [("I", "X"), ("T", "I"), ("X", "T"), ("I", "I")])
def test_gathers_of_many(a: str, d: str) -> None:
    array, index = noise(1, a, 700, 90), noise(2, "I", 70_000, 3, least=-80_000)
    inside = (index >= 0) & (index < array.size)
    taken = array.reshape(-1)[np.where(inside, index, 0)].astype(np.int64)
    fraction = 16 if a == "X" else 0
    value = np.where(inside, finished(taken, fraction, d), 0)
    np.testing.assert_array_equal(
        result("G", blank(d, *index.shape), (a, array), ("I", index)), value
    )
    rows = noise(3, "I", 60, 50, least=-900)
    inside = ((rows >= 0) & (rows < 700)).reshape(-1, 1)
    taken = array[np.where(inside[:, 0], rows.reshape(-1), 0)].astype(np.int64)
    value = np.where(inside, finished(taken, fraction, d), 0)
    np.testing.assert_array_equal(result("g", blank(d, 3_000, 90), (a, array), ("I", rows)), value)


def test_blocks_are_as_the_kernels_have_them() -> None:
    folder = Path(index_sort.__file__).parent
    assert f"BLOCK: u32 = {index_sort.SHORT}u;" in (folder / "index_sort.wgsl").read_text("utf-8")
    assert f"BLOCK: u32 = {index_sort.BLOCK}u;" in (folder / "index_radix.wgsl").read_text("utf-8")
