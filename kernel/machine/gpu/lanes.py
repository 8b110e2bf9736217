"""Kernels written for one run of element-by-element instructions (see :mod:`.fuse`).

A kernel goes over a grid of rows x columns, the shape of every result of the run.  A *lane* is the
part of it that is loaded and stored together: one element where all operands are words, four
elements of a row, one word of them, as soon as bytes take part.  Where nothing is broadcast but
single numbers and all rectangles lie without gaps, the grid is one row.

An invocation does several lanes (:data:`LANES`) that lie a workgroup apart: neighbouring
invocations touch neighbouring words, and the loads of all lanes are on their way before the first
is needed.

Where a run makes everything from the bytes of one matrix and from numbers, a workgroup first makes
a table of what becomes of each of the 256 bytes: a long chain then costs no more than a short one.

The text depends on kinds and layouts, never on shapes, offsets or numbers: those are parameters.
So kernels are compiled once for a kind of run.
"""

from __future__ import annotations

from dataclasses import dataclass

from .device import Buffer
from .kit import PARAM_WORDS, Dispatch, Kit, Operand
from .shaders import parts

#: Lanes of an invocation, by itself and with a table of bytes; invocations of a workgroup, which is
#: also the number of bytes that there are.
LANES, TABLE_LANES, GROUP = 4, 8, 256
#: Instructions from which a table of bytes pays.
TABLE_FROM = 2
#: Matrices of a kernel, and the parameter words before those of the operands.
MAX_BUFFERS, _HEAD_WORDS = 14, 3
_PARAMS, _FAULT, _FIRST_BUFFER = 0, 1, 2


@dataclass(frozen=True, slots=True)
class Source:
    """An input of a run: its register, and its rectangle, or None if it is the number ``small``."""

    name: str
    operand: Operand | None
    small: int = 0


@dataclass(frozen=True, slots=True)
class Value:
    """One instruction: its register, the WGSL function and the file that has it, (register, class)
    of each argument, and the class of the result.  Select is written out: its arguments are the
    condition, the source and d as it was."""

    name: str
    part: str
    function: str
    arguments: tuple[tuple[str, str], ...]
    kind: str


@dataclass(frozen=True, slots=True)
class Kernel:
    """A run: the grid, what is read, computed and written (register and rectangle)."""

    rows: int
    cols: int
    sources: tuple[Source, ...]
    values: tuple[Value, ...]
    results: tuple[tuple[str, Operand], ...]
    table: Buffer | None = None


def one_by_one(operand: Operand) -> bool:
    """Whether bytes lie in order in rows that start with words."""
    in_order = operand.cols == 1 or operand.col_step == 1
    return in_order and operand.offset % 4 == 0 and (operand.rows == 1 or operand.row_step % 4 == 0)


def fits_params(rectangles: int, smalls: int) -> bool:
    """Whether a kernel with so many rectangles and small integers has room for its parameters."""
    return _HEAD_WORDS + 3 * rectangles + smalls <= PARAM_WORDS


