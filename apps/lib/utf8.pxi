; Text as glyphs of the font (0..415, docs/fonts.md), without a loop over characters.

include "font.pxi"

; Characters whose glyph is neither their own code nor Box Drawing, and those glyphs: the marks,
; and characters shown by another's glyph.
GLYPH_CODES : I = [0x2191; 0x2193; 0x2190; 0x2192; 0x25c0; 0x25b6; 0x21b5; 0x2713; 0x2717; 0x25cf;
                   0x2026; 0x2665; 0x2022; 0x25a0; 0x2010; 0x2011; 0x2012; 0x2013; 0x2014; 0x2212;
                   0x2018; 0x2019; 0x2032; 0x201c; 0x201d; 0x2033; 0x2039; 0x203a; 0x2217; 0x2215;
                   0x2714; 0x2718; 0x2219; 0x25ba; 0x25c4; 0x25b2; 0x25bc; 0x2764; 0x3bc; 0x2002;
                   0x2003; 0x2009; 0x202f]
GLYPHS_THERE : I = [1, 2, 3, 4, 8, 9, 10, 11, 12, 13,
                    14, 15, 0x80, 0x90, '-', '-', '-', '-', '-', '-',
                    '\'', '\'', '\'', '"', '"', '"', '<', '>', '*', '/',
                    11, 12, 0x80, '>', '<', 1, 2, 15, 0xb5, ' ',
                    ' ', ' ', ' ']

; utf8.codes (I 1 x m) becomes the code points of utf8.bytes (T 1 x n).  What is malformed becomes
; U+FFFD.  A character whose end is missing is left in utf8.rest (T), to be put before what follows.
proc utf8 {
    bytes : T scratch
    codes : I scratch
    rest  : T scratch
    at    : I scratch
    need  : I scratch
    more  : I scratch
    tails : I scratch
    good  : I scratch
    n = size(bytes)
    n : I scratch
    rest = reshape(0, [0, 0])
    codes = bytes
    unless n return
    at = row_max(bytes) >> 7
    unless at return                      ; plain ASCII
    at = iota(n)
    need = bytes > [0xbf; 0xdf; 0xef]
    need = col_sum(need) + 1              ; bytes of the character that begins here: 1 to 4
    tails = bytes >> 6 == 2               ; bytes that go on with a character
    more = row_max((1 - tails) * at)      ; where the last one begins
    if more + need[more] > n {
        rest = bytes[iota(n - more, more)]
        bytes = reshape(bytes, [1, more])
        n = more
        codes = bytes
        unless n return
        at = iota(n)
        need = reshape(need, [1, n])
        tails = reshape(tails, [1, n])
    }
    ; The bits of each length, with the bytes that follow; the lead byte's length chooses.
    more = bytes[at + 1] & 63
    codes[where need > 1] = (codes & 31) << 6 | more
    more = bytes[at + 2] & 63
    codes[where need > 2] = codes << 6 | more
    codes[where need > 3] = 0xfffd
    ; A character needs as many followers as it says, and a follower its leader.
    good = running_sum(tails)
    good = good[at + need - 1] - good     ; followers among the next need - 1 bytes
    good = good == need - 1
    codes[where good == 0] = 0xfffd
    more = running_max((1 - tails) * (at + need))
    tails = tails and at < more           ; followers that belong to a character vanish
    codes[where bytes >> 6 == 2] = 0xfffd
    codes = codes[where_not(tails)]
}
macro where_not(a) = where(a == 0)

; glyphs.shown (I, as codes) becomes the glyph for each code point of glyphs.codes; GLYPH_MISSING where
; the font has none.  Codes below 32 stay what they are.
proc glyphs {
    codes : I scratch
    shown : I scratch
    at    : I scratch
    shown = codes
    at = row_max(codes) >> 7
    unless at return
    at = find(GLYPH_CODES, transpose(codes))
    shown[where codes >> 8 or codes >> 5 == 4] = GLYPH_MISSING
    shown[where at > -1] = GLYPHS_THERE[at]
    at = codes - (0x2500 - GLYPH_BOX)     ; Box Drawing, Block Elements: U+2500 to U+259F
    shown[where at >> 5 > 7 and at >> 5 < 13] = at
}

; encode.bytes (T 1 x m) becomes encode.codes (I 1 x n code points) as UTF-8.
proc encode {
    codes : I
    bytes : T
    bits  : I scratch
    all   : I scratch
    gap   : I scratch
    bytes = codes
    all = row_max(codes) >> 7
    unless all return                     ; plain ASCII
    ; A column of four bytes for each character, -1 where it has none; its first is in row `gap`.
    bits = shift(codes, [-18; -12; -6; 0])
    all = bits & 63 | 0x80
    gap = 3 - col_sum(codes > [0x7f; 0x7ff; 0xffff])
    all[where gap == [0; 1; 2; 3]] = bits | [0xf0, 0xe0, 0xc0, 0][gap]
    all[where [0; 1; 2; 3] < gap] = -1
    all = reshape(transpose(all), [1, -1])
    bytes = all[where(all > -1)]
}
