"""The assembly of a program: both passes, the table, the picture."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

import numpy as np

from ....kernel.machine import program as machine_program
from ....kernel.machine.fault import InternalError
from ....kernel.machine.isa import FIRST_FREE_ENTRY, FIRST_SMALL, RESERVED
from ....kernel.machine.layout import LayoutError, MatrixSpec
from ....kernel.machine.memory import words_for
from ....kernel.machine.meta import Meta, MetaError
from ....kernel.machine.ports import LETTER_OF, PORTS
from ....kernel.machine.program import Program, ProgramError
from . import constants, metadata
from .code import Code
from .collect import Collect, source_of
from .data import DataReader, Files, read_picture
from .errors import Collector, Place, Source, SourceError, too_deep
from .flat import Flat, is_flat
from .functions import BY_NAME
from .kinds import fitted, quantised, raw_elements
from .scratch import share
from .statements import Statements
from .symbols import Matrix, Scope
from .tree import Expr

#: How many matrices of its own a program's instructions can name.
NEAR_ENTRIES = FIRST_SMALL - FIRST_FREE_ENTRY
#: How the error begins that there are more.
TOO_MANY_NAMES = f"instructions can name {NEAR_ENTRIES} matrices"
ICON_SIZE = (32, 32)
_MAX_DIMENSION = 1 << 26
_T = TypeVar("_T")


class Assembly:
    """One program on its way from source to picture."""

    def __init__(self, files: Files) -> None:
        self.files = files
        self.problems = Collector()
        self.collect = Collect(files, self.problems)
        self.code = Code()
        self.lowering = Statements(self.code, files, self.problems)
        self.lowering.declared = self.collect.declared

    def run(self, text: str, path: Path) -> Program:
        """The program of a source.  Raises AsmError."""
        try:
            data = text.encode("utf-8", "surrogatepass")
            source = source_of(path.name, path, data, None)
            return Flat(source, self.problems).run() if is_flat(text) else self._run(source, path)
        except SourceError as error:
            self.problems.add(error)
        except RecursionError:
            self.problems.add(too_deep(Place(source, 1, 1)))
        self.problems.check()
        raise InternalError("an assembly ended without a program and without a problem")

    def _run(self, source: Source, path: Path) -> Program:
        """The program of a source that is not in the flat form."""
        self.collect.source(source, path)
        about = metadata.read(self.collect.directives, self.collect.globals, self.problems)
        self.lowering.code_writable = about.code_writable
        self.collect.note_views(self.lowering)
        self.lower()
        self._guarded(self._check_ports, about)
        self.problems.check()
        self._guarded(self._check_end, source)
        self.problems.check()
        icon = self._icon(about)
        matrices = self._placed(source, icon)
        self.problems.check()
        for matrix in matrices:
            self._guarded(self._fill, matrix)
        self.problems.check()
        return self._build(source, about, matrices, icon)

    def _guarded(self, action: Callable[[_T], None], subject: _T) -> None:
        """Call ``action``; a mistake in the source goes to the collector."""
        try:
            action(subject)
        except SourceError as error:
            self.problems.add(error)

    def lower(self) -> None:
        """The main code, then every proc that something refers to, in order of first mention."""
        lowering = self.lowering
        lowering.block(tuple(self.collect.main), self.collect.globals)
        self.last_of_main = self.code.instructions[-1] if self.code.pc else None
        self.main_falls = self._falls(0)
        while lowering.wanted:
            proc = lowering.wanted.pop(0)
            lowering.place(proc.label)
            lowering.block(proc.body, proc.scope)
            if self._falls(proc.label.pc or 0):
                lowering.code.emit(BY_NAME["return"], (), proc.place)
        self._unused_procs()

    def _unused_procs(self) -> None:
        """Look into procs that nobody calls as well: their mistakes count."""
        kept = list(self.code.instructions), list(self.lowering.labels)
        wanted = {id(m) for m in self.collect.declared if m.used}
        pool, temporaries = (
            dict(self.code.pool),
            {k: list(v) for k, v in self.code.temporaries.items()},
        )
        ports = dict(self.lowering.ports_used)
        for proc in [proc for proc in self.collect.procs if not proc.wanted]:
            self.lowering.block(proc.body, proc.scope)
        self.code.instructions, self.lowering.labels = kept
        self.code.pool, self.code.temporaries = pool, temporaries
        self.lowering.ports_used = ports
        self.lowering.wanted.clear()
        for matrix in self.collect.declared:
            matrix.used = id(matrix) in wanted

    # ---- checks ------------------------------------------------------------------------------

    def _check_end(self, source: Source) -> None:
        """The main code must not run on past its end."""
        code = self.code
        start = Place(source, max(1, len(source.lines) - (not source.lines[-1])), 1)
        if not code.instructions:
            raise SourceError(start, "the program has no instructions", "end it with: halt")
        if self.main_falls:
            place = self.last_of_main.place if self.last_of_main else start
            raise SourceError(
                place,
                "the program runs on past its last statement",
                "end it with halt, goto or return",
            )

    def _falls(self, start: int) -> bool:
        """Whether the code from ``start`` on can run on past its end."""
        last = self.code.instructions[-1] if self.code.pc > start else None
        stops = last is not None and last.op is not None and last.op.char in "HJ)"
        return not stops or self._reached(self.code.pc)

    def _reached(self, pc: int) -> bool:
        """Whether code before ``pc`` jumps there: a loop that never breaks leaves its end unused,
        and a proc that begins there is called, not run into."""
        procs = {id(proc.label) for proc in self.collect.procs}
        here = {id(label) for label in self.lowering.labels if label.pc == pc} - procs
        return any(id(o) in here for word in self.code.instructions for o in word.fields)

    def _check_ports(self, about: metadata.About) -> None:
        """Every port that is used must be asked for."""
        for letter, place in self.lowering.ports_used.items():
            name = PORTS[letter].name
            if name not in about.ports:
                raise SourceError(
                    place,
                    f"the port {name!r} is used but not asked for",
                    "add: ports " + " ".join([*about.ports, name]),
                )

    # ---- the table ---------------------------------------------------------------------------

    def _placed(self, source: Source, icon: Matrix | None) -> list[Matrix]:
        """All matrices in the order of their entries, with their entries set."""
        declared = [m for m in self.collect.declared if m.keep or m.used]
        near = [m for m in declared if not m.far and not m.scratch]
        shared = self._shared([m for m in declared if m.scratch])
        near += shared
        far = [m for m in declared if m.far] + ([icon] if icon else [])
        constants_ = list(self.code.pool.values())
        temporaries = [m for row in self.code.temporaries.values() for m in row]
        placed = near + constants_ + temporaries
        if len(placed) > NEAR_ENTRIES:
            beyond = near[NEAR_ENTRIES].place if len(near) > NEAR_ENTRIES else None
            place = beyond or Place(source, 1, 1)
            self.problems.add(
                SourceError(
                    place,
                    f"{TOO_MANY_NAMES}, this program needs {len(placed)}: {len(near)} declared, "
                    f"{len(constants_)} constants (texts, lists, numbers outside -16..47), "
                    f"{len(temporaries)} temporaries",
                    "declare some 'far' and reach them by: name d = first[i]",
                )
            )
        placed += far
        for entry, matrix in enumerate(placed, FIRST_FREE_ENTRY):
            matrix.entry = entry
        for first, group in shared.items():
            for matrix in group:
                matrix.entry = first.entry
        return placed

    def _shared(self, scratch: list[Matrix]) -> dict[Matrix, list[Matrix]]:
        """Scratch matrices by the one whose place they take."""
        starts = {0, *(p.label.pc for p in self.collect.procs if p.wanted and p.label.pc)}
        groups = share(scratch, self.code.instructions, sorted(starts))
        for number, (first, group) in enumerate(groups.items()):
            if len(group) > 1:
                first.name = f"~scratch{number}"
        return groups

    def _icon(self, about: metadata.About) -> Matrix | None:
        """The icon as a matrix behind all others."""
        if about.icon is None:
            return None
        name, place = about.icon
        try:
            _, data = self.files.load(name, place.source.folder, place)
            picture = read_picture(data, place)
            if picture.shape[:2] != ICON_SIZE:
                found = "x".join(map(str, picture.shape[:2]))
                raise SourceError(place, f"the icon is {found}, an icon is 32x32")
        except SourceError as error:
            self.problems.add(error)
            return None
        return Matrix("ICON", "P", place, group="icon", far=True, rows=32, cols=32, data=picture)

    # ---- data --------------------------------------------------------------------------------

    def _fill(self, matrix: Matrix) -> None:
        """Shape, data and header numbers of a matrix from its declaration."""
        if matrix.entry_of is not None:
            assert matrix.entry_of.entry is not None
            matrix.data = np.array([[matrix.entry_of.entry]], np.int32)
        declare, scope = matrix.declare, matrix.scope
        if declare is None or scope is None:
            return
        shape = None
        if declare.shape is not None:
            rows, cols = (
                constants.need_int(e, scope, "a dimension", 0, _MAX_DIMENSION)
                for e in declare.shape
            )
            if rows * cols > _MAX_DIMENSION:
                raise SourceError(declare.place, f"more than {_MAX_DIMENSION} elements")
            shape = rows, cols
        options = declare.options
        if matrix.kind == "V" and (shape is not None or options or declare.data is not None):
            raise SourceError(
                declare.place,
                "a view has no shape and no data",
                f"view {declare.name} = matrix[row, column, rows, columns]",
            )
        if {"scale", "offset"} & set(options) and matrix.kind != "Q":
            raise SourceError(declare.place, "scale and offset belong to quantised matrices (Q)")
        if "leaf" in options:
            matrix.leaf = constants.need_int(options["leaf"], scope, "the leaf", 0, _MAX_DIMENSION)
        if declare.data is not None:
            self._data(matrix, declare.data, scope, shape, options)
        elif matrix.kind == "Q":
            raise SourceError(declare.place, "a quantised matrix needs data: nothing can write it")
        else:
            matrix.rows, matrix.cols = shape or ((1, 1) if matrix.kind in "IX" else (0, 0))
        if "cap" in options:
            least = words_for(matrix.kind, matrix.rows, matrix.cols)
            matrix.capacity = constants.need_int(
                options["cap"], scope, "the capacity", least, _MAX_DIMENSION
            )

    def _data(
        self,
        matrix: Matrix,
        data: Expr,
        scope: Scope,
        shape: tuple[int, int] | None,
        options: dict[str, Expr],
    ) -> None:
        value = DataReader(self.files, scope, shape).read(data)
        if matrix.kind == "Q":
            given = None
            if options:
                numbers = [
                    float(constants.need(options[w], scope, f"the {w}").value)
                    if w in options
                    else default
                    for w, default in (("scale", 1.0), ("offset", 0.0))
                ]
                if numbers[0] == 0:
                    raise SourceError(options["scale"].place, "a scale of 0 loses everything")
                given = numbers[0], numbers[1]
            array, (matrix.scale, matrix.offset) = quantised(value, given, data.place)
        else:
            array = raw_elements(value, matrix.kind, data.place)
        array = fitted(array, shape, data.place)
        matrix.data = np.ascontiguousarray(array)
        matrix.rows, matrix.cols = array.shape[:2]

    # ---- the picture -------------------------------------------------------------------------

    def _build(
        self, source: Source, about: metadata.About, matrices: list[Matrix], icon: Matrix | None
    ) -> Program:
        """The sealed program."""
        specs = [
            MatrixSpec(
                m.name, m.kind, m.rows, m.cols, m.data, m.capacity, m.leaf, m.scale, m.offset
            )
            for m in matrices
        ]
        name = source.name.rsplit(".", 1)[0]
        summary = about.texts.get("summary") or about.texts.get("title") or "a pxOS program"
        try:
            meta = Meta(
                **about.texts,
                source=source.name,
                icon=icon.entry if icon else None,
                ports=tuple(sorted(about.ports, key=lambda port: list(LETTER_OF).index(port))),
                args=tuple(about.args),
                inputs=tuple(about.inputs),
                size=about.size,
                names=(*RESERVED, *(m.name for m in matrices)),
                labels=self._labels(),
                lines=self._lines(),
                files=tuple(s.name for s in self.collect.sources),
            )
            return machine_program.build(
                specs,
                self.code.words(),
                meta,
                stack=about.stack,
                code_writable=about.code_writable,
                width=about.width,
                legend=f"{name} - {summary} - run: pxos run {name}.png",
            )
        except (LayoutError, ProgramError, MetaError) as error:
            raise SourceError(Place(source, 1, 1), str(error)) from None

    def _labels(self) -> dict[str, int]:
        return {
            label.name: label.pc
            for label in self.lowering.labels
            if label.shown and label.pc is not None
        }

    def _lines(self) -> tuple[tuple[int, int, int], ...]:
        """(pc, file, line) wherever the line changes."""
        index = {id(s): i for i, s in enumerate(self.collect.sources)}
        found: list[tuple[int, int, int]] = []
        for pc, instruction in enumerate(self.code.instructions):
            here = index[id(instruction.place.source)], instruction.place.line
            if not found or found[-1][1:] != here:
                found.append((pc, *here))
        return tuple(found)
