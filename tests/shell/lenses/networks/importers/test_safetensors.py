"""The safetensors reader: whole files, and files made to do harm."""

from __future__ import annotations

import json
import random
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pxos.shell.lenses.networks.importers import ForeignError, common
from pxos.shell.lenses.networks.importers.common import Tensors
from pxos.shell.lenses.networks.importers.safetensors_file import (
    MAX_HEADER,
    SafetensorsFile,
    SafetensorsFolder,
    floats,
)

from . import models

ARRAYS = {
    "a": np.arange(6, dtype=np.float32).reshape(2, 3) - 2.5,
    "b.weight": np.zeros((0, 4), np.float32),
    "c": np.array(1.5, np.float32),
}


def opened(tmp_path: Path, data: bytes) -> SafetensorsFile:
    path = tmp_path / "model.safetensors"
    path.write_bytes(data)
    return SafetensorsFile(path)


@pytest.mark.parametrize("dtype", ["F16", "BF16", "F32", "F64"])
def test_every_type(tmp_path: Path, dtype: str) -> None:
    file = opened(tmp_path, models.safetensors(ARRAYS, dtype))
    assert file.shapes() == {"a": (2, 3), "b.weight": (0, 4), "c": ()}
    for name, array in ARRAYS.items():
        got = file.read(name)
        assert got.dtype == np.float32
        assert np.array_equal(got, array)


def test_brain_floats_bit_by_bit() -> None:
    bits = np.arange(1 << 16, dtype="<u2")
    got = floats(bits.tobytes(), "BF16").view(np.uint32)
    assert np.array_equal(got, bits.astype(np.uint32) << 16)


def test_doubles_beyond_float32_are_found(tmp_path: Path) -> None:
    header = {"a": {"dtype": "F64", "shape": [2], "data_offsets": [0, 16]}}
    file = opened(tmp_path, models.packed(header, np.array([1.0, 1e300]).tobytes()))
    with pytest.raises(ForeignError, match=r"a holds inf at \(1,\)"):
        Tensors(file, "it").take("a", (2,))


def one(**changes: Any) -> dict[str, Any]:
    return {"a": {"dtype": "F32", "shape": [2, 3], "data_offsets": [0, 24], **changes}}


BODY = bytes(24)


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", "ends inside its header"),
        (b"\x01\0\0", "ends inside its header"),
        ((1 << 63).to_bytes(8, "little") + b"{}", "ends inside its header"),
        ((100).to_bytes(8, "little") + b"{}", "ends inside its header"),
        (models.packed([], b""), "holds no JSON object"),
        ((2).to_bytes(8, "little") + b"{]", "no JSON that can be read"),
        ((2).to_bytes(8, "little") + b"\xff\xfe", "no JSON that can be read"),
        ((8).to_bytes(8, "little") + b'{"a":NaN', "no JSON that can be read"),
        ((9).to_bytes(8, "little") + b'{"a":NaN}', "NaN is no JSON"),
        ((13).to_bytes(8, "little") + b'{"a":1,"a":2}', "the key 'a' stands there twice"),
        (models.packed({"a": 5}, b""), "the tensor a needs dtype, shape and data_offsets"),
        (models.packed({"a": {"dtype": "F32"}}, b""), "needs dtype, shape and data_offsets"),
        (models.packed(one(extra=1), BODY), "needs dtype, shape and data_offsets"),
        (models.packed(one(dtype="F31"), BODY), "is of type 'F31'"),
        (models.packed(one(dtype=["F32"]), BODY), "is of type"),
        (models.packed(one(shape=[2, -3]), BODY), "has the shape"),
        (models.packed(one(shape=[2, 1.5]), BODY), "has the shape"),
        (models.packed(one(shape=[2, True]), BODY), "has the shape"),
        (models.packed(one(shape=[1] * 17), BODY), "has the shape"),
        (models.packed(one(shape="23"), BODY), "has the shape"),
        (models.packed(one(shape=[1 << 41]), BODY), "has the shape"),
        (models.packed(one(shape=[1 << 40] * 16), BODY), "its shape and type need"),
        (models.packed(one(shape=[2, 4]), BODY), "has 24 bytes, its shape and type need 32"),
        (models.packed(one(data_offsets=[24, 0]), BODY), "has -24 bytes"),
        (models.packed(one(data_offsets=[0]), BODY), "stands at"),
        (models.packed(one(data_offsets=[-4, 20]), BODY), "stands at"),
        (models.packed(one(data_offsets=[4, 28]), bytes(28)), "leaves a gap before it"),
        (models.packed(one(), bytes(20)), "ends before its tensors do"),
        (models.packed(one(), bytes(25)), "goes on behind its tensors"),
        (models.packed({**one(), "b": one()["a"]}, BODY), "the tensor b overlaps the one before"),
        (
            models.packed({**one(), "b": one(data_offsets=[8, 32])["a"]}, bytes(32)),
            "the tensor b overlaps the one before",
        ),
    ],
)
def test_damaged_files(tmp_path: Path, data: bytes, message: str) -> None:
    with pytest.raises(ForeignError, match=message.replace("[", r"\[")):
        opened(tmp_path, data)


