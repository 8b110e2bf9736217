"""ONNX files whose graph is one path of layers: linear, norms, activations, softmax.

Operators: https://onnx.ai/onnx/operators/.  What can be computed beforehand is
(:mod:`.onnx_constants`); what runs must be one path from the input to the output, on which
exporters' spellings of GELU and SiLU are recognised.  Anything else is refused with the operator
and its node.
"""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import numpy as np

from ..description import Mlp
from .chain import Chain, ChainBuilder
from .common import MAX_WEIGHTS, ForeignError, optional, read_limited
from .onnx_constants import INPUTS, Constants, attribute_of

#: Largest file that is read; ONNX files of more than 2 GB are not one message anyway.
MAX_FILE = 1 << 31
#: Oldest version of the operators: before it, Add and its like had rules of their own.
OLDEST_OPSET = 7
#: The operators that may run, as messages name them.
SUPPORTED = (
    "Gemm, MatMul, Add, Sub, Mul, Div, Relu, Gelu, Erf and Sigmoid (in GELU and SiLU), Softmax, "
    "LayerNormalization, RMSNormalization, BatchNormalization, Flatten, Reshape, Identity, "
    "Dropout, Cast, Swish"
)


def read_onnx(path: Path) -> Mlp | Chain:
    """The network in an ONNX file.  Raises ForeignError."""
    onnx = optional("onnx")
    message = optional("google.protobuf.message")
    data = read_limited(path, MAX_FILE)
    try:
        model = onnx.load_model_from_string(data)
    except message.DecodeError as error:
        raise ForeignError(f"{path} is no ONNX file ({error})", "get a whole copy") from error
    if not model.graph.node:
        raise ForeignError(f"{path} has no graph", "get a whole copy")
    for imported in model.opset_import:
        if imported.domain in ("", "ai.onnx") and imported.version < OLDEST_OPSET:
            raise ForeignError(
                f"the model uses version {imported.version} of the ONNX operators",
                f"export it with {OLDEST_OPSET} or newer",
            )
    return _Reader(model.graph, onnx, path.parent).read()


