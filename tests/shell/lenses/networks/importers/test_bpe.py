"""The tokeniser in the picture against the plain one, which merges one pair at a time."""

from __future__ import annotations

import random
from dataclasses import replace
from functools import cache

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from pxos.shell.lenses.networks.importers.bpe_tables import pair_table, pushed
from pxos.shell.lenses.networks.importers.tokenisers import Tokeniser

from . import bpe


def unreachable(tokeniser: Tokeniser, *texts: str) -> Tokeniser:
    """With tokens for words that no merges make."""
    pieces = (*tokeniser.pieces, *(text.encode() for text in texts))
    return replace(tokeniser, pieces=pieces, whole_words=True)


@cache
def made(name: str) -> tuple[Tokeniser, bpe.Picture]:
    gpt2 = bpe.train("gpt2", 150)
    llama = bpe.train("llama3", 150)
    tokeniser = {
        "gpt2": lambda: gpt2,
        "gpt2, a space before": lambda: replace(gpt2, prefix="missing"),
        "gpt2, three words at once": lambda: gpt2,
        "gpt2, digits alone": lambda: bpe.train("gpt2-digits", 150),
        "llama3": lambda: llama,
        "llama3, all splits": lambda: bpe.all_splits(llama),
        "digits, shuffled merges": lambda: bpe.all_splits(bpe.train("digits", 150), seed=3),
        "llama3, whole words": lambda: unreachable(llama, " lovely", "sure", "\u6771\u4eac", "zzz"),
        "whole": lambda: bpe.train("whole", 100),
        "no merges": lambda: bpe.train("gpt2", 0),
        "sentencepiece": lambda: bpe.sentencepiece(150),
        "sentencepiece, words across spaces": lambda: bpe.sentencepiece(100, "whole"),
        "sentencepiece, every space": lambda: bpe.sentencepiece(99, "spaces", prefix="missing"),
    }[name]()
    return tokeniser, bpe.Picture(tokeniser, bits=29 if "three" in name else 0)


NAMES = (
    "gpt2",
    "gpt2, a space before",
    "gpt2, three words at once",
    "gpt2, digits alone",
    "llama3",
    "llama3, all splits",
    "digits, shuffled merges",
    "llama3, whole words",
    "whole",
    "no merges",
    "sentencepiece",
    "sentencepiece, words across spaces",
    "sentencepiece, every space",
)
TEXTS = (
    bpe.TEXT,
    "a",
    " ",
    "  the",
    "aaaaaaaaaaaaaaaaaaaaaaa aaaa",
    "They'LL see: it's 12345678\r\n\r\n  lovely sure zzz lovely",
    "\u6771\u4eac \u00e9\u00e9 \U0001f600\U0001f469\u200d\U0001f52c \u2581\u2581x",
    "\u2581x",
    "\x00\x1c\x7f\u0085\u00a0\u3000x",
)


def whole(tokeniser: Tokeniser, text: str) -> bytes:
    """What encoding and decoding makes of a text, before a space is left out."""
    return b"".join(tokeniser.pieces[token] for token in tokeniser.encode(text))


@pytest.mark.parametrize("name", NAMES)
def test_texts_and_their_tokens(name: str) -> None:
    tokeniser, picture = made(name)
    for text in TEXTS:
        tokens, back = picture(text.encode())
        assert tokens == tokeniser.encode(text), repr(text)
        assert back == whole(tokeniser, text)
    assert picture(b"") == ([], b"")


@pytest.mark.parametrize("name", ["gpt2", "llama3, whole words", "whole", "sentencepiece"])
def test_text_comes_back(name: str) -> None:
    tokeniser, _ = made(name)
    for text in TEXTS:
        expected = text.replace("\u2581", " ") if tokeniser.characters else text
        assert tokeniser.decode(tokeniser.encode(text)) == expected.encode()
    assert tokeniser.decode([-1, 1 << 20]) == b""


def test_a_space_before_the_text() -> None:
    byte_level, _ = made("gpt2, a space before")
    marks, _ = made("sentencepiece, every space")
    for tokeniser, start in ((byte_level, b" "), (marks, b"")):
        assert tokeniser.decode(tokeniser.encode("the")) == start + b"the"
        assert tokeniser.encode(" the") == tokeniser.encode("the")
    assert whole(marks, "\u2581x") == b" x"
    assert whole(byte_level, "\u2581x") == " \u2581x".encode()


