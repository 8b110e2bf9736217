"""One instruction on plain arrays, larger than drafts are: uploaded, bound, run, read back."""

from __future__ import annotations

import numpy as np

from pxos.kernel.machine.gpu.binding import binder
from pxos.kernel.machine.gpu.device import Part
from pxos.kernel.machine.gpu.kit import Dispatch, Job, Kit, Operand
from pxos.kernel.machine.isa import BY_CHAR
from tests.conformance.building import pack_bytes
from tests.gpu import gpu


def upload(kit: Kit, kind: str, array: np.ndarray) -> Operand:
    """A matrix in a buffer of its own: int32 for I and X, uint8 for T and P (as values)."""
    rows, cols = array.shape
    if kind in "TPQ":
        words = pack_bytes(rows, cols, np.ascontiguousarray(array, np.uint8)).ravel()
        step, unit = -(-cols // 4) * 4, 1
    else:
        words = np.ascontiguousarray(array, np.int32).view(np.uint32).ravel()
        step, unit = cols, 4
    buffer = kit.gpu.buffer(words.size)
    kit.gpu.write(buffer, 0, words)
    return Operand(kind, rows, cols, unit, 0, step, 1, buffer)


def download(kit: Kit, d: Operand) -> np.ndarray:
    """The elements of an uploaded matrix."""
    per_word = 4 // d.unit
    words = kit.gpu.read([Part(d.buffer, 0, d.rows * d.row_step // per_word)])[0]
    line = words.view(np.uint8 if d.unit == 1 else np.int32)
    return line.reshape(d.rows, d.row_step)[:, : d.cols].copy()


def run(kit: Kit, dispatches: tuple[Dispatch, ...]) -> None:
    """Run dispatches; parameters are sent first."""
    kit.shared.send()
    kit.gpu.submit([dispatch.call for dispatch in dispatches])


def result(
    char: str,
    d: tuple[str, np.ndarray],
    *inputs: tuple[str, np.ndarray],
    literal: str = "",
    shape: tuple[int, int] | None = None,
) -> np.ndarray:
    """What an instruction makes of d (its kind and elements before)."""
    kit = Kit(gpu())
    target = upload(kit, *d)
    job = Job(
        BY_CHAR[char],
        False,
        ord(literal) if literal else 0,
        shape or (target.rows, target.cols),
        target,
        tuple(upload(kit, *each) for each in inputs),
    )
    run(kit, binder(job.op)(job, kit).do)
    return download(kit, target)


def finished(value: np.ndarray, fraction: int, kind: str) -> np.ndarray:
    """Exact numbers value / 2**fraction (int64, below 2^46) as elements of a kind, by NumPy."""
    if kind == "I":
        return (value >> fraction).astype(np.uint32).view(np.int32)
    wanted = 16 if kind == "X" else 0
    if fraction > wanted:
        value = (value + (1 << (fraction - wanted - 1))) >> (fraction - wanted)
    else:
        value = value << (wanted - fraction)
    if kind == "X":
        return value.clip(-(1 << 31), (1 << 31) - 1).astype(np.int32)
    return value.clip(0, 255).astype(np.uint8)


def blank(kind: str, rows: int, cols: int) -> tuple[str, np.ndarray]:
    """A destination whose elements before are not to be seen after."""
    dtype = np.uint8 if kind in "TP" else np.int32
    return kind, np.full((rows, cols), 0x5A, dtype)


def noise(seed: int, kind: str, rows: int, cols: int, least: int = -(1 << 31)) -> np.ndarray:
    """Random elements: words from ``least`` up to its negative, or bytes."""
    chooser = np.random.default_rng(seed)
    if kind in "TPQ":
        return chooser.integers(0, 256, (rows, cols), np.uint8)
    return chooser.integers(least, -least, (rows, cols), np.int64).astype(np.int32)
