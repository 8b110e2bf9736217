"""Box drawing joins, and looks like what its name says."""

from __future__ import annotations

import unicodedata

import numpy as np
import pytest

from pxos.fonts import boxes

CODES = range(boxes.FIRST, boxes.LAST + 1)


def art(char: str, rows: int = 8) -> list[str]:
    return ["".join(".#"[int(ink)] for ink in row) for row in boxes.glyph(ord(char), rows)]


@pytest.mark.parametrize("rows", [8, 16])
def test_neighbours_join_on_the_same_pixels(rows: int) -> None:
    """An edge of a cell is inked exactly where every arm of that weight ends."""
    edges: dict[tuple[bool, str], set[bytes]] = {}
    for code in CODES:
        arms = boxes.arms_of(code)
        if "DASH" in unicodedata.name(chr(code)):
            continue
        cell = boxes.glyph(code, rows)
        sides = {
            boxes.UP: cell[0],
            boxes.DOWN: cell[-1],
            boxes.LEFT: cell[:, 0],
            boxes.RIGHT: cell[:, -1],
        }
        for arm, edge in sides.items():
            if not arms:
                continue
            vertical = arm in (boxes.UP, boxes.DOWN)
            weight = arms.get(arm, "none")
            edges.setdefault((vertical, weight), set()).add(edge.tobytes())
    assert {key: len(found) for key, found in edges.items()} == {
        (vertical, weight): 1
        for vertical in (False, True)
        for weight in ("none", "light", "heavy", "double")
    }
    for vertical in (False, True):
        widths = {
            weight: sum(next(iter(edges[vertical, weight])))
            for weight in ("none", "light", "heavy", "double")
        }
        assert widths == {"none": 0, "light": 1, "heavy": 3, "double": 2}


@pytest.mark.parametrize("rows", [8, 16])
def test_all_are_distinct(rows: int) -> None:
    assert len({boxes.glyph(code, rows).tobytes() for code in CODES}) == len(CODES)


@pytest.mark.parametrize("char", "─│┼┬┤═║╬╦╣━┃╋╪╫")
def test_symmetry(char: str) -> None:
    """Turned over about the axis, the arms are those of the mirrored glyph."""
    arms = boxes.arms_of(ord(char))
    swap = {boxes.LEFT: boxes.RIGHT, boxes.RIGHT: boxes.LEFT}
    mirrored = {swap.get(arm, arm): weight for arm, weight in arms.items()}
    cell, other = boxes.lines(arms, 16), boxes.lines(mirrored, 16)
    assert np.array_equal(cell[:, :7][:, ::-1], other[:, :7])


def test_a_few_pictures() -> None:
    assert art("┌") == ["........"] * 3 + ["...#####"] + ["...#...."] * 4
    assert art("╔") == ["........"] * 2 + ["..######", "..#.....", "..#.####"] + ["..#.#..."] * 3
    assert art("╟") == ["..#.#..."] * 3 + ["..#.####"] + ["..#.#..."] * 4
    assert art("╞") == ["...#...."] * 2 + ["...#####", "...#....", "...#####"] + ["...#...."] * 3
    assert art("╫") == ["..#.#..."] * 3 + ["########"] + ["..#.#..."] * 4
    assert art("╓")[3] == "..######"
    assert art("▚") == ["####...."] * 4 + ["....####"] * 4
    assert art("▂") == ["........"] * 6 + ["########"] * 2
    assert art("▊") == ["######.."] * 8
    assert art("▕") == [".......#"] * 8


@pytest.mark.parametrize(("char", "quarters"), [("░", 1), ("▒", 2), ("▓", 3)])
@pytest.mark.parametrize("rows", [8, 16])
def test_shades_have_their_density_and_go_on_across_cells(
    char: str, quarters: int, rows: int
) -> None:
    cell = boxes.glyph(ord(char), rows)
    assert cell.sum() * 4 == quarters * cell.size
    wide = np.tile(cell, (2, 2))
    assert np.array_equal(wide[4:, 4:], wide[:-4, :-4])


def test_dashes_count() -> None:
    for char, count in (("╌", 2), ("┄", 3), ("┈", 4)):
        row = art(char)[3]
        assert len([dash for dash in row.split(".") if dash]) == count
        column = "".join(line[3] for line in art(chr(ord(char) + 2), 16))
        assert len([dash for dash in column.split(".") if dash]) == count


def test_others_are_refused() -> None:
    with pytest.raises(ValueError, match="0041"):
        boxes.glyph(0x41, 16)
    assert boxes.arms_of(0x41) == {}
