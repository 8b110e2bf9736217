; Words on a picture.

include "font.pxi"

; label(pic, row, col, text, colour): writes text (T, one row or more, the font's characters)
; in 8x16 glyphs; what stands outside pic is cut off.  Six instructions.
macro label(pic, row, col, text, colour) {
    mask  : T
    inked : P
    mask = tile(text, FONT16)
    inked = reshape(0, shape(mask))
    inked[where mask] = colour
    draw(pic, inked, vector(row, col))
}

; decimal(text, n): n, 0..999999, as six figures with blanks in front.
macro decimal(text, n) {
    figures : I
    figures = n / [100000, 10000, 1000, 100, 10, 1]
    text = '0' + figures % 10
    text[where min(figures == 0, [1, 1, 1, 1, 1, 0])] = ' '
}

; figures(text, n): n, 0..999999999, in as many figures as it takes.
macro figures(text, n) {
    parts : I
    parts = n / [100000000, 10000000, 1000000, 100000, 10000, 1000, 100, 10, 1]
    text = '0' + parts % 10
    text = text[where(max(parts, [0, 0, 0, 0, 0, 0, 0, 0, 1]))]
}
