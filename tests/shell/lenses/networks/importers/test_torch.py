"""PyTorch modules, against what PyTorch computes."""

from __future__ import annotations

import sys
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from pxos.shell.lenses.networks import Mlp, Reference, evaluate_mlp
from pxos.shell.lenses.networks.importers import Chain, ForeignError, evaluate, from_module

from . import pictures

torch = pytest.importorskip("torch", reason="PyTorch is not installed: pip install 'pxos[import]'")
nn = torch.nn


@pytest.fixture(autouse=True)
def _seed() -> None:
    torch.manual_seed(3)


def trained(module: Any, width: int) -> Any:
    """The module after it has seen some numbers, in evaluation."""
    module.train()
    with torch.no_grad():
        for _ in range(5):
            module(torch.randn(40, width) * 2 + 1)
            for parameter in module.parameters():
                parameter.add_(torch.randn_like(parameter) * 0.1)
    return module.eval()


def rows(width: int) -> np.ndarray:
    return np.random.default_rng(2).normal(0.5, 1, (6, width)).astype(np.float32)


def given_by(module: Any, x: np.ndarray) -> np.ndarray:
    with torch.no_grad():
        found: np.ndarray = module.double()(torch.tensor(x, dtype=torch.float64)).numpy()
    module.float()
    return found


MODULES = {
    "plain": lambda: nn.Sequential(nn.Linear(12, 9), nn.ReLU(), nn.Linear(9, 4)),
    "one": lambda: nn.Linear(12, 4, bias=False),
    "nested": lambda: nn.Sequential(
        nn.Flatten(),
        nn.Sequential(nn.Linear(12, 9), nn.GELU(approximate="tanh"), nn.Dropout(0.5)),
        nn.Identity(),
        nn.Linear(9, 7, bias=False),
        nn.GELU(approximate="tanh"),
        nn.Linear(7, 4),
    ),
    "batch norms": lambda: nn.Sequential(
        nn.BatchNorm1d(12),
        nn.Linear(12, 9, bias=False),
        nn.BatchNorm1d(9),
        nn.SiLU(),
        nn.BatchNorm1d(9, affine=False),
        nn.Linear(9, 4),
    ),
    "everything": lambda: nn.Sequential(
        nn.LayerNorm(12),
        nn.Linear(12, 16),
        nn.GELU(),
        nn.RMSNorm(16, eps=1e-5),
        nn.Linear(16, 8),
        nn.LayerNorm(8, elementwise_affine=False),
        nn.SiLU(),
        nn.Linear(8, 4),
        nn.Softmax(dim=-1),
    ),
    "last is an activation": lambda: nn.Sequential(nn.Linear(12, 4), nn.ReLU()),
}


@pytest.mark.parametrize("name", MODULES)
def test_layers_in_a_row(name: str) -> None:
    module = trained(MODULES[name](), 12)
    before = {key: value.clone() for key, value in module.state_dict().items()}
    network = from_module(module)
    assert isinstance(network, Chain if name[0] in "el" else Mlp)
    x = rows(12)
    wanted = given_by(module, x)
    got = evaluate_mlp(network, x) if isinstance(network, Mlp) else evaluate(network, x)
    assert np.abs(got - wanted).max() < 2e-5 * max(1, np.abs(wanted).max())
    assert all(torch.equal(before[key], value) for key, value in module.state_dict().items())


@pytest.mark.parametrize("name", MODULES)
@pytest.mark.parametrize("groups", [1, 3])
def test_pictures(name: str, groups: int) -> None:
    """Weights are rounded to bytes first, so that the picture computes with PyTorch's numbers."""
    module = MODULES[name]().eval()
    with torch.no_grad():
        for parameter in module.parameters():
            if parameter.ndim == 2:
                parameter.copy_(torch.randint(-127, 128, parameter.shape) / 256)
            else:
                parameter.copy_(torch.randint(60, 120, parameter.shape) / 128)
    x = rows(12)
    network = from_module(module)
    got = pictures.outputs(network, x, groups=groups)
    slack = 0.03 if name == "batch norms" else 0.002  # its scales leave the grid of bytes
    assert np.abs(got - given_by(module, x)).max() < slack


