"""Over, Tile, Zoom and Draw on the GPU against the oracle."""

from __future__ import annotations

import random

import numpy as np
import pytest

from pxos.kernel.machine.gpu import draw as draw_module
from pxos.kernel.machine.gpu.device import Part
from pxos.kernel.machine.gpu.kit import Job, Kit, Operand
from pxos.kernel.machine.isa import BY_CHAR, small_operand
from tests.conformance.building import Draft
from tests.gpu import gpu
from tests.kernel.machine.gpu.harness import LARGE, check_op, compare, run_first, specialised
from tests.kernel.machine.gpu.targeted import Given, Random, fresh, run

PAIRS = [d + a for d in "IXTP" for a in "IXTP" if d != "P" or a in "PI"]
ANY = (-(2**31), 2**31 - 1)


def pixels(chooser: random.Random, rows: int, cols: int) -> Given:
    """Pixels, many of them opaque or clear."""
    alphas = chooser.choices((0, 255, 255, 1, 128, 254, 77), k=rows * cols)
    raw = [chooser.randrange(1 << 24) | alpha << 24 for alpha in alphas]
    return Given("P", rows, cols, raw)


@pytest.mark.parametrize("below", [1 << 16, 0])
@pytest.mark.parametrize("char", "OtZD")
def test_random_programs(char: str, below: int, monkeypatch: pytest.MonkeyPatch) -> None:
    specialised(monkeypatch, below)
    assert check_op(char, 60) > 0
    check_op(char, 5, LARGE)


@pytest.mark.parametrize("kinds", ["PP", "PI", "IP", "II"])
def test_over(kinds: str) -> None:
    a, b = kinds
    chooser = random.Random(kinds)
    for view in (False, True):
        run("O", fresh("P"), Random(a, 7, 12, view), Random(b, 7, 12, view))
        run("O", fresh("P"), Random(a, 1, 12, view), Random(b, 7, 1, view))
        run("O", Random("P", 7, 12, True), Random(a, 7, 1, view), 3)
    run("O", fresh("P"), pixels(chooser, 64, 64), pixels(chooser, 64, 64))


def test_every_blend_of_a_channel() -> None:
    """All alphas, sources and targets of a channel, against the formula."""
    alpha, source = np.meshgrid(np.arange(256), np.arange(256), indexing="ij")
    over = (alpha << 24 | source << 16 | source << 8 | source).astype(np.uint32)
    for target in range(0, 256, 5):
        draft = Draft(spare_rows=4096)
        a = draft.add("P", 256, 256, over.ravel())
        b = draft.add("I", 1, 1, np.array([target * 0x01010101], np.uint32))
        d = draft.add("P", 256, 256, np.zeros(1 << 16, np.uint32))
        draft.emit("O", d, a, b)
        found = run_first(draft)
        assert found is not None
        memory = found[0]
        start = memory.data_addr(int(memory.words[memory.data_addr(2) + d]))
        words = memory.words[start : start + (1 << 16)].reshape(256, 256)
        colour = (source * alpha + target * (255 - alpha) + 127) // 255
        clear = (255 * alpha + target * (255 - alpha) + 127) // 255
        expected = clear << 24 | colour << 16 | colour << 8 | colour
        assert (words == expected).all()


@pytest.mark.parametrize("kinds", PAIRS)
def test_tile(kinds: str) -> None:
    d, b = kinds
    for view in (False, True):
        for a in "IXT":
            tiles = Random(a, 5, 7, view, (-1, 4))
            run("t", fresh(d), tiles, Random(b, 6, 4, leaf=2), values_only=(0,))
            run("t", Random(d, 15, 28, True), tiles, Random(b, 9, 4, leaf=3), values_only=(0,))
            run("t", fresh(d), tiles, Random(b, 3, 4, view), values_only=(0,))
            run("t", fresh(d), tiles, Random(b, 3, 4, leaf=4), values_only=(0,))
    run("t", fresh(d), Random("I", 5, 7, limits=ANY), Random(b, 6, 4, leaf=1), values_only=(0,))


@pytest.mark.parametrize("kinds", PAIRS)
def test_zoom(kinds: str) -> None:
    d, a = kinds
    for view in (False, True):
        for rows, cols in [(3, 8), (15, 24), (1, 4), (7, 12), (64, 64)]:
            size = Given("I", 1, 2, [rows, cols])
            run("Z", fresh(d), Random(a, 5, 8, view), size, values_only=(1,))
            run("Z", Random(d, rows, cols, True), Random(a, 5, 8, view), size, values_only=(1,))
            run("Z", fresh(d), Random(a, 0, 8, view), size, values_only=(1,))


def test_zoom_beyond_32_bits() -> None:
    """(2y + 1) * rows passes 2^32 from about 46341 rows on."""
    for size, wanted in [(70_000, 69_999), (69_999, 70_000), (3, 90_001), (90_001, 7)]:
        run("Z", fresh("T"), Random("T", 1, size), Given("I", 1, 2, [1, wanted]))
        run("Z", fresh("T"), Random("T", size, 1), Given("I", 1, 2, [wanted, 1]))


