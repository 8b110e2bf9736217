; Made by python -m pxos.fonts.build from fonts/palette.py: edit that, not this.
; The palette "pxos 16": opaque pixels, and the picture of them all.

const INK    = #15131f
const NIGHT  = #232038
const SLATE  = #3b3757
const FOG    = #6b6a8e
const SILVER = #a6a8c6
const PAPER  = #f4efe6
const RED    = #e5526f
const ORANGE = #f2915c
const YELLOW = #f7d06a
const LIME   = #a3d977
const GREEN  = #3fb27f
const TEAL   = #3aa6b9
const BLUE   = #4d7fe8
const INDIGO = #7460e0
const PINK   = #ec8fd0
const BROWN  = #8a5a44

PALETTE : P 1x16 = [INK, NIGHT, SLATE, FOG, SILVER, PAPER, RED, ORANGE,
                    YELLOW, LIME, GREEN, TEAL, BLUE, INDIGO, PINK, BROWN]
