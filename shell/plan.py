"""From a pipeline's syntax to what is to be run: names resolved, files found, kinds decided.

Nothing is started here and nothing is written, so a wrong command has no effect.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from ..kernel.arguments import ArgValue, UsageError, named, parse_args, usage
from ..kernel.machine.meta import Meta
from ..kernel.machine.program import Program
from .apps import Apps, is_program, nearest, program_in
from .expand import CommandError, Expanded, Scope, expand, expand_one, path_of
from .host import Host
from .lexer import Word
from .readers import why
from .syntax import Command, Pipeline
from .traits import is_still, reads, writes

if TYPE_CHECKING:
    from .calls import Builtin

PICTURE, TEXT = "picture", "text"
_A = {PICTURE: "a picture", TEXT: "text"}
_BETWEEN = {
    (TEXT, PICTURE): "put `text` between",
    (PICTURE, TEXT): "end the line with `> FILE.png` before it",
}


@dataclass(frozen=True, slots=True)
class Files:
    """Files that are read one after another: a pipeline's source or an app's further input."""

    kind: str
    paths: tuple[Path, ...]
    names: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class BuiltinStage:
    """A command of the shell itself and its words, without its name."""

    name: str
    builtin: Builtin
    words: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class AppStage:
    """A program to be started.  ``files`` are the picture inputs behind the pipe's."""

    name: str
    program: Program
    args: tuple[ArgValue, ...]
    files: tuple[Files, ...]


Stage = BuiltinStage | AppStage


@dataclass(frozen=True, slots=True)
class Target:
    """The file of ``>`` or ``>>``."""

    path: Path
    name: str
    append: bool


@dataclass(frozen=True, slots=True)
class Plan:
    """A pipeline that can be started.

    ``kinds[i]`` is what goes into ``stages[i]`` ("" for nothing), and ``kinds[-1]`` what the
    whole gives: "picture", "text", "both" (only without a target) or "".
    """

    source: Files | None
    stages: tuple[Stage, ...]
    kinds: tuple[str, ...]
    target: Target | None


