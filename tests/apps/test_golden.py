"""Every program looks as it did: apps/NAME/golden.png, compared as decoded pixels."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from pxos.kernel.machine import png

from .conftest import GOLDEN
from .difference import described, side_by_side
from .playing import APPS, NAMES
from .scenarios import SCENARIOS, Scenario


def seen(name: str, scenario: Scenario) -> np.ndarray:
    """The picture that comes of a scenario."""
    run = scenario.run(name)
    picture = run.pictures[0] if run.pictures and not scenario.frames else run.screen
    assert picture.size, f"{name} shows nothing"
    return picture


def compare(
    golden: Path, new: np.ndarray, update: bool, tmp: Path, changed: Callable[[str, object], None]
) -> None:
    """Fail unless the picture in the file is ``new``; with ``update`` write it if it is not."""
    old = png.decode(golden.read_bytes()) if golden.is_file() else np.zeros((0, 0, 4), np.uint8)
    if np.array_equal(old, new):
        return
    if update:
        Image.fromarray(new).save(golden, optimize=True)
        changed(GOLDEN, f"{golden.parent.name}/{golden.name}: {described(old, new)}")
        return
    if not golden.is_file():
        pytest.fail(f"there is no {golden}: look at what it would be and run `make golden`")
    sheet = tmp / f"{golden.parent.name}-difference.png"
    sheet.write_bytes(png.encode(side_by_side(old, new)))
    pytest.fail(
        f"{golden} has changed: {described(old, new)}; old | new | difference: {sheet}; "
        "if it is meant, run `make golden`"
    )


@pytest.mark.parametrize("name", sorted(SCENARIOS))
def test_looks_as_it_did(
    name: str, update_golden: bool, tmp_path: Path, record_property: Callable[[str, object], None]
) -> None:
    new = seen(name, SCENARIOS[name])
    compare(APPS / name / "golden.png", new, update_golden, tmp_path, record_property)


def test_every_program_has_a_scenario() -> None:
    assert set(SCENARIOS) == set(NAMES)


@pytest.mark.parametrize("name", ["snake", "life", "palette"])
def test_runs_repeat_exactly(name: str) -> None:
    assert np.array_equal(seen(name, SCENARIOS[name]), seen(name, SCENARIOS[name]))


# ---- the comparison itself ---------------------------------------------------------------------


def picture(*pixels: tuple[int, int, int, int]) -> np.ndarray:
    return np.array([pixels], np.uint8)


RED, BLUE = (255, 0, 0, 255), (0, 0, 255, 255)


def test_a_changed_pixel_fails_with_a_picture_of_it(tmp_path: Path) -> None:
    golden = tmp_path / "app" / "golden.png"
    golden.parent.mkdir()
    golden.write_bytes(png.encode(picture(RED, RED)))
    with pytest.raises(pytest.fail.Exception, match="1 of 2 pixels") as failure:
        compare(golden, picture(RED, BLUE), False, tmp_path, lambda key, value: None)
    sheet_path = tmp_path / "app-difference.png"
    assert str(sheet_path) in str(failure.value)
    sheet = png.decode(sheet_path.read_bytes())
    assert sheet.shape == (1, 2 * 3 + 16, 4)
    assert sheet[0, [0, 1, 10, 11]].tolist() == [list(c) for c in (RED, RED, RED, BLUE)]
    assert sheet[0, 20].tolist() == [63, 0, 0, 255]
    assert sheet[0, 21].tolist() == [255] * 4


def test_alpha_counts(tmp_path: Path) -> None:
    golden = tmp_path / "golden.png"
    golden.write_bytes(png.encode(picture((1, 2, 3, 255))))
    with pytest.raises(pytest.fail.Exception):
        compare(golden, picture((1, 2, 3, 254)), False, tmp_path, lambda key, value: None)


def test_a_missing_picture_fails(tmp_path: Path) -> None:
    with pytest.raises(pytest.fail.Exception, match="make golden"):
        compare(tmp_path / "golden.png", picture(RED), False, tmp_path, lambda key, value: None)


def test_update_rewrites_only_what_changed(tmp_path: Path) -> None:
    golden = tmp_path / "golden.png"
    told: list[object] = []

    def update(new: np.ndarray) -> None:
        compare(golden, new, True, tmp_path, lambda key, value: told.append(value))

    update(picture(RED))
    assert png.decode(golden.read_bytes()).tolist() == picture(RED).tolist()
    assert len(told) == 1
    before = golden.stat().st_mtime_ns
    update(picture(RED))
    assert golden.stat().st_mtime_ns == before
    assert len(told) == 1
    update(picture(RED, BLUE))
    assert "1x1 was, 1x2 is" in str(told[1])


def test_sizes_may_differ() -> None:
    sheet = side_by_side(picture(RED), picture(RED, BLUE))
    assert sheet.shape == (1, 22, 4)
    assert sheet[0, 1].tolist() == [255, 0, 255, 255]
    assert sheet[0, 21].tolist() == [255] * 4
