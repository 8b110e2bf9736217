"""The four rounded functions: every input of sine, samples or all of the others."""

from __future__ import annotations

import random
from collections.abc import Sequence
from decimal import Decimal, localcontext
from fractions import Fraction

import pytest

from pxos.kernel.machine.oracle_functions import exp2_raw, log2_raw

from .building import Draft
from .compare import check

CHUNK = 4096


def compare(char: str, inputs: Sequence[int]) -> None:
    """All executors on these fixed-point words."""
    for start in range(0, len(inputs), CHUNK):
        part = inputs[start : start + CHUNK]
        draft = Draft(spare_rows=400)
        d, a = draft.add("X", 0, 0), draft.integers(1, len(part), part, "X")
        draft.emit(char, d, a)
        check(draft, 0, f"{char} of words {part[0]}..{part[-1]}")


def words(seed: int, count: int, least: int, most: int) -> list[int]:
    chooser = random.Random(seed)
    return [chooser.randint(least, most) >> chooser.randrange(31) for _ in range(count)]


def test_sine_of_a_quarter_and_of_anything() -> None:
    compare("~", range(0, 65536, 7))
    compare("~", words(1, 2000, -(2**31), 2**31 - 1))


@pytest.mark.parametrize("char", "elq")
def test_samples(char: str) -> None:
    compare(char, words(ord(char), 3000, -(2**31), 2**31 - 1))
    compare(char, range(-18 * 65536, 16 * 65536, 1009))


@pytest.mark.slow
def test_sine_of_every_phase() -> None:
    compare("~", range(65536))


@pytest.mark.slow
def test_exp2_of_every_input_that_matters() -> None:
    compare("e", range(-17 * 65536 - 2, 15 * 65536 + 2))


@pytest.mark.slow
def test_log2_of_the_first_million_and_of_samples() -> None:
    compare("l", range(-2, 1 << 20))
    compare("l", words(5, 200_000, 0, 2**31 - 1))


def test_the_oracle_itself_against_decimals() -> None:
    with localcontext() as context:
        context.prec = 60
        two = Decimal(2)
        for word in words(9, 300, -18 * 65536, 15 * 65536):
            x = Decimal(word) / 65536
            expected = int((two**x * 65536 + Decimal("0.5")).to_integral_value("ROUND_FLOOR"))
            assert exp2_raw(Fraction(word, 65536)) == min(expected, 2**31 - 1)
            if word > 0:
                y = x.ln() / two.ln() * 65536 + Decimal("0.5")
                assert log2_raw(Fraction(word, 65536)) == int(y.to_integral_value("ROUND_FLOOR"))
