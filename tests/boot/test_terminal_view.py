"""The terminal view on a pseudo-terminal, with a terminal emulator at its other end."""

from __future__ import annotations

import os
import signal
import sys
import termios
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pexpect
import pyte
import pytest

from pxos.boot.errors import BootError
from pxos.boot.terminal_view import TerminalView
from pxos.kernel.machine import png

from .test_terminal_graphics import half_block_pixels, kitty_images, sixel_picture

#: What a terminal answers to the questions: plain, with sixels, with everything of kitty's.
PLAIN = b"\x1b[?62;22c"
SIXEL = b"\x1b[6;20;10t\x1b[?62;4;22c"
KITTY = b"\x1b[?0u\x1b[?1016;2$y\x1b[6;20;10t\x1b_Gi=31;OK\x1b\\\x1b[?62;22c"


class Terminal:
    """A terminal of 24 x 80 with pxOS in it."""

    def __init__(
        self, words: list[str], answer: bytes, folder: Path, apps: Path, display: str = ""
    ) -> None:
        environment = {
            key: value
            for key, value in os.environ.items()
            if key not in ("DISPLAY", "WAYLAND_DISPLAY")
        }
        environment |= {"PXOS_APPS": str(apps), "TERM": "xterm-256color"}
        if display:
            environment["DISPLAY"] = display
            environment.pop("SDL_VIDEODRIVER", None)
        self.child = pexpect.spawn(
            sys.executable,
            ["-m", "pxos", *words],
            dimensions=(24, 80),
            cwd=str(folder),
            env=environment,
            timeout=20,
        )
        self.screen = pyte.Screen(80, 24)
        self.stream = pyte.ByteStream(self.screen)
        self.raw = b""
        self.until(lambda: b"\x1b[c" in self.raw)
        self.start = self.raw.index(b"\x1b[c") + 3
        self.child.send(answer)

    start = -1

    @property
    def drawn(self) -> bytes:
        """What came after the questions."""
        return self.raw[self.start :]

    def read(self) -> None:
        try:
            data = self.child.read_nonblocking(65536, 0.05)
        except pexpect.TIMEOUT:
            return
        self.raw += data
        # The emulator knows nothing of the strings of kitty and sixels.
        if self.start > 0 and b"\x1b_G" not in self.drawn and b"\x1bP" not in self.drawn:
            self.stream.feed(data)

    def until(self, wanted: Callable[[], bool]) -> None:
        end = time.monotonic() + 20
        while not wanted():
            assert time.monotonic() < end, self.raw[-300:]
            self.read()

    def pixel(self, y: int, x: int) -> list[int]:
        return half_block_pixels(self.screen)[y, x].tolist()

    def end(self) -> int:
        """Wait for the process; its exit status, 128 + n after signal n."""
        try:
            while True:
                self.read()
        except pexpect.EOF:
            self.child.wait()
        status = self.child.exitstatus
        return 128 + self.child.signalstatus if status is None else status

    def assert_restored(self) -> None:
        after = self.raw[self.raw.index(b"\x1b[?1049h") :]
        for on, off in (
            (b"\x1b[?1049h", b"\x1b[?1049l"),
            (b"\x1b[?25l", b"\x1b[?25h"),
            (b"\x1b[?1003h", b"\x1b[?1003l"),
            (b"\x1b[?1006h", b"\x1b[?1006l"),
            (b"\x1b[?1016h", b"\x1b[?1016l"),
            (b"\x1b[>27u", b"\x1b[<u"),
        ):
            assert after.count(on) == after.count(off), on
            assert after.rfind(off) >= after.rfind(on), on
        assert after.rstrip(b"\r\n").rfind(b"\x1b[?1049l") > 0


@pytest.fixture
def terminal(tmp_path: Path, apps: Path) -> Iterator[Callable[..., Terminal]]:
    made: list[Terminal] = []

    def make(*words: str, answer: bytes = PLAIN, display: str = "") -> Terminal:
        made.append(Terminal(list(words), answer, tmp_path, apps, display))
        return made[-1]

    yield make
    for each in made:
        each.child.close(force=True)


