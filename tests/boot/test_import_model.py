"""``pxos import``: from files on disk to a picture that writes, and what may be wrong."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from pxos.boot import cli
from pxos.boot.import_model import METHODS
from pxos.kernel.machine import program as program_file
from pxos.shell.lenses.networks.quantise import METHODS as QUANTISERS
from tests.shell.lenses.networks.importers import bpe, models

TOKENISER = bpe.train("llama3", 30)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    config, tensors = models.llama(len(TOKENISER.pieces))
    made = models.write(tmp_path / "tiny-1.5", config, tensors, shards=2)
    (made / "tokenizer.json").write_text(json.dumps(bpe.byte_level_json(TOKENISER)))
    return made


def test_a_language_model_writes(
    folder: Path, tmp_path: Path, capfdbinary: pytest.CaptureFixture[bytes]
) -> None:
    picture, sources = tmp_path / "tiny.png", tmp_path / "sources"
    words = ["import", str(folder), "-o", str(picture), "--sources", str(sources)]
    assert cli.main([*words, "--method", "min-max", "--context", "20"]) == 0
    assert b"tiny.png" in capfdbinary.readouterr().err
    assert (sources / "tiny.pxa").read_text().startswith('title   "Tiny"')
    assert cli.main(["asm", str(sources / "tiny.pxa"), "-o", str(tmp_path / "again.png")]) == 0
    assert (tmp_path / "again.png").read_bytes() == picture.read_bytes()
    written = []
    for _ in range(2):
        run = ["run", str(picture), "The theme", "--tokens", "6", "--seed", "7"]
        assert cli.main(run) == 0
        written.append(capfdbinary.readouterr().out)
    assert written[0] == written[1]
    assert written[0].startswith(b"The theme")
    assert len(written[0]) > len(b"The theme")


def test_its_text_is_drawn(folder: Path, tmp_path: Path) -> None:
    picture, shot = tmp_path / "tiny.png", tmp_path / "shot.png"
    assert cli.main(["import", str(folder), "-o", str(picture)]) == 0
    words = ["--headless", "--frames", "60", "--screenshot", str(shot)]
    assert cli.main(["run", *words, str(picture), "grüße\nThe theme", "--tokens", "0"]) == 0
    shown = np.asarray(Image.open(shot).convert("L")) > 128
    assert shown.shape == (320, 320)
    lines, columns = shown.reshape(20, 16, -1), shown.reshape(320, -1, 8)
    assert list(np.flatnonzero(lines.any(axis=(1, 2)))) == [0, 1]
    assert list(np.flatnonzero(columns[:16].any(axis=(0, 2)))) == [*range(5)]
    assert list(np.flatnonzero(columns[16:32].any(axis=(0, 2)))) == [0, 1, 2, 4, 5, 6, 7, 8]


def test_of_a_long_prompt_it_says_what_it_reads(
    folder: Path, tmp_path: Path, capfdbinary: pytest.CaptureFixture[bytes]
) -> None:
    picture, prompt = tmp_path / "tiny.png", "the theme of them " * 9
    assert cli.main(["import", str(folder), "-o", str(picture), "--context", "20"]) == 0
    capfdbinary.readouterr()
    for text, note in (("the", b""), (prompt, b"pxos: tiny reads the last 20 tokens of that\n")):
        assert cli.main(["run", str(picture), text, "--tokens", "1"]) == 0
        assert capfdbinary.readouterr().err == note


def test_without_names_for_a_window_it_says_so(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    config, tensors = models.gpt2(len(TOKENISER.pieces))
    made = models.write(tmp_path / "small", config, tensors)
    (made / "tokenizer.json").write_text(json.dumps(bpe.byte_level_json(TOKENISER)))
    note = "pxos: it has no window: its matrices leave too few names for one; fewer --groups"
    for groups, said in ((1, False), (3, True)):
        picture = tmp_path / f"{groups}.png"
        words = ["import", str(made), "-o", str(picture), "--groups", str(groups)]
        assert cli.main(words) == 0
        assert (note in capfd.readouterr().err) is said
        drawn = "screen" in program_file.load(picture.read_bytes()).meta.ports
        assert drawn is not said


def test_groups_of_rows(folder: Path, tmp_path: Path) -> None:
    picture = tmp_path / "tiny.png"
    assert cli.main(["import", str(folder), "-o", str(picture), "--groups", "2"]) == 0
    assert picture.stat().st_size > 1000


def test_more_groups_than_fit(
    folder: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    picture = tmp_path / "tiny.png"
    assert cli.main(["import", str(folder), "-o", str(picture), "--groups", "8"]) == 1
    assert "ask for fewer --groups" in capfd.readouterr().err
    assert not picture.exists()


def test_the_methods_are_those_of_the_quantiser() -> None:
    assert set(METHODS) == set(QUANTISERS)


def test_what_cannot_be_written(
    folder: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "file").write_text("")
    for words, message in (
        (["-o", str(tmp_path)], "this is a folder; name a file with -o"),
        (["-o", str(tmp_path / "absent" / "it.png")], "there is no folder"),
        (["-o", str(tmp_path / "it.png"), "--sources", str(tmp_path / "file")], "go to a folder"),
    ):
        assert cli.main(["import", str(folder), *words]) == 2
        said = capfd.readouterr().err
        assert said.startswith("pxos: ")
        assert message in said.replace(f" ({tmp_path})", "")
    assert not (tmp_path / "it.png").exists()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda f: _damage(f, lambda data: data[:-5]), "ends before its tensors do"),
        (lambda f: _damage(f, lambda data: b"PK\3\4" + data[4:]), "safetensors"),
        (lambda f: _damage(f, lambda data: b""), "ends inside its header"),
        (lambda f: _damage(f, lambda data: _put_nan(data)), "holds nan at"),
        (lambda f: (f / "config.json").write_text("{"), "no JSON that can be read"),
        (lambda f: (f / "config.json").write_bytes(b"\x89PNG"), "no JSON that can be read"),
        (lambda f: (f / "tokenizer.json").write_text("{}"), "tokenizer.json has no model"),
        (lambda f: (f / "tokenizer.json").write_text('{"model'), "no JSON that can be read"),
    ],
)
def test_damaged_and_foreign_files(
    folder: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str], change: Any, message: str
) -> None:
    change(folder)
    picture, sources = tmp_path / "it.png", tmp_path / "sources"
    words = ["import", str(folder), "-o", str(picture), "--sources", str(sources)]
    assert cli.main(words) == 1
    said = capfd.readouterr().err
    assert message in said
    assert "Traceback" not in said
    assert not picture.exists()
    assert not sources.exists()


def _damage(folder: Path, change: Callable[[bytes], bytes]) -> None:
    path = min(folder.glob("*.safetensors"))
    path.write_bytes(change(path.read_bytes()))


def _put_nan(data: bytes) -> bytes:
    return data[:-4] + np.float32(np.nan).tobytes()


def test_a_model_names_its_picture(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(folder.parent)
    assert cli.main(["import", "tiny-1.5"]) == 0
    assert Path("tiny-1.5.png").is_file()


def test_an_onnx_model(tmp_path: Path, capfdbinary: pytest.CaptureFixture[bytes]) -> None:
    onnx = pytest.importorskip("onnx", reason="onnx is not installed: pip install 'pxos[import]'")
    helper, kind = onnx.helper, onnx.TensorProto.FLOAT
    weight = np.zeros((6, 3), np.float32)
    weight[[1, 4], [0, 2]] = 1
    graph = helper.make_graph(
        [helper.make_node("MatMul", ["x", "w"], ["y"])],
        "g",
        [helper.make_tensor_value_info("x", kind, ("n", 6))],
        [helper.make_tensor_value_info("y", kind, ("n", 3))],
        [onnx.numpy_helper.from_array(weight, "w")],
    )
    model = tmp_path / "it.onnx"
    model.write_bytes(helper.make_model(graph).SerializeToString())
    picture = tmp_path / "it.png"
    assert cli.main(["import", str(model), "-o", str(picture), "--input", "2x3"]) == 0
    shade = np.zeros((2, 3), np.uint8)
    shade[1, 1] = 255
    Image.fromarray(shade).save(tmp_path / "photo.png")
    capfdbinary.readouterr()
    assert cli.main(["run", str(picture), "-i", str(tmp_path / "photo.png")]) == 0
    assert capfdbinary.readouterr().out == b"2\n"
    assert cli.main(["import", str(model), "-o", str(picture), "--input", "5x5"]) == 1
    assert b"5 x 5 has not the 6 inputs" in capfdbinary.readouterr().err
    assert cli.main(["import", str(model), "--context", "5"]) == 2
    assert cli.main(["import", str(model), "-o", str(model)]) == 2


@pytest.mark.parametrize(
    ("name", "status", "message"),
    [
        ("absent", 2, "a model is a folder with config.json"),
        ("model.safetensors", 2, "name the folder"),
        ("model.pt", 2, "pickles are not read, since they can run code"),
        ("model.bin", 2, "save the model as safetensors"),
        ("empty", 1, "config.json"),
        ("absent.onnx", 1, "there is no file"),
    ],
)
def test_what_is_no_model(
    tmp_path: Path, capfd: pytest.CaptureFixture[str], name: str, status: int, message: str
) -> None:
    pytest.importorskip("onnx", reason="onnx is not installed: pip install 'pxos[import]'")
    (tmp_path / "empty").mkdir()
    picture = tmp_path / "it.png"
    assert cli.main(["import", str(tmp_path / name), "-o", str(picture)]) == status
    assert message in capfd.readouterr().err
    assert not picture.exists()


def test_tokenisers_that_are_missing_or_do_not_match(
    folder: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    other = bpe.byte_level_json(bpe.train("gpt2", 60))
    (tmp_path / "other.json").write_text(json.dumps(other))
    words = ["import", str(folder), "-o", str(tmp_path / "it.png")]
    assert cli.main([*words, "--tokenizer", str(tmp_path / "other.json")]) == 1
    assert "other.json does not match the model" in capfd.readouterr().err
    (folder / "tokenizer.json").unlink()
    assert cli.main(words) == 1
    assert "name one with --tokenizer" in capfd.readouterr().err
    assert cli.main([*words, "--input", "3x3"]) == 2
    assert not (tmp_path / "it.png").exists()


@pytest.mark.parametrize(
    "words", [["--groups", "0"], ["--input", "3"], ["--input", "0x3"], ["--method", "most"], []]
)
def test_options_that_are_wrong(words: list[str], capfd: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["import", *(["model"] if words else []), *words]) == 2
    assert capfd.readouterr().err
