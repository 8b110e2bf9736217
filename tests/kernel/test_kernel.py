"""Starting, waiting, quotas and ending, with real programs."""

from __future__ import annotations

import numpy as np
import pytest

from pxos.kernel.clock import VirtualClock
from pxos.kernel.grants import Grants
from pxos.kernel.kernel import Kernel, Limits, SpawnError
from pxos.kernel.machine.program import Program, load
from pxos.kernel.pipes import IterSource, ListSink, Pipe, SourceError
from pxos.kernel.process import Process, State

from .programs import DictStore, number_of, program, spec

FOREVER = program(
    """
loop:
A n n 1
J loop
""",
    spec("n", "I", [[0]]),
)
COUNT_KEYS = program(
    """
loop:
W l t
[ k 'k 0
$ n k 'r
A total total n
J loop
""",
    spec("l"),
    spec("t", "T", b"k"),
    spec("k"),
    spec("n"),
    spec("total", "I", [[0]]),
)


@pytest.fixture
def kernel() -> Kernel:
    return Kernel(DictStore(), clock=VirtualClock(), seed=7)


def start(kernel: Kernel, what: Program, **more) -> Process:
    return kernel.spawn(what, "test", grants=Grants.of(what.meta), **more)


def test_a_program_halts_with_its_status(kernel: Kernel) -> None:
    process = start(kernel, program("A a a a\nH a", spec("a", "I", [[150]]), title="Double"))
    assert process.state is State.READY
    assert kernel.run(1) is False
    assert process.state is State.ENDED
    assert process.exit is not None
    assert (process.exit.kind, process.exit.status, process.exit.ok) == ("halted", 44, False)
    assert process.title == "Double"
    assert process.accounting.instructions == 2
    assert process.accounting.fuel == 2


def test_run_gives_way_when_its_time_is_over(kernel: Kernel) -> None:
    process = start(kernel, FOREVER)
    assert kernel.run(0.01) is True
    first = process.accounting.fuel
    assert 9_000 <= first <= 13_000
    assert kernel.run(0) is True
    assert process.accounting.fuel > first


def test_a_fault_ends_that_process_alone(kernel: Kernel) -> None:
    bad = start(
        kernel,
        program(
            "A a a 1\n/ a a 0\nH 0",
            spec("a", "I", [[1, 2]]),
            title="Bad",
            lines=((1, 0, 12),),
            files=("bad.pxa",),
        ),
    )
    good = start(kernel, program("H 0"))
    kernel.run(1)
    assert good.exit is not None
    assert good.exit.kind == "halted"
    assert bad.exit is not None
    assert bad.exit.stop is not None
    assert (bad.exit.kind, bad.exit.status, bad.exit.stop.reason) == ("fault", 1, "/")
    assert bad.exit.text == "division by zero at bad.pxa:12, instruction 1"
    assert bad.card[0] == "Bad stopped: division by zero"
    assert number_of(bad, "a") == [[2, 3]]


def test_waiting_for_keys_takes_no_time_and_wakes_at_once(kernel: Kernel) -> None:
    process = start(kernel, COUNT_KEYS)
    assert kernel.run(1) is False
    assert process.state is State.WAITING
    assert kernel.next_wake() is None
    used = process.accounting.fuel
    assert kernel.run(1) is False
    assert process.accounting.fuel == used
    process.keys.push(65, 1)
    process.keys.push(65, 0)
    assert process.state is State.READY
    assert kernel.next_wake() == 0.0
    kernel.run(1)
    assert process.state is State.WAITING
    assert number_of(process, "total") == [[2]]


def test_waiting_for_several_ports_tells_which(kernel: Kernel) -> None:
    process = start(kernel, program("W l t\nH l", spec("l"), spec("t", "T", b"mkv")))
    kernel.run(1)
    assert process.waiting_for == set("mkv")
    process.keys.push(65, 1)
    process.pointer.push(3, 4, 1)
    kernel.run(1)
    assert process.exit is not None
    assert process.exit.status == ord("m")


