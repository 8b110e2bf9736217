from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from pxos.kernel.machine.cpu.executor import CpuExecutor
from pxos.shell.lenses.networks import Quantised, Reference, Transformer, emit
from pxos.shell.lenses.networks.description import check, quantised, shape_of
from pxos.shell.lenses.networks.training import Trainer, TrainingError, save_weights, transformer
from pxos.shell.lenses.networks.validate import picture_losses

from . import tiny

torch = pytest.importorskip("torch", reason="PyTorch is not installed: make test-train")


def test_the_loss_falls_and_ticks_tell_of_it() -> None:
    run = tiny.trainer(schedule=tiny.plan(steps=60, finetune=20, evaluate=20))
    first = run.task.evaluate(run._weights).loss
    ticks = []
    while not run.finished:
        ticks.append(run.advance())
    assert first == pytest.approx(np.log(len(run.task.text.vocabulary)), abs=0.1)
    assert run.outcome().quantised.loss < first - 0.5
    assert run.mean_loss() < first
    assert run.mean_loss() is None
    assert [t.step for t in ticks] == list(range(1, 81))
    assert [t.step for t in ticks if t.float_loss] == [20, 40, 60]
    assert [t.step for t in ticks if t.rounded_loss] == [60, 80]
    with pytest.raises(ValueError, match="all steps"):
        run.advance()


def test_the_seed_repeats_and_another_does_not() -> None:
    first, again = (save_weights(tiny.finish(tiny.trainer()).network) for _ in range(2))
    assert first == again
    other = tiny.finish(tiny.trainer(schedule=tiny.plan(seed=2)))
    assert save_weights(other.network) != first


@pytest.mark.parametrize("style", ["gpt", "llama"])
def test_a_run_that_was_interrupted_ends_as_one_that_was_not(style: str) -> None:
    made, schedule = tiny.task(style), tiny.plan()
    whole = tiny.finish(tiny.trainer(made, schedule))
    run = tiny.trainer(made, schedule)
    while not run.finished:
        run = Trainer.resumed(run.checkpoint(), tiny.task(style), schedule, threads=1)
        for _ in range(5):
            if not run.finished:
                run.advance()
    run = Trainer.resumed(run.checkpoint(), made, schedule, threads=1)
    assert save_weights(run.outcome().network) == save_weights(whole.network)
    assert run.outcome().quantised == whole.quantised
    assert run.outcome().floating == whole.floating
    assert run.outcome().unturned == whole.unturned


def test_a_run_without_fine_tuning_is_quantised_at_the_end() -> None:
    found = tiny.finish(tiny.trainer(schedule=tiny.plan(finetune=0)))
    assert found.quantised == found.unturned
    assert isinstance(found.network.embedding, tuple)


def test_an_outcome_needs_the_whole_run() -> None:
    run = tiny.trainer()
    run.advance()
    with pytest.raises(ValueError, match="steps left"):
        run.outcome()


def test_the_best_weights_are_kept() -> None:
    # A rate that ruins what was learnt: the last weights are worse than those before.
    run = tiny.trainer(schedule=tiny.plan(steps=60, rate=3e-2, evaluate=1, warmup=0))
    losses = []
    while not run.finished:
        tick = run.advance()
        if tick.float_loss is not None:
            losses.append(tick.float_loss.loss)
    found = run.outcome()
    assert found.floating.loss == min(losses) < losses[-1] + 1e-9
    assert found.quantised.loss <= found.unturned.loss


@pytest.mark.parametrize("style", ["gpt", "llama"])
def test_the_description_computes_what_was_trained(style: str) -> None:
    run = tiny.trainer(tiny.task(style))
    found = tiny.finish(run)
    net = found.network
    assert isinstance(net, Transformer)
    check(net)
    assert net.count() == run.count() == transformer.count(run.task.shape, net.tokens)
    assert shape_of(net.embedding) == (len(net.vocabulary), 16)
    kept = run._rounded
    used = {name: torch.from_numpy(array) for name, array in run._arrays(kept.weights).items()}
    for name, grid in kept.grids.items():
        used[name] = transformer_rounded(used[name], grid)
    tokens = run.task.text.validation[:16]
    with torch.no_grad():
        wanted = transformer.logits(
            run.task.shape, used, torch.as_tensor(tokens)[None], training=False
        )[0].numpy()
    got = Reference(net).logits(tokens)
    assert np.abs(got - wanted).max() < 2e-4  # float32, and vectors on the grid of fixed point
    assert np.corrcoef(got.ravel(), wanted.ravel())[0, 1] > 0.9999999


