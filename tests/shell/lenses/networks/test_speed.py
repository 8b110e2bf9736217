"""Measuring speed: what is timed, and how it is reckoned."""

from __future__ import annotations

from dataclasses import replace

import pytest

from pxos.kernel.machine.cpu.executor import CpuExecutor
from pxos.kernel.machine.memory import Memory
from pxos.kernel.machine.ports import Ports
from pxos.shell.lenses.networks import ValidationError, emit, quantised
from pxos.shell.lenses.networks.samples import random_transformer
from pxos.shell.lenses.networks.speed import LEAST, measure

TEXT = b"To be, or not to be, that is the question: whether it is nobler. " * 4


def test_the_picture_does_the_work_that_is_timed() -> None:
    """Time here is what the executor has done: it stands still while NumPy is at work."""
    executors: list[CpuExecutor] = []

    def factory(memory: Memory, ports: Ports) -> CpuExecutor:
        executors.append(CpuExecutor(memory, ports))
        return executors[-1]

    def clock() -> float:
        return sum(executor._state.done for executor in executors)

    net = quantised(random_transformer("gpt2", layers=1, context=32))
    program = emit(net).assemble()
    found = measure(program, factory, net, TEXT, clock, count=20, rounds=2)
    assert 50 < 1 / found.starting < 1000  # instructions a token
    assert 1 / found.writing == pytest.approx(1 / found.starting, rel=0.2)
    assert 50 < 32 / found.reading < 5000  # instructions a context
    assert found.numpy_starting == found.numpy_writing == found.numpy_heads == 1 / LEAST
    assert found.numpy_reading == pytest.approx(32 / LEAST)


def test_what_cannot_be_measured_is_refused() -> None:
    net = quantised(random_transformer("gpt2", layers=1, context=32))
    program = emit(net).assemble()
    with pytest.raises(ValidationError, match="160 are needed"):
        measure(program, CpuExecutor, net, TEXT[:100], lambda: 0.0)
    with pytest.raises(ValidationError, match="vocabulary"):
        measure(program, CpuExecutor, replace(net, vocabulary=None), TEXT, lambda: 0.0)
