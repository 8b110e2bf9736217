"""The loop, pxOS's own keys, screenshots, recordings, and runs without a screen."""

from __future__ import annotations

import io
import threading
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from pxos.boot import overlay
from pxos.boot.clock import RealClock
from pxos.boot.controls import HELP, Controls
from pxos.boot.events import Key, Pointer, Quit, WheelSteps
from pxos.boot.headless import play_headless
from pxos.boot.recorder import MAX_FRAMES, Recorder
from pxos.boot.stage import play
from pxos.kernel.clock import VirtualClock
from pxos.kernel.devices.keycodes import CTRL, DOWN, KEYS, REPEAT, SHIFT, UP
from pxos.kernel.grants import Grants
from pxos.kernel.kernel import Kernel
from pxos.kernel.machine import png
from pxos.kernel.process import Process

from . import programs
from .conftest import noise
from .displays import FakeDisplay

F1, F9, F11, F12 = (KEYS[name] for name in ("f1", "f9", "f11", "f12"))


class NoStore:
    def names(self) -> list[str]:
        return []

    def read(self, name: str) -> bytes:
        raise KeyError(name)


@pytest.fixture
def kernel() -> Iterator[Kernel]:
    found = Kernel(NoStore(), clock=RealClock())
    yield found
    found.close()


def spawn(kernel: Kernel, source: str) -> Process:
    program = programs.program(source)
    return kernel.spawn(program, "test", grants=Grants.of(program.meta))


# ---- the loop ------------------------------------------------------------------------------


def test_a_program_is_shown_until_it_ends(kernel: Kernel, tmp_path: Path) -> None:
    display = FakeDisplay({3: [Key(ord("q"), DOWN)]})
    process = spawn(kernel, programs.ECHO)
    picture = play(kernel, process, display, folder=tmp_path)
    assert process.exit is not None
    assert process.exit.status == 7
    assert display.shown
    assert picture.shape == (20, 30, 4)


def test_keys_and_pointer_reach_the_program(kernel: Kernel, tmp_path: Path) -> None:
    display = FakeDisplay({2: [Key(65, DOWN), Key(65, UP), Pointer(4, 5)]})
    process = spawn(kernel, programs.ECHO)
    picture = play(kernel, process, display, folder=tmp_path, frames=8)
    assert picture[0, 0, 1] == 65
    assert picture[4, 5].tolist() == [255, 255, 255, 255]
    assert not process.ended
    assert np.array_equal(display.shown[-1], picture)


def test_a_still_picture_is_shown_once(kernel: Kernel, tmp_path: Path) -> None:
    display = FakeDisplay()
    process = spawn(kernel, programs.STILL)
    play(kernel, process, display, folder=tmp_path, linger=True, frames=6)
    assert process.ended
    assert len(display.shown) == 1


@pytest.mark.parametrize(
    "event", [Key(97, DOWN), Pointer(0, 0, 1), Quit(), Key(ord("q"), DOWN, CTRL)]
)
def test_a_lingering_picture_goes_with_the_next_press(
    kernel: Kernel, tmp_path: Path, event: Key | Pointer | Quit
) -> None:
    display = FakeDisplay({5: [event]})
    play(kernel, spawn(kernel, programs.STILL), display, folder=tmp_path, linger=True)
    assert display.calls == 5


@pytest.mark.parametrize("event", [Key(97, UP), Pointer(3, 3)])
def test_a_lingering_picture_stays_for_mere_movements(
    kernel: Kernel, tmp_path: Path, event: Key | Pointer
) -> None:
    display = FakeDisplay({n: [event] for n in range(1, 9)})
    play(kernel, spawn(kernel, programs.STILL), display, folder=tmp_path, linger=True, frames=8)
    assert display.calls >= 8 - 1


def test_the_loop_runs_at_sixty_frames_a_second(kernel: Kernel, tmp_path: Path) -> None:
    clock = kernel.clock
    start = clock.seconds()
    process = spawn(kernel, programs.ECHO)
    play(kernel, process, FakeDisplay(), folder=tmp_path, frames=15)
    assert 0.2 < clock.seconds() - start < 2.0


def test_a_program_that_never_rests_does_not_stop_the_loop(kernel: Kernel, tmp_path: Path) -> None:
    process = spawn(kernel, programs.FOREVER)
    display = FakeDisplay({4: [Quit()]})
    play(kernel, process, display, folder=tmp_path)
    assert display.calls == 4
    assert not process.ended


