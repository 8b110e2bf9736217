"""What a network is: layers with their weights, before it becomes a picture.

Importers and trainers make a :class:`Transformer` or an :class:`Mlp`; :mod:`.emit` turns it into
source and weight files, :mod:`.reference` evaluates it in NumPy.  A weight matrix is a float array
or, once quantised, a tuple of :class:`~.quantise.Quantised` groups of consecutive rows.  Everything
else (biases, gains) is a float vector that the picture keeps as fixed point, steps of 1/65536.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from .quantise import Quantised, QuantiseError, quantise_matrix

Weights = np.ndarray | tuple[Quantised, ...]

#: Activations by name: GELU by the error function, GELU by tanh, SiLU, ReLU.
ACTIVATIONS = ("gelu", "gelu_tanh", "silu", "relu")
#: Greatest magnitude of what the picture keeps as fixed point.
X_LIMIT = 32768.0
#: What a norm's epsilon stays below: the picture keeps it in 31 bits, in units of 2^-32.
MOST_EPSILON = 0.5


class DescriptionError(ValueError):
    """A network that does not hold together.  ``what`` is wrong; ``advice`` says what to do."""

    def __init__(self, what: str, advice: str) -> None:
        self.what, self.advice = what, advice
        super().__init__(f"{what}; {advice}")


@dataclass(frozen=True, slots=True, eq=False)
class Linear:
    """``x @ weight + bias``.  ``weight`` (inputs, outputs); ``bias`` (outputs,) or None."""

    weight: Weights
    bias: np.ndarray | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Norm:
    """A norm over a row: ``gain`` (d,); LayerNorm has a ``bias`` (d,), RMSNorm has None."""

    gain: np.ndarray
    bias: np.ndarray | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Block:
    """One layer of a transformer: attention and MLP, each behind a norm, each added to the stream.

    ``qkv``: d to (heads + 2 * key_heads) * head columns: queries, keys, values.  ``up``: d to f
    columns, or 2f if the network is gated: the gate's, then the others.  ``down``: f to d.
    Rotary columns are pairs of neighbours (as in llama2.c; Hugging Face keeps halves: reorder).
    """

    norm_1: Norm
    qkv: Linear
    out: Linear
    norm_2: Norm
    up: Linear
    down: Linear


@dataclass(frozen=True, slots=True, eq=False)
class Transformer:
    """A causal language model: GPT-2 style or Llama style, by what it has.

    ``embedding`` (vocabulary, d).  ``positions`` (context, d): learned, or None with ``rotary``,
    the base of rotary frequencies (10000).  ``head`` (vocabulary, d), or None where the embedding
    serves as the head.  ``activation`` is one of ACTIVATIONS; ``gated``: the MLP multiplies the
    activated gate with the other half of ``up``.  ``vocabulary``: a byte for each token, for text
    at character level; None leaves it to whoever builds the app.

    ``glyphs``, uint8 (glyphs, pixels) of 0 and 1: the network sees no tokens but these pictures.
    Then ``embedding`` and ``head`` are (pixels, d): a picture times the embedding is what a token's
    row would be; the stream times the head is a picture of evidence, a number for each pixel, and
    its product with a glyph's picture is that glyph's logit.
    """

    embedding: Weights
    blocks: tuple[Block, ...]
    norm: Norm
    heads: int
    context: int
    key_heads: int = 0
    positions: Weights | None = None
    rotary: float | None = None
    head: Weights | None = None
    activation: str = "gelu"
    gated: bool = False
    epsilon: float = 1e-5
    vocabulary: bytes | None = None
    glyphs: np.ndarray | None = None

    @property
    def width(self) -> int:
        """Columns of the stream, d."""
        return shape_of(self.embedding)[1]

    @property
    def tokens(self) -> int:
        """How many tokens, or glyphs, there are."""
        return shape_of(self.embedding)[0] if self.glyphs is None else len(self.glyphs)

    @property
    def sharing(self) -> int:
        """Key heads: ``key_heads``, or as many as heads where that is 0."""
        return self.key_heads or self.heads

    @property
    def head_width(self) -> int:
        """Columns of one head."""
        return shape_of(self.blocks[0].out.weight)[0] // self.heads

    @property
    def hidden(self) -> int:
        """Columns between up (its half, if gated) and down, f."""
        return shape_of(self.blocks[0].down.weight)[0]

    def count(self) -> int:
        """How many weights the network has, biases and gains included."""
        return sum(
            int(np.prod(shape_of(part))) if isinstance(part, tuple) else int(part.size)
            for part in _arrays(self)
        )


@dataclass(frozen=True, slots=True, eq=False)
class Mlp:
    """Linear layers with an activation between them (none after the last)."""

    layers: tuple[Linear, ...]
    activation: str = "relu"

    def count(self) -> int:
        """How many weights the network has."""
        return sum(
            int(np.prod(shape_of(layer.weight)))
            + (0 if layer.bias is None else int(layer.bias.size))
            for layer in self.layers
        )


Network = Transformer | Mlp


def shape_of(weight: Weights) -> tuple[int, int]:
    """Rows and columns of a weight matrix, quantised or not."""
    if isinstance(weight, tuple):
        return sum(part.q.shape[0] for part in weight), weight[0].q.shape[1]
    rows, columns = weight.shape
    return int(rows), int(columns)


def _arrays(network: Transformer) -> list[Weights]:
    found: list[Weights | None] = [network.embedding, network.positions, network.head]
    found += [network.norm.gain, network.norm.bias]
    for block in network.blocks:
        for norm in (block.norm_1, block.norm_2):
            found += [norm.gain, norm.bias]
        for layer in (block.qkv, block.out, block.up, block.down):
            found += [layer.weight, layer.bias]
    return [part for part in found if part is not None]


# ---- checking ----------------------------------------------------------------------------------


def check(network: Network) -> None:
    """Raise DescriptionError, with the part's name, unless every shape and number fits."""
    if network.activation not in ACTIVATIONS:
        raise DescriptionError(
            f"no activation {network.activation!r}", "choose one of " + ", ".join(ACTIVATIONS)
        )
    if isinstance(network, Mlp):
        _check_mlp(network)
    else:
        _check_transformer(network)


