from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

from pxos.shell.lenses.networks import training
from pxos.shell.lenses.networks.training import Trainer, TrainingError, need
from pxos.shell.lenses.networks.training.packages import MissingPackage

from . import tiny

HEAVY = ("torch", "sklearn")


def test_heavy_packages_are_imported_inside_functions_alone() -> None:
    for path in Path(training.__file__).parent.glob("*.py"):
        tree = ast.parse(path.read_text("utf-8"))
        for node in tree.body:
            names = []
            if isinstance(node, ast.Import):
                names = [alias.name for alias in node.names]
            elif isinstance(node, ast.ImportFrom):
                names = [node.module or ""]
            assert not any(name.split(".")[0] in HEAVY for name in names), (path, node.lineno)


def test_importing_the_package_and_the_command_line_imports_none_of_them() -> None:
    code = (
        "import sys, pxos.shell.lenses.networks.training, pxos.boot.train;"
        "from pxos.boot.cli_parser import make_parser; make_parser();"
        f"print([name for name in {HEAVY!r} if name in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=120, check=True
    )
    assert done.stdout.strip() == "[]"


@pytest.mark.parametrize(
    ("name", "called"), [("torch", "PyTorch"), ("sklearn.datasets", "scikit-learn")]
)
def test_what_is_missing_is_named_with_what_to_install(
    name: str, called: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, name, None)  # as if it were not installed
    with pytest.raises(MissingPackage, match=f"needs {called}") as caught:
        need(name)
    assert caught.value.advice == "install it: pip install 'pxos[train]'"
    assert isinstance(caught.value, TrainingError)


def test_training_without_pytorch(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "torch", None)
    with pytest.raises(MissingPackage, match="needs PyTorch"):
        Trainer(tiny.task(), tiny.plan())
