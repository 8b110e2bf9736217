; What programs with windows, bars and text share: docs/look.md is the taste behind it.

include "palette.pxi"
include "font.pxi"

; The palette as tiles of one pixel.  A filled box is a row of Draw's list with one of these
; numbers last: draw(pic, COLOURS, [row, column, rows, columns, C_SLATE]).
const C_INK    = 0
const C_NIGHT  = 1
const C_SLATE  = 2
const C_FOG    = 3
const C_SILVER = 4
const C_PAPER  = 5
const C_RED    = 6
const C_ORANGE = 7
const C_YELLOW = 8
const C_LIME   = 9
const C_GREEN  = 10
const C_TEAL   = 11
const C_BLUE   = 12
const C_INDIGO = 13
const C_PINK   = 14
const C_BROWN  = 15

COLOURS : P leaf 1 = [INK; NIGHT; SLATE; FOG; SILVER; PAPER; RED; ORANGE;
                      YELLOW; LIME; GREEN; TEAL; BLUE; INDIGO; PINK; BROWN]

; dyed(atlas, mask, colour): atlas becomes the glyphs of FONT16 or FONT8 in one colour (C_INK...).
; What a program then writes with it takes two instructions, tile and draw.
macro dyed(atlas, mask, colour) {
    atlas = reshape(0, shape(mask))
    atlas[where mask] = COLOURS[colour]
}

; cells(pic, glyphs, inks, font, h, paper): a screen of text, a colour a character.
; pic (P) becomes the text `glyphs` (R x C glyph numbers) in the colours `inks` (R x C, C_INK...)
; on `paper`, written with the mask `font`, whose cells are h x 8.  Six instructions.
macro cells(pic, glyphs, inks, font, h, paper) {
    mask  : T scratch
    dims  : I
    inked : P scratch
    mask = tile(glyphs, font)
    dims = shape(mask)
    inked = COLOURS[inks]
    inked = zoom(inked, dims)
    pic = reshape(COLOURS[paper], dims)
    pic[where mask] = inked
}
