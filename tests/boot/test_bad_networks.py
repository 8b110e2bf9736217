"""What may be wrong with a network or with what it is given, on every way through pxOS: a clear
error or the fallback that the docs state, and nothing half written."""

from __future__ import annotations

import io
import string
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from pxos.kernel.machine.program import load, save
from pxos.shell.lenses.networks import emit, quantised
from pxos.shell.lenses.networks.samples import random_mlp, random_transformer
from pxos.shell.lenses.networks.training import save_weights

from .conftest import Pxos

#: Every character is printable: standard output is compared as it is.
VOCABULARY = string.ascii_letters.encode() + b" ,.\n"
NETWORK = random_transformer("gpt2", width=32, context=24, seed=4, vocabulary=VOCABULARY)


@pytest.fixture(scope="module")
def picture() -> bytes:
    return save(emit(quantised(NETWORK)).assemble())


def test_groups_that_leave_no_window_are_told(pxos: Pxos, here: Path) -> None:
    (here / "w.npz").write_bytes(save_weights(NETWORK))
    note = "pxos: it has no window: its matrices leave too few names for one; fewer --groups"
    for groups, told in ((1, False), (2, True)):
        done = pxos("train", "build", "w.npz", "-o", "w.png", "--groups", str(groups))
        assert done.status == 0
        assert (note in done.err) is told
        made = load((here / "w.png").read_bytes())
        assert ("screen" in made.meta.ports) is not told


# ---- weights -------------------------------------------------------------------------------------


def npz(**arrays: np.ndarray) -> bytes:
    buffer = io.BytesIO()
    np.savez(buffer, **arrays)
    return buffer.getvalue()


def spoiled(value: float) -> bytes:
    embedding = NETWORK.embedding.copy()
    embedding[3, 2] = value
    return save_weights(replace(NETWORK, embedding=embedding))


def misshapen() -> bytes:
    return save_weights(replace(NETWORK, positions=NETWORK.positions[:, :-1]))


WEIGHTS: dict[str, tuple[Callable[[], bytes], str]] = {
    "NaN": (lambda: spoiled(np.nan), "embedding holds NaN or infinite weights"),
    "infinite": (lambda: spoiled(-np.inf), "embedding holds NaN or infinite weights"),
    "another shape": (misshapen, "positions is 24 x 31"),
    "another vocabulary": (
        lambda: save_weights(replace(NETWORK, vocabulary=VOCABULARY[:-1])),
        "a vocabulary of 55 bytes for 56 tokens",
    ),
    "cut off": (lambda: save_weights(NETWORK)[:-200], "file of weights"),
    "empty": (lambda: b"", "file of weights"),
    "a text": (lambda: b"ROMEO: but soft", "file of weights"),
    "other arrays": (lambda: npz(a=np.zeros(3)), "file of weights"),
    "objects": (lambda: npz(a=np.array([{}], object)), "file of weights"),
    "an MLP that reads no digits": (
        lambda: save_weights(random_mlp(9, 5)),
        "an MLP of 9 inputs and 5 outputs reads no digits",
    ),
}


@pytest.mark.parametrize("name", WEIGHTS)
def test_weights_that_become_no_picture(pxos: Pxos, here: Path, name: str) -> None:
    make, message = WEIGHTS[name]
    (here / "w.npz").write_bytes(make())
    done = pxos("train", "build", "w.npz", "-o", "w.png", "--sources", "sources")
    assert (done.status, done.out) == (1, "")
    assert message in done.err
    assert done.err.startswith("pxos: ")
    assert "w.npz" in done.err
    assert "pickle.load" not in done.err  # which would run what a stranger put into the file
    assert sorted(path.name for path in here.iterdir()) == ["w.npz"]


# ---- pictures ------------------------------------------------------------------------------------


def flipped(data: bytes) -> bytes:
    """One bit of the weights is another, and every checksum of the file is right."""
    with Image.open(io.BytesIO(data)) as image:
        pixels = np.asarray(image).copy()
    pixels[pixels.shape[0] // 2, pixels.shape[1] // 2, 1] ^= 4
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, "PNG")
    return buffer.getvalue()


def compressed(data: bytes) -> bytes:
    with Image.open(io.BytesIO(data)) as image:
        buffer = io.BytesIO()
        image.convert("RGB").save(buffer, "JPEG")
    return buffer.getvalue()


PICTURES: dict[str, Callable[[bytes], bytes]] = {
    "cut off": lambda data: data[:-700],
    "cut off in its header": lambda data: data[:20],
    "empty": lambda data: b"",
    "a text": lambda data: b"ROMEO: but soft",
    "weights": lambda data: save_weights(NETWORK),
    "a bit flipped": flipped,
    "a JPEG": compressed,
}


@pytest.mark.parametrize("name", PICTURES)
@pytest.mark.parametrize("command", ["run", "eval", "validate"])
def test_pictures_that_are_no_networks(
    pxos: Pxos, here: Path, picture: bytes, command: str, name: str
) -> None:
    (here / "it.png").write_bytes(PICTURES[name](picture))
    (here / "text").write_text("Now is the winter")
    words = {"run": ["Now"], "eval": ["text"], "validate": ["--text", "text"]}[command]
    done = pxos(command, "it.png", *words)
    assert (done.status, done.out) == (1, "")
    assert "it.png" in done.err
    assert "Traceback" not in done.err


# ---- what a good network is given ----------------------------------------------------------------


def test_of_a_long_prompt_the_end_is_read(pxos: Pxos, here: Path, picture: bytes) -> None:
    (here / "it.png").write_bytes(picture)
    end = "made glorious summer by this sun"[-24:]
    how = ["--tokens", "12", "--temperature", "0"]
    long = pxos("run", "it.png", "Now is the winter of our discontent " * 3 + end, *how)
    short = pxos("run", "it.png", end, *how)
    assert long.status == short.status == 0
    assert short.out.startswith(end)
    assert long.out.endswith(short.out)


def test_characters_that_were_never_learnt_are_left_out(
    pxos: Pxos, here: Path, picture: bytes
) -> None:
    (here / "it.png").write_bytes(picture)
    how = ["--tokens", "12", "--temperature", "0"]
    strange = pxos("run", "it.png", "Now is (19) thé winter", *how)
    plain = pxos("run", "it.png", "Now is  th winter", *how)
    assert strange.status == plain.status == 0
    assert strange.out == plain.out
    # Where nothing is left, it begins a line, as without a prompt.
    nothing = pxos("run", "it.png", "123", *how)
    assert nothing.status == 0
    assert nothing.out == pxos("run", "it.png", *how).out


@pytest.mark.parametrize("mode", ["logits", "loss"])
def test_a_text_without_a_known_character_is_judged_as_nothing(
    pxos: Pxos, here: Path, picture: bytes, mode: str
) -> None:
    (here / "it.png").write_bytes(picture)
    done = pxos("run", "it.png", "123", "--mode", mode, "-o", "out.png")
    assert done.status == 1
    assert "the program wrote none; nothing was changed" in done.err
    assert not (here / "out.png").exists()
