"""Tiny programs for tests, built instruction by instruction."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from pxos.kernel.machine import program as program_file
from pxos.kernel.machine.isa import FIRST_FREE_ENTRY, encode, small_operand
from pxos.kernel.machine.meta import Arg, Meta
from pxos.kernel.machine.program import MatrixSpec

E = FIRST_FREE_ENTRY


def small(value: int) -> int:
    operand = small_operand(value)
    assert operand is not None
    return operand


ZERO = small(0)


def build(code: Sequence[int], matrices: Sequence[MatrixSpec], **meta: object) -> bytes:
    return program_file.save(program_file.build(matrices, code, Meta(**meta)))  # type: ignore[arg-type]


def jump(opcode: str, target: int, c: int | None = None) -> int:
    if c is None:
        return encode(opcode, target & 255, target >> 8 & 255, target >> 16)
    return encode(opcode, c, target & 255, target >> 8)


def matrix(name: str, kind: str, value: np.ndarray | None = None) -> MatrixSpec:
    if value is None:
        shape = (1, 1) if kind == "I" else (0, 0)
        data = np.zeros((1, 1), np.int32) if kind == "I" else None
        return MatrixSpec(name, kind, *shape, data)
    return MatrixSpec(name, kind, *value.shape[:2], value)


def number(name: str, value: int) -> MatrixSpec:
    return matrix(name, "I", np.array([[value]], np.int32))


def text(name: str, value: str) -> MatrixSpec:
    return matrix(name, "T", np.frombuffer(value.encode(), np.uint8).reshape(1, -1).copy())


PIC, N, FULL = E, E + 1, E + 2


def invert() -> bytes:
    """Each picture with all its bytes inverted."""
    return build(
        [
            encode("[", PIC, ord("p"), ZERO),
            encode("$", N, PIC, ord("n")),
            jump("b", 6, N),
            encode("-", PIC, FULL, PIC),
            encode("]", PIC, ord("p"), ZERO),
            jump("J", 0),
            encode("H", ZERO),
        ],
        [matrix("pic", "P"), matrix("n", "I"), number("full", 255)],
        title="Invert",
        summary="inverts",
        help="All bytes.",
        ports=("picture",),
        inputs=("image",),
        author="me",
        licence="MIT",
    )


def brighten() -> bytes:
    """Each picture plus an argument."""
    return build(
        [
            encode("[", FULL, ord("a"), ZERO),
            encode("[", PIC, ord("p"), ZERO),
            encode("$", N, PIC, ord("n")),
            jump("b", 7, N),
            encode("A", PIC, PIC, FULL),
            encode("]", PIC, ord("p"), ZERO),
            jump("J", 1),
            encode("H", ZERO),
        ],
        [matrix("pic", "P"), matrix("n", "I"), number("by", 0)],
        title="Brighten",
        summary="adds to all bytes",
        ports=("picture", "arguments"),
        inputs=("image",),
        args=(Arg("by", "int", 1, 0, 9, help="how much"), Arg("twice", "flag", False)),
    )


def handing_on(port: str) -> list[int]:
    """The code that gives each message of a port as it came."""
    return [
        encode("[", PIC, ord(port), ZERO),
        encode("$", N, PIC, ord("n")),
        jump("b", 5, N),
        encode("]", PIC, ord(port), ZERO),
        jump("J", 0),
        encode("H", ZERO),
    ]


def limit() -> bytes:
    """Each picture as it is; arguments of several words."""
    return build(
        handing_on("p"),
        [matrix("pic", "P"), matrix("n", "I")],
        title="Limit",
        ports=("picture", "arguments"),
        inputs=("image",),
        args=(Arg("at_most", "int", 9), Arg("keep_alpha", "flag", False)),
    )


def mix() -> bytes:
    """One picture of each of two inputs, added."""
    other = E + 1
    return build(
        [
            encode("[", PIC, ord("p"), ZERO),
            encode("[", other, ord("p"), small(1)),
            encode("A", PIC, PIC, other),
            encode("]", PIC, ord("p"), ZERO),
            encode("H", ZERO),
        ],
        [matrix("pic", "P"), matrix("other", "P")],
        title="Mix",
        ports=("picture",),
        inputs=("below", "above"),
    )


def say() -> bytes:
    """Text out."""
    return build(
        [encode("]", E, ord("t"), ZERO), encode("H", small(0))],
        [text("words", "grüße\n")],
        title="Say",
        ports=("text",),
    )


def length() -> bytes:
    """Reads text, gives a picture as wide as each piece of text is long (like `text`)."""
    one, row = E + 2, E + 3
    return build(
        [
            encode("[", PIC, ord("t"), ZERO),
            encode("$", N, PIC, ord("n")),
            jump("b", 6, N),
            encode("r", row, one, E + 4),
            encode("]", row, ord("p"), ZERO),
            jump("J", 0),
            encode("H", ZERO),
        ],
        [
            matrix("line", "T"),
            matrix("n", "I"),
            matrix("dot", "P", np.full((1, 1, 4), 7, np.uint8)),
            matrix("row", "P"),
            matrix("size", "I", np.array([[1, 5]], np.int32)),
        ],
        title="Text",
        ports=("text", "picture"),
    )


def shout() -> bytes:
    """Text in, text out with its case bit cleared."""
    return build(
        [
            encode("[", PIC, ord("t"), ZERO),
            encode("$", N, PIC, ord("n")),
            jump("b", 6, N),
            encode("&", PIC, PIC, FULL),
            encode("]", PIC, ord("t"), ZERO),
            jump("J", 0),
            encode("H", ZERO),
        ],
        [matrix("line", "T"), matrix("n", "I"), number("mask", 0xDF)],
        title="Shout",
        ports=("text",),
    )


def either() -> bytes:
    """Text in, text out; could give pictures as well, and gives none."""
    return build(
        handing_on("t"),
        [matrix("line", "T"), matrix("n", "I")],
        title="Either",
        ports=("text", "picture"),
    )


def status(value: int) -> bytes:
    return build([encode("H", small(value))], [], title=f"Status {value}")


def fault() -> bytes:
    """Divides by zero after it has handed on one picture."""
    return build(
        [
            encode("[", PIC, ord("p"), ZERO),
            encode("]", PIC, ord("p"), ZERO),
            encode("/", N, small(1), ZERO),
            encode("H", ZERO),
        ],
        [matrix("pic", "P"), matrix("n", "I")],
        title="Fault",
        ports=("picture",),
        inputs=("image",),
    )


def forever() -> bytes:
    return build([jump("J", 0)], [], title="Forever")


def heavy(size: int = 1400) -> bytes:
    """One matrix product that takes seconds, again and again."""
    big = np.arange(size * size, dtype=np.int32).reshape(size, size)
    return build(
        [encode("M", E + 1, E, E), jump("J", 0)],
        [matrix("a", "I", big), matrix("product", "I")],
        title="Heavy",
    )


def still() -> bytes:
    """Draws once on the screen and ends."""
    return build(
        [encode("]", E, ord("s"), ZERO), encode("H", ZERO)],
        [matrix("pic", "P", np.full((3, 5, 4), 9, np.uint8))],
        title="Still",
        ports=("screen",),
        size=(3, 5),
    )


def lively() -> bytes:
    """Draws at every frame, for ever."""
    return build(
        [encode("]", E, ord("s"), ZERO), encode("[", E + 1, ord("v"), ZERO), jump("J", 0)],
        [matrix("pic", "P", np.full((3, 5, 4), 9, np.uint8)), matrix("frame", "I")],
        title="Lively",
        ports=("screen", "frame"),
    )


def sleepy() -> bytes:
    """Waits for a frame for ever."""
    return build(
        [encode("[", E, ord("v"), small(40)), jump("J", 0)],
        [matrix("frame", "I")],
        title="Sleepy",
        ports=("frame",),
    )


APPS = {
    "invert": invert,
    "brighten": brighten,
    "limit": limit,
    "mix": mix,
    "say": say,
    "text": length,
    "shout": shout,
    "three": lambda: status(3),
    "zero": lambda: status(0),
    "fault": fault,
    "forever": forever,
    "still": still,
    "lively": lively,
    "sleepy": sleepy,
}


class MemoryStore:
    """A store of the programs above (and more, if given)."""

    def __init__(self, **more: bytes) -> None:
        self.data = {name: make() for name, make in APPS.items()} | more

    def names(self) -> list[str]:
        return sorted(self.data)

    def read(self, name: str) -> bytes:
        return self.data[name]
