; Windows: a row of W for each, the one in front last.

const MOST = 16                       ; windows, and pictures for them
const SLOT   = 0                      ; number of its picture
const PID    = 1
const VERB   = 2                      ; 's', so that VERB and PID ask for its picture
const APP    = 3
const ROW    = 4                      ; of its content on the screen
const COL    = 5
const ROWS   = 6                      ; size of its content
const COLS   = 7
const SERIAL = 8                      ; of the picture we have
const CARD   = 9                      ; 1: the program stopped, and the picture is its error card
const NUMBER = 10                     ; its own, counted from the back
const ONE    = 11                     ; always 1
const WC     = 12

const TITLE = 16                      ; rows of a title bar
const ABOVE = TITLE + 2               ; rows of a window above its content

W      : I [0, WC]
count  : I                            ; windows
captions : T [MOST, TITLE_COLS]       ; a title for each picture
front  : I = -1                       ; pid of the window in front

; A window's row times FRAME: the boxes of its shadow to the right, its shadow below, its outline
; with paper; and where its title bar is drawn.
FRAME : I = [
    0, 0, 0, 0, 0,     0, 0, 0, 0, 0,    0, 0, 0, 0, 0,      0, 0, 0, 0, 0;
    0, 0, 0, 0, 0,     0, 0, 0, 0, 0,    0, 0, 0, 0, 0,      0, 0, 0, 0, 0;
    0, 0, 0, 0, 0,     0, 0, 0, 0, 0,    0, 0, 0, 0, 0,      0, 0, 0, 0, 0;
    0, 0, 0, 0, 0,     0, 0, 0, 0, 0,    0, 0, 0, 0, 0,      0, 0, 0, 0, 0;
    1, 0, 0, 0, 0,     1, 0, 0, 0, 0,    1, 0, 0, 0, 0,      1, 0, 0, 0, 0;
    0, 1, 0, 0, 0,     0, 1, 0, 0, 0,    0, 1, 0, 0, 0,      0, 1, 0, 0, 0;
    0, 0, 1, 0, 0,     1, 0, 0, 0, 0,    0, 0, 1, 0, 0,      0, 0, 0, 0, 0;
    0, 1, 0, 0, 0,     0, 0, 0, 1, 0,    0, 0, 0, 1, 0,      0, 0, 0, 1, 0;
    0, 0, 0, 0, 0,     0, 0, 0, 0, 0,    0, 0, 0, 0, 0,      0, 0, 0, 0, 0;
    0, 0, 0, 0, 0,     0, 0, 0, 0, 0,    0, 0, 0, 0, 0,      0, 0, 0, 0, 0;
    0, 0, 0, 0, 0,     0, 0, 0, 0, 0,    0, 0, 0, 0, 0,      0, 0, 0, 0, 1;
    -14, 1, 19, 4, 0,  1, 3, 4, 2, 0,    -18, -1, 19, 2, 0,  -17, 0, 16, 0, 0]

picture : P                           ; names the picture of one window
picture0  : P far keep
picture1  : P far keep
picture2  : P far keep
picture3  : P far keep
picture4  : P far keep
picture5  : P far keep
picture6  : P far keep
picture7  : P far keep
picture8  : P far keep
picture9  : P far keep
picture10 : P far keep
picture11 : P far keep
picture12 : P far keep
picture13 : P far keep
picture14 : P far keep
picture15 : P far keep

boxes    : I                          ; n x 20: each window times FRAME
bars     : P leaf TITLE               ; the title bars, as wide as the screen

