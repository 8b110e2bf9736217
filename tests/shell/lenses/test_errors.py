"""What the assembler says when a source is wrong: place, words, suggestion."""

from __future__ import annotations

import pytest

from pxos.shell.lenses.assembler import AsmError, assemble

from .tools import only, problems


def test_an_error_shows_the_line_a_caret_and_the_nearest_name() -> None:
    source = "photo : P\nx : I\nx = photp + 1\nhalt\n"
    with pytest.raises(AsmError) as caught:
        assemble(source, path="some/blur.pxa")
    error = caught.value
    assert (error.file, error.line, error.column) == ("some/blur.pxa", 3, 5)
    assert error.message == "nothing is called 'photp'"
    assert error.source_line == "x = photp + 1"
    assert error.suggestion == "did you mean photo?"
    assert str(error) == (
        "some/blur.pxa:3:5: nothing is called 'photp'\n"
        "    x = photp + 1\n"
        "        ^\n"
        "    did you mean photo?"
    )


def test_the_caret_stands_under_the_place_behind_tabs() -> None:
    problem = only("x : I\n\t\tx = y\nhalt")
    assert str(problem).split("\n")[1:3] == ["    \t\tx = y", "    \t\t    ^"]


def test_all_mistakes_are_shown_at_once() -> None:
    found = problems("""
        x : I
        x = nothing_1
        x = = 3
        if x { x = nothing_2 } else { x = nothing_3 }
        proc never_called { x = nothing_4 }
        y : Z
        halt
    """)
    assert [(p.line, p.message.split()[-1]) for p in found if "nothing_" in p.message] == [
        (3, "'nothing_1'"), (5, "'nothing_2'"), (5, "'nothing_3'"), (6, "'nothing_4'"),
    ]  # fmt: skip
    assert sorted(p.line for p in found) == [3, 4, 5, 5, 6, 7]


def test_too_many_mistakes_are_cut() -> None:
    assert len(problems("\n".join(f"x{i} = 1" for i in range(100)) + "\nhalt")) == 20


