"""What a stranger's picture can reach, say and use up: its own window and pipes, and no more."""

from __future__ import annotations

import os
import pty
import select
import time
from pathlib import Path

import pytest

from pxos.kernel.machine import program as program_file
from pxos.kernel.machine.isa import encode
from pxos.kernel.machine.layout import seal
from pxos.kernel.machine.memory import HEADER_PX
from pxos.kernel.machine.meta import Meta

from . import damage, programs
from .conftest import PATIENCE, PXOS, Pxos, listing, load

ESCAPES = "\x1b]0;owned\x07\x1b[31m\x9b2J"


def with_metadata(text: bytes) -> bytes:
    """A program whose metadata is any bytes, with a digest that is right."""
    plain = program_file.build(
        [], [encode("H", damage.ZERO)], Meta(help="x" * max(0, len(text) - 90))
    )
    memory = program_file.open_memory(plain)
    at = memory.row_of(4) * memory.width
    room = int(memory.words[at + 3]) * 4
    assert len(text) <= room
    memory.words[at + 2] = len(text)
    memory.words.view("u1")[(at + HEADER_PX) * 4 :][: len(text)] = list(text)
    image = memory.used_image().copy()
    seal(image)
    rows, width = image.shape
    return damage.png.encode(image.view("u1").reshape(rows, width, 4))


@pytest.mark.parametrize(
    ("port", "selector"), [("files", '"x"'), ("line", "0"), ("processes", "'p'")]
)
def test_only_harmless_ports_are_given(pxos: Pxos, here: Path, port: str, selector: str) -> None:
    (here / "x").write_text("secret")
    source = programs.GREEDY.format(port=port, selector="s" if port == "files" else selector)
    (here / "greedy.pxa").write_text(source.replace("t : T\n", 't : T\ns : T = "x"\n'))
    assert pxos("asm", "greedy.pxa").status == 0
    for done in (pxos("run", "greedy.png"), pxos.line("./greedy.png")):
        assert done.status == 1
        assert done.out == b""
        assert "port not granted" in done.told
        assert f"the port {port}" in done.told


WAYS_OUT = ["../secret.txt", "/etc/hostname", "link.txt", "out/secret.txt", "a/../../secret.txt"]


def test_files_only_below_the_folder_and_only_if_allowed(pxos: Pxos, here: Path) -> None:
    box = here / "box"
    box.mkdir()
    (here / "secret.txt").write_text("secret")
    (box / "in.txt").write_text("inside")
    (box / "link.txt").symlink_to("../secret.txt")
    (box / "out").symlink_to("..")
    for name, source in (("reader", programs.READER), ("writer", programs.WRITER)):
        (here / f"{name}.pxa").write_text(source)
        assert pxos("asm", f"{name}.pxa").status == 0
    pxos.here = box
    assert pxos("run", "../reader.png", "in.txt", "--allow", "files").text == "inside"
    assert pxos("run", "../reader.png", "in.txt").status == 1
    for way in WAYS_OUT:
        for name in ("reader", "writer"):
            done = pxos("run", f"../{name}.png", way, "--allow", "files")
            assert (done.status, done.out) == (1, b""), way
            assert "leads out of the folder" in done.told
    assert pxos("run", "../writer.png", "new.txt", "--allow", "files").status == 0
    assert (box / "new.txt").read_text() == "written"
    assert (here / "secret.txt").read_text() == "secret"
    assert pxos("run", "../reader.png", "in.txt", "--allow", "moon").status == 2


def test_children_are_bounded(pxos: Pxos, here: Path) -> None:
    (here / "forks.pxa").write_text(programs.FORKS)
    done = pxos("run", "forks.pxa", "--allow", "processes")
    assert (done.status, done.told) == (32, "")


@pytest.mark.parametrize("field", ["title", "summary", "help", "author"])
def test_metadata_cannot_command_a_terminal(pxos: Pxos, here: Path, field: str) -> None:
    (here / "it.png").write_bytes(with_metadata(f'{{"{field}":"{ESCAPES}"}}'.encode()))
    for words in (("run", "it.png"), ("run", "it.png", "--help"), ("-c", "./it.png")):
        done = pxos(*words)  # what it prints is checked there
        assert done.status == 1
        assert done.out == b""
        assert "it.png" in done.told


