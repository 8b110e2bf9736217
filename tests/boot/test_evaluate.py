"""``pxos eval``: loss, bits per character and speed of a picture, and what is no text for it."""

from __future__ import annotations

import io
import json
import math
import sys
from pathlib import Path

import numpy as np
import pytest

from pxos.boot import judging
from pxos.kernel.machine.program import save
from pxos.shell.lenses.networks import Reference, emit, quantised
from pxos.shell.lenses.networks.importers import chain_app, read_model, text_app
from pxos.shell.lenses.networks.samples import random_mlp, random_transformer
from tests.shell.lenses.networks.importers import bpe, models

from .conftest import Pxos

TEXT = "Now is the winter of our discontent\nMade glorious summer by this sun of York;\n" * 2
NETWORK = quantised(random_transformer("llama", width=32, context=24, seed=4))
TOKENISER = bpe.train("llama3", 30)
WHY = "scikit-learn is not installed: make test-train"


@pytest.fixture(scope="module")
def pictures(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two networks that write text, and one that looks at pictures."""
    folder = tmp_path_factory.mktemp("pictures")
    (folder / "lm.png").write_bytes(save(emit(NETWORK).assemble()))
    config, tensors = models.llama(len(TOKENISER.pieces))
    read = read_model(models.write(folder / "bpe", config, tensors))
    (folder / "bpe.png").write_bytes(save(text_app(read.network, TOKENISER).assemble()))
    (folder / "mlp.png").write_bytes(save(chain_app(random_mlp(9, 7, 5)).assemble()))
    return folder


def losses(network: object, tokens: np.ndarray) -> np.ndarray:
    """By NumPy, in windows of the context."""
    found = []
    for i in range(0, len(tokens) - 1, network.context):
        part = tokens[i : i + network.context + 1]
        logits = Reference(network).logits(part[:-1]).astype(np.float64)
        total = np.log(np.exp(logits).sum(axis=1))
        found.append(total - logits[np.arange(len(logits)), part[1:]])
    return np.concatenate(found)


def test_characters(pxos: Pxos, pictures: Path, here: Path) -> None:
    (here / "text").write_bytes(TEXT.encode() + "é".encode())
    done = pxos("eval", pictures / "lm.png", "text", "--json")
    assert (done.status, done.err) == (0, "")
    facts = json.loads(done.out)
    tokens = np.array([NETWORK.vocabulary.find(byte) for byte in TEXT.encode()])
    wanted = losses(NETWORK, tokens)
    assert facts["loss"] == pytest.approx(wanted.mean(), abs=1e-3)
    assert facts["bits_per_character"] == pytest.approx(facts["loss"] / math.log(2))
    assert facts["tokens"] == facts["characters"] == len(TEXT) - 1
    assert (facts["left_out"], facts["window"], facts["on"]) == (2, 24, "cpu")
    assert facts["tokens_a_second"] > 1
    last = json.loads(pxos("eval", pictures / "lm.png", "text", "--last", 32, "--json").out)
    assert last["loss"] == pytest.approx(losses(NETWORK, tokens[-30:]).mean(), abs=1e-3)
    said = pxos("eval", pictures / "lm.png", "text").out.splitlines()
    assert said[0] == f"loss                {facts['loss']:.4f} nats a token"
    assert said[2] == f"tokens              {len(TEXT) - 1}, read in windows of 24"


def test_standard_input(
    pxos: Pxos, pictures: Path, here: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (here / "text").write_bytes(TEXT.encode())
    named = json.loads(pxos("eval", pictures / "lm.png", "text", "--json").out)
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(TEXT.encode())))
    piped = json.loads(pxos("eval", pictures / "lm.png", "-", "--json").out)
    assert {**piped, "tokens_a_second": 0} == {**named, "tokens_a_second": 0}
    monkeypatch.setattr(judging, "MOST_TEXT", 8)
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(TEXT.encode())))
    long = pxos("eval", pictures / "lm.png", "-")
    assert (long.status, long.out) == (1, "")
    assert "a text has at most" in long.err
    assert "a text has at most" in pxos("eval", pictures / "lm.png", "text").err


def test_tokens_of_several_characters(pxos: Pxos, pictures: Path, here: Path) -> None:
    text = "The theme, naïve; 東京 banana"
    (here / "text").write_bytes(text.encode())
    facts = json.loads(pxos("eval", pictures / "bpe.png", "text", "--json").out)
    network = quantised(read_model(pictures / "bpe").network)
    wanted = losses(network, np.array(TOKENISER.encode(text)))
    assert facts["tokens"] == len(wanted)
    assert facts["loss"] == pytest.approx(wanted.mean(), abs=1e-3)
    bits = wanted.sum() / math.log(2)
    assert facts["bits_per_character"] == pytest.approx(bits / len(text), abs=1e-3)
    assert facts["left_out"] == 0


def test_digits_that_training_held_out(pxos: Pxos, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("sklearn", reason=WHY)
    monkeypatch.delenv("PXOS_APPS")
    done = pxos("eval", "digits", "--json")
    assert done.status == 0
    facts = json.loads(done.out)
    assert facts["digits"] == 359
    assert facts["accuracy"] == facts["right"] / 359 >= 0.985
    assert 0 < facts["loss"] < 0.2
    assert pxos("eval", "digits", "text").status == 2


@pytest.mark.parametrize(
    ("words", "status", "message"),
    [
        (["absent.png", "text"], 1, "no such program file"),
        (["{}/lm.png", "absent"], 1, "the text cannot be read, no such file"),
        (["{}/lm.png", "."], 1, "the text cannot be read, is a directory"),
        (["{}/lm.png", "one"], 1, "the text is too short"),
        (["{}/lm.png", "none"], 1, "the text has no character that the network knows"),
        (["{}/lm.png", "empty"], 1, "the text has no character that the network knows"),
        (["{}/bpe.png", "empty"], 1, "the text has no character that the network knows"),
        (["{}/lm.png"], 2, "which text?"),
        (["{}/lm.png", "text", "--last", "1"], 2, "--last"),
        (["{}/lm.png", "text", "--seed", "3"], 2, "only digits are held out by a seed"),
        (["{}/mlp.png", "text"], 1, "this network looks at pictures"),
        (["still", "text"], 1, "this picture is no network that judges texts"),
        (["cut.png", "text"], 1, "cut.png"),
        (["text.png", "text"], 1, "text.png"),
        ([], 2, "MODEL"),
    ],
)
def test_what_cannot_be_evaluated(
    pxos: Pxos, pictures: Path, here: Path, words: list[str], status: int, message: str
) -> None:
    (here / "text").write_text(TEXT)
    (here / "text.png").write_text(TEXT)
    (here / "one").write_text("a")
    (here / "none").write_text("éé")
    (here / "empty").write_text("")
    (here / "cut.png").write_bytes((pictures / "lm.png").read_bytes()[:-900])
    done = pxos("eval", *(word.format(pictures) for word in words))
    assert (done.status, done.out) == (status, "")
    assert message in done.err
    assert done.err.startswith("pxos: ")


def test_a_terminal_shows_how_far_it_is(
    pxos: Pxos, pictures: Path, here: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(judging, "_PAUSE", 0.0)
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    (here / "text").write_text(TEXT)
    done = pxos("eval", pictures / "lm.png", "text")
    assert done.status == 0
    assert f"\r24 of {len(TEXT) - 1} tokens, " in done.err
    assert f"\r{len(TEXT) - 1} of {len(TEXT) - 1} tokens, " in done.err
    assert done.err.endswith("0 s left\x1b[K\r\x1b[K")


def test_an_interrupt_takes_the_line_away(
    pxos: Pxos, pictures: Path, here: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted(self: object, many: int) -> None:
        shown(self, many)
        raise KeyboardInterrupt

    shown = judging.Countdown.count
    monkeypatch.setattr(judging, "_PAUSE", 0.0)
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    monkeypatch.setattr(judging.Countdown, "count", interrupted)
    (here / "text").write_text(TEXT)
    done = pxos("eval", pictures / "lm.png", "text")
    assert (done.status, done.out) == (130, "")
    assert done.err.endswith("\r\x1b[K")


def test_a_gpu_that_is_not_there(
    pxos: Pxos, pictures: Path, here: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from pxos.kernel.placement import NoGpuError

    def absent() -> object:
        raise NoGpuError("there is no GPU", "get one")

    monkeypatch.setattr("pxos.boot.gpu.open_backend", absent)
    (here / "text").write_text(TEXT)
    done = pxos("eval", pictures / "lm.png", "text", "--on", "gpu")
    assert (done.status, done.err) == (1, "pxos: there is no GPU (--on gpu); get one\n")
