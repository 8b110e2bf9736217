"""Arithmetic, bits, functions and numbers from headers on the GPU: element by element.

A small job runs one kernel for all kinds (``elementwise.wgsl``, ``functions_pull.wgsl``).  A large
one whose elements lie in order is marked for :mod:`.fuse`, which writes kernels for the very kinds
and layouts of a whole run of such jobs; what cannot be marked is specialised by kind alone.

``/`` and ``%`` are checked by a pass over their divisor, unless it is a small integer, whose value
the host knows.
"""

from __future__ import annotations

from functools import lru_cache
from weakref import WeakKeyDictionary

import numpy as np

from ..functions_tables import exp2_mantissas, log2_thresholds, sine_table
from ..quantised import finish_number
from . import kit as limits
from .device import Buffer
from .fuse import small_value, step
from .kit import Dispatch, Job, Kit, Operand, Shared, Work

#: Elements from which an instruction has a pipeline of its own: software GPUs run all cases of a
#: switch.
OWN_FROM = 1 << 11


def bind(job: Job, kit: Kit) -> Work:
    """The dispatches of an instruction of the families arith, bits, functions and table."""
    family = job.op.family
    if family == "table":
        return Work((_numbers(job, kit),))
    table = _table_buffer(kit) if family == "functions" else None
    fusable = step(job, kit, table)
    constants = _constants(job, kinds=fusable is None)
    name = "elementwise" if table is None else "functions_pull"
    do = kit.pull(name, job, constants=constants, b=table, fusable=fusable)
    if job.op.char in "/%" and not small_value(job.b, kit):
        return Work((do,), (_zero_check(job, kit),))
    return Work((do,))


def _constants(job: Job, *, kinds: bool) -> dict[str, int]:
    """Override constants: of the instruction, and with ``kinds`` of the kinds of large jobs."""
    count = job.d.count
    if count < min(OWN_FROM, limits.SPECIALISE):
        return {}
    found = {"OP": ord(job.op.char)}
    if not kinds or count < limits.SPECIALISE:
        return found
    found["D_KIND"] = _kind(job.d)
    for name, operand in zip("AB", job.inputs, strict=False):
        found[f"{name}_KIND"] = _kind(operand)
        found[f"{name}_PLACE"] = 2 if operand.from_d else 1
    return found


def _kind(operand: Operand) -> int:
    """The class as a constant; all bytes are the same here."""
    return ord(operand.cls if operand.unit == 4 else "T")


def _zero_check(job: Job, kit: Kit) -> Dispatch:
    """The least position of a zero divisor into fault[1]."""
    b = job.b
    packed = b.unit == 1 and b.is_flat and b.offset % 4 == 0
    items = -(-b.count // 4) if packed else b.count
    # Nothing is written: d is bound only where b lies in it.
    d = job.d if b.from_d else kit.shared.dummies[0]
    return kit.dispatch(
        "check_zero",
        "check_zero",
        items=items,
        extra=(int(packed), b.count),
        d=d,
        b=b,
    )


def _numbers(job: Job, kit: Kit) -> Dispatch:
    """Number and Shape: the result as the headers decide it."""
    raw = [finish_number(value, 0, job.d.cls) & 0xFFFFFFFF for value in job.constants]
    return kit.pull("table", job, a=kit.constant(np.array(raw, np.uint32)))


#: The buffer of the tables on each device: too many words to be looked up by their content.
_TABLES: WeakKeyDictionary[Shared, Buffer] = WeakKeyDictionary()


def _table_buffer(kit: Kit) -> Buffer:
    with kit.gpu.lock:
        found = _TABLES.get(kit.shared)
        if found is None:
            found = _TABLES[kit.shared] = kit.constant(function_tables())
        return found


@lru_cache(maxsize=1)
def function_tables() -> np.ndarray:
    """The tables behind Exp2, Log2 and Sine one behind the other, as ``functions.wgsl`` names them
    (uint32)."""
    thresholds = log2_thresholds()[:-1]
    starts = (1 << 31) + (np.arange(1 << 16, dtype=np.int64) << 15)
    found = np.concatenate(
        (
            exp2_mantissas(),
            thresholds,
            [0xFFFFFFFF, 0xFFFFFFFF],
            np.searchsorted(thresholds, starts, side="right") - 1,
            sine_table()[: (1 << 14) + 1].astype(np.int64),
        )
    ).astype(np.uint32)
    found.flags.writeable = False
    return found
