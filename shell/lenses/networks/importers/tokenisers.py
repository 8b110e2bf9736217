"""Byte-pair encoding: what a tokeniser is, and the plain encoder that pictures are compared with.

Sennrich et al., "Neural machine translation of rare words with subword units", 2016; at the level
of bytes: Radford et al., "Language models are unsupervised multitask learners", 2019.  A text falls
into words (:mod:`.split_rules`); in each word the neighbouring pair that was learned first is
merged, again and again.  The encoder here does that one pair at a time, as these words say it;
``apps/lib/nn_bpe.pxi`` does all words at once.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from itertools import pairwise

from .split_rules import MARK, cuts, rule

#: Whether a space is put before a text: never, unless it begins with one, or always.
PREFIXES = ("none", "missing", "always")


@dataclass(frozen=True)
class Tokeniser:
    """A byte-pair encoding.

    ``pieces``: the bytes of each token; empty for those that stand for no text.  ``merges``: (left,
    right, merged) tokens, the first learned first.  ``byte_tokens``: the token of each byte.
    ``characters``: where text begins as characters rather than bytes (SentencePiece), the token of
    each code point that has one; the bytes of the others are taken.  ``rule``: a name that
    :func:`~.split_rules.rule` knows.  ``prefix``: one of PREFIXES.  ``whole_words``: a word that is
    a token is not merged at all.  ``start``: tokens put before every text.  ``strips``: the first
    space of a decoded text is left out.
    """

    pieces: tuple[bytes, ...]
    merges: tuple[tuple[int, int, int], ...]
    byte_tokens: tuple[int, ...]
    characters: Mapping[int, int] = field(default_factory=dict)
    rule: str = "gpt2"
    prefix: str = "none"
    whole_words: bool = False
    start: tuple[int, ...] = ()
    strips: bool = False

    @cached_property
    def ranks(self) -> Mapping[tuple[int, int], tuple[int, int]]:
        """For each pair of tokens its rank and the token it becomes."""
        return {(a, b): (rank, made) for rank, (a, b, made) in enumerate(self.merges)}

    @cached_property
    def _whole(self) -> Mapping[bytes, int]:
        """The first token with these bytes."""
        found: dict[bytes, int] = {}
        for token, piece in enumerate(self.pieces):
            if piece:
                found.setdefault(piece, token)
        return found

    @cached_property
    def exceptions(self) -> Mapping[tuple[int, ...], int]:
        """What merging makes of the tokens' own texts, where that is not the token: needed only
        with ``whole_words``, empty without."""
        if not self.whole_words:
            return {}
        found = {}
        for piece, token in self._whole.items():
            merged = tuple(self.merged([self.byte_tokens[byte] for byte in piece]))
            if merged != (token,):
                found[merged] = token
        return found

    @cached_property
    def merges_in_order(self) -> bool:
        """Whether every token is made before it is used: then all places of a pair in a word can be
        merged at once, otherwise the leftmost alone."""
        made: dict[int, int] = {}
        for rank, (_, _, token) in enumerate(self.merges):
            made[token] = rank  # the last way to make it counts
        return all(
            made.get(part, -1) < rank
            for rank, (left, right, _) in enumerate(self.merges)
            for part in (left, right)
        )

    def merged(self, tokens: Sequence[int]) -> list[int]:
        """The tokens of a word after merging: the pair learned first, its leftmost place."""
        word = list(tokens)
        ranks = self.ranks
        while len(word) > 1:
            rank, at = min(
                (ranks.get((word[i], word[i + 1]), (len(ranks), -1))[0], i)
                for i in range(len(word) - 1)
            )
            if rank == len(ranks):
                break
            word[at : at + 2] = [self.merges[rank][2]]
        return word

    def encode(self, text: str) -> list[int]:
        """The tokens of a text, without ``start``; what looks like a special token is text."""
        spaces = (" ", chr(MARK)) if self.characters else " "
        missing = self.prefix == "missing" and not text.startswith(spaces)
        if text and (missing or self.prefix == "always"):
            text = " " + text
        begins = [*cuts(rule(self.rule), text), len(text)]
        tokens: list[int] = []
        for begin, end in pairwise(begins):
            tokens += self._word(text[begin:end])
        return tokens

    def _word(self, word: str) -> list[int]:
        if self.whole_words and (token := self._whole.get(word.encode())) is not None:
            return [token]
        first: list[int] = []
        for c in word:
            token = self.characters.get(MARK if c == " " else ord(c))
            if token is None:
                first += [self.byte_tokens[byte] for byte in c.encode()]
            else:
                first.append(token)
        return self.merged(first)

    def decode(self, tokens: Sequence[int]) -> bytes:
        """The bytes of tokens; tokens outside the table have none."""
        parts = [self.pieces[t] for t in tokens if 0 <= t < len(self.pieces)]
        data = b"".join(parts)
        return data[1:] if self.strips and data.startswith(b" ") else data
