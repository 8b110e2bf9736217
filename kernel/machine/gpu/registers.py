"""The registers, and the host's look at elements that may be on the GPU."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress

import numpy as np

from ..memory import Memory
from ..plan_types import Strided
from ..ports import Ports
from ..registers import State
from .fill import words_of
from .journal import Journal
from .kit import TooLarge
from .residency import HOST_WORDS, Residency

#: Counts the elements of a rectangle that are not zero, on the GPU.
Count = Callable[[Strided], int]


class GpuState(State):
    """``State`` whose reads of elements bring them to the host first, and whose writes are noted.

    ``attach`` must be called before it is asked for anything.
    """

    def __init__(self, memory: Memory, ports: Ports, journal: Journal) -> None:
        super().__init__(memory, ports)
        self._journal = journal
        self._residency: Residency
        self._count: Count

    def attach(self, residency: Residency, count: Count) -> None:
        """Say where elements are, and how large rectangles are counted."""
        self._residency = residency
        self._count = count

    def write_stack(self, index: int, word: int) -> None:
        """Set a word of STACK so that it can be taken back."""
        self._journal.words(self.stack_addr + index, 1)
        super().write_stack(index, word)

    def elements(self, rectangle: Strided, words: type[np.generic] = np.int32) -> np.ndarray:
        """The newest elements of a rectangle, read back if they are on the GPU alone.

        Raises Rewound if it turns out that an earlier instruction faulted.
        """
        if rectangle.row >= 0:
            resident = self._residency.of(rectangle.row)
            if not resident.host_ok:
                first, last = words_of(rectangle, self.memory.width)
                self._residency.fetch_words(resident, first, last - first)
        return super().elements(rectangle, words)

    def nonzero(self, rectangle: Strided) -> int:
        """How many elements are not zero: of many on the GPU, only their number is read back."""
        if rectangle.count > 1 and not self._residency.of(rectangle.row).host_ok:
            first, last = words_of(rectangle, self.memory.width)
            if last - first > HOST_WORDS:
                # What the device cannot bind is read back after all.
                with suppress(TooLarge):
                    return self._count(rectangle)
        return super().nonzero(rectangle)
