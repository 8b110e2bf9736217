"""Every layer of apps/lib/nn*.pxi against float64, within the bound that docs/networks.md states.

Inputs are on the grid of fixed point, so that what is measured is the layer's own error.
"""

from __future__ import annotations

import numpy as np
import pytest

from pxos.shell.lenses.networks import tables
from pxos.shell.lenses.networks.quantise import dequantise

from .tools import STEP, evaluate, grid

LN2 = float(np.log(2))


def rng() -> np.random.Generator:
    return np.random.default_rng(7)


# ---- linear, bias, embedding -------------------------------------------------------------------


@pytest.mark.parametrize("spread", [2.0**-16, 1.0, 300.0])
def test_linear_is_exact_but_for_one_rounding(spread: float) -> None:
    x = grid(rng().normal(0, spread, (3, 200)))
    q = rng().integers(0, 256, (200, 50), np.uint8)
    b = grid(rng().normal(size=(1, 50)))
    source = f"""
    include "nn.pxi"
    w : Q scale {2.0**-9} offset {-(2.0**-2)} = file("q.npy")
    y : X
    z : X
    linear(y, x, w)
    linear_bias(z, x, w, b)
    """
    y, z = evaluate(source, {"x": x, "q": q, "b": b}, "y", "z", kinds={"q": "I"})
    exact = x @ dequantise(q, 2.0**-9, -(2.0**-2))
    assert np.abs(y - exact).max() <= STEP / 2
    assert np.abs(z - exact - b).max() <= STEP / 2


def test_linear_saturates_and_never_wraps() -> None:
    x = np.array([[30000.0, 30000.0], [-30000.0, -30000.0]])
    source = """
    include "nn.pxi"
    w : Q scale 1.0 offset 0.0 = [1; 1]
    y : X
    linear(y, x, w)
    """
    (y,) = evaluate(source, {"x": x}, "y")
    assert y.ravel().tolist() == [32768 - STEP, -32768]


def test_embedding_takes_rows_and_gives_zeros_outside() -> None:
    q = rng().integers(0, 256, (10, 4), np.uint8)
    tokens = np.array([[3, 9, -1, 10, 0]])
    source = """
    include "nn.pxi"
    w : Q scale 0.0078125 offset -1.0 = file("q.npy")
    y : X
    embedding(y, w, tokens)
    """
    arrays = {"q": q, "tokens": tokens}
    (y,) = evaluate(source, arrays, "y", kinds={"q": "I", "tokens": "I"})
    values = dequantise(q, 2.0**-7, -1.0)
    assert np.array_equal(
        y, np.vstack([values[3], values[9], 0 * values[0], 0 * values[0], values[0]])
    )


# ---- norms -------------------------------------------------------------------------------------

NORM = """
include "nn.pxi"
const MEAN = 1 / {d}
AVERAGE : Q [{d}, 1] scale 1.0 offset MEAN = fill(0)
NOISE : I = round({e} * exp2(32))
y : X
z : X
ones : X [1, {d}] = fill(1.0)
none : X [1, {d}] = fill(0.0)
layer_norm(y, x, ones, none, AVERAGE, NOISE)
rms_norm(z, x, ones, NOISE)
"""


