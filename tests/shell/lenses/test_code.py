"""What sugar becomes: exactly these instructions."""

from __future__ import annotations

import pytest

from pxos.kernel.machine.isa import ROWS
from pxos.shell.lenses.assembler import assemble
from pxos.shell.lenses.assembler.functions import BY_NAME, SHORT, SHORT_STATEMENTS, function_name

from .tools import instructions

NAMES = """
ports screen keys frame picture
a : I 1x100
b : I
c : I
i : I
n : I
s : I
t : T
x : X
y : X
w : X = [2.0]
q : Q = [1.5, 2.0]
h : X
pic : P 8x8
v : V
"""


def code(body: str) -> list[str]:
    return instructions(NAMES + body + "\nhalt")[:-1]


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("h = relu(x @ w + y)", ["M ~X0 x w", "A ~X0 ~X0 y", "R h ~X0 0"]),
        ("n = a - b * c", ["* ~I0 b c", "- n a ~I0"]),
        ("n = (a - b) * (c - i)", ["- ~I0 a b", "- ~I1 c i", "* n ~I0 ~I1"]),
        ("n = a / b // c % i", ["/ ~I0 a b", "/ ~I0 ~I0 c", "% n ~I0 i"]),
        ("n = a & b | c ^ i", ["& ~I0 a b", "^ ~I1 c i", "| n ~I0 ~I1"]),
        ("n = a << 3", ["S n a 3"]),
        ("n = a >> 3", ["S n a -3"]),
        ("n = a >> b", ["- ~I0 0 b", "S n a ~I0"]),
        ("n = a @ b.T", ["m n a b"]),
        ("n = a.T", ["T n a"]),
        ("n = -a", ["- n 0 a"]),
        ("n = not a", ["= n a 0"]),
        ("n = a < b", ["< n a b"]),
        ("n = a > b", ["< n b a"]),
        ("n = a == b", ["= n a b"]),
        ("n = a != b", ["= ~I0 a b", "= n ~I0 0"]),
        ("n = a <= b", ["< ~I0 b a", "= n ~I0 0"]),
        ("n = a >= b", ["< ~I0 a b", "= n ~I0 0"]),
        ("n = a <= 5", ["< n a 6"]),
        ("n = a >= 5", ["< n 4 a"]),
        ("n = 5 <= a", ["< n 4 a"]),
        ("n = 5 >= a", ["< n a 6"]),
        ("n = x <= 5", ["< ~I0 5 x", "= n ~I0 0"]),
        ("n = not (a < 5)", ["< n 4 a"]),
        ("n = not (a != b)", ["= n a b"]),
        ("n = a and b or c", ["_ ~I0 a b", "R n ~I0 c"]),
        ("n = b", ["A n b 0"]),
        ("n = 7", ["# n 7"]),
        ("n = -300", ["# n -300"]),
        ("n = 40000", ["A n =40000 0"]),
        ("x = 1.5", ["A x =1.5 0"]),
        ("x = 2.0", ["# x 2"]),
        ("n = 47 + a", ["A n 47 a"]),
        ("n = 48 + a", ["A n =48 a"]),
        ("n = a & 1.0", ["& n a =1"]),
        ('t = "hi"', ['A t ="hi" 0']),
        ("n += 2", ["A n n 2"]),
        ("n -= a + b", ["A ~I0 a b", "- n n ~I0"]),
        ("n >>= 2", ["S n n -2"]),
        ("n @= a", ["M n n a"]),
        ("n = a[i]", ["G n a i"]),
        ("n = rows(a, i)", ["g n a i"]),
        ("a[i] = n + 1", ["A ~I0 n 1", "P a ~I0 i"]),
        ("rows(a, i) = n", ["p a n i"]),
        ("a[i] += 1", ["@ a 1 i"]),
        ("a[where a < 3] = 3", ["< ~I0 a 3", "? a ~I0 3"]),
        ("a[where(a)] = 3", ["w ~I0 a", "P a 3 ~I0"]),
        ("select(a, c, 3)", ["? a c 3"]),
        ("fill(pic, #ff0000)", ["? pic 1 =-16776961"]),
        ("draw(pic, pic, [1, 2])", ["D pic pic =[1x2]"]),
        ("put(a, b, i)", ["P a b i"]),
        ("n = fold_rows(a, 'A)", ["F n a 'A"]),
        ("n = fold_rows(a, 'A')", ["F n a 'A"]),
        ("n = sum(a)", ["F n a 'A"]),
        ("n = col_max(a)", ["f n a 'R"]),
        ("n = shape(a)", ["$ n a 's"]),
        ("n = height(a) * width(a)", ["$ ~I0 a 'r", "$ ~I1 a 'c", "* n ~I0 ~I1"]),
        ("n = iota(5)", ["I n 5 0"]),
        ("n = iota(5, a)", ["I n 5 a"]),
        ("n = max(a, b)", ["R n a b"]),
        ("n = relu(a, b)", ["R n a b"]),
        ("n = in(keys)", ["[ n 'k 0"]),
        ("n = in('k)", ["[ n 'k 0"]),
        ("pic = in(picture, 1)", ["[ pic 'p 1"]),
        ("out(screen, pic)", ["] pic 's 0"]),
        ("out('s, pic, n)", ["] pic 's n"]),
        ("wait(n, keys, frame)", ['W n ="kv"']),
        ('n = wait("kv")', ['W n ="kv"']),
        ("n = [a, b]", [", n a b"]),
        ("n = [a, 1, 2, b]", [", ~I0 a =[1x2]", ", n ~I0 b"]),
        ("n = vector(1, a, 2)", [", ~I0 1 a", ", n ~I0 2"]),
        ("n = [a, 1; 2, b]", [", ~I0 a 1", ", ~I1 2 b", "; n ~I0 ~I1"]),
        ("n = [a; b]", ["; n a b"]),
        ("view v = pic[0, 0, -1, -1]", ["V v pic =[1x4]"]),
        ("view v = pic[0, n, 2, 2]", [", ~I0 0 n", ", ~I0 ~I0 =[1x2]", "V v pic ~I0"]),
        ("view v = pic as T", ["V v pic =[1x7]"]),
        ("view v = pic at s", ["V v pic s"]),
        ("name n = a[i]", ["N n a i"]),
        ("name n = a", ["N n a 0"]),
        ("n = SYS[0]", ["G n SYS 0"]),
        ("A n a b", ["A n a b"]),
        ("_ n a b", ["_ n a b"]),
        ("- n 0 a", ["- n 0 a"]),
        ("!; a a b", ["; a a b"]),
        ("A n a 1000", ["A n a =1000"]),
        ("[ n 'p 0", ["[ n 'p 0"]),
        ("q x x", ["q x x"]),
        ("word 0x0605c541", ["A -11 a b"]),
    ],
)
def test_sugar(source: str, expected: list[str]) -> None:
    assert code(source) == expected


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("l:\nif a < b goto l", ["< ~I0 a b", "B ~I0 0"]),
        ("l:\nunless a < b goto l", ["< ~I0 a b", "b ~I0 0"]),
        ("l:\nif a <= b goto l", ["< ~I0 b a", "b ~I0 0"]),
        ("l:\nif a != b goto l", ["= ~I0 a b", "b ~I0 0"]),
        ("l:\nif a != 0 goto l", ["B a 0"]),
        ("l:\nif a == 0 goto l", ["b a 0"]),
        ("l:\nif not a goto l", ["b a 0"]),
        ("l:\nif a and b goto l", ["b a 2", "B b 0"]),
        ("l:\nif a or b goto l", ["B a 0", "B b 0"]),
        ("l:\nunless a and b goto l", ["b a 0", "b b 0"]),
        ("l:\nif 1 goto l", ["J 0"]),
        ("l:\nif 0 goto l", []),
        ("if a { n = 1 }", ["b a 2", "# n 1"]),
        ("unless a { n = 1 }", ["B a 2", "# n 1"]),
        ("if a { n = 1 } else { n = 2 }", ["b a 3", "# n 1", "J 4", "# n 2"]),
        (
            "if a { n = 1 } else if b { n = 2 }",
            ["b a 3", "# n 1", "J 5", "b b 5", "# n 2"],
        ),
        ("while a < 3 { n = 1 }", ["J 2", "# n 1", "< ~I0 a 3", "B ~I0 1"]),
        ("loop { break }", ["J 2", "J 0"]),
        ("loop { if a continue\n if b break }", ["B a 0", "B b 3", "J 0"]),
        (
            "for k in 2..n { a[k] = 0 }",
            ["# k 2", "J 4", "P a 0 k", "A k k 1", "< ~I0 k n", "B ~I0 2"],
        ),
        (
            "for k in n..0 step -2 { a[k] = 0 }",
            ["A k n 0", "J 4", "P a 0 k", "A k k -2", "< ~I0 0 k", "B ~I0 2"],
        ),
        ("if a return", ["b a 2", ")"]),
        ("if a halt 3", ["b a 2", "H 3"]),
    ],
)
def test_control(source: str, expected: list[str]) -> None:
    assert code(source) == expected


