"""Port a, the arguments."""

from __future__ import annotations

from collections.abc import Sequence

from ..arguments import ArgValue, answer
from ..machine.ports import Message
from .base import Device, first


class Arguments(Device):
    """Reads argument number s[0]; s[0] = -1: how many there are."""

    letter = "a"

    def __init__(self, values: Sequence[ArgValue]) -> None:
        self._values = values

    def read(self, selector: Message) -> Message:
        """One argument."""
        return answer(self._values, first(selector))