@pytest.mark.parametrize("name", NAMES)
@settings(max_examples=25, deadline=None)
@given(
    st.one_of(
        st.text(st.characters(exclude_categories=["Cs"]), max_size=40),
        st.text(st.sampled_from("atheins'lv \n1.\u00e9\u6771"), max_size=80),
    )
)
@example("'S'Re'ullu'll")
def test_random_texts(name: str, text: str) -> None:
    tokeniser, picture = made(name)
    assert picture(text.encode())[0] == tokeniser.encode(text)


def test_the_made_tokenisers_are_what_they_are_called() -> None:
    assert made("gpt2")[0].merges_in_order
    assert not made("digits, shuffled merges")[0].merges_in_order
    assert len(made("llama3, whole words")[0].exceptions) == 4
    assert max(map(len, made("gpt2")[0].pieces)) > 4
    marks = made("sentencepiece")[0]
    assert marks.encode("\u6771") == [
        marks.characters[0x2581],
        *(3 + byte for byte in "\u6771".encode()),
    ]


@pytest.mark.parametrize("name", ["gpt2", "sentencepiece"])
@settings(max_examples=60, deadline=None)
@given(st.binary(max_size=30))
@example(b"\xc0\xa0\xed\xa0\x80\xf4\x90\x80\x80\xf8\x90\x80\x80\xe2\x96\xff")
def test_malformed_bytes_come_back(name: str, data: bytes) -> None:
    tokeniser, picture = made(name)
    _, back = picture(data)
    space = b" " if data and tokeniser.prefix == "always" else b""
    expected = space + data
    if tokeniser.characters:
        expected = expected.replace("\u2581".encode(), b" ")
    assert back == expected


def test_malformed_bytes_are_characters_of_their_own() -> None:
    """A letter before or after them begins a word, or ends one."""
    tokeniser, picture = made("gpt2")
    a, e = tokeniser.byte_tokens[ord("t")], tokeniser.byte_tokens[ord("h")]
    assert tokeniser.ranks[a, e]
    for bad in (b"\xff", b"\xc3", b"\x80", b"\xe2\x96"):
        got, _ = picture(b"th" + bad + b"th")
        merged = tokeniser.encode("th")
        assert got == [*merged, *(tokeniser.byte_tokens[byte] for byte in bad), *merged]


def test_tokens_that_the_tokeniser_does_not_have() -> None:
    tokeniser, _ = made("gpt2")
    picture = bpe.Picture(tokeniser, len(tokeniser.pieces) + 50)
    assert picture(b"the theme")[0] == tokeniser.encode("the theme")


def test_a_long_text() -> None:
    tokeniser, picture = made("gpt2")
    rng = random.Random(1)
    text = "".join(rng.choices(bpe.TEXT, k=20_000))
    assert picture(text.encode()) == (tokeniser.encode(text), text.encode())


@settings(max_examples=200, deadline=None)
@given(
    st.dictionaries(
        st.integers(0, 50),
        st.sets(st.integers(0, 200), min_size=1, max_size=20),
        max_size=20,
    )
)
def test_pushed_rows_cover_no_place_twice(rows: dict[int, set[int]]) -> None:
    arrays = {row: np.array(sorted(columns)) for row, columns in rows.items()}
    begin, length = pushed(arrays)
    places = [begin[row] + int(column) for row, columns in rows.items() for column in columns]
    assert len(set(places)) == len(places)
    assert all(0 <= place < length for place in places)


def test_a_full_row_beyond_the_batch() -> None:
    rows = {row: np.arange(5000) for row in range(3)} | {9: np.array([0, 14_999])}
    begin, length = pushed(rows)
    places = np.concatenate([begin[row] + columns for row, columns in rows.items()])
    assert len(np.unique(places)) == len(places)
    assert length < 30_100


def test_every_pair_has_its_rank_and_no_other_pair_any() -> None:
    tokeniser, _ = made("llama3, all splits")
    count = len(tokeniser.pieces)
    base, left, rank = pair_table(tokeniser, count)
    for a in range(count):
        for b in range(count):
            place = int(base[a]) + b
            hit = 0 <= place < len(left) and left[place] == a + 1
            expected = tokeniser.ranks.get((a, b))
            assert (int(rank[place]) if hit else None) == (expected and expected[0])