class Planner:
    """Resolves pipelines; holds what names mean, apart from the scope of the moment."""

    def __init__(self, apps: Apps, builtins: Mapping[str, Builtin], host: Host) -> None:
        self._apps = apps
        self._builtins = builtins
        self._host = host

    def plan(self, pipeline: Pipeline, scope: Scope) -> Plan:
        """Resolve one pipeline.  Raises :class:`CommandError` with the place in the line."""
        commands = list(pipeline.commands)
        source = self._source(commands[0], scope)
        from_redirect = commands[0].redirect("<") is not None
        if source is not None and (not from_redirect or not commands[0].words):
            if len(commands[0].words) > 1:
                second = commands[0].words[1]
                raise CommandError(
                    f"{source.names[0]} is a file and takes no arguments: join it to an app with |",
                    start=second.start,
                    end=second.end,
                )
            commands.pop(0)
        stages: list[Stage] = []
        kinds = [source.kind if source else ""]
        giver = source.names[0] if source else ""
        for index, command in enumerate(commands):
            coming = (
                frozenset({kinds[0]} if kinds[0] else ()) if index == 0 else _writes(stages[-1])
            )
            stage, kind = self._stage(command, coming, giver, scope)
            if index or source:
                kinds[-1] = kind
            stages.append(stage)
            kinds.append("")
            giver = stage.name
        target = self._target(pipeline.commands[-1], scope)
        gives = _writes(stages[-1]) if stages else frozenset({kinds[0]})
        if target is None:
            kinds[-1] = "both" if len(gives) > 1 else min(gives, default="")
        else:
            redirect = pipeline.commands[-1].redirects[-1]
            try:
                kinds[-1] = self._into(target, gives, giver)
            except CommandError as error:
                error.start, error.end = redirect.start, redirect.end
                raise
        return Plan(source, tuple(stages), tuple(kinds), target)

    # ---- files --------------------------------------------------------------------------

    def _source(self, command: Command, scope: Scope) -> Files | None:
        redirect = command.redirect("<")
        if redirect is not None:
            return self._files(expand(redirect.target, scope), scope)
        word = command.words[0]
        if word.plain in self._builtins or word.plain in self._apps.names():
            return None
        expanded = expand(word, scope)
        path = path_of(expanded.text, scope.cwd)
        readable = os.path.exists(path) and not os.path.isdir(path) and not is_program(path)
        if not expanded.wild and not readable:
            return None
        return self._files(expanded, scope)

    def _files(self, word: Expanded, scope: Scope) -> Files:
        paths = tuple(path_of(text, scope.cwd) for text in word.texts)
        kinds = {
            self._kind(path, text, word.word) for path, text in zip(paths, word.texts, strict=True)
        }
        if len(kinds) > 1:
            raise CommandError(
                "pictures and other files together: choose one sort",
                start=word.word.start,
                end=word.word.end,
            )
        return Files(kinds.pop(), paths, word.texts)

    def _kind(self, path: Path, name: str, word: Word) -> str:
        if os.path.isdir(path):
            raise CommandError(
                f"{name} is a folder: `cd {name}` goes there, `ls {name}` lists it",
                start=word.start,
                end=word.end,
            )
        if not os.path.exists(path):
            raise CommandError(f"there is no file {name}", start=word.start, end=word.end)
        # What is named like a picture is read as one: if it is damaged, its reader says how.
        if path.suffix.lower() in self._host.picture_suffixes:
            return PICTURE
        try:
            return PICTURE if os.path.isfile(path) and self._host.is_picture(path) else TEXT
        except OSError as error:
            raise CommandError(
                f"cannot read {name}: {why(error)}", status=1, start=word.start, end=word.end
            ) from error

    def _target(self, command: Command, scope: Scope) -> Target | None:
        redirect = command.redirect(">", ">>")
        if redirect is None:
            return None
        name = expand_one(redirect.target, scope)
        return Target(path_of(name, scope.cwd), name, redirect.operator == ">>")

    def _into(self, target: Target, gives: frozenset[str], giver: str) -> str:
        """The kind of what is written to a file."""
        picture_file = target.path.suffix.lower() in self._host.picture_suffixes
        if not gives:
            raise CommandError(f"{giver} gives nothing that a file could hold: it shows a screen")
        if target.append and TEXT not in gives:
            raise CommandError(f"a picture cannot be appended to {target.name}: use >")
        if PICTURE in gives and (picture_file or TEXT not in gives):
            return PICTURE
        if picture_file:
            raise CommandError(
                f"{target.name} is a picture, {giver} gives text: put `text` between"
            )
        return TEXT

    # ---- commands -----------------------------------------------------------------------

    def _stage(
        self, command: Command, coming: frozenset[str], giver: str, scope: Scope
    ) -> tuple[Stage, str]:
        """The stage of a command, and the kind of pipe into it."""
        first = command.words[0]
        words = [expand(word, scope) for word in command.words[1:]]
        name = expand_one(first, scope)
        builtin = self._builtins.get(name)
        try:
            if builtin is not None:
                kind = _join(coming, frozenset({TEXT} if builtin.reads else ()), giver, name)
                texts = tuple(text for word in words for text in word.texts)
                return BuiltinStage(name, builtin, texts), kind
            program = self._program(name, scope)
            kind = _join(coming, reads(program.meta), giver, name)
            return self._app(name, program, words, kind == PICTURE, scope), kind
        except CommandError as error:
            if error.start is None:
                error.start, error.end = first.start, first.end
            raise

    def _program(self, name: str, scope: Scope) -> Program:
        if name in self._apps.names():
            return self._apps.program(name)
        path = path_of(name, scope.cwd)
        if os.path.isfile(path) and is_program(path):
            return program_in(path, name)
        if os.path.isdir(path):
            raise CommandError(f"{name} is a folder: `cd {name}` goes there, `ls {name}` lists it")
        if os.path.exists(path):
            raise CommandError(
                f"{name} is a file, not a program: a file is read where the line begins"
            )
        near = nearest(name, [*self._apps.names(), *self._builtins])
        if "." in name or "/" in name:
            raise CommandError(f"there is no file {name}")
        raise CommandError(
            f"there is no app or file {name}: "
            + (f"did you mean {near}?" if near else "`apps` lists the apps")
        )

    def _app(
        self, name: str, program: Program, words: Sequence[Expanded], piped: bool, scope: Scope
    ) -> AppStage:
        meta = program.meta
        wanted = len(meta.inputs) if PICTURE in meta.ports else 0
        arguments, files = self._split(meta, words, wanted - piped, scope)
        try:
            values = parse_args(meta, arguments, name)
        except UsageError as error:
            raise CommandError(f"{name}: {error.what}", more=[f"usage: {error.usage}"]) from error
        if wanted == 1 and len(files) > 1:
            files = [
                Files(
                    PICTURE,
                    tuple(p for f in files for p in f.paths),
                    tuple(n for f in files for n in f.names),
                )
            ]
        missing = wanted - piped - len(files)
        if missing > 0 and "screen" not in meta.ports:
            names = ", ".join(meta.inputs[-missing:])
            raise CommandError(
                f"{name} needs {_pictures(missing)} ({names}): write "
                f"`picture.png | {name}` or `{name} picture.png`",
                more=[f"usage: {usage(meta, name)}"],
            )
        return AppStage(name, program, tuple(values), tuple(files))

    def _split(
        self, meta: Meta, words: Sequence[Expanded], free: int, scope: Scope
    ) -> tuple[list[str], list[Files]]:
        """Tell an app's arguments from the picture files for its ``free`` inputs."""
        arguments: list[str] = []
        files: list[Files] = []
        skip = False
        for word in words:
            is_name = word.text.startswith("--") and not word.wild
            room = len(files) < free or (free > 0 and len(meta.inputs) == 1)
            if not skip and not is_name and room and self._is_picture(word, scope):
                files.append(self._files(word, scope))
            else:
                # What is not UTF-8 (a file's name may be so) has no place in a program's text.
                arguments += [t.encode("utf-8", "replace").decode() for t in word.texts]
            skip = is_name and "=" not in word.text
            if skip:
                arg = named(meta, word.text)
                skip = arg is None or arg.kind != "flag"
        return arguments, files

    def _is_picture(self, word: Expanded, scope: Scope) -> bool:
        path = path_of(word.text, scope.cwd) if word.text else scope.cwd
        if os.path.isfile(path):
            return self._kind(path, word.text, word.word) == PICTURE
        if path.suffix.lower() in self._host.picture_suffixes and not os.path.exists(path):
            raise CommandError(
                f"there is no file {word.text}", start=word.word.start, end=word.word.end
            )
        return False


def _pictures(count: int) -> str:
    return "a picture" if count == 1 else f"{count} pictures"


def _writes(stage: Stage) -> frozenset[str]:
    return frozenset({TEXT}) if isinstance(stage, BuiltinStage) else writes(stage.program.meta)


def _join(given: frozenset[str], wanted: frozenset[str], giver: str, taker: str) -> str:
    """The kind of pipe between two neighbours; "" where nothing comes."""
    if not giver:
        return ""
    common = given & wanted
    if common:
        return PICTURE if PICTURE in common else TEXT
    if not wanted:
        raise CommandError(f"{taker} reads nothing: begin the line with it")
    if not given:
        raise CommandError(
            f"{taker} expects {_A[min(wanted)]}, but {giver} gives nothing: it shows a screen"
        )
    gives, wants = min(given), min(wanted)
    what = "pictures" if gives == PICTURE else "text"
    raise CommandError(
        f"{taker} expects {_A[wants]}, {giver} gives {what}: " + _BETWEEN[gives, wants]
    )


def shows_still(stage: Stage) -> bool:
    """Whether a stage's picture is what its screen showed last."""
    return isinstance(stage, AppStage) and is_still(stage.program.meta)
