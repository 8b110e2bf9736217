; Choosing a token: the likeliest, or by chance from the machine's random port.
;
; Set sample.logits (X 1 x n), sample.temperature (0: the likeliest), sample.top_k (0: all) and
; sample.top_p (1: all), `call sample`, read sample.token.  Needs the port random unless the
; temperature is 0 or sample.seed is not 0: then the seed gives the numbers.  A token's chance is right within 2^-15; one less likely than 2^-16 of the
; likeliest may never come.

proc sample {
    logits      : X
    temperature : X
    top_k       : I
    top_p       : X = 1.0
    seed        : I
    token       : I
    rolled      : I                       ; how many numbers the seed has given
    scaled : X scratch
    sorted : I scratch
    chance : X scratch
    before : X scratch
    spot   : X scratch
    best   : X scratch
    limit  : X scratch
    count  : I scratch
    lift   : I scratch
    dice   : I scratch
    hit    : I scratch
    unless temperature {
        token = argmax(logits)
        return
    }
    best = row_max(logits)
    scaled = logits - best
    limit = temperature * 0.6931471805599453
    limit = max(limit, 0.0001)
    scaled = scaled / limit
    count = size(logits)
    lift = log2(count)
    lift = 14 - lift                      ; count powers of at most 2^lift add up below 2^15
    scaled += lift
    if top_k or top_p < 1 {
        scaled = 0 - scaled
        sorted = order(scaled)
        scaled = scaled[sorted]
        scaled = 0 - scaled
        chance = exp2(scaled)
        if top_k and top_k < count {
            hit = iota(count) < top_k
            chance *= hit
        }
        if top_p < 1 {
            before = running_sum(chance)
            limit = row_max(before)
            limit *= top_p
            before -= chance              ; a token stays if those before it do not reach top_p
            hit = before < limit
            hit[0] = 1
            chance *= hit
        }
        call draw_lot
        token = sorted[token]
        return
    }
    chance = exp2(scaled)
    call draw_lot
    return
draw_lot:
    if seed {
        call roll
    } else {
        dice = in(random, [1, 1])
    }
    dice = dice & 65535
    spot = dice / 65536
    chance = running_sum(chance)
    limit = row_max(chance)
    spot *= limit
    spot = min(spot, limit - 1 / 65536)   ; rounding must not reach past the last
    hit = spot < chance
    token = argmax(hit)
    return
; The next number of the seed: a counter through the integer hash lowbias32 (Wellons, "Prospecting
; for hash functions", 2018).  Its shifts are of unsigned numbers: what the sign brings in is cut off.
roll:
    dice = seed * -1640531527             ; 2^32 / golden ratio: neighbouring seeds lie far apart
    dice += rolled
    rolled += 1
    lift = dice >> 16 & 65535
    dice = dice ^ lift
    dice = dice * 0x7feb352d
    lift = dice >> 15 & 131071
    dice = dice ^ lift
    dice = dice * -2073254261             ; 0x846ca68b
    lift = dice >> 16 & 65535
    dice = dice ^ lift
}
