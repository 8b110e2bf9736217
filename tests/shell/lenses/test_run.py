"""What programs do when they run."""

from __future__ import annotations

from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from .tools import Ran


def test_a_small_network() -> None:
    ran = Ran("""
        W1 : X = [1.0, -1.0; 0.5, 2.0]
        b1 : X = [0.25, -10]
        x : X = [2.0, 4.0]
        h : X
        h = relu(x @ W1 + b1)
        halt
    """)
    assert ran["h"] == [[Fraction("4.25"), 0]]


def test_loops_count() -> None:
    ran = Ran("""
        n : I
        s : I
        odd : I
        down : I
        for i in 0..10 {
            if i % 2 == 0 { continue }
            if i == 9 { break }
            odd += i
        }
        for i in 5..0 step -1 { down = down * 10 + i }
        while n < 4 and s < 100 { n += 1  }
        loop {
            s += n
            if s >= 20 break
        }
        halt s
    """)
    assert (ran.one("odd"), ran.one("down"), ran.one("n"), ran.stop.status) == (16, 54321, 4, 20)


def test_procs_macros_and_hygiene() -> None:
    ran = Ran("""
        macro abs(x) = max(x, -x)
        macro twice(x, then) {
            t : I
        again:
            t += 1
            x = x * 2
            if t < 2 goto again
            t = 0
            call then
        }
        t : I = 100
        n : I = 3
        m : I = -5
        calls : I
        twice(n, count)
        twice(m, count)
        square.x = abs(m) + t
        call square
        halt
        proc count { calls += 1 }
        proc square {
            x : I
            x *= x
        }
    """)
    assert (ran.one("n"), ran.one("m"), ran.one("t"), ran.one("calls")) == (12, -20, 100, 2)
    assert ran.one("square.x") == 14400


def test_a_macro_takes_its_callers_names_for_arguments_and_its_own_for_the_rest() -> None:
    ran = Ran("""
        total : I
        macro raise_by(total_by) { total += total_by }
        proc local {
            total : I = 7
            raise_by(total)
            return
        }
        call local
        halt
    """)
    assert (ran.one("total"), ran.one("local.total")) == (7, 7)


def test_views_write_through() -> None:
    ran = Ran("""
        a : I 3x4
        n : I = 1
        view line = a[n, 0, 1, -1]
        line = 5
        view corner = a[0, 2, 2, 2]
        corner += 1
        s : I
        s = sum(corner)
        halt
    """)
    assert ran["a"] == [[0, 0, 1, 1], [5, 5, 6, 6], [0, 0, 0, 0]]
    assert ran["s"] == [[2], [12]]


def test_a_channel_of_a_picture() -> None:
    ran = Ran("""
        pic : P 2x2 = fill(#102030)
        g : T
        view green = pic[0, 1, -1, -1] step 1, 4 as T
        g = copy(green)
        green = 255
        halt
    """)
    assert ran["g"] == [[0x20, 0x20]] * 2
    assert ran["pic"][0][0] == 0xFF30FF10 - (1 << 32)


def test_in_place_statements() -> None:
    ran = Ran("""
        a : I = [1, 2, 3, 4, 5]
        grid : I 2x3
        hist : I 1x4
        log : I
        a[1] = 20
        a[where a > 3] = 0
        rows(grid, 1) = [7, 8, 9]
        hist[[1, 1, 3]] += 2
        log = below(grid, [1, 1, 1])
        halt
    """)
    assert ran["a"] == [[1, 0, 3, 0, 0]]
    assert ran["grid"] == [[0, 0, 0], [7, 8, 9]]
    assert ran["hist"] == [[0, 4, 0, 2]]
    assert ran.shape("log") == (3, 3)


def test_arrays_of_matrices_are_repointed() -> None:
    ran = Ran("""
        first : I = 10
        second : I = 20
        f0 : I far = 100
        f1 : I far = 200
        d : I
        sum_ : I
        for i in 0..2 {
            name d = first[i]
            sum_ += d
            name d = f0[i]
            sum_ += d
        }
        halt
    """)
    assert ran.one("sum_") == 330


def test_short_circuit_keeps_faults_away() -> None:
    ran = Ran("n : I\nm : I = 7\nif n and m / n { halt 1 }\nif not n or m / n { halt 2 }\nhalt 3")
    assert ran.stop.status == 2


