"""The GPU executor: what is done where, and going on before a fault is known."""

from __future__ import annotations

import threading
import weakref

import numpy as np
import pytest

from pxos.kernel.machine.cpu.executor import CpuExecutor
from pxos.kernel.machine.fault import Stop
from pxos.kernel.machine.gpu import index, journal, speculation, stream
from pxos.kernel.machine.gpu.device import Buffer, Gpu, GpuOutOfMemory
from pxos.kernel.machine.gpu.kit import Kit, TooLarge
from pxos.kernel.machine.isa import encode
from pxos.kernel.machine.ports import Message, NoPorts
from tests.conformance.building import Draft
from tests.gpu import gpu

from .on_gpu import (
    ONE_ROW,
    PLENTY,
    Desk,
    as_on_the_cpu,
    demand_equal,
    executor,
    host_words,
    ints,
    reads_counted,
    small,
    to_its_end,
)

pytestmark = pytest.mark.usefixtures("shared_gpu")


@pytest.fixture
def shared_gpu() -> Gpu:
    return gpu()


@pytest.fixture
def scalars_on_host(monkeypatch: pytest.MonkeyPatch) -> None:
    host_words(monkeypatch, ONE_ROW)


def draft_of(*vectors: list[int], spare_rows: int = 64, stack: int = 4) -> Draft:
    """Entries 5..: a scalar 0, then vectors of more than one row, which live on the GPU.  Copying
    them by Add puts the newest copy there."""
    draft = Draft(spare_rows=spare_rows, stack=stack)
    draft.integers(1, 1, [0])
    for vector in vectors:
        numbers = (vector * 100)[:100]
        draft.integers(1, 100, numbers)
    for entry in range(6, 6 + len(vectors)):
        draft.emit("A", entry, entry, small(0))
    return draft


SCALAR, A, B, C = 5, 6, 7, 8

# ---- faults that are found later ------------------------------------------------------------


@pytest.mark.usefixtures("scalars_on_host")
@pytest.mark.parametrize(
    "later",
    [
        [("A", SCALAR, SCALAR, small(1))],
        [(";", A, A, A)],
        [("N", C, A, small(1))],
        [("#", SCALAR, 7, 0), (";", SCALAR, SCALAR, SCALAR), (";", SCALAR, SCALAR, SCALAR)],
        [("(", 6, 0, 0), ("(", 7, 0, 0)],
        [("]", A, ord("t"), small(0))],
        [("M", 200, 200, 200)],
        [("\1", 0, 0, 0)],
        [("/", SCALAR, SCALAR, small(0))],
        [("A", A, B, C), ("*", C, A, B), ("$", SCALAR, C, ord("n"))],
    ],
    ids=["scalar", "growth", "re-pointing", "host growth", "calls", "port", "host fault",
         "no instruction", "host division", "elements"],
)  # fmt: skip
def test_nothing_after_a_failed_check_has_happened(later, monkeypatch):
    draft = draft_of([8], [4, 4, 4, 0], [1])
    draft.emit("/", A, A, B)
    for instruction in later:
        draft.emit(*instruction)
    draft.emit("H", small(0))
    with reads_counted(monkeypatch) as reads:
        stop, memory = as_on_the_cpu(draft)
    assert stop == Stop("/", 3, 3)
    assert memory.get("pc") == 3
    assert len(reads) == 2  # the fault, and settling


@pytest.mark.usefixtures("scalars_on_host")
def test_of_many_checks_the_first_that_fails_counts(monkeypatch):
    draft = draft_of([8], [3], [1])
    draft.emit("#", SCALAR, 9)
    start = draft.emit("/", C, A, B)  # pc 4: the fourth turn divides by zero
    draft.emit("-", B, B, small(1))
    draft.emit("-", SCALAR, SCALAR, small(1))
    draft.emit("B", SCALAR, start)
    draft.emit("%", A, A, B)
    draft.emit("H", small(0))
    with reads_counted(monkeypatch) as reads:
        stop, memory = as_on_the_cpu(draft)
    assert stop == Stop("/", start, 0)
    assert ints(memory, SCALAR) == [6]
    assert len(reads) == 2


