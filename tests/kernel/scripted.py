"""Executors without a machine: what a program does is a Python generator.

A script yields instructions: ``("burn", fuel)``, ``("read", letter)`` (the generator is sent
the message), ``("write", letter, message)``, ``("wait", letters)`` (sent the letter),
``("fault", reason)`` and ``("halt", status)``.  Every one but burn costs 1.
"""

from __future__ import annotations

from collections.abc import Callable, Generator
from typing import Any

import numpy as np

from pxos.kernel.machine.fault import Stop
from pxos.kernel.machine.memory import Memory
from pxos.kernel.machine.ports import Message, Ports, Refused, Wait

Script = Generator[tuple[Any, ...], Any, None]
NO_SELECTOR = Message("I", np.zeros((1, 1), np.int32))


class Scripted:
    """Keeps to the contract of an executor: waiting and being short of fuel do nothing."""

    def __init__(
        self,
        memory: Memory,
        ports: Ports,
        script: Script,
        before: Callable[[tuple[Any, ...]], None] = lambda step: None,
    ) -> None:
        self.memory = memory
        self.ports = ports
        self.script = script
        self.step: tuple[Any, ...] | None = next(script, None)
        self.before = before

    def run(self, slice_fuel: int) -> Stop:
        memory = self.memory
        left = slice_fuel
        while True:
            pc = memory.get("pc")
            step = self.step
            if step is None:
                return Stop("J", pc)
            cost = step[1] if step[0] == "burn" else 1
            if cost > memory.get64("fuel"):
                return Stop("B", pc)
            if cost > left:
                return Stop("Y", pc, next_fuel=cost)
            self.before(step)
            answer: Any = None
            if step[0] == "read":
                answer = self.ports.read(step[1], step[2] if len(step) > 2 else NO_SELECTOR)
            elif step[0] == "write":
                answer = self.ports.write(step[1], step[2], NO_SELECTOR)
            elif step[0] == "wait":
                ready = [letter for letter in step[1] if self.ports.ready(letter) is True]
                if not ready:
                    return Stop("W", pc, port=step[1])
                answer = ready[0]
            elif step[0] == "fault":
                return Stop(step[1], pc)
            if isinstance(answer, Refused):
                return Stop("P", pc)
            if isinstance(answer, Wait):
                return Stop("W", pc, port=answer.letter)
            memory.set64("fuel", memory.get64("fuel") - cost)
            memory.set64("done", memory.get64("done") + 1)
            memory.set("pc", pc + 1)
            left -= cost
            if step[0] == "halt":
                return Stop("H", pc, status=step[1])
            try:
                self.step = self.script.send(answer)
            except StopIteration:
                self.step = None


def scripted(script: Callable[[], Script], **more: Any) -> Callable[[Memory, Ports], Scripted]:
    """An executor maker that ignores the program and follows a script."""
    return lambda memory, ports: Scripted(memory, ports, script(), **more)
