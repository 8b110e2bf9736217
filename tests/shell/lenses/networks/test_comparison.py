"""Comparing logits, whole and piece by piece."""

from __future__ import annotations

import numpy as np
import pytest

from pxos.shell.lenses.networks.comparison import Tally, ValidationError, compare


def test_pieces_give_what_the_whole_gives() -> None:
    rng = np.random.default_rng(1)
    a = rng.normal(-30, 2, (50, 7))
    b = a + rng.normal(0, 0.01, a.shape)
    tally = Tally()
    for first, end in ((0, 1), (1, 20), (20, 50)):
        tally.add(a[first:end], b[first:end])
    got, whole = tally.result(), compare(a, b)
    assert got.correlation == pytest.approx(np.corrcoef(a.ravel(), b.ravel())[0, 1], abs=1e-14)
    assert got.correlation == pytest.approx(whole.correlation, abs=1e-14)
    assert got.largest == whole.largest == np.abs(a - b).max()
    assert got.agreement == whole.agreement == (a.argmax(1) == b.argmax(1)).mean()
    assert got.rows == 50


def test_the_same_and_the_opposite() -> None:
    a = np.arange(12.0).reshape(3, 4)
    same = compare(a, a)
    assert (same.correlation, same.largest, same.agreement) == (1.0, 0.0, 1.0)
    assert same.passes
    opposite = compare(a, -a)
    assert opposite.correlation == pytest.approx(-1)
    assert (opposite.agreement, opposite.passes) == (0.0, False)


def test_constants_have_no_correlation_unless_they_are_the_same() -> None:
    assert compare(np.ones((2, 2)), np.ones((2, 2))).correlation == 1
    assert compare(np.ones((2, 2)), np.eye(2)).correlation == 0


@pytest.mark.parametrize(
    ("got", "wanted", "message"),
    [
        (np.ones((2, 3)), np.ones((2, 4)), "logits of shape"),
        (np.ones((0, 3)), np.ones((0, 3)), "logits of shape"),
        (np.ones(3), np.ones(3), "logits of shape"),
        (np.full((2, 2), np.nan), np.ones((2, 2)), "NaN or infinite"),
        (np.ones((2, 2)), np.full((2, 2), np.inf), "NaN or infinite"),
    ],
)
def test_what_cannot_be_compared(got: np.ndarray, wanted: np.ndarray, message: str) -> None:
    with pytest.raises(ValidationError, match=message):
        compare(got, wanted)


def test_nothing_to_compare() -> None:
    with pytest.raises(ValidationError, match="nothing was compared"):
        Tally().result()
