"""Every shipped app by its name: alone, in a pipeline, taken apart and put together again."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from tests.pictures import photograph

from .conftest import Pxos, listing, load, save

FILTERS = {
    "blur": (60, 90),
    "edges": (60, 90),
    "invert": (60, 90),
    "gray": (60, 90),
    "threshold": (60, 90),
    "flip": (60, 90),
    "rotate": (90, 60),
    "palette": (60, 90),
    "scale": None,
    "histogram": None,
}
SCREENS = (
    "breakout",
    "clock",
    "desktop",
    "digits",
    "glyphs",
    "life",
    "mandelbrot",
    "paint",
    "snake",
    "terminal",
    "view",
)
APPS = Path(__file__).parents[2] / "apps"


def test_the_lists_above_are_all_there_is() -> None:
    names = {path.stem for path in APPS.glob("*/*.pxa")}
    assert names == {*FILTERS, *SCREENS, "hello", "blend", "text", "card", "shakespeare"}


@pytest.mark.parametrize("name", FILTERS)
def test_a_filter(pxos: Pxos, here: Path, photo: Path, name: str) -> None:
    words = ("2",) if name == "scale" else ()
    alone = pxos("run", name, *words, "-i", "photo.jpg", "-o", "run.png")
    line = pxos.line(f"photo.jpg | {' '.join((name, *words))} > line.png")
    assert (alone.status, alone.told, line.status, line.told) == (0, "", 0, "")
    out = load(here / "run.png")
    assert (out == load(here / "line.png")).all()
    shape = (120, 180) if name == "scale" else FILTERS[name]
    assert shape is None or out.shape[:2] == shape
    assert len(np.unique(out.reshape(-1, 4), axis=0)) > 1


def test_two_inputs(pxos: Pxos, here: Path, photo: Path) -> None:
    save(here / "b.png", photograph(60, 90, seed=8))
    for line in (
        "photo.jpg | blend b.png > 1.png",
        "blend photo.jpg b.png > 2.png",
        "blend b.png < photo.jpg > 3.png",
    ):
        assert pxos.line(line).status == 0, line
    assert pxos("run", "blend", "-i", "photo.jpg", "-i", "b.png", "-o", "4.png").status == 0
    pictures = [load(here / f"{number}.png") for number in (1, 2, 3, 4)]
    assert all((picture == pictures[0]).all() for picture in pictures)


def test_several_pictures_are_numbered(pxos: Pxos, here: Path) -> None:
    for number in (1, 2):
        save(here / f"a{number}.png", photograph(6, 8, seed=number))
    assert pxos("run", "invert", "-i", "a1.png", "-i", "a2.png", "-o", "x.png").status == 0
    assert pxos.line("a*.png | invert > y.png").status == 0
    assert listing(here) == ["a1.png", "a2.png", "x-1.png", "x-2.png", "y-1.png", "y-2.png"]
    assert (load(here / "x-2.png") == load(here / "y-2.png")).all()


def test_hello_and_text(pxos: Pxos, here: Path) -> None:
    assert pxos("run", "hello").text == "Hello, world!\n"
    assert pxos.line("hello").text == "Hello, world!\n"
    assert pxos("run", "text", "-o", "a.png", stdin=b"some\nwords\n").status == 0
    assert pxos.line("echo some words | text > b.png && apps | text > c.png").status == 0
    assert all(load(here / f"{name}.png").size for name in "abc")


def test_verse(pxos: Pxos, here: Path) -> None:
    words = ("ROMEO:", "--tokens", "20", "--seed", "7")
    done = pxos("run", "shakespeare", *words)
    assert (done.status, done.told) == (0, "")
    assert done.text == "ROMEO:\nWhat, ho! proclaim \n"
    assert pxos.line(" ".join(("shakespeare", *words))).text == done.text
    assert pxos.line('shakespeare "ROMEO:" | text > out.png').status == 0
    assert load(here / "out.png").size
    screen = ("--headless", "--frames", "20", "--screenshot", "s.png")
    assert pxos("run", "shakespeare", *words, *screen).status == 0
    assert load(here / "s.png").shape == (344, 496, 4)


@pytest.mark.parametrize("name", [*SCREENS, "card"])
def test_a_screen_program(pxos: Pxos, here: Path, name: str) -> None:
    words = {"card": ("one\ntwo",), "view": ()}.get(name, ())
    screen = ("--headless", "--frames", "20", "--screenshot", "s.png")
    if name in ("desktop", "terminal"):  # they ask for ports that a program alone has not
        done = pxos("boot", *screen, *(("--desktop", name) if name != "desktop" else ()))
    else:
        done = pxos("run", name, *words, *screen)
    assert (done.status, done.told) == (0, "")
    assert len(np.unique(load(here / "s.png").reshape(-1, 4), axis=0)) > 1
    for done in (pxos("run", name, *words), pxos.line(" ".join((name, *("'a'" for _ in words))))):
        assert done.status == 1
        assert "there is no display" in done.told
        assert "--headless" in done.told


def test_arguments(pxos: Pxos, here: Path, photo: Path) -> None:
    for number, words in enumerate(("3", "--radius 3", "--radius=3 --passes 1", "3 1")):
        assert pxos.line(f"photo.jpg | blur {words} > {number}.png").status == 0
        assert (load(here / f"{number}.png") == load(here / "0.png")).all()
    for words, says in (
        ("x", "radius is a whole number, not 'x'"),
        ("999", "radius is 0 to 127, not 999"),
        ("3 4 5", "no place for '5'"),
        ("--radios 3", "no argument --radios"),
        ("--radius", "--radius needs a value"),
    ):
        for done in (
            pxos("run", "blur", "-i", "photo.jpg", "-o", "out.png", "--", *words.split())
            if not words.startswith("--")
            else pxos("run", "blur", "-i", "photo.jpg", "-o", "out.png", *words.split()),
            pxos.line(f"photo.jpg | blur {words} > out.png"),
        ):
            assert done.status == 2, words
            assert says in done.told, words
            assert "blur [RADIUS] [PASSES]" in done.told
    assert not (here / "out.png").exists()


def test_help(pxos: Pxos) -> None:
    for done in (pxos("run", "blur", "--help"), pxos.line("help blur")):
        assert (done.status, done.told) == (0, "")
        for part in ("blur [RADIUS] [PASSES]", "blurs a picture", "--radius", "0..127 (3)", "MIT"):
            assert part in done.text
    assert "asm" in pxos("--help").text
    assert "run " in pxos("--help").text.split("COMMAND")[-1]


def test_taken_apart_and_put_together(pxos: Pxos, here: Path) -> None:
    names = sorted(path.stem for path in APPS.glob("*/*.pxa"))
    (here / "all.pxsh").write_text(
        "".join(f"disasm {name} > {name}.pxa\nasm {name}.pxa\n" for name in names)
    )
    assert pxos("all.pxsh").status == 0
    assert pxos("disasm", "blur", "-o", "again.pxa").status == 0
    assert pxos("asm", "again.pxa").status == 0
    for name in names:
        app = (APPS / name / f"{name}.png").read_bytes()
        assert (here / f"{name}.png").read_bytes() == app, name
    assert (here / "again.png").read_bytes() == (here / "blur.png").read_bytes()


def test_a_source_is_run_directly(pxos: Pxos, here: Path, photo: Path) -> None:
    (here / "warm.pxa").write_text(
        'title "Warm"\nports picture arguments\ninputs image\narg by int = 5 in 0..9 "how much"\n'
        "p : P\nby : I\nby = in(arguments, 0)\np = in(picture)\np = p + by\nout(picture, p)\nhalt\n"
    )
    assert pxos("run", "warm.pxa", "9", "-i", "photo.jpg", "-o", "out.png").status == 0
    wanted = np.minimum(load(photo)[..., 0].astype(int) + 9, 255)
    assert (load(here / "out.png")[..., 0] == wanted).all()
    assert listing(here) == ["out.png", "photo.jpg", "warm.pxa"]
    assert "how much" in pxos("run", "warm.pxa", "--help").text


def test_booting_is_repeatable(pxos: Pxos, here: Path) -> None:
    for name in ("a", "b"):
        done = pxos("boot", "--headless", "--frames", "60", "--screenshot", f"{name}.png")
        assert (done.status, done.out, done.told) == (0, b"", "")
    assert (here / "a.png").read_bytes() == (here / "b.png").read_bytes()
    assert load(here / "a.png").shape == (400, 640, 4)


def test_the_doctor(pxos: Pxos, here: Path) -> None:
    done = pxos("doctor")
    assert (done.status, done.told) == (0, "")
    assert "programs run on the CPU" in done.text
    assert "broken" not in done.text
    assert listing(here) == []
