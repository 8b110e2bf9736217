"""A disassembly assembles to the same picture, word for word, whatever the picture holds."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from pxos.kernel.machine import layout, program
from pxos.kernel.machine.cpu.executor import CpuExecutor
from pxos.kernel.machine.isa import BY_CODE, ROWS, encode
from pxos.kernel.machine.layout import MatrixSpec
from pxos.kernel.machine.memory import HEADER_PX, SYS, SYS_ROW
from pxos.kernel.machine.meta import Meta
from pxos.kernel.machine.ports import NoPorts
from pxos.kernel.machine.program import Program, ProgramError
from pxos.shell.lenses.assembler import assemble
from pxos.shell.lenses.disassembler import disassemble

from .tools import only, problems


def check(before: Program) -> str:
    """Disassemble and assemble again: the same words."""
    text = disassemble(before)
    after = assemble(text)
    assert after.image.shape == before.image.shape
    assert (after.image == before.image).all()
    assert after.meta == before.meta
    assert disassemble(after) == text
    return text


SOURCE = """
title "Sample"
n : I
log : I 0x3
row : I = [1, 2, 3]
pic : P 4x4
text : T = ["hello", "you"]
w : Q = [0.5, 2.5]
twin : I
again:
    n += 1
    log = below(log, row + n)
    view v = pic[0, n % 3, 2, 1] as I
    v = 0xABCD
    pic = zoom(pic, [8, n])
    name twin = log
    call change
    if n < 20 goto again
    halt 3
