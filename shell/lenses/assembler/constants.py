"""Constant expressions: exact rational arithmetic at assembly time."""

from __future__ import annotations

import math
from collections.abc import Callable
from fractions import Fraction

from .errors import Place, SourceError
from .symbols import ConstSymbol, Number, Scope
from .tree import Apply, Binary, Bound, Expr, Name, Num, Text, Unary

#: Largest magnitude of an exponent or shift in a constant, to keep evaluation small.
MAX_SHIFT = 64


def _word(*channels: Fraction) -> Fraction:
    """Channels of a colour as a pixel word."""
    r, g, b, *rest = (min(255, max(0, math.floor(c))) for c in channels)
    alpha = rest[0] if rest else 255
    return Fraction(r | g << 8 | b << 16 | alpha << 24)


def _real(function: Callable[[float], float]) -> Callable[[Fraction], Fraction]:
    """A function of floats on fractions."""
    return lambda x: Fraction(function(float(x)))


#: Functions of constants: how many arguments, whether the result has a point, what it is.
FUNCTIONS: dict[str, tuple[tuple[int, ...], bool, Callable[..., Fraction]]] = {
    "sqrt": ((1,), True, _real(math.sqrt)),
    "exp": ((1,), True, _real(math.exp)),
    "log": ((1,), True, _real(math.log)),
    "exp2": ((1,), True, _real(lambda x: 2.0**x)),
    "log2": ((1,), True, _real(math.log2)),
    "sine": ((1,), True, _real(lambda x: math.sin(math.tau * x))),
    "cosine": ((1,), True, _real(lambda x: math.cos(math.tau * x))),
    "floor": ((1,), False, lambda x: Fraction(math.floor(x))),
    "ceil": ((1,), False, lambda x: Fraction(math.ceil(x))),
    "round": ((1,), False, lambda x: Fraction(math.floor(x + Fraction(1, 2)))),
    "abs": ((1,), False, abs),
    "min": ((2,), False, min),
    "max": ((2,), False, max),
    "rgb": ((3,), False, _word),
    "rgba": ((4,), False, _word),
}
#: Functions whose result keeps the point of its arguments.
_KEEPS_POINT = frozenset({"abs", "min", "max"})
BUILTIN = {"pi": Number(Fraction(math.pi), True)}


def evaluate(expr: Expr, scope: Scope) -> Number | None:
    """The value of a constant expression, or None if it is none (it names a matrix...).

    Raises SourceError where a constant cannot be computed.
    """
    match expr:
        case Num():
            return Number(expr.value, expr.point)
        case Bound():
            return evaluate(expr.expr, expr.scope)
        case Name():
            return _named(expr, scope)
        case Unary():
            return _unary(expr, scope)
        case Binary():
            left = evaluate(expr.left, scope)
            right = evaluate(expr.right, scope) if left is not None else None
            if left is None or right is None:
                return None
            return binary(expr.op, left, right, expr.place)
        case Apply() if expr.name in FUNCTIONS and scope.find(expr.name) is None:
            return _apply(expr, scope)
        case _:
            return None


def need(expr: Expr, scope: Scope, what: str) -> Number:
    """The value of an expression that must be constant."""
    found = evaluate(expr, scope)
    if found is None:
        raise SourceError(expr.place, f"{what} must be a constant")
    return found


def need_int(expr: Expr, scope: Scope, what: str, low: int, high: int) -> int:
    """An integer constant of low..high."""
    value = need(expr, scope, what).value
    if value.denominator != 1 or not low <= value <= high:
        shown = int(value) if value.denominator == 1 else float(value)
        raise SourceError(
            expr.place, f"{what} must be a whole number of {low}..{high}, not {shown}"
        )
    return int(value)


