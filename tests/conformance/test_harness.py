"""The comparison notices small mistakes: an executor that is wrong in one place is found."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from pxos.kernel.machine import oracle, oracle_values
from pxos.kernel.machine.fault import Stop

from . import compare
from .programs import program
from .scripted_ports import ScriptedPorts


def found(monkeypatch: pytest.MonkeyPatch, broken: Callable[..., object], limit: int) -> bool:
    """Whether some random program tells the broken executor from the oracle."""
    for number in range(limit):
        draft = program(f"harness {number}")
        expected = compare.run(oracle.Oracle, draft, number)
        if expected.differs(compare.run(broken, draft, number)):
            return True
    return False


class Broken(oracle.Oracle):
    """An oracle with one function of it replaced while it runs."""

    def __init__(self, memory: object, ports: ScriptedPorts, name: str, function: object) -> None:
        super().__init__(memory, ports)  # type: ignore[arg-type]
        self._name, self._function = name, function

    def run(self, slice_fuel: int) -> Stop:
        kept = getattr(oracle, self._name)
        setattr(oracle, self._name, self._function)
        try:
            return super().run(slice_fuel)
        finally:
            setattr(oracle, self._name, kept)


def rounds_down(kind: str, exact: object) -> int:
    """A finish that forgets the half in fixed point."""
    if kind == "X":
        return oracle_values.finish("I", exact * 65536)  # type: ignore[operator]
    return oracle_values.finish(kind, exact)  # type: ignore[arg-type]


def rows_off_by_one(capacity: int, width: int) -> int:
    """A growth that takes one row too many."""
    return -(-(8 + capacity) // width) + 1


@pytest.mark.parametrize(
    ("name", "function"),
    [
        ("finish", rounds_down),
        ("rows_for", rows_off_by_one),
        ("FUEL_ELEMENTS", 8),
    ],
)
def test_a_broken_executor_is_found(
    monkeypatch: pytest.MonkeyPatch, name: str, function: object
) -> None:
    def factory(memory: object, ports: ScriptedPorts) -> Broken:
        return Broken(memory, ports, name, function)

    assert found(monkeypatch, factory, 400)
