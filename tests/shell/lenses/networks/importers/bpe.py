"""Small tokenisers, trained by the tests, and pictures that run them."""

from __future__ import annotations

import random
import re
from collections import Counter
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np

from pxos.kernel.machine.cpu.executor import CpuExecutor
from pxos.kernel.machine.memory import Memory
from pxos.kernel.machine.program import open_memory
from pxos.shell.lenses.assembler import assemble
from pxos.shell.lenses.networks.emit import LIBRARY
from pxos.shell.lenses.networks.importers import split_rules
from pxos.shell.lenses.networks.importers.bpe_tables import tokeniser_files
from pxos.shell.lenses.networks.importers.tokenisers import Tokeniser
from pxos.shell.lenses.networks.importers.tokenizer_json import byte_alphabet
from pxos.shell.lenses.networks.validate import Desk

TEXT = """It's the first day; they'll say we've seen 1234567 days, I'm sure. He'd said:
"that's all!"
    Indented, with  double spaces and   tabs\t\there.

New lines\r\n\r\nand the the the rest of it. aaaa aaaaaaa banana bananas; naïve café — déjà vu, 東京
и Москва, ١٢٣ ٤٥. What a day, what a lovely day! The theme then thins.
"""

PROGRAM = """
ports text
include "tokeniser.pxi"
bpe.text = in(text)
call bpe
pieces.tokens = bpe.tokens
call pieces
halt
"""


def words(rule: str, text: str) -> list[str]:
    begins = [*split_rules.cuts(split_rules.rule(rule), text), len(text)]
    return [text[a:b] for a, b in pairwise(begins)]


def train(rule: str, count: int, text: str = TEXT, **options: object) -> Tokeniser:
    """A byte-level tokeniser of ``count`` merges, the pair that is most frequent first."""
    # Tokens in another order than the bytes, so that nothing rests on token = byte.
    byte_tokens = [(7 * byte + 3) % 256 for byte in range(256)]
    pieces = [b""] * 256
    for byte, token in enumerate(byte_tokens):
        pieces[token] = bytes([byte])
    corpus = [[byte_tokens[b] for b in word.encode()] for word in words(rule, text)]
    merges: list[tuple[int, int, int]] = []
    while len(merges) < count:
        pairs = Counter(pair for word in corpus for pair in pairwise(word))
        if not pairs:
            break
        left, right = min(pairs, key=lambda pair: (-pairs[pair], pair))
        made = len(pieces)
        pieces.append(pieces[left] + pieces[right])
        merges.append((left, right, made))
        corpus = [_merge(word, left, right, made) for word in corpus]
    return Tokeniser(tuple(pieces), tuple(merges), tuple(byte_tokens), rule=rule, **options)


def _merge(word: list[int], left: int, right: int, made: int) -> list[int]:
    result: list[int] = []
    for token in word:
        if token == right and result and result[-1] == left:
            result[-1] = made
        else:
            result.append(token)
    return result


def all_splits(tokeniser: Tokeniser, seed: int | None = None) -> Tokeniser:
    """Merges for every pair of tokens that together are a token, by token, or shuffled."""
    known = {piece: token for token, piece in enumerate(tokeniser.pieces) if piece}
    merges = [
        (known[piece[:cut]], known[piece[cut:]], token)
        for piece, token in known.items()
        for cut in range(1, len(piece))
        if piece[:cut] in known and piece[cut:] in known
    ]
    if seed is not None:
        random.Random(seed).shuffle(merges)
    return replace(tokeniser, merges=tuple(merges))


def sentencepiece(count: int, rule: str = "marks", **options: object) -> Tokeniser:
    """SentencePiece's kind: characters that are in the text have tokens, 256 tokens are bytes."""
    spaced = TEXT.replace(" ", chr(split_rules.MARK))
    letters = sorted(set(spaced) - set("é東"))
    characters = {ord(c): 259 + i for i, c in enumerate(letters)}
    pieces = [b"", b"", b"", *(bytes([b]) for b in range(256))]
    pieces += [c.replace(chr(split_rules.MARK), " ").encode() for c in letters]
    plain = "".join(c for c in TEXT if ord(c) in characters or c == " ")
    corpus = [
        [characters[split_rules.MARK if c == " " else ord(c)] for c in word]
        for word in words(rule, plain)
    ]
    merges: list[tuple[int, int, int]] = []
    for _ in range(count):
        pairs = Counter(pair for word in corpus for pair in pairwise(word))
        if not pairs:
            break
        left, right = min(pairs, key=lambda pair: (-pairs[pair], pair))
        merges.append((left, right, len(pieces)))
        pieces.append(pieces[left] + pieces[right])
        corpus = [_merge(word, *merges[-1]) for word in corpus]
    options = {"prefix": "always", "strips": True, **options}
    return Tokeniser(
        tuple(pieces), tuple(merges), tuple(range(3, 259)), characters, rule, **options
    )