@pytest.mark.parametrize(
    ("source", "line", "column", "message", "suggestion"),
    [
        # names
        ("n : I\nm = 3\nhalt", 2, 1, "nothing is called 'm'", ""),
        ("n : I\nn : X\nhalt", 2, 1, "declared twice", "program.pxa:1"),
        ("CODE : I\nhalt", 1, 1, "machine's own matrix", ""),
        ("TABLE = 3\nhalt", 1, 1, "belongs to the machine", ""),
        ("CODE[0] = 3\nhalt", 1, 1, "CODE cannot be written", "writable CODE"),
        ("w : Q = [1, 2]\nw = 3\nhalt", 2, 1, "quantised and cannot be written", "X"),
        ("if : I\nhalt", 1, 1, "'if' is a word of the language", ""),
        ("const N = 4\nN = 3\nhalt", 2, 1, "'N' is a constant, not a matrix", ""),
        ("n : I\nn = f.x\nhalt", 2, 6, "only a proc has names of its own", ""),
        ("n : I\nn = p.y\ncall p\nhalt\nproc p { z : I\n z = 1 }", 2, 6, "p has no matrix 'y'", ""),
        # labels and blocks
        ("loop_1:\ngoto lop_1\n", 2, 6, "there is no label 'lop_1'", "loop_1"),
        ("a:\na:\ngoto a", 2, 1, "label 'a' stands here twice", "program.pxa:1"),
        ("n : I\nwhile n {\nn = 1\nhalt", 2, 9, "this '{' is never closed", ""),
        ("halt\n}", 2, 1, "'}' closes nothing", ""),
        ("break\nhalt", 1, 1, "break stands outside any loop", ""),
        ("n : I\nif n n = 3\nhalt", 2, 6, "expected '{' or 'goto', found 'n'", ""),
        ("n : I\nif n { n = 1 }\nelse { n = 2 }\nhalt", 3, 1, "on the same line", ""),
        ("n : I\nfor i in 0..9 step 0 { n = i }\nhalt", 2, 1, "a step of 0", ""),
        ("n : I\nif n { title \"x\" }\nhalt", 2, 8, "top of a file only", ""),
        # expressions
        ("n : I\nn = 1 +\nhalt", 2, 8, "expected a value, found the end of the line", ""),
        ("n : I\nn = (1 + 2\nhalt", 3, 1, "to close the parenthesis", ""),
        ("n : I\nn = 1 < n < 2\nhalt", 2, 11, "cannot be chained", "and"),
        ("n : I\nn = relw(n)\nhalt", 2, 5, "no function 'relw'", "relu"),
        ("n : I\nn = max(n)\nhalt", 2, 5, "no function 'max'", ""),
        ("n : I\nn = argmax(n, n)\nhalt", 2, 5, "takes 1 argument, not 2", "d = argmax(a)"),
        ("n : I\nn = iota(n, n, n)\nhalt", 2, 5, "iota() takes 2 or 1 arguments, not 3", ""),
        ("n : I\nn = put(n, n, n)\nhalt", 2, 5, "changes what is there", "statement"),
        ("n : I\nargmax(n)\nhalt", 2, 1, "takes 2 operands, not 1", "d = argmax(...)"),
        ("n : I\nput(n, 1)\nhalt", 2, 1, "takes 3 operands, not 2", "put(d, a, i)"),
        ("n : I\nrelu(n, 1)\nhalt", 2, 1, "takes 3 operands", "d = relu(...)"),
        ("n : I\nsum(n)\nhalt", 2, 1, "is a value and changes nothing", "d = sum(...)"),
        ("n : I\nputt(n, 1, 2)\nhalt", 2, 1, "no instruction or macro 'putt'", "put"),
        ("n : I\nn = n[1, 2]\nhalt", 2, 6, "a[i] takes one position", "rows"),
        ("n : I\nn[1] *= 2\nhalt", 2, 1, "d[i] *= is not one instruction", ""),
        ("n : I\nn[where n] += 2\nhalt", 2, 1, "is not one instruction", ""),
        ("n : I\nn = where n\nhalt", 2, 5, "'where' stands only in", ""),
        ("n : I\nn = fold_rows(n, 'Z)\nhalt", 2, 18, "no selector 'Z'", "'A"),
        ("n : I\nn = 'k\\q\nhalt", 2, 7, "unexpected character", ""),
        ("n : I\nn = '\\q\nhalt", 2, 5, "unknown escape \\q", "\\n"),
        ("t : T = \"abc\nhalt", 1, 9, "the string is not closed", ""),
        ("n : I\nn = 1 // 0\nhalt", 2, 7, "division by zero", ""),
        ("n : I\nn = 40000 * 40000 * 4\nhalt", 2, 19, "does not fit 32 bits", ""),
        ("x : X\nx = 40000.5\nhalt", 2, 5, "does not fit fixed point", ""),
        ("const A = B\nconst B = A\nn : I\nn = A\nhalt", 1, 7, "depends on itself", ""),
        ("n : I\nn = " + "9" * 99 + "\nhalt", 2, 5, "more than 60 digits", ""),
        ("n : I\nn = " + "(" * 99 + "n" + ")" * 99 + "\nhalt", 2, 65, "nested deeper", ""),
        ("n : I\nn == 3\nhalt", 2, 3, "expected '=' or a call, found '=='", ""),
        ("pic : P\npic = 3\nhalt", 2, 7, "a picture cannot be a number", "fill(pic"),
        # ports
        ("n : I\nn = in(keys)\nhalt", 2, 8, "'keys' is used but not asked for", "ports keys"),
        ("ports keys\nn : I\nn = in(kees)\nhalt", 3, 8, "there is no port 'kees'", "keys"),
        ("ports kees\nhalt", 1, 7, "there is no port 'kees'", "keys"),
        ("n : I\nn = in('z)\nhalt", 2, 8, "there is no port 'z'", "'k keys"),
        ("ports keys\nn : I\nn = wait(\"kz\")\nhalt", 3, 10, "there is no port 'z'", ""),
        # raw
        ("n : I\nA n n\nhalt", 2, 1, "A Add takes 3 operands, not 2", "A d a b"),
        ("n : I\n!Y n n\nhalt", 2, 1, "no instruction has the character 'Y'", ""),
        ("n : I\nA n m 0\nhalt", 2, 5, "nothing is called 'm'", ""),
        ("n : I\nA n n {}\nhalt", 2, 1, "takes 3 operands, not 2", ""),
        # views
        ("n : I\nview n = n[0, 0, 1, 1]\nhalt", 2, 6, "declared I, a view is V", "n : V"),
        ("n : I\nview v = n[0, 0]\nhalt", 2, 11, "[row, column, rows, columns]", "-1"),
        ("n : I\nview v = n[0, 0, 1, 1] as Z\nhalt", 2, 27, "seen as 'Z'", ""),
        ("v : V 3x3\nhalt", 1, 1, "a view has no shape", "view v ="),
        # declarations and data
        ("n : Z\nhalt", 1, 5, "there is no kind 'Z'", "I integer"),
        ("n : I 2x2 laef 3\nhalt", 1, 11, "unexpected 'laef'", "leaf"),
        ("n : I 2x2 = [1, 2, 3]\nhalt", 1, 13, "the data are 1x3, the shape says 2x2", ""),
        ("n : I = [1, 2; 3]\nhalt", 1, 16, "this row has 1 elements, the first has 2", ""),
        ("n : I = 1.5\nhalt", 1, 9, "1.5 is no integer", "X"),
        ("n : T = [300]\nhalt", 1, 9, "bytes are 0..255", ""),
        ("n : X = \"text\" + 1\nhalt", 1, 16, "is no data", ""),
        ("n : I = file(\"gone.npy\")\nhalt", 1, 14, "there is no file 'gone.npy'", ""),
        ("n : I = [1 ; a comment\n]\nhalt", 1, 16, "expected ',' or ']', found 'comment'", ";;"),
        ("n : Q\nhalt", 1, 1, "needs data", ""),
        ("n : I scale 2 = 1\nhalt", 1, 1, "scale and offset belong to quantised", ""),
        ("n : I = fill(1)\nhalt", 1, 9, "fill(v) needs a shape", ""),
        ("n : I cap 1 = [1, 2, 3]\nhalt", 1, 11, "the capacity must be a whole number of 3..", ""),
        ("n : I 0xff\nhalt", 1, 7, "'0xff' is no shape", ""),
        # the whole
        ("n : I\nn = 1\n", 2, 1, "runs on past its last statement", "halt"),
        ("n : I\nif n { halt }\n", 2, 8, "runs on past its last statement", "halt"),
        ("n : I\n", 1, 1, "has no instructions", "halt"),
        ("title \"a\"\ntitle \"b\"\nhalt", 2, 1, "title stands here twice", "line 1"),
        ("titel \"a\"\nhalt", 1, 1, "'titel' is no statement", "title"),
        ("title x\nhalt", 1, 7, "expected the title in quotes, found 'x'", ""),
        ("size 10\nhalt", 1, 6, "rows x columns", ""),
        ("width 100\nhalt", 1, 7, "cannot be 100 pixels wide", "64"),
        ("stack -1\nhalt", 1, 7, "the call stack must be a whole number", ""),
        ("arg n inti = 3\nhalt", 1, 7, "no kind of argument 'inti'", "int"),
        ("arg n int = 3 in 4..5\nhalt", 1, 1, "3 is no int it allows", ""),
        ("arg n int = 1\narg n int = 1\nhalt", 2, 1, "two arguments are called 'n'", ""),
        ("arg n flag = 3\nhalt", 1, 14, "a flag is true or false", ""),
        ("include \"gone.pxi\"\nhalt", 1, 1, "there is no file 'gone.pxi'", ""),
        ("writable META\nhalt", 1, 10, "only CODE", ""),
        # macros
        ("macro m(a, a) { }\nhalt", 1, 12, "two parameters are called 'a'", ""),
        ("macro sum(a) { }\nhalt", 1, 7, "'sum' is an instruction already", ""),
        ("macro m(a) = a\nn : I\nn = m(1, 2)\nhalt", 3, 5, "m() takes 1 arguments, not 2", "m(a)"),
        ("macro m(a) = a\nn : I\nm(n)\nhalt", 3, 1, "is a value and changes nothing", "d = m(...)"),
        ("macro m(a) { a = 1 }\nn : I\nn = m(n)\nhalt", 3, 5, "is a statement", ""),
        ("macro m(a) { a = 1 }\nm(3)\nhalt", 2, 3, "expected the name of a matrix", ""),
        ("macro m(a) { a : I }\nhalt", 1, 14, "'a' is a parameter already", ""),
        ("macro m(a) = m(a) + 1\nn : I\nn = m(n)\nhalt", 1, 14, "expand deeper than 40", "itself"),
        ("proc p { halt }\nn : I\np(n)\nhalt", 3, 1, "'p' is a proc", "call p"),
    ],
)  # fmt: skip
def test_a_mistake(source: str, line: int, column: int, message: str, suggestion: str) -> None:
    problem = problems(source)[0]
    assert message in problem.message
    assert (problem.line, problem.column) == (line, column), problem
    assert suggestion in problem.suggestion