def test_frames_pace_and_put_to_sleep() -> None:
    clock = VirtualClock()
    kernel = Kernel(DictStore(), clock=clock)
    clock.advance(100)
    process = start(kernel, program("[ a 'v 0\n[ b 'v 3\nH 0", spec("a"), spec("b")))
    kernel.run(1)
    assert process.state is State.WAITING
    assert kernel.next_wake() == pytest.approx(1 / 60 - 0.1 if 1 / 60 > 0.1 else 0.0)
    for frame in range(1, 6):
        clock.advance(17)
        kernel.tick(frame)
        kernel.run(1)
        if frame == 1:
            assert process.state is State.SLEEPING
            assert kernel.next_wake() == pytest.approx(3 / 60)
        assert process.ended is (frame >= 4)
    assert number_of(process, "a") == [[1, 17]]
    assert number_of(process, "b") == [[4, 68]]
    with pytest.raises(ValueError, match="count up"):
        kernel.tick(4)


def test_a_frame_that_came_while_busy_is_read_at_once(kernel: Kernel) -> None:
    process = start(kernel, program("[ a 'v 0\n[ a 'v 0\nH 0", spec("a")))
    kernel.tick(1)
    kernel.run(1)
    assert process.state is State.WAITING
    kernel.tick(2)
    kernel.tick(3)
    kernel.run(1)
    assert number_of(process, "a")[0][0] == 3


def test_waiting_without_frames_piles_nothing_up(kernel: Kernel) -> None:
    source = "loop:\nW l t\n[ k 'k 0\nJ loop"
    process = start(kernel, program(source, spec("l"), spec("t", "T", b"vk"), spec("k")))
    for _ in range(100):
        process.keys.push(1, 1)
        kernel.run(1)
    assert len(kernel._frame_waiters) == 1
    assert kernel.next_wake() == pytest.approx(1 / 60)
    kernel.tick(1)
    assert process.state is State.READY


def test_an_executor_that_cannot_be_made_starts_nothing(kernel: Kernel) -> None:
    def none(memory, ports):
        raise OSError("no such device")

    parent = start(kernel, FOREVER)
    with pytest.raises(OSError, match="no such device"):
        start(kernel, FOREVER, parent=parent.pid, make_executor=none)
    assert list(kernel.processes.values()) == [parent]
    assert parent.children == {}


def test_the_screen(kernel: Kernel) -> None:
    painter = program(
        "[ s 's 0\n] p 's 0\n] p 's 0\nH 0",
        spec("s"),
        spec("p", "P", np.arange(24).reshape(2, 3, 4)),
        size=(30, 50),
    )
    process = start(kernel, painter)
    assert process.surface.picture.shape == (0, 0, 4)
    kernel.run(1)
    assert number_of(process, "s") == [[30, 50, 60]]
    assert process.surface.serial == 2
    assert process.surface.picture.ravel().tolist() == list(range(24))
    assert start(kernel, painter, surface=(5, 6)).surface.rows == 5


def test_messages_of_the_wrong_kind_are_faults_of_the_program(kernel: Kernel) -> None:
    for text, reason in (
        ("] n 's 0", "K"),
        ("] n 't 0", "K"),
        ("] n 'p 0", "K"),
        ("] n 'k 0", "P"),
        ("[ n 'f n", "P"),
        ("W n n", "P"),
    ):
        process = start(kernel, program(text, spec("n", "I", [[5]])))
        kernel.run(1)
        assert process.exit is not None
        assert process.exit.kind == "fault", text
        assert process.exit.stop is not None
        assert process.exit.stop.reason == reason, text
        assert process.memory is not None
        assert process.memory.get("reason") == ord(reason)


