"""Square root, Exp2, Log2 and Sine on the GPU: against the oracle, and every input that matters
against the CPU's, which its own tests compare with exact calculations."""

from __future__ import annotations

import random

import numpy as np
import pytest

from pxos.kernel.machine.cpu.executor import CpuExecutor
from pxos.kernel.machine.isa import ROWS
from pxos.kernel.machine.ports import NoPorts
from tests.conformance.building import NO_LIMIT, Draft
from tests.gpu import gpu
from tests.kernel.machine.gpu.corners import check_corners, kinds_of
from tests.kernel.machine.gpu.harness import LARGE, check_op, compare, run_first, specialised

functions = pytest.mark.parametrize("char", [op.char for op in ROWS if op.family == "functions"])


@functions
def test_random_operands(char: str) -> None:
    assert check_op(char, 120) > 20
    assert check_op(char, 12, LARGE) > 1


@functions
def test_kernels_for_the_very_kinds(char: str, monkeypatch: pytest.MonkeyPatch) -> None:
    specialised(monkeypatch)
    assert check_op(char, 25, first=1000) > 5


@functions
def test_matrices_in_several_windows(char: str, monkeypatch: pytest.MonkeyPatch) -> None:
    # The tables themselves are then split as well.
    monkeypatch.setattr(gpu(), "binding_words", 1 << 15)
    assert check_op(char, 12, LARGE, first=500) > 1


@functions
@kinds_of(2)
def test_all_corners(char: str, kinds: tuple[str, ...]) -> None:
    check_corners(char, kinds)


def draft_of(char: str, inputs: np.ndarray, source: str, kind: str) -> Draft:
    """A program of one function over these words (int32)."""
    draft = Draft(spare_rows=inputs.size // 64 + 100)
    d = draft.add(kind, 0, 0)
    draft.emit(char, d, draft.add(source, 1, inputs.size, inputs.view(np.uint32)))
    return draft


def same_as_cpu(char: str, inputs: np.ndarray, source: str = "X", kind: str = "X") -> None:
    """The words of d on the GPU and on the CPU."""
    inputs = inputs.astype(np.int32)
    draft = draft_of(char, inputs, source, kind)
    found = run_first(draft)
    assert found is not None
    expected = draft.memory()
    expected.set64("fuel", NO_LIMIT)
    CpuExecutor(expected, NoPorts()).run(1 + inputs.size // 64)
    start = expected.data_addr(expected.row_of(5))
    count = inputs.size if kind in "IX" else -(-inputs.size // 4)
    words = slice(start, start + count)
    wrong = np.flatnonzero(found[0].words[words] != expected.words[words])
    assert expected.words[words].any()
    at = wrong[0] if wrong.size else -1
    assert not wrong.size, f"{char} of {inputs[at]} and {wrong.size - 1} more differ"


def samples(seed: int, count: int, least: int, most: int) -> np.ndarray:
    """Words of all sizes."""
    chooser = np.random.default_rng(seed)
    return chooser.integers(least, most, count) >> chooser.integers(0, 31, count)


def test_sine_of_every_phase() -> None:
    same_as_cpu("~", np.arange(-65536, 65536))
    same_as_cpu("~", samples(1, 200_000, -(2**31), 2**31))


def test_exp2_of_every_input_that_matters() -> None:
    same_as_cpu("e", np.arange(-19 * 65536 - 2, 16 * 65536 + 2))
    same_as_cpu("e", samples(2, 200_000, -(2**31), 2**31))
    same_as_cpu("e", np.arange(-40000, 40000), "I")


def test_log2_of_the_first_two_million_and_of_samples() -> None:
    same_as_cpu("l", np.arange(-2, 1 << 21))
    same_as_cpu("l", samples(3, 1_000_000, 0, 2**31))
    # every mantissa at which the result changes, and its neighbours, in the highest octave
    from pxos.kernel.machine.functions_tables import log2_thresholds

    edges = (log2_thresholds()[1:-2] + 1) // 2
    same_as_cpu("l", np.concatenate([edges - 1, edges, edges + 1]).clip(1, 2**31 - 1))


@pytest.mark.parametrize("kinds", ["XX", "IX", "XI", "II", "XT", "IT"])
def test_square_roots(kinds: str) -> None:
    source, kind = kinds
    roots = np.arange(1, 46341, dtype=np.int64)
    near = np.concatenate([roots**2 - 1, roots**2, roots**2 + 1, roots**2 + roots + 1])
    same_as_cpu("q", near.clip(0, 2**31 - 1), source, kind)
    same_as_cpu("q", np.arange(-2, 1 << 18), source, kind)
    same_as_cpu("q", samples(4, 300_000, -(2**31), 2**31), source, kind)


@functions
def test_samples_against_the_oracle(char: str) -> None:
    chooser = random.Random(char)
    cells = [chooser.randint(-(2**31), 2**31 - 1) >> chooser.randrange(31) for _ in range(1500)]
    draft = draft_of(char, np.array(cells, np.int32), "X", "X")
    assert compare(draft, char) == "done"