def test_far_matrices_are_reached_by_name() -> None:
    source = "n : I\ni : I\nf : I far = 1\ng : I far = 2\nname n = f[i]\nname n = g\nhalt"
    assert instructions(source)[:3] == ["A ~I0 =entry of f i", "N n SYS ~I0", "N n SYS =entry of g"]


def test_temporaries_are_shared_by_statements_and_never_alive_twice() -> None:
    program = assemble(
        NAMES + "n = (a + b) * (c + i)\nh = (x + y) * (w + x)\nn = (a + b) * c\nhalt"
    )
    assert [name for name in program.meta.names if name.startswith("~")] == [
        "~I0",
        "~I1",
        "~X0",
        "~X1",
    ]


@pytest.mark.parametrize(
    ("expression", "kind"),
    [
        ("-(a + b)", "I"), ("-(a + x)", "X"), ("-(a * 0.5)", "X"), ("-(x < y)", "I"),
        ("-argmax(x)", "I"), ("-sine(a)", "X"), ("-sqrt(a)", "I"), ("-sqrt(x)", "X"),
        ("-rows(q, i)", "X"), ("-rows(t, i)", "T"), ("-rows(pic, i)", "P"),
        ("-over(pic, pic)", "P"),
        ("-(pic + 1)", "I"), ("-tile(t, pic)", "P"), ("-beside(t, t)", "T"), ("-beside(t, a)", "I"),
        ("-(v + 1)", "X"), ("-beside(pic, 1)", "P"),
    ],
)  # fmt: skip
def test_the_kind_of_a_temporary(expression: str, kind: str) -> None:
    assert code(f"view v = x[0, 0, 1, 1]\nh = {expression}")[-1] == f"- h 0 ~{kind}0"


