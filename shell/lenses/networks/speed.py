"""How fast a picture writes, beside the float32 NumPy loop of the same network, in the same run."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import islice

import numpy as np

from ....kernel.machine.meta import Scalar
from ....kernel.machine.ports import Message, Refused, Wait
from ....kernel.machine.program import Program
from .description import Transformer
from .reference import HeadByHead, Reference
from .validate import Desk, ExecutorFactory, ValidationError, picture_logits, play

#: Seconds since some moment: lenses read no clock themselves.
Clock = Callable[[], float]

#: Seconds below which nothing is believed.
LEAST = 1e-9


@dataclass(frozen=True, slots=True)
class Speed:
    """Tokens a second of a picture and of NumPy float32 (``numpy_...``).

    ``starting``: the first ones, one after the other, with all that an executor does only once.
    ``writing``: the later half of them.  ``numpy_heads``: the same by a loop over the heads.
    ``reading``: a whole context in one pass.
    """

    starting: float
    writing: float
    reading: float
    numpy_starting: float
    numpy_writing: float
    numpy_heads: float
    numpy_reading: float


def measure(
    program: Program,
    factory: ExecutorFactory,
    network: Transformer,
    text: bytes,
    clock: Clock,
    *,
    count: int = 100,
    rounds: int = 3,
) -> Speed:
    """Measure an emitted app and its reference in turn, the best of ``rounds`` each.

    ``text``: at least five contexts long.  A token's time is what passes until the next one:
    starting is the mean of ``count`` tokens after the first, writing that of the later half of
    these.  Reading is the later four of five passes of a full context.  Raises ValidationError for
    too short a text or a network without vocabulary.
    """
    if network.vocabulary is None:
        raise ValidationError("the network has no vocabulary: its picture takes no text")
    size = network.context
    tokens = np.array([network.vocabulary.find(byte) for byte in text], np.int64)
    known = tokens >= 0
    tokens = tokens[known][: 5 * size]
    if len(tokens) < 5 * size:
        raise ValidationError(f"{len(tokens)} known characters, {5 * size} are needed")
    known_text = bytes(network.vocabulary[token] for token in tokens)
    prompt = tokens[: min(8, size)]
    reference, heads = Reference(network), HeadByHead(network)

    def written() -> list[float]:
        desk = _Stopwatch(clock)
        start = known_text[: len(prompt)].decode("latin-1")
        settings: dict[str, Scalar] = {"prompt": start, "tokens": count + 1, "temperature": 0.0}
        play(program, factory, desk, settings)
        return _means(desk.times[1 : count + 2])  # before is the prompt, behind a line's end

    def looped(peer: Reference) -> Callable[[], list[float]]:
        return lambda: _means([clock() for _ in islice(peer.stream(prompt), count + 1)])

    ways = written, looped(reference), looped(heads)
    picture, together, apart = _best_in_turn(ways, rounds)

    def timed(work: Callable[[], object]) -> Callable[[], list[float]]:
        def run() -> list[float]:
            start = clock()
            work()
            return [clock() - start]

        return run

    passes = (
        timed(lambda: picture_logits(program, factory, known_text)),
        timed(lambda: picture_logits(program, factory, known_text[:size])),
        timed(lambda: reference.logits(tokens[:size])),
    )
    five, one, looked = (found[0] for found in _best_in_turn(passes, rounds))
    return Speed(
        starting=1 / picture[0],
        writing=1 / picture[1],
        reading=4 * size / max(five - one, LEAST),
        numpy_starting=1 / together[0],
        numpy_writing=1 / together[1],
        numpy_heads=1 / apart[1],
        numpy_reading=size / looked,
    )


class _Stopwatch(Desk):
    """A desk that notes when each text is written."""

    def __init__(self, clock: Clock) -> None:
        super().__init__()
        self.times: list[float] = []
        self._clock = clock

    def write(self, letter: str, message: Message, selector: Message) -> Wait | Refused | None:
        """As any desk, and the time."""
        if letter == "t":
            self.times.append(self._clock())
        return super().write(letter, message, selector)


def _means(times: list[float]) -> list[float]:
    """Seconds a token of all, and of the later half."""
    steps = np.diff(times)
    return [float(steps.mean()), float(steps[len(steps) // 2 :].mean())]


def _best_in_turn(ways: Sequence[Callable[[], list[float]]], rounds: int) -> list[list[float]]:
    """The least of each figure of each way, which take turns ``rounds`` times."""
    found = np.array([[way() for way in ways] for _ in range(rounds)])
    least: list[list[float]] = np.maximum(found.min(axis=0), LEAST).tolist()
    return least
