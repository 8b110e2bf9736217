"""Networks that do not hold together are refused by name, before anything is made of them."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from pxos.shell.lenses.networks import (
    DescriptionError,
    Linear,
    Mlp,
    Norm,
    Transformer,
    dequantised,
    emit,
    quantised,
)
from pxos.shell.lenses.networks.description import check
from pxos.shell.lenses.networks.samples import random_mlp, random_transformer

NET = random_transformer("gpt2")
LLAMA = random_transformer("llama", key_heads=2)


def with_block(net: Transformer, i: int, **parts: object) -> Transformer:
    blocks = list(net.blocks)
    blocks[i] = replace(blocks[i], **parts)
    return replace(net, blocks=tuple(blocks))


def spoiled(array: np.ndarray, value: float) -> np.ndarray:
    array = array.copy()
    array.flat[3] = value
    return array


B = NET.blocks[1]
BAD = {
    "no activation 'tanh'": replace(NET, activation="tanh"),
    "without blocks": replace(NET, blocks=()),
    "4 heads cannot share 3": replace(NET, key_heads=3),
    "0 heads": replace(NET, heads=0),
    "positions and rotary": replace(NET, rotary=10000.0),
    "positions and rotary; give one": replace(NET, positions=None),
    "epsilon 0": replace(NET, epsilon=0.0),
    "epsilon 0.5": replace(NET, epsilon=0.5),
    "heads of 21 columns": replace(LLAMA, heads=3, key_heads=3),
    "positions is 64 x 64": replace(NET, context=128),
    "embedding holds NaN": replace(NET, embedding=spoiled(NET.embedding, np.nan)),
    "head is 3 x 64": replace(LLAMA, head=np.zeros((3, 64), np.float32)),
    "head has 1 dimensions": replace(LLAMA, head=np.zeros(64, np.float32)),
    "vocabulary of 2 bytes for 96": replace(NET, vocabulary=b"ab"),
    "vocabulary of 96 bytes": replace(NET, vocabulary=b"a" * 96),
    r"norm.gain has shape \(3,\)": replace(NET, norm=Norm(np.ones(3), np.ones(64))),
    r"blocks\[1\].norm_2 is another norm": with_block(NET, 1, norm_2=Norm(np.ones(64))),
    r"blocks\[1\].qkv.weight is 64 x 10": with_block(NET, 1, qkv=Linear(np.ones((64, 10)))),
    r"blocks\[1\].down.bias holds NaN": with_block(
        NET, 1, down=Linear(B.down.weight, spoiled(B.down.bias, np.inf))
    ),
    r"blocks\[1\].up.bias holds .* beyond 32768": with_block(
        NET, 1, up=Linear(B.up.weight, spoiled(B.up.bias, 4e4))
    ),
    r"blocks\[1\].out has other parts": with_block(NET, 1, out=Linear(B.out.weight)),
    r"blocks\[0\].down.weight holds NaN or infinite": with_block(
        NET, 0, down=Linear(spoiled(B.down.weight, -np.inf), B.down.bias)
    ),
    "MLP without layers": Mlp(()),
    r"layers\[1\].weight is 6 x 7": Mlp((Linear(np.ones((4, 5))), Linear(np.ones((6, 7))))),
}


@pytest.mark.parametrize("message", sorted(BAD))
def test_what_does_not_fit_is_named(message: str) -> None:
    with pytest.raises(DescriptionError, match=message):
        emit(BAD[message])


@pytest.mark.parametrize("net", [NET, LLAMA, random_mlp(5, 4, 3)], ids=["gpt2", "llama", "mlp"])
def test_quantising_keeps_shapes_and_is_done_once(net: object) -> None:
    small = quantised(net)
    check(small)
    again = quantised(small)
    first, second = dequantised(small), dequantised(again)
    assert first.count() == second.count() == net.count()
    # What is dequantised lies on a byte grid: quantising it anew loses nothing that float32 keeps.
    layers = first.layers if isinstance(first, Mlp) else [block.up for block in first.blocks]
    others = second.layers if isinstance(second, Mlp) else [block.up for block in second.blocks]
    for a, b in zip(layers, others, strict=True):
        assert np.array_equal(a.weight, b.weight)


def test_quantising_errors_name_the_matrix() -> None:
    huge = replace(NET, embedding=NET.embedding.astype(np.float64) * 1e39)
    with pytest.raises(DescriptionError, match="embedding: weights are beyond"):
        quantised(huge)
    with pytest.raises(DescriptionError, match="no method 'best'"):
        quantised(NET, method="best")


def test_a_grid_that_attention_cannot_divide_is_refused() -> None:
    weight = (np.arange(64 * 64).reshape(64, 64) % 256 * 2.0**-149).astype(np.float64)
    net = with_block(NET, 0, out=Linear(weight, B.out.bias))
    with pytest.raises(DescriptionError, match="denormal"):
        emit(net)


def test_a_row_cannot_be_cut_in_two_ways() -> None:
    small, finer = quantised(NET), quantised(NET, groups=2)
    mixed = [
        replace(block, up=other.up) for block, other in zip(small.blocks, finer.blocks, strict=True)
    ]
    with pytest.raises(DescriptionError, match="qkv and up have different groups"):
        emit(replace(small, blocks=tuple(mixed)))


def test_counts() -> None:
    assert random_mlp(5, 4, 3).count() == 5 * 4 + 4 + 4 * 3 + 3
    d, v, t = 64, 96, 64
    block = 12 * d * d + 13 * d
    assert NET.count() == v * d + t * d + 2 * block + 2 * d
