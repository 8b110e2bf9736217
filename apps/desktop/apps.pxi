; The programs that can be started, read once.

const TITLE_COLS = 24
const LABEL_COLS = 11                 ; what fits under an icon
const DOES_COLS = 64

; What is asked of port processes, by place in VERBS (a list takes one place in the table, fourteen
; numbers would take fourteen).
const TITLE_OF   = 0
const DOES_WHAT  = 1
const ICON_OF    = 2
const NEEDS      = 3
const NAME_OF    = 4
const CARD_OF    = 5
const KILL       = 6
const CAPTION    = 7
const START      = 8
const RESIZE     = 9
const FOCUS      = 10
const REAP       = 11
const SEND_KEY   = 12
const SEND_POINT = 13
VERBS : T = "tdiwneklrzfxKM"

apps     : I                          ; how many there are; a program's number is its row below
titles   : T                          ; apps x TITLE_COLS glyphs
labels   : T                          ; apps x LABEL_COLS, centred
does     : T                          ; apps x DOES_COLS
icons    : P leaf 32                  ; a stack of 32 x 32
wants    : I 0x3                       ; apps x 3: asks for a screen, for processes, needs arguments
terminal : I = -1                     ; the terminal's number
offered  : I                          ; 1 x m: the programs on show, those with a screen first
programs : I                          ; how many of them have one

; fit(d, text, n): text as a row of n glyphs, padded with blanks or cut with an ellipsis.
macro fit(d, text, n) {
    blanks : T 1x80
    d = beside(text, blanks)
    d = reshape(d, [1, n])
    if size(text) > n { d[n - 1] = GLYPH_DOTS }
}

said     : T

proc load_apps {
    icon  : P scratch
    row   : I scratch
    needs : I scratch
    apps = in(processes, 'a')
    for i in 0..apps {
        utf8.bytes = in(processes, [VERBS[TITLE_OF], i])
        call one_line
        fit(said, one_line.text, TITLE_COLS)
        titles = below(titles, said)
        fit(said, one_line.text, LABEL_COLS)
        row = size(one_line.text)
        row = max(LABEL_COLS - row, 0) // 2
        said = beside(reshape(0, [1, row]), said)
        said = reshape(said, [1, LABEL_COLS])
        labels = below(labels, said)

        utf8.bytes = in(processes, [VERBS[DOES_WHAT], i])
        call one_line
        fit(said, one_line.text, DOES_COLS)
        does = below(does, said)

        icon = in(processes, [VERBS[ICON_OF], i])
        unless size(icon) { icon = reshape(COLOURS[C_SLATE], [32, 32]) }
        icons = below(icons, icon)

        row = in(processes, [VERBS[NEEDS], i])
        wants = below(wants, row)

        said = in(processes, [VERBS[NAME_OF], i])
        if find("terminal", said) == 0 { terminal = i }
    }
    ; What has no screen works on pictures in pipes; what starts others, or is on a screen but
    ; cannot do without arguments, is not for the launcher.
    needs = transpose(wants)
    row = rows(needs, 1) or (rows(needs, 0) and rows(needs, 2) > 0)
    row = row * 2 + (rows(needs, 0) == 0)
    programs = sum(row == 0)
    offered = order(row)
    offered = reshape(offered, [1, programs + sum(row == 1)])
}

; one_line.text (T) becomes utf8.bytes as glyphs of a byte each.
proc one_line {
    text : T scratch
    call utf8
    glyphs.codes = utf8.codes
    call glyphs
    glyphs.shown[where glyphs.shown >> 8] = GLYPH_MISSING
    text = glyphs.shown
}
