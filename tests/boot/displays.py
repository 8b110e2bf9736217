"""A display for tests: shows nothing, and says what it was told."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from pxos.boot.events import Event


class FakeDisplay:
    """``script``: events by the number of the call of ``events``."""

    def __init__(self, script: dict[int, list[Event]] | None = None) -> None:
        self.script = script or {}
        self.calls = 0
        self.shown: list[np.ndarray] = []
        self.fullscreen = 0
        self.problem = ""

    def events(self) -> Sequence[Event]:
        self.calls += 1
        return self.script.get(self.calls, [])

    def show(self, picture: np.ndarray) -> None:
        self.shown.append(picture)

    def toggle_fullscreen(self) -> str:
        self.fullscreen += 1
        return self.problem

    def close(self) -> None:
        raise AssertionError("whoever opened a display closes it")
