"""A network's picture as a description again: its own weights, read from its matrices by name.

What :mod:`.emit` writes is found: bytes with their grids, vectors in steps of 1/65536.  The picture
keeps tables instead of two numbers, which are worked out of them: the base of rotary positions and
the norms' epsilon.  Nothing is run.
"""

from __future__ import annotations

import math
from dataclasses import replace
from itertools import count

import numpy as np

from ....kernel.machine.memory import Header, Memory
from ....kernel.machine.program import Program, open_memory
from . import tables
from .description import Block, Linear, Mlp, Norm, Transformer, Weights, check
from .emit import ATTENTION_UNIT
from .quantise import Quantised, QuantiseError

_ONE = 65536
#: Stands for an epsilon that the picture rounds to 0: too small to make a difference.
_LEAST = 2.0**-40
#: A picture can name fewer matrices than that.
_MOST_GROUPS = 256
_LINEAR = ("qkv", "out", "up", "down")


class ReadbackError(ValueError):
    """The picture is none that the model builder makes of such a network; the message says why."""


class Matrices:
    """The matrices of a picture by name."""

    def __init__(self, program: Program, memory: Memory | None = None) -> None:
        """``memory``: one that a run of the program left (None: as the picture has them)."""
        self._memory = open_memory(program) if memory is None else memory
        self._entries = {name: i for i, name in enumerate(program.meta.names) if name}

    def __contains__(self, name: str) -> bool:
        return name in self._entries

    def shape(self, name: str) -> tuple[int, int]:
        """Rows and columns.  Raises ReadbackError if there is no such matrix."""
        header = self._memory.header(self._entry(name))
        return header.rows, header.cols

    def words(self, name: str) -> np.ndarray:
        """A matrix of I or X as raw int32 (rows, columns)."""
        header = self._memory.header(self._entry(name))
        if header.kind not in "IX":
            raise ReadbackError(f"{name} has kind {header.kind}, not I or X")
        start = self._memory.data_addr(header.row)
        size = header.rows * header.cols
        return self._memory.ints[start : start + size].reshape(header.rows, header.cols).copy()

    def fixed(self, name: str) -> np.ndarray:
        """A matrix of X as float64."""
        return self.words(name) / _ONE

    def row(self, name: str) -> np.ndarray:
        """A matrix of X that has one row and is not empty, as float64 (columns,)."""
        values = self.fixed(name)
        if len(values) != 1 or not values.size:
            raise ReadbackError(f"{name} is {values.shape[0]} x {values.shape[1]}, not one row")
        return np.asarray(values[0])

    def quantised(self, name: str, unit: int = 1) -> Quantised:
        """A matrix of Q, its grid multiplied by ``unit``."""
        header = self._memory.header(self._entry(name))
        if header.kind != "Q":
            raise ReadbackError(f"{name} has kind {header.kind}, not Q")
        grid = np.array([header.w4, header.w5], np.uint32).view(np.float32).astype(float) * unit
        try:
            return Quantised(self._bytes(header), float(grid[0]), float(grid[1]))
        except QuantiseError as error:
            raise ReadbackError(f"{name}: {error.what}") from error

    def text(self, name: str) -> np.ndarray:
        """A matrix of T as uint8 (rows, columns)."""
        header = self._memory.header(self._entry(name))
        if header.kind != "T":
            raise ReadbackError(f"{name} has kind {header.kind}, not T")
        return self._bytes(header)

    def _bytes(self, header: Header) -> np.ndarray:
        """The bytes of a matrix of T or Q, whose rows begin at words."""
        stride = -(-header.cols // 4) * 4
        start = self._memory.data_addr(header.row) * 4
        data = self._memory.bytes[start : start + header.rows * stride]
        return data.reshape(header.rows, stride)[:, : header.cols].copy()

    def _entry(self, name: str) -> int:
        if name not in self._entries:
            raise ReadbackError(f"there is no matrix {name}")
        return self._entries[name]


def read_transformer(program: Program) -> Transformer:
    """The network of an emitted app, quantised as it is there.

    Without a vocabulary: :func:`~.validate.validate` needs tokens for it.  Raises ReadbackError for
    a picture that is none, DescriptionError for one whose parts do not fit each other.
    """
    found = Matrices(program)
    embedding: Weights = (found.quantised("EMBEDDING"),)
    blocks = _count(found)
    heads, head = found.shape("SPREAD")
    columns = found.shape("COLLECT")[1]
    weights = {name: [_weight(found, name, i) for i in range(blocks)] for name in _LINEAR}
    key_heads, rest = divmod(_columns(weights["qkv"][0]) - columns, 2 * max(head, 1))
    if not heads or columns != heads * head or rest or key_heads < 1:
        raise ReadbackError(f"{heads} heads of {head} columns, {columns} in all")
    vectors = _vectors(found, blocks, embedding[0].q.shape[1], weights)

    def linear(name: str, i: int) -> Linear:
        return Linear(weights[name][i], vectors[i].get(name + "_bias"))

    def norm(name: str, i: int) -> Norm:
        return Norm(vectors[i][name + "_gain"], vectors[i].get(name + "_bias"))

    up, down = _columns(weights["up"][0]), _rows(weights["down"][0])
    rotary = "ROTARY_COSINE" in found
    network = Transformer(
        embedding=embedding,
        blocks=tuple(
            Block(
                norm("norm_1", i),
                linear("qkv", i),
                linear("out", i),
                norm("norm_2", i),
                linear("up", i),
                linear("down", i),
            )
            for i in range(blocks)
        ),
        norm=Norm(
            found.row("final_gain"),
            found.row("final_bias") if "final_bias" in found else None,
        ),
        heads=heads,
        context=found.shape("COLUMNS")[1],
        key_heads=key_heads,
        positions=(found.quantised("POSITIONS"),) if "POSITIONS" in found else None,
        rotary=_base(found, head) if rotary else None,
        head=(found.quantised("HEAD_WEIGHTS"),) if "HEAD_WEIGHTS" in found else None,
        glyphs=found.text("GLYPHS") if "GLYPHS" in found else None,
        activation=_activation(found),
        gated=up == 2 * down,
        epsilon=_noise(found),
    )
    check(network)
    return network


def read_network(program: Program) -> Transformer | Mlp:
    """The network of a picture that ``pxos train`` made: a language model of characters with its
    vocabulary, or of glyphs with their pictures, or an MLP.

    Raises ReadbackError, and DescriptionError, as the others do.
    """
    found = Matrices(program)
    if "GLYPHS" in found:
        return read_transformer(program)
    if "EMBEDDING" in found:
        vocabulary = found.text("DECODE").tobytes()
        network = replace(read_transformer(program), vocabulary=vocabulary)
        check(network)
        return network
    return read_mlp(program)


def _noise(found: Matrices) -> float:
    """The norms' epsilon; what rounds to nothing in the picture's units adds nothing."""
    noise = found.words("NOISE")
    if noise.shape != (1, 1):
        raise ReadbackError(f"NOISE is {noise.shape[0]} x {noise.shape[1]}, not a number")
    exact = max(float(noise[0, 0]), _LEAST) / 2**32
    # Of the numbers that round to it the shortest: 1e-05 rather than 1.00000761449337e-05.
    shorter = (float(f"{exact:.{digits}e}") for digits in range(16))
    return next((e for e in shorter if math.floor(e * 2**32 + 0.5) == noise[0, 0]), exact)


def _rows(weight: tuple[Quantised, ...]) -> int:
    return sum(len(part.q) for part in weight)


def _columns(weight: tuple[Quantised, ...]) -> int:
    return int(weight[0].q.shape[1])


def _groups(found: Matrices, label: str) -> list[str]:
    """What the groups of a kind of weights are called."""
    if f"w_{label}_at_0" in found:
        return [f"w_{label}"]
    names = []
    for g in count(1):
        if f"w_{label}_{g}_at_0" not in found:
            break
        names.append(f"w_{label}_{g}")
    if not names:
        raise ReadbackError(f"there is no matrix w_{label}_at_0")
    return names


def _count(found: Matrices) -> int:
    name = _groups(found, "qkv")[0]
    return next(i for i in count(1) if f"{name}_at_{i}" not in found)


def _weight(found: Matrices, label: str, i: int) -> tuple[Quantised, ...]:
    unit = ATTENTION_UNIT if label == "out" else 1
    return tuple(found.quantised(f"{name}_at_{i}", unit) for name in _groups(found, label))


def _vectors(
    found: Matrices, blocks: int, width: int, weights: dict[str, list[tuple[Quantised, ...]]]
) -> list[dict[str, np.ndarray]]:
    """Gains and biases of each block by name: one row of VECTORS, in the order of emit."""
    sizes = [(f"norm_{n}_{part}", width) for n in (1, 2) for part in ("gain", "bias")]
    sizes += [(f"{name}_bias", _columns(weights[name][0])) for name in _LINEAR]
    sizes = [(name, size) for name, size in sizes if name in found]
    if not {"norm_1_gain", "norm_2_gain"} <= {name for name, _ in sizes}:
        raise ReadbackError("its norms have no gains")
    values = found.fixed("VECTORS")
    total = sum(size for _, size in sizes)
    if values.shape != (blocks, total):
        raise ReadbackError(f"VECTORS is {values.shape}, expected {(blocks, total)}")
    ends = np.cumsum([size for _, size in sizes])
    return [
        {name: row[end - size : end] for (name, size), end in zip(sizes, ends, strict=True)}
        for row in values
    ]


def _activation(found: Matrices) -> str:
    """The activation whose table the picture has."""
    if "BUMP" not in found:
        return "relu"
    table = found.fixed("BUMP")
    for name in tables.REACH:
        wanted = tables.bump(name)
        if wanted.shape == table.shape and np.abs(wanted - table).max() < 2 / _ONE:
            return name
    raise ReadbackError("BUMP is the table of no activation that is known")


def _base(found: Matrices, head: int) -> float:
    """The base of the rotary positions whose tables are the picture's, a round number if one is."""
    cosine, sine = found.fixed("ROTARY_COSINE"), found.fixed("ROTARY_SINE")
    if cosine.shape != sine.shape or cosine.shape[1] != head // 2:
        raise ReadbackError(f"the tables of rotary positions do not fit heads of {head} columns")
    guess = np.float64(10000.0)
    if head > 2 and len(cosine) > 1:
        with np.errstate(over="ignore"):  # then no table fits
            guess = np.float64(_second_frequency(cosine[:, 1], sine[:, 1])) ** (-head / 2)
    rounded = [float(f"{guess:.{figures}g}") for figures in range(1, 8)]
    for base in (10000.0, *rounded, float(guess)):
        both = tables.rotary(len(cosine), head, base)
        if all(np.abs(a - b).max() < 1 / _ONE for a, b in zip(both, (cosine, sine), strict=True)):
            return base
    raise ReadbackError("the base of the rotary positions cannot be told from their tables")


def _second_frequency(cosine: np.ndarray, sine: np.ndarray) -> float:
    """Radians by which a position turns, from all positions: at each power of two the turns that
    were counted so far are known well enough to tell the angle from one a whole turn off."""
    frequency, position = math.atan2(sine[1], cosine[1]), 1
    while 2 * position < len(cosine):
        position *= 2
        found = math.atan2(sine[position], cosine[position])
        off = math.remainder(found - frequency * position, 2 * math.pi)
        frequency += off / position
    return max(frequency, 1e-12)


# ---- multi-layer perceptrons -----------------------------------------------------------------


def read_mlp(program: Program) -> Mlp:
    """The MLP of a picture, quantised as it is there.

    Raises ReadbackError for a picture that has none, DescriptionError for one whose parts do not
    fit each other.
    """
    found = Matrices(program)
    layers = []
    for i in count():
        names = [f"w_layer_{i}", *(f"w_layer_{i}_{g}" for g in range(1, _MOST_GROUPS))]
        weight = tuple(found.quantised(name) for name in names if name in found)
        if not weight:
            break
        bias = f"layer_{i}_bias"
        layers.append(Linear(weight, found.row(bias) if bias in found else None))
    if not layers:
        raise ReadbackError("there is no matrix w_layer_0")
    network = Mlp(tuple(layers), _activation(found))
    check(network)
    return network
