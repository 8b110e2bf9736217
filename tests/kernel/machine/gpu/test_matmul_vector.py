"""Few rows times matrices of bytes, with the thresholds lowered."""

from __future__ import annotations

from weakref import WeakKeyDictionary

import pytest

from pxos.kernel.machine.gpu import matmul
from pxos.kernel.machine.gpu.kit import Dispatch, Job, Kit
from tests.gpu import gpu
from tests.kernel.machine.gpu.harness import compare
from tests.kernel.machine.gpu.test_matmul import (
    check_products,
    compare_with_cpu,
    extreme_products,
    quantised_product,
)


@pytest.fixture(autouse=True)
def done(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The instructions that went this way."""
    monkeypatch.setattr(matmul, "VECTOR_ELEMENTS", 1)
    monkeypatch.setattr(matmul, "MOST_SHAPES", 1000)
    went: list[str] = []
    vector = matmul._vector

    def noted(job: Job, kit: Kit) -> tuple[Dispatch, ...]:
        went.append(job.op.char)
        return vector(job, kit)

    monkeypatch.setattr(matmul, "_vector", noted)
    return went


@pytest.mark.parametrize("size", [256, 512])
def test_random_products(size: int, done: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(matmul, "VECTOR_SIZE", size)
    sizes = (1, 1, 2, 5), (1, 3, 4, 30, 255, 256, 257, 1000), (1, 2, 5, 8, 32, 33, 100)
    assert check_products("vector", 40, *sizes, right="TPQQ")["done"] > 30
    assert done.count("M") > 10
    assert done.count("m") > 10


def test_more_terms_than_are_taken_in_at_a_time(done: list[str]) -> None:
    sizes = (1, 2), (4095, 4096, 4097, 8200), (1, 5, 33)
    assert check_products("long vector", 8, *sizes, right="TQQ")["done"] > 4
    assert len(done) > 3


def test_windows_of_large_matrices(done: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gpu(), "binding_words", 4096)
    sizes = (1, 3), (200,), (150,)
    assert check_products("vector windows", 5, *sizes, right="TQ")["done"] > 3
    assert len(done) > 1


def test_shapes_are_not_compiled_without_end(
    done: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(matmul, "MOST_SHAPES", 2)
    monkeypatch.setattr(matmul, "_SHAPES", WeakKeyDictionary())
    for inner in (*range(1, 9), 1, 2):
        seed = f"vector of {inner}"
        assert compare(quantised_product(seed, 1, inner, 5), seed) == "done"
    assert len(done) == 4


def test_extreme_elements() -> None:
    for what, draft in extreme_products():
        assert compare_with_cpu(draft, what) == "done"


def test_any_scale_and_offset(done: list[str]) -> None:
    for number in range(40):
        seed = f"vector scale {number}"
        assert compare(quantised_product(seed, 1, 9, 5), seed) == "done"
    assert len(done) == 40
