"""Every app is a folder with its source, its picture, and all that a person wants to know of it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from pxos.boot.cli import main
from pxos.boot.tools import app_sources, assemble_file
from pxos.kernel.arguments import parse_args
from pxos.kernel.machine import png
from pxos.kernel.machine.ports import PORTS
from pxos.kernel.machine.program import Program, open_memory

from .playing import APPS, NAMES, built, matrix

WANTED = [
    *("desktop", "terminal", "hello", "clock", "life", "mandelbrot", "paint", "snake", "breakout"),
    *("view", "text", "blur", "edges", "invert", "gray", "threshold", "scale", "flip", "rotate"),
    *("blend", "histogram", "palette", "digits", "glyphs", "shakespeare"),
]


def test_all_apps_are_there() -> None:
    assert set(WANTED) <= set(NAMES)
    assert [path.stem for path in app_sources(APPS)] == NAMES


@pytest.mark.parametrize("name", NAMES)
def test_the_picture_is_what_the_source_makes(name: str) -> None:
    made = assemble_file(APPS / name / f"{name}.pxa", [APPS / "lib"])
    assert (APPS / name / f"{name}.png").read_bytes() == made, f"run pxos apps build {name}"


@pytest.mark.parametrize("name", NAMES)
def test_says_what_it_is(name: str) -> None:
    meta = built(name).meta
    assert meta.title
    assert meta.author == "The pxOS authors"
    assert meta.licence == "MIT"
    assert 8 <= len(meta.summary) <= 62, "a line of the launcher"
    assert "\n" not in meta.summary
    assert meta.summary[-1] != "."
    assert len(meta.help.strip().splitlines()) >= 1
    assert all(len(line) <= 96 for line in meta.help.splitlines()), "a line of the terminal"
    for arg in meta.args:
        assert arg.help, f"{name} --{arg.name}"


@pytest.mark.parametrize("name", [name for name in NAMES if name in WANTED])
def test_has_an_icon(name: str) -> None:
    icon = icon_of(built(name))
    assert icon.shape == (32, 32, 4)
    assert np.array_equal(icon, png.decode((APPS / name / "icon.png").read_bytes()))
    assert len(np.unique(icon.reshape(-1, 4), axis=0)) > 2


def icon_of(program: Program) -> np.ndarray:
    assert program.meta.icon is not None
    return matrix(open_memory(program), program.meta.icon)


@pytest.mark.parametrize("name", NAMES)
def test_needs_no_arguments(name: str) -> None:
    meta = built(name).meta
    required = [arg.name for arg in meta.args if arg.default is None]
    parse_args(meta, ["x" for _ in required], name)
    assert not required or name == "card", f"{name} cannot do without {required}"


@pytest.mark.parametrize("name", NAMES)
def test_asks_for_what_it_uses(name: str) -> None:
    """No port is asked for that the code never names, and none is named that is not asked for."""
    program = built(name)
    memory = open_memory(program)
    used = set()
    for word in matrix(memory, 2).ravel().view(np.uint32).tolist():
        if chr(word & 255) in "[]":  # In d 'p s, Out a 'p s
            used.add(chr(word >> 16 & 255))
    assert used == {letter for letter, port in PORTS.items() if port.name in program.meta.ports}


@pytest.mark.parametrize("name", ["paint", "view"])
def test_programs_with_a_screen_begin_without_pictures(name: str, tmp_path: Path) -> None:
    shot = tmp_path / "shot.png"
    words = ["run", name, "--headless", "--frames", "5", "--screenshot", str(shot)]
    assert main(words) == 0
    assert png.decode(shot.read_bytes()).shape == (304, 480, 4)
