"""docs/importing.md says what the importers' tables say."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from pxos.boot import cli
from pxos.shell.lenses.networks.importers import (
    common,
    onnx_constants,
    onnx_model,
    safetensors_file,
    safetensors_model,
)

PAGE = (Path(__file__).resolve().parents[2] / "docs" / "importing.md").read_text("utf-8")


def row(name: str) -> str:
    """The row of the table of what is supported."""
    (found,) = re.findall(rf"^\| {re.escape(name)} \|.*$", PAGE, re.MULTILINE)
    return found


def ticked(text: str) -> list[str]:
    return re.findall(r"`([^`]+)`", text)


def test_families_and_activations() -> None:
    assert ticked(row("`model_type`"))[1:] == list(safetensors_model.FAMILIES)
    assert ticked(row("activations")) == list(safetensors_model.ACTIVATIONS)


def test_weights() -> None:
    said = row("weights")
    assert f"at most {common.MAX_WEIGHTS:,} of them" in said
    supported = said.split("|")[2].split(";")[0].replace(" ", "").split(",")
    assert sorted(supported) == sorted(safetensors_file.FLOATS)
    assert f"at most {safetensors_model.DEFAULT_CONTEXT}:" in PAGE


def test_operators() -> None:
    section = PAGE.partition("## ONNX files")[2].partition("\n- ")[0]
    wanted = re.findall(r"[A-Z]\w+", onnx_model.SUPPORTED.replace("in GELU and SiLU", ""))
    assert sorted(name for name in ticked(section)) == sorted(wanted)
    folded = set(ticked(PAGE.partition("computed beforehand is")[2].partition("\n- ")[0]))
    also = {"Constant", "Shape"}
    assert folded - also <= set(onnx_constants.FOLDED)
    assert set(onnx_constants.FOLDED) - folded <= set(wanted)  # those are named above
    assert f"Operators of version {onnx_model.OLDEST_OPSET} and newer" in PAGE


def test_options(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        cli.main(["import", "--help"])
    known = set(re.findall(r"(?<![\w-])--?[a-z][a-z-]*", capsys.readouterr().out)) - {
        "-h",
        "--help",
    }
    table = PAGE.partition("| option |")[2].partition("\n\n")[0]
    named = set(re.findall(r"`(--?[a-z][a-z-]*)", table))
    assert named == known
