"""The program picture: reading one from a stranger, building one, saving a running one.

A program is an image of words laid out as memory.py says, with a digest in its legend.
:func:`load` believes nothing: it checks the PNG, the legend, the digest and then every
rule on which the executors rely, so that no header or table entry can point outside the
picture or into another matrix.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from . import damage, layout, png
from .fault import REASONS
from .isa import FIRST_FREE_ENTRY, KINDS, RESERVED
from .layout import LayoutError, MatrixSpec
from .memory import FLAG_WRITABLE, HEADER_PX, SYS, SYS_COLS, SYS_ROW, Memory
from .meta import Meta, MetaError

__all__ = [
    "DEFAULT_MAX_PX",
    "DEFAULT_QUOTA_BYTES",
    "LayoutError",
    "MatrixSpec",
    "Program",
    "ProgramError",
    "build",
    "checkpoint",
    "load",
    "open_memory",
    "save",
    "validate",
]

#: Memory that a process may use unless it is given another amount.
DEFAULT_QUOTA_BYTES = 1 << 30

#: Largest program that :func:`load` accepts unless told otherwise.
DEFAULT_MAX_PX = png.DEFAULT_MAX_PX

_BROKEN = "the file is damaged or was made by a faulty tool: get a whole copy, or assemble it again"
_MACHINE_OWNED = ("SYS", "TABLE", "CODE", "STACK")


class ProgramError(ValueError):
    """A picture is no program that can be run.  ``what`` is wrong; ``advice`` says what to try."""

    def __init__(self, what: str, advice: str = _BROKEN) -> None:
        self.what = what
        self.advice = advice
        super().__init__(f"{what}; {advice}")


@dataclass(frozen=True, slots=True, eq=False)
class Program:
    """A validated program.  ``image``: uint32, rows x width, read-only, digest whole."""

    image: np.ndarray
    meta: Meta

    @property
    def digest(self) -> str:
        """The SHA-256 of the program, in hexadecimal."""
        return self.image[0, layout.DIGEST].tobytes().hex()


# ---- reading -----------------------------------------------------------------------------


def load(data: bytes, *, max_px: int = DEFAULT_MAX_PX) -> Program:
    """The program in a PNG file.  Raises ProgramError, and nothing else, whatever ``data`` is."""
    if not png.is_png(data):
        raise ProgramError(*damage.foreign(data))
    try:
        pixels = png.decode(data, max_px=max_px)
    except png.PngError as error:
        raise ProgramError(f"{error.what}; expected {error.expected}", error.advice) from error
    rows, width = pixels.shape[:2]
    image = pixels.reshape(rows, width * 4).view(np.uint32)
    meta = validate(image)
    image.flags.writeable = False
    return Program(image, meta)


def validate(image: np.ndarray) -> Meta:
    """Check every rule of a program picture (uint32, rows x width) and read its metadata.

    Raises ProgramError saying what is wrong; takes time linear in the picture.
    """
    found = damage.diagnose(image)
    if found is not None:
        raise ProgramError(*found)
    if layout.digest(image) != image[0, layout.DIGEST].tobytes():
        raise ProgramError(*damage.changed())
    if image.size >= 1 << 32:
        raise ProgramError(f"the program has {image.size} words, more than addresses reach")
    flat = image.reshape(-1)
    state = _check_sys(flat, image.shape)
    table = _check_table(flat, image.shape, state["table_row"])
    _check_headers(flat, image.shape, table)
    _check_reserved(flat, image.shape[1], table, state)
    at, size = _data(flat, image.shape[1], int(table[RESERVED.index("META")]))
    try:
        return Meta.from_bytes(flat[at : at + -(-size // 4)].tobytes()[:size])
    except MetaError as error:
        raise ProgramError(str(error)) from error


def _data(flat: np.ndarray, width: int, row: int) -> tuple[int, int]:
    """Address of the first data word, and columns, of the 1 x n matrix at ``row``."""
    return row * width + HEADER_PX, int(flat[row * width + 2])


def _check_sys(flat: np.ndarray, shape: tuple[int, ...]) -> dict[str, int]:
    rows, width = shape
    if rows <= SYS_ROW:
        raise ProgramError("the program has no machine state: it ends after its legend")
    at = SYS_ROW * width
    if flat[at : at + 3].tolist() != [ord("I"), 1, SYS_COLS]:
        raise ProgramError(f"row {SYS_ROW} does not hold the machine's state")
    words = flat[at + HEADER_PX : at + HEADER_PX + SYS_COLS].tolist()
    state = {name: words[index] for name, index in SYS.items()}
    if state["version"] != layout.VERSION:
        raise ProgramError(
            f"the program is for version {state['version']} of the machine, this is "
            f"{layout.VERSION}",
            "update pxOS, or assemble the program again",
        )
    if state["top"] != rows:
        raise ProgramError(f"the state counts {state['top']} rows, the picture has {rows}")
    if state["reason"] and (state["reason"] > 127 or chr(state["reason"]) not in REASONS):
        raise ProgramError(f"the state has an unknown stop reason {state['reason']}")
    return state


def _check_table(flat: np.ndarray, shape: tuple[int, ...], table_row: int) -> np.ndarray:
    """The rows that the table's entries name (int64), each inside the picture."""
    rows, width = shape
    if not SYS_ROW < table_row < rows:
        raise ProgramError(f"the matrix table is at row {table_row} of {rows}")
    at = table_row * width
    kind, tall, entries = flat[at : at + 3].tolist()
    if kind != ord("I") or tall != 1 or not FIRST_FREE_ENTRY <= entries <= layout.MAX_ENTRIES:
        raise ProgramError(f"the matrix table has {entries} entries, or is no table at all")
    if at + HEADER_PX + entries > flat.size:
        raise ProgramError("the matrix table goes past the end of the picture")
    table = flat[at + HEADER_PX : at + HEADER_PX + entries].astype(np.int64)
    outside = np.flatnonzero((table < SYS_ROW) | (table >= rows))
    if outside.size:
        entry = int(outside[0])
        raise ProgramError(f"entry {entry} names row {table[entry]}, the picture has {rows}")
    if table[0] != SYS_ROW or table[1] != table_row:
        raise ProgramError("the first table entries do not name the state and the table")
    return table


