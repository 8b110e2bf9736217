from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pxos.shell.lexer import Text, Variable, Word, lex
from pxos.shell.syntax import (
    Chain,
    Command,
    Incomplete,
    Item,
    Line,
    Pipeline,
    Redirect,
    SyntaxProblem,
    line_and_column,
    parse,
    point_at,
    quote,
    unparse,
)

LANGUAGE = st.text(st.sampled_from("ab1 .*?[]~#'\"\\$&|;<>\n\t{}=-é\0"), max_size=40)


def bare(text: str) -> Word:
    return Word((Text(text, False),))


def command(*words: str, redirects: tuple[Redirect, ...] = ()) -> Command:
    return Command(tuple(map(bare, words)), redirects)


def only(text: str) -> Command:
    (item,) = parse(text).items
    (pipeline,) = item.chain.pipelines
    (found,) = pipeline.commands
    return found


def test_pipeline_of_apps() -> None:
    tree = parse("photo.jpg | blur 3 | edges > out.png")
    out = Redirect(">", bare("out.png"))
    assert tree == Line(
        (
            Item(
                Chain(
                    (
                        Pipeline(
                            (
                                command("photo.jpg"),
                                command("blur", "3"),
                                command("edges", redirects=(out,)),
                            )
                        ),
                    ),
                    (),
                ),
                False,
            ),
        )
    )


def test_positions_count_characters() -> None:
    found = only("  blur  'a b' > x ")
    assert [(w.start, w.end) for w in found.words] == [(2, 6), (8, 13)]
    assert (found.redirects[0].start, found.redirects[0].end) == (14, 17)
    assert (found.start, found.end) == (2, 17)


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("a\\ b", (Text("a", False), Text(" ", True), Text("b", False))),
        ("'a $x'", (Text("a $x", True),)),
        ('"a $x\\""', (Text("a ", True), Variable("x"), Text('"', True))),
        ("''", (Text("", True),)),
        ("a''b", (Text("a", False), Text("", True), Text("b", False))),
        ("$?", (Variable("?"),)),
        ("${ab}c", (Variable("ab"), Text("c", False))),
        ("$12", (Variable("1"), Text("2", False))),
        ("a$", (Text("a$", False),)),
        ("a#b", (Text("a#b", False),)),
        ("a\\\nb", (Text("ab", False),)),
        ("'a\nb'", (Text("a\nb", True),)),
        ("größe", (Text("größe", False),)),
    ],
)
def test_words(text: str, parts: tuple) -> None:
    assert only(text).words[0].parts == parts


def test_operators_bind() -> None:
    line = parse("a && b || c & d; e | f")
    first, second, third = line.items
    assert first.chain.operators == ("&&", "||")
    assert first.background
    assert not second.background
    assert len(third.chain.pipelines[0].commands) == 2


def test_newlines_end_items_but_not_after_an_operator() -> None:
    assert len(parse("a\n\n# comment\nb # more\n").items) == 2
    assert parse("a |\n  b &&\nc") == parse("a | b && c")


@pytest.mark.parametrize("text", ["", "  \n ", "# only a comment"])
def test_nothing_is_a_line_of_nothing(text: str) -> None:
    assert parse(text) == Line(())


@pytest.mark.parametrize(
    ("text", "what", "where"),
    [
        ("| a", "nothing before |", (0, 1)),
        ("a ; ; b", "nothing before ;", (4, 5)),
        ("a | | b", "nothing before |", (4, 5)),
        ("a &&\n; b", "nothing before ;", (5, 6)),
        ("a >", "no file after >", (2, 3)),
        ("a > | b", "no file after >", (2, 3)),
        ("> x", "nothing to write", (0, 3)),
        ("a > x > y", "a second >", (6, 9)),
        ("a > x >> y", "a second >>", (6, 10)),
        ("a < x < y", "a second <", (6, 9)),
        ("a > x | b", "> before a |", (2, 5)),
        ("a | b < x", "< behind a |", (6, 9)),
        ("a\0b", "a NUL character", (1, 2)),
        ("${a-}", "${ without a name and }", (0, 3)),
    ],
)
def test_problems_say_where(text: str, what: str, where: tuple[int, int]) -> None:
    with pytest.raises(SyntaxProblem) as caught:
        parse(text)
    assert caught.value.what == what
    assert (caught.value.start, caught.value.end) == where
    assert caught.value.advice
    assert not isinstance(caught.value, Incomplete)


