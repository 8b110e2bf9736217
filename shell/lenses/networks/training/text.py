"""A text as tokens: a byte is a token, the vocabulary is the bytes that occur."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from hashlib import sha256

import numpy as np

from .packages import TrainingError

#: What is evaluated unless told: the last tenth, as nanoGPT does.
VALIDATION = Fraction(1, 10)


@dataclass(frozen=True, slots=True, eq=False)
class Text:
    """``training`` and ``validation``: int64 tokens.  ``vocabulary``: the byte of each token,
    ascending.  ``digest``: of the bytes and the cut."""

    training: np.ndarray
    validation: np.ndarray
    vocabulary: bytes
    digest: str

    @classmethod
    def split(cls, data: bytes, context: int, part: Fraction = VALIDATION) -> Text:
        """Cut a text: its last ``part`` is for validation.

        With n bytes, training has floor(n * (1 - part)) of them: of 1,115,394 the first 1,003,854,
        which leaves 111,540.  Raises TrainingError where either is too short for one example of
        ``context`` tokens and the one that follows.
        """
        if not 0 < part < 1:
            raise TrainingError(f"a validation part of {float(part)}", "it lies between 0 and 1")
        cut = int(len(data) * (1 - part))
        for name, count in (("training", cut), ("validation", len(data) - cut)):
            if count < context + 1:
                raise TrainingError(
                    f"the text is too short: {count} bytes for {name}, "
                    f"and an example takes {context + 1}",
                    "give a longer text, or a smaller --context",
                )
        values = np.frombuffer(data, np.uint8)
        vocabulary = np.unique(values)
        codes = np.zeros(256, np.int64)
        codes[vocabulary] = np.arange(len(vocabulary))
        tokens = codes[values]
        digest = sha256(cut.to_bytes(8, "little") + data).hexdigest()
        return cls(tokens[:cut], tokens[cut:], vocabulary.tobytes(), digest)


def windows(tokens: np.ndarray, context: int) -> tuple[np.ndarray, np.ndarray]:
    """Consecutive windows of ``context`` tokens and what follows each: int64 (n, context) both.

    Every token but the first is predicted once; each window stands alone.  What fills up the last
    one has -1 to follow: it is not counted.
    """
    count = len(tokens) - 1
    rows = -(-count // context)
    inputs = np.zeros(rows * context, np.int64)
    targets = np.full(rows * context, -1, np.int64)
    inputs[:count], targets[:count] = tokens[:-1], tokens[1:]
    return inputs.reshape(rows, context), targets.reshape(rows, context)
