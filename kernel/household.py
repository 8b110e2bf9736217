"""The kernel as port x shows it to one process: programs to start, and its own children."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from .arguments import parse_args
from .devices.screen import bounded_size

if TYPE_CHECKING:
    from .kernel import Kernel
    from .process import Process

#: Columns of the table of children.
TABLE_COLUMNS = (
    "pid",
    "app number",
    "state",
    "rows",
    "columns",
    "serial",
    "exit status",
    "screen program",
)


class Home:
    """Implements ``devices.processes.Household`` for the process ``parent``."""

    def __init__(self, kernel: Kernel, parent: Process) -> None:
        self._kernel = kernel
        self._parent = parent

    def app_names(self) -> Sequence[str]:
        """Names of the programs in the store."""
        return self._kernel.catalogue.names()

    def app_title(self, number: int) -> str:
        """Title of a program."""
        return self._kernel.catalogue.title(self.app_names()[number])

    def app_summary(self, number: int) -> str:
        """Summary of a program."""
        return self._kernel.catalogue.meta(self.app_names()[number]).summary

    def app_needs(self, number: int) -> tuple[bool, bool, int]:
        """Whether a program asks for a screen, for port x, and how many required arguments.

        One that cannot be read counts as one with a screen: there its card is seen.
        """
        meta = self._kernel.catalogue.meta(self.app_names()[number])
        required = sum(arg.default is None and arg.kind != "flag" for arg in meta.args)
        return "screen" in meta.ports or not meta.ports, "processes" in meta.ports, required

    def app_icon(self, number: int) -> np.ndarray:
        """Icon of a program."""
        return self._kernel.catalogue.icon(self.app_names()[number])

    def start(self, number: int, arguments: bytes) -> None:
        """Start a program with the ports it asks for, as far as its parent may pass them on.

        What cannot be started becomes a child that has ended, with the reason on its card;
        a parent with as many children as it may have starts nothing.
        """
        import shlex

        kernel, parent = self._kernel, self._parent
        names = self.app_names()
        if not 0 <= number < len(names) or len(parent.children) >= parent.grants.max_children:
            return
        name = names[number]
        try:
            program = kernel.catalogue.program(name)
            words = shlex.split(arguments.rstrip(b"\0").decode("utf-8", "replace"))
            child = kernel.spawn(
                program,
                name,
                args=parse_args(program.meta, words, name),
                parent=parent.pid,
                grants=parent.grants.for_child(program.meta),
                priority=parent.priority,
            )
        except KeyError:
            child = kernel.stillborn(name, "it is no longer in the store", parent)
        except (ValueError, OSError) as error:
            # Unreadable or damaged, unknown arguments, limits: all of them say what is wrong.
            child = kernel.stillborn(name, str(error), parent)
        child.app_number = number

    def table(self) -> np.ndarray:
        """The children, int32 (n, 8), by pid; TABLE_COLUMNS names the columns."""
        rows = [
            (
                child.pid,
                child.app_number,
                ord(child.state.letter),
                child.surface.rows,
                child.surface.cols,
                child.surface.serial & 0x7FFFFFFF,
                -1 if child.exit is None else child.exit.status,
                int(child.is_screen_program),
            )
            for child in self._parent.children.values()
        ]
        return np.array(rows, np.int32).reshape(-1, len(TABLE_COLUMNS))

    def title(self, pid: int) -> str:
        """Title of a child, "" if there is none."""
        child = self._child(pid)
        return "" if child is None else child.title

    def picture(self, pid: int) -> np.ndarray:
        """What a child shows, (0, 0, 4) before it has shown anything."""
        child = self._child(pid)
        return np.zeros((0, 0, 4), np.uint8) if child is None else child.surface.picture

    def card(self, pid: int) -> list[str]:
        """The error card of a child that failed."""
        child = self._child(pid)
        return [] if child is None else child.card

    def used(self, pid: int) -> tuple[int, int, int, int]:
        """Fuel, milliseconds, bytes, instructions of a child; zeros if there is none."""
        child = self._child(pid)
        if child is None:
            return 0, 0, 0, 0
        used = child.accounting
        return used.fuel, int(used.seconds * 1000), used.memory_bytes, used.instructions

    def kill(self, pid: int) -> None:
        """End a child."""
        if self._child(pid) is not None:
            self._kernel.kill(pid, f"ended by {self._parent.title}")

    def reap(self, pid: int) -> None:
        """Forget an ended child; one that runs is left alone."""
        child = self._child(pid)
        if child is not None and child.ended:
            self._kernel.reap(pid)

    def send(self, pid: int, pointer: bool, events: np.ndarray) -> None:
        """Pass key or pointer events on."""
        child = self._child(pid)
        if child is not None:
            (child.pointer if pointer else child.keys).push_all(events)

    def resize(self, pid: int, rows: int, cols: int) -> None:
        """Ask a child to draw another size."""
        child = self._child(pid)
        if child is not None:
            child.surface.rows, child.surface.cols = bounded_size(rows, cols)

    def focus(self, pid: int) -> None:
        """Give one child the user's attention; any other pid takes it from all."""
        for child in self._parent.children.values():
            child.focused = child.pid == pid

    def _child(self, pid: int) -> Process | None:
        return self._parent.children.get(pid)