def test_zoom_of_the_greatest_sizes() -> None:
    """Sizes for which no memory is large enough: the first columns of a result."""
    kit = Kit(gpu())
    buffers = [kit.gpu.buffer(64), kit.gpu.buffer(8)]
    kit.gpu.write(buffers[0], 0, np.arange(64, dtype=np.uint32))
    greatest = 2**31 - 1
    for size, wanted in [
        (greatest, greatest - 1),
        (greatest, 2**30 + 5),
        (greatest - 1, greatest),
        (2**31 - 5, 2**28 + 3),
    ]:
        a = Operand("I", 1, size, 4, 0, 0, 1, buffers[0])
        d = Operand("I", 1, 8, 4, 0, 0, 1, buffers[1])
        work = draw_module.bind(Job(BY_CHAR["Z"], False, 0, (1, wanted), d, (a, a)), kit)
        kit.shared.send()
        kit.gpu.submit([dispatch.call for dispatch in work.do])
        (found,) = kit.gpu.read([Part(buffers[1], 0, 8)])
        assert found.tolist() == [(2 * x + 1) * size // (2 * wanted) for x in range(8)]


@pytest.mark.parametrize("fields", [2, 3, 4, 5])
@pytest.mark.parametrize("kinds", PAIRS)
def test_draw(kinds: str, fields: int) -> None:
    d, a = kinds
    for view in (False, True):
        for b in "IXT":
            items = Random(b, 9, fields, view, (-3, 14))
            for leaf in (0, 2, 3, 9):
                sprite = Random(a, 6, 4, view and not leaf, leaf=leaf)
                run("D", Random(d, 17, 20, view), sprite, items, values_only=(1,), seed=leaf)
    run("D", Random(d, 9, 8), Random(a, 1, 4), Random("I", 40, fields), values_only=(1,))


def test_draw_extreme_rectangles() -> None:
    least, most = ANY
    items = [
        [least, least, most, most],
        [least + 5, least + 9, most, most],
        [most, most, most, most],
        [-1, 3, most, 2],
        [2, -most, 3, most],
        [5, 5, least, 4],
        [6, least + 3, 1, most],
        [0, 0, 0, 9],
    ]
    for d in "PIT":
        listed = Given("I", len(items), 4, [number for item in items for number in item])
        run("D", Random(d, 10, 12), Random("I", 3, 5), listed, values_only=(1,))
    run("D", Random("P", 9, 9), Random("P", 4, 3), Given("P", 2, 1, [0x01010000, 0x04040202]),
        values_only=(1,))  # fmt: skip


@pytest.mark.parametrize("looks", [1 << 13, 64])
def test_many_items_overlap(looks: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """500 items, several dispatches; the order of blends matters."""
    monkeypatch.setattr(draw_module, "LOOKS", looks)
    chooser = random.Random(5)
    for large in (draw_module.LARGE, 0):
        monkeypatch.setattr(draw_module, "LARGE", large)
        for d in "PT":
            rows = [
                (chooser.randrange(-9, 60), chooser.randrange(-9, 90), chooser.randrange(12),
                 chooser.randrange(12), chooser.randrange(-1, 4))
                for _ in range(500)
            ]  # fmt: skip
            items = Given("I", 500, 5, [number for row in rows for number in row])
            cells = Random("T", 8, 5, leaf=2) if d == "T" else Random("P", 8, 5, leaf=2)
            run("D", Random(d, 61, 90, d == "T"), cells, items, values_only=(1,))
            run("D", Random(d, 300, 1), cells, items, values_only=(1,))
            run("D", Random(d, 1, 300), cells, items, values_only=(1,))


@pytest.mark.parametrize("start", range(4))
def test_items_at_the_edges_of_rectangles(start: int) -> None:
    """Wide rows of bytes that start anywhere in a word, items one column wide."""
    for step in (1, -1):
        draft = Draft()
        base = draft.add("T", 3, 700, np.zeros(3 * 175, np.uint32))
        d = draft.view("T", base, 3, 660, 0, start if step == 1 else start + 659, 1, step)
        columns = [0, *range(248, 264), *range(504, 518), 659]
        items = draft.integers(len(columns), 2, [n for col in columns for n in (1, col)])
        draft.emit("D", d, small_operand(7) or 0, items)
        draft.emit("H", small_operand(0) or 0)
        assert compare(draft, f"D {start} {step}") == "done"


def test_draw_nothing() -> None:
    for d in "PI":
        run("D", Random(d, 5, 5), Random("I", 0, 3), Random("I", 2, 2), values_only=(1,))
        run("D", Random(d, 5, 5), Random("I", 2, 3), Random("I", 0, 2), values_only=(1,))


def test_draw_with_parts_of_d() -> None:
    """Sprites and items that lie in d itself are read before anything is drawn."""
    for kind in "IP":
        for part in ("a", "b"):
            draft = Draft()
            chooser = random.Random(kind + part)
            raw = [chooser.randrange(8) | 0x40000000 * (kind == "P") for _ in range(144)]
            d = draft.integers(12, 12, raw, kind)
            a = draft.view("I", d, 3, 3, 2, 2) if part == "a" else draft.integers(1, 2, [5, 6])
            b = (
                draft.view("I", d, 5, 2, 4, 4)
                if part == "b"
                else draft.integers(2, 2, [3, 3, 4, 4])
            )
            draft.emit("D", d, a, b)
            draft.emit("H", small_operand(0) or 0)
            assert compare(draft, f"D {kind} {part}") == "done"


def test_operands_larger_than_a_binding(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gpu(), "binding_words", 4096)
    items = Random("I", 20, 4, limits=(-20, 150))
    run("D", Random("P", 90, 88), Random("P", 80, 80), items, values_only=(1,))
    run("Z", fresh("P"), Random("P", 80, 80), Given("I", 1, 2, [90, 70]), values_only=(1,))
