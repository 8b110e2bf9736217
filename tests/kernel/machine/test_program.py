from __future__ import annotations

import hashlib
import io
import random
import struct
import zlib
from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from pxos.kernel.machine import isa, layout, png, program
from pxos.kernel.machine.memory import HEADER_PX, SYS, WIDTHS, Memory, rows_for, words_for
from pxos.kernel.machine.meta import Arg, Meta
from pxos.kernel.machine.program import LayoutError, MatrixSpec, Program, ProgramError

CODE = [isa.encode("A", 5, 5, 6), isa.encode("H", isa.SMALL_ZERO)]


def sample(width: int | None = None) -> Program:
    rng = np.random.default_rng(3)
    return program.build(
        [
            MatrixSpec("a", "I", 2, 3, np.array([[1, -2, 3], [4, 5, -6]], np.int32)),
            MatrixSpec("x", "X", 1, 2, np.array([[65536, -1]], np.int32)),
            MatrixSpec("t", "T", 3, 5, np.arange(15, dtype=np.uint8).reshape(3, 5), leaf=1),
            MatrixSpec("p", "P", 4, 30, rng.integers(0, 256, (4, 30, 4), dtype=np.uint8)),
            MatrixSpec("q", "Q", 2, 2, np.full((2, 2), 9, np.uint8), scale=0.5, offset=-1.25),
            MatrixSpec("v", "V"),
            MatrixSpec("room", "I", capacity_px=500),
        ],
        CODE,
        Meta(title="sample", summary="for tests", args=(Arg("n", "int", 1),)),
        width=width,
        seed=0x1_0000_0002,
    )


GOOD = sample()
FILE = program.save(GOOD)


def resealed(change: Callable[[Memory], None], base: Program = GOOD) -> bytes:
    """The file of a program whose words were changed and whose digest was made right again."""
    memory = program.open_memory(base)
    image = memory.words[: base.image.size].reshape(base.image.shape)
    change(memory)
    layout.seal(image)
    return png.encode(image.view(np.uint8).reshape(*image.shape, 4))


# ---- building and reading ------------------------------------------------------------------


@pytest.mark.parametrize("width", [None, *WIDTHS])
def test_what_was_built_is_read_back(width: int | None) -> None:
    built = sample(width)
    again = program.load(program.save(built))
    assert np.array_equal(again.image, built.image)
    assert again.meta == built.meta
    assert again.meta.names == (
        "SYS",
        "TABLE",
        "CODE",
        "STACK",
        "META",
        "a",
        "x",
        "t",
        "p",
        "q",
        "v",
        "room",
    )
    memory = program.open_memory(again, 1 << 20)
    words = memory.words

    def data(entry: int) -> np.ndarray:
        head = memory.header(entry)
        at = memory.data_addr(head.row)
        return words[at : at + words_for(head.kind, head.rows, head.cols)]

    assert data(5).view(np.int32).tolist() == [1, -2, 3, 4, 5, -6]
    assert data(6).view(np.int32).tolist() == [65536, -1]
    assert data(7).tobytes() == bytes(
        [0, 1, 2, 3, 4, 0, 0, 0, 5, 6, 7, 8, 9, 0, 0, 0, 10, 11, 12, 13, 14, 0, 0, 0]
    )
    assert memory.header(7).w4 == 1
    assert struct.unpack("<ff", struct.pack("<II", memory.header(9).w4, memory.header(9).w5)) == (
        0.5,
        -1.25,
    )
    assert memory.header(10).kind == "V"
    assert memory.header(11).capacity_px >= 500
    assert data(2).tolist() == CODE
    assert memory.get64("fuel") == 2**63 - 1
    assert memory.get("pc") == memory.get("reason") == 0
    assert memory.get64("seed") == 0x1_0000_0002
    assert memory.top == built.image.shape[0]


def test_the_digest_is_what_the_contract_says() -> None:
    image = program.load(FILE).image.copy()
    image[0, 4:12] = 0
    assert hashlib.sha256(image.tobytes()).hexdigest() == GOOD.digest


def test_the_legend_is_readable() -> None:
    line = FILE[png.decode(FILE).size and FILE.index(b"pxOS/1\r\n") :][:256]
    assert b"sample - for tests - run: pxos run" in line
    assert int(GOOD.image[0, 2]) == GOOD.image.shape[1]
    assert int(GOOD.image[0, 3]) == GOOD.image.shape[0]