numbers = st.integers(-40, 60)


@st.composite
def expressions(draw: st.DrawFn, depth: int = 3) -> tuple[str, object]:
    """An expression over a, b, c and what Python says it is worth, as a function."""
    if depth == 0 or draw(st.booleans()):
        kind = draw(st.sampled_from(["name", "number"]))
        if kind == "number":
            value = draw(numbers)
            return (f"({value})" if value < 0 else str(value)), (lambda e, v=value: v)
        name = draw(st.sampled_from("abc"))
        return name, (lambda e, n=name: e[n])
    op = draw(st.sampled_from(list(BINARY)))
    left, lf = draw(expressions(depth=depth - 1))
    right, rf = draw(expressions(depth=depth - 1))
    if op == "not":
        return f"(not {left})", (lambda e: int(lf(e) == 0))
    if op == "max":
        return f"max({left}, {right})", (lambda e: max(lf(e), rf(e)))
    return f"({left} {op} {right})", (lambda e: BINARY[op](lf(e), rf(e)))


BINARY = {
    "+": lambda a, b: a + b, "-": lambda a, b: a - b, "*": lambda a, b: a * b,
    "<": lambda a, b: int(a < b), ">": lambda a, b: int(a > b), "<=": lambda a, b: int(a <= b),
    ">=": lambda a, b: int(a >= b), "==": lambda a, b: int(a == b), "!=": lambda a, b: int(a != b),
    "and": lambda a, b: min(a, b), "or": lambda a, b: max(a, b), "not": None, "max": None,
}  # fmt: skip


@settings(max_examples=60, deadline=None)
@given(expressions(), numbers, numbers, numbers)
def test_expressions_mean_what_they_say(pair: tuple[str, object], a: int, b: int, c: int) -> None:
    text, meaning = pair
    ran = Ran(f"a : I = {a}\nb : I = {b}\nc : I = {c}\nd : I\nd = {text}\nhalt")
    assert ran.one("d") == (meaning({"a": a, "b": b, "c": c}) + (1 << 31)) % (1 << 32) - (1 << 31)


truths = st.integers(0, 1)


@st.composite
def conditions(draw: st.DrawFn, depth: int = 3) -> tuple[str, object]:
    """A condition over a, b, c and its truth, as a function."""
    if depth == 0 or draw(st.integers(0, 3)) == 0:
        op = draw(st.sampled_from(["<", ">", "<=", ">=", "==", "!="]))
        name, value = draw(st.sampled_from("abc")), draw(st.sampled_from([0, 1, -1, 5]))
        return f"{name} {op} {value}", (lambda e: bool(BINARY[op](e[name], value)))
    kind = draw(st.sampled_from(["and", "or", "not"]))
    left, lf = draw(conditions(depth=depth - 1))
    if kind == "not":
        return f"not ({left})", (lambda e: not lf(e))
    right, rf = draw(conditions(depth=depth - 1))
    if kind == "and":
        return f"({left} and {right})", (lambda e: lf(e) and rf(e))
    return f"({left} or {right})", (lambda e: lf(e) or rf(e))


@settings(max_examples=60, deadline=None)
@given(conditions(), st.integers(-2, 6), st.integers(-1, 1), st.integers(4, 6))
def test_conditions_mean_what_they_say(pair: tuple[str, object], a: int, b: int, c: int) -> None:
    text, meaning = pair
    ran = Ran(f"""
        a : I = {a}
        b : I = {b}
        c : I = {c}
        yes : I
        no : I
        value : I
        turns : I
        if {text} {{ yes = 1 }} else {{ yes = 2 }}
        unless {text} {{ no = 1 }} else {{ no = 2 }}
        value = {text}
        while ({text}) and turns < 3 {{ turns += 1 }}
        halt
    """)
    truth = bool(meaning({"a": a, "b": b, "c": c}))
    assert ran.one("yes") == (1 if truth else 2)
    assert ran.one("no") == (2 if truth else 1)
    assert ran.one("value") == int(truth)
    assert ran.one("turns") == (3 if truth else 0)


@pytest.mark.parametrize("kind", ["I", "X"])
def test_division_follows_the_destination(kind: str) -> None:
    ran = Ran(f"n : I = -7\nd : {kind}\nd = n / 2\nhalt")
    assert ran.one("d") == (Fraction(-7, 2) if kind == "X" else -4)
