"""``pxos validate``: pictures against NumPy, with their own weights and with files."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from pxos.boot import evaluate_options
from pxos.kernel.machine.cpu.executor import CpuExecutor
from pxos.kernel.machine.program import load, save
from pxos.shell.lenses.networks import Reference, comparison, emit, picture_logits, quantised
from pxos.shell.lenses.networks.importers import chain_app, read_model, text_app
from pxos.shell.lenses.networks.samples import random_mlp, random_transformer
from pxos.shell.lenses.networks.training import save_weights
from tests.shell.lenses.networks.importers import bpe, models

from ..gpu import gpu
from .conftest import Outcome, Pxos

PLACES = ("cpu", "gpu")

TEXT = b"Now is the winter of our discontent\nMade glorious summer by this sun of York;\n"
FLOAT = random_transformer("gpt2", width=32, context=24, seed=4)
NETWORK = quantised(FLOAT)
MLP = quantised(random_mlp(9, 7, 5, activation="silu"), groups=2)
TOKENISER = bpe.train("llama3", 30)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Networks as pictures, and files to compare them with."""
    made = tmp_path_factory.mktemp("pictures")
    (made / "lm.png").write_bytes(save(emit(NETWORK).assemble()))
    (made / "own.npz").write_bytes(save_weights(NETWORK))
    (made / "float.npz").write_bytes(save_weights(FLOAT))
    config, tensors = models.llama(len(TOKENISER.pieces))
    read = read_model(models.write(made / "bpe", config, tensors))
    app = text_app(read.network, replace(TOKENISER, start=(1,)))
    (made / "bpe.png").write_bytes(save(app.assemble()))
    (made / "mlp.png").write_bytes(save(chain_app(MLP).assemble()))
    (made / "mlp.npz").write_bytes(save_weights(MLP))
    (made / "text").write_bytes(TEXT)
    return made


def found(done: Outcome, status: int = 0) -> dict[str, object]:
    assert done.status == status, done.err
    facts = json.loads(done.out)
    assert isinstance(facts, dict)
    return facts


def good(facts: dict[str, object]) -> None:
    assert facts["correlation"] > 0.99999
    assert 0 < facts["largest_error"] < 0.005
    assert facts["agreement"] > 0.98
    assert facts["missed"] == []


def test_a_language_model_and_its_own_weights(pxos: Pxos, folder: Path) -> None:
    drawn = found(pxos("validate", folder / "lm.png", "--json"))
    good(drawn)
    assert drawn["tokens"] == 48
    assert drawn["reference"] == "the picture's own weights"
    words = ["validate", folder / "lm.png", "--text", folder / "text"]
    read = found(pxos(*words, "--json"))
    good(read)
    assert read["tokens"] == len(TEXT)
    assert found(pxos(*words, "--last", "30", "--json"))["tokens"] == 30
    said = pxos(*words).out.splitlines()
    assert said[0] == f"correlation         {read['correlation']:.12f}"
    assert said[3] == f"tokens              {len(TEXT)}"


def test_weights_that_were_kept(pxos: Pxos, folder: Path) -> None:
    words = ["validate", folder / "lm.png", "--text", folder / "text", "--json"]
    own = found(pxos(*words))
    kept = found(pxos(*words, "--reference", folder / "own.npz"))
    assert kept == {**own, "reference": str(folder / "own.npz")}
    # What quantising cost is more than what fixed point costs.
    cost = found(pxos(*words, "--reference", folder / "float.npz"), 1)
    assert cost["missed"] == ["correlation", "largest error"]
    assert cost["largest_error"] > 10 * own["largest_error"]
    bars = ["--least-correlation", "0.99", "--largest-error", "1", "--least-agreement", "0.5"]
    assert pxos(*words, "--reference", folder / "float.npz", *bars).status == 0
    said = pxos(*words[:-1], "--reference", folder / "float.npz", "--least-agreement", "1.1")
    assert said.status == 1
    assert said.out.endswith("missed              correlation, largest error, agreement\n")


