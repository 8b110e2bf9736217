"""Iota, Order, Index, Where, Gather, Put and Accumulate against the plain meaning."""

from __future__ import annotations

import random

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pxos.kernel.machine.cpu import index, index_rows
from tests.kernel.machine.cpu.exact import STRIDES, Matrix, check, random_matrix

PAIRS = [d + a for d in "IXTP" for a in "IXTP"]
MOVES = [d + a for d in "IXTP" for a in "IXTPQ" if d != "P" or a in "PI"]


def positions(rng: random.Random, kind: str, rows: int, cols: int, count: int) -> Matrix:
    """Positions around 0..count-1, some of them outside."""
    scale = 65536 if kind == "X" else 1
    low = 0 if kind in "TP" else -2
    cells = [
        [
            min(rng.randrange(low, count + 3), 255 if kind in "TP" else 1 << 30) * scale
            + (rng.randrange(65536) if kind == "X" else 0)
            for _ in range(cols)
        ]
        for _ in range(rows)
    ]
    return Matrix(kind, cells, cols)


def quantised(rng: random.Random, m: Matrix) -> Matrix:
    if m.kind != "Q":
        return m
    scale, offset = rng.choice(
        [
            (0.0078125, -1.0),
            (0.1, -12.8),
            (3.7e-5, 1e4),
            (-1.5, 0.0),
            (1e30, -1.0),
            (1e-40, 0.0),
            (0.0, 7.25),
        ]
    )
    return Matrix("Q", m.rows, m.cols, 0, float(np.float32(scale)), float(np.float32(offset)))


@pytest.mark.parametrize("kinds", PAIRS)
def test_counting_ordering_and_finding(kinds: str) -> None:
    rng = random.Random(kinds)
    d, a = kinds
    blank = Matrix(d, [], 0)
    for n in (0, 1, 4, 300):
        for start in (0, -5, 2**31 - 2, -(2**31)):
            kind = "X" if a == "X" else "I"
            check("I", blank, (Matrix("I", [[n]], 1), Matrix(kind, [[start]], 1)))
    for shape in [(3, 6), (1, 1), (1, 40), (4, 0), (0, 4)]:
        x = random_matrix(rng, a, *shape)
        steps = [rng.choice(STRIDES) for _ in range(2)]
        check("o", blank, (x,), steps=steps)
        check("w", blank, (x,), steps=steps)
    check("o", blank, (Matrix(a, [[2, 1, 2, 1, 0, 2]], 6),))
    for b in "IXTP":
        for width, other in [(1, 1), (2, 2), (1, 3), (9, 4), (0, 2), (0, 0), (3, 0), (17, 17)]:
            x, y = random_matrix(rng, a, 5, width), random_matrix(rng, b, 4, other)
            rows = [*y.rows, *([*x.rows[:2]] if width == other else [])]
            y = Matrix(b, [[raw & 255 if b in "TP" else raw for raw in row] for row in rows], other)
            check("i", blank, (x, y), steps=[rng.choice(STRIDES) for _ in range(3)])
        check("i", blank, (Matrix(a, [], 3), random_matrix(rng, b, 2, 3)))
        check(
            "i",
            blank,
            (Matrix(a, [[1, 0, 0], [2, 0, 0], [1, 0, 0]], 3), Matrix(b, [[2], [1], [0]], 1)),
        )


@pytest.mark.parametrize("kinds", MOVES)
def test_gathering(kinds: str) -> None:
    rng = random.Random(kinds)
    d, a = kinds
    pixel = d == "P"
    blank = Matrix(d, [], 0)
    for shape in [(3, 4), (1, 1), (1, 7), (5, 1), (0, 3), (3, 0)]:
        x = quantised(rng, random_matrix(rng, a, *shape, pixel=pixel))
        for i in "IXT":
            for size in [(2, 3), (1, 1), (0, 2), (6, 2)]:
                steps = [rng.choice(STRIDES) for _ in range(3)]
                where = positions(rng, i, *size, shape[0] * shape[1])
                check("G", blank, (x, where), steps=steps)
                check("g", blank, (x, positions(rng, i, *size, shape[0])), steps=steps)


@pytest.mark.parametrize("kinds", [pair for pair in MOVES if pair[1] != "Q"])
def test_scattering(kinds: str) -> None:
    rng = random.Random(kinds)
    d, a = kinds
    pixel = d == "P"
    for shape in [(3, 4), (1, 1), (6, 1), (0, 3), (3, 0)]:
        old = random_matrix(rng, d, *shape, pixel=pixel)
        for i in "IXT":
            for size in [(2, 3), (1, 9), (1, 1), (0, 2)]:
                steps = [rng.choice(STRIDES) for _ in range(3)]
                total = size[0] * size[1]
                where = positions(rng, i, *size, shape[0] * shape[1])
                for source in [size, (1, 1), (1, size[1]), (size[0], 1)]:
                    x = random_matrix(rng, a, *source, pixel=pixel)
                    check("P", old, (x, where), steps=steps)
                    if not pixel:
                        check("@", old, (x, where), steps=steps)
                rows = positions(rng, i, *size, shape[0])
                for source in [(total, shape[1]), (1, shape[1]), (total, 1), (1, 1)]:
                    check(
                        "p", old, (random_matrix(rng, a, *source, pixel=pixel), rows), steps=steps
                    )