def _check_mlp(network: Mlp) -> None:
    if not network.layers:
        raise DescriptionError("an MLP without layers", "give it at least one")
    width = shape_of(network.layers[0].weight)[0]
    for i, layer in enumerate(network.layers):
        width = _check_linear(layer, f"layers[{i}]", width, None)


def _check_transformer(net: Transformer) -> None:
    if not net.blocks:
        raise DescriptionError("a transformer without blocks", "give it at least one")
    d, t = net.width, net.context
    if net.heads < 1 or net.sharing < 1 or net.heads % net.sharing:
        raise DescriptionError(
            f"{net.heads} heads cannot share {net.sharing} key heads", "key_heads divides heads"
        )
    if (net.positions is None) == (net.rotary is None):
        raise DescriptionError("positions and rotary", "give one of them: learned or rotary")
    if t < 1 or net.epsilon <= 0:
        raise DescriptionError(f"context {t}, epsilon {net.epsilon}", "both are positive")
    if net.epsilon >= MOST_EPSILON:
        raise DescriptionError(f"epsilon {net.epsilon}", f"it is below {MOST_EPSILON}")
    head = net.head_width
    if head < 1 or (net.rotary is not None and head % 2):
        raise DescriptionError(f"heads of {head} columns", "rotary heads are even, none is empty")
    tokens = net.tokens if net.glyphs is None else _check_glyphs(net)
    _check_weight(net.embedding, "embedding", (tokens, d))
    if net.positions is not None:
        _check_weight(net.positions, "positions", (t, d))
    if net.head is not None:
        _check_weight(net.head, "head", (tokens, d))
    if net.vocabulary is not None and (
        len(net.vocabulary) != net.tokens or len(set(net.vocabulary)) != net.tokens
    ):
        raise DescriptionError(
            f"a vocabulary of {len(net.vocabulary)} bytes for {net.tokens} tokens",
            "give one byte a token, each once",
        )
    layer_norm = net.norm.bias is not None
    _check_norm(net.norm, "norm", d, layer_norm)
    for i, block in enumerate(net.blocks):
        at = f"blocks[{i}]."
        _check_norm(block.norm_1, at + "norm_1", d, layer_norm)
        _check_norm(block.norm_2, at + "norm_2", d, layer_norm)
        _check_linear(block.qkv, at + "qkv", d, (net.heads + 2 * net.sharing) * head)
        _check_linear(block.out, at + "out", net.heads * head, d)
        _check_linear(block.up, at + "up", d, net.hidden * (2 if net.gated else 1))
        _check_linear(block.down, at + "down", net.hidden, d)
        first = net.blocks[0]
        for name in ("qkv", "out", "up", "down"):
            mine, others = getattr(block, name), getattr(first, name)
            if (mine.bias is None) != (others.bias is None) or _groups(mine) != _groups(others):
                raise DescriptionError(
                    f"{at}{name} has other parts than blocks[0].{name}",
                    "all blocks have biases or none, and the same groups of rows",
                )
        if _groups(block.qkv) != _groups(block.up):
            raise DescriptionError(
                f"{at}qkv and up have different groups of rows", "cut both at the same rows"
            )


def _check_glyphs(net: Transformer) -> int:
    """How many pixels a glyph has."""
    glyphs = net.glyphs
    if glyphs is None or glyphs.ndim != 2 or not glyphs.size or glyphs.max() > 1:
        raise DescriptionError("glyphs that are no pictures", "give rows of pixels, each 0 or 1")
    if len(np.unique(glyphs, axis=0)) != len(glyphs):
        raise DescriptionError("two glyphs look the same", "give each picture once")
    if net.head is None:
        raise DescriptionError("glyphs without a head", "give one of as many rows as pixels")
    return int(glyphs.shape[1])


