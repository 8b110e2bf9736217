"""From a description to source that a person can read, weight files beside it, and the picture.

A transformer becomes ``network.pxi`` (weights, and the procs that run them) and, at character
level, ``NAME.pxa``, a whole app: text in, text out, drawn as it comes.  An MLP becomes
``network.pxi``.  Weights are ``.npy`` files of bytes, vectors ``.npy`` files of floats.
"""

from __future__ import annotations

import io
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from ....kernel.machine.program import Program
from ..assembler import assemble
from . import tables
from .description import (
    DescriptionError,
    Linear,
    Mlp,
    Network,
    Norm,
    Transformer,
    Weights,
    check,
    on_grid,
    quantised,
    shape_of,
)
from .quantise import Quantised
from .templates import APP, MLP, TRANSFORMER

#: Where the include files of networks lie.
LIBRARY = Path(__file__).resolve().parents[3] / "apps" / "lib"
#: By what attention's result is multiplied, ``ATTENTION_UNIT`` in apps/lib/nn_attention.pxi.
ATTENTION_UNIT = 64
#: A folder that exists in no file system: files of an :class:`Emitted` are found there.
_NOWHERE = Path("/emitted")


@dataclass(frozen=True, slots=True)
class Emitted:
    """Files by name: sources as UTF-8, weights as .npy.  ``main`` is the source to assemble."""

    files: Mapping[str, bytes]
    main: str

    def write(self, folder: Path) -> Path:
        """Write every file into an existing folder; the path of the main source."""
        for name, data in self.files.items():
            (folder / name).write_bytes(data)
        return folder / self.main

    def assemble(self) -> Program:
        """The program, without writing a file.  Raises AsmError."""

        def read(path: Path) -> bytes:
            if path.parent == _NOWHERE and path.name in self.files:
                return self.files[path.name]
            return path.read_bytes()

        source = self.files[self.main].decode()
        return assemble(
            source, path=str(_NOWHERE / self.main), include_dirs=[LIBRARY], read_file=read
        )


@dataclass(slots=True)
class _Builder:
    """Collects files and the lines of declarations."""

    files: dict[str, bytes] = field(default_factory=dict)
    lines: list[str] = field(default_factory=list)

    def array(self, name: str, array: np.ndarray) -> str:
        """Keep an array as a file; the data expression that reads it."""
        buffer = io.BytesIO()
        np.save(buffer, np.ascontiguousarray(array), allow_pickle=False)
        self.files[name + ".npy"] = buffer.getvalue()
        return f'file("{name}.npy")'

    def matrix(self, name: str, part: Quantised, *, far: bool = False, unit: int = 1) -> None:
        """Declare one quantised matrix, its values divided by a power of two."""
        scale, offset = np.float32(part.scale / unit), np.float32(part.offset / unit)
        if float(scale) * unit != part.scale or float(offset) * unit != part.offset:
            raise DescriptionError(
                f"{name} has a grid of denormal numbers", "scale the weights of this layer up"
            )
        flag = " far" if far else ""
        self.lines.append(
            f"{name} : Q{flag} scale {float(scale)!r} offset {float(offset)!r} = "
            + self.array(name, part.q)
        )


def _one(weight: Weights, name: str) -> Quantised:
    """The only group of an embedding."""
    if not isinstance(weight, tuple):
        raise DescriptionError(f"{name} is not quantised", "call quantised() first")
    if len(weight) != 1:
        raise DescriptionError(f"{name} has {len(weight)} groups", "embeddings are one group")
    return weight[0]


