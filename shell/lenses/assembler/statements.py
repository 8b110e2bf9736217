"""Statements: assignments, blocks, jumps, macros, raw instructions."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

from ....kernel.machine.isa import BY_CHAR, Op
from . import constants, tree
from .code import Code, Field, Operand, Small
from .collect import collect_labels, note_view, views_in
from .data import Files
from .errors import Collector, Place, SourceError, suggest, too_deep
from .functions import BY_NAME, SHORT, SHORT_STATEMENTS, all_names
from .symbols import LabelSymbol, MacroSymbol, Matrix, ProcSymbol, Scope
from .tree import Apply, Binary, Bound, Expr, Name, Num, Stmt, Unary
from .writes import Writes


@dataclass(frozen=True, slots=True)
class Around:
    """The labels that break and continue go to."""

    end: LabelSymbol
    again: LabelSymbol


class Statements(Writes):
    """Lowers statements into ``code``; mistakes go to ``problems``."""

    def __init__(self, code: Code, files: Files, problems: Collector) -> None:
        super().__init__(code, files)
        self.problems = problems
        self.declared: list[Matrix] = []
        self.labels: list[LabelSymbol] = []
        self.around: list[Around] = []

    def block(self, stmts: tuple[Stmt, ...], scope: Scope) -> None:
        """Statements one after the other; a wrong one is recorded and passed over."""
        for stmt in stmts:
            self.code.busy.clear()
            try:
                self.statement(stmt, scope)
            except SourceError as error:
                if self.expansion:
                    raise
                self.problems.add(error)
            except RecursionError:
                if self.expansion:
                    raise
                self.problems.add(too_deep(stmt.place))

    def statement(self, stmt: Stmt, scope: Scope) -> None:
        """One statement.  Declarations were dealt with before."""
        match stmt:
            case tree.Assign():
                self.assign(stmt, scope)
            case tree.Do():
                self.do(stmt.call, scope)
            case tree.If():
                self.conditional(stmt, scope)
            case tree.Loop():
                self.loop(stmt, scope)
            case tree.For():
                self.count(stmt, scope)
            case tree.Jump() | tree.Leave():
                self.jump(stmt, scope)
            case tree.JumpIf():
                self.jump_if(stmt, scope)
            case tree.Label():
                self.place(scope.labels[stmt.name])
            case tree.View():
                self.view(stmt, scope)
            case tree.Repoint():
                self.repoint(stmt, scope)
            case tree.Raw():
                self.raw(stmt, scope)
            case tree.Word():
                value = constants.need_int(stmt.value, scope, "a word", -(1 << 31), (1 << 32) - 1)
                self.code.word(value, stmt.place)
            case tree.Include() | tree.Macro() | tree.Proc() | tree.Directive() | tree.Argument():
                raise SourceError(stmt.place, "this stands at the top of a file only, in no block")

    # ---- labels and jumps --------------------------------------------------------------------

    def place(self, label: LabelSymbol) -> None:
        """Put a label here."""
        label.pc = self.code.pc
        self.labels.append(label)

    def hidden(self, name: str) -> LabelSymbol:
        """A label that only the assembler knows."""
        return LabelSymbol(name, None, shown=False)

    def go(self, label: LabelSymbol, place: Place, how: str = "jump") -> None:
        """Jump to or call a label."""
        self.code.emit(BY_NAME[how], (label,), place)

    def jump(self, stmt: Stmt, scope: Scope) -> None:
        """goto, call, break, continue, return, halt."""
        place = stmt.place
        if isinstance(stmt, tree.Leave):
            if stmt.how == "return":
                self.code.emit(BY_NAME["return"], (), place)
            else:
                status = self.value(stmt.status, scope) if stmt.status is not None else Small(0)
                self.code.emit(BY_NAME["halt"], (status,), place)
            return
        assert isinstance(stmt, tree.Jump)
        if stmt.label is not None:
            self.go(self.label(stmt.label, scope), place, "jump" if stmt.how == "goto" else "call")
        else:
            self.go(self.loop_label(stmt.how, place), place)

    def loop_label(self, how: str, place: Place) -> LabelSymbol:
        """Where break or continue goes."""
        if not self.around:
            raise SourceError(place, f"{how} stands outside any loop")
        return self.around[-1].end if how == "break" else self.around[-1].again

    def jump_if(self, stmt: tree.JumpIf, scope: Scope) -> None:
        """``if c goto L``: a branch; other jumps are branched around."""
        jump = stmt.jump
        if isinstance(jump, tree.Jump) and jump.how != "call":
            label = (
                self.label(jump.label, scope)
                if jump.label is not None
                else self.loop_label(jump.how, jump.place)
            )
            self.branch(stmt.cond, scope, label, not stmt.negate)
            return
        over = self.hidden("over")
        self.branch(stmt.cond, scope, over, stmt.negate)
        self.jump(jump, scope)
        self.place(over)

    def branch(self, cond: Expr, scope: Scope, label: LabelSymbol, when: bool) -> None:
        """Go to ``label`` if the condition is ``when``; ``and`` and ``or`` stop early."""
        self.code.busy.clear()
        if isinstance(cond, Bound):
            self.branch(cond.expr, cond.scope, label, when)
            return
        number = constants.evaluate(cond, scope)
        if number is not None:
            if bool(number.value) == when:
                self.go(label, cond.place)
            return
        match cond:
            case Unary() if cond.op == "not":
                self.branch(cond.operand, scope, label, not when)
            case Binary() if cond.op in ("and", "or"):
                if (cond.op == "or") == when:
                    self.branch(cond.left, scope, label, when)
                    self.branch(cond.right, scope, label, when)
                else:
                    over = self.hidden("over")
                    self.branch(cond.left, scope, over, not when)
                    self.branch(cond.right, scope, label, when)
                    self.place(over)
            case Binary() if cond.op in ("!=", "==") and self.is_zero(cond.right, scope):
                self.branch(cond.left, scope, label, when == (cond.op == "!="))
            case Binary() if cond.op == "!=":
                equal = Binary(cond.place, "==", cond.left, cond.right)
                self.branch(equal, scope, label, not when)
            case Binary() if cond.op in ("<=", ">="):
                less = Binary(cond.place, "<" if cond.op == ">=" else ">", cond.left, cond.right)
                self.branch(less, scope, label, not when)
            case _:
                value = self.value(cond, scope)
                self.code.emit(
                    BY_NAME["branch" if when else "branch_unless"], (value, label), cond.place
                )

    def is_zero(self, expr: Expr, scope: Scope) -> bool:
        """Whether an expression is the constant 0."""
        number = constants.evaluate(expr, scope)
        return number is not None and number.value == 0

    # ---- blocks ------------------------------------------------------------------------------

    def conditional(self, stmt: tree.If, scope: Scope) -> None:
        """``if c {...} else {...}``."""
        end, otherwise = self.hidden("end"), self.hidden("else")
        self.branch(stmt.cond, scope, otherwise if stmt.otherwise else end, stmt.negate)
        self.block(stmt.then, scope)
        if stmt.otherwise:
            self.go(end, stmt.place)
            self.place(otherwise)
            self.block(stmt.otherwise, scope)
        self.place(end)

    def loop(self, stmt: tree.Loop, scope: Scope) -> None:
        """``while c {...}``, tested at its end; ``loop {...}``."""
        top, end = self.hidden("top"), self.hidden("end")
        again = top if stmt.cond is None else self.hidden("again")
        if stmt.cond is not None:
            self.go(again, stmt.place)
        self.place(top)
        self.body(stmt.body, scope, Around(end, again))
        if stmt.cond is None:
            self.go(top, stmt.place)
        else:
            self.place(again)
            self.branch(stmt.cond, scope, top, True)
        self.place(end)

    def body(self, block: tuple[Stmt, ...], scope: Scope, around: Around) -> None:
        """The statements of a loop."""
        self.around.append(around)
        try:
            self.block(block, scope)
        finally:
            self.around.pop()

    def count(self, stmt: tree.For, scope: Scope) -> None:
        """``for i in low..high step n {...}``: an undeclared i becomes an integer."""
        if scope.find(stmt.name) is None:
            home = scope.home()
            counter = Matrix(home.prefix + stmt.name, "I", stmt.place, scope=home, rows=1, cols=1)
            home.add(stmt.name, counter, stmt.place)
            self.declared.append(counter)
        name = Name(stmt.place, stmt.name)
        step = constants.need(stmt.step, scope, "the step").value if stmt.step else 1
        if step == 0:
            raise SourceError(stmt.place, "a step of 0 counts for ever")
        top, again, test, end = (self.hidden(n) for n in ("top", "again", "test", "end"))
        self.assign(tree.Assign(stmt.place, name, "", stmt.low), scope)
        self.go(test, stmt.place)
        self.place(top)
        self.body(stmt.body, scope, Around(end, again))
        self.place(again)
        step_expr = stmt.step or Num(stmt.place, Fraction(1))
        self.assign(tree.Assign(stmt.place, name, "+", step_expr), scope)
        self.place(test)
        self.branch(Binary(stmt.place, "<" if step > 0 else ">", name, stmt.high), scope, top, True)
        self.place(end)

    # ---- calls -------------------------------------------------------------------------------

    def do(self, call: Apply, scope: Scope) -> None:
        """A macro or an instruction in words: all its operands in order, d first."""
        symbol = scope.find(call.name)
        if isinstance(symbol, MacroSymbol):
            self.expand(symbol, call, scope)
            return
        if call.name == "wait" and call.args:
            into = self.destination(call.args[0], scope)
            text = self.port_text(call.args[1:], scope, call.place)
            self.code.operation("wait", [text], call.place, into)
            return
        short = SHORT_STATEMENTS.get((call.name, len(call.args)))
        row = BY_NAME.get(short[0] if short else call.name)
        if row is None:
            raise self.no_statement(call, scope)
        pattern = short[1] if short else tuple(range(len(row.operands)))
        if not short and len(call.args) != len(pattern):
            value = (call.name, len(call.args)) in SHORT or len(call.args) == len(pattern) - 1
            example = ", ".join(row.operands)
            hint = (
                f"it gives a value: d = {call.name}(...)"
                if value and row.writes and not row.keeps_shape
                else f"{call.name}({example})"
            )
            raise SourceError(
                call.place,
                f"as a statement {call.name}() takes {len(pattern)} operands, not {len(call.args)}",
                hint,
            )
        fields = self.fields(row, row.operands, pattern, call, scope)
        if row.writes:
            fields[0] = self.destination(call.args[int(pattern[0])], scope)
        self.code.emit(row, fields, call.place)

    def no_statement(self, call: Apply, scope: Scope) -> SourceError:
        """The error for a call of something that is no instruction."""
        if isinstance(scope.find(call.name), ProcSymbol):
            return SourceError(call.place, f"{call.name!r} is a proc", f"call {call.name}")
        if any(name == call.name for name, _ in SHORT) or call.name == "vector":
            return SourceError(
                call.place,
                f"{call.name}(...) is a value and changes nothing by itself",
                f"d = {call.name}(...)",
            )
        return SourceError(
            call.place,
            f"there is no instruction or macro {call.name!r}",
            suggest(call.name, (*all_names(), *scope.known())),
        )

    def expand(self, macro: MacroSymbol, call: Apply, scope: Scope) -> None:
        """A macro of statements, or one that is an expression and so has no effect."""
        if macro.value is not None:
            raise SourceError(
                call.place,
                f"{macro.name}(...) is a value and changes nothing by itself",
                f"d = {macro.name}(...)",
            )
        macro.uses += 1
        around, self.around = self.around, []
        try:
            with self.expanding(macro, call, scope) as inner:
                collect_labels(macro.body, inner, f"{macro.name}~{macro.uses}.")
                for view in views_in(macro.body):
                    note_view(view, inner, self)
                self.block(macro.body, inner)
        finally:
            self.around = around

    # ---- table and raw -----------------------------------------------------------------------

    def view(self, stmt: tree.View, scope: Scope) -> None:
        """``view v = ...``: one instruction, and those that build a rectangle of scalars."""
        target = Name(stmt.place, stmt.name)
        into = self.destination(target, scope)
        if into.kind != "V":
            raise SourceError(
                stmt.place,
                f"{stmt.name!r} is declared {into.kind}, a view is V",
                f"{stmt.name} : V",
            )
        base = self.matrix(stmt.base, scope)
        where: Operand
        if stmt.at is not None:
            where = self.value(stmt.at, scope)
        else:
            items = list(stmt.items) or [Num(stmt.place, Fraction(n)) for n in (0, 0, -1, -1)]
            if stmt.step or stmt.seen:
                items += stmt.step or [Num(stmt.place, Fraction(1))] * 2
            if stmt.seen:
                items.append(Num(stmt.place, Fraction(ord(stmt.seen))))
            where = self.value(tree.Rows(stmt.place, (tuple(items),)), scope)
        self.code.operation("view", [base, where], stmt.place, into)

    def repoint(self, stmt: tree.Repoint, scope: Scope) -> None:
        """``name d = a[i]``.  A far a is reached from entry 0 by its number."""
        into = self.destination(Name(stmt.place, stmt.name), scope)
        base = self.matrix(stmt.base, scope)
        index: Operand = self.value(stmt.index, scope) if stmt.index is not None else Small(0)
        if base.far:
            number = self.code.entry_of(base)
            index = (
                number
                if index == Small(0)
                else self.code.operation("add", [number, index], stmt.place)
            )
            base = self.code.reserved["SYS"]
        self.code.operation("name", [base, index], stmt.place, into)

    def raw(self, stmt: tree.Raw, scope: Scope) -> None:
        """A raw instruction: its operands go into the bytes as they are."""
        op = BY_CHAR[stmt.char]
        if len(stmt.operands) != len(op.operands):
            raise SourceError(
                stmt.place,
                f"{op.char} {op.name} takes {len(op.operands)} operands, not {len(stmt.operands)}",
                f"{op.char} {op.form}",
            )
        fields = [
            self.raw_field(op, name, expr, scope)
            for name, expr in zip(op.operands, stmt.operands, strict=True)
        ]
        self.code.emit(op, fields, stmt.place)

    def raw_field(self, op: Op, name: str, expr: Expr, scope: Scope) -> Field:
        """One operand of a raw instruction."""
        if name.startswith("'"):
            return constants.need_int(expr, scope, "a literal", 0, 255)
        if name in ("n16", "n24"):
            return self.number_field(op, name, expr, scope)
        return self.value(expr, scope, raw=op.family == "bits" and op.char != "S")
