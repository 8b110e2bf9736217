"""The one error that boot shows: what went wrong, where, and what to try."""

from __future__ import annotations

#: Exit statuses.
DONE, FAILED, WRONG_COMMAND, INTERRUPTED = 0, 1, 2, 130


class BootError(Exception):
    """Ends a command with ``status`` and one line on standard error.

    ``what`` happened, ``where`` (a file, an option; "" if nowhere), ``advice`` what to try
    ("" if nothing helps).
    """

    def __init__(
        self, what: str, where: str = "", advice: str = "", *, status: int = FAILED
    ) -> None:
        self.what = what
        self.where = where
        self.advice = advice
        self.status = status
        super().__init__(self.line)

    @property
    def line(self) -> str:
        """``what (where); what to try``."""
        text = self.what + (f" ({self.where})" if self.where else "")
        return text + (f"; {self.advice}" if self.advice else "")


def wrong(what: str, advice: str = "", where: str = "") -> BootError:
    """The error of a command that was written wrong: exit status 2."""
    return BootError(what, where, advice, status=WRONG_COMMAND)
