"""pxOS as its users meet it: a command line in a folder, a status, and what it printed."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO

import numpy as np
import pytest
from PIL import Image

from tests.pictures import photograph

#: How the installed command is called, wherever the tests run.
PXOS = [sys.executable, "-m", "pxos"]
#: Seconds after which a command counts as hanging.
PATIENCE = 60


@dataclass(frozen=True)
class Outcome:
    """How a command ended.  ``told``: what it printed to standard error."""

    status: int
    out: bytes
    told: str

    @property
    def text(self) -> str:
        return self.out.decode()


class Pxos:
    """Runs commands in a folder, and holds every one of them to what must always be so: no
    Python traceback, no command to the terminal in a message, no temporary file left."""

    def __init__(self, here: Path, environment: dict[str, str]) -> None:
        self.here = here
        self.environment = environment

    def __call__(
        self,
        *words: object,
        stdin: bytes | IO[bytes] = b"",
        stdout: int | IO[bytes] = subprocess.PIPE,
        limit: Callable[[], None] | None = None,
    ) -> Outcome:
        given = {"input": stdin} if isinstance(stdin, bytes) else {"stdin": stdin}
        done = subprocess.run(
            [*PXOS, *map(str, words)],
            cwd=self.here,
            env=self.environment,
            stdout=stdout,
            stderr=subprocess.PIPE,
            timeout=PATIENCE,
            preexec_fn=limit,
            check=False,
            **given,
        )
        return self.checked(done.returncode, done.stdout or b"", done.stderr)

    def checked(self, status: int, out: bytes, err: bytes) -> Outcome:
        told = err.decode()
        assert "Traceback" not in told, told
        assert all(char.isprintable() or char in "\n\t" for char in told), ascii(told)
        left = [path for path in self.here.rglob(".*") if path.suffix in (".part", ".tmp")]
        assert not left
        return Outcome(status, out, told)

    def start(self, *words: object, **pipes: object) -> subprocess.Popen[bytes]:
        return subprocess.Popen(
            [*PXOS, *map(str, words)], cwd=self.here, env=self.environment, **pipes
        )

    def line(self, text: str, **more: object) -> Outcome:
        """A line of the command language."""
        return self("-c", text, **more)


@pytest.fixture
def here(tmp_path: Path) -> Path:
    """An empty folder."""
    return tmp_path


@pytest.fixture
def pxos(here: Path, tmp_path_factory: pytest.TempPathFactory) -> Pxos:
    """The command line in that folder, with no display."""
    dropped = ("DISPLAY", "WAYLAND_DISPLAY", "PXOS_APPS")
    environment = {name: value for name, value in os.environ.items() if name not in dropped}
    environment["XDG_STATE_HOME"] = str(tmp_path_factory.mktemp("state"))
    return Pxos(here, environment)


@pytest.fixture
def photo(here: Path) -> Path:
    """A small photograph, photo.jpg."""
    return save(here / "photo.jpg", photograph(60, 90), "RGB")


def save(path: Path, pixels: np.ndarray, mode: str = "RGBA", **options: object) -> Path:
    """Write a picture in a mode of Pillow's."""
    Image.fromarray(pixels).convert(mode).save(path, **options)
    return path


def load(path: Path) -> np.ndarray:
    """The RGBA pixels of a file."""
    with Image.open(path) as image:
        return np.asarray(image.convert("RGBA"))


def listing(folder: Path) -> Sequence[str]:
    """Names in a folder, sorted, hidden ones too."""
    return sorted(path.name for path in folder.iterdir())
