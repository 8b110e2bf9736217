"""The assembler: from ``.pxa`` source to a program picture.

The language is described in ``docs/assembler.md``.  :func:`assemble` is all there is to
call; what is wrong with a source comes back as one :class:`AsmError` with every problem.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from ....kernel.machine.program import Program
from .data import Files
from .errors import AsmError, Problem
from .program import Assembly

__all__ = ["AsmError", "Problem", "assemble"]


def assemble(
    source: str,
    *,
    path: str = "program.pxa",
    include_dirs: Sequence[Path] = (),
    read_file: Callable[[Path], bytes] = Path.read_bytes,
) -> Program:
    """The program of a source text.

    ``path`` is where the text came from: files it names are sought beside it, then in
    ``include_dirs``, and read with ``read_file``.  The same text and files give the same
    picture, always.  Raises :class:`AsmError`.
    """
    return Assembly(Files(tuple(include_dirs), read_file)).run(source, Path(path))
