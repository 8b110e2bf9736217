"""The executors that must agree: one line each in ``FACTORIES``.  The first is the reference.

Beside an executor as it is stand variants of it with its thresholds turned down, so that small
programs reach what otherwise only large or long ones do: blocks, caches that overflow, loops
that are translated at once, matrices that live on the GPU.  The GPU's are there only if a GPU is;
see ``tests.gpu``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib import import_module
from types import ModuleType
from typing import Protocol

from pxos.kernel.machine.cpu.executor import CpuExecutor
from pxos.kernel.machine.cpu.fill import bind_plan
from pxos.kernel.machine.fault import Stop
from pxos.kernel.machine.gpu.executor import GpuExecutor
from pxos.kernel.machine.memory import Memory
from pxos.kernel.machine.oracle import Oracle
from pxos.kernel.machine.ports import Ports
from tests.gpu import gpu, has_gpu
from tests.kernels import KERNELS

PACKAGE = "pxos.kernel.machine"
MODULES = tuple(
    import_module(f"{PACKAGE}.{name}")
    for name in (
        "plan",
        "plan_resolve",
        "stepper",
        "cpu.arith",
        "cpu.bits",
        "cpu.conv",
        "cpu.draw",
        "cpu.finish",
        "cpu.fold",
        "cpu.fold_norm",
        "cpu.functions",
        "cpu.index",
        "cpu.matmul",
        "cpu.matmul_parts",
        "cpu.matmul_row",
        "cpu.move",
        "cpu.small",
        "cpu.translate",
        "gpu.conv",
        "gpu.draw",
        "gpu.fill",
        "gpu.fold",
        "gpu.fuse",
        "gpu.lanes",
        "gpu.kit",
        "gpu.index",
        "gpu.index_rows",
        "gpu.index_scatter",
        "gpu.index_sort",
        "gpu.lines",
        "gpu.matmul",
        "gpu.matmul_tiles",
        "gpu.move",
        "gpu.registers",
        "gpu.residency",
        "gpu.speculation",
        "gpu.stream",
    )
)

#: Thresholds of the CPU executor and what they become in a cramped one.
CRAMPED = {
    "BLOCK": 16,
    "SMALL_COPY": 4,
    "TABLE_FROM": 4,
    "CONV_BLOCK": 16,
    "WIDE_WEIGHTS": 1 << 10,
    "BLEND_BLOCK": 8,
    "SQUARE": 2,
    "FEW_TERMS": 2,
    "B_BLOCK": 16,
    "A_BLOCK": 16,
    "EXACT": 1 << 36,
    "MAX_PLANS": 3,
    "MAX_REMEMBERED": 12,
    "HOT": 3,
    "HOT_CALLS": 6,
    "cpu.fold.FEW": 4,
    "cpu.fold_norm.FEW": 4,
    "cpu.functions.FEW": 4,
    "cpu.matmul.ROW_INNER": 4,
    "cpu.matmul_parts.FEW": 4,
    "cpu.matmul_row.PANEL_BYTES": 1,
    "cpu.small.FEW": 4,
}
EAGER = {"HOT": 1, "HOT_CALLS": 1}

#: The GPU executor with everything on the GPU that can be there.
ALL_ON_GPU = {"HOST_FUEL": -1, "HOST_WORDS": 0}
#: With matrices of one row of the picture on the host, others on the GPU, and little room for
#: whatever is under way.
MIXED = {
    "HOST_WORDS": 56,
    "BATCH": 3,
    "STAGED_WORDS": 64,
    "STAGED_MOST": 60,
    "MAX_COPIES": 2,
    "READ_WORDS": 40,
    "MOST_UNREAD": 9,
    "MAX_PLANS": 3,
    "MAX_REMEMBERED": 12,
    "SPECIALISE": 0,
}
#: With kernels written for the very kinds and strides, and runs of instructions fused into one.
FUSED = ALL_ON_GPU | {
    "SPECIALISE": 0,
    "FUSE_FROM": 1,
    "AT_ONCE_FROM": 1,
    "MAX_STEPS": 4,
    "LANES": 1,
    "TABLE_LANES": 2,
}
#: With sums, lines and pictures cut into more pieces than their sizes need.
IN_PIECES = ALL_ON_GPU | {
    "gpu.conv.TAPS": 8,
    "gpu.conv.BAND_WORDS": 256,
    "gpu.draw.LARGE": 64,
    "gpu.draw.LOOKS": 64,
    "gpu.draw.MANY": 2,
    "gpu.fold.FEW_STRIPS": 2,
    "gpu.fold.MANY": 2,
    "gpu.fold.SHORT": 2,
    "gpu.fold.SHORT_COLUMN": 2,
    "gpu.index_rows.FEW": 2,
    "gpu.index_rows.MOST_COMPARED": 8,
    "gpu.index_rows.PAIRS": 16,
    "gpu.index_scatter.FEW": 2,
    "gpu.index_scatter.FEW_ROWS": 2,
    "gpu.index_scatter.LEAST_ITEMS": 1,
    "gpu.index_scatter.MOST_BINS": 8,
    "gpu.lines.MOST_ITEMS": 4,
    "gpu.matmul.MOST_SHAPES": 1 << 20,
    "gpu.matmul.PIECE": 8,
    "gpu.matmul.SCRATCH_WORDS": 256,
    "gpu.matmul.SHORT": 2,
    "gpu.matmul.VECTOR_ELEMENTS": 1,
}
#: With products, convolutions and transposes in tiles.
IN_TILES = ALL_ON_GPU | {
    "SPECIALISE": 0,
    "gpu.conv.TILE_TAPS": 64,
    "gpu.matmul.VECTOR_ROWS": 0,
    "gpu.matmul_tiles.LEAST_SIDE": 1,
    "gpu.matmul_tiles.PACK_WORDS": 1,
    "gpu.matmul_tiles.SHORT_BLOCK": 8,
    "gpu.matmul_tiles.SUM_WORDS": 1,
    "gpu.matmul_tiles.TERMS": 1,
    "gpu.move.THIN": 1,
}
#: With bindings of so many words that matrices of more than one row of the picture, or of
#: thousands of words, are bound in windows.
NARROW = ALL_ON_GPU | {"BINDING_WORDS": 64}
WINDOWED = ALL_ON_GPU | {"BINDING_WORDS": 2048, "SPECIALISE": 0, "FUSE_FROM": 1}


class Executor(Protocol):
    """What runs a memory."""

    def run(self, slice_fuel: int) -> Stop: ...

    def settle(self) -> None: ...


Factory = Callable[[Memory, Ports], Executor]


class Tuned:
    """An executor with other thresholds while it runs."""

    def __init__(
        self, make: Factory, memory: Memory, ports: Ports, constants: dict[str, int]
    ) -> None:
        with tuned(constants):
            self._executor = make(memory, ports)
        self._constants = constants

    def run(self, slice_fuel: int) -> Stop:
        with tuned(self._constants):
            return self._executor.run(slice_fuel)

    def settle(self) -> None:
        with tuned(self._constants):
            self._executor.settle()


def on_gpu(memory: Memory, ports: Ports) -> Executor:
    """The GPU executor on the tests' shared device."""
    return GpuExecutor(memory, ports, gpu(), bind_plan)


