"""How far a training run is, on standard error: one line that rewrites itself on a terminal, a line
now and then elsewhere."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Callable

from .standard import say

#: Seconds between two lines: on a terminal, elsewhere.
_TERMINAL, _ELSEWHERE = 0.5, 10.0


class Progress:
    """Shows steps, losses, speed and what is left.

    ``total``: steps of the run.  ``unit``: what is counted a second, such as "tokens".  ``clock``:
    seconds from anywhere.  ``terminal``: whether the line rewrites itself (None: as standard error
    is).
    """

    def __init__(
        self,
        total: int,
        unit: str,
        clock: Callable[[], float],
        *,
        first: int = 0,
        terminal: bool | None = None,
    ) -> None:
        """``first``: steps that were done before."""
        self._total, self._unit, self._clock = total, unit, clock
        self._terminal = sys.stderr.isatty() if terminal is None else terminal
        self._shown = self._begun = clock()
        self._first = first
        self._seen = 0
        self._line = ""
        self._loss: float | None = None
        self._validation: float | None = None

    def step(self, examples: int) -> bool:
        """Count a step of so many examples; whether it is time to :meth:`show`."""
        self._seen += examples
        waiting = _TERMINAL if self._terminal else _ELSEWHERE
        return self._clock() - self._shown >= waiting

    def show(self, step: int, loss: float | None, validation: float | None, *, note: str) -> None:
        """Show the state after a step; a loss of None is the last that was known.

        ``note``: what kind of step it is, such as "training".
        """
        self._shown = self._clock()
        self._loss = self._loss if loss is None else loss
        self._validation = self._validation if validation is None else validation
        spent = self._shown - self._begun
        done = step - self._first
        parts = [f"{note} {step}/{self._total}"]
        if self._loss is not None:
            parts.append(f"loss {self._loss:.4f}")
        if self._validation is not None:
            parts.append(f"validation {self._validation:.4f}")
        if spent > 0 and done > 0:
            parts.append(f"{self._seen / spent:,.0f} {self._unit}/s")
            parts.append(f"{span(spent / done * (self._total - step))} left")
        self._put(", ".join(parts))

    def tell(self, text: str) -> None:
        """A line of its own, which stays."""
        self.clear()
        say(text)

    def clear(self) -> None:
        """Take the line that rewrites itself away."""
        if self._line:
            say("\r\x1b[K", end="")
            self._line = ""

    def _put(self, line: str) -> None:
        if not self._terminal:
            say(line)
            return
        room = max(shutil.get_terminal_size().columns - 1, 20)
        self._line = line[:room]
        say("\r" + self._line + "\x1b[K", end="")


def span(seconds: float) -> str:
    """A time to wait, in two units at most: 42 s, 3 min 5 s, 2 h 10 min."""
    whole = max(0, round(seconds))
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60} s"
    return f"{whole // 3600} h {whole % 3600 // 60} min"
