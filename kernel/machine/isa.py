"""The instruction set: the one table from which every other part derives it.

An instruction is one pixel: R is the opcode, a printable ASCII character; G, B and A
are three operand bytes, destination first.  Each :class:`Op` row below states the
operands, the exact meaning, the faults, the fuel and the corner cases.  The assembler's
mnemonics, the disassembly, the executors' dispatch, ``docs/machine.md`` and the tests'
parameters are derived from these rows; nothing else lists the instructions.

Words used below
---------------------------
*Kinds* ``I`` integer, ``X`` fixed point (16 fractional bits), ``T`` bytes or text,
``P`` RGBA picture, ``Q`` quantised bytes, ``V`` view.  A view has the *class* of what it
shows (``I X T P Q``); below, "kind" means class.

*Value.*  An element of ``I`` is worth its word; of ``X`` its word / 65536; of ``T`` its
byte; of ``Q`` ``scale*q + offset``.  A ``P`` of r x c pixels is, as a value, the byte
matrix r x 4c (red, green, blue, alpha, red, ...).

*Finish.*  An instruction computes an exact value x and stores it by the kind of d:
``I`` floor(x) modulo 2^32; ``X`` floor(x*65536 + 1/2) saturated to 32 bits;
``T`` and ``P`` floor(x + 1/2) clamped to 0..255.  ``Q`` is never a destination.

*Pixel mode.*  In the instructions marked ``pixel`` a destination of class P makes a
whole pixel the element: sources must be P or I (else fault K), are taken as words, and
words are moved unchanged (drawing blends them).  With any other destination they work on
values, and a P source is its byte matrix.

*Shape of d.*  An ordinary d takes the shape of the result and grows if it must.  A view
keeps its shape, never moves, and the result is broadcast to it (else fault S).  Into a P
in value mode the result's columns must be a multiple of 4 (else S).

*Broadcast.*  A dimension of 1 stretches to the other's; otherwise they must be equal
(else S).  Empty (0) is legal; 0 with 1 gives 0.  Broadcast to a view, only the result stretches.

*Q* may stand only where a row says so (``$ G g M m`` as marked, what V shows, N); else K.  Its
scale and offset must be finite where its values are used (else K).

*Order of checks.*  ``?``; literals (L; a port letter that is no port: P); each operand in byte
order: its name (N; a small integer as destination is N), then, if it is a view, that its base is
there and has every element shown (V; also a view never set, a base that is a view, or a base that
cannot be seen as that class); each operand in byte order: its kind (K; also a destination on SYS,
TABLE, STACK, META or a CODE that is not writable, seen through a view or not); shapes (S; a
dimension of d above 2^31 - 1 is S as well); division by zero; the quota (M).  All these come
before the fuel is asked (B).  Ports are asked last: refused P, nothing there W, and then, for
In, S and M of the message and its fuel.  Detail: the operand's byte (0, 1, 2) for N V K; the
element for ``/``; for M the rows of picture wanted for the moved matrix; else 0; at most
2^32 - 1.

*Numbers* an instruction reads itself (n, s, rows of D's b, letters of W) are any class but Q,
taken as values (a P is its bytes), floored, in row-major order.
"""

from __future__ import annotations

from collections.abc import Callable
from math import floor
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from fractions import Fraction

    Value = Fraction | int

#: Reserved entries of every program's matrix table, in order.
RESERVED = ("SYS", "TABLE", "CODE", "STACK", "META")
FIRST_FREE_ENTRY = len(RESERVED)

#: Operand bytes from here up are the integers SMALL_MIN..SMALL_MAX, read-only 1x1 ``I``.
FIRST_SMALL = 192
SMALL_MIN, SMALL_MAX = -16, 47
SMALL_ZERO = FIRST_SMALL - SMALL_MIN

