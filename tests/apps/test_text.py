"""Text: what was read stands in the picture, letter by letter."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pxos.fonts.charset import glyph_of
from pxos.kernel.machine import png

from .playing import APPS, play

FONTS = APPS.parent / "fonts"
PAPER, NIGHT = (0xF4, 0xEF, 0xE6, 255), (0x23, 0x20, 0x38, 255)
LETTERS = "aB .é≠─█✓\n\n    wörd"


def atlas(high: int) -> np.ndarray:
    """bool (glyphs, high, 8): where the ink is, both pages."""
    pages = [
        png.decode((FONTS / f"pxos-8x{high}{page}.png").read_bytes())[..., 3] > 0
        for page in ("", "-box")
    ]
    return np.vstack(pages).reshape(-1, high, 8)


def glyph(char: str) -> int:
    """The glyph that shows a character where both pages may be used."""
    code = ord(char)
    return code - 0x2500 + 256 if 0x2500 <= code < 0x25A0 else glyph_of(char)


def broken(text: str, width: int) -> list[str]:
    """Lines of at most ``width``, broken behind the last blank that fits, by walking along."""
    text = text.replace("\r", "").replace("\t", "    ").rstrip("\n") or " "
    width = width or len(text)
    lines, at = [], 0
    while at < len(text):
        end = text.find("\n", at)
        end = len(text) if end < 0 else end
        if end <= at + width:
            lines.append(text[at:end])
            at = end + 1
            continue
        blank = text.rfind(" ", at, at + width + 1)
        after = blank + 1 if blank > at else at + width
        lines.append(text[at:after][:width])
        at = after
    return lines


def drawn(
    lines: list[str],
    *,
    high: int = 16,
    margin: int = 8,
    ink: tuple[int, ...] = PAPER,
    ground: tuple[int, ...] = NIGHT,
) -> np.ndarray:
    """The picture of these lines, pixel by pixel."""
    font = atlas(high)
    wide = max(1, max(len(line) for line in lines))
    picture = np.full((len(lines) * high + 2 * margin, wide * 8 + 2 * margin, 4), ground, np.uint8)
    for row, line in enumerate(lines):
        for col, char in enumerate(line):
            top, left = margin + row * high, margin + col * 8
            picture[top : top + high, left : left + 8][font[glyph(char)]] = ink
    return picture


def written(text: str, *words: str) -> np.ndarray:
    return play("text", words, text=text.encode()).picture


def test_a_word() -> None:
    assert np.array_equal(written("hi\n"), drawn(["hi"]))


def test_all_characters_of_the_font() -> None:
    text = "".join(map(chr, [*range(0x20, 0x7F), *range(0xA0, 0x100), *range(0x2500, 0x25A0)]))
    text += "↑↓←→✓✗●…♥“”–"
    assert np.array_equal(written(text, "--width", "0"), drawn([text]))


def test_what_the_font_lacks_is_a_box() -> None:
    assert np.array_equal(written("a好😀b"), drawn(["a\x7f\x7fb"]))


def test_what_is_no_utf8_is_a_box() -> None:
    broken_text = play("text", text=b"a\xffb\xc3").picture
    assert np.array_equal(broken_text, drawn(["a\x7fb\x7f"]))


def test_arguments() -> None:
    red, none = (0xE5, 0x52, 0x6F, 255), (0, 0, 0, 0)
    words = ["--colour", "red", "--background", "none", "--size", "8", "--margin", "3"]
    picture = written("Game\nover", *words)
    assert np.array_equal(picture, drawn(["Game", "over"], high=8, margin=3, ink=red, ground=none))
    assert np.array_equal(play("text", ["Game over"]).picture, drawn(["Game over"]))
    assert np.array_equal(play("text", ["told"], text=b"not read").picture, drawn(["told"]))


def test_tabs_returns_and_empty_lines() -> None:
    assert np.array_equal(
        written("a\tb\t\tc\r\n\r\n\td\n\n"), drawn(["a    b        c", "", "    d"])
    )


@pytest.mark.parametrize("width", [1, 5, 8, 9, 10, 30, 80])
def test_lines_break_between_words(width: int) -> None:
    text = "This is a text of words\nand averylongwordthatfitsnowhere.\n\nThe  end"
    assert np.array_equal(written(text, "--width", str(width)), drawn(broken(text, width)))
    assert max(map(len, broken(text, width))) <= width


def test_text_comes_in_pieces() -> None:
    whole = "Größe: naïve “übung”, señor — 42\n"
    data = whole.encode()
    for size in (1, 2, 3, 7):
        pieces = [data[i : i + size] for i in range(0, len(data), size)]
        assert np.array_equal(play("text", text=pieces).picture, drawn([whole[:-1]]))


def test_no_text_gives_no_picture() -> None:
    run = play("text", text=b"")
    assert run.pictures == []
    assert run.process.exit is not None
    assert run.process.exit.status == 0


@settings(max_examples=40, deadline=None)
@given(st.text(LETTERS + "\t\r", min_size=1, max_size=120), st.integers(0, 20))
def test_any_text(text: str, width: int) -> None:
    run = play("text", ["--width", str(width)], text=text.encode())
    lines = broken(text, width)
    page = run.value("page")
    assert page.shape == (len(lines), max(1, max(map(len, lines))))
    for row, line in zip(page.tolist(), lines, strict=True):
        glyphs = [glyph(char) for char in line]
        assert row == glyphs + [0] * (len(row) - len(glyphs))


def test_a_long_text_is_quick_enough_to_have_no_loop_over_letters() -> None:
    text = "The quick brown fox jumps over the lazy dog. " * 2000
    run = play("text", ["--width", "70", "--margin", "0"], text=text.encode())
    memory = run.process.memory
    assert memory is not None
    assert memory.get64("done") < 500
    assert run.picture.shape == (len(broken(text, 70)) * 16, 70 * 8, 4)
