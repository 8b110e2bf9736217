"""Matrix products of any kinds and strides, an element or a piece of one an invocation."""

from __future__ import annotations

import random
from collections import Counter

import numpy as np
import pytest

from pxos.kernel.machine.cpu.executor import CpuExecutor
from pxos.kernel.machine.gpu import matmul, matmul_tiles
from pxos.kernel.machine.isa import small_operand
from pxos.kernel.machine.ports import NoPorts
from tests.conformance.building import NO_LIMIT, WIDTH, Draft
from tests.conformance.values import LIMITS, bits_of, plain, viewed, words_of
from tests.gpu import gpu
from tests.kernel.machine.gpu.harness import LARGE, check_op, compare, run_first

LOW, HIGH = -(2**31), 2**31 - 1


def compare_with_cpu(draft: Draft, what: object) -> str:
    """Compare a draft's first instruction with the CPU executor: for what the oracle is slow at."""
    expected = draft.memory()
    expected.set64("fuel", NO_LIMIT)
    stop = CpuExecutor(expected, NoPorts()).run(NO_LIMIT)
    found = run_first(draft)
    if found is None:
        return "fault"
    assert stop.reason == "H", f"{what}: the CPU stopped with {stop}"
    memory, _ = found
    for words in (memory.words, expected.words):  # the registers are the executor's
        words[WIDTH + 8 : WIDTH + 15] = 0
        words[WIDTH + 21 : WIDTH + 25] = 0
    wrong = np.flatnonzero(memory.words != expected.words)
    shown = [
        f"word {i % WIDTH} of row {i // WIDTH}: {memory.words[i]:#x}, not {expected.words[i]:#x}"
        for i in wrong[:5].tolist()
    ]
    assert not shown, f"{what}: {len(wrong)} words differ: " + "; ".join(shown)
    return "done"


