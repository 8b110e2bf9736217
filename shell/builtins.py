"""The commands of the shell itself: files, words, help."""

from __future__ import annotations

import os
import stat
from pathlib import Path

from ..kernel.arguments import describe_arg, option, usage
from ..kernel.machine.meta import Meta
from ..kernel.pipes import Flow
from .apps import is_program, nearest, program_in
from .builtins_jobs import JOB_BUILTINS
from .builtins_lenses import LENS_BUILTINS
from .calls import Builtin, Call, Steps, line, table
from .expand import path_of
from .lexer import NAME_CHARS
from .readers import text_files, why
from .traits import reads, writes


def _echo(call: Call) -> Steps:
    yield line(" ".join(call.words))
    return 0


def _pwd(call: Call) -> Steps:
    call.at_most(0)
    yield line(str(call.session.cwd))
    return 0


def _cd(call: Call) -> Steps:
    call.at_most(1)
    session = call.session
    if not call.words and session.host.home is None:
        raise call.failed("there is no home folder: name one")
    target = path_of(call.words[0], session.cwd) if call.words else session.host.home
    assert target is not None
    path = Path(os.path.realpath(target))
    shown = call.words[0] if call.words else str(path)
    if not os.path.isdir(path):
        there = os.path.exists(path)
        raise call.failed(f"{shown} is no folder" if there else f"there is no {shown}")
    if not os.access(path, os.X_OK):
        raise call.failed(f"{shown} may not be entered")
    session.cwd = path
    return 0
    yield


def _ls(call: Call) -> Steps:
    words = [word for word in call.words if word not in ("-l", "-a", "-la", "-al")]
    options = "".join(word[1:] for word in call.words if word not in words)
    folders: list[Path] = []
    names: list[tuple[str, Path]] = []
    for word in words or ["."]:
        path = path_of(word, call.session.cwd)
        if os.path.isdir(path):
            folders.append(path)
        elif os.path.lexists(path):
            names.append((word, path))
        else:
            raise call.failed(f"there is no {word}")
    if names:
        yield _listing(call, names, "l" in options)
    for folder in folders:
        try:
            found = sorted(os.scandir(folder), key=lambda entry: entry.name)
        except OSError as error:
            raise call.failed(f"cannot list {folder.name}: {why(error)}") from error
        shown = [
            (entry.name + ("/" if os.path.isdir(entry.path) else ""), Path(entry.path))
            for entry in found
            if "a" in options or not entry.name.startswith(".")
        ]
        if len(folders) + bool(names) > 1:
            yield line(f"{folder}:")
        if shown:
            yield _listing(call, shown, "l" in options)
    return 0


