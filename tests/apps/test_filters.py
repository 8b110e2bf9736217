"""Each filter against what it promises, computed by other means, on pictures of every size."""

from __future__ import annotations

import numpy as np
import pytest

from ..pictures import photograph
from . import references
from .playing import play

SIZES = [(1, 1), (1, 7), (7, 1), (16, 16), (97, 61)]


def pictures(seed: int = 1) -> list[np.ndarray]:
    """A picture of noise with alpha of each size, and a photograph."""
    dice = np.random.default_rng(seed)
    noise = [dice.integers(0, 256, (*size, 4), np.uint8) for size in SIZES]
    return [*noise, photograph(40, 60)]


def filtered(name: str, *words: str, given: list[np.ndarray] | None = None) -> list[np.ndarray]:
    """What a filter makes of several pictures in one stream: as many again."""
    given = pictures() if given is None else given
    out = play(name, words, [given]).pictures
    assert len(out) == len(given)
    return out


EXACT = {
    ("invert",): references.invert,
    ("gray",): references.gray,
    ("threshold",): lambda p: references.threshold(p, 128),
    ("threshold", "0"): lambda p: references.threshold(p, 0),
    ("threshold", "77"): lambda p: references.threshold(p, 77),
    ("threshold", "255"): lambda p: references.threshold(p, 255),
    ("flip",): lambda p: p[:, ::-1],
    ("edges",): references.edges,
    ("edges", "--strength", "3"): lambda p: references.edges(p, 3),
    ("edges", "--strength", "0"): lambda p: references.with_gray(p, 0 * references.luma(p)),
    ("rotate",): lambda p: np.rot90(p, -1),
    ("rotate", "0"): lambda p: p,
    ("rotate", "180"): lambda p: np.rot90(p, 2),
    ("rotate", "270"): np.rot90,
    ("rotate", "-90"): np.rot90,
    ("rotate", "360"): lambda p: p,
    ("blur", "0"): lambda p: p,
    ("scale", "1"): lambda p: p,
    ("scale", "3", "--filter", "nearest"): lambda p: references.nearest_size(
        p, p.shape[0] * 3, p.shape[1] * 3
    ),
    ("scale", "--width", "20", "--height", "9", "--filter", "nearest"): lambda p: (
        references.nearest_size(p, 9, 20)
    ),
}


@pytest.mark.parametrize("words", EXACT, ids=" ".join)
def test_exact(words: tuple[str, ...]) -> None:
    for given, out in zip(pictures(), filtered(*words), strict=True):
        expected = EXACT[words](given)
        assert out.shape == expected.shape
        assert np.array_equal(out, expected), f"{words} on {given.shape}"


@pytest.mark.parametrize("radius", [1, 3, 20, 127])
def test_blur_is_the_mean_of_a_square(radius: int) -> None:
    for given, out in zip(pictures(), filtered("blur", str(radius)), strict=True):
        assert out.shape == given.shape
        assert abs(out - references.square_means(given, radius)).max() <= 1


@pytest.mark.parametrize("radius", [1, 2, 50, 100, 126, 127])
@pytest.mark.parametrize("value", [1, 254, 255])
def test_blur_leaves_an_even_picture_alone(radius: int, value: int) -> None:
    even = np.full((5, 6, 4), value, np.uint8)
    assert np.array_equal(filtered("blur", str(radius), given=[even])[0], even)


def test_blur_passes_are_blurs_of_blurs() -> None:
    once = filtered("blur", "2")
    twice = filtered("blur", "2", given=once)
    for a, b in zip(filtered("blur", "2", "--passes", "2"), twice, strict=True):
        assert np.array_equal(a, b)


# ---- scale -------------------------------------------------------------------------------------


@pytest.mark.parametrize("words", [("0.5",), ("0.3",), ("2.5",), ("--width", "33")], ids=" ".join)
def test_smooth_scaling_is_bilinear_between_means(words: tuple[str, ...]) -> None:
    for given, out in zip(pictures(), filtered("scale", *words), strict=True):
        expected = references.smooth_size(given, *out.shape[:2])
        assert abs(out - expected).max() <= 2, given.shape


@pytest.mark.parametrize(
    ("words", "size"),
    [
        (("0.5",), (49, 31)),
        (("2",), (194, 122)),
        (("0.001",), (1, 1)),
        (("--width", "30"), (48, 30)),
        (("--height", "30"), (30, 19)),
        (("--width", "5", "--height", "200"), (200, 5)),
    ],
)
@pytest.mark.parametrize("kind", ["smooth", "nearest"])
def test_sizes_and_even_pictures(words: tuple[str, ...], size: tuple[int, int], kind: str) -> None:
    colour = (10, 200, 255, 128)
    even = np.full((97, 61, 4), colour, np.uint8)
    out = filtered("scale", *words, "--filter", kind, given=[even])[0]
    assert out.shape == (*size, 4)
    assert (out == colour).all()


def test_scaling_down_shifts_nothing() -> None:
    photo = photograph(64, 96)
    for factor in ("0.5", "0.25", "0.34"):
        out, mirrored = filtered("scale", factor, given=[photo, photo[::-1, ::-1].copy()])
        assert abs(out.astype(int) - mirrored[::-1, ::-1]).max() <= 1


