; Windows: a row of W for each, the one in front last.

const MOST = 16                       ; windows, and pictures for them
const PID    = 0
const APP    = 1
const ROW    = 2                      ; of its content on the screen
const COL    = 3
const ROWS   = 4                      ; size of its content
const COLS   = 5
const SERIAL = 6                      ; of the picture we have
const SLOT   = 7                      ; number of that picture
const CARD   = 8                      ; 1: the program stopped, and the picture is its error card
const TINT   = 9                      ; colour of the title bar
const EDGE   = 10                     ; of its top row
const ONE    = 11                     ; always 1
const WC     = 12

const TITLE = 16                      ; rows of a title bar
const ABOVE = TITLE + 2               ; rows of a window above its content

W      : I [0, WC]
count  : I                            ; windows
captions : T [MOST, TITLE_COLS]       ; a title for each picture
front  : I = -1                       ; pid of the window in front

; A window's row times FRAME are the boxes around its content: shadow to the right, shadow below,
; outline with paper, title bar, edge of the title bar.
FRAME : I = [
    0, 0, 0, 0, 0,     0, 0, 0, 0, 0,    0, 0, 0, 0, 0,      0, 0, 0, 0, 0,    0, 0, 0, 0, 0;
    0, 0, 0, 0, 0,     0, 0, 0, 0, 0,    0, 0, 0, 0, 0,      0, 0, 0, 0, 0,    0, 0, 0, 0, 0;
    1, 0, 0, 0, 0,     1, 0, 0, 0, 0,    1, 0, 0, 0, 0,      1, 0, 0, 0, 0,    1, 0, 0, 0, 0;
    0, 1, 0, 0, 0,     0, 1, 0, 0, 0,    0, 1, 0, 0, 0,      0, 1, 0, 0, 0,    0, 1, 0, 0, 0;
    0, 0, 1, 0, 0,     1, 0, 0, 0, 0,    0, 0, 1, 0, 0,      0, 0, 0, 0, 0,    0, 0, 0, 0, 0;
    0, 1, 0, 0, 0,     0, 0, 0, 1, 0,    0, 0, 0, 1, 0,      0, 0, 0, 1, 0,    0, 0, 0, 1, 0;
    0, 0, 0, 0, 0,     0, 0, 0, 0, 0,    0, 0, 0, 0, 0,      0, 0, 0, 0, 0,    0, 0, 0, 0, 0;
    0, 0, 0, 0, 0,     0, 0, 0, 0, 0,    0, 0, 0, 0, 0,      0, 0, 0, 0, 0,    0, 0, 0, 0, 0;
    0, 0, 0, 0, 0,     0, 0, 0, 0, 0,    0, 0, 0, 0, 0,      0, 0, 0, 0, 0,    0, 0, 0, 0, 0;
    0, 0, 0, 0, 0,     0, 0, 0, 0, 0,    0, 0, 0, 0, 0,      0, 0, 0, 0, 1,    0, 0, 0, 0, 0;
    0, 0, 0, 0, 0,     0, 0, 0, 0, 0,    0, 0, 0, 0, 0,      0, 0, 0, 0, 0,    0, 0, 0, 0, 1;
    -14, 1, 19, 4, 0,  1, 3, 4, 2, 0,    -18, -1, 19, 2, 0,  -17, 0, 16, 0, 0, -17, 0, 1, 0, 0]

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

; Draw window number draw_window.number.
proc draw_window {
    number : I scratch
    w      : I scratch
    place  : I scratch
    words  : T scratch
    w = rows(W, number)
    place = reshape(w @ FRAME, [5, 5])
    draw(frame, COLOURS, place)
    place = w[[ROW, COL]]
    name picture = picture0[w[SLOT]]
    draw(frame, picture, place)
    words = rows(captions, w[SLOT])
    words = reshape(words, [1, max(0, min(TITLE_COLS, (w[COLS] - 32) // 8))])
    place += [-17, 8]
    if number == count - 1 {
        line = tile(words, INK16)
        draw(frame, line, place)
        draw(frame, INK16, [place + beside(0, w[COLS] - 24), GLYPH_CROSS])
    } else {
        line = tile(words, SILVER16)
        draw(frame, line, place)
        draw(frame, SILVER16, [place + beside(0, w[COLS] - 24), GLYPH_CROSS])
    }
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
    }
    list = where(changed)
    for k in size(list)..0 step -1 {
        i = list[k - 1]
        fresh.number = i
        fresh.serial = serials[i]
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
    if sum(room == size) < 2 { out(processes, 0, ['z', pid, room]) }
    ; A picture that nobody has.
    used = transpose(iota(MOST))
    used = find(transpose(rows(transpose(W), SLOT)), used)
    used = argmax(used < 0)
    name picture = picture0[used]
    picture = in(processes, ['s', pid])
    W = below(W, [pid, kid[1], 0, 0, room, 0, used, 0, 0, 0, 1])
    count += 1
    utf8.bytes = in(processes, ['l', pid])
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
    number : I scratch
    serial : I scratch
    state  : I scratch
    pid    : I scratch
    size   : I scratch
    at     : I scratch
    at = number * WC
    pid = W[at]
    name picture = picture0[W[at + SLOT]]
    picture = in(processes, ['s', pid])
    if state == 'E' {
        card.lines = in(processes, ['e', pid])
        unless size(card.lines) {
            remove.number = number
            call remove
            return
        }
        card.cols = max(40, W[at + COLS] // 8)
        call card
        picture = card.picture
        W[at + CARD] = 1
    }
    W[at + SERIAL] = serial
    size = shape(picture)
    if sum(size == W[at + [ROWS, COLS]]) < 2 {
        W[at + [ROWS, COLS]] = size
        from = -1
    }
    from = min(from, number)
}

; Window remove.number goes, and its program with it.
proc remove {
    number : I scratch
    pid    : I scratch
    pid = W[number * WC]
    out(processes, 0, ['k', pid])
    out(processes, 0, ['x', pid])
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

; The last row of W is the window in front: colour it, and tell the kernel.
proc focus {
    at : I scratch
    front = -1
    if count {
        at = transpose(W)
        rows(at, TINT) = C_SLATE
        rows(at, EDGE) = C_FOG
        W = transpose(at)
        at = (count - 1) * WC
        front = W[at]
        W[at + TINT] = C_YELLOW
        W[at + EDGE] = C_PAPER
    }
    out(processes, 0, ['f', front])
    from = -1
    new_bar = 1
    new_home = 1
}
