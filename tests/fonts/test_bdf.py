"""BDF fonts become atlases."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pxos.fonts import bdf, charset

HEAD = "STARTFONT 2.1\nFONT x\nSIZE 8 75 75\nFONTBOUNDINGBOX 6 8 0 -2\nCHARS 1\n"


def char(code: int, box: str, *rows: str, extra: str = "") -> str:
    return (
        f"STARTCHAR c{code}\nENCODING {code}\n{extra}BBX {box}\nBITMAP\n"
        + "".join(row + "\n" for row in rows)
        + "ENDCHAR\n"
    )


def font(*chars: str, head: str = HEAD) -> str:
    return head + "".join(chars) + "ENDFONT\n"


def ink(picture: np.ndarray, rows: int, index: int) -> list[str]:
    cell = picture[index * rows : (index + 1) * rows, :, 3] > 0
    return ["".join(".#"[int(on)] for on in row) for row in cell]


def test_a_glyph_stands_on_the_baseline() -> None:
    text = font(char(65, "3 2 1 0", "A0", "E0"))
    picture = bdf.convert(text, charset=[32, 65])
    assert picture.shape == (16, 6, 4)
    assert picture.dtype == np.uint8
    assert ink(picture, 8, 0) == ["......"] * 8
    assert ink(picture, 8, 1) == ["......"] * 4 + [".#.#..", ".###.."] + ["......"] * 2


def test_descenders_wide_rows_and_clipping() -> None:
    head = HEAD.replace("6 8 0 -2", "10 4 -1 -1")
    text = font(
        char(65, "10 1 -1 -1", "FFC0"),
        char(66, "4 6 -3 -2", *["F0"] * 6),
        char(67, "0 0 0 0"),
        char(68, "2 1 50 0", "C0"),
        head=head,
    )
    picture = bdf.convert(text, charset=[65, 66, 67, 68])
    assert ink(picture, 4, 0) == [".........."] * 3 + ["##########"]
    assert ink(picture, 4, 1) == ["##........"] * 4
    assert ink(picture, 4, 2) == [".........."] * 4
    assert ink(picture, 4, 3) == [".........."] * 4


def test_missing_glyphs_show_the_default_character() -> None:
    text = font(
        char(0, "1 1 0 0", "80"),
        char(65, "1 1 1 0", "80"),
        head=HEAD + "STARTPROPERTIES 1\nDEFAULT_CHAR 0\nENDPROPERTIES\n",
    )
    picture = bdf.convert(text, charset=[65, 66])
    assert ink(picture, 8, 0)[5] == ".#...."
    assert ink(picture, 8, 1)[5] == "#....."


def test_the_whole_set_has_both_pages() -> None:
    picture = bdf.convert(font(char(0x2588, "6 8 0 -2", *["FC"] * 8)))
    assert picture.shape[0] == 8 * charset.GLYPH_COUNT
    shown = [index for index in range(416) if ink(picture, 8, index) == ["######"] * 8]
    assert shown == [0x1F, 256 + 0x88]


def test_comments_blank_lines_and_unencoded_glyphs_are_passed_over() -> None:
    text = font("COMMENT ENDFONT\n\n", char(-1, "1 1 0 0", "80"), char(65, "1 1 0 0", "80"))
    assert set(bdf.parse(text).glyphs) == {65}


GOOD = font(char(65, "3 2 1 0", "A0", "E0"))


@pytest.mark.parametrize(
    ("text", "line", "word"),
    [
        ("", 0, "STARTFONT"),
        ("hello\n", 1, "STARTFONT"),
        (GOOD.replace("ENDFONT\n", ""), 12, "cut off"),
        (GOOD.replace("FONTBOUNDINGBOX 6 8 0 -2\n", ""), 5, "FONTBOUNDINGBOX"),
        (GOOD.replace("FONTBOUNDINGBOX 6 8 0 -2", "FONTBOUNDINGBOX 6 8"), 4, "4 integers"),
        (GOOD.replace("FONTBOUNDINGBOX 6 8 0 -2", "FONTBOUNDINGBOX a 8 0 0"), 4, "integers"),
        (GOOD.replace("FONTBOUNDINGBOX 6 8 0 -2", "FONTBOUNDINGBOX 9999999 8 0 0"), 4, "256"),
        (GOOD.replace("FONTBOUNDINGBOX 6 8 0 -2", "FONTBOUNDINGBOX 0 8 0 0"), 4, "empty"),
        (GOOD.replace("BBX 3 2 1 0", "BBX 3 2 99999 0"), 8, "off"),
        (GOOD.replace("BBX 3 2 1 0", "BBX 3 -2 1 0"), 8, "256"),
        (GOOD.replace("A0", "XY"), 10, "hex"),
        (GOOD.replace("BBX 3 2", "BBX 9 2"), 10, "4 hex digits"),
        (GOOD.replace("E0\n", ""), 11, "hex"),
        (GOOD.replace("BBX 3 2 1 0\n", ""), 8, "BBX"),
        (GOOD.replace("ENCODING 65\n", ""), 6, "ENCODING"),
        (GOOD.replace("ENDCHAR\n", ""), 12, "ENDFONT inside"),
        (GOOD.replace("ENDCHAR\nENDFONT\n", ""), 11, "ENDCHAR"),
        (GOOD.replace("E0\nENDCHAR\nENDFONT\n", ""), 10, "a row"),
        (font(), 6, "no glyph"),
    ],
)
def test_damage_is_told_with_its_line(text: str, line: int, word: str) -> None:
    with pytest.raises(bdf.BdfError) as caught:
        bdf.convert(text, charset=[65])
    assert caught.value.line == line
    assert word in str(caught.value)
    assert str(caught.value).startswith(f"line {line}: ")


def test_a_font_without_any_wanted_character_is_refused() -> None:
    with pytest.raises(bdf.BdfError, match="no character of the set"):
        bdf.convert(GOOD, charset=[66])


@given(st.integers(0, len(GOOD)), st.integers(0, len(GOOD)), st.text(max_size=6))
def test_any_damage_is_an_error_or_a_font(start: int, stop: int, other: str) -> None:
    text = GOOD[:start] + other + GOOD[max(start, stop) :]
    try:
        font = bdf.parse(text)
    except bdf.BdfError:
        return
    for code in font.glyphs:
        assert font.draw(code).shape == (font.cell.rows, font.cell.cols)
