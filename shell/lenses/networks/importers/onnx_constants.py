"""What an ONNX graph holds before it runs: initializers, constants, and what is computed of them.

Tensors may stand in files beside the model (``external_data``: torch's exporter writes them so).
The names of those files come from the model, which is foreign: only plain names are taken, of files
in the model's own folder, and sizes are checked before anything is read.
"""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import numpy as np

from .common import MAX_WEIGHTS, ForeignError

#: How many inputs operators need at least, where that is not one.
INPUTS = {
    "Constant": 0, "Gemm": 2, "MatMul": 2, "Add": 2, "Sub": 2, "Mul": 2, "Div": 2, "Gather": 2,
    "Reshape": 2, "Slice": 3, "LayerNormalization": 2, "RMSNormalization": 2,
    "SimplifiedLayerNormalization": 2, "BatchNormalization": 5,
}  # fmt: skip
#: Nodes that are computed when everything they use is known.
FOLDED = (
    "Identity", "Cast", "Transpose", "Reshape", "Flatten", "Squeeze", "Unsqueeze", "Gather",
    "Concat", "Slice",
)  # fmt: skip
_MOST_DIMENSIONS = 16


class Constants:
    """The arrays of a graph by name; ``folder`` is where the model lies."""

    def __init__(self, onnx: Any, folder: Path) -> None:
        self._onnx, self._folder = onnx, folder
        self._arrays: dict[str, np.ndarray] = {}
        self._total = 0

    def __contains__(self, name: str) -> bool:
        return name in self._arrays

    def __getitem__(self, name: str) -> np.ndarray:
        return self._arrays[name]

    def put(self, name: str, array: np.ndarray) -> None:
        """Keep an array under a name."""
        self._arrays[name] = array

    def floats(self, name: str, kind: type[np.floating[Any]] = np.float32) -> np.ndarray:
        """The array under a name as floats; raises ForeignError for what is no number."""
        try:
            if self._arrays[name].dtype.kind in "cSUO":
                raise TypeError(f"they are of type {self._arrays[name].dtype}")
            with np.errstate(over="ignore"):  # what becomes infinite is found by the check for NaN
                return np.asarray(self._arrays[name]).astype(kind)
        except (ValueError, TypeError) as error:
            raise ForeignError(
                f"the weights {name} are no numbers ({error})", "export the model again"
            ) from error

    # ---- tensors -------------------------------------------------------------------------------

    def add(self, tensor: Any, name: str) -> None:
        """Keep a tensor of the file, its size checked before it is made; raises ForeignError."""
        dims = tuple(int(n) for n in tensor.dims)
        if any(n < 0 for n in dims) or len(dims) > _MOST_DIMENSIONS:
            raise ForeignError(f"the weights {name} have the sizes {dims[:20]}", "get a whole copy")
        self._total += math.prod(dims)
        if self._total > MAX_WEIGHTS:
            raise ForeignError(
                f"the model holds {self._total:,} weights", f"a picture takes {MAX_WEIGHTS:,}"
            )
        outside = tensor.data_location == self._onnx.TensorProto.EXTERNAL or tensor.external_data
        try:
            if outside:
                array = self._external(tensor, name, dims)
            else:
                array = self._onnx.numpy_helper.to_array(tensor)
        except (ValueError, TypeError, KeyError) as error:
            raise ForeignError(
                f"the weights {name} cannot be read ({error})", "get a whole copy"
            ) from error
        self._arrays[name] = array

    def _external(self, tensor: Any, name: str, dims: tuple[int, ...]) -> np.ndarray:
        """A tensor of another file; raises ForeignError, and ValueError for sizes that are none."""
        given = {entry.key: entry.value for entry in tensor.external_data}
        place = given.get("location", "")
        if not place or Path(place).name != place or "\\" in place or place in (".", ".."):
            raise ForeignError(
                f"the weights {name} stand in the file {place[:60]!r}",
                "files of weights lie beside the model: save it in one folder",
            )
        kind = np.dtype(self._onnx.helper.tensor_dtype_to_np_dtype(tensor.data_type))
        if kind.kind in "SUO":
            raise ForeignError(f"the weights {name} are of type {kind}", "save them as float32")
        size = kind.itemsize * math.prod(dims)
        begin = _whole(given.get("offset", "0"))
        if _whole(given.get("length", str(size))) != size:
            raise ForeignError(
                f"the weights {name} have {given['length']} bytes in {place}, expected {size}",
                "get a whole copy of both files",
            )
        path = self._folder / place
        try:
            if path.is_symlink() or not path.is_file():
                raise ForeignError(
                    f"the weights {name} stand in {path}, which is no file",
                    "copy it beside the model",
                )
            with path.open("rb") as file:
                if file.seek(0, 2) < begin + size:
                    raise ForeignError(
                        f"{path} ends before the weights {name}", "get a whole copy of both files"
                    )
                file.seek(begin)
                data = file.read(size)
        except OSError as error:
            raise ForeignError(f"{path} cannot be read ({error})", "check the path") from error
        return np.frombuffer(data, kind.newbyteorder("<") if kind.kind in "iuf" else kind).reshape(
            dims
        )

    # ---- nodes of constants --------------------------------------------------------------------

    def constant(self, node: Any) -> bool:
        """Keep what a Constant node holds; False for a kind that is not known."""
        for attribute in node.attribute:
            if attribute.name == "value":
                self.add(attribute.t, node.output[0])
                return True
            if attribute.name in ("value_float", "value_floats", "value_int", "value_ints"):
                value = self._onnx.helper.get_attribute_value(attribute)
                self._arrays[node.output[0]] = np.asarray(value)
                return True
        return False

    def fold(self, node: Any, called: str) -> bool:
        """Compute a node all of whose inputs are constants; False for an operator not in FOLDED.

        Raises ForeignError for one that does not fit its inputs.
        """
        if node.op_type not in FOLDED:
            return False
        try:
            array = self._folded(node)
        except (ValueError, TypeError, KeyError, IndexError) as error:
            raise ForeignError(f"{called} does not fit ({error})", "export it again") from error
        if array.size > MAX_WEIGHTS:
            raise ForeignError(f"{called} makes {array.size:,} numbers", "export it again")
        self._arrays[node.output[0]] = array
        return True

    def _folded(self, node: Any) -> np.ndarray:
        x, *others = (self._arrays[name] for name in node.input if name)
        if len(others) + 1 < INPUTS.get(node.op_type, 1):
            raise ValueError("inputs are missing")
        kind = node.op_type
        if kind == "Identity":
            return x
        if kind == "Cast":
            types = self._onnx.helper.tensor_dtype_to_np_dtype
            return x.astype(types(attribute_of(self._onnx, node, "to", 1)))
        if kind == "Transpose":
            return np.transpose(x, attribute_of(self._onnx, node, "perm", None))
        if kind == "Flatten":
            axis = int(attribute_of(self._onnx, node, "axis", 1)) % (x.ndim + 1)
            return x.reshape(math.prod(x.shape[:axis]), -1)
        if kind == "Gather":
            axis = int(attribute_of(self._onnx, node, "axis", 0))
            return np.take(x, others[0].astype(np.int64), axis=axis)
        if kind == "Concat":
            axis = int(attribute_of(self._onnx, node, "axis", 0))
            return np.concatenate([x, *others], axis=axis)
        if kind == "Slice":
            return _sliced(x, others)
        axes = others[0] if others else attribute_of(self._onnx, node, "axes", None)
        numbers = None if axes is None else tuple(int(n) for n in np.ravel(axes))
        if kind == "Squeeze":
            return np.squeeze(x, numbers)
        if numbers is None:
            raise ValueError("no sizes are given")
        if kind == "Unsqueeze":
            return np.expand_dims(x, numbers)
        return x.reshape([x.shape[i] if n == 0 else n for i, n in enumerate(numbers)])


