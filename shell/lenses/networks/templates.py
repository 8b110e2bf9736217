"""The sources that :mod:`.emit` fills in: read these to know how a network's picture works.

Placeholders are ``$name``.  The interface of an emitted ``network.pxi``:

* a transformer: ``call network_start`` once; then set ``network.tokens`` (I, 1 x n) and
  ``network.first`` (I, the position of the first of them) and ``call network``; then
  ``call network_last`` or ``call network_all``, which leave ``network.logits`` (X, 1 or n rows);
* an MLP: set ``network.input`` (X, n x inputs), ``call network``, read ``network.output``.
"""

from __future__ import annotations

from string import Template

TRANSFORMER = Template("""\
; A transformer: $layers blocks of $width columns, $heads heads, $context tokens of context.
;
;     call network_start                ; once
;     network.tokens = ...              ; I 1 x n: the tokens at positions first, first + 1, ...
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
NOISE : X = [EPSILON * exp2(2*(7 - (i + 1)//2)) for i in 0..31]

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
    tokens : I
    first  : I
    logits : X
    count  : I
    ready  : I                            ; how many rows the views below are made for
    count = size(tokens)
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
    last : X scratch
    tail : X scratch
    last = rows(x, network.count - 1)
    $final_last
    network.logits = tail @ $head.T
}

proc network_all {
    $final_all
    network.logits = h @ $head.T
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
summary "$summary"
help \"\"\"
$name: writes on from what it is told, a character at a time.

    $name "ROMEO:" --tokens 200 --temperature 0.8 --seed 7
    $name "Once" | text > page.png

Characters that it never learned are left out; of a prompt longer than $context characters it reads
the end; without a prompt it begins a line. Temperature 0 always takes the likeliest character.
A seed other than 0 gives the same text every time.

--mode logits hands on, as a picture, what it makes of the prompt, or of the text input: a row
for each character, a pixel (1/65536) for each that could follow. --mode loss: a row for each
character but the last, its loss in nats. Both read $context characters at a time.
\"\"\"
ports screen text arguments random picture
arg   prompt text = "" "what the text begins with"
arg   tokens int = 200 in 0..1000000 "how many characters to write"
arg   temperature number = 0.8 in 0..100 "how daring: 0 is not at all"
arg   top_k int = 0 in 0..$vocabulary "choose among so many, 0: all"
arg   top_p number = 1.0 in 0..1 "choose among the likeliest that make up this share"
arg   seed int = 0 in 0..2147483647 "what chance begins with, 0: the machine's own"
arg   mode choice(write, logits, loss) = write "write text, or judge it"
size  320x480

include "network.pxi"
include "nn_sample.pxi"
include "nn_page.pxi"

const START = $start                      ; the token a text begins with if nothing else is given
; The token of each byte, -1: none; and the byte of each token.
ENCODE : I = $encode
DECODE : T = $decode

bytes   : T
piece   : T
codes   : I                               ; the text as tokens
known   : I
n       : I
left    : I
at      : I                               ; how many tokens of history the network has read
history : I [1, CONTEXT + 1]
mode    : I
letter  : T
whole   : I

call network_start
bytes = in(arguments, 0)
mode = in(arguments, 6)
if mode {
    unless size(bytes) { call read_all }
    call encode
    call judge
    halt
}
left = in(arguments, 1)
sample.temperature = in(arguments, 2)
sample.top_k = in(arguments, 3)
sample.top_p = in(arguments, 4)
sample.seed = in(arguments, 5)
call encode
unless size(codes) { codes = START }
n = size(codes)
if n > CONTEXT {
    codes = codes[iota(CONTEXT, n - CONTEXT)]
    n = CONTEXT
}
piece = DECODE[codes]
out(text, piece)
page.text = piece
call page
history[iota(n)] = codes
at = n
network.tokens = codes
network.first = 0
call network
while left {
    call network_last
    sample.logits = network.logits
    call sample
    letter = DECODE[sample.token]
    out(text, letter)
    page.text = letter
    call page
    history[at] = sample.token
    left -= 1
    if left {
        if at == CONTEXT { call turn_over } else { call read_on }
        call network
    }
}
halt

; One token more.
proc read_on {
    network.tokens = sample.token
    network.first = at
    at += 1
}

; The context is full: the later half of the text is read again as its beginning.
proc turn_over {
    codes = history[iota(CONTEXT // 2, CONTEXT + 1 - CONTEXT // 2)]
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

; codes becomes the tokens of bytes.
proc encode {
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
    end = size(codes) - (mode == 2)
    from = 0
    while from < end {
        many = min(end - from, CONTEXT)
        network.tokens = codes[iota(many, from)]
        network.first = 0
        call network
        call network_all
        if mode == 2 {
            cross_entropy.logits = network.logits
            cross_entropy.targets = codes[iota(many, from + 1)]
            call cross_entropy
            network.logits = cross_entropy.losses
        }
        view raw = network.logits as I
        whole = raw
        words = reshape(whole, shape(whole))
        out(picture, words)
        from += many
    }
}
""")
