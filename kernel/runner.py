"""Running: one slice of one process, on the kernel's thread or a worker's, and what follows.

What may touch the GPU runs on a thread of its own: waiting for a device stops nobody else, and
processes take turns at it by themselves.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from functools import partial
from queue import SimpleQueue
from typing import TYPE_CHECKING

from .devices.base import PortError
from .devices.board import Answer
from .explain import explain, headline
from .machine.fault import InternalError, Stop
from .machine.ports import Wait
from .placed import Placed
from .placement import GPU, NoGpuError
from .process import FAILED_STATUS, Exit, Process, State
from .scheduler import SLICE_SECONDS
from .workers import Caught, Outcome, Workers

if TYPE_CHECKING:
    from .kernel import Kernel

#: Seconds a unit of fuel takes in an instruction that was not measured yet, and the most that a
#: measurement may say: whatever costs less than SLICE_SECONDS / MAX_PACE fuel is done on the
#: kernel's thread, since changing threads would take as long.
FIRST_PACE, MAX_PACE = 1e-7, 2e-6
_CODE_ENTRY = 2


class Runner:
    """Gives processes their slices.

    ``flying``: how many slices are on worker threads.  ``inside``: whether a program is
    running on the kernel's thread right now.
    """

    def __init__(self, kernel: Kernel, workers: int) -> None:
        self._kernel = kernel
        self._workers = Workers(workers)
        self._gpu_worker = Workers(min(workers, 1))
        self._pace: dict[tuple[str, int], float] = {}
        self.flying = 0
        self.inside = False
        self._opening = False

    def close(self) -> None:
        """Let the worker threads go."""
        self._workers.close()
        self._gpu_worker.close()

    def step(self, process: Process) -> float:
        """Give a process its slice; returns the seconds reckoned."""
        executor, clock = process.executor, self._kernel.clock
        if executor is None:
            raise InternalError(f"{process} was scheduled without an executor")
        fuel = self._kernel.scheduler.slice(process)
        if process.fuel_payers or process.fuel_debt:
            self._settle_debts(process)
        process.state = State.RUNNING
        alone = -1
        if process.next_fuel > fuel:  # the slice is one instruction
            fuel = process.next_fuel
            alone = _next_opcode(process)
        if process.placed is not None and process.placed.uses_gpu:
            if self._gpu_worker.count:
                self._fly(process, fuel, alone, self._gpu_worker)
                return 0.0
        elif alone >= 0 and self._workers.count and self._is_long(process, alone, fuel):
            self._fly(process, fuel, alone, self._workers)
            return 0.0
        outcome: Outcome
        start = clock.seconds()
        self.inside = True
        try:
            outcome = executor.run(fuel)
        except MemoryError as error:
            outcome = error
        finally:
            self.inside = False
        seconds = clock.seconds() - start
        if alone >= 0:
            self._learn(process, alone, fuel, seconds)
        # A program may bring about its own end: a terminal that was told to kill itself.
        return seconds if process.ended else self._settle(process, outcome, seconds)

    def settle(self, process: Process) -> None:
        """Bring the words of its memory up to date, when no slice of it runs."""
        placed = process.placed
        if placed is None or placed.where != GPU:
            return
        if not self._gpu_worker.count:
            placed.settle()
        else:
            landed: SimpleQueue[Outcome | None] = SimpleQueue()

            def work() -> Stop:
                placed.settle()
                return Stop("Y", 0)

            def land(outcome: Outcome) -> None:
                landed.put(outcome)
                self._kernel.post(self._gpu_worker.finished)

            self._gpu_worker.submit(work, land)
            while landed.empty():  # what the GPU does until then may ask the ports
                self._kernel.wait(None)
            outcome = landed.get()
            if isinstance(outcome, Exception):
                raise outcome
        self._tell(process)

    def _is_long(self, process: Process, opcode: int, fuel: int) -> bool:
        """Whether an instruction is expected to take longer than a slice."""
        pace = self._pace.get((process.where, opcode), FIRST_PACE)
        return fuel * pace > SLICE_SECONDS

    def _learn(self, process: Process, opcode: int, fuel: int, seconds: float) -> None:
        """Remember how long a unit of fuel takes in an instruction, by what one just took."""
        key = process.where, opcode
        pace = min(MAX_PACE, seconds / fuel)
        self._pace[key] = (self._pace.get(key, pace) + pace) / 2

    def _fly(self, process: Process, fuel: int, opcode: int, workers: Workers) -> None:
        """Let a worker run a slice; ``opcode``: of the one instruction in it, -1 if there may be
        more."""
        executor, clock = process.executor, self._kernel.clock
        assert executor is not None
        start = 0.0

        def work() -> Stop:
            nonlocal start
            start = clock.seconds()
            return executor.run(fuel)

        def land(outcome: Outcome) -> None:
            seconds = clock.seconds() - start
            self._kernel.post(partial(self._land, process, outcome, opcode, fuel, seconds, workers))

        process.on_worker = True
        process.woken.clear()
        process.board.relay = partial(self._relay, process)
        self.flying += 1
        workers.submit(work, land)

    def _relay(self, process: Process, letter: str, ask: Callable[[], Answer]) -> Answer:
        """On a worker: have a device asked on the kernel's thread.  A process that has ended
        meanwhile is told to wait, which ends its instruction."""
        answers: SimpleQueue[Answer | Exception] = SimpleQueue()

        def asked() -> None:
            if process.ended:
                answers.put(Wait(letter))
                return
            self.inside = True
            with Caught[Answer]() as caught:
                caught.outcome = ask()
            self.inside = False
            answers.put(caught.outcome)

        self._kernel.post(asked)
        answer = answers.get()
        if isinstance(answer, Exception):
            raise answer
        return answer

    def _land(
        self,
        process: Process,
        outcome: Outcome,
        opcode: int,
        fuel: int,
        seconds: float,
        workers: Workers,
    ) -> None:
        if opcode >= 0:
            self._learn(process, opcode, fuel, seconds)
        process.on_worker = False
        process.board.relay = None
        self.flying -= 1
        workers.finished()
        self._tell(process)
        if process.ended:
            if process.pid not in self._kernel.processes:
                self._kernel.free(process)
            return
        self._settle(process, outcome, seconds)

    def _settle(self, process: Process, outcome: Outcome, seconds: float) -> float:
        """After a slice: accounting, then on to what the process does next."""
        before = process.accounting.memory_bytes
        burnt = process.count(seconds)
        grown = process.accounting.memory_bytes - before
        self._kernel.memory_bytes += grown
        reckoned = self._kernel.scheduler.charge(process, burnt, seconds)
        for payer in process.fuel_payers:
            payer.fuel_debt += burnt
        self._tell(process)
        if grown and self._kernel.memory_bytes > self._kernel.limits.memory_bytes:
            limit = self._kernel.limits.memory_bytes
            self._fail(process, f"all programs together used more than {limit} bytes")
            self._kernel.free(process)
        elif isinstance(outcome, Stop):
            if process.placed is not None:
                process.placed.after(outcome, reckoned)
                if process.placed.wants_device:
                    self._open_gpu(process.placed)
            self._follow(process, outcome)
        elif isinstance(outcome, MemoryError):
            self._fail(process, "the host has no memory for it")
        else:
            raise InternalError(f"the executor of {process} broke on a worker") from outcome
        return reckoned

    def _open_gpu(self, placed: Placed) -> None:
        """Open the GPU for a process that chose it, and let it go on meanwhile."""
        placed.wants_device = False
        if not self._gpu_worker.count:
            placed.leave_for(GPU)
            return
        if self._opening:
            return
        self._opening = True
        backends = self._kernel.backends

        def work() -> Stop:
            with suppress(NoGpuError):  # it will not be tempting any more
                backends.gpu()
            return Stop("Y", 0)

        def land(outcome: Outcome) -> None:
            self._kernel.post(partial(self._opened, outcome))

        self._gpu_worker.submit(work, land)

    def _opened(self, outcome: Outcome) -> None:
        self._gpu_worker.finished()
        self._opening = False
        if isinstance(outcome, Exception):
            raise InternalError("opening the GPU broke on a worker") from outcome

    def _tell(self, process: Process) -> None:
        """Pass on what its executor has to tell."""
        if process.placed is not None and process.placed.notices:
            texts, process.placed.notices = process.placed.notices, []
            for text in texts:
                self._kernel.tell(process, text)

    def _fail(self, process: Process, text: str) -> None:
        self._kernel.end(process, Exit("killed", FAILED_STATUS, None, text))

    def _follow(self, process: Process, stop: Stop) -> None:
        board = process.board
        reason = stop.reason
        if board.ending is not None:
            self._end_by_device(process, stop, board.ending)
        elif reason == "Y":
            process.next_fuel = stop.next_fuel
            process.state = State.READY
            self._kernel.scheduler.add(process)
        elif reason == "W":
            process.next_fuel = 0
            process.waiting_for = frozenset(board.asked or stop.port)
            board.asked.clear()
            process.state = State.SLEEPING if process.sleeping else State.WAITING
            came = process.woken & process.waiting_for
            process.woken.clear()
            if came:
                self._kernel.wake(process, came.pop())
        elif reason == "H":
            text = f"ended with status {stop.status}"
            self._kernel.end(process, Exit("halted", stop.status, stop, text))
        else:
            self._fault(process, stop, "")

    def _end_by_device(self, process: Process, stop: Stop, ending: PortError) -> None:
        if ending.kind == "fault":
            assert process.memory is not None
            process.memory.set("reason", ord(ending.reason))
            process.memory.set("port", 0)
            self._fault(process, Stop(ending.reason, stop.pc), ending.text)
        else:
            status = 0 if ending.kind == "closed pipe" else FAILED_STATUS
            self._kernel.end(process, Exit(ending.kind, status, stop, ending.text))

    def _fault(self, process: Process, stop: Stop, text: str) -> None:
        memory, meta = process.memory, process.meta
        assert memory is not None
        card = explain(stop, memory, meta)
        if text:
            card.insert(1, text)
        process.card = card
        self._kernel.end(process, Exit("fault", FAILED_STATUS, stop, text or headline(stop, meta)))

    def _settle_debts(self, process: Process) -> None:
        """Before a slice: take what children burnt from its fuel, and let it burn no more than
        the processes that pay for it have."""
        left = process.fuel_left
        process.fuel_debt = 0
        process.set_fuel(min([left, *(payer.fuel_left for payer in process.fuel_payers)]))


def _next_opcode(process: Process) -> int:
    """The opcode byte of the next instruction; 0 outside the code."""
    memory = process.memory
    assert memory is not None
    header = memory.header(_CODE_ENTRY)
    pc = memory.get("pc")
    if pc >= header.rows * header.cols:
        return 0
    return int(memory.words[memory.data_addr(header.row) + pc]) & 0xFF
