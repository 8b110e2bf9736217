"""The GPU executor: the same plans, filled by compute shaders.

Reading order for a newcomer: ``residency`` (who holds the newest copy of a matrix), ``fill`` (one
plan, on the host or on the GPU), ``stream`` (dispatches on their way), ``speculation`` (going on
before a division is known to be right), this module (the loop).  ``kit`` is what the families see,
``device`` the GPU itself.

The host runs ahead of the GPU: it fetches, plans, grows, branches on what it knows, and records
dispatches.  It waits only where the program's way depends on elements that it does not have, and
where something is handed out: at a port, at a stop, at the end of a slice.
"""

from __future__ import annotations

from ..elements import Elements
from ..fault import Stop
from ..memory import Memory
from ..plan_types import Plan, Strided
from ..ports import Ports
from ..stepper import Closure, Stepper
from .binding import operand_of
from .device import Gpu, GpuOutOfMemory, Part
from .fill import Fill, OnHost, Parts, store_message, words_of
from .journal import Journal
from .kit import Kit
from .registers import GpuState
from .residency import Residency
from .speculation import Rewound, Speculation
from .stream import Stream


class GpuExecutor(Stepper):
    """Runs one process on a GPU that it may share with others; see the module's words."""

    def __init__(self, memory: Memory, ports: Ports, gpu: Gpu, on_host: OnHost) -> None:
        """``memory`` is a validated program's; ``ports`` what the kernel grants it; ``on_host`` the
        CPU's way to fill d of a plan, from memory or from a port's message."""
        kit, journal = Kit(gpu), Journal(memory)
        stream = Stream(kit)
        state = GpuState(memory, ports, journal)
        super().__init__(state)
        speculation = Speculation(state, kit, stream, journal)
        residency = Residency(memory, kit, stream, journal, speculation.read)
        state.attach(residency, self._count)
        self._parts = Parts(memory, state, kit, stream, journal, residency, speculation, on_host)
        self._residency, self._speculation = residency, speculation
        self._code = residency.of(state.code_row)

    def run(self, slice_fuel: int) -> Stop:
        """Run from SYS.pc until the process stops or the slice is used up; as ``CpuExecutor.run``.

        SYS, headers, TABLE, STACK and CODE are up to date afterwards; see :meth:`settle`.  Raises
        GpuLost, and GpuOutOfMemory: then the process stands before the instruction that needed
        more, and can go on elsewhere once it is settled.
        """
        state = self._state
        state.load(slice_fuel)
        try:
            stop = self._until_stop()
            self._residency.fetch((self._code,))
        except Rewound as rewound:
            self._forget()
            stop = rewound.stop
        self._parts.stream.wait()
        self._free()
        return state.store(stop)

    def settle(self) -> None:
        """Bring all of the memory's words up to date.  Raises GpuLost."""
        self._residency.fetch_all()
        self._free()

    def close(self) -> None:
        """Give back its memory on the GPU at once, settled or not; it is not run again."""
        self._forget()
        self._parts.stream.close()
        self._residency.close()

    def _until_stop(self) -> Stop:
        try:
            stop = None
            while stop is None:
                stop = self._step()
        except GpuOutOfMemory:
            self._speculation.resolve()
            self._state.sync()
            raise
        self._speculation.resolve()
        return stop

    def _free(self) -> None:
        """Let go of the buffers of matrices that have moved away and been read back."""
        gone = self._residency.take_left()
        if gone:
            self._bound = {
                plan: (fill, looks)
                for plan, (fill, looks) in self._bound.items()
                if not (isinstance(fill, Fill) and fill.rows & gone)
            }
            self._by_meaning.clear()

    def _count(self, rectangle: Strided) -> int:
        """How many elements of a rectangle on the GPU are not zero."""
        from .index import count_nonzero

        parts = self._parts
        row = rectangle.row
        resident = self._residency.of(row)
        self._residency.upload(resident, words_of(rectangle, parts.memory.width)[1])
        operand = operand_of(rectangle, parts.memory.width, parts.kit, self._residency.buffer_of)
        dispatches, counts = count_nonzero(operand, parts.kit)
        parts.stream.make_room()
        parts.stream.record(dispatches, (operand.buffer,))
        (found,) = self._speculation.read([Part(counts, 0, 1)])
        return int(found[0])

    # ---- extending the stepper -----------------------------------------------------------------

    def _step(self) -> Stop | None:
        if not self._code.host_ok:
            self._residency.fetch((self._code,))
        self._speculation.bound()
        return super()._step()

    def _bind(self, plan: Plan, message: Elements | None = None) -> Closure:
        if message is not None:
            return store_message(plan, message, self._parts)
        return Fill(plan, self._parts)

    def _before_port(self) -> None:
        self._speculation.resolve()

    def _commit(self, plan: Plan) -> set[int]:
        journal = self._parts.journal
        if journal.on:
            for address, _ in plan.header:
                journal.words(address, 1)
        if plan.moved is not None:
            self._residency.leave(plan.moved[0])
        return super()._commit(plan)
