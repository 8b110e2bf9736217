"""Choosing where processes run: costs, regret, and when a GPU is opened."""

from __future__ import annotations

import subprocess
import sys
import threading
import time
from itertools import pairwise

import numpy as np
import pytest

from pxos.kernel import cost
from pxos.kernel.clock import Moment, VirtualClock
from pxos.kernel.cost import OPENING_SECONDS, Chooser, CostModel, Work, first_guess
from pxos.kernel.grants import Grants
from pxos.kernel.kernel import Kernel
from pxos.kernel.machine.layout import MatrixSpec
from pxos.kernel.machine.program import Program, open_memory
from pxos.kernel.placement import CPU, GPU, Backend, NoGpuError
from pxos.kernel.scheduler import BOUNDS, NOMINAL_FUEL_RATE, SLICE_SECONDS

from .fake_gpu import FakeGpu
from .programs import DictStore, number_of, program, spec

ADD, MATMUL, JUMP = ord("A"), ord("M"), ord("J")

#: Counts to 12,000 one by one.
COUNTER = program(
    "loop:\nA n n 1\n- left left 1\nB left loop\nH 0",
    spec("n", "I", [[0]]),
    spec("left", "I", [[12_000]]),
)


def heavy(times: int, size: int = 512, instruction: str = "^ c a b") -> Program:
    """Does something with two matrices again and again, then counts for a while."""
    return program(
        f"""
        loop:
        {instruction}
        - left left 1
        B left loop
        count:
        A n n 1
        - more more 1
        B more count
        H 0
        """,
        MatrixSpec("a", "I", size, size, np.ones((size, size), np.int32)),
        MatrixSpec("b", "I", size, size, np.ones((size, size), np.int32)),
        spec("c"),
        spec("left", "I", [[times]]),
        spec("n", "I", [[0]]),
        spec("more", "I", [[9000]]),
    )


class Ticking:
    """A clock on which every look takes a while."""

    def __init__(self, step: float = 0.0) -> None:
        self.time = 0.0
        self.step = step

    def seconds(self) -> float:
        self.time += self.step
        return self.time

    def monotonic_ms(self) -> int:
        return int(self.time * 1000)

    def now(self) -> Moment:
        return (2000, 1, 1, 0, 0, 0, 0)


class HostClock(Ticking):
    """The host's time."""

    def seconds(self) -> float:
        return time.perf_counter()


def model() -> CostModel:
    return CostModel(Ticking())


# ---- speeds -----------------------------------------------------------------------------------


def test_a_speed_follows_what_it_measures() -> None:
    speed = model().speeds[CPU]
    work = Work(1, {"matmul": 1e6})
    before = speed.seconds(work)
    other = speed.seconds(Work(1, {"arith": 1e6}))
    for _ in range(60):
        speed.learn(work, before * 5)
    assert speed.seconds(work) == pytest.approx(before * 5, rel=0.1)
    assert speed.seconds(Work(1, {"arith": 1e6})) == other, "another family is not to blame"
    for _ in range(60):
        speed.learn(work, before / 3)
    assert speed.seconds(work) == pytest.approx(before / 3, rel=0.2)


def test_many_small_instructions_teach_the_overhead() -> None:
    speed = model().speeds[GPU]
    small = Work(10_000, {"arith": 100.0})
    heavy = Work(1, {"arith": 1e9})
    before, long = speed.seconds(small), speed.seconds(heavy)
    for _ in range(20):
        speed.learn(small, before / 10)
    assert speed.seconds(small) == pytest.approx(before / 10, rel=0.1)
    assert speed.seconds(heavy) == pytest.approx(long, rel=0.01)


def test_one_slice_that_was_interrupted_does_not_decide() -> None:
    speed = model().speeds[CPU]
    work = Work(1, {"arith": 1e5})
    before = speed.seconds(work)
    speed.learn(work, 1000.0)
    assert speed.seconds(work) < before * 30
    for _ in range(100):
        speed.learn(work, before)
    assert speed.seconds(work) < before * 2


