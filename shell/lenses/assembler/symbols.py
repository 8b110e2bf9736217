"""Names: matrices, constants, macros, procs, labels, and the scopes they live in."""

from __future__ import annotations

from dataclasses import dataclass, field
from fractions import Fraction

import numpy as np

from ....kernel.machine.isa import RESERVED
from .errors import Place, SourceError, suggest
from .tree import Block, Bound, Declare, Expr


@dataclass(frozen=True, slots=True)
class Number:
    """A constant: its exact value, and whether it is fixed point (has a point)."""

    value: Fraction
    point: bool = False


@dataclass(slots=True, eq=False)
class Matrix:
    """A matrix of the program.

    ``classes``: for a view, the kinds it is made to show; ``keep``: placed even if nothing
    uses it; ``far``: placed behind the directly addressable entries; ``entry``: its place in
    the table once the program is laid out; ``scratch``: what it holds does not outlast its
    proc; ``entry_of``: its one element is the table entry of that matrix.
    """

    name: str
    kind: str
    place: Place | None = None
    declare: Declare | None = None
    scope: Scope | None = None
    group: str = "declared"
    keep: bool = False
    far: bool = False
    scratch: bool = False
    used: bool = False
    entry: int | None = None
    rows: int = 0
    cols: int = 0
    data: np.ndarray | None = None
    capacity: int = 0
    leaf: int = 0
    scale: float = 1.0
    offset: float = 0.0
    classes: set[str] = field(default_factory=set)
    entry_of: Matrix | None = None

    @property
    def shows(self) -> str:
        """The class of its elements: its kind, or for a view what it is known to show."""
        if self.kind != "V":
            return self.kind
        return next(iter(self.classes)) if len(self.classes) == 1 else "V"


@dataclass(slots=True, eq=False)
class ConstSymbol:
    """A named constant; evaluated when it is first asked for."""

    name: str
    place: Place
    expr: Expr
    scope: Scope
    value: Number | None = None
    busy: bool = False


@dataclass(slots=True, eq=False)
class MacroSymbol:
    """A macro.  ``static``: the scope of the matrices it declares, shared by its uses."""

    name: str
    place: Place
    params: tuple[str, ...]
    body: Block
    value: Expr | None
    static: Scope
    uses: int = 0


@dataclass(slots=True, eq=False)
class LabelSymbol:
    """A place in the code."""

    name: str
    place: Place | None
    pc: int | None = None
    shown: bool = True


@dataclass(slots=True, eq=False)
class ProcSymbol:
    """A routine in braces, placed behind the main code when something refers to it."""

    name: str
    place: Place
    body: Block
    scope: Scope
    label: LabelSymbol
    wanted: bool = False


Symbol = Matrix | ConstSymbol | MacroSymbol | ProcSymbol | Bound | Number


class Scope:
    """A namespace inside another.  Names and labels are kept apart."""

    def __init__(self, parent: Scope | None, prefix: str = "", *, holds: bool = True) -> None:
        """``prefix`` shows in the names of what is declared here; ``holds`` False hands
        declarations up to the parent (one expansion of a macro)."""
        self.parent = parent
        self.prefix = prefix
        self.holds = holds
        self.names: dict[str, Symbol] = {}
        self.labels: dict[str, LabelSymbol] = {}

    def home(self) -> Scope:
        """The scope to which declarations made here belong."""
        return self if self.holds or self.parent is None else self.parent.home()

    def find(self, name: str) -> Symbol | None:
        """What a name means here, or None."""
        scope: Scope | None = self
        while scope is not None:
            if name in scope.names:
                return scope.names[name]
            scope = scope.parent
        return None

    def find_label(self, name: str) -> LabelSymbol | ProcSymbol | None:
        """The label or proc of this name."""
        scope: Scope | None = self
        while scope is not None:
            if name in scope.labels:
                return scope.labels[name]
            found = scope.names.get(name)
            if isinstance(found, ProcSymbol):
                return found
            scope = scope.parent
        return None

    def known(self) -> list[str]:
        """All names that mean something here."""
        return list(self.names) + (self.parent.known() if self.parent else [])

    def known_labels(self) -> list[str]:
        """All labels and procs that can be named here."""
        own = [*self.labels, *(n for n, s in self.names.items() if isinstance(s, ProcSymbol))]
        return own + (self.parent.known_labels() if self.parent else [])

    def add(self, name: str, symbol: Symbol, place: Place) -> None:
        """Declare a name; twice is a mistake."""
        if name in RESERVED:
            raise SourceError(place, f"{name} is the machine's own matrix: choose another name")
        home = self.home()
        if name in home.names:
            raise SourceError(place, f"{name!r} is declared twice", _first(home.names[name]))
        home.names[name] = symbol

    def add_label(self, name: str, label: LabelSymbol, place: Place) -> None:
        """Declare a label; twice is a mistake."""
        if name in self.labels or isinstance(self.names.get(name), ProcSymbol):
            old = self.labels.get(name) or self.names[name]
            raise SourceError(place, f"label {name!r} stands here twice", _first(old))
        self.labels[name] = label


def _first(symbol: Symbol | LabelSymbol) -> str:
    """Where a name was declared first."""
    place = getattr(symbol, "place", None)
    return f"the first is at {place.source.name}:{place.line}" if place is not None else ""


def unknown(name: str, scope: Scope, place: Place, extra: tuple[str, ...] = ()) -> SourceError:
    """The error for a name that means nothing."""
    near = suggest(name, (*scope.known(), *extra))
    return SourceError(
        place, f"nothing is called {name!r}", near or f"declare it: {name} : I (or X, T, P)"
    )
