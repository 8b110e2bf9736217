"""The arrows between the parts point one way, and heavy packages are named in one file each."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
PARTS = ("kernel", "fs", "shell", "boot", "apps", "fonts")

#: part -> parts it may import (itself is always allowed).
MAY_IMPORT = {
    "kernel/machine": set(),
    "kernel": {"kernel/machine"},
    "fs": set(),
    "fonts": {"kernel/machine", "kernel"},
    "shell/lenses": {"kernel/machine"},
    "shell": {"shell/lenses", "kernel", "kernel/machine"},
    "boot": {"shell", "shell/lenses", "kernel", "kernel/machine", "fs", "fonts", "apps"},
    "apps": set(),
}

#: Packages that only these files may import, and only inside a function.
ONE_FILE = {
    "pygame": {"boot/window.py"},
    "prompt_toolkit": {"shell/console.py"},
    "numba": {"kernel/machine/cpu/native.py"},
    "wgpu": {"kernel/machine/gpu/device.py"},
}


def sources() -> list[Path]:
    return [path for part in PARTS for path in sorted((ROOT / part).rglob("*.py"))]


def part_of(path: Path) -> str:
    """The innermost part that a file or module path lies in."""
    name = path.relative_to(ROOT).as_posix()
    return max((p for p in MAY_IMPORT if name == p or name.startswith(p + "/")), key=len)


def imports(path: Path) -> list[tuple[str, int, bool]]:
    """Every import as (absolute module, line, at top level); relative ones become pxos...."""
    tree = ast.parse(path.read_text("utf-8"))
    top = {id(node) for node in tree.body}
    package = ["pxos", *path.relative_to(ROOT).parts[:-1]]
    found = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found += [(alias.name, node.lineno, id(node) in top) for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            base = package[: len(package) - node.level + 1] if node.level else []
            module = ".".join([*base, *([node.module] if node.module else [])])
            names = [module] if node.module else [f"{module}.{a.name}" for a in node.names]
            found += [(name, node.lineno, id(node) in top) for name in names]
    return found


@pytest.mark.parametrize("path", sources(), ids=lambda p: p.relative_to(ROOT).as_posix())
def test_arrows_point_one_way(path: Path) -> None:
    here = part_of(path)
    for module, line, _ in imports(path):
        assert module.split(".")[0] not in PARTS, f"{path}:{line} imports {module} bare"
        if not module.startswith("pxos.") or module == "pxos.":
            continue
        target = ROOT.joinpath(*module.split(".")[1:])
        if module.count(".") == 1 and not target.is_dir():
            continue  # a name of the top package itself, such as the version
        there = part_of(target)
        assert there == here or there in MAY_IMPORT[here], (
            f"{path.relative_to(ROOT)}:{line} imports {module}: {here} may not import {there}"
        )


@pytest.mark.parametrize("path", sources(), ids=lambda p: p.relative_to(ROOT).as_posix())
def test_heavy_packages_have_one_home(path: Path) -> None:
    name = path.relative_to(ROOT).as_posix()
    for module, line, at_top in imports(path):
        root = module.split(".")[0]
        if root in ONE_FILE:
            assert name in ONE_FILE[root], f"{name}:{line} imports {root}"
            assert not at_top, f"{name}:{line} imports {root} at the top of the file"


def test_executors_do_not_know_each_other() -> None:
    for path in sources():
        name = path.relative_to(ROOT).as_posix()
        for module, line, _ in imports(path):
            if name.startswith("kernel/machine/cpu/"):
                assert not module.startswith("pxos.kernel.machine.gpu"), f"{name}:{line}"
            if name.startswith("kernel/machine/gpu/"):
                assert not module.startswith("pxos.kernel.machine.cpu"), f"{name}:{line}"
            if name.startswith("shell/lenses/"):
                assert "machine.cpu" not in module, f"{name}:{line} imports an executor"
                assert "machine.gpu" not in module, f"{name}:{line} imports an executor"


WORLD = {"time": {"time", "monotonic", "perf_counter"}, "os": {"environ", "getenv", "urandom"}}


@pytest.mark.parametrize(
    "path",
    [p for p in sources() if part_of(p) not in ("boot",)],
    ids=lambda p: p.relative_to(ROOT).as_posix(),
)
def test_the_world_is_read_in_boot_alone(path: Path) -> None:
    """Environment variables, the wall clock and unseeded randomness are boot's."""
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
            if node.value.id == "time":
                assert node.attr not in {"time", "time_ns", "localtime", "gmtime"}, (
                    path,
                    node.lineno,
                )
            assert (node.value.id, node.attr) not in {
                ("os", "environ"),
                ("os", "getenv"),
                ("os", "urandom"),
                ("random", "random"),
                ("datetime", "now"),
                ("secrets", "token_bytes"),
            }, (path, node.lineno)
