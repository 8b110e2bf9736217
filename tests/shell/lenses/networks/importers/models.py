"""Tiny models on disk, as Hugging Face's tools write them, and forward passes of their own.

All weights lie on one grid of bytes, so that quantising loses nothing and the picture may be
compared with the original.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

Arrays = dict[str, np.ndarray]


def on_grid(rng: np.random.Generator, *shape: int, step: float = 1 / 256) -> np.ndarray:
    """float32 of whole steps, at most 127 of them, normal in between."""
    return (np.clip(np.rint(rng.normal(0, 40, shape)), -127, 127) * step).astype(np.float32)


def encoded(array: np.ndarray, dtype: str) -> bytes:
    """Little-endian bytes of float32 values that the type holds exactly."""
    if dtype == "BF16":
        bits = array.astype("<f4").view("<u4")
        assert not (bits & 0xFFFF).any()
        return (bits >> 16).astype("<u2").tobytes()
    data = array.astype({"F16": "<f2", "F32": "<f4", "F64": "<f8"}[dtype])
    assert np.array_equal(data.astype(np.float32), array, equal_nan=True)
    return data.tobytes()


def safetensors(tensors: Mapping[str, np.ndarray], dtype: str = "F32") -> bytes:
    """The file's bytes, by hand."""
    header: dict[str, Any] = {"__metadata__": {"format": "pt"}}
    body = b""
    for name, array in tensors.items():
        data = encoded(array, dtype)
        offsets = [len(body), len(body) + len(data)]
        header[name] = {"dtype": dtype, "shape": list(array.shape), "data_offsets": offsets}
        body += data
    return packed(header, body)


def packed(header: object, body: bytes) -> bytes:
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    return len(text).to_bytes(8, "little") + text + body


def write(
    folder: Path, config: dict[str, Any], tensors: Arrays, dtype: str = "F32", shards: int = 1
) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "config.json").write_text(json.dumps(config))
    if shards == 1:
        (folder / "model.safetensors").write_bytes(safetensors(tensors, dtype))
        return folder
    places = {}
    for i in range(shards):
        name = f"model-{i + 1:05}-of-{shards:05}.safetensors"
        part = dict(list(tensors.items())[i::shards])
        (folder / name).write_bytes(safetensors(part, dtype))
        places |= dict.fromkeys(part, name)
    index = {"metadata": {"total_size": 1}, "weight_map": places}
    (folder / "model.safetensors.index.json").write_text(json.dumps(index))
    return folder


# ---- Llama -------------------------------------------------------------------------------------


def llama(tokens: int, seed: int = 0, **changes: Any) -> tuple[dict[str, Any], Arrays]:
    """Two layers, 4 heads of 8 columns sharing 2 key heads."""
    config = {
        "model_type": "llama",
        "hidden_size": 24,
        "intermediate_size": 40,
        "num_hidden_layers": 2,
        "num_attention_heads": 4,
        "num_key_value_heads": 2,
        "head_dim": 8,
        "max_position_embeddings": 48,
        "rms_norm_eps": 1e-5,
        "rope_theta": 500.0,
        "vocab_size": tokens,
        "hidden_act": "silu",
        "tie_word_embeddings": False,
        "bos_token_id": 1,
        "eos_token_id": [2],
        **changes,
    }
    rng = np.random.default_rng(seed)
    d, f = config["hidden_size"], config["intermediate_size"]
    q, k = config["num_attention_heads"] * 8, config["num_key_value_heads"] * 8
    found = {"model.embed_tokens.weight": on_grid(rng, tokens, d, step=1 / 64)}
    for i in range(config["num_hidden_layers"]):
        at = f"model.layers.{i}."
        shapes = {
            "self_attn.q_proj": (q, d),
            "self_attn.k_proj": (k, d),
            "self_attn.v_proj": (k, d),
            "self_attn.o_proj": (d, q),
            "mlp.gate_proj": (f, d),
            "mlp.up_proj": (f, d),
            "mlp.down_proj": (d, f),
        }
        for name, shape in shapes.items():
            found[at + name + ".weight"] = on_grid(rng, *shape)
            biased = config.get("mlp_bias" if "mlp" in name else "attention_bias")
            if biased:
                found[at + name + ".bias"] = on_grid(rng, shape[0])
        found[at + "input_layernorm.weight"] = 1 + on_grid(rng, d)
        found[at + "post_attention_layernorm.weight"] = 1 + on_grid(rng, d)
    found["model.norm.weight"] = 1 + on_grid(rng, d)
    if not config["tie_word_embeddings"]:
        found["lm_head.weight"] = on_grid(rng, tokens, d, step=1 / 64)
    return config, found


