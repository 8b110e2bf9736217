"""Who holds the newest copy: uploads, extents, read-back, the journal and the stream."""

from __future__ import annotations

import numpy as np
import pytest

from pxos.kernel.machine.gpu import residency as residency_module
from pxos.kernel.machine.gpu import stream as stream_module
from pxos.kernel.machine.gpu.device import Part
from pxos.kernel.machine.gpu.journal import Journal
from pxos.kernel.machine.gpu.kit import Kit
from pxos.kernel.machine.gpu.residency import Residency, Resident
from pxos.kernel.machine.gpu.stream import Stream
from pxos.kernel.machine.memory import SYS_ROW, Memory
from tests.conformance.building import Draft
from tests.gpu import gpu


class Desk:
    """A memory with a matrix of 200 words at entry 5, and all that its residency needs."""

    def __init__(self) -> None:
        draft = Draft(code=[0])
        draft.integers(1, 200, range(200))
        self.memory: Memory = draft.memory()
        self.kit = Kit(gpu())
        self.journal = Journal(self.memory)
        self.stream = Stream(self.kit)
        self.reads: list[list[int]] = []
        self.residency = Residency(
            self.memory, self.kit, self.stream, self.journal, lambda parts: self.read(parts)
        )
        self.matrix: Resident = self.residency.of(self.memory.row_of(5))

    def read(self, parts: list[Part]) -> list[np.ndarray]:
        self.reads.append([part.words for part in parts])
        return self.stream.read(parts)[1]

    def words(self) -> np.ndarray:
        at = self.matrix.start
        return self.memory.words[at : at + 200]

    def upload(self, need: int) -> None:
        self.residency.buffer_of(self.matrix.row)
        self.residency.upload(self.matrix, need)

    def on_gpu(self) -> np.ndarray:
        assert self.matrix.buffer is not None
        return self.stream.read([Part(self.matrix.buffer, 0, 200)])[1][0]

    def write_on_gpu(self, start: int, words: list[int]) -> None:
        """As an instruction would that writes these words."""
        assert self.matrix.buffer is not None
        self.stream.upload(self.matrix.buffer, start, np.array(words, np.uint32))
        self.residency.written_by_gpu(self.matrix, start + len(words))


@pytest.fixture
def desk(monkeypatch: pytest.MonkeyPatch) -> Desk:
    monkeypatch.setattr(residency_module, "HOST_WORDS", 56)
    return Desk()


def flags(resident: Resident) -> tuple[bool, bool, int]:
    return resident.host_ok, resident.gpu_ok, resident.extent


# ---- flags and extents ------------------------------------------------------------------------


def test_only_the_words_that_are_needed_are_uploaded_once(desk: Desk):
    assert flags(desk.matrix) == (True, False, 0)
    desk.upload(10)
    assert flags(desk.matrix) == (True, True, 10)
    desk.words()[:] = 7  # had the host written, it would have said so
    desk.upload(8)
    desk.upload(12)
    assert desk.on_gpu()[:13].tolist() == [*range(10), 7, 7, 0]


def test_a_write_by_the_host_makes_the_buffer_old(desk: Desk):
    desk.upload(10)
    desk.words()[3] = 99
    desk.residency.written_by_host(desk.matrix)
    assert flags(desk.matrix) == (True, False, 0)
    desk.upload(5)
    assert desk.on_gpu()[:5].tolist() == [0, 1, 2, 99, 4]


def test_beyond_the_extent_the_host_stays_right(desk: Desk):
    desk.upload(3)
    desk.write_on_gpu(0, [50, 51, 52, 53, 54])
    assert flags(desk.matrix) == (False, True, 5)
    desk.residency.fetch((desk.matrix,))
    assert flags(desk.matrix) == (True, True, 5)
    assert desk.words()[:7].tolist() == [50, 51, 52, 53, 54, 5, 6]
    assert desk.reads == [[5]]
    desk.residency.fetch((desk.matrix,))
    assert len(desk.reads) == 1


def test_what_the_machine_changes_at_any_time_is_uploaded_each_time(desk: Desk):
    state = desk.residency.of(SYS_ROW)
    desk.residency.buffer_of(SYS_ROW)
    for fuel in (5, 6):
        desk.memory.set64("fuel", fuel)
        desk.residency.upload(state, 8)
        assert state.buffer is not None
        assert desk.stream.read([Part(state.buffer, 3, 1)])[1][0][0] == fuel


# ---- read-back ----------------------------------------------------------------------------------


def test_of_a_large_matrix_some_words(desk: Desk):
    desk.upload(200)
    desk.write_on_gpu(0, list(range(1000, 1200)))
    desk.words()[:] = 0
    desk.residency.fetch_words(desk.matrix, 20, 3)
    assert desk.words()[19:24].tolist() == [0, 1020, 1021, 1022, 0]
    assert not desk.matrix.host_ok
    desk.residency.fetch_words(desk.matrix, 0, 200)
    assert desk.matrix.host_ok
    assert desk.reads == [[3], [200]]


