"""Running snippets that use apps/lib/nn*.pxi on given arrays."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np

from pxos.kernel.machine.cpu.executor import CpuExecutor
from pxos.kernel.machine.ports import Ports
from pxos.kernel.machine.program import Program, open_memory
from pxos.shell.lenses.assembler import assemble
from pxos.shell.lenses.networks.emit import LIBRARY
from pxos.shell.lenses.networks.validate import Desk
from tests.apps.playing import matrix

FOLDER = Path("/given")
#: One step of fixed point.
STEP = 2.0**-16


def grid(values: np.ndarray) -> np.ndarray:
    """float64 values rounded to fixed point: what a matrix of kind X holds."""
    return np.floor(np.asarray(values, np.float64) * 65536 + 0.5) / 65536


def build(
    source: str,
    arrays: dict[str, np.ndarray],
    kinds: dict[str, str],
    files: dict[Path, bytes] | None = None,
) -> Program:
    """A program of a snippet, with a matrix declared for every array (kind X unless told)."""
    files = dict(files or {})
    lines = []
    for name, array in arrays.items():
        buffer = io.BytesIO()
        np.save(buffer, array)
        files[FOLDER / f"{name}.npy"] = buffer.getvalue()
        lines.append(f'{name} : {kinds.get(name, "X")} = file("{name}.npy")')

    def read(path: Path) -> bytes:
        return files[path] if path in files else path.read_bytes()

    text = "\n".join([*lines, source, "halt"])
    return assemble(text, path=str(FOLDER / "x.pxa"), include_dirs=[LIBRARY], read_file=read)


def execute(program: Program, wanted: list[str], ports: Ports | None = None) -> list[np.ndarray]:
    """Matrices of a program after it ran to its end: float64 for X, else as they are."""
    memory = open_memory(program)
    stop = CpuExecutor(memory, ports or Desk(random=np.random.default_rng(0))).run(1 << 50)
    assert stop.reason == "H", stop
    result = []
    for name in wanted:
        entry = program.meta.names.index(name)
        array = matrix(memory, entry)
        fixed = memory.header(entry).kind == "X"
        result.append(array / 65536.0 if fixed else array)
    return result


def evaluate(
    source: str,
    arrays: dict[str, np.ndarray],
    *wanted: str,
    kinds: dict[str, str] | None = None,
    files: dict[Path, bytes] | None = None,
) -> list[np.ndarray]:
    """Assemble, run, and read matrices."""
    return execute(build(source, arrays, kinds or {}, files), list(wanted))
