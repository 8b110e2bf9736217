"""The drawings and their parser."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from pxos.fonts import atlas, charset
from pxos.fonts.faces import FaceError, parse_face

FONTS = Path(atlas.__file__).parent


def block(names: str, rows: int = 2) -> str:
    count = len(names.split())
    return f"= {names}\n" + (" ".join(["#......."] * count) + "\n") * rows


def test_blocks_names_and_composition() -> None:
    row = "#....... .#...... ..#.....\n"
    text = "; a comment\n\n= A U+00C4 dots\n" + row * 2 + "+ B = A dots\n"
    glyphs = parse_face(text, 2)
    assert set(glyphs) == {"A", "Ä", "dots", "B"}
    assert np.array_equal(glyphs["B"], glyphs["A"] | glyphs["dots"])
    assert glyphs["Ä"].sum() == 2


@pytest.mark.parametrize(
    ("text", "line", "word"),
    [
        ("nonsense\n", 1, "expected"),
        ("= A\n#.......\n", 2, "row 1 of 2"),
        ("= A\n#......\n#.......\n", 2, "row 0"),
        ("= A B\n#.......\n#.......\n", 2, "2 cells"),
        ("= A\n#......x\n#.......\n", 2, "'x'"),
        ("= A A\n#....... #.......\n#....... #.......\n", 1, "twice"),
        (block("A") + block("A"), 4, "twice"),
        (block("A") + "+ B = C\n", 4, "'C'"),
        (block("A") + "+ B A\n", 4, "expected"),
        (block("A") + "+ A = A\n", 4, "twice"),
        ("= U+ZZ\n", 1, "U+ZZ"),
        ("= U+FFFFFFFF\n", 1, "U+FFFFFFFF"),
    ],
)
def test_mistakes_name_their_line(text: str, line: int, word: str) -> None:
    with pytest.raises(FaceError, match="line") as caught:
        parse_face(text, 2)
    assert caught.value.line == line
    assert word in str(caught.value)


@pytest.fixture(params=list(atlas.FACES))
def face(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def test_every_glyph_differs(face: str) -> None:
    glyphs = atlas.load_glyphs(face)
    seen: dict[bytes, int] = {}
    may_look_alike = {(0x00, 0x10), (0x00, 0x20), (0x00, 0xA0), (0x2D, 0xAD)}
    for index in range(256):
        first = seen.setdefault(glyphs[index].tobytes(), index)
        assert first == index or (first, index) in may_look_alike, (hex(first), hex(index))


@pytest.mark.parametrize("pair", ["0O", "1l", "lI", "1I", "5S", "2Z", "8B", "uv", "vy", "'`", "rn"])
def test_confusable_characters_differ_by_several_pixels(face: str, pair: str) -> None:
    glyphs = atlas.load_glyphs(face)
    one, other = (glyphs[ord(char)] for char in pair)
    assert (one ^ other).sum() >= 3


def test_letters_keep_their_side_bearing(face: str) -> None:
    """Column 7 stays clear; column 0 too, but for letters with three stems and ligatures."""
    glyphs = atlas.load_glyphs(face)
    for char in "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789":
        glyph = glyphs[ord(char)]
        assert not glyph[:, 7].any(), char
        assert char in "MWmw" or not glyph[:, 0].any(), char


def test_strokes_that_go_up_are_two_pixels_wide(face: str) -> None:
    """No letter or figure has a run of ink in a row that is one pixel, but inner stems."""
    glyphs = atlas.load_glyphs(face)
    for char in "ABCDEFGHIJKLNOPQRSTUVXYZabcdefghijklnopqrstuvxyz012356789":
        for row in glyphs[ord(char)]:
            runs = "".join(".#"[int(ink)] for ink in row).split(".")
            assert "#" not in runs, char


def test_metrics_of_the_large_face() -> None:
    glyphs = atlas.load_glyphs("pxos-8x16")

    def extent(char: str) -> tuple[int, int]:
        rows = np.flatnonzero(glyphs[ord(char)].any(axis=1))
        return int(rows[0]), int(rows[-1])

    assert {extent(char) for char in "ABCDEFGHIJKLMNOPRSTUVWXYZ0123456789"} == {(3, 11)}
    assert {extent(char) for char in "acemnorsuvwxz"} == {(5, 11)}
    assert {extent(char) for char in "bdhkl"} == {(2, 11)}
    assert {extent(char) for char in "gpqy"} == {(5, 14)}


def test_accents_stand_clear_of_their_letters_in_the_large_face() -> None:
    glyphs = atlas.load_glyphs("pxos-8x16")
    for char in "ÀÁÂÃÄÈÉÊËÌÍÎÏÑÒÓÔÕÖÙÚÛÜÝàáâãäèéêëìíîïñòóôõöùúûüýÿ":
        inked = np.flatnonzero(glyphs[ord(char)].any(axis=1))
        assert (np.diff(inked) == 2).sum() == 1, char


def test_a_missing_glyph_is_named(tmp_path: Path) -> None:
    text = (FONTS / "pxos-8x8.txt").read_text("utf-8")
    kept = [line for line in text.splitlines() if not line.startswith("+ Ü ")]
    (tmp_path / "pxos-8x8.txt").write_text("\n".join(kept), "utf-8")
    with pytest.raises(KeyError, match=r"U\+00DC"):
        atlas.load_glyphs("pxos-8x8", tmp_path)


def test_atlas_is_white_on_transparent_black(face: str) -> None:
    glyphs = atlas.load_glyphs(face)
    picture = atlas.stack(glyphs)
    rows = atlas.FACES[face]
    assert picture.shape == (charset.GLYPH_COUNT * rows, 8, 4)
    assert picture.dtype == np.uint8
    for index in (0, 65, 0x8F, 0xE4, 300):
        cell = picture[index * rows : (index + 1) * rows]
        assert np.array_equal(cell == 255, np.repeat(glyphs[index][:, :, None], 4, axis=2))
        assert set(np.unique(cell)) <= {0, 255}
