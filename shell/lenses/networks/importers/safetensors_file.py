"""Reading safetensors files, without the package of that name: a JSON header and raw numbers.

The format (https://github.com/huggingface/safetensors, "Format"): eight bytes, the length of the
header, little-endian; the header, a JSON object of name -> {dtype, shape, data_offsets}; then the
numbers, row-major and little-endian, without gaps.  Everything is checked before a tensor is read.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from .common import ForeignError, parse_json, read_json

#: Longest header that is read.  The format allows 100 MB; 10,000 tensors need 2.
MAX_HEADER = 1 << 24
#: Bytes of a number, by the format's names.
SIZES = {
    "BOOL": 1, "U8": 1, "I8": 1, "F8_E5M2": 1, "F8_E4M3": 1, "I16": 2, "U16": 2, "F16": 2,
    "BF16": 2, "I32": 4, "U32": 4, "F32": 4, "F64": 8, "I64": 8, "U64": 8,
}  # fmt: skip
#: Types whose tensors are read.
FLOATS = ("BF16", "F16", "F32", "F64")
_DAMAGED = "the file is damaged, or no safetensors file: get a whole copy"
#: Most dimensions of a tensor, and the longest of them.
_MAX_DIMENSIONS, _MAX_LENGTH = 16, 1 << 40


@dataclass(frozen=True, slots=True)
class Entry:
    """Where a tensor stands: ``start`` counts bytes from the beginning of the file."""

    dtype: str
    shape: tuple[int, ...]
    start: int
    size: int


class SafetensorsFile:
    """A safetensors file whose header was found sound.  Tensors are read when asked for."""

    def __init__(self, path: Path) -> None:
        """Read and check the header; raises ForeignError."""
        self.path = path
        try:
            with path.open("rb") as file:
                total = file.seek(0, 2)
                file.seek(0)
                head = file.read(8)
                length = int.from_bytes(head, "little")
                if len(head) < 8 or length > total - 8:
                    raise ForeignError(f"{path} ends inside its header", _DAMAGED)
                if length > MAX_HEADER:
                    raise ForeignError(
                        f"{path} says that its header has {length:,} bytes",
                        f"at most {MAX_HEADER:,} are read",
                    )
                header = file.read(length)
        except OSError as error:
            raise ForeignError(f"{path} cannot be read ({error})", "check the path") from error
        values = parse_json(header, f"the header of {path}")
        values.pop("__metadata__", None)
        self.entries = _entries(values, 8 + length, total, str(path))

    def shapes(self) -> Mapping[str, tuple[int, ...]]:
        """Name and shape of every tensor."""
        return {name: entry.shape for name, entry in self.entries.items()}

    def read(self, name: str) -> np.ndarray:
        """One tensor of BF16, F16, F32 or F64 as float32; raises ForeignError."""
        entry = self.entries[name]
        if entry.dtype not in FLOATS:
            raise ForeignError(
                f"the tensor {name} is of type {entry.dtype}",
                "convert it to F32, F16 or BF16: quantised checkpoints are not read",
            )
        try:
            with self.path.open("rb") as file:
                file.seek(entry.start)
                data = file.read(entry.size)
        except OSError as error:
            raise ForeignError(f"{self.path} cannot be read ({error})", "try again") from error
        if len(data) != entry.size:
            raise ForeignError(f"{self.path} became shorter while it was read", "try again")
        return floats(data, entry.dtype).reshape(entry.shape)


def floats(data: bytes, dtype: str) -> np.ndarray:
    """float32 (n,) of little-endian numbers: BF16, F16, F32 or F64."""
    if dtype == "BF16":
        return (np.frombuffer(data, "<u2").astype(np.uint32) << 16).view(np.float32)
    kind = {"F16": "<f2", "F32": "<f4", "F64": "<f8"}[dtype]
    with np.errstate(over="ignore"):  # what becomes infinite is found by the check for NaN
        return np.frombuffer(data, kind).astype(np.float32)


def _entries(values: dict[str, Any], first: int, total: int, where: str) -> dict[str, Entry]:
    """The tensors of a header; raises ForeignError unless they fill the file without gap."""
    found = {name: _entry(name, value, first, where) for name, value in values.items()}
    at = first
    for name, entry in sorted(found.items(), key=lambda item: (item[1].start, item[1].size)):
        if entry.start != at:
            how = "overlaps the one before" if entry.start < at else "leaves a gap before it"
            raise ForeignError(f"{where}: the tensor {name} {how}", _DAMAGED)
        at += entry.size
    if at != total:
        short = "ends before its tensors do" if at > total else "goes on behind its tensors"
        raise ForeignError(f"{where} {short}: {total:,} bytes, expected {at:,}", _DAMAGED)
    return found


def _entry(name: str, value: Any, first: int, where: str) -> Entry:
    at = f"{where}: the tensor {name[:80]}"
    if not isinstance(value, dict) or set(value) != {"dtype", "shape", "data_offsets"}:
        raise ForeignError(f"{at} needs dtype, shape and data_offsets", _DAMAGED)
    dtype, shape, offsets = value["dtype"], value["shape"], value["data_offsets"]
    if not isinstance(dtype, str) or dtype not in SIZES:
        raise ForeignError(f"{at} is of type {str(dtype)[:40]!r}", "known are " + ", ".join(SIZES))
    if not _are_sizes(shape) or len(shape) > _MAX_DIMENSIONS:
        raise ForeignError(f"{at} has the shape {str(shape)[:60]}", _DAMAGED)
    if not _are_sizes(offsets) or len(offsets) != 2:
        raise ForeignError(f"{at} stands at {str(offsets)[:60]}", _DAMAGED)
    size = SIZES[dtype]
    for n in shape:
        size *= n
    begin, end = offsets
    if end - begin != size:
        raise ForeignError(
            f"{at} has {end - begin:,} bytes, its shape and type need {size:,}", _DAMAGED
        )
    return Entry(dtype, tuple(shape), first + begin, size)


def _are_sizes(value: Any) -> bool:
    return isinstance(value, list) and all(
        isinstance(n, int) and not isinstance(n, bool) and 0 <= n <= _MAX_LENGTH for n in value
    )


class SafetensorsFolder:
    """``model.safetensors`` of a folder, or the shards that its ``.index.json`` names."""

    def __init__(self, folder: Path) -> None:
        """Read the headers of all files; raises ForeignError."""
        index = folder / "model.safetensors.index.json"
        if index.is_file():
            self._files = _shards(folder, index)
        elif (folder / "model.safetensors").is_file():
            whole = SafetensorsFile(folder / "model.safetensors")
            self._files = dict.fromkeys(whole.entries, whole)
        else:
            raise ForeignError(f"{folder} has no model.safetensors", _advice(folder))

    def shapes(self) -> Mapping[str, tuple[int, ...]]:
        """Name and shape of every tensor."""
        return {name: file.entries[name].shape for name, file in self._files.items()}

    def read(self, name: str) -> np.ndarray:
        """One tensor as float32; raises ForeignError."""
        return self._files[name].read(name)


def _shards(folder: Path, index: Path) -> dict[str, SafetensorsFile]:
    places = read_json(index).get("weight_map")
    if not isinstance(places, dict) or not places:
        raise ForeignError(f"{index} has no weight_map", _DAMAGED)
    opened: dict[str, SafetensorsFile] = {}
    files: dict[str, SafetensorsFile] = {}
    for name, shard in places.items():
        if not isinstance(shard, str) or Path(shard).name != shard or "\\" in shard:
            raise ForeignError(
                f"{index} names the file {str(shard)[:60]!r}", "shards lie beside their index"
            )
        if shard not in opened:
            opened[shard] = SafetensorsFile(folder / shard)
        if name not in opened[shard].entries:
            raise ForeignError(f"{shard} has no tensor {name}, though the index says so", _DAMAGED)
        files[name] = opened[shard]
    return files


def _advice(folder: Path) -> str:
    """What to do where there are no safetensors; pickles are pointed out, never opened."""
    pickles = sorted(
        path.name for ending in ("bin", "pt", "pth") for path in folder.glob("*." + ending)
    )
    if pickles:
        return (
            f"{pickles[0]} is a pickle, which can run code: convert it with "
            "transformers' save_pretrained(..., safe_serialization=True)"
        )
    return "name the folder that holds config.json and model.safetensors"
