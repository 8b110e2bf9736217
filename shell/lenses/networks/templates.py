"""The sources that :mod:`.emit` fills in: read these to know how a network's picture works.

Placeholders are ``$name``.  The interface of an emitted ``network.pxi``:

* a transformer: ``call network_start`` once; then set ``network.tokens`` (I, 1 x n) and
  ``network.first`` (I, the position of the first of them) and ``call network``; then
  ``call network_last`` or ``call network_all``, which leave ``network.logits`` (X, 1 or n rows);
* a transformer with glyphs: the same, but ``network.pixels`` (T, n x pixels of 0 and 1) instead of
  ``network.tokens``, and ``network.evidence`` (X, as many columns) besides the logits;
* an MLP: set ``network.input`` (X, n x inputs), ``call network``, read ``network.output``.
"""

from __future__ import annotations

from string import Template

TRANSFORMER = Template("""\
; A transformer: $layers blocks of $width columns, $heads heads, $context tokens of context.
;
;     call network_start                ; once
$given
;     network.first = ...
;     call network                      ; their keys and values stay in the caches
;     call network_last                 ; network.logits, X 1 x VOCABULARY: after the last of them
;     call network_all                  ; network.logits, X n x VOCABULARY: after each

const LAYERS = $layers
const WIDTH = $width                      ; columns of the stream
const HIDDEN = $hidden                    ; columns inside the MLP
const HEADS = $heads
const KEY_HEADS = $key_heads
const HEAD = $head_width                  ; columns of a head
const CONTEXT = $context
const VOCABULARY = $vocabulary
const EPSILON = $epsilon
const HALF = $half                        ; of the activation's table

include "nn.pxi"
include "nn_attention.pxi"
$rotary_include
; What a layer's mean is taken with, and the noise of its variance: see nn.pxi.
const MEAN = 1 / WIDTH
AVERAGE : Q [WIDTH, 1] scale 1.0 offset MEAN = fill(0)
NOISE : I = round(EPSILON * exp2(32))

; Weights.  What ends in _at_0, _at_1, ... is a block's own; without it, that of the block at work.
; The scale of w_out undoes the ATTENTION_UNIT of what attention hands it.
$declarations

cache   : X                               ; keys and values of the block at work
vectors : X                               ; its gains and biases
layer   : I
x       : X                               ; the stream, a row for each token
h       : X                               ; the stream, normalised
qkv     : X                               ; queries, keys, values
o       : X                               ; what attention found
f       : X                               ; inside the MLP
g       : X
y       : X                               ; what is added to the stream
part    : X

proc network_start {
    layer = 0
    while layer < LAYERS {
        name cache = cache_at_0[layer]
        cache = reshape(0, [CONTEXT, 2 * KEYS])
        layer += 1
    }
    vectors = rows(VECTORS, 0)
$vectors
}

proc network {
$reads
    first  : I
    logits : X
    count  : I
    ready  : I                            ; how many rows the views below are made for
    count = $counted
    attention.first = first
    attention.count = count
    call attention
$rotary_call
    if count != ready {
        ready = count
        h = reshape(0, [count, WIDTH])
        qkv = reshape(0, [count, QUERIES + 2 * KEYS])
        o = reshape(0, [count, QUERIES])
        f = reshape(0, [count, $fan])
        g = reshape(0, [count, HIDDEN])
        view queries = qkv[0, 0, -1, QUERIES]
        view fresh = qkv[0, QUERIES, -1, 2 * KEYS]
$cuts
    }
$embed
    layer = 0
    while layer < LAYERS {
        vectors = rows(VECTORS, layer)
        name cache = cache_at_0[layer]
$naming

        $norm_1
$qkv
$rotate
        attend(o, queries, fresh)
$out
        x += y

        $norm_2
$up
$activate
$down
        x += y
        layer += 1
    }
}

proc network_last {
    y = rows(x, network.count - 1)
    $final_last
$answer_last
}

proc network_all {
    $final_all
$answer_all
}
""")

MLP = Template("""\
; A network of $count layers, $sizes.
;
;     network.input = ...               ; X n x $inputs
;     call network
;     ... network.output                ; X n x $outputs

include "nn.pxi"

$declarations

proc network {
    input  : X
    output : X
    part   : X
$hidden
$body
}
""")

