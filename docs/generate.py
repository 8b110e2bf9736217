"""Generate the reference pages that are derived from tables in the source.

``python docs/generate.py`` writes them; ``--check`` fails if one is out of date.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pictures
from PIL import Image

from pxos.kernel.devices.keycodes import KEYS
from pxos.kernel.machine import isa, memory, png
from pxos.kernel.machine.fault import REASONS
from pxos.kernel.machine.ports import HARMLESS, PORTS

DOCS = Path(__file__).resolve().parent
NOTE = "<!-- Made by docs/generate.py from the tables in kernel/: edit those, then `make docs`. -->"

FAMILY_TITLES = {
    "control": "Control",
    "table": "Table and headers",
    "ports": "Talking through ports",
    "arith": "Arithmetic",
    "bits": "Bits",
    "functions": "Functions",
    "fold": "Folds",
    "index": "Indices",
    "move": "Moving",
    "matmul": "Products",
    "conv": "Convolution",
    "draw": "Drawing",
}


def _cell(text: str) -> str:
    return text.replace("|", "\\|")


def _overview() -> Iterator[str]:
    yield "## All instructions on one page"
    yield ""
    yield "| | name | operands | meaning |"
    yield "|---|---|---|---|"
    for op in isa.ROWS:
        yield (
            f"| `{_cell(op.char)}` | [{op.name}](#{_anchor(op)}) | `{_cell(op.form) or ' '}` "
            f"| {_cell(op.meaning)} |"
        )
    yield ""


def _anchor(op: isa.Op) -> str:
    """The anchor of an instruction's paragraph; stable whatever its heading is."""
    return f"op-{ord(op.char):02x}"


def _row(op: isa.Op) -> Iterator[str]:
    yield f'<a id="{_anchor(op)}"></a>'
    yield f"### `{op.char}` {op.name}{f' `{op.form}`' if op.form else ''}"
    yield ""
    yield f"{op.doc} {op.meaning[0].upper() + op.meaning[1:]}."
    yield ""
    for corner in op.corners:
        yield f"- {corner}"
    traits = [f"work: {isa.WORK[op.work]}", f"faults: {' '.join(op.faults)}"]
    if op.pixel:
        traits.append("pixel mode into a picture")
    if op.keeps_shape:
        traits.append("d keeps its shape")
    yield f"- *{'; '.join(traits)}*"
    yield ""


def machine_page() -> str:
    """``docs/machine.md``: the instruction set, memory, ports and stop reasons."""
    lines = ["# The pixel machine: reference", "", NOTE, ""]
    intro = (isa.__doc__ or "").split("\n", 2)[2]
    lines += ["## Words and pixels", "", *_prose(intro), ""]
    lines += ["## The picture", "", *_prose((memory.__doc__ or "").split("\n", 2)[2]), ""]
    lines += [
        "The words of SYS: " + ", ".join(f"{i} `{n}`" for n, i in memory.SYS.items()) + ".",
        "",
    ]
    lines += [
        f"Operand bytes 0-{isa.FIRST_SMALL - 1} name entries of the table, the first of which are "
        + ", ".join(f"`{name}`" for name in isa.RESERVED)
        + f"; {isa.FIRST_SMALL}-255 are the integers {isa.SMALL_MIN} to {isa.SMALL_MAX}.",
        "",
    ]
    lines += _overview()
    for family in isa.FAMILIES:
        lines += [f"## {FAMILY_TITLES[family]}", ""]
        for op in isa.ROWS:
            if op.family == family:
                lines += _row(op)
    lines += [
        "## Fuel",
        "",
        f"An instruction costs 1 + work // {isa.FUEL_ELEMENTS} fuel. Work is:",
        "",
    ]
    lines += [f"- `{name}`: {text}" for name, text in isa.WORK.items()]
    lines += [
        "",
        "## Ports",
        "",
        "| | name | `[` reads | `]` writes | blocks | without asking |",
        "|---|---|---|---|---|---|",
    ]
    lines += [
        f"| `{p.letter}` | {p.name} | {_cell(p.reads) or 'nothing'} "
        f"| {_cell(p.writes) or 'nothing'} "
        f"| {', '.join(p.blocks) or 'never'} | {'yes' if p.letter in HARMLESS else 'no'} |"
        for p in PORTS.values()
    ]
    lines += [
        "",
        "### Key codes",
        "",
        "A character is its Unicode code point; the others are:",
        "",
        ", ".join(f"`{name}` {code:#x}" for name, code in KEYS.items()) + ".",
    ]
    lines += ["", "## Stop reasons", "", "| | | meaning | what to try |", "|---|---|---|---|"]
    lines += [f"| `{r.letter}` | {r.title} | {r.meaning} | {r.advice} |" for r in REASONS.values()]
    return "\n".join(lines) + "\n"


def _prose(text: str) -> list[str]:
    """Docstring prose as Markdown: reST headings, literals and blocks become Markdown's."""
    out: list[str] = []
    code = False
    for line in text.replace(":class:", "").replace("``", "`").replace("\\\\", "\\").splitlines():
        if set(line) == {"-"} and out:
            out[-1] = f"### {out[-1]}"
            continue
        if code and line and not line.startswith(" "):
            out[-1:] = ["```", ""]
            code = False
        if line.endswith("::"):
            line = line[:-1]
            out += [line, "", "```"]
            code = True
            continue
        if code and out[-1] == "```" and not line:
            continue
        out.append(line)
    if code:
        out.append("```")
    return out


#: Every generated page with the function that makes it.
PAGES = {"machine.md": machine_page}
#: Every picture of the README with the function that makes it.
PICTURES = {f"pictures/{name}": make for name, make in pictures.PICTURES.items()}


def _same(there: bytes, wanted: str | np.ndarray) -> bool:
    """Whether a file holds this text, or a picture of these pixels."""
    if isinstance(wanted, str):
        return there == wanted.encode()
    return np.array_equal(png.decode(there, max_px=wanted.size), wanted)


def _write(path: Path, data: str | np.ndarray) -> None:
    """Write a page, or a picture as small as Pillow can make it."""
    path.parent.mkdir(exist_ok=True)
    if isinstance(data, str):
        path.write_text(data, "utf-8")
    else:
        Image.fromarray(data).save(path, optimize=True)


def main(arguments: list[str]) -> int:
    """Write the pages, or with ``--check`` say which are out of date (exit status 1)."""
    stale = []
    for name, make in [*PAGES.items(), *PICTURES.items()]:
        path = DOCS / name
        data = make()
        if path.exists() and _same(path.read_bytes(), data):
            continue
        stale.append(name)
        if "--check" not in arguments:
            _write(path, data)
    if stale and "--check" in arguments:
        print(f"out of date: {', '.join(stale)}; run `make docs`", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
