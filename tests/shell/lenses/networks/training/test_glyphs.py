"""The task of a network that reads pictures of text."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from pxos.fonts.atlas import load_glyphs
from pxos.kernel.placement import cpu_executor
from pxos.shell.lenses.networks import (
    DescriptionError,
    Reference,
    Transformer,
    glyph_pages,
    quantised,
)
from pxos.shell.lenses.networks.comparison import Tally
from pxos.shell.lenses.networks.readback import Matrices, read_transformer
from pxos.shell.lenses.networks.samples import random_transformer
from pxos.shell.lenses.networks.training import (
    GlyphsTask,
    Text,
    Trainer,
    TrainingError,
    load_weights,
    save_weights,
)
from pxos.shell.lenses.networks.training.apps import app
from pxos.shell.lenses.networks.training.glyphs import retina

from .tiny import finish, plan, prose, shape, trainer

FONT = np.array([glyph.ravel() for glyph in load_glyphs("pxos-8x16")[:256]], np.uint8)


def text() -> Text:
    return Text.split(prose(), 16)


def pictures() -> np.ndarray:
    return FONT[list(text().vocabulary)]


def task() -> GlyphsTask:
    return GlyphsTask(shape(), text(), pictures())


# ---- what needs no PyTorch -----------------------------------------------------------------------


def test_a_retina_evens_out_what_the_glyphs_show() -> None:
    plain = pictures().astype(float)
    matrix = retina(pictures())
    assert np.allclose(matrix, matrix.T)
    seen = plain @ matrix

    def spread(of: np.ndarray) -> float:
        """Between the direction in which glyphs differ most and that of the tenth rank."""
        sizes = np.linalg.svd(of, compute_uv=False)
        return float(sizes[0] / sizes[9])

    assert spread(seen) < spread(plain) / 4
    assert np.isclose((seen**2).sum(axis=1).mean(), 1)
    unseen = plain.max(axis=0) == 0
    assert np.abs(matrix[unseen]).max() < 1e-9, "pixels that no glyph inks have no weight"


def test_what_was_trained_settles_into_pictures_as_they_are() -> None:
    made = task()
    floating = made.initial(1)
    settled = made.settled(floating)
    assert set(floating) - set(settled) == {"eye", "hand"}
    assert settled["embedding"].shape == settled["head"].shape == (128, 16)
    seen = pictures() @ retina(pictures()) @ floating["eye"]
    assert np.allclose(pictures() @ settled["embedding"], seen, atol=1e-6)
    assert made.count() == sum(weight.size for weight in settled.values())


def test_two_characters_that_look_the_same_are_refused() -> None:
    same = pictures()
    same[3] = same[5]
    with pytest.raises(TrainingError, match="look the same"):
        GlyphsTask(shape(), text(), same)
    with pytest.raises(ValueError, match="glyphs for"):
        GlyphsTask(shape(), text(), pictures()[:-1])


def random_network(seed: int = 0) -> Transformer:
    """A network of the tiny shape, with the glyphs of the tiny text."""
    made = task()
    rng = np.random.default_rng(seed)
    weights = {
        name: weight if weight.ndim == 1 else rng.normal(0, 0.2, weight.shape)
        for name, weight in made.settled(made.initial(1)).items()
    }
    network = quantised(made.network(weights))
    assert isinstance(network, Transformer)
    return network


def test_the_description_has_pictures_and_no_codes() -> None:
    network = random_network()
    assert network.vocabulary is None
    assert network.glyphs is not None
    assert network.tokens == len(text().vocabulary)
    rows = [row.tobytes() for row in network.glyphs]
    assert rows == sorted(rows), "in the order of their pixels"
    assert set(rows) == {row.tobytes() for row in pictures()}


def test_weights_come_back_and_give_the_same_app() -> None:
    network = random_network()
    data = save_weights(network, {})
    back, _ = load_weights(data)
    assert save_weights(back, {}) == data
    assert app(network, name="g").files == app(back, name="g").files


def test_glyphs_of_another_size_have_no_app() -> None:
    small = random_transformer("gpt2", layers=1, width=16, heads=2, context=8)
    ink = np.eye(small.tokens, dtype=np.uint8)
    with pytest.raises(DescriptionError, match="without a head"):
        quantised(replace(small, glyphs=ink, vocabulary=None))
    network = replace(small, glyphs=ink, vocabulary=None, head=small.embedding)
    with pytest.raises(DescriptionError, match="8 x 16"):
        app(network, name="g")
    twice = replace(network, glyphs=np.zeros_like(ink))
    with pytest.raises(DescriptionError, match="look the same"):
        quantised(twice)


def test_the_machine_computes_what_numpy_does() -> None:
    network = random_network()
    program = app(network, name="g").assemble()
    assert glyph_pages.judges(program)
    back = read_transformer(program)
    assert np.array_equal(back.glyphs, network.glyphs)
    tokens = np.random.default_rng(3).integers(0, network.tokens, 40)
    wanted, tally = Reference(back), Tally()

    def take(first: int, logits: np.ndarray) -> None:
        tally.add(logits, wanted.logits(tokens[first : first + 16]))

    glyphs = Matrices(program).text("GLYPHS")
    glyph_pages.judge(program, cpu_executor, glyphs, tokens, 16, take)
    result = tally.result()
    assert result.rows == 40
    assert result.passes
    assert result.agreement == 1


def test_cells_are_numbered_by_their_look() -> None:
    found = Matrices(app(random_network(), name="g").assemble())
    numbers = glyph_pages.numbered(found, FONT)
    assert sorted(numbers[list(text().vocabulary)]) == list(range(len(text().vocabulary)))
    assert numbers[ord("@")] == -1


def test_losses_are_those_of_softmax() -> None:
    logits = np.array([[0.0, 0.0, 0.0], [1000.0, 0.0, 0.0], [0.0, 1.0, 0.0]])
    losses = glyph_pages.losses(logits, np.array([2, 0]))
    assert np.allclose(losses, [np.log(3), 0])


# ---- with PyTorch --------------------------------------------------------------------------------


def test_it_learns_and_loses_little_at_export() -> None:
    pytest.importorskip("torch", reason="PyTorch is not installed: make test-train")
    run = trainer(task(), plan(steps=60, finetune=12))
    begin = run.task.evaluate(run._weights).loss
    outcome = finish(run)
    assert outcome.floating.loss < begin - 0.5
    assert abs(outcome.unturned.loss - outcome.floating.loss) < 0.05
    assert outcome.quantised.loss <= outcome.unturned.loss


@pytest.mark.parametrize("after", [5, 23, 24, 27])
def test_a_run_goes_on_where_it_stopped(after: int) -> None:
    pytest.importorskip("torch", reason="PyTorch is not installed: make test-train")
    whole = save_weights(finish(trainer(task())).network)
    run = trainer(task())
    for _ in range(after):
        run.advance()
    again = Trainer.resumed(run.checkpoint(), task(), plan(), threads=1)
    assert save_weights(finish(again).network) == whole


def test_a_checkpoint_of_another_font_is_refused() -> None:
    pytest.importorskip("torch", reason="PyTorch is not installed: make test-train")
    run = trainer(task())
    run.advance()
    other = GlyphsTask(shape(), text(), pictures()[:, ::-1].copy())
    with pytest.raises(TrainingError, match="glyphs is"):
        Trainer.resumed(run.checkpoint(), other, plan())
