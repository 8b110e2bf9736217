"""Moving between executors, and losing one: the same results, every word and every message."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pytest

from pxos.kernel import placed
from pxos.kernel.clock import VirtualClock
from pxos.kernel.grants import Grants
from pxos.kernel.kernel import Kernel, SpawnError
from pxos.kernel.machine import program as program_file
from pxos.kernel.machine.program import Program
from pxos.kernel.pipes import IterSource, ListSink
from pxos.kernel.placement import Backends, cpu_executor
from pxos.kernel.process import Process
from pxos.kernel.scheduler import ShuffledScheduler

from .fake_gpu import FakeGpu, FullError, LostError, rubbish_in
from .programs import DictStore, number_of, program, spec
from .test_replay import GAME

#: Copies pictures of growing size, with a running number written into them, and random noise.
COPIER = program(
    """
loop:
[ pic 'p 0
$ size pic 'n
b size done
A n n 1
A pic pic n
[ noise 'r 0
A sum sum noise
] pic 'p 0
] word 't 0
J loop
done:
H n
""",
    spec("pic", "P", np.zeros((1, 1, 4))),
    spec("size"),
    spec("n", "I", [[0]]),
    spec("noise"),
    spec("sum", "I", [[0]]),
    spec("word", "T", b"one picture\n"),
)
PICTURES = [np.full((size, size + 1, 4), size, np.uint8) for size in (3, 40, 5, 60, 61)]

#: Adds up what fuel it sees in SYS, so that it notices any difference.
FUEL_READER = program(
    """
