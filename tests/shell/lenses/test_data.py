"""Declarations: shapes, data, files, metadata, includes."""

from __future__ import annotations

import io
import struct
import time
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from pxos.kernel.machine.meta import Arg
from pxos.kernel.machine.program import save
from pxos.shell.lenses.assembler import AsmError, assemble

from .tools import Ran, only, reader


def held(declaration: str, **how: object) -> list[list[Fraction]]:
    return Ran(f"const N = 3\nm : {declaration}\nhalt", **how)["m"]


@pytest.mark.parametrize(
    ("declaration", "expected"),
    [
        ("I", [[0]]),
        ("X", [[0]]),
        ("T", []),
        ("P", []),
        ("I 2x3", [[0, 0, 0]] * 2),
        ("I [N, 2*N-4]", [[0, 0]] * 3),
        ("I 0x4", []),
        ("I = 7", [[7]]),
        ("I = 'A'", [[65]]),
        ("I = '\\n'", [[10]]),
        ("I = 0xFFFFFFFF", [[-1]]),
        ("I = #0102037f", [[0x7F030201]]),
        ("I = rgb(1, 2, 3)", [[0xFF030201 - (1 << 32)]]),
        ("X = 0.5", [[Fraction(1, 2)]]),
        ("X = 1/3", [[Fraction(21845, 65536)]]),
        ("X = -0.5/65536", [[0]]),
        ("X = 1 // 2", [[0]]),
        ("I = [1, 2; 3, 4]", [[1, 2], [3, 4]]),
        ("I = [[1, 2], [3, 4]]", [[1, 2], [3, 4]]),
        ("I = [1,\n 2, ;; two\n 3]", [[1, 2, 3]]),
        ("I = [1, 2, 3,]", [[1, 2, 3]]),
        ("I 2x2 = [1, 2, 3, 4]", [[1, 2], [3, 4]]),
        ("I 2x2 = 5", [[5, 5], [5, 5]]),
        ("I 2x2 = fill(N)", [[3, 3], [3, 3]]),
        ("I = range(4)", [[0, 1, 2, 3]]),
        ("I = range(3, 5, -2)", [[5, 3, 1]]),
        ("I = [i*i for i in 0..4]", [[0, 1, 4, 9]]),
        ("I = [[r + c, c] for r in 0..2]", None),
        ("I = [[r*c for c in 1..3] for r in 1..4]", [[1, 2], [2, 4], [3, 6]]),
        ("X = [i / 4 for i in 0..3]", [[0, Fraction(1, 4), Fraction(1, 2)]]),
        ("X = [sine(i/4) for i in 0..4]", [[0, 1, 0, -1]]),
        ("T = \"ab\"", [[97, 98]]),
        ("T = \"\\x00\\u{e9}\"", [[0, 0xC3, 0xA9]]),
        ("T = [\"a\", \"bcd\"]", [[97, 0, 0], [98, 99, 100]]),
        ("T = lines(\"a\\nbc\\n\")", [[97, 0], [98, 99]]),
        ("T = \"\"\"a\nb\"\"\"", [[97, 10, 98]]),
        ("T = [1, 255]", [[1, 255]]),
        ("I = \"ab\"", [[97, 98]]),
        ("P 1x2 = #01020304", [[0x04030201] * 2]),
    ],
)  # fmt: skip
def test_data(declaration: str, expected: list[list[object]] | None) -> None:
    if expected is None:
        only(f"const N = 3\nm : {declaration}\nhalt")
    else:
        assert held(declaration) == expected


@pytest.mark.parametrize("kind", ["I", "X", "T", "P", "Q", "Q scale 0.5 offset 1.0"])
@pytest.mark.parametrize("number", ["0", "200", "3.5", "-7.25"])
@pytest.mark.parametrize("shape", ["[1, 1]", "[1, 6]", "[6, 1]", "[3, 5]", "[0, 4]"])
def test_fill_is_a_list_of_the_same(kind: str, number: str, shape: str) -> None:
    """To the bit, or the same message, whatever the kind."""
    kind, _, options = kind.partition(" ")
    rows, columns = (int(n) for n in shape.strip("[]").split(","))

    def made(data: str) -> object:
        try:
            program = assemble(f"m : {kind} {shape} {options} = {data}\nhalt")
        except AsmError as error:
            return [problem.message for problem in error.problems]
        return save(program)

    row = "[" + ", ".join([number] * columns) + "]"
    if rows:
        assert made(f"fill({number})") == made("[" + ", ".join([row] * rows) + "]")
    else:
        assert isinstance(made(f"fill({number})"), bytes)


