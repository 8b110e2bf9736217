"""Fairness, preemption, worker threads: the kernel with processes that follow scripts."""

from __future__ import annotations

import threading
import time

import numpy as np
import pytest

from pxos.kernel.clock import Moment, VirtualClock
from pxos.kernel.grants import Grants
from pxos.kernel.kernel import Kernel
from pxos.kernel.machine.fault import InternalError, Stop
from pxos.kernel.machine.layout import MatrixSpec
from pxos.kernel.machine.memory import Memory
from pxos.kernel.machine.ports import Message, Ports
from pxos.kernel.pipes import Flow, Given, ListSink
from pxos.kernel.process import Process, State
from pxos.kernel.runner import FIRST_PACE, MAX_PACE
from pxos.kernel.scheduler import SLICE_SECONDS, Share

from ..kernel.programs import ALL_HARMLESS, DictStore, program
from ..kernel.scripted import Script, Scripted, scripted

#: Its two instructions matter to nobody: scripts run instead.
ANY = program("A 0 0 0\nH 0")
OUT = program("] 0 't 0\nH 0")
ALL = Grants.of(ANY.meta)
#: Fuel from which an instruction that was not measured yet goes to a worker.
HEAVY_FUEL = int(SLICE_SECONDS / FIRST_PACE)


class WorkClock:
    """Time passes as processes burn fuel: ``rate`` fuel a second."""

    def __init__(self, rate: float = 1e6) -> None:
        self.rate = rate
        self.time = 0.0

    def worked(self, step: tuple) -> None:
        self.time += (step[1] if step[0] == "burn" else 1) / self.rate

    def monotonic_ms(self) -> int:
        return int(self.time * 1000)

    def seconds(self) -> float:
        return self.time

    def now(self) -> Moment:
        return (2000, 1, 1, 0, 0, 0, 0)


class RealClock(WorkClock):
    """The host's time, for tests of threads."""

    def seconds(self) -> float:
        return time.perf_counter()


def burn(amount: int = 10) -> Script:
    while True:
        yield "burn", amount


def start(kernel: Kernel, script, clock: WorkClock | None = None, what=ANY, **more) -> Process:
    before = {} if clock is None else {"before": clock.worked}
    make = scripted(script, **before)
    return kernel.spawn(what, "script", grants=ALL, make_executor=make, **more)


@pytest.mark.parametrize("steps", [(10, 10, 10), (20, 100, 1900), (70, 5000, 19000)])
def test_equals_get_equal_time_whatever_their_instructions_cost(steps: tuple[int, ...]) -> None:
    clock = WorkClock()
    kernel = Kernel(DictStore(), clock=clock, workers=0)
    processes = [start(kernel, lambda n=n: burn(n), clock) for n in steps]
    assert kernel.run(2.0) is True
    times = [p.accounting.seconds for p in processes]
    assert sum(times) == pytest.approx(2.0, abs=0.03)
    assert max(times) - min(times) < 0.05


def test_priority_weights_time() -> None:
    clock = WorkClock()
    kernel = Kernel(DictStore(), clock=clock, workers=0)
    low, high = (start(kernel, lambda: burn(50), clock, priority=p) for p in (-2, 3))
    kernel.run(3.0)
    assert high.accounting.seconds / low.accounting.seconds == pytest.approx(1.25**5, rel=0.05)
    with pytest.raises(ValueError, match="priority"):
        Share(21)


def test_slices_follow_the_measured_rate() -> None:
    for rate, step in ((2e5, 1), (1e6, 5), (2e7, 200)):
        clock = WorkClock(rate)
        kernel = Kernel(DictStore(), clock=clock, workers=0)
        longest = [0.0]
        processes = [start(kernel, lambda step=step: burn(step), clock) for _ in range(2)]
        kernel.run(0.1)
        for _ in range(20):
            before = clock.time
            kernel.run(0)
            longest[0] = max(longest[0], clock.time - before)
        assert longest[0] == pytest.approx(SLICE_SECONDS, rel=0.2), rate
        assert all(p.accounting.fuel for p in processes)


