"""The commands of the shell itself: processes and jobs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..kernel.process import Process
from .calls import Builtin, Call, Steps, line, table

if TYPE_CHECKING:
    from .session import Job


def size_text(count: int) -> str:
    """Bytes, short: 812, 4.1K, 37M, 1.2G."""
    value = float(count)
    for unit in ("", "K", "M", "G"):
        if value < 999.5 or unit == "G":
            return f"{value:.0f}{unit}" if not unit or value >= 9.95 else f"{value:.1f}{unit}"
        value /= 1024
    raise AssertionError("every size has a unit")


def time_text(seconds: float) -> str:
    """Seconds, short: 0.42s, 12.3s, 3:07, 2:03:07."""
    if seconds < 60:
        return f"{seconds:.2f}s" if seconds < 10 else f"{seconds:.1f}s"
    minutes, rest = divmod(int(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"


def _processes(call: Call) -> list[Process]:
    return [process for _, process in sorted(call.session.kernel.processes.items())]


def _ps(call: Call) -> Steps:
    call.at_most(0)
    rows = [("PID", "NAME", "STATE", "ON", "TIME", "FUEL", "MEMORY")]
    for process in _processes(call):
        used = process.accounting
        rows.append(
            (
                str(process.pid),
                process.name,
                process.state.value,
                process.where,
                time_text(used.seconds),
                size_text(used.fuel),
                size_text(used.memory_bytes),
            )
        )
    yield line("\n".join(table(rows, frozenset({0, 4, 5, 6}))))
    return 0


def _top(call: Call) -> Steps:
    """A table every so many seconds: without end on a terminal, else once."""
    call.at_most(1)
    try:
        pause = float(call.words[0]) if call.words else 1.0
    except ValueError:
        pause = 0.0
    if not 0.1 <= pause <= 3600:
        raise call.wrong(f"the seconds between two tables are 0.1 to 3600, not {call.words[0]}")
    clock = call.session.kernel.clock
    endless = call.session.live and not call.piped
    before, since = _used(call), clock.seconds()
    while True:
        while (passed := clock.seconds() - since) < pause:
            yield None
        now = _used(call)
        lines = _top_table(call, before, now, passed)
        if endless:
            yield b"\x1b[H\x1b[2J"
        yield line("\n".join(lines))
        if not endless:
            return 0
        before, since = now, clock.seconds()


def _used(call: Call) -> dict[int, tuple[float, int]]:
    """Seconds and instructions by pid."""
    return {
        process.pid: (process.accounting.seconds, process.accounting.instructions)
        for process in _processes(call)
    }


def _top_table(
    call: Call,
    before: dict[int, tuple[float, int]],
    now: dict[int, tuple[float, int]],
    passed: float,
) -> list[str]:
    rows = []
    for process in _processes(call):
        seconds, count = now[process.pid]
        old_seconds, old_count = before.get(process.pid, (0.0, 0))
        rows.append(
            (
                seconds - old_seconds,
                (
                    str(process.pid),
                    process.name,
                    process.state.value,
                    f"{100 * (seconds - old_seconds) / passed:.0f}%",
                    size_text(int((count - old_count) / passed)),
                    time_text(seconds),
                    size_text(process.accounting.memory_bytes),
                ),
            )
        )
    rows.sort(key=lambda row: -row[0])
    head = ("PID", "NAME", "STATE", "CPU", "INSTR/S", "TIME", "MEMORY")
    live = sum(not process.ended for process in _processes(call))
    total = size_text(sum(p.accounting.memory_bytes for p in _processes(call)))
    summary = f"{live} processes, {total} of memory"
    return [summary, *table([head, *(row for _, row in rows)], frozenset({0, 3, 4, 5, 6}))]


def _kill(call: Call) -> Steps:
    if not call.words:
        raise call.wrong("no process and no job")
    kernel = call.session.kernel
    for word in call.words:
        if word.startswith("%"):
            _job(call, word).run.interrupt()
        elif not word.isdecimal():
            raise call.wrong(f"{word!r} is no process number; %{word} would be a job")
        elif int(word) not in kernel.processes:
            raise call.failed(f"there is no process {word}: `ps` lists them")
        else:
            kernel.kill(int(word))
    return 0
    yield


def _jobs(call: Call) -> Steps:
    call.at_most(0)
    session = call.session
    session.poll_jobs()
    rows = [
        (
            f"[{job.number}]",
            job.state,
            " ".join(str(p.pid) for p in job.run.processes if not p.ended),
            job.text,
        )
        for job in session.jobs.values()
    ]
    if rows:
        yield line("\n".join(table(rows)))
    for number in [n for n, job in session.jobs.items() if job.run.status is not None]:
        del session.jobs[number]
    return 0


def _job(call: Call, word: str) -> Job:
    jobs = call.session.jobs
    text = word.removeprefix("%")
    if not text.isdecimal():
        raise call.wrong(f"{word!r} is no job number")
    if int(text) not in jobs:
        raise call.failed(f"there is no job {text}: `jobs` lists them")
    return jobs[int(text)]


def _fg(call: Call) -> Steps:
    call.at_most(1)
    session = call.session
    if call.words:
        job = _job(call, call.words[0])
    elif session.jobs:
        job = session.jobs[max(session.jobs)]
    else:
        raise call.failed("there is no job")
    session.tell(job.text)
    try:
        while not job.run.poll():
            yield None
    finally:  # ^C closes this generator: the job is the foreground then, and ends
        job.run.interrupt()
        session.jobs.pop(job.number, None)
    return job.run.status or 0


def _wait(call: Call) -> Steps:
    """Wait for some jobs, or for all; ^C ends the waiting, not the jobs."""
    session = call.session
    jobs = [_job(call, word) for word in call.words] or list(session.jobs.values())
    status = 0
    for job in jobs:
        while not job.run.poll():
            yield None
        session.jobs.pop(job.number, None)
        status = job.run.status or status
    return status


JOB_BUILTINS = (
    Builtin("fg", "[JOB]", "brings a job to the foreground", _fg, takes="jobs"),
    Builtin("jobs", "", "lists the jobs", _jobs),
    Builtin("kill", "PID|%JOB...", "ends processes or jobs", _kill, takes="pids"),
    Builtin("ps", "", "lists the processes", _ps),
    Builtin("top", "[SECONDS]", "shows what the processes use, live", _top, commands=True),
    Builtin("wait", "[JOB...]", "waits until jobs have ended", _wait, takes="jobs"),
)
