"""The program around a network that reads and writes pictures of text.

What it does stands in ``apps/lib/nn_glyphs.pxi``: the same for every such network.
"""

from __future__ import annotations

from dataclasses import replace
from string import Template

from .description import DescriptionError, Transformer
from .emit import Credits, Emitted, emit, quoted

#: Pixels of a glyph: 16 rows of 8.
PIXELS = 128

_MAIN = Template("""\
title   "$title"
${credits}summary "$summary"

include "network.pxi"
include "nn_glyphs.pxi"
""")


def glyphs_app(
    network: Transformer, *, name: str, title: str = "", about: str = "", credits: Credits
) -> Emitted:
    """Sources and weights of the app of a transformer with glyphs of 8 x 16.

    ``about``: a sentence for its summary.  Raises DescriptionError.
    """
    if network.glyphs is None or network.glyphs.shape[1] != PIXELS:
        raise DescriptionError(
            "this network has no glyphs of 8 x 16", "pxos train glyphs makes one that has"
        )
    emitted = emit(network)
    main = name + ".pxa"
    source = _MAIN.substitute(
        title=quoted(title or name.capitalize()),
        credits=credits.lines(),
        summary=quoted(about or "reads a picture of text and writes on, by the look of letters"),
    )
    files = {**emitted.files, **credits.files(), main: source.encode()}
    return replace(emitted, files=files, main=main)
