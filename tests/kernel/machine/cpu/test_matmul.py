"""Matrix products against exact rationals, near every bound of the fast ways."""

from __future__ import annotations

import random

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pxos.kernel.machine.cpu import matmul, matmul_row
from pxos.kernel.machine.cpu.operand import Operand
from pxos.kernel.machine.isa import BY_CHAR
from pxos.kernel.machine.quantised import common_grid, finish_number
from tests.kernel.machine.cpu.exact import HIGH, LOW, STRIDES, Matrix, check, random_matrix

BLANKS = {d: Matrix(d, [], 0) for d in "IXTP"}


@pytest.mark.parametrize("kinds", [d + a + b for d in "IXTP" for a in "IXTP" for b in "IXTP"])
def test_products_for_every_mix_of_kinds(kinds: str) -> None:
    rng = random.Random(kinds)
    d, a, b = kinds
    for rows, inner, cols in [(2, 3, 4), (1, 1, 1), (9, 9, 8), (2, 0, 3), (0, 2, 3), (3, 2, 0)]:
        x = random_matrix(rng, a, rows, inner)
        steps = [rng.choice(STRIDES) for _ in range(3)]
        check("M", BLANKS[d], (x, random_matrix(rng, b, inner, cols)), steps=steps)
        check("m", BLANKS[d], (x, random_matrix(rng, b, cols, inner)), steps=steps)


