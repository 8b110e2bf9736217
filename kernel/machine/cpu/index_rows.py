"""Finding rows in rows: the first equal row of a table for each row asked for.

Only the columns that both operands have are compared; a wider row can be equal only if the
rest of it is zero.  Rows become keys of one or more 64-bit words.  One word is compared by
sorting; several are mixed to one hash, candidates are compared in full, and if two unequal
rows share a hash all rows are sorted word by word: the answer never rests on the hash.
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


def _match_sorted(table: np.ndarray, asked: np.ndarray) -> np.ndarray:
    """Number of the first equal row of words of ``table`` for each row of ``asked``, or -1."""
    rows = np.concatenate((table, asked))
    order = np.lexsort(rows.T[::-1])  # stable: equal rows keep their order, the table's first
    lines = rows[order]
    starts = np.ones(len(rows), bool)
    starts[1:] = (lines[1:] != lines[:-1]).any(axis=1)
    first = order[np.flatnonzero(starts)][np.cumsum(starts) - 1]
    found = np.empty(len(rows), np.int64)
    found[order] = first
    found = found[len(table) :]
    found[found >= len(table)] = -1
    return found


def _match_rows(table: np.ndarray, asked: np.ndarray) -> np.ndarray:
    """The same for rows of any number of words, by their hashes where those tell them apart."""
    if table.shape[1] == 1:
        return _match_words(table[:, 0], asked[:, 0])
    found = _match_words(_hash(table), _hash(asked))
    hit = found >= 0
    if (table[found[hit]] == asked[hit]).all():
        return found
    return _match_sorted(table, asked)


def first_equal_rows(a: np.ndarray, fraction_a: int, b: np.ndarray, fraction_b: int) -> np.ndarray:
    """For each row of b the number of the first row of a with equal values, or -1 (int64).

    ``a`` and ``b`` are raw elements (int32 or uint8) with their fraction bits; the narrower
    is padded with zeros.
    """
    if a.shape[1] == 0:
        a = a[:1]  # rows without columns are all alike, and there may be 2^31 of them
    width = min(a.shape[1], b.shape[1])
    eligible = np.flatnonzero(~a[:, width:].any(axis=1))
    possible = ~b[:, width:].any(axis=1)
    if eligible.size == 0:
        return np.full(b.shape[0], -1, np.int64)
    if width == 0:
        return np.where(possible, eligible[0], -1).astype(np.int64)
    if fraction_a != fraction_b:
        grid = 64
    else:
        grid = 8 if a.dtype == b.dtype == np.uint8 else 32
    finest = max(fraction_a, fraction_b)
    a, b = a[:, :width], b[:, :width]
    if eligible.size < a.shape[0]:
        a = a[eligible]
    table = _row_keys(a, finest - fraction_a, width, grid)
    asked = _row_keys(b, finest - fraction_b, width, grid)
    found = _match_rows(table, asked)
    return np.where(possible & (found >= 0), eligible[found], -1)
