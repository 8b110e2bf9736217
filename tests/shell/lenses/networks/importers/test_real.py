"""Against what Hugging Face's own tools made and found: the files in ``real/``.

Made by tokenizers 0.23.3 and transformers 5.24.0 from nothing: tokenisers trained on a part of
tinyshakespeare and of this repository, models of random weights.  ``tokens.json`` has texts and the
tokens that each tokeniser gives them; a model's ``wanted.npz`` tokens and float32 logits.
"""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path

import numpy as np
import pytest

from pxos.kernel.machine.cpu.executor import CpuExecutor
from pxos.shell.lenses.networks import Reference, quantised
from pxos.shell.lenses.networks.importers import Tokeniser, read_model, read_tokeniser, text_app
from pxos.shell.lenses.networks.validate import run, words_of

from . import bpe

REAL = Path(__file__).resolve().parent / "real"
KEPT = json.loads((REAL / "tokens.json").read_text("utf-8"))


@cache
def tokeniser(name: str) -> Tokeniser:
    return read_tokeniser(REAL / f"{name}.json", 1000)


def test_what_was_read() -> None:
    assert [tokeniser(name).rule for name in KEPT["tokens"]] == [
        "gpt2",
        "llama3",
        "gpt2-digits",
        "marks",
    ]
    assert tokeniser("llama3").whole_words
    assert tokeniser("llama3").start == (0,)
    assert (tokeniser("llama2").prefix, tokeniser("llama2").start) == ("always", (1,))


@pytest.mark.parametrize("name", KEPT["tokens"])
def test_tokens(name: str) -> None:
    read = tokeniser(name)
    for text, wanted in zip(KEPT["texts"], KEPT["tokens"][name], strict=True):
        assert [*read.start, *read.encode(text)] == wanted, repr(text)


@pytest.mark.parametrize("name", KEPT["tokens"])
def test_tokens_in_the_picture(name: str) -> None:
    read = tokeniser(name)
    picture = bpe.Picture(read)
    for text, wanted in zip(KEPT["texts"], KEPT["tokens"][name], strict=True):
        assert [*read.start, *picture(text.encode())[0]] == wanted, repr(text)


@pytest.mark.parametrize("name", ["llama", "gpt2"])
def test_logits(name: str) -> None:
    network = read_model(REAL / name).network
    with np.load(REAL / name / "wanted.npz") as kept:
        got, wanted = Reference(network).logits(kept["tokens"]), kept["logits"]
    assert np.abs(got - wanted).max() < 1e-4
    assert np.abs(wanted).max() > 1


@pytest.mark.parametrize("name", ["llama", "gpt2"])
def test_logits_in_the_picture(name: str) -> None:
    """Both have 24 tokens: letters and a line's end."""
    read = read_model(REAL / name)
    letters = [bytes([byte]) for byte in b"abcdefghijklmnopqrstuvw\n"]
    numbers = tuple(letters.index(bytes([b])) if bytes([b]) in letters else 0 for b in range(256))
    made = Tokeniser(tuple(letters), (), numbers, rule="whole")
    program = text_app(read.network, made).assemble()
    with np.load(REAL / name / "wanted.npz") as kept:
        tokens, wanted = kept["tokens"], kept["logits"]
    text = b"".join(letters[token] for token in tokens)
    (picture,) = run(program, CpuExecutor, arguments={"mode": "logits"}, text=text).pictures
    got = words_of(picture) / 65536
    own = Reference(quantised(read.network)).logits(tokens)
    assert np.abs(got - own).max() < 0.005
    # Bytes cost more than fixed point; the original is near all the same.
    assert np.corrcoef(got.ravel(), wanted.ravel())[0, 1] > 0.999
