"""The doctor's program: every family that computes elements, on the CPU and on another executor."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from ..kernel.machine.memory import Memory
from ..kernel.machine.ports import NoPorts, Ports
from ..kernel.machine.program import Program, open_memory
from ..kernel.placement import GpuExecutor, cpu_executor

#: Ragged shapes, fractions, negative numbers and bytes, large enough that they are worth a GPU;
#: each result is a matrix of its own.
SOURCE = """
title "Self-test"
whole : I 101x67 = range(6767, -9000, 7)
parts : X 101x67 = range(6767, -3.5, 0.001)
bytes : T 101x67 = fill(200)
coded : Q 67x81 scale 0.0078125 offset -1.0 = fill(77)
heavy : Q 67x9 scale 0.0078125 offset -1.0 = range(603, -40, 0.5)
edge  : X 3x3 = [0.5, -1, 0.25; 2, 0, -2; 0.125, 1, -0.5]
pic   : P 70x90 = fill(#20406080)
glyph : P 5x4 = fill(#ff800090)
spots : I 4x2 = [-2, 3; 7, 88; 67, 9; 4, 4]

sums : I
quotients : X
smaller : T
mixed : I
shifted : I
roots : X
powers : X
logs : X
waves : X
product : X
exact : X
line : X
answer : X
scores : X
shares : X
normed : X
filtered : X
totals : I
running : I
sorted : I
gathered : I
scattered : I 80x80
counted : I 1x5000
turned : X
chosen : I 101x67
beside_it : I
under : I
over_it : P
larger : P
places : I
n : I

    sums = whole + bytes
    bytes = whole * 3
    quotients = whole / (parts * parts + 1)
    smaller = whole % 97
    mixed = whole ^ sums
    shifted = mixed << 3
    roots = sqrt(parts)
    powers = exp2(parts)
    logs = log2(parts)
    waves = sine(parts)
    product = parts @ coded
    exact = parts @ parts.T
    turned = transpose(parts)
    line = rows(parts, 5)
    answer = line @ heavy
    scores = matmul_parts_transposed(parts, parts)
    shares = matmul_parts(parts, turned)
    normed = norm(parts, 5)
    filtered = konvolve(parts, edge)
    totals = sum(whole)
    running = cumulate_rows(whole, 'R)
    sorted = order(mixed)
    while n < 5 {
        places = (whole & 4095) + n
        scattered[places] = mixed
        counted[places] += mixed
        n += 1
    }
    gathered = whole[sorted]
    chosen[where parts < 0] = mixed
    beside_it = beside(whole, mixed)
    under = below(whole, mixed)
    draw(pic, glyph, spots)
    over_it = over(pic, pic)
    larger = zoom(over_it, [97, 161])
    halt
"""

_FUEL = 1 << 24


def program() -> Program:
    """The program, assembled."""
    from ..shell.lenses.assembler import assemble

    return assemble(SOURCE, path="selftest.pxa", include_dirs=[])


def differences(make: Callable[[Memory, Ports], GpuExecutor]) -> list[str]:
    """The names of the matrices in which another executor's memory differs from the CPU's after
    the program; "the state" for anything else.  Empty if they are the same in every word."""
    what = program()
    one, other = open_memory(what), open_memory(what)
    stop = cpu_executor(one, NoPorts()).run(_FUEL)
    executor = make(other, NoPorts())
    other_stop = executor.run(_FUEL)
    executor.settle()
    assert stop.reason == "H", stop
    if stop == other_stop and np.array_equal(one.used_image(), other.used_image()):
        return []
    found = [
        name
        for entry, name in enumerate(what.meta.names)
        if not np.array_equal(_words(one, entry), _words(other, entry))
    ]
    return found or ["the state"]


def _words(memory: Memory, entry: int) -> np.ndarray:
    """The words of a matrix, with its header."""
    header = memory.header(entry)
    start = header.row * memory.width
    return memory.words[start : memory.data_addr(header.row) + header.capacity_px]