APP = Template("""\
title   "$title"
${credits}summary "$summary"
help \"\"\"
$name: writes on from what it is told, a character at a time.

    $name "ROMEO:" --tokens 200 --temperature 0.8 --seed 7
    $name "Once" | text > page.png
$about_window
The same prompt, settings and seed give the same text every time; without a seed it is chance.
The prompt - is the text input; without a prompt it begins a line. Characters that it has never
seen are left out, and you are told which. Of a prompt longer than $context characters it heeds
the end. Temperature 0 always takes the likeliest character.

--mode logits hands on, as a picture, what it makes of the prompt, or of the text input: a row
for each character, a pixel (1/65536) for each that could follow. --mode loss: a row for each
character but the last, its loss in nats. Both read $context characters at a time.
\"\"\"
ports ${ports}text arguments random picture
arg   prompt text = "" "what the text begins with; -: the text input"
arg   tokens int = 200 in 0..1000000 "how many characters to write"
arg   temperature number = 0.8 in 0..100 "how daring: 0 is not at all"
arg   top_k int = 0 in 0..$vocabulary "choose among so many, 0: all"
arg   top_p number = 1.0 in 0..1 "choose among the likeliest that make up this share"
arg   seed int = 0 in 0..2147483647 "what chance begins with, 0: anything"
arg   mode choice(write, logits, loss) = write "write text, or judge it"
${size}
include "network.pxi"
include "nn_sample.pxi"
$include
const START = $start                      ; the token a text begins with if nothing else is given
const NOTE = 1                            ; the text port's selector for what goes to the user alone
; The token of each byte, -1: none; and the byte of each token.
ENCODE : I = $encode
DECODE : T = $decode

bytes   : T
piece   : T                               ; what was written last
codes   : I                               ; the text as tokens
left    : I                               ; how many characters are still to be written
at      : I                               ; how many tokens of history the network has read
due     : I                               ; 1: it has not read the last one yet
history : I [1, CONTEXT + 1]

call network_start
bytes = in(arguments, 0)
left = in(arguments, 6)                   ; the mode, until judge ends
if left {
    unless size(bytes) { call read_all }
    call encode
    call judge
    halt
}
if size(bytes) == 1 and bytes[0] == '-' {
    bytes = reshape(0, [0, 0])
    call read_all
}
left = in(arguments, 1)
sample.temperature = in(arguments, 2)
sample.top_k = in(arguments, 3)
sample.top_p = in(arguments, 4)
sample.seed = in(arguments, 5)
if sample.temperature and sample.seed == 0 { call any_seed }
${open}call begin
loop {
$rest
    if due { call read_on }
    call network_last
    sample.logits = network.logits
    call sample
    history[at] = sample.token
    due = 1
    left -= 1
    piece = DECODE[sample.token]
    out(text, piece)
$show}
if piece[size(piece) - 1] != '\\n' { out(text, "\\n") }
halt

; A seed by chance, short enough to be typed.
proc any_seed {
    n : I scratch
    n = in(random, [1, 1])
    n = n >> 11
    sample.seed = max(n, 0 - n) + 1
}

$anew; A text begins with bytes: they are written, and read by the network.
proc begin {
    n : I scratch
    call encode
    n = size(codes)
    if n < size(bytes) {
        piece = bytes[where(ENCODE[bytes] < 0)]
        piece = beside("has never seen these characters and leaves them out: ", piece)
        out(text, piece, NOTE)
    }
    if n > CONTEXT { out(text, "reads the last $context characters of that", NOTE) }
    piece = DECODE[codes]
    out(text, piece)
$prompt    unless n { codes = START }
    if n > CONTEXT { codes = codes[iota(CONTEXT, n - CONTEXT)] }
    at = size(codes)
    history[iota(at)] = codes
    due = 0
    network.tokens = codes
    network.first = 0
    call network
}

; The network reads the last token; when the context is full, the later half of the text again, as
; its beginning.
proc read_on {
    network.tokens = sample.token
    network.first = at
    at += 1
    if at > CONTEXT {
        codes = history[iota(CONTEXT // 2, CONTEXT + 1 - CONTEXT // 2)]
        history[iota(CONTEXT // 2)] = codes
        network.tokens = codes
        network.first = 0
        at = CONTEXT // 2
    }
    call network
}

; bytes becomes the text input.
proc read_all {
    loop {
        piece = in(text)
        unless size(piece) return
        bytes = beside(bytes, piece)
    }
}

; codes becomes the tokens of bytes.
proc encode {
    known : I scratch
    codes = bytes
    unless size(bytes) return
    codes = ENCODE[bytes]
    known = where(codes > -1)
    codes = codes[known]
}

; The logits or losses of codes, CONTEXT of them at a time.
proc judge {
    from    : I scratch
    many    : I scratch
    end     : I scratch
    words   : P scratch
    end = size(codes) - (left == 2)
    from = 0
    while from < end {
        many = min(end - from, CONTEXT)
        network.tokens = codes[iota(many, from)]
        network.first = 0
        call network
        call network_all
        if left == 2 {
            cross_entropy.logits = network.logits
            cross_entropy.targets = codes[iota(many, from + 1)]
            call cross_entropy
            network.logits = cross_entropy.losses
        }
        view raw = network.logits as I
        words = reshape(raw, shape(raw))
        out(picture, words)
        from += many
    }
}
""")

#: What stands in APP for a window, and what does where no names of matrices are left for one.
WINDOW = {
    "about_window": """\
    pxos run $name

In a window it writes at a pace to be read, without end if it was told nothing. Type a
beginning and press Enter; Space pauses. Below the page stands the seed.
""",
    "ports": "screen frame keys ",
    "size": "size  344x496\n",
    "include": 'include "nn_page.pxi"\n\nconst ENDLESS = -1\n',
    "open": """\
call page_open
if page_size and size(bytes) == 0 { left = ENDLESS }
""",
    "rest": """\
    unless left {
        unless page_size { break }
        call page_rest
        left = ENDLESS
    }
    if page_asked { call begin_anew }""",
    "show": """\
    if page_size {
        page.text = piece
        call page
        call page_turn
    }
""",
    "prompt": """\
    if page_size {
        call show_seed
        call page_gap
        page.text = piece
        page.ink = C_LIME
        call page
        page.ink = C_PAPER
    }
""",
    "anew": """\
; What the user typed begins another text, with the next seed.
proc begin_anew {
    page_asked = 0
    out(text, "\\n")
    out(text, "\\n")
    bytes = page_typed
    page_typed = reshape(0, [0, 0])
    sample.seed += 1
    sample.rolled = 0
    left = ENDLESS
    call begin
}

proc show_seed {
    parts : I scratch
    parts = sample.seed / [1000000000, 100000000, 10000000, 1000000, 100000, 10000, 1000, 100, 10,
                           1]
    page_note = '0' + parts % 10
    page_note = beside("seed ", page_note[where(parts)])
}

""",
}
NO_WINDOW = {
    **dict.fromkeys(WINDOW, ""),
    "rest": "    unless left { break }",
}
