"""The board: the devices of one process, by letter, as its executor sees them."""

from __future__ import annotations

from collections.abc import Callable

from ..machine.fault import InternalError
from ..machine.ports import Message, Refused, Wait
from ..pipes import SourceError
from .base import Device, PortError

Answer = Message | Wait | Refused | None
Relay = Callable[[str, Callable[[], Answer]], Answer]


class Board:
    """Implements ``ports.Ports`` for one process.

    A device that wants the process ended raises; the executor is told to wait, and the kernel
    finds why in ``ending``.  ``asked`` holds the letters that had no answer since the last
    one that had: what a waiting process waits for.

    Devices belong to the kernel's thread.  While the process is on a worker, ``relay`` has them
    asked there: it takes the letter and the question, and gives the answer.
    """

    __slots__ = ("asked", "devices", "ending", "relay")

    def __init__(self) -> None:
        self.relay: Relay | None = None
        self.devices: dict[str, Device] = {}
        self.asked: set[str] = set()
        self.ending: PortError | None = None

    def read(self, letter: str, selector: Message) -> Message | Wait | Refused:
        """Take the next message of a port."""
        if self.relay is not None:
            answer = self.relay(letter, lambda: self._read(letter, selector))
            assert answer is not None
            return answer
        return self._read(letter, selector)

    def _read(self, letter: str, selector: Message) -> Message | Wait | Refused:
        device = self.devices.get(letter)
        if device is None:
            return Refused(letter)
        try:
            answer = device.read(selector)
        except (PortError, SourceError) as error:
            return self._end(letter, error)
        if isinstance(answer, Wait):
            self.asked.add(letter)
        elif self.asked:
            self.asked.clear()
        return answer

    def write(self, letter: str, message: Message, selector: Message) -> Wait | Refused | None:
        """Hand a message to a port."""
        if self.relay is not None:
            answer = self.relay(letter, lambda: self._write(letter, message, selector))
            assert not isinstance(answer, Message)
            return answer
        return self._write(letter, message, selector)

    def _write(self, letter: str, message: Message, selector: Message) -> Wait | Refused | None:
        device = self.devices.get(letter)
        if device is None:
            return Refused(letter)
        try:
            answer = device.write(message, selector)
        except (PortError, SourceError) as error:
            return self._end(letter, error)
        if isinstance(answer, Wait):
            self.asked.add(letter)
        elif self.asked:
            self.asked.clear()
        return answer

    def ready(self, letter: str) -> bool | Refused:
        """Whether a read of the port would be served at once with something."""
        device = self.devices.get(letter)
        if device is None:
            return Refused(letter)
        if device.ready():
            self.asked.clear()
            return True
        self.asked.add(letter)
        return False

    def close(self) -> None:
        """The process ended: close every device."""
        for device in self.devices.values():
            device.close()
        self.devices.clear()

    def _end(self, letter: str, error: PortError | SourceError) -> Wait:
        if self.ending is not None:
            raise InternalError("a process that is to end went on")
        self.ending = error if isinstance(error, PortError) else PortError("killed", str(error))
        return Wait(letter)