@pytest.mark.usefixtures("scalars_on_host")
def test_checks_that_pass_cost_one_round_trip(monkeypatch):
    draft = draft_of([80], [30], [1])
    draft.emit("#", SCALAR, 20)
    start = draft.emit("/", C, A, B)
    draft.emit("-", B, B, small(1))
    draft.emit("-", SCALAR, SCALAR, small(1))
    draft.emit("B", SCALAR, start)
    draft.emit("H", small(0))
    with reads_counted(monkeypatch) as reads:
        as_on_the_cpu(draft)
    assert len(reads) == 2


@pytest.mark.usefixtures("scalars_on_host")
@pytest.mark.parametrize("slices", [[1] * 90, [2, 7, 3] * 40, [17] * 20])
def test_a_fault_in_slices(slices):
    draft = draft_of([8], [3], [1])
    draft.emit("#", SCALAR, 9)
    start = draft.emit("%", C, A, B)
    draft.emit("-", B, B, small(1))
    draft.emit("-", SCALAR, SCALAR, small(1))
    draft.emit("B", SCALAR, start)
    stop, _ = as_on_the_cpu(draft, slices=slices)
    assert stop == Stop("/", start, 0)


@pytest.mark.usefixtures("scalars_on_host")
def test_the_first_zero_is_counted_in_the_result():
    draft = Draft()
    draft.integers(1, 1, [0])
    draft.integers(30, 20, range(600))
    draft.add("I", 30, 1, np.array([1] * 17 + [0] * 13), capacity=70)
    draft.emit("A", 7, 7, small(0))
    draft.emit("/", 6, 6, 7)
    assert as_on_the_cpu(draft)[0] == Stop("/", 1, 340)


@pytest.mark.usefixtures("scalars_on_host")
def test_after_a_fault_the_process_can_be_mended_and_goes_on():
    draft = draft_of([8], [0], [1])
    draft.emit("/", A, A, B)
    draft.emit("A", C, C, A)
    draft.emit("/", C, C, C)
    draft.emit("H", small(0))
    memory, expected = draft.memory(), draft.memory()
    own, cpu = executor(memory), CpuExecutor(expected, NoPorts())
    assert own.run(PLENTY) == cpu.run(PLENTY) == Stop("/", 3, 0)
    for words in (memory, expected):
        words.set("pc", 4)
    assert own.run(PLENTY) == cpu.run(PLENTY) == Stop("H", 6)
    own.settle()
    demand_equal(memory, expected)


@pytest.mark.usefixtures("scalars_on_host")
@pytest.mark.parametrize("fuel", range(3, 12))
def test_fuel_that_ends_behind_a_division(fuel):
    draft = draft_of([8], [1, 0], [1])
    draft.fuel = fuel
    draft.emit("A", C, C, small(1))
    draft.emit("/", A, A, B)
    draft.emit("A", A, A, C)
    draft.emit("H", small(0))
    as_on_the_cpu(draft)


@pytest.mark.usefixtures("scalars_on_host")
@pytest.mark.parametrize(
    ("module", "limit", "most", "loop"),
    [
        (journal, "MAX_ENTRIES", 10, [("A", SCALAR, SCALAR, small(0))]),
        (journal, "MAX_WORDS", 10, [("A", SCALAR, SCALAR, small(0))]),
        (speculation, "MOST_UNREAD", 30, [("A", C, C, A)]),
    ],
)
def test_what_rests_on_an_open_check_is_bounded(monkeypatch, module, limit, most, loop):
    draft = draft_of([8], [2], [1])
    draft.emit("/", A, A, B)
    draft.emit("#", SCALAR, 47)
    start = len(draft.code)
    for instruction in loop:
        draft.emit(*instruction)
    draft.emit("-", SCALAR, SCALAR, small(1))
    draft.emit("B", SCALAR, start)
    draft.emit("H", small(0))
    with reads_counted(monkeypatch) as reads:
        as_on_the_cpu(draft)
        assert len(reads) == 2
        monkeypatch.setattr(module, limit, most)
        open_too_long = speculation.Speculation.bound
        resolved = []

        def bound(self):
            before = len(reads)
            open_too_long(self)
            resolved.append(len(reads) - before)

        monkeypatch.setattr(speculation.Speculation, "bound", bound)
        as_on_the_cpu(draft)
    assert sum(resolved) == 1
    assert len(reads) == 4


