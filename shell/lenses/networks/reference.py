"""The same networks in NumPy float32: what a picture is compared with, in accuracy and in speed.

:class:`Reference` evaluates a whole sequence at once or, with a cache of keys and values, a token
at a time, all heads together.  :class:`HeadByHead` is the loop of llama2.c in NumPy.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from itertools import islice

import numpy as np

from . import tables
from .description import Linear, Mlp, Norm, Transformer, dequantised

F32 = np.float32


def _erf(x: np.ndarray) -> np.ndarray:
    """The error function of float32 by Abramowitz and Stegun 7.1.26 in float32: |error| < 5e-7."""
    t = 1 / (1 + F32(0.3275911) * np.abs(x))
    poly = F32(1.061405429)
    for c in (-1.453152027, 1.421413741, -0.284496736, 0.254829592):
        poly = poly * t + F32(c)
    return np.copysign(1 - poly * t * np.exp(-x * x), x)


def _activate(name: str, x: np.ndarray) -> np.ndarray:
    if name == "relu":
        return np.maximum(x, 0)
    if name == "silu":
        return F32(0.5) * x * (1 + np.tanh(F32(0.5) * x))
    if name == "gelu":
        return F32(0.5) * x * (1 + _erf(x * F32(1 / math.sqrt(2))))
    inner = F32(math.sqrt(2 / math.pi)) * (x + F32(0.044715) * x * x * x)
    return F32(0.5) * x * (1 + np.tanh(inner))


def _linear(x: np.ndarray, layer: Linear) -> np.ndarray:
    y = x @ layer.weight
    if layer.bias is not None:
        y += layer.bias
    return y


def _norm(x: np.ndarray, norm: Norm, epsilon: float) -> np.ndarray:
    if norm.bias is not None:
        x = x - x.mean(axis=-1, keepdims=True)
    y = x / np.sqrt((x * x).mean(axis=-1, keepdims=True) + F32(epsilon))
    y *= norm.gain
    if norm.bias is not None:
        y += norm.bias
    return y


def _softmax(x: np.ndarray) -> np.ndarray:
    e = np.exp(x - x.max(axis=-1, keepdims=True))
    e /= e.sum(axis=-1, keepdims=True)
    return e


def evaluate_mlp(network: Mlp, x: np.ndarray) -> np.ndarray:
    """The outputs of an MLP for rows x (n, inputs): float32 (n, outputs)."""
    network = dequantised(network)
    y = np.asarray(x, F32)
    for i, layer in enumerate(network.layers):
        y = _linear(y, _float32(layer))
        if i + 1 < len(network.layers):
            y = _activate(network.activation, y)
    return y


def _float32(layer: Linear) -> Linear:
    bias = None if layer.bias is None else np.asarray(layer.bias, F32)
    return Linear(np.ascontiguousarray(layer.weight, F32), bias)


class Reference:
    """A transformer in float32, with float weights or those of the quantised network."""

    def __init__(self, network: Transformer) -> None:
        """Quantised weights are dequantised; float weights are taken as they are."""
        self.network = net = dequantised(network)
        self._embedding = np.ascontiguousarray(net.embedding, F32)
        self._head = self._embedding if net.head is None else np.ascontiguousarray(net.head, F32)
        self._glyphs = None if net.glyphs is None else net.glyphs.astype(F32)
        self._positions = None if net.positions is None else np.asarray(net.positions, F32)
        if net.rotary is not None:
            both = tables.rotary(net.context, net.head_width, net.rotary)
            self._cosine, self._sine = (table.astype(F32) for table in both)
        self._blocks = [
            (
                block,
                *(_float32(part) for part in (block.qkv, block.out, block.up, block.down)),
            )
            for block in net.blocks
        ]
        shape = (len(net.blocks), net.sharing, net.context, net.head_width)
        self._keys, self._values = np.zeros(shape, F32), np.zeros(shape, F32)

    def step(self, tokens: np.ndarray, first: int = 0) -> np.ndarray:
        """Logits, float32 (n, vocabulary), of n tokens that stand at ``first`` and after it.

        A network with glyphs is shown the picture of each token.

        Keys and values of the tokens before are taken from the cache, where the steps before left
        them.  Raises ValueError beyond the context.
        """
        net = self.network
        n = len(tokens)
        if first + n > net.context:
            raise ValueError(f"{first + n} tokens do not fit a context of {net.context}")
        x = self._embedded(tokens)
        if self._positions is not None:
            x = x + self._positions[first : first + n]
        for i, (block, qkv, out, up, down) in enumerate(self._blocks):
            h = _linear(_norm(x, block.norm_1, net.epsilon), qkv)
            x = x + _linear(self._attend(h, i, first), out)
            h = _linear(_norm(x, block.norm_2, net.epsilon), up)
            if net.gated:
                h = _activate(net.activation, h[:, : net.hidden]) * h[:, net.hidden :]
            else:
                h = _activate(net.activation, h)
            x = x + _linear(h, down)
        evidence = _norm(x, net.norm, net.epsilon) @ self._head.T
        return evidence if self._glyphs is None else evidence @ self._glyphs.T

    def _embedded(self, tokens: np.ndarray) -> np.ndarray:
        if self._glyphs is None:
            return self._embedding[tokens]
        return self._glyphs[tokens] @ self._embedding

    def _attend(self, h: np.ndarray, layer: int, first: int) -> np.ndarray:
        net = self.network
        n, size = len(h), net.head_width
        parts = h.reshape(n, -1, size).transpose(1, 0, 2)
        queries, keys = parts[: net.heads], parts[net.heads : net.heads + net.sharing]
        if net.rotary is not None:
            queries, keys = self._turn(queries, first), self._turn(keys, first)
        end = first + n
        self._keys[layer, :, first:end] = keys
        self._values[layer, :, first:end] = parts[net.heads + net.sharing :]
        queries = queries.reshape(net.sharing, -1, size)
        scores = queries @ self._keys[layer, :, :end].transpose(0, 2, 1)
        scores *= F32(1 / math.sqrt(size))
        if n > 1:
            future = np.arange(end) > np.arange(first, end)[:, None]
            scores = scores.reshape(net.heads, n, end)
            scores[:, future] = -np.inf
            scores = scores.reshape(net.sharing, -1, end)
        mixed = _softmax(scores) @ self._values[layer, :, :end]
        return mixed.reshape(net.heads, n, size).transpose(1, 0, 2).reshape(n, -1)

    def _turn(self, x: np.ndarray, first: int) -> np.ndarray:
        cosine = self._cosine[first : first + x.shape[1]]
        sine = self._sine[first : first + x.shape[1]]
        even, odd = x[..., 0::2], x[..., 1::2]
        turned = np.empty_like(x)
        turned[..., 0::2] = even * cosine - odd * sine
        turned[..., 1::2] = even * sine + odd * cosine
        return turned

    def logits(self, tokens: np.ndarray) -> np.ndarray:
        """Logits for a whole sequence of at most ``context`` tokens: float32 (n, vocabulary)."""
        return self.step(np.asarray(tokens))

    def generate(self, prompt: np.ndarray, count: int) -> list[int]:
        """``count`` likeliest tokens after a prompt, see :meth:`stream`."""
        return list(islice(self.stream(prompt), count))

    def stream(self, prompt: np.ndarray) -> Iterator[int]:
        """The likeliest tokens after a prompt, one at a time, for ever: the peer for speed.

        When the context is full, the later half of the text is read again, as the picture does.
        """
        text = list(map(int, prompt))
        last = self.step(np.array(text))[-1]
        at = len(text)
        while True:
            text.append(int(last.argmax()))
            yield text[-1]
            if at == self.network.context:
                at = self.network.context // 2
                last = self.step(np.array(text[-at:]))[-1]
            else:
                last = self.step(np.array(text[-1:]), at)[-1]
                at += 1


class HeadByHead(Reference):
    """The same with attention as llama2.c writes it: a loop over the heads, for one token."""

    def _attend(self, h: np.ndarray, layer: int, first: int) -> np.ndarray:
        net = self.network
        if len(h) > 1:
            return super()._attend(h, layer, first)
        parts = h.reshape(-1, net.head_width)
        if net.rotary is not None:
            turned = parts[: net.heads + net.sharing]
            turned[:] = self._turn(turned[:, None], first)[:, 0]
        self._keys[layer, :, first] = parts[net.heads : net.heads + net.sharing]
        self._values[layer, :, first] = parts[net.heads + net.sharing :]
        scale, sharers = F32(1 / math.sqrt(net.head_width)), net.heads // net.sharing
        mixed = np.empty((net.heads, net.head_width), F32)
        for head in range(net.heads):
            scores = self._keys[layer, head // sharers, : first + 1] @ parts[head]
            scores *= scale
            mixed[head] = _softmax(scores) @ self._values[layer, head // sharers, : first + 1]
        return mixed.reshape(1, -1)