def test_what_copying_takes_is_learned() -> None:
    costs = model()
    before = costs.moving(1 << 30, opened=True)
    for _ in range(10):
        costs.copied(1 << 30, 2.0)
    assert costs.moving(1 << 30, opened=True) == pytest.approx(2.0, rel=0.02) != before
    still = CostModel(None)
    still.copied(1 << 30, 2.0)
    assert still.moving(1 << 30, opened=True) == before
    assert still.moving(0, opened=False) - still.moving(0, opened=True) == OPENING_SECONDS


# ---- regret -----------------------------------------------------------------------------------


def test_large_products_go_to_the_gpu_and_counting_comes_back() -> None:
    chooser = Chooser(CostModel(None))
    mib = 1 << 20
    slices = 0
    while not chooser.wants_away(CPU, mib, opened=True):
        chooser.ran(CPU, 3, 2_000_000, MATMUL, 0.0)
        slices += 1
    assert 1 <= slices <= 3
    chooser.moved()
    for _ in range(100):
        chooser.ran(GPU, 3, 2_000_000, MATMUL, 0.0)
        assert not chooser.wants_away(GPU, mib, opened=True)
    slices = 0
    while not chooser.wants_away(GPU, mib, opened=True):
        chooser.ran(GPU, 1000, 1000, ADD, 0.0)
        slices += 1
    assert slices < 10


def test_a_gpu_that_is_not_open_must_be_worth_opening() -> None:
    chooser = Chooser(CostModel(None))
    lost = 0
    while not chooser.wants_away(CPU, 0, opened=False):
        before = chooser.regret
        chooser.ran(CPU, 3, 2_000_000, MATMUL, 0.0)
        lost += chooser.regret - before
    assert lost > OPENING_SECONDS


def test_scalars_never_leave_the_cpu() -> None:
    chooser = Chooser(CostModel(None))
    for _ in range(1000):
        chooser.ran(CPU, 2000, 2000, ADD, 0.0)
    assert chooser.regret == 0
    assert not chooser.wants_away(CPU, 0, opened=True)


def test_one_instruction_may_be_reason_enough() -> None:
    chooser = Chooser(CostModel(None))
    assert not chooser.wants_away(CPU, 0, opened=False, opcode=MATMUL, next_fuel=1_000_000)
    assert chooser.wants_away(CPU, 0, opened=False, opcode=MATMUL, next_fuel=1_000_000_000)
    assert not chooser.wants_away(GPU, 0, opened=True, opcode=MATMUL, next_fuel=1_000_000_000)


def test_it_does_not_flap() -> None:
    """Phases that take turns, each a little worth the other place."""
    chooser = Chooser(CostModel(None))
    where, moves = CPU, 0
    for phase in range(400):
        for _ in range(3):
            if phase % 2:
                chooser.ran(where, 3, 2_000_000, MATMUL, 0.0)
            else:
                chooser.ran(where, 1500, 1500, ADD, 0.0)
            if chooser.wants_away(where, 1 << 20, opened=True):
                where = CPU if where == GPU else GPU
                chooser.moved()
                moves += 1
    assert moves <= 8


def test_a_gpu_that_disappoints_is_left() -> None:
    costs = model()
    chooser = Chooser(costs)
    chooser.ran(CPU, 3, 2_000_000, MATMUL, 0.06)
    assert chooser.wants_away(CPU, 1 << 20, opened=True)
    chooser.moved()
    for _ in range(20):
        chooser.ran(GPU, 3, 2_000_000, MATMUL, 0.5)
        if chooser.wants_away(GPU, 1 << 20, opened=True):
            break
    else:
        pytest.fail("it stayed on a GPU that is slower than the CPU")
    chooser.moved()
    for _ in range(200):
        chooser.ran(CPU, 3, 2_000_000, MATMUL, 0.06)
        assert not chooser.wants_away(CPU, 1 << 20, opened=True)