def test_a_sleeper_is_served_soon_but_saves_nothing_up() -> None:
    clock = WorkClock()
    kernel = Kernel(DictStore(), clock=clock, workers=0)
    hogs = [start(kernel, lambda: burn(100), clock) for _ in range(3)]

    def sleeper() -> Script:
        yield "read", "v"
        while True:
            yield "burn", 100

    late = start(kernel, sleeper, clock)
    kernel.run(5.0)
    assert late.accounting.seconds < 0.01
    kernel.tick(1)
    before = clock.time
    while late.accounting.fuel < 1000:
        kernel.run(0)
    assert clock.time - before < 0.01
    kernel.run(4.0)
    assert late.accounting.seconds == pytest.approx(1.0, rel=0.05)
    assert all(h.accounting.seconds == pytest.approx(8 / 3, rel=0.05) for h in hogs)


def test_a_waiting_process_costs_nothing() -> None:
    kernel = Kernel(DictStore(), clock=VirtualClock())
    asked = []

    def waiter() -> Script:
        asked.append(1)
        yield "wait", "km"

    for _ in range(50):
        start(kernel, waiter)
    kernel.run(1)
    picked = []
    pick = kernel.scheduler.pick
    kernel.scheduler.pick = lambda: picked.append(pick()) or picked[-1]  # type: ignore[method-assign]
    for _ in range(10):
        assert kernel.run(1) is False
    assert picked == [None] * 10
    kernel.processes[7].pointer.push(1, 2)
    kernel.run(1)
    assert [p for p in picked if p] == [kernel.processes[7]]


# ---- worker threads -------------------------------------------------------------------------


class Heavy:
    """An instruction that runs until it is let go, and notes the threads it ran on."""

    def __init__(self) -> None:
        self.go = threading.Event()
        self.started = threading.Event()
        self.threads: set[str] = set()

    def before(self, step: tuple) -> None:
        if step[0] == "burn" and step[1] > HEAVY_FUEL:
            self.threads.add(threading.current_thread().name)
            self.started.set()
            assert self.go.wait(10)


@pytest.fixture
def kernel():
    kernel = Kernel(DictStore(), clock=RealClock(), workers=2)
    yield kernel
    kernel.close()


def heavy_then_text() -> Script:
    from pxos.kernel.devices.base import text

    yield "burn", 5
    yield "burn", 10 * HEAVY_FUEL
    yield "write", "t", text(b"done")
    yield "halt", 4


def test_others_go_on_while_a_worker_is_busy(kernel: Kernel) -> None:
    heavy, out = Heavy(), ListSink()
    slow = start(kernel, heavy_then_text, None, text_out=out)
    slow_executor = slow.executor
    assert isinstance(slow_executor, Scripted)
    slow_executor.before = heavy.before
    quick = start(kernel, burn)
    kernel.run(0.02)
    assert heavy.started.wait(5)
    assert slow.on_worker
    assert slow.state is State.RUNNING
    before = quick.accounting.fuel
    assert kernel.run(0.02) is True
    assert quick.accounting.fuel > before
    kernel.kill(quick.pid)
    assert kernel.run(0.01) is True
    assert kernel.next_wake() == 0.0
    heavy.go.set()
    while kernel.run(1):
        pass
    assert slow.exit is not None
    assert slow.exit.status == 4
    assert out.messages == [b"done"]
    assert slow.accounting.fuel == 5 + 10 * HEAVY_FUEL + 2
    assert heavy.threads == {"pxos-worker"}


def test_killing_works_at_once_and_the_late_result_is_dropped(kernel: Kernel) -> None:
    heavy, out = Heavy(), ListSink()
    slow = start(kernel, heavy_then_text, None, text_out=out)
    slow.executor.before = heavy.before  # type: ignore[union-attr]
    kernel.run(0.01)
    assert heavy.started.wait(5)
    kernel.kill(slow.pid)
    assert slow.ended
    assert out.closed
    kernel.reap(slow.pid)
    used = kernel.memory_bytes
    assert used > 0, "its memory is still worked on"
    heavy.go.set()
    while kernel.run(1):
        pass
    assert slow.exit is not None
    assert slow.exit.kind == "killed"
    assert out.messages == []
    assert kernel.memory_bytes == 0


