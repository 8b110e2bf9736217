"""Expressions: one instruction for each operation."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction

from ....kernel.machine.isa import Op
from ....kernel.machine.ports import PORTS
from . import constants
from .code import Field, Operand, Small, kind_of
from .data import DataReader
from .errors import Place, SourceError, suggest
from .functions import BY_NAME, INFIX, SHORT, all_names, port_kind
from .names import Names
from .symbols import MacroSymbol, Matrix, Number, Scope
from .tree import (
    Apply,
    Binary,
    Dot,
    Each,
    Expr,
    Index,
    Name,
    Num,
    Rows,
    Text,
    Unary,
)

_SWAPPED = {">": "<", ">=": "<="}
_INTEGRAL = frozenset("ITP")


class Expressions(Names):
    """Lowers expressions into ``code``."""

    # ---- values ----------------------------------------------------------------------------

    def value(
        self, expr: Expr, scope: Scope, into: Matrix | None = None, *, raw: bool = False
    ) -> Operand:
        """The operand that holds an expression's value.

        If the expression needs instructions, the last of them writes ``into`` (or a
        temporary).  ``raw``: the value is used as raw bits.
        """
        number = constants.evaluate(expr, scope)
        if number is not None:
            return self.code.number(number, expr.place, raw=raw)
        expr, scope = self.resolved(expr, scope)
        match expr:
            case Name():
                return self.matrix(expr, scope)
            case Text():
                return self.code.value(DataReader(self.files, scope).read(expr), expr.place)
            case Rows() | Each():
                return self.joined_list(expr, scope, into)
            case Dot() if expr.name != "T":
                return self.matrix(expr, scope)
            case Dot():
                return self.simple("transpose", [expr.base], scope, expr.place, into)
            case Unary():
                return self.unary(expr, scope, into)
            case Binary():
                return self.binary(expr, scope, into)
            case Index():
                return self.index(expr, scope, into)
            case Apply():
                return self.apply(expr, scope, into)
        raise SourceError(expr.place, "this is no value")

    def simple(
        self, op: str, args: Sequence[Expr], scope: Scope, place: Place, into: Matrix | None
    ) -> Matrix:
        """One instruction on the values of ``args``."""
        row = BY_NAME[op]
        raw = row.family == "bits" and op != "shift"
        operands = [self.value(arg, scope, raw=raw) for arg in args]
        return self.code.operation(row, operands, place, into)

    def unary(self, expr: Unary, scope: Scope, into: Matrix | None) -> Matrix:
        """``-x`` and ``not x``: one instruction each; ``not`` of a comparison is merged."""
        if expr.op == "where":
            raise SourceError(
                expr.place,
                "'where' stands only in d[where c] = a",
                "where(a) gives the positions of the nonzero elements",
            )
        zero = Num(expr.place, Fraction(0))
        if expr.op == "-":
            return self.simple("subtract", [zero, expr.operand], scope, expr.place, into)
        inner = expr.operand
        opposite = {"<=": ">", ">=": "<", "!=": "==", ">": "<=", "<": ">="}
        if isinstance(inner, Binary) and inner.op in opposite:
            turned = Binary(inner.place, opposite[inner.op], inner.left, inner.right)
            return self.binary(turned, scope, into)
        return self.simple("equal", [inner, zero], scope, expr.place, into)

    def binary(self, expr: Binary, scope: Scope, into: Matrix | None) -> Matrix:
        """An infix operation: one instruction, two for some comparisons."""
        op, left, right, place = expr.op, expr.left, expr.right, expr.place
        if op in _SWAPPED:
            op, left, right = _SWAPPED[op], right, left
        if op == "@" and isinstance(right, Dot) and right.name == "T":
            return self.simple("matmul_transposed", [left, right.base], scope, place, into)
        if op == ">>":
            return self.shift_right(left, right, scope, place, into)
        if op in ("!=", "<="):
            if op == "<=" and (found := self.at_most(left, right, scope, place, into)):
                return found
            pair = [left, right] if op == "!=" else [right, left]
            inner = self.simple("equal" if op == "!=" else "less", pair, scope, place, None)
            return self.code.operation("equal", [inner, Small(0)], place, into)
        return self.simple(INFIX[op], [left, right], scope, place, into)

    def at_most(
        self, left: Expr, right: Expr, scope: Scope, place: Place, into: Matrix | None
    ) -> Matrix | None:
        """``left <= right`` in one instruction where one side is an integer constant and the
        other holds integers: ``left < right + 1``."""
        low, high = constants.evaluate(left, scope), constants.evaluate(right, scope)
        known = high if high is not None else low
        if known is None or known.value.denominator != 1 or not -(2**31) < known.value < 2**31 - 1:
            return None
        other = self.value(left if high is not None else right, scope)
        moved = Number(known.value + (1 if high is not None else -1))
        if kind_of(other) not in _INTEGRAL:
            constant = self.code.number(known, place)
            pair = [constant, other] if high is not None else [other, constant]
            inner = self.code.operation("less", pair, place)
            return self.code.operation("equal", [inner, Small(0)], place, into)
        constant = self.code.number(moved, place)
        pair = [other, constant] if high is not None else [constant, other]
        return self.code.operation("less", pair, place, into)

    def shift_right(
        self, left: Expr, right: Expr, scope: Scope, place: Place, into: Matrix | None
    ) -> Matrix:
        """``a >> b``: a shift by -b; one more instruction if b is not constant."""
        value = self.value(left, scope)
        count = self.value(Unary(place, "-", right), scope)
        return self.code.operation("shift", [value, count], place, into)

    def index(self, expr: Index, scope: Scope, into: Matrix | None) -> Matrix:
        """``a[i]``: gather."""
        if len(expr.items) != 1:
            raise SourceError(
                expr.place,
                "a[i] takes one position, counted row by row",
                "rows(a, i) takes rows; view v = a[r, c, rows, cols] a part",
            )
        return self.simple("gather", [expr.base, expr.items[0]], scope, expr.place, into)

    # ---- lists -----------------------------------------------------------------------------

    def joined_list(self, expr: Rows | Each, scope: Scope, into: Matrix | None) -> Operand:
        """A constant list is pooled; others are built by joining their parts."""
        if isinstance(expr, Each) or not expr.rows or self.is_data(expr, scope):
            return self.code.value(DataReader(self.files, scope).read(expr), expr.place)
        rows = expr.rows
        parts: list[Operand] = []
        for row in rows:
            last = into if len(rows) == 1 else None
            parts.append(self.joined("beside", self.runs(row, scope), expr.place, last))
        return self.joined("below", parts, expr.place, into)

    def is_data(self, expr: Rows, scope: Scope) -> bool:
        """Whether a list is constant throughout."""
        return all(
            isinstance(item, (Text, Each))
            or constants.evaluate(item, scope) is not None
            or (isinstance(item, Rows) and self.is_data(item, scope))
            for row in expr.rows
            for item in row
        )

    def runs(self, row: Sequence[Expr], scope: Scope) -> list[Operand]:
        """The operands of a row, neighbouring constants joined into one pooled list."""
        found: list[Operand] = []
        run: list[Expr] = []
        for item in (*row, None):
            if item is not None and constants.evaluate(item, scope) is not None:
                run.append(item)
                continue
            if run:
                several = Rows(run[0].place, (tuple(run),))
                found.append(
                    self.value(run[0], scope)
                    if len(run) == 1
                    else self.code.value(DataReader(self.files, scope).read(several), several.place)
                )
                run = []
            if item is not None:
                found.append(self.value(item, scope))
        return found

    def joined(self, op: str, parts: list[Operand], place: Place, into: Matrix | None) -> Operand:
        """The parts joined one after the other."""
        result = parts[0]
        for number, part in enumerate(parts[1:], 2):
            result = self.code.operation(
                op, [result, part], place, into if number == len(parts) else None
            )
        return result

    # ---- calls -----------------------------------------------------------------------------

    def apply(self, expr: Apply, scope: Scope, into: Matrix | None) -> Operand:
        """``name(arguments)`` as a value."""
        symbol = scope.find(expr.name)
        if isinstance(symbol, MacroSymbol):
            return self.expand_value(symbol, expr, scope, into)
        if expr.name == "vector":
            return self.joined_list(Rows(expr.place, (expr.args,)), scope, into)
        if expr.name == "wait":
            return self.code.operation(
                "wait", [self.port_text(expr.args, scope, expr.place)], expr.place, into
            )
        short = SHORT.get((expr.name, len(expr.args)))
        if short is not None:
            row, pattern = BY_NAME[short[0]], short[1]
        elif expr.name in BY_NAME:
            row = BY_NAME[expr.name]
            pattern = tuple(range(len(row.operands) - 1))
        else:
            raise SourceError(
                expr.place,
                f"there is no function {expr.name!r}",
                suggest(expr.name, (*all_names(), *scope.known(), "vector")),
            )
        self.check_value_row(row, expr, len(pattern), short is not None, into)
        fields = self.fields(row, row.operands[1:], pattern, expr, scope)
        if row.name == "In" and into is None:
            return self.read_port(row, fields, expr.place)
        return self.code.operation(row, fields, expr.place, into)

    def read_port(self, row: Op, fields: list[Field], place: Place) -> Matrix:
        """In as a part of an expression: its temporary has the kind that the port gives."""
        port = fields[0]
        assert isinstance(port, int)
        kind = port_kind(chr(port))
        if kind is None:
            raise SourceError(
                place,
                f"what the port {PORTS[chr(port)].name!r} gives is of no certain kind",
                "assign it to a declared matrix first",
            )
        self.code.release(*fields)
        return self.code.operation(row, fields, place, self.code.temporary(kind))

    def check_value_row(
        self, row: Op, expr: Apply, count: int, short: bool, into: Matrix | None
    ) -> None:
        """Whether a row may stand here as a value with so many arguments."""
        form = ", ".join(row.operands[1:])
        if not row.writes or row.keeps_shape:
            first = ", ".join(row.operands)
            raise SourceError(
                expr.place,
                f"{expr.name}(...) changes what is there and has no value",
                f"write it as a statement: {expr.name}({first})",
            )
        if row.family == "table" and row.char in "VN" and into is None:
            raise SourceError(expr.place, f"{expr.name}(...) must be assigned to a name")
        if not short and len(expr.args) != count:
            others = sorted(n for name, n in SHORT if name == expr.name)
            also = f" or {', '.join(map(str, others))}" if others else ""
            raise SourceError(
                expr.place,
                f"{expr.name}() takes {count}{also} argument"
                f"{'s' if count != 1 or also else ''}, not {len(expr.args)}",
                f"d = {expr.name}({form})",
            )

    def fields(
        self, row: Op, names: Sequence[str], pattern: Sequence[int | str], expr: Apply, scope: Scope
    ) -> list[Field]:
        """The fields of an instruction from the arguments of a call."""
        found: list[Field] = []
        raw = row.family == "bits" and row.char != "S"
        for name, source in zip(names, pattern, strict=True):
            if isinstance(source, str):
                found.append(Small(int(source[1:])) if source[0] == "=" else ord(source[1]))
            elif name.startswith("'"):
                found.append(self.literal(name, expr.args[source], scope))
            elif name in ("n16", "n24"):
                found.append(self.number_field(row, name, expr.args[source], scope))
            else:
                found.append(self.value(expr.args[source], scope, raw=raw))
        return found

    def port_text(self, args: Sequence[Expr], scope: Scope, place: Place) -> Operand:
        """The operand of Wait: port names, a text of port letters, or a matrix."""
        if not args:
            raise SourceError(place, "wait for which ports?", "wait(d, keys, frame)")
        if len(args) > 1 or self.is_port(args[0], scope):
            letters = "".join(self.port(arg, scope) for arg in args)
            return self.value(Text(place, letters), scope)
        text, _ = self.resolved(args[0], scope)
        if isinstance(text, Text):
            for letter in text.text:
                self.port_letter(letter, text.place)
        return self.value(text, scope)

    # ---- macros ------------------------------------------------------------------------------

    def expand_value(
        self, macro: MacroSymbol, call: Apply, scope: Scope, into: Matrix | None
    ) -> Operand:
        """A macro that is an expression."""
        if macro.value is None:
            raise SourceError(call.place, f"{macro.name}(...) is a statement and has no value")
        with self.expanding(macro, call, scope) as inner:
            return self.value(macro.value, inner, into)


def fits_number(number: Number) -> bool:
    """Whether Number can set this constant in one instruction without the pool."""
    return number.value.denominator == 1 and -32768 <= number.value <= 32767
