"""Choosing tokens: the likeliest, the distribution, top-k, top-p, and seeds."""

from __future__ import annotations

import numpy as np
import pytest

from pxos.shell.lenses.networks.validate import Desk

from .test_layers import softmax64
from .tools import build, execute, grid

SOURCE = """
ports random
include "nn_sample.pxi"
const TURNS = {turns}
found : I [1, TURNS]
i : I
sample.temperature = {temperature}
sample.top_k = {top_k}
sample.top_p = {top_p}
sample.seed = {seed}
while i < TURNS {{
    sample.logits = given
    call sample
    found[i] = sample.token
    i += 1
}}
"""


def draw(
    logits: np.ndarray,
    *,
    temperature: float = 1.0,
    top_k: int = 0,
    top_p: float = 1.0,
    seed: int = 0,
    turns: int = 4000,
    ports: Desk | None = None,
) -> np.ndarray:
    source = SOURCE.format(
        turns=turns, temperature=f"{temperature:.6f}", top_k=top_k, top_p=f"{top_p:.6f}", seed=seed
    )
    program = build(source, {"given": grid(np.atleast_2d(logits))}, {})
    (found,) = execute(program, ["found"], ports)
    return found.ravel()


def fits(found: np.ndarray, chances: np.ndarray) -> bool:
    """Whether counts lie within five standard deviations of what chances say, each of them."""
    n = len(found)
    counts = np.bincount(found, minlength=len(chances))
    slack = 5 * np.sqrt(n * chances * (1 - chances)) + n * 2.0**-14 + 1e-9
    return bool((np.abs(counts - n * chances) <= slack).all())


LOGITS = np.random.default_rng(5).normal(0, 2, 40)


@pytest.mark.parametrize("temperature", [0.5, 1.0, 3.0])
@pytest.mark.parametrize("seed", [0, 7, 8])
def test_tokens_come_as_often_as_their_chance(temperature: float, seed: int) -> None:
    chances = softmax64(LOGITS[None] / temperature)[0]
    assert fits(draw(LOGITS, temperature=temperature, seed=seed), chances)


def test_the_chance_of_each_is_right_to_the_last_step() -> None:
    """All 65536 words in turn: how often a token comes is its chance, exactly measured."""

    class Counter(Desk):
        def read(self, letter, selector):  # type: ignore[no-untyped-def]
            message = Desk.read(self, letter, selector)
            message.data[...] = self.turn
            self.turn += 13
            return message

    class Ports(Counter):
        turn = 0

    found = draw(LOGITS, turns=65536, ports=Ports(random=np.random.default_rng(0)))
    shares = np.bincount(found, minlength=40) / 65536
    assert np.abs(shares - softmax64(LOGITS[None])[0]).max() <= 2.0**-15


@pytest.mark.parametrize("seed", [0, 3])
def test_top_k(seed: int) -> None:
    order = np.argsort(-LOGITS)
    chances = np.zeros(40)
    chances[order[:5]] = softmax64(LOGITS[order[:5]][None])[0]
    assert fits(draw(LOGITS, top_k=5, seed=seed), chances)
    assert set(draw(LOGITS, top_k=1, turns=50).tolist()) == {int(order[0])}
    everything = softmax64(LOGITS[None])[0]
    assert fits(draw(LOGITS, top_k=100, seed=seed), everything)


@pytest.mark.parametrize("top_p", [0.5, 0.9])
def test_top_p(top_p: float) -> None:
    order = np.argsort(-LOGITS)
    everything = softmax64(LOGITS[None])[0]
    kept = order[: int((np.cumsum(everything[order]) < top_p).sum()) + 1]
    chances = np.zeros(40)
    chances[kept] = everything[kept] / everything[kept].sum()
    assert fits(draw(LOGITS, top_p=top_p, seed=11), chances)
    assert set(draw(LOGITS, top_p=0.0, turns=50).tolist()) == {int(order[0])}


def test_top_k_of_equal_logits_keeps_so_many() -> None:
    assert set(draw(np.zeros(30), top_k=3, seed=2, turns=300).tolist()) == {0, 1, 2}


def test_temperature_zero_and_nearly_zero_take_the_first_of_the_likeliest() -> None:
    logits = np.array([1.0, 3.0, 3.0, -5.0])
    assert set(draw(logits, temperature=0.0, turns=20).tolist()) == {1}
    assert set(draw(logits[:2], temperature=0.001, turns=50, seed=5).tolist()) == {1}


@pytest.mark.parametrize("n", [1, 2, 96, 5000])
def test_extremes(n: int) -> None:
    for logits in (np.full(n, 32767.0), np.full(n, -32768.0), np.linspace(-32768, 32767, n)):
        for settings in ({}, {"top_k": 3}, {"top_p": 0.5}, {"temperature": 100.0}):
            found = draw(logits, turns=20, seed=9, **settings)
            assert ((found >= 0) & (found < n)).all()


def test_a_seed_repeats_and_another_differs() -> None:
    one = draw(LOGITS, seed=7, turns=200)
    assert np.array_equal(one, draw(LOGITS, seed=7, turns=200))
    assert not np.array_equal(one, draw(LOGITS, seed=8, turns=200))
    # Without a seed it is the port that decides.
    by_port = [
        draw(LOGITS, turns=200, ports=Desk(random=np.random.default_rng(s))) for s in (1, 1, 2)
    ]
    assert np.array_equal(by_port[0], by_port[1])
    assert not np.array_equal(by_port[0], by_port[2])
