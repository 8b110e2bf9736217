"""Translated code does exactly what stepping and the oracle do, to the instruction."""

from __future__ import annotations

import random
import re

import numpy as np
import pytest

from pxos.kernel.machine.cpu import translate
from pxos.kernel.machine.cpu.executor import CpuExecutor
from pxos.kernel.machine.cpu.translate_emit import Emitter
from pxos.kernel.machine.cpu.translate_scan import Scan
from pxos.kernel.machine.fault import Stop
from pxos.kernel.machine.isa import SMALL_ZERO
from pxos.kernel.machine.memory import Memory
from pxos.kernel.machine.oracle import Oracle
from pxos.kernel.machine.ports import NoPorts
from pxos.kernel.machine.registers import State
from tests.conformance.building import Draft
from tests.conformance.scripted_ports import ScriptedPorts

from .random_programs import matrix_program, scalar_program

MIN, MAX = -(2**31), 2**31 - 1


def small(value: int) -> int:
    return SMALL_ZERO + value


def run_sliced(executor: CpuExecutor, rng: random.Random, largest: int) -> Stop:
    while True:
        stop = executor.run(rng.randint(0, largest))
        if stop.reason != "Y":
            return stop
        largest = max(largest, stop.next_fuel)


def compare(make, seed: int) -> None:
    """Run a random program on both, going on behind each fault, in slices of random sizes."""
    rng = random.Random(seed)
    ours, theirs = make(seed), make(seed)
    our_ports, their_ports = ScriptedPorts(seed), ScriptedPorts(seed)
    executor, oracle = CpuExecutor(ours, our_ports), Oracle(theirs, their_ports)
    for _ in range(30):
        expected = oracle.run(10**9)
        got = run_sliced(executor, rng, rng.choice([3, 20, 10**6]))
        assert got == expected, seed
        differ = np.flatnonzero(ours.words != theirs.words)
        assert not differ.size, f"seed {seed}: words {differ[:8]} differ at {expected}"
        assert our_ports.log == their_ports.log, seed
        if expected.reason in "HBJC":
            return
        if expected.reason != "W":
            for memory in (ours, theirs):
                memory.set("pc", expected.pc + 1)


@pytest.mark.parametrize("block", range(6))
def test_random_scalar_programs(at_once, block):
    for seed in range(block * 50, block * 50 + 50):
        compare(scalar_program, seed)


@pytest.mark.parametrize("block", range(3))
def test_random_matrix_programs(block):
    for seed in range(block * 25, block * 25 + 25):
        compare(matrix_program, seed)


@pytest.mark.slow
def test_many_random_programs(at_once):
    for seed in range(10_000, 14_000):
        compare(scalar_program, seed)
        compare(matrix_program, seed)


def counting(
    turns: int,
    *body: tuple[str, int, int, int],
    fuel: int = 2**40,
    numbers: tuple[int, ...] = (),
    kinds: str = "",
) -> Memory:
    """A loop of ``turns`` over ``body``, whose scalars are entries 6, 7, ...; 5 is the counter."""
    draft = Draft(fuel=fuel)
    draft.integers(1, 1, [turns])
    for number, kind in zip(numbers, kinds or "I" * len(numbers), strict=True):
        draft.integers(1, 1, [number], kind)
    for char, g, b, a in body:
        draft.emit(char, g, b, a)
    draft.emit("-", 5, 5, small(1))
    draft.emit("B", 5, 0, 0)
    draft.emit("H", 5)
    return draft.memory()


def value(memory: Memory, entry: int) -> int:
    return int(memory.ints[memory.data_addr(memory.row_of(entry))])


@pytest.mark.parametrize(
    ("char", "start", "by", "expected"),
    [
        ("A", MAX, 1, MIN),
        ("-", MIN, 1, MAX),
        ("*", 2**30, 2, MIN),
        ("S", 1, 31, MIN),
    ],
)
@pytest.mark.parametrize("as_constant", [True, False])
def test_integers_wrap_exactly(at_once, char, start, by, expected, as_constant):
    source = small(by) if as_constant else 7
    memory = counting(50, (char, 8, 6, source), numbers=(start, by, 0))
    assert CpuExecutor(memory, NoPorts()).run(10**9).reason == "H"
    assert value(memory, 8) == expected


def test_fixed_point_saturates(at_once):
    memory = counting(
        50, ("A", 8, 6, 6), ("-", 9, 7, 6), numbers=(MAX - 5, MIN, 0, 0), kinds="XXXX"
    )
    CpuExecutor(memory, NoPorts()).run(10**9)
    assert (value(memory, 8), value(memory, 9)) == (MAX, MIN)


@pytest.mark.parametrize("char", ["/", "%"])
def test_division_by_zero_in_a_loop_stops_at_its_turn(at_once, char):
    # 100 / (counter - 3): faults when the counter is 3, with everything before it done.
    memory = counting(
        20, ("-", 7, 5, small(3)), ("A", 8, 8, small(1)), (char, 6, small(40), 7), numbers=(0, 0, 0)
    )
    stop = CpuExecutor(memory, NoPorts()).run(10**9)
    assert (stop.reason, stop.pc, stop.detail) == ("/", 2, 0)
    assert value(memory, 8) == 18
    assert memory.get64("done") == 17 * 5 + 2
    assert memory.get64("fuel") == 2**40 - memory.get64("done")


