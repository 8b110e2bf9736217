"""The executor of a process that may run in more than one place, and that outlives a device.

``Placed`` is an executor made of executors: it has one on the CPU or one on the GPU, moves between
slices from one to the other on the same memory and the same ports, and goes on on the CPU when
the GPU fails.

What only the GPU holds is gone with it.  So a process there has a *safe point*, the picture as it
was at some moment, and a log of what its ports answered since.  From both the CPU gets to where the
process was: it runs from the safe point, with the log in place of the ports (what was written is
not written again), and from the log's end on with the ports themselves.  Fuel says where it was:
equal programs burn equal fuel, whatever runs them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from .cost import Chooser, CostModel, first_guess
from .machine.fault import InternalError, Stop
from .machine.memory import SYS, SYS_ROW, Memory
from .machine.ports import Message, Ports, Refused, Wait
from .placement import AUTO, CPU, GPU, Backend, Backends, Executor, GpuExecutor, NoGpuError

if TYPE_CHECKING:
    from .replay import ReplayLog

#: The most of its time that a process spends on new safe points.
SAFE_SHARE = 0.05
#: Bytes of answers in a log from which a new safe point is taken, if the picture is no larger.
LOG_BYTES = 64 << 20
#: Fuel of a slice of a replay, after which it can be given up.
_REPLAY_SLICE = 1 << 20
_CODE_ENTRY = 2


class _Door:
    """The ports that a process's executors see: whatever stands behind them at the moment.

    Knows whether a message was taken whose instruction is not done yet: an executor then holds it,
    and is not to be left.
    """

    def __init__(self, ports: Ports, memory: Memory) -> None:
        self.behind = ports
        self._memory = memory
        self._taken = -1

    @property
    def is_held(self) -> bool:
        """Whether the executor holds a message."""
        return self._taken == self._memory.get64("done")

    def read(self, letter: str, selector: Message) -> Message | Wait | Refused:
        answer = self.behind.read(letter, selector)
        if isinstance(answer, Message):
            self._taken = self._memory.get64("done")
        return answer

    def write(self, letter: str, message: Message, selector: Message) -> Wait | Refused | None:
        return self.behind.write(letter, message, selector)

    def ready(self, letter: str) -> bool | Refused:
        return self.behind.ready(letter)


class _SafePoint(NamedTuple):
    """``image``: the words in use, uint32 rows x width.  ``state``: those of SYS, where they
    differ.  ``fuels``: the fuel that was set from outside since then, as (fuel burnt before that,
    fuel)."""

    image: np.ndarray
    state: np.ndarray
    fuels: list[tuple[int, int]]


class Placed:
    """Runs one process where it is best; see the module's words.

    ``on``: where the user wants it.  ``image``: the program's picture, as ``memory`` holds it but
    for SYS; it is not changed by anybody.  ``where``: where it runs.  ``notices``: what is to be
    told about it ("goes on on the CPU: ..."), taken by whoever tells.  ``wants_device``: it would
    go to the GPU if that were open; until then it goes on where it is.

    ``run`` and ``settle`` may be called on a worker's thread; the rest belongs to the kernel's, and
    but for ``place`` and ``give_up`` to the time when no slice runs.
    """

    def __init__(
        self,
        memory: Memory,
        ports: Ports,
        backends: Backends,
        model: CostModel,
        on: str,
        image: np.ndarray | None = None,
    ) -> None:
        self.on = on
        self.where = ""
        self.notices: list[str] = []
        self.wants_device = False
        self._image = image
        self._memory = memory
        self._ports = ports
        self._backends = backends
        self._model = model
        self._door = _Door(ports, memory)
        self._executor: Executor | None = None
        self._gpu: GpuExecutor | None = None
        self._backend: Backend | None = None
        self._chooser: Chooser | None = None
        self._wanted = GPU if on == GPU else CPU
        self._asked = ""
        self._given_up = False
        at = memory.data_addr(SYS_ROW)
        self._sys = memory.words[at : at + len(SYS)]
        # On the GPU, and while a log is replayed:
        self._safe: _SafePoint | None = None
        self._log: ReplayLog | None = None
        self._burnt = 0  # fuel since the safe point
        self._since = 0.0  # seconds since the safe point
        self._fuel_seen = 0  # at the end of the last slice
        self._top = 0  # the first row that was never used
        # The last slice: where it ran, instructions done, fuel burnt.
        self._ran = ("", 0, 0)
        if on == AUTO and backends.tempting:
            guess = first_guess(memory, model)
            self._chooser = Chooser(model, guess)
            if self._chooser.wants_away(CPU, self._used_bytes, opened=backends.is_open):
                self.leave_for(GPU)

    # ---- for the kernel's thread, between slices ---------------------------------------------

    @property
    def uses_gpu(self) -> bool:
        """Whether its next slice may touch the GPU."""
        return GPU in (self.where, self._wanted, self._asked)

    @property
    def shown_where(self) -> str:
        """Where it runs, or is to begin."""
        return self.where or self._wanted

    def place(self, on: str) -> None:
        """Have it run elsewhere from its next slice on."""
        self._asked = on

    def after(self, stop: Stop, seconds: float) -> None:
        """A slice ended, and took so long: weigh where the next one is to run."""
        where, instructions, fuel = self._ran
        self._since += seconds
        chooser = self._chooser
        if chooser is None or self._wanted != self.where or not where:
            return
        opcode = self._next_opcode(stop) if stop.reason == "Y" else 0
        chooser.ran(where, instructions, fuel, opcode, seconds)
        backends, opened = self._backends, self._backends.is_open
        if not chooser.wants_away(
            where, self._used_bytes, opened=opened, opcode=opcode, next_fuel=stop.next_fuel
        ):
            return
        if where == GPU:
            self.leave_for(CPU)
        elif not backends.tempting:
            self._chooser = None
        elif opened or chooser.is_urgent(opcode, stop.next_fuel):
            self.leave_for(GPU)
        else:
            self.wants_device = True

    def give_up(self) -> None:
        """The process has ended: a replay that runs need not go on."""
        self._given_up = True

    def close(self) -> None:
        """Nobody looks at its memory any more: give back what it has of the GPU."""
        if self._gpu is not None:
            self._gpu.close()
            self._gpu = None

    def leave_for(self, place: str) -> None:
        """Have it run there from its next slice on, as it chose itself."""
        self._wanted = place
        if self._chooser is not None:
            self._chooser.moved()

    def _next_opcode(self, stop: Stop) -> int:
        memory = self._memory
        header = memory.header(_CODE_ENTRY)
        if not 0 <= stop.pc < header.rows * header.cols:
            return 0
        return int(memory.words[memory.data_addr(header.row) + stop.pc]) & 0xFF

    @property
    def _used_bytes(self) -> int:
        return self._memory.top * self._memory.width * 4

    # ---- running ---------------------------------------------------------------------------

    def run(self, slice_fuel: int) -> Stop:
        """Run for at most ``slice_fuel`` fuel, where it is to run."""
        if self._asked:
            self._heed(self._asked)
        if self._wanted != self.where:
            self._move()
        elif self._safe_point_is_due():
            self._renew_safe_point()
        memory = self._memory
        done, fuel = memory.get64("done"), memory.get64("fuel")
        stop = self._run_on_cpu(slice_fuel) if self._gpu is None else self._run_on_gpu(slice_fuel)
        self._ran = (self.where, memory.get64("done") - done, fuel - memory.get64("fuel"))
        return stop

    def settle(self) -> None:
        """Bring all of the memory's words up to date, also after the process has ended."""
        self._given_up = False
        self._settle()

    def _settle(self) -> None:
        gpu, backend, model = self._gpu, self._backend, self._model
        if gpu is None or backend is None:
            return
        start = model.seconds()
        try:
            gpu.settle()
        except (backend.lost, backend.full) as error:
            self._fall_back(error)
        else:
            model.copied(self._used_bytes, model.seconds() - start)

    def _run_on_cpu(self, slice_fuel: int) -> Stop:
        assert self._executor is not None
        if self._log is not None and self._memory.get64("done") > self._log.last:
            self._log = None
            self._door.behind = self._ports
        return self._executor.run(slice_fuel)

    def _run_on_gpu(self, slice_fuel: int) -> Stop:
        gpu, backend, safe, memory = self._gpu, self._backend, self._safe, self._memory
        assert gpu is not None
        assert backend is not None
        assert safe is not None
        before = memory.get64("fuel")
        if before != self._fuel_seen:
            safe.fuels.append((self._burnt, before))
        state = self._sys.copy()
        try:
            stop = gpu.run(slice_fuel)
        except (backend.lost, backend.full) as error:
            self._top = max(self._top, memory.top)
            if isinstance(error, backend.full) and self._could_leave(gpu, backend):
                self._pin(error, backend)
                self._begin_on_cpu()
                return self._run_on_cpu(slice_fuel - (before - memory.get64("fuel")))
            self._sys[:] = state
            self._fall_back(error)
            return Stop("Y", memory.get("pc")) if self._given_up else self._run_on_cpu(slice_fuel)
        self._top = max(self._top, memory.top)
        self._fuel_seen = memory.get64("fuel")
        self._burnt += before - self._fuel_seen
        return stop

    def _could_leave(self, gpu: GpuExecutor, backend: Backend) -> bool:
        """After the device could not serve an instruction: whether all that was done before it
        could be brought away.  Not if it had taken a message already."""
        if self._door.is_held:
            return False
        try:
            gpu.settle()
        except (backend.lost, backend.full):
            return False
        return True

    # ---- moving ----------------------------------------------------------------------------

    def _heed(self, on: str) -> None:
        """Do as ``place`` was told."""
        self.on = on
        self._asked = ""
        self._chooser = None
        if on != AUTO:
            self._wanted = on
        elif self._backends.tempting:
            self._chooser = Chooser(self._model)

    def _move(self) -> None:
        """Go where it is wanted; not yet while a message is held, or a log is not at its end."""
        if self.where and (self._door.is_held or self._is_replaying):
            return
        if self._wanted == GPU:
            self._move_to_gpu()
        else:
            self._settle()
            if self._executor is None:
                self._begin_on_cpu()

    @property
    def _is_replaying(self) -> bool:
        log = self._log
        return self._gpu is None and log is not None and self._memory.get64("done") <= log.last

    def _begin_on_cpu(self) -> None:
        """From the memory as it is."""
        self.close()
        self._backend = self._safe = self._log = self._image = None
        self._door.behind = self._ports
        self._executor = self._backends.make_cpu(self._memory, self._door)
        self.where = self._wanted = CPU

    def _move_to_gpu(self) -> None:
        try:
            backend = self._backends.gpu()
        except NoGpuError as error:
            if self.on == GPU:
                self.notices.append(f"runs on the CPU: {error}")
            self._stay_on_cpu()
            return
        if self._chooser is not None and backend.software:  # now that it is open, it shows
            self._stay_on_cpu()
            return
        try:
            self._gpu = backend.make(self._memory, self._door)
        except (backend.lost, backend.full) as error:
            self._pin(error, backend)
            self._stay_on_cpu()
            return
        if self.where or self._image is None:
            image = self._copied()
        else:  # nothing ran: the program's own picture will do
            image = self._image
        self._executor = self._image = None
        self._backend = backend
        self.where = GPU
        self._begin_safe_point(image)

    def _stay_on_cpu(self) -> None:
        """It cannot be had on the GPU: run it here, and do not ask again."""
        self.on = self._wanted = CPU
        self._chooser = None
        if self._executor is None:
            self._begin_on_cpu()

    def _pin(self, error: Exception, backend: Backend) -> None:
        """The GPU failed: keep it on the CPU, and say so."""
        self.on = self._wanted = CPU
        self._chooser = None
        if isinstance(error, backend.lost):
            self._backends.lose(backend, str(error))
        self.notices.append(f"goes on on the CPU: {error}")

    # ---- safe points -----------------------------------------------------------------------

    def _begin_safe_point(self, image: np.ndarray) -> None:
        from .replay import RecordingPorts, ReplayLog

        memory = self._memory
        self._safe = _SafePoint(image, self._sys.copy(), [])
        self._log = ReplayLog()
        self._door.behind = RecordingPorts(self._ports, memory, self._log, digests=False)
        self._burnt, self._since = 0, 0.0
        self._top = memory.top
        self._fuel_seen = memory.get64("fuel")

    def _safe_point_is_due(self) -> bool:
        if self._gpu is None or self._log is None or self._door.is_held or not self._burnt:
            return False
        used = self._used_bytes
        if self._log.bytes > max(LOG_BYTES, used):
            return True
        return self._model.copying(used) < SAFE_SHARE * self._since

    def _renew_safe_point(self) -> None:
        self._settle()
        if self._gpu is not None:  # it may have been lost meanwhile
            self._begin_safe_point(self._copied())

    def _copied(self) -> np.ndarray:
        """The words in use, copied; over the last copy, which is of no use then, if that fits."""
        fresh, safe = self._memory.used_image(), self._safe
        if safe is None or safe.image.shape != fresh.shape or not safe.image.flags.writeable:
            return fresh.copy()
        safe.image[:] = fresh
        return safe.image

    # ---- losing the device --------------------------------------------------------------------

    def _fall_back(self, error: Exception) -> None:
        """The GPU failed: get to where the process was, on the CPU.

        SYS says where that is; the other words do not count.
        """
        from .replay import ReplayPorts

        backend, safe, log, memory = self._backend, self._safe, self._log, self._memory
        assert backend is not None
        assert safe is not None
        assert log is not None
        self._pin(error, backend)
        state = self._sys.copy()
        image, words = safe.image, memory.words
        words[: image.size] = image.ravel()
        words[image.size : self._top * memory.width] = 0
        self._sys[:] = safe.state
        self.close()
        self._backend = self._safe = self._image = None
        self._door.behind = ReplayPorts(log, memory, self._ports)
        self._executor = self._backends.make_cpu(memory, self._door)
        self.where = CPU
        burnt = 0
        for at, fuel in safe.fuels:
            self._replay(at - burnt)
            memory.set64("fuel", fuel)
            burnt = at
        self._replay(self._burnt - burnt)
        if self._given_up:  # nobody runs it any more: it stays where it got to
            return
        there = [SYS[name] for name in ("pc", "depth", "done_lo", "done_hi", "top", "random")]
        if not np.array_equal(self._sys[there], state[there]):
            raise InternalError("a process did something else on the CPU than it did on the GPU")
        self._sys[:] = state

    def _replay(self, fuel: int) -> None:
        """Burn so much fuel, all of it by instructions that were done before."""
        executor, memory = self._executor, self._memory
        assert executor is not None
        least = 0
        while fuel > 0 and not self._given_up:
            before = memory.get64("fuel")
            stop = executor.run(min(fuel, max(least, _REPLAY_SLICE)))
            burnt = before - memory.get64("fuel")
            fuel -= burnt
            least = stop.next_fuel
            if fuel > 0 and (stop.reason != "Y" or (not burnt and least > fuel)):
                raise InternalError(f"a replay ended too soon, with {fuel} fuel to go: {stop}")
