"""Which devices a process gets: the ports it was granted, connected to its kernel."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import TYPE_CHECKING

from .arguments import ArgValue
from .devices.arguments import Arguments
from .devices.base import Device
from .devices.clock import ClockDevice
from .devices.files import Files
from .devices.frame import Frame
from .devices.line import Line
from .devices.picture import Picture
from .devices.processes import Processes
from .devices.random import Random
from .devices.screen import Screen
from .devices.text import Text
from .household import Home
from .machine.memory import Memory
from .pipes import PictureSink, PictureSource, TextSink, TextSource

if TYPE_CHECKING:
    from .kernel import Kernel
    from .process import Process


def connect(
    kernel: Kernel,
    process: Process,
    memory: Memory,
    args: Sequence[ArgValue],
    inputs: Sequence[PictureSource],
    output: PictureSink | None,
    text_in: TextSource | None,
    text_out: TextSink | None,
) -> None:
    """Put the granted devices on the process's board.

    Sources and sinks of ports that were not granted are closed at once, so that nobody waits
    for a process that cannot use them.
    """

    def wake(letter: str) -> Callable[[], None]:
        return partial(kernel.wake, process, letter)

    def line() -> Device | None:
        return None if kernel.line_service is None else Line(kernel.line_service, wake("l"))

    makers: dict[str, Callable[[], Device | None]] = {
        "s": lambda: Screen(process.surface, process.shown),
        "v": lambda: Frame(
            kernel.frames, kernel.clock.monotonic_ms(), partial(kernel.sleep_until, process)
        ),
        "k": lambda: process.keys,
        "m": lambda: process.pointer,
        "c": lambda: ClockDevice(kernel.clock, kernel.start_ms),
        "r": lambda: Random(memory),
        "a": lambda: Arguments(args),
        "f": lambda: Files(process.grants.folder),
        "x": lambda: Processes(Home(kernel, process), wake("x")),
        "l": line,
    }
    granted = process.grants.ports
    streams: tuple[Device, ...] = (
        Text(text_in, text_out, wake("t"), partial(kernel.tell, process)),
        Picture(inputs, output, wake("p")),
    )
    for stream in streams:
        if stream.letter in granted:
            process.board.devices[stream.letter] = stream
        else:
            stream.close()
    for letter in sorted(granted):
        make = makers.get(letter)
        device = None if make is None else make()
        if device is not None:
            process.board.devices[letter] = device
