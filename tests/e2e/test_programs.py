"""Programs that are damaged, hostile, wrong or endless: one clear message, nothing else."""

from __future__ import annotations

import resource
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.pictures import photograph

from . import damage, programs
from .conftest import Pxos, listing, load, save

#: What is given as a program, what is said of it, and what is to be tried.
BROKEN: dict[str, tuple[Callable[[], bytes], str, str]] = {
    "empty": (lambda: b"", "empty", "copy it again"),
    "text": (lambda: b"hello\n", "no PNG", "pxos asm"),
    "truncated": (lambda: damage.whole()[:5000], "past the end", "copy the file again"),
    "without its end": (lambda: damage.whole()[:-6], "ends inside a chunk", "copy the file again"),
    "palette": (lambda: damage.resaved(lambda i: i.convert("P")), "palette", "RGBA"),
    "grey": (lambda: damage.resaved(lambda i: i.convert("L")), "greyscale", "RGBA"),
    "RGB": (lambda: damage.resaved(lambda i: i.convert("RGB")), "RGB with 8 bits", "RGBA"),
    "16 bits": (damage.wide, "16 bits", "RGBA"),
    "JPEG": (
        lambda: damage.resaved(lambda i: i.convert("RGB"), format="JPEG"),
        "JPEG",
        "send the file",
    ),
    "flattened": (
        lambda: damage.resaved(lambda i: i.convert("RGB").convert("RGBA")),
        "transparency of the program was flattened",
        "send the file itself",
    ),
    "cleared": (damage.cleared, "transparent pixels were cleared", "send the file itself"),
    "cropped": (
        lambda: damage.resaved(lambda i: i.crop((0, 0, i.width, i.height - 2))),
        "the picture only",
        "cropped",
    ),
    "narrowed": (
        lambda: damage.resaved(lambda i: i.crop((0, 0, i.width - 3, i.height))),
        "the picture only",
        "cropped",
    ),
    "enlarged": (
        lambda: damage.resaved(lambda i: i.resize((i.width * 2, i.height * 2), 0)),
        "enlarged 2 times",
        "not scaled",
    ),
    "one pixel off": (damage.one_pixel_off, "digest", "copy"),
    "huge header": (damage.huge_header, "at most", "smaller picture"),
    "inflating": (damage.inflating, "more pixel data", "copy the file again"),
    "outside": (damage.outside, "entry 5 names row 1000000", "whole copy"),
    "overlapping": (damage.overlapping, "reaches into the next", "whole copy"),
    "vast": (damage.vast, "capacity", "whole copy"),
    "negative": (damage.negative, "impossible shape", "whole copy"),
    "stack in code": (damage.shared_with_code, "the same matrix", "whole copy"),
}


def little_memory() -> None:
    """A command that allocates what a header claims is ended by this."""
    resource.setrlimit(resource.RLIMIT_AS, (3 << 30, 3 << 30))


@pytest.mark.parametrize("name", BROKEN)
def test_a_broken_program_is_told_and_not_run(pxos: Pxos, here: Path, name: str) -> None:
    make, what, advice = BROKEN[name]
    (here / "got.png").write_bytes(make())
    done = pxos("run", "got.png", "-o", "out.png", limit=little_memory)
    assert done.status == 1
    assert done.out == b""
    assert done.told.startswith("pxos: ")
    assert len(done.told.splitlines()) == 1
    assert "got.png" in done.told
    assert what in done.told
    assert advice in done.told
    assert listing(here) == ["got.png"]


def test_a_program_that_was_only_compressed_still_runs(pxos: Pxos, here: Path) -> None:
    (here / "small.png").write_bytes(damage.resaved(optimize=True))
    assert len((here / "small.png").read_bytes()) < len(damage.whole()) // 10
    assert pxos("run", "small.png").text == "Hello, world!\n"


def test_two_names_of_one_matrix_are_no_damage(pxos: Pxos, here: Path) -> None:
    (here / "shared.png").write_bytes(damage.shared())
    assert pxos("run", "shared.png").status == 0