@pytest.mark.parametrize(
    "text",
    [
        b"[" * 100_000,
        b'{"icon":' + b"9" * 100_000 + b"}",
        b'{"title":"\xff\xfe"}',
        b'{"size":[2147483647,2147483647]}',
        b'{"args":[{"name":"a","kind":"number","min":1e999,"default":3}]}',
        b"no JSON",
    ],
)
def test_wild_metadata(pxos: Pxos, here: Path, text: bytes) -> None:
    (here / "it.png").write_bytes(with_metadata(text))
    done = pxos("run", "it.png")
    assert done.status == 1
    assert done.told.startswith("pxos: ")
    assert "metadata" in done.told
    assert len(done.told) < 500


def test_a_long_help(pxos: Pxos, here: Path) -> None:
    (here / "it.png").write_bytes(with_metadata(b'{"help":"' + b"word " * 200_000 + b'"}'))
    done = pxos("run", "it.png", "--help")
    assert done.status == 0
    assert len(done.out) > 900_000
    assert pxos("run", "it.png").status == 0


def in_terminal(pxos: Pxos, *words: str) -> bytes:
    """What a command sends to a terminal that it runs in."""
    child, terminal = pty.fork()
    if child == 0:
        os.chdir(pxos.here)
        os.execve(PXOS[0], [*PXOS, *words], {**pxos.environment, "TERM": "xterm-256color"})
    sent = b""
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline and select.select([terminal], [], [], PATIENCE)[0]:
        try:
            piece = os.read(terminal, 65536)
        except OSError:  # how Linux says that the other end is closed
            break
        sent += piece
    os.close(terminal)
    os.waitpid(child, 0)
    return sent


@pytest.mark.parametrize("words", [("run", "it.png"), ("-c", "./it.png"), ("-c", "cat it.txt")])
def test_text_of_programs_and_files_cannot_command_a_terminal(
    pxos: Pxos, here: Path, words: tuple[str, ...]
) -> None:
    (here / "it.pxa").write_text(programs.COMMANDS)
    (here / "it.txt").write_text(ESCAPES + "red")
    assert pxos("asm", "it.pxa").status == 0
    sent = in_terminal(pxos, *words)
    assert b"red" in sent
    assert b"\x1b]" not in sent
    assert b"\x07" not in sent


def test_text_into_a_pipe_is_left_as_it_is(pxos: Pxos, here: Path) -> None:
    (here / "it.pxa").write_text(programs.COMMANDS)
    assert pxos("run", "it.pxa").out == b"\x1b]0;owned\x07\x1b[31mred\x1b]52;c;AAAA\x07"


def test_names_of_files_cannot_command_a_terminal(pxos: Pxos, here: Path) -> None:
    (here / "a\x1b]0;owned\x07.png").write_bytes(b"")
    assert b"\x1b]" not in in_terminal(pxos, "-c", "ls")
    pxos.line("*.png | invert > out.png")


@pytest.mark.parametrize("source", [programs.SPINS, programs.CRASHES])
def test_a_wild_program_does_not_hold_up_the_desktop(pxos: Pxos, here: Path, source: str) -> None:
    """As the first program it is bounded by frames, and if it fails a card is shown."""
    (here / "it.pxa").write_text(source)
    screen = ("--headless", "--frames", "12", "--screenshot", "s.png")
    done = pxos("boot", "--desktop", "it.pxa", *screen)
    shown = load(here / "s.png")
    if source is programs.SPINS:
        assert done.status == 0
        assert (shown == [255, 128, 0, 255]).all()
    else:
        assert done.status == 1
        assert "Crashes stopped: division by zero" in done.told
        assert shown.shape == (200, 400, 4)
        assert not (shown == [63, 178, 127, 255]).all(-1).any(), "the card covers its picture"
        colours = {tuple(pixel) for pixel in shown.reshape(-1, 4).tolist()}
        assert len(colours) > 4
    assert sorted(set(listing(here)) - {"it.pxa"}) == ["s.png"]
