"""One scalar instruction as lines of Python over local variables.

A scalar is a 1x1 integer or fixed-point matrix (or such a view); its variable holds the raw
signed 32-bit word.  The lines compute exactly what the element kernels would, once: Python's
integers make every intermediate exact, and the last line wraps or saturates.  A comparison may
leave a bool in a variable, which is the integer 0 or 1 in every later use.
"""

from __future__ import annotations

from dataclasses import dataclass

_LOW, _HIGH = -0x8000_0000, 0x7FFF_FFFF


@dataclass(frozen=True, slots=True)
class Scalar:
    """An operand: the text of its raw word (a variable or a number) and its fraction bits."""

    text: str
    fraction: int
    const: int | None = None


#: Opcodes that :func:`lines_of` can write, with how many sources they have.
SOURCES = {**dict.fromkeys("A-*/%R_<=&|^S?", 2), "q": 1, "#": 0}


@dataclass(frozen=True, slots=True)
class Table:
    """A matrix whose elements are picked or put one at a time: class, shape, and where element
    (row, column) stands, in words (``I X``) or bytes (``T``)."""

    cls: str
    rows: int
    cols: int
    offset: int
    row_step: int
    col_step: int

    def element(self, k: str) -> str:
        """The text of element ``k``, counted row-major."""
        array = "B" if self.cls == "T" else "I"
        if self.rows == 1 or self.row_step == self.cols * self.col_step:
            place = k if self.col_step == 1 else f"{k} * {self.col_step}"
        else:
            place = f"{k} // {self.cols} * {self.row_step} + {k} % {self.cols} * {self.col_step}"
        return f"{array}[{self.offset} + {place}]"


def _wrapped(d: str, expression: str) -> list[str]:
    return [
        f"{d} = {expression}",
        f"if {d} > {_HIGH} or {d} < {_LOW}: {d} = ({d} + {-_LOW} & 4294967295) - {-_LOW}",
    ]


def _saturated(d: str, expression: str) -> list[str]:
    return [
        f"{d} = {expression}",
        f"if {d} > {_HIGH}: {d} = {_HIGH}",
        f"elif {d} < {_LOW}: {d} = {_LOW}",
    ]


def _finished(d: str, expression: str, units: int, fraction: int, fits: bool = False) -> list[str]:
    """Store ``expression``, worth itself over 2^units, into a word with ``fraction`` bits.

    ``fits``: a value that already lies on d's grid is known to be within 32 bits.
    """
    if fraction == 0:
        if units:
            expression = f"({expression}) >> {units}"
        return [f"{d} = {expression}"] if fits else _wrapped(d, expression)
    if units < fraction:
        return _saturated(d, f"({expression}) << {fraction - units}")
    if units > fraction:
        half = 1 << units - fraction - 1
        return _saturated(d, f"({expression}) + {half} >> {units - fraction}")
    return [f"{d} = {expression}"] if fits else _saturated(d, expression)


def _common(a: Scalar, b: Scalar) -> tuple[str, str, int]:
    """Both operands in the same units."""
    units = max(a.fraction, b.fraction)

    def lifted(x: Scalar) -> str:
        if x.fraction == units:
            return x.text
        return str(x.const << units) if x.const is not None else f"({x.text} << {units})"

    return lifted(a), lifted(b), units


def _shift(d: str, fraction: int, a: Scalar, b: Scalar) -> list[str]:
    if b.const is not None:
        count = max(-32, min(32, b.const))
        shifted = f"{a.text} << {count}" if count >= 0 else f"{a.text} >> {-count}"
        fits = count <= 0 and fraction == a.fraction
        return _finished(d, shifted, a.fraction, fraction, fits=fits)
    floor = b.text if b.fraction == 0 else f"{b.text} >> {b.fraction}"
    return [
        f"n = {floor}",
        "if n > 32: n = 32",
        "elif n < -32: n = -32",
        *_finished(d, f"({a.text} << n if n >= 0 else {a.text} >> -n)", a.fraction, fraction),
    ]


def _divided(d: str, fraction: int, char: str, a: Scalar, b: Scalar, fault: list[str]) -> list[str]:
    lines: list[str] = []
    if b.const is None:
        lines = [f"if not {b.text}:", *(f"    {line}" for line in fault)]
    elif b.const == 0:
        return fault
    x, y, units = _common(a, b)
    if char == "%":
        fits = a.fraction == b.fraction == fraction
        return [*lines, *_finished(d, f"{x} % {y}", units, fraction, fits=fits)]
    if fraction == 0:
        return [*lines, *_wrapped(d, f"{x} // {y}")]
    return [*lines, *_saturated(d, f"(({x} << {fraction + 1}) + {y}) // ({y} << 1)")]