@pytest.mark.parametrize(
    ("source", "options", "says"),
    [
        (programs.UNFIT, (), ["shapes do not fit", "it.pxa:5", "Add  c a b", "a I 2x3, b I 3x2"]),
        (programs.RUNAWAY, ("--fuel", "100000"), ["fuel used up", "it.pxa:2", "--fuel"]),
        (programs.GROWING, ("--memory", "16M"), ["out of memory", "it.pxa:3", "--memory"]),
        (programs.CRASHES, ("--headless", "--frames", "9"), ["division by zero", "it.pxa:11"]),
    ],
)
def test_a_fault_has_a_card(
    pxos: Pxos, here: Path, source: str, options: tuple[str, ...], says: list[str]
) -> None:
    (here / "it.pxa").write_text(source)
    done = pxos("run", "it.pxa", *options)
    assert done.status == 1
    assert done.out == b""
    assert all(part in done.told for part in says), done.told
    starts = [line.split()[0] for line in done.told.splitlines()[2:]]
    assert starts[:2] == ["where", "doing"]
    assert starts[-1] == "try"


def test_an_unknown_opcode_has_a_card(pxos: Pxos, here: Path) -> None:
    (here / "odd.png").write_bytes(damage.unknown_opcode())
    done = pxos("run", "odd.png")
    assert done.status == 1
    assert "unknown instruction" in done.told
    assert "the pixel is 0x00000001" in done.told


def test_a_fault_keeps_the_old_picture(pxos: Pxos, here: Path, photo: Path) -> None:
    (here / "breaks.pxa").write_text(programs.BREAKS)
    assert pxos("asm", "breaks.pxa").status == 0
    old = save(here / "out.png", photograph(5, 5)).read_bytes()
    for done in (
        pxos("run", "breaks.png", "-i", "photo.jpg", "-o", "out.png"),
        pxos.line("photo.jpg | ./breaks.png > out.png"),
    ):
        assert done.status == 1
        assert "division by zero" in done.told
        assert (here / "out.png").read_bytes() == old


def test_a_source_with_mistakes_shows_all_of_them(pxos: Pxos, here: Path) -> None:
    (here / "bad.pxa").write_text("a : I\na = heigt(a)\nb = 1\nhalt\n")
    for words in (("run", "bad.pxa"), ("asm", "bad.pxa")):
        done = pxos(*words)
        assert done.status == 1
        assert "bad.pxa:2:5" in done.told
        assert "height" in done.told
        assert "bad.pxa:3:1" in done.told
        assert "    ^" in done.told
    assert listing(here) == ["bad.pxa"]


def test_files_that_are_not_there(pxos: Pxos, here: Path) -> None:
    (here / "folder").mkdir()
    for words, status, says in (
        (("run", "none.png"), 1, "give a file that exists"),
        (("run", "none.pxa"), 1, "no such file"),
        (("run", "folder/"), 1, "directory"),
        (("run", "blurr"), 2, "did you mean blur?"),
        (("run",), 2, "pxos run --help"),
        (("hello",), 2, "did you mean pxos run hello?"),
        (("nonsense",), 2, "pxos --help"),
        (("--headless", "run", "hello"), 2, "stand behind it"),
        (("asm", "none.pxa"), 1, "none.pxa"),
        (("disasm", "none.png"), 1, "none.png"),
        (("none.pxsh",), 1, "none.pxsh"),
    ):
        done = pxos(*words)
        assert (done.status, done.out) == (status, b""), words
        assert says in done.told, words
        assert len(done.told.splitlines()) == 1, words


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="has no such file")
def test_a_file_that_cannot_be_read(pxos: Pxos) -> None:
    unreadable = "/proc/self/mem"  # opens, but gives an error when it is read, even to root
    for words in (
        ("run", unreadable),
        ("run", "invert", "-i", unreadable, "-o", "out.png"),
        ("-c", f"cat {unreadable}"),
    ):
        done = pxos(*words)
        assert done.status == 1
        assert unreadable in done.told
        assert "input/output error" in done.told


def test_names_with_blanks_and_beyond_ascii(pxos: Pxos, here: Path) -> None:
    source = here / "Mein schönes Bild 画.pxa"
    source.write_text("ports picture\ninputs a\np : P\np = in(picture)\nout(picture, p)\nhalt\n")
    save(here / "ein Bild.png", photograph(7, 9))
    assert pxos("asm", source.name).status == 0
    program = source.with_suffix(".png").name
    assert pxos("run", program, "-i", "ein Bild.png", "-o", "noch eins é.png").status == 0
    assert pxos.line(f"'ein Bild.png' | './{program}' > \"und ü.png\"").status == 0
    for name in ("noch eins é.png", "und ü.png"):
        assert (load(here / name) == photograph(7, 9)).all()
