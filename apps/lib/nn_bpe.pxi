; Byte-pair encoding: text as a network's tokens and back, by whole matrices.
;
;     bpe.text = ...                    ; T 1 x n: UTF-8, whole
;     call bpe                          ; bpe.tokens, I 1 x m
;     pieces.tokens = ...               ; I 1 x m
;     call pieces                       ; pieces.text, T 1 x n
;
; A text is cut into words by two automata over classes of characters, one that reads backwards and
; one that reads forwards; in every word at once the neighbouring pair of the least rank is merged,
; until no word has a pair that merges.  Malformed UTF-8 is taken a byte at a time, as characters
; that are neither letters, numbers nor spaces.
;
; A program can name 187 matrices, and a network takes most of them: so the tables stand behind them,
; in this order, and the work is done with few names and few constants beyond -16..47.  Who includes this declares (importers/bpe_tables.py writes it):
;     const BPE_TOKENS                  ; how many tokens there are
;     const BPE_PREFIX                  ; a space before the text: 0 no, 1 unless it has one, 2 always
;     const BPE_CHARACTERS              ; 1: text begins as characters where they have tokens, 0: as bytes
;     const BPE_BITS                    ; ranks are below 2^(BPE_BITS - 1)
;     const BPE_TOGETHER                ; 1: all places of a pair may be merged at once, 0: the leftmost
;     const BPE_LONGEST                 ; of the words that are tokens though no merges make them; 0: none
;     const BPE_CLASSES, BPE_BACK, BPE_STATES               ; sizes of the tables of automata
; and, all of them `far keep`, one behind the other:
;     BPE_AT_0  (T)                     ; pages of code points: rows of
;     BPE_AT_1  (T n x 256)             ; the class of a code point
;     BPE_AT_2  (T BPE_CLASSES x BPE_BACK)                  ; next states, backwards, and
;     BPE_AT_3  (T BPE_BACK * BPE_CLASSES x BPE_STATES)     ; forwards: see importers/split_rules.py
;     BPE_AT_4  (I 1 x 256)             ; the token of each byte
;     BPE_AT_5  (I m x 1)               ; code points that have tokens, ascending or not, and
;     BPE_AT_6  (I 1 x m)               ; those tokens
;     BPE_AT_7  (I 1 x BPE_TOKENS), BPE_AT_8, BPE_AT_9 (I)  ; base, left, rank of pairs: see below
;     BPE_AT_10 (I)                     ; the token that each rank makes
;     BPE_AT_11 (I n x BPE_LONGEST + 1), BPE_AT_12 (I 1 x n); words that are tokens, and the tokens
;     BPE_AT_13 (I 1 x BPE_TOKENS + 1), BPE_AT_14 (T)       ; where each token's bytes begin; the bytes
;     BPE_AT_15 (T 1 x 3)               ; SentencePiece's mark
; Behind them may stand tables of the includer's own.
;
; A pair's rank stands in `rank` at base[left] + right, if `left` is left + 1 there: rows of a
; sparse table, pushed into each other so that none cover the same place.

bpe_1 : I                                 ; the tables at work
bpe_2 : I
bpe_3 : I
bpe_4 : I

proc bpe {
    text   : T scratch
    tokens : I scratch
    word   : I scratch                    ; whether a word begins at a byte; then each token's word
    leads  : I scratch                    ; where characters begin
    codes  : I scratch                    ; the characters, -1 for bytes that belong to none
    tail   : I                            ; whether a byte belongs to the character before it: it lasts
                                          ; from bpe_characters to bpe_known, past bpe_words, so no scratch
    tokens = reshape(0, [0, 0])
    unless size(text) return
    if BPE_PREFIX == 2 { text = beside(' ', text) }
    if BPE_PREFIX == 1 { call bpe_prefix }
    call bpe_characters
    call bpe_words
    name bpe_1 = BPE_AT_0[4]
    tokens = bpe_1[text]
    if BPE_CHARACTERS { call bpe_known }
    word = running_sum(word) - 1
    call bpe_merge
    if BPE_LONGEST { call bpe_whole_words }
}

; A space before the text, unless it begins with one or with SentencePiece's mark.
proc bpe_prefix {
    name bpe_1 = BPE_AT_0[15]
    unless bpe.text[0] == ' ' or row_min(bpe.text[iota(3)] == bpe_1) and BPE_CHARACTERS {
        bpe.text = beside(' ', bpe.text)
    }
}

