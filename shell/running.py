"""Lines, chains and pipelines while they run: nothing here waits.

``poll`` does what can be done now and says whether all is over; in between, whoever owns the
kernel lets it run.  ``interrupt`` (^C) ends everything at once.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from ..kernel.pipes import Given, Pipe, Sink, Source, Wake
from ..kernel.process import Process
from .calls import Call
from .expand import CommandError
from .plan import PICTURE, TEXT, AppStage, BuiltinStage, Files, Plan
from .readers import FileSource, picture_files, text_files
from .syntax import Chain, Line, Pipeline
from .tasks import BuiltinTask, CopyTask, LastPicture, Task
from .traits import UNSEEN, answers, is_lively, is_still
from .writers import FileSink, picture_target, text_target

if TYPE_CHECKING:
    from .session import Session

#: Exit status after ^C.
INTERRUPTED = 130
Report = Callable[[CommandError], None]


class PipelineRun:
    """The processes, tasks and files of one pipeline.  ``status`` is None until it is over."""

    def __init__(self, session: Session, plan: Plan, report: Report) -> None:
        """Start everything.  Raises :class:`CommandError`; then nothing is left running."""
        self._session = session
        self._report = report
        self._plan = plan
        self._members: list[Process | Task] = []
        self._loose: list[Source[Any]] = []
        self._sources: list[FileSource[Any]] = []
        self._target: FileSink[Any] | None = None
        self._decided = False
        self._aside: _Aside | None = None
        self.processes: list[Process] = []
        self.status: int | None = None
        try:
            self._start()
        except CommandError as error:
            self._end(error.status)
            raise

    # ---- starting -------------------------------------------------------------------------

    def _start(self) -> None:
        plan, session = self._plan, self._session
        self._check_screens()
        if plan.target is not None:
            self._target = self._open_target()
        pictures: Sink[Any] = self._target or session.shown
        text: Sink[Any] = self._target or session.printed
        coming: Source[Any] | None = self._file_source(plan.source) if plan.source else None
        if not plan.stages and coming is not None:
            self._members.append(CopyTask(coming, pictures if plan.kinds[0] == PICTURE else text))
        for index, stage in enumerate(plan.stages):
            into, out = plan.kinds[index], plan.kinds[index + 1]
            last = index == len(plan.stages) - 1
            pipe: Pipe[Any] | None = None if last else self._pipe(out)
            sink = None if pipe is None else pipe.writer
            picture_sink = (
                pictures if last and out in (PICTURE, "both") else sink if out == PICTURE else None
            )
            text_sink = text if last and out in (TEXT, "both") else sink if out == TEXT else None
            if isinstance(stage, BuiltinStage):
                call = Call(
                    session,
                    stage.builtin,
                    stage.words,
                    coming,
                    pipe is not None or plan.target is not None,
                )
                if text_sink is session.printed and stage.builtin.commands:
                    text_sink = session.commanded
                self._members.append(BuiltinTask(call, text_sink or session.printed))
            else:
                if last and plan.target is not None and text_sink is None:
                    text_sink = self._aside = _Aside(session.printed)
                self._spawn(stage, into, coming, picture_sink, text_sink, index == 0)
            coming = None if pipe is None else pipe.reader

    def _pipe(self, kind: str) -> Pipe[Any]:
        """A pipe between two stages.  Tasks do not attach to it, so that it tells the session
        what changes; processes put their own wake in place of that."""
        pipe: Pipe[Any] = Pipe(kind)
        pipe.reader.attach(self._session.notify)
        pipe.writer.attach(self._session.notify)
        self._loose.append(pipe.reader)
        return pipe

    def _check_screens(self) -> None:
        if self._session.present is not None:
            return
        for stage, into in zip(self._plan.stages, self._plan.kinds, strict=False):
            if (
                isinstance(stage, AppStage)
                and is_lively(stage.program.meta)
                and not _is_fed(stage, into)
            ):
                raise CommandError(
                    f"{stage.name} shows a screen, and there is none here: start it in `pxos boot`",
                    status=1,
                )

    def _open_target(self) -> FileSink[Any]:
        target, notify = self._plan.target, self._session.notify
        assert target is not None
        if self._plan.kinds[-1] == PICTURE:
            return picture_target(target.path, target.name, self._session.host, notify)
        return text_target(target.path, target.name, target.append, notify)

    def _file_source(self, files: Files) -> FileSource[Any]:
        source: FileSource[Any]
        if files.kind == PICTURE:
            source = picture_files(
                files.paths, files.names, self._session.host, self._session.notify
            )
        else:
            source = text_files(files.paths, files.names, self._session.notify)
        self._sources.append(source)
        return source

    def _spawn(
        self,
        stage: AppStage,
        into: str,
        coming: Source[Any] | None,
        pictures: Sink[Any] | None,
        text: Sink[Any] | None,
        first: bool,
    ) -> None:
        session, meta = self._session, stage.program.meta
        still, fed = is_still(meta), _is_fed(stage, into)
        inputs = [coming] if into == PICTURE and coming is not None else []
        inputs += [self._file_source(files) for files in stage.files]
        typed = session.typed() if first and not into and session.typed is not None else None
        process = session.spawn(
            stage,
            inputs,
            None if still else pictures,
            coming if into == TEXT else typed,
            text or session.printed,
            UNSEEN if fed else None,
        )
        self.processes.append(process)
        self._members.append(process)
        if still:
            if pictures is not None:
                self._members.append(LastPicture(process, pictures))
        elif is_lively(meta) and not fed and session.present is not None:
            session.present(process)

    # ---- running --------------------------------------------------------------------------

    def poll(self) -> bool:
        """Do what can be done now; whether the pipeline is over."""
        if self.status is not None:
            return True
        files: list[FileSource[Any] | FileSink[Any]] = [*self._sources]
        if self._target is not None:
            files.append(self._target)
        for file in files:
            file.pump()
            if file.problem is not None:
                self._fail(file.problem)
                return True
        for member in self._members:
            if not isinstance(member, Process):
                try:
                    member.poll()
                except CommandError as error:
                    self._report(error)
        statuses = [self._status_of(member) for member in self._members]
        if None in statuses:
            return False
        if self._target is not None and not self._settled(not any(statuses)):
            return False
        if self.status is None:
            self._end(next((status for status in reversed(statuses) if status), 0))
        return True

    def _settled(self, well: bool) -> bool:
        """Whether the file is written, or left alone; fails the pipeline if it could not be."""
        target, plan = self._target, self._plan
        assert target is not None
        assert plan.target is not None
        if not self._decided:
            self._decided = True
            target.close()
            target.decide(well)
        if not well:
            return True
        if not target.done:
            return False
        if target.problem is not None:
            self._fail(target.problem)
        elif not target.count and plan.kinds[-1] == PICTURE:
            name = plan.target.name
            instead = f"; its text as a picture: | text > {name}" if self._told_instead() else ""
            self._fail(f"no picture came: {name} is not written{instead}")
        return True

    def _told_instead(self) -> bool:
        """Whether the program that was to give a picture gave text, which passes by the file."""
        return self._aside is not None and self._aside.any

    @staticmethod
    def _status_of(member: Process | Task) -> int | None:
        if isinstance(member, Process):
            return None if member.exit is None else member.exit.status
        return member.status

    def _fail(self, problem: str) -> None:
        self._report(CommandError(problem, status=1))
        self._end(1)

    def interrupt(self) -> None:
        """End everything now."""
        if self.status is None:
            self._end(INTERRUPTED)

    def _end(self, status: int) -> None:
        """Note the status, tell of faults, end what still runs, and free it."""
        self.status = status
        kernel = self._session.kernel
        for process in self.processes:
            if process.exit is not None and process.exit.kind == "fault":
                self._report(CommandError(process.card[0], status=1, more=process.card[1:]))
            elif process.exit is not None and process.exit.kind == "killed":
                self._report(CommandError(f"{process.name}: {process.exit.text}", status=1))
        for member in self._members:
            if not isinstance(member, Process):
                member.stop(status)
        for process in self.processes:
            if process.pid in kernel.processes:
                kernel.kill(process.pid, "stopped")
                kernel.reap(process.pid)
        for source in (*self._sources, *self._loose):
            source.close()
        if self._target is not None and not self._decided:
            self._decided = True
            self._target.decide(False)


class _Aside:
    """A sink for text that goes past a file of pictures; notices whether ``any`` came."""

    def __init__(self, sink: Sink[bytes]) -> None:
        self._sink = sink
        self.any = False

    def write(self, message: bytes) -> Given:
        """Hand it on."""
        self.any = True
        return self._sink.write(message)

    def attach(self, wake: Wake) -> None:
        """Call ``wake`` when there is room again."""
        self._sink.attach(wake)

    def close(self) -> None:
        """The program writes no more."""
        self._sink.close()


def _is_fed(stage: AppStage, into: str) -> bool:
    """Whether a stage has the pictures that it asks for and needs no screen to answer."""
    meta = stage.program.meta
    return answers(meta) and (not meta.inputs or into == PICTURE or bool(stage.files))


class ChainRun:
    """Pipelines joined by ``&&`` and ``||``.  ``status`` is None until all are over."""

    def __init__(self, session: Session, chain: Chain, report: Report) -> None:
        self._session = session
        self._report = report
        self._left: list[tuple[str, Pipeline]] = list(
            zip(("", *chain.operators), chain.pipelines, strict=True)
        )
        self._current: PipelineRun | None = None
        self._last = 0
        self.status: int | None = None

    @property
    def processes(self) -> list[Process]:
        """The processes that run now."""
        return [] if self._current is None else self._current.processes

    def poll(self) -> bool:
        """Do what can be done now; whether the chain is over."""
        while self.status is None:
            if self._current is None:
                if not self._left or self._session.leaving is not None:
                    self.status = self._last
                    break
                operator, pipeline = self._left.pop(0)
                if not operator or (operator == "&&") == (self._last == 0):
                    self._begin(pipeline)
            elif self._current.poll():
                self._last = self._current.status or 0
                self._session.status = self._last
                self._current = None
            else:
                return False
        return True

    def _begin(self, pipeline: Pipeline) -> None:
        session = self._session

        def report(error: CommandError) -> None:
            if error.near is None:
                error.near = pipeline.start
            self._report(error)

        try:
            plan = session.planner.plan(pipeline, session.scope())
            self._current = PipelineRun(session, plan, report)
        except CommandError as error:
            report(error)
            self._last = session.status = error.status

    def interrupt(self) -> None:
        """End everything now."""
        if self._current is not None:
            self._current.interrupt()
            self._current = None
        if self.status is None:
            self.status = INTERRUPTED


class Running:
    """A line, or a whole script, while it runs.

    ``strict``: the first item that fails ends it, as in scripts.
    """

    def __init__(self, session: Session, line: Line, report: Report, *, strict: bool) -> None:
        self._session = session
        self._items = list(line.items)
        self._report = report
        self._strict = strict
        self._current: ChainRun | None = None
        self.status: int | None = None

    def poll(self) -> bool:
        """Do what can be done now; whether the line is over."""
        session = self._session
        session.poll_jobs()
        while self.status is None:
            if self._current is not None:
                if not self._current.poll():
                    return False
                session.status = self._current.status or 0
                self._current = None
                if self._strict and session.status:
                    self._items.clear()
            if session.leaving is not None:
                self.status = session.status = session.leaving
            elif not self._items:
                self.status = session.status
            else:
                item = self._items.pop(0)
                run = ChainRun(session, item.chain, self._report)
                if item.background:
                    session.add_job(item, run)
                    session.status = 0
                else:
                    self._current = run
        return True

    def interrupt(self) -> None:
        """^C: end the foreground pipeline and the rest of the line; jobs run on."""
        if self.status is None:
            if self._current is not None:
                self._current.interrupt()
            self._items.clear()
            self.status = self._session.status = INTERRUPTED
