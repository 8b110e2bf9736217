"""The checkout is the package: its list of packages and a built wheel hold everything."""

from __future__ import annotations

import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
PARTS = ("kernel", "fs", "shell", "boot", "apps", "fonts")


def test_the_list_of_packages_is_the_list_of_folders() -> None:
    listed = set(
        tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["setuptools"]["packages"]
    )
    found = {"pxos"} | {
        ".".join(["pxos", *init.parent.relative_to(ROOT).parts])
        for part in PARTS
        for init in (ROOT / part).rglob("__init__.py")
    }
    assert listed == found


def test_every_folder_of_modules_is_a_package() -> None:
    for part in PARTS:
        for module in (ROOT / part).rglob("*.py"):
            assert (module.parent / "__init__.py").exists(), f"{module.parent} lacks __init__.py"


@pytest.mark.slow
def test_a_wheel_holds_the_apps_fonts_and_shaders(tmp_path: Path) -> None:
    subprocess.run(
        [sys.executable, "-m", "pip", "wheel", "-q", "--no-deps", "-w", str(tmp_path), str(ROOT)],
        check=True,
        timeout=300,
    )
    (wheel,) = tmp_path.glob("*.whl")
    names = set(zipfile.ZipFile(wheel).namelist())
    for app in (ROOT / "apps").glob("*/*.png"):
        assert f"pxos/{app.relative_to(ROOT).as_posix()}" in names
    for font in (ROOT / "fonts").glob("*.png"):
        assert f"pxos/fonts/{font.name}" in names
    for shader in (ROOT / "kernel" / "machine" / "gpu").glob("*.wgsl"):
        assert f"pxos/{shader.relative_to(ROOT).as_posix()}" in names
    assert "pxos/py.typed" in names
