from __future__ import annotations

import numpy as np
import pytest

from pxos.kernel.arguments import UsageError, answer, parse_args, usage
from pxos.kernel.machine.meta import Arg, Meta

META = Meta(
    title="Paint",
    args=(
        Arg("radius", "int", default=3, min=1, max=50),
        Arg("gain", "number", default=1.0),
        Arg("mode", "choice", choices=("add", "over")),
        Arg("label", "text", default=""),
        Arg("wrap", "flag", default=False),
    ),
)


def values(*words: str) -> list[object]:
    return [value.value for value in parse_args(META, words)]


def test_positions_names_and_flags() -> None:
    assert values("7", "0.5", "over", "hi", "--wrap") == [7, 0.5, "over", "hi", True]
    assert values("--mode=add") == [3, 1.0, "add", "", False]
    assert values("--wrap", "--mode", "add", "9") == [9, 1.0, "add", "", True]
    assert values("--mode", "add", "--", "5", "-2", "--x") == [5, -2.0, "add", "--x", False]
    assert values("5", "-2.5", "over") == [5, -2.5, "over", "", False]
    assert values("--wrap=no", "--mode=add")[4] is False


@pytest.mark.parametrize(
    ("words", "says"),
    [
        ([], "mode is missing"),
        (["0", "1", "add"], "radius is 1 to 50, not 0"),
        (["x"], "radius is a whole number, not 'x'"),
        (["1", "nan", "add"], "gain is -32768 to 32767"),
        (["1", "1", "mul"], "mode is one of add, over, not 'mul'"),
        (["1", "1", "add", "a", "b"], "no place for 'b'"),
        (["--depth", "3"], "no argument --depth"),
        (["--mode", "add", "--mode", "add"], "twice"),
        (["--mode"], "--mode needs a value"),
        (["--wrap=maybe", "--mode=add"], "yes or no"),
    ],
)
def test_wrong_words_say_what_and_how(words: list[str], says: str) -> None:
    with pytest.raises(UsageError) as caught:
        parse_args(META, words, "paint")
    assert says in caught.value.what
    assert caught.value.usage == "paint [RADIUS] [GAIN] {add|over} [LABEL] [--wrap]"


def test_usage_takes_the_title() -> None:
    assert usage(META).startswith("Paint [RADIUS]")


def test_what_the_program_reads() -> None:
    given = parse_args(META, ["4", "-0.5", "over", "hé", "--wrap"])
    read = [answer(given, n) for n in range(-1, 6)]
    assert [(m.kind, m.data.tolist()) for m in read] == [
        ("I", [[5]]),
        ("I", [[4]]),
        ("X", [[-32768]]),
        ("I", [[1]]),
        ("T", [list("hé".encode())]),
        ("I", [[1]]),
        ("T", []),
    ]
    assert read[-1].data.shape == (0, 0)
    assert read[1].data.dtype == np.int32
