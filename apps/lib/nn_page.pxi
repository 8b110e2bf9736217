; A page in a window: text is written on it as it comes, lines break between words, and a full page
; moves up.  The row below it says which keys there are, and takes what the user types.
;
;     call page_open                    ; once: page_size is not 0 if anybody sees the screen
;     page.text = ...                   ; T 1 x n, the font's characters, in the colour page.ink:
;     call page                         ; written where the text before it ended
;     call page_turn                    ; shows it, waits as long as a character takes, reads the keys
;     call page_rest                    ; shows it until the user wants more
;     page_asked                        ; 1: a text is to begin with page_typed; whoever does so sets 0
;     call page_gap                     ; an empty line, unless nothing is written yet
;
; Only ASCII that has a token in ENCODE (I 1 x 256, -1 for none) can be typed.  Ports: screen, frame,
; keys.
; Few names are left beside a network, so almost everything is scratch.

include "ui.pxi"
include "keys.pxi"

const PAGE_EDGE = 8                       ; above the letters and at their left
const PAGE_PACE = 2                       ; frames that a character takes: 30 a second can be read
const PAGE_UNSEEN = 16                    ; a screen of fewer rows is none
const PAGE_WRITES = 0                     ; what the row below says: a row of PAGE_HINTS
const PAGE_RESTS = 1
const PAGE_ODD = 2

page_size  : I                            ; rows and columns of letters; the last column stays empty
page_spot  : I                            ; where the next letter goes, counted row by row
page_words : T                            ; the letters, a row a line, and their colours, C_PAPER say
page_inks  : T
page_note  : T                            ; stands at the right of the row below
page_asked : I
page_typed : T                            ; what the user has typed
page_hint  : I
PAGE_HINTS : T = ["Type a beginning   Enter: anew   Space: pause",
                  "Type a beginning   Enter: anew   Space: go on",
                  "It has never seen that character"]

proc page_open {
    page_size = in(screen)
    if page_size < PAGE_UNSEEN {
        page_size = 0
        return
    }
    page_size = page_size[[0, 1]] - [PAGE_EDGE + 16, PAGE_EDGE]
    page_size = max(page_size / [16, 8], 2)
    page_words = reshape(0, page_size)
    page_inks = reshape(0, page_size)
}

proc page {
    text    : T
    ink     : I
    i       : I scratch
    letter  : I scratch
    columns : I scratch
    column  : I scratch
    line    : T scratch
    columns = page_size[1]
    i = 0
    while i < size(text) {
        letter = text[i]
        i += 1
        column = page_spot % columns
        if column == columns - 1 and letter != '\n' {
            ; What follows the last blank goes to the next line; a blank that is one too many, nowhere.
            line = page_words[iota(columns, page_spot - column)]
            column = row_max((line == ' ') * (iota(columns) + 1))
            if column == 0 or letter == ' ' { column = columns - 1 }
            line = line[iota(columns - 1 - column, column)]
            page_words[iota(size(line), page_spot - size(line))] = 0
            call page_line
            page_words[iota(size(line), page_spot)] = line
            page_inks[iota(size(line), page_spot)] = ink
            page_spot += size(line)
            if letter == ' ' { continue }
        }
        if letter == '\n' {
            ; What ends with a colon, below an empty line, is who speaks.
            if page_words[page_spot - 1] == ':' and page_words[page_spot - column - columns] == 0 {
                if page_inks[page_spot - column] == ink { page_inks[iota(column, page_spot - column)] = C_TEAL }
            }
            call page_line
        } else {
            page_words[page_spot] = letter
            page_inks[page_spot] = ink
            page_spot += 1
        }
    }
}

; To the beginning of the next line; a full page moves up.
proc page_line {
    all : I scratch
    page_spot = (page_spot / page_size[1] + 1) * page_size[1]
    if page_spot < size(page_words) return
    page_spot -= page_size[1]
    all = iota(page_size[0], 1)
    page_words = rows(page_words, all)
    page_inks = rows(page_inks, all)
}

proc page_gap {
    unless page_spot return
    if page_spot % page_size[1] { call page_line }
    call page_line
}

proc page_show {
    words : T scratch
    inks  : T scratch
    bar   : T scratch
    ink   : P scratch
    pic   : P scratch
    dims  : I scratch
    bar = reshape(0, [1, page_size[1]])
    inks = reshape(C_SILVER, shape(bar))
    if page_hint == PAGE_ODD { fill(inks, C_ORANGE) }
    if size(page_typed) {
        ; The end of it, with a cursor.
        words = beside(page_typed, GLYPH_FULL)
        dims = min(size(words), page_size[1] - 1)
        bar = words[iota(dims, size(words) - dims)]
        fill(inks, C_LIME)
    } else {
        draw(bar, rows(PAGE_HINTS, page_hint), [0, 0])
        draw(bar, page_note, [0, page_size[1] - 1 - size(page_note)])
    }
    dims = page_size + [1, 0]
    words = reshape(0, dims)
    draw(words, page_words, [0, 0])
    draw(words, bar, [page_size[0], 0])
    bar = inks
    inks = reshape(0, dims)
    draw(inks, page_inks, [0, 0])
    draw(inks, bar, [page_size[0], 0])
    if page_hint != PAGE_RESTS {
        words[page_spot] = GLYPH_FULL     ; the cursor
        inks[page_spot] = C_YELLOW
    }
    words = tile(words, FONT16)
    ink = COLOURS[inks]
    ink = zoom(ink, shape(words))
    pic = reshape(COLOURS[C_NIGHT], shape(words) + PAGE_EDGE)
    draw(pic, COLOURS, [height(pic) - 16, 0, 16, width(pic), C_INK])
    view there = pic[PAGE_EDGE, PAGE_EDGE, -1, -1]
    there[where words] = ink
    out(screen, pic)
}

proc page_turn {
    page_hint = in(frame, PAGE_PACE)
    page_hint = PAGE_WRITES
    call page_keys
    if page_hint == PAGE_RESTS { call page_rest } else { call page_show }
}

proc page_rest {
    page_hint = PAGE_RESTS
    while page_hint and not page_asked {
        call page_show
        page_hint = wait(keys)
        page_hint = PAGE_RESTS
        call page_keys
    }
}

; Obeys the keys that were pressed; turns the page's hint from writing to resting and back.
proc page_keys {
    events : I scratch
    k      : I scratch
    code   : I scratch
    events = in(keys)
    k = 0
    while k < height(events) {
        code = events[k * 4]
        ; Not what is let go, nor what is pressed with Ctrl, Alt or Meta.
        if events[k * 4 + 1] == STATE_UP or events[k * 4 + 2] & (MOD_CTRL | MOD_ALT | MOD_META) { code = 0 }
        k += 1
        if code == KEY_ENTER { page_asked = 1 }
        if code == KEY_ESCAPE { page_typed = reshape(0, [0, 0]) }
        if code == KEY_BACKSPACE { page_typed = reshape(page_typed, [1, max(size(page_typed) - 1, 0)]) }
        if code < ' ' or code >> 8 { continue }
        if code == ' ' and size(page_typed) == 0 {
            page_hint = page_hint == PAGE_WRITES
        } else if code >> 7 or ENCODE[code] < 0 {
            page_hint = PAGE_ODD
        } else {
            page_typed = beside(page_typed, code)
        }
    }
}
