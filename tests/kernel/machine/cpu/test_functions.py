"""Square root, Exp2, Log2 and Sine against exact integers; exhaustively in the slow tests."""

from __future__ import annotations

import random
from fractions import Fraction
from math import isqrt

import numpy as np
import pytest

from pxos.kernel.machine.cpu import functions
from pxos.kernel.machine.functions_tables import (
    exp2_mantissas,
    log2_thresholds,
    power_of_two,
    sine_table,
)
from pxos.kernel.machine.oracle_functions import exp2_raw, log2_raw, sine_raw
from tests.kernel.machine.cpu.exact import CORNERS, STRIDES, Matrix, check, random_matrix


@pytest.mark.parametrize("kinds", [d + a for d in "IXTP" for a in "IXTP"])
def test_functions_for_every_pair_of_kinds(kinds: str) -> None:
    rng = random.Random(kinds)
    d, a = kinds
    for char in "qel~":
        for shape in [(2, 8), (1, 1), (0, 4), (3, 0)]:
            steps = [rng.choice(STRIDES) for _ in range(2)]
            check(char, Matrix(d, [], 0), (random_matrix(rng, a, *shape),), steps=steps)
        line = CORNERS[a]
        check(char, Matrix(d, [], 0), (Matrix(a, [line], len(line)),))
        check(char, Matrix(d, [], 0), (random_matrix(rng, a, 1, 1),), view=(3, 4))


@pytest.mark.parametrize("d", "IXTP")
def test_many_bytes_go_through_a_table(d: str) -> None:
    x = Matrix("T", [[k % 256 for k in range(2052)]], 2052)
    for char in "qel~":
        check(char, Matrix(d, [], 0), (x,))


def test_d_may_be_its_own_input() -> None:
    rng = random.Random(2)
    for d in "IXT":
        for char in "qel~":
            mine = random_matrix(rng, d, 3, 4)
            check(char, mine, (mine,), alias=0)


def roots(n: np.ndarray) -> list[int]:
    return [isqrt(int(x)) for x in n]


def test_integer_roots_at_and_around_squares() -> None:
    rng = random.Random(3)
    sides = [
        1,
        2,
        46340,
        46341,
        3037000498,
        3037000499,
        *(rng.randrange(1, 3037000499) for _ in range(3000)),
    ]
    n = np.array(
        [s * s + k for s in sides for k in (-1, 0, 1, s, s + 1) if s * s + k < 1 << 63], np.int64
    )
    assert functions.integer_root(n).tolist() == roots(n)


def test_the_top_of_the_range_of_roots() -> None:
    n = np.arange((1 << 31) - 2000, 1 << 31, dtype=np.int64) << 32
    assert functions.integer_root(n).tolist() == roots(n)


def exact_exp2(raws: list[int]) -> list[int]:
    return [exp2_raw(Fraction(raw, 65536)) for raw in raws]


def test_exp2_for_a_slice_of_all_inputs() -> None:
    rng = random.Random(4)
    raws = [rng.randrange(-18 << 16, 15 << 16) for _ in range(700)]
    raws += [n * 65536 + k for n in range(-18, 16) for k in (-1, 0, 1)]
    assert functions.exp2_fixed(np.array(raws, np.int64)).tolist() == exact_exp2(raws)


def test_log2_for_a_slice_of_all_inputs() -> None:
    rng = random.Random(5)
    thresholds = log2_thresholds()
    u = [1, 2, 3, (1 << 31) - 1, *(rng.randrange(1, 1 << rng.randrange(1, 32)) for _ in range(400))]
    for _ in range(200):
        edge = int(thresholds[rng.randrange(1, 65537)])
        u += [max(1, (edge >> shift) + k) for shift in (1, 9) for k in (-1, 0, 1)]
    u = [min(x, (1 << 31) - 1) for x in u]
    assert functions.log2_integers(np.array(u, np.int64)).tolist() == [
        log2_raw(Fraction(x)) for x in u
    ]


def test_sine_for_a_slice_of_all_phases() -> None:
    rng = random.Random(6)
    phases = [
        0,
        1,
        16383,
        16384,
        16385,
        32768,
        49152,
        65535,
        *(rng.randrange(65536) for _ in range(300)),
    ]
    assert sine_table()[phases].tolist() == [sine_raw(Fraction(k, 65536)) for k in phases]


def test_powers_of_two_are_right_to_their_last_bits() -> None:
    for numerator, places in ((1, 1), (255, 8), (131071, 17), (12345, 17)):
        root = power_of_two(numerator, places)
        # root^(2^places) brackets 2^numerator: compare by repeated squaring of the bounds.
        low, high = Fraction(root, 1 << 96), Fraction(root + 2, 1 << 96)
        for _ in range(places):
            low = Fraction(int(low * low * (1 << 160)), 1 << 160)
            high = Fraction(int(high * high * (1 << 160)) + 1, 1 << 160)
        assert low < 2**numerator < high or (places, numerator) == (0, 0)


# ---- every input ------------------------------------------------------------------------------


@pytest.mark.slow
def test_every_entry_of_the_exp2_table() -> None:
    # Mantissas rounded at 2^14 are the finest result; the rest follow by nesting (see functions).
    raws = list(range(14 << 16, 15 << 16))
    assert functions.exp2_fixed(np.array(raws, np.int64)).tolist() == exact_exp2(raws)
    for f, mantissa in enumerate(exp2_mantissas().tolist()):
        assert mantissa == power_of_two(f, 16) >> 65


@pytest.mark.slow
def test_exp2_for_every_input() -> None:
    for n in range(-18, 16):
        raws = np.arange(n << 16, (n + 1) << 16, dtype=np.int64)
        have = functions.exp2_fixed(raws).tolist()
        for f, got in enumerate(have):
            if n >= 15:
                assert got == (1 << 31) - 1
                continue
            exact = power_of_two(f, 16)  # 96 fraction bits, below by less than 2 units
            bits = 96 - 16 - n
            low, high = ((exact + slack + (1 << bits - 1)) >> bits for slack in (0, 2))
            want = low if n >= -17 else 0
            assert low == high or n < -17
            assert got == want, (n, f)


@pytest.mark.slow
def test_every_threshold_of_log2_and_every_input() -> None:
    thresholds = log2_thresholds()
    for r in range(1, 65537):
        exact = power_of_two(2 * r - 1, 17)
        assert int(thresholds[r]) == (exact >> 65) + 1 == ((exact + 2) >> 65) + 1
    edges = thresholds[1:-1]
    for power in range(31):
        for start in range(1 << power, 2 << power, 1 << 22):
            u = np.arange(start, min(start + (1 << 22), 2 << power), dtype=np.int64)
            mantissa = u << (31 - power)
            want = (power << 16) + np.searchsorted(edges, mantissa, side="right")
            assert (functions.log2_integers(u) == want).all()


@pytest.mark.slow
def test_every_phase_of_sine() -> None:
    table = sine_table().tolist()
    for k in range(65536):
        assert table[k] == sine_raw(Fraction(k, 65536))


@pytest.mark.slow
def test_the_square_root_of_every_number() -> None:
    for start in range(0, 1 << 31, 1 << 22):
        raw = np.arange(start, start + (1 << 22), dtype=np.int64)
        for n, small in ((raw, True), (raw << 16, True), (raw << 32, False)):
            s = functions.integer_root(n, small)
            # s^2 <= n <= s^2 + 2s; unsigned, so that the latter cannot overflow.
            u, m = s.astype(np.uint64), n.astype(np.uint64)
            u *= u
            assert (u <= m).all()
            u += 2 * s.astype(np.uint64)
            assert (u >= m).all()