def random_product(
    chooser: random.Random,
    shape: tuple[int, int, int],
    kinds: tuple[str, str, str],
    char: str,
) -> Draft:
    """A draft of one product of rows x inner x columns; matrices and views, kinds of d, a and b."""
    rows, inner, cols = shape
    d, a, b = kinds
    if a == "P" or (b == "P" and char == "m"):
        inner = -(-inner // 4) * 4
    if d == "P" or (b == "P" and char == "M"):
        cols = -(-cols // 4) * 4
    draft = Draft(spare_rows=20000)
    limits = chooser.choice((None, None, (-300, 300), (0, 1)))

    def add(kind: str, high: int, wide: int, limits: tuple[int, int] | None = None) -> int:
        make = viewed if chooser.random() < 0.5 else plain
        return make(draft, chooser, kind, high, wide // 4 if kind == "P" else wide, limits)

    right = add(b, cols, inner) if char == "m" else add(b, inner, cols)
    left = add(a, rows, inner, limits)
    into = add(d, rows, cols) if chooser.random() < 0.4 else draft.add(d, 0, 0)
    draft.emit(char, into, left, right)
    draft.emit("H", small_operand(7) or 0)
    return draft


def check_products(
    name: str,
    count: int,
    rows: tuple[int, ...],
    inner: tuple[int, ...],
    cols: tuple[int, ...],
    right: str = "IXTPQQ",
) -> Counter[str]:
    """Compare random products with the CPU executor; how they ended."""
    ended: Counter[str] = Counter()
    for number in range(count):
        chooser = random.Random(f"{name} {number}")
        shape = chooser.choice(rows), chooser.choice(inner), chooser.choice(cols)
        kinds = chooser.choice("IXTP"), chooser.choice("IXTP"), chooser.choice(right)
        char = chooser.choice("Mm")
        what = name, number, char, shape, kinds
        ended[compare_with_cpu(random_product(chooser, shape, kinds, char), what)] += 1
    return ended


def matrix(draft: Draft, kind: str, cells: list[list[int]], w4: int = 0, w5: int = 0) -> int:
    """Add a matrix of raw elements; its entry."""
    rows, cols = len(cells), len(cells[0])
    flat = [cell for row in cells for cell in row]
    return draft.add(kind, rows, cols, words_of(kind, rows, cols, flat), w4=w4, w5=w5)


def extreme_products() -> list[tuple[str, Draft]]:
    """Products of the greatest magnitudes, with saturation and clamping into every kind."""
    found = []
    for a, b, scale in (
        ("I", "I", 0.0),
        ("X", "X", 0.0),
        ("X", "Q", 0.37),
        ("I", "Q", 127.99999),  # beyond 64 bits, but not beyond 96
        ("T", "Q", 0.37),
        ("T", "X", 0.0),
    ):
        for left in (LOW, HIGH, -1, LOW + 1):
            for right in (LOW, HIGH, 1):
                x = max(LIMITS[a][0], min(LIMITS[a][1], left))
                y = max(LIMITS[b][0], min(LIMITS[b][1], right))
                for d in "IXT":
                    draft = Draft()
                    inner = 70
                    into = draft.add(d, 0, 0)
                    w4, w5 = (bits_of(scale), bits_of(-40.5)) if b == "Q" else (0, 0)
                    one = matrix(draft, a, [[x] * inner, [x, y & 255 if a == "T" else y] * 35])
                    other = matrix(draft, b, [[y] * 3] * inner, w4, w5)
                    draft.emit("M", into, one, other)
                    draft.emit("H", small_operand(7) or 0)
                    found.append((f"{d} = {a} {x} x {b} {y}", draft))
    return found


def random_float(chooser: random.Random) -> int:
    """Bits of a finite float32: any exponent, denormals and the ends among them."""
    sign = chooser.getrandbits(1) << 31
    style = chooser.randrange(8)
    if style == 0:
        return sign | chooser.choice((0, 1, 0x7FFFFF, 0x800000, 0x7F7FFFFF, 0x7F000000))
    exponent = chooser.randrange(255) if style < 5 else chooser.randrange(100, 140)
    mantissa = chooser.choice((0, 0x7FFFFF, 1, chooser.getrandbits(23)))
    return sign | exponent << 23 | mantissa


def quantised_product(seed: str, rows: int, inner: int, cols: int) -> Draft:
    """A small product with a quantised right operand of any scale and offset."""
    chooser = random.Random(seed)
    draft = Draft()
    d, a = chooser.choice("IXTP"), chooser.choice("IXT")
    cols = -(-cols // 4) * 4 if d == "P" else cols
    into = draft.add(d, 0, 0)
    x = plain(draft, chooser, a, rows, inner)
    char = chooser.choice("Mm")
    shape = (cols, inner) if char == "m" else (inner, cols)
    cells = [
        [chooser.choice((0, 1, 128, 255, chooser.randrange(256))) for _ in range(shape[1])]
        for _ in range(shape[0])
    ]
    q = matrix(draft, "Q", cells, random_float(chooser), random_float(chooser))
    draft.emit(char, into, x, q)
    draft.emit("H", small_operand(7) or 0)
    return draft


@pytest.mark.parametrize("char", "Mm")
def test_products_like_the_oracle(char: str) -> None:
    assert check_op(char, 100) > 15
    assert check_op(char, 10, LARGE) > 0


def test_random_products() -> None:
    sizes = (1, 2, 3, 9, 23), (1, 3, 4, 30, 150), (1, 2, 4, 5, 33)
    assert check_products("general", 40, *sizes)["done"] > 30


def test_sums_cut_into_pieces(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(matmul, "SHORT", 8)
    monkeypatch.setattr(matmul, "PIECE", 50)
    monkeypatch.setattr(matmul, "WHOLE", 30)
    monkeypatch.setattr(matmul, "SCRATCH_WORDS", 300)
    sizes = (1, 2, 7), (1, 9, 100, 333), (1, 4, 5)
    assert check_products("pieces", 40, *sizes)["done"] > 30


def test_long_sums() -> None:
    sizes = (1, 2), (5000, 70000), (1, 3)
    assert check_products("long", 6, *sizes)["done"] > 3


def test_nothing_to_add_gives_zeros() -> None:
    for d in "IXTP":
        for b in "XQ":
            draft = Draft()
            into = draft.add(d, 0, 0)
            x = draft.add("X", 3, 0)
            y = draft.add(b, 0, 4, w4=bits_of(0.5), w5=bits_of(9.0))
            draft.emit("M", into, x, y)
            draft.emit("H", small_operand(7) or 0)
            assert compare(draft, f"{d} = 3x0 times 0x4 {b}") == "done"


def test_a_view_takes_the_result_broadcast() -> None:
    chooser = random.Random(4)
    for d in "IXT":
        for rows, cols in ((1, 4), (1, 1)):
            draft = Draft()
            base = plain(draft, chooser, d, 5, 9)
            into = draft.view(d, base, 3, 4, 1, 2)
            x = plain(draft, chooser, "X", rows, 6)
            y = plain(draft, chooser, "X", 6, cols)
            draft.emit("M", into, x, y)
            draft.emit("H", small_operand(7) or 0)
            assert compare(draft, f"{rows}x{cols} into a 3x4 view of {d}") == "done"


def test_extreme_elements() -> None:
    for what, draft in extreme_products():
        assert compare_with_cpu(draft, what) == "done"


def test_any_scale_and_offset() -> None:
    for number in range(150):
        seed = f"scale {number}"
        assert compare(quantised_product(seed, 2, 5, 3), seed) == "done"


def test_windows_of_large_matrices(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gpu(), "binding_words", 4096)
    monkeypatch.setattr(matmul_tiles, "TERMS", 1 << 40)
    monkeypatch.setattr(matmul, "VECTOR_ROWS", 0)
    sizes = (70, 150), (3, 70), (80, 100)
    assert check_products("windows", 6, *sizes)["done"] > 3