def test_a_program_is_seen_in_half_blocks_and_takes_keys(terminal: Callable[..., Terminal]) -> None:
    shown = terminal("run", "echo")
    # 20 x 30 pixels on 48 x 80: enlarged twice, from row 4, column 10.
    shown.until(lambda: shown.pixel(20, 40)[0] > 0)
    assert shown.pixel(2, 40) == [0, 0, 0]
    assert shown.pixel(20, 9) == [0, 0, 0]
    shown.child.send("A")
    shown.until(lambda: shown.pixel(20, 40)[1] == 65)
    first = shown.pixel(20, 40)[0]
    shown.until(lambda: shown.pixel(20, 40)[0] != first)
    shown.child.send("q")
    assert shown.end() == 7
    shown.assert_restored()


def test_the_mouse_is_placed_in_the_picture(terminal: Callable[..., Terminal]) -> None:
    shown = terminal("run", "echo")
    shown.until(lambda: shown.pixel(20, 40)[0] > 0)
    # Cell row 12 (from 1) shows pixel rows 22 and 23, which are row 9 of the picture.
    shown.child.send("\x1b[<35;31;12M")
    shown.until(lambda: shown.pixel(22, 30) == [255, 255, 255])
    assert shown.pixel(23, 31) == [255, 255, 255]
    assert shown.pixel(24, 30) != [255, 255, 255]
    assert shown.pixel(22, 32) != [255, 255, 255]
    shown.child.send("\x11")
    assert shown.end() == 0
    shown.assert_restored()


def test_kitty_graphics_keyboard_and_exact_mouse(terminal: Callable[..., Terminal]) -> None:
    shown = terminal("run", "echo", answer=KITTY)
    shown.until(lambda: bool(kitty_images(shown.drawn)))
    for on in (b"\x1b[?1016h", b"\x1b[>27u"):
        assert on in shown.raw
    # 20 x 30 on 480 x 800 pixels: enlarged 24 times, from column 40.
    frame = np.zeros((480, 800, 3), np.uint8)

    def draw() -> np.ndarray:
        for place, _, pixels in kitty_images(shown.drawn):
            frame[20 * place - 20 : 20 * place] = pixels
        return frame

    shown.child.send("\x1b[97;2;65u\x1b[97;1:3u")
    shown.until(lambda: draw()[200, 400, 1] == 65)
    shown.child.send(f"\x1b[<35;{40 + 24 * 7 + 3};{24 * 4 + 20}M")
    shown.until(lambda: bool((draw()[100, 40 + 24 * 7 + 10] == 255).all()))
    assert not (frame[100, 40 + 24 * 8 + 1] == 255).all()
    assert not (frame[24 * 5 + 1, 40 + 24 * 7 + 10] == 255).all()
    shown.child.send("\x1b[113;5u")
    assert shown.end() == 0
    assert b"\x1b_Ga=d" in shown.raw
    shown.assert_restored()


def test_sixels_where_the_terminal_has_them(terminal: Callable[..., Terminal]) -> None:
    shown = terminal("run", "firstkey", answer=SIXEL)
    shown.until(lambda: shown.drawn.count(b"\x1bP") >= 24)
    data = shown.drawn[shown.drawn.index(b"\x1bP") :]
    strip = sixel_picture(data[: data.index(b"\x1b\\") + 2])
    assert strip.shape == (20, 800, 3)
    assert np.abs(strip[5, 400].astype(int) - [0x20, 0x40, 0x60]).max() <= 2
    assert not strip[5, 10].any()
    shown.child.send("k")
    assert shown.end() == ord("k")
    shown.assert_restored()


def test_a_terminal_that_answers_nothing_gets_half_blocks(
    terminal: Callable[..., Terminal],
) -> None:
    shown = terminal("run", "firstkey", answer=b"")
    shown.until(lambda: shown.pixel(20, 40) == [0x20, 0x40, 0x60])
    shown.child.send("\x1b")
    assert shown.end() == 27
    shown.assert_restored()


def test_the_terminal_is_used_where_no_display_answers(
    terminal: Callable[..., Terminal],
) -> None:
    shown = terminal("run", "firstkey", display=":987")
    shown.until(lambda: shown.pixel(20, 40) == [0x20, 0x40, 0x60])
    shown.child.send("k")
    assert shown.end() == ord("k")
    assert b"pxos: no display answers at :987; this is the terminal" in shown.raw
    shown.assert_restored()


