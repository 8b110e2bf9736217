; Made by python -m pxos.fonts.build from fonts/includes.py: edit that, not this.
; The fonts.  FONT16 and FONT8 are masks (255 ink, 0 paper), for Tile into T;
; FONT16P and FONT8P are white on transparent, for Tile into P.
; A frame's corner is GLYPH_SINGLE + ARM_DOWN + ARM_RIGHT: docs/fonts.md.

const GLYPH_UP       = 0x01
const GLYPH_DOWN     = 0x02
const GLYPH_LEFT     = 0x03
const GLYPH_RIGHT    = 0x04
const GLYPH_LIGHT    = 0x05
const GLYPH_MEDIUM   = 0x06
const GLYPH_DARK     = 0x07
const GLYPH_BACK     = 0x08
const GLYPH_PLAY     = 0x09
const GLYPH_RETURN   = 0x0a
const GLYPH_CHECK    = 0x0b
const GLYPH_CROSS    = 0x0c
const GLYPH_DISC     = 0x0d
const GLYPH_DOTS     = 0x0e
const GLYPH_HEART    = 0x0f
const GLYPH_QUARTERS = 0x10
const GLYPH_FULL     = 0x1f
const GLYPH_MISSING  = 0x7f
const GLYPH_SINGLE   = 0x80
const GLYPH_BULLET   = 0x80
const GLYPH_DOUBLE   = 0x90
const GLYPH_SQUARE   = 0x90
const GLYPH_BOX      = 0x100

const ARM_UP    = 1
const ARM_RIGHT = 2
const ARM_DOWN  = 4
const ARM_LEFT  = 8

FONT16  : T leaf 16 = alpha(file("../../fonts/pxos-8x16.png"))
FONT8   : T leaf 8  = alpha(file("../../fonts/pxos-8x8.png"))
FONT16P : P leaf 16 = file("../../fonts/pxos-8x16.png")
FONT8P  : P leaf 8  = file("../../fonts/pxos-8x8.png")
