; The line that is typed: code points and a cursor, its history, its completion.

const PAST = 200                      ; lines remembered
const LONGEST = 512                   ; characters of a line

prompt : I 1x0                        ; glyphs with colours
typed  : I 1x0                        ; code points
cursor : I                            ; how many of them stand before it
past   : I [0, LONGEST]               ; lines typed before, the last one last, zeros behind each
depth  : I                            ; which of them is shown, counted from the end; 0: none
draft  : I                            ; what was typed before we looked back
event  : I 1x4

proc look_at_keys {
    events : I
    events = in(keys)
    for k in 0..height(events) {
        event = rows(events, k)
        if event[1] { call key }
    }
}

proc key {
    code    : I
    special : I
    code = event[0]
    special = code - KEY_UP
    changed = 1
    beat = 0
    if special == (KEY_PAGE_UP - KEY_UP) {
        scroll += high - 1
        return
    }
    if special == (KEY_PAGE_DOWN - KEY_UP) {
        scroll = max(0, scroll - high + 1)
        return
    }
    scroll = 0
    if event[2] & MOD_CTRL {
        call control
        return
    }
    splice.first = cursor
    splice.last = cursor
    splice.text = reshape(0, [1, 0])
    if code == KEY_ENTER {
        call enter
        return
    }
    if code == KEY_TAB {
        call complete
        return
    }
    if special == (KEY_UP - KEY_UP) or special == (KEY_DOWN - KEY_UP) {
        recall.to = depth + 1 - special * 2
        call recall
        return
    }
    if special == (KEY_LEFT - KEY_UP) { cursor = max(0, cursor - 1) }
    if special == (KEY_RIGHT - KEY_UP) { cursor = min(size(typed), cursor + 1) }
    if special == (KEY_HOME - KEY_UP) { cursor = 0 }
    if special == (KEY_END - KEY_UP) { cursor = size(typed) }
    if code == KEY_BACKSPACE {
        splice.first = max(0, cursor - 1)
        call splice
    }
    if special == (KEY_DELETE - KEY_UP) {
        splice.last = min(size(typed), cursor + 1)
        call splice
    }
    if code > 31 and special < 0 and size(typed) < LONGEST {
        splice.text = code
        call splice
    }
}

; Ctrl and a letter.
proc control {
    code : I
    code = event[0] & 31
    splice.first = cursor
    splice.last = cursor
    splice.text = reshape(0, [1, 0])
    if code == ('A' - 64) { cursor = 0 }
    if code == ('E' - 64) { cursor = size(typed) }
    if code == ('U' - 64) {
        splice.first = 0
        call splice
    }
    if code == ('K' - 64) {
        splice.last = size(typed)
        call splice
    }
    if code == ('W' - 64) { call delete_word }
    if code == ('L' - 64) { call wipe }
    if code == ('C' - 64) { call interrupt }
    if code == ('D' - 64) {
        if running {
            out(line, "\x04")
        } else {
            unless size(typed) { halt }
        }
    }
}

; typed[splice.first .. splice.last] becomes splice.text, with the cursor behind it.
proc splice {
    first : I
    last  : I
    text  : I
    rest  : I scratch
    rest = typed[iota(size(typed) - last, last)]
    rest = beside(text, rest)
    typed = beside(reshape(typed, [1, first]), rest)
    cursor = first + size(text)
}

proc delete_word {
    at   : I scratch
    full : I scratch
    at = iota(cursor, 1)
    full = (reshape(typed, [1, cursor]) == ' ') == 0
    full = row_max(full * at)             ; end of the word before the cursor
    at = (reshape(typed, [1, cursor]) == ' ') * at * (at < full)
    splice.first = max(0, row_max(at))
    call splice
}

; Show line recall.to of the history, counted from the end; 0 is what was typed.
proc recall {
    to : I
    if to < 0 or to > height(past) return
    unless depth { draft = typed }
    depth = to
    if to {
        typed = rows(past, height(past) - to)
        typed = reshape(typed, [1, row_sum(typed > 0)])
    } else {
        typed = draft
    }
    cursor = size(typed)
}

; Run what is typed; if something runs already, it reads it.
proc enter {
    same : I scratch
    put_in.stream = NEWLINE
    call echo
    if size(typed) {
        same = beside(typed, reshape(0, [1, LONGEST]))
        same = reshape(same, [1, LONGEST])
        unless sum(rows(past, height(past) - 1) == same) == LONGEST { past = below(past, same) }
        if height(past) > PAST { past = rows(past, iota(PAST, 1)) }
    }
    encode.codes = typed
    call encode
    call forget
    running = 1
    out(line, encode.bytes)
}

; Stop what runs, or drop what is typed.
proc interrupt {
    if running {
        out(line, 0, '!')
    } else {
        put_in.stream = ['^', 'C', NEWLINE]
        call echo
        call ask_prompt
    }
    call forget
}

proc forget {
    typed = reshape(0, [1, 0])
    cursor = 0
    depth = 0
    if running { prompt = typed }
}

; The prompt, what is typed, and put_in.stream behind it become part of what is written.
proc echo {
    call shown_line
    put_in.stream = put_in.stream | C_SILVER << 16
    put_in.stream = beside(shown_line.cells_, put_in.stream)
    prompt = reshape(0, [1, 0])
    call put_in
}

; shown_line.cells_ becomes the prompt and what is typed.
proc shown_line {
    cells_ : I
    glyphs.codes = typed
    call glyphs
    cells_ = glyphs.shown | C_LIME << 16
    cells_ = beside(prompt, cells_)
}

; Complete what stands before the cursor, or show what it could become.
proc complete {
    at   : I scratch
    kept : I 1x0
    encode.codes = reshape(typed, [1, cursor])
    call encode
    out(line, encode.bytes, 'c')
    utf8.bytes = in(line, 'c')
    call utf8
    at = where(utf8.codes == '\n')
    if size(at) { at = at[0] } else { at = size(utf8.codes) }
    splice.text = reshape(utf8.codes, [1, at])
    if at == cursor and at < size(utf8.codes) {
        ; Nothing is certain: show the choices above a prompt of its own.
        kept = prompt
        put_in.stream = NEWLINE
        call echo
        at = argmax(utf8.bytes == '\n') + 1
        feed.text = utf8.bytes[iota(size(utf8.bytes) - at, at)]
        feed.ink = C_SILVER
        call feed
        feed.text = "\n"
        call feed
        prompt = kept
    }
    splice.first = 0
    splice.last = cursor
    call splice
}
