"""A transformer and its tokeniser as one app: text in, text out, a token at a time."""

from __future__ import annotations

from collections.abc import Sequence
from string import Template

import numpy as np

from ..description import Transformer
from ..emit import Emitted, emit
from .bpe_tables import tokeniser_files
from .common import ForeignError
from .tokenisers import Tokeniser

APP = Template("""\
title   "$title"
summary "$summary"
help \"\"\"
$name: writes on from what it is told, a token at a time.

    $name "Once upon a time" --tokens 100 --temperature 0.8 --seed 7
    $name "Once" | text > page.png

Of a prompt longer than $context tokens it reads the end. It stops by itself where it would end the
text. Temperature 0 always takes the likeliest token. A seed other than 0 gives the same text every
time. What looks like a special token in the prompt is plain text.

--mode logits hands on, as a picture, what it makes of the prompt, or of the text input: a row for
each token, a pixel (1/65536) for each that could follow. --mode loss: a row for each token but the
first, its loss in nats. Both read $context tokens at a time. --mode tokens: one row, the numbers
of the tokens, with those that stand before every text.
\"\"\"
ports ${screen}text arguments random picture
arg   prompt text = "" "what the text begins with"
arg   tokens int = 200 in 0..1000000 "how many tokens to write at most"
arg   temperature number = 0.8 in 0..100 "how daring: 0 is not at all"
arg   top_k int = 0 in 0..$tokens "choose among so many, 0: all"
arg   top_p number = 1.0 in 0..1 "choose among the likeliest that make up this share"
arg   seed int = 0 in 0..2147483647 "what chance begins with, 0: the machine's own"
arg   mode choice(write, logits, loss, tokens) = write "write text, or judge it"
${size}
include "network.pxi"
include "tokeniser.pxi"
include "nn_sample.pxi"

const BEFORE = $before                    ; how many tokens stand before every text
const STRIPS = $strips                    ; 1: without a prompt, the text's first space is left out
const BEGIN = 16                          ; BPE_AT_16: those, or what begins a text without a prompt
const NOTE = 1                            ; what is written so goes to the user, not on
const STOP = 17                           ; BPE_AT_17: tokens that end a text, -1: none

bytes   : T
piece   : T
codes   : I                               ; the text as tokens
left    : I
at      : I                               ; how many tokens of history the network has read
history : I [1, CONTEXT + 1]

bytes = in(arguments, 0)
at = in(arguments, 6)
if at {                                   ; the mode, until judge ends
    unless size(bytes) { call read_all }
    bpe.text = bytes
    call bpe
    codes = bpe.tokens
    call judge
    halt
}
call network_start
left = in(arguments, 1)
sample.temperature = in(arguments, 2)
sample.top_k = in(arguments, 3)
sample.top_p = in(arguments, 4)
sample.seed = in(arguments, 5)
bpe.text = bytes
call bpe
codes = bpe.tokens
at = size(codes)
if at > CONTEXT - BEFORE {
$note    codes = codes[iota(CONTEXT - BEFORE, at - (CONTEXT - BEFORE))]
}
if BEFORE or at == 0 { call begin }
at = size(codes)
piece = bytes
$write
history[iota(at)] = codes
network.tokens = codes
network.first = 0
call network
while left {
    call network_last
    sample.logits = network.logits
    call sample
    name bpe_1 = BPE_AT_0[STOP]
    if row_max(bpe_1 == sample.token) { halt }
    pieces.tokens = sample.token
    call pieces
    piece = pieces.text
    if STRIPS and size(piece) and size(bytes) == 0 {
        if piece[0] == ' ' { piece = piece[iota(size(piece) - 1, 1)] }
    }
    if size(piece) { bytes = piece }      ; something stands there
    $write
    history[at] = sample.token
    left -= 1
    if left {
        if at == CONTEXT { call turn_over } else { call read_on }
        call network
    }
}
halt

; What begins a text, before codes.
proc begin {
    name bpe_1 = BPE_AT_0[BEGIN]
    codes = beside(bpe_1, codes)
}

; One token more.
proc read_on {
    network.tokens = sample.token
    network.first = at
    at += 1
}

; The context is full: the later half of the text is read again, behind what begins every text.
proc turn_over {
    codes = history[iota(CONTEXT // 2 - BEFORE, CONTEXT + 1 - (CONTEXT // 2 - BEFORE))]
    if BEFORE { call begin }
    history[iota(CONTEXT // 2)] = codes
    network.tokens = codes
    network.first = 0
    at = CONTEXT // 2
}

; bytes becomes the text input.
proc read_all {
    loop {
        piece = in(text)
        unless size(piece) return
        bytes = beside(bytes, piece)
    }
}

; The logits or losses of codes, CONTEXT of them at a time, or their numbers.
proc judge {
    from  : I scratch
    many  : I scratch
    end   : I scratch
    words : P scratch
    if BEFORE { call begin }
    if at == 3 {
        words = reshape(codes, [min(size(codes), 1), size(codes)])
        out(picture, words)
        return
    }
    call network_start
    end = size(codes) - (at == 2)
    from = 0
    while from < end {
        many = min(end - from, CONTEXT)
        network.tokens = codes[iota(many, from)]
        network.first = 0
        call network
        call network_all
        if at == 2 {
            cross_entropy.logits = network.logits
            cross_entropy.targets = codes[iota(many, from + 1)]
            call cross_entropy
            view bits = cross_entropy.losses as I
        } else {
            view bits = network.logits as I
        }
        words = reshape(bits, shape(bits))
        out(picture, words)
        from += many
    }
}
""")


