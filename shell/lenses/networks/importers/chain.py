"""Layers one after another, as PyTorch's Sequential and ONNX graphs have them.

A :class:`ChainBuilder` is told the layers in their order; scales and shifts of columns (batch
normalisation, normalised inputs) are multiplied into the linear layers beside them.  What comes out
is the description's :class:`~..description.Mlp` if that can say it, else a :class:`Chain`, which
may have norms, a softmax and several activations.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from ..description import ACTIVATIONS, MOST_EPSILON, X_LIMIT, Linear, Mlp, Norm
from ..tables import activate
from .common import ForeignError, finite


@dataclass(frozen=True, slots=True)
class Activation:
    """An activation, one of the description's ACTIVATIONS."""

    name: str


@dataclass(frozen=True, slots=True)
class Softmax:
    """Softmax over the columns."""


@dataclass(frozen=True, slots=True, eq=False)
class Normed:
    """A norm over the columns, with its epsilon."""

    norm: Norm
    epsilon: float


Step = Linear | Activation | Softmax | Normed


@dataclass(frozen=True, slots=True, eq=False)
class Chain:
    """Steps from ``inputs`` columns to ``outputs``; weights are float32 (inputs, outputs)."""

    steps: tuple[Step, ...]
    inputs: int
    outputs: int

    def count(self) -> int:
        """How many weights there are."""
        arrays: list[np.ndarray | None] = []
        for step in self.steps:
            if isinstance(step, Linear):
                arrays += [np.asarray(step.weight), step.bias]
            elif isinstance(step, Normed):
                arrays += [step.norm.gain, step.norm.bias]
        return sum(int(array.size) for array in arrays if array is not None)


def evaluate(chain: Chain, x: np.ndarray) -> np.ndarray:
    """The outputs, float64 (n, outputs), for rows x (n, inputs), by NumPy."""
    y = np.asarray(x, np.float64)
    for step in chain.steps:
        if isinstance(step, Linear):
            y = y @ np.asarray(step.weight, np.float64)
            y = y if step.bias is None else y + step.bias
        elif isinstance(step, Activation):
            y = activate(step.name, y)
        elif isinstance(step, Softmax):
            e = np.exp(y - y.max(axis=1, keepdims=True))
            y = e / e.sum(axis=1, keepdims=True)
        else:
            if step.norm.bias is not None:
                y = y - y.mean(axis=1, keepdims=True)
            y = y / np.sqrt((y * y).mean(axis=1, keepdims=True) + step.epsilon) * step.norm.gain
            y = y if step.norm.bias is None else y + step.norm.bias
    return y