def test_a_small_matrix_comes_whole(desk: Desk, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(residency_module, "HOST_WORDS", desk.matrix.words)
    desk.upload(200)
    desk.write_on_gpu(0, list(range(1000, 1200)))
    desk.residency.fetch_words(desk.matrix, 20, 3)
    assert desk.matrix.host_ok
    assert desk.words().tolist() == list(range(1000, 1200))


def test_words_beyond_the_extent_need_no_read(desk: Desk):
    desk.upload(3)
    desk.write_on_gpu(0, [9])
    desk.residency.fetch_words(desk.matrix, 100, 5)
    assert desk.reads == []


def test_before_an_overwrite_only_the_rest_is_read(desk: Desk):
    desk.upload(200)
    desk.write_on_gpu(0, list(range(1000, 1200)))
    desk.residency.overwrite(desk.matrix, 5, 190)
    assert desk.reads == [[5, 5]]
    assert desk.matrix.host_ok
    assert desk.words()[[0, 4, 5, 195]].tolist() == [1000, 1004, 5, 1195]


# ---- taking back -------------------------------------------------------------------------------


def test_flags_come_back_and_a_doubtful_buffer_counts_as_old(desk: Desk):
    desk.upload(10)
    desk.journal.on = True
    desk.residency.written_by_host(desk.matrix)
    desk.upload(20)
    desk.write_on_gpu(0, [1])
    position = desk.journal.position
    desk.write_on_gpu(30, [1])
    assert flags(desk.matrix) == (False, True, 31)
    desk.journal.undo(position)
    assert flags(desk.matrix) == (False, True, 20)
    desk.journal.undo(0)
    assert flags(desk.matrix) == (True, False, 10)


def test_rows_that_were_not_there_are_forgotten_again(desk: Desk):
    top = desk.memory.top
    desk.journal.on = True
    fresh = desk.residency.of(top, 56)
    desk.residency.leave(desk.matrix.row)
    assert desk.residency.of(top) is fresh
    desk.journal.undo(0)
    assert desk.residency.take_left() == set()
    assert desk.residency.of(top, 120).words == 120


def test_a_row_that_was_left_goes_when_the_host_has_it(desk: Desk):
    desk.upload(200)
    desk.write_on_gpu(0, [1])
    desk.residency.leave(desk.matrix.row)
    assert desk.residency.take_left() == set()
    desk.residency.fetch_all()
    assert desk.residency.take_left() == {desk.matrix.row}


def test_the_journal_gives_back_words_in_the_reverse_order():
    memory = Draft(code=[0]).memory()
    journal = Journal(memory)
    before = memory.words.copy()
    journal.words(10, 4)
    assert journal.position == 0  # nothing is kept before there is a reason
    journal.on = True
    order: list[int] = []
    for value in (1, 2, 3):
        journal.words(64, 2)
        memory.words[64:66] = value
        journal.back(lambda value=value: order.append(value))
    journal.undo(2)
    assert memory.words[64:66].tolist() == [1, 1]
    journal.undo(0)
    assert (memory.words == before).all()
    assert order == [3, 2, 1]


# ---- the stream ---------------------------------------------------------------------------------


def test_uploads_keep_their_place_among_dispatches(monkeypatch: pytest.MonkeyPatch):
    """A buffer that recorded work reads gets its new words behind that work."""
    monkeypatch.setattr(stream_module, "STAGED_WORDS", 30)
    monkeypatch.setattr(stream_module, "STAGED_MOST", 8)
    kit = Kit(gpu())
    stream = Stream(kit)
    source, copies = kit.gpu.buffer(40), kit.gpu.buffer(400)
    sizes = [8, 8, 8, 40, 3, 8, 8, 8, 8, 40]
    for turn, size in enumerate(sizes):
        stream.upload(source, 0, np.full(size, turn + 1, np.uint32))
        stream.record((kit.copy(source, 0, copies, 40 * turn, 40),), (source, copies))
    _, (found,) = stream.read([Part(copies, 0, 400)])
    expected, now = [], np.zeros(40, np.uint32)
    for turn, size in enumerate(sizes):
        now[:size] = turn + 1
        expected += now.tolist()
    assert found.tolist() == expected


def test_an_upload_after_a_failed_check_has_no_effect():
    """Behind a fault even the words that come through the batch stay away."""
    kit = Kit(gpu())
    stream = Stream(kit)
    source, copy = kit.gpu.buffer(8), kit.gpu.buffer(8)
    kit.gpu.write(kit.fault, 0, np.array([1, 0, 0, 0], np.uint32))
    stream.record((kit.copy(source, 0, copy, 0, 8),), (source, copy))
    stream.upload(source, 0, np.arange(8, dtype=np.uint32))
    fault, (found,) = stream.read([Part(source, 0, 8)])
    assert fault[0] == 1
    assert not found.any()


@pytest.mark.parametrize("piece", [1, 3, 7, 64])
def test_long_parts_are_read_in_pieces(monkeypatch: pytest.MonkeyPatch, piece: int):
    monkeypatch.setattr(stream_module, "READ_WORDS", piece)
    kit = Kit(gpu())
    buffer = kit.gpu.buffer(50)
    kit.gpu.write(buffer, 0, np.arange(50, dtype=np.uint32))
    parts = [(0, 7), (7, 0), (3, 20), (49, 1), (10, 0)]
    fault, found = Stream(kit).read([Part(buffer, start, count) for start, count in parts])
    assert fault.tolist()[:3] == [0, 0xFFFFFFFF, 0]
    assert [words.tolist() for words in found] == [
        list(range(start, start + count)) for start, count in parts
    ]
