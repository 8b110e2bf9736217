"""What a training run is made of: the shape of a model, the schedule of its steps, presets."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any

from .packages import TrainingError

STYLES = ("gpt", "llama")


@dataclass(frozen=True, slots=True)
class Architecture:
    """The shape of a language model.

    ``style``: "gpt" (LayerNorm, learned positions, GELU) or "llama" (RMSNorm, rotary positions,
    gated SiLU).  Neither has biases in its linear layers; both use the embedding as the head.
    ``hidden``: columns inside the MLP, 0: 4 * width for gpt, the multiple of 16 nearest to
    8/3 * width for llama.  ``dropout``: of the embeddings, of attention, of what each layer adds.
    Raises TrainingError for numbers that do not fit together.
    """

    style: str = "gpt"
    layers: int = 4
    width: int = 192
    heads: int = 6
    hidden: int = 0
    context: int = 256
    dropout: float = 0.1

    def __post_init__(self) -> None:
        if self.style not in STYLES:
            raise TrainingError(f"no style {self.style!r}", "choose " + " or ".join(STYLES))
        for name, most in (("layers", 64), ("width", 4096), ("heads", 64), ("context", 8192)):
            _within(name, getattr(self, name), 1, most)
        _within("hidden", self.hidden, 0, 16384)
        _within("dropout", self.dropout, 0, 0.9)
        if self.width % self.heads:
            raise TrainingError(
                f"{self.heads} heads do not divide a width of {self.width}",
                "choose a width that is a multiple of the heads",
            )
        if self.style == "llama" and self.width // self.heads % 2:
            raise TrainingError(
                f"heads of {self.width // self.heads} columns", "rotary heads have an even width"
            )

    @property
    def gated(self) -> bool:
        """Whether the MLP has a gate."""
        return self.style == "llama"

    @property
    def inner(self) -> int:
        """Columns inside the MLP."""
        if self.hidden:
            return self.hidden
        return max(16, round(self.width / 6) * 16) if self.gated else 4 * self.width


@dataclass(frozen=True, slots=True)
class Schedule:
    """The steps of a run and their learning rates; AdamW throughout.

    ``steps`` with float weights: the rate rises for ``warmup`` steps to ``rate`` and falls as a
    cosine to ``least_rate``.  ``finetune`` steps with weights as the quantiser rounds them: from
    ``finetune_rate`` down to a tenth of it.  ``batch``: examples of a step.  ``evaluate``: steps
    between evaluations.  ``decay``: weight decay of matrices.  ``clip``: of a gradient's norm.
    ``method``: how the quantiser's grids are chosen.  ``seed``: of everything that is random.
    Raises TrainingError for a number out of range.
    """

    steps: int = 5000
    batch: int = 64
    rate: float = 1e-3
    least_rate: float = 5e-5
    warmup: int = 200
    decay: float = 0.1
    beta_1: float = 0.9
    beta_2: float = 0.99
    clip: float = 1.0
    evaluate: int = 250
    finetune: int = 250
    finetune_rate: float = 5e-5
    method: str = "least-squares"
    seed: int = 1

    def __post_init__(self) -> None:
        for name in ("steps", "batch", "evaluate"):
            _within(name, getattr(self, name), 1, 10**8)
        for name in ("warmup", "finetune"):
            _within(name, getattr(self, name), 0, 10**8)
        _within("seed", self.seed, 0, 2**63 - 1)
        for name in ("rate", "least_rate", "finetune_rate", "clip"):
            value = getattr(self, name)
            if not (math.isfinite(value) and value > 0):
                raise TrainingError(f"{name} is {value}", "it must be greater than 0")
        _within("decay", self.decay, 0, 10)
        for name in ("beta_1", "beta_2"):
            _within(name, getattr(self, name), 0, 0.99999)

    @property
    def total(self) -> int:
        """Steps of both kinds."""
        return self.steps + self.finetune

    def rate_at(self, step: int) -> float:
        """The learning rate of a step, counted from 0."""
        if step < self.steps:
            if step < self.warmup:
                return self.rate * (step + 1) / self.warmup
            low = min(self.least_rate, self.rate)
            return _cosine(step - self.warmup, self.steps - self.warmup, self.rate, low)
        late, ramp = step - self.steps, min(20, self.finetune // 4)
        if late < ramp:
            return self.finetune_rate * (late + 1) / ramp
        return _cosine(late, self.finetune, self.finetune_rate, self.finetune_rate / 10)


def _cosine(at: int, count: int, high: float, low: float) -> float:
    return low + (high - low) * 0.5 * (1 + math.cos(math.pi * at / max(count, 1)))


def _within(name: str, value: float, low: float, high: float) -> None:
    if not low <= value <= high:  # also NaN
        raise TrainingError(f"{name} is {value}", f"it lies between {low} and {high}")


#: Settings by preset: what differs from the defaults.  ``shakespeare`` are the defaults: fewer than
#: two million weights with 65 characters.  ``llama`` is of the same size.  ``nanogpt`` is the model
#: of nanoGPT's config/train_shakespeare_char.py, 10.65 million weights (positions not counted).
PRESETS: Mapping[str, Mapping[str, Any]] = {
    "shakespeare": {},
    "llama": {"style": "llama", "hidden": 512, "dropout": 0.2},
    "nanogpt": {
        "layers": 6,
        "width": 384,
        "heads": 6,
        "dropout": 0.2,
        "warmup": 100,
        "least_rate": 1e-4,
    },
}


def preset(name: str, changes: Mapping[str, Any]) -> tuple[Architecture, Schedule]:
    """The settings of a preset with changes by field name (of either class).

    Raises TrainingError for a preset or a field that there is not, and for values out of range.
    """
    if name not in PRESETS:
        raise TrainingError(f"no preset {name!r}", "choose one of " + ", ".join(PRESETS))
    values = {**PRESETS[name], **changes}
    shape = {field.name for field in fields(Architecture)}
    plan = {field.name for field in fields(Schedule)}
    unknown = sorted(set(values) - shape - plan)
    if unknown:
        raise TrainingError(f"no setting {unknown[0]!r}", "see Architecture and Schedule")
    return (
        Architecture(**{key: value for key, value in values.items() if key in shape}),
        Schedule(**{key: value for key, value in values.items() if key in plan}),
    )


def plain(settings: Architecture | Schedule) -> dict[str, Any]:
    """Settings as JSON takes them."""
    return asdict(settings)
