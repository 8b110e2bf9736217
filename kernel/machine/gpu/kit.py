"""What passes between the executor and the families: operands, jobs, dispatches, and the kit.

The plan (``kernel.machine.plan``) decides everything that does not look at elements.  The
executor turns each of its rectangles into an :class:`Operand` in a buffer and hands a :class:`Job`
to the ``bind`` of the instruction's family, once; what it gets back, a :class:`Work`, is recorded
each time the instruction runs.  So a family may keep whatever depends on shapes, addresses and
scales, and must leave elements to the shaders.

A family module exports ``bind(job, kit) -> Work``.  Rules that the executor keeps:

* d has elements.  All rules of shape and kind have been checked; only division by zero is left.
* An input that shares memory with d in a harmful way was copied and looks apart.  The families in
  :data:`POINTWISE` read the very element that they write, so they may be given d itself.
* Operands in d's own buffer are marked FROM_D; small integers lie in a buffer of constants.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from typing import Any, NamedTuple

import numpy as np

from ..isa import Op
from ..plan_types import APART
from .device import Buffer, Gpu, GpuError
from .shaders import (
    COUNTS,
    FAULT,
    MAX_WINDOWS,
    PARAMS,
    SCRATCH,
    WHOLE,
    A,
    B,
    D,
    Windows,
    source,
    window_numbers,
    writes_faults,
)

#: Invocations of a workgroup of a linear grid.
GROUP = 256
#: Words of a dispatch's parameters (``Params`` in access.wgsl), and how many of them are extras.
PARAM_WORDS, EXTRA_WORDS = 64, 20
#: Words that a group of ``copy_words`` copies.
COPY_WORDS = 4 * GROUP
#: Parameter blocks of one buffer.
BLOCKS = 1024
#: Elements from which a family may compile pipelines for the very kinds and strides of a job.
SPECIALISE = 1 << 16
#: Instructions whose family may be handed d itself as an input.
POINTWISE = frozenset(("arith", "bits", "functions"))
POINTWISE_OPS = frozenset("?O")

FROM_D = 1


class TooLarge(GpuError):  # noqa: N818 - says what is the case
    """An instruction needs more than the device can bind at once: it is done on the host."""


@dataclass(frozen=True, slots=True)
class Operand:
    """A strided rectangle in a buffer; the fields of ``Operand`` in access.wgsl.

    ``offset``, ``row_step``, ``col_step`` in units (``unit`` 4 or 1 bytes) from the start of
    ``buffer``; a step is 0 where the dimension is 1.  ``cls``: I X T P Q.  ``lies``: to d (APART,
    OVERLAPS or SAME); after harmful overlaps were copied.
    """

    cls: str
    rows: int
    cols: int
    unit: int
    offset: int
    row_step: int
    col_step: int
    buffer: Buffer
    leaf: int = 0
    scale_bits: int = 0
    offset_bits: int = 0
    lies: int = APART
    from_d: bool = False

    @property
    def count(self) -> int:
        """Number of elements."""
        return self.rows * self.cols

    @property
    def is_flat(self) -> bool:
        """Whether row-major order is memory order without gaps, or it is one element."""
        rows_on = self.rows <= 1 or self.row_step == self.cols
        return (self.cols <= 1 or self.col_step == 1) and rows_on

    def words(self) -> list[int]:
        """The 12 words of its WGSL struct, modulo 2^32."""
        fields = (
            self.offset,
            self.row_step if self.rows != 1 else 0,
            self.col_step if self.cols != 1 else 0,
            self.rows,
            self.cols,
            ord(self.cls),
            self.unit,
            FROM_D if self.from_d else 0,
            self.leaf,
            self.scale_bits,
            self.offset_bits,
            0,
        )
        return [word & 0xFFFFFFFF for word in fields]

    def flattened(self) -> Operand:
        """The same elements as one row; only if ``is_flat``."""
        return replace(self, rows=1, cols=self.count, row_step=0)


@dataclass(frozen=True, slots=True)
class Job:
    """One planned instruction, as ``Binder`` gets it on the CPU, but with buffers.

    ``shape``: rows and columns of the result in the units of the mode, before it is broadcast to d
    (for instructions that keep d's shape: d's).
    """

    op: Op
    pixel: bool
    literal: int
    shape: tuple[int, int]
    d: Operand
    inputs: tuple[Operand, ...]
    #: The result itself, row-major, where headers alone decide it (``#`` and ``$``).
    constants: tuple[int, ...] = ()

    @property
    def a(self) -> Operand:
        """The first input."""
        return self.inputs[0]

    @property
    def b(self) -> Operand:
        """The second input."""
        return self.inputs[1]

    @property
    def count(self) -> int:
        """Elements of the result."""
        return self.shape[0] * self.shape[1]


@dataclass(eq=False, slots=True)
class Dispatch:
    """One recorded kernel: ``call`` is what ``Gpu.submit`` takes.

    ``fusable``: what ``fuse`` knows of an element-by-element dispatch, else None.  ``keep``:
    objects that must live as long as it does.
    """

    call: tuple[Any, Any, int, int]
    fusable: object = None
    keep: tuple[object, ...] = ()


class Work(NamedTuple):
    """The dispatches of an instruction: ``copies`` of operands that d overlaps (``binding``'s, not
    the family's), then ``check``, which finds its faults, then what fills d."""

    do: tuple[Dispatch, ...]
    check: tuple[Dispatch, ...] = ()
    copies: tuple[Dispatch, ...] = ()


Binder = Callable[[Job, "Kit"], Work]


@dataclass(eq=False)
class _Blocks:
    """A buffer of parameter blocks on its way to the GPU."""

    buffer: Buffer
    words: np.ndarray = field(default_factory=lambda: np.zeros((BLOCKS, PARAM_WORDS), np.uint32))
    used: int = 0
    sent: int = 0


class Shared:
    """What all executors on one Gpu share: pipelines, scratch, constants, parameter blocks."""

    def __init__(self, gpu: Gpu) -> None:
        self.gpu = gpu
        self.pipelines: dict[tuple[object, ...], Any] = {}
        self.dummies = [gpu.buffer(4) for _ in range(5)]
        self.pools: dict[tuple[str, int, int], Buffer] = {}
        self.constants: dict[bytes, Buffer] = {}
        self.blocks: _Blocks | None = None
        self.unsent: list[_Blocks] = []

    def block(self, words: Iterable[int]) -> tuple[_Blocks, int]:
        """A parameter block holding ``words``, sent with the next submit; its byte offset."""
        with self.gpu.lock:
            blocks = self.blocks
            if blocks is None or blocks.used == BLOCKS:
                blocks = self.blocks = _Blocks(self.gpu.buffer(BLOCKS * PARAM_WORDS))
            number = blocks.used
            listed = list(words)
            blocks.words[number, : len(listed)] = listed
            blocks.used += 1
            if blocks not in self.unsent:
                self.unsent.append(blocks)
            return blocks, number * PARAM_WORDS * 4

    def send(self) -> None:
        """Write the parameter blocks that are not on the GPU yet; before a submit."""
        with self.gpu.lock:
            for blocks in self.unsent:
                part = blocks.words[blocks.sent : blocks.used]
                self.gpu.write(blocks.buffer, blocks.sent * PARAM_WORDS, part.ravel())
                blocks.sent = blocks.used
            self.unsent.clear()


def shared(gpu: Gpu) -> Shared:
    """The :class:`Shared` of a Gpu, made when it is first asked for; it goes with the Gpu."""
    with gpu.lock:
        found = gpu.companion
        if not isinstance(found, Shared):
            found = gpu.companion = Shared(gpu)
        return found


class Kit:
    """Makes dispatches for one executor, whose fault words are ``fault``."""

    def __init__(self, gpu: Gpu) -> None:
        self.gpu = gpu
        self.shared = shared(gpu)
        #: [0] whether it faulted, [1] least element found by a check, [2] checks passed.
        self.fault = gpu.buffer(4)
        self.reset_fault()

    def reset_fault(self) -> None:
        """No fault, nothing checked: before anything is submitted, or after a fault was seen."""
        self.gpu.write(self.fault, 0, np.array([0, 0xFFFFFFFF, 0, 0], np.uint32))

    # ---- buffers -------------------------------------------------------------------------------

    def scratch(self, words: int, slot: int = 0) -> Buffer:
        """Scratch words (at least so many), shared by all instructions and undefined at first.

        Buffers of different ``slot`` differ.  Raises TooLarge beyond a binding.
        """
        return self._pooled("scratch", words, slot)

    def counts(self, words: int, slot: int = 0) -> Buffer:
        """The same for the atomic binding."""
        return self._pooled("counts", words, slot)

    def temporary(self, words: int, slot: int) -> Buffer:
        """The same for copies of operands: may be larger than a binding."""
        return self._pooled("copy", words, slot)

    def _pooled(self, use: str, words: int, slot: int) -> Buffer:
        size = 1 << max(8, (max(words, 1) - 1).bit_length())
        if use != "copy":
            if words > self.gpu.binding_words:
                raise TooLarge(f"{words} words of scratch are more than one binding")
            size = min(size, self.gpu.binding_words)
        size = max(words, min(size, self.gpu.buffer_words))
        key = (use, size, slot)
        with self.gpu.lock:
            found = self.shared.pools.get(key)
            if found is None:
                found = self.shared.pools[key] = self.gpu.buffer(size)
            return found

    def constant(self, words: np.ndarray) -> Buffer:
        """A buffer holding ``words`` (uint32), the same one for the same words."""
        plain = np.ascontiguousarray(words, np.uint32)
        key = plain.tobytes()
        with self.gpu.lock:
            found = self.shared.constants.get(key)
            if found is None:
                found = self.shared.constants[key] = self.gpu.buffer(plain.size)
                self.gpu.write(found, 0, plain.ravel())
            return found

    # ---- dispatches ----------------------------------------------------------------------------

    def dispatch(
        self,
        name: str,
        entry: str,
        *,
        job: Job | None = None,
        items: int = 0,
        groups: tuple[int, int] | None = None,
        extra: Iterable[int] = (),
        constants: dict[str, int] | None = None,
        d: Operand | Buffer | None = None,
        a: Operand | Buffer | None = None,
        b: Operand | Buffer | None = None,
        scratch: Buffer | None = None,
        counts: Buffer | None = None,
        shape: tuple[int, int] | None = None,
        row_words: int = 0,
        fusable: object = None,
    ) -> Dispatch:
        """Entry point ``entry`` of ``name``.wgsl over ``items`` invocations, or ``groups``.

        d, a and b come from ``job`` where they are not given; a Buffer is bound as it is, without a
        rectangle.  Raises TooLarge where the device cannot bind this.
        """
        if job is not None:
            d = job.d if d is None else d
            a = job.inputs[0] if a is None and job.inputs else a
            b = job.inputs[1] if b is None and len(job.inputs) > 1 else b
            shape = job.shape if shape is None else shape
        rows, cols = shape or (0, 0)
        words: list[int] = []
        for operand in (d, a, b):
            words += operand.words() if isinstance(operand, Operand) else [0] * 12
        listed = [word & 0xFFFFFFFF for word in extra]
        if len(listed) > EXTRA_WORDS:
            raise ValueError(f"{len(listed)} extra words are more than {EXTRA_WORDS}")
        op = 0 if job is None else ord(job.op.char)
        literal = 0 if job is None else job.literal
        words += [rows, cols, op, literal, items, row_words, 0, 0, *listed]
        blocks, offset = self.shared.block(words)

        buffers = [self._own(operand) for operand in (d, a, b)]
        windows = self._windows(buffers)._replace(checks=writes_faults(name))
        pipeline = self._pipeline(name, entry, windows, constants or {})
        group = self._group(windows, buffers, (blocks.buffer, offset), scratch, counts)
        if groups is None:
            groups = self.grid(-(-items // GROUP))
        keep = (blocks, *buffers, scratch, counts)
        return Dispatch((pipeline, group, *groups), fusable, keep)

    def grid(self, count: int) -> tuple[int, int]:
        """``count`` workgroups as x and y; kernels take the linear number and stop at the end."""
        most = self.gpu.max_groups
        if count <= most:
            return count, 1
        if count > most * most:
            raise TooLarge(f"{count} workgroups are more than a grid has")
        return most, -(-count // most)

    def pull(
        self,
        name: str,
        job: Job,
        *,
        constants: dict[str, int] | None = None,
        extra: Iterable[int] = (),
        fusable: object = None,
        **buffers: Any,
    ) -> Dispatch:
        """The ``pull`` entry of a family that defines ``element``: one invocation a word of d."""
        items, row_words = pull_items(job.d)
        return self.dispatch(
            name,
            "pull",
            job=job,
            items=items,
            row_words=row_words,
            constants=constants,
            extra=extra,
            fusable=fusable,
            **buffers,
        )

    def finish_sums(self, job: Job, scratch: Buffer, fraction: int, raw: bool = False) -> Dispatch:
        """Finish the exact 64-bit results in ``scratch`` into d; see finish_sums.wgsl."""
        return self.pull("finish_sums", job, extra=(fraction, int(raw)), scratch=scratch)

    def clear_counts(self, buffer: Buffer, words: int, value: int = 0) -> Dispatch:
        """Set the first ``words`` words of an atomic buffer."""
        return self.dispatch("service", "clear_counts", items=words, extra=(value,), counts=buffer)

    def clear_scratch(self, buffer: Buffer, words: int, value: int = 0) -> Dispatch:
        """Set the first ``words`` words of a scratch buffer."""
        return self.dispatch(
            "service", "clear_scratch", items=words, extra=(value,), scratch=buffer
        )

    def copy(self, source: Buffer, start: int, to: Buffer, at: int, words: int) -> Dispatch:
        """Copy words from one buffer to another."""
        return self.dispatch(
            "service",
            "copy_words",
            items=words,
            groups=self.grid(-(-words // COPY_WORDS)),
            extra=(start, at),
            a=source,
            d=to,
        )

    def verdict(self) -> Dispatch:
        """What must follow every check."""
        return self.dispatch("verdict", "verdict", groups=(1, 1))

    def fits(self, d_words: int, *input_words: int) -> bool:
        """Whether the device can bind operands in buffers of so many words at once."""
        try:
            self._count_windows([d_words, *input_words])
        except TooLarge:
            return False
        return all(words <= self.gpu.buffer_words for words in (d_words, *input_words))

    # ---- inside --------------------------------------------------------------------------------

    @staticmethod
    def _own(operand: Operand | Buffer | None) -> Buffer | None:
        """The buffer to bind for an operand; None if it is read through d."""
        if isinstance(operand, Operand):
            return None if operand.from_d else operand.buffer
        return operand

    def _count_windows(self, sizes: list[int]) -> list[int]:
        counts = [max(1, -(-size // self.gpu.binding_words)) for size in sizes]
        room = self.gpu.bindings - 7
        if max(counts) > MAX_WINDOWS or sum(counts) - len(counts) > room:
            raise TooLarge(f"operands of {sizes} words need more bindings than the device has")
        return counts

    def _windows(self, buffers: list[Buffer | None]) -> Windows:
        counts = self._count_windows([0 if x is None else x.words for x in buffers])
        if max(counts) == 1:
            return WHOLE
        return Windows(counts[0], counts[1], counts[2], self.gpu.binding_words)

    def _pipeline(self, name: str, entry: str, windows: Windows, constants: dict[str, int]) -> Any:
        key = (name, entry, windows, tuple(sorted(constants.items())))
        with self.gpu.lock:
            found = self.shared.pipelines.get(key)
            if found is None:
                found = self.shared.pipelines[key] = self.gpu.pipeline(
                    source(name, windows), entry, windows.bindings, constants
                )
            return found

    def _group(
        self,
        windows: Windows,
        buffers: list[Buffer | None],
        params: tuple[Buffer, int],
        scratch: Buffer | None,
        counts: Buffer | None,
    ) -> Any:
        dummies = self.shared.dummies
        parts: list[tuple[int, Buffer, int, int]] = [
            (PARAMS, params[0], params[1], 4 * PARAM_WORDS),
            (FAULT, self.fault, 0, 16),
        ]
        for number, buffer, dummy in ((SCRATCH, scratch, 3), (COUNTS, counts, 4)):
            used = buffer or dummies[dummy]
            parts.append((number, used, 0, 4 * used.words))  # never more than a binding
        step = windows.window_words
        for name, number, buffer, count in zip("dab", (D, A, B), buffers, windows[:3], strict=True):
            used = buffer or dummies[number]
            for window, place in enumerate(window_numbers(name, count)):
                size = min(used.words - window * step, step) if count > 1 else used.words
                parts.append((place, used, 4 * window * step, 4 * size))
        return self.gpu.bind_group(windows.bindings, parts)


def pull_items(d: Operand) -> tuple[int, int]:
    """Invocations that fill d, and for a d of bytes the words that each row of it touches."""
    if d.unit == 4:
        return d.count, 0
    span = (d.cols - 1) * abs(d.col_step) + 1 if d.cols > 1 else 1
    low = d.offset + (min(d.col_step, 0) * (d.cols - 1) if d.cols > 1 else 0)
    row_words = ((low & 3) + span + 3) // 4
    return d.rows * row_words, row_words
