"""Programs by name and by file."""

from __future__ import annotations

import zlib
from collections.abc import Iterable
from pathlib import Path

from ..kernel.apps import AppStore
from ..kernel.machine import program as program_file
from ..kernel.machine.memory import MAGIC
from ..kernel.machine.meta import Meta
from ..kernel.machine.program import Program, ProgramError
from .expand import CommandError
from .readers import open_regular, why

#: Bytes of a file in which a program picture shows itself.
_HEAD = 65536


class Apps:
    """The programs of a store; metadata is read once for each version of a program."""

    def __init__(self, store: AppStore) -> None:
        self._store = store
        self._known: dict[str, tuple[int, Meta | None]] = {}

    def names(self) -> list[str]:
        """All names, sorted."""
        return list(self._store.names())

    def program(self, name: str) -> Program:
        """Load a program; raises KeyError for an unknown name and :class:`CommandError` for a
        damaged or unreadable one."""
        return loaded(self._bytes(name), name)

    def meta(self, name: str) -> Meta | None:
        """What a program says of itself; None if it is unknown or damaged."""
        try:
            data = self._bytes(name)
        except (KeyError, CommandError):
            return None
        mark = zlib.crc32(data)
        known = self._known.get(name)
        if known is None or known[0] != mark:
            try:
                meta: Meta | None = program_file.load(data).meta
            except ProgramError:
                meta = None
            known = self._known[name] = mark, meta
        return known[1]

    def _bytes(self, name: str) -> bytes:
        try:
            return self._store.read(name)
        except OSError as error:
            raise CommandError(f"cannot read the app {name}: {why(error)}", status=1) from error


def loaded(data: bytes, name: str) -> Program:
    """The program in a picture's bytes; raises :class:`CommandError`."""
    try:
        return program_file.load(data)
    except ProgramError as error:
        raise CommandError(f"{name} cannot be run: {error}", status=1) from error


def program_in(path: Path, name: str) -> Program:
    """The program in a file; raises :class:`CommandError`."""
    try:
        with open_regular(path) as file:
            return loaded(file.read(), name)
    except OSError as error:
        raise CommandError(f"cannot read {name}: {why(error)}", status=1) from error


def is_program(path: Path) -> bool:
    """Whether a file is a picture that begins with a program's legend, seen from its first
    bytes; False for what cannot be read."""
    try:
        with open_regular(path) as file:
            head = file.read(_HEAD)
    except OSError:
        return False
    return first_pixels(head) == MAGIC


def first_pixels(head: bytes) -> bytes:
    """The first two pixels of a PNG of 8-bit RGBA, not interlaced; empty for anything else."""
    if head[:8] != b"\x89PNG\r\n\x1a\n" or head[24:29] != b"\x08\x06\0\0\0":
        return b""
    at = 8
    while (kind := head[at + 4 : at + 8]) != b"IDAT":
        if len(kind) < 4:
            return b""
        at += 12 + int.from_bytes(head[at : at + 4], "big")
    length = int.from_bytes(head[at : at + 4], "big")
    try:
        row = zlib.decompressobj().decompress(head[at + 8 : at + 8 + length], 9)
    except zlib.error:
        return b""
    if len(row) < 9 or row[0] not in (0, 1, 2, 3, 4):
        return b""
    first, second = row[1:5], row[5:9]
    if row[0] in (1, 4):
        second = bytes((a + b) & 255 for a, b in zip(first, second, strict=True))
    elif row[0] == 3:
        second = bytes((a // 2 + b) & 255 for a, b in zip(first, second, strict=True))
    return first + second


def nearest(name: str, known: Iterable[str]) -> str | None:
    """The known name most like ``name``, or None."""
    from difflib import get_close_matches

    found = get_close_matches(name, list(known), 1, 0.6)
    return found[0] if found else None
