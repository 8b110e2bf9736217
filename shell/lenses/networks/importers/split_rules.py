"""How a text falls into words before pairs are merged, as tables that a picture runs.

Tokenisers cut a text with a regular expression first and merge inside the words only.  Here such
an expression is a pair of finite automata over classes of characters: one reads backwards and says
what follows a character (a letter, an end, white space with a line end in it ...); one reads
forwards and says, from its state, the character's class and what follows it, whether a word begins
here.  Both are tables, so a picture can run them over all characters at once, by composing maps of
states.  They cut exactly as the expressions do, for all of Unicode (the Unicode version of this
Python); test_split_rules.py checks them against the expressions themselves.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache

import numpy as np

#: The expressions that are known, by the names of their rules.
GPT2 = r"'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+"
_MODERN = (
    r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|NUMBERS"
    r"| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
)
LLAMA3 = _MODERN.replace("NUMBERS", r"\p{N}{1,3}")
DIGITS = _MODERN.replace("NUMBERS", r"\p{N}")
#: GPT-2's where every digit was cut out first: white space before one is as at the text's end.
GPT2_DIGITS = GPT2.replace(r" ?\p{N}+", r"\p{N}").replace(r"\s+(?!\S)", r"\s+(?=\p{N})|\s+(?!\S)")
PATTERNS = {"gpt2": GPT2, "gpt2-digits": GPT2_DIGITS, "llama3": LLAMA3, "digits": DIGITS}
#: Those in which other characters join letters, contractions have any case, lines are apart.
_MODERNS = ("llama3", "digits")
#: SentencePiece's mark for a space.
MARK = 0x2581
#: Added to the next state in :attr:`SplitRule.forward` where a word begins before the character.
BEGINS = 128

#: White_Space of the Unicode Character Database; str.isspace would take in U+001C to U+001F.
_SPACES = frozenset(
    map(ord, "\t\n\v\f\r \x85\xa0\u1680\u2028\u2029\u202f\u205f\u3000")
) | frozenset(range(0x2000, 0x200B))
#: Classes: letters that end a contraction by themselves, those of 're 've 'll, other letters ...
_CLASSES = ("letter", "single", "r", "v", "l", "e", "number", "space", "white", "line", "other")
_QUOTE = len(_CLASSES)
_LETTERS = ("letter", "single", "r", "v", "l", "e")


@dataclass(frozen=True, slots=True, eq=False)
class SplitRule:
    """A rule as tables.

    ``pages`` uint8 (1, 4352): for each 256 code points a row of ``classes``, uint8 (n, 256): the
    class of a code point.  ``backward`` uint8 (classes, states): the next state, from 0 at the end
    of the text.  ``forward`` uint8 (states of backward * classes, states): for what follows the
    character (the backward state after it) and its class the next state, plus BEGINS where a word
    begins before it; 0 is the state before the text.
    """

    pages: np.ndarray
    classes: np.ndarray
    backward: np.ndarray
    forward: np.ndarray


def kind(code: int) -> str:
    r"""``L`` for ``\p{L}``, ``N`` for ``\p{N}``, ``S`` for white space, ``O`` for the rest."""
    if code in _SPACES:
        return "S"
    category = unicodedata.category(chr(code))[0]
    return category if category in "LN" else "O"


def folded(code: int) -> str:
    """The letter that ``(?i:...)`` takes a character for: U+017F, the long s, is an s as well."""
    return "s" if code == 0x17F else chr(code).lower()


def _class(code: int, fold: bool) -> int:
    letter = folded(code) if fold else chr(code)
    special = {"s": "single", "t": "single", "m": "single", "d": "single"}
    special |= {"r": "r", "v": "v", "l": "l", "e": "e"}
    found = kind(code)
    if found == "L":
        return _CLASSES.index(special.get(letter, "letter"))
    if found == "N":
        return _CLASSES.index("number")
    if found == "S":
        name = {32: "space", 10: "line", 13: "line"}.get(code, "white")
        return _CLASSES.index(name)
    return _QUOTE if code == ord("'") else _CLASSES.index("other")


def _paged(class_of: Callable[[int], int]) -> tuple[np.ndarray, np.ndarray]:
    """Pages and classes of all code points."""
    all_classes = np.array([class_of(code) for code in range(0x110000)], np.uint8).reshape(-1, 256)
    classes, pages = np.unique(all_classes, axis=0, return_inverse=True)
    if len(classes) > 256:
        raise AssertionError(f"{len(classes)} different pages of classes, a byte counts 256")
    return pages.astype(np.uint8).reshape(1, -1), classes


@cache
def rule(name: str) -> SplitRule:
    """The tables of a rule.

    ``gpt2``, ``gpt2-digits``, ``llama3``, ``digits``: the expressions of PATTERNS.  ``marks``: a
    word begins at a space, or SentencePiece's mark, that follows something else.  ``spaces``: at
    every such space.
    ``whole``: the text is one word.
    Raises ValueError for another name.
    """
    if name in PATTERNS:
        return _expression(name)
    if name not in ("marks", "spaces", "whole"):
        raise ValueError(f"no rule {name!r}")
    cut = name != "whole"
    pages, classes = _paged(lambda code: int(cut and code in (32, MARK)))
    # Backward: one state. Forward: at the start, after a mark, after anything else.
    again = 1 + BEGINS * (name == "spaces")
    forward = [[2 + BEGINS, 2, 2], [1 + BEGINS, again, 1 + BEGINS]]
    return SplitRule(pages, classes, np.zeros((2, 1), np.uint8), np.array(forward, np.uint8))


# ---- the expressions ---------------------------------------------------------------------------

#: What can follow: the end, white space without and with a line end in the same run, letters by
#: whether they complete a contraction, and the rest.
_LETTERS_AHEAD = ("letter", "e", "l", "single", "re, ve", "ll")
_AHEAD = ("end", "white", "white+line", *_LETTERS_AHEAD, "number", "other")
_WHITE_AHEAD = ("white", "white+line")


def _ahead(cls: str, after: str, name: str) -> str:
    """What a character and what follows it are, seen from before them."""
    if cls == "number" and name == "gpt2-digits":
        return "end"
    if cls in ("space", "white", "line"):
        return "white+line" if cls == "line" or after == "white+line" else "white"
    if cls in ("r", "v"):
        return "re, ve" if after == "e" else "letter"
    if cls == "l":
        return "ll" if after in ("l", "ll") else "l"
    if cls in ("letter", "single", "e", "number", "other"):
        return cls
    return "other"


#: States between characters: what the word that stands open may be continued by.
_STATES = (
    "start",
    "letters",
    "number 1",
    "number 2",
    "number 3",
    "others",
    "others, lines",  # others and the line ends that follow them
    "joined",  # a character that is to begin the letters after it
    "one more",  # inside a contraction
    "two more",
    "ended",  # nothing continues this word
    "to the line",  # white space up to its last line end
    "white",  # white space without line ends, but not its last character
    "space",  # a lone space, or the last of several
    "tab",  # the same of other white space
)


def _step(state: str, cls: str, ahead: str, name: str) -> tuple[str, bool]:
    """The next state, and whether a word begins before the character."""
    if cls in _LETTERS:
        return _letter(state, name)
    if cls == "number":
        return _number(state, name)
    if cls in ("space", "white", "line"):
        return _white(state, cls, ahead, name)
    if state in ("others", "space"):
        return "others", False
    if cls == "quote" and ahead in ("single", "re, ve", "ll"):
        return ("one more" if ahead == "single" else "two more"), True
    if name in _MODERNS and ahead in _LETTERS_AHEAD:
        return "joined", True
    return "others", True


def _letter(state: str, name: str) -> tuple[str, bool]:
    if state == "two more":
        return "one more", False
    if state == "one more":
        return "ended", False
    open_states = ["letters", "joined", "space"] + (["tab"] if name in _MODERNS else [])
    return "letters", state not in open_states


def _number(state: str, name: str) -> tuple[str, bool]:
    if name == "gpt2":
        return "number 1", state not in ("number 1", "space")
    if name == "llama3" and state in ("number 1", "number 2"):
        return ("number 2" if state == "number 1" else "number 3"), False
    return "number 1", True


def _white(state: str, cls: str, ahead: str, name: str) -> tuple[str, bool]:
    lines = name in _MODERNS
    line = lines and cls == "line"
    if line and state in ("others", "others, lines"):
        return "others, lines", False
    begins = state not in ("to the line", "white")
    if lines and (line or ahead == "white+line"):
        return ("to the line" if ahead == "white+line" else "ended"), begins
    if ahead in _WHITE_AHEAD:
        return "white", begins
    # The last white space before something else is a word's beginning or a word; at the end of the
    # text it belongs to the white space before it.
    if ahead != "end":
        begins = True
    return ("space" if cls == "space" else "tab"), begins


def _expression(name: str) -> SplitRule:
    fold = name in _MODERNS
    pages, classes = _paged(lambda code: _class(code, fold))
    names = (*_CLASSES, "quote")
    backward = [[_AHEAD.index(_ahead(cls, after, name)) for after in _AHEAD] for cls in names]
    forward = []
    for ahead in _AHEAD:
        for cls in names:
            row = []
            for state in _STATES:
                after, begins = _step(state, cls, ahead, name)
                row.append(_STATES.index(after) + BEGINS * begins)
            forward.append(row)
    return SplitRule(pages, classes, np.array(backward, np.uint8), np.array(forward, np.uint8))


def cuts(table: SplitRule, text: str) -> list[int]:
    """Where words begin in a text, by running the tables a character at a time (int, ascending)."""
    found = [int(table.classes[table.pages[0, ord(c) >> 8], ord(c) & 255]) for c in text]
    ahead = [0]
    for cls in reversed(found):
        ahead.append(int(table.backward[cls, ahead[-1]]))
    count = len(table.backward)
    state, begins = 0, []
    for i, cls in enumerate(found):
        code = int(table.forward[ahead[len(found) - 1 - i] * count + cls, state])
        if code & BEGINS:
            begins.append(i)
        state = code & (BEGINS - 1)
    return begins
