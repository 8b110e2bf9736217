"""The packages that training needs besides: imported when they are used, named where they lack."""

from __future__ import annotations

from importlib import import_module
from types import ModuleType

#: What a person types to get them.
INSTALL = "pip install 'pxos[train]'"

_CALLED = {"torch": "PyTorch", "sklearn.datasets": "scikit-learn"}


class TrainingError(ValueError):
    """Training that cannot begin or go on.  ``what`` is wrong; ``advice`` says what to do."""

    def __init__(self, what: str, advice: str) -> None:
        self.what, self.advice = what, advice
        super().__init__(f"{what}; {advice}")


class MissingPackage(TrainingError):  # noqa: N818 - it is what happened
    """A package that training needs is not installed."""


def need(name: str) -> ModuleType:
    """Import ``torch`` or ``sklearn.datasets``; raises MissingPackage with what to install."""
    try:
        return import_module(name)
    except ImportError as error:
        raise MissingPackage(
            f"training needs {_CALLED.get(name, name)}, which cannot be imported ({error})",
            f"install it: {INSTALL}",
        ) from error
