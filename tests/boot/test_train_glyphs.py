"""``pxos train glyphs``, and ``pxos eval`` and ``pxos validate`` of what it makes."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from pxos.boot.judge_glyphs import font
from pxos.shell.lenses.networks.training import load_weights

from .conftest import TINY, Pxos


def test_a_text_becomes_a_picture_that_reads_pictures(pxos: Pxos, text: Path, here: Path) -> None:
    pytest.importorskip("torch", reason="PyTorch is not installed: make test-train")
    command = ["train", "glyphs", text, "-o", "g.png", *TINY, "--weights", "g.npz"]
    done = pxos(*command, "--sources", here / "g", "--title", "To be")
    assert (done.status, done.out) == (0, "")
    assert "glyphs/s" in done.err
    network, facts = load_weights((here / "g.npz").read_bytes())
    assert network.glyphs is not None
    assert network.glyphs.shape == (len(set(text.read_bytes())), 128)
    # The picture again from the weights, from the sources, and from itself.
    made = (here / "g.png").read_bytes()
    assert pxos("asm", "g/g.pxa", "-o", "again.png").status == 0
    assert (here / "again.png").read_bytes() == made
    for source in ("g.npz", "again.png"):
        (here / "g.png").unlink()
        assert pxos("train", "build", source, "-o", "g.png", "--title", "To be").status == 0
        assert (here / "g.png").read_bytes() == made
    # What it writes.
    assert pxos("run", "text", "to be", "-o", "in.png").status == 0
    words = ["--count", "20", "--seed", "5"]
    assert pxos("run", "g.png", *words, "-i", "in.png", "-o", "out.png").status == 0
    assert (here / "out.png").is_file()
    # What it knows, by the machine and by PyTorch.
    cut = len(text.read_bytes()) - int(len(text.read_bytes()) * 0.9)
    judged = pxos("eval", "g.png", text, "--last", cut, "--json")
    assert judged.status == 0
    found = json.loads(judged.out)
    assert found["glyphs"] == cut - 1
    assert found["left_out"] == 0
    assert found["loss"] == pytest.approx(facts["losses"]["fine-tuned"]["loss"], abs=2e-4)
    for reference in ([], ["--reference", "g.npz"], ["--text", text, "--last", "40"]):
        compared = pxos("validate", "g.png", *reference, "--json")
        assert compared.status == 0
        assert json.loads(compared.out)["missed"] == []


def test_characters_that_are_no_ascii_are_refused(pxos: Pxos, text: Path) -> None:
    text.write_text(text.read_text() + "é")
    done = pxos("train", "glyphs", text, "-o", "g.png", *TINY)
    assert done.status == 1
    assert "no letters of the font: b'\\xa9\\xc3' (" in done.err
    text.write_bytes(text.read_bytes() + bytes(range(128, 256)))
    done = pxos("train", "glyphs", text, "-o", "g.png", *TINY)
    assert "\\x8b' and 116 more (" in done.err


def test_eval_says_what_it_needs(pxos: Pxos, here: Path) -> None:
    done = pxos("eval", "glyphs")
    assert done.status == 2
    assert "pxos eval glyphs TEXT" in done.err
    (here / "short.txt").write_text("a@")
    done = pxos("eval", "glyphs", "short.txt")
    assert done.status == 1
    assert "too short" in done.err


def test_a_text_without_glyphs_it_knows(pxos: Pxos, here: Path) -> None:
    (here / "foreign.txt").write_bytes(b"\xe6\x97\xa5")
    done = pxos("validate", "glyphs", "--text", "foreign.txt")
    assert (done.status, done.out) == (1, "")
    assert "the text has no character whose glyph the network knows (foreign.txt)" in done.err


def test_the_glyphs_of_characters_differ() -> None:
    shown = font()
    assert shown.shape == (256, 128)
    letters = shown[[10, *range(32, 127)]]
    assert len(np.unique(letters, axis=0)) == len(letters)
