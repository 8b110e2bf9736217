"""Why a program stopped, as a value.

A program's fault never raises: the executor returns a :class:`Stop` and leaves the
memory as it was before the faulting instruction.  Exceptions are for callers' mistakes;
:class:`InternalError` is for broken invariants of pxOS itself.
"""

from __future__ import annotations

from typing import NamedTuple


class InternalError(Exception):
    """An invariant of pxOS is broken: a bug in pxOS, never in the program it runs."""


class Reason(NamedTuple):
    """One stop reason: its letter, a short title, what it means, what to try."""

    letter: str
    title: str
    meaning: str
    advice: str


#: Every stop reason by letter.  H, W and Y are ordinary; the rest are faults.
REASONS: dict[str, Reason] = {
    reason.letter: reason
    for reason in (
        Reason("H", "halted", "The program ended by itself.", ""),
        Reason("W", "waiting", "The program waits for a port.", ""),
        Reason("Y", "time slice used", "The program gave way to the others.", ""),
        Reason(
            "B",
            "fuel used up",
            "The program used all the fuel it was given.",
            "Give it more with --fuel, or look for a loop that never ends.",
        ),
        Reason(
            "?",
            "unknown instruction",
            "The pixel at this place is no instruction.",
            "The program jumped or fell into data: end it with a halt.",
        ),
        Reason(
            "N",
            "no such matrix",
            "An operand names an entry outside the table, or a destination that cannot be written.",
            "Check the names of this instruction.",
        ),
        Reason(
            "K",
            "wrong kind",
            "An operand's kind does not fit this instruction.",
            "Check the kinds of the operands against the reference.",
        ),
        Reason(
            "V",
            "view outside its matrix",
            "A view shows elements its matrix does not have.",
            "Make the view again after its matrix changed shape.",
        ),
        Reason(
            "S",
            "shapes do not fit",
            "The operands' rows and columns do not go together.",
            "Compare the shapes of the operands.",
        ),
        Reason(
            "L",
            "unknown selector",
            "A literal of this instruction is none it knows.",
            "Use one of the selectors the reference lists.",
        ),
        Reason(
            "/",
            "division by zero",
            "An element was divided by zero.",
            "Test the divisor, or add a small number to it.",
        ),
        Reason(
            "M",
            "out of memory",
            "A result does not fit the memory quota.",
            "Give it more with --memory, or use smaller pictures.",
        ),
        Reason(
            "C",
            "call stack",
            "Too many calls are open, or a return has no call.",
            "Match every call with one return, or declare a larger stack.",
        ),
        Reason(
            "J",
            "outside the code",
            "The program went on past its code.",
            "End it with a halt, and check its jumps.",
        ),
        Reason(
            "P",
            "port not granted",
            "The program used a port it was not given.",
            "Declare the port in the source and allow it when you start the program.",
        ),
    )
}

#: Letters of the stop reasons after which a process is over because of its own fault.
FAULTS = frozenset(REASONS) - set("HWY")


class Stop(NamedTuple):
    """Why and where an executor stopped.

    ``pc``: the instruction it stopped at (for faults and waiting, the one not done).
    ``detail``: first bad element, operand number (0, 1, 2), rows wanted, or 0.
    ``port``: the letter waited for when the reason is W.
    ``status``: the exit status when the reason is H.
    ``next_fuel``: when the reason is Y, the fuel that the next instruction costs.
    """

    reason: str
    pc: int
    detail: int = 0
    port: str = ""
    status: int = 0
    next_fuel: int = 0

    @property
    def is_fault(self) -> bool:
        """Whether the program did something wrong."""
        return self.reason in FAULTS