def test_instructions_are_readable_in_the_file() -> None:
    assert bytes([ord("A"), 5, 5, 6, ord("H"), isa.SMALL_ZERO]) in FILE


def test_pictures_are_nearly_square() -> None:
    small = program.build([], [0])
    assert small.image.shape[1] == 64
    large = program.build([MatrixSpec("p", "P", 512, 512)], [0])
    rows, width = large.image.shape
    assert width == 512
    assert 512 <= rows <= 530


def test_equal_programs_give_equal_files() -> None:
    assert program.save(sample()) == FILE


def test_the_image_cannot_be_written() -> None:
    for whole in (GOOD, program.load(FILE)):
        with pytest.raises(ValueError, match="read-only"):
            whole.image[0, 0] = 1


@pytest.mark.parametrize(
    "make",
    [
        lambda: MatrixSpec("m", "Y"),
        lambda: MatrixSpec("m", "I", -1, 2),
        lambda: MatrixSpec("m", "I", 2**31, 1),
        lambda: MatrixSpec("m", "I", 1, 1, np.zeros((1, 1), np.uint8)),
        lambda: MatrixSpec("m", "I", 1, 2, np.zeros((2, 1), np.int32)),
        lambda: MatrixSpec("m", "P", 1, 2, np.zeros((1, 2), np.uint8)),
        lambda: MatrixSpec("m", "V", 1, 1),
        lambda: program.build([MatrixSpec("q", "Q", 1, 1, scale=1e300)], [0]),
        lambda: program.build([], [-1]),
        lambda: program.build([], [1 << 32]),
        lambda: program.build([], [0], width=100),
        lambda: program.build([], [0], stack=-1),
        lambda: program.build([MatrixSpec("m", "I")] * 65536, [0]),
        lambda: program.build([MatrixSpec("m", "I", 1 << 16, 1 << 16)], [0]),
    ],
)
def test_what_cannot_be_laid_out_is_refused(make: Callable[[], object]) -> None:
    with pytest.raises(LayoutError):
        make()


def test_a_table_may_have_65536_entries() -> None:
    big = program.build([MatrixSpec("m", "I")] * (65536 - 5), [0])
    assert program.load(program.save(big)).image.shape == big.image.shape


def test_programs_with_every_filter_are_read() -> None:
    pixels = png.decode(FILE)
    for options in ({}, {"optimize": True}):
        out = io.BytesIO()
        Image.fromarray(pixels).save(out, "PNG", **options)
        assert np.array_equal(program.load(out.getvalue()).image, GOOD.image)


# ---- running programs ----------------------------------------------------------------------


def test_a_checkpoint_goes_on_where_it_stood() -> None:
    memory = program.open_memory(GOOD, 1 << 20)
    memory.set("pc", 1)
    memory.set64("fuel", 12345)
    memory.set("reason", ord("W"))
    # Entry 11 grows as executors do it: fresh rows, a new header, the old rows left behind.
    rows = rows_for(3000, memory.width)
    row = memory.top
    at = row * memory.width
    memory.words[at : at + 8] = [ord("I"), 1, 3000, rows * memory.width - HEADER_PX, 0, 0, 0, 0]
    memory.words[at + 8 : at + 3008] = np.arange(3000)
    memory.words[memory.table_addr + 11] = row
    memory.set("top", row + rows)
    again = program.load(program.checkpoint(memory))
    assert np.array_equal(again.image[1:], memory.used_image()[1:])
    resumed = program.open_memory(again, 1 << 20)
    assert np.array_equal(resumed.words[resumed.width :], memory.words[memory.width :])
    assert resumed.get("pc") == 1
    assert resumed.header(11).cols == 3000
    assert program.checkpoint(resumed) == program.checkpoint(memory)


def test_a_checkpoint_does_not_touch_the_process() -> None:
    memory = program.open_memory(GOOD, 1 << 20)
    before = memory.words.copy()
    program.checkpoint(memory)
    assert np.array_equal(memory.words, before)


def test_a_quota_below_the_program_is_refused() -> None:
    with pytest.raises(ProgramError, match="--memory"):
        program.open_memory(GOOD, GOOD.image.nbytes - 1)
    assert program.open_memory(GOOD, GOOD.image.nbytes).quota_rows == GOOD.image.shape[0]


