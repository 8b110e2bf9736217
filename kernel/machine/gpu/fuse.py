"""Runs of element-by-element dispatches become single kernels.

A filter chain of ten instructions on a picture is ten passes over memory, and memory is what bounds
them.  :func:`join` takes what is about to be submitted and replaces each run of consecutive
dispatches over the same grid by one kernel (written by :mod:`.lanes`) that reads every input once,
computes the instructions one after the other in registers, and writes each result once.

That is the same, word for word, because

* every intermediate is finished to its matrix's kind as if it were stored, and registers hold raw
  elements, so another class may look at them;
* an input that is the very rectangle that an earlier instruction of the run wrote comes from its
  register; one that overlaps such a rectangle otherwise ends the run, and so does a result that
  overlaps what the run reads or writes elsewhere (an invocation sees no other's elements);
* a result that a later instruction of the run overwrites at the same rectangle is seen by nobody
  else, so it is not written;
* whatever is not element by element, checks of divisors among it, ends a run and keeps its place.

Two matrices never share a buffer, so only rectangles in one buffer can overlap.

Writing a kernel costs tens of milliseconds, so what becomes of dispatches is remembered.  A run
never reaches into the next *turn* of a loop, which starts where a dispatch comes for the second
time.  That place is remembered as well, so turns are alike wherever batches begin and end.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import lru_cache

import numpy as np

from ..isa import BY_CHAR, SMALL_MAX, SMALL_MIN
from .device import Buffer
from .kit import Dispatch, Job, Kit, Operand
from .lanes import MAX_BUFFERS, Kernel, Source, Value, fits_params, kernel_dispatch, one_by_one

#: Elements from which a dispatch may be part of a run, and so have a kernel written for it.
FUSE_FROM = 1 << 16
#: Instructions that one kernel may do.
MAX_STEPS = 32
#: Elements from which a kernel is written at once; for fewer, when the same turn comes again.
AT_ONCE_FROM = 1 << 20
#: Turns that are remembered with their first dispatch.
MAX_REMEMBERED = 8

#: A rectangle as a key: buffer, offset, rows, columns, unit, steps.
Key = tuple[int, int, int, int, int, int, int]


@dataclass(eq=False, slots=True)
class _Turn:
    """A sequence of different dispatches that was met, and what to submit instead, once known.

    ``others`` are all but the first: they are kept alive, so that their identities stay theirs.
    """

    others: tuple[Dispatch, ...]
    fused: list[Dispatch] | None = None


@dataclass(eq=False, slots=True)
class Step:
    """What ``Dispatch.fusable`` is: one instruction on operands in buffers.

    ``pixel``: words are moved unchanged.  ``smalls``: for each input its value if it is a small
    integer.  ``table``: the tables of the
    functions.  ``turns``: those that began with this step, by the identities of their dispatches.
    ``seen``: it was submitted before.  ``starts``: a turn starts with it.
    """

    char: str
    pixel: bool
    d: Operand
    inputs: tuple[Operand, ...]
    smalls: tuple[int | None, ...]
    table: Buffer | None = None
    turns: dict[tuple[int, ...], _Turn] = field(default_factory=dict)
    seen: bool = False
    starts: bool = False

    def sources(self) -> list[tuple[Operand, int | None]]:
        """All that is read, with its value if it is a small integer; Select reads d as well."""
        found = list(zip(self.inputs, self.smalls, strict=True))
        return [*found, (self.d, None)] if self.char == "?" else found


def small_value(operand: Operand, kit: Kit) -> int | None:
    """The value of a small integer, which lies in ``binding``'s buffer of them all; else None."""
    if operand.buffer is kit.constant(_small_numbers()):
        return SMALL_MIN + operand.offset
    return None


@lru_cache(maxsize=1)
def _small_numbers() -> np.ndarray:
    return np.arange(SMALL_MIN, SMALL_MAX + 1, dtype=np.int32).view(np.uint32)


def step(job: Job, kit: Kit, table: Buffer | None = None) -> Step | None:
    """The step of an element-by-element job, or None if it must be done by itself.

    Such are the families arith, bits and functions (``table``: theirs), and Select.  The job must
    be large enough (:data:`FUSE_FROM`), its d of words, or of bytes in order whose rows start with
    words, and all its buffers small enough for one binding.
    """
    d = job.d
    if d.count < FUSE_FROM or not (d.unit == 4 or one_by_one(d)):
        return None
    if any(x.buffer.words > kit.gpu.binding_words for x in (d, *job.inputs)):
        return None
    smalls = tuple(small_value(operand, kit) for operand in job.inputs)
    return Step(job.op.char, job.pixel, d, job.inputs, smalls, table)


def join(dispatches: Sequence[Dispatch], kit: Kit) -> list[Dispatch]:
    """The same work with runs of fusable dispatches replaced; for dispatches of this kit alone.

    What a turn became is remembered as long as its first dispatch lives, so a loop pays once.
    """
    result: list[Dispatch] = []
    turn: list[Dispatch] = []
    met: set[int] = set()
    for dispatch in dispatches:
        here = None if dispatch.fusable is None else _step_of(dispatch)
        if turn and (here is None or here.starts or id(dispatch) in met):
            if here is not None:
                here.starts = True
            result += _joined(turn, kit)
            turn = []
            met.clear()
        if here is None:
            result.append(dispatch)
            continue
        here.starts |= not turn and not here.seen
        here.seen = True
        turn.append(dispatch)
        met.add(id(dispatch))
    return result + _joined(turn, kit) if turn else result