; The characters of bpe.text: tail, leads and codes.
proc bpe_characters {
    at   : I scratch
    need : I scratch                      ; bytes of the character that begins here: 1 to 4
    good : I scratch
    at = iota(size(bpe.text))
    bpe.tail = bpe.text >> 6 == 2
    need = (bpe.text >> 6 == 3) + (bpe.text >> 5 == 7) + (bpe.text >> 4 == 15) + 1
    good = running_sum(bpe.tail)
    need = need * (good[at + need - 1] - good == need - 1)  ; 0: followers are missing
    bpe.codes = bpe.text
    good = bpe.text[at + 1]
    bpe.codes[where need > 1] = (bpe.codes & 31) << 6 | low_bits(good, 6)
    good = bpe.text[at + 2]
    bpe.codes[where need > 2] = bpe.codes << 6 | low_bits(good, 6)
    good = bpe.text[at + 3]
    bpe.codes[where need > 3] = (bpe.codes << 6 | low_bits(good, 6)) - shift(1, 22)
    ; Too long for its code (it needs more than 7, 11 or 16 bits), a surrogate, beyond Unicode: such
    ; a byte stands alone.
    good = shift(bpe.codes, 3 + (need > 2) - 5 * need)
    good = good and bpe.codes >> 16 < 17 and bpe.codes >> 11 != 27
    need = max(need * (good or need == 1), 1)
    bpe.codes[where need == 1 and bpe.text >> 7] = -1
    good = running_max((1 - bpe.tail) * (at + need))
    bpe.tail = bpe.tail and at < good
    bpe.leads = where(bpe.tail == 0)
    bpe.codes = bpe.codes[bpe.leads]
}
macro low_bits(a, n) = a - (a >> n << n)

; Where words begin: bpe.word, for each byte of the text.
proc bpe_words {
    class : I scratch
    map   : I scratch
    count : I scratch
    step  : I scratch                     ; of bpe_scan
    name bpe_1 = BPE_AT_0[0]
    name bpe_2 = BPE_AT_0[1]
    name bpe_3 = BPE_AT_0[2]
    name bpe_4 = BPE_AT_0[3]
    count = size(bpe.leads)
    class = max(bpe.codes, 1)
    class = bpe_2[(bpe_1[class >> 8] << 8) + low_bits(class, 8)]
    map = rows(bpe_3, class[count - 1 - iota(count)])
    bpe_scan(map, step, BPE_BACK)
    ; What follows character i: the state after the count - 1 - i characters behind it, read backwards.
    class = map[(count - 2 - iota(count)) * BPE_BACK] * BPE_CLASSES + class
    map = rows(bpe_4, class)
    map = low_bits(map, 7)                ; without BEGINS
    bpe_scan(map, step, BPE_STATES)
    class = bpe_4[class * BPE_STATES + map[(iota(count) - 1) * BPE_STATES]] >> 7
    bpe.word = reshape(0, [1, size(bpe.text)])
    bpe.word[bpe.leads] = class
    bpe.word[0] = 1
}

; map (n x states: for each character the state that follows each state) becomes, row by row, the
; state after all characters up to it for each state before the first.
macro bpe_scan(map, step, states) {
    before : I
    step = 1
    while step < height(map) {
        before = rows(map, iota(height(map), 0 - step))
        before[where transpose(iota(height(map))) < step] = iota(states)
        map = map[before + transpose(iota(height(map))) * states]
        step += step
    }
}

; Characters that have tokens take the place of their bytes.
proc bpe_known {
    found : I scratch
    there : I scratch
    name bpe_1 = BPE_AT_0[5]
    name bpe_2 = BPE_AT_0[6]
    there = find(bpe_1, transpose(bpe.codes))
    found = reshape(-1, [1, size(bpe.text)])
    found[bpe.leads] = there
    there = running_max((1 - bpe.tail) * iota(size(bpe.text)))
    found = found[there]                  ; for every byte, what its character was found to be
    bpe.tokens[where found > -1] = bpe_2[found]
    there = where(bpe.tail == 0 or found < 0)
    bpe.tokens = bpe.tokens[there]
    bpe.word = bpe.word[there]
}

