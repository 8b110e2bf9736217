"""Starting cold, a desktop with four animated apps, and stopping."""

from __future__ import annotations

import os
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from PIL import Image

from pxos.boot.errors import INTERRUPTED
from tests.pictures import photograph

from .measure import Figure, alternating_s, duration, median_s

ROOT = Path(__file__).resolve().parent.parent.parent
FRAMES, SPANS = 120, 7
ANIMATED = ("life", "mandelbrot", "snake", "breakout")


def figures() -> Iterator[Figure]:
    """Cold start against importing NumPy and Pillow; a busy desktop; ^C in a pipeline."""
    hello = ROOT / "apps" / "hello" / "hello.png"
    pxos = [sys.executable, "-m", "pxos", "run", str(hello)]
    peer = [sys.executable, "-c", "import numpy, PIL.Image"]
    # As users have it: the first start writes what the later ones load.
    surroundings = {k: v for k, v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE"}

    def quietly(command: list[str]) -> None:
        subprocess.run(
            command, check=True, stdin=subprocess.DEVNULL, capture_output=True, env=surroundings
        )

    ours_s, peer_s, ratio = alternating_s(lambda: quietly(pxos), lambda: quietly(peer), 21)
    name = "python -c 'import numpy, PIL.Image'"
    yield Figure("pxos run hello.png, cold", ours_s, name, peer_s, ratio=ratio)
    yield Figure(
        f"desktop showing {len(ANIMATED)} animated apps, processor time of a frame",
        busy_desktop(),
        "1/60 s",
        1 / 60,
        f"median of {SPANS} spans of {FRAMES} frames",
    )
    with tempfile.TemporaryDirectory() as folder:
        taken = sorted(interrupted(Path(folder)))
    yield Figure(
        "^C to the end of pxos -c 'photo.jpg | blur 3 | edges > out.png', 12 megapixels",
        statistics.median(taken),
        "what is allowed",
        0.1,
        f"at {len(taken)} moments; the slowest {duration(taken[-1])}",
    )


def interrupted(folder: Path) -> list[float]:
    """Seconds from SIGINT, at moments spread over a pipeline's run, to the end of its process."""
    Image.fromarray(photograph(3000, 4000)).convert("RGB").save(folder / "photo.jpg", quality=92)
    line = f"{folder}/photo.jpg | blur 3 | edges > {folder}/out.png"
    command = [sys.executable, "-m", "pxos", "-c", line]
    whole = median_s(lambda: subprocess.run(command, check=True), 3)
    taken = []
    for moment in range(4, 13):
        process = subprocess.Popen(command, stderr=subprocess.DEVNULL)
        time.sleep(whole * moment / 16)
        process.send_signal(signal.SIGINT)
        start = time.perf_counter()
        if process.wait() == INTERRUPTED:  # else it had ended before
            taken.append(time.perf_counter() - start)
    return taken


def busy_desktop() -> float:
    """Processor seconds of a frame with every app of ANIMATED in a window that is seen: the median
    of SPANS spans.  Raises AssertionError if the desktop does not show every frame."""
    from pxos.boot.headless import play_headless
    from pxos.fs.folders import FolderStore
    from pxos.kernel.clock import VirtualClock
    from pxos.kernel.devices.keycodes import KEYS
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
    for state in (1, 0):
        root.keys.push(KEYS["f3"], state, 0)  # from the launcher to the windows
    play_headless(kernel, clock, root, frames=60)
    spans = []
    for _ in range(SPANS):
        start, serial = time.process_time(), root.surface.serial
        play_headless(kernel, clock, root, frames=FRAMES)
        spans.append((time.process_time() - start) / FRAMES)
        shown = root.surface.serial - serial
        assert shown >= 0.95 * FRAMES, f"the desktop showed {shown} pictures in {FRAMES} frames"
    kernel.close()
    return statistics.median(spans)
