"""The automata that cut a text, against the regular expressions they stand for."""

from __future__ import annotations

import itertools
import random
import re
import unicodedata

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pxos.shell.lenses.networks.importers import split_rules

#: One character of every class that any expression tells apart.
ALPHABET = "asSrRvleE1 \t\n\r'.\u00a0\u017f\u00e9\u0663"


def shadow(text: str) -> str:
    """The text with every character replaced by an ASCII one that the expressions treat alike.

    Letters that the contractions name stay; so ``\\p{L}`` may be written ``[A-Za-z]``.
    """

    def one(c: str) -> str:
        if c in "\r\n '":
            return c
        if c == "\u017f" or (c.isascii() and c.isalpha()):
            return c
        if unicodedata.category(c)[0] == "L":
            return "x"
        if unicodedata.category(c)[0] == "N":
            return "1"
        if re.match(r"\s", c) and not "\x1c" <= c <= "\x1f":
            return "\t"
        return "."

    return "".join(map(one, text))


def expected(name: str, text: str) -> list[int]:
    pattern = split_rules.PATTERNS[name]
    for short, ascii_class in ((r"\p{L}", "A-Za-z\u017f"), (r"\p{N}", "1")):
        pattern = re.sub(
            r"\[[^]]*\]", lambda m, s=short, a=ascii_class: m[0].replace(s, a), pattern
        ).replace(short, f"[{ascii_class}]")
    found = list(re.finditer(pattern, shadow(text)))
    assert "".join(match[0] for match in found) == shadow(text)
    return [match.start() for match in found]


@pytest.mark.parametrize("name", split_rules.PATTERNS)
def test_every_short_text_over_the_classes(name: str) -> None:
    table = split_rules.rule(name)
    for size in range(5):
        letters = ALPHABET if size < 4 else "asrel1 \t\n'."
        for text in map("".join, itertools.product(letters, repeat=size)):
            assert split_rules.cuts(table, text) == expected(name, text), repr(text)


@pytest.mark.parametrize("name", split_rules.PATTERNS)
def test_long_random_texts_over_the_classes(name: str) -> None:
    table = split_rules.rule(name)
    rng = random.Random(5)
    for _ in range(1500):
        text = "".join(rng.choices(ALPHABET, k=rng.randint(5, 60)))
        assert split_rules.cuts(table, text) == expected(name, text), repr(text)


@pytest.mark.parametrize("name", split_rules.PATTERNS)
@settings(max_examples=200, deadline=None)
@given(st.text(st.characters(exclude_categories=["Cs"]), max_size=40))
def test_any_unicode(name: str, text: str) -> None:
    assert split_rules.cuts(split_rules.rule(name), text) == expected(name, text)


@pytest.mark.parametrize("name", split_rules.PATTERNS)
def test_the_class_of_every_character(name: str) -> None:
    table = split_rules.rule(name)
    by_class: dict[str, set[int]] = {}
    for code in range(0x110000):
        cls = int(table.classes[table.pages[0, code >> 8], code & 255])
        by_class.setdefault(split_rules.kind(code), set()).add(cls)
    for a, b in itertools.combinations(by_class.values(), 2):
        assert not a & b
    assert split_rules.kind(0x1C) == "O"
    assert all(split_rules.kind(ord(c)) == "S" for c in "\x0b\x85\u2003\u3000")


def test_marks_begin_words_where_they_follow_something_else() -> None:
    assert split_rules.cuts(split_rules.rule("marks"), " a  bc\u2581d ") == [0, 2, 6, 8]
    assert split_rules.cuts(split_rules.rule("whole"), " a  bc") == [0]


def test_an_unknown_rule() -> None:
    with pytest.raises(ValueError, match="no rule 'words'"):
        split_rules.rule("words")
