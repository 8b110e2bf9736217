"""What passes between the executor and the element kernels.

The plan (``kernel.machine.plan``) decides everything that does not look at elements: which
matrices, which shapes, where the result stands.  The executor turns each of its strided
descriptors into an :class:`Operand` and hands them to the ``bind`` function of the
instruction's family, once; what it gets back is a closure that fills the destination each time
it is called.  Plans and closures are cached together, so a closure may keep whatever depends
on shapes, addresses and scales alone, and must read elements anew at each call.

A family module (``arith``, ``bits``, ``functions``, ``fold``, ``index``, ``move``, ``matmul``,
``conv``, ``draw``) exports ``bind``, a :data:`Binder`.  Rules that the executor keeps, and that
the family may rely on:

* ``d.array`` has its final shape and address.  For an ordinary destination that shape is the
  shape of the result; for a view (and for ``Select``, ``Put``, ``Put rows``, ``Accumulate`` and
  ``Draw``) it is d's own shape, and the result is to be broadcast into it.
* Every shape rule of the instruction has been checked; kinds too.  Only division by zero is left
  to find.
* ``w`` (Where): the executor counts the k elements that are not zero itself; ``d.array`` is then
  1 x k (or a view's own shape, into which the 1 x k positions are to be broadcast).
* ``; d d b`` that appends in place arrives with a 0x0 first input, and the new rows as d.
* An input with ``overlaps`` shares memory with d and must be read in full before the first
  element of d is written.  An input with ``same`` is d itself, element for element.
* Temporary arrays stay within a small multiple of the elements of the operands and of d, all of
  which lie inside the process's quota: never allocate by a number found in an element.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from ..elements import array_of
from ..isa import Op
from ..memory import Memory
from ..plan_types import APART, OVERLAPS, SAME, Strided


class Operand(NamedTuple):
    """One operand as a family sees it: elements in memory, by class.

    ``kind``: class of the operand, one of ``I X T P Q`` (a view has the class of what it shows).
    ``rows``, ``cols``: its shape in the units of the mode (value mode: a P of r x c pixels is
    r x 4c bytes; pixel mode: pixels).
    ``array``: strided 2-D view of memory, shape (rows, cols): int32 for I and X (raw words), uint8
    for T, Q and for P in value mode, uint32 for what is taken as words in pixel mode.  An index, a
    condition, a map or a list of numbers is taken as values in pixel mode too (int32 or uint8).
    Small integers are read-only 1x1 arrays of kind I.
    ``leaf``: rows of one leaf, from the header (0: all rows are one leaf; a view has 0).
    ``scale_bits``, ``offset_bits``: of a Q, as raw float32 bits (finite, checked by the plan).
    ``overlaps``: shares memory with d and is not the identical view.  ``same``: identical to d.
    """

    kind: str
    rows: int
    cols: int
    array: np.ndarray
    leaf: int = 0
    scale_bits: int = 0
    offset_bits: int = 0
    overlaps: bool = False
    same: bool = False


#: ``bind(op, pixel, d, inputs, literal)``: inputs in the order of the form without d, literals
#: left out; ``literal`` is the byte of ``'o`` or 0.  The closure fills ``d.array`` and returns -1,
#: or writes nothing and returns the first faulting element, counted row-major in the result.
Binder = Callable[[Op, bool, Operand, tuple[Operand, ...], int], Callable[[], int]]


def operand_of(memory: Memory, rectangle: Strided, words: bool, lies: int = APART) -> Operand:
    """The operand that a family sees for a rectangle of a plan; ``words``: moved as whole words."""
    dtype: type[np.generic] = np.uint32 if words else np.int32
    return Operand(
        rectangle.cls,
        rectangle.rows,
        rectangle.cols,
        array_of(memory, rectangle, dtype),
        rectangle.leaf,
        rectangle.scale_bits,
        rectangle.offset_bits,
        lies == OVERLAPS,
        lies == SAME,
    )
