"""Arithmetic against exact rationals, over all kinds, broadcasts and aliases."""

from __future__ import annotations

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pxos.kernel.machine.cpu import arith
from tests.kernel.machine.cpu.exact import CORNERS, STRIDES, Matrix, check, random_matrix

OPERATORS = "A-*/%R_<="
SHAPES = [
    ((1, 1), (1, 1)),
    ((3, 4), (3, 4)),
    ((1, 4), (3, 1)),
    ((3, 4), (1, 1)),
    ((1, 1), (3, 4)),
    ((3, 1), (3, 4)),
    ((0, 4), (1, 4)),
    ((3, 0), (3, 1)),
    ((0, 0), (1, 1)),
]


def divisor(rng: random.Random, m: Matrix) -> Matrix:
    """Mostly without zeros, so that division gets somewhere."""
    if rng.random() < 0.2:
        return m
    return Matrix(m.kind, [[raw or 1 for raw in row] for row in m.rows], m.cols)


@pytest.mark.parametrize("kinds", [d + a + b for d in "IXTP" for a in "IXTP" for b in "IXTP"])
def test_every_operator_for_every_mix_of_kinds(kinds: str) -> None:
    rng = random.Random(kinds)
    d, a, b = kinds
    for char in OPERATORS:
        for left, right in SHAPES:
            x, y = random_matrix(rng, a, *left), random_matrix(rng, b, *right)
            if char in "/%":
                y = divisor(rng, y)
            steps = [rng.choice(STRIDES) for _ in range(3)]
            check(char, Matrix(d, [], 0), (x, y), steps=steps)


@pytest.mark.parametrize("kinds", [a + b for a in "IXT" for b in "IXT"])
@pytest.mark.parametrize("char", OPERATORS)
def test_all_pairs_of_corner_values(char: str, kinds: str) -> None:
    x = Matrix(kinds[0], [[raw] for raw in CORNERS[kinds[0]]], 1)
    line = [raw for raw in CORNERS[kinds[1]] if raw or char not in "/%"]
    y = Matrix(kinds[1], [line], len(line))
    for d in "IXT":
        check(char, Matrix(d, [], 0), (x, y))
        for raw in line[:6]:
            check(char, Matrix(d, [], 0), (x, Matrix(kinds[1], [[raw]], 1)))


@settings(max_examples=80, deadline=None)
@given(
    st.integers(0, 2**32),
    st.sampled_from(OPERATORS),
    st.sampled_from("IXT"),
    st.sampled_from("IXT"),
    st.integers(0, 1),
)
def test_d_may_be_one_of_the_inputs(seed: int, char: str, d: str, b: str, place: int) -> None:
    rng = random.Random(seed)
    mine = divisor(rng, random_matrix(rng, d, 3, 5))
    other = divisor(rng, random_matrix(rng, b, 3, rng.choice([1, 5])))
    ins = (mine, other) if place == 0 else (other, mine)
    check(char, mine, ins, alias=place, steps=[rng.choice(STRIDES)])


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 2**32), st.sampled_from(OPERATORS), st.sampled_from("IXTP"))
def test_a_view_takes_the_result_broadcast(seed: int, char: str, d: str) -> None:
    rng = random.Random(seed)
    x = divisor(rng, random_matrix(rng, rng.choice("IXTP"), 1, rng.choice([1, 4])))
    y = divisor(rng, random_matrix(rng, rng.choice("IXTP"), 1, 1))
    check(char, Matrix(d, [], 0), (x, y), view=(3, 4), steps=[rng.choice(STRIDES)])


@pytest.mark.parametrize("d", "IXTP")
@pytest.mark.parametrize("a", "TPIX")
@pytest.mark.parametrize("char", OPERATORS)
def test_many_elements_with_one_number(
    char: str, a: str, d: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(arith, "TABLE_FROM", 16)
    rng = random.Random(char + a + d)
    x = random_matrix(rng, a, 2, 20)
    for b in "IXT":
        y = divisor(rng, random_matrix(rng, b, 1, 1))
        check(char, Matrix(d, [], 0), (x, y))
    for number in (0, 1, -1, 5, -5, 255, 256, 300, -300):
        if number or char not in "/%":
            check(char, Matrix(d, [], 0), (x, Matrix("I", [[number]], 1)))


def test_division_by_zero_names_the_first_element_row_major() -> None:
    ones = Matrix("I", [[1, 1, 1], [1, 1, 1]], 3)
    for char in "/%":
        check(char, Matrix("I", [], 0), (ones, Matrix("I", [[1, 1, 0], [0, 1, 1]], 3)))
        check(char, Matrix("X", [], 0), (ones, Matrix("I", [[1], [0]], 1)))
        check(char, Matrix("T", [], 0), (ones, Matrix("X", [[1, 0, 0]], 3)))
        check(char, Matrix("I", [], 0), (ones, Matrix("T", [[0]], 1)))


def test_blocks_of_a_large_matrix_meet_their_own_inputs() -> None:
    rng = random.Random(5)
    column = random_matrix(rng, "X", 700, 1)
    line = random_matrix(rng, "I", 1, 101)
    check("A", Matrix("X", [], 0), (column, line))
    check(
        "-",
        Matrix("P", [], 0),
        (Matrix("T", [[k % 256 for k in range(66000)]], 66000), Matrix("X", [[98304]], 1)),
    )
