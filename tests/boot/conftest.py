from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

from pxos.boot import cli

from . import programs

APPS = {
    "echo": programs.ECHO,
    "firstkey": programs.FIRST_KEY,
    "still": programs.STILL,
    "add": programs.ADD,
    "pair": programs.PAIR,
    "thrice": programs.THRICE,
    "twice": programs.TWICE,
    "breaks": programs.BREAKS,
    "forever": programs.FOREVER,
    "noise": programs.NOISE,
}


@pytest.fixture(scope="session")
def apps(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of small programs."""
    folder = tmp_path_factory.mktemp("apps")
    for name, source in APPS.items():
        programs.write_app(folder, name, source)
    return folder


@pytest.fixture
def here(tmp_path: Path, apps: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty working folder, with the small programs known by name and no display."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PXOS_APPS", str(apps))
    for name in ("DISPLAY", "WAYLAND_DISPLAY"):
        monkeypatch.delenv(name, raising=False)
    return tmp_path


@dataclass
class Outcome:
    status: int
    out: str
    err: str


Pxos = Callable[..., Outcome]


@pytest.fixture
def pxos(here: Path, capsys: pytest.CaptureFixture[str]) -> Pxos:
    """Runs a command line in this process."""

    def run(*words: object) -> Outcome:
        status = cli.main([str(word) for word in words])
        captured = capsys.readouterr()
        return Outcome(status, captured.out, captured.err)

    return run


#: Options of ``pxos train`` for a network that is trained in no time, the same everywhere.
_SMALL = (
    "--layers=1 --width=16 --heads=2 --context=16 --batch=4 --steps=12 --warmup=2 --evaluate=6",
    "--finetune=6 --threads=1 --device=cpu",
)
TINY = " ".join(_SMALL).split()


@pytest.fixture
def text(here: Path) -> Path:
    """A text of five words that a network can be trained on."""
    path = here / "text.txt"
    words = np.random.default_rng(0).choice(["to", "be", "or", "not", "\n"], 700)
    path.write_text(" ".join(words))
    return path


@dataclass
class Server:
    """A display server: the value of DISPLAY, and the folder with the file of what it shows."""

    display: str
    folder: Path


@pytest.fixture(scope="session")
def xvfb(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A display server without a screen.  Where CI promises one (PXOS_REQUIRE_DISPLAY=1) a missing
    one is a failure; elsewhere the tests say what to install and are skipped."""
    missing = [name for name in ("Xvfb", "xdotool") if not shutil.which(name)]
    if missing:
        advice = f"{' and '.join(missing)} missing: apt install xvfb xdotool"
        if os.environ.get("PXOS_REQUIRE_DISPLAY") == "1":
            pytest.fail(advice)
        pytest.skip(advice)
    folder = tmp_path_factory.mktemp("xvfb")
    read, write = os.pipe()
    command = [
        "Xvfb",
        "-noreset",
        "-displayfd",
        str(write),
        "-screen",
        "0",
        "800x600x24",
        "-nolisten",
        "tcp",
        "-fbdir",
        str(folder),
    ]
    server = subprocess.Popen(
        command, pass_fds=[write], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    os.close(write)
    with os.fdopen(read) as pipe:
        number = pipe.readline().strip()
    assert number, "Xvfb did not start"
    yield Server(f":{number}", folder)
    server.terminate()
    server.wait(10)


def noise(rows: int, cols: int, seed: int = 1) -> np.ndarray:
    """An opaque picture of random pixels."""
    picture = np.random.default_rng(seed).integers(0, 256, (rows, cols, 4), dtype=np.uint8)
    picture[..., 3] = 255
    return picture
