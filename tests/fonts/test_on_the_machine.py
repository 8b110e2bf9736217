"""The include files assemble, and the recipe of docs/fonts.md writes coloured text."""

from __future__ import annotations

import numpy as np

from pxos.fonts import atlas, build, charset
from pxos.fonts.palette import BY_NAME
from pxos.kernel.machine.cpu.executor import CpuExecutor
from pxos.kernel.machine.fault import Stop
from pxos.kernel.machine.memory import Memory
from pxos.kernel.machine.ports import NoPorts
from pxos.kernel.machine.program import open_memory
from pxos.shell.lenses.assembler import assemble

SOURCE = """
title "Text"
include "../lib/palette.pxi"
include "../lib/keys.pxi"
include "../lib/font.pxi"
words  : T = "R2"
glyphs : P
mask   : T
small  : T
screen : P 16x24 = fill(NIGHT)
colour : I = RED
drawn  : P 16x24 = fill(NIGHT)
place  : I = [0, 8]
colours : P
code : I
view area = screen[0, 8, 16, 16]
t mask words FONT16
? area mask colour
? FONT16P FONT16 colour
t glyphs words FONT16P
D drawn glyphs place
t small words FONT8
colours = PALETTE
code = KEY_F12
halt
"""


def run(source: str) -> tuple[Memory, dict[str, int], Stop]:
    program = assemble(source, path=str(build.ROOT / "apps" / "hello" / "hello.pxa"))
    memory = open_memory(program)
    stop = CpuExecutor(memory, NoPorts()).run(1 << 40)
    return memory, {name: entry for entry, name in enumerate(program.meta.names)}, stop


def elements(memory: Memory, entry: int) -> np.ndarray:
    """The words of a picture or integers, the bytes of a text."""
    header = memory.header(entry)
    at = memory.data_addr(header.row)
    if header.kind == "T":
        stride = -(-header.cols // 4) * 4
        rows = memory.bytes[4 * at : 4 * at + header.rows * stride].reshape(header.rows, stride)
        return rows[:, : header.cols]
    return memory.words[at : at + header.rows * header.cols].reshape(header.rows, header.cols)


def expected(face: str, text: str) -> np.ndarray:
    glyphs = atlas.load_glyphs(face)
    return np.concatenate([glyphs[byte] for byte in charset.encode(text)], axis=1)


def test_text_on_the_screen() -> None:
    memory, names, stop = run(SOURCE)
    assert stop.reason == "H"
    ink = expected("pxos-8x16", "R2")
    screen = np.full((16, 24), BY_NAME["night"].word, np.uint32)
    screen[:, 8:][ink] = BY_NAME["red"].word
    assert np.array_equal(elements(memory, names["screen"]), screen)
    assert np.array_equal(elements(memory, names["drawn"]), screen)
    assert np.array_equal(elements(memory, names["mask"]), np.where(ink, 255, 0))
    small = np.where(expected("pxos-8x8", "R2"), 255, 0)
    assert np.array_equal(elements(memory, names["small"]), small)
    assert elements(memory, names["code"]).tolist() == [[0xE01C]]


def test_the_palette_is_a_picture_of_sixteen_pixels() -> None:
    memory, names, _ = run(SOURCE)
    header = memory.header(names["PALETTE"])
    assert (header.kind, header.rows, header.cols) == ("P", 1, 16)
    found = elements(memory, names["PALETTE"]).ravel().tolist()
    assert found == [colour.word for colour in BY_NAME.values()]
