"""From a plan to what fills its destination: on the host, or by dispatches recorded for the GPU.

A small instruction between matrices that the host holds is done on the host, so loop counters,
conditions and shapes never leave it.  Everything else is recorded for the GPU, after uploading what
only the host has.  Which it is, is asked anew each time.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from ..elements import Elements
from ..memory import HEADER_PX, Memory
from ..plan_types import Plan, Strided
from ..registers import State
from .binding import bind_plan
from .device import Buffer
from .journal import Journal
from .kit import Kit, TooLarge, Work
from .residency import HOST_WORDS, Residency, Resident
from .speculation import Speculation
from .stream import Stream

#: Fuel up to which an instruction is done on the host if it can be: what it costs there is about
#: what recording a dispatch costs.
HOST_FUEL = 65

Closure = Callable[[], int]
#: The host's own way to fill d of a plan, from memory or from a port's message.
OnHost = Callable[[Memory, Plan, Elements | None], Closure]


@dataclass(frozen=True, slots=True, eq=False)
class Parts:
    """What all fills of one executor work with."""

    memory: Memory
    state: State
    kit: Kit
    stream: Stream
    journal: Journal
    residency: Residency
    speculation: Speculation
    on_host: OnHost


def words_of(rectangle: Strided, width: int) -> tuple[int, int]:
    """First word and the word behind the last that a rectangle touches, from its matrix's data."""
    low, high = rectangle.span()
    if low == high:
        return (0, 0)
    start = rectangle.row * width + HEADER_PX
    return (low // 4 - start, -(-high // 4) - start)


def covers_its_words(plan: Plan) -> bool:
    """Whether a plan writes every byte of the words that d spans without reading any of them."""
    d = plan.d
    assert d is not None
    if plan.op.keeps_shape or any(x.row == d.row for x in plan.inputs):
        return False
    flat = d.rows == 1 or d.row_step == d.cols
    whole = d.unit == 4 or (d.cols % 4 == 0 and d.offset % 4 == 0)
    return flat and whole and (d.cols == 1 or d.col_step == 1)


class Fill:
    """What does one plan.  Calling it gives -1, or the first faulting element as far as that is
    known on the host; a zero divisor found on the GPU raises Rewound later."""

    def __init__(self, plan: Plan, parts: Parts) -> None:
        d = plan.d
        assert d is not None
        self._plan = plan
        self._parts = parts
        width = parts.memory.width
        capacity = -1
        if plan.moved is not None:
            capacity = dict(plan.header)[d.row * width + 3]
        residency = parts.residency
        self._d = residency.of(d.row, capacity)
        self._d_span = words_of(d, width)
        needs: dict[int, int] = {}
        for x in plan.inputs:
            if x.row >= 0:
                needs[x.row] = max(needs.get(x.row, 0), words_of(x, width)[1])
        # Fresh rows are zero on both sides; words that are all written need not be there before.
        fresh = plan.moved is not None or (self._d_span[0] == 0 and covers_its_words(plan))
        if not fresh:
            needs[d.row] = max(needs.get(d.row, 0), self._d_span[1])
        self._needs = [(residency.of(row), need) for row, need in needs.items()]
        self._named = tuple({self._d, *(resident for resident, _ in self._needs)})
        self._small = plan.fuel <= HOST_FUEL and self._d.words <= HOST_WORDS
        self._divisor = plan.inputs[1] if plan.op.char in "/%" else None
        self._closure: Closure | None = None
        self._work: Work | None = None
        self._buffers: tuple[Buffer, ...] = ()
        self._too_large = False

    @property
    def rows(self) -> set[int]:
        """Header rows of the matrices it works on."""
        return {resident.row for resident in self._named}

    def __call__(self) -> int:
        """Do it where it belongs now."""
        if self._small:
            for resident in self._named:
                if not resident.host_ok:
                    break
            else:
                return self._do_on_host()
        if self._work is None and not self._too_large:
            self._bind()
        if self._too_large:
            self._parts.residency.fetch(self._named)
            return self._do_on_host()
        return self._record()

    def _do_on_host(self) -> int:
        parts = self._parts
        if self._closure is None:
            self._closure = parts.on_host(parts.memory, self._plan, None)
        first, last = self._d_span
        parts.journal.words(self._d.start + first, last - first)
        bad = self._closure()
        if bad < 0:
            parts.residency.written_by_host(self._d)
        return bad

    def _bind(self) -> None:
        """Make the dispatches, or find that the device cannot take them."""
        parts, plan = self._parts, self._plan
        apart = [r.words for r in self._named if r is not self._d]
        if not parts.kit.fits(self._d.words, *apart):
            self._too_large = True
            return
        buffer_of = parts.residency.buffer_of
        try:
            self._work = bind_plan(plan, parts.memory.width, parts.kit, buffer_of)
        except TooLarge:
            self._too_large = True
            return
        self._buffers = tuple(buffer_of(resident.row) for resident in self._named)

    def _record(self) -> int:
        parts, work = self._parts, self._work
        assert work is not None
        parts.stream.make_room()
        judged = self._divisor is None or self._host_knows(self._divisor)
        if self._divisor is not None and judged:
            bad = parts.state.bad_divisor(self._plan)
            if bad >= 0:
                return bad
        for resident, need in self._needs:
            parts.residency.upload(resident, need)
        if work.copies:
            parts.stream.record(work.copies, self._buffers)
        if not judged:
            parts.speculation.check(self._plan)
            parts.stream.record(work.check, ())
        parts.stream.record(work.do, self._buffers)
        parts.residency.written_by_gpu(self._d, self._d_span[1])
        return -1

    def _host_knows(self, divisor: Strided) -> bool:
        """Whether the host can look for zeros at once."""
        if divisor.row < 0:
            return True
        return divisor.count <= HOST_WORDS and self._parts.residency.of(divisor.row).host_ok


def store_message(plan: Plan, message: Elements, parts: Parts) -> Closure:
    """What stores a port's message: always on the host, where it comes from."""
    d = plan.d
    assert d is not None
    residency, memory = parts.residency, parts.memory
    capacity = dict(plan.header)[d.row * memory.width + 3] if plan.moved is not None else -1
    target: Resident = residency.of(d.row, capacity)
    first, last = words_of(d, memory.width)

    def store() -> int:
        if covers_its_words(plan):
            residency.overwrite(target, first, last - first)
        else:
            residency.fetch((target,))
        bad = parts.on_host(memory, plan, message)()
        residency.written_by_host(target)
        return bad

    return store
