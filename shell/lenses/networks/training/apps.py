"""The program around a trained network."""

from __future__ import annotations

from dataclasses import replace
from string import Template

from ..description import DescriptionError, Mlp, Network, shape_of
from ..emit import Credits, Emitted, emit, quoted
from ..glyphs import glyphs_app
from .digits import DIGITS
from .strokes import SIDE, WIDE

#: Reads pictures of digits; what it does with a drawing is :func:`.strokes.normalised`.
_DIGITS = Template("""\
title   "$title"
${credits}summary "$summary"
help \"\"\"
$name: says which digit a picture shows, and how sure the network is.

    my-digit.png | $name

Drawn with any colour on any other: the top left corner is paper. Fill the digit's
size as you like; it is cropped and scaled. A picture without a drawing gives "no digit".
--cells takes pictures of 8 x 8 pixels for cells as they are: black is ink. pxos eval gives it those
that training held out.
\"\"\"
ports  picture text arguments
inputs image
arg    cells flag "pictures are 8 x 8 cells as they are: black is ink"

include "network.pxi"
include "luma.pxi"

const SIDE = $side                           ; cells in each direction
const WIDE = $wide                           ; widest that a digit becomes

as_they_are : I                           ; pictures are cells
photo  : P
ink    : I                                ; how much a pixel differs from the paper
solid  : I                                ; whether it counts as drawn
there  : I
top    : I                                ; the rows and columns that have ink
left   : I
rect   : I [1, 4]
peak   : I
drawn  : X                                ; ink of the cropped drawing, 0 to 1
pixel  : X                                ; side of a pixel, in cells
down   : X                                ; how much of each cell each row covers
across : X
cells  : X
scores : X
digit  : I
percent : I
words  : T

as_they_are = in(arguments, 0)
loop {
    photo = in(picture)
    unless size(photo) { halt }
    if as_they_are {
        if sum(shape(photo) == [SIDE, SIDE]) < 2 {
            out(text, "no digit: --cells takes pictures of 8 x 8\\n")
            continue
        }
        luma(ink, photo)
        cells = (255 - ink) / 255.0
    } else {
        call find_ink
        if peak < 32 {
            out(text, "no digit\\n")
            continue
        }
        call normalise
    }
    network.input = reshape(cells, [1, SIDE * SIDE])
    call network
    digit = argmax(network.output)
    scores = network.output - row_max(network.output)
    scores = scores * 1.4426950408889634
    scores = exp2(scores)
    scores = scores * 100
    scores = scores / sum(scores / 100)
    percent = row_max(scores) + 0.5
    call say
}

; ink and peak, over white where the picture is transparent.
proc find_ink {
    paper : I
    view alpha = photo[0, 3, -1, -1] step 1, 4 as T
    luma(ink, photo)
    ink = 255 - ink
    ink = ink * alpha
    ink = ink / 255
    paper = ink[0]
    ink = ink - paper
    ink = max(ink, -ink)
    peak = row_max(ink)
    peak = col_max(peak)
}

; cells: the share of each cell that is ink, as the network learnt it.
proc normalise {
    solid = ink * 4 > peak
    there = where(row_max(solid))
    top = there[0]
    rect[0] = top
    rect[2] = there[size(there) - 1] + 1 - top
    there = where(col_max(solid))
    left = there[0]
    rect[1] = left
    rect[3] = there[size(there) - 1] + 1 - left
    view inside = ink at rect
    drawn = inside
    drawn = drawn / peak
    pixel = 1.0 * SIDE / height(drawn)
    cells = 1.0 * WIDE / width(drawn)
    pixel = min(pixel, cells)
    cover.count = height(drawn)
    call cover
    down = cover.share
    cover.count = width(drawn)
    call cover
    across = cover.share
    cells = down @ drawn
    cells = cells @ across.T
}

; share: of each cell (a row), what each of ``count`` pixels in the middle covers.
proc cover {
    count : I
    begin : X
    end   : X
    cell  : X [SIDE, 1] = [[i] for i in 0..SIDE]
    after : X
    share : X
    begin = iota(count)
    begin = begin - count / 2.0
    begin = begin * pixel
    begin += SIDE / 2
    end = begin + pixel
    after = cell + 1
    end = min(end, after)
    begin = max(begin, cell)
    share = end - begin
    share = max(share, 0)
}

; The digit, and the share of its score in per cent.
proc say {
    parts : I
    parts = percent / [100, 10, 1]
    words = '0' + parts % 10
    words = words[where(max(parts, [0, 0, 1]))]
    words = beside('0' + digit, beside(" ", beside(words, " %\\n")))
    out(text, words)
}
""")


def app(
    network: Network,
    *,
    name: str,
    title: str = "",
    about: str = "",
    credits: Credits = Credits(),  # noqa: B008 - it is frozen
) -> Emitted:
    """Sources, weights and main source of a program around a network; it can be assembled.

    ``about``: a sentence for its summary.

    A language model with a vocabulary writes text (:func:`~..emit.emit`), one with glyphs writes
    pictures of it (:func:`~..glyphs.glyphs_app`); an MLP of 64 inputs and 10 outputs reads digits.
    Raises DescriptionError for any other.
    """
    if not isinstance(network, Mlp):
        if network.glyphs is not None:
            return glyphs_app(network, name=name, title=title, about=about, credits=credits)
        if network.vocabulary is None:
            raise DescriptionError(
                "a language model without a vocabulary of bytes", "give it one byte a token"
            )
        return emit(network, name=name, title=title, about=about, credits=credits)
    ends = shape_of(network.layers[0].weight)[0], shape_of(network.layers[-1].weight)[1]
    if ends != (SIDE * SIDE, DIGITS):
        raise DescriptionError(
            f"an MLP of {ends[0]} inputs and {ends[1]} outputs reads no digits",
            f"those have {SIDE * SIDE} and {DIGITS}",
        )
    emitted = emit(network)
    made = {**emitted.files, **credits.files()}
    main = name + ".pxa"
    source = _DIGITS.substitute(
        title=quoted(title or name.capitalize()),
        summary=quoted(about or "reads a drawn digit"),
        credits=credits.lines(),
        name=name,
        side=SIDE,
        wide=int(WIDE),
    )
    return replace(emitted, files={**made, main: source.encode()}, main=main)
