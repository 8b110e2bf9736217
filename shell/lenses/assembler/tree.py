"""The shapes that the parser builds: expressions and statements, each with its place."""

from __future__ import annotations

from dataclasses import dataclass, field
from fractions import Fraction
from typing import TYPE_CHECKING

from .errors import Place

if TYPE_CHECKING:
    from .symbols import Scope


@dataclass(frozen=True, slots=True)
class Node:
    """Anything with a place in a source."""

    place: Place


# ---- expressions ---------------------------------------------------------------------------


class Expr(Node):
    """An expression."""

    __slots__ = ()


@dataclass(frozen=True, slots=True)
class Num(Expr):
    """A number; ``point``: written with a point, so fixed point rather than integer.
    ``char``: written as a character."""

    value: Fraction
    point: bool = False
    char: bool = False


@dataclass(frozen=True, slots=True)
class Text(Expr):
    """A string."""

    text: str


@dataclass(frozen=True, slots=True)
class Name(Expr):
    """A name: matrix, constant, parameter, label or port, as the context wants."""

    name: str


@dataclass(frozen=True, slots=True)
class Dot(Expr):
    """``base.name``: a transposed operand (``.T``) or a name that belongs to a proc."""

    base: Expr
    name: str


@dataclass(frozen=True, slots=True)
class Unary(Expr):
    """``-x``, ``not x``, ``where c``."""

    op: str
    operand: Expr


@dataclass(frozen=True, slots=True)
class Binary(Expr):
    """An infix operation."""

    op: str
    left: Expr
    right: Expr


@dataclass(frozen=True, slots=True)
class Apply(Expr):
    """``name(arguments)``."""

    name: str
    args: tuple[Expr, ...]


@dataclass(frozen=True, slots=True)
class Index(Expr):
    """``base[items]``."""

    base: Expr
    items: tuple[Expr, ...]


@dataclass(frozen=True, slots=True)
class Rows(Expr):
    """``[a, b; c, d]``."""

    rows: tuple[tuple[Expr, ...], ...]


@dataclass(frozen=True, slots=True)
class Each(Expr):
    """``[item for name in low..high]``."""

    item: Expr
    name: str
    low: Expr
    high: Expr


@dataclass(frozen=True, slots=True)
class Bound(Expr):
    """An expression together with the scope in which its names mean something: an argument
    of a macro."""

    expr: Expr
    scope: Scope


# ---- statements ----------------------------------------------------------------------------


class Stmt(Node):
    """A statement."""

    __slots__ = ()


Block = tuple[Stmt, ...]


@dataclass(frozen=True, slots=True)
class Directive(Stmt):
    """``title "..."`` and the like: ``words`` are the tokens' parsed values."""

    name: str
    words: tuple[Expr, ...]


@dataclass(frozen=True, slots=True)
class Argument(Stmt):
    """``arg NAME KIND [= default] [in low..high] ["help"]``."""

    name: str
    kind: str
    choices: tuple[str, ...]
    default: Expr | None
    low: Expr | None
    high: Expr | None
    help: str


@dataclass(frozen=True, slots=True)
class Include(Stmt):
    """``include "file"``."""

    file: str


@dataclass(frozen=True, slots=True)
class Constant(Stmt):
    """``const NAME = expression``."""

    name: str
    value: Expr


@dataclass(frozen=True, slots=True)
class Declare(Stmt):
    """``NAME : KIND [shape] [options] [flags] [= data]``: leaf, cap, scale and offset with a
    value; keep, far and scratch without."""

    name: str
    kind: str
    shape: tuple[Expr, Expr] | None
    options: dict[str, Expr]
    flags: frozenset[str]
    data: Expr | None


@dataclass(frozen=True, slots=True)
class Macro(Stmt):
    """``macro name(parameters) { body }`` or ``macro name(parameters) = expression``."""

    name: str
    params: tuple[str, ...]
    body: Block
    value: Expr | None


@dataclass(frozen=True, slots=True)
class Proc(Stmt):
    """``proc name { body }``."""

    name: str
    body: Block


@dataclass(frozen=True, slots=True)
class Label(Stmt):
    """``name:``."""

    name: str


@dataclass(frozen=True, slots=True)
class Assign(Stmt):
    """``target = value`` or ``target op= value``."""

    target: Expr
    op: str
    value: Expr


@dataclass(frozen=True, slots=True)
class Do(Stmt):
    """A call as a statement: an instruction in words, or a macro."""

    call: Apply


@dataclass(frozen=True, slots=True)
class If(Stmt):
    """``if c {...} else {...}``; ``negate`` for ``unless``."""

    cond: Expr
    negate: bool
    then: Block
    otherwise: Block


@dataclass(frozen=True, slots=True)
class Loop(Stmt):
    """``while c {...}``, or ``loop {...}`` without a condition."""

    cond: Expr | None
    body: Block


@dataclass(frozen=True, slots=True)
class For(Stmt):
    """``for name in low..high [step n] {...}``."""

    name: str
    low: Expr
    high: Expr
    step: Expr | None
    body: Block


@dataclass(frozen=True, slots=True)
class Jump(Stmt):
    """``goto L``, ``call L``, ``break``, ``continue``; ``how`` says which."""

    how: str
    label: Expr | None = None


@dataclass(frozen=True, slots=True)
class JumpIf(Stmt):
    """``if c goto L`` / ``unless c goto L``, and likewise with break, continue, ..."""

    cond: Expr
    negate: bool
    jump: Stmt


@dataclass(frozen=True, slots=True)
class Leave(Stmt):
    """``return``, or ``halt [status]``."""

    how: str
    status: Expr | None = None


@dataclass(frozen=True, slots=True)
class View(Stmt):
    """``view v = base[r, c, rows, cols] [step r, c] [as K]`` or ``view v = base at s``."""

    name: str
    base: Expr
    items: tuple[Expr, ...]
    at: Expr | None
    step: tuple[Expr, ...]
    seen: str


@dataclass(frozen=True, slots=True)
class Repoint(Stmt):
    """``name d = a[i]``: entry d becomes entry a + i."""

    name: str
    base: Expr
    index: Expr | None


@dataclass(frozen=True, slots=True)
class Raw(Stmt):
    """A raw instruction."""

    char: str
    operands: tuple[Expr, ...]


@dataclass(frozen=True, slots=True)
class Word(Stmt):
    """``word n``: an instruction given as a number."""

    value: Expr


@dataclass(frozen=True, slots=True)
class Expansion:
    """Where a macro is expanded, for messages: its name and the place of the call."""

    name: str
    place: Place
    depth: int = field(default=0)
