"""What ``pxos eval`` and ``pxos validate`` share: pictures, where they run, files, results."""

from __future__ import annotations

import json
import math
import shutil
import sys
import time
from argparse import Namespace
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from ..kernel.placement import GPU, NoGpuError, cpu_executors_for_much
from . import environment, gpu
from .errors import BootError, wrong
from .standard import say, tell
from .streams import STANDARD, why
from .train_progress import span

if TYPE_CHECKING:
    import numpy as np

    from ..kernel.machine.program import Program
    from ..shell.lenses.networks import ExecutorFactory

MOST_TEXT, MOST_WEIGHTS = 1 << 26, 1 << 34
#: Seconds between two states of the line that tells how far it is.
_PAUSE = 0.5


def open_picture(name: str) -> Program:
    """The program of a file or an app's name; raises BootError."""
    from .run_app import find_program

    program, _ = find_program(name, environment.app_store())
    return program


@contextmanager
def executor(options: Namespace) -> Iterator[ExecutorFactory]:
    """What runs the picture.  What a network can be wrong in becomes a BootError on the way out."""
    from ..shell.lenses.networks import DescriptionError, ValidationError
    from ..shell.lenses.networks.readback import ReadbackError

    factory, lost = _executor(options.on)
    try:
        yield factory
    except lost as error:
        raise BootError(f"the GPU gave up: {error}", "--on gpu", "try --on cpu") from error
    except ValidationError as error:
        raise BootError(str(error), options.model) from error
    except ReadbackError as error:
        raise BootError(
            f"its network cannot be read from the picture: {error}", options.model
        ) from error
    except DescriptionError as error:
        raise BootError(error.what, options.model, error.advice) from error


def _executor(on: str) -> tuple[ExecutorFactory, tuple[type[Exception], ...]]:
    """The factory, and what it raises when its device is gone or full."""
    if on != GPU:
        return cpu_executors_for_much(), ()
    try:
        backend = gpu.open_backend()
    except NoGpuError as error:
        raise BootError(error.what, "--on gpu", error.advice) from error
    return backend.make, (backend.lost, backend.full)


def read_file(path: Path, what: str, most: int) -> bytes:
    """A whole file of at most so many bytes; raises BootError, which calls it ``what``."""
    try:
        with path.open("rb") as file:
            data = file.read(most + 1)
    except OSError as error:
        raise BootError(f"the {what} cannot be read, {why(error)}", str(path)) from error
    if len(data) > most:
        raise BootError(f"a {what} has at most {most >> 20} MiB", str(path))
    return data


def read_text(path: Path, last: int | None) -> bytes:
    """A text, ``-`` for standard input, or its last so many bytes; raises BootError."""
    if str(path) == STANDARD:
        text = sys.stdin.buffer.read(MOST_TEXT + 1)
        if len(text) > MOST_TEXT:
            raise BootError(f"a text has at most {MOST_TEXT >> 20} MiB", "standard input")
    else:
        text = read_file(path, "text", MOST_TEXT)
    return text if last is None else text[-last:]


def text_to_judge_by(options: Namespace) -> bytes:
    """The text that ``pxos eval`` was given; raises BootError."""
    if options.text is None:
        raise wrong("which text?", f"pxos eval {options.model} TEXT")
    return read_text(options.text, options.last)


class Losses:
    """The losses of a text, as they are found: a context manager that measures the time, shows how
    far it is, and ``tell``s what came of it."""

    def __init__(self, options: Namespace, unit: str, foreseen: int) -> None:
        """``unit``: what is ``foreseen`` so many times, a token or a glyph.

        Raises BootError if nothing is.
        """
        if foreseen < 1:
            one = "character" if unit == "token" else unit
            raise BootError(
                f"the text is too short: the network knows at most one {one} of it",
                str(options.text),
                "two are the least",
            )
        self._options, self._unit, self._foreseen = options, unit, foreseen
        self._nats = 0.0
        self._countdown = Countdown(foreseen, f"{unit}s", time.perf_counter)
        self._begun = self._seconds = 0.0

    def __enter__(self) -> Losses:
        self._begun = time.perf_counter()
        self._countdown.__enter__()
        return self

    def __exit__(self, *error: object) -> None:
        self._countdown.__exit__(*error)
        self._seconds = max(time.perf_counter() - self._begun, 1e-9)

    def add(self, nats: np.ndarray) -> None:
        """The losses of what comes next, in nats (n,)."""
        self._nats += float(nats.sum())
        self._countdown.count(len(nats))

    def tell(self, *, characters: int, left_out: int, window: int, unknown: str) -> None:
        """Print them for a text of so many characters that are foreseen, of which others were
        ``left_out``: those that are ``unknown``.  ``window``: how much is read at once."""
        foreseen, unit = self._foreseen, self._unit
        facts: dict[str, object] = {
            "loss": self._nats / foreseen,
            "bits_per_character": self._nats / math.log(2) / characters,
            f"{unit}s": foreseen,
            "characters": characters,
            "left_out": left_out,
            "window": window,
            f"{unit}s_a_second": foreseen / self._seconds,
            "on": self._options.on,
        }
        shown = {
            "loss": f"{{:.4f}} nats a {unit}",
            "bits_per_character": "{:.4f}",
            f"{unit}s": f"{{:,}}, read in windows of {window:,}",
            "left_out": f"{{:,}} characters {unknown}",
            f"{unit}s_a_second": "{:,.0f}",
        }
        tell_facts(facts, self._options.json, shown)


def tell_facts(facts: dict[str, object], as_json: bool, shown: dict[str, str]) -> None:
    """Print what was found: all of it as JSON, or a line for each fact that ``shown`` has a form
    for."""
    if as_json:
        tell(json.dumps(facts) + "\n")
        return
    lines = (
        f"{name.replace('_', ' '):20}{form.format(facts[name])}\n" for name, form in shown.items()
    )
    tell("".join(lines))


class Countdown:
    """How far a long evaluation is: a line on a terminal that rewrites itself, nothing elsewhere.

    ``total``: how many of ``unit`` there are.  ``clock``: seconds from anywhere.
    """

    def __init__(self, total: int, unit: str, clock: Callable[[], float]) -> None:
        """Nothing is shown before something is counted."""
        self._total, self._unit, self._clock = total, unit, clock
        self._terminal = sys.stderr.isatty()
        self._begun = self._shown = clock()
        self._done = 0
        self._line = False

    def __enter__(self) -> Countdown:
        return self

    def __exit__(self, *error: object) -> None:
        if self._line:
            say("\r\x1b[K", end="")

    def count(self, many: int) -> None:
        """So many more are done."""
        self._done += many
        now = self._clock()
        if not self._terminal or now - self._shown < _PAUSE:
            return
        self._shown = now
        rate = self._done / max(now - self._begun, 1e-9)
        left = span(max(self._total - self._done, 0) / max(rate, 1e-9))
        line = f"{self._done:,} of {self._total:,} {self._unit}, {rate:,.0f}/s, {left} left"
        room = max(shutil.get_terminal_size().columns - 1, 20)
        say("\r" + line[:room] + "\x1b[K", end="")
        self._line = True
