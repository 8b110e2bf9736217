"""What is derived is up to date, and right."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest

from pxos.fonts import build, icons
from pxos.fonts.canvas import CLEAR, INK, PAPER, RED, Canvas
from pxos.fonts.palette import BY_NAME, PALETTE, contrast, picture
from pxos.kernel.devices import keycodes
from pxos.kernel.machine import png


def test_every_derived_file_is_up_to_date() -> None:
    assert build.stale() == [], "run python -m pxos.fonts.build"


def test_a_stale_file_is_noticed(tmp_path: Path) -> None:
    for name, data in build.build().items():
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
    (tmp_path / "apps/lib/keys.pxi").write_bytes(b"old")
    (tmp_path / "fonts/pxos-8x8.png").unlink()
    assert sorted(build.stale(tmp_path)) == ["apps/lib/keys.pxi", "fonts/pxos-8x8.png"]


def test_wrong_arguments_are_refused(capsys: pytest.CaptureFixture[str]) -> None:
    assert build.main(["--chek"]) == 2
    assert "usage" in capsys.readouterr().err


def test_atlases_have_the_documented_shapes() -> None:
    shapes = {"pxos-8x16": 4096, "pxos-8x8": 2048, "pxos-8x16-box": 2560, "pxos-8x8-box": 1280}
    for name, rows in shapes.items():
        data = (build.ROOT / f"fonts/{name}.png").read_bytes()
        assert png.decode(data).shape == (rows, 8, 4)


def constants(name: str) -> dict[str, str]:
    text = (build.ROOT / "apps/lib" / name).read_text("utf-8")
    return dict(re.findall(r"^const (\w+) += (\S+)$", text, re.MULTILINE))


def test_include_of_the_palette() -> None:
    assert constants("palette.pxi") == {c.name.upper(): c.hex for c in PALETTE}


def test_include_of_the_keys() -> None:
    found = {name: int(value, 0) for name, value in constants("keys.pxi").items()}
    assert len(found) == len(keycodes.KEYS) + 3 + 4 + 4
    assert found["KEY_PAGE_DOWN"] == 0xE007
    assert found["KEY_F12"] == 0xE01C
    assert found["KEY_ENTER"] == 13
    assert found["MOD_CTRL"] == keycodes.CTRL
    assert found["STATE_REPEAT"] == keycodes.REPEAT


def test_the_palette() -> None:
    assert " ".join(c.hex for c in PALETTE) == (
        "#15131f #232038 #3b3757 #6b6a8e #a6a8c6 #f4efe6 #e5526f #f2915c "
        "#f7d06a #a3d977 #3fb27f #3aa6b9 #4d7fe8 #7460e0 #ec8fd0 #8a5a44"
    )
    words = picture().reshape(-1).view("<u4")
    assert words.tolist() == [c.word for c in PALETTE]
    assert contrast(BY_NAME["paper"], BY_NAME["paper"]) == 1.0


def _pairs() -> list[tuple[str, str, float]]:
    """The pairs of the table "Text" in docs/look.md: surface, text colour, contrast."""
    text = (build.ROOT / "docs/look.md").read_text("utf-8").partition("**Text.**")[2]
    return [
        (row[1], name, float(value))
        for row in re.finditer(r"^\| (\w+) \|(.*\d.*)\|$", text, re.MULTILINE)
        for name, value in re.findall(r"(\w+) (\d+\.\d)", row[2])
    ]


def test_the_look_keeps_its_word_on_contrast() -> None:
    pairs = _pairs()
    assert len(pairs) >= 18
    for surface, text, claimed in pairs:
        ratio = contrast(BY_NAME[surface], BY_NAME[text])
        assert ratio >= 4.5, (surface, text)
        assert round(ratio, 1) == claimed, (surface, text)


@pytest.mark.parametrize("name", sorted(icons.ICONS))
def test_an_icon_is_a_key_in_the_palette(name: str) -> None:
    data = (build.ROOT / f"apps/{name}/icon.png").read_bytes()
    icon = png.decode(data, max_px=1024)
    assert icon.shape == (32, 32, 4)
    assert set(np.unique(icon[:, :, 3])) == {0, 255}
    assert (icon[icon[:, :, 3] == 0] == 0).all()
    allowed = {c.word for c in PALETTE} | {0}
    words = icon.reshape(32, 128).view("<u4")
    assert set(words.ravel().tolist()) <= allowed
    ink = BY_NAME["ink"].word
    assert (words[0, 8:24] == ink).all()
    assert (words[31, 8:24] == ink).all()
    assert (words[8:24, 0] == ink).all()
    assert (words[8:24, 31] == ink).all()
    assert words[0, 0] == 0
    assert len(set(words.ravel().tolist())) >= 5


def test_icons_differ() -> None:
    assert len({draw().pixels.tobytes() for draw in icons.ICONS.values()}) == len(icons.ICONS)


def test_wallpaper_and_cursor() -> None:
    sky = icons.wallpaper()
    assert sky.shape == (64, 64, 4)
    assert (sky[:, :, 3] == 255).all()
    arrow = icons.cursor()
    assert arrow.shape == (16, 11, 4)
    paper, ink = BY_NAME["paper"], BY_NAME["ink"]
    assert arrow[1, 1].tolist() == [paper.red, paper.green, paper.blue, 255]
    assert arrow[0, 1].tolist() == [ink.red, ink.green, ink.blue, 255]


def test_canvas_shapes_light_and_outline() -> None:
    canvas = Canvas(9, 9)
    canvas.rect(3, 3, 3, 3, RED)
    lined = canvas.outlined()
    assert (lined.pixels == INK).sum() == 12
    assert (lined.pixels == RED).sum() == 9
    lit = canvas.lit()
    assert lit.pixels[3, 3] != RED
    assert lit.pixels[4, 4] == RED
    assert lit.pixels[5, 5] not in (RED, lit.pixels[3, 3])
    disc = Canvas(9, 9)
    disc.disc(4.5, 4.5, 3, PAPER)
    assert np.array_equal(disc.pixels, disc.pixels.T)
    assert np.array_equal(disc.pixels, disc.pixels[::-1])
    line = Canvas(9, 9)
    line.stroke([(4.5, 0), (4.5, 9)], 1, PAPER)
    assert (line.pixels[4] == PAPER).all()
    assert (line.pixels != CLEAR).sum() == 9
    line.dot(-1, 20, PAPER)
    square = Canvas(9, 9)
    square.polygon([(2, 2), (2, 6), (6, 6), (6, 2)], RED)
    assert (square.pixels == RED).sum() == 16
    assert square.picture()[0, 0].tolist() == [0, 0, 0, 0]
