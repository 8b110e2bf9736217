"""Small programs for kernel tests, written as raw instructions."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from pxos.kernel.machine.isa import BY_CHAR, FIRST_FREE_ENTRY, RESERVED, encode, small_operand
from pxos.kernel.machine.layout import MatrixSpec
from pxos.kernel.machine.meta import Meta
from pxos.kernel.machine.ports import HARMLESS, PORTS
from pxos.kernel.machine.program import Program, build

ALL_HARMLESS = tuple(PORTS[letter].name for letter in sorted(HARMLESS))


def spec(name: str, kind: str = "I", data: Any = None, capacity: int = 0) -> MatrixSpec:
    """A matrix; without data it is empty.  Text may be given as bytes."""
    if data is None:
        return MatrixSpec(name, kind, 0, 0, None, capacity_px=capacity)
    if isinstance(data, bytes):
        array = np.frombuffer(data, np.uint8).reshape(1, -1)
    else:
        array = np.atleast_2d(np.array(data, np.uint8 if kind in "TQP" else np.int32))
    return MatrixSpec(name, kind, array.shape[0], array.shape[1], array, capacity_px=capacity)


def assemble(source: str, names: Sequence[str]) -> list[int]:
    """Instruction words of lines like ``[ d 'k 0``; ``label:`` on a line of its own."""
    lines = [line.split(";;")[0].strip() for line in source.strip().splitlines()]
    labels: dict[str, int] = {}
    instructions = []
    for line in filter(None, lines):
        if line.endswith(":"):
            labels[line[:-1]] = len(instructions)
        else:
            instructions.append(line.split())

    def operand(word: str) -> int:
        if word.startswith("'"):
            return ord(word[1])
        if word in names:
            return names.index(word)
        small = small_operand(int(word))
        assert small is not None, word
        return small

    def number(word: str) -> int:
        return labels[word] if word in labels else int(word)

    words = []
    for char, *given in instructions:
        op = BY_CHAR[char]
        bytes_: list[int] = []
        for form, word in zip(op.operands, given, strict=True):
            size = {"n16": 2, "n24": 3}.get(form)
            bytes_ += (
                [operand(word)]
                if size is None
                else number(word).to_bytes(size, "little", signed=number(word) < 0)
            )
        words.append(encode(char, *bytes_, *[0] * (3 - len(bytes_))))
    return words


def program(
    source: str,
    *specs: MatrixSpec,
    ports: Sequence[str] = ALL_HARMLESS,
    stack: int = 64,
    **meta: Any,
) -> Program:
    """A program of the given instructions and matrices."""
    names = [*RESERVED, *(s.name for s in specs)]
    assert len(names) == FIRST_FREE_ENTRY + len(specs)
    return build(
        specs, assemble(source, names), Meta(ports=tuple(ports), **meta), stack=stack, width=64
    )


def number_of(process: Any, name: str) -> list[list[int]]:
    """The elements of an I matrix of a process."""
    memory = process.memory
    header = memory.header(process.meta.names.index(name))
    at = memory.data_addr(header.row)
    count = header.rows * header.cols
    return memory.ints[at : at + count].reshape(header.rows, header.cols).tolist()


class DictStore:
    """An app store in memory."""

    def __init__(self, **apps: bytes) -> None:
        self.apps = apps

    def names(self) -> list[str]:
        return sorted(self.apps)

    def read(self, name: str) -> bytes:
        return self.apps[name]
