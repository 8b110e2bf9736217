"""Ports whose answers follow from a seed and the number of the call alone."""

from __future__ import annotations

import random

import numpy as np

from pxos.kernel.machine.ports import PORTS, Message, Refused, Wait

from .values import raw_cells


class ScriptedPorts:
    """Answers by the script that a seed gives; ``log`` holds all that was asked and written.

    Some ports are refused for the whole run, others make the program wait now and then.
    """

    def __init__(self, seed: int, refuse: float = 0.1, wait: float = 0.2) -> None:
        chooser = random.Random(seed)
        self.granted = {letter for letter in PORTS if chooser.random() >= refuse}
        self.seed = seed
        self.wait = wait
        self.calls = 0
        self.log: list[tuple[object, ...]] = []

    def _next(self) -> random.Random:
        self.calls += 1
        return random.Random(self.seed * 1_000_003 + self.calls)

    def read(self, letter: str, selector: Message) -> Message | Wait | Refused:
        """A random message of a random kind and size."""
        self.log.append(("read", letter, *plain(selector)))
        chooser = self._next()
        if letter not in self.granted or not PORTS[letter].reads:
            return Refused(letter)
        if "in" in PORTS[letter].blocks and chooser.random() < self.wait:
            return Wait(letter)
        kind = chooser.choice("IXTP")
        rows, cols = chooser.choice([(0, 0), (1, 1), (1, 4), (3, 2), (2, 8), (0, 4)])
        cells = raw_cells(chooser, kind, rows * cols)
        if kind == "P":
            data = np.array(cells, np.int64).astype(np.uint32).view(np.uint8)
            return Message("P", data.reshape(rows, cols, 4))
        kind_of = np.uint8 if kind == "T" else np.int32
        return Message(kind, np.array(cells, np.int64).astype(kind_of).reshape(rows, cols))

    def write(self, letter: str, message: Message, selector: Message) -> Wait | Refused | None:
        """Take what is written, or not yet."""
        self.log.append(("write", letter, *plain(message), *plain(selector)))
        chooser = self._next()
        if letter not in self.granted or not PORTS[letter].writes:
            return Refused(letter)
        if "out" in PORTS[letter].blocks and chooser.random() < self.wait:
            return Wait(letter)
        return None

    def ready(self, letter: str) -> bool | Refused:
        """Whether there is something, by the number of calls that changed anything."""
        if letter not in self.granted:
            return Refused(letter)
        return random.Random(self.seed * 31 + ord(letter) + 7 * self.calls).random() < 0.7

    def woken(self) -> None:
        """Time passes: what was waited for may have come."""
        self.calls += 1


def plain(message: Message) -> tuple[object, ...]:
    """A message as plain values that compare and print."""
    data = np.ascontiguousarray(message.data)
    return message.kind, str(data.dtype), data.shape, data.tobytes()
