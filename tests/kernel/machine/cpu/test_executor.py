"""The executor: running, stopping, waiting, remembering; SYS, ports and writable code."""

from __future__ import annotations

import numpy as np
import pytest

from pxos.kernel.machine.cpu.executor import CpuExecutor
from pxos.kernel.machine.fault import Stop
from pxos.kernel.machine.isa import SMALL_ZERO, encode
from pxos.kernel.machine.memory import Memory
from pxos.kernel.machine.ports import Message, NoPorts, Refused, Wait
from tests.conformance.building import Draft

PLENTY = 10**9


def small(value: int) -> int:
    return SMALL_ZERO + value


def ints(memory: Memory, entry: int) -> np.ndarray:
    header = memory.header(entry)
    at = memory.data_addr(header.row)
    return memory.ints[at : at + header.rows * header.cols].reshape(header.rows, header.cols)


class Desk:
    """A port t with messages to read and a shelf for what is written; everything else refused."""

    def __init__(self, *messages: Message, full: bool = False) -> None:
        self.messages = list(messages)
        self.full = full
        self.shelf: list[tuple[Message, Message]] = []

    def read(self, letter: str, selector: Message) -> Message | Wait | Refused:
        if letter != "t":
            return Refused(letter)
        return self.messages.pop(0) if self.messages else Wait(letter)

    def write(self, letter: str, message: Message, selector: Message) -> Wait | Refused | None:
        if letter != "t":
            return Refused(letter)
        if self.full:
            return Wait(letter)
        self.shelf.append((message, selector))
        return None

    def ready(self, letter: str) -> bool | Refused:
        return bool(self.messages) if letter in "tv" else Refused(letter)


# ---- stopping -----------------------------------------------------------------------------------


@pytest.mark.parametrize(("status", "expected"), [(7, 7), (-1, 255), (0, 0)])
def test_halt(status, expected):
    draft = Draft(fuel=5)
    draft.emit("H", small(status))
    memory = draft.memory()
    assert CpuExecutor(memory, NoPorts()).run(PLENTY) == Stop("H", 0, status=expected)
    assert (memory.get("reason"), memory.get("status"), memory.get("pc")) == (ord("H"), expected, 0)
    assert (memory.get64("fuel"), memory.get64("done")) == (4, 1)


def test_a_fault_has_no_effect_and_costs_nothing():
    draft = Draft(fuel=50)
    draft.integers(1, 2, [6, 8])
    draft.integers(1, 2, [2, 0])
    draft.emit("A", 5, 5, small(0))
    draft.emit("/", 5, 5, 6)
    memory = draft.memory()
    before = memory.words.copy()
    assert CpuExecutor(memory, NoPorts()).run(PLENTY) == Stop("/", 1, 1)
    assert (memory.get64("fuel"), memory.get64("done"), memory.get("detail")) == (49, 1, 1)
    sys_row = slice(64, 128)
    before[sys_row] = memory.words[sys_row]
    assert (memory.words == before).all()


def test_the_next_run_goes_on_and_clears_the_reason():
    draft = Draft()
    draft.integers(1, 1, [0])
    draft.emit("/", 5, 5, 5)
    draft.emit("H", small(3))
    memory = draft.memory()
    executor = CpuExecutor(memory, NoPorts())
    assert executor.run(PLENTY).reason == "/"
    memory.set("pc", 1)
    assert executor.run(0) == Stop("Y", 1, next_fuel=1)
    assert (memory.get("reason"), memory.get("detail"), memory.get("port")) == (0, 0, 0)
    assert executor.run(1).status == 3


@pytest.mark.parametrize("pc", [2, 70000, 2**24 - 1])
def test_outside_the_code(pc):
    draft = Draft()
    draft.emit("J", pc & 255, pc >> 8 & 255, pc >> 16)
    draft.emit("H")
    memory = draft.memory()
    assert CpuExecutor(memory, NoPorts()).run(PLENTY) == Stop("J", pc)
    assert memory.get("pc") == pc


def test_heavy_instructions_ask_for_their_slice():
    draft = Draft(fuel=1000)
    draft.integers(8, 80, range(640))
    draft.emit("A", 5, 5, 5)
    draft.emit("H")
    memory = draft.memory()
    executor = CpuExecutor(memory, NoPorts())
    assert executor.run(10) == Stop("Y", 0, next_fuel=11)
    assert memory.get64("done") == 0
    assert executor.run(11) == Stop("Y", 1, next_fuel=1)
    assert memory.get64("fuel") == 989


