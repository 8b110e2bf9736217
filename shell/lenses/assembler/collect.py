"""The first pass: includes, directives, and what is declared where.

Everything may be used before it is declared, so all declarations of all files are known
before the first instruction is made.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Protocol

from ....kernel.machine.isa import KINDS
from . import tree
from .data import Files
from .errors import Collector, Place, Source, SourceError
from .functions import BY_NAME, all_names
from .parser import parse
from .symbols import (
    ConstSymbol,
    LabelSymbol,
    MacroSymbol,
    Matrix,
    ProcSymbol,
    Scope,
)
from .tree import Bound, Expr, Stmt

_CALLABLE = frozenset({*all_names(), "vector"})


class Resolver(Protocol):
    """What :func:`note_view` needs: finding the matrix that an expression names."""

    declared: list[Matrix]

    def matrix(self, expr: Expr, scope: Scope) -> Matrix:
        """The matrix that an expression names."""
        ...


def source_of(
    name: str, path: Path, data: bytes, place: Place | None, *, library: bool = False
) -> Source:
    """A source file from its bytes.  Raises SourceError if they are no UTF-8."""
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        source = Source(name, str(path), str(path.parent), ())
        raise SourceError(
            place or Place(source, 1, 1), f"{name} is no UTF-8 text ({error})"
        ) from None
    lines = text.replace("\r\n", "\n").replace("\r", "\n").split("\n")
    return Source(name, str(path), str(path.parent), tuple(lines), library)


class Collect:
    """Declares everything of a program in ``globals`` and keeps the statements in order."""

    def __init__(self, files: Files, problems: Collector) -> None:
        self.files = files
        self.problems = problems
        self.globals = Scope(None)
        self.declared: list[Matrix] = []
        self.directives: list[tree.Directive | tree.Argument] = []
        self.main: list[Stmt] = []
        self.sources: list[Source] = []
        self.procs: list[ProcSymbol] = []
        self.views: list[tuple[tree.View, Scope]] = []
        self._seen: set[Path] = set()

    def source(self, source: Source, path: Path) -> None:
        """All of one source, and what it includes."""
        self._seen.add(path.resolve())
        self.sources.append(source)
        for stmt in parse(source, self.problems):
            self._guard(self._top, stmt)

    def _guard(self, action: Callable[[Stmt], None], stmt: Stmt) -> None:
        try:
            action(stmt)
        except SourceError as error:
            self.problems.add(error)

    def _top(self, stmt: Stmt) -> None:
        match stmt:
            case tree.Include():
                self._include(stmt)
            case tree.Directive() | tree.Argument():
                self.directives.append(stmt)
            case tree.Macro():
                self._macro(stmt)
            case tree.Proc():
                self._proc(stmt)
            case _:
                self._declare(stmt, self.globals)
                self.main.append(stmt)

    def _include(self, stmt: tree.Include) -> None:
        path, data = self.files.load(stmt.file, stmt.place.source.folder, stmt.place)
        if path.resolve() in self._seen:
            return
        self.source(source_of(stmt.file, path, data, stmt.place, library=True), path)

    def _macro(self, stmt: tree.Macro) -> None:
        self._check_callable(stmt.name, stmt.place)
        static = Scope(self.globals, f"{stmt.name}.")
        self.globals.add(
            stmt.name,
            MacroSymbol(stmt.name, stmt.place, stmt.params, stmt.body, stmt.value, static),
            stmt.place,
        )
        for inner in stmt.body:
            if isinstance(inner, tree.Declare) and inner.name in stmt.params:
                self.problems.add(
                    SourceError(inner.place, f"{inner.name!r} is a parameter already")
                )
            self._guard(lambda one: self._declare(one, static), inner)
        # What a macro's views show is known only where it is expanded.
        self.views = [(view, scope) for view, scope in self.views if scope is not static]

    def _proc(self, stmt: tree.Proc) -> None:
        self._check_callable(stmt.name, stmt.place)
        scope = Scope(self.globals, f"{stmt.name}.")
        symbol = ProcSymbol(
            stmt.name, stmt.place, stmt.body, scope, LabelSymbol(stmt.name, stmt.place)
        )
        if stmt.name in self.globals.labels:
            raise SourceError(stmt.place, f"label {stmt.name!r} stands here twice")
        self.globals.add(stmt.name, symbol, stmt.place)
        self.procs.append(symbol)
        for inner in stmt.body:
            self._guard(lambda one: self._declare(one, scope), inner)
        try:
            collect_labels(stmt.body, scope, f"{stmt.name}.")
        except SourceError as error:
            self.problems.add(error)

    def _check_callable(self, name: str, place: Place) -> None:
        if name in _CALLABLE:
            what = BY_NAME[name].name if name in BY_NAME else "a function"
            raise SourceError(place, f"{name!r} is an instruction already ({what})")

    def _declare(self, stmt: Stmt, scope: Scope) -> None:
        """What one statement declares, and the statements in its blocks."""
        match stmt:
            case tree.Declare():
                library = scope is not self.globals or stmt.place.source.library
                matrix = Matrix(
                    scope.prefix + stmt.name,
                    stmt.kind,
                    stmt.place,
                    stmt,
                    scope,
                    keep="keep" in stmt.flags or not library,
                    far="far" in stmt.flags,
                )
                if "scratch" in stmt.flags:
                    if stmt.data is not None or stmt.kind == "V" or matrix.far or stmt.options:
                        raise SourceError(
                            stmt.place,
                            "a scratch matrix has neither data nor options, and is no view",
                            "it may hold anything when its proc begins",
                        )
                    matrix.scratch = True
                scope.add(stmt.name, matrix, stmt.place)
                self.declared.append(matrix)
            case tree.Constant():
                scope.add(
                    stmt.name, ConstSymbol(stmt.name, stmt.place, stmt.value, scope), stmt.place
                )
            case tree.View():
                self.views.append((stmt, scope))
            case tree.Label() if scope is self.globals:
                scope.add_label(stmt.name, LabelSymbol(stmt.name, stmt.place), stmt.place)
            case tree.If():
                for inner in (*stmt.then, *stmt.otherwise):
                    self._guard(lambda one: self._declare(one, scope), inner)
            case tree.Loop() | tree.For():
                for inner in stmt.body:
                    self._guard(lambda one: self._declare(one, scope), inner)

    def note_views(self, resolver: Resolver) -> None:
        """Declare the views that nobody declared, and learn what views show."""
        for _ in range(2):  # a view of a view that is made further down
            for stmt, scope in self.views:
                note_view(stmt, scope, resolver)


def note_view(stmt: tree.View, scope: Scope, resolver: Resolver) -> None:
    """Remember the class that ``view v = base ...`` gives v; declare v if nobody did."""
    found = scope.find(stmt.name)
    if found is None:
        home = scope.home()
        found = Matrix(home.prefix + stmt.name, "V", stmt.place, scope=home)
        home.add(stmt.name, found, stmt.place)
        resolver.declared.append(found)
    while isinstance(found, Bound):
        found = found.scope.find(found.expr.name) if isinstance(found.expr, tree.Name) else None
    if not isinstance(found, Matrix) or found.kind != "V":
        return
    try:
        base = resolver.matrix(stmt.base, scope)
    except SourceError:
        return  # said again, and collected, where the statement is lowered
    shown = stmt.seen or base.shows
    if shown in KINDS and shown != "V" and stmt.at is None:
        found.classes.add(shown)
    elif stmt.at is not None and base.shows != "V":
        found.classes.add(base.shows)


def views_in(stmts: tuple[Stmt, ...]) -> list[tree.View]:
    """The view statements of a block and the blocks in it."""
    found: list[tree.View] = []
    for stmt in stmts:
        match stmt:
            case tree.View():
                found.append(stmt)
            case tree.If():
                found += views_in((*stmt.then, *stmt.otherwise))
            case tree.Loop() | tree.For():
                found += views_in(stmt.body)
    return found


def collect_labels(stmts: tuple[Stmt, ...], scope: Scope, prefix: str) -> None:
    """Declare the labels of a proc or of one expansion of a macro."""
    for stmt in stmts:
        match stmt:
            case tree.Label():
                scope.add_label(stmt.name, LabelSymbol(prefix + stmt.name, stmt.place), stmt.place)
            case tree.If():
                collect_labels((*stmt.then, *stmt.otherwise), scope, prefix)
            case tree.Loop() | tree.For():
                collect_labels(stmt.body, scope, prefix)
