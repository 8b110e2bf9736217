"""``pxos train``: the command line around the trainer."""

from __future__ import annotations

import json
import re
import signal
import sys
from pathlib import Path

import numpy as np
import pytest

from pxos.boot.train import CHECKPOINT
from pxos.boot.train_progress import Progress, span
from pxos.kernel.machine import png, program
from pxos.shell.lenses.networks import quantised
from pxos.shell.lenses.networks.readback import read_mlp
from pxos.shell.lenses.networks.samples import random_mlp, random_transformer
from pxos.shell.lenses.networks.training import load_weights, save_weights

from .conftest import TINY, Pxos

WHY = "PyTorch is not installed: make test-train"

# ---- with PyTorch --------------------------------------------------------------------------------


def test_a_text_becomes_a_picture_that_writes(pxos: Pxos, text: Path, here: Path) -> None:
    pytest.importorskip("torch", reason=WHY)
    words = ["train", "lm", text, "-o", "m.png", *TINY]
    done = pxos(*words, "--weights", "m.npz", "--sources", "m", "--title", "To be")
    assert (done.status, done.out) == (0, "")
    assert "weights, 18 steps, on cpu" in done.err
    assert "training 12/18, loss " in done.err
    assert "fine-tuning 18/18, loss " in done.err
    assert "tokens/s, 0 s left" in done.err
    assert "as exported:   validation loss " in done.err
    assert not (here / ("m.png" + CHECKPOINT)).exists()
    assert program.load((here / "m.png").read_bytes()).meta.title == "To be"
    wrote = pxos("run", "m.png", "to be", "--tokens", "20", "--seed", "5")
    assert wrote.status == 0
    assert wrote.out.startswith("to be")
    assert len(wrote.out.removesuffix("\n")) >= 24
    # The same from the sources, and from the weights.
    assert pxos("asm", "m/m.pxa", "-o", "again.png").status == 0
    assert (here / "again.png").read_bytes() == (here / "m.png").read_bytes()
    first = (here / "m.png").read_bytes()
    (here / "m.png").unlink()
    assert pxos("train", "build", "m.npz", "-o", "m.png", "--title", "To be").status == 0
    assert (here / "m.png").read_bytes() == first
    _, facts = load_weights((here / "m.npz").read_bytes())
    assert set(facts["losses"]) == {"float", "quantised", "fine-tuned"}


