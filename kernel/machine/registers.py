"""The registers of a running process, between the memory and the executor's parts."""

from __future__ import annotations

import numpy as np

from .elements import array_of
from .fault import Stop
from .memory import SYS_ROW, Memory
from .plan import Planner
from .plan_types import Plan, Strided
from .ports import Message, Ports


class State:
    """Program counter, fuel and call depth while ``run`` is at work; SYS holds them otherwise.

    ``fuel`` is the process's, ``left`` the slice's; ``done`` counts completed instructions.
    ``code`` is the words of CODE, live.  It is also the plan's ``HostElements``: whoever looks into
    SYS through it sees the registers as they are now.
    """

    def __init__(self, memory: Memory, ports: Ports) -> None:
        self.memory = memory
        self.ports = ports
        self.planner = Planner(memory, self)
        self.code_row = self.planner.resolver.code_row
        code = memory.header_at(self.code_row)
        at = memory.data_addr(self.code_row)
        self.code_addr = at
        self.code_len = code.rows * code.cols
        self.code = memory.words.data[at : at + self.code_len]
        stack = memory.header_at(self.planner.resolver.stack_row)
        self.stack_addr = memory.data_addr(stack.row)
        self.stack_len = stack.rows * stack.cols
        self.pc = self.depth = self.fuel = self.left = self.done = 0
        #: A message that was read, while the slice could not pay for storing it.
        self.held: Message | None = None

    # ---- SYS -----------------------------------------------------------------------------

    def load(self, slice_fuel: int) -> None:
        """Take the registers from SYS and clear the last stop's traces there."""
        memory = self.memory
        self.pc, self.depth = memory.get("pc"), memory.get("depth")
        self.fuel, self.done = memory.get64("fuel"), memory.get64("done")
        self.left = slice_fuel
        for name in ("reason", "detail", "port"):
            memory.set(name, 0)

    def sync(self) -> None:
        """Bring SYS up to date with the registers."""
        memory = self.memory
        memory.set("pc", self.pc)
        memory.set("depth", self.depth)
        memory.set64("fuel", self.fuel)
        memory.set64("done", self.done)

    def store(self, stop: Stop) -> Stop:
        """Write the registers and why it stopped to SYS; returns ``stop``."""
        self.sync()
        memory = self.memory
        if stop.reason != "Y":
            memory.set("reason", ord(stop.reason))
            memory.set("detail", min(stop.detail, 0xFFFF_FFFF))
            memory.set("port", ord(stop.port[0]) if stop.port else 0)
            if stop.reason == "H":
                memory.set("status", stop.status)
        return stop

    # ---- fuel ------------------------------------------------------------------------------

    def short_of(self, cost: int) -> Stop | None:
        """The stop if ``cost`` cannot be paid: B by the process, Y by the slice."""
        if cost > self.fuel:
            return Stop("B", self.pc)
        if cost > self.left:
            return Stop("Y", self.pc, next_fuel=cost)
        return None

    def complete(self, cost: int, pc: int) -> None:
        """Charge a completed instruction and go on at ``pc``."""
        self.fuel -= cost
        self.left -= cost
        self.done += 1
        self.pc = pc

    # ---- the call stack ---------------------------------------------------------------------

    def write_stack(self, index: int, word: int) -> None:
        """Set a word of STACK."""
        self.memory.words[self.stack_addr + index] = word

    # ---- elements for the plan and for ports -------------------------------------------------

    def elements(self, rectangle: Strided, words: type[np.generic] = np.int32) -> np.ndarray:
        """The newest elements of a rectangle; ``words``: dtype of 4-byte elements.

        All that the host reads of elements it reads here.  The array may be a view of memory.
        """
        if rectangle.row == SYS_ROW:
            self.sync()
        return array_of(self.memory, rectangle, words)

    def numbers(self, rectangle: Strided) -> np.ndarray:
        """The elements as floored values: int64, rows x columns."""
        elements = self.elements(rectangle).astype(np.int64)
        return elements >> 16 if rectangle.cls == "X" else elements

    def nonzero(self, rectangle: Strided) -> int:
        """How many elements are not zero."""
        return int(np.count_nonzero(self.elements(rectangle)))

    def first_zero(self, rectangle: Strided) -> tuple[int, int] | None:
        """Row and column of the first element that is zero, row-major."""
        elements = self.elements(rectangle)
        zero = elements == 0
        if not zero.any():
            return None
        row, col = divmod(int(zero.argmax()), rectangle.cols)
        return row, col

    def bad_divisor(self, plan: Plan) -> int:
        """The first element of a plan's result that is divided by zero; -1 if none is."""
        fault = self.planner.division_fault(plan)
        return -1 if fault is None else fault.detail
