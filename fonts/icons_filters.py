"""Icons of the filters: small programs that turn pictures into pictures."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from .canvas import (
    BLUE,
    BROWN,
    FOG,
    GREEN,
    INDIGO,
    INK,
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
from .icons_programs import key, on_key


def blur() -> Canvas:
    """A drop of water."""
    drop = Canvas()
    drop.disc(18, 16, 7.6, TEAL)
    drop.polygon(
        [(4.0, 16), (8.5, 13.4), (15, 9.2), (18, 8.6), (18, 23.4), (15, 22.8), (8.5, 18.6)], TEAL
    )
    drop = drop.lit()
    drop.stamp(14, 10, "..p .pp .p. .p. .pp", {"p": PAPER})
    return on_key(BLUE, drop)


def edges() -> Canvas:
    """The landscape in lines of light."""
    canvas = key(SLATE)
    canvas.rect(5, 4, 21, 24, INK)
    line = Canvas()
    line.stroke([(24, 6), (11, 17), (24, 28)], 1.5, LIME)
    line.stroke([(25, 5), (17.5, 9.5), (25, 15)], 1.5, TEAL)
    line.disc(10, 9.5, 3.2, YELLOW)
    line.disc(10, 9.5, 2, INK)
    line.rect(24, 5, 1, 22, LIME)
    inside = np.zeros(line.pixels.shape, bool)
    inside[5:26, 4:28] = True
    canvas.fill_from(line, inside & (line.pixels >= 0))
    return canvas


def invert() -> Canvas:
    """Black in white and white in black."""
    coin = Canvas()
    coin.disc(15, 16, 10.4, PAPER)
    left = np.indices(coin.pixels.shape)[1] < 16
    coin.fill(coin.disc_mask(15, 16, 10.4) & left, NIGHT)
    coin.fill(coin.disc_mask(15, 16, 5) & left, PAPER)
    coin.fill(coin.disc_mask(15, 16, 5) & ~left, NIGHT)
    return on_key(RED, coin)


def gray() -> Canvas:
    """A ball that loses its colours half way."""
    ball = Canvas()
    disc = ball.disc_mask(15, 16, 10.4)
    row, col = np.indices(ball.pixels.shape)
    stripes = (
        (RED, FOG),
        (ORANGE, SILVER),
        (YELLOW, PAPER),
        (LIME, SILVER),
        (TEAL, FOG),
        (INDIGO, SLATE),
    )
    for band, (colour, grey) in enumerate(stripes):
        inside = disc & ((row - 5) * 6 // 20 == band)
        ball.fill(inside & (col < 16), colour)
        ball.fill(inside & (col >= 16), grey)
    return on_key(SILVER, ball)


def threshold() -> Canvas:
    """The landscape in two tones, and the knob that parts them."""
    card = Canvas()
    card.rect(5, 5, 15, 22, PAPER)
    card.disc(9.5, 11, 2.5, INK)
    card.polygon([(20, 9), (8.5, 20), (20, 31)], INK)
    card.polygon([(20, 1), (14, 9.5), (20, 18)], INK)
    card.pixels[:, 27:] = -1
    card.pixels[:, :5] = -1
    canvas = on_key(ORANGE, card)
    canvas.rect(24, 6, 2, 20, BROWN)
    canvas.rect(24, 6, 2, 12, PAPER)
    knob = Canvas()
    knob.rect(22, 16, 5, 4, PAPER)
    canvas.paste(knob.lit().outlined())
    return canvas


def scale() -> Canvas:
    """A small square that grows to a large one."""
    canvas = key(GREEN)
    for step in range(5, 27, 4):
        for row, col, rows, cols in (
            (5, step, 1, 2),
            (25, step, 1, 2),
            (step, 5, 2, 1),
            (step, 26, 2, 1),
        ):
            canvas.rect(row, col, rows, cols, PAPER)
    small = Canvas()
    small.rect(16, 6, 9, 9, YELLOW)
    canvas.paste(small.lit().outlined())
    arrow = Canvas()
    arrow.stroke([(15, 16), (10, 21)], 2.4, PAPER)
    arrow.polygon([(8, 16.5), (8, 24), (15.5, 24)], PAPER)
    canvas.paste(arrow.outlined())
    return canvas


def flip() -> Canvas:
    """A sail and its mirror image."""
    pair = Canvas()
    pair.polygon([(5, 13), (25, 13), (25, 4)], YELLOW)
    pair.polygon([(5, 19), (25, 19), (25, 28)], PAPER)
    canvas = on_key(INDIGO, pair.lit())
    for row in range(4, 27, 4):
        canvas.rect(row, 15, 2, 2, SILVER)
    return canvas


def rotate() -> Canvas:
    """A turn to the right around a square."""
    ring = Canvas()
    band = ring.disc_mask(16, 16, 10.2) & ~ring.disc_mask(16, 16, 6.8)
    row, col = np.indices(ring.pixels.shape)
    ring.fill(band & ~((col >= 16) & (row < 16) & (row + 16 > col - 6)), PAPER)
    ring.fill(band & (col >= 16) & (row < 9) & (col < 19), PAPER)
    ring.polygon([(2.5, 18), (12.5, 18), (7.5, 24.5)], PAPER)
    canvas = on_key(PINK, ring)
    square = Canvas()
    square.rect(14, 14, 4, 4, INDIGO)
    canvas.paste(square.lit().outlined())
    return canvas


def blend() -> Canvas:
    """Two discs of glass and what they make together."""
    discs = Canvas()
    one, other = discs.disc_mask(13, 12, 7.7), discs.disc_mask(18, 20, 7.7)
    discs.fill(one, RED)
    discs.fill(other, BLUE)
    discs.fill(one & other, PINK)
    return on_key(PAPER, discs.lit())


def histogram() -> Canvas:
    """Hills of red, green and blue."""
    canvas = key(BROWN)
    canvas.rect(4, 4, 23, 24, INK)
    heights = (2, 3, 5, 8, 12, 15, 13, 10, 12, 17, 14, 8, 5, 2)
    hues = (
        INDIGO,
        INDIGO,
        BLUE,
        BLUE,
        TEAL,
        TEAL,
        GREEN,
        LIME,
        LIME,
        YELLOW,
        ORANGE,
        ORANGE,
        RED,
        RED,
    )
    for index, height in enumerate(heights):
        col = 5 + index * 22 // 14
        wide = 5 + (index + 1) * 22 // 14 - col
        canvas.rect(24 - height, col, height, wide, hues[index])
    canvas.rect(24, 5, 1, 22, SILVER)
    return canvas


def palette() -> Canvas:
    """The sixteen colours."""
    card = Canvas()
    card.rounded(4, 4, 23, 24, 2, PAPER)
    order = (
        RED,
        ORANGE,
        YELLOW,
        LIME,
        PINK,
        BROWN,
        TEAL,
        GREEN,
        INDIGO,
        BLUE,
        SILVER,
        PAPER,
        INK,
        NIGHT,
        SLATE,
        FOG,
    )
    for index, colour in enumerate(order):
        card.rect(6 + index // 4 * 5, 6 + index % 4 * 5, 5, 5, colour)
    return on_key(SLATE, card)


ICONS: dict[str, Callable[[], Canvas]] = {
    "blur": blur,
    "edges": edges,
    "invert": invert,
    "gray": gray,
    "threshold": threshold,
    "scale": scale,
    "flip": flip,
    "rotate": rotate,
    "blend": blend,
    "histogram": histogram,
    "palette": palette,
}
