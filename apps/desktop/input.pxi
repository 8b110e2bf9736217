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
    events : I scratch
    events = in(keys)
    for k in 0..height(events) {
        event = rows(events, k)
        call key
    }
}

proc key {
    code    : I scratch
    special : I scratch               ; keys that are no characters, from KEY_UP on
    ctrl    : I scratch
    code = event[0]
    special = code - KEY_UP
    if event[1] == STATE_UP {
        unless at_home { call pass_key }
        return
    }
    ctrl = event[2] & MOD_CTRL
    if code == KEY_ESCAPE or special == (KEY_F3 - KEY_UP) goto home
    if ctrl and special == (KEY_HOME - KEY_UP) {
home:
        call go_home_if_any
        return
    }
    if code == KEY_TAB and event[2] & (MOD_CTRL | MOD_ALT) goto next
    if special == (KEY_F2 - KEY_UP) or (ctrl and special == (KEY_RIGHT - KEY_UP)) {
next:
        call next_window
        return
    }
    if ctrl and special == (KEY_LEFT - KEY_UP) {
        call previous_window
        return
    }
    if at_home {
        call launcher_key
        return
    }
    if special == (KEY_F4 - KEY_UP) goto close
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
    out(processes, event, [VERBS[SEND_KEY], front])
}

proc launcher_key {
    choose.to = chosen
    if key.code == KEY_ENTER {
        call open
        return
    }
    if key.special == (KEY_LEFT - KEY_UP) { choose.to -= 1 }
    if key.special == (KEY_RIGHT - KEY_UP) or key.code == KEY_TAB { choose.to += 1 }
    if key.special == (KEY_HOME - KEY_UP) { choose.to = 0 }
    if key.special == (KEY_END - KEY_UP) { choose.to = size(offered) - 1 }
    call choose
    if key.special == (KEY_UP - KEY_UP) or key.special == (KEY_DOWN - KEY_UP) {
        choose_row.step = key.special * 2 - 1
        call choose_row
    }
    if key.code > ' ' and not key.code >> 7 {
        choose_letter.code = key.code
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
    events : I scratch
    events = in(pointer)
    for k in 0..height(events) {
        event = rows(events, k)
        call point
        held = event[2] & 7
    }
}

proc point {
    now_held : I scratch
    part  : I scratch
    hit   : I scratch
    pointer_at = event[[0, 1]]
    moved = 1
    now_held = event[2] & 7
    part = pointer_at - W[(count - 1) * WC + [ROW, COL]]
    if grab == DRAG {
        W[(count - 1) * WC + [ROW, COL]] = pointer_at - grab_at
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
        if grab == DRAG { from = -1 }
        grab = FREE
        return
    }
    if now_held and not held { grab = SPENT }
    if pointer_at[0] < BAR_ROWS {
        if grab {
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
    from = -1
}

; window_at.hit becomes the number of the window under the pointer, or -1.
proc window_at {
    hit  : I scratch
    fields : I scratch
    part : I scratch
    hit = -1
    unless count return
    fields = transpose(W)
    part = pointer_at[0] - rows(fields, ROW)
    hit = min(part + ABOVE, rows(fields, ROWS) - part)
    part = pointer_at[1] - rows(fields, COL)
    part = min(part + 1, rows(fields, COLS) - part)
    hit = min(hit, part) > -1
    hit *= iota(count, 1)
    hit = row_max(hit) - 1
}

; over_cross.yes: the pointer is on the cross of the window in front.
proc over_cross {
    yes  : I scratch
    part : I scratch
    part = pointer_at - W[(count - 1) * WC + [ROW, COL]]
    part = part + beside(ABOVE, 20 - W[(count - 1) * WC + COLS])
    yes = row_min(min(part, [TITLE, 15] - part)) > -1
}

; The event to the program whose window is under the pointer, or holds it, in its own pixels.
proc pass_pointer {
    number : I scratch
    there  : I scratch
    number = count - 1
    unless grab { number = window_at.hit }
    there = pointer_at - W[number * WC + [ROW, COL]]
    there = beside(there, event[[2, 3]])
    out(processes, there, [VERBS[SEND_POINT], W[number * WC + PID]])
}

; Title bars stay where they can be caught.
proc keep_in_reach {
    fields : I scratch
    from = -1
    unless count return
    fields = transpose(W)
    rows(fields, ROW) = max(min(rows(fields, ROW), dims[0] - 8), BAR_ROWS + ABOVE)
    rows(fields, COL) = max(min(rows(fields, COL), cols_ - 40), 40 - rows(fields, COLS))
    W = transpose(fields)
}
