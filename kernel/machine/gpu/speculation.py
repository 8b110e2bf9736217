"""Going on before it is known whether a division on the GPU found a zero.

A division that the host cannot judge becomes a check on the GPU, and the host goes on as if it had
passed.  Kernels after a failed check do nothing, so only what the host itself did must be undone:
headers, the call stack, elements of small matrices, who holds which copy.  The journal has it all.
Which check failed is read together with whatever else is read, and before anything of the process
can be seen from outside: at a port, at a stop, at the end of a slice.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from ..fault import Stop
from ..plan_place import MAX_DETAIL
from ..plan_types import Plan
from ..registers import State
from .device import Part
from .journal import Journal
from .kit import Kit
from .stream import Stream

#: Dispatches after which the fault words are read at the latest, if a check is open.
MOST_UNREAD = 4096


class Rewound(Exception):  # noqa: N818 - it is news, no error
    """An instruction that was thought done has faulted: the memory and the registers are as they
    were before it.  ``stop``: its fault."""

    def __init__(self, stop: Stop) -> None:
        super().__init__(stop)
        self.stop = stop


class _Check(NamedTuple):
    """The registers at a division, the journal's position, columns of its result and divisor."""

    pc: int
    depth: int
    fuel: int
    left: int
    done: int
    position: int
    result_cols: int
    divisor_cols: int


class Speculation:
    """The checks of one executor that are still open."""

    def __init__(self, state: State, kit: Kit, stream: Stream, journal: Journal) -> None:
        self._state = state
        self._kit = kit
        self._stream = stream
        self._journal = journal
        self._open: list[_Check] = []
        self._passed = 0

    def check(self, plan: Plan) -> None:
        """The division at pc is checked by what is recorded next."""
        state = self._state
        self._open.append(
            _Check(
                state.pc,
                state.depth,
                state.fuel,
                state.left,
                state.done,
                self._journal.position,
                plan.shape[1],
                plan.inputs[1].cols,
            )
        )
        self._journal.on = True

    def resolve(self) -> None:
        """Wait for the open checks; raises Rewound if one failed."""
        if self._open:
            self.read(())

    def bound(self) -> None:
        """Resolve if too much rests on open checks: between two instructions."""
        if self._open and (self._stream.unread >= MOST_UNREAD or self._journal.full):
            self.read(())

    def read(self, parts: Sequence[Part]) -> list[np.ndarray]:
        """The words of parts of buffers, after all that is recorded, no check being open any more.

        Raises Rewound if a check failed.
        """
        fault, found = self._stream.read(parts)
        if fault[0]:
            self._rewind(int(fault[1]), int(fault[2]))
        self._passed += len(self._open)
        self._open.clear()
        self._journal.clear()
        return found

    def _rewind(self, element: int, passed: int) -> None:
        """Go back to the first failed check, which found a zero at ``element`` of its divisor."""
        failed = self._open[(passed - self._passed) & 0xFFFF_FFFF]
        self._journal.undo(failed.position)
        self._journal.clear()
        self._open.clear()
        self._passed = 0
        self._kit.reset_fault()
        state = self._state
        state.pc, state.depth = failed.pc, failed.depth
        state.fuel, state.left, state.done = failed.fuel, failed.left, failed.done
        row, col = divmod(element, failed.divisor_cols)
        detail = min(row * failed.result_cols + col, MAX_DETAIL)
        raise Rewound(Stop("/", failed.pc, detail))
