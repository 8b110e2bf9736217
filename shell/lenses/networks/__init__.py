"""Networks as pictures: quantising, describing, emitting, and checking against NumPy."""

from __future__ import annotations

from .description import (
    Block,
    DescriptionError,
    Linear,
    Mlp,
    Network,
    Norm,
    Transformer,
    dequantised,
    quantised,
)
from .emit import Emitted, emit
from .quantise import Quantised, QuantiseError, dequantise, quantise, quantise_matrix
from .reference import HeadByHead, Reference, evaluate_mlp
from .validate import (
    Comparison,
    ExecutorFactory,
    ValidationError,
    picture_logits,
    picture_losses,
    validate,
)

__all__ = [
    "Block",
    "Comparison",
    "DescriptionError",
    "Emitted",
    "ExecutorFactory",
    "HeadByHead",
    "Linear",
    "Mlp",
    "Network",
    "Norm",
    "QuantiseError",
    "Quantised",
    "Reference",
    "Transformer",
    "ValidationError",
    "dequantise",
    "dequantised",
    "emit",
    "evaluate_mlp",
    "picture_logits",
    "picture_losses",
    "quantise",
    "quantise_matrix",
    "quantised",
    "validate",
]
