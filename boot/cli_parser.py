"""What argparse knows of the command line; imported only when it is needed."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from .. import __version__
from ..kernel.placement import AUTO, PLACES
from .boot_desktop import BootOptions
from .displays import ScreenOptions, parse_size
from .errors import BootError, wrong
from .evaluate_options import add_evaluate
from .import_model import add_import
from .run_options import USAGE, number
from .terminal_view import GRAPHICS
from .train_options import add_train

_DESCRIPTION = f"""A pixel operating system: programs are PNG pictures.

  pxos                  boots: a window, or the terminal where there is no display
  pxos -c LINE          runs a line of the command language
  pxos SCRIPT.pxsh      runs a script
  {USAGE}
                        runs one program; pxos run --help tells more
"""


#: The words that may come first.
COMMANDS = (
    "boot",
    "run",
    "shell",
    "asm",
    "disasm",
    "apps",
    "font",
    "train",
    "import",
    "eval",
    "validate",
    "doctor",
)


def unknown(word: str) -> BootError:
    """The error of a first word that is no command; it may be meant as a program."""
    from ..shell.apps import nearest
    from . import environment

    apps = environment.app_store().names()
    if word in apps or (word.endswith((".png", ".pxa")) and Path(word).is_file()):
        advice = f"did you mean pxos run {word}?"
    elif near := nearest(word, [*COMMANDS, *apps]):
        advice = f"did you mean pxos {near if near in COMMANDS else f'run {near}'}?"
    else:
        advice = "pxos --help lists them"
    return wrong(f"there is no command {word!r}", advice)


class _Parser(argparse.ArgumentParser):
    """Reports errors as the rest of pxOS does."""

    def error(self, message: str) -> Any:
        """Raise BootError with exit status 2."""
        raise BootError(message, "", f"{self.prog} --help tells more", status=2)


def make_parser() -> argparse.ArgumentParser:
    """The parser of everything but ``run`` and scripts."""
    parser = _Parser(
        prog="pxos",
        description=_DESCRIPTION,
        allow_abbrev=False,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--version", action="version", version=f"pxos {__version__}")
    parser.add_argument("-c", dest="line", metavar="LINE", help="run a line of commands")
    _add_screen(parser)
    commands = parser.add_subparsers(dest="command", metavar="COMMAND", parser_class=_Parser)

    boot = commands.add_parser("boot", help="start the desktop", allow_abbrev=False)
    boot.set_defaults(line=None)
    _add_screen(boot)

    # Read elsewhere, where a program is known; here to be listed, and for misplaced options.
    run = commands.add_parser("run", help="run one program", add_help=False)
    run.add_argument("words", nargs=argparse.REMAINDER)

    shell = commands.add_parser("shell", help="the console")
    _add_rights(shell)

    asm = commands.add_parser("asm", help="assemble a source into a program picture")
    asm.add_argument("source", type=Path, metavar="SOURCE.pxa")
    asm.add_argument("-o", dest="output", metavar="PROGRAM.png", help="- is standard output")
    asm.add_argument(
        "-I",
        dest="include",
        type=Path,
        action="append",
        default=[],
        metavar="FOLDER",
        help="where include files are sought besides",
    )

    disasm = commands.add_parser("disasm", help="write a program's flat source")
    disasm.add_argument("app", metavar="APP")
    disasm.add_argument("-o", dest="output", metavar="SOURCE.pxa")

    apps = commands.add_parser("apps", help="build the apps from their sources, or check them")
    apps.add_argument("action", choices=("build", "check"))
    apps.add_argument("names", nargs="*", metavar="APP", help="only these")

    font = commands.add_parser("font", help="make an atlas of glyphs from a BDF font")
    font.add_argument("source", type=Path, metavar="FONT.bdf")
    font.add_argument("-o", dest="output", metavar="ATLAS.png", required=True)

    add_train(commands, _Parser)
    add_import(commands, _whole)
    add_evaluate(commands, _whole)

    doctor = commands.add_parser("doctor", help="what works on this machine")
    doctor.add_argument("--json", action="store_true", help="for scripts")
    return parser


def _whole(low: int, high: int) -> Any:
    def convert(text: str) -> int:
        try:
            return number("", text, low, high)
        except BootError as error:
            raise argparse.ArgumentTypeError(error.what) from error

    return convert


def _size(text: str) -> tuple[int, int]:
    try:
        return parse_size(text)
    except BootError as error:
        raise argparse.ArgumentTypeError(error.what) from error


def _ports(text: str) -> list[str]:
    from ..kernel.grants import GrantError, port_letters

    names = [name for name in text.split(",") if name]
    try:
        port_letters(names)
    except GrantError as error:
        raise argparse.ArgumentTypeError(str(error)) from error
    return names


def _add_rights(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--seed", type=_whole(0, (1 << 64) - 1), metavar="N", help="what random numbers begin with"
    )
    parser.add_argument(
        "--allow",
        type=_ports,
        default=[],
        metavar="PORTS",
        help="ports that programs may use if they ask for them: files,line",
    )
    parser.add_argument(
        "--on",
        choices=PLACES,
        default=AUTO,
        help="where programs run: cpu, gpu, or auto, where each is expected to be faster (auto)",
    )


def _add_screen(parser: argparse.ArgumentParser) -> None:
    where = parser.add_mutually_exclusive_group()
    for name, text in (
        ("window", "show it in a window"),
        ("terminal", "show it in the terminal"),
        ("headless", "show it nowhere; needs --frames"),
    ):
        where.add_argument(
            f"--{name}", dest="where", action="store_const", const=name, default="", help=text
        )
    parser.add_argument(
        "--frames",
        type=_whole(1, 10**9),
        metavar="N",
        help="stop after so many frames, sixty a second",
    )
    parser.add_argument("--screenshot", type=Path, metavar="FILE", help="write what is shown then")
    parser.add_argument("--size", type=_size, metavar="RxC", help="rows and columns of the screen")
    parser.add_argument(
        "--scale",
        type=_whole(1, 16),
        metavar="N",
        help="how many times a window enlarges its pixels",
    )
    parser.add_argument("--fullscreen", action="store_true", help="begin with a full screen")
    parser.add_argument(
        "--graphics", choices=GRAPHICS, default="auto", help="how a terminal shows pictures"
    )
    parser.add_argument(
        "--desktop", default="desktop", metavar="APP", help="the program to boot, by name or file"
    )
    _add_rights(parser)


def boot_options(options: argparse.Namespace) -> BootOptions:
    """The options of ``pxos boot``."""
    return BootOptions(
        desktop=options.desktop,
        seed=options.seed,
        allow=options.allow,
        on=options.on,
        screen=ScreenOptions(
            where=options.where,
            frames=options.frames,
            screenshot=options.screenshot,
            size=options.size,
            scale=options.scale,
            fullscreen=options.fullscreen,
            graphics=options.graphics,
        ),
    )