def test_logits_that_were_kept(pxos: Pxos, folder: Path, here: Path) -> None:
    tokens = np.array([NETWORK.vocabulary.find(byte) for byte in TEXT])
    pieces = [Reference(NETWORK).logits(tokens[i : i + 24]) for i in range(0, len(tokens), 24)]
    np.save("logits.npy", np.vstack(pieces))
    words = ["validate", folder / "lm.png", "--json", "--reference", "logits.npy"]
    good(found(pxos(*words, "--text", folder / "text")))
    other = pxos(*words, "--text", folder / "text", "--last", "20")
    assert (other.status, other.out) == (1, "")
    assert f"there are logits of {len(TEXT)} tokens, the text has 20" in other.err
    assert pxos(*words).status == 2
    np.save("logits.npy", np.zeros((len(TEXT), 5)))
    assert "logits of shape" in pxos(*words, "--text", folder / "text").err
    np.save("logits.npy", np.full((len(TEXT), NETWORK.tokens), np.nan))
    assert "NaN or infinite" in pxos(*words, "--text", folder / "text").err
    for bad in (np.zeros(3), np.zeros((3, 3), int), np.array([{}], object)):
        np.save("logits.npy", bad, allow_pickle=True)
        done = pxos(*words, "--text", folder / "text")
        assert (done.status, done.out) == (1, "")
        assert "logits.npy" in done.err


def test_an_imported_model_and_its_folder(pxos: Pxos, folder: Path) -> None:
    words = ["validate", folder / "bpe.png", "--json"]
    own = found(pxos(*words))
    good(own)
    # Its weights lie on grids: the original is what the picture has.
    good(found(pxos(*words, "--reference", folder / "bpe")))
    read = found(pxos(*words, "--text", folder / "text"))
    good(read)
    assert read["tokens"] == 1 + len(TOKENISER.encode(TEXT.decode()))


def test_networks_that_look_at_pictures(pxos: Pxos, folder: Path, here: Path) -> None:
    drawn = found(pxos("validate", folder / "mlp.png", "--json"))
    good(drawn)
    assert drawn["pictures"] == 50
    good(found(pxos("validate", folder / "mlp.png", "--json", "--reference", folder / "mlp.npz")))
    shade = np.random.default_rng(1).integers(0, 256, (5, 7), dtype=np.uint8)
    Image.fromarray(shade).save("a.png")
    Image.fromarray(shade[::-1]).save("b.bmp")
    given = pxos("validate", folder / "mlp.png", "--picture", "a.png", "--picture", "b.bmp")
    assert given.status == 0
    assert "pictures            2\n" in given.out


def test_layers_of_an_onnx_file(pxos: Pxos, here: Path) -> None:
    onnx = pytest.importorskip("onnx", reason="onnx is not installed: pip install 'pxos[import]'")
    helper, kind = onnx.helper, onnx.TensorProto.FLOAT
    rng = np.random.default_rng(1)
    arrays = {
        "w1": rng.normal(0, 0.3, (9, 7)),
        "gain": 1 + rng.normal(0, 0.1, 7),
        "bias": rng.normal(0, 0.1, 7),
        "w2": rng.normal(0, 0.3, (7, 5)),
    }
    graph = helper.make_graph(
        [
            helper.make_node("MatMul", ["x", "w1"], ["a"]),
            helper.make_node("LayerNormalization", ["a", "gain", "bias"], ["b"]),
            helper.make_node("MatMul", ["b", "w2"], ["y"]),
        ],
        "g",
        [helper.make_tensor_value_info("x", kind, ("n", 9))],
        [helper.make_tensor_value_info("y", kind, ("n", 5))],
        [onnx.numpy_helper.from_array(a.astype("f4"), name) for name, a in arrays.items()],
    )
    opsets = [helper.make_opsetid("", 20)]
    made = helper.make_model(graph, opset_imports=opsets)
    (here / "it.onnx").write_bytes(made.SerializeToString())
    assert pxos("import", "it.onnx", "-o", "it.png").status == 0
    words = [
        "validate",
        "it.png",
        "--json",
        "--largest-error",
        "0.1",
        "--least-correlation",
        "0.99",
    ]
    facts = found(pxos(*words, "--reference", "it.onnx"))
    assert facts["correlation"] > 0.999
    assert facts["pictures"] == 50
    alone = pxos("validate", "it.png")
    assert (alone.status, alone.out) == (1, "")
    assert "name the model that it was made of with --reference" in alone.err
    other = random_mlp(8, 5)
    (here / "other.npz").write_bytes(save_weights(other))
    wrong = pxos("validate", "it.png", "--reference", "other.npz")
    assert wrong.status == 1
    assert "the network is shown 9 numbers, the reference takes other ones" in wrong.err
    (here / "cut.onnx").write_bytes(made.SerializeToString()[:-50])
    assert pxos("validate", "it.png", "--reference", "cut.onnx").status == 1


