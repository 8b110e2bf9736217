"""Random networks of both styles, repeatable from a seed: for tests, measurements and examples."""

from __future__ import annotations

import string
from itertools import pairwise

import numpy as np

from .description import Block, Linear, Mlp, Norm, Transformer

STYLES = ("gpt2", "llama")


def random_transformer(
    style: str,
    *,
    seed: int = 0,
    layers: int = 2,
    width: int = 64,
    heads: int = 4,
    key_heads: int = 0,
    context: int = 64,
    vocabulary: bytes = b"\n" + string.printable[:94].encode() + b" ",
    gain: float = 1.0,
) -> Transformer:
    """A transformer with normal weights of the sizes that training gives.

    ``style``: "gpt2" (LayerNorm, GELU by tanh, learned positions, tied head) or "llama" (RMSNorm,
    gated SiLU, rotary positions, a head of its own).  ``gain`` multiplies the spread of the
    matrices, 1 / sqrt(inputs).  Raises ValueError for another style.
    """
    if style not in STYLES:
        raise ValueError(f"no style {style!r}")
    rng = np.random.default_rng(seed)
    llama = style == "llama"
    head = width // heads
    hidden = 4 * width if not llama else 8 * width // 3 // 8 * 8
    tokens = len(vocabulary)

    def normal(*shape: int, spread: float) -> np.ndarray:
        return rng.normal(0, spread, shape).astype(np.float32)

    def linear(inputs: int, outputs: int) -> Linear:
        bias = None if llama else normal(outputs, spread=0.05)
        return Linear(normal(inputs, outputs, spread=gain / inputs**0.5), bias)

    def norm() -> Norm:
        return Norm(1 + normal(width, spread=0.1), None if llama else normal(width, spread=0.1))

    blocks = tuple(
        Block(
            norm(),
            linear(width, (heads + 2 * (key_heads or heads)) * head),
            linear(heads * head, width),
            norm(),
            linear(width, hidden * (2 if llama else 1)),
            linear(hidden, width),
        )
        for _ in range(layers)
    )
    return Transformer(
        embedding=normal(tokens, width, spread=0.3),
        blocks=blocks,
        norm=norm(),
        heads=heads,
        context=context,
        key_heads=key_heads,
        positions=None if llama else normal(context, width, spread=0.1),
        rotary=10000.0 if llama else None,
        head=normal(tokens, width, spread=0.3) if llama else None,
        activation="silu" if llama else "gelu_tanh",
        gated=llama,
        vocabulary=vocabulary,
    )


def random_mlp(*sizes: int, seed: int = 0, activation: str = "relu") -> Mlp:
    """An MLP of layers ``sizes[0]`` to ``sizes[1]`` to ..., with normal weights."""
    rng = np.random.default_rng(seed)
    layers = tuple(
        Linear(
            rng.normal(0, a**-0.5, (a, b)).astype(np.float32),
            rng.normal(0, 0.1, b).astype(np.float32),
        )
        for a, b in pairwise(sizes)
    )
    return Mlp(layers, activation)