class Threads:
    """A picture source and sink that notes the threads it is asked on."""

    def __init__(self, picture: np.ndarray) -> None:
        self.waiting, self.got = [picture], []
        self.threads: set[threading.Thread] = set()

    def read(self) -> np.ndarray | Flow:
        self.threads.add(threading.current_thread())
        return self.waiting.pop() if self.waiting else Flow.END

    def write(self, picture: np.ndarray) -> Given:
        self.threads.add(threading.current_thread())
        self.got.append(picture)
        return Given.TAKEN

    def ready(self) -> bool:
        return True

    def attach(self, wake: object) -> None:
        pass

    def close(self) -> None:
        pass


def test_a_large_picture_passes_ports_without_holding_the_kernels_thread(kernel: Kernel) -> None:
    picture = np.random.default_rng(1).integers(0, 256, (3000, 4000, 4), np.uint8)
    start_s = time.thread_time()
    copied = picture.copy()
    one_copy = time.thread_time() - start_s
    ends = Threads(copied)
    copier = program("[ pic 'p 0\n] pic 'p 0\nH 0", MatrixSpec("pic", "P"))
    process = kernel.spawn(
        copier, "copier", grants=Grants(frozenset("p")), inputs=[ends], output=ends
    )
    longest = 0.0
    while not process.ended:
        start_s = time.thread_time()
        if not kernel.run(0.001):
            kernel.wait(0.01)
        longest = max(longest, time.thread_time() - start_s)
    assert process.exit is not None
    assert process.exit.kind == "halted", process.card
    assert len(ends.got) == 1
    assert np.array_equal(ends.got[0], picture)
    assert ends.threads == {threading.current_thread()}, "devices belong to the kernel's thread"
    assert longest < one_copy / 2, f"held for {longest:.4f} s; a copy takes {one_copy:.4f} s"


def test_what_a_device_raises_on_behalf_of_a_worker_comes_to_the_kernels_thread(
    kernel: Kernel,
) -> None:
    class Broken(Threads):
        def write(self, picture: np.ndarray) -> Given:
            raise ZeroDivisionError("a device broke")

    ends = Broken(np.zeros((3000, 4000, 4), np.uint8))
    copier = program("[ pic 'p 0\n] pic 'p 0\nH 0", MatrixSpec("pic", "P"))
    kernel.spawn(copier, "copier", grants=Grants(frozenset("p")), inputs=[ends], output=ends)

    def run() -> None:
        while kernel.run(1):
            pass

    with pytest.raises(InternalError) as caught:
        run()
    assert isinstance(caught.value.__cause__, ZeroDivisionError)


def test_a_process_killed_while_its_worker_copies_hands_nothing_on(kernel: Kernel) -> None:
    ends = Threads(np.zeros((3000, 4000, 4), np.uint8))
    copier = program("[ pic 'p 0\n] pic 'p 0\nH 0", MatrixSpec("pic", "P"))
    process = kernel.spawn(
        copier, "copier", grants=Grants(frozenset("p")), inputs=[ends], output=ends
    )
    while kernel.run(0) and not (process.on_worker and process.accounting.instructions == 1):
        pass
    assert process.on_worker, "it is copying out"
    kernel.kill(process.pid)
    while kernel.run(1):
        pass
    assert ends.got == []
    assert not process.on_worker


def test_slow_instructions_are_found_out_by_measuring() -> None:
    clock = WorkClock(rate=1e5)
    kernel = Kernel(DictStore(), clock=clock, workers=1)
    threads: dict[int, list[bool]] = {5000: [], 500: []}

    def before(step: tuple) -> None:
        clock.worked(step)
        threads[step[1]].append(threading.current_thread().name == "pxos-worker")

    def script() -> Script:
        for _ in range(4):
            yield "burn", 5000
            for _ in range(8):
                yield "burn", 500
        yield "halt", 0

    assert 5000 * FIRST_PACE < SLICE_SECONDS < 5000 * MAX_PACE
    assert 500 * MAX_PACE < SLICE_SECONDS
    make = scripted(script, before=before)
    kernel.spawn(ANY, "slow", grants=ALL, make_executor=make, fuel=24_000)
    while kernel.run(1):
        pass
    kernel.close()
    assert threads[5000] == [False, True, True]
    assert not any(threads[500])


def test_a_checkpoint_waits_for_the_worker(kernel: Kernel) -> None:
    heavy = Heavy()
    slow = start(kernel, heavy_then_text)
    slow.executor.before = heavy.before  # type: ignore[union-attr]
    kernel.run(0.01)
    assert heavy.started.wait(5)
    threading.Timer(0.05, heavy.go.set).start()
    kernel.checkpoint(slow.pid)
    assert not slow.on_worker


