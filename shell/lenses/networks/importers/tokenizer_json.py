"""Reading Hugging Face's ``tokenizer.json``: byte-level BPE, and SentencePiece's kind.

The file describes a pipeline (normalizer, pre-tokenizer, model, post-processor, decoder).  What
is not one of the pipelines below is refused with the part's name, since text would become other
tokens:

* byte-level: GPT-2's and Llama 3's expressions (:data:`~.split_rules.PATTERNS`), digits cut out
  before or not, and bytes;
* SentencePiece: spaces become U+2581, characters without a token become bytes.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from .common import ForeignError, Settings, read_json
from .split_rules import MARK, PATTERNS
from .tokenisers import Tokeniser

_MARK = chr(MARK)
#: Most tokens that are read.
MAX_TOKENS = 1 << 20


def byte_alphabet() -> dict[str, int]:
    """The character that stands for each byte in byte-level vocabularies, and the byte.

    GPT-2's ``bytes_to_unicode``: printable Latin-1 as itself, the others from U+0100 up.
    """
    plain = [*range(33, 127), *range(161, 173), *range(174, 256)]
    others = [byte for byte in range(256) if byte not in plain]
    return {chr(b): b for b in plain} | {chr(256 + i): b for i, b in enumerate(others)}


def read_tokeniser(path: Path, tokens: int) -> Tokeniser:
    """The tokeniser in a file, for a model of ``tokens`` tokens.

    Raises ForeignError for a file that is damaged, a pipeline that is not supported, and a
    vocabulary that does not match the model.
    """
    return parse_tokeniser(read_json(path), tokens, path.name)


def parse_tokeniser(values: dict[str, Any], tokens: int, where: str) -> Tokeniser:
    """The same from the parsed file; ``where`` is what messages call it."""
    top = Settings(values, where)
    model = top.section("model")
    if model is None:
        raise ForeignError(f"{where} has no model", "get the model's own tokenizer.json")
    model.refuse("type", unless=["BPE"], why="only byte-pair encodings (BPE) are supported")
    for name in ("continuing_subword_prefix", "end_of_word_suffix"):
        model.refuse(name, unless=[""], why="such parts of words are not supported")
    model.refuse("dropout", unless=[0, 0.0], why="merges at random cannot be repeated")
    vocabulary = _vocabulary(model.get("vocab"), where)
    added = _added(values.get("added_tokens"), where)
    names = {token: text for text, token in vocabulary.items()}
    for text, token in added.items():
        if names.get(token, text) != text or vocabulary.get(text, token) != token:
            raise ForeignError(
                f"{where}: the added token {text[:40]!r} has the number of another",
                "get a whole copy",
            )
    _check_numbers({**vocabulary, **added}, tokens, where)
    merges = _merges(model.get("merges"), vocabulary, where)
    if model.flag("byte_fallback", False):
        return _sentencepiece(top, model, vocabulary, added, merges, where)
    return _byte_level(top, model, vocabulary, added, merges, where)


# ---- parts -------------------------------------------------------------------------------------


def _vocabulary(value: Any, where: str) -> dict[str, int]:
    if not isinstance(value, dict) or not value or len(value) > MAX_TOKENS:
        raise ForeignError(f"{where}: the vocabulary is missing or too large", "get a whole copy")
    seen: set[int] = set()
    for text, token in value.items():
        if isinstance(token, bool) or not isinstance(token, int) or not 0 <= token < MAX_TOKENS:
            raise ForeignError(
                f"{where}: the token {text[:40]!r} has the number {str(token)[:40]}",
                f"numbers are 0 to {MAX_TOKENS - 1}",
            )
        if token in seen:
            raise ForeignError(
                f"{where}: the number {token} stands for two tokens", "get a whole copy"
            )
        seen.add(token)
    return value


def _added(value: Any, where: str) -> dict[str, int]:
    """Special tokens by their text; raises ForeignError for added tokens that are ordinary text."""
    found: dict[str, int] = {}
    if value is None:
        return found
    if not isinstance(value, list):
        raise ForeignError(f"{where}: added_tokens is no list", "get a whole copy")
    for item in value:
        good = isinstance(item, dict) and isinstance(item.get("content"), str)
        number = item.get("id") if good else None
        if isinstance(number, bool) or not isinstance(number, int) or not 0 <= number < MAX_TOKENS:
            raise ForeignError(f"{where}: an added token is {str(item)[:60]}", "get a whole copy")
        if item.get("special") is not True:
            raise ForeignError(
                f"{where}: {item['content'][:40]!r} was added as ordinary text",
                "such tokens cut a text in ways that are not supported",
            )
        found[item["content"]] = number
    return found


def _check_numbers(texts: dict[str, int], tokens: int, where: str) -> None:
    for text, token in texts.items():
        if token >= tokens:
            raise ForeignError(
                f"{where} does not match the model: {text[:40]!r} is token {token}, "
                f"the model has {tokens}",
                "take the tokenizer.json that came with the model",
            )


def _merges(value: Any, vocabulary: dict[str, int], where: str) -> tuple[tuple[int, int, int], ...]:
    """(left, right, merged) tokens; the file has texts, in a list or with a space between."""
    if not isinstance(value, list) or len(value) > MAX_TOKENS * 4:
        raise ForeignError(f"{where}: the merges are missing or too many", "get a whole copy")
    found: dict[tuple[int, int], int] = {}
    for i, item in enumerate(value):
        parts = item.split(" ") if isinstance(item, str) else item
        good = (
            isinstance(parts, list) and len(parts) == 2 and all(isinstance(p, str) for p in parts)
        )
        texts = (*parts, "".join(parts)) if good else ()
        if not good or any(text not in vocabulary for text in texts):
            raise ForeignError(
                f"{where}: merge {i}, {str(item)[:60]!r}, is no pair of tokens that make a token",
                "the merges and the vocabulary do not belong together: get a whole copy",
            )
        left, right, made = (vocabulary[text] for text in texts)
        if (left, right) in found:
            raise ForeignError(f"{where}: merge {i} repeats an earlier one", "get a whole copy")
        found[left, right] = made
    return tuple((left, right, made) for (left, right), made in found.items())


def _start(top: Settings, where: str) -> tuple[int, ...]:
    """The tokens that the post-processor puts before a text."""
    found: list[int] = []
    for part in _flat(top.section("post_processor"), "processors"):
        kind = part.get("type")
        if kind == "ByteLevel":
            continue
        if kind != "TemplateProcessing":
            raise ForeignError(
                f"{where}: the post-processor {kind} is not supported",
                "supported are ByteLevel and TemplateProcessing",
            )
        found += _template(part, where)
    return tuple(found)


def _template(part: Settings, where: str) -> list[int]:
    single, known = part.get("single"), part.get("special_tokens")
    found: list[int] = []
    over = False
    for item in single if isinstance(single, list) else [None]:
        if isinstance(item, dict) and "Sequence" in item:
            over = True
            continue
        name = item.get("SpecialToken") if isinstance(item, dict) else None
        key = name.get("id") if isinstance(name, dict) else None
        entry = known.get(key) if isinstance(key, str) and isinstance(known, dict) else None
        ids = entry.get("ids") if isinstance(entry, dict) else None
        good = isinstance(ids, list) and all(type(n) is int and 0 <= n < MAX_TOKENS for n in ids)
        if not good or over:
            raise ForeignError(
                f"{where}: the template {str(single)[:60]} is not supported",
                "tokens may stand before a text, not after it",
            )
        found += ids
    return found


def _flat(section: Settings | None, key: str) -> list[Settings]:
    """The parts of a pipeline's step: itself, or those of a Sequence."""
    if section is None:
        return []
    if section.get("type") != "Sequence":
        return [section]
    parts = section.get(key)
    if not isinstance(parts, list) or not all(isinstance(part, dict) for part in parts):
        raise ForeignError(f"a Sequence has no {key}", "get a whole copy of tokenizer.json")
    return [Settings(part, f"tokenizer.json: {key}") for part in parts]