def test_fill_of_a_large_matrix_takes_no_time() -> None:
    begin = time.process_time()
    program = assemble("m : Q [2048, 2048] scale 1.0 offset 0.25 = fill(0)\nhalt")
    assert time.process_time() - begin < 2  # one by one it took eight
    assert len(save(program)) > 2048 * 2048


def png(pixels: np.ndarray) -> bytes:
    out = io.BytesIO()
    Image.fromarray(pixels).save(out, "PNG")
    return out.getvalue()


def npy(array: np.ndarray, **how: bool) -> bytes:
    out = io.BytesIO()
    np.save(out, array, **how)
    return out.getvalue()


PIXELS = np.arange(2 * 3 * 4, dtype=np.uint8).reshape(2, 3, 4)


@pytest.mark.parametrize(
    ("declaration", "expected"),
    [
        ("P = file(\"p.png\")", PIXELS.view("<i4")[:, :, 0]),
        ("I = file(\"p.png\")", PIXELS.view("<i4")[:, :, 0]),
        ("T = green(file(\"p.png\"))", PIXELS[:, :, 1]),
        ("I = alpha(file(\"p.png\"))", PIXELS[:, :, 3]),
        ("T = bytes(file(\"p.png\"))", PIXELS.reshape(2, 12)),
        ("T = gray(file(\"p.png\"))", [[1, 5, 9], [13, 17, 21]]),
        ("P = file(\"flat.jpg\")", [[-16777216]]),
        ("T = file(\"t.txt\")", [[104, 105, 10, 121]]),
        ("T = lines(file(\"t.txt\"))", [[104, 105], [121, 0]]),
        ("I = file(\"i.npy\")", [[1, -2], [3, 4]]),
        ("I 4x1 = file(\"i.npy\")", [[1], [-2], [3], [4]]),
        ("X = file(\"f.npy\")", [[Fraction(1, 2), Fraction(-1, 65536), Fraction(1, 65536)]]),
        ("P = file(\"p.npy\")", PIXELS.view("<i4")[:, :, 0]),
    ],
)  # fmt: skip
def test_files(declaration: str, expected: object) -> None:
    flat = io.BytesIO()
    Image.fromarray(np.zeros((1, 1, 3), np.uint8)).save(flat, "JPEG")
    files = {
        "dir/p.png": png(PIXELS),
        "dir/flat.jpg": flat.getvalue(),
        "dir/t.txt": b"hi\ny",
        "dir/i.npy": npy(np.array([[1, -2], [3, 4]], np.int64)),
        "dir/f.npy": npy(np.array([0.5, -0.75 / 65536, 0.5 / 65536])),
        "dir/p.npy": npy(PIXELS),
    }
    found = held(declaration, path="dir/x.pxa", read_file=reader(files))
    assert found == np.asarray(expected).tolist()


@pytest.mark.parametrize(
    ("name", "data", "message"),
    [
        ("x.png", b"\x89PNG\r\n\x1a\nnonsense", "the picture cannot be read"),
        ("x.npy", b"nonsense", "the array cannot be read"),
        ("x.npy", npy(np.array([{}], object), allow_pickle=True), "the array cannot be read"),
        ("x.npy", npy(np.zeros((2, 2, 2))), "the array has 3 dimensions"),
        ("x.npy", npy(np.array([np.inf])), "infinities"),
        ("x.npy", npy(np.array([40000.5])), "do not fit fixed point"),
        ("x.npy", npy(np.array(["text"])), "are no numbers"),
    ],
)
def test_hostile_files(name: str, data: bytes, message: str) -> None:
    problem = only(f'm : X = file("{name}")\nhalt', read_file=reader({name: data}))
    assert message in problem.message
    assert problem.line == 1


def test_the_nearest_file_is_suggested(tmp_path: Path) -> None:
    (tmp_path / "photo.png").write_bytes(png(PIXELS))
    problem = only('m : P = file("foto.png")\nhalt', path=str(tmp_path / "x.pxa"))
    assert problem.suggestion == "did you mean photo.png?"


