; The error card: what the kernel says of a program that stopped, as a picture.

include "ui.pxi"

const CARD_MOST = 40                  ; rows of text it can have
const CARD_KEYS = 8                   ; columns of the words "where", "doing" and so on

; card.picture (P) becomes a card of `card.cols` characters across with the lines of card.lines (T, a
; row each), wrapped between words, and card.hint below.  The first line is the headline; from
; the third on a line begins with a key of CARD_KEYS characters, and goes on to the right of it.
proc card {
    lines   : T scratch
    hint    : T = "F4 or the cross closes this window"
    cols    : I = 56
    picture : P scratch
    text    : T scratch
    glyphs  : T scratch
    inks    : T scratch
    piece   : T scratch
    keep    : I scratch
    at      : I scratch
    n       : I scratch
    row     : I scratch
    line    : I scratch
    indent  : I scratch
    length  : I scratch
    step    : I scratch
    ; All of it in one row: without the blanks that fill a line, with a newline behind each.
    text = lines > ' '
    keep = running_sum(text)
    keep = keep < row_max(keep)
    keep = max(keep, text)
    text = beside(lines, '\n')
    keep = beside(keep, 1)
    text = text[where(reshape(keep, [1, -1]))]
    n = size(text)

    glyphs = reshape(0, [CARD_MOST, cols])
    inks = reshape(C_PAPER, [CARD_MOST, cols])
    glyphs[cols + 2] = GLYPH_CROSS
    draw(inks, C_RED, [0, 0, 2, cols])
    at = 0
    row = 1
    line = 0
    indent = 2
    while at < n and row < CARD_MOST - 3 {
        length = cols - 4 - indent
        piece = text[iota(length + 1, at)]
        keep = piece == '\n'
        if row_max(keep) {
            length = argmax(keep)
            step = 1
        } else {
            keep = where(piece == ' ')
            step = size(keep)
            if step {
                length = keep[step - 1]
                step = 1
            }
        }
        at += length + step
        step = row_max(piece == '\n')
        piece = reshape(piece, [1, length])
        draw(glyphs, piece, beside(row, 2 + indent))
        if line == 0 { draw(inks, C_RED, [row, 0, 1, cols]) }
        if line > 1 {
            unless indent { draw(inks, C_SILVER, [row, 0, 1, 2 + CARD_KEYS]) }
            indent = CARD_KEYS
        }
        row += 1
        if step {
            line += 1
            indent = 0
            if line == 2 { row += 1 }
        }
    }
    draw(glyphs, hint, [row + 1, 2])
    draw(inks, C_SILVER, [row + 1, 0, 1, cols])
    glyphs = reshape(glyphs, [row + 3, cols])
    inks = reshape(inks, [row + 3, cols])
    cells(picture, glyphs, inks, FONT16, 16, C_INK)
}