def with_kernels(memory: Memory, ports: Ports) -> Executor:
    """The CPU executor with compiled kernels, wherever they suit."""
    return CpuExecutor(memory, ports, KERNELS)


def variant(make: Factory, constants: dict[str, int]) -> Factory:
    """A factory of an executor with other thresholds."""
    return lambda memory, ports: Tuned(make, memory, ports, constants)


@contextmanager
def tuned(constants: dict[str, int]) -> Iterator[None]:
    """Module constants, and defaults of functions that are such constants, changed for a while.

    A name alone is meant in every module that has it, ``gpu.fold.SHORT`` in that module.
    """
    kept: list[tuple[object, str, object]] = []

    def replace(owner: object, name: str, value: object) -> None:
        kept.append((owner, name, getattr(owner, name)))
        setattr(owner, name, value)

    try:
        for module in MODULES:
            for key, value in constants.items():
                where, _, name = key.rpartition(".")
                if hasattr(module, name) and module.__name__.endswith(where):
                    replace(module, name, value)
        if "BLOCK" in constants:
            finish: ModuleType = import_module(f"{PACKAGE}.cpu.finish")
            replace(finish.blocks, "__defaults__", (constants["BLOCK"],))
            replace(finish.blockwise, "__kwdefaults__", {"limit": constants["BLOCK"]})
        if "BINDING_WORDS" in constants:
            replace(gpu(), "binding_words", constants["BINDING_WORDS"])
        yield
    finally:
        for owner, name, value in reversed(kept):
            setattr(owner, name, value)


FACTORIES: dict[str, Factory] = {
    "oracle": Oracle,
    "cpu": CpuExecutor,
    "eager cpu": variant(CpuExecutor, EAGER),
    "cramped cpu": variant(CpuExecutor, CRAMPED),
    "compiled cpu": variant(with_kernels, EAGER),
}
#: Variants of the GPU executor that take turns where each program is run on one of them.
TURNS: dict[str, Factory] = {}
if has_gpu():
    TURNS = {
        "mixed gpu": variant(on_gpu, MIXED),
        "fused gpu": variant(on_gpu, FUSED),
        "gpu in pieces": variant(on_gpu, IN_PIECES),
        "gpu in tiles": variant(on_gpu, IN_TILES),
        "narrow gpu": variant(on_gpu, NARROW),
        "windowed gpu": variant(on_gpu, WINDOWED),
    }
    FACTORIES |= {"gpu": variant(on_gpu, ALL_ON_GPU), **TURNS}
REFERENCE = "oracle"
OTHERS = tuple(name for name in FACTORIES if name != REFERENCE)


def in_turn(number: int) -> tuple[str, ...]:
    """The executors to compare with the reference on the program of this number of many."""
    always = tuple(name for name in OTHERS if name not in TURNS)
    return (*always, list(TURNS)[number % len(TURNS)]) if TURNS else always