def transformer_rounded(weight, grid):
    from pxos.shell.lenses.networks.training.quantised_training import rounded

    return rounded(weight, grid)


def test_nothing_is_lost_at_export_and_the_picture_agrees() -> None:
    run = tiny.trainer()
    found = tiny.finish(run)
    # What is quantised stays as it is: the exporter finds nothing to choose.
    again = quantised(found.network)
    for mine, theirs in zip(found.network.blocks, again.blocks, strict=True):
        for name in ("qkv", "out", "up", "down"):
            (a,), (b,) = getattr(mine, name).weight, getattr(theirs, name).weight
            assert isinstance(a, Quantised)
            assert (a.scale, a.offset) == (b.scale, b.offset)
            assert np.array_equal(a.q, b.q)
    validation = run.task.text.validation
    text = bytes(found.network.vocabulary[token] for token in validation)
    losses = picture_losses(emit(found.network).assemble(), CpuExecutor, text)
    assert len(losses) == len(validation) - 1
    assert losses.mean() == pytest.approx(found.quantised.loss, abs=1e-3)


def test_dropout_and_batches_follow_from_the_seed_and_the_step_alone() -> None:
    # Whoever draws numbers of PyTorch between two steps changes nothing.
    quiet, noisy = tiny.trainer(), tiny.trainer()
    for _ in range(3):
        quiet.advance()
        noisy.advance()
        torch.rand(7)
    assert quiet.checkpoint() == noisy.checkpoint()


def test_the_mode_of_pytorch_is_put_back() -> None:
    before = torch.get_deterministic_debug_mode()
    tiny.trainer().advance()
    assert torch.get_deterministic_debug_mode() == before


# ---- what goes wrong -----------------------------------------------------------------------------


def test_a_loss_that_is_no_number_stops_the_run() -> None:
    run = tiny.trainer()
    run.advance()
    with torch.no_grad():
        run._weights["embedding"][0, 0] = float("nan")
    with pytest.raises(TrainingError, match="no number"):
        run.checkpoint()
    run.advance()
    with pytest.raises(TrainingError, match="no number any more, at step 2"):
        run.mean_loss()


def test_checkpoints_that_are_damaged_or_foreign() -> None:
    run = tiny.trainer()
    run.advance()
    data = run.checkpoint()
    for bad in (b"", b"no archive", data[: len(data) // 2], data[:-30], save_weights(_network())):
        with pytest.raises(TrainingError):
            Trainer.resumed(bad, tiny.task(), tiny.plan(), threads=1)
    flipped = bytearray(data)
    flipped[len(data) // 2] ^= 1
    with pytest.raises(TrainingError, match="damaged"):
        Trainer.resumed(bytes(flipped), tiny.task(), tiny.plan(), threads=1)


def _network() -> Transformer:
    return tiny.finish(tiny.trainer(schedule=tiny.plan(steps=1, finetune=0))).network


@pytest.mark.parametrize(
    ("made", "schedule", "named"),
    [
        (tiny.task(width=32), tiny.plan(), "width is 16 there, 32 here"),
        (tiny.task(), tiny.plan(rate=0.5), "rate is 0.01 there, 0.5 here"),
        (tiny.task("llama"), tiny.plan(), "style is gpt there, llama here"),
    ],
)
def test_a_checkpoint_of_another_run(made, schedule, named: str) -> None:
    data = tiny.trainer().checkpoint()
    with pytest.raises(TrainingError, match=named):
        Trainer.resumed(data, made, schedule, threads=1)


def test_a_checkpoint_of_another_text() -> None:
    made = tiny.task()
    data = tiny.trainer(made).checkpoint()
    made.text = replace(made.text, digest="other")
    with pytest.raises(TrainingError, match=r"text is .* there, other here"):
        Trainer.resumed(data, made, tiny.plan(), threads=1)


def test_devices_that_there_are_not(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(TrainingError, match="no device 'tpu'"):
        Trainer(tiny.task(), tiny.plan(), device="tpu")
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    with pytest.raises(TrainingError, match="no CUDA device"):
        Trainer(tiny.task(), tiny.plan(), device="cuda")
    assert Trainer(tiny.task(), tiny.plan(), device="auto").device.type == "cpu"
