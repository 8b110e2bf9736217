"""The GPU that tests share: opened once, when the first test wants it.

Without an adapter such tests are skipped; where one is promised (PXOS_REQUIRE_GPU=1, as in CI)
a missing adapter is a failure.
"""

from __future__ import annotations

import os
from functools import cache
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from pxos.kernel.machine.gpu.device import Gpu


def required() -> bool:
    """Whether a missing adapter is a failure."""
    return os.environ.get("PXOS_REQUIRE_GPU") == "1"


@cache
def _opened() -> Gpu | str:
    """The device, or why there is none.  Asked once: opening takes a second."""
    from pxos.kernel.machine.gpu.device import GpuError, open_gpu

    try:
        return open_gpu()
    except GpuError as error:
        return str(error)


def has_gpu() -> bool:
    """Whether there is a device; fails where one is promised and missing."""
    found = _opened()
    if isinstance(found, str) and required():
        raise RuntimeError(f"PXOS_REQUIRE_GPU=1, but there is no GPU: {found}")
    return not isinstance(found, str)


def gpu() -> Gpu:
    """The shared device; skips the test that asks, or fails it, where there is none."""
    found = _opened()
    if isinstance(found, str):
        if required():
            pytest.fail(f"PXOS_REQUIRE_GPU=1, but there is no GPU: {found}")
        pytest.skip(f"no GPU: {found}")
    return found
