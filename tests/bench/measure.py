"""Measuring: medians of several runs, a peer in the same run, the machine's name."""

from __future__ import annotations

import os
import platform
import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Figure:
    """One line of the report: seconds of ours and of the peer (medians), and their ratio.

    ``ratio``: the median of the ratios of runs that took turns, where they did; 0: of the medians.
    """

    what: str
    ours_s: float
    peer: str = ""
    peer_s: float = 0.0
    note: str = ""
    ratio: float = 0.0

    def line(self) -> str:
        """The figure as a row of a Markdown table."""
        times = self.ratio or (self.ours_s / self.peer_s if self.peer_s else 0.0)
        ratio = f"{times:.2f}x" if times else ""
        peer = f"{self.peer} {duration(self.peer_s)}" if self.peer_s else self.peer
        cells = (self.what, duration(self.ours_s), peer, ratio, self.note)
        return f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in cells)} |"


def duration(seconds: float) -> str:
    """Seconds in the unit that reads best."""
    for unit, scale in (("s", 1.0), ("ms", 1e-3), ("µs", 1e-6)):
        if seconds >= scale:
            return f"{seconds / scale:.3g} {unit}"
    return f"{seconds / 1e-9:.3g} ns"


def median_s(work: Callable[[], object], runs: int = 5, *, warm: bool = True) -> float:
    """Median wall seconds of ``runs`` calls, after one that is not counted."""
    if warm:
        work()
    taken = []
    for _ in range(runs):
        start = time.perf_counter()
        work()
        taken.append(time.perf_counter() - start)
    return statistics.median(taken)


def alternating_s(
    ours: Callable[[], object], peer: Callable[[], object], runs: int = 5
) -> tuple[float, float, float]:
    """Medians of two works that take turns, and of their ratios, so that load hits both alike."""
    ours(), peer()
    pairs = [(median_s(ours, 1, warm=False), median_s(peer, 1, warm=False)) for _ in range(runs)]
    return (
        statistics.median(a for a, _ in pairs),
        statistics.median(b for _, b in pairs),
        statistics.median(a / b for a, b in pairs),
    )


def machine_name() -> str:
    """Processor, cores, operating system and Python, for the head of a report."""
    model = platform.processor() or platform.machine()
    info = Path("/proc/cpuinfo")
    if info.exists():
        names = [line for line in info.read_text().splitlines() if line.startswith("model name")]
        model = names[0].partition(":")[2].strip() if names else model
    return (
        f"{model}, {os.cpu_count()} cores, {platform.system()} {platform.release()}, "
        f"Python {platform.python_version()}"
    )