@pytest.mark.parametrize("fuel", [0, 1, 2, 3, 36, 37, 38, 99])
def test_fuel_ends_at_the_very_instruction(at_once, fuel):
    memory = counting(1000, ("A", 6, 6, small(1)), numbers=(0,), fuel=fuel)
    stop = CpuExecutor(memory, NoPorts()).run(10**9)
    assert (stop.reason, stop.pc) == ("B", fuel % 3)
    assert memory.get64("done") == fuel
    assert memory.get64("fuel") == 0
    assert value(memory, 6) == (fuel + 2) // 3


def test_slices_do_not_show(at_once):
    pictures = []
    for largest in (1, 2, 5, 64, 10**6):
        memory = counting(
            300, ("A", 6, 6, 5), ("%", 7, 6, small(7)), ("*", 8, 8, 7), numbers=(0, 1, 1)
        )
        run_sliced(CpuExecutor(memory, NoPorts()), random.Random(largest), largest)
        pictures.append(memory.words.copy())
    assert all((picture == pictures[0]).all() for picture in pictures)


def test_sys_is_current_inside_a_hot_loop(at_once):
    draft = Draft(fuel=10_000)
    draft.integers(1, 1, [40])
    draft.integers(1, 24, [0] * 24)
    draft.emit("-", 5, 5, small(1))
    draft.emit("A", 6, 0, small(0))
    draft.emit("B", 5, 0, 0)
    draft.emit("H", 5)
    memory = draft.memory()
    CpuExecutor(memory, NoPorts()).run(10**9)
    at = memory.data_addr(memory.row_of(6))
    assert memory.words[at] == 1  # pc of the reading instruction
    assert memory.words[at + 3] == 10_000 - 39 * 3 - 1  # fuel before it
    assert memory.words[at + 15] == 39 * 3 + 1  # done before it


def test_a_scalar_renamed_inside_a_loop(at_once):
    draft = Draft()
    draft.integers(1, 1, [30])
    a, b = draft.integers(1, 1, [100]), draft.integers(1, 1, [200])
    name = draft.integers(1, 1, [0])
    draft.emit("%", 9, 5, small(2)) if draft.integers(1, 1, [0]) == 9 else pytest.fail("layout")
    draft.emit("N", name, a, 9)
    draft.emit("A", name, name, small(1))
    draft.emit("-", 5, 5, small(1))
    draft.emit("B", 5, 0, 0)
    draft.emit("H", 5)
    memory = draft.memory()
    CpuExecutor(memory, NoPorts()).run(10**9)
    assert (value(memory, a), value(memory, b)) == (115, 215)


def test_code_that_rewrites_itself_takes_effect_at_once(at_once):
    draft = Draft(code_writable=True)
    draft.integers(1, 1, [20])
    counter = draft.integers(1, 1, [0])
    window = draft.view("I", 2, 1, 1, 0, 1)
    other = draft.integers(1, 1, [ord("A") | counter << 8 | counter << 16 | small(3) << 24])
    draft.emit("?", window, window_test := draft.integers(1, 1, [0]), other)
    draft.emit("A", counter, counter, small(1))
    draft.emit("-", 5, 5, small(1))
    draft.emit("=", window_test, 5, small(10))
    draft.emit("B", 5, 0, 0)
    draft.emit("H", 5)
    memory = draft.memory()
    CpuExecutor(memory, NoPorts()).run(10**9)
    assert value(memory, counter) == 10 * 1 + 10 * 3


def test_generated_source_holds_nothing_of_the_picture():
    allowed = re.compile(
        r"v?\d+|def|region|fuel|pc|while|if|else|elif|for|in|range|continue|break|return|not|and|or"
        r"|[cfkxnLISEBTWA]|n0|depth|get|isqrt|True"
    )
    for seed in range(120):
        memory = scalar_program(seed)
        state = State(memory, NoPorts())
        for start in range(0, state.code_len, 7):
            source = Emitter(Scan(state, start)).source
            words = re.findall(r"[A-Za-z_]\w*|\d+", source)
            assert all(allowed.fullmatch(word) for word in words), source
            assert set(re.sub(r"\w", "", source)) <= set(" \n:()[]+-*/%&|^<>=,."), source


def test_a_huge_program_is_translated_only_where_it_is_hot(at_once):
    draft = Draft()
    draft.integers(1, 1, [500])
    draft.code = [ord("A") | 5 << 8 | 5 << 16 | small(0) << 24] * 300_000
    draft.code[0] = ord("-") | 5 << 8 | 5 << 16 | small(1) << 24
    draft.code[1] = ord("B") | 5 << 8
    draft.code[2] = ord("H") | 5 << 8
    executor = CpuExecutor(draft.memory(), NoPorts())
    assert executor.run(10**9).reason == "H"
    assert len(executor._translator.regions) == 1


def test_translations_are_bounded(at_once, monkeypatch):
    monkeypatch.setattr(translate, "MAX_REGIONS", 4)
    draft = Draft()
    draft.integers(1, 1, [3])
    for _ in range(40):
        start = draft.emit("#", 5, 3, 0)
        draft.emit("-", 5, 5, small(1))
        draft.emit("B", 5, (start + 1) & 255, start + 1 >> 8)
    draft.emit("H", small(0))
    memory = draft.memory()
    executor = CpuExecutor(memory, NoPorts())
    assert executor.run(10**9).reason == "H"
    assert len(executor._translator.regions) <= 4
    assert memory.get64("done") == 40 * 7 + 1