def finish(kernel: Kernel) -> None:
    while kernel.run(1):
        pass


class Breaking:
    """An executor that raises."""

    def __init__(self, error: BaseException, fuel: int) -> None:
        self.error = error
        self.next = fuel

    def run(self, slice_fuel: int) -> Stop:
        if slice_fuel < self.next:
            return Stop("Y", 0, next_fuel=self.next)
        raise self.error


def breaking(error: BaseException, fuel: int):
    def make(memory: Memory, ports: Ports) -> Breaking:
        return Breaking(error, fuel)

    return make


@pytest.mark.parametrize("fuel", [1, 10 * HEAVY_FUEL])
def test_a_host_without_memory_ends_that_process_only(kernel: Kernel, fuel: int) -> None:
    other = start(kernel, lambda: iter_halt())
    process = kernel.spawn(ANY, "big", grants=ALL, make_executor=breaking(MemoryError(), fuel))
    while kernel.run(1):
        pass
    assert process.exit is not None
    assert process.exit.text == "the host has no memory for it"
    assert other.exit is not None
    assert other.exit.kind == "halted"


def iter_halt() -> Script:
    yield "halt", 0


def test_a_broken_executor_is_a_bug_that_shows(kernel: Kernel) -> None:
    kernel.spawn(ANY, "bug", grants=ALL, make_executor=breaking(RuntimeError("bug"), 10**6))
    with pytest.raises(InternalError, match="worker") as caught:
        finish(kernel)
    assert isinstance(caught.value.__cause__, RuntimeError)


def test_running_the_kernel_from_a_port_is_a_bug_that_shows() -> None:
    kernel = Kernel(DictStore(), clock=VirtualClock())

    class Sink(ListSink[bytes]):
        def write(self, message: bytes):
            kernel.run(1)
            return super().write(message)

    from pxos.kernel.devices.base import text

    def writes() -> Script:
        yield "write", "t", text(b"x")

    start(kernel, writes, text_out=Sink())
    with pytest.raises(InternalError, match="within a port"):
        kernel.run(1)


def test_all_harmless_ports_are_wired() -> None:
    kernel = Kernel(DictStore(), clock=VirtualClock())
    process = start(kernel, burn)
    assert len(process.board.devices) == len(ALL_HARMLESS)


class LateText:
    """A text source whose only piece comes when ``come`` is called."""

    def __init__(self) -> None:
        self._piece: bytes | Flow = Flow.PENDING
        self._wake = lambda: None

    def attach(self, wake) -> None:
        self._wake = wake

    def read(self) -> bytes | Flow:
        piece, self._piece = self._piece, Flow.END if self._piece != Flow.PENDING else Flow.PENDING
        return piece

    def ready(self) -> bool:
        return self._piece is not Flow.PENDING

    def close(self) -> None:
        self._piece = Flow.END

    def come(self) -> None:
        self._piece = b"late"
        self._wake()


def test_what_comes_before_a_worker_lands_wakes_its_process(kernel: Kernel) -> None:
    """It was told to wait on the kernel's thread, and is not back from its own yet."""
    text, told, go = LateText(), threading.Event(), threading.Event()

    class Asking:
        """Asks port t on a worker; after the first answer it takes its time."""

        def __init__(self, memory: Memory, ports: Ports) -> None:
            self.ports = ports

        def run(self, slice_fuel: int) -> Stop:
            if slice_fuel < 10 * HEAVY_FUEL:
                return Stop("Y", 0, next_fuel=10 * HEAVY_FUEL)
            answer = self.ports.read("t", Message("I", np.zeros((1, 1), np.int32)))
            if isinstance(answer, Message):
                return Stop("H", 0, status=answer.data.size)
            told.set()
            assert go.wait(5)
            return Stop("W", 0, port="t")

    process = kernel.spawn(ANY, "asking", grants=ALL, make_executor=Asking, text_in=text)
    while not told.is_set():
        kernel.run(0.01)
    text.come()
    go.set()
    deadline = time.monotonic() + 5
    while not process.ended and time.monotonic() < deadline:
        kernel.run(0.01)
        kernel.wait(0.01)
    assert process.ended, f"{process} was never woken"
    assert process.exit is not None
    assert process.exit.status == len("late")
