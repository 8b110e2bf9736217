"""Networks of processes compute the same under every schedule (Kahn)."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from pxos.kernel.clock import VirtualClock
from pxos.kernel.grants import Grants
from pxos.kernel.kernel import Kernel
from pxos.kernel.machine.cpu.executor import CpuExecutor
from pxos.kernel.machine.program import Program
from pxos.kernel.pipes import IterSource, ListSink, Pipe
from pxos.kernel.process import Process
from pxos.kernel.scheduler import ShuffledScheduler

from ..kernel.programs import DictStore, program, spec

#: Reads pictures, hands on each plus a number.
ADD = program(
    """
loop:
[ x 'p 0
$ n x 'n
b n done
A x x k
] x 'p 0
J loop
done:
H 0
""",
    spec("x", "P"),
    spec("n"),
    spec("k", "I", [[3]]),
)
#: Hands each picture on as many times as its first byte says, modulo 3, plus one.
REPEAT = program(
    """
loop:
[ x 'p 0
$ n x 'n
b n done
G i x 0
% i i 3
again:
] x 'p 0
- i i 1
< n i 0
b n again
J loop
done:
H 0
""",
    spec("x", "P"),
    spec("n"),
    spec("i"),
)
#: Takes one picture of each of its two inputs in turn and hands on their sum; stops at an end.
ZIP = program(
    """
loop:
[ x 'p 0
$ n x 'n
b n done
[ y 'p 1
$ n y 'n
b n done
A x x y
] x 'p 0
J loop
done:
H 0
""",
    spec("x", "P"),
    spec("y", "P"),
    spec("n"),
)
#: Random pictures, as many as k says.
SOURCE = program(
    """
loop:
[ r 'r size
& r r 15
A x r 0
] x 'p 0
- k k 1
B k loop
H 0
""",
    spec("r"),
    spec("size", "I", [[2, 8]]),
    spec("x", "P"),
    spec("k", "I", [[9]]),
)

Wires = Callable[[Kernel, int], tuple[list[Process], ListSink[np.ndarray]]]


def spawn(kernel: Kernel, what: Program, inputs, output, seed: int = 1) -> Process:
    return kernel.spawn(
        what,
        "part",
        grants=Grants.of(what.meta),
        inputs=inputs,
        output=output,
        seed=seed,
        make_executor=CpuExecutor,
    )


def chain(kernel: Kernel, capacity: int) -> tuple[list[Process], ListSink[np.ndarray]]:
    """source | repeat | add | repeat | add > list."""
    sink: ListSink[np.ndarray] = ListSink()
    parts, reader = [], []
    for what in (SOURCE, REPEAT, ADD, REPEAT, ADD):
        pipe: Pipe[np.ndarray] = Pipe("picture", capacity)
        last = len(parts) == 4
        parts.append(spawn(kernel, what, reader, sink if last else pipe.writer))
        reader = [pipe.reader]
    return parts, sink


def diamond(kernel: Kernel, capacity: int) -> tuple[list[Process], ListSink[np.ndarray]]:
    """Two sources, one through repeat, zipped, added, zipped again with a third."""
    sink: ListSink[np.ndarray] = ListSink()
    a, b, c, d, e, f = (Pipe("picture", capacity) for _ in range(6))
    parts = [
        spawn(kernel, ZIP, [e.reader, f.reader], sink),
        spawn(kernel, SOURCE, [], a.writer, seed=10),
        spawn(kernel, REPEAT, [a.reader], b.writer),
        spawn(kernel, ZIP, [b.reader, c.reader], d.writer),
        spawn(kernel, SOURCE, [], c.writer, seed=20),
        spawn(kernel, ADD, [d.reader], e.writer),
        spawn(kernel, SOURCE, [], f.writer, seed=30),
    ]
    return parts, sink


def result(wires: Wires, capacity: int, scheduler: ShuffledScheduler | None):
    kernel = Kernel(DictStore(), clock=VirtualClock(), scheduler=scheduler)
    parts, sink = wires(kernel, capacity)
    while kernel.run(10):
        pass
    assert all(p.ended for p in parts), parts
    assert all(p.exit is not None and p.exit.kind in ("halted", "closed pipe") for p in parts)
    assert sink.closed
    return [picture.tolist() for picture in sink.messages]


@pytest.mark.parametrize("wires", [chain, diamond])
@pytest.mark.parametrize("capacity", [1, 2, 7])
def test_networks_do_not_depend_on_the_schedule(wires: Wires, capacity: int) -> None:
    expected = result(wires, 1000, None)
    assert len(expected) >= 9
    assert result(wires, capacity, None) == expected
    for seed in range(25):
        assert result(wires, capacity, ShuffledScheduler(seed)) == expected, f"seed {seed}"


def test_the_chain_computes_what_python_computes() -> None:
    got = result(chain, 1, ShuffledScheduler(3))
    kernel = Kernel(DictStore(), clock=VirtualClock())
    raw: ListSink[np.ndarray] = ListSink()
    spawn(kernel, SOURCE, [], raw)
    kernel.run(10)
    expected = []
    for picture in raw.messages:
        for _ in range(picture.flat[0] % 3 + 1):
            later = picture + 3
            expected += [later + 3] * int(later.flat[0] % 3 + 1)
    assert got == [picture.tolist() for picture in expected]


def test_back_pressure_keeps_a_fast_writer_from_running_ahead() -> None:
    kernel = Kernel(DictStore(), clock=VirtualClock())
    asked: list[int] = []

    def endless():
        n = 0
        while True:
            asked.append(n)
            yield np.full((1, 1, 4), n % 200, np.uint8)
            n += 1

    pipe: Pipe[np.ndarray] = Pipe("picture", 1)
    spawn(kernel, ADD, [IterSource(endless())], pipe.writer)
    assert kernel.run(10) is False
    assert asked == [0, 1]
    assert pipe.reader.read()[0, 0, 0] == 3  # type: ignore[index]
    assert kernel.run(10) is False
    assert asked == [0, 1, 2]


def test_a_reader_that_stops_early_ends_the_whole_chain() -> None:
    one = program("[ x 'p 0\n] x 'p 0\nH 0", spec("x", "P"))
    for seed in range(20):
        kernel = Kernel(DictStore(), clock=VirtualClock(), scheduler=ShuffledScheduler(seed))
        first: Pipe[np.ndarray] = Pipe("picture", 1)
        second: Pipe[np.ndarray] = Pipe("picture", 1)
        sink: ListSink[np.ndarray] = ListSink()
        parts = [
            spawn(kernel, SOURCE, [], first.writer),
            spawn(kernel, REPEAT, [first.reader], second.writer),
            spawn(kernel, one, [second.reader], sink),
        ]
        while kernel.run(10):
            pass
        kinds = [p.exit.kind for p in parts if p.exit is not None]
        assert kinds == ["closed pipe", "closed pipe", "halted"], f"seed {seed}"
        assert all(p.exit.ok for p in parts if p.exit is not None)
        assert len(sink.messages) == 1
