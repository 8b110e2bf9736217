"""Port r, random numbers: the stream of the process's seed, whose place is in SYS."""

from __future__ import annotations

import numpy as np

from ..machine.memory import Memory
from ..machine.ports import Message
from ..random import words
from .base import Device, PortError, integers


class Random(Device):
    """Reads I s[0] x s[1] words; a missing number is 1, and the selector 0 alone asks for one
    word.

    SYS holds the seed and, modulo 2^32, how many words were taken: a checkpoint goes on with
    the same stream.
    """

    letter = "r"

    def __init__(self, memory: Memory) -> None:
        self._memory = memory

    def read(self, selector: Message) -> Message:
        """The next words of the stream."""
        asked = integers(selector)
        rows, cols = (1, 1) if asked == [0] else [*asked, 1, 1][:2]
        if rows < 0 or cols < 0:
            raise PortError("fault", f"random numbers were asked for as {rows} x {cols}", "S")
        memory = self._memory
        count = rows * cols
        if count > memory.words.size:
            raise PortError("fault", f"{rows} x {cols} random numbers exceed the quota", "M")
        taken = memory.get("random")
        stream = words(memory.get64("seed"), taken, count)
        memory.set("random", taken + count)
        return Message("I", stream.view(np.int32).reshape(rows, cols))