class _Reader:
    """Walks a graph from its input to its output."""

    def __init__(self, graph: Any, onnx: Any, folder: Path) -> None:
        self._onnx = onnx
        self._graph = graph
        self._constants = Constants(onnx, folder)
        for tensor in graph.initializer:
            self._constants.add(tensor, tensor.name)
        inputs = [value for value in graph.input if value.name not in self._constants]
        if len(inputs) != 1 or len(graph.output) != 1:
            raise ForeignError(
                f"the graph has {len(inputs)} inputs and {len(graph.output)} outputs",
                "one of each is supported",
            )
        self._input, self._at = inputs[0], inputs[0].name
        self._uses: dict[str, list[Any]] = {}
        self._fold_constants()
        self.builder = ChainBuilder(inputs=self._input_width(inputs[0]))
        self.builder.width = self.builder.inputs

    def _input_width(self, value: Any) -> int | None:
        """Numbers of one example, if the file says: all dimensions behind the first."""
        dims = value.type.tensor_type.shape.dim
        sizes = [dim.dim_value if dim.HasField("dim_value") else 0 for dim in dims][1:]
        width = math.prod(sizes) if sizes else 0
        return width if 0 < width <= MAX_WEIGHTS else None

    # ---- constants -----------------------------------------------------------------------------

    def _fold_constants(self) -> None:
        """Compute nodes of constants; the others are kept by what they use."""
        for node in self._graph.node:
            if node.domain not in ("", "ai.onnx", "com.microsoft"):
                raise self._unsupported(node)
            least = INPUTS.get(node.op_type, 1)
            if not node.output or len(node.input) < least or not all(node.input[:least]):
                raise ForeignError(
                    f"the node {_called(node)} has no output, or fewer than {least} inputs",
                    "get a whole copy",
                )
            done = False
            if node.op_type == "Constant":
                done = self._constants.constant(node)
            elif node.op_type == "Shape" and list(node.input) == [self._input.name]:
                done = self._keep_shape(node)
            elif node.input and all(name in self._constants for name in node.input if name):
                done = self._constants.fold(node, _called(node))
            else:
                for name in dict.fromkeys(node.input):
                    if name and name not in self._constants:
                        self._uses.setdefault(name, []).append(node)
                done = True
            if not done:
                raise self._unsupported(node)

    def _keep_shape(self, node: Any) -> bool:
        """The input's shape as Reshape takes it: 0 for the batch, which stays what it is."""
        sizes = [dim.dim_value for dim in self._input.type.tensor_type.shape.dim]
        begin = self._attribute(node, "start", 0)
        if not sizes or 0 in sizes[1:] or begin or self._attribute(node, "end", None) is not None:
            return False
        self._constants.put(node.output[0], np.array([0, *sizes[1:]], np.int64))
        return True

    # ---- the path ------------------------------------------------------------------------------

    def read(self) -> Mlp | Chain:
        """Follow the path to the graph's output."""
        output = self._graph.output[0].name
        for _ in self._graph.node:
            if self._at == output:
                break
            users = self._uses.get(self._at, [])
            if not users:
                raise ForeignError(
                    f"nothing leads from {self._at} to the output {output}", "export it again"
                )
            if len(users) > 1:
                self._at = self._gate(users)
            else:
                self._step(users[0])
        if self._at != output:
            raise ForeignError("the graph goes in circles", "export it again")
        return self.builder.finish()

    def _step(self, node: Any) -> None:
        kind, name = node.op_type, _called(node)
        step = {
            "Gemm": self._gemm,
            "MatMul": self._matmul,
            "Add": self._arithmetic,
            "Sub": self._arithmetic,
            "Mul": self._arithmetic,
            "Div": self._arithmetic,
            "LayerNormalization": self._layer_norm,
            "RMSNormalization": self._layer_norm,
            "SimplifiedLayerNormalization": self._layer_norm,
            "BatchNormalization": self._batch_norm,
            "Softmax": self._softmax,
            "Reshape": self._runtime_reshape,
            "Flatten": self._flatten,
        }.get(kind)
        if step is not None:
            step(node, name)
        elif kind == "Relu":
            self.builder.activation(name, "relu")
        elif kind == "Gelu":
            tanh = self._attribute(node, "approximate", b"none") == b"tanh"
            self.builder.activation(name, "gelu_tanh" if tanh else "gelu")
        elif kind == "Swish" and self._attribute(node, "alpha", 1.0) == 1.0:
            self.builder.activation(name, "silu")
        elif kind == "Dropout":
            self._dropout(node, name)
        elif kind == "Cast":
            self._cast(node, name)
        elif kind != "Identity":
            raise self._unsupported(node)
        self._at = node.output[0]

    def _dropout(self, node: Any, name: str) -> None:
        """Nothing happens, unless it was exported in training."""
        if len(node.input) > 2 and node.input[2]:
            training = node.input[2]
            if training not in self._constants or self._constants[training].any():
                raise ForeignError(f"{name} drops out at random", "export it in evaluation mode")

    def _cast(self, node: Any, name: str) -> None:
        """Between kinds of floats nothing happens: the picture computes in its own."""
        kind = self._onnx.TensorProto
        floats = (kind.FLOAT, kind.FLOAT16, kind.DOUBLE, kind.BFLOAT16)
        if self._attribute(node, "to", 0) not in floats:
            raise ForeignError(f"{name} makes integers", "only casts to floats are supported")

    def _other(self, node: Any, name: str) -> str:
        """The constant operand of a node with two, by its name."""
        for operand in node.input:
            if operand in self._constants:
                return str(operand)
        raise ForeignError(f"{name} works on two values that are computed", "layers must be a row")

    def _gemm(self, node: Any, name: str) -> None:
        if node.input[0] != self._at or self._attribute(node, "transA", 0):
            raise ForeignError(f"{name} multiplies from the other side", "export it again")
        weight = self._weights(node.input[1], name)
        if self._attribute(node, "transB", 0):
            weight = weight.T
        weight = weight * np.float32(self._attribute(node, "alpha", 1.0))
        bias = None
        if len(node.input) > 2 and node.input[2]:
            bias = self._weights(node.input[2], name) * np.float32(
                self._attribute(node, "beta", 1.0)
            )
            if bias.size == 1:
                bias = np.broadcast_to(bias.ravel(), weight.shape[1:])
            _check_row(bias, name)
        self.builder.linear(name, weight, bias)

    def _matmul(self, node: Any, name: str) -> None:
        if node.input[0] != self._at:
            raise ForeignError(f"{name} multiplies from the other side", "export it again")
        self.builder.linear(name, self._weights(node.input[1], name), None)

    def _weights(self, operand: str, name: str) -> np.ndarray:
        if operand not in self._constants:
            raise ForeignError(f"{name} has weights that are computed", "layers must be a row")
        return self._constants.floats(operand)

    def _arithmetic(self, node: Any, name: str) -> None:
        values = self._constants.floats(self._other(node, name), np.float64)
        _check_row(values, name)
        zero, one = np.zeros_like(values), np.ones_like(values)
        first = node.input[0] == self._at
        if node.op_type == "Add":
            scale, shift = one, values
        elif node.op_type == "Mul":
            scale, shift = values, zero
        elif node.op_type == "Sub":
            scale, shift = (one, -values) if first else (-one, values)
        elif first and np.all(values != 0):
            scale, shift = 1 / values, zero
        else:
            raise ForeignError(
                f"{name} divides by what is computed, or by 0", "it is not supported"
            )
        self.builder.affine(name, scale, shift)

    def _layer_norm(self, node: Any, name: str) -> None:
        axis = self._attribute(node, "axis", -1)
        if axis not in (-1, 1):
            raise ForeignError(f"{name} normalises from axis {axis}", "use the last axis")
        gain = self._weights(node.input[1], name)
        bias = None
        if node.op_type == "LayerNormalization":
            has = len(node.input) > 2 and node.input[2]
            bias = self._weights(node.input[2], name) if has else np.zeros_like(gain)
        self.builder.norm(name, gain, bias, float(self._attribute(node, "epsilon", 1e-5)))

    def _batch_norm(self, node: Any, name: str) -> None:
        gain, bias, mean, variance = (
            self._weights(operand, name).astype(np.float64).ravel() for operand in node.input[1:5]
        )
        if self._attribute(node, "training_mode", 0):
            raise ForeignError(f"{name} is in training", "export it in evaluation mode")
        with np.errstate(invalid="ignore"):  # what is no number is found by the check for NaN
            scale = gain / np.sqrt(variance + self._attribute(node, "epsilon", 1e-5))
        self.builder.affine(name, scale, bias - mean * scale)

    def _softmax(self, node: Any, name: str) -> None:
        if self._attribute(node, "axis", -1) not in (-1, 1):
            raise ForeignError(f"{name} is over another axis", "use the last")
        self.builder.softmax(name)

    def _runtime_reshape(self, node: Any, name: str) -> None:
        """Shapes (batch, columns) and those that only merge the dimensions of an example."""
        sizes = [int(n) for n in np.ravel(self._constants[self._other(node, name)])]
        dims = self._input.type.tensor_type.shape.dim
        batch = (-1, 0, 1, dims[0].dim_value if dims else 1)
        if len(sizes) != 2 or sizes[0] not in batch or sizes[1] < -1 or sizes == [-1, -1]:
            raise ForeignError(f"{name} makes the shape {sizes}", "only flattening is supported")
        width = self.builder.width
        if sizes[1] > 0:
            if width is not None and width != sizes[1]:
                raise ForeignError(f"{name} makes {sizes[1]} columns of {width}", "export it again")
            if width is None:
                self.builder.inputs = self.builder.width = sizes[1]

    def _flatten(self, node: Any, name: str) -> None:
        if self._attribute(node, "axis", 1) != 1:
            raise ForeignError(f"{name} flattens from another axis", "use axis 1")

    # ---- activations that exporters spell out ----------------------------------------------------

    def _gate(self, users: list[Any]) -> str:
        """A value that goes two ways and meets again: SiLU or GELU; the name of the result."""
        start = self._at
        other = next((node for node in users if node.op_type == "Sigmoid"), None)
        if other is not None and len(users) == 2:
            (product,) = self._uses.get(other.output[0], [None])[:1]
            if product in users and product.op_type == "Mul":
                self.builder.activation(_called(other), "silu")
                return str(product.output[0])
        found = self._gelu(start, users)
        if found is None:
            raise ForeignError(
                f"{start} goes to {' and '.join(_called(user) for user in users)}",
                "branches are supported in GELU and SiLU only",
            )
        self.builder.activation(_called(users[0]), "gelu")
        return found

    def _gelu(self, start: str, users: list[Any]) -> str | None:
        """The result of x * (1 + erf(x / sqrt 2)) / 2, the half before or after the product."""
        if len(users) != 2:
            return None
        first = next((node for node in users if self._factor(node) is not None), None)
        if first is None or abs((self._factor(first) or 0.0) - math.sqrt(0.5)) > 1e-4:
            return None
        erf = self._only_user(first)
        one = self._only_user(erf)
        if erf is None or erf.op_type != "Erf" or one is None or one.op_type != "Add":
            return None
        if not self._is_constant(one) or float(np.ravel(self._scalar(one))[0]) != 1.0:
            return None
        product, half = self._only_user(one), 1.0
        if product is not None and self._factor(product) is not None:
            half = self._factor(product) or 0.0
            product = self._only_user(product)
        if product is None or product.op_type != "Mul" or start not in product.input:
            return None
        if half == 1.0:
            product = self._only_user(product)
            half = 0.0 if product is None else self._factor(product) or 0.0
        return str(product.output[0]) if product is not None and half == 0.5 else None

    def _only_user(self, node: Any) -> Any:
        users = [] if node is None else self._uses.get(node.output[0], [])
        return users[0] if len(users) == 1 else None

    def _is_constant(self, node: Any) -> bool:
        return any(operand in self._constants for operand in node.input)

    def _factor(self, node: Any) -> float | None:
        """By what a Mul or Div with a constant number multiplies, or None."""
        if node.op_type not in ("Mul", "Div") or not self._is_constant(node):
            return None
        value = float(np.ravel(self._scalar(node))[0])
        if node.op_type == "Mul":
            return value
        return 1 / value if value and node.input[1] in self._constants else None

    def _scalar(self, node: Any) -> np.ndarray:
        value = self._constants.floats(self._other(node, _called(node)), np.float64)
        if value.size != 1:
            raise ForeignError(f"{_called(node)} takes {value.size} numbers", "one is expected")
        return value

    def _attribute(self, node: Any, name: str, default: Any) -> Any:
        return attribute_of(self._onnx, node, name, default)

    def _unsupported(self, node: Any) -> ForeignError:
        return ForeignError(
            f"the operator {node.domain + '.' if node.domain else ''}{node.op_type} of "
            f"{_called(node)} is not supported",
            f"supported are {SUPPORTED}",
        )


def _check_row(values: np.ndarray, name: str) -> None:
    """Raise ForeignError unless values are the same for every example: one number, or a row."""
    if any(n != 1 for n in values.shape[:-1]):
        raise ForeignError(
            f"{name} takes an array of {' x '.join(map(str, values.shape))}",
            "a number, or one for each column, is supported",
        )


def _called(node: Any) -> str:
    """A node's name, or what it makes if it has none."""
    return f"{node.op_type} {node.name or ', '.join(node.output[:1])}"
