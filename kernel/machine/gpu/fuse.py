"""Runs of element-by-element dispatches become single kernels.

A filter chain of ten instructions on a picture is ten passes over memory, and memory is what bounds
them.  :func:`join` takes what is about to be submitted and replaces each run of consecutive dispatches
over the same grid by one kernel (written by :mod:`.lanes`) that reads every input once, computes the
instructions one after the other in registers, and writes each result once.

That is the same, word for word, because

* every intermediate is finished to its matrix's kind as if it were stored, and registers hold raw
  elements, so another class may look at them;
* an input that is the very rectangle that an earlier instruction of the run wrote comes from its
  register; one that overlaps such a rectangle otherwise ends the run, and so does a result that
  overlaps what the run reads or writes elsewhere (an invocation sees no other's elements);
* a result that a later instruction of the run overwrites at the same rectangle is seen by nobody else,
  so it is not written;
* whatever is not element by element, checks of divisors among it, ends a run and keeps its place.

Two matrices never share a buffer, so only rectangles in one buffer can overlap.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from ..isa import BY_CHAR
from .device import Buffer
from .kit import Dispatch, Job, Kit, Operand
from .lanes import MAX_BUFFERS, Kernel, Source, Value, fits_params, kernel_dispatch, one_by_one

#: Elements from which a dispatch may be part of a run, and so have a kernel written for it.
FUSE_FROM = 1 << 16
#: Instructions that one kernel may do.
MAX_STEPS = 32
#: Runs that are remembered with their first dispatch.
MAX_REMEMBERED = 8

#: A rectangle as a key: buffer, offset, rows, columns, unit, steps.
Key = tuple[int, int, int, int, int, int, int]


@dataclass(eq=False, slots=True)
class Step:
    """What ``Dispatch.fusable`` is: one instruction on operands in buffers.

    ``smalls``: for each input its value if it is a small integer.  ``table``: the tables of the
    functions.  ``joined``: runs that began with this step, by the identities of their dispatches.
    """

    char: str
    d: Operand
    inputs: tuple[Operand, ...]
    smalls: tuple[int | None, ...]
    table: Buffer | None = None
    joined: dict[tuple[int, ...], tuple[tuple[Dispatch, ...], list[Dispatch]]] = field(
        default_factory=dict
    )


def step(job: Job, smalls: tuple[int | None, ...], table: Buffer | None, kit: Kit) -> Step | None:
    """The step of an element-by-element job, or None if it must be done by itself.

    It must be large enough (:data:`FUSE_FROM`), its d of words, or of bytes in order whose rows start
    with words, and all its buffers small enough for one binding.
    """
    d = job.d
    if d.count < FUSE_FROM or not (d.unit == 4 or one_by_one(d)):
        return None
    if any(x.buffer.words > kit.gpu.binding_words for x in (d, *job.inputs)):
        return None
    return Step(job.op.char, d, job.inputs, smalls, table)


def join(dispatches: Sequence[Dispatch], kit: Kit) -> list[Dispatch]:
    """The same work with runs of fusable dispatches replaced; for dispatches of this kit alone.

    What a run became is remembered as long as its first dispatch lives, so a loop pays once.
    """
    result: list[Dispatch] = []
    segment: list[Dispatch] = []
    for dispatch in dispatches:
        if dispatch.fusable is not None:
            segment.append(dispatch)
            continue
        if segment:
            result += _joined(tuple(segment), kit)
            segment = []
        result.append(dispatch)
    if segment:
        result += _joined(tuple(segment), kit)
    return result


def _joined(segment: tuple[Dispatch, ...], kit: Kit) -> list[Dispatch]:
    first = segment[0].fusable
    assert isinstance(first, Step)
    # The others are kept alive beside the result, so that their identities stay theirs.
    key = tuple(map(id, segment))
    found = first.joined.get(key)
    if found is None:
        if len(first.joined) >= MAX_REMEMBERED:
            first.joined.clear()
        found = first.joined[key] = segment[1:], _fused(segment, kit)
    return found[1]


def _fused(segment: tuple[Dispatch, ...], kit: Kit) -> list[Dispatch]:
    """One dispatch for each run of a segment, the longest first runs that the rules allow."""
    result = []
    run: _Run | None = None
    for dispatch in segment:
        wanted = dispatch.fusable
        assert isinstance(wanted, Step)
        if run is None or not run.take(wanted):
            if run is not None:
                result.append(kernel_dispatch(run.kernel(), kit))
            run = _Run(wanted, kit)
    assert run is not None
    result.append(kernel_dispatch(run.kernel(), kit))
    return result


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
            for operand, small in zip(wanted.inputs, wanted.smalls, strict=True)
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
        arguments = []
        for operand, small in zip(wanted.inputs, wanted.smalls, strict=True):
            key: Key | int = key_of(operand) if small is None else small
            if key not in self._values:
                name = f"x{len(self._sources)}"
                kept = operand if small is None else None
                self._sources[key] = Source(name, kept, small or 0)
                self._values[key] = name
            arguments.append((self._values[key], kind_of(operand)))
        target, name = key_of(wanted.d), f"v{len(self._lines)}"
        function = "op_" + BY_CHAR[wanted.char].name.lower().replace(" ", "_")
        family = BY_CHAR[wanted.char].family
        self._lines.append(Value(name, family, function, tuple(arguments), kind_of(wanted.d)))
        self._values[target] = name
        self._written[target] = wanted.d
        self._table = wanted.table or self._table

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