def _check_headers(flat: np.ndarray, shape: tuple[int, ...], table: np.ndarray) -> None:
    """Check every distinct header: kind, shape, capacity, and that no two overlap."""
    rows, width = shape
    ordered = np.sort(table)
    # numpy.unique and numpy.isin would do, but import numpy.ma, which takes 20 ms.
    starts = ordered[np.append(True, ordered[1:] != ordered[:-1])]
    heads = flat[starts[:, None] * width + np.arange(HEADER_PX)].astype(np.int64)
    kind, seen, flags = heads[:, 0] & 0xFF, heads[:, 0] >> 8 & 0xFF, heads[:, 0] >> 16

    def demand(fine: np.ndarray, what: str) -> None:
        bad = np.flatnonzero(~fine)
        if bad.size:
            row = int(starts[bad[0]])
            entry = int(np.flatnonzero(table == row)[0])
            raise ProgramError(f"the matrix of entry {entry}, at row {row}, {what}")

    view = kind == ord("V")
    demand(_one_of(kind, KINDS), "is of an unknown kind")
    demand(
        np.where(view, _one_of(seen, "\0IXTPQ"), seen == 0),
        "is seen as an unknown kind",
    )
    demand((flags == 0) | ((flags == FLAG_WRITABLE) & (starts == table[2])), "has unknown flags")
    shape_max = (1 << 31) - 1
    demand((heads[:, 1] <= shape_max) & (heads[:, 2] <= shape_max), "has an impossible shape")
    demand(~view | (heads[:, 3] < len(table)), "is a view of no entry")
    bytewise = (kind == ord("T")) | (kind == ord("Q"))
    words = heads[:, 1] * np.where(bytewise, -(-heads[:, 2] // 4), heads[:, 2])
    capacity = np.where(view, width - HEADER_PX, heads[:, 3])
    demand(view | (words <= capacity), "does not fit its capacity")
    demand((HEADER_PX + capacity) % width == 0, "has a capacity that does not fill its rows")
    ends = starts + (HEADER_PX + capacity) // width
    demand(ends <= np.append(starts[1:], rows), "reaches into the next one or out of the picture")


def _one_of(codes: np.ndarray, kinds: Iterable[str]) -> np.ndarray:
    """Which of ``codes`` (0..255) are the ASCII code of one of ``kinds``."""
    known = np.zeros(256, bool)
    known[[ord(kind) for kind in kinds]] = True
    return np.asarray(known[codes])


def _check_reserved(flat: np.ndarray, width: int, table: np.ndarray, state: dict[str, int]) -> None:
    """Check the machine's own matrices and the state against them."""
    own = table[:FIRST_FREE_ENTRY]
    if len(set(own.tolist())) != FIRST_FREE_ENTRY:
        raise ProgramError(f"two of {', '.join(RESERVED)} are the same matrix")
    for name, row in zip(RESERVED, own.tolist(), strict=True):
        kind, rows, cols = flat[row * width : row * width + 3].tolist()
        wanted = "I" if name in _MACHINE_OWNED else "T"
        if chr(kind & 0xFF) != wanted or (rows != 1 and (name in _MACHINE_OWNED or rows * cols)):
            raise ProgramError(f"{name} is not a {wanted} of one row")
    code_size = _data(flat, width, int(own[2]))[1]
    at, stack_size = _data(flat, width, int(own[3]))
    if state["depth"] > stack_size:
        raise ProgramError(f"{state['depth']} calls are open on a stack of {stack_size}")
    # A jump reaches 2^24 - 1, a return one further; nothing else can have set a pc.
    reach = max(code_size, 1 << 24)
    returns = flat[at : at + state["depth"]]
    if state["pc"] > reach or (returns.size and int(returns.max()) > reach):
        raise ProgramError("the state names an instruction that no jump can reach")


# ---- making ------------------------------------------------------------------------------


def build(
    matrices: Sequence[MatrixSpec],
    code: Sequence[int] | np.ndarray,
    meta: Meta | None = None,
    *,
    stack: int = 64,
    code_writable: bool = False,
    width: int | None = None,
    legend: str = "",
    seed: int = 0,
) -> Program:
    """Lay out and seal a program.

    ``matrices`` become entries 5 and up in their order; ``code`` are instruction words.  The
    names in ``meta`` are replaced by those of the matrices.  ``width`` None picks the most
    nearly square picture; ``legend`` "" is made from the title and the summary.
    Raises LayoutError for what cannot be laid out and MetaError for wrong metadata.
    """
    names = (*RESERVED, *(spec.name for spec in matrices))
    meta = replace(meta or Meta(), names=names)
    if not legend:
        about = f" - {meta.summary}" if meta.summary else ""
        legend = f"{meta.title or 'a pxOS program'}{about} - run: pxos run THIS.png"
    image = layout.lay_out(
        matrices,
        code,
        meta.to_bytes(),
        stack=stack,
        width=width,
        legend=legend,
        code_writable=code_writable,
        seed=seed,
    )
    image.flags.writeable = False
    return Program(image, meta)


def save(program: Program) -> bytes:
    """The program as the bytes of a canonical PNG."""
    return _png(program.image)


def _png(image: np.ndarray) -> bytes:
    rows, width = image.shape
    return png.encode(image.view(np.uint8).reshape(rows, width, 4))


# ---- running -----------------------------------------------------------------------------


def open_memory(program: Program, quota_bytes: int = DEFAULT_QUOTA_BYTES) -> Memory:
    """Fresh memory holding the program, with room up to the quota.

    Raises ProgramError if the program alone is larger than the quota.
    """
    rows, width = program.image.shape
    quota_rows = quota_bytes // (4 * width)
    if quota_rows < rows:
        raise ProgramError(
            f"the program takes {4 * width * rows} bytes of a quota of {quota_bytes}",
            "give it more with --memory",
        )
    return Memory(program.image, quota_rows)


def checkpoint(memory: Memory) -> bytes:
    """The running program as a PNG from which :func:`load` goes on where it stands."""
    image = memory.used_image().copy()
    layout.seal(image)
    return _png(image)
