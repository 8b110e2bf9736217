"""The window: its events, and a real one on a display server without a screen."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from pxos.boot.errors import BootError
from pxos.boot.events import Event, Key, Pointer, Quit
from pxos.boot.window import Translator, Window, load_pygame
from pxos.kernel.devices.keycodes import (
    ALT,
    CTRL,
    DOWN,
    KEYS,
    LEFT,
    META,
    MIDDLE,
    REPEAT,
    RIGHT,
    SHIFT,
    UP,
)
from pxos.kernel.machine import png

from .conftest import Server, noise

pygame = load_pygame()


def translate(*events: SimpleNamespace) -> list[Event]:
    translator = Translator(pygame)
    return [ours for event in events for ours in translator.translate(event)]


def down(key: int, text: str = "", mod: int = 0) -> SimpleNamespace:
    return SimpleNamespace(type=pygame.KEYDOWN, key=key, unicode=text, mod=mod)


def up(key: int, mod: int = 0) -> SimpleNamespace:
    return SimpleNamespace(type=pygame.KEYUP, key=key, mod=mod)


def typed(text: str) -> SimpleNamespace:
    return SimpleNamespace(type=pygame.TEXTINPUT, text=text)


# ---- events -----------------------------------------------------------------------------------


def test_letters_repeat_and_are_let_go_as_they_were_pressed() -> None:
    found = translate(
        down(pygame.K_a, "A", pygame.KMOD_LSHIFT),
        typed("A"),
        down(pygame.K_a, "A", pygame.KMOD_LSHIFT),
        up(pygame.K_a),
    )
    assert found == [Key(65, DOWN, SHIFT), Key(65, REPEAT, SHIFT), Key(65, UP)]


@pytest.mark.parametrize(
    "name",
    "backspace tab escape up down left right home end insert delete f1 f12".split(" "),  # noqa: SIM905
)
def test_special_keys(name: str) -> None:
    key = getattr(pygame, f"K_{name.upper()}")
    text = "\t" if name == "tab" else ""
    assert translate(down(key, text), up(key)) == [Key(KEYS[name], DOWN), Key(KEYS[name], UP)]


def test_enter_page_keys_and_the_keypad() -> None:
    assert translate(down(pygame.K_RETURN, "\r")) == [Key(13, DOWN)]
    assert translate(down(pygame.K_KP_ENTER, "\r")) == [Key(13, DOWN)]
    assert translate(down(pygame.K_PAGEUP)) == [Key(KEYS["page up"], DOWN)]
    assert translate(down(pygame.K_KP5, "5")) == [Key(ord("5"), DOWN)]


def test_control_gives_the_key_and_not_a_control_character() -> None:
    assert translate(down(pygame.K_c, "\x03", pygame.KMOD_RCTRL)) == [Key(ord("c"), DOWN, CTRL)]
    assert translate(down(pygame.K_x, "x", pygame.KMOD_LALT)) == [Key(ord("x"), DOWN, ALT)]
    assert translate(down(pygame.K_v, "", pygame.KMOD_LMETA)) == [Key(ord("v"), DOWN, META)]


def test_alt_gr_only_makes_its_character() -> None:
    both = pygame.KMOD_LCTRL | pygame.KMOD_RALT
    assert translate(down(pygame.K_q, "@", both), typed("@")) == [Key(ord("@"), DOWN)]


def test_modifiers_alone_are_nothing() -> None:
    assert translate(down(pygame.K_LSHIFT), up(pygame.K_LSHIFT), down(pygame.K_CAPSLOCK)) == []


def test_composed_text_is_typed_key_by_key() -> None:
    assert translate(typed("語é")) == [
        Key(ord("語"), DOWN),
        Key(ord("語"), UP),
        Key(0xE9, DOWN),
        Key(0xE9, UP),
    ]


def test_losing_the_keyboard_lets_everything_go() -> None:
    press = SimpleNamespace(type=pygame.MOUSEBUTTONDOWN, button=1, pos=(3, 4))
    lost = SimpleNamespace(type=pygame.WINDOWFOCUSLOST)
    assert translate(down(pygame.K_w, "w"), press, lost, up(pygame.K_w)) == [
        Key(119, DOWN),
        Pointer(4, 3, LEFT),
        Key(119, UP),
        Pointer(4, 3, 0),
    ]


def test_the_pointer() -> None:
    def button(kind: int, number: int) -> SimpleNamespace:
        return SimpleNamespace(type=kind, button=number, pos=(7, 2))

    move = SimpleNamespace(type=pygame.MOUSEMOTION, pos=(10, 20))
    assert translate(
        move,
        button(pygame.MOUSEBUTTONDOWN, 1),
        button(pygame.MOUSEBUTTONDOWN, 3),
        button(pygame.MOUSEBUTTONDOWN, 2),
        button(pygame.MOUSEBUTTONUP, 1),
        button(pygame.MOUSEBUTTONDOWN, 4),
    ) == [
        Pointer(20, 10),
        Pointer(2, 7, LEFT),
        Pointer(2, 7, LEFT | RIGHT),
        Pointer(2, 7, LEFT | RIGHT | MIDDLE),
        Pointer(2, 7, RIGHT | MIDDLE),
    ]


def test_the_wheel_and_closing() -> None:
    wheel = SimpleNamespace(type=pygame.MOUSEWHEEL, y=-1, precise_y=-1.0)
    assert translate(wheel) == [Pointer(0, 0, -256)]
    half = SimpleNamespace(type=pygame.MOUSEWHEEL, y=0, precise_y=0.5)
    assert translate(half, half) == [Pointer(0, 0, 256)]
    assert translate(SimpleNamespace(type=pygame.QUIT)) == [Quit()]


# ---- a real window ---------------------------------------------------------------------------


@pytest.fixture
def window(xvfb: Server, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., Window]]:
    monkeypatch.setenv("DISPLAY", xvfb.display)
    monkeypatch.setenv("SDL_VIDEODRIVER", "x11")
    windows: list[Window] = []

    def make(*args: object, **kwargs: object) -> Window:
        windows.append(Window(*args, **kwargs))  # type: ignore[arg-type]
        return windows[-1]

    yield make
    for each in windows:
        each.close()


def xdo(display: str, *words: object) -> str:
    return subprocess.run(
        ["xdotool", *map(str, words)],
        env={**os.environ, "DISPLAY": display},
        check=True,
        capture_output=True,
        text=True,
        timeout=20,
    ).stdout.strip()


def screen_pixels(folder: Path) -> np.ndarray:
    """What the display server shows: uint8 (rows, cols, 3), from its own file in X11's dump
    format."""
    data = (folder / "Xvfb_screen0").read_bytes()
    head = np.frombuffer(data[:100], ">u4")
    size, width, height, colours, line = (int(head[n]) for n in (0, 4, 5, 19, 12))
    start = size + colours * 12
    pixels = np.frombuffer(data[start : start + height * line], np.uint8).reshape(height, line)
    return pixels[:, : width * 4].reshape(height, width, 4)[..., 2::-1]


def until(window: Window, wanted: Callable[[list[Event]], bool]) -> list[Event]:
    """Events up to the one that makes ``wanted`` true of all that came."""
    found: list[Event] = []
    end = time.monotonic() + 10
    while not wanted(found):
        assert time.monotonic() < end, found
        found += window.events()
        time.sleep(0.01)
    return found


def test_a_window_shows_pictures_enlarged(window: Callable[..., Window], xvfb: Server) -> None:
    picture = noise(100, 160)
    shown = window(100, 160, "test", scale=3)
    assert shown.driver == "x11"
    end = time.monotonic() + 10
    while True:
        shown.events()
        shown.show(picture)
        screen = screen_pixels(xvfb.folder)
        where = np.argwhere((screen[:, :, :] == picture[0, 0, :3]).all(-1))
        for top, left in where.tolist():
            part = screen[top : top + 300, left : left + 480]
            if part.shape == (300, 480, 3) and np.array_equal(
                part, picture[..., :3].repeat(3, 0).repeat(3, 1)
            ):
                return
        assert time.monotonic() < end, "the picture was never seen"
        time.sleep(0.05)


def test_real_keys_and_pointer(window: Callable[..., Window], xvfb: Server) -> None:
    shown = window(100, 160, "keys", scale=2)
    shown.show(noise(100, 160))
    number = window_number(xvfb.display, os.getpid(), "keys")
    xdo(xvfb.display, "windowfocus", number)
    until(shown, lambda _: bool(pygame.key.get_focused()))
    xdo(xvfb.display, "key", "a")
    found = until(shown, lambda events: Key(97, UP) in events)
    assert [e for e in found if isinstance(e, Key)] == [Key(97, DOWN), Key(97, UP)]
    xdo(xvfb.display, "key", "shift+b", "ctrl+c", "F12", "Up")
    found = until(shown, lambda events: Key(KEYS["up"], UP) in events)
    keys = [e for e in found if isinstance(e, Key) and e.state == DOWN]
    assert keys == [
        Key(66, DOWN, SHIFT),
        Key(99, DOWN, CTRL),
        Key(KEYS["f12"], DOWN),
        Key(KEYS["up"], DOWN),
    ]
    xdo(xvfb.display, "mousemove", "--window", number, 41, 63, "click", 3, "click", 4)
    found = until(
        shown, lambda events: any(isinstance(e, Pointer) and e.buttons >> 8 for e in events)
    )
    places = [e for e in found if isinstance(e, Pointer)]
    assert Pointer(31, 20, RIGHT) in places
    assert places[-1] == Pointer(31, 20, 1 << 8)
    xdo(xvfb.display, "keydown", "z")
    found = until(shown, lambda events: Key(122, REPEAT) in events)
    xdo(xvfb.display, "keyup", "z")
    until(shown, lambda events: Key(122, UP) in events)


def test_the_window_takes_the_size_of_the_picture(window: Callable[..., Window]) -> None:
    shown = window(100, 160, "size")
    shown.show(noise(100, 160))
    for rows, cols in ((50, 70), (200, 320)):
        shown.show(noise(rows, cols))
        surface = pygame.display.get_surface()
        assert surface.get_size() == (cols, rows)


def test_full_screen_and_back(window: Callable[..., Window]) -> None:
    shown = window(100, 160, "full")
    before = pygame.display.get_window_size()
    assert shown.toggle_fullscreen() == ""
    assert pygame.display.get_window_size() == (800, 600)
    shown.show(noise(100, 160))
    assert shown.toggle_fullscreen() == ""
    shown.events()
    assert pygame.display.get_window_size() == before


def test_no_display_is_an_error_and_not_a_blind_window(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DISPLAY", ":987")
    monkeypatch.delenv("SDL_VIDEODRIVER", raising=False)
    monkeypatch.delenv("WAYLAND_DISPLAY", raising=False)
    with pytest.raises(BootError, match="--headless") as caught:
        Window(100, 160, "blind")
    assert "offscreen" in caught.value.where
    for driver in ("dummy", "offscreen"):
        monkeypatch.setenv("SDL_VIDEODRIVER", driver)
        with pytest.raises(BootError, match=f"SDL driver {driver}"):
            Window(100, 160, "blind")


def start(words: list[str], display: str, folder: Path, apps: Path) -> subprocess.Popen[bytes]:
    environment = {**os.environ, "DISPLAY": display, "PXOS_APPS": str(apps)}
    environment.pop("SDL_VIDEODRIVER", None)
    return subprocess.Popen(
        [sys.executable, "-m", "pxos", *words],
        cwd=folder,
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )


def window_number(display: str, pid: int, title: str) -> str:
    """The window of a process; searched by its process, since xdotool finds no names here."""
    end = time.monotonic() + 30
    while time.monotonic() < end:
        done = subprocess.run(
            ["xdotool", "search", "--onlyvisible", "--pid", str(pid)],
            capture_output=True,
            text=True,
            timeout=20,
            env={**os.environ, "DISPLAY": display},
        )
        for number in done.stdout.split():
            if xdo(display, "getwindowname", number) == title:
                return number
        time.sleep(0.05)
    raise AssertionError(f"no window {title}")


def test_a_program_in_a_window_takes_a_key_and_ends(
    xvfb: Server, tmp_path: Path, apps: Path
) -> None:
    process = start(["run", "firstkey", "--scale", "2"], xvfb.display, tmp_path, apps)
    number = window_number(xvfb.display, process.pid, "First key")
    xdo(xvfb.display, "windowfocus", number)
    end = time.monotonic() + 20
    while not (pictures := list(tmp_path.glob("pxos-*.png"))):
        assert time.monotonic() < end, "F12 took no screenshot"
        xdo(xvfb.display, "key", "F12")
        time.sleep(0.2)
    xdo(xvfb.display, "key", "k")
    out, err = process.communicate(timeout=20)
    assert (process.returncode, out, err) == (ord("k"), b"", b"")
    assert (png.decode(pictures[0].read_bytes()) == [0x20, 0x40, 0x60, 255]).all()


def test_a_program_in_a_window_for_some_frames(xvfb: Server, tmp_path: Path, apps: Path) -> None:
    words = ["run", "echo", "--frames", "12", "--screenshot", "shot.png"]
    process = start(words, xvfb.display, tmp_path, apps)
    out, err = process.communicate(timeout=60)
    assert (process.returncode, out, err) == (0, b"", b"")
    picture = png.decode((tmp_path / "shot.png").read_bytes())
    assert picture.shape == (20, 30, 4)
    assert 8 <= picture[10, 10, 0] < 200
