"""A session of the command language: what a console, a script and a terminal share.

:meth:`Session.start_line` gives a :class:`~.running.Running` to be polled, for whoever has a
loop of its own; :meth:`Session.run_line` runs a line to its end.
"""

from __future__ import annotations

import codecs
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..kernel.apps import AppStore
from ..kernel.grants import Grants
from ..kernel.kernel import Kernel, SpawnError
from ..kernel.machine.meta import Meta
from ..kernel.pipes import TextSource
from ..kernel.process import Process
from .apps import Apps
from .builtins import BUILTINS
from .expand import CommandError, Scope
from .harmless import HARMLESS
from .host import Host, Picture, Present, Show
from .interrupts import Interrupts
from .plan import AppStage, Planner
from .pump import Pump
from .running import INTERRUPTED, ChainRun, Running
from .syntax import Item, SyntaxProblem, line_and_column, parse, point_at, unparse
from .tasks import CallSink

#: Takes text to be shown: output, or messages.
Write = Callable[[str], None]


@dataclass(slots=True)
class Job:
    """A chain in the background.  ``told``: its end was shown."""

    number: int
    text: str
    run: ChainRun
    told: bool = False

    @property
    def state(self) -> str:
        """What it is doing, in a word or two."""
        status = self.run.status
        if status is None:
            return "running"
        return "done" if status == 0 else f"failed ({status})"


