"""Port t, text in and out."""

from __future__ import annotations

from collections.abc import Callable

from ..machine.ports import Message, Wait
from ..pipes import Flow, Given, TextSink, TextSource
from .base import NO_TEXT, Device, PortError, first, text, text_of

#: The selector of a note, which goes to the user and not into the pipe.
NOTE = 1
#: How many notes of a program are passed on, and how much of each, so that none floods its user.
MOST_NOTES, MOST_NOTE_BYTES = 16, 400


class Text(Device):
    """Reads the next piece of the input, T 1 x n, 0x0 at its end; writes T.

    Without a source the input is at its end; without a sink what is written is dropped.  What is
    written with the selector ``NOTE`` goes to ``note`` instead, for the user: MOST_NOTES at most.
    """

    letter = "t"

    def __init__(
        self,
        source: TextSource | None,
        sink: TextSink | None,
        wake: Callable[[], None],
        note: Callable[[str], None] = lambda line: None,
    ) -> None:
        self._source = source
        self._sink = sink
        self._note = note
        self._notes = 0
        self._end_told = False
        if source is not None:
            source.attach(wake)
        if sink is not None:
            sink.attach(wake)

    def read(self, selector: Message) -> Message | Wait:
        """The next piece that is not empty."""
        while self._source is not None:
            piece = self._source.read()
            if piece is Flow.PENDING:
                return Wait("t")
            if piece is Flow.END:
                break
            if piece:
                return text(piece)
        self._end_told = True
        return NO_TEXT

    def write(self, message: Message, selector: Message) -> Wait | None:
        """Hand text on."""
        data = text_of(message, "text output")
        if first(selector) == NOTE:
            self._notes += 1
            if self._notes <= MOST_NOTES:
                line = " ".join(data[:MOST_NOTE_BYTES].decode("utf-8", "replace").split())
                self._note("".join(c if c.isprintable() else "\ufffd" for c in line))
            return None
        if self._sink is None or not data:
            return None
        given = self._sink.write(data)
        if given is Given.CLOSED:
            raise PortError("closed pipe", "nobody reads its text any more")
        return Wait("t") if given is Given.FULL else None

    def ready(self) -> bool:
        """Whether there is text, or the end that was not read yet."""
        if self._source is None:
            return not self._end_told
        return not self._end_told and self._source.ready()

    def close(self) -> None:
        """Close both ends."""
        if self._source is not None:
            self._source.close()
        if self._sink is not None:
            self._sink.close()
