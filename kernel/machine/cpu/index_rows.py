"""Finding rows in rows: the first equal row of a table for each row asked for.

Rows become keys of one or more 64-bit words.  One word is compared by sorting; several are
mixed to one hash, candidates are compared in full, and any hash that two unequal rows share
sends the search to a dictionary of rows, so the answer never rests on the hash.
"""

from __future__ import annotations

import numpy as np

#: Odd constant of the multiplicative hash (2^64 / golden ratio).
_MIX = np.uint64(0x9E3779B97F4A7C15)
_FOLD = np.uint64(29)


def _row_keys(x: np.ndarray, shift: int, width: int, grid: int) -> np.ndarray:
    """Rows of ``width`` elements as unsigned words (rows x words), the last padded with zeros.

    ``grid``: 8 packs bytes by eight, 32 raw words by two, 64 values shifted by ``shift``.
    """
    per_word = 64 // grid
    words = -(-width // per_word)
    dtype = {8: np.uint8, 32: np.int32, 64: np.int64}[grid]
    padded = np.zeros((x.shape[0], words * per_word), dtype)
    padded[:, : x.shape[1]] = x
    if shift:
        padded <<= shift
    return padded.view(np.uint64)


def _match_words(table: np.ndarray, asked: np.ndarray) -> np.ndarray:
    """Position of the first equal word of ``table`` for each of ``asked``, or -1."""
    order = np.argsort(table, kind="stable")
    place = np.searchsorted(table, asked, sorter=order)
    candidate = order[np.minimum(place, table.size - 1)].astype(np.int64)
    return np.where(table[candidate] == asked, candidate, -1)


def _hash(keys: np.ndarray) -> np.ndarray:
    """One word for each row of words."""
    mixed = np.zeros(keys.shape[0], np.uint64)
    for column in keys.T:
        mixed ^= column
        mixed *= _MIX
        mixed ^= mixed >> _FOLD
    return mixed


def first_equal_rows(a: np.ndarray, fraction_a: int, b: np.ndarray, fraction_b: int) -> np.ndarray:
    """For each row of b the number of the first row of a with equal values, or -1 (int64).

    ``a`` and ``b`` are raw elements (int32 or uint8) with their fraction bits; the narrower
    counts as padded with zeros.
    """
    width = min(a.shape[1], b.shape[1])
    # The padding is never made: a row equals a narrower one if all behind that one's end is zero.
    numbers = np.flatnonzero(~a[:, width:].any(axis=1)) if a.shape[1] > width else None
    table = a[:, :width] if numbers is None else a[numbers, :width]
    found = _first_equal(table, fraction_a, b[:, :width], fraction_b)
    if numbers is not None and numbers.size:
        found = np.where(found >= 0, numbers[found], -1)
    if b.shape[1] > width:
        found[b[:, width:].any(axis=1)] = -1
    return found


def _first_equal(a: np.ndarray, fraction_a: int, b: np.ndarray, fraction_b: int) -> np.ndarray:
    """The same for rows of equal length."""
    (rows, width), wanted = a.shape, b.shape[0]
    if rows == 0 or width == 0:
        return np.full(wanted, 0 if rows else -1, np.int64)
    if fraction_a != fraction_b or a.dtype != b.dtype:
        grid = 64 if fraction_a != fraction_b else 32
    else:
        grid = 8 if a.dtype == np.uint8 else 32
    finest = max(fraction_a, fraction_b)
    table = _row_keys(a, finest - fraction_a, width, grid)
    asked = _row_keys(b, finest - fraction_b, width, grid)
    if table.shape[1] == 1:
        return _match_words(table[:, 0], asked[:, 0])
    found = _match_words(_hash(table), _hash(asked))
    hit = found >= 0
    if (table[found[hit]] == asked[hit]).all():
        return found
    first: dict[bytes, int] = {}
    for number, row in enumerate(table):
        first.setdefault(row.tobytes(), number)
    return np.array([first.get(row.tobytes(), -1) for row in asked], np.int64)