#: What is added where the text is drawn as well.
PAGE = """
include "palette.pxi"
include "utf8.pxi"

const PAGE_ROWS = 20                      ; of the page, in letters
const PAGE_COLUMNS = 40

; piece goes to the text port and the page; bytes of a character that is not whole wait.
proc write {
    rest    : T
    letters : I [PAGE_ROWS, PAGE_COLUMNS] ; the page
    spot    : I                           ; where the next letter goes, counted row by row
    pic     : P scratch
    shown   : I scratch
    next    : I scratch
    unless size(piece) return
    out(text, piece)
    bpe.text = beside(rest, piece)
    call bpe_characters
    ; Up to three bytes at the end that are no character may become one.
    shown = running_max((bpe.codes > -1) * (iota(size(bpe.codes)) + 1))
    next = row_max(shown)                 ; characters up to the last good one
    if size(bpe.codes) - next > 3 { next = size(bpe.codes) }
    shown = size(bpe.text)
    if next < size(bpe.codes) { shown = bpe.leads[next] }
    rest = bpe.text[iota(size(bpe.text) - shown, shown)]
    unless next return
    glyphs.codes = bpe.codes[iota(next)]
    call glyphs
    shown = glyphs.shown
    shown[where shown < 0] = GLYPH_MISSING
    next = 0
    while next < size(shown) {
        if shown[next] == '\\n' {
            spot = (spot / PAGE_COLUMNS + 1) * PAGE_COLUMNS
        } else {
            letters[spot] = shown[next]
            spot += 1
        }
        next += 1
        if spot / PAGE_COLUMNS == PAGE_ROWS {               ; full: it moves up
            letters = rows(letters, iota(PAGE_ROWS, 1))
            spot -= PAGE_COLUMNS
        }
    }
    pic = tile(letters, FONT16P)
    pic = over(pic, NIGHT)
    out(screen, pic)
}
"""


def quoted(text: str) -> str:
    """Text for between the quotes of a directive: one line, quotes and backslashes escaped."""
    line = " ".join(text.split())
    return line.replace("\\", "\\\\").replace('"', '\\"')


def text_app(
    network: Transformer,
    tokeniser: Tokeniser,
    *,
    start: Sequence[int] = (),
    stop: Sequence[int] = (),
    name: str = "model",
    title: str = "",
    method: str = "least-squares",
    groups: int = 1,
) -> Emitted:
    """The sources, weights and tables of an app, ``NAME.pxa``.

    It draws the text as well, and tells the user of a prompt that is too long, if the network
    leaves enough of the matrices that a program can name.

    ``start``: the tokens that begin a text without a prompt where the tokeniser has none itself;
    ``stop``: those that end one.  ``name``: letters, digits and underscores.  ``method`` and
    ``groups`` as :func:`~..emit.emit` takes them.  Raises DescriptionError, and ForeignError if the
    tokeniser and the network do not belong together.
    """
    if len(tokeniser.pieces) > network.tokens:
        raise ForeignError(
            f"the tokeniser has {len(tokeniser.pieces)} tokens, the model {network.tokens}",
            "take the tokenizer.json that came with the model",
        )
    before = len(tokeniser.start)
    if before >= network.context // 2:
        raise ForeignError(
            f"{before} tokens before every text leave no room in a context of {network.context}",
            "import it with a longer --context",
        )
    begin = tokeniser.start or tuple(start[:1]) or tuple(tokeniser.encode("\n")[:1])
    emitted = emit(network, method=method, groups=groups)
    own = {
        "BEGIN": np.array([begin], np.int32),
        "STOP": np.array([list(stop) or [-1]], np.int32),
    }
    files = {**emitted.files, **tokeniser_files(tokeniser, network.tokens, own)}
    main = name + ".pxa"
    words = {
        "name": name,
        "title": quoted(title or name.capitalize()),
        "summary": f"writes text with a network of {network.count():,} weights",
        "context": network.context,
        "tokens": network.tokens,
        "before": before,
        "strips": int(tokeniser.strips),
    }
    said = f"reads the last {network.context - before} tokens of that"
    drawing = {
        "screen": "screen ",
        "size": "size  320x480\n",
        "write": "call write",
        "note": f'    out(text, "{said}", NOTE)\n',
    }
    files[main] = (APP.substitute(words, **drawing) + PAGE).encode()
    if not Emitted(files, main).fits():
        plain = {"screen": "", "size": "", "write": "out(text, piece)", "note": ""}
        files[main] = APP.substitute(words, **plain).encode()
    return Emitted(files, main)
