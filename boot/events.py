"""What comes from a keyboard and a mouse, and what a display is: the same for all of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np


@dataclass(frozen=True, slots=True)
class Key:
    """A key: its code and modifiers as kernel.devices.keycodes lists them; ``state`` UP, DOWN or
    REPEAT."""

    code: int
    state: int
    modifiers: int = 0


@dataclass(frozen=True, slots=True)
class Pointer:
    """The pointer: a pixel of the picture that is shown, and the buttons held, with signed wheel
    steps (up is positive) in bits 8 and up."""

    row: int
    col: int
    buttons: int = 0


@dataclass(frozen=True, slots=True)
class Quit:
    """The user closed the window, or the terminal has gone."""


Event = Key | Pointer | Quit


class Display(Protocol):
    """Where pictures are seen and events come from."""

    def events(self) -> Sequence[Event]:
        """What has come since the last call; never waits."""
        ...

    def show(self, picture: np.ndarray) -> None:
        """Show a picture, uint8 (rows, cols, 4); its alpha is not looked at."""
        ...

    def toggle_fullscreen(self) -> str:
        """Fill the whole screen, or no longer; returns "" or why that cannot be."""
        ...

    def close(self) -> None:
        """Give everything back as it was."""
        ...


class WheelSteps:
    """Turns fine wheel movements into whole steps, keeping what is left over."""

    def __init__(self) -> None:
        self._rest = 0.0

    def add(self, amount: float) -> int:
        """Whole steps to report now."""
        if amount * self._rest < 0:
            self._rest = 0.0
        self._rest += amount
        steps = int(self._rest)
        self._rest -= steps
        return steps
