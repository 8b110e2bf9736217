"""A transformer in PyTorch as :class:`~..description.Transformer` means it, without modules.

Weights are tensors by name, in the layout of the description: a matrix is (inputs, outputs), the
embedding (tokens, width).  Names: ``embedding``, ``positions``, ``norm.gain``, ``norm.bias`` and,
for block i, ``blocks.i.`` before ``norm_1.gain``, ``qkv``, ``out``, ``norm_2.gain``, ``up`` and
``down``.  A network whose head is not its embedding has ``head`` as well.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np

from .. import tables
from ..description import Block, Linear, Norm, Transformer, Weights
from .settings import Architecture
from .task import Tensors

if TYPE_CHECKING:
    import torch

#: Added to the variance of a norm; base of rotary frequencies; spread of fresh weights.
EPSILON, ROTARY, SPREAD = 1e-5, 10000.0, 0.02


def shapes(shape: Architecture, tokens: int, *, head: bool = False) -> dict[str, tuple[int, ...]]:
    """The shape of every weight by name, in the order in which they are drawn.

    ``head``: whether there is one besides the embedding.
    """
    d, f = shape.width, shape.inner
    found: dict[str, tuple[int, ...]] = {"embedding": (tokens, d)}
    if shape.style == "gpt":
        found["positions"] = (shape.context, d)

    def norm(name: str) -> None:
        found[name + ".gain"] = (d,)
        if shape.style == "gpt":
            found[name + ".bias"] = (d,)

    for i in range(shape.layers):
        at = f"blocks.{i}."
        norm(at + "norm_1")
        found[at + "qkv"] = (d, 3 * d)
        found[at + "out"] = (d, d)
        norm(at + "norm_2")
        found[at + "up"] = (d, f * (2 if shape.gated else 1))
        found[at + "down"] = (f, d)
    norm("norm")
    if head:
        found["head"] = (tokens, d)
    return found


def count(shape: Architecture, tokens: int, *, head: bool = False) -> int:
    """How many weights there are."""
    return sum(int(np.prod(size)) for size in shapes(shape, tokens, head=head).values())


def initial(
    shape: Architecture, tokens: int, seed: int, *, head: bool = False
) -> dict[str, np.ndarray]:
    """Fresh weights, float32: normal with spread 0.02, what adds to the stream less by the root of
    its 2 * layers parts (Radford et al., "Language models are unsupervised multitask learners",
    2019, section 2.3); gains 1, biases 0."""
    rng = np.random.default_rng(seed)
    made = {}
    for name, size in shapes(shape, tokens, head=head).items():
        if len(size) == 1:
            made[name] = np.full(size, name.endswith("gain"), np.float32)
            continue
        adds = name.endswith((".out", ".down"))
        spread = SPREAD / (2 * shape.layers) ** 0.5 if adds else SPREAD
        made[name] = rng.normal(0, spread, size).astype(np.float32)
    return made


def logits(
    shape: Architecture, weights: Tensors, tokens: torch.Tensor, *, training: bool
) -> torch.Tensor:
    """What could follow each token: (n, t) int64 to (n, t, vocabulary).  Drops out if training."""
    from torch.nn import functional

    dropout = shape.dropout if training else 0.0
    many, length = tokens.shape
    size = (many, length, shape.heads, shape.width // shape.heads)

    def norm(name: str, x: torch.Tensor) -> torch.Tensor:
        gain = weights[name + ".gain"]
        if shape.style == "gpt":
            bias = weights[name + ".bias"]
            return functional.layer_norm(x, (shape.width,), gain, bias, EPSILON)
        return functional.rms_norm(x, (shape.width,), gain, EPSILON)

    def drop(x: torch.Tensor) -> torch.Tensor:
        return functional.dropout(x, dropout, training=training)

    x = functional.embedding(tokens, weights["embedding"])
    turns = None
    if shape.style == "gpt":
        x = x + weights["positions"][:length]
    else:
        turns = _turns(shape, length, x)
    x = drop(x)
    for i in range(shape.layers):
        at = f"blocks.{i}."
        parts = (norm(at + "norm_1", x) @ weights[at + "qkv"]).split(shape.width, dim=2)
        query, key, value = (part.view(size).transpose(1, 2) for part in parts)
        if turns is not None:
            query, key = _turned(query, turns), _turned(key, turns)
        mixed = functional.scaled_dot_product_attention(
            query, key, value, dropout_p=dropout, is_causal=True
        )
        mixed = mixed.transpose(1, 2).reshape(many, length, shape.width)
        x = x + drop(mixed @ weights[at + "out"])
        h = norm(at + "norm_2", x) @ weights[at + "up"]
        if shape.gated:
            gate, other = h.split(shape.inner, dim=2)
            h = functional.silu(gate) * other
        else:
            h = functional.gelu(h)
        x = x + drop(h @ weights[at + "down"])
    return norm("norm", x) @ weights.get("head", weights["embedding"]).T


def _turns(
    shape: Architecture, length: int, like: torch.Tensor
) -> tuple[torch.Tensor, torch.Tensor]:
    """Cosines and sines of the positions, (length, half a head) each."""
    import torch

    both = tables.rotary(length, shape.width // shape.heads, ROTARY)
    cosine, sine = (
        torch.as_tensor(table, dtype=torch.float32, device=like.device) for table in both
    )
    return cosine, sine


def _turned(x: torch.Tensor, turns: tuple[torch.Tensor, torch.Tensor]) -> torch.Tensor:
    """Pairs of neighbouring columns turned by their angles."""
    import torch

    even, odd = x[..., 0::2].float(), x[..., 1::2].float()
    cosine, sine = turns
    turned = torch.stack((even * cosine - odd * sine, even * sine + odd * cosine), dim=-1)
    return turned.flatten(-2).to(x.dtype)


def describe(
    shape: Architecture,
    weights: Mapping[str, Weights],
    vocabulary: bytes | None,
    glyphs: np.ndarray | None = None,
) -> Transformer:
    """The network with these weights: matrices float or quantised, vectors float."""

    def vector(name: str) -> np.ndarray:
        found = weights[name]
        if isinstance(found, tuple):
            raise TypeError(f"{name} is a vector, it is not quantised")
        return found

    def norm(name: str) -> Norm:
        return Norm(vector(name + ".gain"), vector(name + ".bias") if gpt else None)

    gpt = shape.style == "gpt"
    blocks = tuple(
        Block(
            norm(f"blocks.{i}.norm_1"),
            Linear(weights[f"blocks.{i}.qkv"]),
            Linear(weights[f"blocks.{i}.out"]),
            norm(f"blocks.{i}.norm_2"),
            Linear(weights[f"blocks.{i}.up"]),
            Linear(weights[f"blocks.{i}.down"]),
        )
        for i in range(shape.layers)
    )
    return Transformer(
        embedding=weights["embedding"],
        blocks=blocks,
        norm=norm("norm"),
        heads=shape.heads,
        context=shape.context,
        positions=weights["positions"] if gpt else None,
        rotary=None if gpt else ROTARY,
        head=weights.get("head"),
        activation="gelu" if gpt else "silu",
        gated=shape.gated,
        epsilon=EPSILON,
        vocabulary=vocabulary,
        glyphs=glyphs,
    )