def _groups(layer: Linear) -> tuple[int, ...]:
    if not isinstance(layer.weight, tuple):
        return ()
    return tuple(part.q.shape[0] for part in layer.weight)


def _check_norm(norm: Norm, name: str, width: int, layer_norm: bool) -> None:
    if (norm.bias is not None) != layer_norm:
        raise DescriptionError(f"{name} is another norm than the last", "all have biases, or none")
    _check_vector(norm.gain, name + ".gain", width)
    if norm.bias is not None:
        _check_vector(norm.bias, name + ".bias", width)


def _check_linear(layer: Linear, name: str, inputs: int, outputs: int | None) -> int:
    width = shape_of(layer.weight)[1] if outputs is None else outputs
    _check_weight(layer.weight, name + ".weight", (inputs, width))
    if layer.bias is not None:
        _check_vector(layer.bias, name + ".bias", width)
    return width


def _check_weight(weight: Weights, name: str, shape: tuple[int, int]) -> None:
    if not isinstance(weight, tuple):
        if weight.ndim != 2:
            raise DescriptionError(f"{name} has {weight.ndim} dimensions", "a matrix has two")
        if not np.isfinite(weight).all():
            raise DescriptionError(
                f"{name} holds NaN or infinite weights", "take an earlier checkpoint"
            )
    if shape_of(weight) != shape or 0 in shape:
        raise DescriptionError(
            f"{name} is {' x '.join(map(str, shape_of(weight)))}",
            f"it must be {shape[0]} x {shape[1]} (inputs x outputs), and not empty",
        )


def _check_vector(vector: np.ndarray, name: str, width: int) -> None:
    if vector.shape != (width,):
        raise DescriptionError(f"{name} has shape {vector.shape}", f"it must be ({width},)")
    if not np.isfinite(vector).all() or float(np.abs(vector).max(initial=0)) >= X_LIMIT:
        raise DescriptionError(
            f"{name} holds NaN or numbers beyond {X_LIMIT:g}", "fixed point ends there"
        )


# ---- quantised and back ------------------------------------------------------------------------


def quantised(network: Network, *, method: str = "least-squares", groups: int = 1) -> Network:
    """The network with every float weight matrix quantised; what is quantised already stays.

    ``groups``: into how many groups of rows linear layers are cut, each with a grid of its own.
    Embeddings are one group.  Raises DescriptionError.
    """
    check(network)

    def weight(name: str, value: Weights, parts: int) -> Weights:
        if isinstance(value, tuple):
            return value
        try:
            return tuple(quantise_matrix(value, method=method, groups=min(parts, len(value))))
        except QuantiseError as error:
            raise DescriptionError(f"{name}: {error.what}", error.advice) from error

    return _mapped(network, weight, lambda vector: vector, groups)


def dequantised(network: Network) -> Network:
    """What the picture computes with: float32 of its weights, vectors on the grid of 1/65536."""

    def weight(name: str, value: Weights, parts: int) -> Weights:
        if isinstance(value, tuple):
            return np.vstack([part.float32() for part in value])
        return value

    return _mapped(network, weight, on_grid, 1)


def on_grid(vector: np.ndarray) -> np.ndarray:
    """float32 of a vector as the picture keeps it: rounded to 1/65536, half up."""
    return (np.floor(vector.astype(np.float64) * 65536 + 0.5) / 65536).astype(np.float32)


def _mapped(
    network: Network,
    weight: Callable[[str, Weights, int], Weights],
    vector: Callable[[np.ndarray], np.ndarray],
    groups: int,
) -> Network:
    """The network with its matrices and vectors replaced by what two functions make of them."""

    def linear(name: str, layer: Linear) -> Linear:
        bias = None if layer.bias is None else vector(layer.bias)
        return Linear(weight(name, layer.weight, groups), bias)

    def norm(part: Norm) -> Norm:
        return Norm(vector(part.gain), None if part.bias is None else vector(part.bias))

    if isinstance(network, Mlp):
        layers = tuple(linear(f"layers[{i}]", x) for i, x in enumerate(network.layers))
        return replace(network, layers=layers)
    blocks = tuple(
        Block(
            norm(block.norm_1),
            linear(f"blocks[{i}].qkv", block.qkv),
            linear(f"blocks[{i}].out", block.out),
            norm(block.norm_2),
            linear(f"blocks[{i}].up", block.up),
            linear(f"blocks[{i}].down", block.down),
        )
        for i, block in enumerate(network.blocks)
    )
    return replace(
        network,
        embedding=weight("embedding", network.embedding, 1),
        positions=None if network.positions is None else weight("positions", network.positions, 1),
        head=None if network.head is None else weight("head", network.head, 1),
        norm=norm(network.norm),
        blocks=blocks,
    )