; Where everything is, and how title bars look, after W has changed.
proc lay_out {
    fields : I scratch
    marks  : I scratch
    at     : I scratch
    words  : T scratch
    mask   : T scratch
    ink    : P scratch
    fields = transpose(W)
    marks = iota(count)
    rows(fields, NUMBER) = marks
    W = transpose(fields)
    boxes = W @ FRAME

    words = reshape(0, [count, cols_ // 8])
    draw(words, rows(captions, rows(fields, SLOT)), [0, 1])
    at = transpose(rows(fields, COLS)) // 8 - iota(cols_ // 8)     ; columns from the right edge
    words[where at < 4] = 0
    words[where at == 2] = GLYPH_CROSS
    mask = tile(words, FONT16)

    ; The window in front is the last one: its bar is yellow, orange while it is dragged.
    marks = transpose(marks) == count - 1
    at = marks * (C_YELLOW - C_SLATE - (grab == DRAG)) + C_SLATE
    ink = COLOURS[at]
    bars = zoom(ink, shape(mask))
    at = marks * (C_PAPER - C_FOG + (grab == DRAG) * (C_YELLOW - C_PAPER)) + C_FOG
    ink = COLOURS[at]
    rows(bars, iota(count) * TITLE) = ink
    at = marks * (C_INK - C_SILVER) + C_SILVER
    ink = COLOURS[at]
    ink = zoom(ink, shape(mask))
    bars[where mask] = ink
}

; Draw window number draw_window.number.  Each matrix here keeps its shape: what is done at every
; frame then needs no new plan.
proc draw_window {
    number : I
    box    : I
    shades : I
    bar    : I
    w      : I
    place  : I
    box = rows(boxes, number)
    shades = reshape(box, [3, 5])
    draw(frame, COLOURS, shades)
    bar = box[[15, 16, 17, 18, 19]]
    draw(frame, bars, bar)
    w = rows(W, number)
    name picture = picture0[w]
    place = w[[ROW, COL]]
    draw(frame, picture, place)
}

; Look at what the programs did: new ones, new pictures, ends.
proc look_at_children {
    kids   : I scratch
    list   : I scratch
    seen   : I scratch
    fields : I scratch
    states : I scratch
    serials : I scratch
    changed : I scratch
    i      : I scratch
    kids = in(processes, 'p')
    seen = transpose(kids)
    list = find(transpose(rows(transpose(W), PID)), transpose(rows(seen, 0)))
    list = where(list < 0)
    for k in 0..min(size(list), MOST - count) {
        adopt.kid = rows(kids, list[k])
        call adopt
    }
    unless count return
    fields = transpose(W)
    list = find(transpose(rows(seen, 0)), transpose(rows(fields, PID)))
    seen = transpose(rows(kids, list))    ; a column for each window
    states = rows(seen, 2)
    serials = rows(seen, 5)
    changed = states == 'E'
    changed = changed > rows(fields, CARD)
    unless at_home {
        list = serials == rows(fields, SERIAL)
        changed = max(changed, list == 0)
        rows(fields, SERIAL) = serials
        W = transpose(fields)
    }
    list = where(changed)
    for k in size(list)..0 step -1 {
        i = list[k - 1]
        fresh.number = i
        fresh.state = states[i]
        call fresh
    }
}

PLACES : I = [2, 2; 0, 0; 4, 4; 0, 4; 4, 0]  ; in quarters of the space that is left

; A new program gets a window.
proc adopt {
    kid  : I scratch
    pid  : I scratch
    used : I scratch
    room : I scratch
    size : I scratch
    pid = kid[0]
    ; Not larger than the screen; the program may not have looked at its size yet.
    room = dims - [BAR_ROWS + ABOVE + 2, 2]
    size = kid[[3, 4]]
    room = min(size, room)
    if sum(room == size) < 2 { out(processes, 0, [VERBS[RESIZE], pid, room]) }
    ; A picture that nobody has.
    used = transpose(iota(MOST))
    used = find(transpose(rows(transpose(W), SLOT)), used)
    used = argmax(used < 0)
    name picture = picture0[used]
    picture = in(processes, ['s', pid])
    W = below(W, [used, pid, 's', kid[1], 0, 0, room, 0, 0, 0, 1])
    count += 1
    utf8.bytes = in(processes, [VERBS[CAPTION], pid])
    call one_line
    fit(said, one_line.text, TITLE_COLS)
    rows(captions, used) = said
    ; In the middle, then in the corners, then the same a little to the side.
    room = max(dims - [BAR_ROWS + ABOVE + 5, 5] - room, 0)
    size = min(room // 2, 8)              ; to the edge
    room = (room - size * 2) * rows(PLACES, used % 5) // 4 + used // 5 * 24 + size
    W[(count - 1) * WC + [ROW, COL]] = room + [BAR_ROWS + ABOVE, 0]
    call keep_in_reach
    call focus
}

; Window fresh.number has a new picture, or its program ended.
proc fresh {
    number : I
    state  : I
    w      : I
    ask    : I
    size   : I
    w = rows(W, number)
    name picture = picture0[w]
    ask = w[[VERB, PID]]
    picture = in(processes, ask)
    if state == 'E' {
        card.lines = in(processes, [VERBS[CARD_OF], w[PID]])
        unless size(card.lines) {
            remove.number = number
            call remove
            return
        }
        card.cols = max(48, w[COLS] // 8)
        call card
        picture = card.picture
        W[number * WC + CARD] = 1
    }
    size = shape(picture)
    if sum(size == w[[ROWS, COLS]]) < 2 {
        W[number * WC + [ROWS, COLS]] = size
        from = -1
    }
    from = min(from, number)
}

; Window remove.number goes, and its program with it.
proc remove {
    number : I scratch
    pid    : I scratch
    pid = W[number * WC + PID]
    out(processes, 0, [VERBS[KILL], pid])
    out(processes, 0, [VERBS[REAP], pid])
    number = where_not(iota(count) == number)
    W = rows(W, number)
    count -= 1
    unless count { at_home = 1 }
    call focus
}

; Bring window raise.number to the front.
proc raise {
    number : I scratch
    number = iota(count) == number
    W = rows(W, order(number))
    call focus
}

; The last row of W is the window in front: tell the kernel.
proc focus {
    front = -1
    if count { front = W[(count - 1) * WC + PID] }
    out(processes, 0, [VERBS[FOCUS], front])
    from = -1
    new_bar = 1
    new_home = 1
}