@pytest.mark.parametrize("kinds", PAIRS)
def test_accumulating_into_every_kind(kinds: str) -> None:
    rng = random.Random(kinds)
    d, a = kinds
    for count in (1, 2, 40):
        old = random_matrix(rng, d, 2, 4)
        check("@", old, (random_matrix(rng, a, 1, count), positions(rng, "I", 1, count, 8)))
        tall = random_matrix(rng, d, 40, 8)
        check("@", tall, (random_matrix(rng, a, 1, count), positions(rng, "I", 1, count, 320)))
    extremes = Matrix(a, [[255 if a in "TP" else -(2**31)] * 50], 50)
    check("@", random_matrix(rng, d, 1, 4), (extremes, positions(rng, "I", 1, 50, 4)))


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 2**32), st.sampled_from("GgPp@o"), st.sampled_from("IXT"), st.integers(0, 1))
def test_d_may_be_one_of_the_inputs(seed: int, char: str, d: str, place: int) -> None:
    rng = random.Random(seed)
    mine = positions(rng, d, 4, 1 if char in "gp" else 4, 16)
    other = positions(rng, rng.choice("IXT"), 4, 1 if char in "gp" else 4, 16)
    if char == "o":
        check(char, mine, (mine,), alias=0)
    else:
        check(char, mine, (mine, other) if place == 0 else (other, mine), alias=place)


def test_a_view_takes_the_result_broadcast() -> None:
    rng = random.Random(3)
    where = Matrix("I", [[2, 0, -1, 5]], 4)
    for d in "IXTP":
        blank = Matrix(d, [], 0)
        x = random_matrix(rng, "I", 2, 3)
        check("G", blank, (x, where), view=(3, 4))
        check("g", blank, (random_matrix(rng, "I", 2, 4), Matrix("I", [[1]], 1)), view=(3, 4))
        check("I", blank, (Matrix("I", [[4]], 1), Matrix("I", [[2]], 1)), view=(3, 4))
        check("I", blank, (Matrix("I", [[1]], 1), Matrix("I", [[2]], 1)), view=(3, 4))
        check("w", blank, (Matrix("I", [[0, 0, 9]], 3),), view=(3, 4))
        check("w", blank, (Matrix("I", [[1, 0, 9, 1, 1]], 5),), view=(3, 4))
        check("o", blank, (Matrix("I", [[1, 0, 9, 1]], 4),), view=(3, 4))
        check(
            "i",
            blank,
            (Matrix("I", [[1], [2]], 1), Matrix("I", [[2], [1], [3], [2]], 1)),
            view=(3, 4),
        )


def test_positions_in_many_blocks() -> None:
    rng = random.Random(11)
    count = 70000
    where = Matrix("I", [[rng.randrange(-1, 50) for _ in range(count)]], count)
    for a in "IT":
        x = random_matrix(rng, a, 1, count)
        check("@", Matrix("I", [[0] * 49], 49), (x, where))
        check("P", Matrix("I", [[0] * 49], 49), (x, where))
    check("@", Matrix("X", [[0] * 49], 49), (Matrix("I", [[3]], 1), where))
    check("G", Matrix("X", [], 0), (random_matrix(rng, "I", 7, 7), where))
    check("w", Matrix("I", [], 0), (where,))
    check("I", Matrix("X", [], 0), (Matrix("I", [[count]], 1), Matrix("I", [[-40000]], 1)))
    check("p", Matrix("T", [[0] * 3] * 49, 3), (random_matrix(rng, "I", count, 3), where))
    check("g", Matrix("T", [], 0), (random_matrix(rng, "I", 49, 3), where))


def test_many_places(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(index, "FEW_PLACES", 4)
    rng = random.Random(31)
    for d in "IXT":
        for a in "IXT":
            for count in (1, 12):
                old, where = random_matrix(rng, d, 3, 4), positions(rng, "I", 1, 12, 12)
                check("@", old, (random_matrix(rng, a, 1, count), where))


def test_rows_of_very_different_widths() -> None:
    tall = Matrix("I", [[k % 5] for k in range(3000)], 1)
    wide = Matrix("T", [[3] + [0] * 2999, [0] * 2999 + [1], [4] + [0] * 2999], 3000)
    check("i", Matrix("I", [], 0), (tall, wide))
    check("i", Matrix("I", [], 0), (wide, tall))


def test_rows_whose_hashes_collide_are_still_told_apart(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(index_rows, "_hash", lambda keys: keys[:, 0].copy())
    rng = random.Random(21)
    a = Matrix("I", [[1, 1, 5], [1, 1, 6], [1, 1, 7], [1, 1, 6]], 3)
    check(
        "i", Matrix("I", [], 0), (a, Matrix("I", [[1, 1, 6], [1, 1, 7], [1, 1, 9], [2, 1, 6]], 3))
    )
    for width in (3, 5, 9):
        x = Matrix(
            "I", [[1, 1, *(rng.randrange(2) for _ in range(width))] for _ in range(30)], width + 2
        )
        y = Matrix(
            "I", [[1, 1, *(rng.randrange(2) for _ in range(width))] for _ in range(30)], width + 2
        )
        check("i", Matrix("I", [], 0), (x, y))
