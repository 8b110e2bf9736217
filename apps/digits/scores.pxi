; What is seen: the drawing, its cells, the digit, and the ten scores.

include "label.pxi"
include "ui.pxi"

const ROWS = 288                      ; of the card
const COLUMNS = 480
const EDGE = 12
const SHEET = 192                     ; the sheet is a square
const CELLS_Y = EDGE + SHEET + 8
const SIGHT_X = EDGE + 72
const RIGHT = 224                     ; the second column: the digit, below it the scores
const BARS_Y = 116
const PITCH = 16
const BAR_X = RIGHT + 16
const BAR = 172                       ; columns of a full bar
const PERCENT_X = 420
const PANEL = COLUMNS - EDGE - RIGHT

card    : P                           ; ROWS x COLUMNS
sheet   : P                           ; the drawing, SHEET x SHEET
digit   : I                           ; what was read, and its share in tenths of a percent
sure    : I
tenths  : I 1x10                      ; the shares of all ten
percent : T                           ; the same as text, ten rows of "100.0%"
said    : T                           ; what is written to the text port
name_   : T

NAMES   : T = ["zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine"]
FIGURES : T = ["0", "1", "2", "3", "4", "5", "6", "7", "8", "9"]
SIGHT   : T = ["What the", "network sees"]
NOTHING : T = "no digit"
BLANK   : T = ["The picture shows", "no ink at all"]
EMPTY   : T = "no digit: the picture is empty\n"
; What never changes: row, column, rows, columns and colour of the sheet's frame, of the cells, of the
; panel with its bright edge, of the bars' tracks.
BOXES : I = [EDGE - 1, EDGE - 1, SHEET + 2, SHEET + 2, C_INK; CELLS_Y - 1, EDGE - 1, 65, 65, C_INK;
             EDGE - 1, RIGHT - 1, 98, PANEL + 2, C_INK; EDGE, RIGHT, 96, PANEL, C_SLATE;
             EDGE, RIGHT, 1, PANEL, C_FOG]
TRACKS : I = [[BARS_Y + 3 + i*PITCH, BAR_X, 10, BAR, C_SLATE] for i in 0..10]
FILLED : I = [[BARS_Y + 3 + i*PITCH, BAR_X, 10, 1, C_INDIGO] for i in 0..10]
PLACES : I = [[CELLS_Y + i//SIDE*8, EDGE + i%SIDE*8, 7, 7] for i in 0..SIDE*SIDE]
; Cells from the night to paper, in 17 steps; scores by place.
SHADES  : P leaf 1 = [[rgb((0x23*(16 - i) + 0xf4*i) // 16, (0x20*(16 - i) + 0xef*i) // 16,
                         (0x38*(16 - i) + 0xe6*i) // 16)] for i in 0..17]

; sight becomes digit, sure, tenths, percent and said.
proc judge {
    share : X scratch
    parts : I scratch
    text  : T scratch
    if solid {
        network.input = reshape(sight, [1, SIDE * SIDE])
        call network
        share = network.output - row_max(network.output)
        share *= 1 / log(2)
        share = exp2(share)
        tenths = share * 1000 / sum(share) + 0.5
        digit = argmax(network.output)
    } else {
        tenths = reshape(0, [1, 10])
        digit = -1
    }
    sure = tenths[digit]
    parts = transpose(tenths) / [1000, 100, 10, 1]
    percent = '0' + parts % 10
    view leading = percent[0, 0, -1, 2]
    view hundreds = parts[0, 0, -1, 2]
    leading[where hundreds == 0] = ' '
    view whole = percent[0, 0, -1, 3]
    view tenth = percent[0, 3, -1, 1]
    text = beside(whole, '.')
    parts = beside(tenth, '%')
    percent = beside(text, parts)
    unless solid {
        said = EMPTY
        return
    }
    text = beside(beside(FIGURES, ' '), beside(percent, '\n'))
    text = reshape(text, [1, -1])
    said = beside('0' + digit, beside('\n', text))
}

; sheet, sight and what was judged become card.
proc draw_card {
    spots : I scratch
    n     : I scratch
    text  : T scratch
    card = reshape(NIGHT, [ROWS, COLUMNS])
    draw(card, COLOURS, BOXES)
    draw(card, COLOURS, TRACKS)
    draw(card, sheet, [EDGE, EDGE])
    n = sight * 16 + 0.5
    n = reshape(n, [SIDE * SIDE, 1])
    draw(card, SHADES, beside(PLACES, n))
    label(card, CELLS_Y, SIGHT_X, SIGHT, SILVER)
    label(card, BARS_Y, RIGHT, FIGURES, SILVER)
    call draw_digit
    unless solid return
    ; What is filled of each track, and a bright line on top of that.
    n = (transpose(tenths) * BAR + 999) / 1000
    spots = FILLED
    view long = spots[0, 3, -1, 1]
    view shade = spots[0, 4, -1, 1]
    long = n
    shade[digit] = C_YELLOW
    draw(card, COLOURS, spots)
    view thick = spots[0, 2, -1, 1]
    thick = 1
    shade = C_SILVER
    shade[digit] = C_PAPER
    draw(card, COLOURS, spots)
    label(card, BARS_Y, PERCENT_X, percent, SILVER)
    n = digit * PITCH + BARS_Y
    text = rows(FIGURES, digit)
    label(card, n, RIGHT, text, YELLOW)
    text = rows(percent, digit)
    label(card, n, PERCENT_X, text, PAPER)
}

; The digit, eight times as large as in the font, on a panel; its name and how sure that is.
proc draw_digit {
    mask  : T scratch
    large : P scratch
    text  : T scratch
    mask = tile('?', FONT16)
    if solid { mask = tile('0' + digit, FONT16) }
    view body = mask[3, 0, 9, 8]          ; what of a figure's cell is not blank
    mask = zoom(body, [72, 64])
    large = reshape(0, [72, 64])
    large[where mask] = FOG
    if solid { large[where mask] = YELLOW }
    draw(card, large, [EDGE + 12, RIGHT + 16])
    name_ = NOTHING
    if solid { name_ = rows(NAMES, digit) }
    mask = tile(name_, FONT16)
    mask = zoom(mask, shape(mask) * 2)
    large = reshape(0, shape(mask))
    large[where mask] = PAPER
    draw(card, large, [EDGE + 16, RIGHT + 96])
    if solid {
        text = rows(percent, digit)
        text = text[where(text > ' ')]
        text = beside(text, " sure")
        label(card, EDGE + 56, RIGHT + 96, text, SILVER)
    } else {
        label(card, EDGE + 52, RIGHT + 96, BLANK, SILVER)
    }
}