class Session:
    """The state that lines share: folder, variables, jobs, history, last status.

    ``out`` takes output and ``err`` everything else (None: the same).  ``out_bytes``, if given,
    takes the output of commands in place of ``out``, byte for byte.  ``show`` shows a
    picture that a line gave as its result, ``present`` opens a program that draws on a screen;
    None where there is none.  ``grants`` says what a program may reach (None: the harmless
    ports it asks for).  ``pump`` lets the kernel run for a moment (None: :class:`Pump`).
    ``typed`` opens what the user types, for a program that reads text and has no pipe.
    ``live``: ``out`` is a terminal that understands ANSI sequences; control characters in what
    programs and files give are then shown, not sent.  ``columns`` tells how wide
    it is.
    """

    def __init__(
        self,
        kernel: Kernel,
        store: AppStore,
        host: Host,
        *,
        cwd: Path,
        out: Write,
        out_bytes: Callable[[bytes], None] | None = None,
        err: Write | None = None,
        show: Show | None = None,
        present: Present | None = None,
        grants: Callable[[Meta], Grants] | None = None,
        pump: Callable[[], None] | None = None,
        typed: Callable[[], TextSource] | None = None,
        live: bool = False,
        columns: Callable[[], int] = lambda: 80,
    ) -> None:
        self.kernel = kernel
        self.host = host
        self.cwd = cwd
        self.out = out
        self.out_bytes = out_bytes
        self.err = out if err is None else err
        self.show = show
        self.present = present
        self.typed = typed
        self.live = live
        self.columns = columns
        self.apps = Apps(store)
        self.planner = Planner(self.apps, BUILTINS, host)
        self.variables: dict[str, str] = {}
        self.jobs: dict[int, Job] = {}
        self.history: list[str] = []
        self.status = 0
        self.leaving: int | None = None
        self.warned_of_jobs = False
        #: Called on the kernel's thread when something happened that a line may wait for; for
        #: whoever does not poll all the time.
        self.when_changed: Callable[[], None] = _nothing
        #: Where output of programs and builtins goes, of those that command the terminal, and
        #: pictures.
        self.printed = CallSink(self._print)
        self.commanded = CallSink(self._command)
        self.shown = CallSink(self._show)
        self._grants = Grants.of if grants is None else grants
        self.pump = Pump(kernel) if pump is None else pump
        self._decoder = codecs.getincrementaldecoder("utf-8")("replace")

    # ---- lines ------------------------------------------------------------------------------

    def start_line(self, text: str, *, name: str = "", strict: bool = False) -> Running | None:
        """Begin to run a text of one or more lines; None if it is not one (this is told, and
        ``status`` is 2).  ``name`` is the script's, for messages."""

        def report(error: CommandError) -> None:
            self._report(error, text, name)

        try:
            line = parse(text)
        except SyntaxProblem as problem:
            report(CommandError(str(problem), start=problem.start, end=problem.end))
            self.status = 2
            return None
        return Running(self, line, report, strict=strict)

    def run_line(self, text: str, *, name: str = "", strict: bool = False) -> int:
        """Run a text to its end and return its exit status.

        0: done.  1: a program faulted or work failed.  2: a command was wrong.  130: stopped,
        also by ^C, which raises nothing here.  Else what the last program ended with.
        """
        with Interrupts() as interrupts:
            running = self.start_line(text, name=name, strict=strict)
            try:
                while running is not None and not running.poll():
                    self.pump()
                    if interrupts.count:
                        running.interrupt()
                        if self.live:
                            self.out("\n")
            finally:
                if running is not None:  # ``out`` raised: leave nothing half done behind
                    running.interrupt()
        return self.status

    def run_script(self, text: str, name: str, arguments: Sequence[str] = ()) -> int:
        """Run a script: as :meth:`run_line`, but the first item that fails ends it, and at the
        end its jobs are waited for.  ``arguments`` are ``$1`` and on, ``name`` is ``$0``."""
        self.variables["0"] = name
        self.variables.update((str(n), word) for n, word in enumerate(arguments[:9], 1))
        self.run_line(text, name=name, strict=True)
        return self.finish()

    def finish(self) -> int:
        """Wait until all jobs have ended; ^C, and an interrupted line before, ends them.  Returns
        the exit status of all."""
        with Interrupts() as interrupts:
            while self.status != INTERRUPTED and not self.poll_jobs():
                self.pump()
                if interrupts.count:
                    self.status = INTERRUPTED
        self.close()
        return self.status

    def close(self) -> None:
        """End all jobs."""
        for job in self.jobs.values():
            job.run.interrupt()

    # ---- what lines use ---------------------------------------------------------------------

    def scope(self) -> Scope:
        """What words are expanded against now."""
        return Scope(self.cwd, self.host.home, {**self.variables, "?": str(self.status)})

    def spawn(
        self,
        stage: AppStage,
        inputs: Sequence[Any],
        output: Any,
        text_in: Any,
        text_out: Any,
        surface: tuple[int, int] | None = None,
    ) -> Process:
        """Start a stage's program; raises :class:`CommandError`."""
        try:
            process = self.kernel.spawn(
                stage.program,
                stage.name,
                args=stage.args,
                inputs=inputs,
                output=output,
                grants=self._grants(stage.program.meta),
                text_in=text_in,
                text_out=text_out,
                surface=surface,
            )
        except SpawnError as error:
            raise CommandError(str(error), status=1) from error
        process.when_ended(lambda _: self.notify())
        return process

    def notify(self) -> None:
        """Something changed, on whatever thread: whoever waits for the kernel wakes up, and
        ``when_changed`` is called in the kernel's next turn."""
        self.kernel.post(self.when_changed)

    def tell(self, text: str) -> None:
        """Print a message, in lines of its own."""
        shown = text.rstrip("\n").translate(HARMLESS)
        self.err(shown.encode("utf-8", "replace").decode() + "\n")

    def _print(self, data: bytes) -> None:
        if self.out_bytes is not None:
            self.out_bytes(data)
            return
        text = self._decoder.decode(data)
        if text:
            self.out(text.translate(HARMLESS) if self.live else text)

    def _command(self, data: bytes) -> None:
        self.out(data.decode("utf-8", "replace"))

    def _show(self, picture: Picture) -> None:
        rows, cols = picture.shape[:2]
        if self.show is None:
            self.tell(
                f"a picture of {cols} x {rows} pixels: end the line with > FILE.png to keep it"
            )
        else:
            self.show(picture, f"{cols} x {rows}")

    def _report(self, error: CommandError, text: str, name: str) -> None:
        lines = []
        prefix = ""
        if name:
            at = error.near if error.start is None else error.start
            number, _ = line_and_column(text, at or 0)
            prefix = f"{name}:{number}: " if at is not None else f"{name}: "
        if error.start is not None and error.end is not None:
            lines += point_at(text, error.start, error.end)
        self.tell("\n".join([*lines, prefix + error.text, *error.more]))

    # ---- jobs -------------------------------------------------------------------------------

    def add_job(self, item: Item, run: ChainRun) -> None:
        """Put a chain into the background."""
        number = max(self.jobs, default=0) + 1
        self.jobs[number] = Job(number, unparse(Item(item.chain, False)), run)
        run.poll()
        pids = " ".join(str(process.pid) for process in run.processes)
        self.tell(f"[{number}] {pids}".rstrip())

    def poll_jobs(self) -> bool:
        """Let jobs do what they can do now; whether all have ended."""
        ended = [job.run.poll() for job in list(self.jobs.values())]
        return all(ended)

    def tell_jobs(self) -> None:
        """Tell of jobs that have ended since the last time, and forget them."""
        self.poll_jobs()
        for number, job in list(self.jobs.items()):
            if job.run.status is not None:
                self.tell(f"[{number}] {job.state}  {job.text}")
                del self.jobs[number]

    @property
    def has_live_jobs(self) -> bool:
        """Whether a job is running."""
        return any(job.run.status is None for job in self.jobs.values())

    def prompt(self) -> str:
        """What stands before the cursor: the folder, ``~`` for home."""
        home = self.host.home
        if home is not None and self.cwd.is_relative_to(home):
            shown = "/".join(("~", *self.cwd.relative_to(home).parts))
        else:
            shown = str(self.cwd)
        return f"{shown}> ".encode("utf-8", "replace").decode()


def _nothing() -> None:
    """What is posted only to wake the kernel's thread."""