def kernel_dispatch(kernel: Kernel, kit: Kit) -> Dispatch:
    """The dispatch of a kernel; compiles it if no kernel of its kind was compiled before."""
    writer = _Writer(kernel)
    text = writer.text()
    buffers = list(writer.buffers.values())
    written = {id(d.buffer) for _, d in kernel.results}
    bindings = [(_PARAMS, False), (_FAULT, False)]
    bindings += [
        (_FIRST_BUFFER + number, id(buffer) in written) for number, buffer in enumerate(buffers)
    ]
    shared = kit.shared
    with kit.gpu.lock:
        pipeline = shared.pipelines.get(("lanes", text))
        if pipeline is None:
            pipeline = kit.gpu.pipeline(text, "lanes", bindings, {})
            shared.pipelines["lanes", text] = pipeline
    blocks, offset = shared.block(word & 0xFFFFFFFF for word in writer.params)
    group = kit.gpu.bind_group(
        bindings,
        [
            (_PARAMS, blocks.buffer, offset, 4 * PARAM_WORDS),
            (_FAULT, kit.fault, 0, 16),
            *(
                (_FIRST_BUFFER + number, buffer, 0, 4 * buffer.words)
                for number, buffer in enumerate(buffers)
            ),
        ],
    )
    x, y = kit.grid(-(-writer.lanes // (GROUP * writer.each)))
    return Dispatch((pipeline, group, x, y), None, (blocks, *buffers))


class _Writer:
    """Text and parameters of a kernel."""

    def __init__(self, kernel: Kernel) -> None:
        self.kernel = kernel
        self.buffers: dict[int, Buffer] = {}
        rectangles = [s.operand for s in kernel.sources if s.operand is not None]
        many = [x for x in rectangles if x.count > 1] + [d for _, d in kernel.results]
        self.flat = all(
            x.is_flat
            and (x.rows, x.cols) == (kernel.rows, kernel.cols)
            and (x.unit == 4 or x.offset % 4 == 0)
            for x in many
        )
        self.pack = 4 if any(x.unit == 1 for x in many) else 1
        rows, cols = (1, kernel.rows * kernel.cols) if self.flat else (kernel.rows, kernel.cols)
        row_lanes = -(-cols // self.pack)
        #: Whether every lane is full.
        self.whole = cols % self.pack == 0
        self.lanes = rows * row_lanes
        self.params: list[int] = [self.lanes, row_lanes, cols]
        moving = [x for x in rectangles if x.count > 1]
        #: Whether a table of bytes is made.
        self.tabled = (
            len(kernel.values) >= TABLE_FROM
            and len(moving) == 1
            and moving[0].cols > 1
            and self._packed(moving[0])
        )
        #: Lanes of an invocation.
        self.each = TABLE_LANES if self.tabled else LANES

    # ---- parameters ----------------------------------------------------------------------------

    def _buffer(self, buffer: Buffer) -> str:
        if id(buffer) not in self.buffers:
            self.buffers[id(buffer)] = buffer
        return f"m{list(self.buffers).index(id(buffer))}"

    def _param(self, *words: int) -> int:
        at = len(self.params)
        self.params += words
        return at

    def _place(self, x: Operand, scale: int = 1) -> int:
        """Offset and steps of a rectangle, in units or in words of four bytes."""
        row_step = x.row_step if x.rows != 1 else 0
        return self._param(x.offset // scale, row_step // scale, x.col_step if x.cols != 1 else 0)

    # ---- text ------------------------------------------------------------------------------------

    def text(self) -> str:
        """The WGSL of the kernel."""
        once: list[str] = []
        loads: list[str] = []
        arguments: list[str] = []
        for source in self.kernel.sources:
            arguments.append(self._load(source, once, loads))
        work = self._work(arguments)
        body = [f"let p{n} = p[{n}];" for n in range(len(self.params))] + once
        for lane in range(self.each):
            body += [line.replace("_U", f"_{lane}") for line in (*self._position(lane), *loads)]
        if self.tabled:
            given = ", ".join("local" if "byte_of" in name else name for name in arguments)
            body.append(f"let made = chain({given});")
            body += [f"known{n}[local] = made.o{n};" for n in range(len(self.kernel.results))]
            body.append("workgroupBarrier();")
        for lane in range(self.each):
            body.append(f"if (first + {lane * GROUP}u < p0) {{")
            body += ["    " + line.replace("_U", f"_{lane}") for line in work]
            body.append("}")
        main = (self._main(), *(f"    {line}\n" for line in body), "}\n")
        return "".join((self._head(), self._chain(), *main))

    def _work(self, arguments: list[str]) -> list[str]:
        """The instructions on the elements of a lane, and the stores."""
        first, values = f"let y = chain({', '.join(arguments)});", "y.o{}"
        if self.tabled:
            byte = next(name for name in arguments if "byte_of" in name)
            first, values = f"let y = {byte};", "known{}[y]"
        results = [(n, d, values.format(n)) for n, (_, d) in enumerate(self.kernel.results)]
        if self.pack == 1:
            return [first, *(self._store_word(d, value) for _, d, value in results)]
        before, inside, behind = [], [first], []
        for number, d, value in results:
            if d.unit == 4:
                store = self._store_word(d, value)
                inside.append(store if self.whole else f"if (c + k < p2) {{ {store} }}")
            else:
                before.append(f"var w{number} = 0u;")
                inside.append(f"w{number} |= {value} << (8u * k);")
                behind += self._store_bytes(number, d)
        loop = ["for (var k = 0u; k < 4u; k++) {", *("    " + line for line in inside), "}"]
        column = [] if self.whole else [f"let c = {self._lane} * 4u;"]
        return [*column, *before, *loop, *behind]

    def _position(self, lane: int) -> list[str]:
        """Where a lane is; behind the last one, the last is loaded again."""
        lines = [f"let i_U = min(first + {lane * GROUP}u, p0 - 1u);"]
        if self.flat:
            return lines
        return [*lines, "let r_U = i_U / p1;", "let q_U = i_U - r_U * p1;"]

    @property
    def _lane(self) -> str:
        """The number of a lane in its row."""
        return "i_U" if self.flat else "q_U"

    def _element(self, at: int, k: str) -> str:
        """The address of element k of a lane, in units."""
        column = self._lane if self.pack == 1 else f"({self._lane} * 4u + {k})"
        if self.flat:
            return f"p{at} + {column}"
        return f"p{at} + r_U * p{at + 1} + {column} * p{at + 2}"

    def _word(self, at: int) -> str:
        """The word of a lane of bytes in order."""
        return f"p{at} + i_U" if self.flat else f"p{at} + r_U * p{at + 1} + q_U"

    def _load(self, source: Source, once: list[str], loads: list[str]) -> str:
        """Write the loads of an input; what element k of a lane is called then."""
        x, name = source.operand, source.name
        if x is None:
            once.append(f"let {name} = p{self._param(source.small)};")
            return name
        buffer = self._buffer(x.buffer)
        if x.count == 1:
            at = self._param(x.offset)
            once.append(f"let {name} = {_taken(buffer, f'p{at}', x.unit)};")
            return name
        if x.cols == 1 and not self.flat:
            at = self._place(x)
            address = f"p{at} + r_U * p{at + 1}"
            loads.append(f"let {name}_U = {_taken(buffer, address, x.unit)};")
            return f"{name}_U"
        if self._packed(x):
            loads.append(f"let {name}_U = {buffer}[{self._word(self._place(x, 4))}];")
            return f"byte_of({name}_U, k)"
        at = self._place(x)
        if self.pack == 1:
            loads.append(f"let {name}_U = {_taken(buffer, self._element(at, ''), 4)};")
            return f"{name}_U"
        four = ", ".join(_taken(buffer, self._element(at, f"{k}u"), x.unit) for k in range(4))
        loads.append(f"let {name}_U = vec4<u32>({four});")
        return f"{name}_U[k]"

    def _packed(self, x: Operand) -> bool:
        """Whether a lane of these bytes is one word."""
        return x.unit == 1 and (self.flat or one_by_one(x))

    def _store_word(self, d: Operand, value: str) -> str:
        """Store element k of a lane."""
        address = self._element(self._place(d), "k")
        return f"{self._buffer(d.buffer)}[{address}] = {value};"

    def _store_bytes(self, number: int, d: Operand) -> list[str]:
        """Store the word of a lane; at the end of a row, the bytes that belong to it."""
        buffer, word = self._buffer(d.buffer), self._word(self._place(d, 4))
        if self.whole:
            return [f"{buffer}[{word}] = w{number};"]
        return [
            f"let t{number} = {word};",
            "if (c + 4u > p2) {",
            "    let mask = (1u << (8u * (p2 - c))) - 1u;",
            f"    w{number} = (w{number} & mask) | ({buffer}[t{number}] & ~mask);",
            "}",
            f"{buffer}[t{number}] = w{number};",
        ]

    def _chain(self) -> str:
        """The instructions on one element."""
        kernel = self.kernel
        inputs = ", ".join(f"{source.name}: u32" for source in kernel.sources)
        lines = []
        for value in kernel.values:
            registers = [name for name, _ in value.arguments]
            kinds = [f"KIND_{kind}" for _, kind in value.arguments]
            to = f"KIND_{value.kind}"
            if value.function == "op_select":
                moved = f"convert({registers[1]}, {kinds[1]}, {to})"
                expression = f"select({registers[2]}, {moved}, {registers[0]} != 0u)"
            else:
                expression = f"{value.function}({', '.join((*registers, *kinds, to))})"
            lines.append(f"    let {value.name} = {expression};\n")
        outputs = "".join(f"    o{n}: u32,\n" for n in range(len(kernel.results)))
        results = ", ".join(name for name, _ in kernel.results)
        return (
            f"struct Results {{\n{outputs}}}\n\n"
            f"fn chain({inputs}) -> Results {{\n"
            f"{''.join(lines)}    return Results({results});\n}}\n"
        )

    def _main(self) -> str:
        """The beginning of the entry point, up to the number of its first lane."""
        tables = "".join(
            f"var<workgroup> known{n}: array<u32, {GROUP}>;\n"
            for n in range(len(self.kernel.results) if self.tabled else 0)
        )
        return f"""\
{tables}
@compute @workgroup_size({GROUP})
fn lanes(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) local: u32,
) {{
    if (fault[0] != 0u) {{
        return;
    }}
    let first = (group.y * groups.x + group.x) * {GROUP * self.each}u + local;
"""

    def _head(self) -> str:
        """Bindings, and the functions of the families that take part."""
        table = self.kernel.table
        name = None if table is None else self._buffer(table)
        written = {id(d.buffer) for _, d in self.kernel.results}
        lines = [
            f"@group(0) @binding({_PARAMS}) var<storage, read> p: array<u32>;\n",
            f"@group(0) @binding({_FAULT}) var<storage, read> fault: array<u32>;\n",
        ]
        for number, key in enumerate(self.buffers):
            access = "read_write" if key in written else "read"
            lines.append(
                f"@group(0) @binding({_FIRST_BUFFER + number}) "
                f"var<storage, {access}> m{number}: array<u32>;\n"
            )
        if name is not None:
            lines.append(f"fn table_word(i: u32) -> u32 {{\n    return {name}[i];\n}}\n")
        names = sorted({value.part for value in self.kernel.values})
        return "".join(lines) + _BYTE_OF + parts(*names)


def _taken(buffer: str, address: str, unit: int) -> str:
    """A raw element at an address in units."""
    if unit == 4:
        return f"{buffer}[{address}]"
    return f"byte_of({buffer}[({address}) >> 2u], {address})"


_BYTE_OF = """\
fn byte_of(word: u32, address: u32) -> u32 {
    return (word >> ((address & 3u) * 8u)) & 0xFFu;
}
"""