# ---- rotate ------------------------------------------------------------------------------------


@pytest.mark.parametrize("degrees", [-7.5, 45.0, 91.0, 200.0])
def test_turning_takes_the_nearest_pixel(degrees: float) -> None:
    for given, out in zip(pictures(), filtered("rotate", str(degrees)), strict=True):
        y, x = references.turned(given.shape[:2], degrees)
        assert out.shape[:2] == y.shape
        # Where the place is hardly between two pixels, either will do.
        sure = (abs(y - np.round(y)) > 0.01) & (abs(x - np.round(x)) > 0.01)
        rows, cols = np.floor(y).astype(int), np.floor(x).astype(int)
        inside = (rows >= 0) & (rows < given.shape[0]) & (cols >= 0) & (cols < given.shape[1])
        expected = np.where(
            inside[..., None],
            given[np.clip(rows, 0, given.shape[0] - 1), np.clip(cols, 0, given.shape[1] - 1)],
            0,
        )
        assert np.array_equal(out[sure], expected[sure])


# ---- blend -------------------------------------------------------------------------------------

MODES = ["mix", "over", "add", "multiply", "screen", "difference", "lighter", "darker"]


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("amount", [1.0, 0.5])
def test_blend(mode: str, amount: float) -> None:
    below, above = pictures(1), pictures(2)
    words = ["--mode", mode, "--amount", str(amount)]
    out = play("blend", words, [below, above]).pictures
    for a, b, got in zip(above, below, out, strict=True):
        assert np.array_equal(got, references.blend(b, a, mode, amount)), (mode, b.shape)


def test_blend_fits_the_second_and_uses_the_last_again() -> None:
    below, above = pictures(1), pictures(2)[3]
    out = play("blend", ["--mode", "add", "--amount", "1"], [below, [above]]).pictures
    for b, got in zip(below, out, strict=True):
        fitted = references.nearest_size(above, *b.shape[:2])
        assert np.array_equal(got, references.blend(b, fitted, "add"))


def test_blend_with_nothing_fails() -> None:
    run = play("blend", [], [pictures(), []])
    assert run.process.exit is not None
    assert (run.process.exit.status, run.pictures) == (1, [])


# ---- histogram ---------------------------------------------------------------------------------


def test_histogram_counts_and_heights() -> None:
    for given in [*pictures(), photograph(400, 600), np.full((300, 300, 4), 7, np.uint8)]:
        run = play("histogram", [], [[given]])
        counts = np.array([np.bincount(given[..., c].ravel(), minlength=256) for c in range(3)])
        assert np.array_equal(run.value("count"), counts)
        chart = run.picture
        assert chart.shape == (144, 272, 4)
        lit = chart[8:136, 8:264, :3] == 224
        heights = references.tone_heights(counts, 128)
        assert abs(lit.sum(0).T - heights).max() <= 1
        assert lit.sum(0).max() == 128
        # A bar stands on the ground: below a lit pixel all are lit.
        assert (lit[1:] >= lit[:-1]).all()


def test_histogram_makes_a_chart_for_each_picture() -> None:
    given = pictures()
    charts = filtered("histogram", given=given)
    for picture, chart in zip(given, charts, strict=True):
        assert np.array_equal(chart, play("histogram", [], [[picture]]).picture)


# ---- palette -----------------------------------------------------------------------------------

PXOS = """15131f 232038 3b3757 6b6a8e a6a8c6 f4efe6 e5526f f2915c f7d06a a3d977 3fb27f 3aa6b9 4d7fe8
7460e0 ec8fd0 8a5a44"""
PALETTES = {
    "pxos": PXOS.split(),
    "gray": [f"{i * 255 // 7:02x}" * 3 for i in range(8)],
    "green": ["0f380f", "306230", "8bac0f", "9bbc0f"],
    "neon": ["0b0014", "2b0a5e", "7a04eb", "ff2a6d", "ff9e00", "f9f871", "05d9e8", "ffffff"],
}


def colours(name: str) -> np.ndarray:
    return np.array([[int(c[i : i + 2], 16) for i in (0, 2, 4)] for c in PALETTES[name]])


@pytest.mark.parametrize("name", PALETTES)
@pytest.mark.parametrize("dither", [0.0, 1.0, 2.5])
def test_palette(name: str, dither: float) -> None:
    out = filtered("palette", "--colours", name, "--dither", str(dither))
    for given, got in zip(pictures(), out, strict=True):
        assert np.array_equal(got, references.palette(given, colours(name), dither)), given.shape


@pytest.mark.parametrize("name", PALETTES)
def test_palette_leaves_its_own_colours(name: str) -> None:
    own = np.dstack([colours(name)[None], np.full((1, len(colours(name))), 200)]).astype(np.uint8)
    assert np.array_equal(filtered("palette", name, "0", given=[own])[0], own)


def test_palette_is_near_the_nearest() -> None:
    given = pictures()[4]
    out = filtered("palette", "pxos", "0", given=[given])[0]
    away = np.sqrt(((given[..., None, :3].astype(int) - colours("pxos")) ** 2).sum(-1))
    chosen = np.sqrt(((given[..., :3].astype(int) - out[..., :3]) ** 2).sum(-1))
    assert (chosen - away.min(-1)).max() <= 2 * np.sqrt(3) * 4
