"""The functions of the language: every row of the instruction table under its own name in
small letters, and the short names of :data:`SHORT`."""

from __future__ import annotations

from ....kernel.machine.isa import KINDS, ROWS, Op
from ....kernel.machine.ports import PORTS


def function_name(op: Op) -> str:
    """The name under which a row can be called: ``Fold rows`` is ``fold_rows``."""
    return op.name.lower().replace(" ", "_")


#: Rows by function name.
BY_NAME: dict[str, Op] = {function_name(op): op for op in ROWS}

#: Short names: (name, number of arguments) -> (row, operands after d).  A number is an
#: argument's position, ``=n`` the small integer n, ``'x`` the literal x.
SHORT: dict[tuple[str, int], tuple[str, tuple[int | str, ...]]] = {
    ("copy", 1): ("add", (0, "=0")),
    ("relu", 1): ("relu", (0, "=0")),
    ("max", 2): ("relu", (0, 1)),
    ("min", 2): ("lesser", (0, 1)),
    ("sqrt", 1): ("square_root", (0,)),
    ("sum", 1): ("fold_rows", (0, "'A")),
    ("row_sum", 1): ("fold_rows", (0, "'A")),
    ("row_max", 1): ("fold_rows", (0, "'R")),
    ("row_min", 1): ("fold_rows", (0, "'_")),
    ("row_and", 1): ("fold_rows", (0, "'&")),
    ("row_or", 1): ("fold_rows", (0, "'|")),
    ("col_sum", 1): ("fold_columns", (0, "'A")),
    ("col_max", 1): ("fold_columns", (0, "'R")),
    ("col_min", 1): ("fold_columns", (0, "'_")),
    ("col_and", 1): ("fold_columns", (0, "'&")),
    ("col_or", 1): ("fold_columns", (0, "'|")),
    ("running_sum", 1): ("cumulate_rows", (0, "'A")),
    ("running_max", 1): ("cumulate_rows", (0, "'R")),
    ("col_running_sum", 1): ("cumulate_columns", (0, "'A")),
    ("col_running_max", 1): ("cumulate_columns", (0, "'R")),
    ("iota", 1): ("iota", (0, "=0")),
    ("rows", 2): ("gather_rows", (0, 1)),
    ("find", 2): ("index", (0, 1)),
    ("in", 1): ("in", (0, "=0")),
    ("shape", 1): ("shape", (0, "'s")),
    ("height", 1): ("shape", (0, "'r")),
    ("width", 1): ("shape", (0, "'c")),
    ("size", 1): ("shape", (0, "'n")),
}

#: The same for statements, whose first operand is an argument as well.
SHORT_STATEMENTS: dict[tuple[str, int], tuple[str, tuple[int | str, ...]]] = {
    ("out", 2): ("out", (1, 0, "=0")),
    ("out", 3): ("out", (1, 0, 2)),
    ("fill", 2): ("select", (0, "=1", 1)),
}

#: Infix operators that are one instruction: operator -> row.
INFIX = {
    "+": "add",
    "-": "subtract",
    "*": "times",
    "/": "divide",
    "//": "divide",
    "%": "modulo",
    "@": "matmul",
    "&": "and",
    "|": "or",
    "^": "xor",
    "<<": "shift",
    "and": "lesser",
    "or": "relu",
    "<": "less",
    "==": "equal",
}

#: Rows whose result is an integer whatever the operands are.
_INTEGER = frozenset({"less", "equal", "argmax", "order", "index", "where", "shape", "wait"})
#: Rows whose result is fixed point whatever the operands are.
_FIXED = frozenset({"exp2", "log2", "norm", "sine"})
#: Rows that move elements, with the operands they move: the result is of their kind.
_MOVED = {
    "gather": (0,),
    "gather_rows": (0,),
    "reshape": (0,),
    "transpose": (0,),
    "tile": (1,),
    "beside": (0, 1),
    "below": (0, 1),
    "zoom": (0,),
}


def port_kind(letter: str) -> str | None:
    """The kind of what a port gives, or None if that is not always the same."""
    kind = PORTS[letter].reads.split(" ")[0].rstrip(":")
    return kind if kind in KINDS else None


def result_kind(op: Op, kinds: list[str]) -> str:
    """The kind of the temporary for a row's result.  ``kinds``: those of its operands."""
    name = function_name(op)
    if name == "over":
        return "P"
    if name in _INTEGER:
        return "I"
    if name in _FIXED:
        return "X"
    if name in _MOVED:
        kinds = [kinds[i] for i in _MOVED[name]]
        if "P" in kinds and set(kinds) <= {"P", "I"}:
            return "P"
        if set(kinds) == {"T"}:
            return "T"
    return "X" if {"X", "Q"} & set(kinds) else "I"


def all_names() -> list[str]:
    """Every function name, for suggestions."""
    return sorted({*BY_NAME, *(n for n, _ in SHORT), *(n for n, _ in SHORT_STATEMENTS)})
