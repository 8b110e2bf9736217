"""Tables with more entries than operand bytes can name: bytes from 192 up stay small integers."""

from __future__ import annotations

from pxos.kernel.machine.cpu.executor import CpuExecutor
from pxos.kernel.machine.isa import FIRST_SMALL
from pxos.kernel.machine.oracle import Oracle
from pxos.kernel.machine.ports import NoPorts
from pxos.kernel.machine.program import open_memory
from pxos.shell.lenses.assembler import assemble

COUNT = 260
SOURCE = "\n".join(
    [
        *(f"f{i} : I far = {i}" for i in range(COUNT)),
        "d : I",
        "i : I",
        "total : I",
        f"while i < {COUNT} " + "{",
        "    name d = f0[i]",
        "    d = reshape(d, [1, 100])  ; moves: its header and its entry change",
        "    total += d[3] - -8",
        "    total = total * 47 + -16",
        "    i += 1",
        "}",
        "halt",
    ]
)


def test_a_moved_far_entry_leaves_the_small_integers_alone() -> None:
    program = assemble(SOURCE, path="far.pxa", include_dirs=[])
    pictures = []
    for executor in (CpuExecutor, Oracle):
        memory = open_memory(program, 1 << 20)
        assert memory.table_len > FIRST_SMALL + 64
        assert executor(memory, NoPorts()).run(1 << 20).reason == "H"
        pictures.append(memory.used_image().tobytes())
    assert pictures[0] == pictures[1]
    expected = 0
    for i in range(COUNT):
        expected = (expected + i + 8) * 47 - 16
    total = program.meta.names.index("total")
    at = memory.data_addr(memory.row_of(total))
    assert int(memory.words[at]) == expected & 0xFFFFFFFF