def quantised(declaration: str, **how: object) -> tuple[np.ndarray, float, float]:
    ran = Ran(f"m : {declaration}\nhalt", **how)
    header = ran.memory.header(5)
    at = ran.memory.data_addr(header.row)
    data = ran.memory.words[at : at + header.rows * -(-header.cols // 4)].view(np.uint8)
    scale, offset = (struct.unpack("<f", struct.pack("<I", w))[0] for w in (header.w4, header.w5))
    return data.reshape(header.rows, -1)[:, : header.cols], scale, offset


def test_quantised_bytes_as_they_are() -> None:
    data, scale, offset = quantised("Q scale 0.5 offset -1 = [0, 1, 255]")
    assert (data.tolist(), scale, offset) == ([[0, 1, 255]], 0.5, -1.0)


@given(st.lists(st.floats(-100, 100, width=32), min_size=1, max_size=20))
def test_quantising_is_right_to_half_a_step(values: list[float]) -> None:
    array = npy(np.array(values))
    data, scale, offset = quantised('Q = file("w.npy")', read_file=reader({"w.npy": array}))
    error = np.abs(data * scale + offset - np.array(values))
    assert error.max() <= scale * 0.5 * (1 + 1e-4) + 1e-4


def test_leaf_and_capacity() -> None:
    ran = Ran("m : T leaf 2 cap 1000 = [1, 2; 3, 4]\nhalt")
    header = ran.memory.header(5)
    assert header.w4 == 2
    assert header.capacity_px >= 1000


def test_metadata() -> None:
    icon = png(np.full((32, 32, 4), 9, np.uint8))
    program = assemble(
        '''
        title "Blur"
        author "Ann"
        licence "MIT"
        summary "softens"
        help """
first
second
"""
        icon "icon.png"
        size 100x160
        ports text keys
        ports screen
        inputs image mask
        arg radius int = 3 in 1..50 "how far"
        arg mode choice(fast, "very slow") = fast
        arg name text
        arg big flag
        arg much number = 1/4
        a : I
        start:
            a = 1
            call p
            halt
        proc p {
            inner:
            a = 2
        }
        ''',
        path="src/blur.pxa",
        read_file=reader({"src/icon.png": icon}),
    )
    meta = program.meta
    assert (meta.title, meta.author, meta.licence, meta.summary) == (
        "Blur",
        "Ann",
        "MIT",
        "softens",
    )
    assert (meta.help, meta.source, meta.size) == ("first\nsecond", "blur.pxa", (100, 160))
    assert meta.ports == ("screen", "keys", "text")
    assert meta.inputs == ("image", "mask")
    assert meta.args == (
        Arg("radius", "int", 3, 1, 50, (), "how far"),
        Arg("mode", "choice", "fast", choices=("fast", "very slow")),
        Arg("name", "text"),
        Arg("big", "flag", False),
        Arg("much", "number", 0.25),
    )
    assert meta.icon is not None
    assert meta.names[meta.icon] == "ICON"
    assert meta.labels == {"start": 0, "p": 3, "p.inner": 3}
    assert [line[0] for line in meta.lines] == [0, 1, 2, 3, 4]
    assert meta.files == ("blur.pxa",)


def test_an_icon_has_its_size() -> None:
    icon = png(np.zeros((16, 16, 4), np.uint8))
    problem = only('icon "i.png"\nhalt', read_file=reader({"i.png": icon}))
    assert "the icon is 16x16" in problem.message


def test_includes_are_found_once_and_bring_only_what_is_used() -> None:
    files = {
        "src/near.pxi": b"""include "far.pxi"
            const NEAR = 1
            unused : I = 1
            used : I = 2
            kept : I keep = 3""",
        "lib/far.pxi": b"""ports keys
            const FAR = 10
            proc never { x : I
                x = 5000 }
            macro inc(a) { a += 1 }""",
        "lib/near.pxi": b"const NEAR = 99",
    }
    ran = Ran(
        'include "near.pxi"\ninclude "far.pxi"\nn : I\nn = NEAR + FAR + used\ninc(n)\nhalt',
        path="src/main.pxa", include_dirs=[Path("lib")], read_file=reader(files),
    )  # fmt: skip
    assert ran.one("n") == 14
    assert ran.program.meta.names[5:] == ("used", "kept", "n")
    assert ran.program.meta.ports == ("keys",)
    assert ran.program.meta.files == ("main.pxa", "near.pxi", "far.pxi")


def test_writable_code() -> None:
    ran = Ran("writable CODE\nn : I\nCODE[2] = patch\nn = 1\nn = 9\nhalt\npatch : I = 0x0005_0523")
    assert ran.one("n") == 5


def test_width_and_stack() -> None:
    program = assemble("width 256\nstack 7\nhalt")
    assert program.image.shape[1] == 256


def test_the_place_of_the_checkout_does_not_matter(tmp_path: Path) -> None:
    images = []
    for folder in ("a", "b/c"):
        here = tmp_path / folder
        here.mkdir(parents=True)
        (here / "x.pxi").write_text("const K = 1000\n")
        source = 'include "x.pxi"\nn : I\nn = K\nhalt'
        images.append(assemble(source, path=str(here / "p.pxa")).image)
    assert (images[0] == images[1]).all()