# ---- without a screen -----------------------------------------------------------------------


def test_runs_without_a_screen_repeat_exactly() -> None:
    pictures = []
    for _ in range(2):
        clock = VirtualClock()
        kernel = Kernel(NoStore(), clock=clock)
        process = spawn(kernel, programs.ECHO)
        events = [(3, Key(66, DOWN)), (5, Pointer(1, 2))]
        pictures.append(play_headless(kernel, clock, process, frames=30, events=events))
        assert clock.monotonic_ms() == 500
        assert kernel.frames.number == 30
        kernel.close()
    assert np.array_equal(*pictures)
    assert pictures[0][0, 0].tolist() == [30, 66, 0, 255]
    assert pictures[0][1, 2].tolist() == [255] * 4


def test_a_run_without_a_screen_stops_with_its_program() -> None:
    clock = VirtualClock()
    kernel = Kernel(NoStore(), clock=clock)
    process = spawn(kernel, programs.STILL)
    picture = play_headless(kernel, clock, process, frames=1000)
    assert process.ended
    assert kernel.frames.number == 1
    assert (picture == [255, 128, 0, 255]).all()
    kernel.close()


def test_a_run_without_a_screen_is_not_held_up_by_one_that_never_rests() -> None:
    clock = VirtualClock()
    kernel = Kernel(NoStore(), clock=clock)
    busy, process = spawn(kernel, programs.FOREVER), spawn(kernel, programs.ECHO)
    picture = play_headless(kernel, clock, process, frames=4)
    assert picture[5, 5, 0] == 4
    assert busy.accounting.fuel > 1000
    kernel.close()


# ---- pxOS's own keys ----------------------------------------------------------------------------


@pytest.fixture
def clock() -> VirtualClock:
    return VirtualClock((2031, 2, 3, 4, 5, 6, 0))


@pytest.fixture
def display() -> FakeDisplay:
    return FakeDisplay()


@pytest.fixture
def controls(display: FakeDisplay, clock: VirtualClock, tmp_path: Path) -> Controls:
    return Controls(display, clock, tmp_path)


def tap(controls: Controls, code: int, modifiers: int = 0) -> bool:
    down = controls.takes(Key(code, DOWN, modifiers))
    assert controls.takes(Key(code, REPEAT, modifiers)) == down
    assert controls.takes(Key(code, UP)) == down
    return down


def test_other_keys_are_the_programs(controls: Controls) -> None:
    assert not tap(controls, ord("q"))
    assert not tap(controls, KEYS["f2"])
    assert not tap(controls, F12, SHIFT)
    assert not controls.left


def test_leaving(controls: Controls) -> None:
    assert tap(controls, ord("q"), CTRL)
    assert controls.left


def test_f1_shows_the_keys_and_hides_them(controls: Controls, display: FakeDisplay) -> None:
    picture = noise(200, 320)
    controls.present(picture)
    assert tap(controls, F1)
    controls.present(None)
    shown = display.shown[-1]
    card = overlay.panel(HELP)
    top, left = (200 - card.shape[0]) // 2, (320 - card.shape[1]) // 2
    assert np.array_equal(shown[top : top + card.shape[0], left : left + card.shape[1]], card)
    outside = shown.copy()
    outside[top : top + card.shape[0], left : left + card.shape[1]] = picture[
        top : top + card.shape[0], left : left + card.shape[1]
    ]
    assert np.array_equal(outside, picture)
    tap(controls, F1)
    controls.present(None)
    assert np.array_equal(display.shown[-1], picture)


