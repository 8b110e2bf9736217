"""Port l, the command language: what a terminal talks to."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from ..machine.ports import Message
from .base import NO_TEXT, Device, PortError, first, row, text, text_of


class LineService(Protocol):
    """One conversation with the command language; the shell implements it.

    Everything happens on the kernel's thread.  All text is UTF-8.
    """

    def run(self, line: bytes) -> None:
        """Start a line.  One that comes while another runs is input of the running one."""
        ...

    def interrupt(self) -> None:
        """Stop the running line, as ^C does; nothing if none runs."""
        ...

    def output(self) -> bytes:
        """Take the next piece of output; empty if there is none now."""
        ...

    def running(self) -> bool:
        """Whether a line is running."""
        ...

    def status(self) -> int:
        """Exit status of the last line that ended, 0 before the first."""
        ...

    def prompt(self) -> bytes:
        """What stands before the cursor."""
        ...

    def complete(self, prefix: bytes) -> bytes:
        """What could follow: the whole line with its last word completed as far as it is
        certain; a second line, if any, shows the choices."""
        ...

    def close(self) -> None:
        """The terminal has gone: stop what runs."""
        ...


#: Opens a conversation; the argument is to be called when there is output, or a line ended.
LineFactory = Callable[[Callable[[], None]], LineService]


class Line(Device):
    """Reads T the next output (verb 0), the state I 1x2 ('?'), the prompt ('p'), the completion
    ('c'); writes a line to run (0), an interrupt ('!'), a text to complete ('c')."""

    letter = "l"

    def __init__(self, factory: LineFactory, wake: Callable[[], None]) -> None:
        self._service = factory(wake)
        self._completion = b""
        self._pending = b""
        self._was_running = False

    def read(self, selector: Message) -> Message:
        """Output or state."""
        verb = _verb(selector)
        service = self._service
        if verb == "\0":
            piece = self._pending or service.output()
            self._pending = b""
            if not piece:
                self._was_running = service.running()
            return text(piece) if piece else NO_TEXT
        if verb == "?":
            self._was_running = service.running()
            return row(int(self._was_running), service.status())
        if verb == "p":
            return text(service.prompt())
        if verb == "c":
            return text(self._completion)
        raise PortError("fault", f"port line has no verb {verb!r} to read", "L")

    def write(self, message: Message, selector: Message) -> None:
        """Run a line, interrupt it, or ask for a completion."""
        verb = _verb(selector)
        if verb == "\0":
            self._was_running = True
            self._service.run(text_of(message, "a command line"))
        elif verb == "!":
            self._service.interrupt()
        elif verb == "c":
            self._completion = self._service.complete(text_of(message, "a completion"))
        else:
            raise PortError("fault", f"port line has no verb {verb!r} to write", "L")

    def ready(self) -> bool:
        """Whether there is output, or a line has ended since the program last looked."""
        if not self._pending:
            self._pending = self._service.output()
        return bool(self._pending) or (self._was_running and not self._service.running())

    def close(self) -> None:
        """End the conversation."""
        self._service.close()


def _verb(selector: Message) -> str:
    """The verb as a character; "" if it is none (a number outside ASCII)."""
    number = first(selector)
    return chr(number) if 0 <= number < 128 else ""