#: Kinds a header may carry, with the words in which people speak of them.
KINDS = {
    "I": "integer",
    "X": "fixed point",
    "T": "bytes or text",
    "P": "picture",
    "Q": "quantised bytes",
    "V": "view",
}
FRACTION_BITS = {"I": 0, "X": 16, "T": 0, "P": 0}

#: Operators that Fold and Cumulate accept, by their own opcode character.
FOLD_OPERATORS = "AR_&|^"

#: What Shape can be asked for.
SHAPE_SELECTORS = {"s": "1x2 rows, columns", "r": "rows", "c": "columns", "n": "rows*columns"}

#: Fuel of an instruction: 1 + work // FUEL_ELEMENTS, work being what ``Op.work`` names.
FUEL_ELEMENTS = 64

#: Work formulas (elements, from shapes alone; see ``Op.work``).
WORK = {
    "1": "nothing beyond the instruction itself",
    "d": "elements of d as written (a view: all that it shows), in the units of the mode",
    "a": "elements of a (a P: its bytes; at a port: its pixels)",
    "ab": "elements of a and of b together (a P: its bytes)",
    "i": "elements of the index operand, times the columns moved for each",
    "mm": "rows * inner * columns of d / 8",
    "conv": "elements of a times elements of b",
    "sort": "elements of a times ceil(log2(columns + 1))",
    "draw": "64 for each item of b, and the pixels drawn after clipping",
}


class Op(NamedTuple):
    """One instruction.

    ``form`` names the operand bytes in order: ``d`` destination entry, ``a b c i s n t``
    source operands (entry or small integer), ``'o`` ``'p`` ``'w`` a literal ASCII byte
    (fold operator, port, shape selector), ``n16`` two bytes and ``n24`` three bytes,
    little-endian.  Bytes not named are ignored.  ``exact`` is the meaning of one element
    in exact rationals, where an instruction works element by element.
    """

    char: str
    name: str
    form: str
    family: str
    work: str
    faults: str
    meaning: str
    doc: str
    corners: tuple[str, ...] = ()
    pixel: bool = False
    keeps_shape: bool = False
    exact: Callable[..., Value] | None = None

    @property
    def operands(self) -> tuple[str, ...]:
        """Names of the operand bytes, e.g. ``("d", "a", "'o")``."""
        return tuple(self.form.split())

    @property
    def writes(self) -> bool:
        """Whether the first operand is a destination."""
        return self.form.startswith("d")


def _quotient(a: Value, b: Value) -> Value:
    """a / b, exactly.  Imported here: executors start without rationals."""
    from fractions import Fraction

    return Fraction(a) / Fraction(b)


def _shift(raw: int, count: Value) -> int:
    """Shift a raw word by floor(count) clamped to -32..32; right shifts floor."""
    n = max(-32, min(32, floor(count)))
    return raw << n if n >= 0 else raw >> -n


