"""``make bench``: every figure with its peer, as a table; names pick groups: ``ARGS=machine``.

``--write FILE`` also puts the table between the marks in a Markdown file.  A mark names the groups
that its table is of, or none for all of them, so that no table replaces one of other groups.
"""

from __future__ import annotations

import argparse
import importlib
import sys
from datetime import date
from pathlib import Path

from pxos.boot.environment import keep_products_single

from .measure import machine_name

GROUPS = ("machine", "pictures", "apps", "networks", "system", "gpu")
END = "<!-- end of figures -->"


def main(words: list[str]) -> int:
    """Print the report of the groups named (all of them by default)."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench")
    parser.add_argument("groups", nargs="*", metavar="group", help=", ".join(GROUPS))
    parser.add_argument("--write", type=Path, metavar="FILE", help="put the table into this file")
    options = parser.parse_args(words)
    if unknown := set(options.groups) - set(GROUPS):
        parser.error(f"no group {', '.join(unknown)}; there are {', '.join(GROUPS)}")
    mark = " ".join(["<!-- figures", *options.groups, "-->"])
    if options.write and mark not in options.write.read_text("utf-8"):
        parser.error(f"{options.write} has no {mark}: write it where the table belongs")
    keep_products_single()  # as pxos does; before the groups import NumPy
    groups = {
        name: importlib.import_module(f".{name}", __package__) for name in options.groups or GROUPS
    }
    lines: list[str] = []

    def tell(line: str) -> None:
        lines.append(line)
        print(line, flush=True)

    tell(f"{machine_name()}, {date.today().isoformat()}")
    for module in groups.values():
        if hasattr(module, "head"):
            tell(f"\n{module.head()}")
    tell("")
    tell("| what | pxOS | peer | ratio | |")
    tell("|---|---|---|---|---|")
    for module in groups.values():
        for figure in module.figures():
            tell(figure.line())
    if options.write:
        write(options.write, mark, "\n".join(lines))
    return 0


def write(path: Path, mark: str, table: str) -> None:
    """Replace what stands in a file between ``mark`` and the next end."""
    before, _, rest = path.read_text("utf-8").partition(mark)
    _, end, after = rest.partition(END)
    if not end:
        raise ValueError(f"{path} has no {END} behind {mark}: write it where the table ends")
    path.write_text(f"{before}{mark}\n{table}\n{END}{after}", "utf-8")


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
