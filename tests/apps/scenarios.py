"""The one table of what each program is seen doing: its golden picture is what comes of it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from pxos.boot.events import Pointer
from pxos.kernel.devices.keycodes import KEYS
from pxos.kernel.placement import Backends

from ..pictures import photograph
from .pilots import apple_seeker, bat_keeper
from .playing import Events, Pilot, Run, click, play, stroke, tap

#: A column of pictures for each picture input.
Inputs = tuple[tuple[Callable[[], np.ndarray], ...], ...]


def photo() -> np.ndarray:
    """A small photograph."""
    return photograph(90, 120)


def verse() -> np.ndarray:
    """A picture of text."""
    return play("text", ("To be, or not to be: that\nis the question.\n\nOPHELIA:",)).pictures[0]


def sticker() -> np.ndarray:
    """A picture that is transparent outside a disc and half so in it."""
    y, x = np.mgrid[0:64, 0:64]
    picture = np.zeros((64, 64, 4), np.uint8)
    picture[...] = 236, 143, 208, 0
    picture[(y - 32) ** 2 + (x - 32) ** 2 < 900, 3] = 160
    picture[(y - 32) ** 2 + (x - 32) ** 2 < 300, 3] = 255
    return picture


@dataclass(frozen=True)
class Scenario:
    """A run of a program.  ``frames`` 0: to its end, and its first picture is looked at, or what
    is on its screen if it writes none; else what is on its screen after so many frames."""

    words: tuple[str, ...] = ()
    inputs: Inputs = ()
    frames: int = 0
    events: Events = ()
    text: bytes | None = None
    seed: int = 1
    size: tuple[int, int] | None = None
    allow: tuple[str, ...] = ()
    pilot: Pilot = lambda run: None

    def run(self, name: str, backends: Backends | None = None) -> Run:
        """Run the program of that name so; with ``backends`` on the GPU."""
        return play(
            name,
            self.words,
            [[make() for make in makes] for makes in self.inputs],
            frames=self.frames,
            events=self.events,
            text=self.text,
            seed=self.seed,
            size=self.size,
            allow=self.allow,
            pilot=self.pilot,
            backends=backends,
        )


POEM = """\
A picture's a program, a program's a picture:
four bytes are a pixel, and each has a say.

\tone   ┌─────┐
\ttwo   │ ▓▒░ │  …
\tthree └─────┘  ✓ ♥
Größe, naïveté, señor, “quoted” – 好?
""".encode()

ENTER = KEYS["enter"]
ONE: Inputs = ((photo,),)
SCENARIOS: dict[str, Scenario] = {
    "blend": Scenario(("--mode", "over", "--amount", "1"), ((photo,), (sticker,))),
    "blur": Scenario(("4",), ONE),
    "breakout": Scenario(frames=700, pilot=bat_keeper),
    "card": Scenario(
        (
            "Desktop stopped: division by zero\nAn element was divided by zero.\n"
            "where   desktop.pxa:12, instruction 7\ntry     Test the divisor.",
        ),
        frames=10,
    ),
    "clock": Scenario(frames=30),
    "desktop": Scenario(
        frames=120,
        allow=("processes", "line"),
        events=[
            *tap(10, "c", ENTER),
            *tap(40, KEYS["f3"]),
            *tap(50, "l", ENTER),
            (110, Pointer(180, 500)),
        ],
    ),
    "edges": Scenario((), ONE),
    "flip": Scenario((), ONE),
    "glyphs": Scenario(("--seed", "7"), ((verse,),), frames=60),
    "gray": Scenario((), ONE),
    "hello": Scenario(("pixel",)),
    "histogram": Scenario((), ONE),
    "invert": Scenario((), ONE),
    "life": Scenario(frames=200, seed=4),
    "mandelbrot": Scenario(frames=120, events=click(5, 60, 150) + click(20, 40, 100)),
    "digits": Scenario(
        frames=60,
        events=stroke(3, (70, 60), (60, 130), (110, 160), (150, 110), (200, 90), (235, 80)),
    ),
    "paint": Scenario(
        frames=60,
        events=[
            *tap(2, "r"),
            *stroke(3, (100, 110), (180, 200), (250, 260)),
            *click(8, 173, 8),
            *tap(9, "f"),
            *click(10, 200, 180),
            *click(12, 152, 24),
            *tap(13, "b", "4"),
            *stroke(14, (60, 120), (40, 200), (90, 330)),
            *tap(20, "l"),
            *click(22, 152, 8),
            *stroke(24, (280, 420), (120, 300)),
            *click(28, 173, 40),
            *tap(30, "e", "3"),
            *stroke(31, (80, 90), (60, 400)),
            *tap(35, "b"),
        ],
    ),
    "palette": Scenario((), ONE),
    "rotate": Scenario(("-20",), ONE),
    "scale": Scenario(("--width", "75"), ONE),
    "shakespeare": Scenario(
        ("ROMEO:", "--seed", "7"),
        frames=440,
        events=tap(425, "JULIET:", ENTER) + tap(436, "O brave n"),
    ),
    "snake": Scenario(frames=500, seed=3, pilot=apple_seeker),
    "terminal": Scenario(
        frames=100,
        allow=("line",),
        events=[
            *tap(10, "echo hello, world", ENTER),
            *tap(20, "which blur", ENTER),
            *tap(30, "blurr", ENTER),
            *tap(50, "echo 'not yet"),
        ],
    ),
    "text": Scenario(("--width", "28"), text=POEM),
    "threshold": Scenario(("110",), ONE),
    "view": Scenario(
        (),
        ((photo, sticker),),
        frames=30,
        events=[
            *tap(4, "n"),
            (8, Pointer(150, 260, 1 << 8)),
            *stroke(10, (150, 200), (140, 260)),
        ],
    ),
}
