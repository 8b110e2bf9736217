; Words on a picture.

include "font.pxi"

; label(pic, row, col, text, colour): writes text (T, one row or more, the font's characters)
; in 8x16 glyphs; what would stand outside pic is a fault.  Seven instructions.
macro label(pic, row, col, text, colour) {
    mask : T
    rect : I 1x4
    mask = tile(text, FONT16)
    rect[0] = row
    rect[1] = col
    rect[[2, 3]] = shape(mask)
    view area = pic at rect
    area[where mask] = colour
}

; decimal(text, n): n, 0..999999, as six figures with blanks in front.
macro decimal(text, n) {
    figures : I
    figures = n / [100000, 10000, 1000, 100, 10, 1]
    text = '0' + figures % 10
    text[where min(figures == 0, [1, 1, 1, 1, 1, 0])] = ' '
}
