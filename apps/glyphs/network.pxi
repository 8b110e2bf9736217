; A transformer: 4 blocks of 192 columns, 6 heads, 256 tokens of context.
;
;     call network_start                ; once
;     network.pixels = ...              ; T n x PIXELS, 0 or 1: the cells at positions first, first + 1, ...
;     network.first = ...
;     call network                      ; their keys and values stay in the caches
;     call network_last                 ; network.logits, X 1 x VOCABULARY: after the last of them
;     call network_all                  ; network.logits, X n x VOCABULARY: after each

const LAYERS = 4
const WIDTH = 192                      ; columns of the stream
const HIDDEN = 768                    ; columns inside the MLP
const HEADS = 6
const KEY_HEADS = 6
const HEAD = 32                  ; columns of a head
const CONTEXT = 256
const VOCABULARY = 65
const EPSILON = 1e-05
const HALF = 20480                        ; of the activation's table

include "nn.pxi"
include "nn_attention.pxi"

; What a layer's mean is taken with, and the noise of its variance: see nn.pxi.
const MEAN = 1 / WIDTH
AVERAGE : Q [WIDTH, 1] scale 1.0 offset MEAN = fill(0)
NOISE : I = round(EPSILON * exp2(32))

; Weights.  What ends in _at_0, _at_1, ... is a block's own; without it, that of the block at work.
; The scale of w_out undoes the ATTENTION_UNIT of what attention hands it.
EMBEDDING : Q scale 0.0013101429212838411 offset -0.1572347730398178 = file("EMBEDDING.npy")
HEAD_WEIGHTS : Q scale 0.00196373020298779 offset -0.24349439144134521 = file("HEAD_WEIGHTS.npy")
; The glyphs it knows, a row of pixels each, in no order that means anything.
const PIXELS = 128
GLYPHS : T = file("glyphs.npy")
POSITIONS : Q scale 0.005527306813746691 offset -0.6105266213417053 = file("POSITIONS.npy")
BUMP : X = file("bump.npy")
final_gain : X = file("final_gain.npy")
final_bias : X = file("final_bias.npy")
VECTORS : X = file("vectors.npy")
norm_1_gain : V
norm_1_bias : V
norm_2_gain : V
norm_2_bias : V
w_qkv_at_0 : Q far keep scale 0.002517436631023884 offset -0.3264540433883667 = file("w_qkv_at_0.npy")
w_qkv_at_1 : Q far keep scale 0.0015531758544966578 offset -0.19109076261520386 = file("w_qkv_at_1.npy")
w_qkv_at_2 : Q far keep scale 0.002665681531652808 offset -0.34260445833206177 = file("w_qkv_at_2.npy")
w_qkv_at_3 : Q far keep scale 0.0028517504688352346 offset -0.3836526572704315 = file("w_qkv_at_3.npy")
w_qkv : X
w_out_at_0 : Q far keep scale 4.565908602671698e-05 offset -0.006578982807695866 = file("w_out_at_0.npy")
w_out_at_1 : Q far keep scale 2.5528393962304108e-05 offset -0.003366741118952632 = file("w_out_at_1.npy")
w_out_at_2 : Q far keep scale 2.5699715479277074e-05 offset -0.003427691524848342 = file("w_out_at_2.npy")
w_out_at_3 : Q far keep scale 5.31984624103643e-05 offset -0.006101564504206181 = file("w_out_at_3.npy")
w_out : X
w_up_at_0 : Q far keep scale 0.00197726022452116 offset -0.260890930891037 = file("w_up_at_0.npy")
w_up_at_1 : Q far keep scale 0.0015442338772118092 offset -0.1972070038318634 = file("w_up_at_1.npy")
w_up_at_2 : Q far keep scale 0.0016024768119677901 offset -0.19867990911006927 = file("w_up_at_2.npy")
w_up_at_3 : Q far keep scale 0.0018406270537525415 offset -0.24051453173160553 = file("w_up_at_3.npy")
w_up : X
w_down_at_0 : Q far keep scale 0.00119046273175627 offset -0.17407454550266266 = file("w_down_at_0.npy")
w_down_at_1 : Q far keep scale 0.0011887898435816169 offset -0.17904004454612732 = file("w_down_at_1.npy")
w_down_at_2 : Q far keep scale 0.0012558505404740572 offset -0.15554179251194 = file("w_down_at_2.npy")
w_down_at_3 : Q far keep scale 0.002836627420037985 offset -0.35721415281295776 = file("w_down_at_3.npy")
w_down : X
cache_at_0 : X far keep
cache_at_1 : X far keep
cache_at_2 : X far keep
cache_at_3 : X far keep

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
    view norm_1_gain = vectors[0, 0, 1, 192]
    view norm_1_bias = vectors[0, 192, 1, 192]
    view norm_2_gain = vectors[0, 384, 1, 192]
    view norm_2_bias = vectors[0, 576, 1, 192]
}

proc network {
    pixels : T
    evidence : X
    first  : I
    logits : X
    count  : I
    ready  : I                            ; how many rows the views below are made for
    count = height(pixels)
    attention.first = first
    attention.count = count
    call attention

    if count != ready {
        ready = count
        h = reshape(0, [count, WIDTH])
        qkv = reshape(0, [count, QUERIES + 2 * KEYS])
        o = reshape(0, [count, QUERIES])
        f = reshape(0, [count, 768])
        g = reshape(0, [count, HIDDEN])
        view queries = qkv[0, 0, -1, QUERIES]
        view fresh = qkv[0, QUERIES, -1, 2 * KEYS]

    }
    x = network.pixels @ EMBEDDING
    y = rows(POSITIONS, attention.at)
    x += y
    layer = 0
    while layer < LAYERS {
        vectors = rows(VECTORS, layer)
        name cache = cache_at_0[layer]
        name w_qkv = w_qkv_at_0[layer]
        name w_out = w_out_at_0[layer]
        name w_up = w_up_at_0[layer]
        name w_down = w_down_at_0[layer]

        layer_norm(h, x, norm_1_gain, norm_1_bias, AVERAGE, NOISE)
        qkv = h @ w_qkv

        attend(o, queries, fresh)
        y = o @ w_out
        x += y

        layer_norm(h, x, norm_2_gain, norm_2_bias, AVERAGE, NOISE)
        f = h @ w_up
        activation(f, f, BUMP, HALF)
        y = f @ w_down
        x += y
        layer += 1
    }
}

proc network_last {
    y = rows(x, network.count - 1)
    layer_norm(h, y, final_gain, final_bias, AVERAGE, NOISE)
    network.evidence = h @ HEAD_WEIGHTS.T
    network.logits = network.evidence @ GLYPHS.T
}

proc network_all {
    layer_norm(h, x, final_gain, final_bias, AVERAGE, NOISE)
    network.evidence = h @ HEAD_WEIGHTS.T
    network.logits = network.evidence @ GLYPHS.T
}
