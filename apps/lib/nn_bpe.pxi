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
; Who includes this declares what the tokeniser is (importers/bpe_tables.py writes it):
;     const BPE_TOKENS                  ; how many tokens there are
;     const BPE_PREFIX                  ; a space before the text: 0 no, 1 unless it has one, 2 always
;     const BPE_CHARACTERS              ; 1: text begins as characters where they have tokens, 0: as bytes
;     const BPE_BITS                    ; ranks are below 2^BPE_BITS - 1
;     const BPE_TOGETHER                ; 1: all places of a pair may be merged at once, 0: the leftmost
;     const BPE_LONGEST                 ; of the words that are tokens though no merges make them; 0: none
; and the tables
;     BPE_PAGES, BPE_CLASSES (T)        ; the class of a code point: row PAGES[code >> 8] of CLASSES
;     BPE_BACKWARD, BPE_FORWARD (T)     ; next states: see importers/split_rules.py
;     BPE_BYTE_TOKENS (I 1 x 256)       ; the token of each byte
;     BPE_CODES (I m x 1), BPE_CODE_TOKENS (I 1 x m)        ; code points that have tokens
;     BPE_BASE (I 1 x BPE_TOKENS), BPE_LEFT, BPE_RANK (I)   ; pairs: see below
;     BPE_MADE (I)                      ; the token that each rank makes
;     BPE_WORDS (I n x BPE_LONGEST + 1), BPE_WORD_TOKENS (I 1 x n)     ; words that are tokens
;     BPE_STARTS (I 1 x BPE_TOKENS + 1), BPE_TEXT (T)       ; the bytes of each token
;
; A pair's rank stands in BPE_RANK at BPE_BASE[left] + right, if BPE_LEFT is left + 1 there: rows of a
; sparse table, pushed into each other so that none cover the same place.

const BPE_NONE = (1 << BPE_BITS) - 1
const BPE_MANY = 1 << (31 - BPE_BITS)      ; words that are merged at once: their ranks fill a number
const BPE_BEGINS = 128

proc bpe {
    text   : T
    tokens : I
    n      : I scratch
    at     : I scratch
    tail   : I scratch                    ; whether a byte belongs to the character before it
    first  : I scratch                    ; whether a word begins at a byte, then at a token
    leads  : I scratch                    ; where characters begin
    codes  : I scratch
    need   : I scratch
    more   : I scratch
    good   : I scratch
    starts : I scratch
    word   : I scratch
    now    : I scratch
    low    : I scratch
    high   : I scratch
    whole  : I scratch                    ; tokens of the text before merging
    tokens = reshape(0, [0, 0])
    unless size(text) return
    if BPE_PREFIX == 2 { text = beside(' ', text) }
    if BPE_PREFIX == 1 {
        more = text[[0, 1, 2]] == [0xe2, 0x96, 0x81]
        good = row_min(more) and BPE_CHARACTERS
        unless text[0] == ' ' or good { text = beside(' ', text) }
    }
    n = size(text)
    at = iota(n)
    call bpe_characters
    call bpe_words
    whole = BPE_BYTE_TOKENS[text]
    if BPE_CHARACTERS { call bpe_known }
    n = size(whole)
    word = running_sum(first) - 1         ; the word of each token
    starts = where(first)
    now = 0
    while now < size(starts) {
        low = starts[now]
        now += BPE_MANY
        high = n
        if now < size(starts) { high = starts[now] }
        bpe_merge.tokens = whole[iota(high - low, low)]
        bpe_merge.word = word[iota(high - low, low)] - word[low]
        call bpe_merge
        if BPE_LONGEST { call bpe_whole_words }
        tokens = beside(tokens, bpe_merge.tokens)
    }
    return

; The characters of the text: tail, leads and codes.
bpe_characters:
    tail = text >> 6 == 2
    need = text > [0xbf; 0xdf; 0xef]
    need = col_sum(need) + 1              ; bytes of the character that begins here: 1 to 4
    good = running_sum(tail)
    good = good[at + need - 1] - good == need - 1
    need = need * good                    ; 0: followers are missing
    codes = text
    more = text[at + 1] & 63
    codes[where need > 1] = (codes & 31) << 6 | more
    more = text[at + 2] & 63
    codes[where need > 2] = codes << 6 | more
    more = text[at + 3] & 63
    codes[where need > 3] = (codes << 6 | more) & 0x3fffff
    ; Too long for its code, a surrogate, beyond Unicode: such a byte stands alone.
    good = codes > [-1, -1, 0x7f, 0x7ff, 0xffff][need] and codes < 0x110000 and codes >> 11 != 27
    need = max(need * good, 1)
    codes[where need == 1 and text > 0x7f] = 0xfffd
    more = running_max((1 - tail) * (at + need))
    tail = tail and at < more             ; bytes that belong to a character
    leads = where(tail == 0)
    codes = codes[leads]
    return

; Where words begin: first, for each byte of the text.
bpe_words:
    need = size(leads)
    more = codes >> 8
    more = BPE_PAGES[more] << 8
    more = more + (codes & 255)
    more = BPE_CLASSES[more]              ; the classes
    good = more[need - 1 - iota(need)]
    bpe_scan.map = rows(BPE_BACKWARD, good)
    call bpe_scan
    ; What follows character i is the backward state after the need - 1 - i characters behind it.
    good = bpe_scan.map[(need - 2 - iota(need)) * width(BPE_BACKWARD)]
    good = good * height(BPE_BACKWARD) + more
    more = rows(BPE_FORWARD, good)
    bpe_scan.map = more & (BPE_BEGINS - 1)
    call bpe_scan
    more = bpe_scan.map[(iota(need) - 1) * width(BPE_FORWARD)]
    good = BPE_FORWARD[good * width(BPE_FORWARD) + more] >> 7
    first = reshape(0, [1, n])
    first[leads] = good
    first[0] = 1
    return

; Characters that have tokens take the place of their bytes.
bpe_known:
    good = find(BPE_CODES, transpose(codes))
    more = reshape(-1, [1, n])
    more[leads] = good
    need = running_max((1 - tail) * at)
    more = more[need]                     ; for every byte, what its character was found to be
    whole[where more > -1] = BPE_CODE_TOKENS[more]
    good = where(tail == 0 or more < 0)
    whole = whole[good]
    first = first[good]
    return

; Words of bpe_merge that are tokens though no merges make them.
bpe_whole_words:
    good = size(bpe_merge.tokens)
    need = bpe_merge.word[iota(good) - 1] != bpe_merge.word
    need[0] = 1
    leads = where(need)
    more = beside(leads[iota(size(leads) - 1, 1)], good)
    if size(leads) == 1 { more = good }
    need = more - leads                   ; tokens of each word
    at = iota(BPE_LONGEST + 1)
    codes = transpose(leads) + at
    codes = bpe_merge.tokens[codes]
    more = transpose(need)
    codes[where not (at < more)] = -1
    more = find(BPE_WORDS, codes)
    ; The first token of such a word becomes the word, the others vanish.
    tail = more > -1
    need = bpe_merge.word
    need = tail[need]
    need[leads] = 0
    codes = BPE_WORD_TOKENS[more]
    good = where(tail)
    codes = codes[good]
    good = leads[good]
    bpe_merge.tokens[good] = codes
    good = where(need == 0)
    bpe_merge.tokens = bpe_merge.tokens[good]
}

