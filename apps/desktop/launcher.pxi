; The launcher: icons on the wallpaper, and what keys and clicks do to them.

const PLACE_ROWS = 64                 ; of an icon with its name
const PLACE_COLS = 88
const HEADING = 24
const HINT = 32                       ; rows of the bar below

WALLPAPER : P = file("../lib/wallpaper.png")
home     : P                          ; the launcher as a picture as large as the screen
tops     : I                          ; 1 x m: where each place is
lefts    : I
heads    : I                          ; 2 x 2: row and column of the two headings
chosen   : I                          ; number of the chosen place
across   : I = 1                      ; places in a row
line     : P                          ; a line of text, and names under icons
names    : P leaf 8

; Where everything is.
proc arrange {
    number : I scratch
    filter : I scratch
    top    : I scratch
    across = max(1, (cols_ - 8) // PLACE_COLS)
    number = iota(size(offered))
    filter = 1 - (number < programs)
    number -= filter * programs
    top = (programs + across - 1) // across * PLACE_ROWS + HEADING + 8
    tops = number // across * PLACE_ROWS + filter * top + (BAR_ROWS + 8 + HEADING)
    lefts = number % across * PLACE_COLS + (cols_ - across * PLACE_COLS) // 2
    heads = [BAR_ROWS + 8, lefts[0] + 8; top + (BAR_ROWS + 8), lefts[0] + 8]
    ; If the chosen one is below the screen, everything goes up.
    top = max(0, tops[chosen] + PLACE_ROWS - (dims[0] - HINT))
    tops -= top
    heads[[0, 2]] += 0 - top
}

; home becomes the launcher.
proc draw_home {
    list : I scratch
    m    : I scratch
    home = reshape(COLOURS[C_NIGHT], dims)
    draw(home, WALLPAPER, beside([0, 0], dims))
    m = size(offered)
    unless m return
    call arrange
    line = tile("Programs", SILVER16)
    draw(home, line, rows(heads, 0))
    if m > programs {
        line = tile("Filters for pictures in pipes", SILVER16)
        draw(home, line, rows(heads, 1))
    }
    if at_home {
        list = [tops[chosen], lefts[chosen]]
        list = beside(below(list, list), CHOSEN)
        list += CHOSEN_AT
        draw(home, COLOURS, list)
    }
    list = transpose(below(below(tops + 8, lefts + 28), offered))
    draw(home, icons, list)
    list = transpose(below(below(tops + 46, lefts), iota(m)))
    names = tile(rows(labels, offered), PAPER8)
    draw(home, names, list)
    unless at_home return
    names = tile(rows(labels, offered), INK8)
    draw(home, names, rows(list, chosen))
    call draw_hint
}
CHOSEN    : I = [40, 40, C_YELLOW; 12, PLACE_COLS, C_YELLOW]
CHOSEN_AT : I = [4, 24, 0, 0, 0; 44, 0, 0, 0, 0]

; What the chosen program does, and the keys.
proc draw_hint {
    words : T scratch
    inks  : T scratch
    words = reshape(0, [2, cols_ // 8])
    inks = reshape(C_PAPER, [2, cols_ // 8])
    draw(words, rows(does, offered[chosen]), [0, 1])
    draw(words, "\n opens   F2 next window   F3 launcher   F4 closes a window   F1 more", [1, 1])
    draw(inks, C_SILVER, [1, 0, 1, cols_])
    cells(line, words, inks, FONT16, 16, C_INK)
    draw(home, COLOURS, [dims[0] - HINT, 0, HINT, cols_, C_INK])
    draw(home, line, [dims[0] - HINT, 0])
}

; Choose another place: `choose.to` is its number.
proc choose {
    to : I scratch
    to = max(0, min(to, size(offered) - 1))
    if to == chosen return
    chosen = to
    new_home = 1
}

; The nearest place above (choose_row.step -1) or below (1) the chosen one.
proc choose_row {
    step : I scratch
    away : I scratch
    away = (tops - tops[chosen]) * (step * 1000)
    away[where away < 1] = 0x7fffffff
    choose.to = row_min(away)
    if choose.to == 0x7fffffff return
    away += (lefts - lefts[chosen]) * (lefts - lefts[chosen] + step) // 1000
    away[where away < 0] = 0x7fffffff
    choose.to = argmax(0 - away)
    call choose
}

; The next place whose name begins with the letter `choose_letter.code`.
proc choose_letter {
    code  : I scratch
    ahead : I scratch
    first : I scratch
    first = titles[offered * TITLE_COLS] | 32
    first = first == (code | 32)
    unless sum(first) return
    ahead = iota(size(offered)) - chosen - 1
    ahead = ahead % size(offered)
    ahead[where first == 0] = 0x7fffffff
    choose.to = argmax(0 - ahead)
    call choose
}

; place_at.hit becomes the number of the place under the pointer, or -1.
proc place_at {
    hit : I scratch
    hit = pointer_at[0] - tops
    hit = min(hit, PLACE_ROWS - 1 - hit)
    hit = min(hit, pointer_at[1] - lefts)
    hit = min(hit, lefts + (PLACE_COLS - 1) - pointer_at[1]) > -1
    if sum(hit) { hit = argmax(hit) } else { hit = -1 }
}

; Start the chosen program; a filter is explained in a terminal.
proc open {
    app   : I scratch
    words : T scratch
    if count == MOST or not size(offered) return
    app = offered[chosen]
    words = reshape(0, [0, 0])
    unless wants[app * 3] {
        if terminal < 0 return
        words = in(processes, [VERBS[NAME_OF], app])
        words = beside("--run=help\\ ", words)
        app = terminal
    }
    out(processes, words, [VERBS[START], app])
    if at_home { call go_home }
    call look_at_children
}

; To the launcher, or back from it.
proc go_home {
    at_home = 1 - at_home
    new_home = 1
}
