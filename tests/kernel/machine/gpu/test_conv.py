"""Konvolve and Konvolve wrapped on the GPU against the oracle."""

from __future__ import annotations

import random

import pytest

from pxos.kernel.machine.gpu import conv as conv_module
from pxos.kernel.machine.gpu.conv import TILE_WORDS, tiling
from tests.gpu import gpu
from tests.kernel.machine.gpu.harness import LARGE, check_op, specialised
from tests.kernel.machine.gpu.targeted import Given, Random, fresh, run

KINDS = [d + a + b for d in "IXTP" for a in "IXTP" for b in "IXTP"]
LEAST, MOST = -(2**31), 2**31 - 1


def same(kind: str, rows: int, cols: int, raw: int) -> Given:
    """A matrix of equal raw elements."""
    return Given(kind, rows, cols, [raw] * (rows * cols))


@pytest.mark.parametrize("below", [1 << 16, 0])
@pytest.mark.parametrize("char", "Kk")
def test_random_programs(char: str, below: int, monkeypatch: pytest.MonkeyPatch) -> None:
    specialised(monkeypatch, below)
    assert check_op(char, 60) > 5
    check_op(char, 5, LARGE)


@pytest.mark.parametrize("below", [1 << 16, 0])
@pytest.mark.parametrize("kinds", KINDS)
def test_every_three_kinds(kinds: str, below: int, monkeypatch: pytest.MonkeyPatch) -> None:
    specialised(monkeypatch, below)
    d, a, b = kinds
    for char in "Kk":
        for view in (False, True):
            run(char, fresh(d), Random(a, 5, 12, view), Random(b, 3, 4, view))
            run(char, Random(d, 5, 12, True), Random(a, 5, 12), Random(b, 2, 4, limits=(-3, 3)))


@pytest.mark.parametrize("char", "Kk")
def test_bytes_through_tiles(char: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Results of several tiles, odd sizes, kernels wider and taller than a tile or than a."""
    specialised(monkeypatch)
    for a in "TP":
        for d in "PI" if a == "P" else "T":
            for rows, cols, height, width in [
                (40, 68, 3, 3),
                (3, 52, 5, 5),
                (70, 36, 2, 1),
                (70, 20, 1, 6),
                (9, 24, 9, 9),
                (5, 8, 17, 15),
                (2, 12, 1, 255),
                (12, 4, 255, 1),
            ]:
                kernel = Random("X", height, width, limits=(-1, 1))
                run(char, fresh(d), Random(a, rows, cols), kernel)
                if a == "T":
                    run(char, fresh(d), Random(a, rows, cols + 1, True), kernel)


@pytest.mark.parametrize("char", "Kk")
def test_extreme_weights_on_bytes(char: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Around the bounds of 32-bit sums, with up to 256 taps and more."""
    specialised(monkeypatch)
    for d in "IXT":
        for weight in (LEAST, MOST, 0x7FFFFF, -0x800000, 0x808080, -0x808081, 0x808081, -1):
            run(char, fresh(d), same("T", 5, 9, 255), same("I", 1, 1, weight))
            run(char, fresh(d), same("T", 5, 9, 255), same("X", 1, 1, weight))
        for weight in (LEAST, MOST, 0xFFFF, 32768, 32767):
            for height, width in [(16, 16), (1, 257), (20, 20)]:
                run(char, fresh(d), same("T", 3, 8, 255), same("X", height, width, weight))
                run(char, fresh(d), same("T", 3, 8, 255), same("I", height, width, weight))


@pytest.mark.parametrize("char", "Kk")
@pytest.mark.parametrize("d", "IXTP")
def test_extreme_words(char: str, d: str) -> None:
    """Sums beyond 64 bits, of both signs, and such as cancel."""
    for a in (LEAST, MOST):
        for b in (LEAST, MOST):
            for kind in "IX":
                for other in "IX":
                    run(char, fresh(d), same(kind, 2, 4, a), same(other, 9, 9, b))
    chooser = random.Random(d)
    corners = (LEAST, LEAST + 1, MOST, -1, 0, 1, 1 << 30)
    for kind in "IX":
        raw = chooser.choices(corners, k=24)
        weights = chooser.choices(corners, k=81)
        run(char, fresh(d), Given(kind, 3, 8, raw), Given("X", 9, 9, weights))
        mirrored = [LEAST, MOST, 1] * 9
        run(char, fresh(d), same(kind, 3, 4, LEAST), Given("I", 3, 9, mirrored))


@pytest.mark.parametrize("char", "Kk")
@pytest.mark.parametrize("room", [1 << 24, 3 * 40, 1])
def test_large_kernels_by_parts(char: str, room: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Several slots, several rounds, several bands of rows."""
    monkeypatch.setattr(conv_module, "TAPS", 8)
    monkeypatch.setattr(conv_module, "BAND_WORDS", room)
    for busy in (1, 1 << 16):
        monkeypatch.setattr(conv_module, "BUSY", busy)
        for d, a, b in ("IXX", "TTX", "XII", "PPX", "TIX", "XPT"):
            run(char, fresh(d), Random(a, 7, 12), Random(b, 5, 8))
            run(char, fresh(d), Random(a, 3, 4), Random(b, 9, 16))
            run(char, Random(d, 7, 12, True), Random(a, 1, 12), Random(b, 9, 8))
            run(char, Random(d, 7, 12, True), Random(a, 7, 12, True), Random(b, 4, 8, True))


def test_a_kernel_of_thousands_of_taps() -> None:
    run("K", fresh("X"), Random("X", 2, 3), Random("X", 90, 100))
    run("k", fresh("T"), Random("T", 2, 3), Random("I", 1, 5000))


@pytest.mark.parametrize("char", "Kk")
def test_empty_kernels(char: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for below in (1 << 16, 0):
        specialised(monkeypatch, below)
        for rows, cols in [(0, 0), (0, 4), (3, 0), (1 << 20, 0)]:
            run(char, fresh("T"), Random("T", 5, 8), Random("X", rows, cols))
            run(char, fresh("I"), Random("I", 5, 8), Random("X", rows, cols))


def test_tiles_hold_what_a_rectangle_reads() -> None:
    for rows, words in [(1, 1), (4000, 6000), (3, 100_000), (100_000, 2)]:
        for height, width in [(1, 1), (3, 3), (15, 15), (1, 255), (255, 1), (31, 31)]:
            found = tiling(rows, words, (height, width), width - 1)
            assert found is not None
            shift, steps, tile_cols, tile_rows = found
            assert tile_cols == (1 << shift) + width - 1
            assert tile_rows == (256 >> shift) * steps + height - 1
            assert tile_cols * tile_rows <= TILE_WORDS
    assert tiling(100, 100, (100, 100), 99) is None


def test_operands_larger_than_a_binding(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gpu(), "binding_words", 4096)
    run("K", fresh("P"), Random("P", 121, 160), Random("X", 2, 2, limits=(-1, 1)))
