from __future__ import annotations

import numpy as np
import pytest

from pxos.kernel.arguments import UsageError, answer, named, option, parse_args, usage
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


HYPHENS = Meta(
    args=(
        Arg("top_k", "int", default=0, min=0, max=65),
        Arg("keep_alpha", "flag", default=False),
        Arg("a-b", "int", default=0),
        Arg("a_b", "int", default=0),
    ),
)


@pytest.mark.parametrize(
    ("words", "wanted"),
    [
        ("--top-k 5", [5, False, 0, 0]),
        ("--top_k 5", [5, False, 0, 0]),
        ("--top-k=5 --keep-alpha", [5, True, 0, 0]),
        ("--top_k=5 --keep_alpha=yes", [5, True, 0, 0]),
        ("7 --a-b 1 --a_b 2", [7, False, 1, 2]),
    ],
)
def test_underscores_are_hyphens_for_whoever_types(words: str, wanted: list[object]) -> None:
    assert [value.value for value in parse_args(HYPHENS, words.split())] == wanted


@pytest.mark.parametrize(
    ("words", "says"),
    [
        ("--top-k 5 --top_k 6", "--top_k is given twice"),
        ("--top-k", "--top-k needs a value"),
        ("--top-k 66", "top_k is 0 to 65, not 66"),
        ("--keep-alpha=maybe", "--keep-alpha is yes or no"),
        ("--topk 5", "it takes --top-k, --keep-alpha, --a-b"),
    ],
)
def test_mistakes_are_told_by_what_can_be_typed(words: str, says: str) -> None:
    with pytest.raises(UsageError) as caught:
        parse_args(HYPHENS, words.split(), "paint")
    assert says in caught.value.what


def test_arguments_are_found_by_what_is_typed() -> None:
    assert [named(HYPHENS, word) for word in ("--top-k", "--top_k", "--top-k=3", "--top")] == [
        *[HYPHENS.args[0]] * 3,
        None,
    ]
    assert named(HYPHENS, "--a_b") is HYPHENS.args[3]
    assert [option(arg) for arg in HYPHENS.args] == ["--top-k", "--keep-alpha", "--a-b", "--a-b"]


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
