; What one sees of a network that writes glyphs: the page, and what the network makes of the next glyph.
;
;     call show_open                    ; now[SEEN] is 1 if anybody sees the screen
;     call show                         ; the page and what is expected next; obeys the keys
;     call rest                         ; the page until Enter is pressed
;     call show_odd                     ; the picture, and what is wrong with it, until it is pressed
;     call hand_on                      ; all of the page, as a picture

include "ui.pxi"
include "keys.pxi"

const PACE = 3                        ; frames that a glyph takes
const UNSEEN = 64                     ; a screen of fewer rows is none
const LISTED = 12                     ; the likeliest glyphs, in two columns
const PANEL = 200                     ; rows: of the panel, its titles, what is below them, the status line
const TITLES = 208
const BODY = 224
const STATUS = 336
const WIDE = 528
const BAR = 104                       ; columns of a full bar
const WRITES = 4                      ; rows of WORDS
const RESTS = 5
const ENDS = 6
const BAR_BOX = 6                     ; the row of BOXES that is the status line
; Rows of PAIRS: places and sizes.
const SCREEN = 0
const BODY_AT = 1
const CELL = 2
const LARGE = 3
const SIGHT_AT = 4
const HOPE_AT = 5
const TITLES_AT = 6
const STATUS_AT = 7
const TITLES_TEXT = 8
const ONCE_LISTED = 9
const ALL_LISTED = 10
const MAP = 11

screen_ : P
inked  : P leaf 96                    ; letters in their colours, to be drawn
mask   : T                            ; where they have ink
; Titles of the panel; what can be wrong with a picture, behind the name; what else the status line says.
WORDS : T = [" evidence   expected   likeliest",
             " glyphs finds no letters of pxOS there; the app text makes some",
             " glyphs finds nothing in the picture: it is all of one colour",
             " glyphs reads no picture of more than 16 million pixels",
             " Space: pause   Enter: begin anew   S: hand on the page",
             " Space: go on   Enter: begin anew   S: hand on the page",
             " That is the page.   Enter: begin anew   S: hand it on again"]