# ---- what stays on the host, what is read back --------------------------------------------------


@pytest.mark.usefixtures("scalars_on_host")
def test_what_the_host_knows_is_never_read_back(monkeypatch):
    draft = draft_of([1], [2])
    draft.emit("#", SCALAR, 30)
    start = draft.emit("A", A, A, SCALAR)
    draft.emit("-", SCALAR, SCALAR, small(1))
    draft.emit("B", SCALAR, start)
    draft.emit("H", small(0))
    memory = draft.memory()
    own = executor(memory)
    with reads_counted(monkeypatch) as reads:
        assert own.run(PLENTY).reason == "H"
        assert reads == []
        own.settle()
        assert len(reads) == 1
    assert ints(memory, A) == [1 + 465] * 100


@pytest.mark.usefixtures("scalars_on_host")
def test_a_branch_on_a_number_from_the_gpu_reads_once(monkeypatch):
    draft = draft_of([1], [2])
    draft.emit("F", SCALAR, A, ord("A"))
    draft.emit("B", SCALAR, 4)
    draft.emit("-", SCALAR, SCALAR, small(1))
    draft.emit("B", SCALAR, 6)
    draft.emit("H", small(0))
    with reads_counted(monkeypatch) as reads:
        as_on_the_cpu(draft)
    assert len(reads) == 2
    assert reads[0] == 1


def test_small_programs_run_on_the_host(monkeypatch):
    draft = draft_of([1], [2])
    draft.emit("/", A, A, B)
    draft.emit("H", small(0))
    memory = draft.memory()
    own = executor(memory)
    monkeypatch.setattr(Gpu, "submit", None)
    assert own.run(PLENTY).reason == "H"
    own.settle()
    assert ints(memory, A) == [0] * 100


@pytest.mark.usefixtures("scalars_on_host")
def test_of_a_large_matrix_only_what_is_asked_for_is_read(monkeypatch):
    draft = Draft()
    draft.integers(40, 50, range(2000))
    draft.view("I", 5, 1, 1, 20, 10)
    draft.emit("A", 5, 5, small(1))
    draft.emit("B", 6, 3)
    draft.emit("H", small(9))
    draft.emit("H", small(1))
    memory = draft.memory()
    own = executor(memory)
    with reads_counted(monkeypatch) as reads:
        assert own.run(PLENTY) == Stop("H", 3, status=1)
        assert reads == [1]


@pytest.mark.usefixtures("scalars_on_host")
def test_where_reads_the_number_of_elements_only(monkeypatch):
    draft = Draft(spare_rows=200)
    draft.integers(40, 50, [0, 1, 0, 5] * 500)
    draft.integers(0, 0, [])
    draft.emit("A", 5, 5, small(0))
    draft.emit("w", 6, 5)
    draft.emit("H", small(0))
    memory = draft.memory()
    own = executor(memory)
    with reads_counted(monkeypatch) as reads:
        assert own.run(PLENTY).reason == "H"
        assert reads == [1]
    as_on_the_cpu(draft)


# ---- ports -----------------------------------------------------------------------------------


def text(data: bytes) -> Message:
    return Message("T", np.frombuffer(data, np.uint8).reshape(1, -1))


