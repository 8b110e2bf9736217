"""What every device is, and what devices share."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from ..machine.fault import InternalError
from ..machine.ports import Message, Refused, Wait

#: No bytes and no text: the end of a stream, a file that is not there.
NO_TEXT = Message("T", np.zeros((0, 0), np.uint8))
#: A picture without pixels: the end of a stream, no icon.
NO_PICTURE = Message("P", np.zeros((0, 0, 4), np.uint8))

Wake = Callable[[str], None]


class PortError(Exception):
    """Raised by a device to end the process that used it.

    ``kind`` and ``text`` go into its Exit; ``reason`` is the letter of the fault when ``kind``
    is "fault".
    """

    def __init__(self, kind: str, text: str, reason: str = "") -> None:
        super().__init__(text)
        self.kind = kind
        self.text = text
        self.reason = reason


class Device:
    """One port of one process.  A direction that is not overridden is refused.

    Messages that are written are copies the executor made: a device may keep them.  What a
    read answers is only looked at.
    """

    letter = ""

    def read(self, selector: Message) -> Message | Wait | Refused:
        """The next message."""
        return Refused(self.letter)

    def write(self, message: Message, selector: Message) -> Wait | Refused | None:
        """Take a message."""
        return Refused(self.letter)

    def ready(self) -> bool:
        """Whether a read would be served at once with something."""
        return True

    def close(self) -> None:
        """The process ended."""


def integers(selector: Message) -> list[int]:
    """The elements of a selector, row-major, floored to integers."""
    data = selector.data.ravel()
    if selector.kind == "X":
        data = data >> 16
    elif selector.kind not in "IT":
        raise InternalError(f"a selector of kind {selector.kind}: executors hand over I, X or T")
    numbers: list[int] = data.tolist()
    return numbers


def first(selector: Message, otherwise: int = 0) -> int:
    """The first integer of a selector, or ``otherwise`` if it is empty."""
    data = selector.data
    if not data.size:
        return otherwise
    number = int(data.flat[0])
    return number >> 16 if selector.kind == "X" else number


def row(*numbers: int) -> Message:
    """A message I 1 x n, each number modulo 2^32."""
    return Message("I", np.array([numbers], np.int64).astype(np.int32))


def text(data: bytes) -> Message:
    """A message T 1 x n."""
    return Message("T", np.frombuffer(data, np.uint8).reshape(1, -1))


def text_of(message: Message, what: str) -> bytes:
    """The bytes of a T message.  One row is taken as it is; of several each is a line, without
    the zeros that fill it, and ends in a newline.  Any other kind ends the process: fault K."""
    if message.kind != "T":
        raise PortError("fault", f"{what} takes text (T), not kind {message.kind}", "K")
    if len(message.data) == 1:
        return message.data.tobytes()
    return b"".join(line.tobytes().rstrip(b"\0") + b"\n" for line in message.data)


def picture_of(message: Message, what: str) -> np.ndarray:
    """The pixels of a P message, not copied.  Any other kind ends the process: fault K."""
    if message.kind != "P":
        raise PortError("fault", f"{what} takes a picture (P), not kind {message.kind}", "K")
    return message.data


def path_of(selector: Message, what: str) -> str:
    """The path in a T selector.  Anything else ends the process: fault K."""
    if selector.kind != "T":
        raise PortError("fault", f"{what} is named by text (T), not kind {selector.kind}", "K")
    return selector.data.tobytes().rstrip(b"\0").decode("utf-8", "surrogateescape")
