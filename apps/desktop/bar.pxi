; The bar at the top: the system's name, a tab for each window, the clock.

const TABS = 7                        ; column of the first tab
const CLOCK_COLS = 14

MONTHS : T = ["Jan", "Feb", "Mar", "Apr", "May", "Jun",
              "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]
time     : T = "00 Jan 00:00"
tab_cols : I = 1
tab_of   : I                          ; 1 x count: numbers of the windows in order of age

proc draw_bar {
    words : T scratch
    inks  : T scratch
    n     : I scratch
    sorted : I scratch
    tabs  : T scratch
    n = cols_ // 8
    words = reshape(0, [1, n])
    inks = reshape(C_SILVER, [1, n])
    draw(words, "pxOS", [0, 1])
    draw(inks, C_PAPER + at_home * (C_YELLOW - C_PAPER), [0, 0, 1, TABS])
    call tell_time
    draw(words, time, [0, n - CLOCK_COLS + 1])
    if count {
        tab_cols = max(3, min(16, (n - TABS - CLOCK_COLS) // count))
        sorted = transpose(W)
        tab_of = order(rows(sorted, PID))
        sorted = transpose(rows(W, tab_of))
        tabs = captions[transpose(rows(sorted, SLOT)) * TITLE_COLS + iota(tab_cols - 2)]
        tabs = beside(0, tabs)
        tabs = beside(tabs, 0)
        draw(words, reshape(tabs, [1, count * tab_cols]), [0, TABS])
        sorted = transpose(rows(sorted, PID)) == front
        sorted = sorted > at_home
        sorted = sorted * (C_YELLOW - C_SILVER) + reshape(C_SILVER, [1, tab_cols])
        draw(inks, reshape(sorted, [1, count * tab_cols]), [0, TABS])
    }
    cells(line, words, inks, FONT16, 16, C_INK)
    draw(frame, COLOURS, [0, 0, BAR_ROWS, cols_, C_INK])
    draw(frame, line, [0, 0])
}

; time becomes the date and time in `now`.
proc tell_time {
    digits : I scratch
    digits = now[[2, 2, 3, 3, 4, 4]] // [10, 1, 10, 1, 10, 1]
    digits = digits % 10 + '0'
    time[[0, 1, 7, 8, 10, 11]] = digits
    if now[2] < 10 { time[0] = ' ' }
    draw(time, rows(MONTHS, now[1] - 1), [0, 3])
}

; A click on the bar.
proc bar_click {
    col : I scratch
    col = pointer_at[1] // 8 - TABS
    if col < 0 {
        call go_home_if_any
        return
    }
    col = col // tab_cols
    if col < count {
        raise.number = tab_of[col]
        call raise
        at_home = 0
    }
}