# ---- damage is diagnosed -------------------------------------------------------------------


def saved(image: Image.Image, form: str = "PNG", **options: object) -> bytes:
    out = io.BytesIO()
    image.save(out, form, **options)
    return out.getvalue()


def picture() -> Image.Image:
    return Image.fromarray(png.decode(FILE))


def flattened() -> bytes:
    return saved(picture().convert("RGB").convert("RGBA"))


def composited() -> bytes:
    white = Image.new("RGBA", picture().size, "white")
    white.alpha_composite(picture())
    return saved(white)


def cleared(colour: tuple[int, int, int, int]) -> bytes:
    pixels = png.decode(FILE)
    pixels[pixels[..., 3] == 0] = colour
    return png.encode(pixels)


def bordered() -> bytes:
    canvas = Image.new("RGBA", (200, 200), (9, 9, 9, 255))
    canvas.paste(picture(), (17, 23))
    return saved(canvas)


def edited() -> bytes:
    pixels = png.decode(FILE)
    pixels[8, 9, 1] ^= 1
    return png.encode(pixels)


def jpeg() -> bytes:
    return saved(picture().convert("RGB"), "JPEG", quality=97, subsampling=0)


def through_jpeg() -> bytes:
    return saved(Image.open(io.BytesIO(jpeg())).convert("RGBA"))


def resized(times: float) -> bytes:
    old = picture()
    size = (int(old.width * times), int(old.height * times))
    return saved(old.resize(size, Image.Resampling.NEAREST))


@pytest.mark.parametrize(
    ("data", "what"),
    [
        (flattened(), "flattened"),
        (composited(), "not a pxOS program"),
        (cleared((0, 0, 0, 0)), "transparent pixels were cleared"),
        (cleared((255, 255, 255, 0)), "transparent pixels were cleared"),
        (saved(picture().convert("RGB")), "PNG is RGB"),
        (saved(picture().convert("P")), "PNG is palette"),
        (jpeg(), "is a JPEG"),
        (through_jpeg(), "JPEG"),
        (saved(picture().convert("RGB"), "GIF"), "is a GIF"),
        (saved(picture(), "WEBP", lossless=True), "is a WebP"),
        (saved(picture().convert("RGB"), "BMP"), "is a BMP"),
        (saved(picture(), "TIFF"), "is a TIFF"),
        (resized(2), "enlarged 2 times"),
        (resized(3), "enlarged 3 times"),
        (bordered(), "begins at row 23, column 17"),
        (saved(picture().crop((0, 0, picture().width, 9))), "cropped"),
        (saved(picture().crop((0, 0, 60, picture().height))), "cropped"),
        (saved(picture().crop((0, 0, picture().width, picture().height + 4))), "padded"),
        (saved(picture().crop((0, 0, picture().width + 64, picture().height))), "padded"),
        (edited(), "digest"),
        (saved(Image.new("RGBA", (30, 30), "red")), "not a pxOS program"),
        (saved(Image.new("RGBA", (1, 1), "red")), "not a pxOS program"),
        (FILE.replace(b"\r\n", b"\n"), "text mode"),
        (FILE[:-20], "goes past the end"),
        (b"", "empty"),
        (b"hello", "no PNG"),
    ],
)
def test_damage_is_named(data: bytes, what: str) -> None:
    with pytest.raises(ProgramError, match=what) as caught:
        program.load(data)
    assert caught.value.advice
    assert caught.value.what in str(caught.value)


# ---- hostile pictures with a right digest --------------------------------------------------


def head(memory: Memory, entry: int, word: int, value: int) -> None:
    memory.words[memory.row_of(entry) * memory.width + word] = value


def entry_row(memory: Memory, entry: int, row: int) -> None:
    memory.words[memory.table_addr + entry] = row


def set_pc_and_depth(memory: Memory) -> None:
    memory.set("depth", 1)
    memory.words[memory.data_addr(memory.row_of(3))] = 0xFFFFFFFF


