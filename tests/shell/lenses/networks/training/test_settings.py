from __future__ import annotations

import math
from fractions import Fraction
from itertools import pairwise

import numpy as np
import pytest

from pxos.shell.lenses.networks.training import (
    PRESETS,
    Architecture,
    Schedule,
    Text,
    TrainingError,
    preset,
    transformer,
)
from pxos.shell.lenses.networks.training.text import windows


@pytest.mark.parametrize(
    ("name", "count"),
    # With the 65 characters of tinyshakespeare.  nanoGPT counts 10.65 million: without positions
    # (98,304), and its norms have no biases (4,992).
    [("shakespeare", 1_834_560), ("llama", 1_783_680), ("nanogpt", 10_646_784 + 98_304 + 4_992)],
)
def test_how_many_weights_the_presets_have(name: str, count: int) -> None:
    shape, _ = preset(name, {})
    assert transformer.count(shape, 65) == count
    made = transformer.initial(shape, 65, 0) if count < 2e6 else None
    if made is not None:
        assert sum(array.size for array in made.values()) == count


def test_a_preset_with_changes() -> None:
    shape, plan = preset("nanogpt", {"layers": 3, "seed": 9})
    assert (shape.layers, shape.width, plan.seed, plan.warmup) == (3, 384, 9, 100)
    assert set(PRESETS) == {"shakespeare", "llama", "nanogpt"}


@pytest.mark.parametrize(
    "wrong",
    [
        {"style": "bert"},
        {"width": 100, "heads": 3},
        {"style": "llama", "width": 6, "heads": 2},
        {"layers": 0},
        {"dropout": math.nan},
        {"dropout": 1.0},
        {"context": 0},
    ],
)
def test_shapes_that_cannot_be(wrong: dict) -> None:
    with pytest.raises(TrainingError) as caught:
        Architecture(**wrong)
    assert caught.value.advice


@pytest.mark.parametrize(
    "wrong", [{"steps": 0}, {"rate": 0.0}, {"rate": math.inf}, {"beta_2": 1.0}, {"seed": -1}]
)
def test_schedules_that_cannot_be(wrong: dict) -> None:
    with pytest.raises(TrainingError):
        Schedule(**wrong)


def test_presets_and_settings_that_there_are_not() -> None:
    with pytest.raises(TrainingError, match="no preset 'gpt5'"):
        preset("gpt5", {})
    with pytest.raises(TrainingError, match="no setting 'lairs'"):
        preset("shakespeare", {"lairs": 2})


def test_the_rate_rises_falls_and_begins_again_low() -> None:
    plan = Schedule(steps=100, warmup=10, rate=1.0, least_rate=0.1, finetune=40, finetune_rate=0.01)
    rates = [plan.rate_at(step) for step in range(plan.total)]
    assert rates[9] == 1.0
    assert all(a < b for a, b in pairwise(rates[:10]))
    assert all(a > b for a, b in pairwise(rates[10:100]))
    assert 0.1 <= rates[99] < 0.101
    assert max(rates[100:]) <= 0.01
    assert min(rates[110:]) >= 0.001


def test_a_text_is_cut_as_nanogpt_cuts_it() -> None:
    text = Text.split(bytes(1_115_394), 256)
    assert (len(text.training), len(text.validation)) == (1_003_854, 111_540)


def test_tokens_are_the_bytes_that_occur() -> None:
    data = b"hello there, world" * 3
    text = Text.split(data, 4, Fraction(1, 3))
    assert text.vocabulary == bytes(sorted(set(data)))
    back = bytes(text.vocabulary[t] for t in np.concatenate([text.training, text.validation]))
    assert back == data
    assert len(text.validation) == len(data) // 3
    assert Text.split(data, 4, Fraction(1, 2)).digest != text.digest


@pytest.mark.parametrize(
    ("size", "part"), [(0, "training"), (20, "validation"), (170, "validation")]
)
def test_a_text_that_is_too_short(size: int, part: str) -> None:
    with pytest.raises(TrainingError, match=f"too short: .* for {part}"):
        Text.split(bytes(size), 17)
    assert len(Text.split(bytes(180), 17).validation) == 18


@pytest.mark.parametrize("count", [2, 8, 9, 10, 17, 18])
def test_windows_predict_every_token_but_the_first_once(count: int) -> None:
    tokens = np.arange(100, 100 + count)
    inputs, targets = windows(tokens, 8)
    counted = targets >= 0
    assert counted.sum() == count - 1
    assert (targets[counted] == tokens[1:]).all()
    assert (inputs[counted] == tokens[:-1]).all()
    assert inputs.shape == targets.shape == (-(-(count - 1) // 8), 8)
