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
from string import Template

import numpy as np

from ....kernel.machine.program import Program
from ..assembler import AsmError, assemble
from ..assembler.program import TOO_MANY_NAMES
from . import tables
from .description import (
    DescriptionError,
    Linear,
    Mlp,
    Network,
    Norm,
    Transformer,
    Weights,
    on_grid,
    quantised,
    shape_of,
)
from .quantise import Quantised
from .templates import APP, MLP, NO_WINDOW, TRANSFORMER, WINDOW

#: Where the include files of networks lie.
LIBRARY = Path(__file__).resolve().parents[3] / "apps" / "lib"
#: By what attention's result is multiplied, ``ATTENTION_UNIT`` in apps/lib/nn_attention.pxi.
ATTENTION_UNIT = 32
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

    def fits(self) -> bool:
        """Whether instructions can name all its matrices; tried with arrays of one element, which
        takes no time.  Raises AsmError for anything else that is wrong with it."""
        light = dict(self.files)
        for name, data in self.files.items():
            if name.endswith(".npy"):
                kind = np.load(io.BytesIO(data), allow_pickle=False).dtype
                buffer = io.BytesIO()
                np.save(buffer, np.zeros((1, 1), kind), allow_pickle=False)
                light[name] = buffer.getvalue()
        try:
            Emitted(light, self.main).assemble()
        except AsmError as error:
            if error.message.startswith(TOO_MANY_NAMES):
                return False
            raise
        return True


@dataclass(frozen=True, slots=True)
class Credits:
    """Who made an app and how it may be used, a line each, and its icon, a PNG of 32 x 32."""

    author: str = ""
    licence: str = ""
    icon: bytes = b""

    def lines(self) -> str:
        """The directives of what is given."""
        said = {"author": self.author, "licence": self.licence}
        lines = [f'{key:7} "{quoted(text)}"\n' for key, text in said.items() if text]
        return "".join(lines) + ('icon    "icon.png"\n' if self.icon else "")

    def files(self) -> dict[str, bytes]:
        """The files that these name."""
        return {"icon.png": self.icon} if self.icon else {}


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
        flag = " far keep" if far else ""
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
    network: Network,
    *,
    name: str = "model",
    title: str = "",
    about: str = "",
    credits: Credits = Credits(),
    method: str = "least-squares",
    groups: int = 1,
) -> Emitted:
    """Sources and weights of a network; float weights are quantised by ``method`` and ``groups``.

    A transformer with a vocabulary becomes an app, ``NAME.pxa``; without one, or an MLP, it becomes
    ``network.pxi`` for an app that somebody writes around it (:mod:`.templates` says how it is
    called).  ``about``: a sentence for the app's summary.  The app has a window, unless the network
    leaves too few of the matrices that a program can name.  Raises DescriptionError.
    """
    network = quantised(network, method=method, groups=groups)
    if isinstance(network, Mlp):
        builder = _mlp(network)
    else:
        builder = _transformer(network)
    if isinstance(network, Mlp) or network.vocabulary is None:
        return Emitted(builder.files, "network.pxi")
    main = name + ".pxa"
    words = {
        "title": quoted(title or name.capitalize()),
        "name": name,
        "summary": quoted(about or f"writes text with a network of {network.count():,} weights"),
        "context": network.context,
        "vocabulary": network.tokens,
        "encode": _row(_codes(network.vocabulary)),
        "decode": _row(list(network.vocabulary)),
        "start": max(network.vocabulary.find(b"\n"), 0),
        "credits": credits.lines(),
    }
    builder.files.update(credits.files())
    for parts in (WINDOW, NO_WINDOW):
        filled = {key: Template(text).substitute(name=name) for key, text in parts.items()}
        builder.files[main] = APP.substitute(words, **filled).encode()
        emitted = Emitted(builder.files, main)
        if emitted.fits():
            break
    return emitted


def quoted(text: str) -> str:
    """Text for between the quotes of a directive."""
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


