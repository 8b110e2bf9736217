"""When the compiled kernels are there, and how they come.

``native_elements`` and ``native_rows`` are loops that numba compiles; ``native_bind`` uses them for
instructions.  numba is an extra (``pxos[fast]``).  Importing it and loading what it once compiled
takes half a second, compiling for the first time some six: as much as NumPy needs for hundreds of
tokens of a small network.  So an executor asks for kernels only when it has multiplied by
:data:`START_WORK` weights, a thread loads them meanwhile, and who knows that much is to do may wait
for them (:func:`load`).
"""

from __future__ import annotations

import atexit
import threading
from collections.abc import Callable
from types import FunctionType
from typing import Any

Kernel = Callable[..., int]
#: Compiled kernels by name.
Kernels = dict[str, Kernel]

#: Bytes of a quantised matrix from which products with it are counted as work.
WEIGHTS = 1 << 14
#: Products of a number with a weight after which an executor asks for kernels.
START_WORK = 1 << 29

_WORDS, _BYTES, _LONGS, _FLOATS = "int32[::1]", "uint8[::1]", "int64[::1]", "float64[::1]"
_WORD_TABLE, _LONG_TABLE, _FLOAT_TABLE = (
    f"Array({element}, 1, 'C', readonly=True)" for element in ("int32", "int64", "float64")
)


def _signature(*kinds: str) -> str:
    """``a x 3`` stands for three of a."""
    listed = [part for kind in kinds for part in _times(*kind.split(" x "))]
    return f"int64({', '.join(listed)})"


def _times(kind: str, count: str = "1") -> list[str]:
    return [kind] * int(count)


_PRODUCT = _signature(f"{_WORDS} x 2", _BYTES, "int64", _LONGS, "int64 x 5")
#: What each kernel takes; helpers that others call come first.
SIGNATURES = {
    "too_great": _signature(_WORDS, "int64 x 3"),
    "finish_product": _signature(_WORDS, _LONGS, "int64 x 6"),
    "add": _signature(f"{_WORDS} x 3", "int64 x 8"),
    "add_whole": _signature(f"{_WORDS} x 3", "int64 x 3"),
    "times": _signature(f"{_WORDS} x 3", "int64 x 7"),
    "divide": _signature(f"{_WORDS} x 3", "int64 x 6", "float64"),
    "extreme": _signature(f"{_WORDS} x 3", "int64 x 6"),
    "shift_right": _signature(f"{_WORDS} x 3", "int64 x 3"),
    "exp2": _signature(f"{_WORDS} x 2", "int64", f"{_FLOAT_TABLE} x 2", _LONG_TABLE),
    "gather": _signature(f"{_WORDS} x 3", "int64 x 2"),
    "gather_rows": _signature(f"{_WORDS} x 3", "int64 x 6"),
    "gather_byte_rows": _signature(_WORDS, _BYTES, _WORDS, "int64 x 6", _WORD_TABLE),
    "norm_rows": _signature(f"{_WORDS} x 2", "int64 x 4", _WORDS, "int64", _FLOATS),
    "row_extremes": _signature(f"{_WORDS} x 2", "int64 x 5"),
    "row_sums": _signature(f"{_WORDS} x 2", "int64 x 4", _LONGS, "int64 x 4"),
    "row_product": _PRODUCT,
    "column_product": _PRODUCT,
    "parts": _signature(f"{_WORDS} x 3", "int64 x 8", _LONGS),
    "parts_transposed": _signature(f"{_WORDS} x 3", "int64 x 8"),
}


def plain_kernel(name: str) -> FunctionType:
    """A kernel as it is written."""
    from . import native_elements, native_rows

    home = native_elements if hasattr(native_elements, name) else native_rows
    plain: FunctionType = getattr(home, name)
    return plain


class _Loader:
    """Loads the kernels once, in a thread of its own or in whose who waits."""

    def __init__(self) -> None:
        self.kernels: Kernels | None = None
        self.failure = ""
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None
        self._ending = False

    def start(self) -> None:
        """Begin to load in the background, if that has not been tried."""
        if self._thread is None and self.kernels is None and not self.failure:
            self._thread = threading.Thread(target=self.load, name="kernels", daemon=True)
            self._thread.start()
            atexit.register(self._end)

    def load(self) -> Kernels | None:
        """Load now; None, and ``failure`` says why, where that is not possible."""
        with self._lock:
            if self.kernels is None and not self.failure:
                try:
                    self.kernels = self._compiled()
                except (ImportError, OSError, RuntimeError) as error:
                    # OSError: the compiler's library.  RuntimeError: there is no folder to keep
                    # what was compiled.
                    self.failure = str(error) or type(error).__name__
            return self.kernels

    def _compiled(self) -> Kernels | None:
        import numba

        compiled: dict[str, Any] = {}
        for name, signature in SIGNATURES.items():
            if self._ending:
                return None
            plain = plain_kernel(name)
            # The same function, which finds compiled helpers under their names.
            function = FunctionType(plain.__code__, plain.__globals__ | compiled, name)
            function.__module__ = plain.__module__
            compile_for = numba.njit(
                signature, cache=True, boundscheck=False, error_model="numpy", nogil=True
            )
            try:
                compiled[name] = compile_for(function)
            except numba.core.errors.NumbaError as error:
                raise RuntimeError(f"{name} does not compile: {error}") from error
        return compiled

    def _end(self) -> None:
        """Python ends: no compiler may be at work then."""
        self._ending = True
        if self._thread is not None:
            self._thread.join()


_loader = _Loader()


def ready() -> Kernels | None:
    """The kernels, if they are loaded."""
    return _loader.kernels


def start() -> None:
    """Have them loaded in the background."""
    _loader.start()


def load() -> Kernels | None:
    """Load them, or wait until they are; None where they cannot be, see :func:`failure`."""
    return _loader.load()


def failure() -> str:
    """Why they could not be loaded; empty as long as that has not been found."""
    return _loader.failure
