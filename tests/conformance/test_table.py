"""One row of the table, one implementation in every executor."""

from __future__ import annotations

import re
from importlib import import_module
from inspect import signature
from pathlib import Path
from pkgutil import iter_modules

import pytest

from pxos.kernel.machine import control, cpu, gpu, oracle
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


# ---- shaders -----------------------------------------------------------------------------------

SHADERS = sorted(Path(gpu.__path__[0]).glob("*.wgsl"))
#: Rows whose function stands in a file of its algorithm, beside rows of another family that
#: work alike: F C a w are folds and scans of lines, P p @ scatter.
FILES = {"C": "scan", "c": "scan", "w": "scan", "a": "lines", "P": "scatter", "p": "scatter"}
FILES["@"] = "scatter"


def code(path: Path) -> str:
    """A shader without its comments."""
    return re.sub(r"//[^\n]*|/\*.*?\*/", "", path.read_text("utf-8"), flags=re.DOTALL)


def test_one_wgsl_function_a_row_in_a_file_of_its_family() -> None:
    found = [
        (path.stem, name) for path in SHADERS for name in re.findall(r"fn op_(\w+)\(", code(path))
    ]
    wanted = {}
    for op in ROWS:
        if op.family in ELEMENT_FAMILIES or op.char in "#$":
            wanted[op.name.lower().replace(" ", "_")] = FILES.get(op.char, op.family)
    assert sorted(name for _, name in found) == sorted(wanted)
    for stem, name in found:
        family = wanted[name]
        assert stem == family or stem.startswith(f"{family}_"), f"op_{name} is in {stem}.wgsl"


@pytest.mark.parametrize("path", SHADERS, ids=lambda path: path.stem)
def test_no_shader_has_a_floating_point_number(path: Path) -> None:
    """WGSL promises no bit of them."""
    assert not re.findall(r"\bf(?:16|32|64)\b|vec[234][fh]\b|\b\d+\.\d*|\b\d+[fh]\b", code(path))
