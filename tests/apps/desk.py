"""A desktop, or any screen program, driven frame by frame, and small programs for its windows."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from pathlib import Path

import numpy as np

from pxos.boot.events import Event, Key, Pointer
from pxos.boot.headless import play_headless
from pxos.kernel.arguments import parse_args
from pxos.kernel.clock import VirtualClock
from pxos.kernel.devices.keycodes import KEYS
from pxos.kernel.grants import Grants
from pxos.kernel.kernel import Kernel
from pxos.kernel.machine import program as program_file
from pxos.kernel.process import Process
from pxos.shell.lenses.assembler import assemble
from pxos.shell.line_service import LineServices
from pxos.shell.session import Session

from ..kernel.programs import DictStore
from ..shell.fakes import FakeHost
from .playing import APPS, MOMENT, built, matrix

#: Columns of the desktop's W, as apps/desktop/windows.pxi lists them.
SLOT, PID, VERB, APP, ROW, COL, ROWS, COLS, SERIAL, CARD = range(10)

#: Shows another colour at every frame, for ever.
MOVER = """
title "Mover"
ports screen frame
size 120x200
pic : P 120x200
n : I
now : I
loop { n += 1
  fill(pic, n * 0x030507 | 0xff000000)
  out(screen, pic)
  now = in(frame) }
"""
#: Shows one picture, and keeps what it is sent; the letter q ends it, the letter f fails.
LISTENER = """
title "Listener"
ports screen frame keys pointer
size 80x100
pic : P 80x100 = fill(#3fb27f)
keys_ : I 0x4
points : I 0x4
got : I 0x4
now : I
out(screen, pic)
loop {
  now = wait(keys, pointer)
  got = in(keys)
  keys_ = below(keys_, got)
  if size(got) { if got[0] == 'q' { halt }
    if got[0] == 'f' { now = 1 / (now - now) } }
  got = in(pointer)
  points = below(points, got)
}
"""
#: Makes a picture of a picture; has no screen.
FILTER = """
title "Filter"
summary "does nothing, gladly"
ports picture
inputs image
pic : P
pic = in(picture)
out(picture, pic)
halt
"""
#: Gives back each piece of text that it reads.
PARROT = """
title "Parrot"
ports text
said : T
loop { said = in(text)
  unless size(said) { halt }
  out(text, said) }
"""


@cache
def made(source: str) -> bytes:
    """The program picture of a source."""
    return program_file.save(assemble(source))


def shipped(name: str) -> bytes:
    """The program picture of a shipped program."""
    return (APPS / name / f"{name}.png").read_bytes()


class Desk:
    """A running program on a virtual clock; its children come from a small store."""

    def __init__(
        self,
        home: Path,
        name: str = "desktop",
        words: Sequence[str] = (),
        size: tuple[int, int] | None = None,
        **apps: bytes,
    ) -> None:
        self.clock = VirtualClock(MOMENT)
        self.store = DictStore(
            mover=made(MOVER),
            listener=made(LISTENER),
            filter=made(FILTER),
            parrot=made(PARROT),
            **apps,
        )
        self.kernel = Kernel(self.store, clock=self.clock, seed=1)
        self.session: Session | None = None

        def session(out, typed) -> Session:
            self.session = Session(
                self.kernel,
                self.store,
                FakeHost(home),
                cwd=home,
                out=out,
                typed=typed,
                err=lambda text: out(f"\x1b[31m{text}\x1b[0m"),
            )
            return self.session

        self.lines = LineServices(session)
        self.kernel.line_service = self.lines
        program = built(name)
        self.process = self.kernel.spawn(
            program,
            name,
            args=parse_args(program.meta, list(words), name),
            surface=size,
            grants=Grants.of(program.meta, "xl", child_ports="l"),
        )

    def play(self, frames: int, *events: Event) -> np.ndarray:
        """Let frames pass; the events come with the first."""
        picture = play_headless(
            self.kernel,
            self.clock,
            self.process,
            frames=frames,
            events=[(1, event) for event in events],
            each_frame=self.lines.poll,
        )
        ended = self.process.exit
        assert ended is None or ended.kind != "fault", "\n".join(self.process.card)
        return picture

    def press(self, key: int | str, modifiers: int = 0, frames: int = 3) -> np.ndarray:
        """Press and release a key, by name, character or code."""
        code = key if isinstance(key, int) else KEYS.get(key, ord(key[0]))
        return self.play(frames, Key(code, 1, modifiers), Key(code, 0, modifiers))

    def type(self, text: str, frames: int = 4) -> np.ndarray:
        """Type characters, all in one frame; a newline for Enter."""
        codes = [KEYS["enter"] if char == "\n" else ord(char) for char in text]
        return self.play(frames, *(Key(code, state) for code in codes for state in (1, 0)))

    def click(self, row: int, col: int) -> np.ndarray:
        """Move the pointer there, press and release its left button."""
        self.play(1, Pointer(row, col))
        self.play(1, Pointer(row, col, 1))
        return self.play(3, Pointer(row, col))

    def start(self, name: str) -> Process:
        """Start an app from the launcher by its letter; the newest child."""
        if not self.number("at_home"):
            self.press("f3")
        letter = name[0]
        while self.title_of(self.number("chosen")) != name.title():
            self.press(letter)
        self.press("enter", frames=6)
        return self.child(max(self.process.children))

    # ---- looking ----------------------------------------------------------------------------

    def value(self, name: str, process: Process | None = None) -> np.ndarray:
        """A matrix of the program, or of another process."""
        process = process or self.process
        assert process.memory is not None
        return matrix(process.memory, process.meta.names.index(name))

    def number(self, name: str) -> int:
        """The first number of a matrix."""
        return int(self.value(name).flat[0])

    def windows(self) -> np.ndarray:
        """The desktop's windows, the one in front last."""
        return self.value("W")[: self.number("count")]

    def title_of(self, place: int) -> str:
        """The title of a place of the launcher."""
        app = self.value("offered")[0, place]
        return self.value("titles")[app].tobytes().rstrip(b"\0").decode()

    def child(self, pid: int) -> Process:
        """A child of the program."""
        return self.process.children[pid]

    @property
    def screen(self) -> np.ndarray:
        """What is shown."""
        return self.process.surface.picture

    def content(self, window: np.ndarray) -> np.ndarray:
        """What the screen shows where a window has its content."""
        return self.screen[
            window[ROW] : window[ROW] + window[ROWS], window[COL] : window[COL] + window[COLS]
        ]
