"""Filters on a 12-megapixel photograph, against Pillow and ImageMagick."""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from tests.pictures import photograph

from .measure import Figure, alternating_s

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


#: The same two steps in Pillow.
PILLOW = """
from PIL import Image, ImageChops, ImageFilter
X = ImageFilter.Kernel((3, 3), [-1, 0, 1, -2, 0, 2, -1, 0, 1], 1, 128)
Y = ImageFilter.Kernel((3, 3), [-1, -2, -1, 0, 0, 0, 1, 2, 1], 1, 128)
def steps(image):
    gray = image.filter(ImageFilter.BoxBlur(3)).convert("L")
    return ImageChops.add(gray.filter(X), gray.filter(Y))
"""


def figures() -> Iterator[Figure]:
    """blur 3 | edges in memory against Pillow; as a command line against Pillow and ImageMagick."""
    photo = photograph(3000, 4000)
    image = Image.fromarray(photo)
    names: dict[str, Any] = {}
    exec(PILLOW, names)  # noqa: S102
    ours, peer, ratio = alternating_s(
        lambda: apply("edges", apply("blur", photo, "3")), lambda: names["steps"](image)
    )
    yield Figure(
        "blur 3 | edges, 12 megapixels, in memory",
        ours,
        "Pillow BoxBlur, L, Sobel",
        peer,
        ratio=ratio,
    )
    with tempfile.TemporaryDirectory() as name:
        yield from _command_lines(Path(name), image)


def _command_lines(folder: Path, image: Image.Image) -> Iterator[Figure]:
    image.convert("RGB").save(folder / "photo.jpg", quality=92)
    line = f"{folder}/photo.jpg | blur 3 | edges > {folder}/out.png"
    ours = [sys.executable, "-m", "pxos", "-c", line]
    script = f"{PILLOW}\nsteps(Image.open({str(folder / 'photo.jpg')!r})).save("
    script += f"{str(folder / 'peer.png')!r})"
    peers = {"Pillow": [sys.executable, "-c", script]}
    magick = shutil.which("magick") or shutil.which("convert")
    if magick:
        peers["ImageMagick"] = [
            *(magick, f"{folder}/photo.jpg", "-define", "convolve:scale=!"),
            *("-morphology", "Convolve", "Square:3", "-colorspace", "Gray"),
            *("-morphology", "Convolve", "Sobel:>", f"{folder}/peer.png"),
        ]
    for name, command in peers.items():
        ours_s, peer_s, ratio = alternating_s(
            lambda: subprocess.run(ours, check=True),
            lambda command=command: subprocess.run(command, check=True),
        )
        sizes = [(folder / name).stat().st_size / 1e6 for name in ("out.png", "peer.png")]
        note = "files of {:.1f} and {:.1f} MB".format(*sizes)
        yield Figure(
            f"the same from photo.jpg to out.png, {name}", ours_s, name, peer_s, note, ratio
        )
    if not magick:
        print("ImageMagick is not installed: it is not compared with", file=sys.stderr)
