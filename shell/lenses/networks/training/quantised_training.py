"""Weights as the quantiser will round them, while they are trained.

A step computes with what the picture will hold and moves the float weights behind it by the
gradient it finds there (straight-through: Bengio, Léonard and Courville, "Estimating or propagating
gradients through stochastic neurons for conditional computation", 2013, section 4; Jacob et al.,
"Quantization and training of neural networks for efficient integer-arithmetic-only inference",
2018, section 3).  The grids are the quantiser's own and are exported as they were trained with.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np

from ..description import Weights
from ..quantise import METHODS, TOP, Quantised, QuantiseError, quantise
from .packages import TrainingError
from .task import Tensors

if TYPE_CHECKING:
    import torch

#: Scale and offset, float32 values.
Grid = tuple[float, float]


def fit_grids(weights: Mapping[str, np.ndarray], method: str) -> dict[str, Grid]:
    """A grid for every matrix, chosen by ``method``, a key of :data:`~..quantise.METHODS`.

    Raises TrainingError for another method and for weights that are not finite.
    """
    if method not in METHODS:
        raise TrainingError(f"no method {method!r}", "choose " + " or ".join(METHODS))
    found = {}
    for name, matrix in weights.items():
        if matrix.ndim == 2:
            try:
                found[name] = METHODS[method](matrix)
            except QuantiseError as error:
                raise TrainingError(f"{name}: {error.what}", error.advice) from error
    return found


def rounded(weight: torch.Tensor, grid: Grid) -> torch.Tensor:
    """What is left of a float32 matrix in the picture: bit for bit ``Quantised.float32()``.

    Computed in float64, as :func:`~..quantise.quantise` does; the gradient is the caller's affair.
    """
    import torch

    scale, offset = grid
    with torch.no_grad():
        place = ((weight.double() - offset) / scale).round_().clamp_(0, TOP)
        return place.mul_(scale).add_(offset).float()


def all_rounded(weights: Tensors, grids: Mapping[str, Grid]) -> dict[str, torch.Tensor]:
    """Every weight as the picture computes with it, ready to collect gradients; vectors as they
    are."""
    return {
        name: rounded(weight, grids[name]).requires_grad_() if name in grids else weight
        for name, weight in weights.items()
    }


def pass_gradients(used: Tensors, weights: Tensors) -> None:
    """Hand the gradients that the rounded weights collected to the float weights behind them."""
    for name, weight in weights.items():
        if used[name] is not weight:
            weight.grad = used[name].grad


def exported(weights: Mapping[str, np.ndarray], grids: Mapping[str, Grid]) -> dict[str, Weights]:
    """Matrices as bytes on their grids, vectors as they are: what a description takes."""
    return {
        name: (Quantised(quantise(weight, *grids[name]), *grids[name]),)
        if name in grids
        else weight
        for name, weight in weights.items()
    }
