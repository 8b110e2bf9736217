"""And, Or, Xor and Shift against exact integers."""

from __future__ import annotations

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.kernel.machine.cpu.exact import CORNERS, STRIDES, Matrix, check, random_matrix

KINDS = [d + a + b for d in "IXTP" for a in "IXTP" for b in "IXTP"]


@pytest.mark.parametrize("kinds", KINDS)
def test_every_operator_for_every_mix_of_kinds(kinds: str) -> None:
    rng = random.Random(kinds)
    d, a, b = kinds
    for char in "&|^S":
        for left, right in [
            ((3, 4), (3, 4)),
            ((1, 4), (3, 1)),
            ((3, 4), (1, 1)),
            ((1, 1), (1, 1)),
            ((0, 4), (1, 1)),
        ]:
            x, y = random_matrix(rng, a, *left), random_matrix(rng, b, *right)
            check(char, Matrix(d, [], 0), (x, y), steps=[rng.choice(STRIDES) for _ in range(3)])


@pytest.mark.parametrize("a", "IXT")
def test_shifts_of_corner_values_by_every_count(a: str) -> None:
    x = Matrix(a, [[raw] for raw in CORNERS[a]], 1)
    counts = [*range(-34, 35), 1000, -1000]
    for d in "IXT":
        check("S", Matrix(d, [], 0), (x, Matrix("I", [counts], len(counts))))
        for count in (-40, -32, -31, -1, 0, 1, 15, 16, 31, 32, 40):
            check("S", Matrix(d, [], 0), (x, Matrix("I", [[count]], 1)))


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 2**32), st.sampled_from("&|^S"), st.sampled_from("IXT"), st.integers(0, 1))
def test_d_may_be_one_of_the_inputs(seed: int, char: str, d: str, place: int) -> None:
    rng = random.Random(seed)
    mine = random_matrix(rng, d, 3, 5)
    other = random_matrix(rng, rng.choice("IXT"), 3, rng.choice([1, 5]))
    ins = (mine, other) if place == 0 else (other, mine)
    check(char, mine, ins, alias=place, steps=[rng.choice(STRIDES)])