def _pieces(texts: dict[str, bytes], numbers: dict[str, int]) -> tuple[bytes, ...]:
    pieces = [b""] * (max(numbers.values()) + 1)
    for text, data in texts.items():
        pieces[numbers[text]] = data
    return tuple(pieces)


# ---- byte-level --------------------------------------------------------------------------------


def _byte_level(
    top: Settings,
    model: Settings,
    vocabulary: dict[str, int],
    added: dict[str, int],
    merges: tuple[tuple[int, int, int], ...],
    where: str,
) -> Tokeniser:
    changes = _flat(top.section("normalizer"), "normalizers")
    if changes:
        raise ForeignError(
            f"{where}: the normalizer {changes[0].get('type')} changes the text",
            "byte-level tokenisers with a normalizer are not supported",
        )
    rule, prefix = _byte_level_rule(top, where)
    alphabet = byte_alphabet()
    missing = [byte for text, byte in alphabet.items() if text not in vocabulary]
    if missing:
        raise ForeignError(
            f"{where} has no token for the byte {missing[0]}",
            "it is no byte-level vocabulary, or it is damaged",
        )
    by_byte = sorted((byte, vocabulary[text]) for text, byte in alphabet.items())
    texts = {
        text: bytes(alphabet[c] for c in text)
        for text in vocabulary
        if text not in added and all(c in alphabet for c in text)
    }
    return Tokeniser(
        pieces=_pieces(texts, {**vocabulary, **added}),
        merges=merges,
        byte_tokens=tuple(token for _, token in by_byte),
        rule=rule,
        prefix=prefix,
        whole_words=model.flag("ignore_merges", False),
        start=_start(top, where),
    )


