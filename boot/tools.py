"""The smaller commands: the assembler, the disassembler, building the apps, fonts."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from ..fs.atomic import write_atomically
from . import environment
from .errors import DONE, BootError, wrong
from .standard import say, tell, write_out
from .streams import STANDARD, why

_MAX_SOURCE = 1 << 26


def read_source(path: Path) -> str:
    """A source text; raises BootError."""
    try:
        if path.stat().st_size > _MAX_SOURCE:
            raise BootError(f"a source has at most {_MAX_SOURCE >> 20} MiB", str(path))
        return path.read_text("utf-8")
    except UnicodeDecodeError as error:
        raise BootError("the source is no text in UTF-8", str(path), "save it as UTF-8") from error
    except OSError as error:
        raise BootError(f"the source cannot be read, {why(error)}", str(path)) from error


def _write(path: str, data: bytes) -> None:
    """Write a file whole or not at all, or standard output; raises BootError."""
    if path == STANDARD:
        write_out(data)
        return
    try:
        write_atomically(Path(path), data)
    except OSError as error:
        raise BootError(f"the file cannot be written, {why(error)}", path) from error


def assemble_file(source: Path, include_dirs: Sequence[Path] = ()) -> bytes:
    """The program picture of a source file; prints what is wrong with it and raises BootError."""
    from ..kernel.machine import program
    from ..shell.lenses.assembler import AsmError, assemble

    dirs = [*include_dirs, environment.bundled_apps() / "lib"]
    try:
        return program.save(assemble(read_source(source), path=str(source), include_dirs=dirs))
    except AsmError as error:
        say(str(error))
        count = len(error.problems)
        raise BootError(
            f"{count} problem{'s' if count > 1 else ''} in the source",
            str(source),
            "nothing was written",
        ) from error


def asm(source: Path, output: str | None, include_dirs: Sequence[Path]) -> int:
    """``pxos asm``: assemble a source into a program picture."""
    target = output or str(source.with_suffix(".png"))
    if target != STANDARD and Path(target) == source:
        raise wrong(
            "the picture would be written over its source", "name another with -o", str(source)
        )
    _write(target, assemble_file(source, include_dirs))
    return DONE


def disasm(app: str, output: str | None) -> int:
    """``pxos disasm``: the flat source of a program."""
    from ..shell.lenses.disassembler import disassemble
    from .run_app import find_program

    program, _ = find_program(app, environment.app_store())
    _write(output or STANDARD, disassemble(program).encode())
    return DONE


def app_sources(folder: Path) -> list[Path]:
    """The sources of all apps below a folder: ``NAME/NAME.pxa``."""
    return sorted(path for path in folder.glob("*/*.pxa") if path.stem == path.parent.name)


def apps(action: str, names: Sequence[str], folder: Path | None = None) -> int:
    """``pxos apps build`` writes the pictures of the apps; ``check`` says which are not what
    their sources make, and fails if there are any."""
    below = environment.bundled_apps() if folder is None else folder
    known = {path.stem: path for path in app_sources(below)}
    for name in names:
        if name not in known:
            raise wrong(f"there is no app {name!r}", f"one of {', '.join(known)}")
    stale, broken = [], []
    for name in names or known:
        source = known[name]
        target = source.with_suffix(".png")
        try:
            data = assemble_file(source, [below / "lib"])
        except BootError:  # its problems were printed; the other apps are not to blame
            broken.append(name)
            continue
        if target.is_file() and target.read_bytes() == data:
            continue
        stale.append(name)
        if action == "build":
            _write(str(target), data)
            tell(f"built {name}: {len(data)} bytes\n")
    if broken:
        raise BootError(f"the sources have problems: {', '.join(broken)}", str(below))
    if action == "check" and stale:
        raise BootError(
            f"not what their sources make: {', '.join(stale)}", str(below), "run pxos apps build"
        )
    return DONE


def font(source: Path, output: str) -> int:
    """``pxos font``: an atlas of glyphs from a BDF file."""
    from ..fonts.bdf import BdfError, convert
    from ..kernel.machine import png

    try:
        picture = convert(source.read_text("latin-1"))
    except BdfError as error:
        raise BootError(f"the font cannot be read, {error}", str(source)) from error
    except OSError as error:
        raise BootError(f"the font cannot be read, {why(error)}", str(source)) from error
    _write(output, png.encode(picture))
    return DONE
