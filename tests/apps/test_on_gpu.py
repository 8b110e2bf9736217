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
from pxos.kernel.placement import Backends
from pxos.kernel.machine import png

from ..conformance.executors import ALL_ON_GPU, tuned
from ..gpu import gpu
from .playing import APPS
from .scenarios import SCENARIOS, Scenario

#: Frames of a scenario when everything is done on the GPU, whatever it costs there.
FEW_FRAMES = 40


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


@pytest.mark.parametrize("name", sorted(SCENARIOS))
def test_looks_as_its_golden_picture(name: str) -> None:
    """The whole scenario, placed as a user places it."""
    scenario = SCENARIOS[name]
    run = scenario.run(name, backends())
    picture = run.pictures[0] if run.pictures and not scenario.frames else run.screen
    assert np.array_equal(picture, png.decode((APPS / name / "golden.png").read_bytes()))


@pytest.mark.parametrize("name", sorted(SCENARIOS))
def test_does_the_same_with_everything_on_the_gpu(name: str) -> None:
    with everything_on_gpu():
        compare(name, min(SCENARIOS[name].frames, FEW_FRAMES))


def files_of(name: str, folder: Path, on: str) -> dict[str, bytes]:
    """The files that ``pxos run`` writes for a scenario, by name."""
    scenario = SCENARIOS[name]
    folder.mkdir()
    words = ["run", "--on", on, "--seed", str(scenario.seed)]
    if scenario.allow:
        words += ["--allow", ",".join(scenario.allow)]
    for number, makes in enumerate(scenario.inputs):
        given = folder.parent / f"in{number}.png"
        given.write_bytes(png.encode(np.ascontiguousarray(makes[0]())))
        words += ["-i", str(given)]
    if scenario.frames:
        shot = folder / "shot.png"
        words += ["--headless", "--frames", "12", "--screenshot", str(shot)]
    elif scenario.inputs:
        words += ["-o", str(folder / "out.png")]
    assert main([*words, name, *scenario.words]) == 0
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
    monkeypatch.setattr("sys.stdin", open("/dev/null", encoding="utf-8"))  # noqa: SIM115
    given = []
    for on in ("cpu", "gpu"):
        files = files_of(name, tmp_path / on, on)
        given.append((files, capfd.readouterr().out))
    assert given[0] == given[1]
