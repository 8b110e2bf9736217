"""The command language on this host: the console, lines, scripts, and the desktop's terminal."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np

from ..kernel.grants import Grants
from ..kernel.kernel import Kernel
from ..kernel.machine.meta import Meta
from ..kernel.placement import AUTO
from ..kernel.process import Exit, Process
from ..shell.pump import Pump
from ..shell.session import Session
from . import environment, gpu
from .clock import RealClock
from .displays import ScreenOptions, open_display, resolve
from .errors import FAILED, INTERRUPTED, BootError
from .events import Display
from .host import BootHost, decode_or_none
from .stage import Stage
from .standard import say, write_out
from .streams import InText, why
from .terminal_view import terminal_is_taken


class Screens:
    """Opens a window, or the terminal, for a program that a line starts; calling it lets the
    kernel run for a moment, and the screen with it."""

    def __init__(self, kernel: Kernel, options: ScreenOptions) -> None:
        self._kernel = kernel
        self._options = options
        self._pump = Pump(kernel)
        self._waiting: list[Process] = []
        self._stage: Stage | None = None
        self._display: Display | None = None
        self._process: Process | None = None

    def present(self, process: Process) -> None:
        """Show a process; if one is shown already, when that one has ended."""
        self._waiting.append(process)

    def __call__(self) -> None:
        """One turn."""
        if self._stage is None and self._waiting:
            self._open(self._waiting.pop(0))
        if self._stage is None or self._process is None:
            self._pump()
            return
        self._stage.step()
        if self._stage.over:
            process = self._process
            self.close()
            if not process.ended:
                self._kernel.kill(process.pid, "its screen was closed")

    def close(self) -> None:
        """Close the screen that is open."""
        if self._stage is not None:
            self._stage.finish()
        if self._display is not None:
            self._display.close()
        self._stage = self._display = self._process = None

    def _open(self, process: Process) -> None:
        if process.ended:
            return
        surface = process.surface
        try:
            where = resolve(self._options)
            if where == "terminal" and terminal_is_taken(sys.stdin.fileno()):
                raise BootError("the terminal is in use", "", "start it without & at its end")
            self._display, _ = open_display(
                where, self._options, surface.rows, surface.cols, process.title
            )
        except BootError as error:
            self._kernel.end(process, Exit("killed", FAILED, None, error.line))
            return
        self._process = process
        self._stage = Stage(self._kernel, process, self._display, Path.cwd())


def _open_session(
    seed: int | None, allow: Sequence[str], on: str
) -> tuple[Kernel, Session, Screens]:
    """A kernel and a session on standard input, output and error."""
    store = environment.app_store()
    places = gpu.backends()
    gpu.require(places, on)
    kernel = Kernel(
        store,
        clock=RealClock(),
        seed=environment.chance() if seed is None else seed,
        backends=places,
        on=on,
    )
    screens = Screens(kernel, ScreenOptions())
    terminal = sys.stdout.isatty()
    session = Session(
        kernel,
        store,
        BootHost(),
        cwd=Path.cwd(),
        out=_out,
        err=_err,
        out_bytes=None if terminal else _out_bytes,
        show=_show if terminal else None,
        present=screens.present,
        grants=_grants(allow),
        pump=screens,
        typed=lambda: InText(kernel.post),
        live=terminal,
        columns=lambda: os.get_terminal_size(sys.stdout.fileno()).columns if terminal else 80,
    )
    kernel.on_notice = lambda process, text: session.tell(f"{process.name} {text}")
    return kernel, session, screens


def _grants(allow: Sequence[str]) -> Callable[[Meta], Grants]:
    if not allow:
        return Grants.of
    from ..fs.sandbox import SandboxFolder

    def of(meta: Meta) -> Grants:
        files = bool({"files", "f"} & set(allow))
        folder = SandboxFolder(Path.cwd(), decode_or_none) if files else None
        return Grants.of(meta, allow, folder=folder)

    return of


class _OutputGone(Exception):  # noqa: N818 - never leaves this module
    """Nobody reads standard output any more."""


def _out(text: str) -> None:
    _out_bytes(text.encode("utf-8", "surrogateescape"))


def _out_bytes(data: bytes) -> None:
    if not write_out(data):
        raise _OutputGone


def _err(text: str) -> None:
    say(text, end="")


def _show(picture: np.ndarray, name: str) -> None:
    from .terminal_still import still

    size = os.get_terminal_size(sys.stdout.fileno())
    _out_bytes(still(picture, max(1, size.lines - 4), size.columns))
    _err(f"{name}\n")


def _run(seed: int | None, allow: Sequence[str], on: str, work: Callable[[Session], int]) -> int:
    kernel, session, screens = _open_session(seed, allow, on)
    try:
        return work(session)
    except KeyboardInterrupt:
        return INTERRUPTED
    except _OutputGone:
        return INTERRUPTED
    finally:
        session.close()
        screens.close()
        kernel.close()


def run_line(
    text: str, *, seed: int | None = None, allow: Sequence[str] = (), on: str = AUTO
) -> int:
    """``pxos -c LINE``: run it and wait for its jobs; returns the exit status."""

    def work(session: Session) -> int:
        status = session.run_line(text)
        session.finish()
        return status

    return _run(seed, allow, on, work)


def run_script(
    path: Path,
    arguments: Sequence[str],
    *,
    seed: int | None = None,
    allow: Sequence[str] = (),
    on: str = AUTO,
) -> int:
    """``pxos SCRIPT.pxsh``; raises BootError if it cannot be read."""
    try:
        text = path.read_text("utf-8")
    except UnicodeDecodeError as error:
        raise BootError("the script is no text in UTF-8", str(path)) from error
    except OSError as error:
        raise BootError(f"the script cannot be read, {why(error)}", str(path)) from error
    return _run(seed, allow, on, lambda session: session.run_script(text, str(path), arguments))


def _history() -> Path | None:
    """The console's history, its folder made; None, with a message, if that cannot be."""
    path = environment.history_file()
    if path is not None:
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            _err(f"pxos: history is not kept, {why(error)} ({path.parent})\n")
            return None
    return path


def run_console(*, seed: int | None = None, allow: Sequence[str] = (), on: str = AUTO) -> int:
    """``pxos shell``: the console, or the lines of standard input if that is no terminal."""
    if not environment.has_terminal():
        text = sys.stdin.read()
        return _run(seed, allow, on, lambda session: session.run_script(text, "standard input"))
    from ..shell.console import Console
    from .terminal_still import still

    def render(picture: np.ndarray, cols: int, rows: int) -> str:
        return still(picture, rows, cols).decode().rstrip("\n")

    def work(session: Session) -> int:
        return Console(
            session,
            render=render,
            history=_history(),
            colours="NO_COLOR" not in os.environ,
        ).run()

    return _run(seed, allow, on, work)