def test_too_little_fuel_for_the_instruction():
    draft = Draft(fuel=10)
    draft.integers(8, 80, range(640))
    draft.emit("A", 5, 5, 5)
    memory = draft.memory()
    assert CpuExecutor(memory, NoPorts()).run(PLENTY) == Stop("B", 0)
    assert memory.get64("fuel") == 10
    assert (ints(memory, 5).ravel() == range(640)).all()


def test_division_by_zero_comes_before_the_fuel():
    draft = Draft(fuel=0)
    draft.integers(1, 1, [0])
    draft.emit("%", 5, 5, 5)
    assert CpuExecutor(draft.memory(), NoPorts()).run(PLENTY) == Stop("/", 0)


# ---- calls --------------------------------------------------------------------------------------


def test_calls_nest_and_leave_no_trace():
    draft = Draft(stack=2)
    draft.integers(1, 1, [0])
    draft.emit("(", 2)
    draft.emit("H", 5)
    draft.emit("(", 4)
    draft.emit(")")
    draft.emit("#", 5, 9, 0)
    draft.emit(")")
    memory = draft.memory()
    assert CpuExecutor(memory, NoPorts()).run(PLENTY).status == 9
    assert (memory.get("depth"), ints(memory, 3).tolist()) == (0, [[0, 0]])


@pytest.mark.parametrize(("code", "depth"), [("(", 4), (")", 0)])
def test_the_stack_ends(code, depth):
    draft = Draft(stack=4)
    draft.emit(code, 0)
    memory = draft.memory()
    stop = CpuExecutor(memory, NoPorts()).run(PLENTY)
    assert (stop.reason, stop.pc, memory.get("depth")) == ("C", 0, depth)


def test_a_checkpoint_is_resumed_by_a_fresh_executor():
    draft = Draft()
    draft.integers(1, 1, [100])
    draft.emit("(", 3)
    draft.emit("B", 5, 0, 0)
    draft.emit("H", 5)
    draft.emit("-", 5, 5, small(1))
    draft.emit(")")
    memory = draft.memory()
    turns = 0
    while (stop := CpuExecutor(memory, NoPorts()).run(7)).reason == "Y":
        turns += 1
        image = memory.used_image().copy()
        memory = Memory(image, memory.quota_rows)
    assert (stop.reason, memory.get64("done"), turns) == ("H", 401, 57)


# ---- ports --------------------------------------------------------------------------------------


def test_reading_a_message_into_every_kind():
    draft = Draft()
    draft.integers(1, 1, [0])
    draft.integers(1, 1, [0], "X")
    draft.text(1, 1, b"\0")
    draft.add("P", 0, 0)
    draft.emit("[", 5, ord("t"), small(3))
    draft.emit("[", 6, ord("t"), small(3))
    draft.emit("[", 7, ord("t"), small(3))
    draft.emit("[", 8, ord("t"), small(3))
    draft.emit("H", 5)
    fixed = Message("X", np.array([[98304, -1, 20 << 16, 300 << 16]], np.int32))
    pixels = Message("P", np.arange(8, dtype=np.uint8).reshape(2, 1, 4))
    memory = draft.memory()
    CpuExecutor(memory, Desk(fixed, fixed, fixed, pixels)).run(PLENTY)
    assert ints(memory, 5).tolist() == [[1, -1, 20, 300]]
    assert ints(memory, 6).tolist() == fixed.data.tolist()
    text = memory.data_addr(memory.row_of(7)) * 4
    assert memory.bytes[text : text + 4].tolist() == [2, 0, 20, 255]
    assert (memory.header(8).rows, memory.header(8).cols) == (2, 1)
    assert ints(memory, 8).view(np.uint8).ravel().tolist() == list(range(8))


def test_a_message_larger_than_the_slice_is_not_lost():
    draft = Draft(fuel=100)
    draft.integers(1, 1, [0])
    draft.emit("[", 5, ord("t"), small(0))
    draft.emit("H", small(0))
    memory = draft.memory()
    desk = Desk(Message("I", np.arange(640, dtype=np.int32).reshape(1, 640)))
    executor = CpuExecutor(memory, desk)
    assert executor.run(0) == Stop("Y", 0, next_fuel=1)
    assert len(desk.messages) == 1
    assert executor.run(1) == Stop("Y", 0, next_fuel=11)
    assert len(desk.messages) == 0
    assert memory.get64("fuel") == 100
    assert executor.run(11) == Stop("Y", 1, next_fuel=1)
    assert memory.get64("fuel") == 89
    assert ints(memory, 5).ravel().tolist() == list(range(640))


