"""How near two sets of logits are: correlation, largest difference, the same likeliest token."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

#: What a validation must reach: see docs/networks.md.
LEAST_CORRELATION, GREATEST_ERROR = 0.99999, 0.005


class ValidationError(RuntimeError):
    """The picture did not give what it was asked for; the message says what happened."""


@dataclass(frozen=True, slots=True)
class Comparison:
    """How a picture's logits differ from the reference's.

    ``correlation``: of all logits (Pearson).  ``largest``: greatest difference.  ``agreement``:
    share of rows with the same likeliest token.  ``rows``: how many were compared.
    """

    correlation: float
    largest: float
    agreement: float
    rows: int

    @property
    def passes(self) -> bool:
        """Whether the bars of docs/networks.md are reached."""
        return self.correlation > LEAST_CORRELATION and self.largest < GREATEST_ERROR


class Tally:
    """Compares logits piece by piece, so that a long text needs no more memory than a context."""

    def __init__(self) -> None:
        self.rows = 0
        self._count = 0
        self._mean = np.zeros(2)
        #: Sums of squares and products of what differs from the means: xx, xy, yy.
        self._moments = np.zeros(3)
        self._largest = 0.0
        self._same = 0

    def add(self, got: np.ndarray, wanted: np.ndarray) -> None:
        """Count a piece: both (rows, vocabulary).

        Raises ValidationError for shapes that differ and for numbers that are NaN or infinite.
        """
        if got.shape != wanted.shape or got.ndim != 2 or not got.size:
            raise ValidationError(f"logits of shape {got.shape}, the reference has {wanted.shape}")
        if not (np.isfinite(got).all() and np.isfinite(wanted).all()):
            raise ValidationError("there are logits that are NaN or infinite")
        a, b = got.astype(np.float64), wanted.astype(np.float64)
        mean = np.array([a.mean(), b.mean()])
        x, y = (a - mean[0]).ravel(), (b - mean[1]).ravel()
        # Moments of two parts together: Chan, Golub and LeVeque, "Updating formulae and a pairwise
        # algorithm for computing sample variances", 1979.
        total = self._count + a.size
        dx, dy = mean - self._mean
        share = self._count * a.size / total
        self._moments += np.array([x @ x, x @ y, y @ y])
        self._moments += share * np.array([dx * dx, dx * dy, dy * dy])
        self._mean = self._mean + (mean - self._mean) * (a.size / total)
        self._count = total
        self._largest = max(self._largest, float(np.abs(a - b).max()))
        self._same += int((a.argmax(axis=1) == b.argmax(axis=1)).sum())
        self.rows += len(a)

    def result(self) -> Comparison:
        """What was found.  Raises ValidationError if nothing was compared."""
        if not self.rows:
            raise ValidationError("nothing was compared")
        xx, xy, yy = (float(moment) for moment in self._moments)
        norm = math.sqrt(xx) * math.sqrt(yy)
        if norm:
            correlation = min(xy / norm, 1.0)
        else:  # one of them is constant: nothing to correlate, unless they are the same
            correlation = float(self._largest == 0)
        return Comparison(correlation, self._largest, self._same / self.rows, self.rows)


def compare(got: np.ndarray, wanted: np.ndarray) -> Comparison:
    """Compare logits (rows, vocabulary).  Raises ValidationError if the shapes differ."""
    tally = Tally()
    tally.add(got, wanted)
    return tally.result()
