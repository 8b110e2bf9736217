from __future__ import annotations

import numpy as np
import pytest

from pxos.shell.lenses.networks import DescriptionError, Mlp, Transformer, quantised
from pxos.shell.lenses.networks.description import Linear
from pxos.shell.lenses.networks.samples import random_mlp, random_transformer
from pxos.shell.lenses.networks.training import TrainingError, load_weights, save_weights
from pxos.shell.lenses.networks.training.apps import app
from pxos.shell.lenses.networks.training.checkpoint import pack


def networks() -> list[Transformer | Mlp]:
    made = [
        random_transformer("gpt2", layers=1, width=16, heads=2, context=8),
        random_transformer("llama", layers=2, width=16, heads=4, key_heads=2, context=8),
        random_mlp(64, 12, 10),
    ]
    return [*made, *(quantised(net) for net in made), quantised(made[0], groups=3)]


@pytest.mark.parametrize("which", range(7))
def test_a_network_comes_back_as_it_was(which: int) -> None:
    net = networks()[which]
    data = save_weights(net, {"loss": 1.5})
    back, facts = load_weights(data)
    assert facts == {"loss": 1.5}
    assert type(back) is type(net)
    assert save_weights(back, facts) == data
    assert back.count() == net.count()
    if isinstance(net, Transformer):
        assert back.vocabulary == net.vocabulary
        for name in ("heads", "key_heads", "context", "rotary", "activation", "gated", "epsilon"):
            assert getattr(back, name) == getattr(net, name)
        assert (back.head is None) == (net.head is None)
        assert (back.positions is None) == (net.positions is None)


@pytest.mark.parametrize("name", ["model", "a-model_2"])
def test_pictures_of_what_comes_back_are_the_same(name: str) -> None:
    net = networks()[3]
    back, _ = load_weights(save_weights(net))
    assert app(net, name=name).files == app(back, name=name).files


def test_files_that_are_no_weights() -> None:
    data = save_weights(networks()[2])
    for bad in (b"", b"PK\x03\x04", data[:100], data[: len(data) - 40]):
        with pytest.raises(TrainingError, match="file of weights"):
            load_weights(bad)
    for about in ({"kind": "mlp"}, {"kind": "cnn", "layers": 1, "grids": {}, "facts": {}}):
        with pytest.raises(TrainingError, match="no file of weights"):
            load_weights(pack(about, {}))


def test_parts_that_do_not_fit_are_named() -> None:
    rng = np.random.default_rng(0)
    broken = Mlp((Linear(rng.normal(0, 1, (4, 5))), Linear(rng.normal(0, 1, (6, 2)))))
    with pytest.raises(DescriptionError, match=r"layers\[1\]\.weight"):
        load_weights(save_weights(broken))


def test_networks_that_there_is_no_program_for() -> None:
    with pytest.raises(DescriptionError, match="reads no digits"):
        app(random_mlp(9, 10), name="x")
