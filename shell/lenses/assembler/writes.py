"""Assignments: to a whole matrix, or to a part of one."""

from __future__ import annotations

from . import constants, tree
from .code import Small
from .errors import Place, SourceError
from .expressions import Expressions, fits_number
from .functions import BY_NAME, INFIX
from .symbols import Matrix, Scope
from .tree import Apply, Bound, Expr, Index, Unary


class Writes(Expressions):
    """Lowers assignments into ``code``."""

    def assign(self, stmt: tree.Assign, scope: Scope) -> None:
        """``target = value`` and ``target op= value``."""
        target, target_scope = self.resolved(stmt.target, scope)
        if isinstance(target, Index):
            self.assign_part(target, target_scope, stmt, scope)
            return
        if isinstance(target, Apply) and target.name == "rows" and not stmt.op:
            if len(target.args) != 2:
                raise SourceError(target.place, "rows(d, i) = a takes a matrix and row numbers")
            into, numbers = target.args[0], Bound(target.place, target.args[1], target_scope)
            self.in_place("put_rows", into, target_scope, [stmt.value, numbers], scope, stmt.place)
            return
        self.assign_whole(self.destination(target, target_scope), stmt, scope)

    def assign_whole(self, into: Matrix, stmt: tree.Assign, scope: Scope) -> None:
        """``d = value`` and ``d op= value``."""
        if isinstance(stmt.value, Unary) and stmt.value.op == "where":
            raise SourceError(stmt.value.place, "'where' stands only in d[where c] = a")
        if stmt.op:
            self.compound(into, stmt, scope)
            return
        number = constants.evaluate(stmt.value, scope)
        if number is not None:
            if into.kind == "P":
                raise SourceError(
                    stmt.value.place,
                    "a picture cannot be a number",
                    f"fill({into.name}, #ff0000) fills it with a colour",
                )
            if fits_number(number):
                self.code.emit(BY_NAME["number"], (into, int(number.value)), stmt.place)
                return
        result = self.value(stmt.value, scope, into)
        if result is not into:
            self.code.operation("add", [result, Small(0)], stmt.place, into)

    def compound(self, into: Matrix, stmt: tree.Assign, scope: Scope) -> None:
        """``d op= value``: one instruction beside those of the value."""
        op = stmt.op
        if op == ">>":
            value = self.value(Unary(stmt.value.place, "-", stmt.value), scope)
            op = "<<"
        else:
            value = self.value(stmt.value, scope, raw=op in "&|^")
        self.code.operation(INFIX[op], [into, value], stmt.place, into)

    def assign_part(
        self, target: Index, target_scope: Scope, stmt: tree.Assign, scope: Scope
    ) -> None:
        """``d[i] = a`` is Put, ``d[where c] = a`` Select, ``d[i] += a`` Accumulate."""
        if len(target.items) != 1:
            raise SourceError(
                target.place,
                "d[i] takes one position, counted row by row",
                "view v = d[r, c, rows, cols] makes a part writable",
            )
        item = target.items[0]
        if isinstance(item, Unary) and item.op == "where":
            if stmt.op:
                raise SourceError(
                    stmt.place,
                    f"d[where c] {stmt.op}= is not one instruction",
                    "write d[where c] = d + ...",
                )
            cond = Bound(item.place, item.operand, target_scope)
            args: list[Expr] = [cond, stmt.value]
            self.in_place("select", target.base, target_scope, args, scope, stmt.place)
        elif stmt.op in ("", "+"):
            row = "accumulate" if stmt.op else "put"
            args = [stmt.value, Bound(item.place, item, target_scope)]
            self.in_place(row, target.base, target_scope, args, scope, stmt.place)
        else:
            raise SourceError(
                stmt.place,
                f"d[i] {stmt.op}= is not one instruction",
                "only d[i] = a and d[i] += a are",
            )

    def in_place(
        self,
        row: str,
        target: Expr,
        target_scope: Scope,
        args: list[Expr],
        scope: Scope,
        place: Place,
    ) -> None:
        """An instruction that changes a part of ``target``."""
        into = self.destination(target, target_scope)
        self.code.operation(row, [self.value(arg, scope) for arg in args], place, into)
