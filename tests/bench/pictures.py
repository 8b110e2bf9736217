"""Filters on a 12-megapixel photograph, against Pillow and ImageMagick."""

from __future__ import annotations

import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from tests.pictures import photograph

from .measure import Figure, median_s

ROOT = Path(__file__).resolve().parent.parent.parent


class Pipe:
    """Ports for one filter: pictures in, arguments, pictures out."""

    def __init__(self, pictures: list[np.ndarray], arguments: list[object]) -> None:
        self.pictures, self.arguments = list(pictures), arguments
        self.out: list[np.ndarray] = []

    def read(self, letter: str, selector: object) -> object:
        from pxos.kernel.arguments import answer
        from pxos.kernel.machine.ports import Message

        if letter == "a":
            return answer(self.arguments, int(selector.data.flat[0]))
        empty = np.zeros((0, 0, 4), np.uint8)
        return Message("P", self.pictures.pop(0) if self.pictures else empty)

    def write(self, letter: str, message: object, selector: object) -> None:
        self.out.append(message.data)

    def ready(self, letter: str) -> bool:
        return True


def apply(app: str, picture: np.ndarray, *words: str) -> np.ndarray:
    """Run a shipped filter on one picture, in this process."""
    from pxos.kernel.arguments import parse_args
    from pxos.kernel.machine.cpu.executor import CpuExecutor
    from pxos.kernel.machine.program import load, open_memory

    program = load((ROOT / "apps" / app / f"{app}.png").read_bytes())
    ports = Pipe([picture], parse_args(program.meta, list(words)))
    stop = CpuExecutor(open_memory(program), ports).run(1 << 40)
    assert stop.reason == "H", stop
    return ports.out[0]


def figures() -> Iterator[Figure]:
    """blur 3 | edges in memory against Pillow; as a command line against ImageMagick."""
    from PIL import Image, ImageChops, ImageFilter

    photo = photograph(3000, 4000)
    ours = median_s(lambda: apply("edges", apply("blur", photo, "3")), 3)
    image = Image.fromarray(photo)
    sobel_x = ImageFilter.Kernel((3, 3), [-1, 0, 1, -2, 0, 2, -1, 0, 1], 1, 128)
    sobel_y = ImageFilter.Kernel((3, 3), [-1, -2, -1, 0, 0, 0, 1, 2, 1], 1, 128)

    def pillow() -> None:
        gray = image.filter(ImageFilter.BoxBlur(3)).convert("L")
        ImageChops.add(gray.filter(sobel_x), gray.filter(sobel_y))

    yield Figure(
        "blur 3 | edges, 12 megapixels, in memory",
        ours,
        "Pillow BoxBlur, L, Sobel",
        median_s(pillow, 3),
    )
    with tempfile.TemporaryDirectory() as name:
        yield from _command_lines(Path(name), image)


def _command_lines(folder: Path, image: object) -> Iterator[Figure]:
    import sys

    image.convert("RGB").save(folder / "photo.jpg", quality=92)
    line = f"{folder}/photo.jpg | blur 3 | edges > {folder}/out.png"
    ours = median_s(
        lambda: subprocess.run([sys.executable, "-m", "pxos", "-c", line], check=True), 3
    )
    magick = shutil.which("magick") or "/usr/bin/convert"
    real = (
        Path(magick).exists()
        and "ImageMagick"
        in subprocess.run([magick, "-version"], capture_output=True, text=True, check=False).stdout
    )
    if not real:
        yield Figure(
            "the same from photo.jpg to out.png", ours, "ImageMagick is not installed", 0.0
        )
        return
    command = [
        magick,
        f"{folder}/photo.jpg",
        "-define",
        "convolve:scale=1",
        "-morphology",
        "Convolve",
        "Square:3",
        "-colorspace",
        "Gray",
        "-morphology",
        "Convolve",
        "Sobel:>",
        f"{folder}/peer.png",
    ]
    peer = median_s(lambda: subprocess.run(command, check=True), 3)
    yield Figure("the same from photo.jpg to out.png", ours, "ImageMagick", peer)
