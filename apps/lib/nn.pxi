; Layers of neural networks.  Values are X (16 fractional bits), weights Q, index tables I.
; A row is a token (or an example): every layer takes n of them at once.  What each costs in
; accuracy stands in docs/networks.md and is tested.

; linear(y, x, w): a linear layer without a bias.  One instruction, exact, rounded once.
macro linear(y, x, w) { y = x @ w }

; linear_bias(y, x, w, b): with a bias, one row.
macro linear_bias(y, x, w, b) {
    y = x @ w
    y += b
}

; embedding(x, w, tokens): the rows of w that tokens number; a number outside w gives zeros.
macro embedding(x, w, tokens) { x = rows(w, tokens) }

; ---- norms -------------------------------------------------------------------------------------
;
; Each row over the root of its mean square and the noise e, one instruction, correctly rounded.
; `noise` holds e in units of 2^-32, an I 1x1: round(e * exp2(32)), e below 0.5.

; layer_norm(y, x, gain, bias, average, noise); x keeps its value.  `average` is a Q column of as
; many rows as x has columns, all bytes 0, offset 1/columns: multiplying by it is the mean, exact,
; rounded once.
macro layer_norm(y, x, gain, bias, average, noise) {
    mean    : X
    centred : X
    mean = x @ average
    centred = x - mean
    y = norm(centred, noise)
    y *= gain
    y += bias
}

; rms_norm(y, x, gain, noise)
macro rms_norm(y, x, gain, noise) {
    y = norm(x, noise)
    y *= gain
}

; ---- activations -------------------------------------------------------------------------------
;
; GELU and SiLU are max(x, 0) less a small even bump, which is looked up: `bump` is an X row of its
; values in the middle of steps of 1/4096 from -reach to reach; beyond them it is 0, and so is what
; Gather gives outside a matrix.  Five instructions, no exponential, no division.

; activation(y, x, bump, half): half is half of bump's columns, reach * 4096.  y may be x.
macro activation(y, x, bump, half) {
    step : I
    dent : X
    step = shift(x, 12)
    step += half
    dent = bump[step]
    y = max(x, 0)
    y -= dent
}

; The same without a table: x / (1 + 2^(-x * log2 e)).  Four instructions and a clamp, which keeps
; the power of two from saturating.
macro silu(y, x) {
    low  : X
    grow : X
    low = max(x, -10.0)
    grow = low * -1.4426950408889634
    grow = exp2(grow)
    grow += 1
    y = low / grow
}

; ---- softmax -----------------------------------------------------------------------------------

; softmax(y, x): of each row, to the base e.  log2 e = 1.4375 + 5.3197.../1024 is taken in two
; parts, so that rounding the constant costs nothing where x spans hundreds.  The powers are lifted
; as far as a 64th of their sum allows, so that a long row of small ones does not drown in rounding.
macro softmax(y, x) {
    top   : X
    fine  : X
    lift  : I
    share : X
    all   : X
    top = row_max(x)
    y = x - top
    fine = y * 5.319721870298529
    fine = shift(fine, -10)
    y *= 1.4375
    y += fine
    lift_of(lift, share, x)
    y += lift
    y = exp2(y)
    all = y @ share
    y = y / all
    y *= 0.015625
}

; lift_of(lift, share, x): how far the powers of a row as wide as x are lifted, and the column that
; gives a 64th of their sum.
macro lift_of(lift, share, x) {
    lift = width(x)
    share = reshape(0.015625, vector(lift, 1))
    lift = log2(lift)
    lift = 19 - lift
    lift = min(lift, 14)
}

; cross_entropy.losses (X, a column) becomes the loss in nats, for each row of cross_entropy.logits
; (X), of the token that cross_entropy.targets (I 1 x n) says follows.
proc cross_entropy {
    logits  : X
    targets : I
    losses  : X
    top     : X scratch
    fine    : X scratch
    place   : I scratch
    lift    : I scratch
    want    : X scratch
    share   : X scratch
    all     : X scratch
    top = row_max(logits)
    logits -= top
    fine = logits * 5.319721870298529
    fine = shift(fine, -10)
    logits *= 1.4375
    logits += fine                        ; in bits, at most 0
    place = iota(size(targets)) * width(logits)
    place += targets
    want = logits[transpose(place)]
    lift_of(lift, share, logits)
    logits += lift
    logits = exp2(logits)
    all = logits @ share
    all = log2(all)
    lift -= 6
    all -= lift
    all -= want
    losses = all * 0.6931471805599453
}
