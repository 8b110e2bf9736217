"""Programs for the GPU's benchmarks, with data put into their matrices, and what NumPy needs."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from pxos.boot.environment import keep_products_single
from pxos.kernel.machine.cpu.executor import CpuExecutor
from pxos.kernel.machine.memory import Memory
from pxos.kernel.machine.ports import NoPorts, Ports
from pxos.kernel.machine.program import Program, open_memory
from pxos.shell.lenses.assembler import assemble

from .measure import median_s

ROOT = Path(__file__).resolve().parents[2]
FUEL = 1 << 62
QUOTA_BYTES = 16 << 30
#: Seconds from which one run on the CPU has to do.
LONG_S = 2.0

#: Data of a matrix by name: int32 for I and X (raw words), uint8 for Q, uint32 for P.
Data = dict[str, np.ndarray]


class Job(NamedTuple):
    """A program, what is put into its matrices, and the matrix that holds its result."""

    program: Program
    data: Data
    result: str

    def entry(self, name: str) -> int:
        """The table entry of a matrix."""
        return self.program.meta.names.index(name)


class Prepared:
    """A memory with its data and one executor on it, which runs the program again and again."""

    def __init__(self, job: Job, make: Callable[[Memory, Ports], Any]) -> None:
        self.job = job
        self.memory = open_memory(job.program, QUOTA_BYTES)
        for name, array in job.data.items():
            _put(self.memory, job.entry(name), array)
        self.executor = make(self.memory, NoPorts())

    def run(self) -> None:
        """Run from the start to the halt; all of it is done when this returns."""
        self.memory.set("pc", 0)
        stop = self.executor.run(FUEL)
        assert stop.reason == "H", stop

    def result(self) -> np.ndarray:
        """The words of the result, uint32."""
        self.executor.settle()
        memory = self.memory
        header = memory.header(self.job.entry(self.job.result))
        at = memory.data_addr(header.row)
        return memory.words[at : at + header.rows * header.cols].copy()


def _put(memory: Memory, entry: int, array: np.ndarray) -> None:
    header = memory.header(entry)
    assert array.shape == (header.rows, header.cols), (array.shape, header)
    assert header.kind != "Q" or header.cols % 4 == 0
    words = np.ascontiguousarray(array).view(np.uint32).ravel()
    at = memory.data_addr(header.row)
    memory.words[at : at + words.size] = words


def assembled(source: str, **quantised: tuple[int, int]) -> Program:
    """The program of a source that takes quantised zeros from files; their shapes by name."""
    with tempfile.TemporaryDirectory(prefix="pxos-") as folder:
        for name, shape in quantised.items():
            np.save(Path(folder) / f"{name}.npy", np.zeros(shape, np.uint8))
        return assemble(source, path="bench.pxa", include_dirs=[Path(folder)])


# ---- the programs ------------------------------------------------------------------------------


def matmul(n: int, bits: int) -> Job:
    """X n x n of so many bits times quantised n x n."""
    rng = np.random.default_rng(bits)
    scale = 2.0 ** (9 - bits)  # so that results fill their 32 bits and few saturate
    source = f"""
a : X {n}x{n}
w : Q {n}x{n} scale {scale!r} offset {-128 * scale!r} = file("w.npy")
c : X {n}x{n}
c = a @ w
halt
"""
    least, most = -(1 << bits - 1), (1 << bits - 1) - 1
    a = rng.integers(least, most, (n, n), np.int32, endpoint=True)
    return Job(
        assembled(source, w=(n, n)), {"a": a, "w": rng.integers(0, 256, (n, n), np.uint8)}, "c"
    )


def batch_one(n: int, matrices: int) -> Job:
    """A row through ``matrices`` (an even number) quantised n x n matrices, one after the other."""
    rng = np.random.default_rng(1)
    side = np.sqrt(3 / n)
    lines = [f"x : X 1x{n}", f"y : X 1x{n}", f"z : X 1x{n}"]
    lines += [
        f'w{i} : Q {n}x{n} scale {2 * side / 255:.9f} offset {-side:.9f} = file("w.npy")'
        for i in range(matrices)
    ]
    names = ["x", *("yz"[i % 2] for i in range(matrices))]
    lines += [f"{names[i + 1]} = {names[i]} @ w{i}" for i in range(matrices)]
    data: Data = {f"w{i}": rng.integers(0, 256, (n, n), np.uint8) for i in range(matrices)}
    data["x"] = rng.integers(-(1 << 17), 1 << 17, (1, n), np.int32)
    return Job(assembled("\n".join([*lines, "halt"]), w=(n, n)), data, names[-1])


def filters(rows: int, cols: int) -> Job:
    """Ten instructions, element by element, on the bytes of two pictures."""
    rng = np.random.default_rng(2)
    source = f"""
