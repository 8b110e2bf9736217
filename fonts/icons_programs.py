"""Icons of the programs one lives with: desktop, terminal, games, tools."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from .canvas import (
    BLUE,
    BROWN,
    DARKER,
    FOG,
    GREEN,
    INDIGO,
    INK,
    LIGHTER,
    LIME,
    NIGHT,
    ORANGE,
    PAPER,
    PINK,
    RED,
    SILVER,
    SLATE,
    TEAL,
    YELLOW,
    Canvas,
)


def key(colour: int) -> Canvas:
    """The key on which every icon stands."""
    canvas = Canvas()
    canvas.rounded(0, 0, 32, 32, 7, INK)
    canvas.rounded(1, 1, 30, 30, 6, DARKER[colour])
    canvas.rounded(1, 1, 28, 30, 6, colour)
    edge = Canvas()
    edge.rounded(1, 1, 28, 30, 6, LIGHTER[colour])
    inner = Canvas()
    inner.rounded(2, 2, 30, 30, 6, colour)
    light = (edge.pixels >= 0) & (inner.pixels < 0)
    row, col = np.indices(light.shape)
    canvas.fill_from(edge, light & (row + col < 29))
    return canvas


def on_key(colour: int, thing: Canvas) -> Canvas:
    """A key with a thing on it, outlined."""
    canvas = key(colour)
    canvas.paste(thing.outlined())
    return canvas


def hello() -> Canvas:
    """A speech bubble that smiles."""
    bubble = Canvas()
    bubble.rounded(5, 5, 16, 22, 6, PAPER)
    bubble.polygon([(19, 8), (26, 8), (19, 16)], PAPER)
    bubble = bubble.lit()
    bubble.rect(10, 11, 3, 2, INK)
    bubble.rect(10, 19, 3, 2, INK)
    bubble.stamp(
        14, 10, "p..........p .i........i. ..i......i.. ...iiiiii...", {"i": INK, "p": PAPER}
    )
    bubble.rect(14, 8, 2, 2, PINK)
    bubble.rect(14, 22, 2, 2, PINK)
    return on_key(YELLOW, bubble)


def window(canvas: Canvas, row: int, col: int, rows: int, cols: int, bar: int, body: int) -> None:
    """A window with a title bar and its close button."""
    canvas.rect(row, col, rows, cols, body)
    canvas.rect(row, col, 4, cols, bar)
    canvas.rect(row + 4, col, 1, cols, INK)
    canvas.rect(row + 1, col + 1, 2, 2, PAPER)


def desktop() -> Canvas:
    """Two windows, one over the other."""
    back = Canvas()
    window(back, 6, 5, 14, 16, FOG, SILVER)
    front = Canvas()
    window(front, 11, 11, 14, 16, RED, PAPER)
    front.rect(18, 14, 1, 10, SILVER)
    front.rect(20, 14, 1, 7, SILVER)
    front.rect(22, 14, 1, 9, SILVER)
    canvas = on_key(BLUE, back)
    canvas.paste(front.outlined())
    return canvas


def terminal() -> Canvas:
    """A prompt on a dark screen."""
    screen = Canvas()
    screen.rounded(5, 5, 21, 22, 3, NIGHT)
    screen.stamp(
        10, 9, "gg.... .gg... ..gg.. ...gg. ....gg ...gg. ..gg.. .gg... gg....", {"g": LIME}
    )
    screen.rect(19, 17, 2, 6, PAPER)
    return on_key(FOG, screen)


def clock() -> Canvas:
    """A face at ten past ten."""
    face = Canvas()
    face.disc(15, 16, 10.4, PAPER)
    face = face.lit()
    for row, col in ((6, 15), (22, 15), (14, 7), (14, 23)):
        face.rect(row, col, 2, 2, FOG)
    face.stroke([(15, 16), (10.5, 11.5)], 2.4, INK)
    face.stroke([(15, 16), (10.5, 20.5)], 2.4, INK)
    face.rect(14, 15, 2, 2, RED)
    return on_key(TEAL, face)


def life() -> Canvas:
    """A glider on its board."""
    canvas = key(GREEN)
    canvas.rounded(3, 3, 25, 26, 2, INK)
    glider = {(1, 2), (2, 3), (3, 1), (3, 2), (3, 3)}
    for down in range(5):
        for right in range(5):
            top, left = 4 + 5 * down, 4 + 5 * right
            if (down, right) in glider:
                canvas.rect(top, left, 4, 4, GREEN)
                canvas.rect(top, left, 3, 3, LIME)
            else:
                canvas.rect(top, left, 4, 4, NIGHT)
    return canvas


def mandelbrot() -> Canvas:
    """The set itself, coloured by the steps to escape."""
    canvas = key(INDIGO)
    row, col = np.indices(canvas.pixels.shape)
    c = (col - 20.5) / 9.6 + 1j * (row - 14.5) / 9.6
    z, steps = np.zeros_like(c), np.zeros(c.shape, int)
    for _ in range(40):
        bounded = np.abs(z) <= 2
        z = np.where(bounded, z * z + c, z)
        steps += bounded
    ramp = np.array([INDIGO] * 3 + [BLUE, TEAL, LIME, YELLOW, YELLOW] + [PAPER] * 32 + [INK])
    canvas.pixels = np.where(
        canvas.pixels == INDIGO, ramp[np.minimum(steps, 40)], canvas.pixels
    ).astype(np.int8)
    return canvas


def paint() -> Canvas:
    """A painter's palette and a brush."""
    board = Canvas()
    board.disc(17, 14.5, 10.2, ORANGE, tall=0.82)
    board = board.lit()
    for row, col, colour in ((11, 9, RED), (10, 15, YELLOW), (16, 6, LIME), (21, 9, BLUE)):
        board.disc(row + 1.5, col + 1.5, 1.9, colour)
    canvas = on_key(INDIGO, board)
    hole = Canvas()
    hole.disc(21, 16, 1.6, INDIGO)
    canvas.paste(hole.outlined())
    brush = Canvas()
    brush.stroke([(13, 20), (5.5, 26.5)], 2.2, BROWN)
    brush.stroke([(13.5, 19.5), (12, 21)], 3, SILVER)
    brush.stroke([(16, 17.3), (14.8, 18.2)], 3, PINK)
    canvas.paste(brush.outlined())
    return canvas


