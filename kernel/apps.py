"""The app store as the kernel sees it, and a catalogue of what its programs say of themselves."""

from __future__ import annotations

from typing import Protocol

import numpy as np

from .machine import program as program_file
from .machine.meta import Meta
from .machine.program import Program, ProgramError


class AppStore(Protocol):
    """Where programs come from.  ``fs`` has implementations; the kernel imports none."""

    def names(self) -> list[str]:
        """Names of all programs, sorted."""
        ...

    def read(self, name: str) -> bytes:
        """The program picture of that name; raises KeyError if there is none."""
        ...


class Catalogue:
    """Titles, icons and metadata of a store's programs, read once each.

    A program that cannot be read still has its name: it appears without an icon, and
    starting it tells what is wrong.
    """

    def __init__(self, store: AppStore) -> None:
        self._store = store
        self._known: dict[str, tuple[Meta, np.ndarray]] = {}
        self._names: list[str] | None = None

    def names(self) -> list[str]:
        """Names of the programs; an app's number is its place in this list."""
        if self._names is None:
            self._names = list(self._store.names())
        return self._names

    def refresh(self) -> None:
        """Forget what was read: the store changed."""
        self._names = None
        self._known.clear()

    def program(self, name: str) -> Program:
        """Load a program; raises KeyError if there is none, ProgramError if it is damaged."""
        return program_file.load(self._store.read(name))

    def meta(self, name: str) -> Meta:
        """What a program says of itself; nothing if it cannot be read."""
        return self._about(name)[0]

    def title(self, name: str) -> str:
        """The title of a program, or its name if it has none."""
        return self.meta(name).title or name

    def icon(self, name: str) -> np.ndarray:
        """The icon, uint8 (32, 32, 4), or (0, 0, 4) if there is none."""
        return self._about(name)[1]

    def _about(self, name: str) -> tuple[Meta, np.ndarray]:
        known = self._known.get(name)
        if known is None:
            try:
                loaded = self.program(name)
            except (KeyError, ProgramError):
                known = Meta(), np.zeros((0, 0, 4), np.uint8)
            else:
                known = loaded.meta, icon_of(loaded)
            self._known[name] = known
        return known


def icon_of(program: Program) -> np.ndarray:
    """The picture that a program's metadata names as its icon, uint8 (rows, cols, 4); (0, 0, 4)
    if it names none or something that is no 32x32 picture."""
    none = np.zeros((0, 0, 4), np.uint8)
    entry = program.meta.icon
    if entry is None:
        return none
    memory = program_file.open_memory(program, program.image.nbytes)
    if not 0 <= entry < memory.table_len:
        return none
    header = memory.header(entry)
    if header.kind != "P" or (header.rows, header.cols) != (32, 32):
        return none
    at = memory.data_addr(header.row) * 4
    return memory.bytes[at : at + 32 * 32 * 4].reshape(32, 32, 4).copy()
