from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pxos.kernel.random import derived_seed, philox4x32, words

#: Known answers of Philox4x32-10 published with Random123 (counter, key, result).
KNOWN = [
    ([0, 0, 0, 0], (0, 0), [0x6627E8D5, 0xE169C58D, 0xBC57AC4C, 0x9B00DBD8]),
    ([0xFFFFFFFF] * 4, (0xFFFFFFFF, 0xFFFFFFFF), [0x408F276D, 0x41C83B0E, 0xA20BC7C6, 0x6D5451FD]),
    (
        [0x243F6A88, 0x85A308D3, 0x13198A2E, 0x03707344],
        (0xA4093822, 0x299F31D0),
        [0xD16CFE09, 0x94FDCCEB, 0x5001E420, 0x24126EA1],
    ),
]


@pytest.mark.parametrize(("counter", "key", "result"), KNOWN)
def test_published_vectors(counter: list[int], key: tuple[int, int], result: list[int]) -> None:
    assert philox4x32(np.array([counter], np.uint32), key)[0].tolist() == result


def slow_word(seed: int, index: int) -> int:
    """One word of the stream in Python integers."""
    counter = [index // 4 & 0xFFFFFFFF, index // 4 >> 32, 0, 0]
    k0, k1 = seed & 0xFFFFFFFF, seed >> 32
    for _ in range(10):
        a, b = 0xD2511F53 * counter[0], 0xCD9E8D57 * counter[2]
        counter = [
            (b >> 32) ^ counter[1] ^ k0,
            b & 0xFFFFFFFF,
            (a >> 32) ^ counter[3] ^ k1,
            a & 0xFFFFFFFF,
        ]
        k0, k1 = (k0 + 0x9E3779B9) & 0xFFFFFFFF, (k1 + 0xBB67AE85) & 0xFFFFFFFF
    return counter[index % 4]


@given(st.integers(0, 2**64 - 1), st.integers(0, 2**34 + 9), st.integers(0, 23))
def test_any_part_of_the_stream(seed: int, index: int, count: int) -> None:
    assert words(seed, index, count).tolist() == [slow_word(seed, index + n) for n in range(count)]


def test_derived_seeds_differ() -> None:
    seeds = {derived_seed(seed, pid) for seed in range(20) for pid in range(50)}
    assert len(seeds) == 1000
    assert all(0 <= seed < 1 << 64 for seed in seeds)


def test_words_look_even() -> None:
    bits = np.unpackbits(words(12345, 0, 100_000).view(np.uint8))
    assert abs(bits.mean() - 0.5) < 0.002
