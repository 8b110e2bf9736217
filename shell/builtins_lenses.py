"""The commands of the shell itself: the assembler and the disassembler."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator
from pathlib import Path

from ..kernel.pipes import Flow
from .apps import Apps, program_in
from .calls import Builtin, Call, Steps
from .expand import CommandError, path_of
from .readers import FileSource, Unreadable, why
from .writers import text_target


def _asm(call: Call) -> Steps:
    words = [word for word in call.words if word != "-o"]
    if not 1 <= len(words) <= 2:
        raise call.wrong("one source and at most one picture")
    source = path_of(words[0], call.session.cwd)
    target = path_of(words[1], call.session.cwd) if len(words) == 2 else source.with_suffix(".png")
    if target == source:
        raise call.wrong(f"{words[0]} would be written over: name another picture")

    def assembled() -> Iterator[bytes]:
        from ..kernel.machine import program
        from .lenses.assembler import AsmError, assemble

        try:
            text = source.read_text("utf-8")
            yield program.save(assemble(text, path=str(source)))
        except AsmError as error:
            raise Unreadable(str(error)) from error
        except UnicodeDecodeError as error:
            raise Unreadable(f"{words[0]} is no text in UTF-8") from error
        except OSError as error:
            raise Unreadable(f"cannot read {words[0]}: {why(error)}") from error

    data = yield from _worked(call, assembled)
    yield from _written(call, target, data)
    return 0


def _worked(call: Call, work: Callable[[], Iterator[bytes]]) -> Generator[None, None, bytes]:
    """What ``work`` yields, done on a thread; raises :class:`CommandError`."""
    source: FileSource[bytes] = FileSource(work, call.session.notify, 1)
    pieces = []
    try:
        while (piece := source.read()) is not Flow.END:
            if source.problem is not None:
                raise CommandError(source.problem, status=1)
            if piece is Flow.PENDING:
                yield None
            else:
                pieces.append(piece)
    finally:
        source.close()
    return b"".join(pieces)


def _written(call: Call, target: Path, data: bytes) -> Generator[None, None, None]:
    """Write a file whole or not at all."""
    sink = text_target(target, target.name, False, call.session.notify)
    decided = False
    try:
        sink.write(data)
        sink.close()
        sink.decide(True)
        decided = True
        while not sink.done:
            yield None
    finally:
        if not decided:
            sink.decide(False)
    if sink.problem is not None:
        raise CommandError(sink.problem, status=1)


def _disasm(call: Call) -> Steps:
    if len(call.words) != 1:
        raise call.wrong("one app or program picture")
    name = call.words[0]
    apps: Apps = call.session.apps
    path = path_of(name, call.session.cwd)
    program = apps.program(name) if name in apps.names() else program_in(path, name)

    def text() -> Iterator[bytes]:
        from .lenses.disassembler import disassemble

        yield disassemble(program).encode()

    yield (yield from _worked(call, text))
    return 0


LENS_BUILTINS = (
    Builtin(
        "asm",
        "SOURCE.pxa [-o PROGRAM.png]",
        "makes a program picture of its source",
        _asm,
        takes="files",
    ),
    Builtin("disasm", "APP", "writes a program's source", _disasm, takes="names"),
)
