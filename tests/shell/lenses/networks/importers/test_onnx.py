"""ONNX files, against ONNX's own reference evaluator."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pxos.shell.lenses.networks import Mlp, evaluate_mlp
from pxos.shell.lenses.networks.importers import ForeignError, common, evaluate, read_onnx

from . import pictures

onnx = pytest.importorskip("onnx", reason="onnx is not installed: pip install 'pxos[import]'")
reference = pytest.importorskip("onnx.reference")
helper, FLOAT = onnx.helper, onnx.TensorProto.FLOAT
node = helper.make_node


def weights(**arrays: Any) -> list[Any]:
    return [onnx.numpy_helper.from_array(np.asarray(a), name) for name, a in arrays.items()]


def model(
    nodes: list[Any], arrays: dict[str, Any], shape: tuple[Any, ...] = ("n", 12), opset: int = 20
) -> Any:
    graph = helper.make_graph(
        nodes,
        "g",
        [helper.make_tensor_value_info("x", FLOAT, shape)],
        [helper.make_tensor_value_info("y", FLOAT, ("n", "m"))],
        weights(**arrays),
    )
    opsets = [helper.make_opsetid("", opset), helper.make_opsetid("other", 1)]
    return helper.make_model(graph, opset_imports=opsets)


def saved(tmp_path: Path, made: Any) -> Path:
    path = tmp_path / "it.onnx"
    path.write_bytes(made.SerializeToString())
    return path


def byte_grid(*shape: int, seed: int = 0) -> np.ndarray:
    rng = np.random.default_rng(seed)
    return (rng.integers(-127, 128, shape) / 256).astype(np.float32)


W1, B1, W2, B2 = byte_grid(12, 9), byte_grid(9), byte_grid(9, 4), byte_grid(4)
GAIN, SHIFT = 1 + byte_grid(9, seed=4), byte_grid(9, seed=5)
ROOT = np.float32(np.sqrt(2))


def two(*between: Any, **arrays: Any) -> tuple[list[Any], dict[str, Any]]:
    """Nodes from h to g between two linear layers."""
    first = node("Gemm", ["x", "w1", "b1"], ["h"], name="first")
    last = node("Gemm", ["g", "w2", "b2"], ["y"], name="last")
    return [first, *between, last], {"w1": W1, "b1": B1, "w2": W2, "b2": B2, **arrays}


MODELS = {
    "relu": two(node("Relu", ["h"], ["g"])),
    "gelu": two(node("Gelu", ["h"], ["g"])),
    "gelu by tanh": two(node("Gelu", ["h"], ["g"], approximate="tanh")),
    "gelu spelt out": two(
        node("Div", ["h", "root"], ["a"]),
        node("Erf", ["a"], ["b"]),
        node("Add", ["b", "one"], ["c"]),
        node("Mul", ["h", "c"], ["d"]),
        node("Mul", ["d", "half"], ["g"]),
        root=ROOT,
        one=np.float32(1),
        half=np.float32(0.5),
    ),
    "gelu spelt out, half before": two(
        node("Mul", ["h", "root"], ["a"]),
        node("Erf", ["a"], ["b"]),
        node("Add", ["one", "b"], ["c"]),
        node("Mul", ["c", "half"], ["d"]),
        node("Mul", ["h", "d"], ["g"]),
        root=1 / ROOT,
        one=np.float32(1),
        half=np.array([0.5], np.float32),
    ),
    "silu": two(node("Sigmoid", ["h"], ["a"]), node("Mul", ["h", "a"], ["g"])),
    "norms": two(
        node("LayerNormalization", ["h", "gain", "shift"], ["a"], epsilon=1e-4),
        node("Relu", ["a"], ["b"]),
        node("BatchNormalization", ["b", "gain", "shift", "shift", "gain"], ["g"]),
        gain=GAIN,
        shift=SHIFT,
    ),
    "softmax": (
        [node("MatMul", ["x", "w"], ["a"]), node("Softmax", ["a"], ["y"])],
        {"w": byte_grid(12, 5)},
    ),
    "scaled input, constants, flattening": (
        [
            node("Flatten", ["x"], ["a"]),
            node("Constant", [], ["low"], value_float=0.25),
            node("Sub", ["a", "low"], ["b"]),
            node("Div", ["b", "width"], ["c"]),
            node("Transpose", ["w1t"], ["w1"], perm=[1, 0]),
            node("Identity", ["w1"], ["w1i"]),
            node("MatMul", ["c", "w1i"], ["d"]),
            node("Add", ["b1", "d"], ["e"]),
            node("Dropout", ["e"], ["f"]),
            node("Relu", ["f"], ["g"]),
            node("Reshape", ["g", "shape"], ["i"]),
            node("Gemm", ["i", "w2t", "b2"], ["y"], transB=1, alpha=0.5, beta=2.0),
        ],
        {
            "w1t": W1.T.copy(),
            "b1": B1,
            "w2t": W2.T.copy(),
            "b2": B2,
            "width": np.array([2.0], np.float32),
            "shape": np.array([-1, 9]),
        },
    ),
    "swish": two(node("Swish", ["h"], ["g"])),
    # As torch writes x.view(x.size(0), -1).
    "pictures of any number": (
        [
            node("Shape", ["x"], ["a"]),
            node("Gather", ["a", "first"], ["b"]),
            node("Unsqueeze", ["b", "axes"], ["c"]),
            node("Concat", ["c", "rest"], ["d"], axis=0),
            node("Reshape", ["x", "d"], ["e"]),
            node("MatMul", ["e", "w1"], ["y"]),
        ],
        {
            "first": np.array(0),
            "axes": np.array([0]),
            "rest": np.array([-1]),
            "w1": W1,
        },
        ("n", 1, 3, 4),
    ),
    "sizes by slices": (
        [
            node("Shape", ["x"], ["a"]),
            node("Slice", ["a", "zero", "one", "zero", "one"], ["b"]),
            node("Concat", ["b", "rest"], ["c"], axis=0),
            node("Reshape", ["x", "c"], ["d"]),
            node("Flatten", ["w"], ["w1"], axis=2),
            node("MatMul", ["d", "w1"], ["y"]),
        ],
        {
            "zero": np.array([0]),
            "one": np.array([1]),
            "rest": np.array([12]),
            "w": W1.reshape(3, 4, 9, 1),
        },
        ("n", 1, 3, 4),
    ),
    "pictures": (
        [
            node("Cast", ["x"], ["a"], to=FLOAT),
            node("Reshape", ["a", "shape"], ["b"]),
            node("MatMul", ["b", "w1"], ["y"]),
        ],
        {"shape": np.array([0, -1]), "w1": W1},
        ("n", 1, 3, 4),
    ),
}


@pytest.mark.parametrize("name", MODELS)
def test_operators(tmp_path: Path, name: str) -> None:
    made = model(*MODELS[name], **({"opset": 24} if name == "swish" else {}))
    onnx.checker.check_model(made)
    shape = (5, 1, 3, 4) if len(MODELS[name]) == 3 else (5, 12)
    x = np.random.default_rng(1).normal(0.3, 1, shape).astype(np.float32)
    (wanted,) = reference.ReferenceEvaluator(made).run(None, {"x": x})
    network = read_onnx(saved(tmp_path, made))
    rows = x.reshape(5, 12)
    mlp = isinstance(network, Mlp)
    got = evaluate_mlp(network, rows) if mlp else evaluate(network, rows)
    assert np.abs(got - wanted).max() < 2e-5
    slack = 0.02 if name == "norms" else 0.002
    assert np.abs(pictures.outputs(network, rows) - wanted).max() < slack


def broken(tmp_path: Path, made: Any) -> str:
    with pytest.raises(ForeignError) as caught:
        read_onnx(saved(tmp_path, made))
    return str(caught.value)


@pytest.mark.parametrize(
    ("nodes", "message"),
    [
        (two(node("Tanh", ["h"], ["g"], name="t1")), "the operator Tanh of Tanh t1 is not supp"),
        (two(node("Sigmoid", ["h"], ["g"])), "the operator Sigmoid of Sigmoid g is not"),
        (two(node("Relu", ["h"], ["g"], domain="other")), "the operator other.Relu of Relu g"),
        (two(node("Relu", ["g"], ["g2"])), "nothing leads from h to the output y"),
        (two(node("Mul", ["h", "h"], ["g"])), "Mul g works on two values that are computed"),
        (
            two(node("Relu", ["h"], ["a"]), node("Add", ["h", "a"], ["g"])),
            "h goes to Relu a and Add g; branches are supported in GELU and SiLU only",
        ),
        (
            two(
                node("Div", ["h", "root"], ["a"]),
                node("Erf", ["a"], ["b"]),
                node("Add", ["b", "one"], ["c"]),
                node("Mul", ["h", "c"], ["g"]),
                root=ROOT,
                one=np.float32(1),
            ),
            "h goes to",  # twice a GELU
        ),
        (two(node("Div", ["c", "h"], ["g"]), c=GAIN), "divides by what is computed"),
        (two(node("Div", ["h", "c"], ["g"]), c=np.zeros(9, "f4")), "divides by what is computed"),
        (two(node("MatMul", ["c", "h"], ["g"]), c=W2), "multiplies from the other side"),
        (two(node("MatMul", ["h", "c"], ["g"]), c=W1), "takes 12 columns, the layers before it"),
        (two(node("Mul", ["h", "c"], ["g"]), c=W1[0, :3]), "has 3 numbers, expected 9"),
        (two(node("Softmax", ["h"], ["g"], axis=0.5)), "the attribute axis of a Softmax is '0.5'"),
        (two(node("Gelu", ["h"], ["g"], approximate=1)), "the attribute approximate of a Gelu"),
        (two(node("Relu", [], ["g"], name="r")), "Relu r has no output, or fewer than 1 inputs"),
        (two(node("Add", ["h"], ["g"])), "Add g has no output, or fewer than 2 inputs"),
        (two(node("BatchNormalization", ["h", "c"], ["g"]), c=GAIN), "fewer than 5 inputs"),
        (two(node("Relu", ["h"], [], name="r")), "Relu r has no output"),
        (two(node("Softmax", ["h"], ["g"], axis=0)), "Softmax g is over another axis"),
        (
            two(node("Relu", ["h"], ["a"]), node("Reshape", ["a", "s"], ["g"]), s=np.array([3, 3])),
            "makes the shape",
        ),
        (two(node("Add", ["h", "c"], ["g"]), c=np.full(9, np.nan, "f4")), "holds nan at (0,)"),
        (two(node("Add", ["h", "c"], ["g"]), c=GAIN[:, None]), "takes an array of 9 x 1"),
        (two(node("Gemm", ["h", "c", "d"], ["g"]), c=W2, d=GAIN[:4, None]), "an array of 4 x 1"),
        (two(node("Cast", ["h"], ["g"], to=onnx.TensorProto.INT32)), "Cast g makes integers"),
        (two(node("Swish", ["h"], ["g"], alpha=1.5)), "the operator Swish of Swish g"),
        (
            two(node("Dropout", ["h", "", "t"], ["g"]), t=np.array(True)),
            "Dropout g drops out at random; export it in evaluation mode",
        ),
        (
            two(
                node("BatchNormalization", ["h", *["c"] * 4], ["g", "i", "j"], training_mode=1),
                c=GAIN,
            ),
            "BatchNormalization g is in training",
        ),
        (
            two(node("BatchNormalization", ["h", "c", "c", "c", "d"], ["g"]), c=GAIN, d=-GAIN),
            "holds nan",
        ),
        (two(node("Shape", ["h"], ["g"])), "the operator Shape of Shape g is not supported"),
        (
            two(node("Reshape", ["h", "s"], ["g"]), s=np.array([4, -1])),
            "makes the shape [4, -1]; only flattening",
        ),
        (two(node("Add", ["h", "c"], ["g"]), c=np.full(9, 4e4, "f4")), "beyond 32768"),
    ],
)
def test_models_that_cannot_be_read(tmp_path: Path, nodes: Any, message: str) -> None:
    assert message in broken(tmp_path, model(*nodes))


def test_graphs_that_cannot_be_read(tmp_path: Path) -> None:
    nodes, arrays = MODELS["relu"]
    made = model(nodes, arrays)
    made.graph.input.append(helper.make_tensor_value_info("z", FLOAT, (1, 2)))
    assert "2 inputs and 1 outputs" in broken(tmp_path, made)
    circle = model([node("Relu", ["x"], ["h"]), node("Relu", ["h"], ["x"])], {})
    assert "goes in circles" in broken(tmp_path, circle)
    assert "has no graph" in broken(tmp_path, onnx.ModelProto())
    assert "version 6 of the ONNX operators" in broken(tmp_path, model(nodes, arrays, opset=6))


def test_hostile_weights(tmp_path: Path) -> None:
    nodes, arrays = MODELS["relu"]
    made = model(nodes, arrays)
    made.graph.initializer[0].raw_data = b"1234"
    assert "the weights w1 cannot be read" in broken(tmp_path, made)
    made = model(nodes, arrays)
    made.graph.initializer[0].dims[:] = [1 << 20, 1 << 20]
    assert f"a picture takes {common.MAX_WEIGHTS:,}" in broken(tmp_path, made)
    made.graph.initializer[0].dims[:] = [-12, 9]
    assert "the weights w1 have the sizes (-12, 9)" in broken(tmp_path, made)
    made = model(nodes, {**arrays, "w1": np.full(W1.shape, "a")})
    assert "the weights w1 are no numbers" in broken(tmp_path, made)
    made = model(nodes, {**arrays, "w1": W1.astype(np.complex64)})
    assert "the weights w1 are no numbers" in broken(tmp_path, made)


# ---- weights in a file beside the model --------------------------------------------------------


def outside(**changes: str) -> tuple[Any, bytes]:
    """A model whose first weights stand in another file, after five other bytes; that file."""
    made = model(*MODELS["relu"])
    tensor = made.graph.initializer[0]
    data = tensor.raw_data
    tensor.ClearField("raw_data")
    tensor.data_location = onnx.TensorProto.EXTERNAL
    place = {"location": "it.data", "offset": "5", "length": str(len(data)), **changes}
    for key, value in place.items():
        if value:
            tensor.external_data.add(key=key, value=value)
    return made, b"12345" + data


@pytest.mark.parametrize("left_out", ["", "length"])
def test_weights_beside_the_model(tmp_path: Path, left_out: str) -> None:
    made, data = outside(**({left_out: ""} if left_out else {}))
    (tmp_path / "it.data").write_bytes(data)
    network = read_onnx(saved(tmp_path, made))
    wanted = read_onnx(saved(tmp_path, model(*MODELS["relu"])))
    x = byte_grid(3, 12, seed=9)
    assert np.array_equal(evaluate_mlp(network, x), evaluate_mlp(wanted, x))


@pytest.mark.parametrize("kind", ["float16", "bfloat16", "float64"])
def test_kinds_of_weights_beside_the_model(tmp_path: Path, kind: str) -> None:
    types = {"float16": "<f2", "bfloat16": None, "float64": "<f8"}
    data = np.ones(W1.shape, "f4")  # ones are the same in every kind
    raw = np.full(W1.shape, 0x3F80, "<u2") if kind == "bfloat16" else data.astype(types[kind])
    made, _ = outside(offset="0", length=str(raw.nbytes))
    made.graph.initializer[0].data_type = getattr(onnx.TensorProto, KINDS[kind])
    (tmp_path / "it.data").write_bytes(raw.tobytes())
    network = read_onnx(saved(tmp_path, made))
    assert np.array_equal(network.layers[0].weight, data)


KINDS = {"float16": "FLOAT16", "bfloat16": "BFLOAT16", "float64": "DOUBLE"}


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"location": "/etc/passwd"}, "stand in the file '/etc/passwd'; files of weights lie"),
        ({"location": "../it.data"}, "stand in the file '../it.data'"),
        ({"location": "..\\it.data"}, "stand in the file"),
        ({"location": ".."}, "stand in the file '..'"),
        ({"location": ""}, "stand in the file ''"),
        ({"location": "absent"}, "absent, which is no file"),
        ({"location": "folder"}, "folder, which is no file"),
        ({"location": "link"}, "link, which is no file"),
        ({"length": "7"}, "have 7 bytes in it.data, expected 432"),
        ({"length": "-1"}, "'-1' is no number of bytes"),
        ({"offset": "6"}, "it.data ends before the weights w1"),
        ({"offset": "9" * 15}, "it.data ends before the weights w1"),
        ({"offset": "9" * 99}, "is no number of bytes"),
    ],
)
def test_weights_that_are_not_beside_the_model(
    tmp_path: Path, changes: dict[str, str], message: str
) -> None:
    made, data = outside(**changes)
    (tmp_path / "it.data").write_bytes(data)
    (tmp_path / "folder").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "it.data")
    assert message in broken(tmp_path, made)


@settings(max_examples=300, deadline=None)
@given(st.data())
def test_damaged_files(tmp_path_factory: Any, data: Any) -> None:
    whole = bytearray(model(*MODELS["norms"]).SerializeToString())
    for _ in range(data.draw(st.integers(1, 3))):
        whole[data.draw(st.integers(0, len(whole) - 1))] = data.draw(st.integers(0, 255))
    path = tmp_path_factory.mktemp("damaged") / "it.onnx"
    path.write_bytes(bytes(whole[: data.draw(st.integers(1, 2 * len(whole)))]))
    try:
        network = read_onnx(path)
    except ForeignError as error:
        said = str(error)
    else:
        said = str(network.count())
    assert said


def test_no_onnx_file(tmp_path: Path) -> None:
    path = tmp_path / "it.onnx"
    path.write_bytes(b"\xff\xff\xff no onnx")
    with pytest.raises(ForeignError, match="is no ONNX file"):
        read_onnx(path)
    with pytest.raises(ForeignError, match="there is no file"):
        read_onnx(tmp_path / "absent.onnx")


def test_without_onnx(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = saved(tmp_path, model(*MODELS["relu"]))
    monkeypatch.setitem(sys.modules, "onnx", None)
    with pytest.raises(ForeignError, match=r"onnx is not installed .*pip install 'pxos\[import\]'"):
        read_onnx(path)