def test_text_in_and_out(kernel: Kernel) -> None:
    echo = program(
        """
loop:
[ t 't 0
$ n t 'n
b n done
] t 't 0
J loop
done:
] m 't 0
H 0
""",
        spec("t", "T"),
        spec("n"),
        spec("m", "T", np.frombuffer(b"ab\0c\0\0", np.uint8).reshape(2, 3)),
    )
    out: ListSink[bytes] = ListSink()
    start(kernel, echo, text_in=IterSource([b"one", b"", b"two"]), text_out=out)
    kernel.run(1)
    assert out.messages == [b"one", b"two", b"ab\nc\n"]
    assert out.closed


def test_a_source_that_breaks_ends_the_process_with_its_words(kernel: Kernel) -> None:
    def broken():
        yield b"fine"
        raise SourceError("cat.png is damaged: get a whole copy")

    out: ListSink[bytes] = ListSink()
    process = start(
        kernel,
        program("loop:\n[ t 't 0\n] t 't 0\nJ loop", spec("t", "T")),
        text_in=IterSource(broken()),
        text_out=out,
    )
    kernel.run(1)
    assert out.messages == [b"fine"]
    assert process.exit is not None
    assert (process.exit.kind, process.exit.ok) == ("killed", False)
    assert process.exit.text == "cat.png is damaged: get a whole copy"


def test_a_reader_that_goes_ends_its_writer_without_error(kernel: Kernel) -> None:
    pipe: Pipe[np.ndarray] = Pipe("picture", 2)
    writer = start(
        kernel,
        program("loop:\n] p 'p 0\nJ loop", spec("p", "P", np.ones((1, 1, 4)))),
        output=pipe.writer,
    )
    reader = start(kernel, program("[ p 'p 0\nH 0", spec("p", "P")), inputs=[pipe.reader])
    assert kernel.run(1) is False
    assert reader.ended
    assert writer.exit is not None
    assert (writer.exit.kind, writer.exit.status, writer.exit.ok) == ("closed pipe", 0, True)


def test_streams_of_ports_that_were_not_granted_are_closed(kernel: Kernel) -> None:
    pipe: Pipe[np.ndarray] = Pipe("picture", 1)
    out: ListSink[np.ndarray] = ListSink()
    start(kernel, program("H 0", ports=()), inputs=[pipe.reader], output=out)
    assert out.closed
    assert pipe.reader.closed


def test_the_pipe_inputs_are_numbered(kernel: Kernel) -> None:
    pictures = [np.full((1, 1, 4), n, np.uint8) for n in range(4)]
    blend = program(
        "[ a 'p 1\n[ b 'p 0\n[ c 'p 1\n[ d 'p 9\n$ n d 's\n] a 'p 0\n] b 'p 0\nH 0",
        *(spec(name, "P") for name in "abcd"),
        spec("n"),
    )
    out: ListSink[np.ndarray] = ListSink()
    process = start(
        kernel, blend, inputs=[IterSource(pictures[:1]), IterSource(pictures[1:])], output=out
    )
    kernel.run(1)
    assert [p[0, 0, 0] for p in out.messages] == [1, 0]
    assert number_of(process, "n") == [[0, 0]]


# ---- random ------------------------------------------------------------------------------

RANDOM = program(
    "[ a 'r s\n[ b 'r s\n[ c 'r 0\nH 0", spec("a"), spec("b"), spec("c"), spec("s", "I", [[2, 3]])
)


def test_random_numbers_repeat_with_the_seed() -> None:
    def numbers(kernel_seed: int, **more) -> list[list[int]]:
        kernel = Kernel(DictStore(), clock=VirtualClock(), seed=kernel_seed)
        process = start(kernel, RANDOM, **more)
        kernel.run(1)
        return number_of(process, "a") + number_of(process, "b")

    assert numbers(1) == numbers(1)
    assert numbers(1) != numbers(2)
    assert numbers(1, seed=5) == numbers(2, seed=5)
    assert len({n for row in numbers(1) for n in row}) == 12


