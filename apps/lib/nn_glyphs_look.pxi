; A picture of text becomes cells: the pixels of the font's glyphs, and where they stand on the page.
;
;     call look_open                    ; once
;     photo = ...                       ; P, any size
;     call look                         ; now[ODD] is 0, or says what is wrong with it
;
; Ink is what differs from the top left corner.  Where the cells begin is found out: the first line of
; text is cut in each of the 128 ways, first as the app text would stand, until all its cells are glyphs.
; What a cell shows must be a glyph of the font, not one that the network was trained on: it sees the
; pixels of any.  Where the picture is to be judged, all of it are cells, line by line, whatever they show.

include "font.pxi"

const PAGE_COLUMNS = 64               ; a page has at least so many
const MOST_PIXELS = 1 << 24
const NO_TEXT = 1                     ; rows of WORDS
const EMPTY = 2
const TOO_LARGE = 3

photo : P
sheet : T leaf 16                     ; the cells of the page as tiles of 0 and 1; the first tile is blank
spots : I                             ; where each cell stands, row * columns + column; -1: it ends a line
FONT  : T                             ; the font, a row of PIXELS for each glyph, 0 and 1

proc look_open {
    FONT = reshape(FONT16, vector(height(FONT16) / 16, PIXELS))
    FONT = FONT > 0
    now[TURN] = find(GLYPHS, rows(FONT, GLYPH_RETURN))
}

proc look {
    ink   : T scratch                 ; 1 where the photo is not paper; then with a cell of paper around it
    wide  : T scratch
    there : I scratch
    edge  : I scratch                 ; first and last row, first and last column with ink
    box   : I scratch                 ; what is cut: row, column, rows and columns in cells
    found : T scratch                 ; the cells of it, a row of pixels each
    way   : I scratch
    now[ODD] = TOO_LARGE
    if size(photo) > MOST_PIXELS return
    view words = photo as I
    ink = words == words[0]
    ink = ink == 0
    wide = reshape(0, shape(ink) + [48, 24])
    draw(wide, ink, [16, 8])
    if now[JUDGES] {
        box = vector(0, 0, height(ink) / 16, width(ink) / 8)
        call cut
        call shelve
        return
    }
    now[ODD] = EMPTY
    there = where(row_max(ink))
    unless size(there) return
    now[GROUND] = words[0]
    way = where(ink)
    now[LETTER] = words[way[0]]
    edge = vector(there[0], there[size(there) - 1])
    there = where(col_max(ink))
    edge = beside(edge, vector(there[0], there[size(there) - 1]))
    now[ODD] = NO_TEXT
    way = 0
    while now[ODD] and way >> 7 == 0 {
        box = edge[[0, 2, 0, 0]] - vector(edge[0] - 8 + (way >> 3) & 15, edge[2] + way & 7, 0, 0)
        box[2] = 1
        box[3] = (edge[3] - box[1]) / 8 + 1
        way += 1
        call cut
        if row_min(find(FONT, found)) > -1 {
            box[2] = (edge[1] - box[0]) / 16 + 1
            call cut
            if row_min(find(FONT, found)) > -1 { call arrange }
        }
    }
}

; look.found becomes the cells in look.box.
proc cut {
    from : I scratch
    cell : I scratch
    wide : I scratch
    wide = width(look.wide)
    from = iota(look.box[3]) * 8 + transpose(iota(look.box[2])) * (wide * 16)
    from += (look.box[0] + 16) * wide + look.box[1] + 8
    from = reshape(from, vector(size(from), 1))
    cell = iota(8) + transpose(iota(16)) * wide
    look.found = look.wide[from + reshape(cell, vector(1, PIXELS))]
}

; look.found, cells of look.box, becomes the page: each row up to its last glyph, and the glyph that ends a
; line behind all rows but the last.
proc arrange {
    ends  : I scratch
    index : I scratch
    keep  : I scratch
    now[ACROSS] = max(look.box[3], PAGE_COLUMNS)
    ends = reshape(transpose(row_max(look.found)), look.box[[2, 3]])
    ends = row_max(ends * iota(look.box[3], 1))
    keep = iota(look.box[3] + 1)
    index = keep + transpose(iota(look.box[2])) * look.box[3]
    index[where keep > ends] = -1
    index[where keep == ends] = height(look.found)
    now[ROW] = look.box[2] - 1
    now[COLUMN] = ends[now[ROW]]
    index[now[ROW] * size(keep) + now[COLUMN]] = -1
    keep = where(index > -1)
    index = index[keep]
    spots = keep / (look.box[3] + 1) * now[ACROSS] + keep % (look.box[3] + 1)
    spots[where index == height(look.found)] = -1
    look.found = below(look.found, rows(FONT, GLYPH_RETURN))
    look.found = rows(look.found, index)
    call shelve
}

; look.found becomes the tiles of the page.
proc shelve {
    now[CELLS] = height(look.found)
    now[PROMPT] = now[CELLS]
    now[ODD] = 0
    sheet = reshape(look.found, vector(now[CELLS] * 16, 8))
    sheet = below(reshape(0, [16, 8]), sheet)
}
