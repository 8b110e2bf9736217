"""Every example of docs/assembler.md assembles, and the tables name what there is."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from pxos.kernel.machine.isa import KINDS, RESERVED
from pxos.shell.lenses.assembler import constants, data, functions
from pxos.shell.lenses.assembler import program as assembly
from pxos.shell.lenses.assembler.parser import DIRECTIVES

from .tools import instructions, problems

PAGE = Path(__file__).resolve().parents[3].joinpath("docs", "assembler.md").read_text("utf-8")
EXAMPLES = re.findall(r"```(pxa(?:-part)?)\n(.*?)```", PAGE, re.DOTALL)

#: What the fragments of the page take for granted.
AROUND = """
ports screen keys frame
a : I 1x100
b : I
c : I
i : I = 2
n : I
x : X = 1.5
y : X
h : X
w : X = [2.0]
t : T
s : I
pic : P 64x64
sprite : P 4x4
rect : I = [0, 0, 1, 1]
"""


@pytest.mark.parametrize("example", EXAMPLES, ids=range(len(EXAMPLES)))
def test_an_example_assembles(example: tuple[str, str]) -> None:
    kind, text = example
    source = text if kind == "pxa" else f"{AROUND}{text}\nhalt\nproc double {{ n *= 2 }}\n"
    assert instructions(source)


def test_the_page_has_its_examples() -> None:
    assert len(EXAMPLES) >= 12


@pytest.mark.parametrize(
    "name",
    sorted(
        {
            *functions.SHORT,
            *functions.SHORT_STATEMENTS,
            *((n, 0) for n in (*data.FUNCTIONS, *DIRECTIVES)),
        }
        | {(n, 0) for n in (*constants.FUNCTIONS, *RESERVED, *KINDS, "vector", "wait", "pi")}
    ),
)
def test_every_name_is_on_the_page(name: tuple[str, int]) -> None:
    assert re.search(rf"\b{name[0]}\b", PAGE), name


def test_the_number_of_matrices_is_on_the_page() -> None:
    assert f"can name {assembly.NEAR_ENTRIES} matrices" in PAGE


#: Rows of the cheat sheet: what is written, and how many instructions it says.
COSTS = [
    ("n = a + b", 1), ("n = 7", 1), ("n = a", 1), ("n += a", 1), ("n = relu(a)", 1),
    ("n = max(a, b)", 1),
    ("n = a > b", 1), ("n = not a", 1), ("n = -a", 1), ("n = a[i]", 1), ("n = rows(a, i)", 1),
    ("n = a <= b", 2), ("n = a >= b", 2), ("n = a <= 3", 1), ("n = a != b", 2), ("n = a and b", 1),
    ("n = a >> 2", 1), ("n = a @ b.T", 1), ("a[i] = n", 1), ("rows(a, i) = n", 1), ("a[i] += n", 1),
    ("a[where c] = n", 1), ("fill(pic, 0)", 1), ("draw(pic, sprite, rect)", 1), ("n = in(keys)", 1),
    ("out(screen, pic)", 1), ("wait(n, keys, frame)", 1), ("view v = pic[0, 0, 1, 1]", 1),
    ("name b = a[i]", 1), ("if c { }", 1), ("if c { n = 1 } else { n = 2 }", 4), ("while c { }", 2),
    ("for k in 0..n { }", 5), ("n = [a, 1, 2; b, 3, 4]", 3), ("call double", 1), ("return", 1),
]  # fmt: skip


@pytest.mark.parametrize(("source", "count"), COSTS)
def test_the_cheat_sheet_counts_right(source: str, count: int) -> None:
    body = instructions(f"{AROUND}{source}\nhalt\nproc double {{ n = 1 }}")
    assert body.index("H 0") == count


def test_the_error_on_the_page_is_the_one_that_comes() -> None:
    shown = re.search(r"## Mistakes.*?```\n(.*?)```", PAGE, re.DOTALL)
    assert shown is not None
    source = "\n" * 4 + "photo : P\nx : P\n    x = photp + 1\nhalt"
    assert str(problems(source, path="blur.pxa")[0]).strip() == shown[1].strip()
