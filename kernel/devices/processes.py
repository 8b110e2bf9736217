"""Port x, processes: what a desktop starts, sees and stops.  docs/kernel.md lists the verbs."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Protocol

import numpy as np

from ..machine.ports import Message
from .base import NO_PICTURE, NO_TEXT, Device, PortError, integers, row, text, text_of


class Household(Protocol):
    """What port x asks of the kernel on behalf of one process: its own children only."""

    def app_names(self) -> Sequence[str]:
        """Names of the programs that can be started."""
        ...

    def app_title(self, number: int) -> str:
        """Title of a program."""
        ...

    def app_summary(self, number: int) -> str:
        """What a program does, in a line."""
        ...

    def app_needs(self, number: int) -> tuple[bool, bool, int]:
        """Whether a program asks for a screen, whether for port x, and how many arguments it
        must be given."""
        ...

    def app_icon(self, number: int) -> np.ndarray:
        """Icon, uint8 (32, 32, 4) or (0, 0, 4)."""
        ...

    def start(self, number: int, arguments: bytes) -> None:
        """Start a program as a child."""
        ...

    def table(self) -> np.ndarray:
        """The children, int32 (n, 8)."""
        ...

    def title(self, pid: int) -> str:
        """A child's title."""
        ...

    def picture(self, pid: int) -> np.ndarray:
        """What a child shows."""
        ...

    def card(self, pid: int) -> list[str]:
        """A child's error card."""
        ...

    def used(self, pid: int) -> tuple[int, int, int, int]:
        """Fuel, milliseconds, bytes, instructions of a child."""
        ...

    def kill(self, pid: int) -> None:
        """End a child."""
        ...

    def reap(self, pid: int) -> None:
        """Forget an ended child."""
        ...

    def send(self, pid: int, pointer: bool, events: np.ndarray) -> None:
        """Pass events on to a child."""
        ...

    def resize(self, pid: int, rows: int, cols: int) -> None:
        """Ask a child to draw another size."""
        ...

    def focus(self, pid: int) -> None:
        """This child has the user's attention."""
        ...


class Processes(Device):
    """The verbs of port x.

    A pid that is no child of this process (any more) is passed over: a child may end between
    one instruction and the next.
    """

    letter = "x"

    def __init__(self, household: Household, wake: Callable[[], None]) -> None:
        self._house = household
        self._wake = wake
        self._changed = False

    def changed(self) -> None:
        """A child ended or showed a new picture."""
        self._changed = True
        self._wake()

    def ready(self) -> bool:
        """Whether a child changed since the table was read."""
        return self._changed

    def read(self, selector: Message) -> Message:
        """Apps and children."""
        verb, numbers = _verb(selector)
        house = self._house
        if verb == "a":
            return row(len(house.app_names()))
        if verb == "p":
            self._changed = False
            return Message("I", house.table())
        number = numbers[0] if numbers else -1
        if verb in ("n", "t", "d", "i", "w"):
            return self._about(verb, number)
        if verb == "l":
            return text(house.title(number).encode("utf-8", "surrogateescape"))
        if verb == "s":
            return Message("P", house.picture(number))
        if verb == "e":
            return _lines(house.card(number))
        if verb == "m":
            return row(*(min(value, 0x7FFFFFFF) for value in house.used(number)))
        raise PortError("fault", f"port processes has no verb {verb!r} to read", "L")

    def _about(self, verb: str, number: int) -> Message:
        """What a program says of itself."""
        house = self._house
        names = house.app_names()
        if not 0 <= number < len(names):
            return {"i": NO_PICTURE, "w": row(0, 0, 0)}.get(verb, NO_TEXT)
        if verb == "i":
            return Message("P", house.app_icon(number))
        if verb == "w":
            return row(*map(int, house.app_needs(number)))
        if verb == "n":
            said = names[number]
        else:
            said = house.app_title(number) if verb == "t" else house.app_summary(number)
        return text(said.encode("utf-8", "surrogateescape"))

    def write(self, message: Message, selector: Message) -> None:
        """Start, stop, and pass events on."""
        verb, numbers = _verb(selector)
        house = self._house
        number = numbers[0] if numbers else -1
        if verb == "r":
            house.start(number, text_of(message, "the arguments") if message.data.size else b"")
        elif verb == "k":
            house.kill(number)
        elif verb == "x":
            house.reap(number)
        elif verb in ("K", "M"):
            data = message.data
            if message.kind != "I" or data.ndim != 2 or (data.size and data.shape[1] != 4):
                raise PortError("fault", "events are integers (I), n x 4", "K")
            house.send(number, verb == "M", data)
        elif verb == "z":
            if len(numbers) < 3:
                raise PortError("fault", "a size is ['z', pid, rows, columns]", "S")
            house.resize(number, numbers[1], numbers[2])
        elif verb == "f":
            house.focus(number)
        else:
            raise PortError("fault", f"port processes has no verb {verb!r} to write", "L")


def _verb(selector: Message) -> tuple[str, list[int]]:
    numbers = integers(selector)
    if not numbers:
        raise PortError("fault", "port processes needs a verb", "L")
    return (chr(numbers[0]) if 32 < numbers[0] < 127 else f"{numbers[0]}"), numbers[1:]


def _lines(lines: Sequence[str]) -> Message:
    """Lines as T lines x width, filled with blanks; 0x0 if there are none."""
    if not lines:
        return NO_TEXT
    coded = [line.encode("ascii", "replace") for line in lines]
    width = max(map(len, coded))
    joined = b"".join(line.ljust(width) for line in coded)
    return Message("T", np.frombuffer(joined, np.uint8).reshape(len(coded), width))
