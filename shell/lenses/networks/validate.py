"""Running a network's picture on an executor that is handed in, and comparing it with NumPy.

Lenses know no executor: a caller hands over an :data:`ExecutorFactory`, such as the CPU's or the
GPU's class.  The ports here are the least that an emitted app needs; the kernel's are not involved.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

import numpy as np

from ....kernel.machine.fault import REASONS, Stop
from ....kernel.machine.memory import Memory
from ....kernel.machine.meta import Arg, Scalar
from ....kernel.machine.ports import Message, Ports, Refused, Wait
from ....kernel.machine.program import Program, open_memory
from .comparison import Comparison, ValidationError, compare
from .description import Transformer
from .reference import Reference

#: Memory that a network may use, and fuel for a slice: it runs until it stops by itself.
QUOTA_BYTES, SLICE = 1 << 31, 1 << 50


class Executor(Protocol):
    """What is asked of an executor."""

    def run(self, slice_fuel: int) -> Stop:
        """Run until the program stops or the slice is used up."""
        ...

    def settle(self) -> None:
        """Bring all of the memory's words up to date."""
        ...


ExecutorFactory = Callable[[Memory, Ports], Executor]


def _number(kind: str, value: int) -> Message:
    return Message(kind, np.array([[value]], np.int32))


def _text(data: bytes) -> Message:
    rows = 1 if data else 0
    return Message("T", np.frombuffer(data, np.uint8).reshape(rows, len(data)))


def _argument(arg: Arg, value: Scalar | None) -> Message:
    """An argument as the program reads it: as kernel/arguments.py does, for the same words."""
    if value is None:
        value = False if arg.kind == "flag" else arg.default
    if value is None:
        return _text(b"")
    if arg.kind == "text":
        return _text(str(value).encode())
    if arg.kind == "choice":
        return _number("I", arg.choices.index(str(value)))
    if arg.kind == "number":
        return _number("X", math.floor(float(value) * 65536 + 0.5))
    return _number("I", int(value))


@dataclass(slots=True)
class Desk:
    """Ports t, a, r, s and p for one run.

    ``arguments``: answers by number.  ``text``: input text.  ``random``: a NumPy generator, or None
    to refuse.  What the program writes is kept: ``written`` and ``notes`` (bytes), ``pictures``
    (uint8 (rows, columns, 4)), ``screen`` (the last picture shown).  ``take``: is handed each
    picture, which then is not kept.
    """

    arguments: Sequence[Message] = ()
    text: bytes = b""
    random: np.random.Generator | None = None
    written: bytearray = field(default_factory=bytearray)
    notes: bytearray = field(default_factory=bytearray)
    pictures: list[np.ndarray] = field(default_factory=list)
    screen: np.ndarray | None = None
    take: Callable[[np.ndarray], None] | None = None

    def read(self, letter: str, selector: Message) -> Message | Wait | Refused:
        """Arguments, input text once, random words; nobody sees the screen."""
        if letter == "a":
            number = int(selector.data.flat[0])
            if 0 <= number < len(self.arguments):
                return self.arguments[number]
            return _number("I", len(self.arguments)) if number == -1 else _text(b"")
        if letter == "t":
            data, self.text = self.text, b""
            return _text(data)
        if letter == "r" and self.random is not None:
            rows, columns = (int(n) for n in selector.data.ravel()[:2])
            words = self.random.integers(0, 1 << 32, (rows, columns), np.uint32)
            return Message("I", words.view(np.int32))
        if letter == "s":
            return Message("I", np.array([[1, 1, 60]], np.int32))
        return Refused(letter)

    def write(self, letter: str, message: Message, selector: Message) -> Wait | Refused | None:
        """Keeps texts and pictures, and notes (texts with a selector) apart."""
        if letter == "t" and message.kind == "T":
            kept = self.notes if selector.data.any() else self.written
            kept += message.data.tobytes()
        elif letter == "p" and message.kind == "P":
            if self.take is None:
                self.pictures.append(message.data.copy())
            else:
                self.take(message.data)
        elif letter == "s" and message.kind == "P":
            if self.screen is None or self.screen.shape != message.data.shape:
                self.screen = np.empty_like(message.data)
            np.copyto(self.screen, message.data)
        else:
            return Refused(letter)
        return None

    def ready(self, letter: str) -> bool | Refused:
        """What is granted is always served at once."""
        return True if letter in "atr" else Refused(letter)


