"""What can be trained: the trainer knows weights, losses and evaluations, not what they mean."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

from ..description import Network, Weights

if TYPE_CHECKING:
    import torch

Tensors = Mapping[str, "torch.Tensor"]


@dataclass(frozen=True, slots=True)
class Evaluation:
    """On what was held out: mean ``loss`` in nats; the share that was right, if it is counted."""

    loss: float
    accuracy: float | None = None


class Task(Protocol):
    """A model and its data.

    Weights go by name.  Matrices (two dimensions) are quantised and decay, vectors neither.
    ``kind``: a word for messages.  ``selects``: whether the weights of the best evaluation are
    kept, else those of the last step.
    """

    kind: str
    selects: bool

    def settings(self) -> dict[str, Any]:
        """What tells one run from another besides its schedule, as JSON takes it."""
        ...

    def initial(self, seed: int) -> dict[str, np.ndarray]:
        """Random weights, float32, by name: the same for the same seed everywhere."""
        ...

    def settled(self, weights: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
        """What the steps with float weights made, as the picture is to have it: what is quantised.

        Most tasks train just that; one may train weights from which it follows.
        """
        ...

    def loss(self, weights: Tensors, batch: int, seed: int) -> torch.Tensor:
        """Mean loss of ``batch`` random examples; ``seed`` chooses them."""
        ...

    def evaluate(self, weights: Tensors) -> Evaluation:
        """The loss on what was held out; nothing random."""
        ...

    def examples(self, batch: int) -> int:
        """How many tokens or pictures a step sees."""
        ...

    def network(self, weights: Mapping[str, Weights]) -> Network:
        """The description of a network with these weights, float or quantised."""
        ...
