"""Number and Shape on the GPU against the oracle."""

from __future__ import annotations

import pytest

from tests.conformance.building import Draft
from tests.kernel.machine.gpu.harness import LARGE, check_op, compare, specialised


@pytest.mark.parametrize("char", "#$")
def test_random_operands(char: str, monkeypatch: pytest.MonkeyPatch) -> None:
    assert check_op(char, 80) > 20
    assert check_op(char, 12, LARGE) > 1
    specialised(monkeypatch)
    assert check_op(char, 20, first=1000) > 5


@pytest.mark.parametrize("kind", "IXT")
@pytest.mark.parametrize("number", [0, 1, 255, 256, 32767, 32768, 40000, 65535])
def test_numbers_of_all_kinds(kind: str, number: int) -> None:
    draft = Draft()
    draft.emit("#", draft.add(kind, 0, 0), number & 255, number >> 8)
    assert compare(draft, f"# {number} into {kind}") == "done"


@pytest.mark.parametrize("selector", "srcn")
@pytest.mark.parametrize("kind", "IXT")
def test_shapes_beyond_the_kind(kind: str, selector: str) -> None:
    draft = Draft(spare_rows=3000)
    draft.emit("$", draft.add(kind, 0, 0), draft.add("T", 400, 300), ord(selector))
    assert compare(draft, f"$ '{selector} into {kind}") == "done"


@pytest.mark.parametrize("kind", "IXT")
def test_a_view_is_filled(kind: str) -> None:
    draft = Draft()
    base = draft.add(kind, 4, 9)
    draft.emit("$", draft.view(kind, base, 3, 2, 0, 7, 1, -2), base, ord("s"))
    assert compare(draft, f"$ into a view of {kind}") == "done"
