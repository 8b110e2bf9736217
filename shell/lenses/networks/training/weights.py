"""A network as a NumPy archive, to build its picture again without training."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from ..description import Block, DescriptionError, Linear, Mlp, Network, Norm, Transformer, check
from ..description import Weights as Matrix
from ..quantise import Quantised, QuantiseError
from . import checkpoint
from .packages import TrainingError

_WHAT = "file of weights"
#: Of a transformer, what is neither weights nor its vocabulary.
_PLAIN = ("heads", "context", "key_heads", "rotary", "activation", "gated", "epsilon")


class _Arrays:
    """Collects arrays by name, and the grids of those that are bytes."""

    def __init__(self) -> None:
        self.arrays: dict[str, np.ndarray] = {}
        self.grids: dict[str, list[tuple[float, float]]] = {}

    def matrix(self, name: str, weight: Matrix | None) -> None:
        if weight is None:
            return
        if not isinstance(weight, tuple):
            self.arrays[name] = weight
            return
        self.grids[name] = [(part.scale, part.offset) for part in weight]
        for i, part in enumerate(weight):
            self.arrays[f"{name}.{i}"] = part.q

    def linear(self, name: str, layer: Linear) -> None:
        self.matrix(name, layer.weight)
        self.matrix(name + ".bias", layer.bias)

    def norm(self, name: str, norm: Norm) -> None:
        self.matrix(name + ".gain", norm.gain)
        self.matrix(name + ".bias", norm.bias)


def save_weights(network: Network, facts: Mapping[str, Any] | None = None) -> bytes:
    """A network as a .npz archive; equal networks give equal bytes.

    ``facts``: what else is worth knowing (losses, how inputs are normalised), as JSON takes it.
    """
    kept = _Arrays()
    about: dict[str, Any] = {"facts": dict(facts or {})}
    if isinstance(network, Mlp):
        about |= {"kind": "mlp", "layers": len(network.layers), "activation": network.activation}
        for i, layer in enumerate(network.layers):
            kept.linear(f"layers.{i}", layer)
    else:
        about |= {"kind": "transformer", "layers": len(network.blocks)}
        about |= {name: getattr(network, name) for name in _PLAIN}
        about["vocabulary"] = None if network.vocabulary is None else list(network.vocabulary)
        kept.matrix("glyphs", network.glyphs)
        kept.matrix("embedding", network.embedding)
        kept.matrix("positions", network.positions)
        kept.matrix("head", network.head)
        kept.norm("norm", network.norm)
        for i, block in enumerate(network.blocks):
            at = f"blocks.{i}."
            kept.norm(at + "norm_1", block.norm_1)
            kept.norm(at + "norm_2", block.norm_2)
            for part in ("qkv", "out", "up", "down"):
                kept.linear(at + part, getattr(block, part))
    about["grids"] = kept.grids
    return checkpoint.pack(about, {"array": kept.arrays})


def load_weights(data: bytes) -> tuple[Network, dict[str, Any]]:
    """The network and the facts of an archive.

    Raises TrainingError for one that is damaged or foreign, DescriptionError for one whose parts do
    not fit each other.
    """
    about, groups = checkpoint.unpack(data, _WHAT)
    try:
        network = _read(about, groups.get("array", {}))
        facts = dict(about["facts"])
    except (KeyError, TypeError, ValueError, QuantiseError) as error:
        raise TrainingError(
            f"this is no {_WHAT} of a network ({error})", "take what --weights wrote"
        ) from error
    check(network)
    return network, facts


def _read(about: Mapping[str, Any], arrays: Mapping[str, np.ndarray]) -> Network:
    def matrix(name: str) -> Matrix:
        grids = about["grids"].get(name)
        if grids is None:
            return arrays[name]
        return tuple(
            Quantised(arrays[f"{name}.{i}"], float(scale), float(offset))
            for i, (scale, offset) in enumerate(grids)
        )

    def perhaps(name: str) -> Matrix | None:
        there = name in arrays or name in about["grids"]
        return matrix(name) if there else None

    def linear(name: str) -> Linear:
        return Linear(matrix(name), arrays.get(name + ".bias"))

    def norm(name: str) -> Norm:
        return Norm(arrays[name + ".gain"], arrays.get(name + ".bias"))

    count = range(int(about["layers"]))
    if about["kind"] == "mlp":
        return Mlp(tuple(linear(f"layers.{i}") for i in count), str(about["activation"]))
    if about["kind"] != "transformer":
        raise DescriptionError(f"a network of kind {about['kind']!r}", "only mlp and transformer")
    blocks = tuple(
        Block(
            norm(f"blocks.{i}.norm_1"),
            linear(f"blocks.{i}.qkv"),
            linear(f"blocks.{i}.out"),
            norm(f"blocks.{i}.norm_2"),
            linear(f"blocks.{i}.up"),
            linear(f"blocks.{i}.down"),
        )
        for i in count
    )
    words = about["vocabulary"]
    return Transformer(
        embedding=matrix("embedding"),
        positions=perhaps("positions"),
        head=perhaps("head"),
        norm=norm("norm"),
        blocks=blocks,
        vocabulary=None if words is None else bytes(words),
        glyphs=arrays.get("glyphs"),
        **{name: about[name] for name in _PLAIN},
    )
