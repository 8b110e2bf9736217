"""Hugging Face models of the Llama and GPT-2 families: ``config.json`` and safetensors.

Names of tensors and settings: transformers' ``modeling_llama.py`` and ``modeling_gpt2.py``.  What
a description cannot say (scaled rotary positions, sliding windows, tensors without a place) is
refused by its name: nothing is left out in silence.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ..description import Block, Linear, Norm, Transformer
from .common import ForeignError, Settings, Tensors, read_json
from .safetensors_file import SafetensorsFolder

#: Hugging Face's names of activations, and the description's.
ACTIVATIONS = {
    "gelu": "gelu",
    "gelu_new": "gelu_tanh",
    "gelu_fast": "gelu_tanh",
    "gelu_pytorch_tanh": "gelu_tanh",
    "silu": "silu",
    "swish": "silu",
    "relu": "relu",
}
#: The architectures that are read, by ``model_type``, and what reads them.
FAMILIES = {"llama": "llama", "mistral": "llama", "gpt2": "gpt2"}
#: Longest context that a picture gets unless it is asked for: its caches take memory.
DEFAULT_CONTEXT = 2048


@dataclass(frozen=True, slots=True)
class Imported:
    """A model as it was read.

    ``start``: tokens that begin a text by the configuration (bos), ``stop``: tokens that end one.
    ``notes``: what differs from the original, in sentences for who imports it.
    """

    network: Transformer
    start: tuple[int, ...] = ()
    stop: tuple[int, ...] = ()
    notes: tuple[str, ...] = ()


def read_model(folder: Path, *, context: int | None = None) -> Imported:
    """The transformer in a folder with ``config.json`` and ``model.safetensors`` (or shards).

    ``context``: how many tokens the picture is to remember, at most what the model has learned
    (None: that, at most DEFAULT_CONTEXT).  Weights are float32.  Raises ForeignError.
    """
    config = Settings(read_json(folder / "config.json"), "config.json")
    family = config.get("model_type")
    if not isinstance(family, str) or family not in FAMILIES:
        raise ForeignError(
            f"config.json: the model_type is {str(family)[:60]!r}",
            "supported are " + ", ".join(FAMILIES),
        )
    config.refuse(
        "quantization_config", unless=(), why="take the model's weights before they were quantised"
    )
    tensors = Tensors(SafetensorsFolder(folder), "the model")
    read = _llama if FAMILIES[family] == "llama" else _gpt2
    network, notes = read(config, tensors, context)
    start, stop = special_tokens(config, folder, network.tokens)
    return Imported(network, start, stop, notes)


def special_tokens(
    config: Settings, folder: Path, tokens: int
) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """Tokens that begin and that end a text; ``generation_config.json`` comes first.

    Raises ForeignError for one that is none of the model's ``tokens``.
    """
    others = folder / "generation_config.json"
    chosen = Settings(read_json(others), others.name) if others.is_file() else config
    found = []
    for name in ("bos_token_id", "eos_token_id"):
        value = chosen.get(name)
        value = config.get(name) if value is None else value
        numbers = value if isinstance(value, list) else [] if value is None else [value]
        for number in numbers:
            if isinstance(number, bool) or not isinstance(number, int) or not 0 <= number < tokens:
                raise ForeignError(
                    f"{name} is {str(number)[:40]}", f"the model has the tokens 0 to {tokens - 1}"
                )
        found.append(tuple(numbers))
    return found[0], found[1]


def _context(config: Settings, wanted: int | None, *names: str) -> tuple[int, tuple[str, ...]]:
    learned = config.whole(*names, high=1 << 24)
    if wanted is None:
        if learned <= DEFAULT_CONTEXT:
            return learned, ()
        note = f"the context is {DEFAULT_CONTEXT} tokens; the model's is {learned:,} (--context)"
        return DEFAULT_CONTEXT, (note,)
    if not 1 <= wanted <= learned:
        raise ForeignError(f"a context of {wanted} tokens", f"the model has 1 to {learned}")
    return wanted, ()


# ---- Llama -------------------------------------------------------------------------------------


def neighbours(weight: np.ndarray, heads: int) -> np.ndarray:
    """Rows (heads * head, ...) with each head's halves interleaved: 0, h/2, 1, h/2 + 1, ...

    Hugging Face turns column i together with column i + h/2, the description neighbours.
    """
    head = len(weight) // heads
    halves = weight.reshape(heads, 2, head // 2, *weight.shape[1:])
    return np.ascontiguousarray(np.swapaxes(halves, 1, 2)).reshape(weight.shape)


def _rotary_base(config: Settings) -> float:
    """The base of the rotary frequencies; raises ForeignError if they are scaled."""
    found = config.number("rope_theta", low=1.0, high=1e12, default=10000.0)
    for name in ("rope_scaling", "rope_parameters"):
        section = config.section(name)
        if section is None:
            continue
        for key in ("rope_type", "type"):
            section.refuse(
                key, unless=["default"], why="only rotary positions without scaling are supported"
            )
        found = section.number("rope_theta", low=1.0, high=1e12, default=found)
    return found


def _llama(
    config: Settings, tensors: Tensors, wanted: int | None
) -> tuple[Transformer, tuple[str, ...]]:
    d = config.whole("hidden_size", high=1 << 16)
    layers = config.whole("num_hidden_layers", high=1 << 10)
    heads = config.whole("num_attention_heads", high=1 << 12)
    key_heads = config.whole("num_key_value_heads", high=heads, default=heads)
    head = config.whole("head_dim", high=1 << 14, default=max(d // heads, 1))
    hidden = config.whole("intermediate_size", high=1 << 20)
    tokens = config.whole("vocab_size", high=1 << 24)
    if heads % key_heads or head % 2:
        raise ForeignError(
            f"{heads} heads of {head} columns share {key_heads} key heads",
            "the key heads divide the heads, and a rotary head has an even number of columns",
        )
    context, notes = _context(config, wanted, "max_position_embeddings")
    window = config.get("sliding_window")
    if window is not None and config.whole("sliding_window") < context:
        raise ForeignError(
            f"the model looks back {window} tokens only", f"import it with --context {window}"
        )
    attention_bias = config.flag("attention_bias", False)
    mlp_bias = config.flag("mlp_bias", False)

    def linear(name: str, inputs: int, outputs: int, bias: bool, turned: int = 0) -> Linear:
        weight = tensors.take(name + ".weight", (outputs, inputs))
        vector = tensors.take(name + ".bias", (outputs,)) if bias else None
        if turned:
            weight = neighbours(weight, turned)
            vector = None if vector is None else neighbours(vector, turned)
        return Linear(weight.T, vector)

    def norm(name: str) -> Norm:
        return Norm(tensors.take(name + ".weight", (d,)))

    blocks = []
    for i in range(layers):
        at = f"model.layers.{i}."
        q = linear(at + "self_attn.q_proj", d, heads * head, attention_bias, heads)
        k = linear(at + "self_attn.k_proj", d, key_heads * head, attention_bias, key_heads)
        v = linear(at + "self_attn.v_proj", d, key_heads * head, attention_bias)
        blocks.append(
            Block(
                norm(at + "input_layernorm"),
                beside(q, k, v),
                linear(at + "self_attn.o_proj", heads * head, d, attention_bias),
                norm(at + "post_attention_layernorm"),
                beside(
                    linear(at + "mlp.gate_proj", d, hidden, mlp_bias),
                    linear(at + "mlp.up_proj", d, hidden, mlp_bias),
                ),
                linear(at + "mlp.down_proj", hidden, d, mlp_bias),
            )
        )
    network = Transformer(
        embedding=tensors.take("model.embed_tokens.weight", (tokens, d)),
        blocks=tuple(blocks),
        norm=norm("model.norm"),
        heads=heads,
        context=context,
        key_heads=key_heads,
        rotary=_rotary_base(config),
        head=_head(config, tensors, "model.embed_tokens.weight", (tokens, d), tied=False),
        activation=config.word("hidden_act", ACTIVATIONS, "silu"),
        gated=True,
        epsilon=config.number("rms_norm_eps", low=1e-12, high=1.0, default=1e-6),
    )
    tensors.finish(lambda name: name.endswith(".rotary_emb.inv_freq"))
    return network, notes


def beside(*layers: Linear) -> Linear:
    """Linear layers of the same inputs as one, their outputs side by side."""
    weight = np.hstack([layer.weight for layer in layers])  # type: ignore[misc]
    biases = [layer.bias for layer in layers if layer.bias is not None]
    return Linear(np.ascontiguousarray(weight), np.concatenate(biases) if biases else None)


def _head(
    config: Settings, tensors: Tensors, embedding: str, shape: tuple[int, int], *, tied: bool
) -> np.ndarray | None:
    """The head's weights, or None where the embedding serves; ``tied``: the family's default."""
    if not config.flag("tie_word_embeddings", tied):
        return tensors.take("lm_head.weight", shape)
    if tensors.has("lm_head.weight"):
        head = tensors.take("lm_head.weight", shape)
        if not np.array_equal(head, tensors.take(embedding, shape)):
            raise ForeignError(
                f"lm_head.weight differs from {embedding}, though tie_word_embeddings is true",
                "set it to false in config.json if the head has weights of its own",
            )
    return None


# ---- GPT-2 -------------------------------------------------------------------------------------


def _gpt2(
    config: Settings, tensors: Tensors, wanted: int | None
) -> tuple[Transformer, tuple[str, ...]]:
    d = config.whole("n_embd", "hidden_size", high=1 << 16)
    layers = config.whole("n_layer", "num_hidden_layers", high=1 << 10)
    heads = config.whole("n_head", "num_attention_heads", high=1 << 12)
    hidden = config.whole("n_inner", high=1 << 20, default=4 * d)
    tokens = config.whole("vocab_size", high=1 << 24)
    if d % heads:
        raise ForeignError(f"{heads} heads share {d} columns", "the heads divide the columns")
    config.refuse("scale_attn_weights", unless=[True], why="attention must be scaled")
    config.refuse("scale_attn_by_inverse_layer_idx", unless=[False], why="it is not supported")
    config.refuse("add_cross_attention", unless=[False], why="only decoders are supported")
    context, notes = _context(config, wanted, "n_positions", "max_position_embeddings", "n_ctx")
    learned = config.whole("n_positions", "max_position_embeddings", "n_ctx")
    prefix = "transformer." if tensors.has("transformer.wte.weight") else ""

    def linear(name: str, inputs: int, outputs: int) -> Linear:
        # Conv1D keeps (inputs, outputs).
        return Linear(
            tensors.take(name + ".weight", (inputs, outputs)),
            tensors.take(name + ".bias", (outputs,)),
        )

    def norm(name: str) -> Norm:
        return Norm(tensors.take(name + ".weight", (d,)), tensors.take(name + ".bias", (d,)))

    blocks = []
    for i in range(layers):
        at = f"{prefix}h.{i}."
        blocks.append(
            Block(
                norm(at + "ln_1"),
                linear(at + "attn.c_attn", d, 3 * d),
                linear(at + "attn.c_proj", d, d),
                norm(at + "ln_2"),
                linear(at + "mlp.c_fc", d, hidden),
                linear(at + "mlp.c_proj", hidden, d),
            )
        )
    embedding = prefix + "wte.weight"
    network = Transformer(
        embedding=tensors.take(embedding, (tokens, d)),
        blocks=tuple(blocks),
        norm=norm(prefix + "ln_f"),
        heads=heads,
        context=context,
        positions=tensors.take(prefix + "wpe.weight", (learned, d))[:context],
        head=_head(config, tensors, embedding, (tokens, d), tied=True),
        activation=config.word("activation_function", ACTIVATIONS, "gelu_new"),
        epsilon=config.number("layer_norm_epsilon", low=1e-12, high=1.0, default=1e-5),
    )
    tensors.finish(lambda name: name.endswith((".attn.bias", ".attn.masked_bias")))
    return network, notes
