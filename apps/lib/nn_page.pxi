; A page on the screen that text is written on as it comes, in 8x16 glyphs; full, it moves up.

include "font.pxi"
include "palette.pxi"

const PAGE_ROWS = 20
const PAGE_COLUMNS = 60

; page.text (T 1 x n, the font's characters) is written where the text before it ended.
proc page {
    text    : T
    pic     : P                           ; made at first use, so that the file stays small
    glyph   : P scratch
    upper   : P scratch
    letter  : I
    row     : I
    column  : I
    i       : I
    spot    : I 1x2
    unless size(pic) { pic = reshape(NIGHT, [PAGE_ROWS * 16, PAGE_COLUMNS * 8]) }
    i = 0
    while i < size(text) {
        letter = text[i]
        i += 1
        if letter == '\n' or column == PAGE_COLUMNS {
            column = 0
            row += 1
            if row == PAGE_ROWS {
                row = PAGE_ROWS - 1
                upper = rows(pic, iota(PAGE_ROWS * 16, 16))
                pic = upper
                view bottom = pic[(PAGE_ROWS - 1) * 16, 0, 16, -1]
                fill(bottom, NIGHT)
            }
        }
        if letter != '\n' {
            glyph = tile(letter, FONT16P)
            spot[0] = row * 16
            spot[1] = column * 8
            draw(pic, glyph, spot)
            column += 1
        }
    }
    out(screen, pic)
}
