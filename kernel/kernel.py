"""The kernel: starts programs, runs them in turn, wakes them, ends them.

Everything here happens on one thread, the kernel's: the one that calls it.  Other threads
may only ``post``.  The kernel knows no window, no files and no wall clock; what it needs is
handed to it.
"""

from __future__ import annotations

import heapq
from collections.abc import Callable, Sequence
from functools import partial
from queue import Empty, SimpleQueue
from typing import NamedTuple

from .apps import AppStore, Catalogue
from .arguments import ArgValue
from .clock import Clock, VirtualClock
from .cost import CostModel
from .devices.events import EventQueue
from .devices.frame import Frames
from .devices.line import LineFactory
from .devices.screen import DEFAULT_SIZE, FRAME_RATE, Surface, bounded_size
from .grants import Grants
from .machine import program as program_file
from .machine.fault import InternalError
from .machine.memory import Memory
from .machine.meta import Meta
from .machine.program import DEFAULT_QUOTA_BYTES, Program
from .pipes import PictureSink, PictureSource, TextSink, TextSource
from .placed import Placed
from .placement import AUTO, GPU, PLACES, Backends, Executor, MakeExecutor, NoGpuError
from .process import FAILED_STATUS, KILLED_STATUS, Exit, Process, State
from .random import derived_seed
from .runner import Runner
from .scheduler import Schedule, Scheduler
from .wiring import connect

#: Fuel that never runs out.
UNLIMITED_FUEL = (1 << 63) - 1
#: Worker threads of a kernel on a real clock.
DEFAULT_WORKERS = 4


class SpawnError(ValueError):
    """A program cannot be started; the message says why and what to do."""


class Limits(NamedTuple):
    """What all processes together may have: how many (ended ones not yet reaped included), and
    bytes of memory in use."""

    processes: int = 256
    memory_bytes: int = 16 << 30