def test_the_digits_that_are_shipped(pxos: Pxos, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("PXOS_APPS")
    facts = found(pxos("validate", "digits", "--json"))
    assert facts["correlation"] > 0.99999
    assert 0 < facts["largest_error"] < 0.005
    assert facts["agreement"] == 1


@pytest.mark.parametrize("name", ["lm.png", "mlp.png"])
def test_the_gpu_finds_what_the_cpu_finds(pxos: Pxos, folder: Path, name: str) -> None:
    gpu()
    on_cpu, on_gpu = (found(pxos("validate", folder / name, "--json", "--on", o)) for o in PLACES)
    assert on_gpu == {**on_cpu, "on": "gpu"}


def test_the_picture_that_is_compared_is_the_one_that_runs(folder: Path) -> None:
    """The command's figures are those of the function, for the same text."""
    program = load((folder / "lm.png").read_bytes())
    tokens = np.array([NETWORK.vocabulary.find(byte) for byte in TEXT])
    got = picture_logits(program, CpuExecutor, TEXT)
    wanted = [Reference(NETWORK).logits(tokens[i : i + 24]) for i in range(0, len(tokens), 24)]
    assert comparison.compare(got, np.vstack(wanted)).passes


def test_the_bars_are_those_of_the_lens() -> None:
    assert comparison.LEAST_CORRELATION == evaluate_options.LEAST_CORRELATION
    assert comparison.GREATEST_ERROR == evaluate_options.GREATEST_ERROR


@pytest.mark.parametrize(
    ("words", "status", "message"),
    [
        (["still"], 1, "this picture is no network of the model builder"),
        (["absent"], 2, "there is no program 'absent'"),
        (["{}/lm.png", "--picture", "a.png"], 2, "this network reads text"),
        (["{}/mlp.png", "--text", "{}/text"], 2, "this network looks at pictures"),
        (["{}/mlp.png", "--picture", "absent.png"], 1, "absent.png"),
        (["{}/mlp.png", "--picture", "{}/text"], 1, "text"),
        (["{}/mlp.png", "--reference", "{}/own.npz"], 1, "the weights are of no MLP"),
        (["{}/lm.png", "--reference", "{}/mlp.npz"], 1, "the weights are of no language model"),
        (["{}/lm.png", "--reference", "{}/text"], 1, "this is no file of weights"),
        (["{}/lm.png", "--reference", "absent.npz"], 1, "the file of weights cannot be read"),
        (["{}/lm.png", "--reference", "."], 1, "config.json"),
        (["{}/lm.png", "--reference", "cut.npz"], 1, "file of weights"),
        (["{}/lm.png", "--reference", "short.npz"], 1, "the reference sees 20 tokens, the picture"),
        (["{}/lm.png", "--reference", "nan.npz"], 1, "embedding holds NaN"),
        (["{}/lm.png", "--reference", "cut.npy", "--text", "{}/text"], 1, "this is no .npy file"),
        (["{}/lm.png", "--text", "none"], 1, "no character that the network knows"),
        (["{}/lm.png", "--largest-error", "nan"], 2, "is no number"),
        (["{}/lm.png", "--on", "auto"], 2, "invalid choice"),
    ],
)
def test_what_cannot_be_compared(
    pxos: Pxos, folder: Path, here: Path, words: list[str], status: int, message: str
) -> None:
    (here / "none").write_text("éé")
    (here / "cut.npz").write_bytes((folder / "own.npz").read_bytes()[:-100])
    (here / "cut.npy").write_bytes(b"\x93NUMPY")
    short = random_transformer("gpt2", width=32, context=20)
    (here / "short.npz").write_bytes(save_weights(short))
    broken = replace(FLOAT, embedding=np.full_like(FLOAT.embedding, np.nan))
    (here / "nan.npz").write_bytes(save_weights(broken))
    done = pxos("validate", *(word.format(folder) for word in words))
    assert (done.status, done.out) == (status, "")
    assert message in done.err
    assert done.err.startswith("pxos: ")
