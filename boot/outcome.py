"""From a process that ended to an exit status and what is told of it."""

from __future__ import annotations

from ..kernel.process import Process
from .errors import FAILED
from .standard import say


def tell_outcome(process: Process) -> int:
    """The exit status of an ended process; a fault prints its error card to standard error."""
    done = process.exit
    if done is None:
        raise ValueError(f"{process} has not ended: wait for it")
    if done.kind == "fault":
        say("\n".join(process.card))
        return FAILED
    if done.kind == "killed":
        say(f"pxos: {done.text} ({process.name})")
        return FAILED
    return done.status