@pytest.mark.parametrize(("shape", "reason"), [([[-1, 2]], "S"), ([[40000, 40000]], "M")])
def test_impossible_amounts_of_random_numbers(kernel: Kernel, shape, reason: str) -> None:
    process = start(kernel, program("[ a 'r s\nH 0", spec("a"), spec("s", "I", shape)))
    kernel.run(1)
    assert process.exit is not None
    assert process.exit.stop is not None
    assert process.exit.stop.reason == reason


def test_a_checkpoint_resumes_the_same_run_and_the_same_stream(kernel: Kernel) -> None:
    source = "[ a 'r s\nW l t\n[ k 'k 0\n[ b 'r s\nH 3"
    what = program(
        source,
        spec("a"),
        spec("b"),
        spec("s", "I", [[2, 3]]),
        spec("l"),
        spec("t", "T", b"k"),
        spec("k"),
    )
    process = start(kernel, what)
    kernel.run(1)
    assert process.state is State.WAITING
    saved = kernel.checkpoint(process.pid)
    process.keys.push(65, 1)
    kernel.run(1)
    other = Kernel(DictStore(), clock=VirtualClock(), seed=99)
    resumed = start(other, load(saved))
    resumed.keys.push(65, 1)
    other.run(1)
    for name in ("a", "b", "k", "l"):
        assert number_of(resumed, name) == number_of(process, name), name
    assert resumed.exit is not None
    assert resumed.exit.status == 3
    assert resumed.accounting.instructions == 4


# ---- quotas -----------------------------------------------------------------------------------

GROW = program("loop:\n; a a a\nJ loop", spec("a", "I", np.ones((64, 8))))


def test_memory_quota(kernel: Kernel) -> None:
    process = start(kernel, GROW, quota_bytes=1 << 20)
    kernel.run(1)
    assert process.exit is not None
    assert process.exit.stop is not None
    assert process.exit.stop.reason == "M"
    assert process.accounting.memory_bytes <= 1 << 20
    assert any("rows more were wanted" in line for line in process.card)
    with pytest.raises(SpawnError, match="--memory"):
        start(kernel, GROW, quota_bytes=1000)


def test_fuel_quota(kernel: Kernel) -> None:
    process = start(kernel, FOREVER, fuel=1001)
    kernel.run(1)
    assert process.exit is not None
    assert process.exit.stop is not None
    assert process.exit.stop.reason == "B"
    assert process.accounting.fuel == 1001
    with pytest.raises(SpawnError, match="fuel"):
        start(kernel, FOREVER, fuel=-1)


def test_number_of_processes_and_memory_of_all() -> None:
    kernel = Kernel(
        DictStore(), clock=VirtualClock(), limits=Limits(processes=2, memory_bytes=1 << 16)
    )
    process = start(kernel, FOREVER)
    greedy = start(kernel, GROW)
    with pytest.raises(SpawnError, match="2 processes"):
        start(kernel, FOREVER)
    kernel.run(0.5)
    assert greedy.exit is not None
    assert greedy.exit.kind == "killed"
    assert "all programs together" in greedy.exit.text
    with pytest.raises(ValueError, match="still runs"):
        kernel.reap(process.pid)
    kernel.reap(greedy.pid)
    assert kernel.memory_bytes == process.accounting.memory_bytes
    with pytest.raises(KeyError):
        kernel.process(greedy.pid)
    assert kernel.run(0.01) is True


def test_event_queues_are_bounded(kernel: Kernel) -> None:
    process = start(kernel, COUNT_KEYS)
    for n in range(5000):
        process.keys.push(n, 1)
    kernel.run(1)
    assert number_of(process, "total") == [[1024]]
    assert process.keys.dropped == 5000 - 1024


# ---- ending ----------------------------------------------------------------------------------


