"""A tokeniser as the tables of ``apps/lib/nn_bpe.pxi``: ``tokeniser.pxi`` and its .npy files.

Pairs are kept in a sparse table: a row for each left token, its columns the right ones, all rows
pushed into one line so that none cover the same place (row displacement: Tarjan and Yao, "Storing a
sparse table", 1979, the longest row first, each at the first place where it fits).  A pair is found
with three gathers, however many there are.
"""

from __future__ import annotations

import io
from collections.abc import Mapping

import numpy as np

from .split_rules import MARK, rule
from .tokenisers import PREFIXES, Tokeniser

#: How many places are tried at once when a row is fitted in.
_BATCH = 4096


def pushed(rows: Mapping[int, np.ndarray]) -> tuple[dict[int, int], int]:
    """Where each row of a sparse table begins in one line, and how long the line is.

    ``rows``: ascending columns, int64 (k,), k > 0, by row.  Column c of row r is at place
    ``begin[r] + c``, which may not be below 0 for a column that is there.
    """
    total = sum(len(columns) for columns in rows.values())
    widest = max((int(columns[-1] - columns[0]) for columns in rows.values()), default=0)
    taken = np.zeros(2 * total + widest + _BATCH + 1, bool)
    begin: dict[int, int] = {}
    first_free = length = 0
    order = sorted(rows, key=lambda r: (-len(rows[r]), r))
    alone = [row for row in order if len(rows[row]) == 1]
    for row in order[: len(order) - len(alone)]:
        columns = rows[row] - rows[row][0]
        while taken[first_free]:
            first_free += 1
        at = first_free
        while True:
            if at + _BATCH + widest >= len(taken):
                taken = np.concatenate((taken, np.zeros_like(taken)))
            free = at + np.flatnonzero(~taken[at : at + _BATCH])
            fits = free
            for start in range(1, len(columns), 16):
                if not len(fits):
                    break
                fits = fits[~taken[fits[:, None] + columns[start : start + 16]].any(axis=1)]
            if len(fits):
                break
            at += _BATCH
        place = int(fits[0])
        taken[place + columns] = True
        begin[row] = place - int(rows[row][0])
        length = max(length, place + int(columns[-1]) + 1)
    # Rows of one column fit wherever there is room.
    for row, free in zip(alone, np.flatnonzero(~taken)[: len(alone)].tolist(), strict=True):
        begin[row] = free - int(rows[row][0])
        length = max(length, free + 1)
    return begin, length


def pair_table(tokeniser: Tokeniser, tokens: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Bases (tokens,), lefts and ranks (one place or more): int32, see nn_bpe.pxi."""
    pairs = np.array(tokeniser.merges, np.int64).reshape(-1, 3)
    base = np.zeros(tokens, np.int32)
    order = np.lexsort((pairs[:, 1], pairs[:, 0]))
    lefts, first = np.unique(pairs[order, 0], return_index=True)
    groups = np.split(order, first[1:]) if len(lefts) else []
    rows = {int(left): pairs[group, 1] for left, group in zip(lefts, groups, strict=True)}
    begin, length = pushed(rows)
    left_at = np.zeros(max(length, 1), np.int32)
    rank_at = np.zeros(max(length, 1), np.int32)
    for left, group in zip(lefts, groups, strict=True):
        base[left] = begin[int(left)]
        places = begin[int(left)] + pairs[group, 1]
        left_at[places] = left + 1
        rank_at[places] = group
    return base, left_at, rank_at


def tables(tokeniser: Tokeniser, tokens: int) -> dict[str, np.ndarray]:
    """All tables in nn_bpe.pxi's order, for a model of ``tokens`` tokens.

    uint8 or int32, two dimensions.
    """
    split = rule(tokeniser.rule)
    base, left, rank = pair_table(tokeniser, tokens)
    characters = sorted(tokeniser.characters.items())
    mark = dict(characters).get(MARK)
    if mark is not None:  # spaces are read as marks
        characters = sorted({**dict(characters), 32: mark}.items())
    lengths = [len(piece) for piece in tokeniser.pieces]
    lengths += [0] * (tokens - len(lengths))
    text = b"".join(tokeniser.pieces)
    exceptions = tokeniser.exceptions
    longest = max(map(len, exceptions), default=0)
    words = [[*word, *[-1] * (longest + 1 - len(word))] for word in exceptions]

    def row(values: object) -> np.ndarray:
        return np.asarray(values, np.int32).reshape(1, -1)

    return {
        "PAGES": split.pages,
        "CLASSES": split.classes,
        "BACKWARD": split.backward,
        "FORWARD": split.forward,
        "BYTE_TOKENS": row(tokeniser.byte_tokens),
        "CODES": row([code for code, _ in characters] or [-1]).T,
        "CODE_TOKENS": row([token for _, token in characters] or [0]),
        "BASE": row(base),
        "LEFT": row(left),
        "RANK": row(rank),
        "MADE": row([made for _, _, made in tokeniser.merges] or [0]),
        "WORDS": np.array(words or [[-2]], np.int32),
        "WORD_TOKENS": row(list(exceptions.values()) or [0]),
        "STARTS": row(np.concatenate(([0], np.cumsum(lengths)))),
        "TEXT": np.frombuffer(text or b"\0", np.uint8).reshape(1, -1),
        "MARK": np.frombuffer(chr(MARK).encode(), np.uint8).reshape(1, -1),
    }


def tokeniser_files(
    tokeniser: Tokeniser, tokens: int, more: Mapping[str, np.ndarray] | None = None
) -> dict[str, bytes]:
    """``tokeniser.pxi``, which includes nn_bpe.pxi, and the ``.npy`` files it names.

    ``tokens``: how many the model has; those beyond the tokeniser's stand for no text.  ``more``:
    tables of the app's own, BPE_AT_16 and so on (int32 or uint8, two dimensions).
    """
    split = rule(tokeniser.rule)
    constants = {
        "TOKENS": tokens,
        "PREFIX": PREFIXES.index(tokeniser.prefix),
        "CHARACTERS": int(bool(tokeniser.characters)),
        "BITS": len(tokeniser.merges).bit_length() + 1,
        "TOGETHER": int(tokeniser.merges_in_order),
        "LONGEST": max(map(len, tokeniser.exceptions), default=0),
        "CLASSES": len(split.backward),
        "BACK": split.backward.shape[1],
        "STATES": split.forward.shape[1],
    }
    lines = [f"; A byte-pair encoding of {tokens:,} tokens: see nn_bpe.pxi.", ""]
    lines += [f"const BPE_{name} = {value}" for name, value in constants.items()]
    files: dict[str, bytes] = {}
    all_tables = {**tables(tokeniser, tokens), **(more or {})}
    for i, (name, table) in enumerate(all_tables.items()):
        buffer = io.BytesIO()
        np.save(buffer, np.ascontiguousarray(table), allow_pickle=False)
        file = f"bpe_{name.lower()}.npy"
        files[file] = buffer.getvalue()
        kind = "T" if table.dtype == np.uint8 else "I"
        lines.append(f'BPE_AT_{i} : {kind} far keep = file("{file}")')
    lines += ["", 'include "nn_bpe.pxi"', ""]
    files["tokeniser.pxi"] = "\n".join(lines).encode()
    return files