@pytest.mark.parametrize(
    "text", ["'a", 'a "b', "a |", "a && ", "a ||\n", "a \\", "${", "${ab", "a > 'x"]
)
def test_unfinished_lines_want_more(text: str) -> None:
    with pytest.raises(Incomplete):
        parse(text)


@given(LANGUAGE)
@settings(max_examples=400, deadline=None)
def test_any_text_parses_or_has_a_problem_and_prints_back(text: str) -> None:
    tokens = lex(text).tokens
    assert all(a.end <= b.start for a, b in pairwise(tokens))
    assert all(0 <= t.start < t.end <= len(text) for t in tokens)
    found: Line | SyntaxProblem
    try:
        found = parse(text)
    except SyntaxProblem as problem:
        found = problem
    if isinstance(found, Line):
        assert parse(unparse(found)) == found
    else:
        assert 0 <= found.start <= found.end <= len(text)
        assert found.what
        assert len(point_at(text, found.start, found.end)) == 2


PARTS = st.one_of(
    st.builds(
        Text, st.text(st.sampled_from("abz09_.*?[]~-={}/"), min_size=1, max_size=4), st.just(False)
    ),
    st.builds(Text, st.text(st.sampled_from("a é'\"\\$#|&;<>\n\t*~"), max_size=4), st.just(True)),
    st.builds(Variable, st.sampled_from(["?", "1", "name", "_x9"])),
)


def merged(parts: list) -> tuple:
    """No two neighbouring texts of one sort: the form that the lexer gives."""
    kept: list = []
    for part in parts:
        if (
            kept
            and isinstance(part, Text)
            and isinstance(kept[-1], Text)
            and kept[-1].quoted == part.quoted
        ):
            kept[-1] = Text(kept[-1].text + part.text, part.quoted)
        else:
            kept.append(part)
    return tuple(kept)


WORDS = st.builds(lambda parts: Word(merged(parts)), st.lists(PARTS, min_size=1, max_size=4))
PLAIN = st.builds(lambda words: Command(tuple(words), ()), st.lists(WORDS, min_size=1, max_size=3))
PIPELINES = st.builds(
    lambda commands: Pipeline(tuple(commands)), st.lists(PLAIN, min_size=1, max_size=3)
)
CHAINS = st.lists(PIPELINES, min_size=1, max_size=3).flatmap(
    lambda pipelines: st.lists(
        st.sampled_from(["&&", "||"]), min_size=len(pipelines) - 1, max_size=len(pipelines) - 1
    ).map(lambda operators: Chain(tuple(pipelines), tuple(operators)))
)
LINES = st.builds(
    lambda items: Line(tuple(items)), st.lists(st.builds(Item, CHAINS, st.booleans()), max_size=3)
)


@given(LINES)
@settings(max_examples=100, deadline=None)
def test_every_tree_prints_as_text_that_parses_to_it(tree: Line) -> None:
    assert parse(unparse(tree)) == tree


@given(st.text(st.characters(exclude_characters="\0")))
@settings(max_examples=200, deadline=None)
def test_quote_makes_one_word(text: str) -> None:
    (word,) = only("echo " + quote(text)).words[1:]
    assert word.plain == text


def test_quote_leaves_simple_names() -> None:
    assert quote("photo-1.jpg") == "photo-1.jpg"
    assert quote("my photo.jpg") == "'my photo.jpg'"
    assert quote("*.jpg") == "'*.jpg'"
    assert quote("~") == "'~'"


def test_places() -> None:
    text = "ab\ncd ef"
    assert line_and_column(text, 0) == (1, 1)
    assert line_and_column(text, 6) == (2, 4)
    assert point_at(text, 6, 8) == ["cd ef", "   ^^"]
