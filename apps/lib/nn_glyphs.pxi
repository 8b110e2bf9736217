; The app around a network that reads and writes glyphs, network.pxi of shell/lenses/networks/glyphs.py:
; a picture of text comes in, the page with more text goes out.  No character code is used to read or to
; write: cells are pixels, the next glyph is chosen by its picture, and the end of a line is a picture, too.

help """
glyphs: reads a picture of text and writes on, a glyph at a time. It has never seen the code of
a letter: all that it knows of an A is what it looks like.

    text "ROMEO:" | glyphs > out.png
    text "Once" --colour ink --background paper | glyphs --count 200 --seed 7 > out.png
    pxos run glyphs

The picture shows letters of pxOS in cells of 8 x 16, as text draws them: in any colours on the
colour of the top left corner, anywhere in the picture. Of a long page it heeds the end. The
same page, settings and seed give the same text every time; without a seed it is chance.

In a window one sees it think. Evidence is its answer, a number for each pixel: for ink (bright)
or against it (blue); held against the pictures of the font it gives each glyph a chance.
Expected is the mean of their pictures. Space pauses, Enter begins anew with other chances, S
hands on the page.

--mode logits takes pictures that are cells to the edge, blank ones and ends of lines (glyph 0A)
too. It hands on a row for each cell, with a pixel (1/65536) for each glyph that could follow,
in the order of the network's own font; a picture for each context of cells.
"""
ports  screen frame keys picture text arguments random
inputs page
arg    count int = 400 in 0..100000 "how many glyphs to write"
arg    temperature number = 0.8 in 0..100 "how daring: 0 is not at all"
arg    seed int = 0 in 0..2147483647 "what chance begins with, 0: anything"
arg    mode choice(write, logits) = write "write, or judge what the picture says"
size   352x528

include "nn_sample.pxi"
include "nn_glyphs_look.pxi"
include "nn_glyphs_show.pxi"

const KEPT = 4096                     ; cells of an endless page: when there are more, half are forgotten
const NAMED = 8                       ; what is before a complaint in WORDS: " glyphs "
const NOTE = 1                        ; the text port's selector for what goes to the user alone

; What is known now, by the numbers below.  (A program can name few matrices beside a network.)
now : I 1x19
const CELLS = 0                       ; how many cells the page has; there is room for more
const PROMPT = 1                      ; how many of them were in the picture
const ACROSS = 2                      ; columns of the page
const ROW = 3                         ; where the next cell is put down
const COLUMN = 4
const GROUND = 5                      ; colours of the picture, pixels
const LETTER = 6
const ODD = 7                         ; what is wrong with the picture, a row of WORDS; 0: nothing
const TURN = 8                        ; which of GLYPHS ends a line
const LEFT = 9                        ; how many are to be written; below 0: without end
const HEEDED = 10                     ; how many cells of its context the network has read
const DUE = 11                        ; 1: it has not read the last cell
const JUDGES = 12                     ; 1: --mode logits
const CAME = 13                       ; how many pictures came
const SEEN = 14                       ; 1: somebody sees the screen
const ASKED = 15                      ; 1: Enter was pressed
const PAUSED = 16
const SAID = 17                       ; what the status line says, a row of WORDS
const FIRST = 18                      ; the first row of the page that is shown

number : I
BEGIN  : P = file("glyphs-begin.png")  ; what is read where no picture comes

call network_start
call look_open
number = in(arguments, 3)
now[JUDGES] = number
unless now[JUDGES] { call show_open }
loop {
    photo = in(picture)
    unless size(photo) { break }
    now[CAME] += 1
    call look
    if now[ODD] { call refuse } else if now[JUDGES] { call judge } else { call write }
}
if now[CAME] { halt }
photo = BEGIN
call look
if now[JUDGES] { call judge } else { call write }
halt

; What is wrong with the picture is said to the user.
proc refuse {
    words : T scratch
    words = rows(WORDS, now[ODD])
    words = words[iota(width(words) - NAMED, NAMED)]
    words = words[where(words)]
    out(text, words, NOTE)
    unless now[SEEN] { halt 1 }
    now[SAID] = now[ODD]
    call show_odd
}

