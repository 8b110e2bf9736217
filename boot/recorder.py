"""Recording what a display shows as an animated GIF."""

from __future__ import annotations

import threading
from collections.abc import Callable
from io import BytesIO
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from ..fs.atomic import write_atomically

if TYPE_CHECKING:
    from PIL.Image import Image

#: Least milliseconds between two frames: players slow down GIFs that ask for less than 20.
MIN_GAP_MS = 40
#: Hundredths of a second that a GIF can show one frame.
_LONGEST_CS = 65535
#: Distinct frames after which a recording ends by itself: a minute at 10 frames a second.
MAX_FRAMES = 600


class Recorder:
    """A recording in progress.  Frames are reduced to 256 colours as they come."""

    def __init__(self) -> None:
        self._frames: list[Image] = []
        self._starts: list[int] = []
        self._shape: tuple[int, ...] = ()
        self._last: np.ndarray | None = None

    @property
    def full(self) -> bool:
        """Whether it takes no more frames."""
        return len(self._frames) >= MAX_FRAMES

    def add(self, picture: np.ndarray, ms: int) -> None:
        """Add what is shown at a time; frames that come too soon, change nothing or have another
        size than the first are passed over."""
        from PIL import Image

        if self.full or (self._starts and ms - self._starts[-1] < MIN_GAP_MS):
            return
        if self._last is not None and np.array_equal(self._last, picture):
            return
        self._shape = self._shape or picture.shape
        if picture.shape != self._shape:
            return
        self._last = picture
        rgb = Image.fromarray(np.ascontiguousarray(picture[..., :3]))
        self._frames.append(reduced(rgb))
        self._starts.append(ms)

    def gif(self, end_ms: int) -> bytes:
        """The recording as a GIF that repeats; empty if nothing was recorded."""
        if not self._frames:
            return b""
        # A GIF counts hundredths of a second: round the moments, not the lengths.
        moments = [round(ms / 10) for ms in (*self._starts, max(end_ms, self._starts[-1] + 100))]
        lengths = [10 * min(b - a, _LONGEST_CS) for a, b in pairwise(moments)]
        out = BytesIO()
        self._frames[0].save(
            out,
            "GIF",
            save_all=True,
            append_images=self._frames[1:],
            duration=lengths,
            loop=0,
            optimize=False,
            disposal=1,
        )
        return out.getvalue()

    def save(self, path: Path, end_ms: int, tell: Callable[[str], None]) -> threading.Thread:
        """Write the GIF on a thread of its own; ``tell`` gets a sentence when it is done."""

        def work() -> None:
            try:
                data = self.gif(end_ms)
                if data:
                    write_atomically(path, data)
                tell(f"recorded {path.name}" if data else "nothing was shown to record")
            except OSError as error:
                tell(f"cannot write {path.name}: {error.strerror or error}")

        thread = threading.Thread(target=work, name="pxos-gif")
        thread.start()
        return thread


def reduced(rgb: Image) -> Image:
    """An RGB image with at most 256 colours: exactly those it has, if it has no more."""
    from PIL import Image

    pixels = np.asarray(rgb)
    words = pixels.astype(np.uint32) @ np.array([1, 256, 65536], np.uint32)
    colours, places = np.unique(words, return_inverse=True)
    if len(colours) > 256:
        return rgb.quantize(256, Image.Quantize.FASTOCTREE, dither=Image.Dither.NONE)
    few = Image.fromarray(places.reshape(words.shape).astype(np.uint8))
    table = np.stack([colours & 255, colours >> 8 & 255, colours >> 16], 1).astype(np.uint8)
    few.putpalette(table.tobytes(), "RGB")
    return few
