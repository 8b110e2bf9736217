"""The commands of the shell itself: the assembler and the disassembler."""

from __future__ import annotations

from .calls import Builtin

LENS_BUILTINS: tuple[Builtin, ...] = ()
