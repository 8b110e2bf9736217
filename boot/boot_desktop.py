"""``pxos boot``: starts the desktop, which is a program like any other, and gives it a screen."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from ..kernel.arguments import UsageError, parse_args
from ..kernel.clock import VirtualClock
from ..kernel.grants import Grants
from ..kernel.kernel import Kernel, SpawnError
from ..kernel.machine.program import ProgramError
from ..kernel.pipes import IterSource, TextSource
from ..kernel.placement import AUTO
from ..shell.line_service import LineServices
from ..shell.session import Session
from . import environment, gpu
from .clock import RealClock
from .displays import ScreenOptions, open_display, resolve
from .errors import DONE, INTERRUPTED, BootError
from .host import BootHost, decode_or_none
from .notices import Notices
from .outcome import tell_outcome
from .run_app import find_program, write_screenshot

if TYPE_CHECKING:
    import numpy as np

    from ..fs.folders import FolderStore
    from ..kernel.process import Process

#: What the desktop may use beyond the harmless ports, and what of that it may pass on to the
#: programs that ask for it: the command language, for the terminal.
_DESKTOP_PORTS = ("processes", "line")
_PASSED_ON = ("line",)
#: The program that shows pictures which lines of the terminal give.
_VIEWER = "view"
#: The program that shows why the desktop failed, and the frames it gets at least.
_CARD = "card"
_CARD_FRAMES = 4


@dataclass(slots=True)
class BootOptions:
    """What the command line said.  ``allow``: ports that programs started from the desktop get
    as well, if they ask for them.  ``on``: where they all run."""

    desktop: str = "desktop"
    seed: int | None = None
    allow: list[str] = field(default_factory=list)
    on: str = AUTO
    screen: ScreenOptions = field(default_factory=ScreenOptions)


def main(options: BootOptions) -> int:
    """Boot and run until the desktop ends or the user leaves; returns the exit status.

    Raises BootError.
    """
    screen = options.screen
    screen.check()
    where = resolve(screen)
    clock = VirtualClock() if where == "headless" else RealClock()
    seed = options.seed
    if seed is None:
        seed = 0 if where == "headless" else environment.chance()
    store = environment.app_store()
    places = gpu.backends()
    gpu.require(places, options.on)
    kernel = Kernel(store, clock=clock, seed=seed, backends=places, on=options.on)
    notices = Notices(kernel)
    house = _House(kernel, store)
    kernel.line_service = house.lines
    try:
        desktop = house.start(options)
        if isinstance(clock, VirtualClock):
            picture = _headless(screen, kernel, clock, desktop, house)
        else:
            picture = _on_display(where, screen, kernel, desktop, house, notices)
        status = tell_outcome(desktop) if desktop.ended else DONE
        if screen.screenshot is not None:
            write_screenshot(screen.screenshot, picture, desktop.name)
        return status
    except KeyboardInterrupt:
        return INTERRUPTED
    finally:
        kernel.close()


def _headless(
    screen: ScreenOptions, kernel: Kernel, clock: VirtualClock, desktop: Process, house: _House
) -> np.ndarray:
    """Play the desktop, and the card if it fails, to nobody; returns what was shown last."""
    from .headless import play_headless

    assert screen.frames is not None, "checked by ScreenOptions.check"
    picture = play_headless(
        kernel, clock, desktop, frames=screen.frames, each_frame=house.lines.poll
    )
    card = house.card()
    if card is None:
        return picture
    left = max(_CARD_FRAMES, screen.frames - kernel.frames.number)
    return play_headless(kernel, clock, card, frames=left)


def _on_display(
    where: str,
    screen: ScreenOptions,
    kernel: Kernel,
    desktop: Process,
    house: _House,
    notices: Notices,
) -> np.ndarray:
    """The same in a window or a terminal."""
    from .stage import play

    surface = desktop.surface
    display, where = open_display(where, screen, surface.rows, surface.cols, "pxOS")
    folder, frames = Path.cwd(), screen.frames
    notices.late = where == "terminal"
    try:
        picture = play(
            kernel,
            desktop,
            display,
            folder=folder,
            frames=frames,
            each_frame=house.lines.poll,
            notices=notices,
        )
        card = house.card()
        if card is None:
            return picture
        return play(kernel, card, display, folder=folder, frames=frames)
    finally:
        display.close()
        notices.print()


class _House:
    """The desktop, and the sessions behind its terminals."""

    def __init__(self, kernel: Kernel, store: FolderStore) -> None:
        self._kernel = kernel
        self._store = store
        self._host = BootHost()
        self._desktop: Process | None = None
        self.lines = LineServices(self._session)

    def start(self, options: BootOptions) -> Process:
        """Start the desktop; raises BootError."""
        program, name = find_program(options.desktop, self._store)
        folder = None
        if {"files", "f"} & set(options.allow):
            from ..fs.sandbox import SandboxFolder

            folder = SandboxFolder(Path.cwd(), decode_or_none)
        grants = Grants.of(
            program.meta,
            (*_DESKTOP_PORTS, *options.allow),
            folder=folder,
            child_ports=(*_PASSED_ON, *options.allow),
        )
        try:
            self._desktop = self._kernel.spawn(
                program, name, grants=grants, surface=options.screen.size
            )
        except SpawnError as error:
            raise BootError(str(error), name) from error
        return self._desktop

    def card(self) -> Process | None:
        """A program that shows why the desktop failed; None if it did not, or if there is no
        such program: the card is printed in any case."""
        desktop = self._desktop
        if desktop is None or desktop.exit is None or desktop.exit.kind != "fault":
            return None
        try:
            program = self._kernel.catalogue.program(_CARD)
            return self._kernel.spawn(
                program,
                _CARD,
                args=parse_args(program.meta, ["--", "\n".join(desktop.card)], _CARD),
                grants=Grants.of(program.meta),
                surface=(desktop.surface.rows, desktop.surface.cols),
            )
        except (KeyError, ProgramError, SpawnError, UsageError):
            return None

    def _session(self, out: Callable[[str], None], typed: Callable[[], TextSource]) -> Session:
        """A session for a terminal on the desktop."""
        session = Session(
            self._kernel,
            self._store,
            self._host,
            cwd=Path.cwd(),
            out=out,
            err=lambda text: out(f"\x1b[31m{text}\x1b[0m"),
            present=self._present,
            typed=typed,
        )
        session.show = partial(self._show, session)
        return session

    def _present(self, process: Process) -> None:
        """Make a program that a line started one of the desktop's own, so that it is shown."""
        desktop = self._desktop
        if desktop is None or desktop.ended:
            return
        process.parent = desktop
        desktop.children[process.pid] = process
        desktop.notify_children_changed()

    def _show(self, session: Session, picture: np.ndarray, name: str) -> None:
        """Open a picture that a line gave in the viewer."""
        try:
            program = self._kernel.catalogue.program(_VIEWER)
            source = IterSource([picture])
            viewer = self._kernel.spawn(
                program, _VIEWER, grants=Grants.of(program.meta), inputs=[source]
            )
        except (KeyError, ProgramError, SpawnError) as error:
            session.tell(f"{name}: no viewer ({error}); end the line with > FILE.png to keep it")
            return
        viewer.title = name
        self._present(viewer)