@pytest.mark.parametrize("low", [LOW, HIGH, -40000, 1 << 20, (1 << 23) + 1])
@pytest.mark.parametrize("high", [LOW, HIGH, 1 << 21, -(1 << 26)])
@pytest.mark.parametrize("inner", [9, 130])
def test_extreme_elements_take_the_split_way(low: int, high: int, inner: int) -> None:
    a = Matrix(
        "X",
        [
            [low] * inner,
            [low, -low - 1] * (inner // 2) + [low] * (inner % 2),
            *[[(k * 7919 * low) % (1 << 31) for k in range(inner)]] * 6,
        ],
        inner,
    )
    b = Matrix("X", [[high, high if k % 2 else 5] * 4 for k in range(inner)], 8)
    for d in "IXT":
        for x in (a, Matrix("I", a.rows, inner)):
            check("M", BLANKS[d], (x, b))
            check("M", BLANKS[d], (x, Matrix("I", b.rows, 8)))


SCALES = [
    (0.0078125, -1.0),
    (0.1, -12.8),
    (3.7e-5, 1e4),
    (-1.5, 0.0),
    (1e30, -1.0),
    (1e-40, 1e-38),
    (0.0, 7.25),
    (0.0123, -3.1459),
    (1.0, 0.0),
    (0.01, -1e-7),
    (1e-12, 3e4),
    (2.5e-3, -0.31875),
    (0.0, 0.0),
    (-0.003, 0.4),
]


@pytest.mark.parametrize(("scale", "offset"), SCALES)
def test_quantised_weights(scale: float, offset: float) -> None:
    rng = random.Random(repr((scale, offset)))
    scale, offset = float(np.float32(scale)), float(np.float32(offset))
    for a in "IXT":
        for rows, inner, cols in [(1, 5, 3), (4, 40, 3), (2, 0, 2), (1, 1, 1)]:
            x = random_matrix(rng, a, rows, inner)
            for d in "IXTP":
                for char, shape in (("M", (inner, cols)), ("m", (cols, inner))):
                    q = random_matrix(rng, "Q", *shape)
                    check(char, BLANKS[d], (x, Matrix("Q", q.rows, q.cols, 0, scale, offset)))
        wide = Matrix(a, [[255 if a == "T" else LOW] * 40], 40)
        full = Matrix("Q", [[255, 128]] * 40, 2, 0, scale, offset)
        check("M", BLANKS["I"], (wide, full))
        check("M", BLANKS["X"], (wide, full))


ROWS = {
    "usual": [(k * 7919 % 200001) - 100000 for k in range(192)],
    "three digits": [(k * 104729 % (1 << 27)) - (1 << 26) for k in range(192)],
    "one is great": [HIGH if k == 77 else -k for k in range(192)],
    "too great": [LOW, HIGH] * 96,
    "all low bits": [(1 << 11) - 1] * 192,
    "zeros": [0] * 192,
}


@pytest.mark.parametrize("name", ROWS)
@pytest.mark.parametrize(("scale", "offset"), [(0.0078125, -1.0), (0.00123, -0.1571), (40.5, 9.0)])
@pytest.mark.parametrize(("budget", "panel"), [(0, 1 << 20), (1 << 20, 1 << 20), (1 << 20, 1)])
def test_one_row_by_digits(
    name: str,
    scale: float,
    offset: float,
    budget: int,
    panel: int,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """By a copy if there is room, else as any rows; for other elements each time."""
    monkeypatch.setattr(matmul_row, "COPY_BYTES", budget)
    monkeypatch.setattr(matmul_row, "PANEL_BYTES", panel)
    monkeypatch.setattr(matmul_row, "NORM_BLOCK", 192 * 2)
    monkeypatch.setattr(matmul_row.Copies, "bytes", 0)
    scale_bits, offset_bits = (int(np.float32(x).view(np.uint32)) for x in (scale, offset))
    rng = np.random.default_rng(7)
    weights = rng.integers(0, 256, (192, 35), np.uint8)
    weights[:, 4] = 255
    line = np.zeros((1, 192), np.int32)
    a = Operand("X", 1, 192, line)
    for char, bytes_ in (("M", weights), ("m", np.ascontiguousarray(weights.T))):
        b = Operand("Q", *bytes_.shape, bytes_, 0, scale_bits, offset_bits)
        for kind in "XIT":
            out = np.zeros((1, 35), np.uint8 if kind == "T" else np.int32)
            run = matmul.bind(BY_CHAR[char], False, Operand(kind, 1, 35, out), (a, b), 0)
            for turn in range(4):
                line[0] = ROWS[name][turn:] + ROWS[name][:turn]
                assert run() == -1
                left, right, exponent = common_grid(scale_bits, offset_bits)
                assert exponent < 0
                for column in (0, 1, 4, 15, 16, 31, 33, 34):
                    exact = sum(
                        x * (left * q + right)
                        for x, q in zip(line[0].tolist(), weights[:, column].tolist(), strict=True)
                    )
                    assert out[0, column] == finish_number(exact, 16 - exponent, kind)


@pytest.mark.parametrize("order", "CF")
def test_copies_are_given_back(order: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(matmul_row.Copies, "bytes", 0)
    weights = np.array(np.arange(12, dtype=np.uint8).reshape(3, 4), order=order)  # type: ignore[call-overload]
    copies = matmul_row.Copies.centred(weights)
    assert copies is not None
    (copy,) = copies
    assert copy.shape == (3, 16)
    assert copy.flags.c_contiguous == (order == "C")
    assert copy[:, :4].tolist() == (weights.astype(int) - 128).tolist()
    assert copy[:, 4].tolist() == [1, 1, 1]
    assert not copy[:, 5:].any()
    assert matmul_row.Copies.bytes == 3 * 16 * 4
    monkeypatch.setattr(matmul_row, "COPY_BYTES", 3 * 16 * 4 + 100)
    assert matmul_row.Copies.centred(weights) is None
    del copies, copy
    assert matmul_row.Copies.bytes == 0
    # 40 columns and one of ones in panels of 16
    monkeypatch.setattr(matmul_row, "COPY_BYTES", 1 << 20)
    monkeypatch.setattr(matmul_row, "PANEL_BYTES", 4 * 3 * 20)
    weights = np.array(np.arange(120, dtype=np.uint8).reshape(3, 40), order=order)  # type: ignore[call-overload]
    copies = matmul_row.Copies.centred(weights)
    assert copies is not None
    together = np.hstack(copies)
    assert [panel.shape for panel in copies] == [(3, 16)] * 3
    assert together[:, :40].tolist() == (weights.astype(int) - 128).tolist()
    assert together[:, 40].tolist() == [1, 1, 1]
    assert not together[:, 41:].any()


def test_parts_meet_their_own_columns_near_every_bound() -> None:
    rng = random.Random(12)
    for kinds in [d + a + b for d in "IXT" for a in "IXT" for b in "IXTP"]:
        d, a, b = kinds
        for rows, width, other, parts in [(4, 4, 3, 2), (6, 1, 2, 3), (3, 8, 5, 4), (2, 2, 0, 1)]:
            steps = [rng.choice(STRIDES) for _ in range(3)]
            x = random_matrix(rng, a, rows, width)
            check("x", BLANKS[d], (x, random_matrix(rng, b, other, width * parts)), steps=steps)
            y = random_matrix(rng, a, rows, other)
            check("X", BLANKS[d], (y, random_matrix(rng, b, other, width * rows)), steps=steps)


@pytest.mark.parametrize("low", [LOW, HIGH, 40000, 1 << 21, 1 << 22])
@pytest.mark.parametrize("high", [LOW, HIGH, 1 << 20])
def test_parts_of_extreme_elements(low: int, high: int) -> None:
    for d in "IX":
        a = Matrix("X", [[low, low, -1], [5, low, low]], 3)
        b = Matrix("X", [[high, 1, high, high, -high - 1, 7]] * 4, 6)
        check("x", BLANKS[d], (a, b))
        check("X", BLANKS[d], (a, Matrix("X", [[high, 3, -7, high]] * 3, 4)))


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 2**32), st.sampled_from("IXT"), st.integers(0, 1))
def test_d_may_be_one_of_the_inputs(seed: int, d: str, place: int) -> None:
    rng = random.Random(seed)
    mine, other = random_matrix(rng, d, 4, 4), random_matrix(rng, rng.choice("IXT"), 4, 4)
    check("Mm"[seed % 2], mine, (mine, other) if place == 0 else (other, mine), alias=place)


def test_a_view_takes_the_result_broadcast() -> None:
    rng = random.Random(4)
    check(
        "M",
        BLANKS["X"],
        (random_matrix(rng, "X", 1, 3), random_matrix(rng, "X", 3, 4)),
        view=(3, 4),
    )
    check(
        "M",
        BLANKS["T"],
        (random_matrix(rng, "I", 1, 3), random_matrix(rng, "Q", 3, 1)),
        view=(3, 4),
    )
    check("M", BLANKS["I"], (Matrix("I", [[]], 0), Matrix("I", [], 4)), view=(3, 4))


def test_long_inner_dimensions(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(matmul, "LONG", 16)
    rng = random.Random(10)
    for d in "IXT":
        for a in "IXT":
            for b in "IXTQ":
                x, y = random_matrix(rng, a, 2, 530), random_matrix(rng, b, 530, 2)
                check("M", BLANKS[d], (x, y))
    extreme = Matrix("X", [[LOW] * 600], 600)
    for b in "XQ":
        high = 255 if b == "Q" else LOW
        check("m", BLANKS["I"], (extreme, Matrix(b, [[high] * 600, [1] * 600], 600)))


def test_products_beyond_64_bits(monkeypatch: pytest.MonkeyPatch) -> None:
    a = np.array([[LOW, LOW, 3]], np.int32)
    b = np.array([[255], [254], [1]], np.uint8)
    monkeypatch.setattr(matmul, "LONG", 1)
    products = matmul._long_products(a, b, 1, 1 << 70)
    assert products.dtype == object
    assert products.tolist() == [[LOW * 509 + 3]]
    out = np.zeros((1, 1), np.int32)
    huge = np.array([[(1 << 66) + 12345]], object)
    sums = np.array([[-(1 << 58)]], np.int64)
    matmul._store_quantised(out, huge, sums, (1, 255, 0), (1 << 67, 1 << 59), 0, "I")
    assert out.tolist() == [[12345]]


def test_blocks_of_columns_and_rows(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(matmul, "B_BLOCK", 64)
    monkeypatch.setattr(matmul, "A_BLOCK", 64)
    rng = random.Random(9)
    for b in "XQ":
        x, y = random_matrix(rng, "X", 11, 13), random_matrix(rng, b, 13, 17)
        check("M", BLANKS["X"], (x, y))
