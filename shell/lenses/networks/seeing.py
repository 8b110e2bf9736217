"""What the network of a picture that looks at pictures was shown, and what it made of it.

Apps around an MLP prepare a picture each in its own way, so inputs and outputs are read where the
network has them: in the matrices ``network.input`` and ``network.output`` of the memory that a run
leaves.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from ....kernel.machine.meta import Scalar
from ....kernel.machine.ports import Message, Refused, Wait
from ....kernel.machine.program import Program
from .comparison import Comparison, Tally, ValidationError
from .readback import Matrices
from .validate import Desk, ExecutorFactory, play

_INPUT, _OUTPUT = "network.input", "network.output"


@dataclass(slots=True)
class Gallery(Desk):
    """A desk whose picture port has pictures, uint8 (rows, columns, 4), and whose screen is seen
    by nobody."""

    shown: list[np.ndarray] = field(default_factory=list)

    def read(self, letter: str, selector: Message) -> Message | Wait | Refused:
        """Pictures one after another, then an empty one; a screen of no size."""
        if letter == "p":
            empty = np.zeros((0, 0, 4), np.uint8)
            return Message("P", self.shown.pop(0) if self.shown else empty)
        if letter == "s":
            return Message("I", np.zeros((1, 3), np.int32))
        return Desk.read(self, letter, selector)


def sees(program: Program) -> bool:
    """Whether a program looks at pictures with a network as the model builder makes them."""
    names = set(program.meta.names)
    return "picture" in program.meta.ports and {_INPUT, _OUTPUT} <= names


def look(
    program: Program,
    factory: ExecutorFactory,
    picture: np.ndarray,
    arguments: Mapping[str, Scalar] | None = None,
) -> tuple[np.ndarray, np.ndarray]:
    """The inputs and outputs of the network, float64 (n, inputs) and (n, outputs), for a picture,
    uint8 (rows, columns, 4); 0 rows if the program saw nothing in it.

    Raises ValidationError.
    """
    desk = Gallery(shown=[picture])
    memory = play(program, factory, desk, arguments or {}, settled=True)
    found = Matrices(program, memory)
    return found.fixed(_INPUT), found.fixed(_OUTPUT)


def compare_pictures(
    program: Program,
    factory: ExecutorFactory,
    reference: Callable[[np.ndarray], np.ndarray],
    pictures: Sequence[np.ndarray],
    counted: Callable[[], None] = lambda: None,
) -> Comparison:
    """Compare what a picture's network makes of ``pictures`` with what ``reference`` makes of the
    same inputs (n, inputs); ``counted`` is called after each.

    Raises ValidationError, also if the program saw nothing in any of them.
    """
    tally = Tally()
    for picture in pictures:
        inputs, outputs = look(program, factory, picture)
        if inputs.size and outputs.size:
            try:
                wanted = reference(inputs)
            except ValueError as error:  # NumPy's, of a product
                raise ValidationError(
                    f"the network is shown {inputs.shape[1]} numbers, the reference takes other "
                    f"ones ({error})"
                ) from error
            tally.add(outputs, wanted)
        counted()
    if not tally.rows:
        raise ValidationError("the network was shown nothing: did its program refuse the pictures?")
    return tally.result()


def some_pictures(count: int, seed: int) -> list[np.ndarray]:
    """Pictures of noise in large and small squares, drawn by chance: the same for a seed."""
    rng = np.random.default_rng(seed)
    found = []
    for _ in range(count):
        rows, columns = rng.integers(4, 17, 2)
        small = rng.integers(0, 256, (rows, columns, 4), np.uint8)
        small[..., 3] = 255
        by = int(rng.integers(1, 5))
        found.append(np.repeat(np.repeat(small, by, axis=0), by, axis=1))
    return found


# ---- digits --------------------------------------------------------------------------------------

#: How an app that reads digits takes 8 x 8 cells as they are.
CELLS: Mapping[str, Scalar] = {"cells": True}


def reads_digits(program: Program) -> bool:
    """Whether a program takes the cells of digits as they are, as the app ``digits`` does."""
    return sees(program) and any(arg.name in CELLS for arg in program.meta.args)


def cells_as_picture(cells: np.ndarray) -> np.ndarray:
    """Shares of ink, 0 to 1 (rows, columns), as a picture: black ink on white paper."""
    shades = 255 - np.rint(np.asarray(cells, np.float64) * 255).astype(np.uint8)
    picture = np.full((*shades.shape, 4), 255, np.uint8)
    picture[..., :3] = shades[..., None]
    return picture
