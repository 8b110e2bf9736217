"""Random numbers: Philox4x32-10, a pure function of (seed, index).

Counter-based (Salmon, Moraes, Dror, Shaw, "Parallel random numbers: as easy as 1, 2, 3",
2011): block n of the stream is the counter n encrypted with the key ``seed``, four words to
a block.  Any part of a stream can be had without the part before it, so a process needs to
keep its seed and how many words it has taken, which it does in SYS.
"""

from __future__ import annotations

import numpy as np

_M0, _M1 = np.uint64(0xD2511F53), np.uint64(0xCD9E8D57)
_W0, _W1 = 0x9E3779B9, 0xBB67AE85
_LOW = np.uint64(0xFFFFFFFF)
_HALF = np.uint64(32)
ROUNDS = 10


def philox4x32(counter: np.ndarray, key: tuple[int, int]) -> np.ndarray:
    """Philox4x32-10 of ``counter``, uint32 (n, 4), under two key words: uint32 (n, 4)."""
    c0, c1, c2, c3 = (counter[:, lane].astype(np.uint64) for lane in range(4))
    k0, k1 = key
    for _ in range(ROUNDS):
        product0, product1 = _M0 * c0, _M1 * c2
        c0, c1, c2, c3 = (
            (product1 >> _HALF) ^ c1 ^ np.uint64(k0),
            product1 & _LOW,
            (product0 >> _HALF) ^ c3 ^ np.uint64(k1),
            product0 & _LOW,
        )
        k0, k1 = k0 + _W0 & 0xFFFFFFFF, k1 + _W1 & 0xFFFFFFFF
    return np.stack([c0, c1, c2, c3], axis=1).astype(np.uint32)


def words(seed: int, index: int, count: int) -> np.ndarray:
    """Words ``index`` .. ``index + count - 1`` of the stream of a 64-bit ``seed``: uint32.

    Word i is lane i mod 4 of Philox4x32-10 of the counter i div 4 (its low words first) under
    the key (low half of seed, high half).
    """
    first, skip = divmod(index, 4)
    blocks = np.arange(first, first + (skip + count + 3) // 4, dtype=np.uint64)
    counter = np.zeros((len(blocks), 4), np.uint32)
    counter[:, 0] = blocks & _LOW
    counter[:, 1] = blocks >> _HALF
    key = seed & 0xFFFFFFFF, seed >> 32 & 0xFFFFFFFF
    return philox4x32(counter, key).reshape(-1)[skip : skip + count]


def derived_seed(seed: int, number: int) -> int:
    """A 64-bit seed for the ``number``-th process of a kernel seeded with ``seed``."""
    counter = np.array([[number & 0xFFFFFFFF, number >> 32 & 0xFFFFFFFF, 0, 1]], np.uint32)
    low, high = philox4x32(counter, (seed & 0xFFFFFFFF, seed >> 32 & 0xFFFFFFFF))[0, :2].tolist()
    return int(low | high << 32)