; From the night to paper; from ink against (blue) by the night to ink (yellow).
SHADES : P 1x33 = [rgb((0x23*(32 - i) + 0xf4*i) // 32, (0x20*(32 - i) + 0xef*i) // 32,
                       (0x38*(32 - i) + 0xe6*i) // 32) for i in 0..33]
HEAT   : P 1x33 = [rgb(0x23 + (0xf7 - 0x23)*max(i - 16, 0)//16 + (0x4d - 0x23)*max(16 - i, 0)//16,
                       0x20 + (0xd0 - 0x20)*max(i - 16, 0)//16 + (0x7f - 0x20)*max(16 - i, 0)//16,
                       0x38 + (0x6a - 0x38)*max(i - 16, 0)//16 + (0xe8 - 0x38)*max(16 - i, 0)//16)
                   for i in 0..33]
; Row, column, rows, columns and colour of what never changes: the panel, frames around its pictures, what
; the listed glyphs stand on, the status line; and the tracks of the bars.
BOXES  : I = [PANEL, 0, STATUS - PANEL, WIDE, C_INK; PANEL, 0, 1, WIDE, C_SLATE;
              BODY - 1, 15, 98, 50, C_SLATE; BODY - 1, 103, 98, 50, C_SLATE;
              BODY, 184, 96, 8, C_SLATE; BODY, 360, 96, 8, C_SLATE; STATUS, 0, 16, WIDE, C_SLATE]
TRACKS : I = [[BODY + 3 + i%6*16, 200 + i//6*176, 10, BAR, C_SLATE] for i in 0..LISTED]

PAIRS  : I = [STATUS + 16, WIDE; 8, 8; 16, 8; 96, 48; BODY, 16; BODY, 104; TITLES, 0; STATUS, 0;
              7, WIDE // 8; LISTED, 1; LISTED * 16, 8; PANEL // 16, PAGE_COLUMNS]

proc show_open {
    number = in(screen)
    now[SEEN] = number[0] >= UNSEEN
}

; lay.map, which has the shape of a part of the page from row now[FIRST] on, becomes the numbers of the
; tiles of sheet that stand there.
proc lay {
    map   : I scratch
    place : I scratch
    there : I scratch
    map = map * 0
    there = spots[iota(now[CELLS])]
    place = there % now[ACROSS]
    there = there / now[ACROSS] - now[FIRST]
    there[where place >= width(map)] = -1
    place += there * width(map)
    place[where there < 0] = -1
    map[place] = iota(now[CELLS], 1)
}

; The whole page, as wide as its longest line, in the colours of the picture.
proc hand_on {
    page : P scratch
    lay.map = spots[iota(now[CELLS])]
    lay.map = lay.map[where(lay.map > -1)] % now[ACROSS]
    lay.map = reshape(0, vector(now[ROW] + (now[COLUMN] > 0), row_max(lay.map) + 1))
    now[FIRST] = 0
    call lay
    mask = tile(lay.map, sheet)
    inked = reshape(now[GROUND], shape(mask))
    inked[where mask] = now[LETTER]
    page = reshape(now[GROUND], shape(mask) + 16)
    draw(page, inked, rows(PAIRS, BODY_AT))
    out(picture, page)
}

proc show {
    call draw_screen
    now[SAID] = WRITES
    call put_on_screen
    number = in(frame, PACE)
    now[ASKED] = 0
    call read_keys
    if now[PAUSED] {
        now[SAID] = RESTS
        call wait_for_keys
    }
}

proc rest {
    call draw_screen
    now[SAID] = ENDS
    now[PAUSED] = 1
    call wait_for_keys
}

proc show_odd {
    now[CELLS] = 0
    screen_ = reshape(COLOURS[C_NIGHT], rows(PAIRS, SCREEN))
    draw(screen_, photo, rows(PAIRS, BODY_AT))
    draw(screen_, COLOURS, rows(BOXES, iota(2)))
    now[PAUSED] = 1
    call wait_for_keys
    now[ASKED] = 0
}

; Until the user goes on, or wants to begin anew.
proc wait_for_keys {
    while now[PAUSED] and not now[ASKED] {
        call put_on_screen
        number = wait(keys)
        call read_keys
    }
    now[PAUSED] = 0
}

proc read_keys {
    events : I scratch
    code   : I scratch
    k      : I scratch
    events = in(keys)
    k = 0
    while k < height(events) {
        code = events[k * 4]
        ; Not what is let go, nor what is pressed with Ctrl, Alt or Meta.
        if events[k * 4 + 1] == STATE_UP or events[k * 4 + 2] & (MOD_CTRL | MOD_ALT | MOD_META) { code = 0 }
        k += 1
        if code == KEY_ENTER { now[ASKED] = 1 }
        if code == ' ' { now[PAUSED] = now[PAUSED] == 0 }
        if code | 32 == 's' and now[CELLS] { call hand_on }
    }
}

; screen_ but for the status line.
proc draw_screen {
    screen_ = reshape(COLOURS[C_NIGHT], rows(PAIRS, SCREEN))
    draw(screen_, COLOURS, BOXES)
    draw(screen_, COLOURS, TRACKS)
    now[FIRST] = max(now[ROW] - (PANEL // 16 - 1), 0)
    lay.map = reshape(0, rows(PAIRS, MAP))
    call lay
    mask = tile(lay.map, sheet)
    inked = COLOURS[C_PAPER + (lay.map <= now[PROMPT]) * (C_LIME - C_PAPER)]
    inked = zoom(inked, shape(mask))
    inked[where mask == 0] = 0
    draw(screen_, inked, rows(PAIRS, BODY_AT))
    call draw_answer
    call draw_list
}

; What the network answered, enlarged, and what is expected, also where it will stand on the page.
proc draw_answer {
    level : X scratch
    spot  : I scratch
    level = network.evidence
    level = level / max(row_max(max(level, 0 - level)), 1) * 16 + 16
    inked = HEAT[reshape(level, rows(PAIRS, CELL))]
    inked = zoom(inked, rows(PAIRS, LARGE))
    draw(screen_, inked, rows(PAIRS, SIGHT_AT))
    call hope
    level = hope.chance @ GLYPHS
    inked = SHADES[reshape(level * 32, rows(PAIRS, CELL))]
    if now[COLUMN] < PAGE_COLUMNS {
        spot = vector((now[ROW] - now[FIRST]) * 16 + 8, now[COLUMN] * 8 + 8)
        draw(screen_, inked, spot)
    }
    inked = zoom(inked, rows(PAIRS, LARGE))
    draw(screen_, inked, rows(PAIRS, HOPE_AT))
}

; hope.chance becomes the chance of each glyph.
proc hope {
    chance : X scratch
    chance = network.logits - row_max(network.logits)
    chance *= 1.4426950408889634
    chance = exp2(chance)
    chance = chance / sum(chance)
}

; The likeliest glyphs with their chances, the chosen one in yellow; and the titles.
proc draw_list {
    best  : I scratch
    mine  : I scratch
    bars  : I scratch
    words : T scratch
    best = order(0 - hope.chance)
    best = best[iota(LISTED)]
    hope.chance = transpose(hope.chance[best])
    mine = transpose(best == sample.token)
    bars = hope.chance * BAR + 0.5
    view place = TRACKS[0, 0, -1, 3]
    bars = beside(place, bars)
    bars = beside(bars, C_INDIGO + mine * (C_YELLOW - C_INDIGO))
    draw(screen_, COLOURS, bars)
    mask = rows(GLYPHS, best)
    mask = reshape(mask, rows(PAIRS, ALL_LISTED))
    inked = COLOURS[C_PAPER + mine * (C_YELLOW - C_PAPER)]
    inked = zoom(inked, shape(mask))
    inked[where mask == 0] = 0
    draw(screen_, inked, [BODY, 184, 0; BODY, 360, 1])
    best = hope.chance * 100 + 0.5
    mask = '0' + best / [100, 10, 1] % 10
    mask[where best < [100, 10, 0]] = ' '
    mask = beside(mask, reshape('%', rows(PAIRS, ONCE_LISTED)))
    words = reshape(0, rows(PAIRS, TITLES_TEXT))
    draw(words, rows(WORDS, 0), [0, 0])
    draw(words, mask, [1, 39])
    mask = rows(mask, iota(6, 6))
    draw(words, mask, [1, 61])
    mask = tile(words, FONT16)
    inked = reshape(0, shape(mask))
    inked[where mask] = COLOURS[C_SILVER]
    draw(screen_, inked, rows(PAIRS, TITLES_AT))
}

; screen_ with its status line, in the middle of a screen of any size.
proc put_on_screen {
    whole : P scratch
    draw(screen_, COLOURS, rows(BOXES, BAR_BOX))
    mask = tile(rows(WORDS, now[SAID]), FONT16)
    inked = reshape(0, shape(mask))
    inked[where mask] = COLOURS[C_PAPER]
    draw(screen_, inked, rows(PAIRS, STATUS_AT))
    number = in(screen)
    number = number[[0, 1]]
    whole = reshape(COLOURS[C_NIGHT], number)
    number = number - rows(PAIRS, SCREEN)
    draw(whole, screen_, max(number, 0) / 2)
    out(screen, whole)
}
