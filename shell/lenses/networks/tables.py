"""Tables that the pictures look numbers up in: activations and rotary positions."""

from __future__ import annotations

import math

import numpy as np

#: Steps of an activation table in 1, as ``apps/lib/nn.pxi`` shifts by.
STEPS = 4096
#: How far from zero each table reaches; beyond, the bump is less than 8e-5.
REACH = {"gelu": 5, "gelu_tanh": 5, "silu": 12}


def activate(name: str, x: np.ndarray) -> np.ndarray:
    """The activation in float64, elementwise, any shape.

    ``gelu`` and ``gelu_tanh``: Hendrycks and Gimpel, "Gaussian error linear units", 2016; the
    constants are sqrt(2 / pi) and 0.044715.  ``silu``: x / (1 + e^-x).  ``relu``: max(x, 0).
    """
    x = np.asarray(x, np.float64)
    if name == "relu":
        return np.maximum(x, 0)
    if name == "gelu":
        erf = np.frompyfunc(math.erf, 1, 1)
        return 0.5 * x * (1 + erf(x / math.sqrt(2)).astype(np.float64))
    if name == "gelu_tanh":
        return 0.5 * x * (1 + np.tanh(math.sqrt(2 / math.pi) * (x + 0.044715 * x**3)))
    if name == "silu":
        # By tanh, which does not overflow.
        return 0.5 * x * (1 + np.tanh(0.5 * x))
    raise ValueError(f"no activation {name!r}")


def bump(name: str) -> np.ndarray:
    """max(x, 0) less the activation in the middle of steps of 1/4096: float64 (1, 8192*reach)."""
    half = REACH[name] * STEPS
    x = (np.arange(-half, half) + 0.5) / STEPS
    return (np.maximum(x, 0) - activate(name, x))[None, :]


def rotary(context: int, head: int, base: float) -> tuple[np.ndarray, np.ndarray]:
    """Cosine and sine of position * base^(-2i / head): float64 (context, head // 2) each.

    Su et al., "RoFormer: enhanced transformer with rotary position embedding", 2021, eq. 15.
    """
    frequencies = base ** (-np.arange(0, head, 2) / head)
    angles = np.outer(np.arange(context), frequencies)
    return np.cos(angles), np.sin(angles)
