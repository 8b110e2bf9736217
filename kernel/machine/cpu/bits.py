"""And, Or, Xor and Shift on raw words; bytes are zero-extended."""

from __future__ import annotations

import numpy as np

from ..isa import Op
from ..quantised import (
    FRACTION,
    finish_number,
)
from .finish import (
    Run,
    blockwise,
    reads_first,
    store,
)
from .operand import Operand
from .small import bind_small_shift

_UFUNC: dict[str, np.ufunc] = {"&": np.bitwise_and, "|": np.bitwise_or, "^": np.bitwise_xor}


def _bind(op: Op, pixel: bool, d: Operand, inputs: tuple[Operand, ...], literal: int) -> Run:
    """Choose the way for these kinds."""
    a, b = inputs
    if op.char == "S":
        general = _bind_shift(d, a, b)
        return bind_small_shift(d, a, b, general) or general
    ufunc = _UFUNC[op.char]
    x, y, out = a.array, b.array, d.array
    # The loop runs in the wider input's type; narrowing to bytes keeps the low 8 bits.
    if x.dtype == y.dtype == out.dtype:

        def run() -> int:
            ufunc(x, y, out=out)
            return -1

        return run

    def run_mixed() -> int:
        ufunc(x, y, out=out, casting="unsafe")
        return -1

    return run_mixed


def _bind_shift(d: Operand, a: Operand, b: Operand) -> Run:
    """Shift: in int64, where a word shifted left by 32 still fits."""
    x, y, out, kind = a.array, b.array, d.array, d.kind
    fraction = FRACTION[a.kind]
    if y.size == 1:
        take, low = y.item, FRACTION[b.kind]
        plain = kind == "I" and fraction == 0 and x.dtype == np.int32

        def run_constant() -> int:
            count = max(-32, min(32, take() >> low))
            if out.size == x.size == 1:
                raw = x.item()
                raw = raw << count if count >= 0 else raw >> -count
                out[0, 0] = finish_number(raw, fraction, kind)
            elif plain and 0 <= count < 32:
                np.left_shift(x, count, out=out)
            elif plain and count < 0:
                np.right_shift(x, min(-count, 31), out=out)
            else:

                def step(part: np.ndarray, left: np.ndarray) -> None:
                    value = left.astype(np.int64)
                    if count >= 0:
                        value <<= count
                    else:
                        value >>= -count
                    store(part, value, fraction, kind)

                blockwise(step, out, x)()
            return -1

        return run_constant

    counts = -32, 32

    def shift(part: np.ndarray, left: np.ndarray, right: np.ndarray) -> None:
        count = right.astype(np.int64) >> FRACTION[b.kind]
        np.maximum(count, counts[0], out=count)
        np.minimum(count, counts[1], out=count)
        # One of the two shifts is by 0.
        value = left.astype(np.int64) << np.maximum(count, 0)
        store(part, value >> np.maximum(-count, 0), fraction, kind)

    return blockwise(shift, out, x, y)


bind = reads_first(_bind, pointwise=True)
