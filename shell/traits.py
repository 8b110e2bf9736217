"""What programs are like, from what they say of themselves."""

from __future__ import annotations

from ..kernel.machine.meta import Meta

#: Ports by which a program goes on until somebody stops it: it wants to be seen.
_LIVELY = frozenset({"keys", "pointer", "frame", "clock"})

#: Rows and columns of a screen that nobody sees: how a program learns that it has none.
UNSEEN = 1, 1


def is_lively(meta: Meta) -> bool:
    """Whether a program draws on the screen and goes on until it is stopped."""
    return "screen" in meta.ports and not _LIVELY.isdisjoint(meta.ports)


def answers(meta: Meta) -> bool:
    """Whether a lively program needs no screen once it has the pictures that it asks for, if any:
    it says in text what it makes of them, and ends."""
    return is_lively(meta) and {"picture", "text"} <= set(meta.ports)


def is_still(meta: Meta) -> bool:
    """Whether a program draws on the screen and ends: its last picture is its result."""
    return "screen" in meta.ports and not is_lively(meta) and "picture" not in meta.ports


def reads(meta: Meta) -> frozenset[str]:
    """The kinds of pipe a program reads: "picture", "text"."""
    kinds = {"picture"} if meta.inputs and "picture" in meta.ports else set()
    return frozenset(kinds | ({"text"} & set(meta.ports)))


def writes(meta: Meta) -> frozenset[str]:
    """The kinds of pipe a program writes."""
    kinds = {"picture"} if "picture" in meta.ports or is_still(meta) else set()
    return frozenset(kinds | ({"text"} & set(meta.ports)))