def test_a_picture_names_the_class_of_a_picture() -> None:
    module = nn.Linear(16, 3).eval()
    with torch.no_grad():
        module.bias.zero_()
        module.weight.zero_()
        module.weight[2, 5] = 1.0
        module.weight[1, 15] = 1.0
        module.weight[0, :] = 1 / 8
    program = pictures.chain_app(from_module(module), shape=(4, 4)).assemble()
    shown = np.zeros((3, 4, 4, 4), np.uint8)
    shown[..., 3] = 255
    shown[0, 1, 1, :3] = 255
    shown[1, 3, 3, :3] = 200
    shown[2, :, :, :3] = 20
    large = shown[0].repeat(5, axis=0).repeat(3, axis=1)
    gallery = pictures.look(program, [*shown, large], pictures.ANSWER)
    assert bytes(gallery.written) == b"2\n1\n0\n2\n"
    gallery = pictures.look(program, [shown[0]], pictures.NUMBERS, -1.0, 1.0)
    got = np.ascontiguousarray(gallery.pictures[0]).view(np.int32)[0, :, 0] / 65536
    assert np.abs(got - [-14 / 8, -1.0, 1.0]).max() < 1e-3


def test_a_shape_that_does_not_hold_the_inputs() -> None:
    with pytest.raises(ForeignError, match=r"3 x 4 has not the 16 inputs"):
        pictures.chain_app(from_module(nn.Linear(16, 3)), shape=(3, 4))


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: nn.Sequential(nn.Conv2d(1, 1, 3)), "model.0 is a Conv2d, which is not supported"),
        (lambda: nn.Sequential(nn.Linear(4, 4), nn.Tanh()), "model.1 is a Tanh"),
        (lambda: nn.Sequential(nn.Linear(4, 5), nn.Linear(4, 2)), "model.1 takes 4 columns"),
        (lambda: nn.Sequential(nn.ReLU()), "no linear layer"),
        (lambda: nn.Sequential(nn.Linear(4, 4), nn.LayerNorm((2, 4))), r"over \(2, 4\)"),
        (lambda: nn.Sequential(nn.Linear(4, 4), nn.Softmax(dim=0)), "over dimension 0"),
        (lambda: nn.Sequential(nn.Flatten(0), nn.Linear(4, 4)), "flattens other dimensions"),
        (
            lambda: nn.Sequential(nn.BatchNorm1d(4, track_running_stats=False), nn.Linear(4, 4)),
            "no running statistics",
        ),
        (
            lambda: nn.Sequential(nn.BatchNorm1d(4), nn.ReLU(), nn.Linear(4, 4)),
            "a scale or shift stands before model.1",
        ),
        (lambda: {"weight": 1}, "dict is no torch.nn.Module"),
    ],
)
def test_modules_that_cannot_be_read(make: Any, message: str) -> None:
    with pytest.raises(ForeignError, match=message):
        from_module(make())


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_numbers_that_are_none(value: float) -> None:
    module = nn.Sequential(nn.Linear(4, 3))
    with torch.no_grad():
        module[0].weight[2, 1] = value
    with pytest.raises(ForeignError, match=r"model.0.weight holds (nan|inf) at \(1, 2\)"):
        from_module(module)


def test_without_torch(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "torch", None)
    with pytest.raises(
        ForeignError, match=r"torch is not installed .*pip install 'pxos\[import\]'"
    ):
        from_module(object())


# ---- nanoGPT's names ---------------------------------------------------------------------------


