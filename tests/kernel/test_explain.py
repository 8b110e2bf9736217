from __future__ import annotations

from pxos.kernel.clock import VirtualClock
from pxos.kernel.explain import explain, headline, place
from pxos.kernel.grants import Grants
from pxos.kernel.kernel import Kernel
from pxos.kernel.machine.fault import FAULTS, REASONS, Stop
from pxos.kernel.machine.meta import Meta
from pxos.kernel.machine.program import open_memory

from .programs import DictStore, program, spec

WHAT = program(
    "A a a 1\nloop:\nM b a a\n/ a a 0\nJ loop",
    spec("a", "I", [[1, 2]]),
    spec("b"),
    title="Sum",
    files=("lib.pxi", "sum.pxa"),
    lines=((0, 1, 3), (1, 1, 5), (2, 0, 9)),
    labels={"start": 0, "loop": 1},
)


def test_places_name_file_line_and_label() -> None:
    meta = WHAT.meta
    assert place(0, meta) == "sum.pxa:3, instruction 0 (start)"
    assert place(2, meta) == "lib.pxi:9, instruction 2 (loop + 1)"
    assert place(5, Meta()) == "instruction 5"
    assert place(5, Meta(lines=((0, 7, 3),))) == "instruction 5"
    assert place(5, Meta(source="x.pxa", lines=((0, 7, 3),))) == "x.pxa:3, instruction 5"
    assert place(0, Meta(labels={"late": 4}, lines=((3, 0, 1),))) == "instruction 0"


def test_the_card_says_what_where_and_what_to_try() -> None:
    memory = open_memory(WHAT)
    card = explain(Stop("S", 1), memory, WHAT.meta)
    assert card[0] == "Sum stopped: shapes do not fit"
    assert card[2] == "where   sum.pxa:5, instruction 1 (loop)"
    assert card[3].startswith("doing   ")
    assert "MatMul" in card[3]
    assert "b" in card[3]
    assert card[4] == "with    b I 0x0, a I 1x2"
    assert card[-1] == "try     " + REASONS["S"].advice


def test_details() -> None:
    memory = open_memory(WHAT, 1 << 16)
    assert "namely  element 7, counted row by row from 0" in explain(
        Stop("/", 2, 7), memory, WHAT.meta
    )
    assert "namely  operand 2" in explain(Stop("V", 1, 1), memory, WHAT.meta)
    free = memory.quota_rows - memory.top
    assert 0 < free < memory.quota_rows
    assert f"namely  9000 rows more were wanted, {free} of {memory.quota_rows} are free" in explain(
        Stop("M", 1, 9000), memory, WHAT.meta
    )


def test_every_reason_has_a_card_wherever_it_stopped() -> None:
    memory = open_memory(WHAT)
    for reason in REASONS:
        for pc in (0, 3, 4, 1 << 24):
            card = explain(Stop(reason, pc, 2), memory, WHAT.meta)
            assert card[0] == f"Sum stopped: {REASONS[reason].title}"
            assert all(line and line.isprintable() for line in card)
    assert {r for r in REASONS if REASONS[r].advice} == FAULTS


def test_operands_outside_the_table_and_unknown_opcodes() -> None:
    what = program("A a a 1", spec("a"))
    memory = open_memory(what)
    code = memory.data_addr(memory.header(2).row)
    memory.words[code] = ord("A") | 100 << 8 | 5 << 16 | 6 << 24
    card = explain(Stop("N", 0), memory, what.meta)
    assert "with    #100 is outside the table, a I 0x0, #6 is outside the table" in card
    memory.words[code] = 0xFF00_0001
    card = explain(Stop("?", 0), memory, what.meta)
    assert card[0].startswith("The program stopped")
    assert "namely  the pixel is 0xff000001" in card


def test_a_process_explains_itself() -> None:
    kernel = Kernel(DictStore(), clock=VirtualClock())
    process = kernel.spawn(WHAT, "sum", grants=Grants())
    assert process.memory is not None
    assert explain(process, process.memory, process.meta) == ["Sum: it is ready"]
    kernel.run(1)
    assert explain(process, process.memory, process.meta) == process.card
    assert process.exit is not None
    assert process.exit.stop is not None
    assert process.exit.text == headline(process.exit.stop, WHAT.meta)
    other = kernel.spawn(WHAT, "sum", grants=Grants())
    assert other.memory is not None
    kernel.kill(other.pid, "enough")
    assert explain(other, other.memory, other.meta) == ["Sum: enough"]
