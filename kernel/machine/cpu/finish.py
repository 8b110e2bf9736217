"""Storing exact results, and what every family of instructions shares.

An instruction computes exact values as integers over a power of two (``value / 2**fraction``)
and hands them to :func:`store`, which rounds once by the destination's kind: ``I`` floors
modulo 2^32, ``X`` rounds half up and saturates, ``T`` and ``P`` round half up and clamp.

Rounding half up without an addition that could overflow: ``floor(v / 2^s + 1/2)`` is
``((v >> (s - 1)) + 1) >> 1``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np

from ..isa import Op
from ..quantised import FRACTION, X_MAX, X_MIN, quantised_table
from .operand import Binder, Operand

#: Elements of a block of work: small enough that its temporaries stay in the cache.
BLOCK = 1 << 16
#: Up to this size two ufuncs are faster than ``clip``.
SMALL_CLAMP = 512
#: Inputs up to this many elements keep a permanent copy when they overlap the destination.
SMALL_COPY = 4096

Run = Callable[[], int]
Convert = Callable[[np.ndarray], np.ndarray]


def nothing() -> int:
    """The closure of an instruction whose result has no elements."""
    return -1


# ---- blocks ------------------------------------------------------------------------------


def blocks(rows: int, cols: int, limit: int = BLOCK) -> Iterator[tuple[slice, slice]]:
    """Cut a rows x cols matrix into row-major blocks of at most about ``limit`` elements."""
    if rows == 0 or cols == 0:
        return
    if cols >= limit:
        for row in range(rows):
            for col in range(0, cols, limit):
                yield slice(row, row + 1), slice(col, min(col + limit, cols))
        return
    step = limit // cols
    every = slice(0, cols)
    for row in range(0, rows, step):
        yield slice(row, min(row + step, rows)), every


def cut(array: np.ndarray, rows: slice, cols: slice) -> np.ndarray:
    """The part of ``array`` that meets a block of the matrix it is broadcast to."""
    if array.shape[0] == 1:
        rows = slice(0, 1)
    if array.shape[1] == 1:
        cols = slice(0, 1)
    return array[rows, cols]


def blockwise(
    step: Callable[..., None], out: np.ndarray, *inputs: np.ndarray, limit: int = BLOCK
) -> Run:
    """A closure that runs ``step(out, *inputs)`` block by block, inputs broadcast to out.

    An empty ``out`` needs no step.
    """
    if out.size == 0:
        return nothing
    if out.size <= limit:

        def whole() -> int:
            step(out, *inputs)
            return -1

        return whole

    def run() -> int:
        for rows, cols in blocks(out.shape[0], out.shape[1], limit):
            step(out[rows, cols], *[cut(array, rows, cols) for array in inputs])
        return -1

    return run


def clip_into(out: np.ndarray, value: np.ndarray, low: int, high: int) -> None:
    """``out`` = value clamped, of the same type; the bounds are numbers of that type.

    NumPy vectorises ``clip`` with two constants, but neither ``minimum`` nor ``maximum`` with
    one; a Python integer at the type's own bound would make it choose those.
    """
    number = value.dtype.type
    value.clip(number(low), number(high), out=out)


def clamp(value: np.ndarray, low: int, high: int) -> None:
    """Clamp in place."""
    if value.size > SMALL_CLAMP:
        clip_into(value, value, low, high)
    else:
        np.minimum(value, high, out=value)
        np.maximum(value, low, out=value)


# ---- storing --------------------------------------------------------------------------------


def store(out: np.ndarray, value: np.ndarray, fraction: int, kind: str) -> None:
    """Finish ``value / 2**fraction`` into ``out``; ``value`` (int64) is used as scratch."""
    if kind == "I":
        if fraction:
            np.right_shift(value, fraction, out=value)
        np.copyto(out, value, casting="unsafe")
        return
    shift = fraction - FRACTION[kind]
    if shift > 0:
        if shift > 1:
            np.right_shift(value, min(shift - 1, 63), out=value)
        np.add(value, 1, out=value)
        np.right_shift(value, 1, out=value)
    elif shift < 0:
        # Beyond 2^32 the result saturates anyway; below, shifting by 16 cannot overflow.
        clamp(value, -(1 << 32), 1 << 32)
        np.left_shift(value, -shift, out=value)
    low, high = (X_MIN, X_MAX) if kind == "X" else (0, 255)
    clamp(value, low, high)
    np.copyto(out, value, casting="unsafe")


def store_wide(
    out: np.ndarray, high: np.ndarray, low: np.ndarray, bits: int, fraction: int, kind: str
) -> None:
    """Finish ``(high * 2**bits + low) / 2**fraction`` into ``out``.

    ``high`` and ``low`` are int64 with 0 <= low < 2**bits, 1 <= bits <= 62, and
    ``fraction >= FRACTION[kind]`` or ``fraction == 0``.  Into I only the low 32 bits of the
    floored value count, so shifts may wrap; into the others a value outside +-2^62 before the
    last rounding saturates, so ``high`` may be clamped first.
    """
    target = FRACTION[kind]
    if kind == "I":
        if fraction >= bits:
            value = high >> min(fraction - bits, 63)
        else:
            value = (high << (bits - fraction)) + (low >> fraction)
        np.copyto(out, value, casting="unsafe")
        return
    # Keep one bit below the target's grid for rounding half up, then finish that.
    keep = max(fraction - target - 1, 0)
    if keep >= bits:
        value = high >> min(keep - bits, 63)
    else:
        bound = 1 << max(62 - (bits - keep), 0)
        high = high.clip(-bound, bound)
        value = (high << (bits - keep)) + (low >> keep)
    store(out, value, fraction - keep, kind)


# ---- conversion ---------------------------------------------------------------------------


def _x_to_i(raw: np.ndarray) -> np.ndarray:
    value: np.ndarray = np.right_shift(raw, 16)
    return value


def _i_to_x(raw: np.ndarray) -> np.ndarray:
    value: np.ndarray = raw.clip(-32768, 32767) << 16
    value[raw > 32767] = X_MAX
    return value


def _byte_to_x(raw: np.ndarray) -> np.ndarray:
    value: np.ndarray = np.left_shift(raw, 16, dtype=np.int32)
    return value


def _i_to_byte(raw: np.ndarray) -> np.ndarray:
    value: np.ndarray = raw.clip(np.int32(0), np.int32(255)).astype(np.uint8)
    return value


def _x_to_byte(raw: np.ndarray) -> np.ndarray:
    value = raw >> 15
    value += 1
    value >>= 1
    return _i_to_byte(value)


_CONVERSIONS: dict[tuple[str, str], Convert] = {
    ("X", "I"): _x_to_i,
    ("I", "X"): _i_to_x,
    ("T", "X"): _byte_to_x,
    ("P", "X"): _byte_to_x,
    ("I", "T"): _i_to_byte,
    ("I", "P"): _i_to_byte,
    ("X", "T"): _x_to_byte,
    ("X", "P"): _x_to_byte,
}


def converter(source: Operand, kind: str, pixel: bool = False) -> Convert | None:
    """How raw elements of ``source`` become raw elements of ``kind``; None: as they are.

    The converted array has the element type of ``kind`` or one that a plain assignment
    narrows rightly.  In pixel mode words stay words.
    """
    if pixel:
        return None
    if source.kind == "Q":
        table = quantised_table(source.scale_bits, source.offset_bits, kind)
        return lambda raw: table[raw]
    return _CONVERSIONS.get((source.kind, kind))


def as_words(array: np.ndarray) -> np.ndarray:
    """An int32 or uint32 array as uint32 words."""
    return array.view(np.uint32) if array.dtype == np.int32 else array


def floors(operand: Operand) -> np.ndarray:
    """floor of the values of an index operand: int32 or uint8, the operand's shape.

    A picture in pixel mode counts by its words, as signed integers.
    """
    if operand.kind == "X":
        return operand.array >> 16
    if operand.array.dtype == np.uint32:
        return operand.array.view(np.int32)
    return operand.array


def numbers(operand: Operand) -> list[int]:
    """floor of the values of a small operand, row-major, as Python integers."""
    return [int(value) for value in floors(operand).ravel().tolist()]


# ---- row-major elements ---------------------------------------------------------------------


def flat_view(array: np.ndarray) -> np.ndarray | None:
    """``array`` as one row-major line sharing its memory, or None if it is not contiguous."""
    if array.flags.c_contiguous or array.shape[0] == 1:
        return array.reshape(-1)
    return None


def elements(array: np.ndarray, start: int, stop: int) -> np.ndarray:
    """Row-major elements start..stop-1 of a matrix; copies only the rows it needs."""
    cols = array.shape[1]
    first = start // cols
    last = -(-stop // cols)
    line = array[first:last].reshape(-1)
    return line[start - first * cols : stop - first * cols]


# ---- overlap and views ---------------------------------------------------------------------


def _private(operand: Operand, array: np.ndarray) -> Operand:
    return operand._replace(array=array, overlaps=False, same=False)


def reads_first(bind: Binder, pointwise: bool) -> Binder:
    """``bind`` for inputs that share memory with d: they are copied before d is written.

    A pointwise instruction may read the identical view as it writes it; others may not.
    Small copies have a place of their own; large ones live only while the instruction runs.
    """

    def guarded(op: Op, pixel: bool, d: Operand, inputs: tuple[Operand, ...], literal: int) -> Run:
        hazards = [x.overlaps or (x.same and not pointwise) for x in inputs]
        if not any(hazards):
            return bind(op, pixel, d, inputs, literal)
        risky = [x.array for x, hazard in zip(inputs, hazards, strict=True) if hazard]
        if sum(array.size for array in risky) <= SMALL_COPY:
            fresh = tuple(
                _private(x, np.empty(x.array.shape, x.array.dtype)) if hazard else x
                for x, hazard in zip(inputs, hazards, strict=True)
            )
            copies = [x.array for x, hazard in zip(fresh, hazards, strict=True) if hazard]
            inner = bind(op, pixel, d, fresh, literal)
            pairs = list(zip(copies, risky, strict=True))

            def run_small() -> int:
                for copy, array in pairs:
                    copy[...] = array
                return inner()

            return run_small

        def run() -> int:
            fresh = tuple(
                _private(x, x.array.copy()) if hazard else x
                for x, hazard in zip(inputs, hazards, strict=True)
            )
            return bind(op, pixel, d, fresh, literal)()

        return run

    return guarded


def fitted(d: Operand, rows: int, cols: int) -> Operand:
    """d cut to the rows x cols that the result itself has."""
    if d.array.shape == (rows, cols):
        return d
    part = d.array[:rows, :cols]
    return d._replace(rows=rows, cols=cols, array=part)


def spread(d: Operand, part: Operand, run: Run) -> Run:
    """``run``, which fills ``part``, followed by broadcasting that part to the whole view d."""
    if part is d:
        return run
    whole, piece = d.array, part.array

    def spreading() -> int:
        at = run()
        if at < 0:
            whole[...] = piece.copy()
        return at

    return spreading
