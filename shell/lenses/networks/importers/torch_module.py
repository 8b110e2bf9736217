"""PyTorch modules: layers in a ``Sequential``, and GPTs with the names of nanoGPT's parts.

A module object is read, never a pickle: a ``.pt`` file can run code when it is opened, and even
``torch.load(weights_only=True)`` gives tensors without the architecture.  Load it yourself, where
you trust it, and hand over the module; or save safetensors and a config.json.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from ..description import Block, Linear, Mlp, Norm, Transformer
from .chain import Chain, ChainBuilder
from .common import Arrays, ForeignError, Tensors, optional

_GPT = ("wte", "wpe", "h", "ln_f")


def from_module(module: Any, *, vocabulary: bytes | None = None) -> Transformer | Mlp | Chain:
    """The network of a ``torch.nn.Module``, as it is in evaluation; the module is not changed.

    A module with ``transformer.wte``, ``wpe``, ``h`` and ``ln_f`` is read as a GPT (nanoGPT's
    model.py); anything else must be a layer or a ``Sequential`` of layers: Linear, ReLU, GELU,
    SiLU, LayerNorm, RMSNorm, BatchNorm1d, Softmax over the last dimension, Flatten, Identity,
    Dropout.  ``vocabulary``: a byte for each token of a GPT at character level.  Raises
    ForeignError.
    """
    torch = optional("torch")
    if not isinstance(module, torch.nn.Module):
        raise ForeignError(
            f"{type(module).__name__} is no torch.nn.Module",
            "hand over the module itself, not its state_dict or a path",
        )
    if hasattr(module, "transformer") and all(hasattr(module.transformer, n) for n in _GPT):
        return _gpt(module, torch, vocabulary)
    builder = ChainBuilder()
    _layer(builder, "model", module, torch)
    return builder.finish()


def _array(tensor: Any) -> np.ndarray:
    """float32 of a tensor of any floating type, on any device."""
    array: np.ndarray = tensor.detach().to("cpu").float().numpy().copy()
    return array


# ---- layers in a row ---------------------------------------------------------------------------


def _layer(builder: ChainBuilder, name: str, module: Any, torch: Any) -> None:
    nn = torch.nn
    kind = type(module)
    if kind is nn.Sequential:
        for part, child in module.named_children():
            _layer(builder, f"{name}.{part}", child, torch)
    elif kind is nn.Linear:
        bias = None if module.bias is None else _array(module.bias)
        builder.linear(name, _array(module.weight).T, bias)
    elif kind in (nn.ReLU, nn.SiLU):
        builder.activation(name, kind.__name__.lower())
    elif kind is nn.GELU:
        builder.activation(name, "gelu" if module.approximate == "none" else "gelu_tanh")
    elif kind is nn.LayerNorm or kind is getattr(nn, "RMSNorm", None):
        _norm(builder, name, module, kind is nn.LayerNorm)
    elif kind is nn.BatchNorm1d:
        _batch_norm(builder, name, module)
    elif kind is nn.Softmax:
        if module.dim not in (1, -1):
            raise ForeignError(f"{name} is a softmax over dimension {module.dim}", "use the last")
        builder.softmax(name)
    elif kind is nn.Flatten:
        if module.start_dim != 1 or module.end_dim != -1:
            raise ForeignError(f"{name} flattens other dimensions", "use Flatten(1, -1)")
    elif kind not in (nn.Identity, nn.Dropout):
        raise ForeignError(
            f"{name} is a {kind.__name__}, which is not supported",
            "use Linear, ReLU, GELU, SiLU, LayerNorm, RMSNorm, BatchNorm1d, Softmax in a "
            "Sequential, or nanoGPT's names",
        )


def _norm(builder: ChainBuilder, name: str, module: Any, layer_norm: bool) -> None:
    if len(module.normalized_shape) != 1:
        raise ForeignError(
            f"{name} normalises over {tuple(module.normalized_shape)}", "use the last dimension"
        )
    width = int(module.normalized_shape[0])
    gain = np.ones(width, np.float32) if module.weight is None else _array(module.weight)
    bias = None
    if layer_norm:
        bias = np.zeros(width, np.float32) if module.bias is None else _array(module.bias)
    # RMSNorm without one takes the least step above 1 of its type.
    epsilon = float(np.finfo(np.float32).eps) if module.eps is None else float(module.eps)
    builder.norm(name, gain, bias, epsilon)


def _batch_norm(builder: ChainBuilder, name: str, module: Any) -> None:
    """Batch normalisation by its running mean and variance is a scale and a shift."""
    if module.running_mean is None or module.running_var is None:
        raise ForeignError(f"{name} has no running statistics", "set track_running_stats=True")
    mean = _array(module.running_mean).astype(np.float64)
    scale = 1 / np.sqrt(_array(module.running_var).astype(np.float64) + module.eps)
    if module.weight is not None:
        scale = scale * _array(module.weight)
    shift = -mean * scale
    if module.bias is not None:
        shift = shift + _array(module.bias)
    builder.affine(name, scale, shift)


# ---- GPT ---------------------------------------------------------------------------------------


def _gpt(module: Any, torch: Any, vocabulary: bytes | None) -> Transformer:
    """nanoGPT's model: its names, biases or none, the head tied to the embedding or not."""
    tensors = Tensors(Arrays(dict(module.state_dict()), _array), "the module")
    parts = module.transformer
    tokens, d = map(int, parts.wte.weight.shape)
    context = int(parts.wpe.weight.shape[0])
    blocks = list(parts.h)
    if not blocks:
        raise ForeignError("the module has no blocks", "there is nothing to import")
    heads = _heads(module, blocks[0])
    hidden = int(blocks[0].mlp.c_fc.weight.shape[0])

    def linear(name: str, inputs: int, outputs: int) -> Linear:
        weight = tensors.take(name + ".weight", (outputs, inputs)).T
        has = tensors.has(name + ".bias")
        return Linear(weight, tensors.take(name + ".bias", (outputs,)) if has else None)

    def norm(name: str) -> Norm:
        gain = tensors.take(name + ".weight", (d,))
        has = tensors.has(name + ".bias")
        return Norm(gain, tensors.take(name + ".bias", (d,)) if has else np.zeros(d, np.float32))

    read = []
    for i in range(len(blocks)):
        at = f"transformer.h.{i}."
        read.append(
            Block(
                norm(at + "ln_1"),
                linear(at + "attn.c_attn", d, 3 * d),
                linear(at + "attn.c_proj", d, d),
                norm(at + "ln_2"),
                linear(at + "mlp.c_fc", d, hidden),
                linear(at + "mlp.c_proj", hidden, d),
            )
        )
    embedding = tensors.take("transformer.wte.weight", (tokens, d))
    head = tensors.take("lm_head.weight", (tokens, d))
    network = Transformer(
        embedding=embedding,
        blocks=tuple(read),
        norm=norm("transformer.ln_f"),
        heads=heads,
        context=context,
        positions=tensors.take("transformer.wpe.weight", (context, d)),
        head=None if np.array_equal(head, embedding) else head,
        activation=_gpt_activation(blocks, torch),
        epsilon=float(getattr(parts.ln_f, "eps", 1e-5)),
        vocabulary=vocabulary,
    )
    tensors.finish(lambda name: name.endswith((".attn.bias", ".attn.masked_bias")))
    return network


def _heads(module: Any, block: Any) -> int:
    """The number of heads, from the attention or the configuration."""
    for owner in (block.attn, getattr(module, "config", None)):
        heads = getattr(owner, "n_head", None)
        if isinstance(heads, int) and heads > 0:
            return heads
    raise ForeignError("the module does not say how many heads it has", "set attn.n_head")


def _gpt_activation(blocks: list[Any], torch: Any) -> str:
    """The activation of all blocks: nanoGPT keeps it as ``mlp.gelu``."""
    found = set()
    for i, block in enumerate(blocks):
        layer = getattr(block.mlp, "gelu", None) or getattr(block.mlp, "act", None)
        if isinstance(layer, torch.nn.GELU):
            found.add("gelu" if layer.approximate == "none" else "gelu_tanh")
        elif isinstance(layer, torch.nn.ReLU | torch.nn.SiLU):
            found.add(type(layer).__name__.lower())
        else:
            raise ForeignError(
                f"transformer.h.{i}.mlp has the activation {type(layer).__name__}",
                "supported are GELU, ReLU and SiLU modules under mlp.gelu or mlp.act",
            )
    if len(found) != 1:
        raise ForeignError("the blocks have different activations", "one for all is supported")
    return found.pop()
