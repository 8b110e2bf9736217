from __future__ import annotations

import zlib

import numpy as np
import pytest

from pxos.kernel.clock import VirtualClock
from pxos.kernel.grants import Grants
from pxos.kernel.kernel import Kernel
from pxos.kernel.machine.cpu.executor import CpuExecutor
from pxos.kernel.machine.memory import HEADER_PX, SYS, SYS_ROW
from pxos.kernel.machine.oracle import Oracle
from pxos.kernel.machine.program import open_memory
from pxos.kernel.pipes import IterSource, ListSink
from pxos.kernel.replay import ReplayError, ReplayLog, ReplayPorts, recording
from pxos.kernel.scheduler import ShuffledScheduler

from .programs import DictStore, program, spec

#: Sums keys and random numbers over three rounds of whichever port is ready first.
GAME = program(
    """
loop:
W l ports
= c l letter_v
B c frame
[ k 'k 0
F s k 'A
f s s 'A
A total total s
J next
frame:
[ v 'v 0
[ x 'r 0
A total total x
next:
A p total four
] p 's 0
[ x 'c 0
- n n 1
B n loop
[ k 'p 0
] total 'f name
H 0
""",
    spec("l"),
    spec("ports", "T", b"vk"),
    spec("c"),
    spec("letter_v", "I", [[ord("v")]]),
    spec("k"),
    spec("s"),
    spec("total", "I", [[0]]),
    spec("v"),
    spec("x"),
    spec("p", "P", np.zeros((1, 1, 4))),
    spec("four", "I", [[0] * 4]),
    spec("n", "I", [[7]]),
    spec("name", "T", b"out"),
)


def play(seed: int, max_slice: int) -> tuple[ReplayLog, np.ndarray, object]:
    """Play against a kernel with events at odd moments; the log, final memory and stop."""
    clock, log = VirtualClock(), ReplayLog()
    kernel = Kernel(
        DictStore(), clock=clock, seed=seed, scheduler=ShuffledScheduler(seed, max_slice)
    )
    sink: ListSink[np.ndarray] = ListSink()
    process = kernel.spawn(
        GAME,
        "game",
        grants=Grants.of(GAME.meta),
        output=sink,
        inputs=[IterSource([np.full((1, 1, 4), 3, np.uint8)])],
        make_executor=recording(log, CpuExecutor),
    )
    rng = np.random.default_rng(seed)
    for frame in range(200):
        if process.ended:
            break
        for _ in range(rng.integers(3)):
            process.keys.push(int(rng.integers(100)), 1)
        clock.advance(16)
        if rng.integers(2):
            kernel.tick(frame)
        for _ in range(rng.integers(6)):
            kernel.run(0)
    assert process.exit is not None
    assert process.memory is not None
    return log, process.memory.used_image().copy(), process.exit.stop


def again(log: ReplayLog, make, seed_from: np.ndarray) -> tuple[np.ndarray, object]:
    memory = open_memory(GAME)
    for name in ("seed_lo", "seed_hi"):
        memory.set(name, int(seed_from[SYS_ROW, HEADER_PX + SYS[name]]))
    stop = make(memory, ReplayPorts(log, memory)).run(10**6)
    return memory.used_image(), stop


@pytest.mark.parametrize("seed", range(12))
def test_a_run_repeats_from_its_log(seed: int) -> None:
    log, image, stop = play(seed, 1 + seed)
    assert len(log.reads) >= 14
    copy = ReplayLog.from_bytes(log.to_bytes())
    for make in (CpuExecutor, Oracle):
        replayed, again_stop = again(copy, make, image)
        assert np.array_equal(replayed, image), make
        assert again_stop == stop


def test_another_program_is_found_out() -> None:
    log, image, _ = play(3, 5)
    at, letter = next(iter(log.writes))
    log.writes[at, letter] = "0" * 64
    with pytest.raises(ReplayError, match="something else was written"):
        again(log, CpuExecutor, image)
    log, image, _ = play(3, 5)
    first = min(log.reads)
    del log.reads[first]
    with pytest.raises(ReplayError, match="nothing was read"):
        again(log, CpuExecutor, image)


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"x",
        ReplayLog().to_bytes()[:-2],
        zlib.compress(b"{}"),
        zlib.compress(b'{"format":"pxOS replay 1","reads":3}'),
    ],
)
def test_what_is_no_log(data: bytes) -> None:
    with pytest.raises(ReplayError):
        ReplayLog.from_bytes(data)
