"""The variants of the GPU executor reach what they are there for."""

from __future__ import annotations

from collections import Counter

import pytest

from pxos.kernel.machine.gpu import fuse, kit, stream
from pxos.kernel.machine.gpu.device import Gpu
from pxos.kernel.machine.gpu.shaders import Windows

from ..gpu import gpu
from . import executors
from .building import Draft
from .compare import check
from .executors import CRAMPED, EAGER, MODULES, TURNS
from .programs import program

CONSTANTS = {"CRAMPED": CRAMPED, "EAGER": EAGER} | {
    name: getattr(executors, name)
    for name in ("ALL_ON_GPU", "MIXED", "FUSED", "IN_PIECES", "IN_TILES", "NARROW", "WINDOWED")
}


@pytest.mark.parametrize("variant", CONSTANTS)
def test_every_threshold_that_is_turned_down_exists(variant: str) -> None:
    for key in CONSTANTS[variant]:
        where, _, name = key.rpartition(".")
        found = [m for m in MODULES if m.__name__.endswith(where) and hasattr(m, name)]
        assert found or name == "BINDING_WORDS", f"no module has {key}"


def seen(name: str, monkeypatch: pytest.MonkeyPatch) -> Counter[str]:
    """What an executor does with some programs: dispatches by kernel, and other events."""
    gpu()
    found: Counter[str] = Counter()

    def watch(owner: object, attribute: str, event: object) -> None:
        kept = getattr(owner, attribute)

        def watched(*args: object, **options: object) -> object:
            result = kept(*args, **options)
            found.update(event(args, result))  # type: ignore[operator]
            return result

        monkeypatch.setattr(owner, attribute, watched)

    watch(kit.Kit, "dispatch", lambda args, result: [args[1]])
    watch(Gpu, "_record", lambda args, result: ["submit"] * bool(args[2]))
    watch(kit.Kit, "_windows", lambda args, result: ["windows"] * (result != Windows()))
    watch(fuse, "kernel_dispatch", lambda args, result: ["fused"])
    watch(stream.Stream, "upload", lambda args, result: ["upload"])
    for number in range(12):
        check(program(f"variant {number}", "mixed"), number, f"program {number}", [name])
    check(products(), 0, "products", [name])
    return found


def products() -> Draft:
    """Products, folds and a chain of element-by-element instructions."""
    draft = Draft(spare_rows=200)
    a = draft.integers(9, 13, [7 * i - 300 for i in range(117)])
    b = draft.integers(13, 6, [5 - i for i in range(78)], "X")
    d, e = draft.add("X", 0, 0), draft.add("I", 0, 0)
    draft.emit("M", d, a, b)
    draft.emit("A", e, d, d)
    draft.emit("*", e, e, e)
    draft.emit("-", e, e, d)
    draft.emit("F", d, a, ord("A"))
    draft.emit("H", d)
    return draft


@pytest.mark.parametrize("name", ["gpu", *TURNS])
def test_work_is_done_on_the_gpu(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    found = seen(name, monkeypatch)
    assert found["submit"] > 20, found
    assert found["upload"] > 20, found
    assert sum(found.values()) > 100, found


@pytest.mark.parametrize(
    ("name", "event"),
    [
        ("fused gpu", "fused"),
        ("gpu in tiles", "matmul_tiles"),
        ("gpu in pieces", "matmul_pieces"),
        ("narrow gpu", "windows"),
    ],
)
def test_a_variant_reaches_its_kernels(
    name: str, event: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert seen(name, monkeypatch)[event]


def test_the_usual_executor_needs_none_of_them(monkeypatch: pytest.MonkeyPatch) -> None:
    found = seen("gpu", monkeypatch)
    assert not found["fused"]
    assert not found["windows"]
