from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from pxos.kernel.machine.cpu.executor import CpuExecutor
from pxos.kernel.machine.ports import Message
from pxos.kernel.machine.program import open_memory
from pxos.shell.lenses.networks import evaluate_mlp, quantised
from pxos.shell.lenses.networks.samples import random_mlp
from pxos.shell.lenses.networks.training import DigitsTask, Trainer, TrainingError
from pxos.shell.lenses.networks.training.apps import app
from pxos.shell.lenses.networks.training.augment import augmented, sample
from pxos.shell.lenses.networks.training.digits import SCHEDULE, DigitsModel
from pxos.shell.lenses.networks.training.strokes import drawings, normalised
from pxos.shell.lenses.networks.validate import Desk


class _Pictures(Desk):
    """Ports that give pictures, one after the other."""

    def give(self, *pictures: np.ndarray) -> None:
        self.waiting = list(pictures)

    def read(self, letter: str, selector: Message):
        if letter != "p":
            return super().read(letter, selector)
        data = self.waiting.pop(0) if self.waiting else np.zeros((0, 0, 4), np.uint8)
        return Message("P", data)


class _Desk(_Pictures):
    __slots__ = ("waiting",)


def look(program, *pictures: np.ndarray, cells: bool = False) -> list[str]:
    desk = _Desk(arguments=[Message("I", np.array([[cells]], np.int32))])
    desk.give(*pictures)
    stop = CpuExecutor(open_memory(program, 1 << 28), desk).run(1 << 40)
    assert (stop.reason, stop.detail) == ("H", 0)
    return desk.written.decode().splitlines()


def picture(ink: np.ndarray, paper=(255, 255, 255, 255), pen=(0, 0, 0, 255)) -> np.ndarray:
    share = ink[..., None]
    return np.rint(share * pen + (1 - share) * np.array(paper)).astype(np.uint8)


# ---- drawings as cells ---------------------------------------------------------------------------


def test_a_drawing_is_cropped_scaled_and_put_in_the_middle() -> None:
    ink = np.zeros((50, 70))
    ink[10:42, 20:24] = 1  # 32 high, 4 wide: 8 cells high, 1 wide, half in each middle column
    cells = normalised(ink)
    assert cells.shape == (8, 8)
    assert cells.dtype == np.float32
    assert np.allclose(cells[:, 3:5], 0.5)
    assert cells.sum() == pytest.approx(8)
    wide = normalised(ink.T)  # 4 high, 32 wide: 6 cells wide
    assert np.allclose(wide.sum(), 6 * 6 * 4 / 32)
    assert (wide[:, [0, 7]] == 0).all()
    assert (normalised(np.zeros((5, 5))) == 0).all()
    assert normalised(np.ones((1, 1))).sum() == pytest.approx(36)


@pytest.mark.parametrize("by", [2, 3, 10])
def test_the_size_of_a_drawing_does_not_matter(by: int) -> None:
    rng = np.random.default_rng(1)
    ink = (rng.random((12, 9)) < 0.4).astype(float)
    assert np.allclose(normalised(ink), normalised(np.kron(ink, np.ones((by, by)))), atol=1e-6)


def test_drawings_fill_the_cells_and_repeat() -> None:
    made, digits = drawings(200, np.random.default_rng(3))
    again, _ = drawings(200, np.random.default_rng(3))
    assert np.array_equal(made, again)
    assert np.array_equal(np.unique(digits, return_counts=True)[1], np.full(10, 20))
    assert made.min() == 0
    assert made.max() == 1
    assert np.array_equal(made * 16, np.rint(made * 16))  # counted on 4 x 4 dots
    assert (made.sum(axis=(1, 2)) > 2).all()
    assert (made[:, [0, 7]].max(axis=2) > 0).mean() > 0.9  # as high as the picture


# ---- augmenting ------------------------------------------------------------------------------


def test_sampling_at_the_cells_themselves_changes_nothing() -> None:
    pictures = np.random.default_rng(0).random((3, 8, 8)).astype(np.float32)
    rows, columns = np.broadcast_arrays(*np.mgrid[0:8, 0:8][:, None], np.zeros((3, 8, 8)))[:2]
    assert np.allclose(sample(pictures, rows, columns), pictures)
    down = sample(pictures, rows + 1, columns)
    assert np.allclose(down[:, :7], pictures[:, 1:])
    assert (down[:, 7] == 0).all()
    assert (sample(pictures, rows + 100.0, columns) == 0).all()
    between = sample(pictures, rows, columns + 0.25)
    assert np.allclose(between[:, :, :7], 0.75 * pictures[:, :, :7] + 0.25 * pictures[:, :, 1:])


