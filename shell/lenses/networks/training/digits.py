"""The task of reading digits: scikit-learn's pictures of 8 x 8, and an MLP.

A cell is the share of it that is ink, 0 to 1, in steps of 1/16 in the data.  The data are the test
set of Alpaydin and Kaynak's "Optical recognition of handwritten digits" (UCI, 1998): digits made as
high as the picture, in its middle, as :data:`NORMALISATION` says for those who draw their own.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np

from ..description import Linear, Mlp, Weights
from . import strokes
from .augment import augmented
from .packages import TrainingError, need
from .settings import Schedule
from .task import Evaluation, Tensors

if TYPE_CHECKING:
    import torch

#: Side of a picture, how many digits there are, what full ink is in the data.
SIDE, DIGITS, FULL = 8, 10, 16.0
#: What an app does with a drawing before the network sees it.
NORMALISATION: Mapping[str, Any] = {
    "inputs": "8 x 8 cells, row by row; a cell is the share of it that is ink, 0 to 1",
    "crop": "to the rows and columns that have ink",
    "scale": "so that it is 8 cells high, or 6 wide if that is less, width to height as drawn",
    "place": "in the middle of the 8 x 8 cells",
    "outputs": "10 scores (logits), one for each digit; the greatest is what was read",
}
#: How many drawings of strokes are learnt besides, a third of all.
DRAWN = 720
#: Steps for digits: a minute on two cores of a CPU.
SCHEDULE = Schedule(
    steps=6000, batch=256, rate=2e-3, warmup=100, decay=0.05, beta_2=0.999, evaluate=1000,
    finetune=400, finetune_rate=2e-5,
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class DigitsModel:
    """Columns of the hidden layers, and how much of them is dropped out in training."""

    hidden: tuple[int, ...] = (256, 128)
    dropout: float = 0.2

    def __post_init__(self) -> None:
        if not self.hidden or not all(1 <= width <= 4096 for width in self.hidden):
            raise TrainingError(f"hidden layers {self.hidden}", "give one or more of 1 to 4096")
        if not 0 <= self.dropout < 1:
            raise TrainingError(f"dropout is {self.dropout}", "it lies between 0 and 1")


class DigitsTask:
    """An MLP and the digits: four fifths to learn from, augmented; a fifth held out by the seed.

    Digits drawn with a thin pen (:mod:`.strokes`) are learnt besides: the data have few of them.

    The weights of the last step are kept: the held-out fifth chooses nothing.
    """

    kind = "digits"
    selects = False

    def __init__(self, model: DigitsModel, seed: int) -> None:
        """``seed``: which fifth is held out.  Raises TrainingError without scikit-learn."""
        self.model, self.seed = model, seed
        loaded = need("sklearn.datasets").load_digits()
        pictures = (loaded.images / FULL).astype(np.float32)
        labels = loaded.target.astype(np.int64)
        order = np.random.default_rng((seed, len(labels))).permutation(len(labels))
        fifth = len(labels) // 5
        held, learnt = order[:fifth], order[fifth:]
        self.held_out, self.held_out_labels = pictures[held], labels[held]
        drawn, meant = strokes.drawings(DRAWN, np.random.default_rng((seed, DRAWN)))
        self.pictures = np.concatenate([pictures[learnt], drawn])
        self.labels = np.concatenate([labels[learnt], meant])

    def settings(self) -> dict[str, Any]:
        """The model and which fifth is held out."""
        return {**asdict(self.model), "hidden": list(self.model.hidden), "fifth": self.seed}

    def settled(self, weights: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
        """The weights as they are."""
        return dict(weights)

    def examples(self, batch: int) -> int:
        """Pictures of a step."""
        return batch

    def initial(self, seed: int) -> dict[str, np.ndarray]:
        """Normal, variance 2/inputs (He et al., "Delving deep into rectifiers", 2015), biases 0."""
        rng = np.random.default_rng(seed)
        sizes = (SIDE * SIDE, *self.model.hidden, DIGITS)
        made: dict[str, np.ndarray] = {}
        for i, (inputs, outputs) in enumerate(pairwise(sizes)):
            spread = (2 / inputs) ** 0.5
            made[f"layers.{i}"] = rng.normal(0, spread, (inputs, outputs)).astype(np.float32)
            made[f"layers.{i}.bias"] = np.zeros(outputs, np.float32)
        return made

    def loss(self, weights: Tensors, batch: int, seed: int) -> torch.Tensor:
        """Mean cross-entropy of ``batch`` pictures, each turned, moved and thickened by chance."""
        import torch
        from torch.nn import functional

        rng = np.random.default_rng(seed)
        chosen = rng.integers(0, len(self.labels), batch)
        device = weights["layers.0"].device
        cells = augmented(self.pictures[chosen], rng).reshape(batch, -1)
        found = self._scores(weights, torch.as_tensor(cells, device=device), training=True)
        return functional.cross_entropy(found, torch.as_tensor(self.labels[chosen], device=device))

    def evaluate(self, weights: Tensors) -> Evaluation:
        """Loss and share of right answers on the held-out fifth, as it is."""
        import torch
        from torch.nn import functional

        device = weights["layers.0"].device
        cells = torch.as_tensor(self.held_out.reshape(-1, SIDE * SIDE), device=device)
        labels = torch.as_tensor(self.held_out_labels, device=device)
        with torch.no_grad():
            found = self._scores(weights, cells, training=False)
            right = float((found.argmax(dim=1) == labels).double().mean())
            return Evaluation(float(functional.cross_entropy(found, labels)), right)

    def _scores(self, weights: Tensors, x: torch.Tensor, *, training: bool) -> torch.Tensor:
        from torch.nn import functional

        last = len(self.model.hidden)
        for i in range(last + 1):
            x = x @ weights[f"layers.{i}"] + weights[f"layers.{i}.bias"]
            if i < last:
                x = functional.dropout(functional.relu(x), self.model.dropout, training=training)
        return x

    def network(self, weights: Mapping[str, Weights]) -> Mlp:
        """The description."""
        layers = []
        for i in range(len(self.model.hidden) + 1):
            bias = weights[f"layers.{i}.bias"]
            if isinstance(bias, tuple):
                raise TypeError("biases are vectors, they are not quantised")
            layers.append(Linear(weights[f"layers.{i}"], bias))
        return Mlp(tuple(layers), "relu")
