"""A host for tests: pictures are PNG files, written with the machine's own codec."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from pathlib import Path

import numpy as np

from pxos.kernel.machine import png
from pxos.shell.host import PictureFileError


class FakeHost:
    """A :class:`pxos.shell.host.Host`; ``fail_write`` is raised instead of writing."""

    picture_suffixes = (".png", ".jpg")

    def __init__(self, home: Path | None = None) -> None:
        self.home = home
        self.fail_write: OSError | None = None
        self.written = 0
        self.fail_after = 0
        self.write_gate: Callable[[], None] = lambda: None

    def is_picture(self, path: Path) -> bool:
        with path.open("rb") as file:
            return png.is_png(file.read(8))

    def read_pictures(self, path: Path) -> Iterable[np.ndarray]:
        try:
            yield png.decode(path.read_bytes())
        except png.PngError as error:
            raise PictureFileError(f"{path.name} is no picture: {error}") from error

    def write_picture(self, path: Path, picture: np.ndarray) -> None:
        assert path.suffix in self.picture_suffixes
        self.write_gate()
        data = png.encode(picture)
        if self.fail_write is not None and self.written >= self.fail_after:
            path.write_bytes(data[:20])
            raise self.fail_write
        path.write_bytes(data)
        self.written += 1


def picture(rows: int, cols: int, value: int = 0) -> np.ndarray:
    """A picture whose pixels count up from ``value``."""
    counted = (np.arange(rows * cols * 4) + value).astype(np.uint8)
    return counted.reshape(rows, cols, 4)


def save(path: Path, array: np.ndarray) -> Path:
    path.write_bytes(png.encode(array))
    return path


def load(path: Path) -> np.ndarray:
    return png.decode(path.read_bytes())


def until(condition: Callable[[], bool], seconds: float = 5.0) -> None:
    """Wait for another thread."""
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "it never happened"
        time.sleep(0.002)


class TestClock:
    """The host's clock."""

    __test__ = False

    def monotonic_ms(self) -> int:
        return int(time.monotonic() * 1000)

    def seconds(self) -> float:
        return time.monotonic()

    def now(self) -> tuple[int, int, int, int, int, int, int]:
        return (2000, 1, 1, 0, 0, 0, 0)
