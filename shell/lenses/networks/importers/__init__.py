"""Networks from other people's files: Hugging Face folders, ONNX files, PyTorch modules."""

from __future__ import annotations

from .chain import Chain, ChainBuilder, evaluate
from .chain_app import chain_app
from .common import ForeignError
from .onnx_model import read_onnx
from .safetensors_model import Imported, read_model
from .text_app import text_app
from .tokenisers import Tokeniser
from .tokenizer_json import read_tokeniser
from .torch_module import from_module

__all__ = [
    "Chain",
    "ChainBuilder",
    "ForeignError",
    "Imported",
    "Tokeniser",
    "chain_app",
    "evaluate",
    "from_module",
    "read_model",
    "read_onnx",
    "read_tokeniser",
    "text_app",
]
