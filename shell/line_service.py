"""The command language for programs: what a terminal drawn by an app talks to.

Each conversation is a session of its own, on the running kernel: its programs run beside the
terminal, and the loop that runs the kernel runs them too.  Nothing here blocks.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable

from ..kernel.pipes import Pipe, PipeWriter, TextSource
from .complete import common, complete
from .running import Running
from .session import Session

#: Bytes of output kept for a terminal that does not take them; older ones are dropped.
MOST_OUTPUT = 1 << 20
#: Bytes of one piece of output.
PIECE = 4096
#: What a terminal sends to end what is typed into a program, as ^D does.
END_OF_INPUT = b"\x04"


MakeSession = Callable[[Callable[[str], None], Callable[[], TextSource]], Session]


class LineServices:
    """Opens conversations and polls them all; calling it is the kernel's ``line_service``."""

    def __init__(self, make: MakeSession) -> None:
        """``make`` makes a session for each conversation: it is given the function that takes
        output and the one that opens what the user types."""
        self._make = make
        self._open: list[LineService] = []

    def __call__(self, wake: Callable[[], None]) -> LineService:
        """Open a conversation; ``wake`` is called when there is output or a line has ended."""
        service = LineService(self._make, wake)
        self._open.append(service)
        return service

    def poll(self) -> None:
        """Let all conversations go on; to be called at every frame."""
        self._open = [service for service in self._open if not service.closed]
        for service in self._open:
            service.poll()


class LineService:
    """One conversation; implements the kernel's protocol of that name.

    ``make`` makes the session: it is given where output goes and what opens the typed text.
    ``wake`` is called when there is output or a line has ended.
    """

    def __init__(self, make: MakeSession, wake: Callable[[], None]) -> None:
        self._wake = wake
        self._pieces: deque[bytes] = deque()
        self._waiting = 0
        self._typed: PipeWriter[bytes] | None = None
        self._running: Running | None = None
        self._closed = False
        self._session = make(self._take, self._open_typed)
        self._session.when_changed = self.poll

    # ---- lines ------------------------------------------------------------------------------

    def run(self, line: bytes) -> None:
        """Start a line.  One that comes while another runs is typed into the running one."""
        if self._running is not None:
            self._type(line)
            return
        text = line.decode("utf-8", "replace").rstrip("\r\n")
        if text.strip():
            self._session.history.append(text)
        self._running = self._session.start_line(text)
        self.poll()
        if self._running is None:
            self._wake()

    def interrupt(self) -> None:
        """Stop the running line."""
        if self._running is not None:
            self._running.interrupt()
            self._take("^C\n")
            self._ended()

    def poll(self) -> None:
        """Let the running line and the jobs do what they can do now.

        Called by itself whenever a program ends or a file is read or written; the owner of the
        kernel's loop calls it now and then too, for what waits for time (``top``).
        """
        if self._closed:
            return
        if self._running is None:
            self._session.poll_jobs()
        elif self._running.poll():
            self._ended()

    @property
    def closed(self) -> bool:
        """Whether the terminal has gone."""
        return self._closed

    def running(self) -> bool:
        """Whether a line is running."""
        return self._running is not None

    def status(self) -> int:
        """Exit status of the last line, 0 before the first."""
        return self._session.status

    def close(self) -> None:
        """Stop everything."""
        self._closed = True
        if self._running is not None:
            self._running.interrupt()
            self._running = None
        self._session.close()
        self._pieces.clear()

    def _ended(self) -> None:
        self._running = None
        self._typed = None
        self._session.tell_jobs()
        if self._session.leaving is not None:
            self._session.leaving = None
            self._take("close the window to end this terminal\n")
        self._wake()

    # ---- text -------------------------------------------------------------------------------

    def _take(self, text: str) -> None:
        data = text.encode("utf-8", "replace")
        self._pieces.extend(data[at : at + PIECE] for at in range(0, len(data), PIECE))
        self._waiting += len(data)
        while self._waiting > MOST_OUTPUT:
            self._waiting -= len(self._pieces.popleft())
        self._wake()

    def output(self) -> bytes:
        """The next piece of output; empty if there is none now."""
        if not self._pieces:
            return b""
        piece = self._pieces.popleft()
        self._waiting -= len(piece)
        return piece

    def _open_typed(self) -> TextSource:
        """What is typed from now on goes to whoever reads this."""
        pipe: Pipe[bytes] = Pipe("text")
        self._typed = pipe.writer
        return pipe.reader

    def _type(self, line: bytes) -> None:
        """Text for the running program; lost if it reads none or is too far behind."""
        if self._typed is None or self._typed.closed:
            return
        if line.strip() == END_OF_INPUT:
            self._typed.close()
        else:
            self._typed.write(line.rstrip(b"\r\n") + b"\n")

    # ---- prompt and completion -----------------------------------------------------------------

    def prompt(self) -> bytes:
        """What stands before the cursor."""
        return self._session.prompt().encode("utf-8", "replace")

    def complete(self, prefix: bytes) -> bytes:
        """The line completed as far as it is certain; then the choices, if there are several."""
        text = prefix.decode("utf-8", "replace")
        choices = complete(self._session, text)
        if not choices:
            return prefix
        start = choices[0].start
        if len(choices) == 1:
            only = choices[0]
            return (text[:start] + only.text + (" " if only.final else "")).encode()
        longest = common(choices)
        line = text[:start] + (longest if len(longest) > len(text) - start else text[start:])
        return "\n".join([line, "  ".join(choice.shown for choice in choices)]).encode()
