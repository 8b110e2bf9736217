"""Over, Tile, Zoom and Draw against the plain meaning."""

from __future__ import annotations

import random

import numpy as np
import pytest

from pxos.kernel.machine.cpu import draw
from tests.kernel.machine.cpu.exact import STRIDES, Matrix, check, random_matrix

MOVES = [d + a for d in "IXTP" for a in "IXTP" if d != "P" or a in "PI"]


def test_blending_is_exact_for_all_cases_of_one_channel() -> None:
    level, alpha = np.arange(256, dtype=np.uint32), np.arange(256, dtype=np.uint32)[:, None]
    for under in range(256):
        over = level | alpha << 24
        have = draw.blend(over, np.full((1, 1), under | under << 24, np.uint32))
        assert ((have & 255) == (level * alpha + under * (255 - alpha) + 127) // 255).all()
        assert (have >> 24 == (255 * alpha + under * (255 - alpha) + 127) // 255).all()


def test_over_broadcasts_and_takes_words() -> None:
    rng = random.Random(1)
    for a in "PI":
        for b in "PI":
            for left, right in [
                ((3, 4), (3, 4)),
                ((1, 1), (3, 4)),
                ((3, 4), (1, 1)),
                ((1, 4), (3, 1)),
                ((0, 4), (1, 4)),
                ((1, 1), (1, 1)),
            ]:
                steps = [rng.choice(STRIDES) for _ in range(3)]
                x, y = (random_matrix(rng, k, *s, pixel=True) for k, s in ((a, left), (b, right)))
                check("O", Matrix("P", [], 0), (x, y), steps=steps)
    for alpha in (0, 255):
        x = Matrix("P", [[(alpha << 24 | 0x123456) - (1 << 32 if alpha else 0)] * 3], 3)
        check("O", Matrix("P", [], 0), (x, random_matrix(rng, "P", 2, 3, pixel=True)))
    check("O", Matrix("P", [], 0), (random_matrix(rng, "P", 1, 4, pixel=True),) * 2, view=(3, 4))
    mine = random_matrix(rng, "P", 3, 4, pixel=True)
    for place in (0, 1):
        other = random_matrix(rng, "P", 3, 4, pixel=True)
        check("O", mine, (mine, other) if place == 0 else (other, mine), alias=place)
    check(
        "O",
        Matrix("P", [], 0),
        (
            random_matrix(rng, "P", 130, 200, pixel=True),
            random_matrix(rng, "I", 130, 1, pixel=True),
        ),
    )


@pytest.mark.parametrize("kinds", MOVES)
def test_tiles(kinds: str) -> None:
    rng = random.Random(kinds)
    d, b = kinds
    pixel = d == "P"
    for a in "IXT" if pixel else "IXTP":
        for shape in [(2, 3), (1, 1), (0, 3), (3, 0)]:
            for stack, leaf in [
                ((6, 3), 2),
                ((6, 4), 0),
                ((7, 2), 3),
                ((2, 2), 3),
                ((0, 3), 0),
                ((3, 0), 1),
                ((0, 2), 2),
            ]:
                scale = 65536 if a == "X" else 1
                low = 0 if a in "TP" else -1
                numbers = [
                    [rng.randint(low, 4) * scale for _ in range(shape[1])] for _ in range(shape[0])
                ]
                tiles = random_matrix(rng, b, *stack, pixel=pixel)
                tiles = Matrix(b, tiles.rows, tiles.cols, leaf)
                check(
                    "t",
                    Matrix(d, [], 0),
                    (Matrix(a, numbers, shape[1]), tiles),
                    steps=[rng.choice(STRIDES) for _ in range(3)],
                )


@pytest.mark.parametrize("kinds", MOVES)
def test_zoom(kinds: str) -> None:
    rng = random.Random(kinds)
    d, a = kinds
    for shape in [(3, 4), (1, 1), (5, 2), (0, 3), (3, 0)]:
        x = random_matrix(rng, a, *shape, pixel=d == "P")
        for size in [(3, 4), (6, 8), (7, 5), (1, 1), (2, 9), (0, 3), (4, 0), (15, 20)]:
            for s in "IX":
                scale = 65536 if s == "X" else 1
                check(
                    "Z",
                    Matrix(d, [], 0),
                    (x, Matrix(s, [[n * scale for n in size]], 2)),
                    steps=[rng.choice(STRIDES) for _ in range(3)],
                )
        check("Z", Matrix(d, [], 0), (x, Matrix("I", [[1, 4]], 2)), view=(3, 4))


@pytest.mark.parametrize("kinds", MOVES)
def test_draw(kinds: str) -> None:
    rng = random.Random(kinds)
    d, a = kinds
    pixel = d == "P"
    for fields in (2, 3, 4, 5):
        for shape, leaf in [
            ((4, 3), 2),
            ((2, 2), 0),
            ((1, 1), 0),
            ((3, 2), 4),
            ((0, 2), 0),
            ((5, 1), 2),
        ]:
            picture = random_matrix(rng, a, *shape, pixel=pixel)
            if rng.random() < 0.3:
                picture = Matrix(
                    a,
                    [
                        [raw | -(1 << 24) if a in "PI" and pixel else raw for raw in row]
                        for row in picture.rows
                    ],
                    picture.cols,
                )
            picture = Matrix(a, picture.rows, picture.cols, leaf)
            items = []
            for _ in range(rng.choice([0, 1, 6])):
                item = [rng.randint(-4, 7), rng.randint(-4, 9)]
                if fields >= 4:
                    item += [rng.randint(-1, 9), rng.randint(-1, 9)]
                if fields in (3, 5):
                    item.append(rng.randint(-1, 2))
                items.append(item)
            old = random_matrix(rng, d, 6, 8, pixel=pixel)
            check(
                "D",
                old,
                (picture, Matrix("I", items, fields)),
                steps=[rng.choice(STRIDES) for _ in range(3)],
            )
            boxes = np.array(items, np.int64).reshape(-1, fields)
            drawn = 0
            for item in items:
                probe = [[0] * 8 for _ in range(6)]
                for row in draw_one(probe, item, shape, leaf):
                    drawn += sum(row)
            assert draw.area(6, 8, *shape, leaf, boxes) == drawn


def draw_one(
    probe: list[list[int]], item: list[int], shape: tuple[int, int], leaf: int
) -> list[list[int]]:
    """Mark what an item draws."""
    height = (leaf if len(item) in (3, 5) else 0) or shape[0]
    leaves = shape[0] // height if height and shape[1] else 0
    size = item[2:4] if len(item) >= 4 else [height, shape[1]]
    if 0 <= (item[-1] if len(item) in (3, 5) else 0) < leaves and min(size) >= 1:
        for y in range(max(item[0], 0), min(item[0] + size[0], 6)):
            for x in range(max(item[1], 0), min(item[1] + size[1], 8)):
                probe[y][x] = 1
    return probe


def test_draw_onto_itself_and_far_outside() -> None:
    rng = random.Random(6)
    mine = random_matrix(rng, "P", 6, 8, pixel=True)
    places = Matrix("I", [[2, 3], [-1, 2]], 2)
    check("D", mine, (mine, places), alias=0)
    far = Matrix(
        "I",
        [
            [-(2**31), 0, 2**31 - 1, 2**31 - 1],
            [0, -5, 2**31 - 1, 2**31 - 1],
            [2**31 - 1, 0, 2**31 - 1, 1],
        ],
        4,
    )
    check("D", mine, (random_matrix(rng, "P", 2, 3, pixel=True), Matrix("I", far.rows[2:], 4)))
    boxes = np.array(far.rows, np.int32)
    assert draw.area(6, 8, 2, 3, 0, boxes) == 48


def test_items_and_rows_in_chunks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(draw, "ITEMS", 3)
    rng = random.Random(13)
    old = random_matrix(rng, "P", 6, 8, pixel=True)
    items = Matrix("I", [[rng.randint(-2, 6), rng.randint(-2, 8)] for _ in range(11)], 2)
    check("D", old, (random_matrix(rng, "P", 2, 3, pixel=True), items))
    assert draw.area(100, 100, 2, 3, 0, np.full((11, 2), 5)) == 66
    check("Z", Matrix("I", [], 0), (random_matrix(rng, "I", 3, 4), Matrix("I", [[11, 5]], 2)))


def test_large_pictures_blend_in_blocks() -> None:
    rng = random.Random(7)
    old = random_matrix(rng, "P", 130, 200, pixel=True)
    wide = Matrix("I", [[1, -2, 128, 300]], 4)
    check("D", old, (random_matrix(rng, "P", 3, 5, pixel=True), wide))
    check("D", old, (random_matrix(rng, "P", 1, 1, pixel=True), wide))
    check(
        "t",
        Matrix("P", [], 0),
        (
            Matrix("T", [[k % 7 for k in range(40)]] * 30, 40),
            Matrix("P", random_matrix(rng, "P", 32, 8, pixel=True).rows, 8, 8),
        ),
    )
