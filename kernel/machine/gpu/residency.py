"""Who holds the newest copy of a matrix: the host's words, a buffer on the GPU, or both.

Every matrix (every header row) may have one buffer for its data words.  Two flags say which copies
are current.  A buffer counts only up to its ``extent``: words beyond it have never been touched on
the GPU, so there the host's are the newest.  Headers are no part of this: they are the host's.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from functools import partial

import numpy as np

from ..memory import SYS_ROW, Memory
from .device import Buffer, Part
from .journal import Journal
from .kit import Kit
from .stream import Stream

#: A matrix of at most this many words is read back whole, and may be worked on by the host.
HOST_WORDS = 4096

#: Reads parts of buffers after all that is recorded.
Read = Callable[[Sequence[Part]], list[np.ndarray]]


class Resident:
    """One matrix: header ``row``, ``start`` of its data in memory, ``words`` of capacity.

    ``host_ok``, ``gpu_ok``: whether the host's words and the buffer's first ``extent`` words are
    current.  ``is_live``: the host changes it at any time (SYS, TABLE, STACK).
    """

    __slots__ = ("buffer", "extent", "gpu_ok", "host_ok", "is_live", "row", "start", "words")

    def __init__(self, row: int, start: int, words: int, is_live: bool) -> None:
        self.row = row
        self.start = start
        self.words = words
        self.is_live = is_live
        self.buffer: Buffer | None = None
        self.host_ok = True
        self.gpu_ok = False
        self.extent = 0


class Residency:
    """All matrices of a process that an instruction has named so far."""

    def __init__(
        self, memory: Memory, kit: Kit, stream: Stream, journal: Journal, read: Read
    ) -> None:
        self._memory = memory
        self._kit = kit
        self._stream = stream
        self._journal = journal
        self._read = read
        self._residents: dict[int, Resident] = {}
        self._left: set[int] = set()
        self._live = {SYS_ROW, memory.get("table_row"), memory.row_of(3)}

    def of(self, row: int, words: int = -1) -> Resident:
        """The matrix at ``row``; ``words``: its capacity, where its header is not written yet."""
        found = self._residents.get(row)
        if found is None:
            memory = self._memory
            if words < 0:
                words = memory.header_at(row).capacity_px
            found = Resident(row, memory.data_addr(row), words, row in self._live)
            self._residents[row] = found
            self._journal.back(partial(self._drop, row))
        return found

    def _drop(self, row: int) -> None:
        del self._residents[row]

    def buffer_of(self, row: int) -> Buffer:
        """The buffer of a matrix, made when it is first asked for.  Raises GpuOutOfMemory."""
        resident = self._residents[row]
        if resident.buffer is None:
            resident.buffer = self._kit.gpu.buffer(resident.words)
        return resident.buffer

    def close(self) -> None:
        """Free all buffers, as soon as what was submitted is done with them; nothing else after."""
        for resident in self._residents.values():
            if resident.buffer is not None:
                resident.buffer.handle.destroy()
        self._residents.clear()
        self._left.clear()

    # ---- what changed --------------------------------------------------------------------------

    def _set(self, resident: Resident, host_ok: bool, gpu_ok: bool, extent: int) -> None:
        if self._journal.on:
            self._journal.back(
                partial(_restore, resident, resident.host_ok, resident.gpu_ok, resident.extent)
            )
        resident.host_ok, resident.gpu_ok, resident.extent = host_ok, gpu_ok, extent

    def written_by_host(self, resident: Resident) -> None:
        """The host has changed words of a matrix that it holds."""
        if resident.gpu_ok:
            self._set(resident, True, False, 0)

    def written_by_gpu(self, resident: Resident, extent: int) -> None:
        """Words of a matrix below ``extent`` are about to change on the GPU."""
        if resident.gpu_ok:
            extent = max(extent, resident.extent)
        if resident.host_ok or not resident.gpu_ok or extent != resident.extent:
            self._set(resident, False, True, extent)

    def leave(self, row: int) -> None:
        """A matrix has moved away from ``row``: its words stay, but no instruction reaches them."""
        self._left.add(row)
        self._journal.back(partial(self._left.discard, row))

    def take_left(self) -> set[int]:
        """Rows that were left and whose words the host has, with their buffers forgotten."""
        gone = {row for row in self._left if self.of(row).host_ok}
        if not gone:
            return gone
        self._left -= gone
        buffers = {self._residents.pop(row).buffer for row in gone}
        self._stream.forget({buffer for buffer in buffers if buffer is not None})
        return gone

    # ---- towards the GPU -------------------------------------------------------------------------

    def upload(self, resident: Resident, need: int) -> None:
        """Make the first ``need`` words of a matrix current on the GPU; it has a buffer."""
        if resident.gpu_ok and not resident.is_live:
            first = resident.extent
        else:
            first = 0
        if first >= need:
            return
        assert resident.buffer is not None
        words = self._memory.words[resident.start + first : resident.start + need]
        self._stream.upload(resident.buffer, first, words)
        self._set(resident, resident.host_ok, True, need)

    # ---- towards the host ------------------------------------------------------------------------

    def fetch(self, residents: Iterable[Resident]) -> None:
        """Make the host's words of whole matrices current, in one round trip.

        Raises what reading back raises.
        """
        wanted = [resident for resident in residents if not resident.host_ok]
        if not wanted:
            return
        found = self._read([_part(resident, 0, resident.extent) for resident in wanted])
        for resident, words in zip(wanted, found, strict=True):
            self._memory.words[resident.start : resident.start + words.size] = words
            resident.host_ok = True

    def fetch_all(self) -> None:
        """The same for every matrix."""
        self.fetch(self._residents.values())

    def fetch_words(self, resident: Resident, first: int, count: int) -> None:
        """Make the host's copy of some words right; of a small matrix, or where that is all, the
        whole matrix is fetched."""
        if resident.host_ok or not count:
            return
        extent = resident.extent
        if resident.words <= HOST_WORDS or (first == 0 and count >= extent):
            self.fetch((resident,))
            return
        last = min(first + count, extent)
        if first < last:
            (words,) = self._read([_part(resident, first, last - first)])
            start = resident.start + first
            self._memory.words[start : start + words.size] = words

    def overwrite(self, resident: Resident, first: int, count: int) -> None:
        """The host is about to write all of some words: make the others current on the host."""
        if resident.host_ok:
            return
        around = ((0, first), (first + count, resident.extent))
        parts = [_part(resident, start, end - start) for start, end in around if start < end]
        at = resident.start
        for part, words in zip(parts, self._read(parts), strict=True):
            self._memory.words[at + part.start : at + part.start + part.words] = words
        resident.host_ok = True


def _part(resident: Resident, first: int, count: int) -> Part:
    assert resident.buffer is not None
    return Part(resident.buffer, first, count)


def _restore(resident: Resident, host_ok: bool, gpu_ok: bool, extent: int) -> None:
    """Flags as they were; uploads since then may have reached the buffer of what the host holds."""
    resident.host_ok = host_ok
    resident.gpu_ok = gpu_ok and not host_ok
    resident.extent = extent