proc change { row[1] = n }
"""


def test_a_program_from_source() -> None:
    text = check(assemble(SOURCE, path="sample.pxa"))
    assert text.startswith("; Sample\npicture 64x")
    assert 'legend "sample - Sample - run: pxos run sample.png"' in text
    assert "\nagain:\n    A n n 1 " in text
    assert "; 0 A Add  n n 1" in text
    assert "    ( change " in text


@pytest.mark.parametrize("fuel", [1, 5, 30, 90, 100_000])
def test_a_checkpoint(fuel: int) -> None:
    """Matrices have moved and left their old rows behind; the stack may be in use."""
    memory = program.open_memory(assemble(SOURCE), 1 << 22)
    CpuExecutor(memory, NoPorts()).run(fuel)
    check(program.load(program.checkpoint(memory)))


def test_every_instruction_with_any_operand_bytes() -> None:
    """Bytes that an instruction ignores, entries that do not exist, unknown opcodes."""
    words = [
        encode(op.char, g, b, a)
        for op in ROWS
        for g, b, a in ((0, 0, 0), (5, 6, 7), (200, 191, 255), (65, 39, 59), (10, 92, 34))
    ]
    words += [0, 0xFFFFFFFF, 0x01020300, *range(256)]
    specs = [MatrixSpec(f"m{i}", "I", 1, 1) for i in range(3)]
    text = check(program.build(specs, words, Meta(names=("SYS",))))
    assert "!; " in text
    assert "word 0xffffffff" in text


def test_names_that_are_no_names() -> None:
    names = (
        "SYS",
        "TABLE",
        "x",
        "",
        "A B",
        "n",
        "n",
        "~I0",
        "3",
        '="; word"',
        "é",
        "SYS",
        "data",
        "a" * 99,
    )
    specs = [MatrixSpec(name, "I", 1, 1) for name in names[5:]]
    code = [encode("A", 5 + i, 5, 6) for i in range(len(specs))]
    labels = {"n": 1, "x y": 2, "again": 3, "3": 3, "word": 1, ";": 2}
    check(program.build(specs, code, Meta(names=names, labels=labels, title="; picture 64x2")))


def test_a_far_table() -> None:
    specs = [MatrixSpec("", "I", 1, 1) for _ in range(300)]
    check(program.build(specs, [encode("H", 255)]))


def test_nothing_in_a_comment_can_be_a_command() -> None:
    meta = Meta(title="x" * 5, names=("a\u2028b", "\u202e", "x"))
    text = check(program.build([MatrixSpec("x", "I", 1, 1)], [encode("A", 5, 0, 1)], meta))
    assert all(line.isprintable() for line in text.split("\n"))


kinds = st.sampled_from("IXTPQV")


@st.composite
def specs(draw: st.DrawFn) -> MatrixSpec:
    kind = draw(kinds)
    if kind == "V":
        return MatrixSpec("v", "V")
    rows, cols = draw(st.integers(0, 5)), draw(st.integers(0, 9))
    rng = np.random.default_rng(draw(st.integers(0, 99)))
    shape = (rows, cols, 4) if kind == "P" else (rows, cols)
    if kind in "IX":
        data = rng.integers(-(2**31), 2**31, shape).astype(np.int32)
    else:
        data = rng.integers(0, 256, shape).astype(np.uint8)
    name = draw(st.text(st.characters(codec="utf-8", categories=("L", "N", "P", "Zs")), max_size=6))
    return MatrixSpec(
        name, kind, rows, cols, data, draw(st.integers(0, 200)), draw(st.integers(0, 9))
    )


def mangled(data: st.DataObject) -> Program | None:
    """A program of random matrices and code, then rows moved, entries doubled, garbage
    everywhere that the rules leave free; None if it is no valid program any more."""
    matrices = data.draw(st.lists(specs(), max_size=6))
    opcodes = st.sampled_from(sorted(BY_CODE)) | st.integers(0, 255)
    code = data.draw(st.lists(st.tuples(opcodes, st.integers(0, 0xFFFFFF)), max_size=12))
    names = ("SYS", "TABLE", "CODE", "STACK", "META", *(spec.name for spec in matrices))
    labels = data.draw(
        st.dictionaries(st.sampled_from(["a", "b:", "c.d", "x y"]), st.integers(0, 20))
    )
    built = program.build(
        matrices,
        [o | w << 8 for o, w in code],
        Meta(names=names, labels=labels),
        width=data.draw(st.sampled_from([64, 128, None])),
    )
    image = np.vstack(
        [built.image, np.zeros((data.draw(st.integers(0, 3)), built.image.shape[1]), np.uint32)]
    )
    rows, width = image.shape
    flat = image.reshape(-1)
    rng = np.random.default_rng(data.draw(st.integers(0, 1 << 32)))
    sys_at = SYS_ROW * width + HEADER_PX
    flat[sys_at + SYS["top"]] = rows
    table_at = int(flat[sys_at + SYS["table_row"]]) * width + HEADER_PX
    entries = int(flat[table_at - HEADER_PX + 2])
    for _ in range(data.draw(st.integers(0, 6))):
        how = data.draw(st.sampled_from(["word", "row", "alias", "header", "legend"]))
        if how == "word":
            flat[int(rng.integers(width, flat.size))] = rng.integers(0, 1 << 32)
        elif how == "row":
            row = int(rng.integers(1, rows))
            start = int(rng.integers(0, width))
            image[row, start:] = rng.integers(0, 1 << 32, width - start)
        elif how == "alias" and entries > 6:
            a, b = (int(n) for n in rng.integers(5, entries, 2))
            flat[table_at + a] = flat[table_at + b]
        elif how == "header":
            row = int(flat[table_at + int(rng.integers(0, entries))]) % rows
            flat[row * width + int(rng.integers(0, HEADER_PX))] ^= rng.integers(0, 9)
        else:
            flat[int(rng.integers(layout.LEGEND_TEXT, width))] = rng.integers(0, 1 << 32)
    layout.seal(image)
    try:
        meta = program.validate(image)
    except ProgramError:
        return None
    return Program(image, meta)


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_hand_made_pictures(data: st.DataObject) -> None:
    found = mangled(data)
    assume(found is not None)
    assert found is not None
    check(found)


@pytest.mark.slow
@settings(max_examples=1000, deadline=None)
@given(st.data())
def test_many_hand_made_pictures(data: st.DataObject) -> None:
    found = mangled(data)
    assume(found is not None)
    assert found is not None
    check(found)


# ---- what is wrong with a flat source ------------------------------------------------------


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("picture 64x", "picture 65x", "a picture cannot be 65 wide"),
        ("    A n n 1 ", "    A n nn 1 ", "nothing is called 'nn'"),
        ("    A n n 1 ", "    A n n 100 ", "no small integer"),
        ("    A n n 1 ", "    A n n ", "A Add takes 3 operands, not 2"),
        ("    A n n 1 ", "    Add n n 1 ", "'Add' is no statement of the flat form"),
        ("    B _I0 again", "    B _I0 agin", "expected a number of 0..65535, found 'agin'"),
        ("matrix 1 I", "matrix 1 Z", "there is no kind 'Z'"),
        ("matrix 1 I 1x24", "matrix 1 I 1x25", "machine's state"),
        ("matrix 1 I 1x24 cap 56", "matrix 1 I 1x24 cap 55", "has a capacity that does not"),
        ("matrix 1 I 1x24 cap", "matrix 1 I 1x24 cup", "unexpected 'cup'"),
        ("    data 1 2 3", "    data 1 2 x", "'x' is no word"),
        ("    data 1 2 3", "    data 1*99999999999 2 3", "past the end of the picture"),
        ("\nmatrix 1 I", "\nwords 99999 0 1\nmatrix 1 I", "expected a number of 0.."),
        ("name 5 n", "data 5 n", "this belongs behind a matrix line"),
        ("name 5 n", "name 5", "name needs more than this"),
        ('legend "sample', "legend sample", "expected a text in quotes"),
    ],
)  # fmt: skip
def test_a_mistake_in_the_flat_form(old: str, new: str, message: str) -> None:
    text = disassemble(assemble(SOURCE, path="sample.pxa"))
    assert old in text
    found = problems(text.replace(old, new, 1))
    assert any(message in problem.message for problem in found), found


def test_a_picture_of_nothing() -> None:
    assert only("picture 64x2\n").line == 1
