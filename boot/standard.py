"""Standard input, output and error: any of them may be closed, full, or without a reader."""

from __future__ import annotations

import os
import sys
from contextlib import suppress

from .errors import BootError


def mend() -> None:
    """Open again what was closed when pxOS was started, so that no other file takes its place.

    Input is then empty, what goes to error is lost, and output cannot be written, which is an
    error when something is.
    """
    modes = ((0, os.O_RDONLY, "stdin"), (1, os.O_RDONLY, "stdout"), (2, os.O_WRONLY, "stderr"))
    for number, mode, name in modes:
        if getattr(sys, name) is not None:
            continue
        opened = os.open(os.devnull, mode)
        if opened != number:
            os.dup2(opened, number)
            os.close(opened)
        file = os.fdopen(number, "r" if number == 0 else "w", encoding="utf-8", closefd=False)
        setattr(sys, name, file)


def write_out(data: bytes) -> bool:
    """Write to standard output at once; False if nobody reads it any more.

    Raises BootError if it cannot be written: a full disk, for one.
    """
    try:
        sys.stdout.flush()
        if data:  # writing nothing fails too where the disk is full
            sys.stdout.buffer.write(data)
        sys.stdout.buffer.flush()
    except BrokenPipeError:
        drop_output()
        return False
    except OSError as error:
        drop_output()
        what = (error.strerror or str(error)).lower()
        raise BootError(f"standard output cannot be written, {what}") from error
    return True


def tell(text: str) -> None:
    """Write a result to standard output; raises BootError as :func:`write_out` does."""
    write_out(text.encode("utf-8", "surrogateescape"))


def say(text: str, end: str = "\n") -> None:
    """Write to standard error; if that is closed or full, nobody can be told."""
    with suppress(OSError):
        print(text, end=end, file=sys.stderr, flush=True)


def drop_output() -> None:
    """Lose what is still to be written to standard output: it must not fail again at the end."""
    sink = os.open(os.devnull, os.O_WRONLY)
    os.dup2(sink, sys.stdout.fileno())
    os.close(sink)
