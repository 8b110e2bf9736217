; Keys and pointer: what they mean to the desktop, and passing on the rest.

; What the pointer does while a button is held.
const FREE  = 0
const DRAG  = 1                       ; moves the window in front
const CLOSE = 2                       ; was pressed on its cross
const HOLD  = 3                       ; was pressed in its content: all goes there until released
const SPENT = 4                       ; did what it did

event      : I 1x4
grab       : I
grab_at    : I 1x2
held       : I                        ; buttons
pointer_at : I = [-99, -99]

proc look_at_keys {
    events : I
    events = in(keys)
    for k in 0..height(events) {
        event = rows(events, k)
        call key
    }
}

proc key {
    code  : I
    ctrl  : I
    code = event
    if event[1] == STATE_UP {
        unless at_home { call pass_key }
        return
    }
    ctrl = event[2] & MOD_CTRL
    if code == KEY_ESCAPE or code == KEY_F3 or (ctrl and code == KEY_HOME) {
        call go_home_if_any
        return
    }
    if code == KEY_F2 or (ctrl and code == KEY_RIGHT) or (code == KEY_TAB and event[2] & 6) {
        call next_window
        return
    }
    if ctrl and code == KEY_LEFT {
        call previous_window
        return
    }
    if at_home {
        call launcher_key
        return
    }
    if code == KEY_F4 goto close
    if ctrl and (code | 32) == 'w' {
        if W[(count - 1) * WC + APP] != terminal goto close
    }
    call pass_key
    return
close:
    remove.number = count - 1
    call remove
}

proc pass_key {
    out(processes, event, ['K', front])
}

proc launcher_key {
    code : I
    code = event
    choose.to = chosen
    if code == KEY_ENTER {
        call open
        return
    }
    if code == KEY_LEFT { choose.to -= 1 }
    if code == KEY_RIGHT or code == KEY_TAB { choose.to += 1 }
    if code == KEY_HOME { choose.to = 0 }
    if code == KEY_END { choose.to = size(offered) - 1 }
    call choose
    if code == KEY_UP or code == KEY_DOWN {
        choose_row.step = code * 2 - (KEY_UP + KEY_DOWN)
        call choose_row
    }
    if code > ' ' and code < 127 {
        choose_letter.code = code
        call choose_letter
    }
}

; To the launcher and back; without windows there is nothing to go back to.
proc go_home_if_any {
    if at_home and not count return
    call go_home
}

proc next_window {
    unless count return
    unless at_home {
        raise.number = 0
        call raise
    }
    at_home = 0
    new_home = 1
}

proc previous_window {
    unless count return
    W = rows(W, (iota(count) + count - 1) % count)
    at_home = 0
    call focus
}

proc look_at_pointer {
    events : I
    events = in(pointer)
    for k in 0..height(events) {
        event = rows(events, k)
        call point
        held = event[2] & 7
    }
}

proc point {
    row   : I
    col   : I
    now_held : I
    part  : I
    hit   : I
    pointer_at = event[[0, 1]]
    row = event
    col = event[1]
    moved = 1
    now_held = event[2] & 7
    part = pointer_at - W[(count - 1) * WC + [ROW, COL]]
    if grab == DRAG {
        W[(count - 1) * WC + ROW] = row - grab_at
        W[(count - 1) * WC + COL] = col - grab_at[1]
        call keep_in_reach
    }
    if grab == CLOSE and not now_held {
        call over_cross
        if over_cross.yes {
            remove.number = count - 1
            call remove
        }
    }
    if grab == HOLD { call pass_pointer }
    if grab {
        if now_held return
        if grab == DRAG { call focus }
        grab = FREE
        return
    }
    if now_held and not held { grab = SPENT }
    if row < BAR_ROWS {
        if grab {
            bar_click.col = col
            call bar_click
        }
        return
    }
    hit = -1
    unless at_home {
        call window_at
        hit = window_at.hit
    }
    if hit < 0 {
        place_at.row = row
        place_at.col = col
        call place_at
        if place_at.hit < 0 return
        if at_home or grab {
            choose.to = place_at.hit
            call choose
        }
        if grab { call open }
        return
    }
    unless grab {
        if hit == count - 1 or event[2] >> 8 { call pass_pointer }
        return
    }
    if hit < count - 1 {
        raise.number = hit
        call raise
    }
    part = pointer_at - W[(count - 1) * WC + [ROW, COL]]
    if part > -1 {
        grab = HOLD
        call pass_pointer
        return
    }
    call over_cross
    if over_cross.yes {
        grab = CLOSE
        return
    }
    grab = DRAG
    grab_at = part
    W[(count - 1) * WC + TINT] = C_ORANGE
    W[(count - 1) * WC + EDGE] = C_YELLOW
    from = -1
}

; window_at.hit becomes the number of the window under the pointer, or -1.
proc window_at {
    hit  : I
    down : I
    wide : I
    hit = -1
    unless count return
    view ats = W[0, ROW, -1, 2]
    view sizes = W[0, ROWS, -1, 2]
    down = pointer_at - ats
    wide = sizes - down
    down += [ABOVE, 1]
    down = min(down, wide)
    down = row_min(down)
    hit = where(down > -1)
    hit = hit[size(hit) - 1]
    if sum(transpose(down) > -1) == 0 { hit = -1 }
}

; over_cross.yes: the pointer is on the cross of the window in front.
proc over_cross {
    yes  : I
    part : I
    part = pointer_at - W[(count - 1) * WC + [ROW, COL]]
    part = part + beside(ABOVE, 20 - W[(count - 1) * WC + COLS])
    yes = row_min(min(part, [TITLE, 15] - part)) > -1
}

; The event to the program whose window is under the pointer, or holds it, in its own pixels.
proc pass_pointer {
    number : I
    there  : I
    number = count - 1
    unless grab { number = window_at.hit }
    there = pointer_at - W[number * WC + [ROW, COL]]
    there = beside(there, event[[2, 3]])
    out(processes, there, ['M', W[number * WC]])
}

; Title bars stay where they can be caught.
proc keep_in_reach {
    most : I
    from = -1
    unless count return
    view ats = W[0, ROW, -1, 2]
    view sizes = W[0, COLS, -1, 1]
    most = dims - [8, 40]
    ats = min(ats, most)
    most = beside(reshape(BAR_ROWS + ABOVE, [count, 1]), 40 - sizes)
    ats = max(ats, most)
}
