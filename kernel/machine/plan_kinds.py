"""Which kinds an instruction takes, and its operands as rectangles in the units of its mode."""

from __future__ import annotations

from .isa import Op
from .plan_types import Fault, Matrix, Strided

#: What pixel mode makes of the sources: "p" moved as words (P or I), "v" taken as values with a
#: shape that counts (not P), "n" numbers (a P is its bytes).
PIXEL_ROLES = {
    "?": "vp",
    "G": "pv",
    "g": "pv",
    "P": "pv",
    "p": "pv",
    "r": "pn",
    "T": "p",
    ",": "pp",
    ";": "pp",
    "O": "pp",
    "t": "vp",
    "Z": "pn",
    "D": "pn",
}

#: Which source (0 first) may be quantised.
QUANTISED = {"$": 0, "G": 0, "g": 0, "M": 1, "m": 1}

#: Ports take these classes as their selector s, and Wait as its t.
SELECTOR_CLASSES = frozenset("IXT")

_INFINITE = 0x7F80_0000


def _finite(bits: int) -> bool:
    return bits & _INFINITE != _INFINITE


def destination(m: Matrix, pixel: bool) -> Strided | Fault:
    """A destination in the units of the mode, as it is now; fault K if it may not be written."""
    if not m.writable or m.cls == "Q":
        return Fault("K", 0)
    rectangle = m.pixels if pixel else m.values
    return Fault("K", 0) if rectangle is None else rectangle


def source(op: Op, place: int, number: int, m: Matrix, pixel: bool) -> Strided | Fault:
    """Source ``place`` (0 first) of an instruction, named by byte ``number``; or fault K."""
    role = PIXEL_ROLES[op.char][place] if pixel else ""
    if role == "p":
        return m.pixels if m.cls in "PI" else Fault("K", number)
    if role == "v" and m.cls == "P":
        return Fault("K", number)
    if m.cls == "Q" and (
        QUANTISED.get(op.char) != place or not (_finite(m.scale_bits) and _finite(m.offset_bits))
    ):
        return Fault("K", number)
    return m.values or Fault("K", number)
