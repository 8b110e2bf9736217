; What was written: rows of characters, each a glyph and in its upper half a colour.

const KEPT = 1000                     ; rows that are kept
const SPARE = 200                     ; rows more before the oldest are cut off

written : I                           ; rows x wide; the last one may go on
tail    : I 1x0                       ; what stands in the last row, if it goes on
scroll  : I                           ; rows we look back

; The colours of the escape sequences 30 to 37 and 90 to 97, and of others.
SGR : T = [C_FOG, C_RED, C_LIME, C_YELLOW, C_BLUE, C_PINK, C_TEAL, C_PAPER]

; Add the text feed.text (T, UTF-8; it may end within a character or an escape sequence) in the
; colour feed.ink.
proc feed {
    text   : T
    ink    : I
    cut    : T                            ; the beginning of a character that went on
    begun  : I 1x0                        ; the beginning of an escape sequence that went on
    dyes   : I scratch
    utf8.bytes = beside(cut, text)
    call utf8
    cut = utf8.rest
    glyphs.codes = utf8.codes
    call glyphs
    put_in.stream = beside(begun, glyphs.shown)
    begun = reshape(0, [1, 0])
    dyes = ink
    if row_max(put_in.stream == 27) {
        call escapes
        dyes = escapes.dyes
    }
    if row_max(put_in.stream == 12) {     ; form feed
        dyes = where(put_in.stream == 12)
        dyes = dyes[size(dyes) - 1] + 1
        put_in.stream = put_in.stream[iota(size(put_in.stream) - dyes, dyes)]
        dyes = ink
        call wipe
    }
    put_in.stream = put_in.stream | dyes << 16
    call put_in
}

; Take the escape sequences out of put_in.stream; what they say of colours is in escapes.dyes, one for
; each character that is left.  "Clear the screen" becomes a form feed.
proc escapes {
    dyes  : I
    at    : I scratch
    esc   : I scratch
    ends  : I scratch
    in_   : I scratch
    n     : I scratch
    n = size(put_in.stream)
    at = iota(n)
    esc = running_max((put_in.stream == 27) * (at + 1)) - 1   ; where the last one before began
    ; A sequence ends at the first letter behind ESC and "[".
    ends = put_in.stream > 63 and put_in.stream < 127
    ends = ends and at > esc + (put_in.stream[esc + 1] == '[')
    in_ = running_sum(ends) - ends
    in_ -= in_[esc] * (esc > -1)
    in_ = (in_ == 0) and (esc > -1)
    if in_[n - 1] > ends[n - 1] {
        esc = esc[n - 1]
        feed.begun = put_in.stream[iota(n - esc, esc)]
        n = esc
        at = iota(n)
        ends = reshape(ends, [1, n])
        in_ = reshape(in_, [1, n])
        put_in.stream = reshape(put_in.stream, [1, n])
    }
    ends = in_ and ends
    put_in.stream[where ends and put_in.stream == 'J'] = 12
    ; The colour of a character: the last number before the last "m" before it.
    ends = ends and put_in.stream == 'm'
    dyes = put_in.stream[at - 1] - '0'
    dyes[where dyes >> 4 or put_in.stream[at - 2] >> 3 == 7 == 0] = 0
    dyes = SGR[dyes]
    dyes[where put_in.stream[at - 2] == '3' == 0 and put_in.stream[at - 2] == '9' == 0] = feed.ink
    esc = running_max(ends * (at + 1)) - 1
    dyes = dyes[esc]
    dyes[where esc < 0] = feed.ink
    at = where(in_ == 0 or put_in.stream == 12)
    put_in.stream = put_in.stream[at]
    dyes = dyes[at]
}
