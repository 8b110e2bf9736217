"""The pictures in the README, made by running what they show: headless, on a virtual clock."""

from __future__ import annotations

import re
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from functools import partial
from pathlib import Path

import numpy as np

from pxos.boot.events import Event, Key
from pxos.boot.headless import play_headless
from pxos.fs.folders import FolderStore
from pxos.kernel.clock import VirtualClock
from pxos.kernel.devices.keycodes import DOWN, KEYS, UP
from pxos.kernel.grants import Grants
from pxos.kernel.kernel import Kernel
from pxos.kernel.machine import png
from pxos.kernel.machine.program import Program
from pxos.shell.lenses.assembler import assemble

ROOT = Path(__file__).resolve().parent.parent
SEED = 3
START = (2026, 11, 23, 10, 8, 12, 0)


def _play(program: Program, frames: int, events: Sequence[tuple[int, Event]] = ()) -> np.ndarray:
    """What a program shows after so many frames; the apps of the checkout are installed."""
    clock = VirtualClock(START)
    kernel = Kernel(FolderStore([ROOT / "apps"]), clock=clock, seed=SEED)
    process = kernel.spawn(
        program, "picture", grants=Grants.of(program.meta, ("processes", "line"))
    )
    picture = play_headless(kernel, clock, process, frames=frames, events=events)
    kernel.close()
    return picture


def weave() -> np.ndarray:
    """The README's ten lines, uint8 (160, 240, 4)."""
    readme = (ROOT / "README.md").read_text("utf-8")
    found = re.search(r"```pxa weave\n(.*?)```", readme, re.S)
    assert found, "the README has lost its program"
    return _play(assemble(found[1], path="weave.pxa", include_dirs=[]), 100)


def desktop() -> np.ndarray:
    """Some apps open on the desktop, uint8 (400, 640, 4)."""
    program = Kernel(FolderStore([ROOT / "apps"]), clock=VirtualClock()).catalogue.program(
        "desktop"
    )
    events: list[tuple[int, Event]] = []
    frame = 20
    for steps in LAUNCHES:
        for key in steps:
            events += [(frame, Key(KEYS[key], DOWN, 0)), (frame + 1, Key(KEYS[key], UP, 0))]
            frame += 4
        frame += 30
    return _play(program, frame + 150, events)


#: The keys that open each app of the picture, from the launcher.
LAUNCHES = (
    (*["right"] * 6, "enter"),
    ("f3", "left", "enter"),
    ("f3", *["left"] * 4, "enter"),
)


def _made_by_line(name: str) -> np.ndarray:
    """What the line of the README that ends in ``> NAME`` writes."""
    readme = (ROOT / "README.md").read_text("utf-8")
    found = re.search(rf"^.* > {re.escape(name)}$", readme, re.M)
    assert found, f"the README has lost the line that makes {name}"
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-m", "pxos", "-c", found[0]]
        subprocess.run(command, cwd=folder, check=True, stdout=subprocess.DEVNULL)
        return png.decode((Path(folder) / name).read_bytes())


PICTURES = {
    "weave.png": weave,
    "desktop.png": desktop,
    "page.png": partial(_made_by_line, "page.png"),
    "seen.png": partial(_made_by_line, "seen.png"),
}
