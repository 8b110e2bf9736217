"""One row of the table, one implementation in every executor."""

from __future__ import annotations

from importlib import import_module
from inspect import signature
from pkgutil import iter_modules

import pytest

from pxos.kernel.machine import control, cpu, oracle
from pxos.kernel.machine.isa import FAMILIES, FOLD_OPERATORS, ROWS

#: Families that touch no elements: the executor does them itself.
WITHOUT_ELEMENTS = ("control", "table", "ports")
ELEMENT_FAMILIES = tuple(family for family in FAMILIES if family not in WITHOUT_ELEMENTS)


def test_opcodes_are_printable_and_unique() -> None:
    codes = [ord(op.char) for op in ROWS]
    assert len(set(codes)) == len(codes)
    assert all(33 <= code < 127 for code in codes)
    assert set(FOLD_OPERATORS) <= {op.char for op in ROWS}


def test_the_oracle_has_one_function_a_row() -> None:
    assert set(oracle.RUN) == {op.char for op in ROWS}


@pytest.mark.parametrize("family", ELEMENT_FAMILIES)
def test_family_has_its_module(family: str) -> None:
    bind = import_module(f"{cpu.__name__}.{family}").bind
    assert len(signature(bind).parameters) == 5


def test_no_module_binds_what_is_no_family() -> None:
    found = {
        module.name
        for module in iter_modules(cpu.__path__)
        if hasattr(import_module(f"{cpu.__name__}.{module.name}"), "bind")
    }
    assert found == set(ELEMENT_FAMILIES)


def test_control_is_done_by_the_executor() -> None:
    rows = {ord(op.char) for op in ROWS if op.family == "control"}
    assert set(control.CONTROL) == rows
