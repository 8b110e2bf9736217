"""What happens to programs that their user should know: a line on standard error, or on the
screen while that is the display's."""

from __future__ import annotations

from collections.abc import Callable

from ..kernel.kernel import Kernel
from ..kernel.process import Process
from .standard import say


class Notices:
    """Passes on what the kernel tells of its processes.

    ``show``: shows a line on the display that is open; None: there is none.  ``late``: standard
    error is the display's while one is open, so lines are kept for ``print``.
    """

    def __init__(self, kernel: Kernel) -> None:
        self.show: Callable[[str], None] | None = None
        self.late = False
        self._kept: list[str] = []
        kernel.on_notice = self._tell

    def print(self) -> None:
        """Write what was kept to standard error."""
        for line in self._kept:
            say(line)
        self._kept.clear()

    def _tell(self, process: Process, text: str) -> None:
        line = f"{process.name} {text}"
        if self.show is not None:
            self.show(line)
        if self.late:
            self._kept.append(f"pxos: {line}")
        else:
            say(f"pxos: {line}")