def _listing(call: Call, names: list[tuple[str, Path]], long: bool) -> bytes:
    if long:
        rows = []
        for name, path in names:
            try:
                about = path.stat(follow_symlinks=False)
            except OSError as error:
                raise call.failed(f"cannot look at {name}: {why(error)}") from error
            size = "" if stat.S_ISDIR(about.st_mode) else str(about.st_size)
            rows.append((size, _when(about.st_mtime), name))
        return line("\n".join(table(rows, frozenset({0}))))
    texts = [name for name, _ in names]
    if call.piped or not call.session.live:
        return line("\n".join(texts))
    width = max(map(len, texts)) + 2
    columns = max(1, call.session.columns() // width)
    rows_wanted = -(-len(texts) // columns)
    grid = [texts[row::rows_wanted] for row in range(rows_wanted)]
    return line("\n".join("".join(cell.ljust(width) for cell in row).rstrip() for row in grid))


def _when(seconds: float) -> str:
    from time import localtime, strftime

    return strftime("%Y-%m-%d %H:%M", localtime(seconds))


def _cat(call: Call) -> Steps:
    if not call.words:
        source = call.stdin
        if source is None:
            raise call.wrong("no file and no pipe to read")
    else:
        paths = [path_of(word, call.session.cwd) for word in call.words]
        for path, word in zip(paths, call.words, strict=True):
            if _is_picture(call, path):
                raise call.failed(f"{word} is a picture: type its name alone to see it")
        source = files = text_files(paths, call.words, call.session.notify)
    try:
        while (piece := source.read()) is not Flow.END:
            if piece is Flow.PENDING:
                if call.words and files.problem is not None:
                    raise call.failed(files.problem)
                yield None
            else:
                yield piece
    finally:
        source.close()
    return 0


def _is_picture(call: Call, path: Path) -> bool:
    try:
        return os.path.isfile(path) and call.session.host.is_picture(path)
    except OSError:
        return False  # whoever reads it as text will say why it cannot be read


def _set(call: Call) -> Steps:
    variables = call.session.variables
    if not call.words:
        for name, value in sorted(variables.items()):
            yield line(f"{name}={value}")
        return 0
    name = call.words[0]
    if name[0:1].isdigit() or not name or not set(name) <= NAME_CHARS:
        raise call.wrong(f"{name!r} is no name: use letters, digits and _")
    if len(call.words) == 1:
        raise call.wrong(f"no value for {name}")
    variables[name] = " ".join(call.words[1:])
    return 0


def _clear(call: Call) -> Steps:
    call.at_most(0)
    yield b"\x1b[2J\x1b[3J\x1b[H" if call.session.live else b"\f"
    return 0


def _history(call: Call) -> Steps:
    call.at_most(1)
    entries = list(enumerate(call.session.history, 1))
    if call.words:
        if not call.words[0].isdecimal():
            raise call.wrong(f"{call.words[0]!r} is no number of lines")
        count = int(call.words[0])
        entries = entries[-count:] if count else []
    for number, entry in entries:
        yield line(f"{number:5}  {entry}")
    return 0


def _exit(call: Call) -> Steps:
    call.at_most(1)
    session = call.session
    status = session.status
    if call.words:
        if not call.words[0].isdecimal() or int(call.words[0]) > 255:
            raise call.wrong(f"a status is 0 to 255, not {call.words[0]!r}")
        status = int(call.words[0])
    if session.live and session.has_live_jobs and not session.warned_of_jobs:
        session.warned_of_jobs = True
        raise call.failed("jobs are running (see `jobs`): exit again to end them")
    session.leaving = status
    return status
    yield


# ---- help ---------------------------------------------------------------------------------


def _apps(call: Call) -> Steps:
    call.at_most(0)
    rows = []
    for name in call.session.apps.names():
        meta = call.session.apps.meta(name)
        rows.append((name, "(damaged)" if meta is None else meta.summary or meta.title))
    if rows:
        yield line("\n".join(table(rows)))
    return 0


def _which(call: Call) -> Steps:
    if not call.words:
        raise call.wrong("no name")
    status = 0
    for word in call.words:
        meta = call.session.apps.meta(word) if word in call.session.apps.names() else None
        path = path_of(word, call.session.cwd)
        if word in BUILTINS:
            yield line(f"{word}: a command of the shell: {BUILTINS[word].summary}")
        elif meta is not None:
            yield line(f"{word}: an app: {meta.summary or meta.title or word}")
        elif os.path.isdir(path):
            yield line(f"{word}: a folder: {os.path.realpath(path)}")
        elif os.path.isfile(path):
            what = "a program" if is_program(path) else "a file"
            yield line(f"{word}: {what}: {os.path.realpath(path)}")
        else:
            status = 1
            call.session.tell(f"which: there is no app, command or file {word}")
    return status


def _help(call: Call) -> Steps:
    call.at_most(1)
    if not call.words:
        rows = [(builtin.usage, builtin.summary) for builtin in BUILTINS.values()]
        yield line("Commands of the shell:")
        yield line("\n".join("  " + row for row in table(rows)))
        names = call.session.apps.names()
        yield line(f"\nApps ({len(names)}; `apps` tells what they do, `help APP` how):")
        yield line("  " + " ".join(names) + "\n")
        yield line(
            "photo.jpg | blur 3 | edges > out.png    a picture through apps into a file\n"
            "a.png | blend b.png                     further pictures by their names\n"
            "*.jpg | gray > small.png                several pictures: small-1.png, ...\n"
            "apps | text > apps.png                  text becomes a picture\n"
            "life &                                  in the background; ^C stops the "
            "foreground"
        )
        return 0
    name = call.words[0]
    if name in BUILTINS:
        builtin = BUILTINS[name]
        yield line(f"{builtin.summary}\n\nusage: {builtin.usage}")
        return 0
    session = call.session
    path = path_of(name, session.cwd)
    if name in session.apps.names():
        meta = session.apps.program(name).meta
    elif os.path.isfile(path) and is_program(path):
        meta = program_in(path, name).meta
    else:
        near = nearest(name, [*session.apps.names(), *BUILTINS])
        raise call.failed(
            f"there is no app or command {name}" + (f": did you mean {near}?" if near else "")
        )
    yield line(app_help(name, meta))
    return 0


def app_help(name: str, meta: Meta) -> str:
    """What an app's metadata says of it, for people."""
    parts = [f"{meta.title or name}: {meta.summary}" if meta.summary else meta.title or name]
    parts.append(f"usage: {usage(meta, name)}")
    if meta.args:
        rows = [(option(arg), describe_arg(arg), arg.help) for arg in meta.args]
        parts.append("\n".join("  " + row for row in table(rows)))
    about = []
    taken, given = sorted(reads(meta)), sorted(writes(meta))
    if "picture" in taken:
        about.append("takes     " + ", ".join(meta.inputs))
    if "text" in taken:
        about.append("reads     text")
    if given:
        about.append("gives     " + " and ".join(given))
    if "screen" in meta.ports:
        about.append("shows     a screen")
    if about:
        parts.append("\n".join(about))
    if meta.help.strip():
        parts.append(meta.help.strip())
    made = ", ".join(text for text in (meta.author, meta.licence) if text)
    return "\n\n".join([*parts, made] if made else parts)


BUILTINS: dict[str, Builtin] = {
    builtin.name: builtin
    for builtin in sorted(
        (
            Builtin("apps", "", "lists the apps and what they do", _apps),
            Builtin(
                "cat", "[FILE...]", "writes the text of files, or of the pipe", _cat, True, "files"
            ),
            Builtin("cd", "[FOLDER]", "goes to a folder, or home", _cd, takes="folders"),
            Builtin("clear", "", "clears the screen", _clear, commands=True),
            Builtin("echo", "[WORD...]", "writes its words", _echo),
            Builtin("exit", "[STATUS]", "ends the shell", _exit),
            Builtin(
                "help", "[APP]", "tells what there is, or how an app is used", _help, takes="apps"
            ),
            Builtin("history", "[COUNT]", "lists the lines typed before", _history),
            Builtin("ls", "[-l] [-a] [FILE...]", "lists a folder", _ls, takes="files"),
            Builtin("pwd", "", "writes the folder one is in", _pwd),
            Builtin("set", "[NAME VALUE...]", "sets a variable, used as $NAME", _set),
            Builtin("which", "NAME...", "tells what a name stands for", _which, takes="names"),
            *JOB_BUILTINS,
            *LENS_BUILTINS,
        ),
        key=lambda builtin: builtin.name,
    )
}
