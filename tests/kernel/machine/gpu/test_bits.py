"""And, Or, Xor and Shift on the GPU against the oracle."""

from __future__ import annotations

import pytest

from pxos.kernel.machine.isa import ROWS
from tests.gpu import gpu
from tests.kernel.machine.gpu.corners import check_corners, kinds_of
from tests.kernel.machine.gpu.harness import LARGE, check_op, specialised

bits = pytest.mark.parametrize("char", [op.char for op in ROWS if op.family == "bits"])


@bits
def test_random_operands(char: str) -> None:
    assert check_op(char, 120) > 20
    assert check_op(char, 12, LARGE) > 1


@bits
def test_kernels_for_the_very_kinds(char: str, monkeypatch: pytest.MonkeyPatch) -> None:
    specialised(monkeypatch)
    assert check_op(char, 25, first=1000) > 5


@bits
def test_matrices_in_several_windows(char: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gpu(), "binding_words", 4096)
    assert check_op(char, 12, LARGE, first=500) > 1


@bits
@kinds_of(3)
def test_all_corners(char: str, kinds: tuple[str, ...]) -> None:
    check_corners(char, kinds)