; bpe_scan.map (n x s: for each character the state that follows each of s states) becomes, row by
; row, the state after all characters up to it for each state before the first.
proc bpe_scan {
    map    : I
    step   : I scratch
    number : I scratch
    before : I scratch
    step = 1
    number = transpose(iota(height(map)))
    while step < height(map) {
        before = rows(map, iota(height(map), 0 - step))
        before[where number < step] = iota(width(map))
        map = map[before + number * width(map)]
        step += step
    }
}

; Merges bpe_merge.tokens (I 1 x n) within the words that bpe_merge.word (I 1 x n, 0, 0, 1, ...) tells.
proc bpe_merge {
    tokens : I
    word   : I
    at     : I scratch
    slot   : I scratch
    hit    : I scratch
    rank   : I scratch
    key    : I scratch
    best   : I scratch
    before : I scratch
    loop {
        if size(tokens) < 2 return
        at = iota(size(tokens))
        slot = BPE_BASE[tokens] + tokens[at + 1]
        hit = BPE_LEFT[slot] == tokens + 1
        hit = hit and word[at + 1] == word
        hit[size(tokens) - 1] = 0
        unless row_max(hit) return
        rank = reshape(BPE_NONE, [1, size(tokens)])
        rank[where hit] = BPE_RANK[slot]
        ; The least rank of each word: words descend, so the least so far is the word's own.
        key = rank - (word << BPE_BITS)
        best = running_min(key)
        before = word[at + 1] != word
        before[size(tokens) - 1] = 1
        before = where(before)
        best = best[before]
        hit = hit and key == best[word]
        if BPE_TOGETHER {
            ; Of places in a row (aaaa) every second.
            before = hit and hit[at - 1] == 0
            before = running_max(before * at)
            hit = hit and ((at - before) & 1) == 0
        } else {
            before = running_sum(hit) - hit
            slot = word[at - 1] != word
            slot[0] = 1
            slot = before[where(slot)]
            hit = hit and before == slot[word]
        }
        tokens[where hit] = BPE_MADE[rank]
        before = where(hit[at - 1] == 0)
        tokens = tokens[before]
        word = word[before]
    }
}
macro running_min(a) = cumulate_rows(a, '_)

; pieces.text (T 1 x n) becomes the text of pieces.tokens (I 1 x m).
proc pieces {
    tokens : I
    text   : T
    from   : I scratch
    ends   : I scratch
    count  : I scratch
    owner  : I scratch
    from = BPE_STARTS[tokens]
    count = BPE_STARTS[tokens + 1] - from
    text = reshape(0, [0, 0])
    unless size(tokens) return
    ends = running_sum(count)
    from = from - (ends - count)          ; to be added to a place in the text
    count = ends - count
    owner = reshape(0, [1, row_max(ends)])
    unless size(owner) return
    owner[count] += 1
    owner = running_sum(owner) - 1        ; the token of each byte
    text = BPE_TEXT[from[owner] + iota(size(owner))]
}
