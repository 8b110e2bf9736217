"""Folds, running folds and Argmax against exact rationals."""

from __future__ import annotations

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.kernel.machine.cpu.exact import STRIDES, Matrix, check, random_matrix


@pytest.mark.parametrize("kinds", [d + a for d in "IXTP" for a in "IXTP"])
def test_every_operator_for_every_pair_of_kinds(kinds: str) -> None:
    rng = random.Random(kinds)
    d, a = kinds
    for char in "FfCc":
        for operator in "AR_&|^":
            for shape in [(3, 4), (1, 1), (1, 9), (0, 4), (3, 0), (0, 0)]:
                steps = [rng.choice(STRIDES) for _ in range(2)]
                check(char, Matrix(d, [], 0), (random_matrix(rng, a, *shape),), operator, steps)
    for shape in [(3, 4), (5, 1), (3, 0), (0, 0)]:
        check("a", Matrix(d, [], 0), (random_matrix(rng, a, *shape),))
    check("a", Matrix(d, [], 0), (Matrix(a, [[5, 9, 9, 2], [1, 1, 1, 1]], 4),))


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 2**32), st.sampled_from("FfCca"), st.sampled_from("IXT"))
def test_views_and_d_as_its_own_input(seed: int, char: str, kind: str) -> None:
    rng = random.Random(seed)
    operator = "" if char == "a" else rng.choice("AR_&|^")
    shape = {"F": (5, 1), "a": (5, 1), "f": (1, 5)}.get(char, (1, 5))
    source = random_matrix(rng, rng.choice("IXTP"), *shape)
    check(char, Matrix(kind, [], 0), (source,), operator, view=(5, 5))
    if char in "Cc":
        mine = random_matrix(rng, kind, 4, 5)
        check(char, mine, (mine,), operator, alias=0)


@pytest.mark.parametrize("kind", "IXT")
@pytest.mark.parametrize("shape", [(1, 70000), (70000, 1), (700, 100)])
def test_sums_carry_from_block_to_block(kind: str, shape: tuple[int, int]) -> None:
    rng = random.Random(repr((kind, shape)))
    a = random_matrix(rng, kind, *shape)
    for d in "IX":
        for char in "Ff":
            check(char, Matrix(d, [], 0), (a,), "A")