def snake() -> Canvas:
    """A snake that is about to eat."""
    body = Canvas()
    points = [
        (24.0, 5.5),
        (24.0, 20.0),
        (23.0, 22.5),
        (21.0, 23.5),
        (18.5, 22.5),
        (17.5, 20.0),
        (17.5, 10.5),
        (16.5, 8.0),
        (14.0, 7.0),
        (11.5, 8.0),
        (10.5, 10.5),
        (10.5, 16.0),
    ]
    body.stroke(points, 4.2, GREEN)
    body.disc(10.5, 16.5, 3.2, GREEN)
    body = body.lit()
    for col in (8, 12, 16):
        body.rect(23, col, 2, 2, LIME)
    for col in (12, 16):
        body.rect(16, col, 2, 2, LIME)
    body.rect(8, 17, 2, 2, PAPER)
    body.dot(9, 18, INK)
    canvas = on_key(YELLOW, body)
    apple = Canvas()
    apple.stamp(7, 23, "..b.. .rrr. prrrr rrrrr .rrr.", {"b": BROWN, "r": RED, "p": PINK})
    canvas.paste(apple.outlined())
    return canvas


def breakout() -> Canvas:
    """Bricks, ball and bat."""
    canvas = key(SLATE)
    canvas.rect(4, 4, 23, 24, INK)
    for down, colour in enumerate((RED, ORANGE, YELLOW, LIME)):
        for right in range(4):
            if (down, right) in ((3, 2), (3, 1), (2, 2)):
                continue
            top, left = 5 + 3 * down, 5 + 6 * right
            canvas.rect(top, left, 2, 5, colour)
            canvas.rect(top, left, 1, 5, LIGHTER[colour])
    canvas.rect(17, 18, 2, 2, PAPER)
    canvas.dot(19, 17, FOG)
    canvas.dot(21, 15, SLATE)
    canvas.rect(23, 9, 2, 8, TEAL)
    canvas.rect(23, 9, 1, 8, SILVER)
    return canvas