@pytest.mark.parametrize("sent", [signal.SIGINT, signal.SIGTERM])
def test_a_run_that_was_stopped_goes_on_to_the_same_picture(
    sent: signal.Signals, pxos: Pxos, text: Path, here: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("torch", reason=WHY)
    from pxos.shell.lenses.networks.training import Trainer

    (here / "whole").mkdir()
    assert pxos("train", "lm", text, "-o", "whole/m.png", *TINY).status == 0
    step = Trainer.advance
    before = signal.getsignal(sent)

    def stopping(self):
        tick = step(self)
        if tick.step == 7:
            signal.raise_signal(sent)
        return tick

    monkeypatch.setattr(Trainer, "advance", stopping)
    words = ["train", "lm", text, "-o", "m.png", *TINY]
    done = pxos(*words)
    assert done.status == (130 if sent == signal.SIGINT else 143)
    assert "stopped after 7 of 18 steps; --resume goes on" in done.err
    assert signal.getsignal(sent) == before
    assert not (here / "m.png").exists()
    monkeypatch.setattr(Trainer, "advance", step)

    again = pxos(*words)
    assert again.status == 2
    assert "--resume goes on with it, --restart begins anew" in again.err
    other = pxos(*words, "--resume", "--rate", "0.5")
    assert other.status == 1
    assert "rate is 0.001 there, 0.5 here" in other.err

    done = pxos(*words, "--resume")
    assert done.status == 0
    assert "goes on after 7 of 18 steps" in done.err
    assert (here / "m.png").read_bytes() == (here / "whole/m.png").read_bytes()
    assert not (here / ("m.png" + CHECKPOINT)).exists()


def test_a_second_interrupt_ends_at_once(
    pxos: Pxos, text: Path, here: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("torch", reason=WHY)
    from pxos.shell.lenses.networks.training import Trainer

    def impatient(self):
        signal.raise_signal(signal.SIGINT)
        signal.raise_signal(signal.SIGINT)
        raise AssertionError("not reached")

    monkeypatch.setattr(Trainer, "advance", impatient)
    assert pxos("train", "lm", text, "-o", "m.png", *TINY).status == 130
    assert (here / ("m.png" + CHECKPOINT)).exists()  # what was there before


def test_restarting_and_damaged_checkpoints(pxos: Pxos, text: Path, here: Path) -> None:
    pytest.importorskip("torch", reason=WHY)
    words = ["train", "lm", text, "-o", "m.png", *TINY]
    missing = pxos(*words, "--resume")
    assert missing.status == 1
    assert "the checkpoint cannot be read" in missing.err
    (here / ("m.png" + CHECKPOINT)).write_bytes(b"PK half a file")
    damaged = pxos(*words, "--resume")
    assert damaged.status == 1
    assert "no checkpoint, or it is damaged" in damaged.err
    assert pxos(*words, "--restart").status == 0


def test_a_checkpoint_that_cannot_be_written_is_told_at_once(
    pxos: Pxos, text: Path, here: Path
) -> None:
    pytest.importorskip("torch", reason=WHY)
    (here / ("m.png" + CHECKPOINT)).mkdir()
    done = pxos("train", "lm", text, "-o", "m.png", *TINY, "--restart")
    assert done.status == 1
    assert "the file cannot be written" in done.err
    assert "training 1" not in done.err
    assert not (here / "m.png").exists()


def test_a_loss_that_is_no_number_ends_with_advice(
    pxos: Pxos, text: Path, here: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    torch = pytest.importorskip("torch", reason=WHY)
    from pxos.shell.lenses.networks.training import LanguageTask

    good = LanguageTask.loss

    def broken(self, weights, batch, seed):
        return good(self, weights, batch, seed) * torch.tensor(float("nan"))

    monkeypatch.setattr(LanguageTask, "loss", broken)
    done = pxos("train", "lm", text, "-o", "m.png", *TINY)
    assert done.status == 1
    assert "no number any more" in done.err
    assert "lower --rate" in done.err
    assert not (here / "m.png").exists()


def test_there_is_no_cuda_here(pxos: Pxos, text: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    torch = pytest.importorskip("torch", reason=WHY)
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    done = pxos("train", "lm", text, "-o", "m.png", *TINY, "--device", "cuda")
    assert done.status == 1
    assert "there is no CUDA device" in done.err
    assert "use --device cpu" in done.err


def test_digits(pxos: Pxos, here: Path) -> None:
    pytest.importorskip("torch", reason=WHY)
    pytest.importorskip("sklearn", reason="scikit-learn is not installed: make test-train")
    words = ["--steps", "30", "--finetune", "10", "--hidden", "24", "--threads", "1"]
    done = pxos("train", "digits", "-o", "d.png", *words, "--device", "cpu", "--seed", "3")
    assert done.status == 0
    assert "pictures/s" in done.err
    assert "% right" in done.err
    # By the machine, of the digits that were held out, whose shares of ink it is shown as bytes.
    judged = pxos("eval", "d.png", "--seed", "3", "--json")
    assert (judged.status, judged.err) == (0, "")
    facts = json.loads(judged.out)
    assert facts["digits"] == 359
    (said,) = re.findall(r"as exported: .* loss (.+), (.+) right", done.err)
    assert facts["loss"] == pytest.approx(float(said[0]), abs=1e-3)
    assert facts["accuracy"] * 100 == pytest.approx(float(said[1].rstrip("%")), abs=1)
    assert program.load((here / "d.png").read_bytes()).meta.ports == (
        "text", "picture", "arguments",
    )  # fmt: skip


# ---- without -------------------------------------------------------------------------------------


def test_without_pytorch_it_says_what_to_install(
    pxos: Pxos, text: Path, here: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "torch", None)
    done = pxos("train", "lm", text, "-o", "m.png", *TINY)
    assert done.status == 1
    assert "training needs PyTorch" in done.err
    assert "pip install 'pxos[train]'" in done.err
    assert sorted(path.name for path in here.iterdir()) == ["text.txt"]


def test_building_needs_no_pytorch(pxos: Pxos, here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "torch", None)
    (here / "d.npz").write_bytes(save_weights(quantised(random_mlp(64, 12, 10))))
    assert pxos("train", "build", "d.npz", "-o", "d.png").status == 0
    (here / "d.npz").write_bytes(b"nothing")
    done = pxos("train", "build", "d.npz", "-o", "d.png")
    assert done.status == 1
    assert "no file of weights" in done.err


def test_a_picture_is_made_anew_from_itself(pxos: Pxos, here: Path) -> None:
    """Sources and picture to the byte, what it says of itself included."""
    (here / "lm.npz").write_bytes(save_weights(quantised(random_transformer("gpt2"))))
    (here / "icon.png").write_bytes(png.encode(np.full((32, 32, 4), 255, np.uint8)))
    said = ["--title", 'The "One"', "--summary", "it writes", "--author", "A", "--licence", "B"]
    first = ["train", "build", "lm.npz", "-o", "lm.png", "--sources", "first", *said]
    assert pxos(*first, "--icon", "icon.png").status == 0
    made = (here / "lm.png").read_bytes()
    meta = program.load(made).meta
    assert (meta.title, meta.summary, meta.author, meta.licence) == (
        'The "One"', "it writes", "A", "B",
    )  # fmt: skip
    assert pxos("train", "build", "lm.png", "-o", "lm.png", "--sources", "second").status == 0
    assert (here / "lm.png").read_bytes() == made
    files = sorted(path.name for path in (here / "first").iterdir())
    assert files == sorted(path.name for path in (here / "second").iterdir())
    for name in files:
        assert (here / "first" / name).read_bytes() == (here / "second" / name).read_bytes(), name
    assert pxos("train", "build", "lm.png", "-o", "lm.png", "--title", "Two").status == 0
    assert program.load((here / "lm.png").read_bytes()).meta.title == "Two"
    (here / "mlp.npz").write_bytes(save_weights(quantised(random_mlp(64, 12, 10))))
    assert pxos("train", "build", "mlp.npz", "-o", "mlp.png").status == 0
    made = (here / "mlp.png").read_bytes()
    assert pxos("train", "build", "mlp.png", "-o", "mlp.png").status == 0
    assert (here / "mlp.png").read_bytes() == made


def test_weights_are_not_written_over(pxos: Pxos, here: Path) -> None:
    weights = save_weights(quantised(random_mlp(64, 12, 10)))
    (here / "d.npz").write_bytes(weights)
    done = pxos("train", "build", "d.npz", "-o", "./d.npz")
    assert done.status == 2
    assert "the weights would be written over" in done.err
    assert (here / "d.npz").read_bytes() == weights


def test_an_icon_of_another_size_is_told_before_anything_is_done(
    pxos: Pxos, text: Path, here: Path
) -> None:
    (here / "icon.png").write_bytes(png.encode(np.full((16, 24, 4), 255, np.uint8)))
    done = pxos("train", "lm", text, "-o", "m.png", *TINY, "--icon", "icon.png")
    assert done.status == 2
    assert done.err == "pxos: the icon is 16 x 24 (icon.png); an icon is 32 x 32\n"
    assert sorted(path.name for path in here.iterdir()) == ["icon.png", "text.txt"]


def test_other_pictures_are_not_taken_over(pxos: Pxos, here: Path, apps: Path) -> None:
    (here / "cut.png").write_bytes((apps / "still" / "still.png").read_bytes()[:-9])
    for picture in (apps / "still" / "still.png", here / "cut.png"):
        done = pxos("train", "build", picture, "-o", "x.png")
        assert done.status == 1
        assert "its network cannot be read: " in done.err
        assert "give a picture that pxos train made" in done.err
    assert not (here / "x.png").exists()


def test_floats_are_fitted_as_one_asks(pxos: Pxos, here: Path) -> None:
    network = random_mlp(64, 12, 10)
    (here / "f.npz").write_bytes(save_weights(network))
    assert pxos("train", "build", "f.npz", "-o", "f.png").status == 0
    words = ["train", "build", "f.npz", "-o", "g.png", "--method", "min-max", "--groups", "3"]
    assert pxos(*words).status == 0
    read = read_mlp(program.load((here / "g.png").read_bytes()))
    wanted = quantised(network, method="min-max", groups=3)
    for got, layer in zip(read.layers, wanted.layers, strict=True):
        assert [part.scale for part in got.weight] == [part.scale for part in layer.weight]
        assert len(got.weight) == 3
    (here / "q.npz").write_bytes(save_weights(wanted))
    for option in ("--method=min-max", "--groups=2"):
        done = pxos("train", "build", "q.npz", "-o", "q.png", option)
        assert done.status == 2
        assert "these weights are bytes already" in done.err
    assert pxos("train", "build", "f.npz", "-o", "q.png", "--groups=0").status == 2
    assert not (here / "q.png").exists()


@pytest.mark.parametrize(
    ("words", "status", "said"),
    [
        ("lm missing.txt -o m.png", 1, "the text cannot be read, no such file"),
        ("lm text.txt", 2, "required: -o"),
        ("lm text.txt -o no/such/m.png", 2, "there is no folder no/such"),
        ("lm text.txt -o m.png --weights no/w.npz", 2, "there is no folder no"),
        ("lm text.txt -o .", 2, "this is a folder"),
        ("lm text.txt -o -", 2, "training writes files"),
        ("lm text.txt -o m.png --sources text.txt", 2, "--sources names a folder"),
        ("lm text.txt -o text.txt", 2, "the text would be written over"),
        ("lm text.txt -o m.png --weights ./text.txt", 2, "the text would be written over"),
        ("lm text.txt -o m.png --weights m.png", 2, "picture and weights would be one file"),
        ("lm text.txt -o m.png --weights .", 2, "this is a folder"),
        ("lm text.txt -o m.png --icon text.txt", 1, "text.txt is no picture"),
        ("lm text.txt -o m.png --icon missing.png", 1, "the icon cannot be read, no such file"),
        ("lm text.txt -o m.png --device tpu", 2, "invalid choice: 'tpu'"),
        ("lm text.txt -o m.png --preset gpt5", 2, "no preset 'gpt5'"),
        ("lm text.txt -o m.png --width 10 --heads 3", 2, "3 heads do not divide a width of 10"),
        ("lm text.txt -o m.png --steps 0", 2, "steps is 0"),
        ("lm text.txt -o m.png --steps many", 2, "invalid int value"),
        ("lm text.txt -o m.png --rate nan", 2, "rate is nan"),
        ("lm text.txt -o m.png --validation 1.5", 2, "no share between 0 and 1"),
        ("lm text.txt -o m.png --threads 0", 2, "no number of 1 to 1024"),
        ("lm text.txt -o m.png --save-every soon", 2, "no number of seconds"),
        ("lm text.txt -o m.png --resume --restart", 2, "not allowed with"),
        ("lm text.txt -o m.png --context 4000", 1, "the text is too short"),
        ("lm . -o m.png", 1, "the text cannot be read"),
        ("digits -o m.png --hidden 12,x", 2, "no list of widths"),
        ("digits -o m.png --hidden 9999", 2, "give one or more of 1 to 4096"),
        ("build missing.npz -o m.png", 1, "the file of weights cannot be read"),
        ("cats -o m.png", 2, "invalid choice: 'cats'"),
    ],
)
def test_commands_that_are_wrong(
    pxos: Pxos, text: Path, here: Path, words: str, status: int, said: str
) -> None:
    done = pxos("train", *words.split())
    assert said in done.err.replace("\n", " ")
    assert (done.status, done.out) == (status, "")
    assert sorted(path.name for path in here.iterdir()) == ["text.txt"]


# ---- progress --------------------------------------------------------------------------------


class _Clock:
    now = 100.0

    def __call__(self) -> float:
        return self.now


def test_progress_on_a_terminal_rewrites_its_line(capsys: pytest.CaptureFixture[str]) -> None:
    clock = _Clock()
    progress = Progress(100, "tokens", clock, first=20, terminal=True)
    assert not progress.step(50)
    clock.now += 0.6
    assert progress.step(50)
    progress.show(22, 2.5, None, note="training")
    assert not progress.step(50)
    clock.now += 1.4
    progress.show(25, None, 3.25, note="training")
    progress.tell("a line that stays")
    progress.clear()
    shown = capsys.readouterr().err
    assert shown == (
        "\rtraining 22/100, loss 2.5000, 167 tokens/s, 23 s left\x1b[K"
        "\rtraining 25/100, loss 2.5000, validation 3.2500, 75 tokens/s, 30 s left\x1b[K"
        "\r\x1b[Ka line that stays\n"
    )


def test_progress_elsewhere_is_a_line_now_and_then(capsys: pytest.CaptureFixture[str]) -> None:
    clock = _Clock()
    progress = Progress(10, "pictures", clock, terminal=False)
    clock.now += 9
    assert not progress.step(8)
    clock.now += 1
    assert progress.step(8)
    progress.show(2, 1.0, None, note="fine-tuning")
    progress.clear()
    assert capsys.readouterr().err == "fine-tuning 2/10, loss 1.0000, 2 pictures/s, 40 s left\n"


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0, "0 s"), (59.4, "59 s"), (59.6, "1 min 0 s"), (185, "3 min 5 s"), (7800, "2 h 10 min")],
)
def test_how_times_are_written(seconds: float, text: str) -> None:
    assert span(seconds) == text