class Kernel:
    """The processes, and the time and events that reach them.

    ``backends``: where processes can run (None: on the CPU).  ``on``: where those run that nobody
    placed: "cpu", "gpu" or "auto".  ``make_executor``: runs all processes on executors of the
    caller's instead, which are not placed.  ``line_service``: opens a conversation with the command
    language for each process that is granted port l; may be set later.  ``workers``: threads
    for long instructions; 0 runs everything on the kernel's thread; None: 0 on a VirtualClock,
    so that runs repeat exactly, else DEFAULT_WORKERS.

    ``on_notice`` may be set: it is told what happens to a process that its user should know.
    """

    def __init__(
        self,
        store: AppStore,
        *,
        clock: Clock,
        seed: int = 0,
        scheduler: Schedule | None = None,
        backends: Backends | None = None,
        on: str = AUTO,
        make_executor: MakeExecutor | None = None,
        line_service: LineFactory | None = None,
        workers: int | None = None,
        limits: Limits | None = None,
    ) -> None:
        self.catalogue = Catalogue(store)
        self.clock = clock
        self.seed = seed
        self.scheduler: Schedule = Scheduler() if scheduler is None else scheduler
        self.line_service = line_service
        self.limits = Limits() if limits is None else limits
        self.processes: dict[int, Process] = {}
        self.start_ms = clock.monotonic_ms()
        self.frames = Frames(self.start_ms)
        self.memory_bytes = 0
        self.backends = Backends() if backends is None else backends
        self.on = checked_place(on)
        self.on_notice: Callable[[Process, str], None] | None = None
        self._make_executor = make_executor
        self._costs = CostModel(None if isinstance(clock, VirtualClock) else clock)
        if workers is None:
            workers = 0 if isinstance(clock, VirtualClock) else DEFAULT_WORKERS
        self._runner = Runner(self, workers)
        self._inbox: SimpleQueue[Callable[[], None]] = SimpleQueue()
        self._last_pid = 0
        self._frame_waiters: list[tuple[int, int]] = []

    # ---- starting ------------------------------------------------------------------------

    def spawn(
        self,
        program: Program,
        name: str,
        *,
        args: Sequence[ArgValue] = (),
        grants: Grants,
        inputs: Sequence[PictureSource] = (),
        output: PictureSink | None = None,
        text_in: TextSource | None = None,
        text_out: TextSink | None = None,
        quota_bytes: int = DEFAULT_QUOTA_BYTES,
        fuel: int | None = None,
        priority: int = 0,
        surface: tuple[int, int] | None = None,
        parent: int | None = None,
        seed: int | None = None,
        on: str | None = None,
        make_executor: MakeExecutor | None = None,
    ) -> Process:
        """Start a program; it runs in the next ``run``.

        ``args`` come from ``arguments.parse_args``.  ``output`` or ``text_out`` None: what is
        written is dropped.  ``fuel`` None: what the picture says, which is no limit unless it
        is a checkpoint.  ``priority``: each step up is a quarter more of the time.  ``surface``:
        rows, columns of its screen (None: what it prefers).  ``parent``: quotas and fuel come
        out of the parent's, and it ends with it.  ``seed`` None: derived from the kernel's seed,
        or kept if the picture is a checkpoint.  ``on``: where it runs, "cpu", "gpu" or "auto"
        (None: as the kernel was told).  ``make_executor``: what it runs on instead, for ever.

        Sources and sinks are the process's from now on: it closes them when it ends.  Raises
        SpawnError, ValueError for a priority there is not, and whatever ``make_executor`` raises;
        nothing was started then.
        """
        mother = None if parent is None else self.process(parent)
        quota = quota_bytes
        if mother is not None:
            self._check_children(mother)
            if mother.memory is not None:
                quota = min(quota, mother.memory.quota_rows * mother.memory.width * 4)
        if len(self.processes) >= self.limits.processes:
            raise SpawnError(f"{len(self.processes)} processes are the most there may be: end some")
        if program.image.nbytes > quota:
            raise SpawnError(
                f"{name} has {program.image.nbytes} bytes, above its memory quota of {quota}: "
                "give it more with --memory"
            )
        if self.memory_bytes + program.image.nbytes > self.limits.memory_bytes:
            raise SpawnError(f"there is no memory left for {name}: end another program")
        if fuel is not None and not 0 <= fuel <= UNLIMITED_FUEL:
            raise SpawnError(f"fuel is 0 to {UNLIMITED_FUEL}, not {fuel}")
        try:
            memory = program_file.open_memory(program, quota)
        except MemoryError:
            raise SpawnError(f"the host has no {quota} bytes for {name}: lower --memory") from None

        process = self._new_process(name, program, grants, mother, surface, priority)
        if seed is not None or memory.get64("done") == 0:
            memory.set64("seed", derived_seed(self.seed, process.pid) if seed is None else seed)
            memory.set("random", 0)
        if fuel is not None:
            memory.set64("fuel", fuel)
        try:
            connect(self, process, memory, args, inputs, output, text_in, text_out)
            executor = self._executor(
                memory, process, program, on, make_executor or self._make_executor
            )
        except BaseException:
            del self.processes[process.pid]
            if mother is not None:
                del mother.children[process.pid]
            raise
        process.attach_memory(memory, executor)
        if mother is not None:
            limited = mother.fuel_left < UNLIMITED_FUEL // 2
            process.fuel_payers = mother.fuel_payers + ((mother,) if limited else ())
        self.memory_bytes += process.accounting.memory_bytes
        self.scheduler.add(process)
        return process

    def _executor(
        self,
        memory: Memory,
        process: Process,
        program: Program,
        on: str | None,
        make: MakeExecutor | None,
    ) -> Executor:
        """What a process runs on."""
        if make is not None:
            return make(memory, process.board)
        place = self.on if on is None else checked_place(on)
        self._check_place(place)
        return Placed(memory, process.board, self.backends, self._costs, place, program.image)

    def _check_place(self, on: str) -> None:
        """Open the GPU if it is asked for by name; raises SpawnError if there is none."""
        if on == GPU:
            try:
                self.backends.gpu(asked=True)
            except NoGpuError as error:
                raise SpawnError(str(error)) from error

    def stillborn(self, name: str, text: str, parent: Process) -> Process:
        """A process that ended before it began, so that who started it can see why."""
        self._check_children(parent)
        process = self._new_process(name, None, Grants(), parent, (1, 1), 0)
        process.state = State.ENDED
        process.exit = Exit("killed", FAILED_STATUS, None, text)
        process.card = [f"{name} could not be started", *text.splitlines()]
        parent.notify_children_changed()
        return process

    def _check_children(self, mother: Process) -> None:
        if mother.ended:
            raise SpawnError(f"{mother.name} has ended and can start nothing")
        if len(mother.children) >= mother.grants.max_children:
            raise SpawnError(
                f"{mother.name} has {len(mother.children)} children, the most it may have: "
                "it must end and reap some"
            )

    def _new_process(
        self,
        name: str,
        program: Program | None,
        grants: Grants,
        parent: Process | None,
        surface: tuple[int, int] | None,
        priority: int,
    ) -> Process:
        meta = Meta() if program is None else program.meta
        pid = self._last_pid + 1
        now_ms = self.now_ms
        keys, pointer = EventQueue("k", now_ms), EventQueue("m", now_ms)
        size = surface or meta.size or DEFAULT_SIZE
        process = Process(
            pid,
            name,
            meta,
            grants=grants,
            parent=parent,
            surface=Surface(*bounded_size(*size)),
            keys=keys,
            pointer=pointer,
            priority=priority,
        )
        self._last_pid = pid
        keys.on_event(partial(self.wake, process, "k"))
        pointer.on_event(partial(self.wake, process, "m"))
        self.processes[pid] = process
        if parent is not None:
            parent.children[pid] = process
        return process

    # ---- time and events -------------------------------------------------------------------

    def now_ms(self) -> int:
        """Milliseconds since the kernel started."""
        return self.clock.monotonic_ms() - self.start_ms

    def tick(self, frame: int) -> None:
        """A new screen frame, ``frame`` counting up at FRAME_RATE a second: wakes whoever waits
        for it.  Raises ValueError if it counts down."""
        if frame < self.frames.number:
            raise ValueError(f"frame {frame} comes after frame {self.frames.number}: count up")
        self.frames.number = frame
        self.frames.ms = self.clock.monotonic_ms()
        waiters = self._frame_waiters
        while waiters and waiters[0][0] <= frame:
            process = self.processes.get(heapq.heappop(waiters)[1])
            if process is not None:
                self.wake(process, "v")

    def next_wake(self) -> float | None:
        """Seconds until the kernel has something to do by itself: 0 if a process is ready or an
        instruction is on a worker, the time to the next frame somebody waits for, None if all
        wait for something from outside."""
        if len(self.scheduler) or self._runner.flying or not self._inbox.empty():
            return 0.0
        due = [
            frame
            for frame, pid in self._frame_waiters
            if pid in self.processes and "v" in self.processes[pid].waiting_for
        ]
        if not due:
            return None
        passed = (self.clock.monotonic_ms() - self.frames.ms) / 1000
        return max(0.0, (min(due) - self.frames.number) / FRAME_RATE - passed)

    def wake(self, process: Process, letter: str) -> None:
        """Something came for a process at a port."""
        if process.on_worker:
            # Perhaps it was just told to wait for this, and has not landed yet.
            process.woken.add(letter)
        elif letter in process.waiting_for and not process.ended:
            process.waiting_for = frozenset()
            process.state = State.READY
            self.scheduler.add(process)

    def sleep_until(self, process: Process, frame: int) -> None:
        """Wake the process at a frame if it then still waits for one."""
        heapq.heappush(self._frame_waiters, (frame, process.pid))

    def post(self, call: Callable[[], None]) -> None:
        """Have ``call`` made on the kernel's thread, in the next ``run`` or ``wait``.  The one
        method that other threads may use."""
        self._inbox.put(call)

    def wait(self, seconds: float | None) -> bool:
        """Block until something is posted, and handle it; False if nothing was in ``seconds``
        (None: for as long as it takes)."""
        try:
            call = self._inbox.get(timeout=seconds)
        except Empty:
            return False
        call()
        self._empty_inbox()
        return True

    def _empty_inbox(self) -> None:
        inbox = self._inbox
        for _ in range(inbox.qsize()):  # what these post in turn waits for the next round
            inbox.get_nowait()()

    # ---- running --------------------------------------------------------------------------

    @property
    def idle(self) -> bool:
        """Whether no process is ready, and none is on a worker."""
        return not (len(self.scheduler) or self._runner.flying)

    def run(self, seconds: float) -> bool:
        """Run ready processes until all wait or ``seconds`` are over; at least one slice.

        Returns whether there is more to run: False when nothing is ready.
        """
        if self._runner.inside:
            raise InternalError("Kernel.run was called from within a port of a running program")
        clock = self.clock
        start = clock.seconds()
        used = 0.0
        while True:
            self._empty_inbox()
            process = self.scheduler.pick()
            if process is None:
                if not self._runner.flying:
                    return False
                passed = clock.seconds() - start
                if passed >= seconds or not self.wait(max(0.0, seconds - passed)):
                    return True
                continue
            used += self._runner.step(process)
            if used >= seconds or clock.seconds() - start >= seconds:
                return bool(len(self.scheduler) or self._runner.flying)

    # ---- where processes run ----------------------------------------------------------------

    def place(self, pid: int, on: str) -> None:
        """Have a process run elsewhere, from its next slice on: "cpu", "gpu" or "auto".

        Its results do not change.  Raises KeyError for an unknown pid, ValueError for a place
        there is not, for a process that has ended or one with an executor of its own, SpawnError
        if there is no GPU.
        """
        process = self.process(pid)
        checked_place(on)
        if process.ended:
            raise ValueError(f"process {pid} has ended")
        if process.placed is None:
            raise ValueError(f"process {pid} has an executor of its own and cannot be placed")
        self._check_place(on)
        process.placed.place(on)

    def settle(self, pid: int) -> None:
        """Bring all words of its memory up to date, for whoever looks at the elements of its
        matrices: those of a process on the GPU may be there alone.  Raises KeyError."""
        process = self.process(pid)
        while process.on_worker:
            self.wait(None)
        self._runner.settle(process)

    def tell(self, process: Process, text: str) -> None:
        """Something happened to a process that its user should know, for the kernel's parts."""
        process.notices.append(text)
        if self.on_notice is not None:
            self.on_notice(process, text)

    # ---- ending ---------------------------------------------------------------------------

    def process(self, pid: int) -> Process:
        """The process with that pid; raises KeyError if there is none (any more)."""
        found = self.processes.get(pid)
        if found is None:
            raise KeyError(f"there is no process {pid}")
        return found

    def kill(self, pid: int, why: str = "killed") -> None:
        """End a process at once; nothing if it has ended.  Raises KeyError for an unknown pid.

        An instruction that a worker is doing is finished, and its result dropped.
        """
        self.end(self.process(pid), Exit("killed", KILLED_STATUS, None, why))

    def reap(self, pid: int) -> None:
        """Forget an ended process and free its memory; raises KeyError for an unknown pid,
        ValueError if it still runs."""
        process = self.process(pid)
        if not process.ended:
            raise ValueError(f"process {pid} still runs: kill it first")
        del self.processes[pid]
        if process.parent is not None:
            process.parent.children.pop(pid, None)
        if not process.on_worker:
            self.free(process)

    def free(self, process: Process) -> None:
        """Give its memory back, for the kernel's parts; once is enough."""
        if process.memory is not None:
            self.memory_bytes -= process.accounting.memory_bytes
            process.memory = None
            if process.placed is not None:
                process.placed.close()
                process.placed = None

    def checkpoint(self, pid: int) -> bytes:
        """The process as a picture (PNG bytes) that can be started again and goes on where it
        was; what waits in its ports is not part of it.  Raises KeyError, and ValueError for a
        process that never began."""
        process = self.process(pid)
        self.settle(pid)
        if process.memory is None:
            raise ValueError(f"process {pid} has no memory: it never began")
        return program_file.checkpoint(process.memory)

    def close(self) -> None:
        """End every process and let the worker threads go."""
        for pid in list(self.processes):
            if pid in self.processes:
                self.kill(pid, "the system was shut down")
        self._runner.close()

    def end(self, process: Process, how: Exit) -> None:
        """End a process in this way, for the kernel's parts; nothing if it has ended."""
        if process.ended:
            return
        process.state = State.ENDED
        process.exit = how
        process.waiting_for = frozenset()
        self.scheduler.remove(process)
        process.leave_executor()
        for pid in list(process.children):
            self.kill(pid, "its parent ended")
            self.reap(pid)
        process.board.close()
        if process.parent is not None:
            process.parent.notify_children_changed()
        process.tell_ended()


def checked_place(on: str) -> str:
    """``on`` if it is a place; raises ValueError."""
    if on not in PLACES:
        raise ValueError(f"a place is one of {', '.join(PLACES)}, not {on!r}")
    return on