def landscape(canvas: Canvas, row: int, col: int, rows: int, cols: int) -> None:
    """A picture within the picture: sky, sun, two hills."""
    scene = Canvas()
    scene.rect(0, 0, 32, 32, TEAL)
    scene.disc(row + rows * 0.32, col + cols * 0.3, rows * 0.18, YELLOW)
    foot = row + rows
    scene.polygon(
        [
            (foot, col + cols * 0.22),
            (row + rows * 0.25, col + cols * 0.68),
            (foot, col + cols * 1.2),
        ],
        INDIGO,
    )
    scene.polygon(
        [
            (row + rows * 0.25, col + cols * 0.68),
            (row + rows * 0.5, col + cols * 0.5),
            (row + rows * 0.42, col + cols * 0.7),
            (row + rows * 0.5, col + cols * 0.86),
        ],
        PAPER,
    )
    scene.polygon(
        [(foot, col - cols * 0.3), (row + rows * 0.6, col + cols * 0.25), (foot, col + cols * 0.8)],
        GREEN,
    )
    inside = np.zeros(canvas.pixels.shape, bool)
    inside[row : row + rows, col : col + cols] = True
    canvas.fill_from(scene, inside)


def photo(rows: int = 18, cols: int = 22, row: int = 6, col: int = 5) -> Canvas:
    """A print of the landscape with a white border."""
    card = Canvas()
    card.rect(row, col, rows, cols, PAPER)
    card = card.lit()
    landscape(card, row + 2, col + 2, rows - 4, cols - 4)
    return card


def view() -> Canvas:
    """A photograph under a lens."""
    canvas = on_key(ORANGE, photo(17, 22, 5, 5))
    glass = Canvas()
    glass.stroke([(22, 23), (25.5, 26.5)], 3, BROWN)
    glass.disc(18.5, 19.5, 5, SILVER)
    glass.disc(18.5, 19.5, 3.6, PAPER)
    glass.rect(16, 17, 2, 1, TEAL)
    glass.rect(16, 17, 1, 2, TEAL)
    canvas.paste(glass.outlined())
    return canvas


def text() -> Canvas:
    """A page with a large A."""
    page = Canvas()
    page.polygon([(4, 8), (4, 20), (9, 25), (27, 25), (27, 8)], PAPER)
    page = page.lit()
    page.polygon([(4, 20), (9, 20), (9, 25)], SILVER)
    page.stamp(
        9,
        11,
        """
        ..ii....
        .iiii...
        ii..ii..
        ii..ii..
        iiiiii..
        ii..ii..
        ii..ii..
    """,
        {"i": INDIGO},
    )
    page.rect(19, 11, 1, 11, FOG)
    page.rect(21, 11, 1, 8, FOG)
    page.rect(23, 11, 1, 10, FOG)
    page.rect(13, 19, 1, 3, FOG)
    page.rect(15, 19, 1, 3, FOG)
    return on_key(TEAL, page)


ICONS: dict[str, Callable[[], Canvas]] = {
    "hello": hello,
    "desktop": desktop,
    "terminal": terminal,
    "clock": clock,
    "life": life,
    "mandelbrot": mandelbrot,
    "paint": paint,
    "snake": snake,
    "breakout": breakout,
    "view": view,
    "text": text,
}
