"""Reading tokens: the cursor and the expression grammar.

Loosest first: ``or``; ``and``; ``not``; comparisons; ``|``; ``^``; ``&``; shifts; sums;
products, ``@``; unary minus; then ``a[i]``, ``f(x)``, ``a.T``.
"""

from __future__ import annotations

from fractions import Fraction

from .errors import Place, SourceError
from .lexer import CALLABLE, KEYWORDS, Token
from .tree import Apply, Binary, Dot, Each, Expr, Index, Name, Num, Rows, Text, Unary

#: Binary operators by level, loosest first.
LEVELS: tuple[tuple[str, ...], ...] = (
    ("|",),
    ("^",),
    ("&",),
    ("<<", ">>"),
    ("+", "-"),
    ("*", "/", "//", "%", "@"),
)
COMPARISONS = ("<", ">", "<=", ">=", "==", "!=")
#: How deep an expression or blocks may be nested.
MAX_DEPTH = 60


class Reader:
    """A cursor over tokens, and expressions."""

    def __init__(self, tokens: list[Token]) -> None:
        self.tokens = tokens
        self.at = 0
        self.depth = 0

    # ---- the cursor ------------------------------------------------------------------------

    @property
    def token(self) -> Token:
        """The token at the cursor."""
        return self.tokens[self.at]

    @property
    def place(self) -> Place:
        """The place of the cursor."""
        return self.token.place

    def peek(self, ahead: int = 1) -> Token:
        """A token further on."""
        return self.tokens[min(self.at + ahead, len(self.tokens) - 1)]

    def next(self) -> Token:
        """The token at the cursor; the cursor goes on."""
        token = self.token
        if token.kind != "end":
            self.at += 1
        return token

    def is_op(self, *values: str) -> bool:
        """Whether one of these operators is at the cursor."""
        return self.token.kind == "op" and self.token.value in values

    def is_word(self, *values: str) -> bool:
        """Whether one of these words is at the cursor."""
        return self.token.kind == "name" and self.token.value in values

    def take_op(self, *values: str) -> bool:
        """Go past one of these operators if it is here."""
        if self.is_op(*values):
            self.next()
            return True
        return False

    def take_word(self, *values: str) -> bool:
        """Go past one of these words if it is here."""
        if self.is_word(*values):
            self.next()
            return True
        return False

    def need_op(self, value: str, context: str) -> Token:
        """The operator that must be here."""
        if not self.is_op(value):
            raise SourceError(self.place, f"expected {value!r} {context}, found {self.shown()}")
        return self.next()

    def need_name(self, what: str) -> tuple[str, Place]:
        """A name that is not a keyword."""
        token = self.token
        if token.kind != "name":
            raise SourceError(token.place, f"expected {what}, found {self.shown()}")
        if token.value in KEYWORDS:
            raise SourceError(
                token.place, f"{token.value!r} is a word of the language and cannot be {what}"
            )
        self.next()
        return str(token.value), token.place

    def need_string(self, what: str) -> str:
        """A string."""
        if self.token.kind != "string":
            raise SourceError(self.place, f"expected {what} in quotes, found {self.shown()}")
        return str(self.next().value)

    def shown(self) -> str:
        """The token at the cursor in words."""
        token = self.token
        if token.kind in ("newline", "end"):
            return "the end of the line"
        return repr(token.text or str(token.value))

    # ---- expressions -----------------------------------------------------------------------

    def expression(self) -> Expr:
        """One expression."""
        self.depth += 1
        if self.depth > MAX_DEPTH:
            raise SourceError(
                self.place, f"nested deeper than {MAX_DEPTH}", "give parts of it names of their own"
            )
        left = self.conjunction()
        while self.is_word("or"):
            place = self.next().place
            left = Binary(place, "or", left, self.conjunction())
        self.depth -= 1
        return left

    def conjunction(self) -> Expr:
        """Operands of ``and``."""
        left = self.negation()
        while self.is_word("and"):
            place = self.next().place
            left = Binary(place, "and", left, self.negation())
        return left

    def negation(self) -> Expr:
        """``not x``."""
        nots: list[Place] = []
        while self.is_word("not"):
            nots.append(self.next().place)
        result = self.comparison()
        for place in reversed(nots):
            result = Unary(place, "not", result)
        return result

    def comparison(self) -> Expr:
        """One comparison at most."""
        left = self.level(0)
        if self.is_op(*COMPARISONS):
            token = self.next()
            left = Binary(token.place, str(token.value), left, self.level(0))
            if self.is_op(*COMPARISONS):
                raise SourceError(self.place, "comparisons cannot be chained", "join them by 'and'")
        return left

    def level(self, which: int) -> Expr:
        """Left-associative operators of one level."""
        if which == len(LEVELS):
            return self.unary()
        left = self.level(which + 1)
        while self.is_op(*LEVELS[which]):
            token = self.next()
            left = Binary(token.place, str(token.value), left, self.level(which + 1))
        return left

    def unary(self) -> Expr:
        """Minus and plus signs."""
        signs: list[Token] = []
        while self.is_op("-", "+"):
            signs.append(self.next())
        result = self.postfix()
        for sign in reversed(signs):
            if sign.value == "-":
                if isinstance(result, Num) and not result.char:
                    result = Num(sign.place, -result.value, result.point)
                else:
                    result = Unary(sign.place, "-", result)
        return result

    def postfix(self) -> Expr:
        """Indices and ``.T`` behind an operand."""
        result = self.primary()
        while True:
            if self.is_op("["):
                place = self.next().place
                result = Index(place, result, tuple(self.items("]")))
            elif self.is_op("."):
                place = self.next().place
                result = Dot(place, result, self.need_name("a name")[0])
            else:
                return result

    def items(self, closing: str) -> list[Expr]:
        """Expressions separated by commas up to ``closing``, which is taken."""
        found: list[Expr] = []
        while not self.take_op(closing):
            found.append(self.item())
            if not self.is_op(closing):
                self.need_op(",", f"or {closing!r}")
        return found

    def item(self) -> Expr:
        """An expression or ``where c``."""
        follows = self.peek()
        if self.is_word("where") and not (follows.kind == "op" and follows.value == "("):
            place = self.next().place
            return Unary(place, "where", self.expression())
        return self.expression()

    def primary(self) -> Expr:
        """A number, string, name, call, list or expression in parentheses."""
        token = self.token
        if token.kind == "number":
            assert isinstance(token.value, tuple)
            self.next()
            return Num(token.place, Fraction(token.value[0]), bool(token.value[1]))
        if token.kind == "char":
            assert isinstance(token.value, int)
            self.next()
            return Num(token.place, Fraction(token.value), False, True)
        if token.kind == "string":
            self.next()
            return Text(token.place, str(token.value))
        if token.kind == "name":
            return self.named()
        if self.take_op("("):
            inner = self.expression()
            self.need_op(")", "to close the parenthesis")
            return inner
        if self.is_op("["):
            return self.bracketed()
        raise SourceError(token.place, f"expected a value, found {self.shown()}")

    def named(self) -> Expr:
        """A name, or a call of it.  ``in``, ``where`` and ``view`` may be called."""
        token = self.token
        name = str(token.value)
        follows = self.peek()
        called = follows.kind == "op" and follows.value == "("
        if name in KEYWORDS and not (called and name in CALLABLE):
            raise SourceError(token.place, f"{name!r} is a word of the language: no value")
        self.next()
        if called:
            self.next()
            return Apply(token.place, name, tuple(self.items(")")))
        return Name(token.place, name)

    def bracketed(self) -> Expr:
        """``[a, b; c]``, ``[[a, b], [c, d]]`` or ``[e for i in a..b]``."""
        place = self.next().place
        if self.take_op("]"):
            return Rows(place, ())
        first = self.expression()
        if self.take_word("for"):
            name, _ = self.need_name("the name that counts")
            if not self.take_word("in"):
                raise SourceError(self.place, f"expected 'in', found {self.shown()}")
            low = self.expression()
            self.need_op("..", "between the bounds")
            high = self.expression()
            self.need_op("]", "to close the list")
            return Each(place, first, name, low, high)
        rows = [[first]]
        while not self.take_op("]"):
            if self.take_op(","):
                if not self.is_op("]"):
                    rows[-1].append(self.expression())
            elif self.take_op(";"):
                rows.append([self.expression()])
            else:
                raise SourceError(
                    self.place,
                    f"expected ',' or ']', found {self.shown()}",
                    "a comment inside [ ] begins with ;;",
                )
        return Rows(place, tuple(tuple(row) for row in rows))
