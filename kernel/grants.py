"""Capabilities: what a process may reach, and what it may pass on."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple, Protocol

import numpy as np

from .machine.meta import Meta
from .machine.ports import HARMLESS, LETTER_OF, PORTS


class GrantError(ValueError):
    """A port was asked for that does not exist."""


class Folder(Protocol):
    """One folder that port f may reach, with nothing outside it.

    Paths are relative, with ``/``.  A path that would lead out of the folder raises
    PermissionError; a disk's trouble raises OSError.
    """

    def read(self, path: str) -> bytes | np.ndarray | None:
        """A file's bytes, or a picture file as uint8 (rows, cols, 4); None if there is none."""
        ...

    def names(self, path: str) -> list[str] | None:
        """Sorted names in a folder, folders ending in ``/``; None if there is none."""
        ...

    def write(self, path: str, data: bytes) -> None:
        """Replace a file at once and whole."""
        ...


def port_letters(ports: Iterable[str]) -> frozenset[str]:
    """Letters of ports given by name or letter; raises GrantError for unknown ones."""
    letters = set()
    for port in ports:
        letter = LETTER_OF.get(port, port)
        if letter not in PORTS:
            raise GrantError(f"there is no port {port!r}: use {', '.join(sorted(LETTER_OF))}")
        letters.add(letter)
    return frozenset(letters)


class Grants(NamedTuple):
    """What a process may reach.

    ``ports``: letters it may use.  ``folder``: what port f reaches (None: port f finds no file
    and may write none).  ``child_ports``: those of its own ports, beyond the harmless ones, that
    programs it starts through port x may get if they ask for them.  ``max_children``: how many
    it may have at a time, ended ones that it has not reaped included.
    """

    ports: frozenset[str] = frozenset()
    folder: Folder | None = None
    child_ports: frozenset[str] = frozenset()
    max_children: int = 32

    @classmethod
    def of(
        cls,
        meta: Meta,
        allow: Iterable[str] = (),
        *,
        folder: Folder | None = None,
        child_ports: Iterable[str] = (),
        max_children: int = 32,
    ) -> Grants:
        """The usual grants of a program: of the ports it asks for, the harmless ones and those
        in ``allow`` (names or letters); and those in ``child_ports`` that are allowed, to pass on.
        Raises GrantError for a port that does not exist."""
        may = HARMLESS | port_letters(allow)
        passed = port_letters(child_ports) & may
        ports = frozenset({LETTER_OF[name] for name in meta.ports if name in LETTER_OF} & may)
        ports |= passed
        return cls(ports, folder if "f" in ports else None, passed, max_children)

    def for_child(self, meta: Meta) -> Grants:
        """What a program started through port x gets: the harmless ports it asks for, and of the
        others those that this process has and may pass on."""
        passed = self.ports & self.child_ports
        asked = {LETTER_OF[name] for name in meta.ports if name in LETTER_OF}
        ports = frozenset(asked & (HARMLESS | passed))
        return Grants(
            ports, self.folder if "f" in ports else None, passed & ports, self.max_children
        )