def _linear(y: str, x: str, label: str, layer: Linear) -> list[str]:
    """The instructions of a linear layer: a product for each group of rows, then the bias."""
    names = _names(layer.weight, "w_" + label)
    if len(names) == 1:
        lines = [f"{y} = {x} @ {names[0]}"]
    else:
        lines = [f"{y} = {x}_1 @ {names[0]}"]
        for g, name in enumerate(names[1:], 2):
            lines += [f"part = {x}_{g} @ {name}", f"{y} += part"]
    if layer.bias is not None:
        lines.append(f"{y} += {label}_bias")
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
    return f"rms_norm({y}, {x}, {label}_gain, NOISE)"


def _transformer(net: Transformer) -> _Builder:
    builder = _Builder()
    first = net.blocks[0]
    builder.matrix("EMBEDDING", _one(net.embedding, "embedding"))
    if net.head is not None:
        builder.matrix("HEAD_WEIGHTS", _one(net.head, "head"))
    if net.glyphs is not None:
        builder.lines.append(
            "; The glyphs it knows, a row of pixels each, in no order that means anything."
        )
        builder.lines.append(f"const PIXELS = {net.glyphs.shape[1]}")
        builder.lines.append("GLYPHS : T = " + builder.array("glyphs", net.glyphs))
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
        builder.lines.append(
            "final_bias : X = " + builder.array("final_bias", _grid(net.norm.bias))
        )
    vectors, values = _vectors(net)
    builder.lines.append("VECTORS : X = " + builder.array("vectors", values))
    builder.lines += [f"{label} : V" for label, _ in vectors]
    naming: list[str] = []
    for label in ("qkv", "out", "up", "down"):
        unit = ATTENTION_UNIT if label == "out" else 1
        for g, name in enumerate(_names(getattr(first, label).weight, "w_" + label)):
            for i, block in enumerate(net.blocks):
                part = getattr(block, label).weight[g]
                builder.matrix(f"{name}_at_{i}", part, far=True, unit=unit)
            builder.lines.append(f"{name} : X")
            naming.append(f"name {name} = {name}_at_0[layer]")
    builder.lines += [f"cache_at_{i} : X far keep" for i in range(len(net.blocks))]
    inside = "g" if net.gated else "f"
    rotary = net.rotary is not None
    builder.files["network.pxi"] = TRANSFORMER.substitute(
        _constants(net),
        declarations="\n".join(builder.lines),
        vectors=_indent(_vector_views(vectors), 4),
        cuts=_indent(_all_cuts(net, inside), 8),
        naming=_indent(naming, 8),
        embed=_indent(_embed(net), 4),
        rotary_call="    call rotary\n" if rotary else "",
        rotary_include='include "nn_rotary.pxi"\n' if rotary else "",
        norm_1=_norm("h", "x", first.norm_1, "norm_1"),
        qkv=_indent(_linear("qkv", "h", "qkv", first.qkv), 8),
        rotate="        rotate(turning, qkv)\n" if rotary else "",
        out=_indent(_linear("y", "o", "out", first.out), 8),
        norm_2=_norm("h", "x", first.norm_2, "norm_2"),
        up=_indent(_linear("f", "h", "up", first.up), 8),
        activate=_indent(_activation(net), 8),
        down=_indent(_linear("y", inside, "down", first.down), 8),
        final_last=_norm("h", "y", net.norm, "final"),
        final_all=_norm("h", "x", net.norm, "final"),
        answer_last=_indent(_answer(net, "h"), 4),
        answer_all=_indent(_answer(net, "h"), 4),
        **_input(net),
    ).encode()
    return builder


def _vector_views(vectors: list[tuple[str, int]]) -> list[str]:
    lines, at = [], 0
    for label, size in vectors:
        lines.append(f"view {label} = vectors[0, {at}, 1, {size}]")
        at += size
    return lines