; Writes on from the picture and hands on the page; in a window, again as often as the user wants.
proc write {
    sample.temperature = in(arguments, 1)
    sample.seed = in(arguments, 2)
    if sample.temperature and sample.seed == 0 { call any_seed }
again:
    number = in(arguments, 0)
    now[LEFT] = number
    if now[SEEN] and now[CAME] == 0 { now[LEFT] = -1 }
    call read_page
    while now[LEFT] {
        if now[DUE] { call read_on }
        call network_last
        sample.logits = network.logits
        call sample
        network.pixels = rows(GLYPHS, sample.token)
        if now[SEEN] {
            call show
            if now[ASKED] goto anew
        }
        call put_down
        now[LEFT] += -1
    }
    call hand_on
    unless now[SEEN] return
    ; What would come next is seen, and not written.
    if now[DUE] { call read_on }
    call network_last
    sample.token = -1
    call rest
anew:
    now[ASKED] = 0
    sample.seed += 1
    sample.rolled = 0
    call look
    goto again
}

; A seed by chance, short enough to be typed.
proc any_seed {
    dice : I scratch
    dice = in(random, [1, 1])
    dice = dice >> 11
    sample.seed = max(dice, 0 - dice) + 1
}

; Room is made for what will be written; the network reads the end of the page.
proc read_page {
    room : I scratch
    room = now[LEFT]
    if room < 0 { room = KEPT }
    sheet = below(sheet, reshape(0, vector(room * 16, 8)))
    spots = beside(spots, reshape(-1, vector(1, room)))
    now[HEEDED] = min(now[CELLS], CONTEXT)
    call read_last
}

; The network reads the last now[HEEDED] cells as the beginning of its context.
proc read_last {
    many : I scratch
    many = now[HEEDED]
    tiles.first = now[CELLS] - many
    tiles.many = many
    call tiles
    network.pixels = reshape(tiles.found, vector(many, PIXELS))
    network.first = 0
    now[DUE] = 0
    call network
}

; tiles.found becomes so many tiles of sheet, from that of cell number first on.
proc tiles {
    first : I scratch
    many  : I scratch
    found : T scratch
    found = rows(sheet, iota(many * 16, (first + 1) * 16))
}

; The network reads the cell in network.pixels; when the context is full, the later half of it again.
proc read_on {
    network.first = now[HEEDED]
    if network.first == CONTEXT {
        now[HEEDED] = CONTEXT // 2
        call read_last
        return
    }
    now[HEEDED] += 1
    call network
}

; The chosen glyph is put down on the page.
proc put_down {
    tile_ : T scratch
    if now[CELLS] == size(spots) { call forget }
    if sample.token == now[TURN] {
        call new_line
    } else {
        if now[COLUMN] == now[ACROSS] { call new_line }
        spots[now[CELLS]] = now[ROW] * now[ACROSS] + now[COLUMN]
        now[COLUMN] += 1
    }
    now[CELLS] += 1
    tile_ = rows(GLYPHS, sample.token)
    tile_ = reshape(tile_, [16, 8])
    rows(sheet, iota(16, now[CELLS] * 16)) = tile_
    now[DUE] = 1
}

proc new_line {
    now[ROW] += 1
    now[COLUMN] = 0
}

; The older half of an endless page goes.
proc forget {
    half  : I scratch
    kept  : I scratch
    first : I scratch
    half = now[CELLS] / 2
    tiles.first = now[CELLS] - half
    tiles.many = half
    call tiles
    rows(sheet, iota(half * 16, 16)) = tiles.found
    kept = spots[iota(half, now[CELLS] - half)]
    first = where(kept > -1)
    first = kept[first[0]] / now[ACROSS]
    kept[where kept > -1] = kept - first * now[ACROSS]
    spots = reshape(-1, shape(spots))
    spots[iota(half)] = kept
    now[ROW] = now[ROW] - first
    now[PROMPT] = max(now[PROMPT] - (now[CELLS] - half), 0)
    now[CELLS] = half
}

; The logits of what is in the picture, CONTEXT glyphs at a time.
proc judge {
    from  : I scratch
    some  : I scratch
    whole : I scratch
    words : P scratch
    from = 0
    while from < now[CELLS] {
        some = min(now[CELLS] - from, CONTEXT)
        tiles.first = from
        tiles.many = some
        call tiles
        network.pixels = reshape(tiles.found, vector(some, PIXELS))
        network.first = 0
        call network
        call network_all
        view raw = network.logits as I
        whole = raw
        words = reshape(whole, shape(whole))
        out(picture, words)
        from += some
    }
}
