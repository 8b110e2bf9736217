"""The command line.  ``pxos run`` starts a program at once; all else is read with argparse."""

from __future__ import annotations

import signal
import sys
from collections.abc import Sequence
from contextlib import suppress
from typing import TYPE_CHECKING

from . import environment, standard
from .errors import DONE, INTERRUPTED, BootError, wrong

if TYPE_CHECKING:
    import argparse

_SCRIPT = ".pxsh"


def main(argv: Sequence[str] | None = None) -> int:
    """Run a command line (None: the process's own); returns the exit status.

    0: done.  1: a program faulted, or the work failed.  2: the command was wrong.
    130: interrupted.  Results go to standard output, everything else to standard error.
    """
    words = list(sys.argv[1:] if argv is None else argv)
    standard.mend()
    environment.keep_products_single()
    try:
        _clean_up_when_ended()
        status = _dispatch(words)
        standard.write_out(b"")  # what is still in the buffer
        return status
    except BootError as error:
        standard.say(f"pxos: {error.line}")
        return error.status
    except KeyboardInterrupt:
        return INTERRUPTED
    except BrokenPipeError:
        standard.drop_output()
        return DONE


def _clean_up_when_ended() -> None:
    """Have SIGTERM and SIGHUP unwind, so that no temporary file is left."""
    for name in ("SIGTERM", "SIGHUP"):  # SIGHUP is not on Windows
        number = getattr(signal, name, None)
        if number is not None and signal.getsignal(number) == signal.SIG_DFL:
            with suppress(ValueError):  # raised outside the main thread, which has no signals
                signal.signal(number, _ended)


def _ended(number: int, frame: object) -> None:
    raise SystemExit(128 + number)


def _dispatch(words: list[str]) -> int:
    if words[:1] == ["run"]:
        from . import run_app

        return run_app.main(words[1:])
    if words and words[0].endswith(_SCRIPT):
        from pathlib import Path

        from . import sessions

        return sessions.run_script(Path(words[0]), words[1:])
    from .cli_parser import COMMANDS, make_parser, unknown

    if words and not words[0].startswith("-") and words[0] not in COMMANDS:
        raise unknown(words[0])
    options = make_parser().parse_args(words)
    return _follow(options)


def _follow(options: argparse.Namespace) -> int:
    """Do what a parsed command line says."""
    command = options.command
    if command == "run":
        raise wrong("options for a run stand behind it", "pxos run --help lists them")
    if command in (None, "boot"):
        if options.line is not None:
            from . import sessions

            return sessions.run_line(
                options.line, seed=options.seed, allow=options.allow, on=options.on
            )
        from . import boot_desktop, cli_parser

        return boot_desktop.main(cli_parser.boot_options(options))
    if command == "shell":
        from . import sessions

        return sessions.run_console(seed=options.seed, allow=options.allow, on=options.on)
    if command == "doctor":
        from . import doctor

        return doctor.main(as_json=options.json)
    if command == "train":
        from . import train

        return train.main(options)
    if command == "import":
        from . import import_model

        return import_model.main(options)
    if command == "eval":
        from . import evaluate

        return evaluate.main(options)
    if command == "validate":
        from . import validate

        return validate.main(options)
    from . import tools

    if command == "asm":
        return tools.asm(options.source, options.output, options.include)
    if command == "disasm":
        return tools.disasm(options.app, options.output)
    if command == "apps":
        return tools.apps(options.action, options.names)
    return tools.font(options.source, options.output)


if __name__ == "__main__":
    raise SystemExit(main())
