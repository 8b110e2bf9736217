"""An instruction in words."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pxos.kernel.machine.isa import ROWS, encode
from pxos.kernel.machine.words import describe

NAMES = ("SYS", "TABLE", "CODE", "STACK", "META", "photo", "")


@pytest.mark.parametrize(
    ("word", "text"),
    [
        (encode("A", 5, 0, 208), "A Add  photo SYS 0"),
        (encode("A", 6, 7, 255), "A Add  #6 #7 47"),
        (encode("/", 5, 192, 191), "/ Divide  photo -16 #191"),
        (encode("F", 5, 5, ord("A")), "F Fold rows  photo photo 'A"),
        (encode("F", 5, 5, 200), "F Fold rows  photo photo 200"),
        (encode("#", 5, 0xFF, 0xFF), "# Number  photo -1"),
        (encode("B", 5, 0xFF, 0xFF), "B Branch  photo 65535"),
        (encode("J", 1, 2, 3), "J Jump  197121"),
        (encode(")", 1, 2, 3), ") Return"),
        (0x00FF00FF, "0x00ff00ff, which is no instruction"),
    ],
)
def test_words(word: int, text: str) -> None:
    assert describe(word, NAMES) == text


@given(st.integers(0, (1 << 32) - 1))
def test_every_word_has_words(word: int) -> None:
    assert describe(word, ())


@given(st.sampled_from(ROWS), st.binary(min_size=3, max_size=3))
def test_an_instruction_says_its_name_and_every_operand(op, operands: bytes) -> None:
    text = describe(encode(op.char, *operands), ())
    assert text.startswith(f"{op.char} {op.name}")
    assert len(text.removeprefix(f"{op.char} {op.name}").split()) == len(op.operands)