def _byte_level_rule(top: Settings, where: str) -> tuple[str, str]:
    """The rule's name and the prefix of the pre-tokenizer."""
    parts = _flat(top.section("pre_tokenizer"), "pretokenizers")
    kinds = [part.get("type") for part in parts]
    if kinds not in (["ByteLevel"], ["Split", "ByteLevel"], ["Digits", "ByteLevel"]):
        raise ForeignError(
            f"{where}: the pre-tokenizers {kinds} are not supported",
            "supported are ByteLevel, and Split or Digits with ByteLevel",
        )
    level = parts[-1]
    if level.flag("add_prefix_space", True):
        if len(parts) == 2:
            raise ForeignError(f"{where}: a space before every word", "it is not supported")
        prefix = "missing"
    else:
        prefix = "none"
    own = level.flag("use_regex", True)
    if len(parts) == 1:
        return ("gpt2" if own else "whole"), prefix
    if kinds[0] == "Digits":
        if not own or not parts[0].flag("individual_digits", False):
            raise ForeignError(
                f"{where}: digits are cut out in a way that is not supported",
                "supported are single digits, with use_regex",
            )
        return "gpt2-digits", prefix
    pattern = parts[0].section("pattern")
    text = None if pattern is None else pattern.get("Regex")
    names = [name for name, known in PATTERNS.items() if known == text]
    if not names or own or parts[0].get("invert") or parts[0].get("behavior") != "Isolated":
        raise ForeignError(
            f"{where}: text is cut by {str(text)[:80]!r}",
            "supported are the expressions of GPT-2 and Llama 3: see docs/importing.md",
        )
    return names[0], prefix


# ---- SentencePiece -----------------------------------------------------------------------------


def _sentencepiece(
    top: Settings,
    model: Settings,
    vocabulary: dict[str, int],
    added: dict[str, int],
    merges: tuple[tuple[int, int, int], ...],
    where: str,
) -> Tokeniser:
    if model.flag("ignore_merges", False):
        raise ForeignError(f"{where}: ignore_merges with byte_fallback", "it is not supported")
    prefix, rule = _marks_prefix(top, where)
    byte_texts = {f"<0x{byte:02X}>": byte for byte in range(256)}
    for text in byte_texts:
        if text not in vocabulary:
            raise ForeignError(f"{where} has no token {text}", "byte_fallback needs all 256")
    if _MARK not in vocabulary:
        raise ForeignError(f"{where} has no token {_MARK!r}", "SentencePiece's space is needed")
    texts: dict[str, bytes] = {}
    for text in vocabulary:
        if text in byte_texts:
            texts[text] = bytes([byte_texts[text]])
        elif text not in added:
            try:
                texts[text] = text.replace(_MARK, " ").encode()
            except UnicodeEncodeError as error:
                raise ForeignError(f"{where}: a token is no text", "get a whole copy") from error
    characters = {ord(t): vocabulary[t] for t in texts if len(t) == 1}
    names = {token: text for text, token in vocabulary.items()}
    # Words may be cut before a mark only if no token reaches across that place.
    apart = all(
        not names[right].startswith(_MARK) or not names[left].strip(_MARK)
        for left, right, _ in merges
    )
    inside = any(_MARK in text.lstrip(_MARK) for text in vocabulary if text not in added)
    return Tokeniser(
        pieces=_pieces(texts, {**vocabulary, **added}),
        merges=merges,
        byte_tokens=tuple(vocabulary[text] for text in byte_texts),
        characters=characters,
        rule=rule or ("marks" if apart and not inside else "whole"),
        prefix=prefix,
        start=_start(top, where),
        strips=_strips(top),
    )


def _marks_prefix(top: Settings, where: str) -> tuple[str, str]:
    """The prefix, and the rule if the file says one.

    Raises ForeignError unless spaces become marks and nothing else happens.
    """
    parts = _flat(top.section("normalizer"), "normalizers")
    before = _flat(top.section("pre_tokenizer"), "pretokenizers")
    kinds = [part.get("type") for part in parts]
    if not parts and [part.get("type") for part in before] == ["Metaspace"]:
        space = before[0]
        scheme = space.get("prepend_scheme")
        if scheme is None:
            scheme = "always" if space.flag("add_prefix_space", True) else "never"
        known = {"always": "missing", "first": "missing", "never": "none"}
        if space.get("replacement") == _MARK and isinstance(scheme, str) and scheme in known:
            return known[scheme], "spaces" if space.flag("split", True) else ""
    replaces = parts[-1] if parts else None
    pattern = replaces.section("pattern") if replaces and kinds[-1] == "Replace" else None
    spaces = pattern is not None and pattern.get("String") == " "
    if not before and spaces and replaces and replaces.get("content") == _MARK:
        if kinds == ["Replace"]:
            return "none", ""
        if kinds == ["Prepend", "Replace"] and parts[0].get("prepend") == _MARK:
            return "always", ""
    raise ForeignError(
        f"{where}: the normalizers {kinds} are not supported",
        "supported is what Llama 2 has: a space before the text, spaces as U+2581",
    )


def _strips(top: Settings) -> bool:
    """Whether decoding leaves out the first space of a text."""
    for part in _flat(top.section("decoder"), "decoders"):
        if part.get("type") == "Strip" and part.get("content") == " " and part.get("start") == 1:
            return True
        if part.get("type") == "Metaspace" and part.get("prepend_scheme") != "never":
            return True
    return False
