"""Floats to bytes and back: every grid, every byte, and what is no weight at all."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from pxos.shell.lenses.networks.quantise import (
    METHODS,
    SMALLEST,
    Quantised,
    QuantiseError,
    dequantise,
    find_grid,
    least_squares,
    min_max,
    quantise,
    quantise_matrix,
    squared_error,
)

HUGE = float(np.finfo(np.float32).max)
UNHURRIED = settings(deadline=None)  # the machine is shared: times say nothing
FLOATS = st.floats(width=32, allow_nan=False, allow_infinity=False)
SCALES = FLOATS.filter(lambda value: value != 0)
MATRICES = st.binary(min_size=0, max_size=64).map(
    lambda data: np.frombuffer(data, np.uint8).reshape(1, -1)
)
ALL = np.arange(256, dtype=np.uint8).reshape(16, 16)


@UNHURRIED
@given(MATRICES, SCALES, FLOATS)
@example(ALL, SMALLEST, HUGE)
@example(ALL, -SMALLEST, -HUGE)
@example(ALL, HUGE, SMALLEST)
@example(ALL, HUGE, -HUGE)
@example(ALL, SMALLEST, 0.0)
@example(ALL, float(np.float32(1e-7)), 1.0)
@example(ALL, float(np.float32(0.1)), float(np.float32(1e30)))
def test_every_byte_of_every_grid_comes_back(q: np.ndarray, scale: float, offset: float) -> None:
    again = quantise(dequantise(q, scale, offset), scale, offset)
    assert again.dtype == np.uint8
    assert np.array_equal(again, q)


@UNHURRIED
@given(SCALES, FLOATS)
@example(SMALLEST, HUGE)
def test_dequantised_values_are_exact(scale: float, offset: float) -> None:
    values = dequantise(ALL, scale, offset)
    for q, value in zip(ALL.ravel().tolist(), values.ravel().tolist(), strict=True):
        assert Fraction(value) == Fraction(scale) * q + Fraction(offset)


def test_values_that_collide_in_float64_need_fractions() -> None:
    assert dequantise(ALL, 1.0, 0.0).dtype == np.float64
    assert dequantise(ALL, SMALLEST, HUGE).dtype == object


@UNHURRIED
@given(st.binary(min_size=1, max_size=40), SCALES, FLOATS, st.sampled_from(sorted(METHODS)))
@example(bytes([3, 3]), 1.0, 0.5, "min-max")
@example(bytes([1, 4]), float(np.float32(1.2345678)), 0.25, "min-max")
@example(bytes([2, 200, 77]), SMALLEST, 0.0, "least-squares")
@example(bytes([7]), float(np.float32(1e-7)), 1.0, "min-max")
@example(bytes([255] * 3), float(np.float32(0.1)), float(np.float32(1e3)), "least-squares")
@example(bytes([251]), float(np.float32(0.1)), float(np.float32(2e6)), "min-max")
@example(bytes([199]), float(np.float32(-0.3)), float(np.float32(59.7)), "min-max")
@example(bytes([129]), float(np.float32(1.1)), float(np.float32(-141.9)), "min-max")
@example(bytes(range(256)) * 20, float(np.float32(0.1)), 0.5, "least-squares")
def test_a_matrix_on_a_grid_comes_back_bit_exact(
    data: bytes, scale: float, offset: float, method: str
) -> None:
    q = np.frombuffer(data, np.uint8).reshape(1, -1)
    values = dequantise(q, scale, offset)
    if values.dtype == object or float(np.abs(values).max()) > HUGE:
        return
    (back,) = quantise_matrix(values, method=method)
    assert np.array_equal(back.exact(), values)


@UNHURRIED
@given(st.lists(FLOATS, min_size=1, max_size=50), SCALES, FLOATS)
def test_the_nearest_byte_is_chosen(values: list[float], scale: float, offset: float) -> None:
    got = quantise(np.array(values), scale, offset)
    for value, q in zip(values, got.tolist(), strict=True):
        place = (Fraction(value) - Fraction(offset)) / Fraction(scale)
        distance = abs(place - q)
        nearest = min(max(place, Fraction(0)), Fraction(255))
        # float64 may err at a tie by the rounding of the place, no more.
        assert distance <= abs(place - nearest) + Fraction(1, 2) + abs(place) / 2**50


@UNHURRIED
@given(st.lists(FLOATS, min_size=2, max_size=80))
@example([0.0, SMALLEST])
@example([-HUGE, HUGE])
@example([1.0, 1.0 + 2**-23])
def test_min_max_covers_the_range(values: list[float]) -> None:
    array = np.array(values)
    scale, offset = min_max(array)
    off = np.abs(dequantise(quantise(array, scale, offset), scale, offset) - array)
    # Half a step, and what rounding scale and offset to float32 costs over 255 steps.
    slack = 2.0**-23 * float(np.abs(array).max()) * 2 + SMALLEST
    assert float(off.max()) <= abs(scale) / 2 * (1 + 2**-16) + slack


@UNHURRIED
@given(st.lists(st.floats(-100, 100), min_size=1, max_size=400), st.integers(0, 100))
def test_least_squares_is_never_worse_than_min_max(values: list[float], outlier: int) -> None:
    array = np.array([*values, float(outlier) * 50])
    found, plain = least_squares(array), min_max(array)
    assert squared_error(array, *found) <= squared_error(array, *plain) * (1 + 1e-9)


def test_least_squares_cuts_outliers_off() -> None:
    rng = np.random.default_rng(1)
    for array in (rng.normal(size=(200, 300)), rng.laplace(size=(300, 200)), rng.normal(size=500)):
        ratio = squared_error(array, *least_squares(array)) / squared_error(array, *min_max(array))
        assert ratio < 0.97


def test_least_squares_finds_what_trying_every_range_finds() -> None:
    array = np.random.default_rng(2).standard_t(4, 4000)
    low, high = array.min(), array.max()
    tried = min(
        squared_error(
            array, float(np.float32((high * b - low * a) / 255)), float(np.float32(low * a))
        )
        for a in np.linspace(0.2, 1, 30)
        for b in np.linspace(0.2, 1, 30)
    )
    assert squared_error(array, *least_squares(array)) <= tried * 1.02


@pytest.mark.parametrize("method", sorted(METHODS))
@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_what_is_not_finite_is_refused(method: str, bad: float) -> None:
    array = np.ones((3, 4))
    array[2, 1] = bad
    with pytest.raises(QuantiseError, match=r"1 of 12 .* first at \(2, 1\).*checkpoint"):
        quantise_matrix(array, method=method)
    with pytest.raises(QuantiseError):
        quantise(array, 1.0, 0.0)


@pytest.mark.parametrize("method", sorted(METHODS))
def test_empty_constant_and_denormal(method: str) -> None:
    (empty,) = quantise_matrix(np.zeros((0, 5)), method=method)
    assert empty.q.shape == (0, 5)
    (constant,) = quantise_matrix(np.full((3, 3), np.float32(0.1)), method=method)
    assert np.array_equal(constant.float32(), np.full((3, 3), np.float32(0.1)))
    tiny = np.array([[0.0, 2.0**-149, 3 * 2.0**-149, 2.0**-140]])
    (denormal,) = quantise_matrix(tiny, method=method)
    assert np.abs(denormal.exact() - tiny).max() <= 2.0**-148
    below = np.array([[0.0, 2.0**-160, 2.0**-158 * 1.1]])
    (nothing,) = quantise_matrix(below, method=method)
    assert np.abs(nothing.exact() - below).max() < 2.0**-149


def test_objects_that_are_no_numbers() -> None:
    for bad in (float("nan"), float("inf"), "a", None):
        for grid in ((1.0, 0.0), (SMALLEST, HUGE)):
            with pytest.raises(QuantiseError, match="no finite numbers"):
                quantise(np.array([1.0, bad], object), *grid)


def test_beyond_float32_and_bad_grids() -> None:
    with pytest.raises(QuantiseError, match="beyond the range of float32"):
        min_max(np.array([1e39, 0.0]))
    for scale, offset in ((0.0, 1.0), (np.inf, 0.0), (1.0, np.nan), (0.1, 0.0), (1.0, 1e39)):
        with pytest.raises(QuantiseError):
            quantise(np.zeros(3), scale, offset)
        with pytest.raises(QuantiseError):
            dequantise(ALL, scale, offset)
    with pytest.raises(QuantiseError, match="uint8"):
        Quantised(np.zeros((2, 2)), 1.0, 0.0)
    with pytest.raises(QuantiseError, match="complex"):
        min_max(np.zeros(3, complex))


def test_groups_of_rows_have_grids_of_their_own() -> None:
    rng = np.random.default_rng(3)
    array = rng.normal(size=(10, 50)) * np.repeat([0.01, 1.0], 5)[:, None]
    whole = quantise_matrix(array)
    parts = quantise_matrix(array, groups=2)
    assert [part.q.shape for part in parts] == [(5, 50), (5, 50)]
    error = [
        np.square(np.vstack([p.exact() for p in ps]) - array)[:5].sum() for ps in (whole, parts)
    ]
    assert error[1] < error[0] / 100
    assert [p.q.shape[0] for p in quantise_matrix(array, groups=3)] == [4, 3, 3]
    for groups in (0, 11):
        with pytest.raises(QuantiseError, match="groups"):
            quantise_matrix(array, groups=groups)
    with pytest.raises(QuantiseError, match="dimensions"):
        quantise_matrix(np.zeros(4))
    with pytest.raises(QuantiseError, match="min-max or least-squares"):
        quantise_matrix(array, method="median")


def test_a_grid_is_found_only_where_there_is_one() -> None:
    assert find_grid(np.array([0.0, 1.0, 2.5])) == (0.5, 0.0)
    assert find_grid(np.array([0.0, 1.0, 256.0])) is None
    assert find_grid(np.arange(300.0)) is None
    assert find_grid(np.array([])) is None
    assert find_grid(np.array([1e300])) is None
    assert find_grid(np.array([2.0**-149 * 0.75])) is None


def test_a_constant_that_is_no_float32_lies_on_a_grid_as_well() -> None:
    (found,) = quantise_matrix(np.full((2, 2), 0.1))
    assert np.array_equal(found.exact(), np.full((2, 2), 0.1))
    assert found.offset == np.float32(0.1)
