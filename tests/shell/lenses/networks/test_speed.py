"""Measuring speed: what is timed, and how it is reckoned."""

from __future__ import annotations

from dataclasses import replace

import pytest

from pxos.kernel.machine.cpu.executor import CpuExecutor
from pxos.shell.lenses.networks import ValidationError, emit, quantised
from pxos.shell.lenses.networks.samples import random_transformer
from pxos.shell.lenses.networks.speed import measure

TEXT = b"To be, or not to be, that is the question: whether it is nobler. " * 4


def test_the_picture_does_the_work_that_is_timed() -> None:
    """Time here is what the executor has done: it stands still while NumPy is at work."""
    fuel = 0.0

    class Counting(CpuExecutor):
        def run(self, slice_fuel: int):  # type: ignore[no-untyped-def]
            nonlocal fuel
            stop = super().run(slice_fuel)
            fuel += self._state.done
            return stop

    net = quantised(random_transformer("gpt2", layers=1, context=32))
    program = emit(net).assemble()
    found = measure(program, Counting, net, TEXT, lambda: fuel, count=20, rounds=1)
    assert 50 < 1 / found.starting < 1000  # instructions a token
    assert 50 < 1 / found.writing < 1000
    assert 50 < 32 / found.reading < 5000  # instructions a context
    assert found.numpy_starting == pytest.approx(20 / 1e-9)
    assert found.numpy_writing == found.numpy_heads == pytest.approx(10 / 1e-9)
    assert found.numpy_reading == pytest.approx(32 / 1e-9)


def test_what_cannot_be_measured_is_refused() -> None:
    net = quantised(random_transformer("gpt2", layers=1, context=32))
    program = emit(net).assemble()
    with pytest.raises(ValidationError, match="160 are needed"):
        measure(program, CpuExecutor, net, TEXT[:100], lambda: 0.0)
    with pytest.raises(ValidationError, match="vocabulary"):
        measure(program, CpuExecutor, replace(net, vocabulary=None), TEXT, lambda: 0.0)