def norm_inputs(d: int) -> dict[str, np.ndarray]:
    r = rng()
    outlier = r.normal(size=(1, d))
    outlier[0, 3] = 3000
    spike = np.zeros((1, d))
    spike[0, 0] = 1
    large = r.normal(size=(1, d))
    return {
        "usual": r.normal(size=(4, d)),
        "offset": r.normal(size=(2, d)) + 20,
        "outlier": outlier,
        "spike": spike,
        "huge": large / np.abs(large).max() * 28000,
        "small": r.normal(0, 0.03, (2, d)),
        "tiny": r.normal(0, 0.002, (2, d)),
        "least": r.choice([-STEP, 0, STEP], (2, d)),
        "zero": np.zeros((1, d)),
        "equal": np.full((1, d), 5.5),
        "edges": np.array([[s * 2.0**k for s in (1, -1)] * (d // 2) for k in range(-16, 15)]),
        "below": np.array([[s * (2.0**k - STEP) for s in (1, -1)] * (d // 2) for k in range(15)]),
    }


@pytest.mark.parametrize("d", [64, 192, 768])
@pytest.mark.parametrize("e", [1e-5, 1e-6])
def test_norms(d: int, e: float) -> None:
    inputs = norm_inputs(d)
    x = grid(np.vstack(list(inputs.values())))
    y, z = evaluate(NORM.format(d=d, e=f"{e:.7f}"), {"x": x}, "y", "z")
    centred = x - x.mean(axis=1, keepdims=True)
    for got, c, by_mean in ((y, centred, STEP / 2), (z, x, 0.0)):
        power = np.sqrt(np.square(c).mean(axis=1, keepdims=True) + e)
        wanted = c / power
        # The mean of the row is rounded, as large as that is against the spread; the noise is, to
        # 2^-33; the result is rounded once.
        relative = 2.0**-34 / power**2 + (by_mean / power) ** 2
        bound = by_mean / power + np.abs(wanted) * relative + STEP / 2 + 1e-12
        assert (np.abs(got - wanted) <= bound).all(), np.argwhere(np.abs(got - wanted) > bound)[0]


# ---- activations -------------------------------------------------------------------------------


def activation_inputs() -> np.ndarray:
    near = np.arange(-14 * 65536, 14 * 65536, 37) * STEP
    far = np.array([-32768, -1000, -200.3, -11.99, 12.01, 4.999, 5.0, 200.3, 32767.9])
    return grid(np.concatenate([near, far, np.arange(-8192, 8192) * STEP]))[None, :]


@pytest.mark.parametrize("name", sorted(tables.REACH))
def test_activations_by_table(name: str) -> None:
    x = activation_inputs()
    half = tables.REACH[name] * tables.STEPS
    source = f'include "nn.pxi"\ny : X\nactivation(y, x, bump, {half})'
    (y,) = evaluate(source, {"x": x, "bump": tables.bump(name)}, "y")
    off = np.abs(y - tables.activate(name, x))
    assert off.max() <= 8.5e-5
    assert off.max() > 5e-5  # the bound is no better than it must be


def test_relu_and_silu_without_a_table() -> None:
    x = activation_inputs()
    source = 'include "nn.pxi"\ny : X\nz : X\nsilu(y, x)\nz = relu(x)'
    y, z = evaluate(source, {"x": x}, "y", "z")
    assert np.array_equal(z, np.maximum(x, 0))
    wanted = tables.activate("silu", x)
    assert np.abs(y - wanted).max() <= 5.5e-4  # below -10 it stays where it was there
    near = np.abs(x) < 9
    assert np.abs(y - wanted)[near].max() <= 3e-4
    assert (np.abs(y - wanted) <= 4e-5 * np.maximum(np.abs(x), 15))[x > 0].all()


# ---- softmax and losses ------------------------------------------------------------------------


def logit_rows(n: int) -> np.ndarray:
    r = rng()
    one = np.zeros((1, n))
    one[0, n // 2] = 30
    tail = np.full((1, n), -11.4)  # powers of less than a step each: only lifted ones are seen
    tail[0, 0] = 0
    return grid(
        np.vstack(
            [
                r.normal(size=(3, n)),
                r.normal(0, 20, (3, n)),
                r.normal(0, 300, (2, n)),
                np.zeros((1, n)),
                np.full((1, n), -700.0),
                one,
                tail,
                np.where(np.arange(n) % 2, 16000.0, -16000.0)[None, :],
            ]
        )
    )


def softmax64(x: np.ndarray) -> np.ndarray:
    e = np.exp(x - x.max(axis=1, keepdims=True))
    return e / e.sum(axis=1, keepdims=True)


def sum_error(n: int) -> float:
    """The stated relative error of lifted powers and of their sum."""
    return 4e-5 + n * STEP / 2 / 2.0 ** min(19 - int(np.log2(n)), 14)


@pytest.mark.parametrize("n", [1, 2, 65, 256, 1024, 4096])
def test_softmax(n: int) -> None:
    x = logit_rows(n)
    (y,) = evaluate('include "nn.pxi"\ny : X\nsoftmax(y, x)', {"x": x}, "y")
    wanted = softmax64(x)
    # Powers are off by a share, their sum by n half steps against 2^lift; then two roundings.
    bound = wanted * sum_error(n) + STEP
    assert (np.abs(y - wanted) <= bound).all()
    assert np.abs(y.sum(axis=1) - 1).max() <= n * STEP + sum_error(n)


@pytest.mark.parametrize("n", [2, 65, 1024])
def test_cross_entropy(n: int) -> None:
    x = logit_rows(n)[:-1]  # 32,000 nats are more bits than fixed point holds
    targets = rng().integers(0, n, (1, len(x)))
    targets[0, 0] = x[0].argmax()
    source = """
    include "nn.pxi"
    cross_entropy.logits = x
    cross_entropy.targets = targets
    call cross_entropy
    """
    arrays = {"x": x, "targets": targets}
    (y,) = evaluate(source, arrays, "cross_entropy.losses", kinds={"targets": "I"})
    top = x.max(axis=1)
    total = np.log(np.exp(x - top[:, None]).sum(axis=1)) + top
    wanted = total - x[np.arange(len(x)), targets[0]]
    assert (np.abs(y[:, 0] - wanted) <= 2 * STEP + sum_error(n) + 6e-6 * wanted).all()
    assert (y >= -1e-4).all()


# ---- attention ---------------------------------------------------------------------------------


def attention64(q: np.ndarray, k: np.ndarray, v: np.ndarray, first: int, head: int) -> np.ndarray:
    """Causal attention of rows q at positions from first, in float64, plainly."""
    n, heads, shared = len(q), q.shape[1] // head, k.shape[1] // head
    out = np.zeros_like(q)
    for h in range(heads):
        g = h // (heads // shared)
        mine, theirs = slice(h * head, (h + 1) * head), slice(g * head, (g + 1) * head)
        for t in range(n):
            end = first + t + 1
            scores = k[:end, theirs] @ q[t, mine] / np.sqrt(head)
            out[t, mine] = softmax64(scores[None])[0] @ v[:end, theirs]
    return out


ATTENTION = """
include "nn.pxi"
const HEADS = {heads}
const KEY_HEADS = {shared}
const HEAD = {head}
const CONTEXT = {context}
include "nn_attention.pxi"
cache : X [CONTEXT, 2 * KEYS]
q : X
kv : X
y : X
mixes : X [{total}, QUERIES]
at : I
n : I
while at < {total} {{
    n = min({chunk}, {total} - at)
    attention.first = at
    attention.count = n
    call attention
    q = rows(queries, iota(n, at))
    kv = rows(fresh, iota(n, at))
    attend(y, q, kv)
    rows(mixes, iota(n, at)) = y
    at += n
}}
"""


def attend(
    q: np.ndarray, kv: np.ndarray, heads: int, shared: int, context: int, chunk: int
) -> np.ndarray:
    source = ATTENTION.format(
        heads=heads,
        shared=shared,
        head=q.shape[1] // heads,
        context=context,
        total=len(q),
        chunk=chunk,
    )
    (out,) = evaluate(source, {"queries": q, "fresh": kv}, "mixes")
    return out / 32


@pytest.mark.parametrize(("heads", "shared"), [(4, 4), (4, 2), (6, 1), (1, 1)])
@pytest.mark.parametrize("spread", [0.01, 1.0, 6.0])
def test_attention(heads: int, shared: int, spread: float) -> None:
    head, total, context = 16, 100, 128
    r = rng()
    q = grid(r.normal(0, spread, (total, heads * head)))
    kv = grid(r.normal(0, spread, (total, 2 * shared * head)))
    k, v = kv[:, : shared * head], kv[:, shared * head :]
    whole = attend(q, kv, heads, shared, context, total)
    wanted = attention64(q, k, v, 0, head)
    off = np.abs(whole - wanted).max() / np.abs(v).max()
    assert off <= bound_of_attention(q, k, head, total)
    assert off <= 1.5e-4  # what was measured, doubled: the bound takes every rounding for the worst
    # One at a time, or some at a time: the same bits.
    assert np.array_equal(attend(q, kv, heads, shared, context, 1), whole)
    assert np.array_equal(attend(q, kv, heads, shared, context, 37), whole)


def bound_of_attention(q: np.ndarray, k: np.ndarray, head: int, rows: int) -> float:
    """The stated bound, for values of magnitude 1: scores, powers, shares."""
    longest = np.abs(k).reshape(len(k), -1, head).sum(axis=2).max()
    scores = np.abs(q).reshape(len(q), -1, head).max() * longest / np.sqrt(head) / LN2
    # In bits: a query's roundings against a key, the divisor's, the score's own and the power's.
    bits = STEP / 2 * longest + STEP / 2 / (np.sqrt(head) * LN2) * scores + 2 * STEP
    return float(2 * LN2 * bits + rows * STEP / 64)


@pytest.mark.parametrize("context", [256, 1024])
def test_attention_of_long_rows_of_equal_scores_and_of_large_ones(context: int) -> None:
    head, r = 8, rng()
    v = grid(r.normal(size=(context, head)))
    q = np.zeros((context, head))
    kv = np.hstack([np.zeros((context, head)), v])
    got = attend(q, kv, 1, 1, context, context)
    means = np.cumsum(v, axis=0) / np.arange(1, context + 1)[:, None]
    assert np.abs(got - means).max() <= context * STEP / 64
    q, k = np.full((context, head), 40.0), grid(r.normal(0, 20, (context, head)))
    got = attend(q, np.hstack([k, v]), 1, 1, context, context)
    assert np.abs(got - attention64(q, k, v, 0, head)).max() <= np.abs(
        v
    ).max() * bound_of_attention(q, k, head, context)


def test_rotary_positions() -> None:
    head, heads, shared, context, n, first = 16, 3, 1, 64, 20, 30
    whole = grid(rng().normal(0, 3, (n, (heads + 2 * shared) * head)))
    cosine, sine = tables.rotary(context, head, 10000.0)
    source = f"""
    const HEADS = {heads}
    const KEY_HEADS = {shared}
    const HEAD = {head}
    const CONTEXT = {context}
    include "nn_attention.pxi"
    include "nn_rotary.pxi"
    cache : X [CONTEXT, 2 * KEYS]
    attention.first = {first}
    attention.count = {n}
    call attention
    call rotary
    view part = x[0, 0, -1, TURNED]
    rotate(part, x)
    """
    arrays = {"x": whole, "ROTARY_COSINE": cosine, "ROTARY_SINE": sine}
    (got,) = evaluate(source, arrays, "x")
    wanted = whole.copy()
    c = np.tile(cosine[first : first + n], heads + shared)
    s = np.tile(sine[first : first + n], heads + shared)
    even, odd = slice(0, (heads + shared) * head, 2), slice(1, (heads + shared) * head, 2)
    wanted[:, even] = whole[:, even] * c - whole[:, odd] * s
    wanted[:, odd] = whole[:, even] * s + whole[:, odd] * c
    assert np.abs(got - wanted).max() <= np.abs(whole).max() * STEP + STEP
    assert np.array_equal(got[:, (heads + shared) * head :], whole[:, (heads + shared) * head :])
