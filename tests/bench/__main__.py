"""``make bench``: every figure with its peer, as a table; names pick groups: ``ARGS=machine``.

``--write FILE`` also puts the table between the marks in a Markdown file.
"""

from __future__ import annotations

import argparse
import importlib
import sys
from datetime import date
from pathlib import Path

from pxos.boot.environment import keep_products_single

from .measure import machine_name

GROUPS = ("machine", "pictures", "apps", "system")
BEGIN, END = "<!-- figures -->", "<!-- end of figures -->"


def main(words: list[str]) -> int:
    """Print the report of the groups named (all of them by default)."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench")
    parser.add_argument("groups", nargs="*", metavar="group", help=", ".join(GROUPS))
    parser.add_argument("--write", type=Path, metavar="FILE", help="put the table into this file")
    options = parser.parse_args(words)
    if unknown := set(options.groups) - set(GROUPS):
        parser.error(f"no group {', '.join(unknown)}; there are {', '.join(GROUPS)}")
    if options.write and options.groups:
        parser.error("--write takes the whole report: name no groups")
    keep_products_single()  # as pxos does; before the groups import NumPy
    lines: list[str] = []

    def tell(line: str) -> None:
        lines.append(line)
        print(line, flush=True)

    tell(f"{machine_name()}, {date.today().isoformat()}")
    tell("")
    tell("| what | pxOS | peer | ratio | |")
    tell("|---|---|---|---|---|")
    for name in options.groups or GROUPS:
        for figure in importlib.import_module(f".{name}", __package__).figures():
            tell(figure.line())
    if options.write:
        write(options.write, "\n".join(lines))
    return 0


def write(path: Path, table: str) -> None:
    """Replace what stands between the marks of a file; raises ValueError if it has none."""
    before, begin, rest = path.read_text("utf-8").partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end:
        raise ValueError(f"{path} has no {BEGIN} and {END}: write them where the table belongs")
    path.write_text(f"{before}{BEGIN}\n{table}\n{END}{after}", "utf-8")


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