; Merges bpe.tokens within their words, 2^(31 - BPE_BITS) words at a time: their ranks fill a number.
proc bpe_merge {
    now  : I scratch                      ; the first word at work
    slot : I scratch
    hit  : I scratch                      ; places that merge
    key  : I scratch
    best : I scratch
    name bpe_1 = BPE_AT_0[7]
    name bpe_2 = BPE_AT_0[8]
    name bpe_3 = BPE_AT_0[9]
    name bpe_4 = BPE_AT_0[10]
    now = 0
    loop {
        if size(bpe.tokens) < 2 return
        key = iota(size(bpe.tokens))
        slot = bpe_1[bpe.tokens] + bpe.tokens[key + 1]
        hit = bpe_2[slot] == bpe.tokens + 1 and bpe.word[key + 1] == bpe.word
        hit[size(bpe.tokens) - 1] = 0
        hit = hit and (bpe.word - now) >> (31 - BPE_BITS) == 0
        if row_max(hit) {
            slot = bpe_3[slot] * hit      ; now the ranks
            ; The least rank of each word: words descend, so the least so far is the word's own.
            best = bpe.word[key + 1] != bpe.word
            best[size(bpe.tokens) - 1] = 1
            best = where(best)
            key = max(bpe.word - now, 0) << BPE_BITS        ; beyond those at work it may overflow
            key = slot + shift(1 - hit, BPE_BITS - 1) - key
            best = cumulate_rows(key, '_)[best]
            hit = hit and key == best[bpe.word]
            call bpe_apart
            bpe.tokens[where hit] = bpe_4[slot]
            key = where(hit[iota(size(hit)) - 1] == 0)
            bpe.tokens = bpe.tokens[key]
            bpe.word = bpe.word[key]
        } else {
            now += shift(1, 31 - BPE_BITS)
            if row_max(bpe.word) < now return
        }
    }
; Leaves of the places that merge those that do not touch each other.
bpe_apart:
    key = iota(size(hit))
    if BPE_TOGETHER {
        ; Of places in a row (aaaa) every second.
        best = running_max((hit and hit[key - 1] == 0) * key)
        hit = hit and ((key - best) & 1) == 0
        return
    }
    best = bpe.word[key - 1] != bpe.word
    best[0] = 1
    best = where(best)
    key = running_sum(hit) - hit          ; of each word the leftmost
    best = key[best]
    hit = hit and key == best[bpe.word]
}

; Words that are tokens though no merges make them.
proc bpe_whole_words {
    first : I scratch                     ; where words begin
    count : I scratch                     ; tokens of each word
    found : I scratch
    gone  : I scratch
    name bpe_1 = BPE_AT_0[11]
    name bpe_2 = BPE_AT_0[12]
    gone = bpe.word[iota(size(bpe.tokens)) - 1] != bpe.word
    gone[0] = 1
    first = where(gone)
    count = first[iota(size(first)) + 1]
    count[size(first) - 1] = size(bpe.tokens)
    count = count - first
    found = bpe.tokens[transpose(first) + iota(BPE_LONGEST + 1)]
    found[where not (iota(BPE_LONGEST + 1) < transpose(count))] = -1
    found = find(bpe_1, found)
    ; The first token of such a word becomes the word, the others vanish.
    gone = found > -1
    gone = gone[bpe.word]
    gone[first] = 0
    count = where(found > -1)
    found = bpe_2[found[count]]
    bpe.tokens[first[count]] = found
    bpe.tokens = bpe.tokens[where(gone == 0)]
}

; pieces.text (T 1 x n) becomes the text of pieces.tokens (I 1 x m).
proc pieces {
    tokens : I scratch
    text   : T scratch
    from   : I scratch
    ends   : I scratch
    count  : I scratch
    owner  : I scratch
    text = reshape(0, [0, 0])
    unless size(tokens) return
    name bpe_1 = BPE_AT_0[13]
    name bpe_2 = BPE_AT_0[14]
    from = bpe_1[tokens]
    count = bpe_1[tokens + 1] - from
    ends = running_sum(count)
    owner = reshape(0, [1, row_max(ends)])
    unless size(owner) return
    count = ends - count                  ; where each piece begins
    from = from - count
    owner[count] += 1
    owner = running_sum(owner) - 1        ; the token of each byte
    text = bpe_2[from[owner] + iota(size(owner))]
}