def test_the_first_guess_reads_the_code() -> None:
    costs = CostModel(None)
    assert first_guess(open_memory(COUNTER), costs) == 0.0
    small = first_guess(open_memory(heavy(1, 16, "M c a b")), costs)
    large = first_guess(open_memory(heavy(1, 512, "M c a b")), costs)
    assert small == 0.0
    assert 0.001 < large < 0.1


# ---- processes --------------------------------------------------------------------------------


@pytest.fixture
def opens_fast(monkeypatch: pytest.MonkeyPatch) -> None:
    """A GPU worth opening for less, so that tests are short."""
    monkeypatch.setattr(cost, "OPENING_SECONDS", 0.01)


def run(what: Program, gpu: FakeGpu, on: str = "auto", clock: object = None) -> list[str]:
    """Where a process was after each round."""
    kernel = Kernel(DictStore(), clock=clock or VirtualClock(), backends=gpu.backends(), on=on)
    process = kernel.spawn(what, "test", grants=Grants())
    places = [process.where]
    while kernel.run(0):
        places.append(process.where)
    kernel.settle(process.pid)
    assert process.exit is not None
    assert process.exit.text == "ended with status 0"
    assert number_of(process, "n") == [[9000 if "more" in what.meta.names else 12_000]]
    kernel.close()
    return places


@pytest.mark.usefixtures("opens_fast")
def test_auto_goes_where_the_work_is_and_comes_back() -> None:
    gpu = FakeGpu()
    places = run(heavy(300), gpu)
    assert places[0] == "cpu"
    assert gpu.opened == 1
    assert "gpu" in places
    assert places[-1] == "cpu"
    changes = sum(a != b for a, b in pairwise(places))
    assert changes == 2
    assert run(heavy(300), FakeGpu()) == places, "on a virtual clock it repeats"


def test_auto_opens_nothing_for_small_programs() -> None:
    gpu = FakeGpu()
    assert set(run(COUNTER, gpu)) == {"cpu"}
    assert gpu.opened == 0


@pytest.mark.usefixtures("opens_fast")
def test_auto_leaves_software_alone() -> None:
    gpu = FakeGpu()
    gpu.software = True
    assert set(run(heavy(300), gpu)) == {"cpu"}
    assert gpu.opened == 1, "only opening it shows what it is"
    assert gpu.slices == 0
    assert "gpu" in run(heavy(3), gpu, on="gpu")


@pytest.mark.usefixtures("opens_fast")
def test_auto_without_a_gpu_says_nothing() -> None:
    gpu = FakeGpu()
    gpu.there = False
    assert set(run(heavy(300), gpu)) == {"cpu"}


def test_what_does_not_look_promising_is_not_opened() -> None:
    gpu = FakeGpu()
    backends = gpu.backends(promising=lambda: False)
    assert not backends.tempting
    assert gpu.opened == 0
    backends.gpu(asked=True)
    assert gpu.opened == 1
    assert backends.tempting


def test_backends_say_what_is_missing() -> None:
    gpu = FakeGpu()
    gpu.there = False
    backends = gpu.backends()
    for _ in range(2):
        with pytest.raises(NoGpuError, match="there is no adapter; install one"):
            backends.gpu()
    gpu.there = True
    with pytest.raises(NoGpuError):
        backends.gpu()
    assert backends.gpu(asked=True) is backends.gpu()
    assert gpu.opened == 1
    with pytest.raises(ValueError, match="one of cpu, gpu, auto"):
        Kernel(DictStore(), clock=VirtualClock(), on="moon")


def test_on_a_real_clock_the_gpu_has_a_thread_of_its_own() -> None:
    """Two processes take turns there, one of them looked at and moved in between."""
    gpu = FakeGpu()
    kernel = Kernel(DictStore(), clock=Ticking(1e-2), backends=gpu.backends(), workers=2)
    processes = [kernel.spawn(COUNTER, "counter", grants=Grants(), on="gpu") for _ in range(2)]
    rounds = 0
    while kernel.run(0.1):
        rounds += 1
        if rounds == 3:
            assert kernel.checkpoint(processes[0].pid)
            kernel.place(processes[1].pid, "cpu")
    for process in processes:
        kernel.settle(process.pid)
        assert number_of(process, "n") == [[12_000]]
    assert [process.where for process in processes] == ["gpu", "cpu"]
    kernel.close()


