"""An MLP or a chain of layers as an app: a picture in, the class or the numbers out."""

from __future__ import annotations

import io
from dataclasses import dataclass, field
from string import Template

import numpy as np

from ..description import Linear, Mlp, on_grid, shape_of
from ..emit import Emitted, emit
from ..quantise import QuantiseError, quantise_matrix
from ..tables import REACH, STEPS, bump
from .chain import Activation, Chain, Normed, Softmax, Step, square
from .common import ForeignError
from .text_app import quoted

NETWORK = Template("""\
; A network of $count steps, $inputs to $outputs.
;
;     network.input = ...               ; X n x $inputs
;     call network
;     ... network.output                ; X n x $outputs

include "nn.pxi"

$declarations

proc network {
    input  : X
    output : X
$hidden
$body
}
""")

APP = Template("""\
title   "$title"
summary "$summary"
help \"\"\"
$name: reads a picture and says what it is.

    digit.png | $name
    digit.png | $name --mode numbers > scores.png

The picture is taken as $rows x $columns shades of gray, resized to that if it has another size
(each place takes the pixel nearest to it), black as --low and white as --high. It writes the number
of the greatest output, a line for each picture. --mode numbers hands on a picture instead: one row,
a pixel (1/65536) for each output. --mode raw takes the pixels themselves as $inputs numbers in
steps of 1/65536 and hands on such a row.
\"\"\"
ports picture text arguments
inputs image
arg   low number = 0.0 in -1000..1000 "what black is worth"
arg   high number = 1.0 in -1000..1000 "what white is worth"
arg   mode choice(answer, numbers, raw) = answer "the greatest output, or all of them"

include "network.pxi"
include "luma.pxi"
include "label.pxi"

photo  : P
gray   : I
low    : X
high   : X
mode   : I
input  : X
best   : I
answer : T
words  : P

low = in(arguments, 0)
high = in(arguments, 1)
mode = in(arguments, 2)
loop {
    photo = in(picture)
    unless size(photo) { halt }
    if mode == 2 {
        view whole = photo as X
        input = reshape(whole, [1, $inputs])
    } else {
        luma(gray, photo)
        gray = zoom(gray, [$rows, $columns])
        input = reshape(gray, [1, $inputs])
        input = input * (high - low) / 255
        input += low
    }
    network.input = input
    call network
    if mode {
        view bits = network.output as I
        words = reshape(bits, shape(bits))
        out(picture, words)
    } else {
        best = argmax(network.output)
        decimal(answer, best)
        answer = beside(answer[where(answer != ' ')], '\\n')
        out(text, answer)
    }
}
""")


def chain_app(
    network: Mlp | Chain,
    *,
    shape: tuple[int, int] | None = None,
    name: str = "model",
    title: str = "",
    method: str = "least-squares",
    groups: int = 1,
) -> Emitted:
    """The sources and weights of an app, ``NAME.pxa``, that feeds pictures to a network.

    ``shape``: rows and columns of the picture that the inputs are (None: a square, or one row).
    ``method``, ``groups``: see :func:`~..quantise.quantise_matrix`.  Raises DescriptionError, and
    ForeignError if the shape does not hold the inputs or a weight matrix cannot be quantised.
    """
    if isinstance(network, Mlp):
        inputs, outputs = (
            shape_of(network.layers[0].weight)[0],
            shape_of(network.layers[-1].weight)[1],
        )
        files = dict(emit(network, method=method, groups=groups).files)
    else:
        inputs, outputs = network.inputs, network.outputs
        files = _emit(network, method, groups)
    rows, columns = shape or square(inputs)
    if rows * columns != inputs:
        raise ForeignError(
            f"a picture of {rows} x {columns} has not the {inputs} inputs of the network",
            "give the size with --input ROWSxCOLUMNS",
        )
    main = name + ".pxa"
    files[main] = APP.substitute(
        name=name,
        title=quoted(title or name.capitalize()),
        summary=f"tells {outputs} things apart with a network of {network.count():,} weights",
        rows=rows,
        columns=columns,
        inputs=inputs,
    ).encode()
    return Emitted(files, main)