@pytest.mark.usefixtures("scalars_on_host")
def test_messages_in_and_out():
    draft = Draft(spare_rows=200)
    draft.text(1, 300, bytes(range(250)) + bytes(50))
    draft.view("T", 5, 1, 8, 0, 101)
    draft.integers(20, 20, range(400))
    draft.emit("A", 5, 5, small(1))
    draft.emit("[", 6, ord("t"), small(0))
    draft.emit("]", 5, ord("t"), small(0))
    draft.emit("*", 7, 7, small(3))
    draft.emit("]", 7, ord("t"), small(0))
    draft.emit("[", 7, ord("t"), small(0))
    draft.emit("A", 7, 7, small(1))
    draft.emit("[", 5, ord("p"), small(0))
    draft.emit("]", 5, ord("p"), small(0))
    draft.emit("H", small(0))
    words = np.arange(900, dtype=np.int32).reshape(30, 30)
    as_on_the_cpu(draft, (text(b"eight in"), Message("I", words), text(b"x" * 1000)))


@pytest.mark.usefixtures("scalars_on_host")
def test_ports_are_asked_only_when_all_before_them_is_certain():
    draft = draft_of([8], [1, 0], [1])
    draft.emit("/", A, A, B)
    draft.emit("[", C, ord("t"), small(0))
    memory, desk = draft.memory(), Desk(text(b"kept"))
    assert executor(memory, desk).run(PLENTY) == Stop("/", 3, 1)
    assert len(desk.messages) == 1


@pytest.mark.usefixtures("scalars_on_host")
def test_a_message_that_the_slice_cannot_store_is_held():
    draft = Draft(spare_rows=200)
    draft.text(1, 300, bytes(300))
    draft.emit("A", 5, 5, small(1))
    draft.emit("[", 5, ord("t"), small(0))
    draft.emit("H", small(0))
    stop, _ = as_on_the_cpu(draft, (text(b"y" * 2000),), slices=[6, 3, 3, 40, 5])
    assert stop.reason == "H"


# ---- memory that changes its shape, and code ---------------------------------------------------


def test_matrices_that_move(monkeypatch):
    host_words(monkeypatch, 0)
    draft = Draft(spare_rows=400)
    draft.integers(2, 3, [1, 2, 3, 4, 5, 6])
    draft.text(1, 6, b"rows..")
    draft.emit("#", 5, 3)
    draft.emit("I", 5, 5, small(2))
    for _ in range(6):
        draft.emit(";", 5, 5, 5)
        draft.emit(";", 6, 6, 6)
        draft.emit("A", 5, 5, small(1))
    draft.emit("H", small(0))
    as_on_the_cpu(draft)


def test_rows_that_were_left_are_let_go(monkeypatch):
    host_words(monkeypatch, 0)
    draft = Draft(spare_rows=400)
    draft.integers(2, 30, range(60))
    for _ in range(4):
        draft.emit(";", 5, 5, 5)
    draft.emit("H", small(0))
    memory = draft.memory()
    own = executor(memory)
    assert own.run(PLENTY).reason == "H"
    residents = own._residency._residents
    before = set(residents)
    own.settle()
    assert len(before - set(residents)) >= 2
    assert memory.header(5).row in residents


def test_code_from_the_gpu(monkeypatch):
    host_words(monkeypatch, 0)
    draft = Draft(code_writable=True)
    words = [encode("H", small(n)) for n in (5, 6)]
    draft.integers(1, 2, [n - 2**32 if n >= 2**31 else n for n in words])
    draft.integers(1, 2, [1, 0])
    draft.emit("A", 6, 6, small(4))
    draft.emit("A", 5, 5, small(0))
    draft.emit("P", 2, 5, 6)
    draft.emit("H", small(1))
    draft.emit("H", small(2))
    draft.emit("H", small(3))
    draft.code[3] = encode("A", 6, 6, small(0))
    stop, memory = as_on_the_cpu(draft)
    assert stop == Stop("H", 4, status=6)
    assert memory.words[memory.data_addr(memory.row_of(2)) + 5] == words[0]


