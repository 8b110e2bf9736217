"""The compiled kernels, which the tests always have: numba is among what they need."""

from __future__ import annotations

from pxos.kernel.machine.cpu import native
from pxos.kernel.machine.cpu.native import Kernels


def _loaded() -> Kernels:
    kernels = native.load()
    assert kernels is not None, native.failure()
    return kernels


KERNELS = _loaded()