def _emit(chain: Chain, method: str, groups: int) -> dict[str, bytes]:
    """``network.pxi`` and its weights, with the interface of an emitted MLP."""
    source = _Source(method, groups)
    x = "input"
    for i, step in enumerate(chain.steps):
        y = "output" if i + 1 == len(chain.steps) else f"h{i + 1}"
        if y != "output":
            source.hidden.append(f"{y} : X")
        source.step(i, step, x, y)
        x = y
    source.files["network.pxi"] = NETWORK.substitute(
        count=len(chain.steps),
        inputs=chain.inputs,
        outputs=chain.outputs,
        declarations="\n".join(source.lines),
        hidden="\n".join("    " + line for line in [*source.hidden, "part : X"]),
        body="\n".join("    " + line for line in source.body),
    ).encode()
    return source.files


@dataclass(slots=True)
class _Source:
    """Collects the declarations, instructions and files of a chain."""

    method: str
    groups: int
    files: dict[str, bytes] = field(default_factory=dict)
    lines: list[str] = field(default_factory=list)
    hidden: list[str] = field(default_factory=list)
    body: list[str] = field(default_factory=list)
    declared: set[str] = field(default_factory=set)

    def step(self, i: int, step: Step, x: str, y: str) -> None:
        """Step i, from x to y."""
        if isinstance(step, Linear):
            self._linear(i, step, x, y)
        elif isinstance(step, Activation):
            self._activation(step.name, x, y)
        elif isinstance(step, Softmax):
            self.body.append(f"softmax({y}, {x})")
        else:
            self._norm(i, step, x, y)

    def _file(self, name: str, array: np.ndarray) -> str:
        buffer = io.BytesIO()
        np.save(buffer, np.ascontiguousarray(array), allow_pickle=False)
        self.files[name + ".npy"] = buffer.getvalue()
        return f'file("{name}.npy")'

    def _vector(self, name: str, values: np.ndarray) -> str:
        data = self._file(name, on_grid(values).astype(np.float64)[None, :])
        self.lines.append(f"{name} : X = {data}")
        return name

    def _linear(self, i: int, step: Linear, x: str, y: str) -> None:
        """A product for each group of rows, then the bias."""
        weight = np.asarray(step.weight)
        groups = min(self.groups, len(weight))
        try:
            parts = quantise_matrix(weight, method=self.method, groups=groups)
        except QuantiseError as error:
            raise ForeignError(f"step {i}: {error.what}", error.advice) from error
        at = 0
        for g, part in enumerate(parts):
            name, rows = f"w_{i}_{g}", len(part.q)
            data = self._file(name, part.q)
            grid = f"scale {part.scale!r} offset {part.offset!r}"
            self.lines.append(f"{name} : Q {grid} = {data}")
            source = x
            if groups > 1:
                source = f"{x}_{g}"
                self.body.append(f"view {source} = {x}[0, {at}, -1, {rows}]")
            if g:
                self.body += [f"part = {source} @ {name}", f"{y} += part"]
            else:
                self.body.append(f"{y} = {source} @ {name}")
            at += rows
        if step.bias is not None:
            self.body.append(f"{y} += " + self._vector(f"bias_{i}", step.bias))

    def _activation(self, name: str, x: str, y: str) -> None:
        if name == "relu":
            self.body.append(f"{y} = max({x}, 0)")
            return
        table = f"BUMP_{name}"
        if table not in self.declared:
            self.declared.add(table)
            self.lines.append(f"{table} : X = " + self._file(table.lower(), bump(name)))
        self.body.append(f"activation({y}, {x}, {table}, {REACH[name] * STEPS})")

    def _norm(self, i: int, step: Normed, x: str, y: str) -> None:
        width = step.norm.gain.size
        average, noise = f"AVERAGE_{width}", f"NOISE_{i}"
        self.lines.append(f"{noise} : I = round({step.epsilon!r} * exp2(32))")
        gain = self._vector(f"gain_{i}", step.norm.gain)
        if step.norm.bias is None:
            self.body.append(f"rms_norm({y}, {x}, {gain}, {noise})")
            return
        if average not in self.declared:
            self.declared.add(average)
            self.lines += [
                f"const MEAN_{width} = 1 / {width}",
                f"{average} : Q [{width}, 1] scale 1.0 offset MEAN_{width} = fill(0)",
            ]
        bias = self._vector(f"shift_{i}", step.norm.bias)
        self.body.append(f"layer_norm({y}, {x}, {gain}, {bias}, {average}, {noise})")
