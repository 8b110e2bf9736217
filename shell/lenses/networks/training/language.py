"""The task of a language model: to say what follows."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from ..description import Transformer, Weights
from . import transformer
from .settings import Architecture, plain
from .task import Evaluation, Tensors
from .text import Text, windows

if TYPE_CHECKING:
    import torch

#: Tokens that an evaluation looks at together: what it takes in memory, not what comes out.
_TOGETHER = 16384


class LanguageTask:
    """A transformer and the text it learns.

    Evaluated on the whole validation text in consecutive windows of the context, so that each
    character but the first is predicted once, the first of a window from nothing before it but
    itself: the hardest way to count, and how the picture counts too.  The weights with the best
    validation loss are kept, as nanoGPT does.
    """

    kind = "lm"
    selects = True

    def __init__(self, shape: Architecture, text: Text) -> None:
        self.shape, self.text = shape, text
        self._windows = windows(text.validation, shape.context)
        self._placed: dict[torch.device, torch.Tensor] = {}

    def settings(self) -> dict[str, Any]:
        """The architecture and the digest of the text."""
        return {**plain(self.shape), "text": self.text.digest}

    def count(self) -> int:
        """How many weights the model has."""
        return transformer.count(self.shape, len(self.text.vocabulary))

    def initial(self, seed: int) -> dict[str, np.ndarray]:
        """See :func:`.transformer.initial`."""
        return transformer.initial(self.shape, len(self.text.vocabulary), seed)

    def settled(self, weights: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
        """The weights as they are."""
        return dict(weights)

    def examples(self, batch: int) -> int:
        """Tokens of a step."""
        return batch * self.shape.context

    def loss(self, weights: Tensors, batch: int, seed: int) -> torch.Tensor:
        """Mean cross-entropy of ``batch`` windows that begin anywhere in the training text."""
        import torch
        from torch.nn import functional

        device = weights["norm.gain"].device
        if device not in self._placed:
            self._placed[device] = torch.as_tensor(self.text.training, device=device)
        last = len(self.text.training) - self.shape.context
        starts = np.random.default_rng(seed).integers(0, last, (batch, 1))
        places = torch.as_tensor(starts + np.arange(self.shape.context + 1), device=device)
        tokens = self._placed[device][places]
        found = self._logits(weights, tokens[:, :-1], training=True)
        return functional.cross_entropy(found.float().flatten(0, 1), tokens[:, 1:].flatten())

    def evaluate(self, weights: Tensors) -> Evaluation:
        """The mean loss over the validation text: float32, summed in float64."""
        import torch
        from torch.nn import functional

        device = weights["norm.gain"].device
        rows = max(1, _TOGETHER // self.shape.context)
        total = 0.0
        with torch.no_grad():
            for at in range(0, len(self._windows[0]), rows):
                inputs, targets = (
                    torch.as_tensor(part[at : at + rows], device=device) for part in self._windows
                )
                found = self._logits(weights, inputs, training=False)
                losses = functional.cross_entropy(
                    found.flatten(0, 1), targets.flatten(), ignore_index=-1, reduction="none"
                )
                total += float(losses.double().sum())
        return Evaluation(total / (len(self.text.validation) - 1))

    def _logits(self, weights: Tensors, tokens: torch.Tensor, *, training: bool) -> torch.Tensor:
        return transformer.logits(self.shape, weights, tokens, training=training)

    def network(self, weights: Mapping[str, Weights]) -> Transformer:
        """The description, with the text's vocabulary."""
        return transformer.describe(self.shape, weights, self.text.vocabulary)
