"""Select, Reshape, Transpose, Beside and Below on the GPU against the oracle."""

from __future__ import annotations

import random

import pytest

from pxos.kernel.machine.isa import small_operand
from tests.conformance import values
from tests.conformance.building import Draft
from tests.gpu import gpu
from tests.kernel.machine.gpu.harness import LARGE, check_op, compare, specialised
from tests.kernel.machine.gpu.targeted import Given, Random, fresh, run

PAIRS = [d + a for d in "IXTP" for a in "IXTP" if d != "P" or a in "PI"]


@pytest.mark.parametrize("below", [1 << 16, 0])
@pytest.mark.parametrize("char", "?rT,;")
def test_random_programs(char: str, below: int, monkeypatch: pytest.MonkeyPatch) -> None:
    specialised(monkeypatch, below)
    assert check_op(char, 60) > 5
    check_op(char, 5, LARGE)


@pytest.mark.parametrize("view", [False, True])
@pytest.mark.parametrize("kinds", PAIRS)
def test_every_pair_of_kinds(kinds: str, view: bool) -> None:
    d, a = kinds
    run("T", fresh(d), Random(a, 7, 12, view))
    run(",", fresh(d), Random(a, 5, 4, view), Random(a, 1, 8, view))
    run(",", Random(d, 5, 12, True), Random(a, 1, 4, view), Random(d, 5, 8, view))
    run(";", fresh(d), Random(a, 5, 8, view), Random(d, 2, 8, view))
    run(";", Random(d, 7, 8, True), Random(a, 5, 8, view), Random(d, 2, 8, view))
    for c in "IXT":
        where = Random(c, 5, 8, view, (-1, 1))
        run("?", Random(d, 5, 8, view), where, Random(a, 5, 8, view), values_only=(0,))
        column = Random(c, 5, 1, view, (-1, 1))
        run("?", Random(d, 5, 8, view), column, Random(a, 1, 8, view), values_only=(0,))
    run("T", Random(d, 12, 8, True), Random(a, 8, 12, view))


@pytest.mark.parametrize("kinds", ["II", "XT", "TI", "TX", "PI"])
def test_columns_stretch(kinds: str) -> None:
    d, a = kinds
    run(";", fresh(d), Random(a, 5, 8), Random(a, 2, 1))
    run(";", fresh(d), Random(a, 5, 1, True), Random(a, 2, 8))
    run("?", Random(d, 5, 8, True), Given("I", 1, 1, [1]), Random(a, 5, 1))
    run("?", Random(d, 5, 8, True), 0, Random(a, 5, 1))


@pytest.mark.parametrize("view", [False, True])
@pytest.mark.parametrize("kinds", PAIRS)
def test_reshape(kinds: str, view: bool) -> None:
    d, a = kinds
    for rows, cols in [(3, 8), (1, 40), (40, 4), (-1, 4), (5, -1), (7, 12), (9, 1)]:
        run("r", fresh(d), Random(a, 5, 8, view), Given("I", 1, 2, [rows, cols]), values_only=(1,))
        if -1 not in (rows, cols):
            run("r", fresh(d), Random(a, 0, 8), Given("I", 2, 1, [rows, cols]), values_only=(1,))
            target = Random(d, rows, 4, True)
            run("r", target, Random(a, 5, 8, view), Given("I", 1, 2, [rows, 1]), values_only=(1,))


@pytest.mark.parametrize("below", [1 << 16, 0])
@pytest.mark.parametrize("kinds", PAIRS)
def test_large_transposes(kinds: str, below: int, monkeypatch: pytest.MonkeyPatch) -> None:
    specialised(monkeypatch, below)
    d, a = kinds
    for rows, cols in [(33, 68), (132, 68), (64, 128), (9, 300)]:
        run("T", fresh(d), Random(a, rows, cols))
        run("T", fresh(d), Random(a, rows, cols, True))
    run("T", Random(d, 68, 33, True), Random(a, 33, 68, True))


def test_odd_and_thin_transposes(monkeypatch: pytest.MonkeyPatch) -> None:
    for below in (1 << 16, 0):
        specialised(monkeypatch, below)
        for kind in "TX":
            for rows, cols in [(33, 65), (131, 17), (1000, 3), (3, 1000), (1, 999), (999, 1)]:
                run("T", fresh(kind), Random(kind, rows, cols))
                run("T", fresh(kind), Random(kind, rows, cols, True))
                run("T", Random(kind, cols, rows, True), Random(kind, rows, cols))


@pytest.mark.parametrize("kinds", ["TT", "TI", "IT", "XX", "PP"])
def test_rows_of_any_width(kinds: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Large results go by words of four bytes, wherever an operand's rows begin and end."""
    specialised(monkeypatch)
    d, a = kinds
    for left in range(1, 9):
        right = 11 - left
        run(",", fresh(d), Random(a, 3, left), Random(a, 3, right))
        run(",", fresh(d), Random(a, 3, left, True), Random(a, 1, right, True))
        run(";", fresh(d), Random(a, 2, left), Random(a, 3, left, True))
        run("r", fresh(d), Random(a, 3, left), Given("I", 1, 2, [5, right]), values_only=(1,))
        run("r", fresh(d), Random(a, 3, left, True), Given("I", 1, 2, [5, 7]), values_only=(1,))
        where = Random("T", 3, left, limits=(0, 1))
        run("?", Random(d, 3, left), where, Random(a, 3, left, True), values_only=(0,))
        run("?", Random(d, 3, left), where, Random(a, 3, 1), values_only=(0,))


def test_neutral_and_empty_operands() -> None:
    for char in ",;":
        for d, a, b in ("IXT", "TTI", "XPI", "PPI"):
            run(char, fresh(d), Random(a, 0, 0), Random(b, 3, 8, True))
            run(char, fresh(d), Random(a, 3, 8, True), Random(b, 0, 0))
    run(",", fresh("T"), Random("T", 3, 0), Random("I", 3, 5, True))
    run(";", fresh("T"), Random("T", 0, 5), Random("I", 3, 5, True))


@pytest.mark.parametrize("kind", "IXTP")
def test_appending_in_place(kind: str) -> None:
    chooser = random.Random(kind)
    for rows, cols in [(3, 8), (1, 8), (2, 1)]:
        if kind == "P" and cols == 1:
            continue
        draft = Draft()
        d = values.plain(draft, chooser, kind, 5, 8, capacity=400)
        draft.emit(";", d, d, values.plain(draft, chooser, kind, rows, cols))
        draft.emit("H", small_operand(0) or 0)
        assert compare(draft, f"; d d {kind} {rows} {cols}") == "done"


@pytest.mark.parametrize("char", "?rT,;")
def test_operands_in_d_itself(char: str) -> None:
    for kind in "IT":
        chooser = random.Random(f"{char} {kind}")
        draft = Draft()
        d = values.plain(draft, chooser, kind, 8, 8, capacity=600)
        part = draft.view(kind, d, 8, 4, 0, 1)
        second = {"?": d, "T": 0, ",": part, ";": d, "r": draft.integers(1, 2, [3, 20])}[char]
        draft.emit(char, d, part if char == "r" else d, second)
        draft.emit("H", small_operand(0) or 0)
        assert compare(draft, f"{char} {kind}") == "done"


def test_operands_larger_than_a_binding(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gpu(), "binding_words", 4096)
    specialised(monkeypatch)
    run("T", fresh("I"), Random("X", 60, 130))
    run("T", fresh("T"), Random("T", 121, 260))
    run(",", fresh("P"), Random("P", 60, 130), Random("P", 60, 8))
