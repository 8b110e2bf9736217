"""Hugging Face folders: against forward passes of their own, as descriptions and as pictures."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from pxos.kernel.machine.cpu.executor import CpuExecutor
from pxos.shell.lenses.networks import Reference, description, picture_logits, quantised
from pxos.shell.lenses.networks.importers import ForeignError, read_model, text_app
from pxos.shell.lenses.networks.validate import run

from . import bpe, models

TOKENISER = bpe.train("llama3", 30)
TOKENS = len(TOKENISER.pieces)
TEXT = "The theme's end: 12345 days, then banana!"
MODELS = {"llama": (models.llama, models.llama_logits), "gpt2": (models.gpt2, models.gpt2_logits)}


@pytest.mark.parametrize("family", MODELS)
@pytest.mark.parametrize(("dtype", "shards"), [("F32", 1), ("BF16", 3), ("F16", 2), ("F64", 1)])
def test_logits(tmp_path: Path, family: str, dtype: str, shards: int) -> None:
    make, logits = MODELS[family]
    config, tensors = make(TOKENS)
    if dtype == "BF16":  # eight bits; the gains have nine
        tensors = {name: rounded(array) for name, array in tensors.items()}
    read = read_model(models.write(tmp_path / "m", config, tensors, dtype, shards))
    description.check(read.network)
    tokens = TOKENISER.encode(TEXT)
    got = Reference(read.network).logits(np.array(tokens))
    wanted = logits(config, tensors, tokens)
    assert np.abs(got - wanted).max() < 2e-4 * np.abs(wanted).max()


def rounded(array: np.ndarray) -> np.ndarray:
    return (array.view(np.uint32) & 0xFFFF0000).view(np.float32)


@pytest.mark.parametrize(
    ("family", "groups", "changes"),
    [
        ("llama", 1, {}),
        ("llama", 2, {"tie_word_embeddings": True}),
        ("llama", 1, {"attention_bias": True, "mlp_bias": True}),
        ("gpt2", 1, {}),
        ("gpt2", 2, {}),
    ],
)
def test_the_picture_takes_text_and_gives_logits(
    tmp_path: Path, family: str, groups: int, changes: dict[str, Any]
) -> None:
    make, logits = MODELS[family]
    config, tensors = make(TOKENS, **changes)
    read = read_model(models.write(tmp_path / "m", config, tensors))
    emitted = text_app(read.network, TOKENISER, start=read.start, stop=read.stop, groups=groups)
    program = emitted.assemble()
    tokens = TOKENISER.encode(TEXT)
    assert len(tokens) < read.network.context
    got = picture_logits(program, CpuExecutor, TEXT.encode())
    wanted = logits(config, tensors, tokens)
    assert np.abs(got - wanted).max() < 0.005
    assert np.corrcoef(got.ravel(), wanted.ravel())[0, 1] > 0.99999
    (row,) = run(program, CpuExecutor, arguments={"mode": "tokens"}, text=TEXT.encode()).pictures
    assert np.ascontiguousarray(row).view(np.int32).ravel().tolist() == tokens


@pytest.mark.parametrize(("start", "strips"), [((), False), ((5, 6), True)])
def test_the_picture_writes_what_the_reference_writes(
    tmp_path: Path, start: tuple[int, ...], strips: bool
) -> None:
    """Greedily, past the end of the context, with tokens before every text and without."""
    config, tensors = models.llama(TOKENS, max_position_embeddings=24)
    read = read_model(models.write(tmp_path / "m", config, tensors))
    tokeniser = replace(TOKENISER, start=start, strips=strips)
    program = text_app(read.network, tokeniser, start=read.start, stop=()).assemble()
    reference = Reference(quantised(read.network))
    for prompt in ("The theme", ""):
        tokens = [*start, *tokeniser.encode(prompt)] or [1]
        made, context = [], 24
        for _ in range(40):
            if len(tokens) > context:
                tokens = [*start, *tokens[-(context // 2 - len(start)) :]]
            made.append(int(reference.logits(np.array(tokens))[-1].argmax()))
            tokens.append(made[-1])
        wanted = b"".join(tokeniser.pieces[token] for token in made)
        if strips and not prompt and wanted.startswith(b" "):
            wanted = wanted[1:]
        how = {"prompt": prompt, "tokens": 40, "temperature": 0.0}
        desk = run(program, CpuExecutor, arguments=how)
        assert bytes(desk.written) == prompt.encode() + wanted


def test_a_long_prompt_and_the_end_of_a_text(tmp_path: Path) -> None:
    config, tensors = models.llama(TOKENS, max_position_embeddings=24)
    read = read_model(models.write(tmp_path / "m", config, tensors))
    reference = Reference(quantised(read.network))
    tokens = TOKENISER.encode(TEXT * 3)[-24:]
    first = int(reference.logits(np.array(tokens))[-1].argmax())
    how = {"prompt": TEXT * 3, "tokens": 5, "temperature": 0.0}
    going = text_app(read.network, TOKENISER, start=(1,), stop=()).assemble()
    written = bytes(run(going, CpuExecutor, arguments=how).written)
    assert written.startswith((TEXT * 3).encode() + TOKENISER.pieces[first])
    stopping = text_app(read.network, TOKENISER, start=(1,), stop=(3, first)).assemble()
    desk = run(stopping, CpuExecutor, arguments=how)
    assert bytes(desk.written) == (TEXT * 3).encode()


@pytest.mark.parametrize(
    "changes",
    [
        {"attention_bias": True, "mlp_bias": True},
        {"tie_word_embeddings": True},
        {"num_key_value_heads": 4},
        {"model_type": "mistral", "sliding_window": None},
        {"rope_scaling": {"rope_type": "default"}},
    ],
)
def test_kinds_of_llama(tmp_path: Path, changes: dict[str, Any]) -> None:
    config, tensors = models.llama(TOKENS, **changes)
    read = read_model(models.write(tmp_path / "m", config, tensors))
    tokens = list(range(0, 200, 7))
    wanted = models.llama_logits(config, tensors, tokens)
    got = Reference(read.network).logits(np.array(tokens))
    assert np.abs(got - wanted).max() < 2e-4 * np.abs(wanted).max()
    assert (read.start, read.stop) == ((1,), (2,))


def test_contexts(tmp_path: Path) -> None:
    config, tensors = models.llama(TOKENS, max_position_embeddings=5000)
    folder = models.write(tmp_path / "m", config, tensors)
    read = read_model(folder)
    assert read.network.context == 2048
    assert "5,000" in read.notes[0]
    assert read_model(folder, context=3000).network.context == 3000
    with pytest.raises(ForeignError, match="a context of 5001 tokens"):
        read_model(folder, context=5001)


def test_gpt2_with_prefixes_and_a_head(tmp_path: Path) -> None:
    config, tensors = models.gpt2(TOKENS)
    tensors = {"transformer." + name: array for name, array in tensors.items()}
    tensors["lm_head.weight"] = tensors["transformer.wte.weight"]
    folder = models.write(tmp_path / "m", config, tensors)
    assert read_model(folder).network.head is None
    tensors["lm_head.weight"] = tensors["lm_head.weight"] + 1
    models.write(tmp_path / "m", config, tensors)
    with pytest.raises(ForeignError, match=r"lm_head.weight differs from .*wte.weight"):
        read_model(folder)
    models.write(tmp_path / "m", {**config, "tie_word_embeddings": False}, tensors)
    assert np.array_equal(read_model(folder).network.head, tensors["lm_head.weight"])


def broken(tmp_path: Path, change: Any, family: str = "llama") -> str:
    """The message for a model that is changed before it is written."""
    config, tensors = MODELS[family][0](TOKENS)
    change(config, tensors)
    folder = models.write(tmp_path / "m", config, tensors)
    with pytest.raises(ForeignError) as caught:
        read_model(folder)
    return str(caught.value)


def put(**values: Any) -> Any:
    return lambda config, tensors: config.update(values)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (put(model_type="bert"), "the model_type is 'bert'; supported are llama, mistral, gpt2"),
        (put(model_type=["llama"]), "the model_type is"),
        (
            put(quantization_config={"quant_method": "gptq"}),
            "quantization_config is .*; take the model's weights before they were quantised",
        ),
        (put(hidden_size=-4), "hidden_size is -4; it must be 1 to 65536"),
        (put(hidden_size="24"), "hidden_size is '24'"),
        (put(hidden_size=True), "hidden_size is True"),
        (put(hidden_size=None), "config.json has no hidden_size"),
        (put(num_hidden_layers=10**9), "num_hidden_layers is 1000000000"),
        (put(rms_norm_eps=0), "rms_norm_eps is 0"),
        (put(hidden_act="tanh"), "hidden_act is 'tanh'; supported are gelu"),
        (put(hidden_act=["silu"]), "hidden_act is"),
        (put(rope_scaling={"rope_type": "llama3"}), "rope_type is 'llama3'"),
        (put(rope_scaling={"type": "linear", "factor": 2}), "type is 'linear'"),
        (put(rope_scaling=[]), "rope_scaling is .*; it must be an object"),
        (put(num_key_value_heads=3), "4 heads of 8 columns share 3 key heads"),
        (put(head_dim=7), "4 heads of 7 columns"),
        (put(sliding_window=4), "looks back 4 tokens only; import it with --context 4"),
        (put(eos_token_id=TOKENS), f"eos_token_id is {TOKENS}"),
        (put(eos_token_id=[-1]), "eos_token_id is -1"),
        (put(attention_bias=True), "no tensor model.layers.0.self_attn.q_proj.bias"),
        (put(attention_bias=1), "attention_bias is 1; it must be true or false"),
        (put(intermediate_size=41), "gate_proj.weight is 40 x 24, expected 41 x 24"),
        (
            lambda c, t: t.update({"model.layers.0.self_attn.q_norm.weight": np.ones(8, "f4")}),
            "1 tensors that this architecture has no place for, such as .*q_norm",
        ),
        (
            lambda c, t: t.pop("model.layers.1.mlp.up_proj.weight"),
            "no tensor model.layers.1.mlp.up_proj.weight; the nearest is model.layers",
        ),
        (
            lambda c, t: t["model.norm.weight"].__setitem__(3, np.nan),
            r"model.norm.weight holds nan at \(3,\), 1 such numbers in all",
        ),
        (
            lambda c, t: t["lm_head.weight"].__setitem__((2, 5), -np.inf),
            r"lm_head.weight holds -inf at \(2, 5\)",
        ),
    ],
)
def test_models_that_cannot_be_read(tmp_path: Path, change: Any, message: str) -> None:
    assert re.search(message, broken(tmp_path, change))


def test_gpt2_models_that_cannot_be_read(tmp_path: Path) -> None:
    for change, message in (
        (put(scale_attn_weights=False), "scale_attn_weights is False"),
        (put(scale_attn_by_inverse_layer_idx=True), "scale_attn_by_inverse_layer_idx is True"),
        (put(n_head=5), "5 heads share 24 columns"),
        (put(n_positions=41), "wpe.weight is 40 x 24, expected 41 x 24"),
    ):
        assert message in broken(tmp_path, change, "gpt2")


def test_generation_config_comes_first(tmp_path: Path) -> None:
    config, tensors = models.llama(TOKENS)
    folder = models.write(tmp_path / "m", config, tensors)
    (folder / "generation_config.json").write_text(json.dumps({"eos_token_id": [7, 8]}))
    read = read_model(folder)
    assert (read.start, read.stop) == ((1,), (7, 8))


def test_a_tokeniser_that_does_not_match(tmp_path: Path) -> None:
    config, tensors = models.llama(TOKENS - 1)
    read = read_model(models.write(tmp_path / "m", config, tensors))
    with pytest.raises(ForeignError, match=f"{TOKENS} tokens, the model {TOKENS - 1}"):
        text_app(read.network, TOKENISER)


def test_too_many_tokens_before_a_text(tmp_path: Path) -> None:
    config, tensors = models.llama(TOKENS, max_position_embeddings=8)
    read = read_model(models.write(tmp_path / "m", config, tensors))
    with pytest.raises(ForeignError, match="4 tokens before every text leave no room"):
        text_app(read.network, replace(TOKENISER, start=(1, 2, 3, 4)))
