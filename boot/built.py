"""What those who build a network's app are told of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .standard import say

if TYPE_CHECKING:
    from ..kernel.machine.program import Program


def tell_of_no_window(program: Program, groups: int) -> None:
    """Say so if an app that writes text was left without the window in which it would draw it.

    ``groups``: of each matrix, what a window has to do without.
    """
    meta = program.meta
    writes = "text" in meta.ports and any(arg.name == "prompt" for arg in meta.args)
    if writes and "screen" not in meta.ports:
        advice = "; fewer --groups leave more" if groups > 1 else ""
        say(f"pxos: it has no window: its matrices leave too few names for one{advice}")