def test_json_that_is_too_deep(tmp_path: Path) -> None:
    text = b'{"a":' * 200_000
    with pytest.raises(ForeignError, match="nested too deeply"):
        opened(tmp_path, len(text).to_bytes(8, "little") + text)


def test_a_header_that_is_too_long(tmp_path: Path) -> None:
    path = tmp_path / "model.safetensors"
    with path.open("wb") as file:
        file.write((MAX_HEADER + 1).to_bytes(8, "little"))
        file.truncate(MAX_HEADER + 100)  # sparse
    with pytest.raises(ForeignError, match="at most 16,777,216 are read"):
        SafetensorsFile(path)


def test_more_weights_than_a_picture_takes_are_not_read(tmp_path: Path) -> None:
    path = tmp_path / "model.safetensors"
    count = common.MAX_WEIGHTS + 1
    header = {"a": {"dtype": "F32", "shape": [count], "data_offsets": [0, 4 * count]}}
    head = models.packed(header, b"")
    with path.open("wb") as file:
        file.write(head)
        file.truncate(len(head) + 4 * count)  # sparse
    with pytest.raises(ForeignError, match="holds 536,870,913 weights"):
        Tensors(SafetensorsFile(path), "it")


def test_integers_are_refused_when_they_are_asked_for(tmp_path: Path) -> None:
    header = {"a": {"dtype": "I64", "shape": [3], "data_offsets": [0, 24]}}
    tensors = Tensors(opened(tmp_path, models.packed(header, BODY)), "it")
    with pytest.raises(ForeignError, match="a is of type I64"):
        tensors.take("a", (3,))


@settings(max_examples=300, deadline=None)
@given(st.integers(0, 1 << 32), st.integers(1, 4))
def test_any_byte_changed(tmp_path_factory: Any, seed: int, count: int) -> None:
    """A changed file is refused with a message, or read with the sizes that it states."""
    rng = random.Random(seed)
    data = bytearray(models.safetensors(ARRAYS))
    for _ in range(count):
        data[rng.randrange(len(data))] = rng.randrange(256)
    folder = tmp_path_factory.mktemp("changed")
    try:
        file = opened(folder, bytes(data[: rng.randint(0, len(data) * 2)]))
        tensors = Tensors(file, "it")
        for name, shape in file.shapes().items():
            assert tensors.take(name, shape).shape == shape
    except ForeignError as error:
        said = str(error)
    else:
        said = "whole"
    assert said


# ---- folders -----------------------------------------------------------------------------------


def test_folders_without_weights(tmp_path: Path) -> None:
    with pytest.raises(ForeignError, match=r"no model.safetensors; name the folder"):
        SafetensorsFolder(tmp_path)
    (tmp_path / "pytorch_model.bin").write_bytes(b"cos\nsystem\n")
    with pytest.raises(ForeignError, match=r"pytorch_model.bin is a pickle, which can run code"):
        SafetensorsFolder(tmp_path)


@pytest.mark.parametrize(
    ("index", "message"),
    [
        ({}, "has no weight_map"),
        ({"weight_map": {}}, "has no weight_map"),
        ({"weight_map": ["a"]}, "has no weight_map"),
        ({"weight_map": {"a": "../a.safetensors"}}, "shards lie beside their index"),
        ({"weight_map": {"a": "/etc/passwd"}}, "shards lie beside their index"),
        ({"weight_map": {"a": "..\\a"}}, "shards lie beside their index"),
        ({"weight_map": {"a": 5}}, "shards lie beside their index"),
        ({"weight_map": {"a": "absent.safetensors"}}, "absent.safetensors cannot be read"),
        ({"weight_map": {"x": "one.safetensors"}}, "one.safetensors has no tensor x"),
    ],
)
def test_broken_indexes(tmp_path: Path, index: object, message: str) -> None:
    (tmp_path / "one.safetensors").write_bytes(models.safetensors(ARRAYS))
    (tmp_path / "model.safetensors.index.json").write_text(json.dumps(index))
    with pytest.raises(ForeignError) as caught:
        SafetensorsFolder(tmp_path)
    assert message in str(caught.value)
