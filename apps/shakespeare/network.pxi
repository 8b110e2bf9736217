; A transformer: 4 blocks of 192 columns, 6 heads, 256 tokens of context.
;
;     call network_start                ; once
;     network.tokens = ...              ; I 1 x n: the tokens at positions first, first + 1, ...
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
EMBEDDING : Q scale 0.003342315088957548 offset -0.37840697169303894 = file("EMBEDDING.npy")
POSITIONS : Q scale 0.006381664425134659 offset -0.7069109082221985 = file("POSITIONS.npy")
BUMP : X = file("bump.npy")
final_gain : X = file("final_gain.npy")
final_bias : X = file("final_bias.npy")
VECTORS : X = file("vectors.npy")
norm_1_gain : V
norm_1_bias : V
norm_2_gain : V
norm_2_bias : V
w_qkv_at_0 : Q far keep scale 0.001207368215546012 offset -0.15240833163261414 = file("w_qkv_at_0.npy")
w_qkv_at_1 : Q far keep scale 0.0016118392813950777 offset -0.1927194893360138 = file("w_qkv_at_1.npy")
w_qkv_at_2 : Q far keep scale 0.002565187169238925 offset -0.3013099431991577 = file("w_qkv_at_2.npy")
w_qkv_at_3 : Q far keep scale 0.002851402387022972 offset -0.36327090859413147 = file("w_qkv_at_3.npy")
w_qkv : X
w_out_at_0 : Q far keep scale 3.790834671235643e-05 offset -0.004308776464313269 = file("w_out_at_0.npy")
w_out_at_1 : Q far keep scale 2.6218236598651856e-05 offset -0.00334497750736773 = file("w_out_at_1.npy")
w_out_at_2 : Q far keep scale 2.45839746639831e-05 offset -0.003207590663805604 = file("w_out_at_2.npy")
w_out_at_3 : Q far keep scale 5.9606172726489604e-05 offset -0.008638468571007252 = file("w_out_at_3.npy")
w_out : X
w_up_at_0 : Q far keep scale 0.0015711842570453882 offset -0.19597949087619781 = file("w_up_at_0.npy")
w_up_at_1 : Q far keep scale 0.001463252236135304 offset -0.17349331080913544 = file("w_up_at_1.npy")
w_up_at_2 : Q far keep scale 0.0016361537855118513 offset -0.199869766831398 = file("w_up_at_2.npy")
w_up_at_3 : Q far keep scale 0.0017514708451926708 offset -0.19970044493675232 = file("w_up_at_3.npy")
w_up : X
w_down_at_0 : Q far keep scale 0.0011657687136903405 offset -0.15894848108291626 = file("w_down_at_0.npy")
w_down_at_1 : Q far keep scale 0.0011113111395388842 offset -0.16977150738239288 = file("w_down_at_1.npy")
w_down_at_2 : Q far keep scale 0.0013648633612319827 offset -0.1933905929327011 = file("w_down_at_2.npy")
w_down_at_3 : Q far keep scale 0.002774032298475504 offset -0.2873101234436035 = file("w_down_at_3.npy")
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
    tokens : I
    first  : I
    logits : X
    count  : I
    ready  : I                            ; how many rows the views below are made for
    count = size(tokens)
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
    x = rows(EMBEDDING, network.tokens)
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
    network.logits = h @ EMBEDDING.T
}

proc network_all {
    layer_norm(h, x, final_gain, final_bias, AVERAGE, NOISE)
    network.logits = h @ EMBEDDING.T
}