def _sum(d: str, fraction: int, char: str, a: Scalar, b: Scalar) -> list[str]:
    if b.const == 0:
        return _finished(d, a.text, a.fraction, fraction, fits=a.fraction >= fraction)
    x, y, units = _common(a, b)
    sign = "+" if char == "A" else "-"
    one_way = b.const is not None and a.fraction == b.fraction == fraction == 0
    if one_way and b.const is not None:
        up = (b.const > 0) == (char == "A")
        limit = f"{d} > {_HIGH}" if up else f"{d} < {_LOW}"
        return [f"{d} = {x} {sign} {y}", f"if {limit}: {d} {'-' if up else '+'}= 4294967296"]
    return _finished(d, f"{x} {sign} {y}", units, fraction)


def lines_of(
    char: str, d: str, fraction: int, sources: list[Scalar], number: int, fault: list[str]
) -> list[str] | None:
    """The lines of one instruction; None if it is not written here and must be called.

    ``d`` is the destination's variable and ``fraction`` its fraction bits; ``sources`` the operands
    after d; ``number`` that of ``#``; ``fault`` the lines that leave at this instruction.
    """
    if char == "#":
        raw = max(_LOW, min(_HIGH, number << fraction))
        return [f"{d} = {raw}"]
    a = sources[0]
    if char == "q":
        if a.fraction or fraction:
            return None
        return [f"{d} = isqrt({a.text}) if {a.text} > 0 else 0"]
    b = sources[1]
    if char in "A-":
        return _sum(d, fraction, char, a, b)
    if char == "*":
        return _finished(d, f"{a.text} * {b.text}", a.fraction + b.fraction, fraction)
    if char in "/%":
        return _divided(d, fraction, char, a, b, fault)
    if char in "R_":
        x, y, units = _common(a, b)
        greater = ">" if char == "R" else "<"
        # Within one grid the winner is one of the words; otherwise it may need finishing.
        fits = a.fraction == b.fraction and fraction <= units
        return _finished(d, f"({x} if {x} {greater} {y} else {y})", units, fraction, fits=fits)
    if char in "<=":
        x, y, _ = _common(a, b)
        test = f"{x} {'<' if char == '<' else '=='} {y}"
        return [f"{d} = {test}" if fraction == 0 else f"{d} = {1 << fraction} if {test} else 0"]
    if char in "&|^":
        return [f"{d} = {a.text} {char} {b.text}"]
    if char == "S":
        return _shift(d, fraction, a, b)
    if char == "?":
        stored = _finished(d, b.text, b.fraction, fraction, fits=b.fraction >= fraction)
        return [f"if {a.text}:", *(f"    {line}" for line in stored)]
    return None


def _position(i: Scalar) -> str:
    return i.text if i.fraction == 0 else f"{i.text} >> {i.fraction}"


def picked(d: str, fraction: int, table: Table, i: Scalar) -> list[str]:
    """Gather of one element: ``d`` is element i of the table, 0 outside."""
    units = 16 if table.cls == "X" else 0
    stored = _finished(d, table.element("k"), units, fraction, fits=fraction <= units)
    return [
        f"k = {_position(i)}",
        f"if 0 <= k < {table.rows * table.cols}:",
        *(f"    {line}" for line in stored),
        f"else: {d} = 0",
    ]


def put(table: Table, a: Scalar, i: Scalar) -> list[str]:
    """Put of one element: element i of the table becomes a; outside nothing happens."""
    if table.cls == "T":
        half = 1 << a.fraction >> 1
        value = a.text if not a.fraction else f"{a.text} + {half} >> {a.fraction}"
        stored = [f"n = {value}", "if n < 0: n = 0", "elif n > 255: n = 255"]
    else:
        fraction = 16 if table.cls == "X" else 0
        stored = _finished("n", a.text, a.fraction, fraction, fits=fraction <= a.fraction)
    return [
        f"k = {_position(i)}",
        f"if 0 <= k < {table.rows * table.cols}:",
        *(f"    {line}" for line in stored),
        f"    {table.element('k')} = n",
    ]