def test_a_new_size_is_drawn_anew(terminal: Callable[..., Terminal]) -> None:
    shown = terminal("run", "firstkey")
    shown.until(lambda: shown.pixel(20, 40) == [0x20, 0x40, 0x60])
    shown.screen.resize(10, 40)
    shown.child.setwinsize(10, 40)
    # 8 x 8 on 20 x 40: enlarged twice, from row 2, column 12.
    shown.until(
        lambda: (
            shown.pixel(2, 12) == shown.pixel(17, 27) == [0x20, 0x40, 0x60]
            and shown.pixel(0, 12) == shown.pixel(2, 11) == [0, 0, 0]
        )
    )
    shown.child.send("x")
    assert shown.end() == ord("x")


@pytest.mark.parametrize("name", ["SIGTERM", "SIGHUP", "SIGINT"])
def test_the_terminal_is_restored_when_the_process_is_told_to_end(
    terminal: Callable[..., Terminal], name: str
) -> None:
    shown = terminal("run", "echo", answer=KITTY)
    shown.until(lambda: bool(kitty_images(shown.drawn)))
    modes = termios.tcgetattr(shown.child.child_fd)
    assert modes[3] & termios.ICANON == 0
    number = getattr(signal, name)
    shown.child.kill(number)
    assert shown.end() == 128 + number
    shown.assert_restored()


def test_the_terminal_is_restored_after_a_fault_and_the_card_is_printed(
    terminal: Callable[..., Terminal],
) -> None:
    shown = terminal("run", "echo")
    shown.until(lambda: shown.pixel(20, 40)[0] > 0)
    shown.child.send("f")
    assert shown.end() == 1
    shown.assert_restored()
    card = shown.raw[shown.raw.rindex(b"\x1b[?1049l") :]
    assert b"Echo stopped: division by zero" in card
    assert b"program.pxa:" in card


def test_the_modes_of_the_terminal_are_as_before(tmp_path: Path, apps: Path) -> None:
    """A shell stays on the terminal after pxOS: its modes must be the old ones."""
    script = (
        f"stty -a > before; {sys.executable} -m pxos run firstkey; echo status $?; "
        "stty -a > after; cmp before after && echo same"
    )
    environment = {**os.environ, "PXOS_APPS": str(apps)}
    environment.pop("DISPLAY", None)
    child = pexpect.spawn(
        "/bin/sh",
        ["-c", script],
        dimensions=(24, 80),
        cwd=str(tmp_path),
        env=environment,
        timeout=20,
    )
    child.expect_exact("\x1b[c")
    child.send(PLAIN)
    child.expect_exact("\x1b[?2026l")
    child.send("k")
    child.expect_exact(f"status {ord('k')}")
    child.expect_exact("same")
    child.close()


def test_what_was_typed_and_not_read_does_not_reach_the_shell(
    terminal: Callable[..., Terminal],
) -> None:
    shown = terminal("run", "firstkey")
    shown.until(lambda: shown.pixel(20, 40) == [0x20, 0x40, 0x60])
    shown.child.send("krm -rf\r")
    assert shown.end() == ord("k")
    shown.assert_restored()


def test_f12_writes_a_screenshot(terminal: Callable[..., Terminal], tmp_path: Path) -> None:
    shown = terminal("run", "firstkey")
    shown.until(lambda: shown.pixel(20, 40) == [0x20, 0x40, 0x60])
    shown.child.send("\x1b[24~")
    shown.until(lambda: bool(list(tmp_path.glob("*.png"))))
    (path,) = tmp_path.glob("*.png")
    assert (png.decode(path.read_bytes()) == [0x20, 0x40, 0x60, 255]).all()
    shown.child.send("k")
    assert shown.end() == ord("k")


def test_a_pipe_is_no_terminal() -> None:
    read, write = os.pipe()
    with pytest.raises(BootError, match="--headless"):
        TerminalView(read, write)
    os.close(read)
    os.close(write)


def test_a_still_picture_is_printed_between_the_lines(tmp_path: Path, apps: Path) -> None:
    environment = {**os.environ, "PXOS_APPS": str(apps)}
    child = pexpect.spawn(
        sys.executable,
        ["-m", "pxos", "run", "still"],
        dimensions=(24, 80),
        cwd=str(tmp_path),
        env=environment,
        timeout=20,
    )
    child.expect(pexpect.EOF)
    child.wait()
    assert child.exitstatus == 0
    screen = pyte.Screen(80, 24)
    pyte.ByteStream(screen).feed(child.before)
    pixels = half_block_pixels(screen)
    assert (pixels[:6, :9] == [255, 128, 0]).all()
    assert not pixels[6:].any()
    assert not pixels[:, 9:].any()