p : P {rows}x{cols}
q : P {rows}x{cols}
t : P {rows}x{cols}
t = p * 1.5
t = t - 20
t = 255 - t
t = max(t, 8)
t = min(t, 240)
t = t ^ 15
t = t & 252
t = t + q
t = t * 0.75
t = t - p
halt
"""
    pictures = {name: rng.integers(0, 1 << 32, (rows, cols), np.uint32) for name in "pq"}
    return Job(assembled(source), pictures, "t")


def filters_in(xp: Any, p: Any, q: Any) -> Any:
    """The same ten steps on uint8 arrays of an array module, by 16-bit integers in between."""
    t = xp.minimum((p.astype(xp.int16) * 3 + 1) >> 1, 255)
    t = xp.maximum(t - 20, 0)
    t = 255 - t
    t = xp.maximum(t, 8)
    t = xp.minimum(t, 240)
    t = t ^ 15
    t = t & 252
    t = xp.minimum(t + q, 255)
    t = (t * 3 + 2) >> 2
    t = xp.maximum(t - p, 0)
    return t.astype(xp.uint8)


def small() -> Job:
    """One instruction on a matrix that lives on the GPU, and one number of it read back."""
    source = """
a : I 128x128 = range(16384)
b : I 128x128 = range(16384, 1)
c : I 128x128
n : I
c = a + b
n = c[7]
if n goto done
halt 1
done:
halt
"""
    return Job(assembled(source), {}, "c")


class Transformer(NamedTuple):
    """Sizes of a decoder that makes one step with a full cache."""

    layers: int
    width: int
    heads: int
    context: int
    hidden: int

    @property
    def weights(self) -> int:
        """Quantised weights, which are bytes."""
        return self.layers * (4 * self.width**2 + 2 * self.width * self.hidden)

    def shapes(self) -> dict[str, tuple[int, int]]:
        """Shapes of the matrices of a layer."""
        d, h = self.width, self.hidden
        return dict.fromkeys(("wq", "wk", "wv", "wo"), (d, d)) | {"wu": (d, h), "wd": (h, d)}


def normed(source: str, to: str, width: int) -> list[str]:
    """A layer norm without gains."""
    return [
        f"c = {source} - sum({source}) / {width}",
        f"{to} = c / sqrt(sum(c * c) / {width} + 0.001)",
    ]


def transformer(sizes: Transformer) -> Job:
    """A step of a decoder: layer norm, attention over a cache, and a gated hidden layer, in fixed
    point with quantised weights."""
    d, heads, context = sizes.width, sizes.heads, sizes.context
    part = d // heads
    rng = np.random.default_rng(3)
    lines = [f"{name} : X 1x{d}" for name in ("x", "c", "y", "q", "o", "row")]
    lines += [f"{name} : X" for name in ("s", "e", "p", "u", "g")]
    data: Data = {"x": rng.integers(-(1 << 16), 1 << 16, (1, d), np.int32)}
    code = []
    for layer in range(sizes.layers):
        for name, (rows, cols) in sizes.shapes().items():
            side = np.sqrt(3 / rows)
            scale = f"scale {2 * side / 255:.9f} offset {-side:.9f}"
            lines.append(f'{name}{layer} : Q {rows}x{cols} {scale} = file("{name}.npy")')
            data[f"{name}{layer}"] = rng.integers(0, 256, (rows, cols), np.uint8)
        for name in ("k", "v"):
            lines.append(f"{name}{layer} : X {context}x{d}")
            data[f"{name}{layer}"] = rng.integers(-(1 << 16), 1 << 16, (context, d), np.int32)
        code += [
            *normed("x", "y", d),
            f"q = y @ wq{layer}",
            f"row = y @ wk{layer}",
            f"rows(k{layer}, {context - 1}) = row",
            f"row = y @ wv{layer}",
            f"rows(v{layer}, {context - 1}) = row",
            f"s = reshape(sum(reshape(k{layer} * q, [{context * heads}, {part}])), "
            f"[{context}, {heads}]) * {part**-0.5:.9f}",
            "e = exp2((s - col_max(s)) * 1.442695041)",
            "p = e / col_sum(e)",
            f"o = col_sum(zoom(p, [{context}, {d}]) * v{layer})",
            f"x = x + o @ wo{layer}",
            *normed("x", "y", d),
            f"u = y @ wu{layer}",
            "g = u / (1 + exp2(u * -2.455466))",
            f"x = x + g @ wd{layer}",
        ]
    # Every run begins with the same x.
    lines.append(f"start : X 1x{d}")
    data["start"] = data.pop("x")
    source = "\n".join([*lines, "x = start", *code, "halt"])
    return Job(assembled(source, **sizes.shapes()), data, "x")


# ---- NumPy -------------------------------------------------------------------------------------


def on_cpu(job: Job) -> tuple[np.ndarray, float]:
    """The result of the CPU executor, and its seconds: a median, if it does not take long."""
    prepared = Prepared(job, CpuExecutor)
    begin = time.perf_counter()
    prepared.run()
    runs = 1 if time.perf_counter() - begin > LONG_S else 5
    seconds = median_s(prepared.run, runs, warm=False)
    return prepared.result(), seconds


def on_all_cores(n: int, bits: int) -> float:
    """Seconds of the CPU executor for :func:`matmul` with a BLAS thread for every core, in a
    process of its own, because NumPy asks how many once."""
    cores = str(os.cpu_count() or 1)
    surroundings = os.environ | {"OPENBLAS_NUM_THREADS": cores, "MKL_NUM_THREADS": cores}
    command = [sys.executable, "-m", "tests.bench.gpu_programs", str(n), str(bits)]
    found = subprocess.run(
        command, check=True, capture_output=True, text=True, env=surroundings, cwd=ROOT
    )
    return float(found.stdout)


if __name__ == "__main__":
    keep_products_single()
    print(on_cpu(matmul(int(sys.argv[1]), int(sys.argv[2])))[1])
