"""Convolutions against exact rationals."""

from __future__ import annotations

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pxos.kernel.machine.cpu import conv
from tests.kernel.machine.cpu.exact import HIGH, LOW, STRIDES, Matrix, check, random_matrix

KERNELS: dict[str, list[list[int]]] = {
    "box": [[1] * 7],
    "column": [[3]] * 5,
    "square": [[2] * 4] * 6,
    "sobel": [[-1, 0, 1], [-2, 0, 2], [-1, 0, 1]],
    "gauss": [[1, 4, 6, 4, 1], [4, 16, 24, 16, 4], [6, 24, 36, 24, 6]],
    "ring": [[1, 1, 1], [1, 0, 1], [1, 1, 1]],
    "one": [[1]],
    "minus": [[-3]],
    "zero": [[0, 0], [0, 0]],
    "shift": [[0, 0, 0, 0, 1]],
    "laplace": [[0, -1, 0], [-1, 4, -1], [0, -1, 0]],
    "even": [[1, -2], [3, 5]],
    "negative box": [[-2] * 9] * 2,
    "sparse": [[0, 0, 0], [0, 0, 7]],
}


@pytest.mark.parametrize("kinds", [d + a for d in "IXTP" for a in "IXTP"])
@pytest.mark.parametrize("name", KERNELS)
def test_kernels_for_every_pair_of_kinds(name: str, kinds: str) -> None:
    rng = random.Random(name + kinds)
    d, a = kinds
    weights = KERNELS[name]
    for b in "IX" + ("T" if min(min(row) for row in weights) >= 0 else ""):
        scale = rng.choice([1, 65536, 9362, 1 << 20]) if b == "X" else 1
        kernel = Matrix(b, [[w * scale for w in row] for row in weights], len(weights[0]))
        for shape in [(5, 8), (1, 4), (3, 4)]:
            steps = [rng.choice(STRIDES), rng.choice(STRIDES[:4] if a != "P" else STRIDES[:3])]
            x = random_matrix(rng, a, *shape)
            for char in "Kk":
                check(char, Matrix(d, [], 0), (x, kernel), steps=steps)


@pytest.mark.parametrize("d", "IXTP")
def test_random_kernels_and_extremes(d: str) -> None:
    rng = random.Random(d)
    for a in "IXTP":
        for b in "IXTP":
            for size in [(2, 3), (3, 3), (1, 1), (0, 0), (0, 3), (4, 1)]:
                check(
                    rng.choice("Kk"),
                    Matrix(d, [], 0),
                    (random_matrix(rng, a, 3, 8), random_matrix(rng, b, *size)),
                )
        for shape in [(0, 4), (4, 0)]:
            check(
                "K",
                Matrix(d, [], 0),
                (random_matrix(rng, a, *shape), random_matrix(rng, "I", 3, 3)),
            )
        for high in (LOW, HIGH):
            x = Matrix(a, [[255 if a in "TP" else high] * 4] * 2, 4)
            check("K", Matrix(d, [], 0), (x, Matrix("X", [[high, LOW, high]] * 3, 3)))


def test_no_data_but_large_weights() -> None:
    for a in "IXT":
        zeros = Matrix(a, [[0] * 4] * 2, 4)
        for weights in ([[1 << 16, 7, 1 << 16]], [[LOW, 3], [5, HIGH]]):
            kernel = Matrix("X", weights, len(weights[0]))
            check("K", Matrix("X", [], 0), (zeros, kernel))


def test_kernels_too_large_to_be_taken_apart(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(conv, "LARGE_KERNEL", 3)
    rng = random.Random(12)
    for a in "IXTP":
        for char in "Kk":
            x = random_matrix(rng, a, 3, 8)
            check(char, Matrix("X", [], 0), (x, random_matrix(rng, "X", 3, 5)))
            check(char, Matrix("I", [], 0), (x, Matrix("I", [[LOW, HIGH, LOW, 7]], 4)))


def test_weights_beyond_every_machine_word(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(conv, "WIDE_WEIGHTS", 1 << 33)
    x = Matrix("X", [[LOW, HIGH, 5], [HIGH, LOW, -1]], 3)
    for d in "IXT":
        check("K", Matrix(d, [], 0), (x, Matrix("X", [[LOW, LOW + 1, HIGH], [3, LOW, -5]], 3)))


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 2**32), st.sampled_from("IXT"), st.sampled_from("Kk"), st.integers(0, 1))
def test_d_may_be_one_of_the_inputs(seed: int, d: str, char: str, place: int) -> None:
    rng = random.Random(seed)
    mine, other = random_matrix(rng, d, 3, 3), random_matrix(rng, "I", 3, 3)
    check(char, mine, (mine, other) if place == 0 else (other, mine), alias=place)


def test_a_view_takes_the_result_broadcast() -> None:
    rng = random.Random(8)
    check(
        "K",
        Matrix("X", [], 0),
        (random_matrix(rng, "I", 1, 4), random_matrix(rng, "X", 3, 3)),
        view=(3, 4),
    )
    check(
        "k",
        Matrix("T", [], 0),
        (random_matrix(rng, "P", 3, 4), random_matrix(rng, "X", 1, 3)),
        view=(3, 4),
    )


def test_blocks_of_rows_and_columns(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(conv, "CONV_BLOCK", 24)
    rng = random.Random(2)
    for name in ("box", "sobel", "ring", "column"):
        for char in "Kk":
            for a in "TP":
                kernel = Matrix("I", KERNELS[name], len(KERNELS[name][0]))
                check(char, Matrix("I", [], 0), (random_matrix(rng, a, 9, 68), kernel))