def test_views_are_windows_onto_the_buffer(monkeypatch):
    host_words(monkeypatch, 0)
    draft = Draft()
    draft.add("P", 6, 6, np.arange(36) * 0x01020304)
    draft.view("T", 5, 6, 6, 0, 2, 1, 4)
    draft.view("P", 5, 2, 3, 4, 4, -2, -1)
    draft.integers(2, 3, [1, -2, 3, -4, 5, -6])
    draft.emit("A", 6, 6, small(40))
    draft.emit("G", 7, 5, small(3))
    draft.emit("T", 5, 5)
    draft.emit("A", 6, 6, 6)
    draft.emit("-", 8, 8, small(1))
    draft.emit("H", small(0))
    as_on_the_cpu(draft)


def test_inputs_are_read_before_the_output_is_written(monkeypatch):
    host_words(monkeypatch, 0)
    draft = Draft()
    draft.integers(1, 20, range(20))
    draft.view("I", 5, 1, 19, 0, 1)
    draft.view("I", 5, 1, 19, 0, 0)
    draft.view("I", 5, 1, 19, 0, 18, 1, -1)
    draft.integers(1, 20, range(19, -1, -1))
    draft.emit("A", 6, 7, small(0))
    draft.emit("A", 7, 6, 8)
    draft.emit("%", 6, 6, 7)
    draft.emit("G", 5, 5, 9)
    draft.emit("/", 6, 7, 8)
    draft.emit("H", small(0))
    as_on_the_cpu(draft)


def test_a_call_stack_that_is_read_on_the_gpu(monkeypatch):
    host_words(monkeypatch, 0)
    draft = Draft(stack=3)
    draft.integers(1, 3, [0, 0, 0])
    draft.emit("(", 1, 0)
    draft.emit("(", 2, 0)
    draft.emit("A", 5, 5, 3)
    draft.emit("A", 5, 5, 0)
    draft.emit(")")
    as_on_the_cpu(draft)


# ---- what the device cannot take -----------------------------------------------------------------


def test_what_the_device_cannot_bind_is_done_on_the_host(monkeypatch):
    host_words(monkeypatch, 0)
    draft = draft_of([8], [2], [1])
    draft.emit("*", C, A, B)
    draft.emit("/", A, C, B)
    draft.emit("A", B, B, A)
    fits = Kit.fits
    monkeypatch.setattr(
        Kit, "fits", lambda kit, d, *inputs: len(inputs) < 2 and fits(kit, d, *inputs)
    )
    draft.emit("H", small(0))
    as_on_the_cpu(draft)


def test_what_the_device_cannot_count_is_read_back(monkeypatch):
    host_words(monkeypatch, 0)

    def too_large(*_: object) -> None:
        raise TooLarge("as told")

    monkeypatch.setattr(index, "count_nonzero", too_large)
    draft = Draft(spare_rows=200)
    draft.integers(20, 50, [0, 1, 0, 5] * 250)
    draft.integers(0, 0, [])
    draft.emit("A", 5, 5, small(0))
    draft.emit("w", 6, 5)
    draft.emit("H", small(0))
    with reads_counted(monkeypatch) as reads:
        as_on_the_cpu(draft)
    assert reads[0] == 1000


def test_without_memory_for_new_kernels_each_does_its_own_work(monkeypatch):
    host_words(monkeypatch, 0)

    def no_room(*_: object) -> None:
        raise GpuOutOfMemory("as told")

    monkeypatch.setattr(stream, "join", no_room)
    draft = draft_of([8], [2], [1])
    draft.emit("*", C, A, B)
    draft.emit("-", C, C, A)
    draft.emit("H", small(0))
    assert as_on_the_cpu(draft)[0].reason == "H"


@pytest.mark.parametrize("buffers", range(4, 10))
def test_without_memory_it_stands_before_the_instruction(monkeypatch, buffers):
    host_words(monkeypatch, ONE_ROW)
    draft = draft_of([8], [2, 5], [1])
    draft.emit("/", C, A, B)
    draft.emit("A", SCALAR, SCALAR, small(1))
    draft.emit(";", C, C, C)
    draft.emit("A", C, C, B)
    draft.emit("H", small(0))
    expected, memory = draft.memory(), draft.memory()
    assert CpuExecutor(expected, NoPorts()).run(PLENTY).reason == "H"
    own = executor(memory)
    make, left = Gpu.buffer, [buffers]

    def limited(self: Gpu, words: int) -> Buffer:
        left[0] -= 1
        if left[0] < 0:
            raise GpuOutOfMemory("as told")
        return make(self, words)

    monkeypatch.setattr(Gpu, "buffer", limited)
    try:
        assert own.run(PLENTY).reason == "H"
    except GpuOutOfMemory:
        own.settle()
        assert CpuExecutor(memory, NoPorts()).run(PLENTY).reason == "H"
    else:
        own.settle()
    demand_equal(memory, expected)