loop:
A seen SYS 0
G fuel seen three
A total total fuel
- n n 1
B n loop
H 0
""",
    spec("seen"),
    spec("fuel"),
    spec("three", "I", [[3]]),
    spec("total", "I", [[0]]),
    spec("n", "I", [[40]]),
)


@dataclass
class Ran:
    """What came of a run."""

    image: np.ndarray
    exit: object
    pictures: list[np.ndarray]
    texts: list[bytes]
    fuel: int
    process: Process
    kernel: Kernel

    def same(self, other: Ran) -> None:
        assert np.array_equal(self.image, other.image)
        assert self.exit == other.exit
        assert len(self.pictures) == len(other.pictures)
        assert all(map(np.array_equal, self.pictures, other.pictures))
        assert self.texts == other.texts
        assert self.fuel == other.fuel


def copy(
    backends: Backends | None,
    on: str,
    *,
    slices: int = 40,
    seed: int = 1,
    restless: int = 0,
    what: Program = COPIER,
    rounds: int = 1,
) -> Ran:
    """Run the copier; ``restless``: a seed for moving it at any moment."""
    kernel = Kernel(
        DictStore(),
        clock=VirtualClock(),
        seed=5,
        scheduler=ShuffledScheduler(seed, slices),
        backends=backends,
    )
    pictures: ListSink[np.ndarray] = ListSink()
    texts: ListSink[bytes] = ListSink()
    process = kernel.spawn(
        what,
        "copier",
        grants=Grants.of(what.meta),
        inputs=[IterSource(picture.copy() for picture in PICTURES * rounds)],
        output=pictures,
        text_out=texts,
        on=on,
    )
    rng = np.random.default_rng(restless)
    while kernel.run(0):
        if restless and rng.random() < 0.3:
            kernel.place(process.pid, str(rng.choice(["cpu", "gpu"])))
    kernel.settle(process.pid)
    assert process.memory is not None
    image = process.memory.used_image().copy()
    return Ran(
        image,
        process.exit,
        pictures.messages,
        texts.messages,
        process.accounting.fuel,
        process,
        kernel,
    )


@pytest.fixture(scope="module")
def on_cpu() -> Ran:
    ran = copy(None, "cpu")
    assert len(ran.pictures) == len(ran.texts) == len(PICTURES)
    assert ran.process.where == "cpu"
    return ran


def test_the_fake_keeps_the_elements_to_itself() -> None:
    gpu = FakeGpu()
    kernel = Kernel(DictStore(), clock=VirtualClock(), backends=gpu.backends())
    process = kernel.spawn(COPIER, "copier", grants=Grants.of(COPIER.meta), on="gpu")
    kernel.run(0)
    assert process.memory is not None
    assert rubbish_in(process.memory) > 3
    kernel.settle(process.pid)
    assert rubbish_in(process.memory) == 0


@pytest.mark.parametrize("slices", [1, 7, 10_000])
def test_the_same_on_the_gpu(on_cpu: Ran, slices: int) -> None:
    gpu = FakeGpu()
    ran = copy(gpu.backends(), "gpu", slices=slices)
    ran.same(on_cpu)
    assert gpu.slices > 0
    assert ran.process.notices == []


@pytest.mark.parametrize("restless", range(1, 9))
def test_moving_back_and_forth(on_cpu: Ran, restless: int) -> None:
    gpu = FakeGpu()
    ran = copy(gpu.backends(), "cpu", restless=restless, slices=9)
    ran.same(on_cpu)
    assert gpu.slices > 2
    assert gpu.settled >= 2
    ran.kernel.reap(ran.process.pid)
    assert gpu.made == gpu.closed >= 2
    assert gpu.opened == 1
    assert ran.process.notices == []


@pytest.mark.parametrize("error", [LostError, FullError])
@pytest.mark.parametrize("slices", [3, 25, 10_000])
def test_losing_the_device_at_any_moment(on_cpu: Ran, slices: int, error: type[Exception]) -> None:
    whole = FakeGpu(error=error)
    copy(whole.backends(), "gpu", slices=slices)
    assert whole.events > 30
    for moment in range(whole.events):
        gpu = FakeGpu(moment, error)
        ran = copy(gpu.backends(), "gpu", slices=slices)
        ran.same(on_cpu)
        assert ran.process.where == "cpu"
        assert gpu.made == gpu.closed <= 1
        (notice,) = ran.process.notices
        assert "on the CPU: the test pulled it out" in notice


@pytest.mark.parametrize("moment", range(45))
def test_losing_it_while_moving_about(on_cpu: Ran, moment: int) -> None:
    gpu = FakeGpu(moment)
    ran = copy(gpu.backends(), "cpu", restless=3, slices=9)
    ran.same(on_cpu)
    assert len(ran.process.notices) == (gpu.events > moment)
    assert 1 <= gpu.opened <= 2, "it may have been asked for by name again"


@pytest.mark.parametrize("moment", range(0, 200, 11))
def test_a_game_that_waits_for_several_ports(moment: int) -> None:
    def play(backends: Backends | None) -> tuple[np.ndarray, object, int]:
        clock = VirtualClock()
        kernel = Kernel(
            DictStore(),
            clock=clock,
            seed=2,
            scheduler=ShuffledScheduler(2, 5),
            backends=backends,
            on="auto" if backends is None else "gpu",
        )
        sink: ListSink[np.ndarray] = ListSink()
        process = kernel.spawn(
            GAME,
            "game",
            grants=Grants.of(GAME.meta),
            output=sink,
            inputs=[IterSource([np.full((1, 1, 4), 3, np.uint8)])],
        )
        rng = np.random.default_rng(4)
        for frame in range(100):
            for _ in range(rng.integers(3)):
                process.keys.push(int(rng.integers(100)), 1)
            clock.advance(16)
            if rng.integers(2):
                kernel.tick(frame)
            while kernel.run(0):
                pass
        kernel.settle(process.pid)
        assert process.memory is not None
        shown = process.surface.serial
        return process.memory.used_image().copy(), process.exit, shown

    image, ended, shown = play(None)
    lost_image, lost_ended, lost_shown = play(FakeGpu(moment).backends())
    assert np.array_equal(image, lost_image)
    assert (ended, shown) == (lost_ended, lost_shown)


def test_fuel_that_is_set_from_outside_is_part_of_the_replay() -> None:
    def read(gpu: FakeGpu | None) -> tuple[list[list[int]], int]:
        kernel = Kernel(
            DictStore(),
            clock=VirtualClock(),
            scheduler=ShuffledScheduler(1, 6),
            backends=None if gpu is None else gpu.backends(),
        )
        process = kernel.spawn(
            FUEL_READER,
            "reader",
            grants=Grants(),
            fuel=5000,
            on="cpu" if gpu is None else "gpu",
        )
        rounds = 0
        while kernel.run(0):
            rounds += 1
            if rounds % 7 == 0:
                process.fuel_debt += 11
        kernel.settle(process.pid)
        return number_of(process, "total"), process.accounting.fuel

    expected = read(None)
    whole = FakeGpu()
    assert read(whole) == expected
    for moment in range(1, whole.events):
        assert read(FakeGpu(moment)) == expected, moment


def test_a_held_message_stays_with_the_executor_that_holds_it(on_cpu: Ran) -> None:
    """Slices of 1 fuel: every picture is held until its fuel comes, and it is moved then."""
    gpu = FakeGpu()
    kernel = Kernel(
        DictStore(),
        clock=VirtualClock(),
        seed=5,
        scheduler=ShuffledScheduler(1, 1),
        backends=gpu.backends(),
    )
    pictures: ListSink[np.ndarray] = ListSink()
    process = kernel.spawn(
        COPIER,
        "copier",
        grants=Grants.of(COPIER.meta),
        inputs=[IterSource(picture.copy() for picture in PICTURES)],
        output=pictures,
        on="cpu",
    )
    held = 0
    assert process.placed is not None
    while kernel.run(0):
        if process.placed is not None and process.placed._door.is_held and process.next_fuel > 1:
            held += 1
            kernel.place(process.pid, "gpu" if process.where == "cpu" else "cpu")
    assert held >= 3
    assert gpu.slices > 3
    assert all(map(np.array_equal, pictures.messages, on_cpu.pictures))


# ---- safe points --------------------------------------------------------------------------


def test_safe_points_are_taken_when_the_log_grows(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(placed, "LOG_BYTES", 4000)
    monkeypatch.setattr(placed, "SAFE_SHARE", 0.0)
    thrice = copy(None, "cpu", rounds=3)
    gpu = FakeGpu()
    ran = copy(gpu.backends(), "gpu", slices=9, rounds=3)
    ran.same(thrice)
    read = sum(picture.nbytes for picture in PICTURES * 3)
    assert 2 <= gpu.settled <= 1 + read // 4 // 4000, "and once for the test"
    assert gpu.settled <= 2 + read // ran.image.nbytes * 2
    for moment in range(0, gpu.events, 5):
        copy(FakeGpu(moment).backends(), "gpu", slices=9, rounds=3).same(thrice)


def test_safe_points_are_taken_when_they_are_cheap(
    on_cpu: Ran, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(placed, "SAFE_SHARE", 1e9)
    gpu = FakeGpu()
    copy(gpu.backends(), "gpu", slices=9).same(on_cpu)
    assert gpu.settled > 20
    for moment in range(0, gpu.events, 9):
        copy(FakeGpu(moment).backends(), "gpu", slices=9).same(on_cpu)


def test_no_safe_points_for_short_programs() -> None:
    gpu = FakeGpu()
    copy(gpu.backends(), "gpu")
    assert gpu.settled == 1, "for the test alone"


# ---- what else looks at the memory ----------------------------------------------------------


def test_a_checkpoint_of_a_process_on_the_gpu() -> None:
    checkpoints = {}
    for on in ("cpu", "gpu"):
        gpu = FakeGpu()
        kernel = Kernel(DictStore(), clock=VirtualClock(), seed=5, backends=gpu.backends())
        kernel.scheduler = ShuffledScheduler(1, 9)
        process = kernel.spawn(
            COPIER,
            "copier",
            grants=Grants.of(COPIER.meta),
            inputs=[IterSource(picture.copy() for picture in PICTURES)],
            on=on,
        )
        for _ in range(12):
            kernel.run(0)
        checkpoints[on] = kernel.checkpoint(process.pid)
        again = program_file.load(checkpoints[on])
        assert again.meta == COPIER.meta
        kernel.close()
    assert checkpoints["cpu"] == checkpoints["gpu"]


def test_an_ended_process_can_still_be_looked_at_when_the_device_is_lost(on_cpu: Ran) -> None:
    gpu = FakeGpu()
    kernel = Kernel(
        DictStore(),
        clock=VirtualClock(),
        seed=5,
        backends=gpu.backends(),
        scheduler=ShuffledScheduler(1, 40),
    )
    process = kernel.spawn(
        COPIER,
        "copier",
        grants=Grants.of(COPIER.meta),
        inputs=[IterSource(picture.copy() for picture in PICTURES)],
        on="gpu",
    )
    while kernel.run(0):
        pass
    assert process.exit == on_cpu.exit
    gpu.fails_at = gpu.events
    kernel.settle(process.pid)
    assert process.memory is not None
    assert np.array_equal(process.memory.used_image(), on_cpu.image)
    kernel.reap(process.pid)
    assert process.memory is None


def test_a_lost_gpu_is_opened_again_only_when_asked_for() -> None:
    gpu = FakeGpu(4)
    backends = gpu.backends()
    assert backends.tempting
    copy(backends, "gpu")
    assert gpu.opened == 1
    assert not backends.tempting
    copy(backends, "auto")
    assert gpu.opened == 1
    copy(backends, "gpu")
    assert gpu.opened == 2
    assert backends.tempting


def test_no_gpu_where_it_is_asked_for() -> None:
    gpu = FakeGpu()
    gpu.there = False
    kernel = Kernel(DictStore(), clock=VirtualClock(), backends=gpu.backends())
    with pytest.raises(SpawnError, match="there is no adapter; install one"):
        kernel.spawn(COPIER, "copier", grants=Grants(), on="gpu")
    assert kernel.processes == {}
    process = kernel.spawn(COPIER, "copier", grants=Grants(), on="cpu")
    with pytest.raises(SpawnError, match="there is no adapter"):
        kernel.place(process.pid, "gpu")
    with pytest.raises(ValueError, match="one of cpu, gpu, auto"):
        kernel.place(process.pid, "moon")
    gpu.there = True
    kernel.place(process.pid, "gpu")
    kernel.run(0)
    assert process.where == "gpu"
    other = kernel.spawn(COPIER, "other", grants=Grants(), make_executor=cpu_executor)
    with pytest.raises(ValueError, match="executor of its own"):
        kernel.place(other.pid, "cpu")
    kernel.kill(process.pid)
    with pytest.raises(ValueError, match="has ended"):
        kernel.place(process.pid, "cpu")
