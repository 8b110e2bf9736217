"""Training networks with PyTorch, so that they lose nothing when they become pictures.

Nothing here imports PyTorch or scikit-learn before it is used: :func:`.packages.need` says what to
install where they are missing.  :class:`Trainer` does the steps; what is trained is a task:
:class:`LanguageTask` (a language model at character level), :class:`GlyphsTask` (the same on
pictures of characters) or :class:`DigitsTask`.
"""

from __future__ import annotations

from .digits import DigitsTask
from .glyphs import GlyphsTask
from .language import LanguageTask
from .packages import TrainingError, need
from .settings import PRESETS, Architecture, Schedule, preset
from .task import Evaluation, Task
from .text import Text
from .trainer import Outcome, Tick, Trainer
from .weights import load_weights, save_weights

__all__ = [
    "PRESETS",
    "Architecture",
    "DigitsTask",
    "Evaluation",
    "GlyphsTask",
    "LanguageTask",
    "Outcome",
    "Schedule",
    "Task",
    "Text",
    "Tick",
    "Trainer",
    "TrainingError",
    "load_weights",
    "need",
    "preset",
    "save_weights",
]
