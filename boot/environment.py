"""What pxOS takes from its surroundings: folders, variables, terminals, chance."""

from __future__ import annotations

import os
import sys
from pathlib import Path

from ..fs.folders import FolderStore

#: Folders with programs of the user's own, before those that come with pxOS.
APPS_VARIABLE = "PXOS_APPS"
#: How many threads NumPy's matrix products may use, by the libraries they are made with.
_BLAS_VARIABLES = ("OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")


def keep_products_single() -> None:
    """Have NumPy use one thread for each matrix product, unless the user has said how many.

    The kernel already gives long instructions threads of their own, and the threads of a product
    wait for each other spinning: with any other work on the machine a small product takes a
    hundred times as long, while a large one gains less than a second core is worth.  To be called
    before NumPy is imported, which is when it looks.
    """
    for variable in _BLAS_VARIABLES:
        os.environ.setdefault(variable, "1")


def bundled_apps() -> Path:
    """The folder of the programs that come with pxOS."""
    return Path(__file__).resolve().parent.parent / "apps"


def app_store() -> FolderStore:
    """The programs that are known by name."""
    own = os.environ.get(APPS_VARIABLE, "")
    roots = [Path(part).expanduser() for part in own.split(os.pathsep) if part]
    return FolderStore([*roots, bundled_apps()])


def home() -> Path | None:
    """The user's home folder, if there is one."""
    try:
        return Path.home()
    except RuntimeError:
        return None


def may_have_display() -> bool:
    """Whether it is worth asking for a window.

    On Linux and the BSDs a window needs a display server, whose address is in the environment;
    without one SDL would take over the console of the machine, even from a remote login.
    """
    if sys.platform in ("win32", "cygwin", "darwin"):
        return True
    return bool(os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"))


def has_terminal() -> bool:
    """Whether standard input and output are a terminal."""
    return sys.platform != "win32" and _is_tty(sys.stdin) and _is_tty(sys.stdout)


def _is_tty(stream: object) -> bool:
    isatty = getattr(stream, "isatty", None)  # a stream may be missing, or replaced by a test's
    return bool(isatty and not getattr(stream, "closed", False) and isatty())


def chance() -> int:
    """A seed that nobody can foresee: 64 bits."""
    return int.from_bytes(os.urandom(8), "little")


def history_file() -> Path | None:
    """Where the console keeps the lines typed before; its folder need not exist yet.  None if
    there is no place for it."""
    own = home()
    state = os.environ.get("XDG_STATE_HOME") or (own and own / ".local" / "state")
    return Path(state) / "pxos" / "history" if state else None
