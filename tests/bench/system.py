"""Starting cold, and a desktop with four animated apps."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

from .measure import Figure, alternating_s

ROOT = Path(__file__).resolve().parent.parent.parent
FRAMES = 600
ANIMATED = ("life", "mandelbrot", "snake", "breakout")


def figures() -> Iterator[Figure]:
    """Cold start against importing NumPy and Pillow; processor seconds of a busy desktop."""
    hello = ROOT / "apps" / "hello" / "hello.png"
    pxos = [sys.executable, "-m", "pxos", "run", str(hello)]
    peer = [sys.executable, "-c", "import numpy, PIL.Image"]

    def quietly(command: list[str]) -> None:
        subprocess.run(command, check=True, stdin=subprocess.DEVNULL, capture_output=True)

    ours_s, peer_s = alternating_s(lambda: quietly(pxos), lambda: quietly(peer), 7)
    yield Figure("pxos run hello.png, cold", ours_s, "python -c 'import numpy, PIL.Image'", peer_s)
    busy, drawn = busy_desktop()
    yield Figure(
        f"desktop and {len(ANIMATED)} animated apps, a frame",
        busy / FRAMES,
        "1/60 s",
        1 / 60,
        f"{drawn} pictures shown in {FRAMES} frames",
    )


def busy_desktop() -> tuple[float, int]:
    """Processor seconds that FRAMES frames take with every app of ANIMATED open in a window,
    and how many pictures the desktop showed meanwhile."""
    from pxos.boot.headless import play_headless
    from pxos.fs.folders import FolderStore
    from pxos.kernel.clock import VirtualClock
    from pxos.kernel.grants import Grants
    from pxos.kernel.household import Home
    from pxos.kernel.kernel import Kernel

    clock = VirtualClock()
    kernel = Kernel(FolderStore([ROOT / "apps"]), clock=clock, seed=1)
    program = kernel.catalogue.program("desktop")
    root = kernel.spawn(program, "desktop", grants=Grants.of(program.meta, ("processes",)))
    play_headless(kernel, clock, root, frames=30)
    home = Home(kernel, root)
    for name in ANIMATED:
        home.start(list(home.app_names()).index(name), b"")
    play_headless(kernel, clock, root, frames=60)
    start, serial = time.process_time(), root.surface.serial
    play_headless(kernel, clock, root, frames=FRAMES)
    used, shown = time.process_time() - start, root.surface.serial - serial
    kernel.close()
    return used, shown