@pytest.mark.parametrize(
    ("expression", "kind"),
    [("in(picture, 0)", "P"), ("in(keys)", "I"), ("in(text)", "T")],
)
def test_the_kind_of_what_a_port_gives(expression: str, kind: str) -> None:
    lines = instructions(f"ports picture keys text\nn : I\nn = size({expression})\nhalt")
    assert lines[1] == f"$ n ~{kind}0 'n"


def test_a_macro_may_be_given_a_part_of_a_matrix() -> None:
    assert instructions(
        "a : I 1x9\ni : I\nmacro set(d, v) { d = v }\nmacro more(d, i) { d += i }\n"
        "set(a[i], 5)\nmore(a[2], i)\nset(a[where i], 1)\nset(rows(a, i), 1)\nhalt"
    )[:4] == ["P a 5 i", "@ a i 2", "? a i 1", "p a 1 i"]


def test_every_row_can_be_called_by_its_name() -> None:
    operands = {
        "d": "n", "c": "a", "'p": "'k", "'w": "'s", "'o": "'A", "n16": "5", "n24": "5",
    }  # fmt: skip
    for op in ROWS:
        name = function_name(op)
        if name in ("return", "call", "and", "or", "out"):
            continue  # words of the language: their own statement, operator or order
        arguments = [operands.get(operand, "a") for operand in op.operands]
        if op.char in "V":
            arguments[0] = "v"
        if op.char == "H":
            arguments = ["3"]
        line = code(f"{name}({', '.join(arguments)})")[0]
        assert line[0] == op.char, name
        if op.writes and not op.keeps_shape:
            rest = ", ".join(arguments[1:])
            assert code(f"{arguments[0]} = {name}({rest})")[0] == line


def test_short_names_point_at_rows() -> None:
    for row, pattern in (*SHORT.values(), *SHORT_STATEMENTS.values()):
        assert row in BY_NAME
        assert len(pattern) in (len(BY_NAME[row].operands), len(BY_NAME[row].operands) - 1)


def test_equal_constants_share_a_matrix() -> None:
    program = assemble(NAMES + 'n = a + 1000\nn = b + 1000\nx = y * 1000.0\nt = "k"\nt = "k"\nhalt')
    assert [n for n in program.meta.names if n.startswith("=")] == ["=1000", "=1000", '="k"']


def test_the_same_source_gives_the_same_picture() -> None:
    source = NAMES + "h = relu(x @ w + y)\nloop { n = a + 1000 }"
    assert (assemble(source).image == assemble(source).image).all()
