"""The ports of the machine: the one table of the doors a program may be granted.

A port is a letter.  ``[`` reads a :class:`Message` from it, ``]`` writes one, ``W`` waits
for one of several.  Port answers are all that is not decided by the picture alone.
"""

from __future__ import annotations

from typing import NamedTuple, Protocol

import numpy as np


class Port(NamedTuple):
    """One port.  ``reads``/``writes`` say what ``[`` and ``]`` do ("" where they fault);
    ``blocks`` names the directions ("in", "out") that wait until they can be served."""

    letter: str
    name: str
    reads: str
    writes: str
    blocks: tuple[str, ...]
    doc: str


PORTS: dict[str, Port] = {
    port.letter: port
    for port in (
        Port(
            "s",
            "screen",
            "I 1x3: rows, columns, frames a second",
            "P: becomes the picture shown",
            (),
            "The program's own window.",
        ),
        Port(
            "v",
            "frame",
            "I 1x2: frame number, milliseconds since the program started",
            "",
            ("in",),
            "The next frame; reading it paces a program at the screen's rate. Selector "
            "n > 0 sleeps n frames.",
        ),
        Port(
            "k",
            "keys",
            "I n x 4: key code, 1 down 2 repeat 0 up, modifiers, milliseconds; all "
            "since the last read, 0x4 if none",
            "",
            (),
            "The keyboard.",
        ),
        Port(
            "m",
            "pointer",
            "I n x 4: row, column, buttons (1 left 2 middle 4 right, signed wheel "
            "steps in bits 8 and up), milliseconds; 0x4 if none",
            "",
            (),
            "Mouse or touch.",
        ),
        Port(
            "c",
            "clock",
            "I 1x8: year, month, day, hour, minute, second, millisecond, "
            "milliseconds since the kernel started",
            "",
            (),
            "The clock (local time).",
        ),
        Port(
            "r",
            "random",
            "I s[0] x s[1] words of the process's counter-based generator",
            "",
            (),
            "Random numbers, repeatable from the process's seed.",
        ),
        Port(
            "t",
            "text",
            "T 1 x n: the next piece of input text; 0x0 at its end",
            "T: output text; with selector 1 a note to the user, beside the pipe",
            ("in", "out"),
            "Text in and out.",
        ),
        Port(
            "p",
            "picture",
            "P: the next picture of input s[0] (0: the first input); 0x0 at its end",
            "P: handed on to the next program or file",
            ("in", "out"),
            "Pictures in and out.",
        ),
        Port(
            "a",
            "arguments",
            "argument number s[0]: a number as X or I 1x1, a text as T 1 x n; "
            "0x0 if it was not given and has no default; s[0] = -1: how many there are",
            "",
            (),
            "What the program was called with, as its metadata declares it.",
        ),
        Port(
            "f",
            "files",
            "file or folder named by T s: T bytes, P of a picture, 0x0 if there is "
            "none; a name ending in / lists it, a name a line",
            "writes a to the file named by T s",
            (),
            "Files below the folder that was granted.",
        ),
        Port(
            "x",
            "processes",
            "s = [verb, ...], see docs/kernel.md",
            "s = [verb, ...], a: what it needs",
            (),
            "Starting, seeing and stopping programs: the desktop's port.",
        ),
        Port(
            "l",
            "line",
            "s = [verb]: T output of the command language, or its state",
            "T a: a line of the command language to run; s = [verb]",
            (),
            "The command language: the terminal's port.",
        ),
    )
}

#: Port letters by name.
LETTER_OF = {port.name: port.letter for port in PORTS.values()}

#: Ports every picture gets without asking the user: they reach nothing but itself.
HARMLESS = frozenset("svkmcrtpa")


class Message(NamedTuple):
    """What passes a port: ``kind`` I, X, T or P and its elements.

    ``data``: I and X int32 (rows, columns), X raw Q16.16; T uint8 (rows, columns);
    P uint8 (rows, columns, 4).
    """

    kind: str
    data: np.ndarray


class Wait(NamedTuple):
    """The port has no answer yet: the instruction is to be run again when it has."""

    letter: str


class Refused(NamedTuple):
    """The port is not granted to this program, or not in this direction."""

    letter: str


class Ports(Protocol):
    """What an executor asks of the kernel.  ``letter`` is a one-character string; the
    selector is the operand s as a :class:`Message` (kinds I, X or T)."""

    def read(self, letter: str, selector: Message) -> Message | Wait | Refused:
        """Take the next message of a port."""
        ...

    def write(self, letter: str, message: Message, selector: Message) -> Wait | Refused | None:
        """Hand a message to a port; None when it was taken."""
        ...

    def ready(self, letter: str) -> bool | Refused:
        """Whether a read of the port would be served at once with something."""
        ...


class NoPorts:
    """Grants nothing."""

    def read(self, letter: str, selector: Message) -> Message | Wait | Refused:
        """Refuse."""
        return Refused(letter)

    def write(self, letter: str, message: Message, selector: Message) -> Wait | Refused | None:
        """Refuse."""
        return Refused(letter)

    def ready(self, letter: str) -> bool | Refused:
        """Refuse."""
        return Refused(letter)