def test_without_memory_for_a_read_back_what_is_recorded_is_done(monkeypatch):
    host_words(monkeypatch, 0)
    draft = draft_of([8], [2], [1])
    draft.emit("*", C, A, B)
    draft.emit("A", C, C, C)
    draft.emit("B", C, len(draft.code) + 1)
    draft.emit("H", small(0))
    memory, expected = draft.memory(), draft.memory()
    assert CpuExecutor(expected, NoPorts()).run(PLENTY).reason == "H"
    own = executor(memory)

    def no_room(*_: object) -> None:
        raise GpuOutOfMemory("as told")

    with monkeypatch.context() as shortage:
        shortage.setattr(gpu(), "_readback_bytes", 0)
        shortage.setattr(gpu(), "_grow_readback", no_room)
        with pytest.raises(GpuOutOfMemory):
            own.run(PLENTY)
    own.settle()
    assert CpuExecutor(memory, NoPorts()).run(PLENTY).reason == "H"
    demand_equal(memory, expected)


def test_closing_lets_go_of_the_buffers(monkeypatch):
    host_words(monkeypatch, 0)
    draft = draft_of([8], [2], [1])
    draft.emit("*", C, A, B)
    draft.emit("H", small(0))
    memory = draft.memory()
    own = executor(memory)
    assert own.run(PLENTY).reason == "H"
    own.settle()
    handles = [
        weakref.ref(resident.buffer.handle)
        for resident in own._residency._residents.values()
        if resident.buffer is not None
    ]
    assert len(handles) == 3
    own.close()
    assert [handle() for handle in handles] == [None] * 3


# ---- together ------------------------------------------------------------------------------------


def _busy(seed: int) -> Draft:
    draft = draft_of([seed, 3], [seed + 90, 7], [1])
    draft.emit("#", SCALAR, 30)
    start = draft.emit("/", C, A, B)
    draft.emit("A", A, A, C)
    draft.emit("-", SCALAR, SCALAR, small(1))
    draft.emit("C", C, A, ord("A"))
    draft.emit("R", A, C, A)
    draft.emit("B", SCALAR, start)
    draft.emit("H", small(0))
    return draft


@pytest.mark.usefixtures("scalars_on_host")
def test_two_executors_take_turns_on_one_memory():
    draft = _busy(5)
    expected, memory = draft.memory(), draft.memory()
    CpuExecutor(expected, NoPorts()).run(PLENTY)
    stop = Stop("Y", 0)
    turns = 0
    while stop.reason == "Y":
        turns += 1
        if turns % 3:
            own = executor(memory)
            stop = own.run(max(37, stop.next_fuel))
            own.settle()
        else:
            stop = CpuExecutor(memory, NoPorts()).run(max(21, stop.next_fuel))
    assert turns > 6
    demand_equal(memory, expected)


@pytest.mark.usefixtures("scalars_on_host")
def test_executors_on_threads_share_the_gpu():
    memories = [_busy(seed).memory() for seed in range(4)]
    expected = [_busy(seed).memory() for seed in range(4)]
    for memory in expected:
        CpuExecutor(memory, NoPorts()).run(PLENTY)

    def work(number: int) -> None:
        own = executor(memories[number])
        to_its_end(own, [50] * 500)
        own.settle()

    threads = [threading.Thread(target=work, args=(n,)) for n in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for memory, wanted in zip(memories, expected, strict=True):
        demand_equal(memory, wanted)
