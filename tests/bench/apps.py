"""The programs with a screen: what a frame of each takes, of the 16.7 ms that there are."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import replace

from ..apps.scenarios import SCENARIOS, Scenario
from .measure import Figure


def figures() -> Iterator[Figure]:
    """A figure for each program that goes on until it is stopped, as its scenario plays it."""
    for name, scenario in sorted(SCENARIOS.items()):
        if scenario.frames:
            frames = min(scenario.frames, 300)
            whole = min(_seconds(name, replace(scenario, frames=frames)) for _ in range(3))
            start = min(_seconds(name, replace(scenario, frames=1)) for _ in range(3))
            yield Figure(
                f"{name}, a frame", max(whole - start, 0.0) / (frames - 1), "60 Hz", 1 / 60
            )


def _seconds(name: str, scenario: Scenario) -> float:
    begin = time.perf_counter()
    scenario.run(name)
    return time.perf_counter() - begin
