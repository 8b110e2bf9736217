"""A console on the test programs: ``python -m tests.shell.console_main FOLDER HISTORY``."""

from __future__ import annotations

import sys
from pathlib import Path

from pxos.kernel.kernel import Kernel
from pxos.shell.console import Console
from pxos.shell.session import Session

from .fakes import FakeHost, TestClock
from .programs import MemoryStore, heavy


def main() -> int:
    folder, history = Path(sys.argv[1]), Path(sys.argv[2])
    store = MemoryStore(heavy=heavy())
    session = Session(
        Kernel(store, clock=TestClock()), store, FakeHost(folder), cwd=folder, out=print
    )
    console = Console(
        session,
        history=history,
        colours=False,
        render=lambda picture, columns, rows: f"<{picture[0, 0].tolist()}>",
    )
    return console.run()


if __name__ == "__main__":
    sys.exit(main())