def emit(
    network: Network, *, name: str = "model", title: str = "", method: str = "least-squares",
    groups: int = 1, about: str = "",
) -> Emitted:
    """Sources and weights of a network; float weights are quantised by ``method`` and ``groups``.

    A transformer with a vocabulary becomes an app, ``NAME.pxa``; without one, or an MLP, it becomes
    ``network.pxi`` for an app that somebody writes around it (:mod:`.templates` says how it is
    called).  ``about``: a sentence for the app's summary.  Raises DescriptionError.
    """
    network = quantised(network, method=method, groups=groups)
    if isinstance(network, Mlp):
        builder = _mlp(network)
    else:
        builder = _transformer(network)
    if isinstance(network, Mlp) or network.vocabulary is None:
        return Emitted(builder.files, "network.pxi")
    main = name + ".pxa"
    builder.files[main] = APP.format(
        title=_quoted(title or name.capitalize()),
        name=name,
        summary=_quoted(about or f"writes text with a network of {network.count():,} weights"),
        context=network.context,
        vocabulary=network.tokens,
        encode=_row(_codes(network.vocabulary)),
        decode=_row(list(network.vocabulary)),
        start=max(network.vocabulary.find(b"\n"), 0),
    ).encode()
    return Emitted(builder.files, main)


def _quoted(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"', '\\"')


def _codes(vocabulary: bytes) -> list[int]:
    """The token of each byte, -1 for a byte that is none."""
    codes = [-1] * 256
    for token, byte in enumerate(vocabulary):
        codes[byte] = token
    return codes


def _row(numbers: list[int]) -> str:
    """A list of numbers, broken into lines of 16."""
    lines = [", ".join(map(str, numbers[i : i + 16])) for i in range(0, len(numbers), 16)]
    return "[" + (",\n" + " " * 15).join(lines) + "]"


# ---- transformers ------------------------------------------------------------------------------


def _vectors(net: Transformer) -> tuple[list[tuple[str, int]], np.ndarray]:
    """Names and widths of a block's vectors, and their values, a row for each block."""
    names: list[tuple[str, int]] = []
    rows = []
    for block in net.blocks:
        found: list[tuple[str, np.ndarray]] = []
        for norm, label in ((block.norm_1, "norm_1"), (block.norm_2, "norm_2")):
            found.append((label + "_gain", norm.gain))
            if norm.bias is not None:
                found.append((label + "_bias", norm.bias))
        for label in ("qkv", "out", "up", "down"):
            bias = getattr(block, label).bias
            if bias is not None:
                found.append((label + "_bias", bias))
        names = [(label, len(vector)) for label, vector in found]
        rows.append(np.concatenate([vector for _, vector in found]))
    return names, on_grid(np.array(rows)).astype(np.float64)


def _linear(y: str, x: str, weight: str, layer: Linear, bias: str) -> list[str]:
    """The instructions of a linear layer: a product for each group of rows, then the bias."""
    groups = len(layer.weight) if isinstance(layer.weight, tuple) else 1
    if groups == 1:
        lines = [f"{y} = {x} @ {weight}"]
    else:
        lines = [f"{y} = {x}_1 @ {weight}_1"]
        for g in range(2, groups + 1):
            lines += [f"part = {x}_{g} @ {weight}_{g}", f"{y} += part"]
    if layer.bias is not None:
        lines.append(f"{y} += {bias}")
    return lines


def _names(weight: Weights, name: str) -> list[str]:
    """What the groups of a weight matrix are called."""
    count = len(weight) if isinstance(weight, tuple) else 1
    return [name] if count == 1 else [f"{name}_{g}" for g in range(1, count + 1)]


def _cuts(x: str, weight: Weights) -> list[str]:
    """Views of x, one for each group of rows of the matrix it is multiplied with."""
    if not isinstance(weight, tuple) or len(weight) == 1:
        return []
    lines, at = [], 0
    for g, part in enumerate(weight, 1):
        lines.append(f"view {x}_{g} = {x}[0, {at}, -1, {part.q.shape[0]}]")
        at += part.q.shape[0]
    return lines


def _indent(lines: list[str], by: int) -> str:
    return "\n".join(" " * by + line for line in lines)


def _norm(y: str, x: str, norm: Norm, label: str) -> str:
    if norm.bias is not None:
        return f"layer_norm({y}, {x}, {label}_gain, {label}_bias, AVERAGE, NOISE)"
    return f"rms_norm({y}, {x}, {label}_gain, AVERAGE, NOISE)"


def _transformer(net: Transformer) -> _Builder:
    builder = _Builder()
    first = net.blocks[0]
    builder.matrix("EMBEDDING", _one(net.embedding, "embedding"))
    if net.head is not None:
        builder.matrix("HEAD_WEIGHTS", _one(net.head, "head"))
    if net.positions is not None:
        builder.matrix("POSITIONS", _one(net.positions, "positions"))
    if net.rotary is not None:
        cosine, sine = tables.rotary(net.context, net.head_width, net.rotary)
        builder.lines.append("ROTARY_COSINE : X = " + builder.array("rotary_cosine", cosine))
        builder.lines.append("ROTARY_SINE : X = " + builder.array("rotary_sine", sine))
    if net.activation != "relu":
        builder.lines.append("BUMP : X = " + builder.array("bump", tables.bump(net.activation)))
    builder.lines.append("final_gain : X = " + builder.array("final_gain", _grid(net.norm.gain)))
    if net.norm.bias is not None:
        builder.lines.append("final_bias : X = " + builder.array("final_bias", _grid(net.norm.bias)))
    vectors, values = _vectors(net)
    builder.lines.append("VECTORS : X = " + builder.array("vectors", values))
    naming: list[str] = []
    for label in ("qkv", "out", "up", "down"):
        unit = ATTENTION_UNIT if label == "out" else 1
        for g, name in enumerate(_names(getattr(first, label).weight, label)):
            for i, block in enumerate(net.blocks):
                part = getattr(block, label).weight[g]
                builder.matrix(f"{name}_at_{i}", part, far=True, unit=unit)
            builder.lines.append(f"{name} : X")
            naming.append(f"name {name} = {name}_at_0[layer]")
    builder.lines += [f"cache_at_{i} : X far keep" for i in range(len(net.blocks))]
    builder.files["network.pxi"] = TRANSFORMER.format(
        **_constants(net),
        declarations="\n".join(builder.lines),
        vectors=_indent(_vector_views(vectors), 4),
        cuts=_indent(_all_cuts(net), 8),
        naming=_indent(naming, 8),
        embed=_indent(_embed(net), 4),
        rotary_call="    call rotary\n" if net.rotary is not None else "",
        rotary_include='include "nn_rotary.pxi"\n' if net.rotary is not None else "",
        norm_1=_norm("h", "x", first.norm_1, "norm_1"),
        qkv=_indent(_linear("qkv", "h", "w_qkv", first.qkv, "qkv_bias"), 8),
        rotate="        rotate(turning, qkv)\n" if net.rotary is not None else "",
        out=_indent(_linear("y", "o", "w_out", first.out, "out_bias"), 8),
        norm_2=_norm("h", "x", first.norm_2, "norm_2"),
        up=_indent(_linear("f", "h", "w_up", first.up, "up_bias"), 8),
        activate=_indent(_activation(net), 8),
        down=_indent(_linear("y", "f", "w_down", first.down, "down_bias"), 8),
        final=_norm("h", "x", net.norm, "final"),
        head="EMBEDDING" if net.head is None else "HEAD_WEIGHTS",
    ).encode()
    return builder


def _grid(vector: np.ndarray) -> np.ndarray:
    return on_grid(vector).astype(np.float64)[None, :]


def _constants(net: Transformer) -> dict[str, object]:
    half = 0 if net.activation == "relu" else tables.REACH[net.activation] * tables.STEPS
    return {
        "layers": len(net.blocks),
        "width": net.width,
        "hidden": net.hidden,
        "heads": net.heads,
        "key_heads": net.sharing,
        "head_width": net.head_width,
        "context": net.context,
        "vocabulary": net.tokens,
        "epsilon": repr(net.epsilon),
        "half": half,
        "fan": net.hidden * (2 if net.gated else 1),
        "total": sum(size for _, size in _vectors(net)[0]),
    }