def test_a_mistake_in_a_macro_says_where_it_was_used() -> None:
    problem = only("n : I\nmacro m(a) {\n  a = missing\n}\n\nm(n)\nhalt")
    assert (problem.line, problem.column) == (3, 7)
    assert "in m, used at program.pxa:6" in problem.message


def test_too_many_matrices_are_counted() -> None:
    source = "\n".join(f"m{i} : I = {i}" for i in range(186)) + "\nm0 = m1 + 1000 + m2\nhalt"
    problem = only(source)
    assert (
        "can name 187 matrices, this program needs 188: 186 declared, 1 constants"
        in problem.message
    )
    assert "1 temporaries" in problem.message
    assert "far" in problem.suggestion


def test_code_that_only_hides_behind_a_loop_that_never_ends_is_fine() -> None:
    assemble("n : I\nloop { n += 1 }")


def test_a_source_that_is_no_text() -> None:
    problem = only('include "x.pxi"\nhalt', read_file=lambda path: b"\xff\xfe")
    assert "no UTF-8" in problem.message


@pytest.mark.parametrize(
    "source",
    [
        "n : I\nn = " + " + ".join(["n"] * 3000) + "\nhalt",
        "n : I\nn = n" + "[0]" * 3000 + "\nhalt",
        "n : I = " + " + ".join(["1"] * 3000) + "\nhalt",
        "n : I\n" + "if n {\n" * 59 + "n = 1\n" + "}\n" * 59 + "halt",
        "n : I\n" + "if n { n = 1\n} else " * 3000 + "{ n = 2 }\nhalt",
        "n : I\n" + "if n {\n" * 3000,
        "n : I = " + "[" * 3000,
        "n : I\nn = " + "-" * 3000 + "n\nhalt",
        "n : I\nn = " + "not " * 3000 + "n\nhalt",
    ],
    ids=range(9),
)
def test_nothing_is_too_deep_to_be_answered(source: str) -> None:
    """Either it assembles, or it is said that it is too deep; never a RecursionError."""
    found: list[str] = []
    try:
        assemble(source)
    except AsmError as error:
        found = [problem.message for problem in error.problems]
    assert all("deep" in message or "never closed" in message for message in found)


@pytest.mark.parametrize("name", ["", "a/b/c", "x\0y", "."])
def test_names_that_are_no_files(name: str) -> None:
    problem = only(f'm : I = file("{name}")\nhalt'.replace("\0", "\\0"))
    assert "file" in problem.message or "cannot read" in problem.message
