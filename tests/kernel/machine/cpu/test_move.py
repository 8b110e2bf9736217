"""Select, Reshape, Transpose, Beside and Below against the plain meaning."""

from __future__ import annotations

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.kernel.machine.cpu.exact import STRIDES, Matrix, check, random_matrix

PAIRS = [d + a for d in "IXTP" for a in "IXTP" if d != "P" or a in "PI"]


def small(*numbers: int) -> Matrix:
    return Matrix("I", [list(numbers)], len(numbers))


def steps(rng: random.Random, d: str, *kinds: str) -> list[tuple[int, int]]:
    return [rng.choice(STRIDES) for _ in range(1 + len(kinds))]


@pytest.mark.parametrize("kinds", PAIRS)
def test_moves_for_every_pair_of_kinds(kinds: str) -> None:
    rng = random.Random(kinds)
    d, a = kinds
    pixel = d == "P"
    blank = Matrix(d, [], 0)
    for shape in [(3, 4), (1, 5), (5, 1), (1, 1), (0, 3), (3, 0), (0, 0)]:
        x = random_matrix(rng, a, *shape, pixel=pixel)
        check("T", blank, (x,), steps=steps(rng, d, a))
        for size in [(2, 3), (7, 5), (1, 1), (0, 2), (-1, 2), (3, -1), (-1, 0), (4, 3)]:
            check("r", blank, (x, small(*size)), steps=steps(rng, d, a))
        for b in "IP" if pixel else "IXTP":
            for other in [shape, (shape[0], 2), (1, 2)]:
                if other[0] in (1, shape[0]) or shape[0] == 1:
                    y = random_matrix(rng, b, *other, pixel=pixel)
                    check(",", blank, (x, y), steps=steps(rng, d, a, b))
            for other in [shape, (2, shape[1]), (2, 1)]:
                y = random_matrix(rng, b, *other, pixel=pixel)
                if other[1] in (1, shape[1]) or shape[1] == 1:
                    check(";", blank, (x, y), steps=steps(rng, d, a, b))
            check(",", blank, (x, Matrix(b, [], 0)))
            check(";", blank, (Matrix(b, [], 0), x))


@pytest.mark.parametrize("kinds", PAIRS)
def test_select_for_every_pair_of_kinds(kinds: str) -> None:
    rng = random.Random(kinds)
    d, a = kinds
    old = random_matrix(rng, d, 3, 4, pixel=True)
    for c in "IXT" if d == "P" else "IXTP":
        for where, source in [
            ((3, 4), (3, 4)),
            ((1, 4), (3, 1)),
            ((1, 1), (1, 1)),
            ((3, 1), (1, 4)),
        ]:
            mask = random_matrix(rng, c, *where)
            x = random_matrix(rng, a, *source, pixel=d == "P")
            check("?", old, (mask, x), steps=steps(rng, d, c, a))
        check("?", Matrix(d, [], 4), (random_matrix(rng, c, 1, 4), random_matrix(rng, a, 1, 1)))


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 2**32), st.sampled_from("T,;r?"), st.sampled_from("IXTP"), st.integers(0, 1))
def test_d_may_be_one_of_the_inputs(seed: int, char: str, d: str, place: int) -> None:
    rng = random.Random(seed)
    n = 4
    mine = random_matrix(rng, d, n, n, pixel=True)
    if char == "T":
        check(char, mine, (mine,), alias=0)
    elif char == "r":
        check(char, mine, (mine, small(n, n)), alias=0)
    elif char == "?" and d != "P":
        mask = random_matrix(rng, "I", n, 1)
        check(char, mine, (mine, mask) if place == 0 else (mask, mine), alias=place)
    elif char in ",;":
        empty = Matrix(d, [], 0)
        check(char, mine, (mine, empty) if place == 0 else (empty, mine), alias=place)


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 2**32), st.sampled_from("T,;r"), st.sampled_from("IXTP"))
def test_a_view_takes_the_result_broadcast(seed: int, char: str, d: str) -> None:
    rng = random.Random(seed)
    a = rng.choice("IP" if d == "P" else "IXTP")
    if char == "T":
        ins: tuple[Matrix, ...] = (random_matrix(rng, a, 4, 1, pixel=d == "P"),)
    elif char == "r":
        ins = (random_matrix(rng, a, 2, 2, pixel=d == "P"), small(1, 4))
    elif char == ",":
        ins = tuple(random_matrix(rng, a, 1, 2, pixel=d == "P") for _ in range(2))
    else:
        ins = (random_matrix(rng, a, 1, 4, pixel=d == "P"), Matrix(a, [], 0))
    check(char, Matrix(d, [], 0), ins, view=(3, 4), steps=[rng.choice(STRIDES)])


def test_large_moves_go_through_blocks() -> None:
    rng = random.Random(1)
    wide = random_matrix(rng, "I", 150, 500)
    check("T", Matrix("T", [], 0), (wide,))
    check("r", Matrix("X", [], 0), (wide, small(500, 200)))
    check(
        "r", Matrix("I", [], 0), (Matrix("T", [[k % 251 for k in range(777)]], 777), small(-1, 7))
    )
    check("r", Matrix("T", [], 0), (small(1, 2, 3, 4, 5, 6, 7), small(300, 301)))
    check(",", Matrix("T", [], 0), (wide, wide))
