"""A process: a program picture that runs, and what the kernel knows of it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum
from typing import NamedTuple

from .devices.base import Device
from .devices.board import Board
from .devices.events import EventQueue
from .devices.frame import Frame
from .devices.processes import Processes
from .devices.screen import Surface
from .grants import Grants
from .machine.fault import Stop
from .machine.memory import SYS, SYS_ROW, Memory
from .machine.meta import Meta
from .placed import Placed
from .placement import CPU, Executor
from .scheduler import Share


class State(Enum):
    """What a process is doing; ``letter`` is how tables and port x show it."""

    READY = "ready"
    RUNNING = "running"
    WAITING = "waiting"
    SLEEPING = "sleeping"
    ENDED = "ended"

    @property
    def letter(self) -> str:
        """R ready or running, W waiting, S sleeping, E ended."""
        return {"ready": "R", "running": "R", "waiting": "W", "sleeping": "S", "ended": "E"}[
            self.value
        ]


#: Exit status of a process that failed: a fault, an input that cannot be read, no memory.
FAILED_STATUS = 1
#: Exit status of a process that somebody ended.
KILLED_STATUS = 130


class Exit(NamedTuple):
    """How a process ended.

    ``kind``: "halted", "fault", "killed" or "closed pipe" (whoever read its output went away,
    which is no error).  ``status``: the exit status.  ``stop``: the machine's own stop, None if
    it was ended from outside.  ``text``: one line for people.
    """

    kind: str
    status: int
    stop: Stop | None
    text: str

    @property
    def ok(self) -> bool:
        """Whether a pipeline with this process in it succeeded as far as it goes."""
        return self.status == 0


@dataclass(slots=True)
class Accounting:
    """What a process used: fuel burnt and instructions done since it was started here, seconds
    it ran, bytes of memory in use."""

    fuel: int = 0
    seconds: float = 0.0
    instructions: int = 0
    memory_bytes: int = 0


class Process:
    """One process.  Made by ``Kernel.spawn``; others read its public attributes, push events
    to ``keys`` and ``pointer``, and look at ``surface``.

    ``card``: after a fault, the lines of its error card.  ``notices``: what happened to it that
    its user should know, one line each: "goes on on the CPU: the GPU was lost".
    """

    def __init__(
        self,
        pid: int,
        name: str,
        meta: Meta,
        *,
        grants: Grants,
        parent: Process | None,
        surface: Surface,
        keys: EventQueue,
        pointer: EventQueue,
        priority: int,
    ) -> None:
        self.pid = pid
        self.name = name
        self.title = meta.title or name
        self.meta = meta
        self.grants = grants
        self.parent = parent
        self.children: dict[int, Process] = {}
        self.state = State.READY
        self.exit: Exit | None = None
        self.card: list[str] = []
        self.notices: list[str] = []
        self.accounting = Accounting()
        self.surface = surface
        self.keys = keys
        self.pointer = pointer
        self.priority = priority
        self.focused = False
        self.share = Share(priority)
        self.board = Board()
        self.app_number = -1
        # Below: the kernel's own.
        self.memory: Memory | None = None
        self.executor: Executor | None = None
        self.placed: Placed | None = None
        self.on_worker = False
        self.woken: set[str] = set()
        self.next_fuel = 0
        self.waiting_for: frozenset[str] = frozenset()
        self.fuel_payers: tuple[Process, ...] = ()
        self.fuel_debt = 0
        self._sys = slice(0, 0)
        self._fuel_start = 0
        self._done_start = 0
        self._watchers: list[Callable[[Process], None]] = []

    def __repr__(self) -> str:
        return f"<process {self.pid} {self.name} {self.state.value}>"

    @property
    def parent_pid(self) -> int | None:
        """Pid of the process that started it, None for one started from outside."""
        return None if self.parent is None else self.parent.pid

    @property
    def ended(self) -> bool:
        """Whether it has ended."""
        return self.state is State.ENDED

    @property
    def where(self) -> str:
        """Where it runs: "cpu" or "gpu"."""
        return CPU if self.placed is None else self.placed.shown_where

    @property
    def is_screen_program(self) -> bool:
        """Whether it may show a picture."""
        return "s" in self.grants.ports

    def when_ended(self, tell: Callable[[Process], None]) -> None:
        """Call ``tell`` with this process when it has ended; at once if it has."""
        if self.ended:
            tell(self)
        else:
            self._watchers.append(tell)

    # ---- for the kernel ----------------------------------------------------------------

    def attach_memory(self, memory: Memory, executor: Executor) -> None:
        """Give it what it runs on, and start counting."""
        self.memory = memory
        self.executor = executor
        self.placed = executor if isinstance(executor, Placed) else None
        at = memory.data_addr(SYS_ROW)
        self._sys = slice(at, at + len(SYS))
        self._fuel_start = memory.get64("fuel")
        self._done_start = memory.get64("done")
        self.accounting.memory_bytes = memory.top * memory.width * 4

    def leave_executor(self) -> None:
        """It has ended: let go of what ran it, but for a GPU on which elements of its matrices may
        be, until somebody looks or its memory is freed."""
        self.executor = None
        placed = self.placed
        if placed is not None:
            placed.give_up()
            if not placed.uses_gpu:
                self.placed = None

    def count(self, seconds: float) -> int:
        """Bring the accounting up to date after a slice of ``seconds``; returns the fuel it
        burnt in that slice."""
        memory, account = self.memory, self.accounting
        assert memory is not None
        words: list[int] = memory.words[self._sys].tolist()
        left = words[SYS["fuel_lo"]] | words[SYS["fuel_hi"]] << 32
        done = words[SYS["done_lo"]] | words[SYS["done_hi"]] << 32
        burnt = self._fuel_start - left
        self._fuel_start = left
        account.fuel += burnt
        account.instructions = done - self._done_start
        account.memory_bytes = words[SYS["top"]] * memory.width * 4
        account.seconds += seconds
        return burnt

    def set_fuel(self, fuel: int) -> None:
        """Set the fuel left; only while no slice runs."""
        assert self.memory is not None
        self.memory.set64("fuel", fuel)
        self._fuel_start = fuel

    @property
    def fuel_left(self) -> int:
        """Fuel left at the end of the last slice, less what its children burnt since."""
        return max(0, self._fuel_start - self.fuel_debt)

    def device(self, letter: str) -> Device | None:
        """The device of a port, None if it is not granted."""
        return self.board.devices.get(letter)

    @property
    def sleeping(self) -> bool:
        """Whether it waits for a number of frames it asked for, and nothing else."""
        frame = self.device("v")
        return self.waiting_for == frozenset("v") and isinstance(frame, Frame) and frame.sleeping

    def shown(self) -> None:
        """It showed a picture: whoever started it may want to see."""
        if self.parent is not None:
            self.parent.notify_children_changed()

    def notify_children_changed(self) -> None:
        """A child ended or showed a new picture."""
        port = self.device("x")
        if isinstance(port, Processes):
            port.changed()

    def tell_ended(self) -> None:
        """Tell whoever asked that it has ended."""
        watchers, self._watchers = self._watchers, []
        for tell in watchers:
            tell(self)