def _named(expr: Name, scope: Scope) -> Number | None:
    symbol = scope.find(expr.name)
    if isinstance(symbol, Number):
        return symbol
    if isinstance(symbol, Bound):
        return evaluate(symbol, scope)
    if isinstance(symbol, ConstSymbol):
        if symbol.value is None:
            if symbol.busy:
                raise SourceError(symbol.place, f"the constant {symbol.name!r} depends on itself")
            symbol.busy = True
            try:
                symbol.value = need(symbol.expr, symbol.scope, f"the constant {symbol.name!r}")
            finally:
                symbol.busy = False
        return symbol.value
    return BUILTIN.get(expr.name) if symbol is None else None


def _unary(expr: Unary, scope: Scope) -> Number | None:
    value = evaluate(expr.operand, scope)
    if value is None or expr.op == "where":
        return None
    if expr.op == "not":
        return Number(Fraction(value.value == 0))
    return Number(-value.value, value.point)


def _apply(expr: Apply, scope: Scope) -> Number | None:
    if any(isinstance(arg, Text) for arg in expr.args):
        return None
    values = [evaluate(arg, scope) for arg in expr.args]
    known = [value for value in values if value is not None]
    if len(known) != len(values):
        return None
    counts, point, function = FUNCTIONS[expr.name]
    if len(known) not in counts:
        return None
    if expr.name in _KEEPS_POINT:
        point = any(value.point for value in known)
    try:
        result = function(*(value.value for value in known))
    except (ValueError, OverflowError) as error:
        raise SourceError(expr.place, f"{expr.name} of these numbers: {error}") from None
    return Number(result, point)


def binary(op: str, left: Number, right: Number, place: Place) -> Number:
    """A binary operation on constants: exact; ``//`` floors, ``/`` does not."""
    a, b = left.value, right.value
    point = left.point or right.point
    match op:
        case "+":
            value = a + b
        case "-":
            value = a - b
        case "*":
            value = a * b
        case "/" | "//" | "%":
            if b == 0:
                raise SourceError(place, "division by zero in a constant")
            value = a / b if op == "/" else Fraction(a // b) if op == "//" else a % b
            point = point or value.denominator != 1
        case "<" | ">" | "<=" | ">=" | "==" | "!=":
            found = {"<": a < b, ">": a > b, "<=": a <= b, ">=": a >= b, "==": a == b, "!=": a != b}
            return Number(Fraction(found[op]))
        case "and":
            return Number(min(a, b), point)
        case "or":
            return Number(max(a, b), point)
        case "&" | "|" | "^" | "<<" | ">>":
            return Number(_bits(op, left, right, place))
        case _:
            raise SourceError(place, f"{op!r} has no meaning for two numbers")
    return Number(value, point)


def _bits(op: str, left: Number, right: Number, place: Place) -> Fraction:
    if left.value.denominator != 1 or right.value.denominator != 1:
        raise SourceError(place, f"{op!r} of constants needs whole numbers")
    a, b = int(left.value), int(right.value)
    if op in ("<<", ">>"):
        if not 0 <= b <= MAX_SHIFT:
            raise SourceError(place, f"a constant can be shifted by 0..{MAX_SHIFT}, not {b}")
        return Fraction(a << b if op == "<<" else a >> b)
    return Fraction(a & b if op == "&" else a | b if op == "|" else a ^ b)


def integer_word(number: Number, place: Place) -> int:
    """The raw i32 of an integer constant; 0..2^32-1 is taken as a word of bits."""
    value = number.value
    if value.denominator != 1:
        raise SourceError(
            place, f"{float(value)} is no integer", "declare the matrix X, or use floor()"
        )
    if not -(1 << 31) <= value < 1 << 32:
        raise SourceError(place, f"{int(value)} does not fit 32 bits")
    word = int(value)
    return word - (1 << 32) if word >= 1 << 31 else word


def fixed_word(number: Number, place: Place) -> int:
    """The raw Q16.16 of a constant, rounded half up."""
    raw = math.floor(number.value * 65536 + Fraction(1, 2))
    if not -(1 << 31) <= raw < 1 << 31:
        raise SourceError(place, f"{float(number.value)} does not fit fixed point (below 32768)")
    return raw