def test_on_a_small_screen_help_enlarges_the_picture_and_the_pointer_follows(
    controls: Controls, display: FakeDisplay
) -> None:
    picture = noise(32, 32)
    controls.present(picture)
    assert controls.placed(Pointer(31, 31)) == Pointer(31, 31)
    tap(controls, F1)
    controls.present(None)
    rows, cols = overlay.panel(HELP).shape[:2]
    times = -(-max(rows, cols) // 32)
    assert display.shown[-1].shape == (32 * times, 32 * times, 4)
    assert np.array_equal(display.shown[-1][0, ::times], picture[0])
    assert controls.placed(Pointer(32 * times - 1, times, 5)) == Pointer(31, 1, 5)


def test_full_screen(controls: Controls, display: FakeDisplay) -> None:
    controls.present(noise(200, 320))
    tap(controls, F11)
    assert display.fullscreen == 1
    display.problem = "cannot be"
    tap(controls, F11)
    controls.present(None)
    assert len(display.shown) == 2
    assert not np.array_equal(display.shown[0], display.shown[1])


def test_screenshots_have_the_date_and_never_replace_each_other(
    controls: Controls, tmp_path: Path
) -> None:
    tap(controls, F12)
    assert not list(tmp_path.iterdir())
    picture = noise(50, 60)
    picture[..., 3] = 9
    controls.present(picture)
    for _ in range(3):
        tap(controls, F12)
    names = sorted(path.name for path in tmp_path.iterdir())
    stem = "pxos-20310203-040506"
    assert names == [f"{stem}-2.png", f"{stem}-3.png", f"{stem}.png"]
    picture[..., 3] = 255
    assert np.array_equal(png.decode((tmp_path / f"{stem}.png").read_bytes()), picture)


def test_notices_go_away_by_themselves(
    controls: Controls, display: FakeDisplay, clock: VirtualClock
) -> None:
    picture = noise(100, 300)
    controls.present(picture)
    tap(controls, F12)
    controls.present(None)
    assert not np.array_equal(display.shown[-1], picture)
    clock.advance(2600)
    controls.present(None)
    assert np.array_equal(display.shown[-1], picture)
    controls.present(None)
    assert len(display.shown) == 3


def test_a_screenshot_that_cannot_be_written_is_told(
    display: FakeDisplay, clock: VirtualClock, tmp_path: Path
) -> None:
    controls = Controls(display, clock, tmp_path / "none")
    controls.present(noise(100, 300))
    tap(controls, F12)
    controls.present(None)
    told = overlay.panel(["cannot write pxos-20310203-040506.png: No such file or directory"])
    assert display.shown[-1].shape[1] >= told.shape[1]


def test_a_recording_is_a_gif_of_what_was_shown(
    controls: Controls, display: FakeDisplay, clock: VirtualClock, tmp_path: Path
) -> None:
    colours = [(200, 10, 20, 255), (10, 200, 20, 255), (10, 20, 200, 255)]
    controls.present(np.full((40, 230, 4), colours[0], np.uint8))
    tap(controls, F9)
    for colour in colours:
        controls.present(np.full((40, 230, 4), colour, np.uint8))
        clock.advance(500)
        controls.present(None)
    tap(controls, F9)
    controls.finish()
    (path,) = tmp_path.iterdir()
    assert path.name == "pxos-20310203-040507.gif"
    gif = Image.open(io.BytesIO(path.read_bytes()))
    assert gif.n_frames == 3
    for number, colour in enumerate(colours):
        gif.seek(number)
        assert gif.convert("RGB").getpixel((3, 3)) == colour[:3]
        assert gif.info["duration"] == 500
    assert gif.info["loop"] == 0


def test_leaving_ends_a_recording(controls: Controls, clock: VirtualClock, tmp_path: Path) -> None:
    tap(controls, F9)
    controls.present(noise(40, 230))
    controls.finish()
    assert len(list(tmp_path.iterdir())) == 1
    assert not [thread for thread in threading.enumerate() if thread.name == "pxos-gif"]


# ---- the recorder, the wheel ---------------------------------------------------------------------


def test_frames_that_come_too_soon_or_change_nothing_are_passed_over() -> None:
    recorder = Recorder()
    pictures = [noise(8, 8, seed) for seed in range(4)]
    recorder.add(pictures[0], 0)
    recorder.add(pictures[1], 20)
    recorder.add(pictures[0], 50)
    recorder.add(noise(9, 9), 90)
    recorder.add(pictures[2], 100)
    gif = Image.open(io.BytesIO(recorder.gif(200)))
    assert gif.n_frames == 2
    assert [gif.info["duration"], (gif.seek(1), gif.info["duration"])[1]] == [100, 100]
    assert np.array_equal(np.asarray(gif.convert("RGB")), pictures[2][..., :3])


def test_a_recording_has_an_end() -> None:
    recorder = Recorder()
    for n in range(MAX_FRAMES + 5):
        recorder.add(np.full((1, 1, 4), n % 256, np.uint8), n * 50)
    assert recorder.full
    assert Image.open(io.BytesIO(recorder.gif(10**6))).n_frames == MAX_FRAMES
    assert Recorder().gif(5) == b""


def test_fine_wheel_movements_add_up() -> None:
    wheel = WheelSteps()
    assert [wheel.add(0.4) for _ in range(5)] == [0, 0, 1, 0, 1]
    assert wheel.add(-1.0) == -1
    assert wheel.add(2.0) == 2
