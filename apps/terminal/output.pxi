; What was written: rows of characters, each a glyph and in its upper half a colour.

; Steering characters are kept apart from the glyphs that have their numbers.
const STEER = 0x300
const NEWLINE = STEER + 10
const RETURN = STEER + 13
const TAB = STEER + 9
const ESC = STEER + 27
const FEED = STEER + 12

const KEPT = 1000                     ; rows that are kept
const SPARE = 200                     ; rows more before the oldest are cut off

written : I 0x1                       ; rows x wide; the last one may go on
tail    : I 1x0                       ; what stands in the last row, if it goes on
scroll  : I                           ; rows we look back
page    : I                           ; rows that are being made

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
    glyphs.shown[where utf8.codes < 32] = utf8.codes | STEER
    put_in.stream = beside(begun, glyphs.shown)
    begun = reshape(0, [1, 0])
    dyes = ink
    if row_max(put_in.stream == ESC) {
        call escapes
        dyes = escapes.dyes
    }
    if row_max(put_in.stream == FEED) {     ; form feed
        dyes = where(put_in.stream == FEED)
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
    esc = running_max((put_in.stream == ESC) * (at + 1)) - 1   ; where the last one before began
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
    put_in.stream[where ends and put_in.stream == 'J'] = FEED
    ; The colour of a character: the last number before the last "m" before it.
    ends = ends and put_in.stream == 'm'
    n = put_in.stream[at - 1] - '0'
    dyes = SGR[n]
    n = n >> 3 == 0 and (put_in.stream[at - 2] == '3' or put_in.stream[at - 2] == '9')
    dyes[where n == 0] = feed.ink
    esc = running_max(ends * (at + 1)) - 1
    dyes = dyes[esc]
    dyes[where esc < 0] = feed.ink
    at = where(in_ == 0 or put_in.stream == FEED)
    put_in.stream = put_in.stream[at]
    dyes = dyes[at]
}

; Add put_in.stream (I 1 x n, glyphs with colours and newlines) to what is written.
proc put_in {
    stream : I
    char   : I scratch
    at     : I scratch
    row    : I scratch
    col    : I scratch
    n      : I scratch
    ; Of the steering characters, only newline, return and tab do anything.
    char = stream & 0xffff
    at = where(char < STEER or char == NEWLINE or char == TAB or char == RETURN)
    unless size(at) return
    stream = stream[at]
    stream = beside(tail, stream)
    if size(tail) { written = rows(written, iota(height(written) - 1)) }
    call tabs
    n = size(stream)
    char = stream & 0xffff
    at = iota(n)
    ; Each character's column and row, counted from the first: a line begins behind a newline, and
    ; goes on in the next row where it is too long; a return goes back to its beginning.
    row = char == NEWLINE or char == RETURN
    col = at - running_max(row[at - 1] * at)
    at = col > 0 and col % wide == 0 and row == 0
    row = char == NEWLINE
    char = row[iota(n, -1)]
    char = max(char, at)                  ; a row begins here
    at = running_sum(char)
    row = at * wide + col % wide
    col = stream & 0xffff
    row[where col == NEWLINE or col == RETURN] = -1
    at = at[n - 1] + 1
    page = reshape(0, [at, wide])
    page[row] = stream
    if scroll { scroll += at }
    written = below(written, page)
    if height(written) > KEPT + SPARE { written = rows(written, iota(KEPT, height(written) - KEPT)) }
    ; What the next piece goes on from: the last row, if it has not ended.
    if col[n - 1] == NEWLINE {
        tail = reshape(0, [1, 0])
    } else {
        at = iota(n, 1)
        row = char * (at - 1)
        row = max(row, (col == RETURN and at < n) * at)
        row = row_max(row)
        tail = stream[iota(n - row, row)]
    }
    changed = 1
}

; Tabs in put_in.stream become blanks up to the next column of eight.
proc tabs {
    at    : I scratch
    line_ : I scratch
    gap   : I scratch
    loop {
        at = put_in.stream & 0xffff
        line_ = at == TAB
        unless row_max(line_) return
        at = at == NEWLINE
        gap = argmax(line_)
        line_ = row_max(reshape(at, [1, gap]) * iota(gap, 1))
        at = gap
        gap = 8 - (at - line_) % 8
        line_ = put_in.stream[iota(size(put_in.stream) - at - 1, at + 1)]
        gap = beside(reshape(put_in.stream, [1, at]), reshape(' ', [1, gap]))
        put_in.stream = beside(gap, line_)
    }
}

; Forget all that is written.
proc wipe {
    written = reshape(0, [0, wide])
    tail = reshape(0, [1, 0])
    scroll = 0
    changed = 1
}

; The screen has another width: rows are cut or filled up.
proc refit {
    if width(written) == wide return
    page = reshape(0, [height(written), wide])
    draw(page, written, [0, 0])
    written = page
}