def test_augmented_pictures_stay_pictures_and_differ() -> None:
    pictures, _ = drawings(50, np.random.default_rng(0))
    made = augmented(pictures, np.random.default_rng(1))
    assert made.shape == pictures.shape
    assert made.dtype == np.float32
    assert made.min() >= 0
    assert made.max() <= 1
    assert (np.abs(made - pictures).max(axis=(1, 2)) > 0.05).all()
    alike = [np.corrcoef(a.ravel(), b.ravel())[0, 1] for a, b in zip(made, pictures, strict=True)]
    assert np.mean(alike) > 0.6


# ---- the task --------------------------------------------------------------------------------


def test_models_that_cannot_be() -> None:
    for wrong in ({"hidden": ()}, {"hidden": (0,)}, {"dropout": 1.0}):
        with pytest.raises(TrainingError):
            DigitsModel(**wrong)


def test_a_fifth_is_held_out_by_the_seed() -> None:
    pytest.importorskip("sklearn", reason="scikit-learn is not installed: make test-train")
    one, same, other = (DigitsTask(DigitsModel(), seed) for seed in (1, 1, 2))
    assert len(one.held_out) == 1797 // 5
    assert np.array_equal(one.held_out, same.held_out)
    assert not np.array_equal(one.held_out, other.held_out)
    seen = {cells.tobytes() for cells in one.pictures}
    assert not any(cells.tobytes() in seen for cells in one.held_out)
    assert one.held_out.max() == 1.0


def test_a_reader_of_digits_is_trained_and_its_picture_agrees() -> None:
    pytest.importorskip("torch", reason="PyTorch is not installed: make test-train")
    pytest.importorskip("sklearn", reason="scikit-learn is not installed: make test-train")
    plan = replace(SCHEDULE, steps=800, batch=64, rate=5e-3, evaluate=400, finetune=40)
    task = DigitsTask(DigitsModel((48,)), 1)
    run = Trainer(task, plan, threads=1)
    while not run.finished:
        run.advance()
    found = run.outcome()
    assert found.quantised.accuracy > 0.9
    assert abs(found.quantised.loss - found.floating.loss) < 0.05
    scores = evaluate_mlp(found.network, task.held_out.reshape(-1, 64))
    right = (scores.argmax(axis=1) == task.held_out_labels).mean()
    assert right == pytest.approx(found.quantised.accuracy, abs=1e-9)
    # Drawn large, in any colours, by the machine.
    program = app(found.network, name="digits").assemble()
    made, _ = drawings(20, np.random.default_rng(77))
    large = np.kron((made > 0.5).astype(float), np.ones((5, 5)))
    seen = look(program, *(picture(ink, (20, 30, 90, 255), (255, 220, 0, 255)) for ink in large))
    cells = np.array([normalised(ink) for ink in large]).reshape(-1, 64)
    wanted = evaluate_mlp(found.network, cells)
    sure = np.sort(wanted, axis=1)
    clear = sure[:, -1] - sure[:, -2] > 0.1  # what is a matter of rounding proves nothing
    assert clear.sum() >= 15
    assert [int(line[0]) for line in np.array(seen)[clear]] == list(wanted.argmax(axis=1)[clear])


def test_what_the_program_says() -> None:
    program = app(
        quantised(random_mlp(64, 16, 10, seed=4)), name="digits", title='Say "8"'
    ).assemble()
    assert program.meta.title == 'Say "8"'
    ink = np.zeros((40, 30))
    ink[5:35, 12:15] = 1
    blank = picture(np.zeros((9, 9)))
    clear = np.zeros((9, 9, 4), np.uint8)
    line, none, clear_line, drawn = look(
        program, picture(ink), blank, clear, picture(ink, (0, 0, 0, 0), (0, 0, 0, 255))
    )
    digit, share, sign = line.split(" ")
    assert digit in "0123456789"
    assert 10 <= int(share) <= 100
    assert sign == "%"
    assert none == clear_line == "no digit"
    assert drawn == line  # black on nothing is black on white


def test_cells_are_taken_as_they_are() -> None:
    """What is nearly blank, or off the middle, is a digit as well: nothing is cropped or scaled."""
    network = quantised(random_mlp(64, 16, 10, seed=4))
    program = app(network, name="digits").assemble()
    shown = np.random.default_rng(5).random((6, 8, 8))
    shown[0] = 0
    shown[1, :, 4:] = 0
    shares = np.rint(shown * 255) / 255
    wanted = evaluate_mlp(network, shares.reshape(-1, 64)).argmax(axis=1)
    *lines, odd = look(
        program, *(picture(ink) for ink in shown), picture(np.ones((8, 9))), cells=True
    )
    assert [int(line[0]) for line in lines] == list(wanted)
    assert odd == "no digit: --cells takes pictures of 8 x 8"
