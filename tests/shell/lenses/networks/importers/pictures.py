"""Running an imported network's picture on rows of numbers."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from pxos.kernel.machine.cpu.executor import CpuExecutor
from pxos.kernel.machine.ports import Message, Refused, Wait
from pxos.kernel.machine.program import Program, open_memory
from pxos.shell.lenses.networks import Mlp
from pxos.shell.lenses.networks.importers import Chain, chain_app
from pxos.shell.lenses.networks.validate import Desk

ANSWER, NUMBERS, RAW = range(3)


@dataclass(slots=True)
class Gallery(Desk):
    """A desk with pictures on its picture port, uint8 (rows, columns, 4) each."""

    shown: list[np.ndarray] = field(default_factory=list)

    def read(self, letter: str, selector: Message) -> Message | Wait | Refused:
        """Pictures one after another, then 0 x 0."""
        if letter == "p":
            picture = self.shown.pop(0) if self.shown else np.zeros((0, 0, 4), np.uint8)
            return Message("P", picture)
        return Desk.read(self, letter, selector)


def look(program: Program, pictures: list[np.ndarray], mode: int, low=0.0, high=1.0) -> Gallery:
    """What a picture of a network makes of pictures."""
    numbers = [
        Message(kind, np.array([[value]], np.int32))
        for kind, value in (("X", int(low * 65536)), ("X", int(high * 65536)), ("I", mode))
    ]
    gallery = Gallery(numbers, shown=list(pictures))
    stop = CpuExecutor(open_memory(program, 1 << 28), gallery).run(1 << 40)
    assert stop.reason == "H", stop
    return gallery


def outputs(network: Mlp | Chain, x: np.ndarray, **how: object) -> np.ndarray:
    """The outputs, float64 (n, outputs), of the network's picture for rows x."""
    program = chain_app(network, **how).assemble()  # type: ignore[arg-type]
    words = np.floor(x * 65536 + 0.5).astype(np.int32)
    pictures = [row[None, :].copy().view(np.uint8).reshape(1, -1, 4) for row in words]
    found = look(program, pictures, RAW).pictures
    assert len(found) == len(x)
    return np.vstack([np.ascontiguousarray(p).view(np.int32)[:, :, 0] for p in found]) / 65536
