"""The character set."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from pxos.fonts import boxes, charset


def test_every_glyph_of_page_0_has_one_character() -> None:
    assert sorted(charset.CHARACTERS) == list(range(256))
    chars = [charset.CHARACTERS[index] for index in range(256) if index not in (0, 0x10)]
    assert len(set(chars)) == 254


def test_ascii_latin1_and_the_box_page() -> None:
    for code in (*range(0x20, 0x7F), *range(0xA0, 0x100)):
        assert charset.GLYPHS[code] == code
    for code in range(boxes.FIRST, boxes.LAST + 1):
        index = charset.GLYPHS[code]
        assert index < 256 or index == 256 + code - 0x2500
    assert max(charset.GLYPHS.values()) < charset.GLYPH_COUNT == len(charset.ATLAS) == 416
    for code, index in charset.GLYPHS.items():
        assert charset.ATLAS[index] == code


def test_lines_are_numbered_by_their_arms() -> None:
    for base, weight in ((0x80, "light"), (0x90, "double")):
        for mask in range(16):
            arms = boxes.arms_of(ord(charset.CHARACTERS[base + mask]))
            if mask in (0, 1, 2, 4, 8) and (mask == 0 or weight == "double"):
                continue
            assert arms == dict.fromkeys([bit for bit in (1, 2, 4, 8) if mask & bit], weight)


def test_quarters_are_numbered_by_what_they_show() -> None:
    for mask in range(1, 16):
        char = charset.CHARACTERS[0x10 + mask]
        assert (boxes.glyph(ord(char), 16) == boxes.quadrants(mask, 16)).all()


def test_encode() -> None:
    assert charset.encode("Añ\n\t│╔") == bytes([65, 0xF1, 10, 9, 0x85, 0x96])
    assert charset.encode("“a” – b") == b'"a" - b'
    assert charset.encode("┏╍╭╪▜◀▁╱") == bytes([0x86, 0x8A, 0x92, 0x9F, 0x1F, 60, 95, 47])
    assert charset.encode("漢\x85\x02") == bytes([0x7F] * 3)
    assert charset.decode(charset.encode("✓ naïve ♥ ╬\r\n")) == "✓ naïve ♥ ╬\r\n"


@given(st.text())
def test_steering_bytes_come_from_themselves_alone(text: str) -> None:
    data = charset.encode(text)
    assert len(data) == len(text)
    for char, byte in zip(text, data, strict=True):
        assert (byte in charset.CONTROLS) == (ord(char) in charset.CONTROLS)


@given(st.binary())
def test_bytes_survive_as_text(data: bytes) -> None:
    lost = {0x10: 0x20}  # both blank
    assert charset.encode(charset.decode(data)) == bytes(lost.get(b, b) for b in data)


def test_no_character_folds_to_itself_or_to_nothing() -> None:
    for char, other in charset.FOLDS.items():
        index = charset.GLYPHS[ord(other)]
        assert char != other
        assert index < 256
        assert index not in charset.CONTROLS
