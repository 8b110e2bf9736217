"""Files from strangers: whatever they hold, nothing raises, grows without bound or hangs."""

from __future__ import annotations

import random
import tempfile
import time
import tracemalloc
from collections import Counter
from pathlib import Path

import pytest

from pxos.kernel.machine.cpu.executor import CpuExecutor
from pxos.kernel.machine.fault import REASONS
from pxos.kernel.machine.memory import Memory
from pxos.kernel.machine.oracle import Oracle
from pxos.kernel.machine.program import ProgramError, checkpoint, load, open_memory

from ..conformance.building import NO_LIMIT
from ..conformance.compare import Outcome
from ..conformance.executors import FACTORIES, Factory
from ..conformance.scripted_ports import ScriptedPorts
from ..gpu import gpu
from .hostile import case

QUICK, LONG, BATCH, QUICK_TRACED, QUICK_GPU = 400, 100_000, 1000, 40, 100
QUOTA = 1 << 20
FUEL = 3000
#: Python allocations that a run may reach: the quota and temporaries a small multiple of it.
MOST_BYTES = 64 * QUOTA
#: Processor seconds for one file, far above what any takes.
MOST_SECONDS = 20.0


def opened(data: bytes) -> Memory | None:
    """The memory of a file that is a program; None if it is refused, with words why."""
    try:
        return open_memory(load(data, max_px=1 << 20), QUOTA)
    except ProgramError as error:
        if not (error.what and error.advice):
            raise
        return None


def run_file(data: bytes, seed: int, factory: Factory = CpuExecutor) -> str:
    """Load a file and run it in slices; how it ended.  Whatever raises is a failure."""
    memory = opened(data)
    if memory is None:
        return "refused"
    size = memory.words.size
    assert 4 * size <= QUOTA
    chooser = random.Random(seed)
    memory.set64("fuel", FUEL)
    executor = factory(memory, ScriptedPorts(seed))
    slice_fuel = FUEL
    for _ in range(40):
        before = memory.get64("fuel")
        stop = executor.run(slice_fuel)
        assert stop.reason in REASONS
        assert memory.get64("fuel") <= before
        assert memory.words.size == size
        assert memory.top <= memory.quota_rows
        if stop.reason not in "YW":
            break
        slice_fuel = max(stop.next_fuel, chooser.choice((1, 5, 100)))
    executor.settle()
    go_on(memory)
    return stop.reason


def go_on(memory: Memory) -> None:
    """Whatever a program did, its picture is a valid one."""
    load(checkpoint(memory))


def fuzz(first: int, count: int, factory: Factory = CpuExecutor) -> Counter[str]:
    """Run files by their number."""
    ends: Counter[str] = Counter()
    for number in range(first, first + count):
        data = case(f"file {number}")
        began = time.process_time()
        try:
            ends[run_file(data, number, factory)] += 1
        except BaseException:
            kept = Path(tempfile.gettempdir()) / f"pxos-fuzz-{number}.png"
            kept.write_bytes(data)
            print(f"the file with seed 'file {number}', kept as {kept}")
            raise
        took = time.process_time() - began
        assert took < MOST_SECONDS, f"file {number} took {took} s"
    return ends


def test_hostile_files() -> None:
    ends = fuzz(0, QUICK)
    print(f"seeds 'file 0'..'file {QUICK - 1}' ended {dict(ends)}")
    assert ends["refused"] > QUICK // 20
    assert sum(ends.values()) - ends["refused"] > QUICK // 3


def test_memory_stays_bounded() -> None:
    for number in range(1_000_000, 1_000_000 + QUICK_TRACED):
        data = case(f"file {number}")
        tracemalloc.start()
        try:
            run_file(data, number)
            _, peak = tracemalloc.get_traced_memory()
        finally:
            tracemalloc.stop()
        assert peak < MOST_BYTES, f"file {number} took {peak} bytes"


def agree(number: int, other: Factory = CpuExecutor) -> bool:
    """Demand that the oracle and another executor leave a hostile program alike; False if it is
    refused."""
    data = case(f"file {number}")
    outcomes = []
    for factory in (Oracle, other):
        memory = opened(data)
        if memory is None:
            return False
        memory.set64("fuel", 200)
        ports = ScriptedPorts(number)
        executor = factory(memory, ports)
        stop = executor.run(NO_LIMIT)
        executor.settle()
        outcomes.append(Outcome(memory.words, (stop,), tuple(ports.log)))
    found = outcomes[0].differs(outcomes[1])
    assert not found, f"file {number}: " + "; ".join(found)
    return True


def test_executors_agree_on_hostile_programs() -> None:
    assert sum(agree(number) for number in range(500_000, 500_150)) > 40


def test_hostile_files_on_the_gpu() -> None:
    gpu()
    ends = fuzz(0, QUICK_GPU, FACTORIES["gpu"])
    assert ends == fuzz(0, QUICK_GPU), "they end as on the CPU"
    assert sum(ends.values()) - ends["refused"] > QUICK_GPU // 3


@pytest.mark.parametrize("name", ["gpu", "mixed gpu"])
def test_the_gpu_agrees_on_hostile_programs(name: str) -> None:
    gpu()
    numbers = range(500_000, 500_000 + QUICK_GPU)
    assert sum(agree(number, FACTORIES[name]) for number in numbers) > QUICK_GPU // 4


@pytest.mark.slow
@pytest.mark.parametrize("first", range(2_000_000, 2_000_000 + LONG, BATCH))
def test_hostile_files_long(first: int) -> None:
    fuzz(first, BATCH)
    for number in range(first, first + BATCH, 10):
        agree(number)


@pytest.mark.slow
@pytest.mark.parametrize("first", range(3_000_000, 3_000_000 + LONG // 10, BATCH))
def test_hostile_files_on_the_gpu_long(first: int) -> None:
    gpu()
    fuzz(first, BATCH, FACTORIES["gpu"])
    for number in range(first, first + BATCH, 10):
        agree(number, FACTORIES["mixed gpu"])
