"""Folds, running folds and Argmax against exact rationals."""

from __future__ import annotations

import random

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pxos.kernel.machine.cpu import fold, fold_norm
from pxos.kernel.machine.cpu.operand import Operand
from pxos.kernel.machine.isa import BY_CHAR
from tests.kernel.machine.cpu.exact import STRIDES, Matrix, check, random_matrix

BLANKS = {d: Matrix(d, [], 0) for d in "IXTP"}


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
@pytest.mark.parametrize("shape", [(1, 70000), (70000, 1), (700, 100), (350, 200)])
def test_folds_carry_from_block_to_block(kind: str, shape: tuple[int, int]) -> None:
    rng = np.random.default_rng(shape[0])
    low, high = (0, 256) if kind == "T" else (-(1 << 30), 1 << 30)
    source = rng.integers(low, high, shape)
    dtype = np.uint8 if kind == "T" else np.int32
    a = Operand(kind, *shape, source.astype(dtype))
    for operator, ufunc in (("A", np.add), ("R", np.maximum), ("_", np.minimum)):
        for char in "FfCc":
            axis = 1 if char in "FC" else 0
            if char in "Ff":
                exact = ufunc.reduce(source, axis=axis, keepdims=True)
            else:
                exact = ufunc.accumulate(source, axis=axis)
            d = np.zeros(exact.shape, np.int32)
            run = fold.bind(BY_CHAR[char], False, Operand("I", *d.shape, d), (a,), ord(operator))
            assert run() == -1
            assert (d == (exact >> (16 if kind == "X" else 0)).astype(np.int32)).all()


@pytest.mark.parametrize("kinds", [d + a + n for d in "IXTP" for a in "IXTP" for n in "IX"])
def test_norms_of_every_mix_of_kinds(kinds: str) -> None:
    rng = random.Random(kinds)
    d, a, n = kinds
    for rows, cols in [(1, 1), (1, 7), (3, 4), (2, 33), (0, 3), (2, 0)]:
        x = random_matrix(rng, a, rows, cols)
        for noise in (0, 1, -5, 42950, 2**31 - 1):
            steps = [rng.choice(STRIDES) for _ in range(3)]
            check("n", BLANKS[d], (x, Matrix(n, [[noise]], 1)), steps=steps)


@pytest.mark.parametrize("size", [1, 3, 200, 1 << 20, 1 << 27, (1 << 31) - 1])
def test_norms_of_rows_near_every_bound(size: int) -> None:
    """Small rows meet halves exactly, great ones have squares beyond float64."""
    rng = random.Random(size)
    for cols in (1, 2, 4, 9, 192):
        for d in "XI":
            rows = [[rng.choice((size, -size, rng.randint(-size, size))) for _ in range(cols)]]
            for noise in (0, 3 * size * size % 2**31, 1):
                for x in (rows, [*rows, [size] * cols, [0] * cols]):
                    check("n", BLANKS[d], (Matrix("X", x, cols), Matrix("I", [[noise]], 1)))


def test_a_norm_that_is_exactly_a_half() -> None:
    """1 + 185363^2 + 2 * 148299 = 2^35: +-1 becomes half a step, which goes up."""
    for raw, wanted in ((1, 1), (-1, 0)):
        row = Matrix("X", [[raw, 185363]], 2)
        check("n", BLANKS["X"], (row, Matrix("I", [[148299]], 1)))
        assert fold_norm.exact_norm(raw, 2, 2**35, 16) == wanted
    # r^2 + e = 4 r^2: the result is a half of 1.
    for raw in (7, -7, 20001, -20001):
        for d in "XIT":
            check("n", BLANKS[d], (Matrix("X", [[raw]], 1), Matrix("I", [[3 * raw * raw]], 1)))
