; Drawing: the last rows of what is written, the line that is typed, and the cursor.

const MARGIN = 8
const BLINK = 32                      ; frames that the cursor is to be seen, and not

BOX16 : T leaf 16 = alpha(file("../../fonts/pxos-8x16-box.png"))
FONT  : T leaf 16                     ; both pages
paper : P
text  : P

proc draw_page {
    cells_ : I scratch
    top    : I scratch
    seen   : I scratch
    n      : I scratch
    at     : I scratch
    call shown_line
    n = size(shown_line.cells_) // wide + 1
    cells_ = beside(shown_line.cells_, reshape(0, [1, wide]))
    cells_ = reshape(cells_, [n, wide])
    top = max(0, height(written) + n - high)
    scroll = min(scroll, top)
    top -= scroll
    seen = rows(written, iota(high, top))
    rows(seen, iota(n, height(written) - top)) = cells_
    cells(text, seen & 0xffff, seen >> 16, FONT, 16, C_INK)
    paper = reshape(COLOURS[C_INK], dims)
    draw(paper, text, [MARGIN, MARGIN])
    if beat // BLINK % 2 == 0 {
        n = size(prompt) + cursor
        at = [n // wide + height(written) - top, n % wide]
        if at[0] < high {
            n = seen[at[0] * wide + at[1]] & 0xffff
            at = at * [16, 8] + MARGIN
            draw(paper, COLOURS, [at, 16, 8, C_YELLOW])
            text = reshape(0, [16, 8])
            text[where tile(n, FONT)] = COLOURS[C_INK]
            draw(paper, text, at)
        }
    }
    out(screen, paper)
}

; The wheel looks back.
proc look_at_pointer {
    events : I
    events = in(pointer)
    unless size(events) return
    events = col_sum(events >> 8)
    events = events[2]
    unless events return
    scroll = max(0, scroll + events * 3)
    changed = 1
}
