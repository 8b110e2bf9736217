"""How fast a picture writes, beside the float32 NumPy loop of the same network, in the same run."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from ....kernel.machine.program import Program
from .description import Transformer
from .reference import HeadByHead, Reference
from .validate import ExecutorFactory, ValidationError, picture_logits, run

#: Seconds since some moment: lenses read no clock themselves.
Clock = Callable[[], float]


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

    ``text``: at least five contexts long.  Opening the memory, making tables and the first plans
    are subtracted: starting is ``count`` tokens after the first, writing the later half of these,
    reading the later four of five passes of a full context.  Raises ValidationError for too short a
    text or a network without vocabulary.
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
    prompt = known_text[: min(8, size)]
    reference, heads = Reference(network), HeadByHead(network)
    half = count // 2

    def write(many: int) -> None:
        settings = {"prompt": prompt.decode("latin-1"), "tokens": many, "temperature": 0.0}
        run(program, factory, arguments=settings)

    def best(work: Callable[[], object]) -> float:
        seconds = []
        for _ in range(rounds):
            start = clock()
            work()
            seconds.append(clock() - start)
        return max(min(seconds), 1e-9)

    def beyond(long: Callable[[], object], short: Callable[[], object]) -> float:
        return max(best(long) - best(short), 1e-9)

    def loop(peer: Reference, many: int) -> Callable[[], object]:
        return lambda: peer.generate(tokens[: len(prompt)], many)

    return Speed(
        starting=count / beyond(lambda: write(count + 1), lambda: write(1)),
        writing=half / beyond(lambda: write(2 * half + 1), lambda: write(half + 1)),
        numpy_starting=count / best(loop(reference, count)),
        numpy_writing=half / beyond(loop(reference, 2 * half), loop(reference, half)),
        numpy_heads=half / beyond(loop(heads, 2 * half), loop(heads, half)),
        reading=4
        * size
        / beyond(
            lambda: picture_logits(program, factory, known_text),
            lambda: picture_logits(program, factory, known_text[:size]),
        ),
        numpy_reading=size / best(lambda: reference.logits(tokens[:size])),
    )
