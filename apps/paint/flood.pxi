; The fill tool, without a loop over pixels.

; Fills what is connected and of one colour.  Every run of such pixels in a row has a number, and
; every run in a column: what has been reached spreads to all of its runs at once.
proc flood {
    same    : I
    across  : I
    along   : I
    reached : I
    hits    : I
    frame   : I
    count   : I
    more    : I
    if at < 0 or at >= size_ or at[1] < 0 or at[1] >= size_[1] return
    if size(canvas) > 0x800000 {
        said = TOO_LARGE
        return
    }
    view words = canvas as I
    same = words == words[at[0] * size_[1] + at[1]]
    same = below(beside(same, 0), 0)  ; an edge, so that no run goes on in the next row
    runs.of = same
    call runs
    across = runs.numbers
    runs.of = transpose(same)
    call runs
    along = transpose(runs.numbers)
    reached = same * 0
    reached[at[0] * (size_[1] + 1) + at[1]] = 1
    count = 1
    loop {
        hits = reshape(0, [1, size(same)])
        hits[across[where(reached)]] = 1
        reached = hits[across]
        hits = reshape(0, [1, size(same)])
        hits[along[where(reached)]] = 1
        reached = hits[along]
        more = sum(reshape(reached, [1, -1]))
        if more == count { break }
        count = more
    }
    frame = beside([0, 0], size_)
    view filled = reached at frame
    canvas[where filled] = ink
}

; runs.numbers becomes the number of the run that each element of runs.of is in, from 1 on; 0: none.
proc runs {
    of      : I
    numbers : I
    flat    : I
    flat = reshape(of, [1, -1])
    numbers = max(flat - flat[iota(size(flat)) - 1], 0)
    numbers = running_sum(numbers) * flat
    numbers = reshape(numbers, shape(of))
}
