"""``make bench``: every figure with its peer, as a table; names pick groups: ``ARGS=machine``."""

from __future__ import annotations

import importlib
import sys

from .measure import machine_name

GROUPS = ("machine", "pictures", "apps", "system")


def main(names: list[str]) -> int:
    """Print the report of the groups named (all of them by default)."""
    unknown = set(names) - set(GROUPS)
    if unknown:
        print(f"no group {', '.join(unknown)}; there are {', '.join(GROUPS)}", file=sys.stderr)
        return 2
    print(f"{machine_name()}\n\n| what | pxOS | peer | ratio | |\n|---|---|---|---|---|")
    for name in names or GROUPS:
        for figure in importlib.import_module(f".{name}", __package__).figures():
            print(figure.line(), flush=True)
    return 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
