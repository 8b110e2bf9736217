"""A picture's own network, read from its matrices: what was emitted comes back, bit for bit."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from pxos.kernel.machine.cpu.executor import CpuExecutor
from pxos.kernel.machine.program import Program, load, save
from pxos.shell.lenses.assembler import assemble
from pxos.shell.lenses.networks import Mlp, Transformer, emit, quantised, validate
from pxos.shell.lenses.networks.description import on_grid
from pxos.shell.lenses.networks.importers import chain_app
from pxos.shell.lenses.networks.readback import (
    Matrices,
    ReadbackError,
    read_mlp,
    read_transformer,
)
from pxos.shell.lenses.networks.samples import random_mlp, random_transformer

TEXT = b"Now is the winter of our discontent"


def picture(network: Transformer) -> Program:
    """Through the file, as it is read from a disk."""
    return load(save(emit(network).assemble()))


def same_weights(a: object, b: object) -> None:
    assert isinstance(a, tuple)
    assert isinstance(b, tuple)
    assert len(a) == len(b)
    for mine, other in zip(a, b, strict=True):
        assert (mine.scale, mine.offset) == (other.scale, other.offset)
        assert np.array_equal(mine.q, other.q)


def same_vector(a: np.ndarray | None, b: np.ndarray | None) -> None:
    assert (a is None) == (b is None)
    assert a is None or np.array_equal(a, on_grid(b))


@pytest.mark.parametrize(
    ("how", "changes", "groups"),
    [
        ({"style": "gpt2", "layers": 3}, {}, 1),
        ({"style": "gpt2", "width": 36, "heads": 3}, {"activation": "gelu"}, 2),
        ({"style": "gpt2"}, {"activation": "relu", "epsilon": 1e-6}, 1),
        ({"style": "llama", "key_heads": 2}, {}, 1),
        ({"style": "llama", "width": 48, "heads": 6, "key_heads": 3}, {"rotary": 500.0}, 2),
        ({"style": "llama", "heads": 16}, {"rotary": 500000.0, "head": None}, 1),
        ({"style": "llama", "heads": 1, "context": 200}, {"rotary": 1234567.0}, 1),
    ],
)
def test_what_was_emitted_comes_back(
    how: dict[str, object], changes: dict[str, object], groups: int
) -> None:
    network = quantised(replace(random_transformer(**how), **changes), groups=groups)
    program = picture(network)
    read = read_transformer(program)
    for name in ("heads", "context", "activation", "gated", "width", "tokens", "hidden"):
        assert getattr(read, name) == getattr(network, name), name
    assert read.sharing == network.sharing
    assert (read.rotary or 0) == pytest.approx(network.rotary or 0, rel=1e-6)
    assert read.epsilon == pytest.approx(network.epsilon, abs=2**-31)
    for name in ("embedding", "positions", "head"):
        mine, other = getattr(read, name), getattr(network, name)
        assert (mine is None) == (other is None)
        if mine is not None:
            same_weights(mine, other)
    same_vector(read.norm.gain, network.norm.gain)
    same_vector(read.norm.bias, network.norm.bias)
    for mine, other in zip(read.blocks, network.blocks, strict=True):
        for name in ("norm_1", "norm_2"):
            same_vector(getattr(mine, name).gain, getattr(other, name).gain)
            same_vector(getattr(mine, name).bias, getattr(other, name).bias)
        for name in ("qkv", "out", "up", "down"):
            same_weights(getattr(mine, name).weight, getattr(other, name).weight)
            same_vector(getattr(mine, name).bias, getattr(other, name).bias)
    own = replace(read, vocabulary=network.vocabulary)
    assert validate(program, CpuExecutor, own, TEXT).passes


def test_bases_that_are_no_round_numbers() -> None:
    network = quantised(replace(random_transformer("llama", context=300), rotary=8192.347))
    assert read_transformer(picture(network)).rotary == pytest.approx(8192.347, rel=1e-5)


@pytest.mark.parametrize("activation", ["relu", "gelu", "gelu_tanh", "silu"])
@pytest.mark.parametrize("groups", [1, 3])
def test_mlps(activation: str, groups: int) -> None:
    network = quantised(random_mlp(9, 7, 5, activation=activation), groups=groups)
    assert isinstance(network, Mlp)
    read = read_mlp(chain_app(network).assemble())
    assert read.activation == activation
    assert len(read.layers) == 2
    for mine, other in zip(read.layers, network.layers, strict=True):
        same_weights(mine.weight, other.weight)
        same_vector(mine.bias, other.bias)


def test_pictures_that_have_no_network() -> None:
    program = assemble("a : I = 5\nhalt", path="x.pxa")
    with pytest.raises(ReadbackError, match="there is no matrix EMBEDDING"):
        read_transformer(program)
    with pytest.raises(ReadbackError, match="there is no matrix w_layer_0"):
        read_mlp(program)
    found = Matrices(program)
    assert "a" in found
    assert found.words("a").tolist() == [[5]]
    with pytest.raises(ReadbackError, match="a has kind I, not Q"):
        found.quantised("a")


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ("EMBEDDING : X = 5", "EMBEDDING has kind X, not Q"),
        ("EMBEDDING : Q scale 1.0 offset 0.0 = [1, 2]", "there is no matrix w_qkv_at_0"),
    ],
)
def test_matrices_that_are_something_else(source: str, message: str) -> None:
    with pytest.raises(ReadbackError, match=message):
        read_transformer(assemble(source + "\nhalt", path="x.pxa"))
