; A picture of a digit becomes the 8 x 8 cells that the network reads, as its data were made: cropped to
; the ink, 8 cells high (or 6 wide, if that is less), in the middle; a cell is the share of it that is ink.

const SIDE = 8                        ; cells in each direction
const WIDE = 6                        ; widest that a digit becomes
const FAINTEST = 32                   ; what differs less from the paper is no ink
const MOST = 1024                     ; pixels of a side that are looked at: of more, one in a step
const LOOKS = 4                       ; each of those is the darkest of so many in both directions

photo  : P                            ; the picture, of any size
paper  : I 1x4                        ; its ground: red, green, blue times alpha, and alpha
ink    : I                            ; how far a pixel is from the paper, 0 to 255
solid  : I 1x1                        ; whether there is ink
sight  : X [SIDE, SIDE]               ; 0 to 1

; photo, which is not empty, becomes sight and solid.
proc find_digit {
    call find_paper
    call find_ink
    call find_cells
}

; The paper is the median of the border, so neither a stroke that reaches the edge nor dust moves it.
proc find_paper {
    edge   : I scratch
    side   : I scratch
    alpha  : I scratch
    level  : I scratch
    corner : I scratch
    view words = photo as I
    corner = shape(photo) - 1
    edge = rows(words, 0)
    side = rows(words, corner[0])
    edge = beside(edge, side)
    view left = photo[0, 0, -1, 1] as I
    side = transpose(left)
    edge = beside(edge, side)
    view right = photo[0, corner[1], -1, 1] as I
    side = transpose(right)
    edge = beside(edge, side)
    alpha = edge >> 24 & 255
    for c in 0..4 {
        level = shift(edge, c * -8) & 255
        if c < 3 { level = level * alpha / 255 }
        side = order(level)
        level = level[side]
        paper[c] = level[size(level) / 2]
    }
}

; ink: the greatest difference of a channel.  Of a large picture a grid is looked at, some pixels of each
; of its meshes, so that a thin line is not missed.
proc find_ink {
    step  : I scratch
    mesh  : I scratch
    looks : I scratch
    dims  : I scratch
    level : I scratch
    rect  : I 1x7
    dims = shape(photo)
    step = (row_max(dims) + (MOST - 1)) / MOST
    mesh = min(step, dims)
    looks = min(mesh, LOOKS)
    dims = max(dims / step, 1)
    ink = reshape(0, dims)
    rect = beside(beside([0, 0], dims), vector(step, step * 4, 'T'))
    for row in 0..looks[0] {
        rect[0] = row * mesh[0] / looks[0]
        for column in 0..looks[1] {
            rect[1] = column * mesh[1] / looks[1] * 4 + 3
            view alpha = photo at rect
            for c in 0..4 {
                rect[1] = column * mesh[1] / looks[1] * 4 + c
                view plane = photo at rect
                level = plane
                if c < 3 { level = level * alpha / 255 }
                level -= paper[c]
                level = max(level, 0 - level)
                ink = max(ink, level)
            }
        }
    }
}

; What is below a quarter of the darkest is paper, above three quarters it is all ink.
proc find_cells {
    peak   : I scratch
    there  : I scratch
    rect   : I 1x4
    drawn  : X scratch
    down   : X scratch
    peak = row_max(ink)
    peak = col_max(peak)
    solid = peak >= FAINTEST
    sight = reshape(0, [SIDE, SIDE])
    unless solid return
    ink = min(max(ink * 4 - peak, 0), peak * 2)
    there = where(row_max(ink))
    rect[0] = there[0]
    rect[2] = there[size(there) - 1] + 1 - there[0]
    there = where(col_max(ink))
    rect[1] = there[0]
    rect[3] = there[size(there) - 1] + 1 - there[0]
    view inside = ink at rect
    drawn = inside
    drawn = drawn / (peak * 2)
    cover.pixel = 1.0 * SIDE / height(drawn)
    cover.pixel = min(cover.pixel, 1.0 * WIDE / width(drawn))
    cover.count = height(drawn)
    call cover
    down = cover.share
    cover.count = width(drawn)
    call cover
    down = down @ drawn
    sight = down @ cover.share.T
    sight = min(sight, 1)
}

; cover.share: of each cell (a row) what each of cover.count pixels covers, which stand in the middle and
; are cover.pixel of a cell wide.
proc cover {
    count : I
    pixel : X
    share : X
    begin : X scratch
    end   : X scratch
    cell  : X [SIDE, 1] = [[i] for i in 0..SIDE]
    begin = iota(count)
    begin = begin - count / 2.0
    begin *= pixel
    begin += SIDE / 2
    end = begin + pixel
    end = min(end, cell + 1)
    begin = max(begin, cell)
    share = end - begin
    share = max(share, 0)
}
