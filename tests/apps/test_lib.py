"""What the include files do: text in UTF-8 as glyphs and back."""

from __future__ import annotations

from functools import cache

import numpy as np
from hypothesis import example, given
from hypothesis import strategies as st

from pxos.fonts.charset import glyph_of
from pxos.kernel.machine.cpu.executor import CpuExecutor
from pxos.kernel.machine.ports import NoPorts
from pxos.kernel.machine.program import Program, open_memory
from pxos.shell.lenses.assembler import assemble

from .playing import APPS, matrix

SOURCE = """
include "utf8.pxi"
given_ : T cap 4096
shown  : I
again  : T
    utf8.bytes = given_
    call utf8
    glyphs.codes = utf8.codes
    call glyphs
    shown = glyphs.shown
    encode.codes = utf8.codes
    call encode
    again = encode.bytes
    halt
"""
TEXTS = st.text(
    st.characters(exclude_categories=["Cs"], max_codepoint=0xFFFF)
    | st.sampled_from("äß╭█✓→…–日\x7f\x80\x9f\xa0~ \u07ff\u0800"),
    max_size=40,
)


@cache
def program() -> Program:
    return assemble(SOURCE, path=str(APPS / "x" / "x.pxa"), include_dirs=[APPS / "lib"])


def run(data: bytes) -> dict[str, np.ndarray]:
    """The program's matrices after it decoded some bytes."""
    memory = open_memory(program())
    entry = program().meta.names.index("given_")
    header = memory.header(entry)
    at = memory.data_addr(header.row)
    memory.words[header.row * memory.width + 1] = 1
    memory.words[header.row * memory.width + 2] = len(data)
    memory.bytes[at * 4 : at * 4 + len(data)] = np.frombuffer(data, np.uint8)
    stop = CpuExecutor(memory, NoPorts()).run(1 << 40)
    assert stop.reason == "H", stop
    names = program().meta.names
    return {
        name: matrix(memory, names.index(name))
        for name in ("utf8.codes", "utf8.rest", "shown", "again")
    }


def drawn(char: str) -> int:
    """The glyph that shows a character: box drawing from its own page."""
    code = ord(char)
    if code < 32:
        return code
    return 256 + code - 0x2500 if 0x2500 <= code < 0x25A0 else glyph_of(char)


@given(TEXTS)
def test_text_becomes_code_points_and_text_again(text: str) -> None:
    data = text.encode()
    got = run(data)
    assert got["utf8.codes"].ravel().tolist() == [ord(char) for char in text]
    assert got["utf8.rest"].size == 0
    assert got["again"].tobytes() == data


@given(st.lists(st.integers(0x10000, 0x10FFFF), max_size=5))
def test_characters_beyond_16_bits_are_missing(codes: list[int]) -> None:
    got = run("".join(map(chr, codes)).encode())
    assert got["utf8.codes"].ravel().tolist() == [0xFFFD] * len(codes)


def test_every_glyph_of_the_font_is_found() -> None:
    chars = [chr(code) for code in range(0x3000)]
    for start in range(0, len(chars), 1000):
        text = "".join(chars[start : start + 1000])
        wrong = [
            (hex(ord(char)), found, drawn(char))
            for char, found in zip(text, run(text.encode())["shown"].ravel().tolist(), strict=True)
            if found != drawn(char)
        ]
        assert wrong == []


@given(TEXTS, st.integers(0, 120))
def test_a_text_cut_anywhere_goes_on(text: str, at: int) -> None:
    data = text.encode()
    first = run(data[:at])
    second = run(first["utf8.rest"].tobytes() + data[at:])
    both = [*first["utf8.codes"].ravel().tolist(), *second["utf8.codes"].ravel().tolist()]
    assert both == [ord(char) for char in text]


@given(st.binary(max_size=60))
@example(b"\xc3")
@example(b"\x80\x80a\xe2\x82")
@example(b"\xf0\x9f\x92\xa9\xff\xfe")
def test_any_bytes_become_something(data: bytes) -> None:
    got = run(data)
    assert got["utf8.codes"].size + got["utf8.rest"].size <= len(data)
    assert got["utf8.rest"].size < 4


def test_no_bytes() -> None:
    got = run(b"")
    assert got["utf8.codes"].size == 0
    assert got["again"].size == 0
