"""Every program on the GPU: what it shows, says and writes is what it is on the CPU, to the bit."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from functools import cache
from pathlib import Path

import numpy as np
import pytest

from pxos.boot.cli import main
from pxos.boot.gpu import backend_of
from pxos.kernel.machine import png
from pxos.kernel.placement import Backends

from ..conformance.executors import ALL_ON_GPU, tuned
from ..gpu import gpu
from .playing import APPS
from .scenarios import SCENARIOS, Scenario

#: Frames of a scenario that is not slow, and when small things are done on the GPU as well.
QUICK_FRAMES, FEW_FRAMES = 60, 15
LONG = [name for name in sorted(SCENARIOS) if SCENARIOS[name].frames > QUICK_FRAMES]


def backends() -> Backends:
    """The tests' shared GPU, as the kernel is handed it; skips without one."""
    device = gpu()
    return Backends(lambda: backend_of(device))


@contextmanager
def everything_on_gpu() -> Iterator[None]:
    """Small matrices and scalars are not kept on the host either."""
    with tuned(ALL_ON_GPU):
        yield


def outcome(
    name: str, scenario: Scenario, places: Backends | None = None
) -> tuple[list[np.ndarray], bytes]:
    """The pictures that a run wrote and its screen at the end, and the text that it wrote."""
    run = scenario.run(name, places)
    return [*run.pictures, run.screen], run.text


@cache
def on_cpu(name: str, frames: int) -> tuple[list[np.ndarray], bytes]:
    return outcome(name, replace(SCENARIOS[name], frames=frames))


def compare(name: str, frames: int) -> None:
    pictures, text = outcome(name, replace(SCENARIOS[name], frames=frames), backends())
    expected, said = on_cpu(name, frames)
    assert text == said
    assert len(pictures) == len(expected)
    for picture, right in zip(pictures, expected, strict=True):
        assert picture.shape == right.shape
        assert np.array_equal(picture, right)


@pytest.mark.parametrize(
    "name",
    [
        pytest.param(name, marks=pytest.mark.slow) if name in LONG else name
        for name in sorted(SCENARIOS)
    ],
)
def test_looks_as_its_golden_picture(name: str) -> None:
    scenario = SCENARIOS[name]
    run = scenario.run(name, backends())
    picture = run.pictures[0] if run.pictures and not scenario.frames else run.screen
    assert np.array_equal(picture, png.decode((APPS / name / "golden.png").read_bytes()))


@pytest.mark.parametrize("name", LONG)
def test_a_long_scenario_begins_as_on_the_cpu(name: str) -> None:
    compare(name, QUICK_FRAMES)


@pytest.mark.parametrize("name", sorted(SCENARIOS))
def test_does_the_same_with_everything_on_the_gpu(name: str) -> None:
    with everything_on_gpu():
        compare(name, min(SCENARIOS[name].frames, FEW_FRAMES))


def files_of(name: str, folder: Path, on: str) -> dict[str, bytes]:
    """The files that ``pxos run`` writes for a scenario, by name; for those who speak to the
    command language ``pxos boot``, which alone grants that."""
    scenario = SCENARIOS[name]
    folder.mkdir()
    shot = ["--headless", "--frames", "12", "--screenshot", str(folder / "shot.png")]
    if "line" in scenario.allow:
        assert main(["boot", "--on", on, "--seed", "1", *shot, "--desktop", name]) == 0
        return contents(folder)
    words = ["run", "--on", on, "--seed", str(scenario.seed)]
    for number, makes in enumerate(scenario.inputs):
        given = folder.parent / f"in{number}.png"
        given.write_bytes(png.encode(np.ascontiguousarray(makes[0]())))
        words += ["-i", str(given)]
    if scenario.frames:
        words += shot
    elif scenario.inputs or scenario.text:
        words += ["-o", str(folder / "out.png")]
    assert main([*words, name, *scenario.words]) == 0
    return contents(folder)


def contents(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in sorted(folder.iterdir())}


@pytest.mark.parametrize("name", sorted(SCENARIOS))
def test_pxos_run_writes_the_same_files(
    name: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    device = gpu()
    monkeypatch.setattr("pxos.boot.gpu.open_backend", lambda: backend_of(device))
    typed = tmp_path / "typed.txt"
    typed.write_bytes(SCENARIOS[name].text or b"")
    given = []
    for on in ("cpu", "gpu"):
        with typed.open(encoding="utf-8") as stdin:
            monkeypatch.setattr("sys.stdin", stdin)
            files = files_of(name, tmp_path / on, on)
        given.append((files, capfd.readouterr().out))
    assert given[0] == given[1]
    assert any(given[0])