class Picture:
    """A tokeniser as a program; assembled once, run for each text."""

    def __init__(self, tokeniser: Tokeniser, tokens: int = 0, bits: int = 0) -> None:
        """``bits``: takes ranks for longer than they are, so that few words are merged at once."""
        files = tokeniser_files(tokeniser, tokens or len(tokeniser.pieces))
        if bits:
            main = re.sub(r"BPE_BITS = \d+", f"BPE_BITS = {bits}", files["tokeniser.pxi"].decode())
            files["tokeniser.pxi"] = main.encode()

        def read(path: Path) -> bytes:
            return files[path.name] if path.name in files else path.read_bytes()

        self.program = assemble(
            PROGRAM, path="/emitted/main.pxa", include_dirs=[LIBRARY], read_file=read
        )

    def __call__(self, text: bytes) -> tuple[list[int], bytes]:
        """The tokens of a text, and their text."""
        memory = open_memory(self.program, 1 << 28)
        stop = CpuExecutor(memory, Desk(text=text)).run(1 << 40)
        assert stop.reason == "H", stop
        tokens = self._matrix(memory, "bpe.tokens")
        return tokens.ravel().tolist(), self._matrix(memory, "pieces.text").astype(
            np.uint8
        ).tobytes()

    def _matrix(self, memory: Memory, name: str) -> np.ndarray:
        header = memory.header(self.program.meta.names.index(name))
        at = memory.data_addr(header.row)
        if header.kind == "T":
            return memory.bytes[4 * at : 4 * at + header.rows * header.cols].copy()
        return memory.ints[at : at + header.rows * header.cols].copy()


# ---- tokenizer.json ----------------------------------------------------------------------------


def byte_level_json(tokeniser: Tokeniser, **changes: object) -> dict[str, Any]:
    """The file that Hugging Face's tokenizers write for a byte-level tokeniser."""
    alphabet = {byte: text for text, byte in byte_alphabet().items()}
    names = ["".join(alphabet[b] for b in piece) for piece in tokeniser.pieces]
    level = {"type": "ByteLevel", "add_prefix_space": False, "trim_offsets": True}
    if tokeniser.rule == "gpt2":
        before: dict[str, Any] = {**level, "add_prefix_space": tokeniser.prefix == "missing"}
    elif tokeniser.rule == "gpt2-digits":
        parts = [{"type": "Digits", "individual_digits": True}, level]
        before = {"type": "Sequence", "pretokenizers": parts}
    else:
        pattern = {"Regex": split_rules.PATTERNS[tokeniser.rule]}
        split = {"type": "Split", "pattern": pattern, "behavior": "Isolated", "invert": False}
        parts = [split, {**level, "use_regex": False}]
        before = {"type": "Sequence", "pretokenizers": parts}
    return {
        "version": "1.0",
        "truncation": None,
        "padding": None,
        "added_tokens": [],
        "normalizer": None,
        "pre_tokenizer": before,
        "post_processor": level,
        "decoder": level,
        "model": model_json(tokeniser, names, ignore_merges=tokeniser.whole_words),
        **changes,
    }


def model_json(tokeniser: Tokeniser, names: list[str], **changes: object) -> dict[str, Any]:
    return {
        "type": "BPE",
        "dropout": None,
        "unk_token": None,
        "continuing_subword_prefix": None,
        "end_of_word_suffix": None,
        "fuse_unk": False,
        "byte_fallback": False,
        "vocab": {name: i for i, name in enumerate(names)},
        "merges": [[names[left], names[right]] for left, right, _ in tokeniser.merges],
        **changes,
    }


def sentencepiece_json(tokeniser: Tokeniser, **changes: object) -> dict[str, Any]:
    """The file of a Llama 2 model."""
    mark = chr(split_rules.MARK)
    names = ["<unk>", "<s>", "</s>", *(f"<0x{byte:02X}>" for byte in range(256))]
    names += [piece.decode().replace(" ", mark) for piece in tokeniser.pieces[259:]]
    added = [{"id": i, "content": names[i], "special": True} for i in range(3)]
    replace_spaces = {"type": "Replace", "pattern": {"String": " "}, "content": mark}
    template = {
        "type": "TemplateProcessing",
        "single": [
            {"SpecialToken": {"id": "<s>", "type_id": 0}},
            {"Sequence": {"id": "A", "type_id": 0}},
        ],
        "special_tokens": {"<s>": {"id": "<s>", "ids": [1], "tokens": ["<s>"]}},
    }
    decoders = [
        {"type": "Replace", "pattern": {"String": mark}, "content": " "},
        {"type": "ByteFallback"},
        {"type": "Fuse"},
        {"type": "Strip", "content": " ", "start": 1, "stop": 0},
    ]
    model = model_json(tokeniser, names, byte_fallback=True, fuse_unk=True, unk_token="<unk>")
    return {
        "version": "1.0",
        "added_tokens": added,
        "normalizer": {
            "type": "Sequence",
            "normalizers": [{"type": "Prepend", "prepend": mark}, replace_spaces],
        },
        "pre_tokenizer": None,
        "post_processor": template,
        "decoder": {"type": "Sequence", "decoders": decoders},
        "model": model,
        **changes,
    }