class Attention(nn.Module):
    def __init__(self, d: int, heads: int, bias: bool) -> None:
        super().__init__()
        self.c_attn, self.c_proj = nn.Linear(d, 3 * d, bias), nn.Linear(d, d, bias)
        self.n_head = heads
        self.register_buffer("bias", torch.tril(torch.ones(30, 30)).view(1, 1, 30, 30))

    def forward(self, x: Any) -> Any:
        b, t, d = x.shape
        parts = self.c_attn(x).split(d, dim=2)
        q, k, v = (p.view(b, t, self.n_head, -1).transpose(1, 2) for p in parts)
        y = nn.functional.scaled_dot_product_attention(q, k, v, is_causal=True)
        return self.c_proj(y.transpose(1, 2).reshape(b, t, d))


class Inside(nn.Module):
    def __init__(self, d: int, bias: bool, gelu: Any) -> None:
        super().__init__()
        self.c_fc, self.c_proj = nn.Linear(d, 4 * d, bias), nn.Linear(4 * d, d, bias)
        self.gelu = gelu

    def forward(self, x: Any) -> Any:
        return self.c_proj(self.gelu(self.c_fc(x)))


class Layer(nn.Module):
    def __init__(self, d: int, heads: int, bias: bool, gelu: Any) -> None:
        super().__init__()
        self.ln_1, self.ln_2 = nn.LayerNorm(d, bias=bias), nn.LayerNorm(d, bias=bias)
        self.attn, self.mlp = Attention(d, heads, bias), Inside(d, bias, gelu)

    def forward(self, x: Any) -> Any:
        x = x + self.attn(self.ln_1(x))
        return x + self.mlp(self.ln_2(x))


class Gpt(nn.Module):
    """nanoGPT's parts by nanoGPT's names."""

    def __init__(self, bias: bool = True, tied: bool = True, gelu: Any = None) -> None:
        super().__init__()
        d, heads = 24, 3
        self.config = SimpleNamespace(n_head=heads)
        blocks = [Layer(d, heads, bias, gelu or nn.GELU()) for _ in range(2)]
        self.transformer = nn.ModuleDict(
            {
                "wte": nn.Embedding(50, d),
                "wpe": nn.Embedding(30, d),
                "drop": nn.Dropout(0.1),
                "h": nn.ModuleList(blocks),
                "ln_f": nn.LayerNorm(d, bias=bias),
            }
        )
        self.lm_head = nn.Linear(d, 50, bias=False)
        if tied:
            self.lm_head.weight = self.transformer["wte"].weight

    def forward(self, tokens: Any) -> Any:
        parts = self.transformer
        x = parts["wte"](tokens) + parts["wpe"](torch.arange(tokens.shape[1]))
        for block in parts["h"]:
            x = block(x)
        return self.lm_head(parts["ln_f"](x))


@pytest.mark.parametrize("bias", [True, False])
@pytest.mark.parametrize("tied", [True, False])
def test_gpts(bias: bool, tied: bool) -> None:
    module = Gpt(bias, tied, nn.GELU(approximate="tanh" if tied else "none")).eval()
    network = from_module(module, vocabulary=bytes(range(50)))
    assert (network.head is None) == tied
    assert network.vocabulary == bytes(range(50))
    tokens = np.arange(30) * 7 % 50
    with torch.no_grad():
        wanted = module(torch.tensor(tokens)[None])[0].numpy()
    assert np.abs(Reference(network).logits(tokens) - wanted).max() < 5e-5 * np.abs(wanted).max()


def test_gpts_that_cannot_be_read() -> None:
    with pytest.raises(ForeignError, match=r"h.0.mlp has the activation Tanh"):
        from_module(Gpt(gelu=nn.Tanh()))
    module = Gpt()
    module.transformer["h"][1].mlp.gelu = nn.ReLU()
    with pytest.raises(ForeignError, match="the blocks have different activations"):
        from_module(module)
    module = Gpt()
    module.adapter = nn.Linear(3, 3)
    with pytest.raises(ForeignError, match=r"2 tensors .* no place for, such as adapter.weight"):
        from_module(module)
    module = Gpt()
    with torch.no_grad():
        module.transformer["h"][1].attn.c_attn.bias[4] = float("nan")
    with pytest.raises(ForeignError, match=r"h.1.attn.c_attn.bias holds nan at \(4,\)"):
        from_module(module)
