"""Reading statements.

Every statement ends with its line.  A mistake is recorded and reading goes on with the
next line, so that one run shows the mistakes of a whole file.
"""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction

from ....kernel.machine.isa import KINDS
from ....kernel.machine.meta import ARG_KINDS
from . import tree
from .errors import Collector, Source, SourceError, suggest
from .lexer import CALLABLE, KEYWORDS, Lexer, Token
from .reader import COMPARISONS, MAX_DEPTH, Reader
from .tree import Apply, Expr, Name, Num, Stmt, Text

#: Statements about the program as a whole: what follows the word.
DIRECTIVES = {
    "title": "string",
    "author": "string",
    "licence": "string",
    "summary": "string",
    "help": "string",
    "icon": "string",
    "size": "size",
    "ports": "names",
    "inputs": "names",
    "stack": "number",
    "width": "number",
    "writable": "names",
}
_ASSIGN = ("=", "+=", "-=", "*=", "/=", "//=", "%=", "&=", "|=", "^=", "<<=", ">>=", "@=")
_OPTIONS = ("leaf", "cap", "scale", "offset")
_FLAGS = ("keep", "far", "scratch")


def parse(source: Source, problems: Collector) -> tuple[Stmt, ...]:
    """The statements of a source; mistakes go to ``problems``."""
    return Parser(Lexer(source, problems).run(), problems).program()