def llama_logits(config: dict[str, Any], w: Arrays, tokens: list[int]) -> np.ndarray:
    """As transformers' modeling_llama.py computes them, in float64: rotate_half and all."""
    heads, shared = config["num_attention_heads"], config["num_key_value_heads"]
    size = config["head_dim"]
    x = w["model.embed_tokens.weight"][tokens].astype(np.float64)
    n = len(tokens)
    theta = config["rope_theta"] ** (-np.arange(0, size, 2) / size)
    angle = np.concatenate([np.outer(np.arange(n), theta)] * 2, axis=1)

    def linear(name: str, y: np.ndarray) -> np.ndarray:
        return y @ w[name + ".weight"].T.astype(np.float64) + w.get(name + ".bias", 0.0)

    def norm(name: str, y: np.ndarray) -> np.ndarray:
        return w[name] * y / np.sqrt((y**2).mean(-1, keepdims=True) + config["rms_norm_eps"])

    def turn(y: np.ndarray) -> np.ndarray:
        half = np.concatenate([-y[..., size // 2 :], y[..., : size // 2]], axis=-1)
        return y * np.cos(angle) + half * np.sin(angle)

    for i in range(config["num_hidden_layers"]):
        at = f"model.layers.{i}."
        h = norm(at + "input_layernorm.weight", x)
        q, k, v = (
            linear(f"{at}self_attn.{c}_proj", h).reshape(n, -1, size).transpose(1, 0, 2)
            for c in "qkv"
        )
        q, k = turn(q), turn(k)
        k, v = (np.repeat(part, heads // shared, axis=0) for part in (k, v))
        mixed = attention(q, k, v)
        x = x + linear(at + "self_attn.o_proj", mixed)
        h = norm(at + "post_attention_layernorm.weight", x)
        gate = linear(at + "mlp.gate_proj", h)
        h = gate / (1 + np.exp(-gate)) * linear(at + "mlp.up_proj", h)
        x = x + linear(at + "mlp.down_proj", h)
    head = "model.embed_tokens.weight" if config["tie_word_embeddings"] else "lm_head.weight"
    return norm("model.norm.weight", x) @ w[head].T


def attention(q: np.ndarray, k: np.ndarray, v: np.ndarray) -> np.ndarray:
    """Causal attention of (heads, n, size) arrays: (n, heads * size)."""
    heads, n, size = q.shape
    scores = q @ k.transpose(0, 2, 1) / np.sqrt(size)
    scores[:, np.triu(np.ones((n, n), bool), 1)] = -np.inf
    shares = np.exp(scores - scores.max(-1, keepdims=True))
    shares /= shares.sum(-1, keepdims=True)
    return (shares @ v).transpose(1, 0, 2).reshape(n, heads * size)


# ---- GPT-2 -------------------------------------------------------------------------------------


def gpt2(tokens: int, seed: int = 1, **changes: Any) -> tuple[dict[str, Any], Arrays]:
    config = {
        "model_type": "gpt2",
        "n_embd": 24,
        "n_layer": 2,
        "n_head": 3,
        "n_positions": 40,
        "vocab_size": tokens,
        "activation_function": "gelu_new",
        "layer_norm_epsilon": 1e-5,
        "bos_token_id": tokens - 1,
        "eos_token_id": tokens - 1,
        **changes,
    }
    rng = np.random.default_rng(seed)
    d = config["n_embd"]
    found = {
        "wte.weight": on_grid(rng, tokens, d, step=1 / 64),
        "wpe.weight": on_grid(rng, config["n_positions"], d),
        "ln_f.weight": 1 + on_grid(rng, d),
        "ln_f.bias": on_grid(rng, d),
    }
    for i in range(config["n_layer"]):
        at = f"h.{i}."
        for name, shape in {
            "attn.c_attn": (d, 3 * d),
            "attn.c_proj": (d, d),
            "mlp.c_fc": (d, 4 * d),
            "mlp.c_proj": (4 * d, d),
        }.items():
            found[at + name + ".weight"] = on_grid(rng, *shape)
            found[at + name + ".bias"] = on_grid(rng, shape[1])
        for name in ("ln_1", "ln_2"):
            found[f"{at}{name}.weight"] = 1 + on_grid(rng, d)
            found[f"{at}{name}.bias"] = on_grid(rng, d)
        n = config["n_positions"]
        found[at + "attn.bias"] = np.tril(np.ones((1, 1, n, n), np.float32))
    return config, found


def gpt2_logits(config: dict[str, Any], w: Arrays, tokens: list[int]) -> np.ndarray:
    """As transformers' modeling_gpt2.py computes them, in float64."""
    n, heads = len(tokens), config["n_head"]
    x = w["wte.weight"][tokens].astype(np.float64) + w["wpe.weight"][:n]

    def linear(name: str, y: np.ndarray) -> np.ndarray:
        return y @ w[name + ".weight"].astype(np.float64) + w[name + ".bias"]

    def norm(name: str, y: np.ndarray) -> np.ndarray:
        y = (y - y.mean(-1, keepdims=True)) / np.sqrt(
            y.var(-1, keepdims=True) + config["layer_norm_epsilon"]
        )
        return y * w[name + ".weight"] + w[name + ".bias"]

    for i in range(config["n_layer"]):
        at = f"h.{i}."
        parts = np.split(linear(at + "attn.c_attn", norm(at + "ln_1", x)), 3, axis=1)
        q, k, v = (part.reshape(n, heads, -1).transpose(1, 0, 2) for part in parts)
        x = x + linear(at + "attn.c_proj", attention(q, k, v))
        h = linear(at + "mlp.c_fc", norm(at + "ln_2", x))
        h = 0.5 * h * (1 + np.tanh(np.sqrt(2 / np.pi) * (h + 0.044715 * h**3)))
        x = x + linear(at + "mlp.c_proj", h)
    return norm("ln_f", x) @ w["wte.weight"].T
