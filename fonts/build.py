"""Builds everything that is derived from the drawings: ``python -m pxos.fonts.build``.

Atlases (``fonts/*.png``), the assembler's include files (``apps/lib/*.pxi``), the cursor
and the icons.  With ``--check`` nothing is written; the exit status is 1 if a file is
not what it should be.  Files are byte-identical wherever they are built.
"""

from __future__ import annotations

import sys
from pathlib import Path

from ..kernel.machine import png
from . import atlas, charset, icons, includes

ROOT = Path(__file__).resolve().parent.parent


def build() -> dict[str, bytes]:
    """Every derived file: its path below the checkout and its bytes."""
    files: dict[str, bytes] = {}
    for face in atlas.FACES:
        glyphs = atlas.load_glyphs(face)
        first = charset.PAGE_GLYPHS[0]
        files[f"fonts/{face}.png"] = png.encode(atlas.stack(glyphs[:first]))
        files[f"fonts/{face}-box.png"] = png.encode(atlas.stack(glyphs[first:]))
    for name, text in includes.all_includes().items():
        files[f"apps/lib/{name}"] = text.encode("utf-8")
    for path, picture in icons.all_pictures().items():
        files[path] = png.encode(picture)
    return files


def stale(root: Path = ROOT) -> list[str]:
    """The derived files that are missing or differ from what :func:`build` makes."""
    return [
        path
        for path, data in build().items()
        if not (root / path).is_file() or (root / path).read_bytes() != data
    ]


def main(argv: list[str]) -> int:
    """Writes what is stale, or with ``--check`` only names it."""
    if argv not in ([], ["--check"]):
        print("usage: python -m pxos.fonts.build [--check]", file=sys.stderr)
        return 2
    files = build()
    names = stale()
    for name in names:
        print(name)
        if not argv:
            path = ROOT / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(files[name])
    return 1 if argv and names else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