def test_waiting_stays_at_the_instruction():
    draft = Draft(fuel=9)
    draft.integers(1, 1, [5])
    draft.emit("[", 5, ord("t"), small(0))
    memory = draft.memory()
    assert CpuExecutor(memory, Desk()).run(PLENTY) == Stop("W", 0, port="t")
    assert (memory.get("port"), memory.get64("fuel"), memory.get("pc")) == (ord("t"), 9, 0)


def test_writing_hands_over_copies():
    draft = Draft()
    draft.text(2, 3, b"abcdef")
    draft.add("P", 1, 2, np.array([0x04030201, 0x08070605]))
    draft.emit("]", 5, ord("t"), small(7))
    draft.emit("]", 6, ord("t"), 5)
    draft.emit("A", 5, 5, small(1))
    draft.emit("H", small(0))
    desk = Desk()
    CpuExecutor(draft.memory(), desk).run(PLENTY)
    (text, number), (picture, selector) = desk.shelf
    assert (text.kind, text.data.tobytes(), number.data.tolist()) == ("T", b"abcdef", [[7]])
    assert (picture.kind, picture.data.shape, picture.data.ravel().tolist()) == (
        "P",
        (1, 2, 4),
        list(range(1, 9)),
    )
    assert (selector.kind, selector.data.shape) == ("T", (2, 3))


@pytest.mark.parametrize(
    ("word", "stop"),
    [
        (encode("[", 5, ord("k"), 208), Stop("P", 0)),
        (encode("]", 5, ord("k"), 208), Stop("P", 0)),
        (encode("[", 5, ord("!"), 208), Stop("P", 0)),
        (encode("[", 5, ord("t"), 6), Stop("K", 0, 2)),
        (encode("]", 7, ord("t"), 208), Stop("K", 0, 0)),
        (encode("[", 0, ord("t"), 208), Stop("K", 0, 0)),
        (encode("[", 208, ord("t"), 208), Stop("N", 0, 0)),
        (encode("W", 5, 8), Stop("P", 0)),
        (encode("W", 5, 9), Stop("S", 0)),
        (encode("W", 5, 6), Stop("K", 0, 1)),
        (encode("W", 5, 10), Stop("W", 0, port="v")),
        (encode("]", 5, ord("t"), 208), Stop("W", 0, port="t")),
    ],
)
def test_faults_at_ports(word, stop):
    draft = Draft(code=[word])
    draft.integers(1, 1, [1])
    draft.add("P", 1, 1, np.zeros(1))
    draft.text(1, 1, b"\0", "Q")
    draft.text(1, 2, b"tk")
    draft.text(1, 0, b"")
    draft.text(1, 2, b"vt")
    memory = draft.memory()
    before = memory.words[128:].copy()
    assert CpuExecutor(memory, Desk(full=True)).run(PLENTY) == stop
    assert (memory.words[128:] == before).all()


def test_wait_gives_the_first_ready_letter():
    draft = Draft()
    draft.integers(1, 1, [0])
    draft.text(1, 2, b"tv")
    draft.emit("W", 5, 6)
    draft.emit("H", 5)
    desk = Desk(Message("I", np.zeros((1, 1), np.int32)))
    assert CpuExecutor(draft.memory(), desk).run(PLENTY).status == ord("t")
    assert len(desk.messages) == 1


# ---- caches -------------------------------------------------------------------------------------


def test_remembered_closures_follow_shapes_views_and_names():
    draft = Draft()
    draft.integers(1, 1, [30])
    total, part = draft.integers(1, 1, [0]), draft.integers(1, 1, [0])
    board = draft.integers(6, 6, range(36))
    window = draft.view("I", board, 1, 1)
    where = draft.integers(1, 4, [0, 0, 1, 1])
    loop = draft.emit("%", part, 5, small(6))
    draft.emit("P", where, part, small(0))
    draft.emit("P", where, part, small(1))
    draft.emit("V", window, board, where)
    draft.emit("F", part, window, ord("A"))
    draft.emit("A", total, total, part)
    draft.emit("-", 5, 5, small(1))
    draft.emit("B", 5, loop, 0)
    draft.emit("H", small(0))
    memory = draft.memory()
    assert CpuExecutor(memory, NoPorts()).run(PLENTY).reason == "H"
    assert ints(memory, total)[0, 0] == 5 * sum(range(0, 36, 7))