def run(
    program: Program,
    factory: ExecutorFactory,
    *,
    arguments: Mapping[str, Scalar] | None = None,
    text: bytes = b"",
    random: np.random.Generator | None = None,
    take: Callable[[np.ndarray], None] | None = None,
) -> Desk:
    """Run a picture to its end with arguments by name; what it wrote.

    ``take``: is handed each picture as it comes, instead of keeping it.

    Raises ValidationError for an argument it does not know and for any end but a halt with 0.
    """
    desk = Desk(text=text, random=random, take=take)
    play(program, factory, desk, arguments or {})
    return desk


def play(
    program: Program,
    factory: ExecutorFactory,
    desk: Desk,
    arguments: Mapping[str, Scalar],
    *,
    settled: bool = False,
) -> Memory:
    """Run a picture to its end at a desk, which is given the arguments; the memory it left.

    ``settled``: matrices of the memory are to be read, wherever it ran.  Raises ValidationError as
    :func:`run` does.
    """
    given = dict(arguments)
    desk.arguments = [_argument(arg, given.pop(arg.name, None)) for arg in program.meta.args]
    if given:
        raise ValidationError(
            f"the picture has no argument {', '.join(given)}: was it made by the model builder?"
        )
    memory = open_memory(program, QUOTA_BYTES)
    executor = factory(memory, desk)
    stop = executor.run(SLICE)
    if stop.reason != "H" or stop.status:
        raise ValidationError(
            f"the picture stopped at {_place(program, stop.pc)}: {REASONS[stop.reason].title}, "
            f"detail {stop.detail}, status {stop.status}"
        )
    if settled:
        executor.settle()
    return memory


def _place(program: Program, pc: int) -> str:
    """The line of source of an instruction, as far as the picture knows it."""
    meta = program.meta
    before = [entry for entry in meta.lines if entry[0] <= pc]
    if not before:
        return f"instruction {pc}"
    _, file, line = max(before)
    return f"{meta.files[file]}:{line}, instruction {pc}"


def picture_logits(program: Program, factory: ExecutorFactory, text: bytes) -> np.ndarray:
    """The logits of an emitted app for a text: float64 (characters, vocabulary).

    Of a text longer than the context each piece of CONTEXT characters stands alone.
    """
    return _fixed(run(program, factory, arguments={"mode": "logits"}, text=text).pictures)


def picture_losses(program: Program, factory: ExecutorFactory, text: bytes) -> np.ndarray:
    """The loss in nats of every character of a text but the first: float64 (characters - 1,)."""
    pictures = run(program, factory, arguments={"mode": "loss"}, text=text).pictures
    return _fixed(pictures)[:, 0] if pictures else np.zeros(0)


def _fixed(pictures: Sequence[np.ndarray]) -> np.ndarray:
    """Pictures of fixed-point words as numbers, one below the other."""
    if not pictures:
        raise ValidationError("the picture made nothing of this text: does it know its characters?")
    return np.vstack([words_of(picture) for picture in pictures]) / 65536.0


def words_of(picture: np.ndarray) -> np.ndarray:
    """The pixels of a picture, uint8 (rows, columns, 4), as int32 (rows, columns)."""
    return np.ascontiguousarray(picture).view(np.int32)[:, :, 0]


def validate(
    program: Program, factory: ExecutorFactory, network: Transformer, text: bytes
) -> Comparison:
    """Compare an emitted app with :class:`~.reference.Reference` of its network, for a text.

    ``network``: quantised, for the bars; the float network shows what quantising cost.  Characters
    outside the vocabulary are left out on both sides.  Raises ValidationError.
    """
    if network.vocabulary is None:
        raise ValidationError("the network has no vocabulary: its picture takes no text")
    tokens = np.array([network.vocabulary.find(byte) for byte in text], np.int64)
    tokens = tokens[tokens >= 0]
    reference = Reference(network)
    pieces = range(0, len(tokens), network.context)
    wanted = [reference.logits(tokens[i : i + network.context]) for i in pieces]
    if not wanted:
        raise ValidationError("the text has no character that the network knows")
    return compare(picture_logits(program, factory, text), np.vstack(wanted))
