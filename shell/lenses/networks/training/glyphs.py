"""The task of a network that reads and writes pictures of text: to say which glyph follows.

It never meets a character's code.  What it reads of a cell are the pixels of a glyph, through one
matrix, the eye; what it answers, through another, the hand, is a picture of evidence, a number for
each pixel, which is held against the font's own pictures.

Letters have much in common: pixels are far from independent, and steps along what tells letters
apart would be tiny.  So the float weights see decorrelated pictures, as a retina makes them (Atick
and Redlich, "What does the retina know about natural scenes?", 1992): the font's pictures times
one fixed symmetric matrix.  As that is linear, it is multiplied into eye and hand once they are
trained; the picture of the network has neither it nor its cost.
"""

from __future__ import annotations

from collections.abc import Mapping
from hashlib import sha256
from typing import TYPE_CHECKING, Any

import numpy as np

from ..description import Transformer, Weights
from . import transformer
from .language import LanguageTask
from .packages import TrainingError
from .settings import Architecture
from .task import Tensors
from .text import Text

if TYPE_CHECKING:
    import torch

#: What is added to the variances of the font's pictures before they are evened out: directions in
#: which glyphs hardly differ are lifted less, so that eight bits are enough for their weights.
EVENING = 0.03
#: What is trained for what the picture has.
_TRAINED = {"embedding": "eye", "head": "hand"}


def retina(glyphs: np.ndarray) -> np.ndarray:
    """The matrix that decorrelates pictures, float64 (pixels, pixels), of glyphs (n, pixels).

    ``(C + EVENING) ** -1/2`` with the second moments C of the pictures, where they have any: what
    no glyph shows gives nothing.  Scaled so that a decorrelated picture has a mean square of 1.
    """
    pictures = glyphs.astype(np.float64)
    variances, axes = np.linalg.eigh(pictures.T @ pictures / len(pictures))
    there = variances > 1e-9 * variances.max()
    axes, variances = axes[:, there], variances[there]
    matrix = (axes / np.sqrt(variances + EVENING)) @ axes.T
    return matrix / np.sqrt(((pictures @ matrix) ** 2).sum(axis=1).mean())


class GlyphsTask(LanguageTask):
    """A transformer, the text it learns, and what the text looks like.

    Evaluated as its parent is, in nats a glyph.  (A picture times a matrix does not depend on where
    in the text it stands: it is worked out once for each glyph of the font, not for each cell.)
    """

    kind = "glyphs"

    def __init__(self, shape: Architecture, text: Text, glyphs: np.ndarray) -> None:
        """``glyphs``: uint8 (vocabulary, pixels), 0 or 1: a row for each byte of the text's
        vocabulary.  Raises TrainingError where two look the same."""
        super().__init__(shape, text)
        if len(glyphs) != len(text.vocabulary):
            raise ValueError(f"{len(glyphs)} glyphs for {len(text.vocabulary)} characters")
        if len(np.unique(glyphs, axis=0)) != len(glyphs):
            raise TrainingError("two characters of the text look the same", "leave one out of it")
        self.glyphs = glyphs
        self._retina = retina(glyphs)
        self._pixels = int(glyphs.shape[1])
        self._seen: dict[torch.device, tuple[torch.Tensor, torch.Tensor]] = {}

    def settings(self) -> dict[str, Any]:
        """The architecture and the digests of the text and of the font."""
        return {**super().settings(), "glyphs": sha256(self.glyphs.tobytes()).hexdigest()}

    def count(self) -> int:
        """How many weights the model has."""
        return transformer.count(self.shape, self._pixels, head=True)

    def initial(self, seed: int) -> dict[str, np.ndarray]:
        """Fresh weights, with eye and hand."""
        made = transformer.initial(self.shape, self._pixels, seed, head=True)
        return {_TRAINED.get(name, name): weight for name, weight in made.items()}

    def settled(self, weights: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
        """The weights with eye and hand for pictures as they are, as embedding and head."""
        made = dict(weights)
        for name, trained in _TRAINED.items():
            made[name] = (self._retina @ made.pop(trained)).astype(np.float32)
        return made

    def _logits(self, weights: Tensors, tokens: torch.Tensor, *, training: bool) -> torch.Tensor:
        plain, decorrelated = self._pictures(tokens.device)
        known = dict(weights)
        for name, trained in _TRAINED.items():
            if trained in known:
                known[name] = decorrelated @ known.pop(trained)
            else:
                known[name] = plain @ known[name]
        return super()._logits(known, tokens, training=training)

    def _pictures(self, device: torch.device) -> tuple[torch.Tensor, torch.Tensor]:
        """The glyphs as they are and decorrelated, float32 (vocabulary, pixels)."""
        import torch

        if device not in self._seen:
            both = self.glyphs, self.glyphs @ self._retina
            plain, decorrelated = (
                torch.as_tensor(part, dtype=torch.float32, device=device) for part in both
            )
            self._seen[device] = plain, decorrelated
        return self._seen[device]

    def network(self, weights: Mapping[str, Weights]) -> Transformer:
        """The description.  Its glyphs stand in the order of their pixels: it means nothing."""
        ordered = np.unique(self.glyphs, axis=0)
        return transformer.describe(self.shape, weights, None, ordered)