def test_what_name_points_at_in_turns_is_bound_once(monkeypatch):
    """A loop that points one entry at three matrices in turns, one of which changes its shape."""
    binds = 0

    def counting(self, plan, message=None):
        nonlocal binds
        binds += 1
        return bind(self, plan, message)

    bind = CpuExecutor._bind
    monkeypatch.setattr(CpuExecutor, "_bind", counting)
    draft = Draft(table_spare=1)
    draft.integers(1, 1, [60])
    which, total, part = (draft.integers(1, 1, [0]) for _ in range(3))
    first = draft.integers(1, 3, [1, 2, 3])
    draft.integers(2, 2, [10, 20, 30, 40])
    draft.integers(1, 4, [100] * 4)
    alias = first + 3
    loop = draft.emit("%", which, 5, small(3))
    draft.emit("N", alias, first, which)
    draft.emit("f", part, alias, ord("A"))
    draft.emit("F", part, part, ord("A"))
    draft.emit("A", total, total, part)
    draft.emit("A", alias, alias, small(1))
    draft.emit("-", 5, 5, small(1))
    draft.emit("B", 5, loop, 0)
    draft.emit("H", small(0))
    memory = draft.memory()
    assert CpuExecutor(memory, NoPorts()).run(PLENTY).reason == "H"
    turns = sum(range(20))
    assert ints(memory, total)[0, 0] == 20 * (6 + 100 + 400) + turns * (3 + 4 + 4)
    assert ints(memory, first).tolist() == [[21, 22, 23]]
    assert binds < 40


def test_appending_grows_through_an_alias():
    draft = Draft(spare_rows=400, table_spare=1)
    draft.integers(1, 1, [200])
    log = draft.integers(0, 3, [])
    line = draft.integers(1, 3, [1, 2, 3])
    alias = 8
    draft.emit("N", alias, log, small(0))
    loop = draft.emit(";", alias, alias, line)
    draft.emit("A", line, line, small(1))
    draft.emit("-", 5, 5, small(1))
    draft.emit("B", 5, loop, 0)
    draft.emit("H", small(0))
    memory = draft.memory()
    assert CpuExecutor(memory, NoPorts()).run(PLENTY).reason == "H"
    assert memory.row_of(alias) == memory.row_of(log)
    expected = np.arange(200)[:, None] + [1, 2, 3]
    assert (ints(memory, log) == expected).all()


def test_hostile_programs_cannot_fill_the_caches(monkeypatch):
    from pxos.kernel.machine import plan

    monkeypatch.setattr(plan, "MAX_PLANS", 50)
    draft = Draft()
    draft.integers(1, 1, [20])
    where = draft.integers(1, 2, [1, 1])
    out = draft.integers(1, 1, [0])
    for n in range(40):
        draft.emit("P", where, small(n), small(1))
        draft.emit("r", out, 5, where)
        draft.emit("A", out, out, small(n))
    draft.emit("-", 5, 5, small(1))
    draft.emit("B", 5, 0, 0)
    draft.emit("H", small(0))
    executor = CpuExecutor(draft.memory(), NoPorts())
    assert executor.run(PLENTY).reason == "H"
    assert len(executor._state.planner._plans) <= 52
    assert len(executor._fast) <= 52


def test_fresh_executors_of_equal_memories_agree_word_for_word():
    draft = Draft()
    draft.integers(4, 4, range(16))
    draft.integers(4, 4, range(16), "X")
    for char in "A*-R_<=&|^SM":
        draft.emit(char, 5, 5, 6)
        draft.emit(char, 6, 6, 5)
    draft.emit("H", small(0))
    memories = [draft.memory() for _ in range(2)]
    for memory, slice_fuel in zip(memories, (3, PLENTY), strict=True):
        executor = CpuExecutor(memory, NoPorts())
        while executor.run(slice_fuel).reason == "Y":
            pass
    assert (memories[0].words == memories[1].words).all()
