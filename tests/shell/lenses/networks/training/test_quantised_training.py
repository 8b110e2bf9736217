from __future__ import annotations

import numpy as np
import pytest

from pxos.shell.lenses.networks.quantise import METHODS, Quantised, dequantise, quantise
from pxos.shell.lenses.networks.training import TrainingError
from pxos.shell.lenses.networks.training.quantised_training import (
    all_rounded,
    exported,
    fit_grids,
    pass_gradients,
    rounded,
)

torch = pytest.importorskip("torch", reason="PyTorch is not installed: make test-train")


def matrices() -> list[np.ndarray]:
    rng = np.random.default_rng(5)
    return [
        rng.normal(0, 0.02, (40, 30)).astype(np.float32),
        (rng.standard_t(2, (64, 16)) * 1e-3).astype(np.float32),  # far outliers
        rng.normal(1000, 1e-3, (20, 20)).astype(np.float32),  # an offset that swallows the scale
        rng.uniform(-1e-38, 1e-38, (9, 9)).astype(np.float32),  # near the denormals
        np.full((3, 4), 0.3, np.float32),
        np.zeros((2, 2), np.float32),
    ]


@pytest.mark.parametrize("method", sorted(METHODS))
@pytest.mark.parametrize("which", range(len(matrices())))
def test_training_sees_the_bits_that_the_picture_keeps(method: str, which: int) -> None:
    matrix = matrices()[which]
    grid = METHODS[method](matrix)
    kept = Quantised(quantise(matrix, *grid), *grid)
    got = rounded(torch.from_numpy(matrix), grid).numpy()
    assert got.dtype == np.float32
    assert np.array_equal(got.view(np.uint32), kept.float32().view(np.uint32))


@pytest.mark.parametrize("method", sorted(METHODS))
def test_exported_weights_survive_the_quantiser(method: str) -> None:
    weights = {f"w{i}": matrix for i, matrix in enumerate(matrices())} | {"b": np.ones(4)}
    kept = exported(weights, fit_grids(weights, method))
    assert kept["b"] is weights["b"]
    for name in weights.keys() - {"b"}:
        (part,) = kept[name]
        values = dequantise(part.q, part.scale, part.offset)
        assert np.array_equal(quantise(values, part.scale, part.offset), part.q)


def test_values_in_the_middle_between_two_bytes_go_where_the_quantiser_sends_them() -> None:
    grid = (0.5, -10.0)
    matrix = (np.arange(-20, 300, dtype=np.float32) * 0.25 - 10)[None, :]
    kept = Quantised(quantise(matrix, *grid), *grid)
    assert np.array_equal(rounded(torch.from_numpy(matrix), grid).numpy(), kept.float32())


def test_gradients_pass_straight_to_the_weights_behind() -> None:
    weight = torch.tensor([[0.1, 0.26], [5.0, -3.0]], requires_grad=True)
    bias = torch.tensor([0.1234], requires_grad=True)
    weights = {"w": weight, "b": bias}
    used = all_rounded(weights, {"w": (0.25, 0.0)})
    assert used["b"] is bias
    assert used["w"].tolist() == [[0.0, 0.25], [5.0, 0.0]]
    (used["w"] ** 2 * used["b"]).sum().backward()
    pass_gradients(used, weights)
    assert torch.equal(weight.grad, 2 * used["w"].detach() * bias.detach())
    assert bias.grad.item() == pytest.approx(25.0625)


def test_weights_that_cannot_be_quantised_are_named() -> None:
    with pytest.raises(TrainingError, match=r"blocks\.0\.up: 1 of 4 weights are NaN"):
        fit_grids({"blocks.0.up": np.array([[1, 2], [np.nan, 3]], np.float32)}, "min-max")
    with pytest.raises(TrainingError, match="no method 'best'"):
        fit_grids({}, "best")
