"""Reading tokenizer.json: the tokeniser comes back, and what is not supported is named."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from pxos.shell.lenses.networks.importers import ForeignError, read_tokeniser
from pxos.shell.lenses.networks.importers.tokenisers import Tokeniser
from pxos.shell.lenses.networks.importers.tokenizer_json import byte_alphabet, parse_tokeniser

from . import bpe

MARK = "\u2581"


def same(got: Tokeniser, wanted: Tokeniser) -> None:
    fields = ("pieces", "merges", "byte_tokens", "rule", "prefix", "whole_words", "strips")
    for name in fields:
        assert getattr(got, name) == getattr(wanted, name), name
    assert dict(got.characters) == dict(wanted.characters)
    assert got.encode(bpe.TEXT) == wanted.encode(bpe.TEXT)


@pytest.mark.parametrize("rule", ["gpt2", "gpt2-digits", "llama3", "digits"])
@pytest.mark.parametrize("lists", [True, False])
def test_byte_level(tmp_path: Path, rule: str, lists: bool) -> None:
    tokeniser = bpe.train(rule, 100)
    if rule == "gpt2":
        tokeniser = replace(tokeniser, prefix="missing")
    if rule == "llama3":
        tokeniser = replace(tokeniser, whole_words=True)
    values = bpe.byte_level_json(tokeniser)
    if not lists:
        values["model"]["merges"] = [" ".join(pair) for pair in values["model"]["merges"]]
    path = tmp_path / "tokenizer.json"
    path.write_text(json.dumps(values))
    same(read_tokeniser(path, len(tokeniser.pieces) + 3), tokeniser)


def test_special_tokens_stand_for_no_text() -> None:
    tokeniser = bpe.train("gpt2", 50)
    count = len(tokeniser.pieces)
    added = [{"id": count, "content": "<|endoftext|>", "special": True}]
    got = parse_tokeniser(bpe.byte_level_json(tokeniser, added_tokens=added), count + 1, "it")
    assert got.pieces == (*tokeniser.pieces, b"")
    assert got.decode([count, *got.encode("a"), count]) == b"a"
    assert count not in got.encode("<|endoftext|>")


@pytest.mark.parametrize(
    ("added", "message"),
    [
        ({"id": 5, "content": "<e>"}, "the added token '<e>' has the number of another"),
        ({"id": 300, "content": "!"}, "the added token '!' has the number of another"),
    ],
)
def test_added_tokens_that_contradict_the_vocabulary(added: dict[str, Any], message: str) -> None:
    tokeniser = bpe.train("gpt2", 50)
    values = bpe.byte_level_json(tokeniser, added_tokens=[{**added, "special": True}])
    with pytest.raises(ForeignError, match=message):
        parse_tokeniser(values, 1000, "it")


@pytest.mark.parametrize(
    "digits",
    [{"individual_digits": False}, {}, {"individual_digits": True, "use_regex": False}],
)
def test_digits_that_are_cut_in_other_ways(digits: dict[str, bool]) -> None:
    values = bpe.byte_level_json(bpe.train("gpt2-digits", 20))
    parts = values["pre_tokenizer"]["pretokenizers"]
    parts[0] = {"type": "Digits", **digits}
    parts[1] = {**parts[1], "use_regex": digits.get("use_regex", True)}
    with pytest.raises(ForeignError, match="digits are cut out in a way that is not supported"):
        parse_tokeniser(values, 1000, "it")


def test_the_alphabet_of_bytes() -> None:
    alphabet = byte_alphabet()
    assert sorted(alphabet.values()) == list(range(256))
    assert (alphabet["a"], alphabet["\u0120"], alphabet["\u010a"]) == (97, 32, 10)
    assert alphabet["\u0143"] == 0xAD


def test_sentencepiece() -> None:
    tokeniser = bpe.sentencepiece(120)
    got = parse_tokeniser(bpe.sentencepiece_json(tokeniser), len(tokeniser.pieces), "it")
    same(got, tokeniser)
    assert got.start == (1,)


@pytest.mark.parametrize(
    ("space", "prefix", "rule", "strips"),
    [
        ({"prepend_scheme": "always", "split": False}, "missing", "marks", True),
        ({"prepend_scheme": "first"}, "missing", "spaces", True),
        ({"prepend_scheme": "never", "split": True}, "none", "spaces", False),
        ({"add_prefix_space": True, "split": False}, "missing", "marks", True),
    ],
)
def test_metaspace(space: dict[str, Any], prefix: str, rule: str, strips: bool) -> None:
    tokeniser = bpe.sentencepiece(120)
    part = {"type": "Metaspace", "replacement": MARK, **space}
    values = bpe.sentencepiece_json(tokeniser, normalizer=None, pre_tokenizer=part, decoder=part)
    got = parse_tokeniser(values, len(tokeniser.pieces), "it")
    assert (got.prefix, got.rule, got.strips) == (prefix, rule, strips)


def test_words_across_spaces_are_kept_whole() -> None:
    tokeniser = bpe.sentencepiece(200, "whole")
    assert any(b" " in piece.lstrip(b" ") for piece in tokeniser.pieces)
    got = parse_tokeniser(bpe.sentencepiece_json(tokeniser), len(tokeniser.pieces), "it")
    same(got, tokeniser)


def at(*path: Any, value: Any) -> Callable[[dict[str, Any]], None]:
    """A change of what stands at a path."""

    def change(values: Any) -> None:
        for key in path[:-1]:
            values = values[key]
        values[path[-1]] = value

    return change


def broken(change: Callable[[dict[str, Any]], None], *, marks: bool = False, more: int = 0) -> str:
    if marks:
        tokeniser = bpe.sentencepiece(30)
        values = bpe.sentencepiece_json(tokeniser)
    else:
        tokeniser = bpe.train("llama3", 30)
        values = bpe.byte_level_json(tokeniser)
    change(values)
    with pytest.raises(ForeignError) as caught:
        parse_tokeniser(values, len(tokeniser.pieces) + more, "tokenizer.json")
    return str(caught.value)


SPLIT = ("pre_tokenizer", "pretokenizers", 0)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (at("model", value=None), "tokenizer.json has no model"),
        (at("model", value=5), "model is 5; it must be an object"),
        (at("model", "type", value="Unigram"), "type is 'Unigram'; only byte-pair encodings"),
        (at("model", "dropout", value=0.1), "dropout is 0.1"),
        (at("model", "end_of_word_suffix", value="</w>"), "end_of_word_suffix is '</w>'"),
        (at("model", "vocab", value={}), "the vocabulary is missing"),
        (at("model", "vocab", value=[1]), "the vocabulary is missing"),
        (at("model", "vocab", "!", value=-1), "the token '!' has the number -1"),
        (at("model", "vocab", "!", value=True), "the token '!' has the number True"),
        (at("model", "vocab", "!", value=5), "the number 5 stands for two tokens"),
        (at("model", "vocab", "new", value=286), "does not match the model: 'new' is token 286"),
        (lambda v: v["model"]["vocab"].pop("!"), "has no token for the byte 33"),
        (at("model", "merges", value=None), "the merges are missing"),
        (at("model", "merges", 3, value=["a", "!~"]), "merge 3, .* is no pair of tokens"),
        (at("model", "merges", 3, value=["a"]), "merge 3, .* is no pair of tokens"),
        (at("model", "merges", 3, value="a b c"), "merge 3, 'a b c', is no pair of tokens"),
        (at("model", "merges", 3, value=7), "merge 3, '7', is no pair of tokens"),
        (lambda v: v["model"]["merges"].append(v["model"]["merges"][2]), "merge 30 repeats"),
        (at("model", "ignore_merges", value="yes"), "ignore_merges is 'yes'"),
        (at("added_tokens", value={"a": 1}), "added_tokens is no list"),
        (at("added_tokens", value=[{"id": 1}]), "an added token is"),
        (at("added_tokens", value=[{"id": 1 << 30, "content": "a"}]), "an added token is"),
        (at("added_tokens", value=[{"id": 1, "content": "x", "special": False}]), "ordinary text"),
        (
            at("added_tokens", value=[{"id": 999, "content": "<e>", "special": True}]),
            "does not match the model: '<e>' is token 999, the model has 286",
        ),
        (at("normalizer", value={"type": "NFC"}), "the normalizer NFC changes the text"),
        (at(*SPLIT, "pattern", value={"Regex": r"\w+"}), r"text is cut by '[\\]+w[+]'"),
        (at(*SPLIT, "behavior", value="Removed"), "text is cut by"),
        (at(*SPLIT, "invert", value=True), "text is cut by"),
        (at("pre_tokenizer", value={"type": "Whitespace"}), r"pre-tokenizers \['Whitespace'\]"),
        (at("pre_tokenizer", value=None), r"the pre-tokenizers \[\] are not supported"),
        (at("pre_tokenizer", value={"type": "Sequence"}), "a Sequence has no pretokenizers"),
        (at("post_processor", value={"type": "BertProcessing"}), "BertProcessing is not supported"),
        (at("post_processor", value={"type": "TemplateProcessing"}), "the template None"),
    ],
)
def test_byte_level_files_that_cannot_be_read(change: Any, message: str) -> None:
    with pytest.raises(AssertionError, match=message):
        raise AssertionError(broken(change))


TEMPLATE = ("post_processor", "single")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda v: v["model"]["vocab"].pop("<0x41>"), "has no token <0x41>"),
        (at("model", "ignore_merges", value=True), "ignore_merges with byte_fallback"),
        (at("normalizer", value={"type": "Lowercase"}), r"the normalizers \['Lowercase'\]"),
        (at("normalizer", "normalizers", 1, "content", value="_"), "the normalizers"),
        (at("normalizer", "normalizers", 0, "prepend", value="_"), "the normalizers"),
        (at("normalizer", value=None), r"the normalizers \[\]"),
        (lambda v: v["post_processor"]["single"].reverse(), "the template .* is not supported"),
        (at("post_processor", "special_tokens", value={}), "the template .* is not supported"),
        (
            at("post_processor", "single", 0, "SpecialToken", "id", value=["<s>"]),
            "the template .* is not supported",
        ),
        (
            lambda v: v.update(
                normalizer=None,
                pre_tokenizer={
                    "type": "Metaspace",
                    "replacement": MARK,
                    "prepend_scheme": ["always"],
                },
            ),
            r"the normalizers \[\] are not supported",
        ),
    ],
)
def test_sentencepiece_files_that_cannot_be_read(change: Any, message: str) -> None:
    with pytest.raises(AssertionError, match=message):
        raise AssertionError(broken(change, marks=True))


def test_files_that_are_none(tmp_path: Path) -> None:
    path = tmp_path / "tokenizer.json"
    for data, message in (
        (b"", "is no JSON"),
        (b"[]", "holds no JSON object"),
        (b"[" * 100_000, "is nested too deeply"),
        (b'{"model": {"vocab": {"a": 1, "a": 2}}}', "the key 'a' stands there twice"),
    ):
        path.write_bytes(data)
        with pytest.raises(ForeignError, match=message):
            read_tokeniser(path, 10)
    with pytest.raises(ForeignError, match="there is no file"):
        read_tokeniser(tmp_path / "absent.json", 10)
