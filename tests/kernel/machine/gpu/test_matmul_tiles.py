"""Large matrix products in tiles of digits, with the thresholds lowered."""

from __future__ import annotations

import random

import numpy as np
import pytest

from pxos.kernel.machine.gpu import matmul, matmul_tiles
from pxos.kernel.machine.gpu.kit import Dispatch, Job, Kit
from pxos.kernel.machine.isa import small_operand
from tests.conformance.building import Draft
from tests.conformance.values import bits_of, plain
from tests.gpu import gpu
from tests.kernel.machine.gpu.harness import check_op, compare
from tests.kernel.machine.gpu.test_matmul import (
    HIGH,
    LOW,
    check_products,
    compare_with_cpu,
    extreme_products,
    matrix,
    quantised_product,
)


@pytest.fixture(autouse=True)
def _tiles_for_all(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(matmul, "VECTOR_ROWS", 0)
    monkeypatch.setattr(matmul_tiles, "TERMS", 1)
    monkeypatch.setattr(matmul_tiles, "LEAST_SIDE", 1)
    general = matmul._general

    def nothing_to_add(job: Job, kit: Kit) -> tuple[Dispatch, ...]:
        assert job.a.cols == 0, "a product did not go in tiles"
        return general(job, kit)

    monkeypatch.setattr(matmul, "_general", nothing_to_add)


@pytest.mark.parametrize("char", "Mm")
def test_products_like_the_oracle(char: str) -> None:
    assert check_op(char, 60) > 8


def test_random_products() -> None:
    sizes = (1, 3, 40, 127, 129, 140), (1, 3, 5, 30, 255, 256, 300), (1, 4, 5, 33, 128, 130)
    assert check_products("tiles", 40, *sizes)["done"] > 30


def test_panels_and_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(matmul_tiles, "SUM_WORDS", 50 * 128 * 128)
    monkeypatch.setattr(matmul_tiles, "PACK_WORDS", 5 * 128 * 16)
    monkeypatch.setattr(matmul_tiles, "SHORT_BLOCK", 16)
    monkeypatch.setattr(matmul_tiles, "BLOCK", 24)
    sizes = (9, 127, 300), (5, 255, 300), (5, 33, 130, 270)
    assert check_products("panels", 30, *sizes)["done"] > 20


def test_extreme_elements() -> None:
    for what, draft in extreme_products():
        assert compare_with_cpu(draft, what) == "done"


def test_any_scale_and_offset() -> None:
    for number in range(40):
        seed = f"tiled scale {number}"
        assert compare(quantised_product(seed, 3, 6, 3), seed) == "done"


@pytest.mark.parametrize("cell", [LOW, HIGH, HIGH - (1 << 23), 32767, -32768, 32895, 32896, 127, 0])
def test_every_number_of_planes(cell: int) -> None:
    """Every sum of 5,000 equal products, and one element that stands out."""
    for b, other in (("Q", 255), ("Q", 0), ("I", cell), ("X", -cell - 1)):
        draft = Draft()
        into = draft.add("X", 0, 0)
        rows = [[cell] * 5000, [0] * 4999 + [cell]]
        right = [[other] * 2] * 4999 + [[other, 1]]
        w4, w5 = (bits_of(2.0**-20), bits_of(-(2.0**-14))) if b == "Q" else (0, 0)
        x, y = matrix(draft, "X", rows), matrix(draft, b, right, w4, w5)
        draft.spare_rows = 5000
        draft.emit("M", into, x, y)
        draft.emit("H", small_operand(7) or 0)
        assert compare_with_cpu(draft, (cell, b, other)) == "done"


def test_windows_of_large_matrices(monkeypatch: pytest.MonkeyPatch) -> None:
    # one tile's sums of digits need 25 * 128 * 128 words of one binding
    monkeypatch.setattr(gpu(), "binding_words", 1 << 19)
    draft = Draft(spare_rows=30000)
    chooser = random.Random(3)
    into = draft.add("X", 0, 0)
    cells = np.random.default_rng(5).integers(0, 256, 700 * 1024, np.uint8)
    q = draft.text(700, 1024, cells.tobytes(), "Q", bits_of(0.01), bits_of(-1.0))
    x = plain(draft, chooser, "X", 30, 700)
    draft.emit("M", into, x, q)
    draft.emit("H", small_operand(7) or 0)
    assert compare_with_cpu(draft, "30 x 700 x 1024") == "done"