class Parser(Reader):
    """Statements."""

    def __init__(self, tokens: list[Token], problems: Collector) -> None:
        super().__init__(tokens)
        self.problems = problems
        self.blocks = 0

    def program(self) -> tuple[Stmt, ...]:
        """All statements of the source."""
        found = self.statements()
        while self.token.kind != "end":
            self.problems.add(SourceError(self.place, "'}' closes nothing"))
            self.next()
            found += self.statements()
        return tuple(found)

    def statements(self) -> list[Stmt]:
        """Statements up to a closing brace or the end."""
        found: list[Stmt] = []
        while self.token.kind != "end" and not self.is_op("}"):
            if self.token.kind == "newline":
                self.next()
                continue
            depth, blocks = self.depth, self.blocks
            try:
                found.append(self.statement())
                self.end_of_statement()
            except SourceError as error:
                self.problems.add(error)
                self.depth, self.blocks = depth, blocks
                self.recover()
        return found

    def recover(self) -> None:
        """Go to the end of the line, and past the block that the line opens, if any."""
        opened = 0
        while self.token.kind != "end":
            if self.is_op("{"):
                opened += 1
            elif self.is_op("}"):
                if opened == 0:
                    return
                opened -= 1
            elif self.token.kind == "newline" and opened == 0:
                return
            self.next()

    def end_of_statement(self) -> None:
        """A statement must end here."""
        if self.token.kind not in ("newline", "end") and not self.is_op("}"):
            raise SourceError(
                self.place,
                f"expected the end of the line, found {self.shown()}",
                "a comment begins with ;" if self.is_op("//") else "",
            )

    def block(self) -> tuple[Stmt, ...]:
        """``{ statements }``."""
        opening = self.need_op("{", "to begin a block")
        self.blocks += 1
        if self.blocks > MAX_DEPTH:
            raise SourceError(opening.place, f"blocks nested deeper than {MAX_DEPTH}")
        found = self.statements()
        if not self.take_op("}"):
            raise SourceError(opening.place, "this '{' is never closed")
        self.blocks -= 1
        return tuple(found)

    # ---- one statement -----------------------------------------------------------------------

    def statement(self) -> Stmt:
        """One statement."""
        token = self.token
        if token.kind == "raw":
            return self.raw()
        if token.kind != "name":
            raise SourceError(token.place, f"a statement cannot begin with {self.shown()}")
        word, follows = str(token.value), self.peek()
        if follows.kind == "op" and follows.value == ":":
            return self.labelled()
        special = follows.kind == "op" and follows.value in (*_ASSIGN, "[", ".")
        if (
            word in DIRECTIVES
            and not special
            and not (follows.kind == "op" and follows.value == "(")
        ):
            return self.directive()
        reader: Callable[[], Stmt] | None = getattr(self, f"read_{word}", None)
        if reader is not None and not special:
            callable_word = word in ("view", "halt", "name")
            if not (follows.kind == "op" and follows.value == "(" and callable_word):
                return reader()
        return self.assignment()

    def raw(self) -> Stmt:
        """A raw instruction and its operands."""
        token = self.next()
        operands: list[Expr] = []
        while self.token.kind in ("name", "number", "char", "string"):
            if self.token.kind != "name":
                operands.append(self.primary())
                continue
            name = self.next()
            parts = str(name.value).split(".")
            operand: Expr = Name(name.place, parts[0])
            for part in parts[1:]:
                operand = tree.Dot(name.place, operand, part)
            operands.append(operand)
        return tree.Raw(token.place, str(token.value), tuple(operands))

    def labelled(self) -> Stmt:
        """``name:`` or ``name : KIND ...``.  ``loop:`` may be a label as well."""
        token = self.next()
        name = str(token.value)
        self.next()
        if self.token.kind in ("newline", "end") or self.is_op("}"):
            return tree.Label(token.place, name)
        if name in KEYWORDS:
            raise SourceError(
                token.place, f"{name!r} is a word of the language: no name for a matrix"
            )
        kind, place = self.need_name("a kind")
        if kind not in KINDS:
            shown = ", ".join(f"{k} {what}" for k, what in KINDS.items())
            raise SourceError(
                place,
                f"there is no kind {kind!r}",
                f"kinds are {shown}; a label stands on a line of its own",
            )
        return self.declaration(name, kind, token)

    def declaration(self, name: str, kind: str, token: Token) -> Stmt:
        """What follows ``NAME : KIND``."""
        shape: tuple[Expr, Expr] | None = None
        options: dict[str, Expr] = {}
        flags: set[str] = set()
        if self.token.kind == "number" and self.token.text.startswith("0x"):
            found = self.next()  # 0x4 can only be a shape here, not a hexadecimal number
            if not found.text[2:].isdigit():
                raise SourceError(found.place, f"{found.text!r} is no shape", "[rows, columns]")
            shape = (self.whole(found, 0), self.whole(found, int(found.text[2:])))
        elif self.token.kind == "shape":
            found = self.next()
            assert isinstance(found.value, tuple)
            shape = (self.whole(found, int(found.value[0])), self.whole(found, int(found.value[1])))
        elif self.is_op("["):
            place = self.next().place
            items = self.items("]")
            if len(items) != 2:
                raise SourceError(place, "a shape is [rows, columns]")
            shape = (items[0], items[1])
        while self.token.kind == "name":
            word = str(self.token.value)
            if word in _FLAGS:
                flags.add(word)
                self.next()
            elif word in _OPTIONS:
                self.next()
                options[word] = self.unary()
            else:
                raise SourceError(
                    self.place,
                    f"unexpected {word!r} in a declaration",
                    suggest(word, (*_OPTIONS, *_FLAGS)),
                )
        data = self.expression() if self.take_op("=") else None
        return tree.Declare(token.place, name, kind, shape, options, frozenset(flags), data)

    def whole(self, token: Token, value: int) -> Expr:
        """A number that was part of a shape."""
        return Num(token.place, Fraction(value))

    def directive(self) -> Stmt:
        """``title "..."`` and the like."""
        token = self.next()
        name = str(token.value)
        what = DIRECTIVES[name]
        words: list[Expr] = []
        if what == "string":
            place = self.place
            words.append(Text(place, self.need_string(f"the {name}")))
        elif what == "size":
            found = self.token
            if found.kind != "shape":
                raise SourceError(
                    found.place, f"expected rows x columns, such as 200x320, found {self.shown()}"
                )
            assert isinstance(found.value, tuple)
            self.next()
            words += [self.whole(found, int(n)) for n in found.value]
        elif what == "number":
            words.append(self.expression())
        else:
            while self.token.kind == "name":
                words.append(Name(self.token.place, str(self.next().value)))
                self.take_op(",")
        return tree.Directive(token.place, name, tuple(words))

    def read_arg(self) -> Stmt:
        """``arg NAME KIND [= default] [in low..high] ["help"]``."""
        place = self.next().place
        name, _ = self.need_name("the name of the argument")
        kind, at = self.need_name("the argument's kind")
        if kind not in ARG_KINDS:
            raise SourceError(
                at,
                f"there is no kind of argument {kind!r}",
                suggest(kind, ARG_KINDS) or "kinds are " + ", ".join(ARG_KINDS),
            )
        choices: list[str] = []
        if kind == "choice":
            self.need_op("(", "and the choices")
            while not self.take_op(")"):
                choices.append(self.word_or_string("a choice"))
                self.take_op(",")
        default: Expr | None = None
        low: Expr | None = None
        high: Expr | None = None
        if self.take_op("="):
            if kind in ("text", "choice"):
                default = Text(self.place, self.word_or_string("the default"))
            else:
                default = self.expression()
        if self.take_word("in"):
            low = self.expression()
            self.need_op("..", "between the bounds")
            high = self.expression()
        text = self.need_string("the help") if self.token.kind == "string" else ""
        return tree.Argument(place, name, kind, tuple(choices), default, low, high, text)

    def word_or_string(self, what: str) -> str:
        """A name or a string."""
        if self.token.kind == "name":
            return str(self.next().value)
        return self.need_string(what)

    def read_include(self) -> Stmt:
        """``include "file"``."""
        place = self.next().place
        return tree.Include(place, self.need_string("a file name"))

    def read_const(self) -> Stmt:
        """``const NAME = expression``."""
        self.next()
        name, place = self.need_name("the name of the constant")
        self.need_op("=", "and the constant's value")
        return tree.Constant(place, name, self.expression())

    def read_macro(self) -> Stmt:
        """``macro name(a, b) { body }`` or ``macro name(a, b) = expression``."""
        self.next()
        name, place = self.need_name("the name of the macro")
        self.need_op("(", "and the macro's parameters")
        params: list[str] = []
        while not self.take_op(")"):
            param, at = self.need_name("a parameter")
            if param in params:
                raise SourceError(at, f"two parameters are called {param!r}")
            params.append(param)
            if not self.is_op(")"):
                self.need_op(",", "or ')'")
        if self.take_op("="):
            return tree.Macro(place, name, tuple(params), (), self.expression())
        return tree.Macro(place, name, tuple(params), self.block(), None)

    def read_proc(self) -> Stmt:
        """``proc name { body }``, or ``proc name:``, which is a label."""
        self.next()
        name, place = self.need_name("the name of the proc")
        if self.take_op(":"):
            return tree.Label(place, name)
        return tree.Proc(place, name, self.block())

    # ---- control -----------------------------------------------------------------------------

    def read_if(self) -> Stmt:
        """``if c {...} else ...`` or ``if c goto L``."""
        return self.conditional(negate=False)

    def read_unless(self) -> Stmt:
        """``unless c {...}`` or ``unless c goto L``."""
        return self.conditional(negate=True)

    def conditional(self, *, negate: bool) -> Stmt:
        """What follows ``if`` or ``unless``."""
        place = self.next().place
        cond = self.expression()
        if not self.is_op("{"):
            if self.is_word("goto", "break", "continue", "call", "return", "halt"):
                return tree.JumpIf(place, cond, negate, self.statement())
            raise SourceError(self.place, f"expected '{{' or 'goto', found {self.shown()}")
        then = self.block()
        otherwise: tuple[Stmt, ...] = ()
        if self.take_word("else"):
            if self.is_word("if"):
                otherwise = (self.read_if(),)
            elif self.is_word("unless"):
                otherwise = (self.read_unless(),)
            else:
                otherwise = self.block()
        return tree.If(place, cond, negate, then, otherwise)

    def read_else(self) -> Stmt:
        """An ``else`` that belongs to nothing."""
        raise SourceError(self.place, "'else' must follow the '}' of its if on the same line")

    def read_while(self) -> Stmt:
        """``while c {...}``."""
        place = self.next().place
        cond = self.expression()
        return tree.Loop(place, cond, self.block())

    def read_loop(self) -> Stmt:
        """``loop {...}``."""
        place = self.next().place
        return tree.Loop(place, None, self.block())

    def read_for(self) -> Stmt:
        """``for i in low..high [step n] {...}``."""
        place = self.next().place
        name, _ = self.need_name("the name that counts")
        if not self.take_word("in"):
            raise SourceError(self.place, f"expected 'in', found {self.shown()}")
        low = self.expression()
        self.need_op("..", "between the bounds")
        high = self.expression()
        step = self.expression() if self.take_word("step") else None
        return tree.For(place, name, low, high, step, self.block())

    def read_goto(self) -> Stmt:
        """``goto L`` or ``call L``."""
        token = self.next()
        target = self.token
        if target.kind != "name":
            raise SourceError(target.place, f"expected a label, found {self.shown()}")
        self.next()
        return tree.Jump(token.place, str(token.value), Name(target.place, str(target.value)))

    read_call = read_goto

    def read_break(self) -> Stmt:
        """``break`` or ``continue``."""
        token = self.next()
        return tree.Jump(token.place, str(token.value))

    read_continue = read_break

    def read_return(self) -> Stmt:
        """``return``."""
        return tree.Leave(self.next().place, "return")

    def read_halt(self) -> Stmt:
        """``halt [status]``."""
        place = self.next().place
        at_end = self.token.kind in ("newline", "end") or self.is_op("}")
        return tree.Leave(place, "halt", None if at_end else self.expression())

    # ---- table and ports ---------------------------------------------------------------------

    def read_view(self) -> Stmt:
        """``view v = base[r, c, rows, cols] [step r, c] [as K]`` or ``view v = base at s``."""
        self.next()
        name, place = self.need_name("the name of the view")
        self.need_op("=", "and what is viewed")
        base_name, base_place = self.need_name("a matrix")
        base: Expr = Name(base_place, base_name)
        while self.take_op("."):
            base = tree.Dot(base_place, base, self.need_name("a name")[0])
        items: tuple[Expr, ...] = ()
        step: tuple[Expr, ...] = ()
        seen = ""
        if self.take_word("at"):
            return tree.View(place, name, base, (), self.expression(), (), "")
        if self.is_op("["):
            at = self.next().place
            items = tuple(self.items("]"))
            if len(items) != 4:
                raise SourceError(
                    at,
                    "a rectangle is [row, column, rows, columns]",
                    "-1 rows or columns reach to the edge",
                )
        if self.take_word("step"):
            first = self.unary()
            self.need_op(",", "and the column step")
            step = (first, self.unary())
        if self.take_word("as"):
            seen, at = self.need_name("a kind")
            if seen not in KINDS or seen == "V":
                raise SourceError(at, f"nothing can be seen as {seen!r}")
        return tree.View(place, name, base, items, None, step, seen)

    def read_name(self) -> Stmt:
        """``name d = a`` or ``name d = a[i]``."""
        self.next()
        name, place = self.need_name("the entry to re-point")
        self.need_op("=", "and what it names")
        value = self.postfix()
        if isinstance(value, tree.Index):
            if len(value.items) != 1:
                raise SourceError(value.place, "one index, please")
            return tree.Repoint(place, name, value.base, value.items[0])
        return tree.Repoint(place, name, value, None)

    def read_word(self) -> Stmt:
        """``word n``."""
        place = self.next().place
        return tree.Word(place, self.expression())

    # ---- everything else ---------------------------------------------------------------------

    def assignment(self) -> Stmt:
        """``target = value``, ``target op= value``, or a call."""
        place = self.place
        if self.token.value in KEYWORDS - CALLABLE:
            raise SourceError(place, f"{self.shown()} is not expected here")
        target = self.postfix()
        if self.is_op(*_ASSIGN):
            op = str(self.next().value)[:-1]
            return tree.Assign(place, target, op, self.item())
        if isinstance(target, Apply):
            return tree.Do(place, target)
        if isinstance(target, Name) and not self.is_op(*COMPARISONS):
            known = (*DIRECTIVES, *KEYWORDS, "arg")
            near = suggest(target.name, known)
            raise SourceError(place, f"{target.name!r} is no statement", near)
        raise SourceError(self.place, f"expected '=' or a call, found {self.shown()}")