def attribute_of(onnx: Any, node: Any, name: str, default: Any) -> Any:
    """The value of a node's attribute, or a default: of its type, or whole numbers if it is None.

    Raises ForeignError for a value of another type.
    """
    for attribute in node.attribute:
        if attribute.name != name:
            continue
        value = onnx.helper.get_attribute_value(attribute)
        if default is None:
            good = isinstance(value, int) or (
                isinstance(value, list | tuple) and all(isinstance(n, int) for n in value)
            )
        elif isinstance(default, float):
            good = isinstance(value, int | float) and math.isfinite(value)
        else:
            good = isinstance(value, type(default))
        if not good:
            raise ForeignError(
                f"the attribute {name} of a {node.op_type} is {str(value)[:40]!r}",
                "export it again",
            )
        return value
    return default


def _sliced(x: np.ndarray, others: list[np.ndarray]) -> np.ndarray:
    """Slice by its inputs: starts, ends, and perhaps axes and steps."""
    starts, ends, *rest = ([int(n) for n in np.ravel(part)] for part in others)
    axes = rest[0] if rest else list(range(len(starts)))
    steps = rest[1] if len(rest) > 1 else [1] * len(starts)
    places = [slice(None)] * x.ndim
    for start, end, axis, step in zip(starts, ends, axes, steps, strict=True):
        if step != 1:
            raise ValueError("steps other than 1")
        places[axis] = slice(start, end)
    return x[tuple(places)]


def _whole(text: str) -> int:
    """A size in bytes; raises ValueError."""
    if not (text.isascii() and text.isdigit() and len(text) < 16):
        raise ValueError(f"{text[:20]!r} is no number of bytes")
    return int(text)
