"""Assembling and running small sources in tests."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import pytest

from pxos.kernel.machine.cpu.executor import CpuExecutor
from pxos.kernel.machine.fault import Stop
from pxos.kernel.machine.memory import Memory
from pxos.kernel.machine.ports import NoPorts, Ports
from pxos.kernel.machine.program import Program, open_memory
from pxos.kernel.machine.words import describe
from pxos.shell.lenses.assembler import AsmError, Problem, assemble

FUEL = 1_000_000


def instructions(source: str | Program) -> list[str]:
    """The instructions of a program in words, without their names: ``A d a b``."""
    program = assemble(source) if isinstance(source, str) else source
    memory = open_memory(program, 1 << 22)
    at, count = memory.data_addr(memory.row_of(2)), memory.header(2).cols
    return [short(describe(int(memory.words[at + pc]), program.meta.names)) for pc in range(count)]


def short(line: str) -> str:
    """``A Add  d a b`` without the instruction's name: ``A d a b``."""
    return f"{line[0]} {line.partition('  ')[2]}".rstrip()


class Ran:
    """A program that was run: its stop and what its matrices hold."""

    def __init__(self, source: str, ports: Ports | None = None, **how: object) -> None:
        self.program = assemble(source, **how)  # type: ignore[arg-type]
        self.memory: Memory = open_memory(self.program, 1 << 24)
        self.stop: Stop = CpuExecutor(self.memory, ports or NoPorts()).run(FUEL)

    def entry(self, name: str) -> int:
        return self.program.meta.names.index(name)

    def shape(self, name: str) -> tuple[int, int]:
        header = self.memory.header(self.entry(name))
        return header.rows, header.cols

    def __getitem__(self, name: str) -> list[list[Fraction]]:
        """The elements of a matrix of kind I, X, T or P (words) as exact values."""
        header = self.memory.header(self.entry(name))
        at = self.memory.data_addr(header.row)
        if header.kind == "T":
            stride = -(-header.cols // 4) * 4
            data = self.memory.bytes[4 * at :]
            return [
                [Fraction(int(v)) for v in data[r * stride : r * stride + header.cols]]
                for r in range(header.rows)
            ]
        scale = 65536 if header.kind == "X" else 1
        words = self.memory.ints[at : at + header.rows * header.cols].reshape(
            header.rows, header.cols
        )
        return [[Fraction(int(v), scale) for v in row] for row in words]

    def one(self, name: str) -> Fraction:
        """The only element of a matrix."""
        ((value,),) = self[name]
        return value

    def text(self, name: str) -> str:
        """A T matrix of one row."""
        return bytes(int(v) for v in self[name][0]).decode()


def problems(source: str, **how: object) -> tuple[Problem, ...]:
    """What is wrong with a source."""
    with pytest.raises(AsmError) as caught:
        assemble(source, **how)  # type: ignore[arg-type]
    return caught.value.problems


def only(source: str, **how: object) -> Problem:
    """The one thing that is wrong with a source."""
    found = problems(source, **how)
    assert len(found) == 1, "\n".join(map(str, found))
    return found[0]


def reader(files: dict[str, bytes]):
    """A ``read_file`` that knows only these files, by path."""

    def read(path: Path) -> bytes:
        if path.as_posix() not in files:
            raise FileNotFoundError(2, "No such file", str(path))
        return files[path.as_posix()]

    return read
