"""What the host did while it did not yet know whether an earlier instruction faulted on the GPU."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from ..memory import Memory

#: Words that the journal may keep; then the fault words are read, which empties it.
MAX_WORDS = 1 << 20
#: Entries that it may have.
MAX_ENTRIES = 1 << 14

#: Old words of memory from an address on, or what takes a change back.
_Entry = tuple[int, np.ndarray] | Callable[[], None]


class Journal:
    """Old words and ways back, in order; kept only while ``on``.

    Whoever changes memory on the host calls :meth:`words` before, whoever changes anything else
    that must be taken back calls :meth:`back`.
    """

    def __init__(self, memory: Memory) -> None:
        self._memory = memory
        self._entries: list[_Entry] = []
        self._kept = 0
        #: Whether anything is unresolved: else nothing needs to be kept.
        self.on = False

    def words(self, start: int, count: int) -> None:
        """Words ``start``..``start + count - 1`` of memory are about to change."""
        if self.on:
            self._entries.append((start, self._memory.words[start : start + count].copy()))
            self._kept += count

    def back(self, undo: Callable[[], None]) -> None:
        """``undo`` takes back a change that is about to be made."""
        if self.on:
            self._entries.append(undo)

    @property
    def position(self) -> int:
        """Where the journal stands, for :meth:`undo`."""
        return len(self._entries)

    @property
    def full(self) -> bool:
        """Whether it has become too long."""
        return self._kept > MAX_WORDS or len(self._entries) > MAX_ENTRIES

    def undo(self, position: int) -> None:
        """Take back everything since ``position``, the last change first."""
        words = self._memory.words
        while len(self._entries) > position:
            entry = self._entries.pop()
            if callable(entry):
                entry()
            else:
                start, old = entry
                words[start : start + old.size] = old

    def clear(self) -> None:
        """All of it is final: forget it and keep nothing more."""
        self._entries.clear()
        self._kept = 0
        self.on = False
