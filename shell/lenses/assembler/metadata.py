"""What a program says about itself: from directives to :class:`Meta`."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from ....kernel.machine.memory import WIDTHS
from ....kernel.machine.meta import Arg, MetaError, Scalar
from ....kernel.machine.ports import LETTER_OF
from . import constants
from .errors import Collector, Place, SourceError, suggest
from .symbols import Scope
from .tree import Argument, Directive, Expr, Name, Num, Text

#: Most words that a source may ask of its call stack.
MAX_STACK = 1 << 16
_TEXTS = ("title", "author", "licence", "summary", "help")


@dataclass(slots=True)
class About:
    """The directives' values."""

    texts: dict[str, str] = field(default_factory=dict)
    size: tuple[int, int] | None = None
    ports: list[str] = field(default_factory=list)
    inputs: list[str] = field(default_factory=list)
    args: list[Arg] = field(default_factory=list)
    stack: int = 64
    width: int | None = None
    code_writable: bool = False
    icon: tuple[str, Place] | None = None


def read(directives: Iterable[Directive | Argument], scope: Scope, problems: Collector) -> About:
    """All directives of a program; mistakes go to ``problems``."""
    about = About()
    seen: dict[str, Place] = {}
    for stmt in directives:
        try:
            if isinstance(stmt, Argument):
                about.args.append(_argument(stmt, scope, about.args))
                continue
            if stmt.name not in ("ports", "inputs", "writable"):
                if stmt.name in seen:
                    raise SourceError(
                        stmt.place,
                        f"{stmt.name} stands here twice",
                        f"the first is at line {seen[stmt.name].line}",
                    )
                seen[stmt.name] = stmt.place
            _directive(stmt, about, scope)
        except SourceError as error:
            problems.add(error)
    return about


def _directive(stmt: Directive, about: About, scope: Scope) -> None:
    words = stmt.words
    match stmt.name, words:
        case ("icon", (Text() as file,)):
            about.icon = file.text, file.place
        case (_, (Text() as text,)) if stmt.name in _TEXTS:
            plain = text.text.strip("\n") if stmt.name == "help" else text.text
            about.texts[stmt.name] = plain
        case ("size", (Num() as rows, Num() as cols)):
            if not (1 <= rows.value <= 8192 and 1 <= cols.value <= 8192):
                raise SourceError(rows.place, "a screen has 1..8192 rows and columns")
            about.size = int(rows.value), int(cols.value)
        case ("stack", (number,)):
            about.stack = constants.need_int(number, scope, "the call stack", 0, MAX_STACK)
        case ("width", (number,)):
            about.width = constants.need_int(number, scope, "the width", 1, max(WIDTHS))
            if about.width not in WIDTHS:
                raise SourceError(
                    number.place,
                    f"a program cannot be {about.width} pixels wide",
                    "widths are " + ", ".join(map(str, WIDTHS)),
                )
        case ("ports", names):
            _ports(names, about)
        case ("inputs", names):
            about.inputs += [name.name for name in names if isinstance(name, Name)]
        case ("writable", names):
            for name in names:
                if not isinstance(name, Name) or name.name != "CODE":
                    raise SourceError(name.place, "only CODE can be made writable")
            about.code_writable = True


def _ports(names: tuple[Expr, ...], about: About) -> None:
    for name in names:
        assert isinstance(name, Name)
        if name.name not in LETTER_OF:
            raise SourceError(
                name.place,
                f"there is no port {name.name!r}",
                suggest(name.name, LETTER_OF) or "ports are " + ", ".join(LETTER_OF),
            )
        if name.name not in about.ports:
            about.ports.append(name.name)


def _argument(stmt: Argument, scope: Scope, before: list[Arg]) -> Arg:
    if any(arg.name == stmt.name for arg in before):
        raise SourceError(stmt.place, f"two arguments are called {stmt.name!r}")
    low, high = (_number(stmt, expr, scope, "a bound") for expr in (stmt.low, stmt.high))
    default: Scalar | None = None
    if isinstance(stmt.default, Text):
        default = stmt.default.text
    elif stmt.kind == "flag":
        default = False
        if stmt.default is not None:
            words = {"true": True, "false": False, "yes": True, "no": False}
            word = stmt.default.name if isinstance(stmt.default, Name) else ""
            if word not in words:
                raise SourceError(stmt.default.place, "a flag is true or false")
            default = words[word]
    elif stmt.default is not None:
        default = _number(stmt, stmt.default, scope, "the default")
    if (low is not None or high is not None) and stmt.kind not in ("int", "number"):
        raise SourceError(stmt.place, f"an argument of kind {stmt.kind} has no bounds")
    try:
        return Arg(stmt.name, stmt.kind, default, low, high, stmt.choices, stmt.help)
    except MetaError as error:
        raise SourceError(stmt.place, str(error)) from None


def _number(stmt: Argument, expr: Expr | None, scope: Scope, what: str) -> int | float | None:
    if expr is None:
        return None
    value = constants.need(expr, scope, what).value
    if stmt.kind == "int" and value.denominator != 1:
        raise SourceError(expr.place, f"{what} of an int must be a whole number")
    return int(value) if value.denominator == 1 else float(value)
