"""``pxos run``: one program on its own, a filter of pictures or text, or one with a screen."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from ..kernel.arguments import UsageError, describe_arg, option, parse_args, usage
from ..kernel.clock import VirtualClock
from ..kernel.grants import Grants
from ..kernel.kernel import Kernel, SpawnError
from ..kernel.machine import program as program_file
from ..kernel.machine.meta import Meta
from ..kernel.machine.program import DEFAULT_QUOTA_BYTES, Program, ProgramError
from ..kernel.pipes import SourceError
from ..shell.pump import Pump
from ..shell.traits import UNSEEN, answers, is_lively, is_still
from . import environment, gpu
from .clock import RealClock
from .displays import check_screenshot, open_display, resolve
from .errors import DONE, INTERRUPTED, BootError, wrong
from .notices import Notices
from .outcome import tell_outcome
from .run_options import HELP, RunOptions, Words
from .standard import tell
from .streams import InText, OutText, PictureFiles, ShownPictures, picture_source, why

if TYPE_CHECKING:
    import numpy as np

    from ..fs.folders import FolderStore
    from ..kernel.process import Process

#: The ending of a program's source.
SOURCE_SUFFIX = ".pxa"
#: Bytes of the largest program file that is read.
_MAX_FILE = 1 << 30


def main(words: Sequence[str]) -> int:
    """Run what the words behind ``pxos run`` say; returns the exit status.

    Raises BootError.
    """
    reading = Words(list(words))
    options = reading.until_app()
    if not options.app:
        if options.help:
            tell(HELP)
            return DONE
        raise wrong("no program was named", "pxos run --help tells more")
    store = environment.app_store()
    program, name = find_program(options.app, store)
    reading.rest(program.meta)
    if options.help:
        tell(about(program.meta, name))
        return DONE
    return _Run(options, program, name, store).go()


def find_program(named: str, store: FolderStore) -> tuple[Program, str]:
    """A program by file or by name, and what to call it; raises BootError.

    A file that ends in ``.pxa`` is a source and assembled.
    """
    path = Path(named)
    try:
        if path.suffix.lower() == SOURCE_SUFFIX:
            from .tools import assemble_file

            return program_file.load(assemble_file(path)), path.stem
        if path.suffix.lower() == ".png" or os.sep in named or path.is_file():
            with path.open("rb") as file:
                data = file.read(_MAX_FILE + 1)
            if len(data) > _MAX_FILE:
                raise BootError("that is too large for a program", named)
            name = path.stem
        else:
            data, name = store.read(named), named
        return program_file.load(data), name
    except KeyError:
        from ..shell.apps import nearest

        known = store.names()
        near = nearest(named, known)
        others = f", or {', '.join(known)}" if known else ""
        advice = f"did you mean {near}?" if near else f"give a .png file{others}"
        raise wrong(f"there is no program {named!r}", advice) from None
    except FileNotFoundError:
        raise BootError(
            "there is no such program file", named, "give a file that exists, or an app's name"
        ) from None
    except OSError as error:
        raise BootError(f"the program cannot be read, {why(error)}", named) from error
    except ProgramError as error:
        raise BootError(error.what, named, error.advice) from error


def about(meta: Meta, name: str) -> str:
    """What ``pxos run APP --help`` prints."""
    lines = [
        f"usage: pxos run {usage(meta, name)}"
        + " -i PICTURE" * len(meta.inputs)
        + (" -o PICTURE" if "picture" in meta.ports else "")
    ]
    if meta.summary:
        lines += ["", f"{meta.title or name}: {meta.summary}"]
    if meta.args:
        lines.append("")
        rows = [(option(arg), describe_arg(arg), arg.help) for arg in meta.args]
        widths = [max(len(row[place]) for row in rows) for place in (0, 1)]
        for name_, kind, help_ in rows:
            lines.append(f"  {name_:{widths[0]}}  {kind:{widths[1]}}  {help_}".rstrip())
    if meta.inputs:
        lines += ["", "pictures: " + ", ".join(meta.inputs)]
    if meta.help.strip():
        lines += ["", meta.help.strip()]
    credit = " · ".join(part for part in (meta.author, meta.licence) if part)
    if credit:
        lines += ["", credit]
    return "\n".join(lines) + "\n"


class _Run:
    """One program, from its options to its exit status."""

    def __init__(
        self, options: RunOptions, program: Program, name: str, store: FolderStore
    ) -> None:
        self._options = options
        self._program = program
        self._meta = program.meta
        self._name = name
        self._store = store
        self._writes = "picture" in self._meta.ports
        self._outputs: PictureFiles | ShownPictures | None = None
        self._typed: InText | None = None
        self._told: OutText | None = None
        if {"line", "l"} & set(options.allow):
            raise wrong(
                "the command language is behind a desktop only",
                f"pxos boot --desktop {options.app}",
                "--allow line",
            )
        screen = options.screen
        screen.check()
        forced = bool(screen.where or screen.frames)
        self._lively = self._still = self._lingers = False
        self._unseen = answers(self._meta) and not forced and not self._wants_screen()
        if "screen" in self._meta.ports:
            self._lingers = not is_lively(self._meta)
            self._lively = not (self._lingers or self._unseen) or (forced and not options.outputs)
            self._still = is_still(self._meta) and not self._lively

    def go(self) -> int:
        """Run it."""
        where = self._where()
        clock = VirtualClock() if where == "headless" else RealClock()
        options = self._options
        seed = options.seed
        if seed is None:
            screen = "screen" in self._meta.ports and where != "headless"
            seed = environment.chance() if screen else 0
        places = gpu.backends()
        gpu.require(places, options.on)
        kernel = Kernel(self._store, clock=clock, seed=seed, backends=places, on=options.on)
        notices = Notices(kernel)
        try:
            process = self._spawn(kernel, where)
            if isinstance(clock, VirtualClock):
                return self._headless(kernel, clock, process)
            if where:
                return self._on_display(kernel, process, where, notices)
            return self._alone(kernel, process)
        except KeyboardInterrupt:
            return INTERRUPTED
        finally:
            if self._outputs is not None:
                self._outputs.abandon()
            kernel.close()

    def _wants_screen(self) -> bool:
        """Whether a program that needs no screen is to have one all the same.

        It is while it lacks the pictures that it asks for.  If it asks for none, it is where
        somebody can look at a window while the text comes in the terminal, or has told it nothing
        and has only the terminal.
        """
        options = self._options
        if self._meta.inputs:
            return len(options.inputs) < len(self._meta.inputs)
        if options.outputs or not sys.stdout.isatty():
            return False
        alone = not options.words and environment.has_terminal()
        return environment.has_display() or alone

    def _where(self) -> str:
        """Where its screen is; "" if it needs none."""
        if self._lively:
            if self._options.outputs and not self._writes:
                raise wrong(
                    "its screen goes on until it is stopped, so there is no last picture",
                    "use --headless --frames N --screenshot FILE",
                    "-o",
                )
            return resolve(self._options.screen)
        if self._options.screen.screenshot is not None:
            raise wrong(f"{self._name} has no screen", "use -o for its pictures", "--screenshot")
        return ""

    # ---- starting -------------------------------------------------------------------------

    def _spawn(self, kernel: Kernel, where: str) -> Process:
        options, meta = self._options, self._meta
        try:
            args = parse_args(meta, options.words, self._name)
        except UsageError as error:
            raise wrong(error.what, f"usage: pxos run {error.usage}") from error
        self._outputs = self._open_outputs()
        if "text" in meta.ports:
            self._typed, self._told = InText(kernel.post), OutText()
        try:
            return kernel.spawn(
                self._program,
                self._name,
                args=args,
                grants=self._grants(),
                inputs=[picture_source(names) for names in self._inputs()],
                output=self._outputs if self._writes else None,
                text_in=self._typed,
                text_out=self._told,
                quota_bytes=options.memory or DEFAULT_QUOTA_BYTES,
                fuel=options.fuel,
                seed=options.seed,
                surface=UNSEEN if self._unseen else options.screen.size,
            )
        except SpawnError as error:
            raise BootError(str(error), self._name) from error

    def _leave_terminal(self) -> None:
        """Its screen has both keyboard and output there: nothing is read, text waits for the end.

        To be called before the program runs.
        """
        if self._typed is not None and self._told is not None:
            self._typed.close()
            self._told.late = True

    def _grants(self) -> Grants:
        allow = self._options.allow
        folder = None
        if "files" in allow or "f" in allow:
            from ..fs.sandbox import SandboxFolder
            from .host import decode_or_none

            folder = SandboxFolder(Path.cwd(), decode_or_none)
        return Grants.of(self._meta, allow, folder=folder)

    def _inputs(self) -> list[list[str]]:
        """Names of the files of each picture input; what is too many follows in the last."""
        given, wanted = self._options.inputs, self._meta.inputs
        if not self._writes or not wanted:
            if given:
                raise wrong(f"{self._name} reads no pictures", where=f"-i {given[0]}")
            return []
        if len(given) < len(wanted) and not self._lively:
            missing = ", ".join(wanted[len(given) :])
            raise wrong(f"{self._name} needs a picture more ({missing})", "give each with -i")
        if given.count("-") + ("text" in self._meta.ports and "-" in given) > 1:
            raise wrong("standard input can be only one thing", where="-i -")
        for name in given:
            if name != "-" and not Path(name).exists():
                raise BootError("there is no such picture", name)
        # A program with a screen may begin without pictures: it says so, or makes its own.
        last = len(wanted) - 1
        return [[name] for name in given[:last]] + ([given[last:]] if given[last:] else [])

    def _open_outputs(self) -> PictureFiles | ShownPictures | None:
        names = self._options.outputs
        if names and not (self._writes or self._still):
            raise wrong(f"{self._name} gives no pictures", where=f"-o {names[0]}")
        if names:
            return PictureFiles(names)
        if self._writes or self._still:
            return ShownPictures(text="text" in self._meta.ports, still=self._still)
        return None

    # ---- running --------------------------------------------------------------------------

    def _alone(self, kernel: Kernel, process: Process) -> int:
        """Run a program without a screen to its end."""
        pump = Pump(kernel)
        while not process.ended:
            pump()
        status = tell_outcome(process)
        if self._still and self._outputs is not None and process.surface.picture.size:
            try:
                self._outputs.write(process.surface.picture)
            except SourceError as error:
                raise BootError(str(error)) from error
        return self._commit(status)

    def _commit(self, status: int) -> int:
        """Keep what a program wrote, if it ended well."""
        if self._outputs is not None and status == DONE:
            self._outputs.commit()
        return status

    def _on_display(self, kernel: Kernel, process: Process, where: str, notices: Notices) -> int:
        from .stage import play

        screen = self._options.screen
        display, where = open_display(
            where, screen, process.surface.rows, process.surface.cols, process.title
        )
        if where == "terminal":  # maybe in place of a window that could not be opened
            self._leave_terminal()
            notices.late = True
        try:
            picture = play(
                kernel,
                process,
                display,
                folder=Path.cwd(),
                frames=screen.frames,
                linger=self._lingers,
                notices=notices,
            )
        finally:
            display.close()
            notices.print()
            if self._told is not None:
                self._told.print()
        return self._shown(process, picture)

    def _headless(self, kernel: Kernel, clock: VirtualClock, process: Process) -> int:
        from .headless import play_headless

        frames = self._options.screen.frames
        assert frames is not None, "checked by ScreenOptions.check"
        return self._shown(process, play_headless(kernel, clock, process, frames=frames))

    def _shown(self, process: Process, picture: np.ndarray) -> int:
        """After the screen: the outcome, and the screenshot."""
        status = tell_outcome(process) if process.ended else DONE
        if self._options.screen.screenshot is not None:
            write_screenshot(self._options.screen.screenshot, picture, process.name)
        # Whoever left a program by closing its window keeps what it had written until then.
        return self._commit(status)


def write_screenshot(path: Path, picture: np.ndarray, name: str) -> None:
    """Write what a screen shows; raises BootError if it shows nothing, or cannot be written."""
    from . import photos
    from .controls import opaque

    if not picture.size:
        raise BootError(f"{name} has shown nothing yet", str(path), "give it more --frames")
    check_screenshot(path)
    try:
        photos.save(path, opaque(picture))
    except OSError as error:
        raise BootError("the screenshot cannot be written", f"{path}: {why(error)}") from error
