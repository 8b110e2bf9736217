"""A store of programs in plain folders: ``<root>/<name>/<name>.png``."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

#: Bytes of the largest program picture that is read.
MAX_PROGRAM_BYTES = 1 << 30


class FolderStore:
    """Programs below one or more folders; of two with the same name, the first root's counts.

    Folders are looked at when they are asked, so a program built meanwhile is found.
    """

    def __init__(self, roots: Sequence[Path]) -> None:
        """``roots`` need not exist."""
        self.roots = tuple(Path(root) for root in roots)

    def names(self) -> list[str]:
        """Names of all programs, sorted."""
        found: set[str] = set()
        for root in self.roots:
            if root.is_dir():
                found.update(
                    folder.name
                    for folder in root.iterdir()
                    if not folder.name.startswith(".") and (folder / f"{folder.name}.png").is_file()
                )
        return sorted(found)

    def path(self, name: str) -> Path:
        """The picture file of a program; raises KeyError if there is none of that name."""
        if name and not name.startswith(".") and not set(name) & set("/\\:\0"):
            for root in self.roots:
                path = root / name / f"{name}.png"
                if path.is_file():
                    return path
        raise KeyError(f"there is no program {name!r} below {', '.join(map(str, self.roots))}")

    def read(self, name: str) -> bytes:
        """The program picture of that name; raises KeyError if there is none, OSError if it
        cannot be read or is larger than MAX_PROGRAM_BYTES."""
        path = self.path(name)
        size = path.stat().st_size
        if size > MAX_PROGRAM_BYTES:
            raise OSError(f"{path} has {size} bytes; a program has at most {MAX_PROGRAM_BYTES}")
        return path.read_bytes()