# fmt: off
ROWS: tuple[Op, ...] = (
    # ---- control -------------------------------------------------------------------
    Op("H", "Halt", "n", "control", "1", "NVKS",
       "stop with reason H and exit status floor(n[0,0]) mod 256",
       "Ends the program; the status goes to whoever started it.",
       ("n empty: S", "completes (fuel, done), but pc stays at it")),
    Op("J", "Jump", "n24", "control", "1", "J",
       "pc = n24", "Goes on at instruction n24.",
       ("n24 outside the code: J at the jump's target, when it is fetched",)),
    Op("B", "Branch", "c n16", "control", "1", "NVKS",
       "if c[0,0] != 0 then pc = n16", "Goes on at n16 if c is not zero.",
       ("c empty: S", "c of class P: its first byte decides")),
    Op("b", "Branch unless", "c n16", "control", "1", "NVKS",
       "if c[0,0] = 0 then pc = n16", "Goes on at n16 if c is zero.", ("c empty: S",)),
    Op("(", "Call", "n24", "control", "1", "C",
       "push pc + 1; pc = n24", "Calls the routine at n24.",
       ("STACK full: C",)),
    Op(")", "Return", "", "control", "1", "C",
       "pc = popped word, whose place in STACK becomes 0", "Returns from a call.",
       ("STACK empty: C",)),
    # ---- table and headers ---------------------------------------------------------
    Op("#", "Number", "d n16", "table", "1", "NVKSM",
       "d = 1x1, the signed 16-bit n16", "Sets d to a number written in the instruction."),
    Op("N", "Name", "d a i", "table", "1", "NVKS",
       "table[d] = table[a + floor(i[0,0])]",
       "Points entry d at the matrix of entry a + i: parameters, arrays of matrices.",
       ("d or a a small integer, d reserved, or a + i outside the table: N",
        "d itself is not resolved: it may name anything; nor is a",
        "details: d 0, a 1, an i outside the table 2", "i empty: S")),
    Op("V", "View", "d a s", "table", "1", "NVKS",
       "d, whose kind is V, shows a from row s[0], column s[1], s[2] rows by s[3] columns, "
       "row step s[4], column step s[5] (1), seen as the class with ASCII code s[6] (0: as it is)",
       "Makes d a window onto a part of a; nothing is copied.",
       ("d not V: K", "fewer than 4 or more than 7 numbers, or a step of 0: S",
        "rows or columns -1: as many as fit up to the edge in the step's direction",
        "any element outside a: V", "a small integer as a: N",
        "a is a view: the new view is composed onto its base; needs equal seen class or s[6] = 0, "
        "else K",
        "seen: I X P may be seen as one another word for word; P as T is r x 4c bytes, so a "
        "channel is column c step 4; T as I X P is r x ceil(c/4) words; Q only as Q; else K",
        "P with a column step other than 1 cannot be taken as bytes: K where that is tried",
        "in this order: d not V K0, s of Q K2; S for s; s[6] no class, or not to be seen so K2; "
        "a step of 0 or rows or columns below -1 S; an element outside a V1",
        "rows, columns, origin and steps count in units of the class seen, and are stored "
        "modulo 2^32; word 3 is the base's entry; the class is stored, also for s[6] = 0")),
    Op("$", "Shape", "d a 'w", "table", "1", "NVKSLM",
       "'s: d = 1x2 rows, columns of a; 'r: rows; 'c: columns; 'n: rows*columns",
       "How large a is; a picture is counted in pixels.", ("any other selector: L", "a may be Q")),
    # ---- ports -----------------------------------------------------------------------
    Op("W", "Wait", "d t", "ports", "1", "NVKSPM",
       "sleep until a port whose letter is in t is ready; d = the first such letter of t",
       "Sleeps until one of several ports has something.",
       ("a letter not granted or no port: P, whichever letters are ready", "t empty: S",
        "t of class P or Q: K", "d = the letter's code, 1x1", "none ready: reason W")),
    Op("[", "In", "d 'p s", "ports", "d", "NVKSPM",
       "d = the next message of port p, chosen by s; the message is finished as a value "
       "(P into P: pixels)", "Reads from a port.",
       ("port not granted or without input: P",
        "nothing there yet on a port that blocks: reason W, pc stays",
        "s of class P or Q: K; s is handed over whole, as it is",
        "fuel by the elements of the message as stored; 1 must be there before the port is asked",
        "I X T into an ordinary P: as values, so columns must be a multiple of 4 (S)")),
    Op("]", "Out", "a 'p s", "ports", "a", "NVKP",
       "hand a to port p, chosen by s", "Writes to a port.",
       ("port not granted or without output: P", "a full pipe: reason W, pc stays",
        "a of class Q: K; s of class P or Q: K", "a P is handed over as pixels")),
    # ---- arithmetic, element by element, broadcast -----------------------------------
    Op("A", "Add", "d a b", "arith", "d", "NVKSM", "a + b", "Adds.",
       ("I: 2^31-1 + 1 = -2^31", "X: 32767.99 + 1 saturates", "A d a 0 copies and converts"),
       exact=lambda a, b: a + b),
    Op("-", "Subtract", "d a b", "arith", "d", "NVKSM", "a - b", "Subtracts.",
       ("- d 0 a negates; -(-2^31) wraps in I, saturates in X",), exact=lambda a, b: a - b),
    Op("*", "Times", "d a b", "arith", "d", "NVKSM", "a * b", "Multiplies element by element.",
       ("I keeps the low 32 bits", "X rounds half up once"), exact=lambda a, b: a * b),
    Op("/", "Divide", "d a b", "arith", "d", "NVKS/M", "a / b",
       "Divides: floor into I, rounded half up into X, T and P.",
       ("any b = 0: fault /, detail the first such element of the result, row-major",
        "I: -2^31 / -1 = -2^31", "X: saturates"),
       exact=_quotient),
    Op("%", "Modulo", "d a b", "arith", "d", "NVKS/M", "a - b*floor(a/b)",
       "Remainder with the sign of b.", ("any b = 0: fault /", "-1 % 3 = 2", "1 % -3 = -2"),
       exact=lambda a, b: a - b * floor(_quotient(a, b))),
    Op("R", "ReLU", "d a b", "arith", "d", "NVKSM", "max(a, b)",
       "The greater of two; R d a 0 is the rectifier.", exact=lambda a, b: max(a, b)),
    Op("_", "Lesser", "d a b", "arith", "d", "NVKSM", "min(a, b)", "The lesser of two.",
       exact=lambda a, b: min(a, b)),
    Op("<", "Less", "d a b", "arith", "d", "NVKSM", "1 if a < b else 0",
       "Compares, exactly across kinds.", ("into X the result is 1.0",),
       exact=lambda a, b: int(a < b)),
    Op("=", "Equal", "d a b", "arith", "d", "NVKSM", "1 if a = b else 0",
       "Compares, exactly across kinds.", exact=lambda a, b: int(a == b)),
    # ---- bits: on raw words, bytes zero-extended; stored as they are, T and P low 8 bits -
    Op("&", "And", "d a b", "bits", "d", "NVKSM", "raw a AND raw b",
       "And of the raw words.", ("the raw word of X is value*65536", "into T, P: low 8 bits"),
       exact=lambda a, b: a & b),
    Op("|", "Or", "d a b", "bits", "d", "NVKSM", "raw a OR raw b", "Or of the raw words.",
       exact=lambda a, b: a | b),
    Op("^", "Xor", "d a b", "bits", "d", "NVKSM", "raw a XOR raw b", "Xor of the raw words.",
       exact=lambda a, b: a ^ b),
    Op("S", "Shift", "d a b", "bits", "d", "NVKSM",
       "n = floor(b) clamped to -32..32; raw a * 2^n (floored for n < 0), worth that over a's "
       "fraction, then finished",
       "Shifts left by b, right if b is negative.",
       ("counts beyond 32 act as 32", "-1 shifted by -32 is -1", "1 << 31 wraps in I"),
       exact=_shift),
    Op("?", "Select", "d c a", "move", "d", "NVKS", "where c != 0: d = a; elsewhere d stays",
       "Writes only where c holds; c and a are broadcast to d.",
       ("pixel: d P, a 1x1 P, c = 1 fills with a colour",
        "c is always taken as values; in pixel mode its shape is pixels, so c must not be P (K)",
        "c or a not broadcastable to d: S"),
       pixel=True, keeps_shape=True),
    # ---- functions: correctly rounded ---------------------------------------------------
    Op("q", "Square root", "d a", "functions", "d", "NVKSM",
       "sqrt(max(a, 0)); floor into I, rounded half up into X, T, P",
       "Square root, exact.", ("negative: 0", "2^31-1 into I: 46340")),
    Op("e", "Exp2", "d a", "functions", "d", "NVKSM",
       "2^a rounded half up to X and saturated, that value then finished",
       "Two to the power a, correctly rounded.",
       ("a >= 15: saturates", "a < -17: 0", "a = -17: 2^-17 rounds half up to 2^-16")),
    Op("l", "Log2", "d a", "functions", "d", "NVKSM",
       "log2 a rounded half up to X, that value then finished; a <= 0: -32768",
       "Binary logarithm, correctly rounded.", ("0 and negative: -32768", "1: 0")),
    Op("~", "Sine", "d a", "functions", "d", "NVKSM",
       "sin(2*pi*a) rounded half up to X, that value then finished",
       "Sine of a turns (a = 1 is a full circle); cosine: add 0.25 first.",
       ("integers: 0", "0.25: exactly 1")),
    # ---- folds ---------------------------------------------------------------------------
    Op("F", "Fold rows", "d a 'o", "fold", "a", "NVKSLM",
       "r x 1: each row of a combined by o", "Sum, greatest, least, and, or, xor of each row.",
       ("o not in AR_&|^: L", "the sum is exact and finished once",
        "& | ^ work on raw words and store raw",
        "empty: A | ^ 0; R the least and _ the greatest value of d's kind; & all ones")),
    Op("f", "Fold columns", "d a 'o", "fold", "a", "NVKSLM",
       "1 x c: each column of a combined by o", "The same down each column.", ("as F",)),
    Op("C", "Cumulate rows", "d a 'o", "fold", "a", "NVKSLM",
       "shape of a: element j of a row combines its elements 0..j by o",
       "Running sum, maximum, ... along each row.",
       ("each prefix is exact, then finished: saturation does not spread",)),
    Op("c", "Cumulate columns", "d a 'o", "fold", "a", "NVKSLM",
       "shape of a: element i of a column combines its elements 0..i by o",
       "The same down each column."),
    Op("a", "Argmax", "d a", "fold", "a", "NVKSM",
       "r x 1: column of the greatest element of each row, the first if equal",
       "Where each row is greatest.", ("a row without columns: -1",)),
    Op("n", "Norm", "d a n", "fold", "a", "NVKSM",
       "d[i,j] = a[i,j] / sqrt(the mean of the squares of row i + max(floor(n[0,0]), 0) / 2^32), "
       "rounded half up to X and saturated, that value then finished; 0 where a[i,j] is 0",
       "Brings each row to the size 1: the norms of networks; n keeps small rows small.",
       ("n empty: S", "correctly rounded: the mean and the root are exact",
        "a row of zeros: zeros")),
    # ---- indices ---------------------------------------------------------------------------
    Op("I", "Iota", "d n s", "index", "d", "NVKSM",
       "1 x n: s, s+1, s+2, ... for n = floor(n[0,0]), s = s[0,0]",
       "Counts.", ("n < 0 or an operand empty: S", "n = 0: 1x0")),
    Op("o", "Order", "d a", "index", "sort", "NVKSM",
       "shape of a: for each row the stable permutation that sorts it ascending",
       "Sorts: gather by it.", ("equal elements keep their order",)),
    Op("i", "Index", "d a b", "index", "ab", "NVKSM",
       "1 x rows(b): for each row of b the number of the first equal row of a, or -1",
       "Finds rows in a table.", ("the narrower operand is padded with zeros on the right",)),
    Op("w", "Where", "d a", "index", "a", "NVKSM",
       "1 x k: row-major positions of the elements of a that are not zero, ascending",
       "Where a is true.",
       ("d's capacity grows for all elements of a, so that no address depends on data",
        "d a view: its columns must equal k or k must be 1",
        "an ordinary P: k must be a multiple of 4 (S)",
        "words of an ordinary d behind the k stay")),
    Op("G", "Gather", "d a i", "index", "i", "NVKSM",
       "shape of i: element i[k] of a, counted row-major; outside a: 0",
       "Picks elements by position.", ("a may be Q: dequantised, finished once", "-1 gives 0",
        "i is floored; in pixel mode i must not be P (K), here and in g P p")
       ,
       pixel=True),
    Op("g", "Gather rows", "d a i", "index", "i", "NVKSM",
       "n x columns(a) for the n elements of i: row i[k] of a; outside: a row of zeros",
       "Picks rows: embeddings, lines, scanlines.", ("a may be Q",), pixel=True),
    Op("P", "Put", "d a i", "index", "i", "NVKS",
       "d[i[k]] = a[k], a broadcast to the shape of i; positions row-major; outside: ignored",
       "Scatters elements into d.", ("equal positions: the last k wins", "d keeps its shape"),
       pixel=True, keeps_shape=True),
    Op("p", "Put rows", "d a i", "index", "i", "NVKS",
       "row i[k] of d = row k of a, a broadcast to n x columns(d); outside: ignored",
       "Scatters rows into d.", ("equal rows: the last k wins",), pixel=True, keeps_shape=True),
    Op("@", "Accumulate", "d a i", "index", "i", "NVKS",
       "d[i[k]] = finish(d[i[k]] + the sum of all a[k] put there), a broadcast to the shape of i",
       "Adds into d at positions: histograms.",
       ("the sum is exact and finished once, so order cannot matter", "outside: ignored",
        "positions that receive nothing are not touched"),
       keeps_shape=True),
    # ---- moving -----------------------------------------------------------------------------
    Op("r", "Reshape", "d a s", "move", "d", "NVKSM",
       "s[0] x s[1] (in d's units): the elements of a in row-major order, again from the start "
       "when they run out",
       "Reshapes, repeats, cuts.",
       ("-1 infers one dimension: count // other (0 if other is 0)", "a empty: zeros",
        "s not of 2 elements, below -1, or twice -1: S"), pixel=True),
    Op("T", "Transpose", "d a", "move", "d", "NVKSM", "d[j,i] = a[i,j]",
       "Swaps rows and columns.", pixel=True),
    Op(",", "Beside", "d a b", "move", "d", "NVKSM", "a, then b to its right",
       "Joins by columns.",
       ("1-row operands stretch", "rows differ: S", "a 0x0 operand is neutral"), pixel=True),
    Op(";", "Below", "d a b", "move", "d", "NVKSM", "a, then b under it",
       "Joins by rows; `; d d x` appends.",
       ("1-column operands stretch", "columns differ: S", "a 0x0 operand is neutral",
        "d is a (the same ordinary matrix) and b is not d: work counts the new rows alone, unless "
        "d must move or a must stretch"), pixel=True),
    # ---- products ---------------------------------------------------------------------------
    Op("M", "MatMul", "d a b", "matmul", "mm", "NVKSM",
       "d[i,j] = sum over k of a[i,k]*b[k,j], exact, finished once",
       "Matrix product; b may be quantised.",
       ("inner sizes differ: S", "no inner elements: zeros",
        "b Q: scale*sum(a*q) + offset*sum(a), exact, finished once",
        "Q with a scale or offset that is not finite: K")),
    Op("m", "MatMul transposed", "d a b", "matmul", "mm", "NVKSM",
       "d[i,j] = sum over k of a[i,k]*b[j,k]", "Matrix product with b transposed.", ("as M",)),
    Op("X", "MatMul parts", "d a b", "matmul", "mm", "NVKSM",
       "d[i,j] = sum over k of a[i,k]*b[k, (i mod n)*w + j], exact, finished once, for "
       "n = leaf of a (0: its rows; at least 1) and w = columns(b) / n",
       "Products of each row of a with its own part of b's columns: what the heads of attention "
       "mix.",
       ("inner sizes differ, or the columns of b are no multiple of n: S",
        "no inner elements: zeros", "a view has no leaf")),
    Op("x", "MatMul parts transposed", "d a b", "matmul", "mm", "NVKSM",
       "d[i,j] = sum over k of a[i,k]*b[j, (i mod n)*w + k] for w = columns(a) and "
       "n = columns(b) / w, exact, finished once",
       "Products of each row of a with its own part of b's rows: the scores of attention.",
       ("the columns of b are no positive multiple of a's: S, unless both have none",
        "no inner elements: zeros")),
    Op("K", "Konvolve", "d a b", "conv", "conv", "NVKSM",
       "shape of a: sum over u,v of b[u,v]*a[y+u-floor(h/2), x+v-floor(w/2)], coordinates "
       "clamped to a, exact, finished once",
       "Convolution (correlation) with clamped edges; a picture is convolved channel by channel.",
       ("b empty: zeros", "a P: coordinates are pixels, the result has a's byte shape")),
    Op("k", "Konvolve wrapped", "d a b", "conv", "conv", "NVKSM",
       "as K with coordinates modulo the shape of a", "Convolution on a torus.", ("as K",)),
    # ---- drawing ----------------------------------------------------------------------------
    Op("O", "Over", "d a b", "draw", "d", "NVKSM",
       "d = a over b, broadcast, for each pixel with A = alpha of a: colour "
       "(a*A + b*(255-A) + 127) div 255, alpha (255*A + alpha(b)*(255-A) + 127) div 255",
       "Blends pictures by alpha.", ("d must be P, a and b P or I: else K",), pixel=True),
    Op("t", "Tile", "d a b", "draw", "d", "NVKSM",
       "(R*h) x (C*w): each element of the R x C map a replaced by that tile of b; b is a stack "
       "of tiles h rows high (its leaf; 0: all its rows) and w columns wide",
       "Writes text: a map of characters times an atlas of glyphs.",
       ("a tile number outside the stack: tile 0",
        "an empty stack or a leaf above b's rows: zeros of that size",
        "a is always taken as values and must not be P in pixel mode (K)"), pixel=True),
    Op("Z", "Zoom", "d a s", "draw", "d", "NVKSM",
       "s[0] x s[1] (in d's units): "
       "d[y,x] = a[floor((2y+1)*rows/(2*s0)), floor((2x+1)*cols/(2*s1))]",
       "Resizes, nearest neighbour.",
       ("s not of 2 elements or negative: S", "a empty: zeros"), pixel=True),
    Op("D", "Draw", "d a b", "draw", "draw", "NVKS",
       "for each row of b in order draw a onto d, clipped: [row, column]; [row, column, leaf]; "
       "[row, column, rows, columns] a repeated over that rectangle; [row, column, rows, columns, "
       "leaf].  Pixel mode blends as Over; otherwise values are finished into d",
       "Sprites, rectangles, glyphs: many in one instruction.",
       ("b not of 2 to 5 columns: S", "a leaf outside a, an empty a, a rectangle below 1: skipped",
        "leaf k is rows k*leaf..(k+1)*leaf-1 of a; leaf 0 in the header: all of a",
        "without a leaf number: all of a", "b P in pixel mode: its bytes are the numbers"),
       pixel=True, keeps_shape=True),
)
# fmt: on

#: The table by opcode byte.
BY_CODE: dict[int, Op] = {ord(op.char): op for op in ROWS}
#: The table by opcode character.
BY_CHAR: dict[str, Op] = {op.char: op for op in ROWS}
#: Families in the order in which they first appear.
FAMILIES: tuple[str, ...] = tuple(dict.fromkeys(op.family for op in ROWS))


def encode(char: str, g: int = 0, b: int = 0, a: int = 0) -> int:
    """The word of an instruction from its opcode and three operand bytes."""
    return ord(char) | g << 8 | b << 16 | a << 24


def small_operand(value: int) -> int | None:
    """The operand byte that means the integer ``value``, or None if there is none."""
    return value + SMALL_ZERO if SMALL_MIN <= value <= SMALL_MAX else None
