"""What names mean where they stand: matrices, destinations, literals, ports, labels."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from ....kernel.machine.isa import FOLD_OPERATORS, SHAPE_SELECTORS, Op
from ....kernel.machine.ports import LETTER_OF, PORTS
from . import constants
from .code import Code, Field
from .data import Files
from .errors import Place, SourceError, suggest
from .symbols import LabelSymbol, MacroSymbol, Matrix, ProcSymbol, Scope, unknown
from .tree import Apply, Bound, Dot, Expr, Name

#: How deep macros may expand.
MAX_EXPANSION = 40
_NEVER_WRITTEN = ("SYS", "TABLE", "STACK", "META")


class Names:
    """Resolves names; ``ports_used`` and ``wanted`` remember ports and procs mentioned."""

    def __init__(self, code: Code, files: Files) -> None:
        self.code = code
        self.files = files
        self.code_writable = False
        self.ports_used: dict[str, Place] = {}
        self.wanted: list[ProcSymbol] = []
        self.expansion = 0

    def resolved(self, expr: Expr, scope: Scope) -> tuple[Expr, Scope]:
        """The expression that a parameter stands for, and the scope of its names; any other
        expression as it is."""
        while True:
            found = scope.find(expr.name) if isinstance(expr, Name) else expr
            if not isinstance(found, Bound):
                return expr, scope
            expr, scope = found.expr, found.scope

    # ---- matrices --------------------------------------------------------------------------

    def matrix(self, expr: Expr, scope: Scope) -> Matrix:
        """The matrix that an expression names."""
        expr, scope = self.resolved(expr, scope)
        if isinstance(expr, Dot):
            return self._owned(expr, scope)
        if not isinstance(expr, Name):
            raise SourceError(expr.place, "expected the name of a matrix")
        if expr.name in self.code.reserved:
            return self.code.reserved[expr.name]
        symbol = scope.find(expr.name)
        if isinstance(symbol, Matrix):
            return symbol
        if symbol is None:
            raise unknown(expr.name, scope, expr.place)
        what = {MacroSymbol: "a macro", ProcSymbol: "a proc"}.get(type(symbol), "a constant")
        raise SourceError(expr.place, f"{expr.name!r} is {what}, not a matrix")

    def _owned(self, expr: Dot, scope: Scope) -> Matrix:
        """``proc.name``."""
        owner = scope.find(expr.base.name) if isinstance(expr.base, Name) else None
        if not isinstance(owner, ProcSymbol):
            raise SourceError(expr.place, "only a proc has names of its own", "a.T is a transposed")
        found = owner.scope.names.get(expr.name)
        if not isinstance(found, Matrix):
            raise SourceError(
                expr.place,
                f"{owner.name} has no matrix {expr.name!r}",
                suggest(expr.name, owner.scope.names),
            )
        return found

    def destination(self, expr: Expr, scope: Scope) -> Matrix:
        """The matrix that an instruction is to write."""
        expr, scope = self.resolved(expr, scope)
        if not isinstance(expr, (Name, Dot)):
            raise SourceError(expr.place, "expected the name of a matrix to write to")
        matrix = self.matrix(expr, scope)
        if matrix.name in _NEVER_WRITTEN and matrix.group == "reserved":
            raise SourceError(
                expr.place, f"{matrix.name} belongs to the machine and cannot be written"
            )
        if matrix is self.code.reserved["CODE"] and not self.code_writable:
            raise SourceError(
                expr.place,
                "CODE cannot be written",
                "a program that changes itself says: writable CODE",
            )
        if matrix.kind == "Q":
            raise SourceError(
                expr.place, f"{matrix.name!r} is quantised and cannot be written", "declare it X"
            )
        return matrix

    # ---- numbers inside instructions ---------------------------------------------------------

    def number_field(self, row: Op, name: str, expr: Expr, scope: Scope) -> Field:
        """n16 or n24: a label's place, or the constant of Number."""
        if row.family != "control":
            return constants.need_int(expr, scope, "the number", -32768, 32767)
        if constants.evaluate(expr, scope) is None:
            return self.label(expr, scope)
        most = (1 << int(name[1:])) - 1
        return constants.need_int(expr, scope, "a place in the code", 0, most)

    def literal(self, name: str, expr: Expr, scope: Scope) -> int:
        """A literal byte: a port, a fold operator or a shape selector."""
        if name == "'p":
            return ord(self.port(expr, scope))
        known = FOLD_OPERATORS if name == "'o" else "".join(SHAPE_SELECTORS)
        code = constants.need_int(expr, scope, "a selector", 0, 255)
        if chr(code) not in known:
            raise SourceError(
                expr.place,
                f"no selector {chr(code)!r} here",
                "known are " + " ".join("'" + c for c in known),
            )
        return code

    # ---- ports and labels --------------------------------------------------------------------

    def is_port(self, expr: Expr, scope: Scope) -> bool:
        """Whether an expression names a port."""
        expr, _ = self.resolved(expr, scope)
        return isinstance(expr, Name) and expr.name in LETTER_OF

    def port(self, expr: Expr, scope: Scope) -> str:
        """The letter of a port given by name or letter; its use is remembered."""
        expr, scope = self.resolved(expr, scope)
        if isinstance(expr, Name):
            if expr.name not in LETTER_OF:
                raise SourceError(
                    expr.place,
                    f"there is no port {expr.name!r}",
                    suggest(expr.name, LETTER_OF) or "ports are " + ", ".join(LETTER_OF),
                )
            letter = LETTER_OF[expr.name]
        else:
            letter = chr(constants.need_int(expr, scope, "a port", 0, 255))
        return self.port_letter(letter, expr.place)

    def port_letter(self, letter: str, place: Place) -> str:
        """A letter that must be a port's; its use is remembered."""
        if letter not in PORTS:
            raise SourceError(
                place,
                f"there is no port {letter!r}",
                "ports are " + ", ".join(f"'{p.letter} {p.name}" for p in PORTS.values()),
            )
        self.ports_used.setdefault(letter, place)
        return letter

    def label(self, expr: Expr, scope: Scope) -> LabelSymbol:
        """The label that an expression names; a proc that is named will be placed."""
        expr, scope = self.resolved(expr, scope)
        if not isinstance(expr, Name):
            raise SourceError(expr.place, "expected the name of a label")
        found = scope.find_label(expr.name)
        if found is None:
            raise SourceError(
                expr.place,
                f"there is no label {expr.name!r}",
                suggest(expr.name, scope.known_labels()),
            )
        if isinstance(found, ProcSymbol):
            if not found.wanted:
                found.wanted = True
                self.wanted.append(found)
            return found.label
        return found

    # ---- macros ------------------------------------------------------------------------------

    @contextmanager
    def expanding(self, macro: MacroSymbol, call: Apply, scope: Scope) -> Iterator[Scope]:
        """The scope of one expansion, its parameters bound to the arguments of the call.
        Mistakes inside it say where the macro was used."""
        if len(call.args) != len(macro.params):
            raise SourceError(
                call.place,
                f"{macro.name}() takes {len(macro.params)} arguments, not {len(call.args)}",
                f"{macro.name}({', '.join(macro.params)})",
            )
        if self.expansion >= MAX_EXPANSION:
            raise SourceError(
                call.place,
                f"macros expand deeper than {MAX_EXPANSION}",
                f"does {macro.name} use itself?",
            )
        inner = Scope(macro.static, holds=False)
        for param, arg in zip(macro.params, call.args, strict=True):
            inner.names[param] = Bound(arg.place, arg, scope)
        self.expansion += 1
        try:
            yield inner
        except SourceError as error:
            used = call.place
            if error.place.source is not used.source or error.place.line != used.line:
                error.notes.append(f"in {macro.name}, used at {used.source.name}:{used.line}")
            raise
        finally:
            self.expansion -= 1