HOSTILE: dict[str, tuple[Callable[[Memory], None], str]] = {
    "top below": (lambda m: m.set("top", m.top - 1), "rows"),
    "top above": (lambda m: m.set("top", m.top + 1), "rows"),
    "version": (lambda m: m.set("version", 9), "version 9"),
    "reason": (lambda m: m.set("reason", ord("z")), "stop reason"),
    "reason word": (lambda m: m.set("reason", 0xFFFFFFFF), "stop reason"),
    "depth": (lambda m: m.set("depth", 65), "open on a stack"),
    "pc": (lambda m: m.set("pc", 0xFFFFFFFF), "no jump"),
    "return": (set_pc_and_depth, "no jump"),
    "table row 0": (lambda m: m.set("table_row", 0), "table"),
    "table row 1": (lambda m: m.set("table_row", 1), "table"),
    "table row far": (lambda m: m.set("table_row", 2**31), "table"),
    "table at code": (lambda m: m.set("table_row", m.row_of(2)), "table"),
    "table kind": (lambda m: head(m, 1, 0, ord("X")), "table"),
    "table rows": (lambda m: head(m, 1, 1, 2), "table"),
    "table small": (lambda m: head(m, 1, 2, 4), "table"),
    "table large": (lambda m: head(m, 1, 2, 65537), "table"),
    "table past the end": (lambda m: head(m, 1, 2, 65536), "past the end"),
    "sys kind": (lambda m: head(m, 0, 0, ord("T")), "state"),
    "sys size": (lambda m: head(m, 0, 2, 23), "state"),
    "entry far": (lambda m: entry_row(m, 5, 2**32 - 1), "entry 5 names row"),
    "entry at legend": (lambda m: entry_row(m, 5, 0), "entry 5 names row"),
    "entry 0": (lambda m: entry_row(m, 0, 2), "first table entries"),
    "entry 1": (lambda m: entry_row(m, 1, 3), "first table entries"),
    "code is stack": (lambda m: entry_row(m, 2, m.row_of(3)), "same matrix"),
    "meta is code": (lambda m: entry_row(m, 4, m.row_of(2)), "same matrix"),
    "code kind": (lambda m: head(m, 2, 0, ord("X")), "CODE is not"),
    "code rows": (lambda m: head(m, 2, 1, 2), "CODE is not"),
    "stack kind": (lambda m: head(m, 3, 0, ord("P")), "STACK is not"),
    "meta kind": (lambda m: (head(m, 4, 0, ord("I")), head(m, 4, 2, 0)), "META is not"),
    "meta rows": (lambda m: (head(m, 4, 1, 2), head(m, 4, 2, 1)), "META is not"),
    "kind 0": (lambda m: head(m, 5, 0, 0), "unknown kind"),
    "kind 255": (lambda m: head(m, 5, 0, 255), "unknown kind"),
    "class": (lambda m: head(m, 5, 0, ord("I") | ord("X") << 8), "seen as"),
    "view class": (lambda m: head(m, 10, 0, ord("V") | ord("V") << 8), "seen as"),
    "writable data": (lambda m: head(m, 5, 0, ord("I") | 1 << 16), "flags"),
    "writable sys": (lambda m: head(m, 0, 0, ord("I") | 1 << 16), "state"),
    "writable stack": (lambda m: head(m, 3, 0, ord("I") | 1 << 16), "flags"),
    "flag 2": (lambda m: head(m, 2, 0, ord("I") | 2 << 16), "flags"),
    "flag 256": (lambda m: head(m, 2, 0, ord("I") | 1 << 24), "flags"),
    "huge rows": (lambda m: head(m, 5, 1, 2**32 - 1), "impossible shape"),
    "huge both": (lambda m: (head(m, 5, 1, 2**31 - 1), head(m, 5, 2, 2**31 - 1)), "capacity"),
    "empty but huge": (lambda m: (head(m, 5, 1, 0), head(m, 5, 2, 2**31)), "impossible shape"),
    "too wide": (lambda m: head(m, 5, 2, 500), "does not fit"),
    "too many bytes": (lambda m: head(m, 7, 1, 500), "does not fit"),
    "capacity ragged": (lambda m: head(m, 5, 3, 57), "does not fill"),
    "capacity into next": (lambda m: head(m, 5, 3, 2 * m.width - 8), "next one"),
    "capacity 2^32": (lambda m: head(m, 5, 3, 2**32 - 8), "next one"),
    "last capacity": (lambda m: head(m, 4, 3, 99 * m.width - 8), "next one"),
    "view base": (lambda m: head(m, 10, 3, 12), "no entry"),
    "meta bytes": (lambda m: m.words.__setitem__(m.data_addr(m.row_of(4)), 0x20202020), "JSON"),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_pictures_are_refused(name: str) -> None:
    change, what = HOSTILE[name]
    with pytest.raises(ProgramError, match=what):
        program.load(resealed(change))


def test_what_running_programs_come_to_is_accepted() -> None:
    def change(m: Memory) -> None:
        entry_row(m, 6, m.row_of(5))  # re-pointed
        entry_row(m, 7, 1)  # a window onto the state
        m.set("pc", 2)  # past its code
        m.set("reason", ord("J"))
        m.set("depth", 2)
        m.words[m.data_addr(m.row_of(3))] = 1
        head(m, 4, 1, 0)  # metadata overwritten with nothing
        head(m, 4, 2, 0)
        head(m, 10, 0, ord("V") | ord("T") << 8)
        for word, value in ((1, 90), (2, 3), (3, 5), (4, 2**31), (5, 7), (6, 2**32 - 1)):
            head(m, 10, word, value)

    again = program.load(resealed(change))
    assert again.meta == Meta()


def check_slowly(image: np.ndarray) -> None:
    """Every rule that executors rely on, one matrix at a time, in plain integers."""
    rows, width = image.shape
    memory = Memory(image, rows)
    owners: dict[int, int] = {}
    for entry in range(memory.table_len):
        row = memory.row_of(entry)
        assert 1 <= row < rows
        found = memory.header_at(row)
        assert found.kind in isa.KINDS
        capacity = width - HEADER_PX if found.kind == "V" else found.capacity_px
        if found.kind != "V":
            assert words_for(found.kind, found.rows, found.cols) <= capacity
        assert (HEADER_PX + capacity) % width == 0
        for used in range(row, row + (HEADER_PX + capacity) // width):
            assert used < rows
            assert owners.setdefault(used, row) == row
    assert memory.get("depth") <= memory.header(3).cols


INTERESTING = [
    0,
    1,
    2,
    4,
    8,
    24,
    56,
    63,
    64,
    65,
    120,
    1 << 16,
    2**31 - 1,
    2**31,
    2**32 - 8,
    2**32 - 1,
]


@given(st.integers(0, 2**32))
def test_mutated_words_never_break_a_rule(seed: int) -> None:
    rng = random.Random(seed)

    def change(memory: Memory) -> None:
        rows = [memory.row_of(entry) for entry in range(12)]
        table = memory.table_addr
        for _ in range(rng.randint(1, 3)):
            entry = rng.randrange(12)
            place = rng.choice(
                [
                    rows[entry] * memory.width + rng.randrange(8),
                    table + entry,
                    memory.width + HEADER_PX + rng.randrange(24),
                ]
            )
            old = int(memory.words[place])
            memory.words[place] = rng.choice(
                [*INTERESTING, rng.randrange(GOOD.image.shape[0]), old ^ 1 << rng.randrange(32)]
            )

    data = resealed(change)
    try:
        whole = program.load(data)
    except ProgramError:
        return
    check_slowly(whole.image)


@given(st.data())
def test_mutated_files_raise_only_program_errors(data: st.DataObject) -> None:
    rng = random.Random(data.draw(st.integers(0, 2**32)))
    file = bytearray(data.draw(st.sampled_from([FILE, flattened()])))
    for _ in range(rng.randint(1, 3)):
        at = rng.randrange(len(file))
        file[at : at + rng.choice([0, 1, 1, 9])] = rng.randbytes(rng.choice([0, 1, 1, 9]))
    if rng.random() < 0.5:  # repair the checksums, so that the pixels are reached
        body = bytes(file[33:-12])
        file = file[:33] + _chunk(b"IDAT", body[8:-4]) + file[-12:]
    try:
        program.load(bytes(file))
    except ProgramError as error:
        said = error.what, error.advice
        assert all(said), said


def _chunk(name: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))


def test_words_at_the_names_of_sys_are_where_memory_reads_them() -> None:
    memory = program.open_memory(GOOD)
    for name, index in SYS.items():
        assert memory.get(name) == int(memory.words[memory.width + HEADER_PX + index])