@pytest.mark.usefixtures("opens_fast")
def test_a_process_goes_on_while_the_gpu_is_opened_for_it() -> None:
    class Slow(FakeGpu):
        def open(self) -> Backend:
            assert threading.current_thread().name == "pxos-worker"
            asked.set()
            assert goes_on.wait(60)
            return super().open()

    gpu, asked, goes_on = Slow(), threading.Event(), threading.Event()
    kernel = Kernel(DictStore(), clock=HostClock(), backends=gpu.backends(), workers=1)
    looping = kernel.spawn(heavy(5000, instruction="q c a"), "heavy", grants=Grants())
    while not (asked.is_set() or looping.ended):
        kernel.run(0)
    done = looping.accounting.instructions
    while looping.accounting.instructions < done + 20:
        assert kernel.run(0.01)
    assert looping.where == "cpu"
    goes_on.set()
    while kernel.run(0.01) and looping.where == "cpu":
        pass
    assert looping.where == "gpu"
    assert gpu.opened == 1
    kernel.close()


def test_losing_the_gpu_on_its_thread_is_told() -> None:
    gpu = FakeGpu(fails_at=9)
    kernel = Kernel(DictStore(), clock=Ticking(1e-2), backends=gpu.backends(), workers=2)
    told = []
    kernel.on_notice = lambda process, text: told.append((process.pid, text))
    process = kernel.spawn(COUNTER, "counter", grants=Grants(), on="gpu")
    while kernel.run(0.1):
        pass
    assert told == [(1, "goes on on the CPU: the test pulled it out")]
    assert process.notices == [told[0][1]]
    assert process.where == "cpu"
    assert number_of(process, "n") == [[12_000]]
    kernel.close()


def test_a_process_that_is_killed_while_it_recovers() -> None:
    gpu = FakeGpu()
    kernel = Kernel(DictStore(), clock=VirtualClock(), backends=gpu.backends())
    process = kernel.spawn(COUNTER, "counter", grants=Grants(), on="gpu")
    for _ in range(5):
        kernel.run(0)
    placed = process.placed
    assert placed is not None
    gpu.fails_at = gpu.events
    placed.give_up()
    stop = placed.run(1000)
    assert stop.reason == "Y", "it stopped on the way"
    kernel.kill(process.pid)
    kernel.settle(process.pid)
    kernel.reap(process.pid)


# ---- slices -----------------------------------------------------------------------------------


def test_slices_are_larger_on_the_gpu_but_the_same_on_a_virtual_clock() -> None:
    gpu = FakeGpu()
    kernel = Kernel(DictStore(), clock=VirtualClock(), backends=gpu.backends())
    one = kernel.spawn(COUNTER, "one", grants=Grants(), on="cpu")
    other = kernel.spawn(COUNTER, "other", grants=Grants(), on="gpu")
    while kernel.run(0) and not one.ended:
        slices = {kernel.scheduler.slice(process) for process in (one, other)}
        assert slices == {int(NOMINAL_FUEL_RATE * SLICE_SECONDS)}
    for process in (one, other):
        process.share.fuel_rates.update(cpu=1e12, gpu=1e12)
    assert kernel.scheduler.slice(one) == BOUNDS[CPU].most
    assert kernel.scheduler.slice(other) == BOUNDS[GPU].most == 100 * BOUNDS[CPU].most


def test_the_kernel_imports_no_gpu() -> None:
    script = (
        "import sys; import pxos.kernel.kernel, pxos.kernel.placed, pxos.boot.gpu;"
        "from pxos.kernel.machine.cpu.executor import CpuExecutor;"
        "places = pxos.boot.gpu.backends(); places.tempting;"
        "print([n for n in sys.modules if 'wgpu' in n or 'machine.gpu' in n])"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, timeout=60
    )
    assert (done.stdout, done.stderr) == ("[]\n", "")