def _joined(dispatches: list[Dispatch], kit: Kit) -> list[Dispatch]:
    """What to submit for a turn."""
    first = _step_of(dispatches[0])
    key = tuple(map(id, dispatches))
    turn = first.turns.get(key)
    if turn is None:
        if len(first.turns) >= MAX_REMEMBERED:
            first.turns.clear()
        turn = first.turns[key] = _Turn(tuple(dispatches[1:]))
        if all(_step_of(dispatch).d.count < AT_ONCE_FROM for dispatch in dispatches):
            return dispatches
    if turn.fused is None:
        turn.fused = _fused(dispatches, kit)
    return turn.fused


def _step_of(dispatch: Dispatch) -> Step:
    found = dispatch.fusable
    assert isinstance(found, Step)
    return found


def _fused(dispatches: list[Dispatch], kit: Kit) -> list[Dispatch]:
    """One dispatch for each run of a turn, the longest first runs that the rules allow."""
    run = _Run(_step_of(dispatches[0]), kit)
    result = []
    for dispatch in dispatches[1:]:
        wanted = _step_of(dispatch)
        if not run.take(wanted):
            result.append(kernel_dispatch(run.kernel(), kit))
            run = _Run(wanted, kit)
    return [*result, kernel_dispatch(run.kernel(), kit)]


class _Run:
    """Steps that become one kernel."""

    def __init__(self, first: Step, kit: Kit) -> None:
        self._rows, self._cols = first.d.rows, first.d.cols
        self._most_buffers = min(MAX_BUFFERS, kit.gpu.bindings - 2)
        self._sources: dict[Key | int, Source] = {}
        self._values: dict[Key | int, str] = {}
        self._written: dict[Key, Operand] = {}
        self._lines: list[Value] = []
        self._table: Buffer | None = None
        self._add(first)

    def take(self, wanted: Step) -> bool:
        """Add a step, if it may be part of this run."""
        d = wanted.d
        if (d.rows, d.cols) != (self._rows, self._cols) or len(self._lines) >= MAX_STEPS:
            return False
        target = key_of(d)
        news = [
            operand
            for operand, small in wanted.sources()
            if small is None and key_of(operand) not in self._values
        ]
        written = list(self._written.values())
        if any(_meet(operand, other) for operand in news for other in written):
            return False
        read = [s.operand for s in self._sources.values() if s.operand is not None]
        others = [x for x in (*read, *written, *news) if key_of(x) != target]
        if any(_meet(d, other) for other in others):
            return False
        if not self._has_room(wanted, news):
            return False
        self._add(wanted)
        return True

    def _has_room(self, wanted: Step, news: list[Operand]) -> bool:
        operands = [s.operand for s in self._sources.values() if s.operand is not None]
        operands += [*self._written.values(), *news, wanted.d]
        buffers = {id(x.buffer) for x in operands}
        tables = int(wanted.table is not None or self._table is not None)
        smalls = {key for key in self._sources if isinstance(key, int)}
        smalls.update(small for small in wanted.smalls if small is not None)
        return len(buffers) + tables <= self._most_buffers and fits_params(
            len({key_of(x) for x in operands}) + len(operands), len(smalls)
        )

    def _add(self, wanted: Step) -> None:
        kind = kind_of(wanted.d)
        arguments = []
        for operand, small in wanted.sources():
            register = self._register(operand, small)
            arguments.append((register, kind if wanted.pixel else kind_of(operand)))
        target, name = key_of(wanted.d), f"v{len(self._lines)}"
        op = BY_CHAR[wanted.char]
        function = "op_" + op.name.lower().replace(" ", "_")
        part = "finish" if op.family == "move" else op.family
        self._lines.append(Value(name, part, function, tuple(arguments), kind))
        self._values[target] = name
        self._written[target] = wanted.d
        self._table = wanted.table or self._table

    def _register(self, operand: Operand, small: int | None) -> str:
        """The register that holds an input; it is loaded if no register does."""
        key: Key | int = key_of(operand) if small is None else small
        if key not in self._values:
            name = f"x{len(self._sources)}"
            self._sources[key] = Source(name, operand if small is None else None, small or 0)
            self._values[key] = name
        return self._values[key]

    def kernel(self) -> Kernel:
        """What is to be written."""
        return Kernel(
            self._rows,
            self._cols,
            tuple(self._sources.values()),
            tuple(self._lines),
            tuple((self._values[key], d) for key, d in self._written.items()),
            self._table,
        )


def key_of(operand: Operand) -> Key:
    """A rectangle's identity: equal keys are the same elements in the same order."""
    return (
        id(operand.buffer),
        operand.offset,
        operand.rows,
        operand.cols,
        operand.unit,
        operand.row_step if operand.rows != 1 else 0,
        operand.col_step if operand.cols != 1 else 0,
    )


def kind_of(operand: Operand) -> str:
    """The class that decides how an element is read or finished; all bytes are T."""
    return operand.cls if operand.unit == 4 else "T"


def _meet(one: Operand, other: Operand) -> bool:
    """Whether two rectangles may share a word."""
    if one.buffer is not other.buffer:
        return False
    (low, high), (least, most) = _span(one), _span(other)
    return low < most and least < high


def _span(operand: Operand) -> tuple[int, int]:
    """First word and the word behind the last that any element touches."""
    down = (operand.rows - 1) * operand.row_step if operand.rows > 1 else 0
    right = (operand.cols - 1) * operand.col_step if operand.cols > 1 else 0
    low = operand.offset + min(down, 0) + min(right, 0)
    high = operand.offset + max(down, 0) + max(right, 0)
    return (low * operand.unit // 4, high * operand.unit // 4 + 1)