def _all_cuts(net: Transformer, inside: str) -> list[str]:
    """Views of the matrices whose rows are as many as the tokens that come."""
    first = net.blocks[0]
    lines = []
    if net.rotary is not None:
        lines.append("view turning = qkv[0, 0, -1, TURNED]")
    if net.gated:
        lines += ["view gate = f[0, 0, -1, HIDDEN]", "view other = f[0, HIDDEN, -1, HIDDEN]"]
    # check() has seen to it that h is cut alike for qkv and for up.
    lines += _cuts("h", first.qkv.weight) + _cuts("o", first.out.weight)
    return lines + _cuts(inside, first.down.weight)


def _input(net: Transformer) -> dict[str, str]:
    """How the network is handed what it reads."""
    if net.glyphs is None:
        given = "network.tokens = ...              ; I 1 x n: the tokens"
        reads, counted = "    tokens : I", "size(tokens)"
    else:
        given = "network.pixels = ...              ; T n x PIXELS, 0 or 1: the cells"
        reads, counted = "    pixels : T\n    evidence : X", "height(pixels)"
    given = f";     {given} at positions first, first + 1, ..."
    return {"given": given, "reads": reads, "counted": counted}


def _answer(net: Transformer, y: str) -> list[str]:
    """From the stream, normalised, to logits."""
    head = "EMBEDDING" if net.head is None else "HEAD_WEIGHTS"
    if net.glyphs is None:
        return [f"network.logits = {y} @ {head}.T"]
    return [f"network.evidence = {y} @ {head}.T", "network.logits = network.evidence @ GLYPHS.T"]


def _embed(net: Transformer) -> list[str]:
    if net.glyphs is None:
        lines = ["x = rows(EMBEDDING, network.tokens)"]
    else:
        lines = ["x = network.pixels @ EMBEDDING"]
    if net.positions is not None:
        lines += ["y = rows(POSITIONS, attention.at)", "x += y"]
    return lines


def _activation(net: Transformer) -> list[str]:
    what = "gate" if net.gated else "f"
    if net.activation == "relu":
        lines = [f"{what} = max({what}, 0)"]
    else:
        lines = [f"activation({what}, {what}, BUMP, HALF)"]
    return [*lines, "g = gate * other"] if net.gated else lines


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
    }


# ---- multi-layer perceptrons -----------------------------------------------------------------


def _mlp(net: Mlp) -> _Builder:
    builder = _Builder()
    if net.activation != "relu":
        builder.lines.append("BUMP : X = " + builder.array("bump", tables.bump(net.activation)))
    sizes = [shape_of(net.layers[0].weight)[0]]
    hidden: list[str] = []
    body: list[str] = []
    for i, layer in enumerate(net.layers):
        last = i + 1 == len(net.layers)
        x, y = f"h{i}" if i else "input", "output" if last else f"h{i + 1}"
        sizes.append(shape_of(layer.weight)[1])
        for g, name in enumerate(_names(layer.weight, f"w_layer_{i}")):
            builder.matrix(name, layer.weight[g])
        if layer.bias is not None:
            data = builder.array(f"layer_{i}_bias", _grid(layer.bias))
            builder.lines.append(f"layer_{i}_bias : X = {data}")
        body += _cuts(x, layer.weight) + _linear(y, x, f"layer_{i}", layer)
        if last:
            continue
        hidden.append(f"{y} : X")
        if net.activation == "relu":
            body.append(f"{y} = max({y}, 0)")
        else:
            half = tables.REACH[net.activation] * tables.STEPS
            body.append(f"activation({y}, {y}, BUMP, {half})")
    builder.files["network.pxi"] = MLP.substitute(
        count=len(net.layers),
        sizes=" to ".join(map(str, sizes)),
        inputs=sizes[0],
        outputs=sizes[-1],
        declarations="\n".join(builder.lines),
        hidden=_indent(hidden, 4),
        body=_indent(body, 4),
    ).encode()
    return builder
