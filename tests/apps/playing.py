"""Running the shipped programs without a screen, a clock or chance: the same run every time."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np

from pxos.boot.events import Event, Key, Pointer
from pxos.boot.headless import play_headless
from pxos.fs.folders import FolderStore
from pxos.kernel.arguments import parse_args
from pxos.kernel.clock import Moment, VirtualClock
from pxos.kernel.grants import Folder, Grants
from pxos.kernel.kernel import Kernel
from pxos.kernel.machine import program as program_file
from pxos.kernel.machine.memory import Memory
from pxos.kernel.machine.program import Program
from pxos.kernel.pipes import IterSource, ListSink, TextSource
from pxos.kernel.placement import CPU, GPU, Backends
from pxos.kernel.process import Process
from pxos.shell.line_service import LineServices
from pxos.shell.session import Session
from pxos.shell.traits import UNSEEN, is_lively

from ..shell.fakes import FakeHost

APPS = Path(__file__).resolve().parents[2] / "apps"
NAMES = sorted(path.stem for path in APPS.glob("*/*.pxa") if path.stem == path.parent.name)

#: When every run takes place: ten past ten, on which clocks look best.
MOMENT: Moment = (2001, 2, 3, 10, 9, 36, 0)

#: Timed events of a run: frame number, event.
Events = Sequence[tuple[int, Event]]

_UP, _DOWN = 0, 1


@cache
def built(name: str) -> Program:
    """A program as it is shipped."""
    return program_file.load((APPS / name / f"{name}.png").read_bytes())


def matrix(memory: Memory, entry: int) -> np.ndarray:
    """A matrix of a program that is no view: int32 (rows, cols) for I and X (raw), uint8 for T,
    uint8 (rows, cols, 4) for P."""
    header = memory.header(entry)
    assert header.kind in "IXTP", header
    shape = header.rows, header.cols
    start = memory.data_addr(header.row)
    if header.kind == "T":
        stride = -(-header.cols // 4)
        data = memory.words[start : start + header.rows * stride].view(np.uint8)
        return data.reshape(header.rows, stride * 4)[:, : header.cols].copy()
    words = memory.words[start : start + header.rows * header.cols].copy()
    if header.kind == "P":
        return words.view(np.uint8).reshape(*shape, 4)
    return words.view(np.int32).reshape(shape)


def tap(frame: int, *keys: int | str, modifiers: int = 0) -> list[tuple[int, Event]]:
    """Keys pressed and let go in one frame; a string is each of its characters."""
    codes = [code for key in keys for code in ([key] if isinstance(key, int) else map(ord, key))]
    return [(frame, Key(code, state, modifiers)) for code in codes for state in (_DOWN, _UP)]


def hold(first: int, last: int, code: int) -> list[tuple[int, Event]]:
    """A key held from one frame to another."""
    return [(first, Key(code, _DOWN)), (last, Key(code, _UP))]


def stroke(frame: int, *points: tuple[int, int], button: int = 1) -> list[tuple[int, Event]]:
    """The pointer pressed at the first (row, column), drawn through the others, a frame each, and
    let go there."""
    moves = [(frame + i, Pointer(*at, button)) for i, at in enumerate(points)]
    return [*moves, (frame + len(points), Pointer(*points[-1], 0))]


def click(frame: int, row: int, col: int, button: int = 1) -> list[tuple[int, Event]]:
    """A click at a pixel."""
    return stroke(frame, (row, col), button=button)


@dataclass(frozen=True)
class Run:
    """What came of a run."""

    process: Process
    kernel: Kernel
    pictures: list[np.ndarray]
    said: list[bytes]

    @property
    def text(self) -> bytes:
        """All the text that it wrote."""
        return b"".join(self.said)

    @property
    def screen(self) -> np.ndarray:
        """What it showed last, uint8 (rows, cols, 4)."""
        return self.process.surface.picture

    @property
    def picture(self) -> np.ndarray:
        """The only picture that it wrote."""
        assert len(self.pictures) == 1, f"{len(self.pictures)} pictures"
        return self.pictures[0]

    def value(self, name: str) -> np.ndarray:
        """A matrix of the program by name, as raw numbers (rows, cols); a picture has a third
        axis."""
        if not self.process.ended:
            self.kernel.settle(self.process.pid)
        memory = self.process.memory
        assert memory is not None
        return matrix(memory, self.process.meta.names.index(name))

    def point(self, row: int, col: int, buttons: int = 0) -> None:
        """Move the pointer, for pilots."""
        self.process.pointer.push(row, col, buttons)

    def press(self, code: int | str) -> None:
        """Press a key and let it go, for pilots."""
        number = ord(code) if isinstance(code, str) else code
        self.process.keys.push(number, _DOWN)
        self.process.keys.push(number, _UP)

    def number(self, name: str) -> int:
        """The first number of a matrix."""
        return int(self.value(name).flat[0])


#: Looks at a run before every frame, and may push keys and the pointer.
Pilot = Callable[[Run], None]


def play(
    name: str,
    words: Iterable[str] = (),
    inputs: Sequence[Iterable[np.ndarray]] = (),
    *,
    frames: int = 0,
    events: Events = (),
    text: bytes | Sequence[bytes] | None = None,
    seed: int = 1,
    size: tuple[int, int] | None = None,
    allow: Sequence[str] = (),
    folder: Folder | None = None,
    pilot: Pilot = lambda run: None,
    program: Program | None = None,
    backends: Backends | None = None,
) -> Run:
    """Run a shipped program for so many frames, or (0) to its end.

    ``inputs``: the pictures of each picture input.  ``text``: its text input, one piece or
    several.  ``events``: in any order.  ``allow``: ports beyond the harmless ones; programs that
    it starts get them as well.  ``pilot`` is called before every frame.  ``program``: another than
    is shipped.  ``backends``: with a GPU, on which all programs run then; None: on the CPU.  Fails
    if it faults, or has not ended without frames.
    """
    clock = VirtualClock(MOMENT)
    store = FolderStore([APPS])
    on = CPU if backends is None else GPU
    kernel = Kernel(store, clock=clock, seed=seed, backends=backends, on=on)
    program = built(name) if program is None else program
    pictures: ListSink[np.ndarray] = ListSink()
    said: ListSink[bytes] = ListSink()
    pieces = [text] if isinstance(text, bytes) else text
    with tempfile.TemporaryDirectory(prefix="pxos-") as home:
        lines = kernel.line_service = LineServices(_sessions(kernel, store, Path(home)))
        process = kernel.spawn(
            program,
            name,
            args=parse_args(program.meta, list(words), name),
            grants=Grants.of(program.meta, allow, folder=folder, child_ports=allow),
            inputs=[IterSource(iter(given)) for given in inputs],
            output=pictures,
            text_in=None if pieces is None else IterSource(pieces),
            text_out=said,
            surface=size,
            seed=seed,
        )
        run = Run(process, kernel, pictures.messages, said.messages)

        def each_frame() -> None:
            lines.poll()
            pilot(run)

        if frames:
            play_headless(
                kernel,
                clock,
                process,
                frames=frames,
                each_frame=each_frame,
                events=sorted(events, key=lambda event: event[0]),
            )
        else:
            assert size == UNSEEN or not is_lively(program.meta), (
                f"{name} goes on until stopped: give it frames"
            )
            while kernel.run(1.0):
                pass
            assert process.ended, f"{name} waits at {process.waiting_for}"
        ended = process.exit
        kernel.close()
    assert ended is None or ended.kind == "halted", "\n".join(process.card or [str(ended)])
    return run


def _sessions(kernel: Kernel, store: FolderStore, home: Path) -> Callable[..., Session]:
    """Makes what answers port l: the command language in an empty folder."""

    def make(out: Callable[[str], None], typed: Callable[[], TextSource]) -> Session:
        return Session(kernel, store, FakeHost(home), cwd=home, out=out, typed=typed)

    return make