def test_killing_closes_ports_and_tells(kernel: Kernel) -> None:
    out: ListSink[bytes] = ListSink()
    process = start(kernel, FOREVER, text_out=out)
    kernel.run(0.001)
    told: list[Process] = []
    process.when_ended(told.append)
    kernel.kill(process.pid, "enough")
    kernel.kill(process.pid, "again")
    process.when_ended(told.append)
    assert told == [process, process]
    assert out.closed
    assert process.exit is not None
    assert (process.exit.kind, process.exit.text) == ("killed", "enough")
    assert kernel.run(1) is False


def test_children_end_with_their_parent_and_within_its_quotas(kernel: Kernel) -> None:
    parent = start(kernel, FOREVER, quota_bytes=1 << 20, fuel=10_000)
    child = start(kernel, GROW, parent=parent.pid)
    assert parent.children == {child.pid: child}
    kernel.run(0.0001)
    assert child.memory is not None
    assert child.memory.quota_rows * child.memory.width * 4 <= 1 << 20
    kernel.kill(parent.pid)
    assert child.ended
    assert child.pid not in kernel.processes
    with pytest.raises(SpawnError, match="has ended"):
        start(kernel, FOREVER, parent=parent.pid)


def test_fuel_of_children_comes_out_of_their_parents(kernel: Kernel) -> None:
    waits = program(
        "W l t\nloop:\nA n n 1\nJ loop", spec("l"), spec("t", "T", b"k"), spec("n", "I", [[0]])
    )
    parent = start(kernel, waits, fuel=10_000)
    child = start(kernel, waits, parent=parent.pid, fuel=500_000)
    grandchild = start(kernel, FOREVER, parent=child.pid)
    kernel.run(1)
    assert grandchild.exit is not None
    assert grandchild.exit.stop is not None
    assert grandchild.exit.stop.reason == "B"
    assert grandchild.accounting.fuel == 10_000
    parent.keys.push(1, 1)
    kernel.run(1)
    assert parent.exit is not None
    assert parent.exit.stop is not None
    assert parent.exit.stop.reason == "B"
    assert parent.accounting.fuel == 0


def test_a_program_may_bring_about_its_own_end(kernel: Kernel) -> None:
    class Suicide(ListSink[bytes]):
        def write(self, message: bytes):
            kernel.kill(process.pid)
            kernel.reap(process.pid)
            return super().write(message)

    process = start(
        kernel, program("loop:\n] t 't 0\nJ loop", spec("t", "T", b"x")), text_out=Suicide()
    )
    assert kernel.run(1) is False
    assert process.exit is not None
    assert process.exit.kind == "killed"
    assert kernel.memory_bytes == 0


def test_calls_that_post_themselves_do_not_hold_the_kernel_up(kernel: Kernel) -> None:
    process = start(kernel, FOREVER)

    def again() -> None:
        kernel.post(again)

    kernel.post(again)
    kernel.run(0.001)
    assert process.accounting.fuel > 0


def test_posted_calls_are_made_on_the_kernels_thread(kernel: Kernel) -> None:
    process = start(kernel, COUNT_KEYS)
    kernel.run(1)
    kernel.post(lambda: process.keys.push(65, 1))
    assert kernel.next_wake() == 0.0
    kernel.run(1)
    assert number_of(process, "total") == [[1]]
    kernel.post(lambda: process.keys.push(65, 1))
    assert kernel.wait(None) is True
    assert process.state is State.READY
    assert kernel.wait(0.0) is False


def test_closing_ends_all(kernel: Kernel) -> None:
    parent = start(kernel, FOREVER)
    child = start(kernel, FOREVER, parent=parent.pid)
    kernel.close()
    assert parent.ended
    assert child.ended


def test_the_clock_port() -> None:
    clock = VirtualClock((2024, 2, 28, 23, 59, 59, 900))
    kernel = Kernel(DictStore(), clock=clock)
    clock.advance(200)
    process = start(kernel, program("[ c 'c 0\nH 0", spec("c")))
    kernel.run(1)
    assert number_of(process, "c") == [[2024, 2, 29, 0, 0, 0, 100, 200]]
    with pytest.raises(ValueError, match="back"):
        clock.advance(-1)
