"""Scratch matrices share entries exactly where no proc can disturb another."""

from __future__ import annotations

import pytest

from pxos.kernel.machine.cpu.executor import CpuExecutor
from pxos.kernel.machine.ports import NoPorts
from pxos.kernel.machine.program import Program, open_memory
from pxos.shell.lenses.assembler import AsmError, assemble

SOURCE = """
r : I 1x3
    call first
    call second
    halt
proc first {
    a : I scratch
    t : T scratch
    t = "x"
    a = 20
    call inner
    r[0] = a
    r[1] = inner.out_
}
proc inner {
    out_ : I scratch
    out_ = 22
}
proc second {
    b : I scratch
    c : I scratch
    b = 1
    c = 2
    r[2] = b + c * 10
}
"""


def numbers(program: Program, name: str) -> list[int]:
    """The elements of an I matrix after a run."""
    memory = open_memory(program)
    assert CpuExecutor(memory, NoPorts()).run(1 << 20).reason == "H"
    header = memory.header(program.meta.names.index(name))
    at = memory.data_addr(header.row)
    return memory.ints[at : at + header.rows * header.cols].tolist()


def entries(program: Program) -> list[str]:
    """Names of the declared matrices and shared places."""
    return [n for n in program.meta.names[5:] if n[0] not in "=~" or n.startswith("~scratch")]


def test_procs_that_are_never_at_work_together_share() -> None:
    program = assemble(SOURCE)
    # first.a with one of second's, inner.out_ with the other; the text is alone.
    assert len(entries(program)) == 4
    assert sum(name.startswith("~scratch") for name in entries(program)) == 2
    assert numbers(program, "r") == [20, 22, 21]


def test_without_the_word_nothing_is_shared() -> None:
    program = assemble(SOURCE.replace(" scratch", ""))
    assert len(entries(program)) == 6
    assert numbers(program, "r") == [20, 22, 21]


def test_callers_and_callees_do_not_share() -> None:
    program = assemble(SOURCE.replace("call second", "").replace("c * 10", "c * 10 + inner.out_"))
    assert {"first.a", "inner.out_"} <= set(program.meta.names)


def test_procs_that_call_each_other_do_not_share() -> None:
    source = SOURCE.replace("    b = 1\n", "    b = 1\n    if r goto on\n    call first\non:\n")
    names = assemble(source).meta.names
    assert not any(name.startswith("~scratch") for name in names)


def test_what_the_main_code_uses_is_not_shared() -> None:
    names = assemble(SOURCE.replace("    halt\n", "    r[2] = second.b\n    halt\n", 1)).meta.names
    assert "second.b" in names


@pytest.mark.parametrize(
    "declaration",
    ["a : I scratch = 3", "a : P leaf 8 scratch", "a : I far scratch", "a : V scratch"],
)
def test_scratch_holds_nothing(declaration: str) -> None:
    with pytest.raises(AsmError, match="scratch"):
        assemble(f"halt\nproc p {{\n{declaration}\na = 1\n}}")
