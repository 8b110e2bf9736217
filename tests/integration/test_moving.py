"""The shipped programs moved between executors, and losing one, while they run.

The fake GPU is as forgetful as a device may be; the real one is asked for the same.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pytest

from pxos.boot.gpu import backend_of
from pxos.fs.folders import FolderStore
from pxos.kernel.arguments import parse_args
from pxos.kernel.clock import VirtualClock
from pxos.kernel.devices.screen import FRAME_RATE
from pxos.kernel.grants import Grants
from pxos.kernel.kernel import Kernel
from pxos.kernel.machine.fault import Stop
from pxos.kernel.machine.gpu.device import open_gpu
from pxos.kernel.machine.memory import Memory
from pxos.kernel.machine.ports import Ports
from pxos.kernel.pipes import IterSource, ListSink
from pxos.kernel.placement import Backend, Backends, GpuExecutor
from pxos.kernel.scheduler import ShuffledScheduler

from ..apps.playing import APPS, built
from ..gpu import gpu
from ..kernel.fake_gpu import FakeGpu
from ..pictures import photograph

#: Programs with their words, how many pictures they are given, and for how many frames they run.
RUNS = [
    ("blur", "2", 2, 0),
    ("edges", "", 1, 0),
    ("histogram", "", 1, 0),
    ("palette", "", 1, 0),
    ("rotate", "30", 1, 0),
    ("text", "", 0, 0),
    ("mandelbrot", "", 0, 3),
    ("life", "", 0, 6),
    ("snake", "", 0, 6),
]
IDS = [name for name, *_ in RUNS]


@dataclass
class Ran:
    """What a run gave."""

    image: np.ndarray
    written: list[bytes]
    shown: np.ndarray
    serial: int
    moves: int
    notices: list[str]

    def same(self, other: Ran) -> None:
        assert self.written == other.written
        assert self.serial == other.serial
        assert np.array_equal(self.shown, other.shown)
        assert np.array_equal(self.image, other.image)


def run(
    name: str,
    words: str,
    given: int,
    frames: int,
    backends: Backends | None = None,
    move: Callable[[int], str] = lambda turn: "",
    on: str = "cpu",
) -> Ran:
    """Run a program; ``move`` says in each turn where it is to go ("": nowhere)."""
    clock = VirtualClock()
    kernel = Kernel(
        FolderStore([APPS]),
        clock=clock,
        seed=3,
        backends=backends,
        scheduler=ShuffledScheduler(7, 100),
    )
    what = built(name)
    pictures: ListSink[np.ndarray] = ListSink()
    texts: ListSink[bytes] = ListSink()
    process = kernel.spawn(
        what,
        name,
        args=parse_args(what.meta, words.split(), name),
        grants=Grants.of(what.meta),
        inputs=[IterSource([photograph(80 + i, 101) for i in range(given)])] if given else [],
        output=pictures,
        text_in=IterSource([b"to be, or not to be\n"]),
        text_out=texts,
        on=on,
    )
    turn = moves = 0
    for frame in range(1, (frames or 1) + 1):
        clock.advance(1000 // FRAME_RATE)
        kernel.tick(frame)
        process.keys.push(ord("d"), 1)
        while kernel.run(0):
            turn += 1
            place = move(turn)
            if place and not process.ended and place != process.where:
                kernel.place(process.pid, place)
                moves += 1
    assert process.ended == (frames == 0)
    assert not process.card, "\n".join(process.card)
    kernel.settle(process.pid)
    assert process.memory is not None
    ran = Ran(
        process.memory.used_image().copy(),
        [*(picture.tobytes() for picture in pictures.messages), *texts.messages],
        process.surface.picture.copy(),
        process.surface.serial,
        moves,
        process.notices,
    )
    kernel.close()
    return ran


def back_and_forth(turn: int) -> str:
    return ("gpu", "", "cpu", "", "")[turn % 5]


@pytest.mark.parametrize("case", RUNS, ids=IDS)
def test_moving_programs_about(case: tuple[str, str, int, int]) -> None:
    fake = FakeGpu()
    moved = run(*case, fake.backends(), back_and_forth)
    moved.same(run(*case))
    assert moved.moves > 2
    assert fake.slices > 1
    assert moved.notices == []


@pytest.mark.parametrize("case", RUNS, ids=IDS)
def test_losing_the_device_in_the_middle_of_programs(case: tuple[str, str, int, int]) -> None:
    whole = FakeGpu()
    expected = run(*case)
    run(*case, whole.backends(), on="gpu").same(expected)
    for moment in range(1, whole.events, max(1, whole.events // 9)):
        ran = run(*case, FakeGpu(moment).backends(), on="gpu")
        ran.same(expected)
        assert ran.notices == ["goes on on the CPU: the test pulled it out"]


# ---- the real one -------------------------------------------------------------------------


def real() -> Backends:
    backend = backend_of(gpu())
    return Backends(lambda: backend)


@pytest.mark.parametrize("case", RUNS, ids=IDS)
def test_moving_programs_about_for_real(case: tuple[str, str, int, int]) -> None:
    moved = run(*case, real(), back_and_forth)
    moved.same(run(*case))
    assert moved.notices == []


class Unplugged:
    """A real executor whose device fails after so many slices, and never comes back."""

    def __init__(self, inner: GpuExecutor, slices: int, error: type[Exception]) -> None:
        self.inner = inner
        self.left = slices
        self.error = error

    def run(self, slice_fuel: int) -> Stop:
        stop = self.inner.run(slice_fuel)
        self.left -= 1
        if self.left < 0:
            raise self.error("the test unplugged it")
        return stop

    def settle(self) -> None:
        if self.left < 0:
            raise self.error("the test unplugged it")
        self.inner.settle()

    def close(self) -> None:
        self.inner.close()


@pytest.mark.parametrize("slices", [0, 1, 3])
@pytest.mark.parametrize("case", RUNS[:4], ids=IDS[:4])
def test_losing_the_real_one(case: tuple[str, str, int, int], slices: int) -> None:
    backend = backend_of(gpu())

    def make(memory: Memory, ports: Ports) -> Unplugged:
        return Unplugged(backend.make(memory, ports), slices, backend.lost)

    def open_gpu() -> Backend:
        return backend._replace(make=make)

    ran = run(*case, Backends(open_gpu), on="gpu")
    ran.same(run(*case))
    assert ran.notices == ["goes on on the CPU: the test unplugged it"]


def test_a_device_that_goes_away_by_itself() -> None:
    """What the driver raises then, and not what a test does."""
    gpu()
    case = ("blur", "2", 2, 0)
    device = open_gpu()
    backend = backend_of(device)

    def close(turn: int) -> str:
        if turn == 8:
            device.close()
        return ""

    ran = run(*case, Backends(lambda: backend), close, on="gpu")
    ran.same(run(*case))
    (notice,) = ran.notices
    assert notice == f"goes on on the CPU: {device.info.name} was closed"
