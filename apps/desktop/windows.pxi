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
opened : I                            ; windows ever opened, for where the next one is put
last   : I                            ; highest pid seen
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
picture0  : P far
picture1  : P far
picture2  : P far
picture3  : P far
picture4  : P far
picture5  : P far
picture6  : P far
picture7  : P far
picture8  : P far
picture9  : P far
picture10 : P far
picture11 : P far
picture12 : P far
picture13 : P far
picture14 : P far
picture15 : P far

; Draw window number draw_window.number.
proc draw_window {
    number : I
    w      : I
    place  : I
    words  : T
    w = rows(W, number)
    place = reshape(w @ FRAME, [5, 5])
    draw(frame, COLOURS, place)
    place = w[[ROW, COL]]
    name picture = picture0[w[SLOT]]
    draw(frame, picture, place)
    words = rows(titles, w[APP])
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
    kids   : I
    list   : I
    seen   : I
    changed : I
    i      : I
    kids = in(processes, 'p')
    view pids = kids[0, 0, -1, 1]
    list = pids > last
    list = where(list)
    for k in 0..size(list) {
        adopt.kid = rows(kids, list[k])
        call adopt
    }
    unless count return
    view ours = W[0, PID, -1, 1]
    seen = rows(kids, find(pids, ours))
    view states = seen[0, 2, -1, 1]
    view cards = W[0, CARD, -1, 1]
    changed = states == 'E'
    changed = changed > cards
    unless at_home {
        view serials = seen[0, 5, -1, 1]
        view known = W[0, SERIAL, -1, 1]
        list = serials == known
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

; A new program gets a window.
proc adopt {
    kid  : I
    used : I
    room : I
    size : I
    last = kid
    ; Not larger than the screen; the program may not have looked at its size yet.
    room = dims - [BAR_ROWS + ABOVE + 2, 2]
    size = kid[[3, 4]]
    room = min(size, room)
    if sum(room == size) < 2 { out(processes, 0, ['z', last, room]) }
    ; A picture that nobody has.
    used = transpose(iota(MOST))
    view slots = W[0, SLOT, -1, 1]
    used = find(slots, used)
    used = argmax(used < 0)
    name picture = picture0[used]
    picture = in(processes, ['s', last])
    W = below(W, [last, kid[1], 0, 0, room, 0, used, 0, 0, 0, 1])
    count += 1
    ; In the middle, each a little further down and to the right.
    used = opened % 7 * 24
    opened += 1
    room = dims - [BAR_ROWS + ABOVE + 4, 4] - room
    room = max(room, 0) + 1
    room = (room // 2 + used) % room
    room = (room + 4) & -8
    room += [BAR_ROWS + ABOVE, 0]
    W[(count - 1) * WC + ROW] = room
    W[(count - 1) * WC + COL] = room[1]
    call focus
}

; Window fresh.number has a new picture, or its program ended.
proc fresh {
    number : I
    serial : I
    state  : I
    pid    : I
    size   : I
    at     : I
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
        W[at + ROWS] = size
        W[at + COLS] = size[1]
        from = -1
    }
    from = min(from, number)
}

; Window remove.number goes, and its program with it.
proc remove {
    number : I
    pid    : I
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
    number : I
    number = iota(count) == number
    W = rows(W, order(number))
    call focus
}

; The last row of W is the window in front: colour it, and tell the kernel.
proc focus {
    view tints = W[0, TINT, -1, 2]
    tints = [C_SLATE, C_FOG]
    front = -1
    if count {
        front = W[(count - 1) * WC]
        W[(count - 1) * WC + TINT] = C_YELLOW
        W[(count - 1) * WC + EDGE] = C_PAPER
    }
    out(processes, 0, ['f', front])
    from = -1
    new_bar = 1
    new_home = 1
}
