; Rotary positions (Su et al., "RoFormer", 2021), pairs of neighbouring columns.
;
; Beside the constants of nn_attention.pxi the includer declares ROTARY_COSINE and ROTARY_SINE, X of
; CONTEXT rows and HEAD // 2 columns: cosine and sine of position * frequency.  After `call
; attention` follows `call rotary`, and then, in every layer, `rotate(part, whole)`.

const TURNED = QUERIES + KEYS             ; columns that turn: queries, then keys
const WHOLE = QUERIES + 2 * KEYS          ; columns of queries, keys and values

ROTARY_PAIR : I = [c % HEAD // 2 for c in 0..TURNED]
ROTARY_SIGN : I = [2 * (c % 2) - 1 for c in 0..TURNED]
; Each column's partner of the pair.
ROTARY_SWAP : I = [c + 1 - 2 * (c % 2) for c in 0..TURNED]

proc rotary {
    first  : I                            ; a number for each token; shapes that stay are planned once
    place  : I
    swap   : I
    cosine : X
    sine   : X
    first = transpose(attention.at) * (HEAD // 2)
    place = first + ROTARY_PAIR
    cosine = ROTARY_COSINE[place]
    sine = ROTARY_SINE[place]
    sine *= ROTARY_SIGN
    first = attention.token * WHOLE
    swap = first + ROTARY_SWAP
}

; rotate(part, whole): turns the queries and keys of whole (count rows of WHOLE columns); part is
; the view of its first TURNED columns.
macro rotate(part, whole) {
    other : X
    other = whole[rotary.swap]
    other *= rotary.sine
    part *= rotary.cosine
    part += other
}
