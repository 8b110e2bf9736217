"""What tests of the CPU executor share."""

from __future__ import annotations

import pytest

from pxos.kernel.machine.cpu import translate


@pytest.fixture
def at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Translate everything at its first arrival."""
    monkeypatch.setattr(translate, "HOT", 1)
    monkeypatch.setattr(translate, "HOT_CALLS", 1)
