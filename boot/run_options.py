"""The words behind ``pxos run``: which are pxOS's and which the program's.

Read by hand and not with argparse, because the program's own arguments are only known once
it has been found, and because a program should start at once.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from ..kernel.arguments import option
from ..kernel.machine.meta import Meta
from ..kernel.placement import AUTO, PLACES
from .displays import ScreenOptions, parse_size
from .errors import wrong

USAGE = "pxos run APP [ARGUMENTS] [-i PICTURE]... [-o PICTURE]... [options]"
HELP = f"""usage: {USAGE}

Runs a program picture by its name or its file, or a source (.pxa).

  -i PICTURE        a picture for the program, in the order of its inputs; - is standard input
  -o PICTURE        where its pictures go: .png .jpg .webp .bmp .tiff; - is standard output
  --fuel N          stop it after so much work
  --memory SIZE     the most memory it may take: 512M, 2G (1G)
  --seed N          what its random numbers begin with
  --allow PORTS     let it use ports beyond the harmless ones: files,line,processes
  --on WHERE        where it runs: cpu, gpu, or auto, where it is expected to be faster (auto)

For programs that draw on the screen:
  --window, --terminal, --headless       where the screen is
  --frames N        stop after so many frames, sixty a second
  --screenshot FILE write what it shows then
  --size RxC        rows and columns of its screen
  --scale N         how many times a window enlarges its pixels
  --fullscreen      begin with a window that fills the screen
  --graphics HOW    in a terminal: auto, kitty, sixel, blocks

An argument of the program wins over an option of the same name; write the option before APP,
or the program's words behind --.  `pxos run APP --help` tells about the program.
"""

_UNITS = {"": 1, "k": 1 << 10, "m": 1 << 20, "g": 1 << 30}


@dataclass(slots=True)
class RunOptions:
    """What the command line said.  ``words`` are the program's own."""

    app: str = ""
    words: list[str] = field(default_factory=list)
    inputs: list[str] = field(default_factory=list)
    outputs: list[str] = field(default_factory=list)
    fuel: int | None = None
    memory: int | None = None
    seed: int | None = None
    allow: list[str] = field(default_factory=list)
    on: str = AUTO
    screen: ScreenOptions = field(default_factory=ScreenOptions)
    help: bool = False


def number(option: str, text: str, low: int, high: int) -> int:
    """A whole number; raises BootError."""
    if text.isascii() and text.lstrip("-").isdigit() and low <= int(text) <= high:
        return int(text)
    raise wrong(f"expected a whole number of {low} to {high}, not {text!r}", where=option)


def parse_memory(text: str) -> int:
    """``512M`` in bytes; raises BootError."""
    unit = text[-1:].lower() if not text[-1:].isdigit() else ""
    digits = text[: len(text) - len(unit)]
    if unit in _UNITS and digits.isascii() and digits.isdigit() and len(digits) < 15:
        size = int(digits) * _UNITS[unit]
        if 0 < size <= 1 << 34:
            return size
    raise wrong(
        f"expected an amount of memory up to 16G, not {text!r}", "for example 512M", "--memory"
    )


def _allow(options: RunOptions, text: str) -> None:
    from ..kernel.grants import GrantError, port_letters

    names = [name for name in text.split(",") if name]
    try:
        port_letters(names)
    except GrantError as error:
        raise wrong(str(error), where="--allow") from error
    options.allow += names


def _where(options: RunOptions, where: str) -> None:
    if options.screen.where not in ("", where):
        raise wrong(f"--{options.screen.where} and --{where} exclude each other")
    options.screen.where = where


def parse_place(text: str) -> str:
    """A place where programs run; raises BootError."""
    if text not in PLACES:
        raise wrong(f"expected one of {', '.join(PLACES)}, not {text!r}", where="--on")
    return text


def _graphics(options: RunOptions, text: str) -> None:
    from .terminal_view import GRAPHICS

    if text not in GRAPHICS:
        raise wrong(f"expected one of {', '.join(GRAPHICS)}, not {text!r}", where="--graphics")
    options.screen.graphics = text


#: Options with a value: what to do with it.
_VALUED: dict[str, Callable[[RunOptions, str], None]] = {
    "-i": lambda o, v: o.inputs.append(v),
    "-o": lambda o, v: o.outputs.append(v),
    "--fuel": lambda o, v: setattr(o, "fuel", number("--fuel", v, 0, (1 << 63) - 1)),
    "--memory": lambda o, v: setattr(o, "memory", parse_memory(v)),
    "--seed": lambda o, v: setattr(o, "seed", number("--seed", v, 0, (1 << 64) - 1)),
    "--allow": _allow,
    "--on": lambda o, v: setattr(o, "on", parse_place(v)),
    "--frames": lambda o, v: setattr(o.screen, "frames", number("--frames", v, 1, 10**9)),
    "--screenshot": lambda o, v: setattr(o.screen, "screenshot", Path(v)),
    "--size": lambda o, v: setattr(o.screen, "size", parse_size(v)),
    "--scale": lambda o, v: setattr(o.screen, "scale", number("--scale", v, 1, 16)),
    "--graphics": _graphics,
}
#: Options without one.
_FLAGS: dict[str, Callable[[RunOptions], None]] = {
    "--window": lambda o: _where(o, "window"),
    "--terminal": lambda o: _where(o, "terminal"),
    "--headless": lambda o: _where(o, "headless"),
    "--fullscreen": lambda o: setattr(o.screen, "fullscreen", True),
    "--help": lambda o: setattr(o, "help", True),
    "-h": lambda o: setattr(o, "help", True),
}


class Words:
    """The words of the command line, taken one by one."""

    def __init__(self, words: list[str]) -> None:
        self._words = list(words)
        self.options = RunOptions()

    def until_app(self) -> RunOptions:
        """Read options up to and with the program's name."""
        while self._words and not self.options.app:
            if not self._take({}):
                word = self._words.pop(0)
                if word.startswith("-") and word != "-":
                    raise wrong(f"there is no option {word}", f"usage: {USAGE}")
                self.options.app = word
        return self.options

    def rest(self, meta: Meta) -> RunOptions:
        """Read what follows the name, now that the program's arguments are known."""
        own = {f"--{arg.name}": arg.kind == "flag" for arg in meta.args}
        own |= {option(arg): arg.kind == "flag" for arg in meta.args if option(arg) not in own}
        while self._words:
            if self._words[0] == "--":
                self.options.words += self._words
                break
            if not self._take(own):
                word = self._words.pop(0)
                self.options.words.append(word)
                name, equals, _ = word.partition("=")
                if own.get(name) is False and not equals and self._words:
                    self.options.words.append(self._words.pop(0))
        return self.options

    def _take(self, own: dict[str, bool]) -> bool:
        """Take one of our options if it comes next."""
        word = self._words[0]
        name, equals, value = word.partition("=")
        if name in own:
            return False
        if word in _FLAGS:
            del self._words[0]
            _FLAGS[word](self.options)
            return True
        if name in _VALUED and (equals or word == name):
            del self._words[0]
            if not equals:
                if not self._words:
                    raise wrong(f"{name} needs a value", f"usage: {USAGE}")
                value = self._words.pop(0)
            _VALUED[name](self.options, value)
            return True
        return False
