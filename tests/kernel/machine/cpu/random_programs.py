"""Random programs over a pool of small matrices, for comparing ways of running them."""

from __future__ import annotations

import random

import numpy as np

from pxos.kernel.machine.isa import BY_CHAR, FIRST_FREE_ENTRY, SMALL_ZERO
from pxos.kernel.machine.memory import Memory
from tests.conformance.building import Draft

CORNERS = [0, 1, -1, 2, -2, 7, 255, 65536, -65536, 2**31 - 1, -(2**31), 12345678]


def scalar_program(seed: int, length: int = 30) -> Memory:
    """Mostly 1x1 integers and fixed point, with branches, calls and a few matrices."""
    rng = random.Random(seed)
    draft = Draft(
        stack=rng.choice([1, 3]), fuel=rng.choice([2000, 300, 50]), code_writable=rng.random() < 0.3
    )
    scalars = [draft.integers(1, 1, [rng.choice(CORNERS)], rng.choice("IIIIX")) for _ in range(7)]
    text = draft.text(1, 1, bytes([rng.randrange(256)]))
    board = draft.integers(3, 3, [rng.choice(CORNERS) for _ in range(9)])
    window = draft.view("I", rng.choice([scalars[0], board, 0, 2]), 1, 1)
    pool = [*scalars * 3, text, board, window]
    any_ = [*pool, 0, 2, 3]

    def source() -> int:
        return SMALL_ZERO + rng.randint(-3, 5) if rng.random() < 0.4 else rng.choice(any_)

    def goal() -> int:
        return rng.randrange(length + (rng.random() < 0.05))

    for _ in range(length):
        char = rng.choice("AAAA--**/%R_<<<==&|^S?qBBBbbbJ(()##NV$FGGPPH")
        d = rng.choice(pool if char not in "NV" else [*scalars[1:3], window])
        if char in "Bb":
            pc = goal()
            draft.emit(char, source(), pc & 255, pc >> 8)
        elif char in "J(":
            pc = goal()
            draft.emit(char, pc & 255, pc >> 8 & 255, 0)
        elif char == "#":
            draft.emit(char, d, rng.randrange(256), rng.choice([0, 0, 255, 127]))
        elif char == "H" and rng.random() < 0.7:
            draft.emit("A", d, source(), source())
        elif char == "N":
            draft.emit(char, d, rng.choice(scalars[:4]), SMALL_ZERO)
        elif char == "P" or (char == "G" and rng.random() < 0.7):
            table = rng.choice([board, board, text, scalars[0], window, scalars[6]])
            where = rng.choice([*scalars, SMALL_ZERO + 1, SMALL_ZERO + 2])
            operands = (d, table, where) if char == "G" else (table, source(), where)
            draft.emit(char, *operands)
        elif char == "V" or BY_CHAR[char].form in ("d a 'o", "d a 'w"):
            draft.emit("F", d, rng.choice(any_), ord(rng.choice("AR_&|^")))
        else:
            draft.emit(char, d, source(), source())
        if rng.random() < 0.02:
            draft.code[-1] = rng.randrange(2**32)
    if draft.code_writable and rng.random() < 0.8:
        view = draft.view("I", 2, 1, 1, 0, rng.randrange(length))
        draft.code[rng.randrange(length)] = ord("A") | view << 8 | scalars[0] << 16 | 208 << 24
        draft.matrices[scalars[0] - FIRST_FREE_ENTRY].data[0] = draft.code[rng.randrange(length)]
    return draft.memory()


def matrix_program(seed: int, length: int = 14) -> Memory:
    """Any instruction over matrices of every kind and over views of them."""
    rng = random.Random(seed)
    draft = Draft(fuel=100_000, spare_rows=rng.choice([3, 40]), code_writable=rng.random() < 0.2)
    shapes = [(1, 1), (1, 4), (3, 1), (3, 4), (2, 8), (0, 4), (0, 0), (4, 4), (1, 2), (1, 6)]
    pool: list[int] = []
    for kind in "IIIXXTTPPQ":
        rows, cols = rng.choice(shapes)
        if kind in "IX":
            cells = [rng.choice([*CORNERS, *range(8)]) for _ in range(rows * cols)]
            pool.append(draft.integers(rows, cols, cells, kind))
        elif kind == "P":
            words = np.array([rng.randrange(2**32) for _ in range(rows * cols)], np.uint32)
            pool.append(draft.add("P", rows, cols, words, w4=rng.choice([0, 1, 2])))
        else:
            data = bytes(rng.choice([0, 1, 2, 3, 65, 255]) for _ in range(rows * cols))
            w4 = 0x3F800000 if kind == "Q" else rng.choice([0, 0, 1, 2])
            w5 = 0xBF000000 if kind == "Q" else 0
            pool.append(draft.text(rows, cols, data, kind, w4=w4, w5=w5))
    for _ in range(3):
        base = rng.choice(pool)
        pool.append(
            draft.view(
                rng.choice("ITPXII"),
                base,
                rng.choice([1, 1, 2]),
                rng.choice([1, 1, 2, 4]),
                rng.choice([0, 0, 0, 1]),
                rng.choice([0, 0, 0, 1]),
                rng.choice([1, 1, 2, -1]),
                rng.choice([1, 1, 2]),
            )
        )
    chars = [char for char in BY_CHAR if char not in "HJBb()WKk"] + ["K", "w", "V", "V", ";", ","]

    def source() -> int:
        if rng.random() < 0.2:
            return SMALL_ZERO + rng.randint(-2, 6)
        return rng.choice([*pool, rng.randrange(30)] if rng.random() < 0.1 else pool)

    for _ in range(length):
        char = rng.choice(chars)
        names = BY_CHAR[char].operands
        operands = [source() for _ in range(3)]
        if names and names[0] == "d" and rng.random() < 0.95:
            operands[0] = rng.choice(pool[-3:] if char == "V" else pool)
        if char == ";" and rng.random() < 0.5:
            operands[1] = operands[0]
        for number, name in enumerate(names):
            if name[0] == "'":
                letters = {"'o": "AR_&|^", "'w": "srcn", "'p": "skptar"}[name]
                operands[number] = ord(rng.choice(letters))
        draft.emit(char, *operands)
    draft.emit("H", SMALL_ZERO)
    return draft.memory()