@dataclass(slots=True)
class ChainBuilder:
    """Collects layers.  Every method takes ``name``, what messages call the layer."""

    inputs: int | None = None
    steps: list[Step] = field(default_factory=list)
    width: int | None = None
    _scale: np.ndarray | None = None
    _shift: np.ndarray | None = None

    def linear(self, name: str, weight: np.ndarray, bias: np.ndarray | None) -> None:
        """``x @ weight + bias``: float (inputs, outputs) and (outputs,)."""
        if weight.ndim != 2 or 0 in weight.shape:
            raise ForeignError(f"{name} has weights of shape {weight.shape}", "a matrix is needed")
        self._fits(name, weight.shape[0])
        weight = finite(np.asarray(weight, np.float32), name + ".weight")
        if bias is not None:
            bias = _vector(name + ".bias", bias, weight.shape[1])
        if self._scale is not None and self._shift is not None:
            extra = self._shift.astype(np.float64) @ weight.astype(np.float64)
            weight = self._scale[:, None] * weight
            bias = (extra if bias is None else bias + extra).astype(np.float32)
            bias = _vector(name + ".bias", bias, weight.shape[1])
            self._scale = self._shift = None
        self.steps.append(Linear(weight, bias))
        self.width = int(weight.shape[1])

    def affine(self, name: str, scale: np.ndarray, shift: np.ndarray) -> None:
        """``x * scale + shift``: vectors of as many numbers as there are columns, or of one."""
        width = self.width or max(scale.size, shift.size)
        s, t = (
            np.broadcast_to(part.astype(np.float64).ravel(), (width,))
            if part.size in (1, width)
            else _vector(name, part, width)
            for part in (scale, shift)
        )
        finite(s, name + ".scale")
        finite(t, name + ".shift")
        if self.inputs is None and width == 1:
            raise ForeignError(f"{name} stands before the width is known", "give the input a shape")
        self._fits(name, width)
        last = self.steps[-1] if self.steps else None
        if isinstance(last, Linear):
            bias = 0 if last.bias is None else last.bias
            weight = (np.asarray(last.weight, np.float64) * s).astype(np.float32)
            self.steps[-1] = Linear(
                finite(weight, name), _vector(name, (bias * s + t).astype(np.float32), width)
            )
            return
        old_scale = 1.0 if self._scale is None else self._scale
        old_shift = 0.0 if self._shift is None else self._shift
        self._scale, self._shift = old_scale * s, old_shift * s + t

    def norm(self, name: str, gain: np.ndarray, bias: np.ndarray | None, epsilon: float) -> None:
        """A layer norm, or with ``bias`` None an RMS norm."""
        self._settled(name)
        self._fits(name, gain.size)
        if not 0 < epsilon < MOST_EPSILON:
            raise ForeignError(
                f"{name} has the epsilon {epsilon}", f"it must be above 0, below {MOST_EPSILON}"
            )
        vectors = (
            _vector(name + ".gain", gain, gain.size),
            (None if bias is None else _vector(name + ".bias", bias, gain.size)),
        )
        self.steps.append(Normed(Norm(*vectors), float(epsilon)))

    def activation(self, name: str, kind: str) -> None:
        """One of the description's ACTIVATIONS."""
        self._settled(name)
        if kind not in ACTIVATIONS:
            raise ForeignError(
                f"{name}: no activation {kind}", ", ".join(ACTIVATIONS) + " are there"
            )
        self.steps.append(Activation(kind))

    def softmax(self, name: str) -> None:
        """Softmax over the columns."""
        self._settled(name)
        self.steps.append(Softmax())

    def finish(self) -> Mlp | Chain:
        """The network; raises ForeignError if there is none."""
        if (
            self.inputs is None
            or self.width is None
            or not any(isinstance(step, Linear) for step in self.steps)
        ):
            raise ForeignError("the model has no linear layer", "there is nothing to import")
        self._settled("the end")
        return _as_mlp(self.steps) or Chain(tuple(self.steps), self.inputs, self.width)

    def _fits(self, name: str, width: int) -> None:
        if self.width is None:
            self.inputs = self.inputs or int(width)
            self.width = self.inputs
        if width != self.width:
            raise ForeignError(
                f"{name} takes {width} columns, the layers before it give {self.width}",
                "the model does not fit together",
            )

    def _settled(self, name: str) -> None:
        if self._scale is not None:
            raise ForeignError(
                f"a scale or shift stands before {name}", "it must follow or precede a linear layer"
            )


def _vector(name: str, values: np.ndarray, width: int) -> np.ndarray:
    vector = np.asarray(values, np.float32).ravel()
    if vector.size != width:
        raise ForeignError(f"{name} has {vector.size} numbers, expected {width}", "check the model")
    finite(vector, name)
    if float(np.abs(vector).max(initial=0.0)) >= X_LIMIT:
        raise ForeignError(
            f"{name} holds numbers beyond {X_LIMIT:g}", "fixed point ends there: scale the layer"
        )
    return vector


def _as_mlp(steps: Sequence[Step]) -> Mlp | None:
    """Linear layers with one kind of activation between any two of them, or None."""
    layers = [step for step in steps[::2] if isinstance(step, Linear)]
    between = [step for step in steps[1::2] if isinstance(step, Activation)]
    if len(steps) % 2 == 0 or len(layers) + len(between) != len(steps):
        return None
    names = {step.name for step in between}
    if len(names) > 1:
        return None
    return Mlp(tuple(layers), names.pop() if names else "relu")


def square(inputs: int) -> tuple[int, int]:
    """The picture that ``inputs`` numbers are taken for: a square if they make one, else a row."""
    side = math.isqrt(inputs)
    return (side, side) if side * side == inputs else (1, inputs)
