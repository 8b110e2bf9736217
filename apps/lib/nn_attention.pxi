; Causal attention with a cache of keys and values, all heads at once, for one token or for many.
;
; Who includes this says what the heads are:
;     const HEADS, KEY_HEADS            ; query heads, and the fewer (or as many) that keys have
;     const HEAD                        ; columns of a head
;     const CONTEXT                     ; rows of the cache
; and declares `cache : X`, which is to name the cache of the layer at work: CONTEXT rows of keys, then
; values, KEY_HEADS * HEAD columns each.  `attention.first` and `attention.count` say which tokens
; are coming; `call attention` then prepares for all layers what does not depend on the layer.
;
; Heads at once: a query becomes a row for each head, and each row is multiplied with its own part
; of the cache's columns.  Rows that share keys are KEY_HEADS apart: row i has part i mod KEY_HEADS.
; So one product gives the scores of all heads, one the mixed values, and one gather each cuts the
; queries and collects the results.  Shapes change only when the cache is read a block of BLOCK rows
; further, so between that nothing is planned anew; what is not yet written or lies in the future is
; masked.

const QUERIES = HEADS * HEAD
const KEYS = KEY_HEADS * HEAD
const SHARERS = HEADS // KEY_HEADS
const BLOCK = 64
; Powers are lifted as far as CONTEXT of them add up below 2^21; ATTENTION_UNIT times a share of
; attention is what the product with the values takes, so that small shares keep their bits.
const ATTENTION_UNIT = 32
const LIFT = min(20 - ceil(log2(CONTEXT)), 14)
const MASKED = -32768

; Where in a row of queries each number of a token's rows stands.
SPREAD : I = [[(i%KEY_HEADS*SHARERS + i//KEY_HEADS)*HEAD + c for c in 0..HEAD] for i in 0..HEADS]
; Where in the mixed rows of a token each number of its result stands.
COLLECT : I = [(j//HEAD%SHARERS*KEY_HEADS + j//HEAD//SHARERS)*HEAD + j%HEAD for j in 0..QUERIES]
; A column whose product with powers is their sum / ATTENTION_UNIT.
const ONE_SHARE = 1 / ATTENTION_UNIT
SHARE : Q [CONTEXT, 1] scale 1.0 offset ONE_SHARE = fill(0)
COLUMNS : I = range(CONTEXT)

proc attention {
    first  : I                            ; position of the first token that comes
    count  : I                            ; how many come; their rows must fit the cache
    had    : I                            ; for how many this was prepared
    rows   : I                            ; of the cache that are read
    seen   : I scratch
    at     : I                            ; 1 x count: the positions
    column : I
    token  : I                            ; count x 1: 0, 1, 2, ...
    where_q : I
    where_o : I
    mask   : X
    part   : I = [0, 0, 0, KEYS]
    rest   : I = [0, KEYS, 0, KEYS]
    piece  : I = [0, 0, 0, 1]
    flat   : I = [0, 0, 1, 0]
    seen = first + count + (BLOCK - 1)
    seen = min(seen / BLOCK * BLOCK, CONTEXT)
    if seen != rows {
        rows = seen
        part[2] = rows
        rest[2] = rows
        piece[2] = rows
        flat[3] = rows
        view columns = COLUMNS at flat
        view keys = cache at part
        view values = cache at rest
        view shares = SHARE at piece
    }
    if count != had {
        had = count
        token = transpose(iota(count))
        column = transpose(iota(count * HEADS))
        column = column / HEADS
        where_q = reshape(SPREAD, [count * HEADS, HEAD])
        where_q += column * QUERIES
        where_o = COLLECT + token * QUERIES
    }
    if count == 1 {
        at = first
        mask = first < columns
    } else {
        at = iota(count, first)
        mask = column + first < columns
    }
    mask = mask * MASKED
}

; attend(y, q, fresh): keeps the keys and values `fresh` (count rows of 2 * KEYS columns) in the
; cache and mixes values for the queries q (count rows of QUERIES columns).  y becomes
; ATTENTION_UNIT times the result, so that none of its bits is lost: the scale of the layer that
; takes it is divided by ATTENTION_UNIT.
macro attend(y, q, fresh) {
    wide   : X
    spread : X
    scores : X leaf KEY_HEADS
    top    : X
    all    : X
    mixed  : X
    rows(cache, attention.at) = fresh
    wide = q / (sqrt(HEAD) / log2(exp(1)))
    spread = wide[attention.where_q]
    scores = matmul_parts_transposed(spread, attention.keys)
    scores += attention.mask
    top = row_max(scores)
    top -= LIFT
    scores -= top
    scores = exp2(scores)
    all = scores @ attention.shares
    scores = scores / all
    mixed = matmul_parts(scores, attention.values)
    y = mixed[attention.where_o]
}
