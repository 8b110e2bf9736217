"""The stream of dispatches of one executor: recording, uploads among them, submitting, reading.

Dispatches run in the order in which they are recorded.  They are submitted in batches; the GPU
works on one while the host records the next.  Reading back submits what is recorded and waits.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np

from .device import Buffer, Call, GpuOutOfMemory, Part
from .fuse import join
from .kit import Dispatch, Kit

#: Dispatches of a batch: enough to be worth a submit, few enough that the GPU need not wait.
BATCH = 64
#: Words of all uploads that a batch can hold, and of the largest that goes through it.
STAGED_WORDS, STAGED_MOST = 1 << 16, 1 << 12
#: Copies out of staging that are remembered.
MAX_COPIES = 1 << 10
#: Words of one read-back: it needs a second buffer of that size.
READ_WORDS = 1 << 24


class Stream:
    """The dispatches of one executor, in order.  ``kit`` owns the fault words."""

    def __init__(self, kit: Kit) -> None:
        self._kit = kit
        self._batch: list[Dispatch] = []
        self._in_use: set[Buffer] = set()
        self._staging: Buffer | None = None
        self._staged = np.zeros(min(STAGED_WORDS, kit.gpu.binding_words), np.uint32)
        self._used = 0
        self._copies: dict[tuple[int, Buffer, int, int], Dispatch] = {}
        #: Dispatches submitted or recorded since the last read-back.
        self.unread = 0

    def record(self, dispatches: Sequence[Dispatch], buffers: Iterable[Buffer]) -> None:
        """Append dispatches; ``buffers``: those of matrices that they use."""
        self._batch += dispatches
        self._in_use.update(buffers)
        self.unread += len(dispatches)

    def make_room(self) -> None:
        """Submit the batch if it is long; between two instructions, as scratch does not last."""
        if len(self._batch) >= BATCH:
            self.submit()

    def upload(self, buffer: Buffer, start: int, words: np.ndarray) -> None:
        """Write words to a buffer, after all that is recorded; between two instructions."""
        if buffer in self._in_use:
            if words.size <= min(STAGED_MOST, self._staged.size):
                self._upload_staged(buffer, start, words)
                return
            self.submit()
        self._kit.gpu.write(buffer, start, words)

    def _upload_staged(self, buffer: Buffer, start: int, words: np.ndarray) -> None:
        """Upload in the middle of a batch: by a copy from the batch's own words."""
        if self._staging is None:
            self._staging = self._kit.gpu.buffer(self._staged.size)
        if self._used + words.size > self._staged.size:
            self.submit()
        at, self._used = self._used, self._used + words.size
        self._staged[at : self._used] = words
        key = (at, buffer, start, words.size)
        copy = self._copies.get(key)
        if copy is None:
            if len(self._copies) >= MAX_COPIES:
                self._copies.clear()
            copy = self._kit.copy(self._staging, at, buffer, start, words.size)
            self._copies[key] = copy
        self.record((copy,), (buffer,))

    def submit(self) -> None:
        """Hand what is recorded to the GPU; does not wait."""
        with self._kit.gpu.lock:
            self._kit.gpu.submit(self._take())

    def _take(self) -> list[Call]:
        """The batch, ready to be submitted at once; another begins."""
        calls: list[Call] = []
        if self._batch:
            try:
                joined = join(self._batch, self._kit)
            except GpuOutOfMemory:  # there is no room for new kernels: each does its own work
                joined = self._batch
            calls = [dispatch.call for dispatch in joined]
            self._kit.shared.send()
            if self._staging is not None and self._used:
                self._kit.gpu.write(self._staging, 0, self._staged[: self._used])
            self._batch = []
        self._in_use.clear()
        self._used = 0
        return calls

    def read(self, parts: Sequence[Part]) -> tuple[np.ndarray, list[np.ndarray]]:
        """The fault words and the words of some parts, after all that is recorded.

        No other executor gets between: scratch that the last dispatches filled can be read.
        """
        gpu = self._kit.gpu
        with gpu.lock:
            first, rest = _cut(parts)
            fault, *found = gpu.read([Part(self._kit.fault, 0, 4), *first], self._take())
            self.unread = 0
            for group in rest:
                found += gpu.read(group)
        return fault, _joined(parts, found)

    def wait(self) -> None:
        """Wait until all that is recorded is done."""
        with self._kit.gpu.lock:
            calls = self._take()
            if self.unread:
                self._kit.gpu.wait(calls)
                self.unread = 0

    def close(self) -> None:
        """Let go of all that is remembered; nothing is recorded any more."""
        self._batch.clear()
        self._in_use.clear()
        self._copies.clear()
        self._staging = None

    def forget(self, buffers: set[Buffer]) -> None:
        """Drop what is remembered of buffers that are to be freed."""
        self._copies = {key: copy for key, copy in self._copies.items() if key[1] not in buffers}


def _cut(parts: Sequence[Part]) -> tuple[list[Part], list[list[Part]]]:
    """Parts in groups of at most READ_WORDS words, long ones in pieces: the first, the others."""
    groups: list[list[Part]] = [[]]
    room = READ_WORDS
    for buffer, start, count in parts:
        done = 0
        while True:
            piece = min(count - done, room)
            groups[-1].append(Part(buffer, start + done, piece))
            done, room = done + piece, room - piece
            if done == count:
                break
            groups.append([])
            room = READ_WORDS
    return groups[0], groups[1:]


def _joined(parts: Sequence[Part], pieces: list[np.ndarray]) -> list[np.ndarray]:
    """Pieces as ``_cut`` made them, put together to whole parts."""
    if len(pieces) == len(parts):
        return pieces
    found, at = [], 0
    for part in parts:
        group: list[np.ndarray] = []
        while not group or sum(piece.size for piece in group) < part.words:
            group.append(pieces[at])
            at += 1
        found.append(np.concatenate(group))
    return found
